"""Log-rank tests: one comparison of k groups, or many two-group comparisons at once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.inputs import Floats, check_groups, check_survival, stratum_codes
from radiogenomics.stats.survival.risk_sets import RiskSets, build_risk_sets

_CHUNK = 2**20


@dataclass(frozen=True)
class LogRank:
    """Result of a log-rank test.

    Attributes
    ----------
    statistic : float
        Chi-squared; NaN, with a warning, when fewer than two groups were at risk at an event time.
    df : int
        Groups at risk less one.
    p : float
    groups : ndarray of shape (k,)
        The distinct groups, sorted; `observed` and `expected` follow their order.
    observed, expected : ndarray of shape (k,)
        Events seen, and expected if all groups shared one hazard.
    """

    statistic: float
    df: int
    p: float
    groups: NDArray[Any]
    observed: Floats
    expected: Floats


def logrank(
    time: ArrayLike, event: ArrayLike, group: ArrayLike, *, strata: ArrayLike | None = None
) -> LogRank:
    """Test whether k groups share one hazard.

    At every event time the d events fall among the groups as a hypergeometric draw from those at
    risk; the statistic is (O - E)' V^-1 (O - E), summed over times (and strata) before squaring,
    chi-squared with k - 1 degrees of freedom. Most powerful under proportional hazards; curves that
    cross can differ much with a small statistic. The p-value is wrong if the groups come from a
    cut-off chosen on the same outcomes.

    Parameters
    ----------
    time : array-like of shape (n,)
        Follow-up in months.
    event : array-like of shape (n,)
        1 where the event was seen, 0 where censored.
    group : array-like of shape (n,)
    strata : array-like of shape (n,), optional
        Subjects are compared within equal values only.

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.
    DataError
        If group or strata do not have one value per patient.

    References
    ----------
    Mantel 1966, PMID 5910392; Peto & Peto 1972, doi:10.2307/2344317.

    Examples
    --------
    >>> result = logrank([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1], list("aaabbb"))
    >>> round(result.statistic, 3), result.df
    (5.051, 1)
    """
    times, events = check_survival(time, event)
    members = check_groups(group, times.size, what="group")
    labels, code = np.unique(members, return_inverse=True)
    sets = _sets(times, events, strata)
    member = (code[sets.subjects][:, None] == np.arange(labels.size)).astype(float)

    size, scale = _size_and_scale(sets)
    at_risk = sets.sums(member)
    observed = sets.event @ member
    expected = (sets.weight / size) @ at_risk
    crossed = at_risk.T @ (at_risk * scale[:, None])
    covariance = np.diag((size * scale) @ at_risk) - crossed

    # One group of those at risk is left out: the deviations sum to zero.
    used = np.flatnonzero(expected > 0)[1:]
    if not used.size:
        _warn_one_group()
    statistic = _quadratic((observed - expected)[used], covariance[np.ix_(used, used)])
    p = float(chdtrc(used.size, statistic)) if used.size else float("nan")
    return LogRank(statistic, used.size, p, labels, observed, expected)


def logrank_batch(
    time: ArrayLike, event: ArrayLike, groups: ArrayLike, *, strata: ArrayLike | None = None
) -> Floats:
    """Log-rank statistics of many splits into two groups, for one outcome.

    The same statistic as `logrank` with one degree of freedom; for nulls in which patients are
    permuted and for scans over cut-offs (whose largest statistic is not chi-squared).

    Parameters
    ----------
    time, event : array-like of shape (n,)
    groups : array-like of bool, shape (batch, n)
    strata : array-like of shape (n,), optional

    Returns
    -------
    ndarray of shape (batch,)
        Chi-squared with one degree of freedom; NaN where one group is never at risk.

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.
    DataError
        If groups or strata do not have one value per patient.

    References
    ----------
    As in `logrank`.

    Examples
    --------
    >>> splits = [[True, True, True, False, False, False], [True] * 6]
    >>> logrank_batch([1, 2, 3, 4, 5, 6], [1] * 6, splits).round(3).tolist()
    [5.051, nan]
    """
    times, events = check_survival(time, event)
    sets = _sets(times, events, strata)
    member = np.asarray(groups, dtype=bool)
    if member.ndim != 2 or member.shape[1] != times.size:
        raise DataError(
            f"expected groups of shape (batch, {times.size}); found {member.shape}; "
            "put one split a row and one patient a column."
        )
    size, scale = _size_and_scale(sets)
    share = sets.weight / size
    statistics = np.empty(member.shape[0])
    width = max(1, _CHUNK // sets.subjects.size)
    for start in range(0, statistics.size, width):
        part = slice(start, start + width)
        inside = member[part][:, sets.subjects].T.astype(float)
        at_risk = sets.sums(inside)
        deviation = sets.event @ inside - share @ at_risk
        variance = scale @ (at_risk * (size[:, None] - at_risk))
        with np.errstate(divide="ignore", invalid="ignore"):
            statistics[part] = np.where(variance > 0, deviation**2 / variance, np.nan)
    return statistics


def _warn_one_group() -> None:
    warnings.warn(
        "expected two or more groups at risk at the event times; found one, so the statistic "
        "is NaN; it takes an event while another group is followed.",
        RadiogenomicsWarning,
        stacklevel=3,
    )


def _quadratic(deviation: Floats, covariance: Floats) -> float:
    if not deviation.size:
        return float("nan")
    return float(deviation @ np.linalg.pinv(covariance, hermitian=True) @ deviation)


def _sets(time: Floats, event: NDArray[np.bool_], strata: ArrayLike | None) -> RiskSets:
    code = stratum_codes(strata, time.size)[1]
    return build_risk_sets(time, event, ties="breslow", strata=code)


def _size_and_scale(sets: RiskSets) -> tuple[Floats, Floats]:
    """Number at risk at every event time, and d (n - d) / (n^2 (n - 1))."""
    size = sets.sums(np.ones((sets.subjects.size, 1)))[:, 0]
    deaths = sets.weight
    scale = deaths * (size - deaths) / (size**2 * np.maximum(size - 1, 1))
    return size, scale
