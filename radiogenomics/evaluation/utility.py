"""What deciding by out-of-sample predictions is worth: decision curves."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.evaluation.repeats import Z95, Floats, by_repeat
from radiogenomics.stats.classification.decision_curve import (
    NetBenefit,
    check_thresholds,
    net_benefit,
    net_benefit_survival,
)

STRATEGIES = ("model", "treat all", "treat none")


def decision_curve_table(
    predictions: pd.DataFrame, *, thresholds: ArrayLike | None = None
) -> pd.DataFrame:
    """Net benefit of treating by the model, of treating all and of treating none.

    The net benefit at threshold t is TP / n - FP / n * t / (1 - t). Read it over the thresholds
    that make sense for the treatment, which are to be named before the curve is seen: the default
    range is no more than what can be drawn. The model is of use where it lies above both others.

    Value and variance are averaged over repeats, which add no patients; intervals are Wald's, for
    each threshold alone.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, label, score`` with probabilities as scores.
    thresholds
        Above 0 and below 1. By default the hundredths from 0.01 to the last that any prediction
        reaches, 0.99 at most: above that nobody is treated, and treating all plunges.

    Returns
    -------
    DataFrame
        ``strategy`` (model, treat all, treat none), ``threshold, net_benefit`` (true positives a
        patient), ``low, high`` (95 %; empty for treating none, which is always 0).

    Raises
    ------
    DataError
        Scores are not probabilities, or a threshold is not between 0 and 1.
    OutcomeError
        A repeat has one class only.

    References
    ----------
    Vickers & Elkin 2006, doi:10.1177/0272989X06295361; Vickers, van Calster & Steyerberg 2019,
    doi:10.1186/s41512-019-0064-7.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcd"), "repeat": 0})
    >>> frame = frame.assign(label=[0, 1, 0, 1], score=[0.1, 0.3, 0.4, 0.9])
    >>> table = decision_curve_table(frame, thresholds=[0.2])
    >>> table.set_index("strategy")["net_benefit"].tolist()
    [0.4375, 0.375, 0.0]
    """
    repeats = list(by_repeat(predictions))
    cuts = _thresholds(np.concatenate([scores for scores, _ in repeats]), thresholds)
    return _table([net_benefit(scores, labels, cuts) for scores, labels in repeats])


def decision_curve_survival_table(
    risk: pd.Series[float],
    outcome: SurvivalOutcome,
    *,
    horizon: float,
    thresholds: ArrayLike | None = None,
) -> pd.DataFrame:
    """Net benefit by a horizon, with the outcome of those censored estimated by Kaplan-Meier.

    Parameters
    ----------
    risk
        Predicted probability of the event by the horizon, 0 to 1, for the patients of ``outcome``;
        of patients that the model has not seen.
    outcome
        Time and event.
    horizon
        Months.
    thresholds
        As in :func:`decision_curve_table`.

    Returns
    -------
    DataFrame
        As :func:`decision_curve_table`; a net benefit is empty, with a warning, where nobody above
        the threshold is followed to the horizon.

    Raises
    ------
    AlignmentError
        Risk and outcome have other patients or another order.
    DataError
        Risks lie outside 0 to 1, or a threshold is not between 0 and 1.
    OutcomeError
        Nobody is followed to the horizon.

    References
    ----------
    Vickers et al. 2008, doi:10.1186/1472-6947-8-53.

    Examples
    --------
    >>> ids = list("abcd")
    >>> outcome = SurvivalOutcome("OS", pd.Series([9.0, 5, 8, 2], ids),
    ...                           pd.Series([0, 1, 0, 1], ids))
    >>> table = decision_curve_survival_table(pd.Series([0.1, 0.3, 0.4, 0.9], ids), outcome,
    ...                                       horizon=6, thresholds=[0.2])
    >>> table["net_benefit"].tolist()
    [0.4375, 0.375, 0.0]
    """
    what = f"predicted risk and {outcome.endpoint}"
    require_same_patients(risk.index, outcome.patient_ids, what=what)
    values = risk.to_numpy(dtype=float)
    cuts = _thresholds(values, thresholds)
    found = net_benefit_survival(
        values, outcome.time, outcome.event, horizon=horizon, thresholds=cuts
    )
    return _table([found])


def _thresholds(scores: Floats, thresholds: ArrayLike | None) -> Floats:
    outside = ~((scores >= 0) & (scores <= 1))
    if outside.any():
        raise DataError(
            f"expected probabilities from 0 to 1; found {int(outside.sum())} scores outside, "
            f"between {scores.min():.3g} and {scores.max():.3g}. Use a learner with predict_proba, "
            "or calibrate its decision values inside the fold."
        )
    if thresholds is not None:
        return check_thresholds(thresholds)
    grid = np.arange(1, 100) / 100
    return grid[: max(1, int((grid <= scores.max()).sum()))]


def _table(found: list[NetBenefit]) -> pd.DataFrame:
    """Mean over repeats with the error of one."""
    parts = []
    for strategy in STRATEGIES:
        curves = [getattr(one, strategy.replace(" ", "_")) for one in found]
        value = np.mean([curve.value for curve in curves], axis=0)
        half = Z95 * np.sqrt(np.mean([curve.se**2 for curve in curves], axis=0))
        columns = {"strategy": strategy, "threshold": found[0].thresholds, "net_benefit": value}
        fixed = strategy == "treat none"
        bounds = {
            "low": np.nan if fixed else value - half,
            "high": np.nan if fixed else value + half,
        }
        parts.append(pd.DataFrame(columns | bounds))
    return pd.concat(parts, ignore_index=True)
