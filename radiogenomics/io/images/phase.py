"""Contrast phase: a cautious guess from DICOM tags and organs, to check what is declared."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.core.log import get_logger
from radiogenomics.io.images.image import Header

Array = np.ndarray[Any, np.dtype[Any]]
Confidence = Literal["none", "low", "medium", "high"]
Phases = frozenset[str]

PHASES = ("none", "arterial", "portal", "delayed")
# Whole words after accents, signs and capitals are gone; longer stems stand for their endings.
WORDS = MappingProxyType(
    {
        "none": r"nativ\w*|unenhanced|non ?con(trast)?|plain|pre ?contrast|without( contrast)?"
        r"|ohne( km)?|sans (injection|contraste)|sin contraste|senza (mdc|contrasto)|ncct|nect",
        "arterial": r"arteri(al|ell|el|os)\w*|art|hap",
        "portal": r"port(al|o)\w*|pv|pvp|ven|venous|veno[es]?s\w*|veineu\w*",
        "delayed": r"delay\w*|equilibrium|spat\w*|spaet\w*|tardi\w*|(3|4|5|6|7|8|9|10) ?min\w*",
    }
)
SHORT = MappingProxyType(
    {"n": "none", "a": "arterial", "p": "portal", "v": "portal", "d": "delayed"}
)
# Seconds from the start of the injection.
TIMES = MappingProxyType({"arterial": (15, 50), "portal": (55, 100), "delayed": (150, 900)})
# Mean HU of an organ in a phase; wide on purpose, so that they overlap where patients do.
WINDOWS = MappingProxyType(
    {
        "aorta": ((15, 75), (150, 800), (100, 230), (65, 140)),
        "portal_vein": ((15, 75), (25, 190), (110, 270), (65, 140)),
        "liver": ((-20, 80), (-10, 115), (50, 180), (40, 130)),
        "spleen": ((25, 75), (65, 260), (65, 190), (60, 135)),
        "kidney": ((5, 65), (70, 320), (100, 320), (90, 320)),
    }
)
VESSELS = frozenset(("aorta", "portal_vein"))
SMALLEST_ORGAN = 100  # voxels
FEWEST_ORGANS = 2  # one alone says too little: fat darkens a liver, iron brightens it


@dataclass(frozen=True)
class PhaseGuess:
    """A contrast phase as far as it can be told.

    Parameters
    ----------
    phase
        ``"none"`` (unenhanced), ``"arterial"``, ``"portal"``, ``"delayed"``; None: cannot be told.
    confidence
        ``"high"`` where two kinds of evidence agree, ``"medium"`` for words, or for organs with
        a vessel among them, ``"low"`` else, ``"none"`` without a guess.
    reasons
        What spoke for what.
    ruled_out
        Phases that the organs' intensities do not allow.
    """

    phase: str | None
    confidence: Confidence
    reasons: tuple[str, ...] = ()
    ruled_out: Phases = frozenset()


def guess_phase(header: Header, organ_means: Mapping[str, float] | None = None) -> PhaseGuess:
    """Guess the contrast phase of an abdominal CT (words and times: of an MR too).

    Three witnesses: words of series description and protocol, seconds since the injection, and
    mean HU of organs; a header that says there was no contrast agent counts only without them. When
    they contradict each other there is no guess. Misleads with dual-energy or low-voltage CT
    (iodine is brighter), severe fatty liver or iron, and tags typed by hand.

    Parameters
    ----------
    header
        Of the image.
    organ_means
        Mean HU of ``liver``, ``spleen``, ``aorta``, ``portal_vein``, ``kidney``, as far as known;
        fewer than two are not looked at. Only for CT.

    References
    ----------
    Time windows: Bae KT. Radiology 2010;256:32-61, doi:10.1148/radiol.10090908. HU windows are
    unenhanced values plus the enhancement of 171 livers in Goshima S et al., "MDCT of the liver and
    hypervascular hepatocellular carcinomas", AJR 2006;187:W25-W32 (arterial: aorta +300 to 336,
    spleen +97 to 108, portal vein +75 to 104, liver +15 to 25; portal: liver +59 to 63, aorta +117
    to 125, spleen +73 to 82), widened generously; the margins are ours.

    Examples
    --------
    >>> guess_phase(Header("CT", "Leber arteriell 3.0")).phase
    'arterial'
    >>> guess_phase(Header("CT"), {"aorta": 43, "liver": 56, "spleen": 48}).phase
    'none'
    """
    organs = {} if header.modality not in ("", "CT") else dict(organ_means or {})
    witnesses = [
        (kind, phases, reason)
        for kind, (phases, reason) in (
            ("words", _from_words(header.description)),
            ("time", _from_time(header.seconds_after_contrast)),
            ("organs", _from_organs(organs)),
        )
        if reason
    ]
    if not witnesses and header.modality == "CT" and header.contrast is False:
        witnesses = [("agent", frozenset({"none"}), "the header names no contrast agent")]
    reasons = tuple(reason for _, _, reason in witnesses)
    if header.temporal_position is not None:
        reasons += (f"acquisition {header.temporal_position} of a dynamic series",)
    allowed = frozenset(PHASES)
    for _, phases, _ in witnesses:
        allowed &= phases
    organ_view = next((phases for kind, phases, _ in witnesses if kind == "organs"), None)
    ruled_out = frozenset() if organ_view is None else frozenset(PHASES) - organ_view
    if len(allowed) != 1:
        return PhaseGuess(None, "none", reasons, ruled_out)
    deciding = [kind for kind, phases, _ in witnesses if len(phases) == 1]
    return PhaseGuess(next(iter(allowed)), _confidence(deciding, organs), reasons, ruled_out)


def phase_contradiction(declared: str, guess: PhaseGuess) -> str:
    """Say how a declared phase contradicts a guess; empty where it does not.

    Parameters
    ----------
    declared, guess
        As for :func:`check_phase`.
    """
    stated = _declared(declared)
    if stated is None:
        return ""
    other = guess.phase not in (None, stated) and guess.confidence in ("medium", "high")
    if not other and stated not in guess.ruled_out:
        return ""
    likely = f"one that looks {guess.phase}" if other else "one that does not look so"
    return (
        f"expected the declared phase {declared!r}; found {likely} ({'; '.join(guess.reasons)}). "
        "Check the list of scans."
    )


def check_phase(declared: str, guess: PhaseGuess, *, what: str = "scan") -> None:
    """Warn when a declared phase contradicts a guess of at least medium confidence, or the organs.

    Parameters
    ----------
    declared
        As in the list of scans; spellings of the four phases are understood (``A``, ``PVP``,
        ``portal venous``, ``native``); others are not checked.
    guess
        From :func:`guess_phase`.
    what
        For the message.

    Warns
    -----
    RadiogenomicsWarning
        On contradiction.
    """
    message = phase_contradiction(declared, guess)
    if not message:
        return
    message = f"{what}: {message}"
    get_logger(__name__).info(message)
    warnings.warn(message, RadiogenomicsWarning, stacklevel=2)


def organ_means(voxels: Array, masks: Mapping[str, Array]) -> dict[str, float]:
    """Mean intensity of the organs among the masks, other regions (tumours) taken out of them.

    Regions are known by name: liver, spleen, aorta, portal vein, kidney, in usual spellings; parts
    (``kidney_left``, ``kidney_right``) are joined. Organs of fewer than 100 voxels are left out.
    """
    named = {region: _organ(region) for region in masks}
    if not any(named.values()):
        return {}
    others = [masks[region] > 0 for region, organ in named.items() if organ is None]
    means = {}
    for organ in WINDOWS:
        parts = [masks[region] > 0 for region in masks if named[region] == organ]
        if not parts:
            continue
        inside = np.logical_or.reduce(parts)
        for other in others:
            inside &= ~other
        if np.count_nonzero(inside) >= SMALLEST_ORGAN:
            means[organ] = float(voxels[inside].mean())
    return means


def _organ(region: str) -> str | None:
    joined = re.sub(r"[^a-z]", "", region.lower())
    for organ in WINDOWS:
        stem = organ.replace("_", "")
        if re.fullmatch(rf"(left|right)?{stem}s?(left|right|l|r|and\w+)?", joined):
            return organ
    return None


def _plain(words: str) -> str:
    """Lower case without accents; signs become blanks."""
    bare = unicodedata.normalize("NFKD", words.casefold()).encode("ascii", "ignore").decode()
    bare = re.sub(r"\b(with|w)[ /]*(and|&|/)?[ /]*(without|w/?o)\b", " ", bare)
    bare = re.sub(r"\bw/o\b", " without ", bare)
    return " ".join(re.findall(r"[a-z]+|[0-9]+", bare))


def _phases_in(words: str) -> Phases:
    plain = _plain(words)
    return frozenset(p for p, known in WORDS.items() if re.search(rf"\b({known})\b", plain))


def _declared(word: str) -> str | None:
    short = SHORT.get(word.strip().casefold())
    found = {short} if short else _phases_in(word) | ({"none"} if word == "none" else frozenset())
    return next(iter(found)) if len(found) == 1 else None


def _from_words(description: str) -> tuple[Phases, str]:
    found = _phases_in(description)
    if len(found) != 1:
        return frozenset(PHASES), ""
    return found, f"words of the series say {next(iter(found))}"


def _from_time(seconds: float | None) -> tuple[Phases, str]:
    if seconds is None:
        return frozenset(PHASES), ""
    found = [phase for phase, (low, high) in TIMES.items() if low <= seconds <= high]
    if not found:
        return frozenset(PHASES), ""
    return frozenset(found), f"{seconds:.0f} s after the injection, as in the {found[0]} phase"


def _from_organs(means: Mapping[str, float]) -> tuple[Phases, str]:
    known = {organ: mean for organ, mean in means.items() if organ in WINDOWS}
    if len(known) < FEWEST_ORGANS:
        return frozenset(PHASES), ""
    fits = frozenset(
        phase
        for position, phase in enumerate(PHASES)
        if all(
            WINDOWS[organ][position][0] <= mean <= WINDOWS[organ][position][1]
            for organ, mean in known.items()
        )
    )
    listed = ", ".join(f"{organ.replace('_', ' ')} {mean:.0f}" for organ, mean in known.items())
    which = ", ".join(phase for phase in PHASES if phase in fits) or "no phase"
    # Organs that fit no phase are odd themselves, and rule nothing out.
    return fits or frozenset(PHASES), f"organs of {listed} HU fit {which}"


def _confidence(deciding: list[str], organs: Mapping[str, float]) -> Confidence:
    if len(deciding) > 1:
        return "high"
    with_vessel = bool(VESSELS & set(organs))
    if deciding == ["words"] or (deciding == ["organs"] and with_vessel):
        return "medium"
    return "low"
