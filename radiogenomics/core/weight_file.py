"""Weights of networks on disk: safetensors and a card in JSON; reading them cannot run code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from radiogenomics.core.errors import (
    ChecksumError,
    MissingExtraError,
    MissingFileError,
    SchemaError,
)
from radiogenomics.core.provenance import hash_file

Array = np.ndarray[Any, np.dtype[Any]]
WEIGHTS, CARD = ".safetensors", ".json"
HASH = "sha256"


def write_weights(path: Path | str, arrays: Mapping[str, Array], card: Mapping[str, Any]) -> Path:
    """Write arrays and, beside them, what they are; an earlier file of the name is replaced whole.

    Parameters
    ----------
    path
        ``NAME.safetensors``; the card goes to ``NAME.json``.
    arrays
        Name → array.
    card
        What the weights are for: JSON only. The hash of the weights is added.

    Returns
    -------
    Path
        The file of weights.

    Raises
    ------
    SchemaError
        The name ends otherwise, or the card is not JSON.
    MissingExtraError
        safetensors is not installed.
    """
    target = _weights_path(path)
    try:
        json.dumps(dict(card), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SchemaError(
            f"card of {target.name}: expected what JSON can hold; found {error}. "
            "Turn arrays into lists, and leave out what is not a number."
        ) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    # Both are written whole before either takes its place: a kill leaves the earlier pair.
    fresh, words = target.with_suffix(".part"), target.with_suffix(".card.part")
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    save, _, _ = _safetensors()
    save(contiguous, str(fresh))
    text = json.dumps({**card, HASH: hash_file(fresh)}, indent=2, sort_keys=True)
    words.write_text(text + "\n", encoding="utf-8")
    fresh.replace(target)
    words.replace(target.with_suffix(CARD))
    return target


def read_weights(path: Path | str) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read arrays and their card.

    Raises
    ------
    MissingFileError
        One of the two files is not there.
    ChecksumError
        The weights are not those that the card was written for.
    SchemaError
        The file is not safetensors, or the card not a JSON object.
    MissingExtraError
        safetensors is not installed.
    """
    source = _weights_path(path)
    card = read_card(source)
    found = hash_file(source)
    if found != card.get(HASH):
        raise ChecksumError(
            f"{source.name}: expected the weights that its card describes (SHA-256 "
            f"{str(card.get(HASH))[:12]}...); found {found[:12]}.... Get both files again."
        )
    return read_arrays(source), card


def read_card(path: Path | str) -> dict[str, Any]:
    """Read the card of a file of weights."""
    words = _weights_path(path).with_suffix(CARD)
    if not words.is_file():
        raise MissingFileError(
            f"expected the card of the weights at {words}; found none. Keep both files together."
        )
    try:
        card = json.loads(words.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SchemaError(
            f"{words.name}: expected JSON; found {error}. Get the file again."
        ) from error
    if not isinstance(card, dict):
        raise SchemaError(
            f"{words.name}: expected a JSON object; found {type(card).__name__}. Get it again."
        )
    return card


def read_arrays(path: Path | str) -> dict[str, Array]:
    """Read the arrays of a safetensors file of any origin, without a card."""
    source = _weights_path(path)
    if not source.is_file():
        raise MissingFileError(f"expected weights at {source}; found none. Check the path.")
    _, load, broken = _safetensors()
    try:
        found: dict[str, Array] = load(str(source))
    except (broken, KeyError, TypeError) as error:
        raise SchemaError(
            f"{source.name}: expected a safetensors file; found {error}. Get the file again, or "
            "convert it."
        ) from error
    return found


def _weights_path(path: Path | str) -> Path:
    found = Path(path)
    if found.suffix != WEIGHTS:
        raise SchemaError(
            f"expected a file of weights named *{WEIGHTS}; found {found.name}. Rename it, or "
            "convert it."
        )
    return found


def _safetensors() -> tuple[Any, Any, type[Exception]]:
    """What writes, what reads, and what is raised by the optional library."""
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file, save_file
    except ImportError as error:
        raise MissingExtraError(
            "expected safetensors, which weights of networks are kept in; found it missing. "
            "Install it with pip install 'radiogenomics[deep]'."
        ) from error
    return save_file, load_file, SafetensorError
