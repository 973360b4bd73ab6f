"""The ROC curve and the cut-off it suggests."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.stats.inputs import Bools, Floats, check_scores

TIES = ("highest", "lowest")


class RocCurve(NamedTuple):
    """Points of a ROC curve, from (0, 0) to (1, 1).

    Attributes
    ----------
    fpr, tpr : ndarray of shape (points,)
        Share of negatives and of positives with a score at or above each threshold.
    thresholds : ndarray of shape (points,)
        Falling; the first is inf.
    """

    fpr: Floats
    tpr: Floats
    thresholds: Floats


def roc_curve(scores: ArrayLike, labels: ArrayLike) -> RocCurve:
    """Points of the ROC curve, one for each distinct score.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Higher speaks for the positive class; positive is called at or above a threshold.
    labels : array-like of shape (n,)

    Returns
    -------
    RocCurve

    Raises
    ------
    DataError, OutcomeError
        As in `auc`.

    References
    ----------
    Fawcett 2006, doi:10.1016/j.patrec.2005.10.010.

    Examples
    --------
    >>> curve = roc_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> curve.tpr.tolist(), curve.fpr.tolist()
    ([0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """
    true, false, thresholds = operating_counts(*check_scores(scores, labels))
    return RocCurve(false / false[-1], true / true[-1], thresholds)


def youden_threshold(scores: ArrayLike, labels: ArrayLike, *, ties: str = "highest") -> float:
    """Score at or above which calling positive maximises sensitivity + specificity - 1.

    The threshold is one of the scores seen. Several may do equally well: the highest of them calls
    the fewest positive, the lowest the most. Learnt from outcomes, so it belongs inside the
    training part; accuracy at the threshold on the same patients is too good.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Higher speaks for the positive class.
    labels : array-like of shape (n,)
    ties : str
        ``"highest"`` (specificity first) or ``"lowest"`` (sensitivity first) of equally good ones.

    Returns
    -------
    float

    Raises
    ------
    DataError, OutcomeError
        As in `auc`.
    UnknownNameError
        The tie rule is neither of the two.

    References
    ----------
    Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.

    Examples
    --------
    >>> youden_threshold([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.8
    """
    if ties not in TIES:
        raise UnknownNameError("tie rule", ties, TIES)
    true, false, thresholds = operating_counts(*check_scores(scores, labels))
    # In whole numbers, where ties are exact; the point at inf, which calls nobody, is left out.
    gain = true[1:] * false[-1] - false[1:] * true[-1]
    best = np.flatnonzero(gain == gain.max())
    return float(thresholds[1:][best[0 if ties == "highest" else -1]])


def operating_counts(
    values: Floats, positive: Bools
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Positives and negatives at or above each threshold, as counts; the first threshold is inf."""
    thresholds, place = np.unique(-values, return_inverse=True)
    true = np.bincount(place[positive], minlength=thresholds.size).cumsum()
    false = np.bincount(place[~positive], minlength=thresholds.size).cumsum()
    start = np.zeros(1, dtype=int)
    return (
        np.concatenate([start, true]),
        np.concatenate([start, false]),
        np.concatenate([[np.inf], -thresholds]),
    )
