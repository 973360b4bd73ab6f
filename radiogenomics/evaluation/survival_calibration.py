"""Whether predicted survival means what it says, at chosen horizons and for any model.

Examples
--------
>>> ids = [f"P{i}" for i in range(6)]
>>> survival = pd.DataFrame({12: [0.9, 0.8, 0.8, 0.4, 0.3, 0.2]}, index=ids)
>>> outcome = SurvivalOutcome("OS", pd.Series([20.0, 9, 15, 3, 14, 5], ids),
...                           pd.Series([0, 1, 0, 1, 0, 1], ids))
>>> table = survival_calibration_table(survival, outcome, split="test", groups=2)
>>> table[["predicted", "observed", "n", "events"]].round(2).values.tolist()
[[0.17, 0.33, 3.0, 1.0], [0.7, 0.67, 3.0, 2.0]]
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.stats.survival.survival_calibration import (
    checked_risk,
    complementary_log_log,
    observed_expected,
    risk_groups,
    survival_slope,
)
from radiogenomics.stats.survival.survival_calibration_curve import (
    CalibrationCurve,
    calibration_curve,
)


def survival_calibration_summary(
    survival: pd.DataFrame, outcome: SurvivalOutcome, *, split: str, level: float = 0.95
) -> pd.DataFrame:
    """Numbers of calibration, one row a horizon.

    - ``ratio``: observed over expected risk, 1 when predictions are right on average, above 1 when
      risk is understated; observed by Kaplan-Meier.
    - ``slope``: of a Cox model up to the horizon on log(-log survival), 1 when calibrated, below 1
      when predictions are too extreme.
    - ``ici, e50, e90``: mean, median and 90th percentile over patients of the distance between
      predicted risk and a smooth curve of observed risk; 0 when calibrated, never quite in samples.

    For predictions of patients that the model has not seen; on its own, any model looks calibrated.

    Parameters
    ----------
    survival
        Predicted survival, 0 to 1: patients of ``outcome`` in rows, horizons in months in columns.
    outcome
        Time and event.
    split
        Where it was measured.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        ``split, endpoint, horizon, n, events, observed, expected, ratio, ratio_low, ratio_high,
        slope, slope_low, slope_high, ici, e50, e90``. What has no estimate (predictions all equal,
        too few events) is empty, with a warning.

    Raises
    ------
    AlignmentError, DataError, OutcomeError
        Other patients; columns that are no horizons; survival outside 0 to 1; a horizon that nobody
        is followed to, or by which nobody or everybody has the event.

    References
    ----------
    McLernon et al. 2023, doi:10.7326/M22-0844; Austin et al. 2020, doi:10.1002/sim.8570.
    """
    rows = []
    for horizon, risk in _risks(survival, outcome):
        time, event = outcome.time, outcome.event
        curve = _curve(risk, outcome, horizon, knots=3, level=level)
        large = observed_expected(risk, time, event, horizon=horizon, level=level)
        row = {"split": split, "endpoint": outcome.endpoint, "horizon": horizon} | {
            "n": len(risk),
            "events": int((event & (time <= horizon)).sum()),
            "observed": large.observed,
            "expected": large.expected,
            "ratio": large.ratio,
            "ratio_low": large.low,
            "ratio_high": large.high,
        }
        rows.append(row | _slope(risk, outcome, horizon, level=level) | _distances(curve))
    return pd.DataFrame(rows)


def survival_calibration_table(
    survival: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    split: str,
    groups: int = 5,
    level: float = 0.95,
) -> pd.DataFrame:
    """Observed risk by Kaplan-Meier in groups of rising predicted risk, at each horizon.

    Parameters
    ----------
    survival, outcome, split, level
        As in :func:`survival_calibration_summary`.
    groups
        Of about equal size.

    Returns
    -------
    DataFrame
        ``split, endpoint, horizon, group, predicted, observed, low, high, n, events, at_risk``:
        risks from 0 to 1, one row a group, the lowest risk first. Bounds are empty where nobody or
        everybody had the event, ``observed`` too where follow-up ends early, with a warning.

    Raises
    ------
    AlignmentError, DataError, OutcomeError
        As in :func:`survival_calibration_summary`.

    References
    ----------
    As in :func:`survival_calibration_summary`.
    """
    parts = []
    for horizon, risk in _risks(survival, outcome):
        found = risk_groups(
            risk, outcome.time, outcome.event, horizon=horizon, groups=groups, level=level
        )
        columns = {
            "group": np.arange(1, found.n.size + 1),
            "predicted": found.predicted,
            "observed": found.observed,
            "low": found.low,
            "high": found.high,
            "n": found.n,
            "events": found.events,
            "at_risk": found.at_risk,
        }
        names = {"split": split, "endpoint": outcome.endpoint, "horizon": horizon}
        parts.append(pd.DataFrame(names | columns))
    return pd.concat(parts, ignore_index=True)


def survival_calibration_curves(
    survival: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    split: str,
    knots: int = 3,
    level: float = 0.95,
) -> pd.DataFrame:
    """Smooth curves of observed over predicted risk, one a horizon.

    Parameters
    ----------
    survival, outcome, split, level
        As in :func:`survival_calibration_summary`.
    knots
        Of the spline, 3 to 5.

    Returns
    -------
    DataFrame
        ``split, endpoint, horizon, predicted, observed, low, high``, 100 rows a horizon. A horizon
        without a curve (predictions of few values, too few events) is left out with a warning.

    Raises
    ------
    AlignmentError, DataError, OutcomeError
        As in :func:`survival_calibration_summary`; or if there is no curve at all.

    References
    ----------
    Austin et al. 2020, doi:10.1002/sim.8570.
    """
    parts = []
    for horizon, risk in _risks(survival, outcome):
        curve = _curve(risk, outcome, horizon, knots=knots, level=level)
        if curve is not None:
            columns = {
                name: getattr(curve, name) for name in ("predicted", "observed", "low", "high")
            }
            names = {"split": split, "endpoint": outcome.endpoint, "horizon": horizon}
            parts.append(pd.DataFrame(names | columns))
    if not parts:
        raise DataError(
            f"{split}: expected a horizon at which a calibration curve can be drawn; found none. "
            "Use predictions that differ between patients, and more events."
        )
    return pd.concat(parts, ignore_index=True)


def _risks(
    survival: pd.DataFrame, outcome: SurvivalOutcome
) -> Iterator[tuple[float, pd.Series[float]]]:
    """Each horizon in months with the predicted risk of the event by then."""
    what = f"predicted survival and {outcome.endpoint}"
    require_same_patients(survival.index, outcome.patient_ids, what=what)
    horizons = pd.to_numeric(pd.Series(survival.columns.astype(object)), errors="coerce")
    if horizons.isna().any() or horizons.duplicated().any() or horizons.empty:
        raise DataError(
            "expected columns that are horizons in months, each once; found "
            f"{list(survival.columns)[:9]}. Name the columns 12, 24, ..."
        )
    for horizon, name in zip(horizons.astype(float), survival.columns, strict=True):
        risk = 1 - survival[name].astype(float)
        checked_risk(risk, outcome.time, outcome.event, horizon=horizon)
        yield horizon, risk


def _slope(
    risk: pd.Series[float], outcome: SurvivalOutcome, horizon: float, *, level: float
) -> dict[str, object]:
    names = ("slope", "slope_low", "slope_high")
    try:
        found = survival_slope(
            complementary_log_log(risk), outcome.time, outcome.event, horizon=horizon, level=level
        )
    except DataError as error:
        _warn(f"{horizon:g} months: no calibration slope: {error}")
        return dict.fromkeys(names, np.nan)
    return dict(zip(names, (found.value, found.low, found.high), strict=True))


def _distances(curve: CalibrationCurve | None) -> dict[str, object]:
    names = ("ici", "e50", "e90")
    return {name: np.nan if curve is None else getattr(curve, name) for name in names}


def _curve(
    risk: pd.Series[float], outcome: SurvivalOutcome, horizon: float, *, knots: int, level: float
) -> CalibrationCurve | None:
    try:
        return calibration_curve(
            risk, outcome.time, outcome.event, horizon=horizon, knots=knots, level=level
        )
    except DataError as error:
        _warn(f"{horizon:g} months: no calibration curve: {error}")
        return None


def _warn(message: str) -> None:
    warnings.warn(message, RadiogenomicsWarning, stacklevel=4)
