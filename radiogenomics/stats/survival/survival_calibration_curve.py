"""A smooth curve of observed over predicted risk by some horizon, and its distance from ideal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.restricted_cubic_spline import default_knots, rcs_basis
from radiogenomics.stats.survival.cox_survival import PatientCurves, cox_survival
from radiogenomics.stats.survival.survival_calibration import _log_log as position_of
from radiogenomics.stats.survival.survival_calibration import _warn_at_edge as warn_at_edge
from radiogenomics.stats.survival.survival_calibration import checked_risk

_GRID = 100
"""Points at which the curve is drawn."""


@dataclass(frozen=True)
class CalibrationCurve:
    """Smooth curve of observed over predicted risk, and how far it is from the diagonal.

    Attributes
    ----------
    predicted : ndarray of shape (grid,)
        Rising.
    observed, low, high : ndarray of shape (grid,)
        Risk by the Cox model at each predicted risk, with pointwise bounds.
    ici, e50, e90, emax : float
        Mean, median, 90th percentile and maximum over patients of |observed - predicted|; 0 when
        calibrated.
    knots : ndarray
        On the complementary log-log scale.
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    ici: float
    e50: float
    e90: float
    emax: float
    knots: Floats


def calibration_curve(
    risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizon: float,
    knots: int = 3,
    level: float = 0.95,
) -> CalibrationCurve:
    """Smooth curve of observed over predicted risk.

    A Cox model of all follow-up on a restricted cubic spline of log(-log(1 - risk)); its risk at
    the horizon is the observed risk at each prediction. The curve runs from the 1st to the 99th
    percentile of the predictions (from least to most below 100 patients), the distances over all
    patients. Risks within 1e-6 of 0 or 1 are moved to that distance, with a warning. Assumes
    proportional hazards over the prediction. Distances are above 0 even for a calibrated model, the
    more so the fewer the events.

    Parameters
    ----------
    risk, time, event, horizon, level
        As in `radiogenomics.stats.survival.survival_calibration.risk_groups`.
    knots : int
        3 to 5, placed by `default_knots`.

    Returns
    -------
    CalibrationCurve

    Raises
    ------
    DataError, OutcomeError
        As in `checked_risk`; risks take too few values, or the model has no finite maximum.

    References
    ----------
    Austin, Harrell & van Klaveren 2020, doi:10.1002/sim.8570.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> hazard = np.exp(rng.normal(-3, 1, 400))
    >>> curve = calibration_curve(1 - np.exp(-12 * hazard), rng.exponential(1 / hazard),
    ...                           np.ones(400), horizon=12)
    >>> curve.ici < 0.05
    True
    """
    values, times, events = checked_risk(risk, time, event, horizon=horizon)
    warn_at_edge(values)
    position = position_of(values)
    places = default_knots(position, knots)
    tail = 0.01 if values.size >= 100 else 0.0
    grid = np.linspace(*np.quantile(values, [tail, 1 - tail]), _GRID)
    asked = rcs_basis(np.append(position_of(grid), position), places)
    curves = cox_survival(
        rcs_basis(position, places), times, events, patients=asked, times=[horizon], level=level
    )
    return _measured(curves, grid, values, places)


def _measured(
    curves: PatientCurves, grid: Floats, values: Floats, knots: Floats
) -> CalibrationCurve:
    observed = 1 - curves.survival[:, 0]
    distance = np.abs(observed[grid.size :] - values)
    return CalibrationCurve(
        predicted=grid,
        observed=observed[: grid.size],
        low=1 - curves.high[: grid.size, 0],
        high=1 - curves.low[: grid.size, 0],
        ici=float(distance.mean()),
        e50=float(np.median(distance)),
        e90=float(np.quantile(distance, 0.9)),
        emax=float(distance.max()),
        knots=knots,
    )
