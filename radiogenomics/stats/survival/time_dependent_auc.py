"""Area under the ROC curve at a time of follow-up, under censoring.

Cases at time t are those with the event up to t (cumulative), controls those followed beyond t
(dynamic). Patients censored before t are neither; inverse probability of censoring weights let the
others stand for them. With w_i = 1(T_i <= t, event) / G(T_i-) and v_j = 1(T_j > t) / G(t), G the
Kaplan-Meier curve of censoring, AUC(t) = sum w_i v_j psi(r_i, r_j) / (sum w_i sum v_j), where psi
is 1 if the risk r_i exceeds r_j and 1/2 if the two tie. The integrated area is
sum AUC(t_k) (S(t_k-1) - S(t_k)) / (1 - S(t_m)) with S the Kaplan-Meier curve and S(t_0) = 1.

Both mislead where censoring depends on the risk, and rest on few patients at either end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr, ndtri

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.inputs import Floats, as_floats, check_level, check_survival
from radiogenomics.stats.intervals import clopper_pearson
from radiogenomics.stats.survival.ipcw_influence import (
    censoring_influence,
    ipcw_weights,
    standard_error,
)
from radiogenomics.stats.survival.time_grid import TimeGrid, grid_of

SCALES = ("logit", "linear")
# A standard error below this is rounding.
_NO_ERROR = 1e-10


class SurvivalEstimate(NamedTuple):
    """A number with its standard error and bounds.

    Attributes
    ----------
    value, se, low, high : float
    """

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True)
class TimeDependentAuc:
    """Areas under the ROC curve at several times.

    Attributes
    ----------
    grid : TimeGrid
        Times, cases, controls, and the times dropped with the reason.
    value, se, low, high : ndarray of shape (times,)
        Area, standard error and pointwise bounds; 1/2 is chance.
    integrated : SurvivalEstimate
        Mean over the times, each weighted by the events since the one before.
    influence : ndarray of shape (times, n)
        Influence of each patient on each area; each row has mean 0.
    """

    grid: TimeGrid
    value: Floats
    se: Floats
    low: Floats
    high: Floats
    integrated: SurvivalEstimate
    influence: Floats


@dataclass(frozen=True)
class TimeDependentAucDifference:
    """Comparison of two risks of the same patients at several times.

    Attributes
    ----------
    grid : TimeGrid
    difference : ndarray of shape (times,)
        First area less the second.
    se, low, high : ndarray of shape (times,)
        Standard error and pointwise Wald bounds.
    z, p : ndarray of shape (times,)
        Difference over its standard error, and two-sided p of each time.
    """

    grid: TimeGrid
    difference: Floats
    se: Floats
    low: Floats
    high: Floats
    z: Floats
    p: Floats


def cumulative_dynamic_auc(
    risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    times: ArrayLike | TimeGrid | None = None,
    level: float = 0.95,
    scale: str = "logit",
    weights: str = "jackknife",
) -> TimeDependentAuc:
    """Estimate the cumulative/dynamic AUC at given or chosen times, with intervals.

    Formula, and when it misleads: top of this module. The standard error is sd(influence) /
    sqrt(n). Bounds are Wald's on `scale`; where they have no width, Clopper and Pearson's for as
    many pairs as the smaller side has patients.

    Parameters
    ----------
    risk : array-like of shape (n,) or (n, times)
        Higher is worse. One column a time where it changes with time; `times` are then needed.
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    times : array-like, TimeGrid or None
        Judged or chosen by `valid_times`; pass its grid for other limits.
    level : float
    scale : {"logit", "linear"}
    weights : {"jackknife", "martingale", "known"}
        How the uncertainty of G enters, see `censoring_influence`.

    Raises
    ------
    DataError, OutcomeError, UnknownNameError
        If a risk is not finite, or not one per patient; no time can be used; a word is not known.

    References
    ----------
    Hung & Chiang 2010, doi:10.1002/cjs.10046; Blanche et al. 2013, doi:10.1002/sim.5958; Lambert &
    Chevret 2016, doi:10.1177/0962280213515571 (integrated).

    Examples
    --------
    >>> from radiogenomics.stats.survival.time_grid import valid_times
    >>> time, event = [1, 2, 3, 4], [1, 1, 1, 0]
    >>> grid = valid_times(time, event, minimum_cases=1, minimum_at_risk=1)
    >>> found = cumulative_dynamic_auc([4, 1, 3, 2], time, event, times=grid)
    >>> found.value.round(3).tolist(), round(found.integrated.value, 3)
    ([1.0, 0.5, 0.667], 0.722)
    """
    if scale not in SCALES:
        raise UnknownNameError("interval scale", scale, SCALES)
    rule = (check_level(level), scale)
    fit = _fit(risk, time, event, times=times, weights=weights)
    se = standard_error(fit.influence)
    pairs = np.minimum(fit.grid.n_cases, fit.grid.n_controls)
    low, high = _bounds(fit.value, se, pairs, rule=rule)
    total, spread = _integrate(fit)
    ends = _bounds(np.array(total), np.array(spread), pairs.min(), rule=rule)
    integrated = SurvivalEstimate(total, spread, float(ends[0]), float(ends[1]))
    return TimeDependentAuc(fit.grid, fit.value, se, low, high, integrated, fit.influence)


def time_dependent_auc_test(
    risk_a: ArrayLike,
    risk_b: ArrayLike,
    *,
    time: ArrayLike,
    event: ArrayLike,
    times: ArrayLike | TimeGrid | None = None,
    level: float = 0.95,
    weights: str = "jackknife",
) -> TimeDependentAucDifference:
    """Compare two risks of the same patients by their cumulative/dynamic AUC.

    The standard error is that of the difference of the two influences of each patient, so that what
    the two share cancels; z is normal under the null that the areas are equal. A time at which the
    areas differ and neither varies (one risk separates all, the other tells none apart) is dropped.
    Not valid for nested models judged on the patients they were fitted to; p are not adjusted for
    the number of times.

    Parameters
    ----------
    risk_a, risk_b : array-like of shape (n,) or (n, times)
        Higher is worse.
    time, event, times, level, weights
        As in `cumulative_dynamic_auc`.

    Raises
    ------
    DataError, OutcomeError, UnknownNameError
        As in `cumulative_dynamic_auc`.

    References
    ----------
    Blanche et al. 2013, doi:10.1002/sim.5958.

    Examples
    --------
    >>> time, event = [1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 1, 0]
    >>> from radiogenomics.stats.survival.time_grid import valid_times
    >>> grid = valid_times(time, event, times=[2, 4], minimum_cases=1, minimum_at_risk=1)
    >>> a, b = [5, 6, 3, 1, 2, 4], [1, 5, 2, 3, 4, 6]
    >>> found = time_dependent_auc_test(a, b, time=time, event=event, times=grid)
    >>> found.difference.round(3).tolist(), bool(found.p[0] < 0.05)
    ([0.625, 0.45], True)
    """
    z = ndtri(0.5 + check_level(level) / 2)
    a = _fit(risk_a, time, event, times=times, weights=weights)
    b = _fit(risk_b, time, event, times=times, weights=weights)
    difference, se = a.value - b.value, standard_error(a.influence - b.influence)
    equal = np.abs(difference) <= _NO_ERROR
    stuck = (se <= _NO_ERROR) & ~equal
    grid = a.grid
    if stuck.any():
        grid = grid.without(stuck, "the two areas differ but neither varies, so there is no test")
        difference, se, equal = difference[~stuck], se[~stuck], equal[~stuck]
    wald = np.where(equal, 0.0, difference / np.where(equal, 1.0, se))
    p = 2 * ndtr(-np.abs(wald))
    return TimeDependentAucDifference(
        grid, difference, se, difference - z * se, difference + z * se, wald, p
    )


class _Fit(NamedTuple):
    """Areas, and the survival curve they are averaged over, with the influences on both."""

    grid: TimeGrid
    value: Floats
    influence: Floats
    survival: Floats
    survival_influence: Floats


def _fit(
    risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    times: ArrayLike | TimeGrid | None,
    weights: str,
) -> _Fit:
    months, events = check_survival(time, event)
    grid = grid_of(times, months, events)
    risks = _check_risk(risk, months.size, grid, chosen=times is None)
    case, control = ipcw_weights(months, events, grid.times)
    cases, alive = (weight.mean(axis=1, keepdims=True) for weight in (case, control))
    beats = _below(risks, control) / months.size
    beaten = cases - _below(risks, case) / months.size
    value = (case * beats).mean(axis=1, keepdims=True) / (cases * alive)
    through_cases = case * (beats - value * alive) / (cases * alive)
    through_controls = control * (beaten - value * cases) / (cases * alive)

    def through_weights(terms: Floats) -> Floats:
        return censoring_influence(terms, months, events, times=grid.times, weights=weights)

    # G(t) cancels among the controls of a time: only the cases feel the censoring curve.
    influence = through_cases + through_controls + through_weights(through_cases)
    # The mean weight of the controls is the Kaplan-Meier curve.
    survival_influence = control - alive + through_weights(control)
    return _Fit(grid, value[:, 0], influence, alive[:, 0], survival_influence)


def _check_risk(risk: ArrayLike, n: int, grid: TimeGrid, *, chosen: bool) -> Floats:
    """Risks with a row a time kept, or one row for all."""
    risks = as_floats(risk, "risks")
    shapes = ((n,),) if chosen else ((n,), (n, grid.n_asked))
    if risks.shape not in shapes or not np.isfinite(risks).all():
        raise DataError(
            f"expected one finite risk per patient, of shape {' or '.join(map(str, shapes))}; "
            f"found {risks.shape} with {int((~np.isfinite(risks)).sum())} values that are not "
            "finite; align them with time and event, and complete them."
        )
    return risks[None] if risks.ndim == 1 else risks.T[grid.positions]


def _below(risks: Floats, mass: Floats) -> Floats:
    """Mass of those with a lower risk and half of those with the same, per patient; (m, n)."""
    if len(risks) > 1:
        pairs = zip(risks, mass, strict=True)
        return np.concatenate([_below(r[None], m[None]) for r, m in pairs])
    order = np.argsort(risks[0], kind="stable")
    ordered = risks[0][order]
    upto = np.pad(np.cumsum(mass[:, order], axis=1), ((0, 0), (1, 0)))
    left, right = (np.searchsorted(ordered, risks[0], side) for side in ("left", "right"))
    return (upto[:, left] + upto[:, right]) / 2


def _integrate(fit: _Fit) -> tuple[float, float]:
    """Area averaged over the events of the survival curve, with its standard error."""
    ends = np.concatenate([[1.0], fit.survival])
    died = ends[:-1] - ends[1:]
    total = float(fit.value @ died / (1 - ends[-1]))
    drops = -np.diff(fit.survival_influence, axis=0, prepend=0.0)
    influence = died @ fit.influence + (fit.value - total) @ drops
    return total, float(standard_error(influence / (1 - ends[-1])))


def _bounds(
    value: Floats, se: Floats, pairs: NDArray[np.intp], *, rule: tuple[float, str]
) -> tuple[Floats, Floats]:
    """Lower and upper bounds of areas."""
    level, scale = rule
    half = ndtri(0.5 + level / 2) * se
    wide = (se > _NO_ERROR) & (value > 0) & (value < 1)
    if scale == "linear":
        low, high = np.clip(value - half, 0, 1), np.clip(value + half, 0, 1)
    else:
        inside = np.where(wide, value, 0.5)
        reach = half / (inside * (1 - inside))
        low, high = expit(logit(inside) - reach), expit(logit(inside) + reach)
    exact = clopper_pearson(np.clip(value, 0, 1) * pairs, pairs, level=level)
    return np.where(wide, low, exact.low), np.where(wide, high, exact.high)
