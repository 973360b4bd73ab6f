"""Log-rank tests at every cut-point of many covariates, for one outcome.

With d_k events among n_k at risk at event time t_k, and Y_k of these at or below a cut-point, the
test is (O - E)^2 / V with V = sum s_k Y_k (n_k - Y_k), s_k = d_k (n_k - d_k) / (n_k^2 (n_k - 1)).
O - E is a sum over the patients below; V = sum_i A(t_i) - sum_ij B(min(t_i, t_j)) over those below,
A and B being the sums of s_k n_k and s_k up to a time. As B never falls, B(min(t_i, t_j)) is
min(B_i, B_j). So a cut-point follows from the one before by what one patient adds, a sum of minima
with all patients below: in blocks of the order of the covariate, directly within a block and by
counts of patients at each event time between blocks.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_survival
from radiogenomics.stats.survival.maximally_selected import admissible_counts

# Values held at once by the largest arrays: they stay in cache.
_AT_ONCE = 2**17
# A variance below this share of its two parts is their rounding.
_ROUNDING = 1e-12
# Statistics that differ by so little are the same.
_SAME = 1e-10


@dataclass(frozen=True, eq=False)
class CutpointScan:
    """Log-rank statistics of all cut-points, and the largest, of each covariate.

    Attributes
    ----------
    statistic : ndarray of shape (covariates,)
        Largest chi-squared; NaN, with a warning, without any cut-point.
    cutoff : ndarray of shape (covariates,)
        Its cut-point: patients are divided into x <= cutoff and x > cutoff; the lowest of several.
    n_below : ndarray of int, shape (covariates,)
        Patients at or below it; 0 without any cut-point.
    direction : ndarray of shape (covariates,)
        1 where those above it have more events than expected, -1 where fewer.
    counts : ndarray of int, shape (k,)
        Patients at or below the cut-points that the columns of `statistics` stand for.
    statistics : ndarray of shape (covariates, k)
        Chi-squared of each cut-point; NaN where ties leave no cut-point with so many patients
        below, or where one side is never at risk.
    """

    statistic: Floats
    cutoff: Floats
    n_below: NDArray[np.intp]
    direction: Floats
    counts: NDArray[np.intp]
    statistics: Floats


def cutpoint_scan(
    covariates: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    minprop: float = 0.1,
    maxprop: float = 0.9,
) -> CutpointScan:
    """Compare survival below and above every cut-point of every covariate by the log-rank test.

    Each statistic is that of `logrank`. The largest is optimistic and not chi-squared: for a p take
    `improved_bonferroni_p` of its root, or `maximally_selected`.

    Parameters
    ----------
    covariates : array-like of shape (n, covariates) or (n,)
        None missing.
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    minprop, maxprop : float
        Shares of patients at or below a cut-point, as in `admissible_counts`.

    Raises
    ------
    OutcomeError, DataError
        If time or event cannot be analysed, a value is missing, or the shares are out of range.

    References
    ----------
    Mantel 1966, PMID 5910392; Lausen & Schumacher 1992, doi:10.2307/2532740.

    Examples
    --------
    >>> x = [[5, 1], [4, 1], [6, 2], [2, 2], [3, 3], [1, 3]]
    >>> found = cutpoint_scan(x, [1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1])
    >>> found.cutoff.tolist(), found.statistic.round(2).tolist(), found.direction.tolist()
    ([3.0, 1.0], [5.05, 5.63], [1.0, -1.0])
    """
    times, events = check_survival(time, event)
    rows = _check_covariates(covariates, times.size)
    outcome = _Outcome.of(times, events)
    counts = admissible_counts(np.arange(times.size, dtype=float), minprop=minprop, maxprop=maxprop)
    statistics = np.empty((len(rows), counts.size))
    statistic, cutoff, direction = np.full((3, len(rows)), np.nan)
    n_below = np.zeros(len(rows), dtype=np.intp)
    for start, stop in outcome.parts(len(rows) if counts.size else 0):
        order = np.argsort(rows[start:stop], axis=1, kind="stable")
        ordered = np.take_along_axis(rows[start:stop], order, axis=1)
        chi, deviation = outcome.logrank(order, counts)
        chi[ordered[:, counts - 1] == ordered[:, counts]] = np.nan
        statistics[start:stop] = chi
        largest = (filled := np.nan_to_num(chi, nan=-1.0)).max(axis=1)
        some = np.flatnonzero(largest >= 0)
        best = np.argmax(filled >= largest[:, None] * (1 - _SAME), axis=1)[some]
        statistic[start + some], n_below[start + some] = largest[some], counts[best]
        cutoff[start + some] = ordered[some, counts[best] - 1]
        # Deviations are of those below.
        direction[start + some] = -np.sign(deviation[some, best])
    _warn_without(n_below > 0)
    return CutpointScan(statistic, cutoff, n_below, direction, counts, statistics)


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What the outcome gives each patient.

    Attributes
    ----------
    excess : ndarray of shape (n,)
        Events less expected events.
    linear, least : ndarray of shape (n,)
        A and B of the module, at the time of each.
    level : ndarray of int, shape (n,)
        Event times up to the time of each.
    steps : ndarray of shape (times,)
        What B gains at each event time.
    """

    excess: Floats
    linear: Floats
    least: Floats
    level: NDArray[np.intp]
    steps: Floats

    @classmethod
    def of(cls, time: Floats, event: Bools) -> _Outcome:
        """Add up over the event times."""
        moments, deaths = np.unique(time[event], return_counts=True)
        at_risk = time.size - np.searchsorted(np.sort(time), moments, side="left")
        steps = deaths * (at_risk - deaths) / (at_risk**2 * np.maximum(at_risk - 1.0, 1.0))
        level = np.searchsorted(moments, time, side="right")

        def upto(gains: Floats) -> Floats:
            return np.append(0.0, np.cumsum(gains))[level]

        excess = event - upto(deaths / at_risk)
        return cls(excess, upto(steps * at_risk), upto(steps), level, steps)

    @property
    def block(self) -> int:
        """Patients a block: as many as make the work within and between blocks the same."""
        return max(8, round(float(np.sqrt(2 * self.steps.size))))

    def parts(self, rows: int) -> list[tuple[int, int]]:
        """Where runs of covariates that are dealt with at once start and stop."""
        width = self.level.size * max(self.block, self.steps.size // self.block)
        height = max(1, _AT_ONCE // width)
        return [(start, min(start + height, rows)) for start in range(0, rows, height)]

    def logrank(self, order: NDArray[np.intp], counts: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Chi-squared, and O - E of those below, with each count of patients below.

        Parameters
        ----------
        order : ndarray of int, shape (batch, n)
            Patients in order of each covariate.
        counts : ndarray of int, shape (k,)

        Returns
        -------
        chi_squared, deviation : ndarray of shape (batch, k)
        """
        last = counts - 1
        deviation = np.cumsum(self.excess[order], axis=1)[:, last]
        linear = np.cumsum(self.linear[order], axis=1)[:, last]
        variance = linear - np.cumsum(self.pairs(order), axis=1)[:, last]
        some = variance > _ROUNDING * linear
        chi = np.full(variance.shape, np.nan)
        np.divide(deviation**2, variance, out=chi, where=some)
        return chi, deviation

    def pairs(self, order: NDArray[np.intp]) -> Floats:
        """Sum of min(B_i, B_j) over the pairs that each patient makes with itself and those before.

        Returns
        -------
        ndarray of shape (batch, n)
            A pair of two counts twice.
        """
        batch, n = order.shape
        size, levels = self.block, self.steps.size
        blocks = -(-n // size)
        # Patients without any event before them add nothing, and so fill the last block.
        level = np.zeros((batch, blocks * size), dtype=np.intp)
        level[:, :n] = self.level[order]
        least = np.zeros(level.shape)
        least[:, :n] = self.least[order]
        inside = least.reshape(batch, blocks, size)
        minima = np.minimum(inside[..., :, None], inside[..., None, :])
        once = np.tril(np.full((size, size), 2.0)) - np.eye(size)
        within = np.einsum("cbij,ij->cbi", minima, once).reshape(batch, -1)

        place = level + (levels + 1) * (np.arange(batch * blocks).repeat(size)).reshape(batch, -1)
        seen = np.bincount(place.ravel(), minlength=batch * blocks * (levels + 1))
        seen = seen.reshape(batch, blocks, levels + 1)
        before = np.cumsum(seen, axis=1) - seen
        beyond = np.cumsum(before[..., :0:-1], axis=2)[..., ::-1]
        gained = np.zeros(seen.shape)
        np.cumsum(beyond * self.steps, axis=2, out=gained[..., 1:])
        between = np.take(gained.ravel(), place)
        return np.asarray((within + 2 * between)[:, :n])


def _check_covariates(covariates: ArrayLike, n: int) -> Floats:
    """Covariates as rows."""
    values = as_floats(covariates, "covariates")
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != n or np.isnan(values).any():
        raise DataError(
            f"expected covariates of shape ({n}, covariates), none missing; found shape "
            f"{values.shape} with {int(np.isnan(values).sum())} missing; put one patient a row, "
            "and complete or drop covariates with missing values."
        )
    return np.ascontiguousarray(values.T)


def _warn_without(known: Bools) -> None:
    if not known.all():
        warnings.warn(
            f"expected a cut-point of every covariate; found none for {int((~known).sum())} of "
            f"{known.size}, the first in column {int(np.argmin(known))}, whose statistics are NaN; "
            "leave out covariates with one value, or widen the shares.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
