"""What the label of a simulated study is, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from radiogenomics.core.errors import DataError, UnknownNameError


@dataclass(frozen=True)
class CategoryLabel:
    """Classes that are written as categories of a response outcome."""

    outcome: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True)
class WordLabel:
    """Classes that are written as words of a fact about the patient."""

    fact: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True)
class MarkerLabel:
    """Class 1 is high in all markers, but low in those of ``low``; facts where ``assay`` is None.

    A cut-off of None is the median; positive ones are multiplied, others added to.
    """

    assay: str | None
    markers: tuple[str, ...]
    cutoffs: tuple[float | None, ...]
    low: tuple[str, ...] = ()


@dataclass(frozen=True)
class BeyondLabel:
    """Class 1 lives beyond some months of an endpoint; None: beyond its median."""

    endpoint: str
    months: float | None


@dataclass(frozen=True)
class TimeLabel:
    """No classes: a time to an event."""

    endpoint: str


LabelDesign = CategoryLabel | WordLabel | MarkerLabel | BeyondLabel | TimeLabel


def require_markers(label: MarkerLabel) -> None:
    """Refuse markers and cut-offs that do not belong together."""
    if not label.markers or len(label.markers) != len(label.cutoffs):
        raise wrong_study("a cut-off for each marker", f"{len(label.cutoffs)}")
    for marker in label.low:
        if marker not in label.markers:
            raise UnknownNameError("marker", marker, label.markers)


def wrong_study(expected: str, found: Any) -> DataError:
    """What is wrong with a design, in one sentence."""
    return DataError(f"simulated study: expected {expected}; found {found}. Correct the design.")
