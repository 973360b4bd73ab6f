"""Log-rank tests that weigh event times, and the test for a trend over ordered groups.

At an event time t with n at risk and d events, the deviations O - E of the groups count w(t) times:

- ``"logrank"``: 1; most powerful under proportional hazards.
- ``"gehan"`` (Gehan-Breslow, generalised Wilcoxon): n; early events count most. n also falls by
  censoring, so patterns of censoring that differ between studies change the weights.
- ``"tarone-ware"``: square root of n; between the two.
- ``"peto"`` (Peto-Peto, Prentice): the product of 1 - d / (n + 1) up to and including t; early
  events count most, whatever the censoring.
- ``"fleming-harrington"``: S(t-)^rho (1 - S(t-))^gamma with the Kaplan-Meier curve S of all
  patients; rho > 0 looks early, gamma > 0 late.

With strata, n, d and S are those of the stratum. Choose the weight before looking at the curves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.inputs import Bools, Floats, check_groups, check_survival, stratum_codes
from radiogenomics.stats.survival.logrank import _warn_one_group as warn_one_group
from radiogenomics.stats.survival.risk_sets import RiskSets, build_risk_sets

WEIGHTS = ("logrank", "gehan", "tarone-ware", "peto", "fleming-harrington")


@dataclass(frozen=True)
class WeightedLogRank:
    """Result of a weighted log-rank test.

    Attributes
    ----------
    statistic : float
        Chi-squared; NaN, with a warning, when fewer than two groups were at risk at an event time.
    df : int
        Groups at risk less one.
    p : float
    groups : ndarray of shape (k,)
        The distinct groups, sorted; the next two follow their order.
    observed, expected : ndarray of shape (k,)
        Weighted sums of the events seen, and of those expected if all groups shared one hazard.
    """

    statistic: float
    df: int
    p: float
    groups: NDArray[Any]
    observed: Floats
    expected: Floats


@dataclass(frozen=True)
class TrendTest:
    """Result of a log-rank test for a trend.

    Attributes
    ----------
    statistic : float
        Chi-squared with one degree of freedom.
    z : float
        Its signed root: above 0 when groups with higher scores have more events than expected.
    p : float
        Two-sided.
    groups : ndarray of shape (k,)
    scores : ndarray of shape (k,)
        Score of each group.
    """

    statistic: float
    z: float
    p: float
    groups: NDArray[Any]
    scores: Floats


@dataclass(frozen=True)
class _Deviations:
    groups: NDArray[Any]
    observed: Floats
    expected: Floats
    covariance: Floats
    at_risk: Bools


def weighted_logrank(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    *,
    weight: str = "gehan",
    rho: float = 0.0,
    gamma: float = 0.0,
    strata: ArrayLike | None = None,
) -> WeightedLogRank:
    """Test whether k groups share one hazard, event times weighing differently.

    With u = sum of w (O - E) over event times and V = sum of w^2 times the hypergeometric
    covariance, u' V^-1 u is chi-squared with k - 1 degrees of freedom. Weights: top of this module.
    The p-value is wrong if weight or groups were chosen on the same outcomes.

    Parameters
    ----------
    time, event, group : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored; who belongs where.
    weight : {"logrank", "gehan", "tarone-ware", "peto", "fleming-harrington"}
    rho, gamma : float
        Exponents of ``"fleming-harrington"``, 0 or more; left at 0 otherwise.
    strata : array-like of shape (n,), optional
        Patients are compared within equal values only; a stratum of one adds nothing.

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed.
    DataError
        If group or strata do not have one value per patient, or exponents do not fit the weight.
    UnknownNameError
        If the weight is unknown.

    References
    ----------
    Gehan 1965, doi:10.1093/biomet/52.1-2.203; Peto & Peto 1972, doi:10.2307/2344317; Tarone & Ware
    1977, doi:10.1093/biomet/64.1.156; Harrington & Fleming 1982, doi:10.1093/biomet/69.3.553.

    Examples
    --------
    >>> result = weighted_logrank([1, 2, 3, 4, 5, 6], [1] * 6, list("aaabbb"), weight="peto")
    >>> round(result.statistic, 3), result.df
    (4.5, 1)
    """
    found = _deviations(time, event, group, kind=(weight, rho, gamma), strata=strata)
    # One group of those at risk is left out: the deviations sum to zero.
    used = np.flatnonzero(found.at_risk)[1:]
    statistic = p = float("nan")
    if used.size:
        deviation = (found.observed - found.expected)[used]
        inverse = np.linalg.pinv(found.covariance[np.ix_(used, used)], hermitian=True)
        statistic = float(deviation @ inverse @ deviation)
        p = float(chdtrc(used.size, statistic))
    else:
        warn_one_group()
    return WeightedLogRank(statistic, used.size, p, found.groups, found.observed, found.expected)


def logrank_trend(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    *,
    scores: Mapping[Any, float] | None = None,
    weight: str = "logrank",
    rho: float = 0.0,
    gamma: float = 0.0,
    strata: ArrayLike | None = None,
) -> TrendTest:
    """Test whether the hazard rises or falls over ordered groups.

    With c the scores, (c' u)^2 / (c' V c), u and V as in `weighted_logrank`, is chi-squared with
    one degree of freedom. More powerful than the test of k groups when hazards follow the order;
    blind to a group in the middle that stands out. Only the spacing of the scores matters.

    Parameters
    ----------
    time, event, group, weight, rho, gamma, strata
        As in `weighted_logrank`.
    scores : mapping of group to float, optional
        Where each group stands; by default the groups themselves, which must then be numbers.

    Returns
    -------
    TrendTest

    Raises
    ------
    OutcomeError, UnknownNameError
        As in `weighted_logrank`.
    DataError
        As there; or if groups lack a score, or those at risk do not differ in it.

    References
    ----------
    Tarone 1975, Biometrika 62, 679-690.

    Examples
    --------
    >>> order = {"low": 0, "mid": 1, "high": 2}
    >>> groups = ["high", "high", "mid", "mid", "low", "low"]
    >>> round(logrank_trend([1, 2, 3, 4, 5, 6], [1] * 6, groups, scores=order).z, 3)
    2.583
    """
    found = _deviations(time, event, group, kind=(weight, rho, gamma), strata=strata)
    values = _scores(found.groups, scores)
    variance = float(values @ found.covariance @ values)
    scale = float(np.square(values) @ np.diagonal(found.covariance))
    if np.ptp(values[found.at_risk]) == 0 or not variance > 1e-12 * scale:
        raise DataError(
            "expected groups at risk that differ in their score; found scores "
            f"{np.unique(values[found.at_risk]).tolist()} that cannot be compared; give ordered "
            "groups different scores and check that they share strata and follow-up."
        )
    z = float(values @ (found.observed - found.expected)) / variance**0.5
    return TrendTest(z**2, z, float(2 * ndtr(-abs(z))), found.groups, values)


def _deviations(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    *,
    kind: tuple[str, float, float],
    strata: ArrayLike | None,
) -> _Deviations:
    """Weighted observed and expected events of each group, and the covariance of their gap."""
    times, events = check_survival(time, event)
    members = check_groups(group, times.size, what="group")
    blocks = stratum_codes(strata, times.size)[1]
    labels, code = np.unique(members, return_inverse=True)
    sets = build_risk_sets(times, events, ties="breslow", strata=blocks)
    member = (code[sets.subjects][:, None] == np.arange(labels.size)).astype(float)

    deaths = sets.weight
    size = sets.sums(np.ones((sets.subjects.size, 1)))[:, 0]
    at_risk = sets.sums(member)
    weight = _weights(sets, size, kind=kind)
    # An event of a time belongs to the term that its subject is the last to reach.
    row = sets.gather.tocsc().indices
    observed = (weight[row] * sets.event) @ member
    expected = (weight * deaths / size) @ at_risk
    scale = weight**2 * deaths * (size - deaths) / (size**2 * np.maximum(size - 1, 1))
    crossed = at_risk.T @ (at_risk * scale[:, None])
    covariance = np.diag((size * scale) @ at_risk) - crossed
    return _Deviations(labels, observed, expected, covariance, at_risk.sum(axis=0) > 0)


def _weights(sets: RiskSets, size: Floats, *, kind: tuple[str, float, float]) -> Floats:
    """Weight of every event time; `size` at risk, times falling within each stratum."""
    name, rho, gamma = kind
    if name not in WEIGHTS:
        raise UnknownNameError("log-rank weight", name, WEIGHTS)
    wanted = name == "fleming-harrington"
    if min(rho, gamma) < 0 or (not wanted and (rho != 0 or gamma != 0)):
        raise DataError(
            "expected rho and gamma of 0 or more, and other than 0 with fleming-harrington only; "
            f"found rho={rho!r}, gamma={gamma!r} with {name!r}; correct them or the weight."
        )
    if name == "logrank":
        return np.ones(size.size)
    if name == "gehan":
        return size
    if name == "tarone-ware":
        return np.sqrt(size)
    weight = np.empty(size.size)
    for start, stop in sets.strata:
        n, d = size[start:stop][::-1], sets.weight[start:stop][::-1]
        if name == "peto":
            found = np.cumprod(1 - d / (n + 1))
        else:
            before = np.append(1.0, np.cumprod(1 - d / n)[:-1])
            found = before**rho * (1 - before) ** gamma
        weight[start:stop] = found[::-1]
    return weight


def _scores(groups: NDArray[Any], scores: Mapping[Any, float] | None) -> Floats:
    if scores is None:
        if groups.dtype.kind not in "biuf":
            raise DataError(
                "expected scores for groups that are not numbers; found none for "
                f"{groups.tolist()}; pass scores, for example {{'low': 0, 'high': 1}}."
            )
        return groups.astype(float)
    lacking = [group for group in groups.tolist() if group not in scores]
    values = np.array([scores.get(group, np.nan) for group in groups.tolist()], dtype=float)
    if not np.isfinite(values).all():
        raise DataError(
            f"expected a finite score for every group; found {len(lacking)} without "
            f"({lacking[:5]}) and {int((~np.isfinite(values)).sum()) - len(lacking)} not finite; "
            "add them to scores."
        )
    return values
