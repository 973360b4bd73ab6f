"""Whom the weights of an encoder have seen, by the card that stands beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from radiogenomics.core.errors import LeakageError, short_list
from radiogenomics.core.weight_file import CARD, WEIGHTS, read_card

COMPARED = ("window", "normalise", "view", "spacing_mm", "margin_mm", "masked")
"""Settings of a view that weights are used to."""


def card_of(weights: str | Path) -> dict[str, Any]:
    """Card beside weights of ours; empty for weights from elsewhere."""
    path = Path(weights)
    if path.suffix != WEIGHTS or not path.with_suffix(CARD).is_file():
        return {}
    return read_card(path)


def trained_words(weights: str | Path) -> str:
    """Say what weights were trained on, in the words of their card.

    Examples
    --------
    >>> trained_words("downloaded.pt")
    'downloaded.pt, of which no card says what they were trained on'
    """
    card, name = card_of(weights), Path(weights).name
    if "trained" not in card:
        return f"{name}, of which no card says what they were trained on"
    facts = ", ".join(card.get("facts") or ())
    told = f", told {facts}" if facts else ""
    return f"{name}, {card['trained']}{told}"


def seen_of(
    weights: str | Path, *, cohorts: Collection[str], hashes: Mapping[str, str]
) -> tuple[str, ...]:
    """Cohorts that the weights were pre-trained on: of the same name, or with a file in common.

    Parameters
    ----------
    weights
        File of weights.
    cohorts
        Names of the cohorts that are to be encoded.
    hashes
        Of their files, by ``<cohort>/<name>``.

    Returns
    -------
    tuple of str
        Names among ``cohorts``; empty where the card names none of them, or there is no card.
    """
    card = card_of(weights)
    inputs = card.get("inputs")
    files = set(inputs.values()) if isinstance(inputs, dict) else set()
    alike = {name.partition("/")[0] for name, digest in hashes.items() if digest in files}
    alike |= set(card.get("cohorts") or ())
    return tuple(name for name in cohorts if name in alike)


def require_unseen(
    weights: Mapping[str, str | Path], *, cohorts: Collection[str], hashes: Mapping[str, str]
) -> None:
    """Refuse weights that were pre-trained on a cohort that they are to encode.

    Parameters
    ----------
    weights
        Encoder preset → file.
    cohorts, hashes
        As of :func:`seen_of`.

    Raises
    ------
    LeakageError
        There are such.
    """
    for preset, file in weights.items():
        seen = seen_of(file, cohorts=cohorts, hashes=hashes)
        if seen:
            raise LeakageError(
                f"weights of {preset}: expected an encoder that has seen none of these patients; "
                f"found one that was pre-trained on {short_list(seen)}. Pre-train it on other "
                "patients."
            )


def differing_settings(weights: str | Path, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Settings of the view that the weights were trained on in another way.

    Parameters
    ----------
    weights
        File of weights.
    settings
        Of the view that they are to read, as plain data.
    """
    trained = card_of(weights).get("settings")
    if not isinstance(trained, dict):
        return ()
    return tuple(name for name in COMPARED if trained.get(name) != settings.get(name))
