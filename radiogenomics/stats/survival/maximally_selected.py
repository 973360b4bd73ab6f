"""The cut-point of a covariate that divides patients most clearly, and how far chance would go.

Every cut-point that leaves enough patients on both sides divides them into x <= cut and x > cut; S
sums the scores of those above. Given the scores, all assignments of scores to patients are equally
likely under the null, so S has the mean m' mean(a) and the variance m m' sum (a - mean(a))^2 /
(n (n - 1)), m patients below and m' above; within strata, the sums of these. The cut-point has the
largest |S - mean| / sd, and its p allows for the search. Estimates of effect at that cut-point, and
p-values of tests that forget the search, are too good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.inputs import Floats, as_floats, check_survival, stratum_codes
from radiogenomics.stats.intervals import Interval
from radiogenomics.stats.permutation import permutation_interval, permutation_p, permutations
from radiogenomics.stats.survival.maximally_selected_p import (
    exact_p,
    gaussian_p,
    hothorn_lausen_p,
    improved_bonferroni_p,
    lausen_schumacher_p,
    whole_scores,
)

P_METHODS = (
    "gaussian",
    "permutation",
    "exact",
    "hothorn-lausen",
    "improved-bonferroni",
    "lausen-schumacher",
)
TIES = ("hothorn-lausen", "mid-ranks", "average-scores")
# Values permuted at once.
_AT_ONCE = 2**20
# Statistics that differ by so little are the same, and a variance of so little is none.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class MaximallySelected:
    """The largest of the two-sample statistics of all cut-points.

    Attributes
    ----------
    statistic : float
        Largest absolute standardised statistic.
    cutoff : float
        Its cut-point, a value of the covariate: patients are divided into x <= cutoff and x > it.
        The lowest one where several are as good.
    p : float
        Chance of a statistic so large somewhere, under the null.
    p_interval : Interval or None
        95 % interval of a p by permutation, for the permutations that were not drawn.
    method : str
        How p was found.
    cutoffs : ndarray of shape (cuts,)
    counts : ndarray of int, shape (cuts,)
        Patients at or below each.
    standardised : ndarray of shape (cuts,)
        Above 0 where the patients above the cut-point have the higher scores.
    """

    statistic: float
    cutoff: float
    p: float
    p_interval: Interval | None
    method: str
    cutoffs: Floats
    counts: NDArray[np.intp]
    standardised: Floats


def maximally_selected(
    x: ArrayLike,
    scores: ArrayLike,
    *,
    minprop: float = 0.1,
    maxprop: float = 0.9,
    method: str = "gaussian",
    strata: ArrayLike | None = None,
    n_permutations: int = 9999,
    rng: np.random.Generator | None = None,
) -> MaximallySelected:
    """Find the cut-point of a covariate with the largest two-sample statistic, and its p.

    Formulas, and when they mislead: top of this module; p-values: `maximally_selected_p`.

    Parameters
    ----------
    x : array-like of shape (n,)
        The covariate, none missing.
    scores : array-like of shape (n,)
        `logrank_scores` for survival, ranks for a number (Wilcoxon), 0 and 1 for two classes.
    minprop, maxprop : float
        Shares of patients at or below a cut-point, as in `admissible_counts`.
    method : str
        One of `P_METHODS`; "hothorn-lausen" maps the scores to whole numbers.
    strata, n_permutations, rng : array-like of shape (n,), int, numpy.random.Generator
        Of method "permutation"; scores are compared, and permuted, within equal strata only.

    Raises
    ------
    DataError, UnknownNameError
        If an input cannot be analysed, no cut-point is left, or the method does not fit.

    References
    ----------
    Lausen & Schumacher 1992, doi:10.2307/2532740.

    Examples
    --------
    >>> x = [5, 7, 6, 9, 8, 4, 3, 9, 6, 5, 2, 3, 1, 4, 2, 1, 3, 2, 1, 2]
    >>> found = maximally_selected(x, logrank_scores(range(1, 21), [1, 1, 0, 1] * 5))
    >>> found.cutoff, round(found.statistic, 3), round(found.p, 4)
    (3.0, 3.218, 0.0081)
    """
    values, responses, member = _check(x, scores, strata)
    _check_method(method, member, rng)
    process = _Process.of(responses, member, _counts(values, shares := (minprop, maxprop)))
    standardised = process.standardised(responses[None])[0]
    statistic = float(np.abs(standardised).max())
    best = int(np.argmax(np.abs(standardised) >= statistic * (1 - _ROUNDING)))
    counts, interval = process.counts, None
    if rng is not None and method == "permutation":
        null = process.null(responses, member, (n_permutations, rng))
        p, interval = permutation_p(statistic, null), permutation_interval(statistic, null)
    else:
        p = _analytic_p(statistic, responses, counts, method=method, shares=shares)
    cuts = values[counts - 1]
    cutoff = float(cuts[best])
    return MaximallySelected(statistic, cutoff, p, interval, method, cuts, counts, standardised)


def logrank_scores(
    time: ArrayLike,
    event: ArrayLike,
    *,
    ties: str = "hothorn-lausen",
    strata: ArrayLike | None = None,
) -> Floats:
    """Score every patient by events seen less events expected by then.

    a_i = event_i - sum d_j / r_j over the event times t_j up to t_i, with d_j events. Ties decide
    r_j: "mid-ranks" takes all followed to t_j (the Nelson-Aalen hazard); "hothorn-lausen", the rule
    of maxstat, those followed beyond t_j and one more; "average-scores" lets tied events happen one
    after the other, before the censorings, and gives them the mean of their scores. Without ties
    they are the same.

    Parameters
    ----------
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    ties : {"hothorn-lausen", "mid-ranks", "average-scores"}
    strata : array-like of shape (n,), optional
        Scores are made in each stratum on its own.

    Returns
    -------
    ndarray of shape (n,)
        At most 1; higher fails sooner.

    Raises
    ------
    OutcomeError, DataError, UnknownNameError
        If the times cannot be analysed, a stratum is missing, or there is no such rule.

    References
    ----------
    Peto & Peto 1972, doi:10.2307/2344317; Hothorn & Lausen 2003, Computational Statistics & Data
    Analysis 43:121 (ties).

    Examples
    --------
    >>> logrank_scores([1, 2, 3], [1, 0, 1]).round(3).tolist()
    [0.667, -0.333, -0.333]
    """
    if ties not in TIES:
        raise UnknownNameError("rule of ties", ties, TIES)
    months, events = check_survival(time, event)
    labels, code = stratum_codes(strata, months.size)
    scores = np.empty(months.size)
    for stratum in range(labels.size):
        inside = code == stratum
        scores[inside] = _scores(months[inside], events[inside], ties)
    return scores


def admissible_counts(ordered: Floats, *, minprop: float, maxprop: float) -> NDArray[np.intp]:
    """Count the patients at or below each cut-point that leaves enough on both sides.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        The covariate, rising.
    minprop, maxprop : float
        From 0 to 1; counts lie from floor(n minprop) to floor(n maxprop), as in R's maxstat.

    Returns
    -------
    ndarray of int, shape (cuts,)
        From 1 to n - 1; empty where no cut-point is left.

    Raises
    ------
    DataError
        If the shares are out of range.

    Examples
    --------
    >>> admissible_counts(np.array([1.0, 1.0, 2.0, 3.0, 4.0]), minprop=0.2, maxprop=0.8).tolist()
    [2, 3, 4]
    """
    if not 0 <= minprop < maxprop <= 1:
        raise DataError(
            f"expected 0 <= minprop < maxprop <= 1; found {minprop!r} and {maxprop!r}; write 0.1 "
            "for 10 %."
        )
    counts = np.flatnonzero(np.diff(ordered) > 0) + 1
    least, most = np.floor(ordered.size * minprop), np.floor(ordered.size * maxprop)
    return np.asarray(counts[(counts >= least) & (counts <= most)])


@dataclass(frozen=True, eq=False)
class _Process:
    """Mean and spread of the sums of scores up to each cut-point.

    Attributes
    ----------
    counts : ndarray of int, shape (cuts,)
    mean, sd : ndarray of shape (cuts,)
    """

    counts: NDArray[np.intp]
    mean: Floats
    sd: Floats

    @classmethod
    def of(cls, scores: Floats, member: NDArray[np.intp], counts: NDArray[np.intp]) -> _Process:
        """Add up the strata, in order of the covariate; cut-points between strata are dropped."""
        mean, variance = np.zeros(counts.size), np.zeros(counts.size)
        for stratum in range(int(member.max()) + 1):
            inside = member == stratum
            n, below = int(inside.sum()), np.cumsum(inside)[counts - 1]
            mean += below * scores[inside].mean()
            variance += below * (n - below) / max(n - 1, 1) * scores[inside].var()
        varied = variance > _ROUNDING * scores.var()
        if not varied.any():
            raise DataError(
                "expected scores that vary among patients on either side of a cut-point; found "
                f"{np.unique(scores).size} distinct scores and no such cut-point; use other "
                "scores, or fewer strata."
            )
        return cls(counts[varied], mean[varied], np.sqrt(variance[varied]))

    def standardised(self, scores: Floats) -> Floats:
        """Statistics of the patients above, one row of scores a row; (rows, cuts)."""
        return np.asarray((self.mean - np.cumsum(scores, axis=1)[:, self.counts - 1]) / self.sd)

    def null(
        self, scores: Floats, member: NDArray[np.intp], draws: tuple[int, np.random.Generator]
    ) -> Floats:
        """Largest statistic of each permutation of the scores within the strata."""
        count, rng = draws
        largest = np.empty(count)
        height = max(1, _AT_ONCE // scores.size)
        for start in range(0, count, height):
            part = slice(start, min(start + height, count))
            orders = permutations(scores.size, part.stop - start, rng, blocks=member)
            largest[part] = np.abs(self.standardised(scores[orders])).max(axis=1)
        return largest


def _analytic_p(
    statistic: float,
    scores: Floats,
    counts: NDArray[np.intp],
    *,
    method: str,
    shares: tuple[float, float],
) -> float:
    if method == "lausen-schumacher":
        return lausen_schumacher_p(statistic, minprop=shares[0], maxprop=shares[1])
    if method == "improved-bonferroni":
        return improved_bonferroni_p(statistic, counts, n=scores.size)
    if method == "gaussian":
        return gaussian_p(statistic, counts, n=scores.size)
    if method == "exact":
        return exact_p(statistic, scores, counts=counts)
    whole = whole_scores(scores)
    process = _Process.of(whole, np.zeros(whole.size, dtype=np.intp), counts)
    largest = float(np.abs(process.standardised(whole[None])).max())
    return hothorn_lausen_p(largest, whole, counts=counts)


def _scores(time: Floats, event: NDArray[np.bool_], ties: str) -> Floats:
    moments, place = np.unique(time, return_inverse=True)
    deaths = np.bincount(place, weights=event)
    followed = time.size - np.searchsorted(np.sort(time), moments, side="left")
    if ties == "average-scores":
        return _average_scores(event, place, deaths=deaths, followed=followed)
    if ties == "hothorn-lausen":
        followed = followed - np.bincount(place) + 1
    return np.asarray(event - np.cumsum(deaths / followed)[place])


def _average_scores(
    event: NDArray[np.bool_],
    place: NDArray[np.intp],
    *,
    deaths: NDArray[np.intp],
    followed: NDArray[np.intp],
) -> Floats:
    """Scores where tied events happen one after the other and share what they get."""
    jump, share = np.zeros(deaths.size), np.zeros(deaths.size)
    for moment in np.flatnonzero(deaths):
        hazards = np.cumsum(1 / (followed[moment] - np.arange(deaths[moment])))
        jump[moment], share[moment] = hazards[-1], hazards.mean()
    hazard = np.cumsum(jump)
    shared = 1 - (hazard - jump + share)
    return np.where(event, shared[place], -hazard[place])


def _counts(values: Floats, shares: tuple[float, float]) -> NDArray[np.intp]:
    counts = admissible_counts(values, minprop=shares[0], maxprop=shares[1])
    if not counts.size:
        raise DataError(
            f"expected a cut-point between the shares {shares[0]} and {shares[1]}; found none "
            f"among {np.unique(values).size} distinct values of {values.size} patients; widen the "
            "shares, or leave the covariate out."
        )
    return counts


def _check(
    x: ArrayLike, scores: ArrayLike, strata: ArrayLike | None
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Covariate, scores and number of the stratum, in order of the covariate."""
    values, responses = as_floats(x, "a covariate"), as_floats(scores, "scores")
    finite = np.isfinite(responses).all() and not np.isnan(values).any()
    if values.ndim != 1 or values.shape != responses.shape or values.size < 2 or not finite:
        raise DataError(
            "expected a covariate and finite scores, one a patient and none missing, of two "
            f"patients or more; found shapes {values.shape} and {responses.shape}; align and "
            "complete them."
        )
    order = np.argsort(values, kind="stable")
    member = stratum_codes(strata, values.size)[1]
    return values[order], responses[order], member[order]


def _check_method(method: str, member: NDArray[np.intp], rng: np.random.Generator | None) -> None:
    if method not in P_METHODS:
        raise UnknownNameError("method", method, P_METHODS)
    if method == "permutation" and rng is None:
        raise DataError(
            "expected rng for a p by permutation; found none; pass numpy.random.default_rng(seed)."
        )
    if method != "permutation" and member.any():
        raise DataError(
            f"expected method 'permutation' with strata; found {method!r}, which knows no strata; "
            "pass method='permutation' and rng."
        )
