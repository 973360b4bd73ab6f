"""What the bootstraps share: draws and scores checked, pairs compared, work cut into pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, as_floats

# Values held at once by an array of replicates x patients, and by one of patients x patients.
_DRAWS_AT_ONCE = 2**21
_PAIRS_AT_ONCE = 2**20
# Whole and half numbers below this are exact in single precision.
_EXACT_SINGLE = 2**22

Kind = type[np.float32] | type[np.float64]


def check_counts(counts: ArrayLike, n: int) -> NDArray[Any]:
    """Return counts of draws, one column a patient, or say what is wrong with them."""
    drawn = np.asarray(counts)
    whole = np.issubdtype(drawn.dtype, np.integer)
    if drawn.ndim != 2 or drawn.shape[1] != n or not whole or drawn.min(initial=0) < 0:
        raise DataError(
            f"expected counts of shape (replicates, {n}), whole numbers of 0 or more; found "
            f"{drawn.dtype} of shape {drawn.shape}; draw them with bootstrap_counts."
        )
    return drawn


def check_score_rows(scores: ArrayLike, n: int, *, what: str) -> Floats:
    """Return one score, or several, as rows with one finite number a patient."""
    values = np.atleast_2d(as_floats(scores, f"{what}s"))
    if values.ndim != 2 or values.shape[1] != n or not np.isfinite(values).all():
        raise DataError(
            f"expected finite {what}s of shape ({n},) or (batch, {n}); found shape {values.shape} "
            f"with {int((~np.isfinite(values)).sum())} not finite; align and complete them."
        )
    return values


def exact_type(counts: NDArray[Any]) -> Kind:
    """Single precision where sums over pairs of draws are exact in it, else double."""
    largest = int(counts.max(initial=0)) * int(counts.sum(axis=1).max(initial=0))
    return np.float32 if largest < _EXACT_SINGLE else np.float64


def chunks(rows: int, width: int, *, at_once: int | None = None) -> Iterator[slice]:
    """Slices of rows that hold a bounded number of values, `width` a row."""
    height = max(1, (at_once or _DRAWS_AT_ONCE) // max(1, width))
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))


def blocks(
    places: NDArray[np.intp], width: int, *, most: int | None = None
) -> Iterator[NDArray[np.intp]]:
    """Runs of patients to compare with `width` others at once, at most so many."""
    height = max(1, min(_PAIRS_AT_ONCE // max(1, width), most or places.size))
    for start in range(0, places.size, height):
        yield places[start : start + height]


def beats(first: Floats, other: Floats, kind: Kind) -> NDArray[Any]:
    """1 where one of the first has the higher value, 1/2 where they tie; shape (first, other)."""
    above: NDArray[Any] = (other < first[:, None]).astype(kind)
    above += kind(0.5) * (other == first[:, None])
    return above


def sum_products(a: NDArray[Any], b: NDArray[Any]) -> Floats:
    """Row sums of a * b, in double precision."""
    return np.asarray((a * b).sum(axis=1, dtype=float))


def from_on(weights: NDArray[Any]) -> NDArray[Any]:
    """Sum of each row from each place on, and 0 past its end; shape (rows, n + 1)."""
    sums = np.zeros((len(weights), weights.shape[1] + 1), dtype=weights.dtype)
    np.cumsum(weights[:, ::-1], axis=1, out=sums[:, -2::-1])
    return sums


def ratio(won: Floats, pairs: Floats) -> Floats:
    """Return won / pairs, NaN where there is no pair."""
    share = np.full(won.shape, np.nan)
    np.divide(won, pairs, out=share, where=pairs > 0)
    return share
