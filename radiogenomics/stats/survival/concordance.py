"""Harrell's concordance index, with an interval for one score and in bulk for many.

A pair of patients is comparable when the earlier of the two times is an event; at equal times, when
one is an event and the other is censored (who lived longer). It is concordant when the one who
fails first has the higher risk; equal risks count one half. With strata, as the sites of a cohort,
only patients of one stratum make a pair.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.inputs import (
    Bools,
    Floats,
    as_floats,
    check_level,
    check_risk,
    check_survival,
    stratum_codes,
)
from radiogenomics.stats.intervals import clopper_pearson
from radiogenomics.stats.ranks import midranks

# Scores compared side by side; with the rows below, what is compared at once stays in cache.
_WIDTH = 1024
# Rows counted in one byte before the count is carried over.
_ROWS = 255
_PAIRS_AT_ONCE = 2**22
# A standard error below this is rounding.
_NO_ERROR = 1e-10


@dataclass(frozen=True)
class Concordance:
    """A concordance index.

    Attributes
    ----------
    value : float
        Share of comparable pairs in which the higher risk fails first; 1/2 is chance. NaN, with a
        warning, when no pair is comparable.
    se : float
        Infinitesimal jackknife standard error.
    low, high : float
        Bounds.
    n_comparable : int
        Comparable pairs.
    n : int
        Subjects.
    """

    value: float
    se: float
    low: float
    high: float
    n_comparable: int
    n: int


def concordance(
    risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    level: float = 0.95,
) -> Concordance:
    """Concordance of a risk score with survival.

    C = (concordant + tied / 2) / comparable pairs. Its variance sums the squared influence of each
    patient (infinitesimal jackknife); the interval is a Wald interval of logit C. Where that has no
    width (all pairs concordant, or all risks equal) the bounds are those of Clopper and Pearson for
    as many pairs as can be formed without using a patient twice, which is cautious.

    Depends on the censoring pattern and rewards order, not calibration. Takes time of order n^2.
    A risk that merely tells sites apart is concordant where these differ in survival, but not with
    sites as strata; each counts by its pairs, as with ``strata()`` in R ``survival::concordance``.

    Parameters
    ----------
    risk : array-like of shape (n,)
        Higher is worse. Not a survival probability or time.
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    strata : array-like of shape (n,), optional
        Pairs are formed within equal values only.
    level : float

    Raises
    ------
    OutcomeError, DataError
        If time or event cannot be analysed; a risk or stratum is missing or not one per patient.

    References
    ----------
    Harrell et al. 1996, doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4;
    Therneau & Watson 2015, The concordance statistic and the Cox model, Mayo Clinic report 85.

    Examples
    --------
    >>> found = concordance([4, 3, 1, 2], [1, 2, 3, 4], [1, 1, 1, 0])
    >>> round(found.value, 3), found.n_comparable
    (0.833, 6)
    """
    times, events = check_survival(time, event)
    risks = check_risk(risk, times.size)
    wins, pairs, disjoint = np.zeros(times.size), np.zeros(times.size), 0
    for order, start in _ordered_strata(times, events, strata):
        wins[order], pairs[order] = won, compared = _influence(risks[order], start)
        disjoint += min(int((start < order.size).sum()), int((compared > 0).sum()) // 2)
    # `wins` and `pairs` count every pair twice, once for each of its two subjects.
    n_pairs = int(pairs.sum()) // 2
    if n_pairs == 0:
        _warn_no_pair()
        return Concordance(np.nan, np.nan, np.nan, np.nan, 0, times.size)
    value = float(wins.sum() / pairs.sum())
    se = float(np.sqrt(np.square(wins - value * pairs).sum())) / n_pairs
    bounds = _bounds(value, se, level=check_level(level), disjoint=max(1, disjoint))
    return Concordance(value, se, *bounds, n_pairs, times.size)


def concordance_batch(
    risks: ArrayLike, time: ArrayLike, event: ArrayLike, *, strata: ArrayLike | None = None
) -> Floats:
    """Concordance of many risk scores with one outcome.

    The same value as `concordance`, exactly: pairs are counted in integers.

    Parameters
    ----------
    risks : array-like of shape (batch, n)
        Higher is worse; a row that holds NaN gives NaN, as all do where no pair is comparable.
    time, event : array-like of shape (n,)
    strata : array-like of shape (n,), optional
        Pairs are formed within equal values only.

    Returns
    -------
    ndarray of shape (batch,)

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.
    DataError
        If risks or strata do not have one value per patient.

    References
    ----------
    As in `concordance`.

    Examples
    --------
    >>> scores = [[4, 3, 1, 2], [1, 1, 1, 1]]
    >>> concordance_batch(scores, [1, 2, 3, 4], [1, 1, 1, 0]).round(3).tolist()
    [0.833, 0.5]
    """
    times, events = check_survival(time, event)
    scores = as_floats(risks, "risks")
    if scores.ndim != 2 or scores.shape[1] != times.size:
        raise DataError(
            f"expected risks of shape (batch, {times.size}); found {scores.shape}; "
            "put one score a row and one patient a column."
        )
    parts = list(_ordered_strata(times, events, strata))
    n_pairs = sum(_count_pairs(start) for _, start in parts)
    values = np.full(scores.shape[0], np.nan)
    if n_pairs == 0:
        return values
    for first in range(0, values.size, _WIDTH):
        chunk = scores[first : first + _WIDTH]
        twice = sum(_twice_won(chunk[:, order], start) for order, start in parts)
        values[first : first + _WIDTH] = np.where(
            np.isnan(chunk).any(axis=1), np.nan, twice / (2 * n_pairs)
        )
    return values


def comparable_pairs(time: ArrayLike, event: ArrayLike, *, strata: ArrayLike | None = None) -> int:
    """Count the pairs that `concordance` compares; parameters and errors as there.

    Examples
    --------
    >>> comparable_pairs([1, 2, 3, 4], [1, 1, 1, 0])
    6
    """
    times, events = check_survival(time, event)
    return sum(_count_pairs(start) for _, start in _ordered_strata(times, events, strata))


def comparable_order(time: Floats, event: Bools) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order subjects by time, and say from where on the others have outlived each.

    Events come before those censored at the same time. Subject i of this order is comparable, as
    the one who failed first, with all from ``start[i]`` on; ``start`` is n for those censored.
    """
    order = np.lexsort((~event, time))
    ordered, failed = time[order], event[order]
    after = np.searchsorted(ordered, ordered, side="left")
    deaths = np.concatenate([[0], np.cumsum(failed)])
    ends = np.searchsorted(ordered, ordered, side="right")
    start = np.where(failed, after + deaths[ends] - deaths[after], time.size)
    return order, start


def _ordered_strata(
    time: Floats, event: Bools, strata: ArrayLike | None
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """`comparable_order` of each stratum, with positions among all subjects."""
    labels, code = stratum_codes(strata, time.size)
    for stratum in range(labels.size):
        member = np.flatnonzero(code == stratum)
        order, start = comparable_order(time[member], event[member])
        yield member[order], start


def _bounds(value: float, se: float, *, level: float, disjoint: int) -> tuple[float, float]:
    """Wald's on the logit scale or, where that has no width, of so many independent pairs."""
    if se > _NO_ERROR and 0 < value < 1:
        half = ndtri(0.5 + level / 2) * se / (value * (1 - value))
        return float(expit(logit(value) - half)), float(expit(logit(value) + half))
    low, high = clopper_pearson(value * disjoint, disjoint, level=level)
    return float(low), float(high)


def _count_pairs(start: NDArray[np.intp]) -> int:
    return int((start.size - start).sum())


def _warn_no_pair() -> None:
    warnings.warn(
        "expected comparable pairs; found none, so the index is NaN; it takes an event that "
        "somebody outlived.",
        RadiogenomicsWarning,
        stacklevel=3,
    )


def _twice_won(scores: Floats, start: NDArray[np.intp]) -> NDArray[np.int64]:
    """Twice the pairs won, ties one half, of each row of scores in comparable order."""
    n = start.size
    small = np.int16 if 2 * n < 2**15 else np.int32
    ranks = midranks(scores)
    # Sharing ranks lowers the sum of their squares, so without ties it is that of 1 to n.
    tied = (np.square(ranks).sum(axis=1) < n * (n + 1) * (2 * n + 1) / 6).any()
    level = np.ascontiguousarray((2 * ranks).T.astype(small))
    won = _count(level, start, np.less)
    # wins + ties / 2 = (those below + those not above) / 2
    return won + (_count(level, start, np.less_equal) if tied else won)


def _count(level: NDArray[Any], start: NDArray[np.intp], compare: np.ufunc) -> NDArray[np.int64]:
    """Number of comparable pairs in which `compare(later, earlier)` holds; one column a score."""
    n, width = level.shape
    total = np.zeros(width, dtype=np.int64)
    hits = np.empty((min(_ROWS, n), width), dtype=bool)
    for i in np.flatnonzero(start < n):
        for low in range(int(start[i]), n, _ROWS):
            block = level[low : low + _ROWS]
            below = compare(block, level[i], out=hits[: len(block)])
            total += np.add.reduce(below.view(np.uint8), axis=0, dtype=np.uint8)
    return total


def _influence(risk: Floats, start: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Pairs won (ties one half) and pairs in all, counted for both subjects of each pair."""
    wins, pairs = np.zeros(risk.size), np.zeros(risk.size)
    for failed, outlived in _pair_blocks(start):
        later = np.arange(outlived, risk.size)
        comparable = later[None] >= start[failed][:, None]
        won = (risk[None, outlived:] < risk[failed][:, None]) & comparable
        level = (risk[None, outlived:] == risk[failed][:, None]) & comparable
        score = won + 0.5 * level
        wins[failed] += score.sum(axis=1)
        wins[outlived:] += score.sum(axis=0)
        pairs[failed] += comparable.sum(axis=1)
        pairs[outlived:] += comparable.sum(axis=0)
    return wins, pairs


def _pair_blocks(start: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], int]]:
    failed = np.flatnonzero(start < start.size)
    height = max(1, _PAIRS_AT_ONCE // start.size)
    for low in range(0, failed.size, height):
        block = failed[low : low + height]
        yield block, int(start[block[0]])
