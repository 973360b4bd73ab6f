"""How well out-of-sample scores tell two classes apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation.repeats import (
    Estimate,
    Floats,
    by_repeat,
    labelled_patients,
    mean_over_repeats,
)
from radiogenomics.evaluation.within_folds import Bounded, HeldOut, auc_of_high
from radiogenomics.stats import auc, delong, permutation_p, roc_curve


def pooled_auc(predictions: pd.DataFrame) -> float:
    """AUC over all patients of a repeat, averaged over repeats.

    Scores of all folds are pooled, so they must be on one scale (probabilities are); a model whose
    level shifts between folds is punished for it. With nothing to find the value tends to lie below
    ½, since a fold rich in positives leaves fewer behind to train on; the null of
    :func:`cross_validation_null` has the same lean, :func:`auc_within_folds` has none.

    Parameters
    ----------
    predictions
        ``repeat, label`` (0, 1, or NaN: left out), ``score``.

    Returns
    -------
    float
        From 0 to 1, ½ is chance.

    Raises
    ------
    OutcomeError
        A repeat has one class only.

    Examples
    --------
    >>> pooled_auc(pd.DataFrame({"repeat": 0, "label": [0, 0, 1], "score": [0.1, 0.4, 0.35]}))
    0.5
    """
    return float(np.mean([auc(scores, labels) for scores, labels in by_repeat(predictions)]))


def auc_within_folds(predictions: pd.DataFrame) -> Bounded:
    """AUC over the pairs of patients of the same fold, averaged over repeats.

    A model that found nothing gives each fold about the prevalence of its training part. That is
    lower the more positives the fold has, so :func:`pooled_auc` falls below ½, far below where
    scores hardly differ within folds. Here they are not compared between folds. A model that is
    good only at telling folds apart is not credited for it, and few patients a fold make few pairs.

    Parameters
    ----------
    predictions
        ``repeat, fold, label`` (0, 1, or NaN: left out), ``score``.

    Returns
    -------
    Bounded
        ``value, low, high``, arrays of one number, from 0 to 1; ½ is chance. The interval is that
        of :func:`~radiogenomics.evaluation.within_folds.auc_of_high`.

    References
    ----------
    Parker, Gunter and Bedo, BMC Bioinformatics 2007;8:326, doi:10.1186/1471-2105-8-326.

    Examples
    --------
    >>> frame = pd.DataFrame({"repeat": 0, "fold": [0, 0, 0, 1, 1, 1]})
    >>> frame = frame.assign(label=[1, 1, 0, 0, 0, 1], score=[0.3, 0.3, 0.3, 0.6, 0.6, 0.6])
    >>> round(pooled_auc(frame), 3), float(auc_within_folds(frame).value[0])
    (0.333, 0.5)
    """
    known = predictions[predictions["label"].notna()]
    repeats = []
    for _, repeat in known.groupby("repeat", sort=False):
        parts = []
        for _, fold in repeat.groupby("fold", sort=False):
            label = fold[["label"]].to_numpy(dtype=float)
            parts.append(HeldOut(fold[["score"]].to_numpy(dtype=float), label, label == 1))
        repeats.append(parts)
    return auc_of_high(repeats)


def auc_metric(
    predictions: pd.DataFrame, *, split: str, null: ArrayLike | None = None, name: str = "auc"
) -> Metric:
    """AUC with its DeLong interval and permutation p-value.

    The value is :func:`pooled_auc`; the interval uses DeLong's variance averaged over repeats, on
    the logit scale. It treats out-of-fold scores as if one model had made them all, which leaves
    out the training set's own variability: for a claim against chance read the permutation p.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, label, score``; one repeat for an external cohort.
    split
        Where it was measured, as in :class:`Metric`.
    null
        :func:`pooled_auc` under permutation; p is one-sided, larger values being more extreme.
    name
        Of the metric.

    Returns
    -------
    Metric
        ``chance`` ½; ``events`` the positives (mean over repeats, rounded).

    Raises
    ------
    OutcomeError
        A repeat has one class only.

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcd"), "repeat": 0})
    >>> frame = frame.assign(label=[0, 0, 1, 1], score=[0.1, 0.4, 0.35, 0.8])
    >>> found = auc_metric(frame, split="apparent")
    >>> found.value, found.n, found.events
    (0.75, 4, 2)
    """
    found = [delong(scores, labels) for scores, labels in by_repeat(predictions)]
    mean = mean_over_repeats([Estimate(a.value, a.variance, a.low, a.high) for a in found])
    return Metric(
        name=name,
        value=mean.value,
        low=mean.low,
        high=mean.high,
        chance=0.5,
        n=labelled_patients(predictions),
        split=split,
        p_permutation=None if null is None else permutation_p(mean.value, null),
        events=round(float(np.mean([a.n_positive for a in found]))),
    )


def roc_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """ROC curve, averaged over repeats at equal false-positive rates.

    The area under the curve returned is exactly :func:`pooled_auc`.

    Parameters
    ----------
    predictions
        ``repeat, label, score``.

    Returns
    -------
    DataFrame
        ``fpr, tpr`` from (0, 0) to (1, 1); a vertical step has two rows.

    Raises
    ------
    OutcomeError
        A repeat has one class only.

    Examples
    --------
    >>> roc_table(pd.DataFrame({"repeat": 0, "label": [0, 1], "score": [0.1, 0.8]})).tpr.tolist()
    [0.0, 1.0, 1.0]
    """
    curves = [roc_curve(scores, labels) for scores, labels in by_repeat(predictions)]
    grid = np.unique(np.concatenate([curve.fpr for curve in curves]))
    ends = np.mean([_tpr_around(curve.fpr, curve.tpr, grid) for curve in curves], axis=0)
    points = np.column_stack([np.repeat(grid, 2), ends.T.ravel()])
    new = np.append(True, (np.diff(points, axis=0) != 0).any(axis=1))
    return pd.DataFrame(points[new], columns=["fpr", "tpr"])


def _tpr_around(fpr: Floats, tpr: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Height of a curve where it reaches, and where it leaves, each false-positive rate."""
    knots, first = np.unique(fpr, return_index=True)
    last = np.append(first[1:], len(fpr)) - 1
    low, high = tpr[first], tpr[last]
    left = np.searchsorted(knots, at, side="right") - 1
    right = np.minimum(left + 1, len(knots) - 1)
    width = np.where(right > left, knots[right] - knots[left], 1.0)
    between = high[left] + (low[right] - high[left]) * (at - knots[left]) / width
    on_knot = knots[left] == at
    return np.where(on_knot, low[left], between), np.where(on_knot, high[left], between)
