"""Whether hazard ratios of a Cox model stay the same over time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc
from scipy.stats import rankdata

from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_survival, stratum_codes
from radiogenomics.stats.survival.baseline_hazard import EventTimes, event_times
from radiogenomics.stats.survival.cox import ChiSquared, CoxFit, fit_cox
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier
from radiogenomics.stats.survival.risk_sets import RiskSets, build_risk_sets

TRANSFORMS = ("km", "identity", "rank", "log")
# An information this small against its own scale is rounding.
_SINGULAR = 1e-10

_Outcome = tuple[Floats, Bools, NDArray[np.intp]]


@dataclass(frozen=True)
class ProportionalHazards:
    """Test of proportional hazards, and the residuals to look at.

    Attributes
    ----------
    terms : tuple of str
    statistic, p : ndarray of shape (terms,)
        Chi-squared of each term, given all covariates; NaN, with a warning, where a term carries
        information at one event time only.
    df : ndarray of int, shape (terms,)
        Columns of each term.
    overall : ChiSquared
        Of all terms together.
    time, transformed : ndarray of shape (events,)
        Event times, within strata from the first to the last, and g(t).
    residuals : ndarray of shape (events, p)
        Scaled Schoenfeld residuals plus the coefficient, one column a covariate: smoothed over g(t)
        they estimate the log hazard ratio there. NaN where the covariate does not vary within the
        stratum.
    """

    terms: tuple[str, ...]
    statistic: Floats
    p: Floats
    df: NDArray[np.intp]
    overall: ChiSquared
    time: Floats
    transformed: Floats
    residuals: Floats


@dataclass(frozen=True)
class _Moments:
    """What the model expects at each distinct event time of a stratum.

    `mean` is of the covariates over those at risk, `information` sums their covariance over the
    events there.
    """

    at: EventTimes
    mean: Floats
    information: Floats


def proportional_hazards(
    covariates: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    transform: str = "km",
    ties: str = "efron",
    strata: ArrayLike | None = None,
    terms: Sequence[str] | None = None,
) -> ProportionalHazards:
    """Test the proportional hazards of a Cox model by adding covariate times g(t).

    The score test of theta = 0 in the hazard h0(t) exp(x' (b + theta (g(t) - mean g))); g is
    1 - S(t-) of all patients (``"km"``, robust to late events), t, the rank of t or log t. With few
    events a large p says little, with many even small departures are found: look at the residuals.
    A covariate that is missing from the model may show as non-proportional.

    Parameters
    ----------
    covariates, time, event, ties, strata
        As in `fit_cox`.
    transform : {"km", "identity", "rank", "log"}
    terms : sequence of str, length p, optional
        Names of the columns; columns of one name (the levels of a category) are tested together.

    Returns
    -------
    ProportionalHazards

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed, events share one time, the model has no finite maximum,
        or the logarithm meets an event at time 0.
    DataError, UnknownNameError
        If covariates, strata or terms do not fit; if the transform is unknown.

    References
    ----------
    Grambsch & Therneau 1994, doi:10.1093/biomet/81.3.515; Schoenfeld 1982,
    doi:10.1093/biomet/69.1.239.

    Examples
    --------
    >>> x = [0, 1, 0, 1, 1, 0, 1, 0]
    >>> found = proportional_hazards(x, [5, 3, 8, 2, 6, 9, 9, 4], [1, 1, 0, 1, 1, 1, 1, 1])
    >>> found.terms, round(found.overall.p, 3)
    (('x0',), 0.468)
    """
    fit = fit_cox(covariates, time, event, ties=ties, strata=strata)
    times, events = check_survival(time, event)
    x = as_floats(covariates, "covariates").reshape(times.size, -1)
    code = stratum_codes(strata, times.size)[1]
    names = _names(terms, x.shape[1])
    clock = _transformed(times, events, transform)
    return _test(x, fit, (times, events, code), clock=clock, names=names, ties=ties)


def _test(
    x: Floats, fit: CoxFit, outcome: _Outcome, *, clock: Floats, names: Sequence[str], ties: str
) -> ProportionalHazards:
    if not fit.converged:
        raise OutcomeError(
            "expected a Cox model with a finite maximum; found none; drop covariates that repeat "
            "each other, or merge levels without events."
        )
    times, events, code = outcome
    scale = x.std(axis=0)
    standard = (x - x.mean(axis=0)) / scale
    sets = build_risk_sets(times, events, ties=ties, strata=code)
    moments = _moments(standard, np.exp(standard @ (fit.coef * scale)), sets=sets, outcome=outcome)
    who = moments.at.who
    gaps = standard[who] - moments.mean[moments.at.unit]
    found, overall = _score_tests(moments, gaps, clock=clock[who] - clock[who].mean(), names=names)
    statistic, df = np.array(list(found.values())).T
    residuals = _scaled_residuals(moments, gaps, varies=_varies(x, code)) / scale + fit.coef
    return ProportionalHazards(
        terms=tuple(found),
        statistic=statistic,
        p=chdtrc(df, statistic),
        df=df.astype(int),
        overall=overall,
        time=times[who],
        transformed=clock[who],
        residuals=residuals,
    )


def _moments(x: Floats, risk: Floats, *, sets: RiskSets, outcome: _Outcome) -> _Moments:
    times, events, code = outcome
    found = event_times(sets, times, events, code=code)
    p = x.shape[1]
    inside, at_risk = x[sets.subjects], risk[sets.subjects][:, None]
    products = (inside[:, :, None] * inside[:, None, :]).reshape(-1, p * p)
    sums = sets.sums(np.hstack([at_risk, at_risk * inside, at_risk * products]))
    mean = sums[:, 1 : p + 1] / sums[:, :1]
    second = (sums[:, p + 1 :] / sums[:, :1]).reshape(-1, p, p)
    weight = sets.weight[:, None]
    spread = (second - mean[:, :, None] * mean[:, None, :]) * weight[:, :, None]

    total = np.zeros((found.time.size, p))
    information = np.zeros((found.time.size, p, p))
    np.add.at(total, found.of_term, weight * mean)
    np.add.at(information, found.of_term, spread)
    return _Moments(found, total / np.bincount(found.unit)[:, None], information)


def _score_tests(
    moments: _Moments, gaps: Floats, *, clock: Floats, names: Sequence[str]
) -> tuple[dict[str, tuple[float, int]], ChiSquared]:
    """Score tests of covariate times clock: one a term, and all together."""
    if np.ptp(clock) == 0:
        raise OutcomeError(
            "expected events at two times or more; found one; whether a hazard ratio changes over "
            "time cannot be told."
        )
    first = np.unique(moments.at.unit, return_index=True)[1]
    g = clock[first][:, None, None]
    plain = moments.information.sum(axis=0)
    crossed = (g * moments.information).sum(axis=0)
    squared = (g**2 * moments.information).sum(axis=0)
    score = clock @ gaps
    variance = squared - crossed @ np.linalg.solve(plain, crossed)

    labels = np.asarray(names)
    found = {}
    for name in dict.fromkeys(names):
        place = np.flatnonzero(labels == name)
        found[name] = _quadratic(score, variance, squared, place), place.size
    everything = _quadratic(score, variance, squared, np.arange(labels.size))
    unknown = [name for name, (statistic, _) in found.items() if np.isnan(statistic)]
    if unknown or np.isnan(everything):
        warnings.warn(
            "proportional hazards cannot be tested for "
            f"{short_list(unknown or ['all terms together'])}: information at one event time only.",
            RadiogenomicsWarning,
            stacklevel=4,
        )
    return found, ChiSquared(everything, labels.size, float(chdtrc(labels.size, everything)))


def _quadratic(score: Floats, variance: Floats, size: Floats, place: NDArray[np.intp]) -> float:
    block = variance[np.ix_(place, place)]
    scale = np.sqrt(np.diagonal(size)[place])
    if not (scale > 0).all():
        return float("nan")
    unit = block / np.outer(scale, scale)
    if np.linalg.eigvalsh(unit)[0] < _SINGULAR:
        return float("nan")
    u = score[place] / scale
    return float(u @ np.linalg.solve(unit, u))


def _scaled_residuals(moments: _Moments, gaps: Floats, *, varies: Bools) -> Floats:
    """Residuals times the inverse of the mean information per event, within each stratum."""
    of_event = moments.at.code[moments.at.unit]
    strata = np.unique(of_event)
    deaths = np.bincount(of_event)[strata]
    # Information per event, over the strata in which both covariates vary.
    used = varies[strata].T.astype(float)
    shared = (used * deaths) @ used.T
    average = moments.information.sum(axis=0) / np.where(shared == 0, 1, shared)
    scaled = np.full(gaps.shape, np.nan)
    for stratum in strata:
        rows = of_event == stratum
        columns = np.flatnonzero(varies[stratum])
        if columns.size:
            block = average[np.ix_(columns, columns)]
            scaled[np.ix_(rows, columns)] = np.linalg.solve(block, gaps[rows][:, columns].T).T
    return scaled


def _varies(x: Floats, code: NDArray[np.intp]) -> Bools:
    """Whether each covariate takes two values or more in each stratum, shape (strata, p)."""
    return np.array([np.ptp(x[code == c], axis=0) > 0 for c in range(code.max() + 1)])


def _transformed(times: Floats, events: Bools, transform: str) -> Floats:
    if transform not in TRANSFORMS:
        raise UnknownNameError("transform of time", transform, TRANSFORMS)
    if transform == "identity":
        return times
    if transform == "rank":
        return rankdata(times)
    if transform == "log":
        early = int((times[events] == 0).sum())
        if early:
            raise OutcomeError(
                "expected events after time 0 for the logarithm of time; found "
                f"{early} at 0; use transform='km'."
            )
        return np.log(np.where(times > 0, times, 1.0))
    curve = kaplan_meier(times, events)
    before = np.append(1.0, curve.survival[:-1])
    return 1 - before[np.searchsorted(curve.time, times)]


def _names(terms: Sequence[str] | None, p: int) -> tuple[str, ...]:
    if terms is None:
        return tuple(f"x{j}" for j in range(p))
    if len(terms) != p:
        raise DataError(
            f"expected one term per column ({p}); found {len(terms)}; name each column, columns of "
            "one category alike."
        )
    return tuple(map(str, terms))
