"""Precision and recall over all thresholds, for a class that is rare."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.stats.classification.roc import operating_counts
from radiogenomics.stats.inputs import Floats, check_scores


class PrecisionRecall(NamedTuple):
    """Points of a precision-recall curve, from the strictest threshold to the loosest.

    Attributes
    ----------
    recall : ndarray of shape (points,)
        Share of positives at or above each threshold, rising.
    precision : ndarray of shape (points,)
        Share of positives among those at or above it.
    thresholds : ndarray of shape (points,)
        The distinct scores, falling.
    """

    recall: Floats
    precision: Floats
    thresholds: Floats


def precision_recall_curve(scores: ArrayLike, labels: ArrayLike) -> PrecisionRecall:
    """Precision and recall at each distinct score.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Higher speaks for the positive class.
    labels : array-like of shape (n,)

    Returns
    -------
    PrecisionRecall

    Raises
    ------
    DataError, OutcomeError
        As in `auc`.

    References
    ----------
    Davis & Goadrich 2006, doi:10.1145/1143844.1143874.

    Examples
    --------
    >>> precision_recall_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).precision.round(3).tolist()
    [1.0, 0.5, 0.667, 0.5]
    """
    true, false, thresholds = operating_counts(*check_scores(scores, labels))
    true, false = true[1:], false[1:]
    return PrecisionRecall(true / true[-1], true / (true + false), thresholds[1:])


def average_precision(scores: ArrayLike, labels: ArrayLike) -> float:
    r"""Area under the precision-recall curve as a step function.

    :math:`\sum_k (R_k - R_{k-1}) P_k` over falling thresholds: the mean precision at the positives.
    Not interpolated linearly, which would be too good. Chance is the prevalence, so values of
    cohorts with other prevalences do not compare.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Higher speaks for the positive class.
    labels : array-like of shape (n,)

    Returns
    -------
    float

    Raises
    ------
    DataError, OutcomeError
        As in `auc`.

    Examples
    --------
    >>> average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.833
    """
    curve = precision_recall_curve(scores, labels)
    return float(np.diff(curve.recall, prepend=0.0) @ curve.precision)
