"""The ROC curve at a time of follow-up, under censoring, and the cut-off it suggests.

Cases at time t are those with the event up to t, controls those followed beyond t; patients
censored before t are neither, and the others are weighted to stand for them, as in
`time_dependent_auc`, which is the area under this curve.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.errors import OutcomeError, UnknownNameError
from radiogenomics.stats.classification.roc import TIES
from radiogenomics.stats.inputs import Floats, check_risk, check_survival
from radiogenomics.stats.survival.ipcw_influence import ipcw_weights

# Sums of weights that differ by so little are the same.
_ROUNDING = 1e-12


class TimeDependentRoc(NamedTuple):
    """Points of a ROC curve at one time.

    Attributes
    ----------
    fpr, tpr : ndarray of shape (points,)
        Weighted share of controls and of cases with a risk at or above each threshold.
    thresholds : ndarray of shape (points,)
        Falling; the first is inf.
    """

    fpr: Floats
    tpr: Floats
    thresholds: Floats


def time_dependent_roc(
    risk: ArrayLike, time: ArrayLike, event: ArrayLike, *, horizon: float
) -> TimeDependentRoc:
    """Points of the cumulative/dynamic ROC curve at one time, one for each distinct risk.

    With w_i = 1(T_i <= t, event) / G(T_i-) and v_j = 1(T_j > t) / G(t), G the Kaplan-Meier curve of
    censoring: TPR(c) = sum w_i 1(r_i >= c) / sum w_i, FPR(c) = sum v_j 1(r_j >= c) / sum v_j.
    Misleads where censoring depends on the risk.

    Parameters
    ----------
    risk : array-like of shape (n,)
        Higher is worse.
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.
    horizon : float
        In months.

    Returns
    -------
    TimeDependentRoc

    Raises
    ------
    DataError, OutcomeError
        If an input cannot be analysed, or nobody is a case, or nobody a control, at the horizon.

    References
    ----------
    Uno et al. 2007, doi:10.1198/016214507000000149; Hung & Chiang 2010, doi:10.1002/cjs.10046.

    Examples
    --------
    >>> found = time_dependent_roc([4, 1, 3, 2], [1, 2, 3, 4], [1, 1, 1, 0], horizon=2)
    >>> found.tpr.tolist(), found.fpr.tolist()
    ([0.0, 0.5, 0.5, 0.5, 1.0], [0.0, 0.0, 0.5, 1.0, 1.0])
    """
    months, events = check_survival(time, event)
    values = check_risk(risk, months.size)
    sides = (events & (months <= horizon), months > horizon)
    if not all(side.any() for side in sides):
        raise OutcomeError(
            f"expected patients with the event up to {horizon:g} months and patients followed "
            f"beyond; found {int(sides[0].sum())} and {int(sides[1].sum())}; choose a horizon "
            f"between {months[events].min():g} and {months.max():g} months."
        )
    case, control = (part[0] for part in ipcw_weights(months, events, np.array([float(horizon)])))
    thresholds, place = np.unique(-values, return_inverse=True)
    tpr, fpr = (
        np.append(0.0, np.cumsum(np.bincount(place, weights=part)) / part.sum())
        for part in (case, control)
    )
    # The last point calls everybody; rounding must not say otherwise.
    tpr[-1] = fpr[-1] = 1.0
    return TimeDependentRoc(fpr, tpr, np.append(np.inf, -thresholds))


def youden_threshold_at(
    risk: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    *,
    horizon: float,
    ties: str = "highest",
) -> float:
    """Risk at or above which calling high maximises TPR - FPR at a time of follow-up.

    The threshold is one of the risks seen. Learnt from outcomes, so it belongs inside the training
    part; accuracy at the threshold on the same patients is too good.

    Parameters
    ----------
    risk, time, event, horizon
        As in `time_dependent_roc`.
    ties : {"highest", "lowest"}
        Which of equally good ones.

    Raises
    ------
    DataError, OutcomeError
        As in `time_dependent_roc`.
    UnknownNameError
        The tie rule is neither of the two.

    References
    ----------
    Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.

    Examples
    --------
    >>> youden_threshold_at([4, 1, 3, 2], [1, 5, 3, 4], [1, 1, 1, 0], horizon=3)
    3.0
    """
    if ties not in TIES:
        raise UnknownNameError("tie rule", ties, TIES)
    curve = time_dependent_roc(risk, time, event, horizon=horizon)
    gain = (curve.tpr - curve.fpr)[1:]
    best = np.flatnonzero(gain >= gain.max() - _ROUNDING)
    return float(curve.thresholds[1:][best[0 if ties == "highest" else -1]])
