"""Whether predicted probabilities of an event by some horizon mean what they say.

Predictions are risks: the probability, from 0 to 1, that the event comes by the horizon, one minus
the predicted survival. Any model that gives them can be judged, on patients it was not fitted to.
What was observed is estimated for censored patients too, by Kaplan-Meier curves or a Cox model, and
so rests on censoring that owes nothing to the risk within a group.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.classification.calibration import quantile_groups
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_level, check_survival
from radiogenomics.stats.survival.cox import fit_cox
from radiogenomics.stats.survival.kaplan_meier import SurvivalCurve, kaplan_meier

# Risks of exactly 0 or 1 have no complementary log-log; this far from either they get one.
_EDGE = 1e-6


@dataclass(frozen=True)
class RiskGroups:
    """Predicted against observed risk, in groups of rising prediction.

    Attributes
    ----------
    n, events, at_risk : ndarray of int, shape (groups,)
        Patients, events by the horizon, and patients still followed at it.
    predicted : ndarray of shape (groups,)
        Mean predicted risk.
    observed, low, high : ndarray of shape (groups,)
        One minus the Kaplan-Meier curve at the horizon, with log-log bounds. The bounds are NaN
        where nobody or everybody had the event; all three where follow-up ends before the horizon.
    """

    n: NDArray[np.intp]
    events: NDArray[np.intp]
    at_risk: NDArray[np.intp]
    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats


class CalibrationSlope(NamedTuple):
    """Slope of the log hazard on the prediction.

    Attributes
    ----------
    value, se, low, high : float
        1 when calibrated; below 1 predictions are too extreme.
    p : float
        Two-sided, of a slope of 1.
    """

    value: float
    se: float
    low: float
    high: float
    p: float


class ObservedExpected(NamedTuple):
    """Calibration in the large at a horizon.

    Attributes
    ----------
    ratio, low, high : float
        Observed over expected risk: 1 when calibrated, above 1 when risk was understated.
    observed, expected : float
        One minus the Kaplan-Meier curve of all patients, and the mean prediction.
    """

    ratio: float
    low: float
    high: float
    observed: float
    expected: float


def complementary_log_log(risk: ArrayLike) -> Floats:
    """Return log(-log(1 - risk)), on which proportional hazards are shifts.

    Parameters
    ----------
    risk : array-like of shape (n,)
        Predicted probability of the event; what is within 1e-6 of 0 or 1 is moved to that distance,
        with a warning.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    DataError
        If a risk lies outside 0 to 1.

    Examples
    --------
    >>> complementary_log_log([0.1, 0.5]).round(3).tolist()
    [-2.25, -0.367]
    """
    values = _check_risk(risk)
    _warn_at_edge(values)
    return _log_log(values)


def _log_log(risk: Floats) -> Floats:
    return np.log(-np.log1p(-np.clip(risk, _EDGE, 1 - _EDGE)))


def _warn_at_edge(risk: Floats) -> None:
    moved = int(((risk < _EDGE) | (risk > 1 - _EDGE)).sum())
    if moved:
        warnings.warn(
            f"expected risks between 0 and 1; found {moved} of {risk.size} within {_EDGE:g} of "
            "either, moved to that distance; they can rule the result, so see whether the model "
            "is that certain.",
            RadiogenomicsWarning,
            stacklevel=3,
        )


def risk_groups(
    risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizon: float,
    groups: int = 5,
    level: float = 0.95,
) -> RiskGroups:
    """Observed risk by Kaplan-Meier in groups of rising predicted risk.

    Groups are cut at quantiles of the prediction; equal predictions stay together, and groups that
    this leaves empty are dropped. With few events a group the picture is mostly noise.

    Parameters
    ----------
    risk, time, event : array-like of shape (n,)
        Predicted probability of the event by the horizon; follow-up in months; 1 where the event
        was seen, 0 where censored.
    horizon : float
        Months.
    groups : int
    level : float

    Returns
    -------
    RiskGroups

    Raises
    ------
    DataError, OutcomeError
        As in `checked_risk`; or if groups is below 1.

    References
    ----------
    Harrell 2015, doi:10.1007/978-3-319-19425-7 (section 20.9); Van Calster et al. 2019,
    doi:10.1186/s12916-019-1466-7.

    Examples
    --------
    >>> found = risk_groups([0.1, 0.2, 0.1, 0.8, 0.9, 0.7], [9, 5, 8, 2, 4, 9],
    ...                     [0, 1, 0, 1, 1, 0], horizon=6, groups=2)
    >>> found.predicted.round(2).tolist(), found.observed.round(2).tolist()
    ([0.13, 0.8], [0.33, 0.67])
    """
    values, times, events = checked_risk(risk, time, event, horizon=horizon)
    if groups < 1:
        raise DataError(f"expected 1 group or more; found {groups!r}; 5 or 10 are usual.")
    place = np.unique(quantile_groups(values, groups), return_inverse=True)[1]
    rows = []
    for group in range(place.max() + 1):
        member = place == group
        curve = kaplan_meier(times[member], events[member], level=level)
        died = int((events[member] & (times[member] <= horizon)).sum())
        at_risk = int(curve.number_at_risk([horizon])[0])
        rows.append((member.sum(), died, at_risk, values[member].mean(), *_risk_at(curve, horizon)))
    table = np.array(rows, dtype=float).T
    _warn_of_unknown(table[4], table[5], horizon=horizon)
    return RiskGroups(*table[:3].astype(int), *table[3:])


def _warn_of_unknown(observed: Floats, low: Floats, *, horizon: float) -> None:
    unknown = int(np.isnan(observed).sum())
    unbounded = int(np.isnan(low).sum()) - unknown
    if unknown:
        warnings.warn(
            f"{unknown} of {observed.size} risk groups are not followed to {horizon:g} months: "
            "their observed risk is unknown; use fewer groups or an earlier horizon.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    if unbounded:
        warnings.warn(
            f"{unbounded} of {observed.size} risk groups have no event by {horizon:g} months, or "
            "nothing else: their observed risk has no interval; use fewer groups.",
            RadiogenomicsWarning,
            stacklevel=3,
        )


def observed_expected(
    risk: ArrayLike, time: ArrayLike, event: ArrayLike, *, horizon: float, level: float = 0.95
) -> ObservedExpected:
    """Ratio of observed to expected risk at a horizon.

    Observed is one minus the Kaplan-Meier curve of all patients, expected the mean prediction. The
    interval is that of the curve (log-log) over the expected risk, which is taken as given. A ratio
    of 1 says that predictions are right on average, whoever they are wrong for.

    Parameters
    ----------
    risk, time, event, horizon, level
        As in `risk_groups`.

    Returns
    -------
    ObservedExpected

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed, nobody is followed to the horizon, or nobody or
        everybody has the event by then.
    DataError
        If risks lie outside 0 to 1, are not one per patient, or are all 0.

    References
    ----------
    McLernon et al. 2023, doi:10.7326/M22-0844.

    Examples
    --------
    >>> found = observed_expected([0.2, 0.4, 0.6], [2, 5, 9], [1, 1, 0], horizon=6)
    >>> round(found.ratio, 3)
    1.667
    """
    values, times, events = checked_risk(risk, time, event, horizon=horizon)
    expected = float(values.mean())
    observed, low, high = _risk_at(kaplan_meier(times, events, level=level), horizon)
    if not np.isfinite([observed, low, high]).all():
        raise OutcomeError(
            f"expected that some patients, not all, have the event by {horizon:g} months; found "
            f"{int((events & (times <= horizon)).sum())} events among {times.size}; choose another "
            "horizon."
        )
    if expected == 0:
        raise DataError(
            "expected predicted risks above 0; found 0 for all; check that risk, not survival, was "
            "passed."
        )
    bounds = (bound / expected for bound in (observed, low, high))
    return ObservedExpected(*bounds, observed=observed, expected=expected)


def survival_slope(
    predictor: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizon: float | None = None,
    level: float = 0.95,
) -> CalibrationSlope:
    """Slope of a Cox model on a prediction.

    Hazard h0(t) exp(b predictor), with the linear predictor of a Cox model, or for any other
    `complementary_log_log` of its risk. b < 1 is the usual mark of overfitting; on the patients
    that a Cox model was fitted to, b = 1 by construction.

    Parameters
    ----------
    predictor, time, event : array-like of shape (n,)
        Log hazard, not a probability; follow-up in months; 1 where the event was seen.
    horizon : float, optional
        Follow-up after it is left out.
    level : float

    Returns
    -------
    CalibrationSlope

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed, or predictions order the events perfectly.
    DataError
        If predictors are not finite, or all equal.

    References
    ----------
    van Houwelingen 2000, Stat. Med. 19, 3401-3415; McLernon et al. 2023, doi:10.7326/M22-0844.

    Examples
    --------
    >>> round(survival_slope([2, 1, 0, -1, 1.5], [1, 3, 4, 6, 5], [1, 1, 0, 1, 1]).value, 2)
    1.86
    """
    times, events = check_survival(time, event)
    if horizon is not None:
        times, events = np.minimum(times, horizon), events & (times <= _check_horizon(horizon))
    values = as_floats(predictor, "predictors")
    if values.shape == times.shape and np.ptp(values) == 0:
        raise DataError(
            "expected predictions that differ; found all equal; a slope needs two values or more."
        )
    fit = fit_cox(values, times, events)
    if not fit.converged:
        raise OutcomeError(
            "expected a finite slope; found none: the predictions order the events perfectly; use "
            "more patients or a longer follow-up."
        )
    value, se = float(fit.coef[0]), float(fit.se[0])
    half = float(ndtri(0.5 + check_level(level) / 2)) * se
    p = float(2 * ndtr(-abs(value - 1) / se))
    return CalibrationSlope(value, se, value - half, value + half, p)


def _risk_at(curve: SurvivalCurve, horizon: float) -> tuple[float, float, float]:
    """One minus survival at the horizon with its bounds; NaN where it is not known."""
    observed = float(1 - curve.at([horizon])[0])
    if not 0 < observed < 1:
        return observed, float("nan"), float("nan")
    step = np.searchsorted(curve.time, horizon, side="right") - 1
    return observed, float(1 - curve.high[step]), float(1 - curve.low[step])


def checked_risk(
    risk: ArrayLike, time: ArrayLike, event: ArrayLike, *, horizon: float
) -> tuple[Floats, Floats, Bools]:
    """Return risks, times and events as arrays that can be held against each other.

    Raises
    ------
    OutcomeError
        If time or event cannot be analysed, or nobody is followed to the horizon.
    DataError
        If risks lie outside 0 to 1 or are not one per patient, or the horizon is not above 0.

    Examples
    --------
    >>> checked_risk([0.1, 0.2], [3, 9], [1, 0], horizon=6)[0]
    array([0.1, 0.2])
    """
    times, events = check_survival(time, event, need_events=False)
    values = _check_risk(risk)
    if values.shape != times.shape:
        raise DataError(
            f"expected one risk per patient ({times.size}); found shape {values.shape}; align the "
            "predictions with the outcome."
        )
    if _check_horizon(horizon) > times.max():
        raise OutcomeError(
            f"expected patients followed to the horizon of {horizon:g} months; found follow-up to "
            f"{times.max():g} at most; choose an earlier horizon."
        )
    return values, times, events


def _check_horizon(horizon: float) -> float:
    if not (np.isfinite(horizon) and horizon > 0):
        raise DataError(
            f"expected a horizon above 0 months; found {horizon!r}; give a time within follow-up."
        )
    return float(horizon)


def _check_risk(risk: ArrayLike) -> Floats:
    values = as_floats(risk, "risks")
    outside = ~((values >= 0) & (values <= 1))
    if values.ndim != 1 or outside.any():
        raise DataError(
            "expected a one-dimensional array of risks from 0 to 1; found shape "
            f"{values.shape} with {int(outside.sum())} values outside or missing; pass "
            "probabilities of the event, not linear predictors."
        )
    return values
