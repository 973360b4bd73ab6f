"""Precision and recall of out-of-sample scores."""

from __future__ import annotations

import numpy as np
import pandas as pd

from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation.repeats import (
    Estimate,
    by_repeat,
    labelled_patients,
    mean_over_repeats,
)
from radiogenomics.stats.classification.precision_recall import (
    average_precision,
    precision_recall_curve,
)


def precision_recall_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Precision and recall at each threshold, one curve a repeat.

    Curves of repeats are not averaged: precision has no common grid on which that would be fair.

    Parameters
    ----------
    predictions
        ``repeat, label, score``.

    Returns
    -------
    DataFrame
        ``repeat, threshold, recall, precision, prevalence``.

    Raises
    ------
    OutcomeError
        A repeat has one class only.

    Examples
    --------
    >>> frame = pd.DataFrame({"repeat": 0, "label": [0, 1], "score": [0.1, 0.8]})
    >>> precision_recall_table(frame)["precision"].tolist()
    [1.0, 0.5]
    """
    parts = []
    for repeat, (scores, labels) in enumerate(by_repeat(predictions)):
        curve = precision_recall_curve(scores, labels)
        columns = {
            "repeat": repeat,
            "threshold": curve.thresholds,
            "recall": curve.recall,
            "precision": curve.precision,
            "prevalence": labels.mean(),
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def average_precision_metric(predictions: pd.DataFrame, *, split: str) -> Metric:
    r"""Average precision with its interval and the level of chance.

    Chance is what a random order of n patients with P positives gives on average,
    :math:`(H_n + (P - 1)(n - H_n) / (n - 1)) / n` with the harmonic number :math:`H_n`: a little
    above the prevalence. The interval is that of Boyd and others on the logit scale, with
    variance :math:`1 / (P \theta (1 - \theta))` there; repeats are averaged.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, label, score``.
    split
        Where it was measured.

    Raises
    ------
    OutcomeError
        A repeat has one class only.

    References
    ----------
    Boyd, Eng & Page 2013, doi:10.1007/978-3-642-40994-3_29.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcd"), "repeat": 0})
    >>> frame = frame.assign(label=[0, 0, 1, 1], score=[0.1, 0.4, 0.35, 0.8])
    >>> found = average_precision_metric(frame, split="apparent")
    >>> found.value, found.chance
    (0.833, 0.681)
    """
    repeats = list(by_repeat(predictions))
    labels = repeats[0][1]
    n, positives = len(labels), int(labels.sum())
    estimates = []
    for scores, classes in repeats:
        value = average_precision(scores, classes)
        variance = value * (1 - value) / positives
        estimates.append(Estimate(value, variance, value, value))
    mean = mean_over_repeats(estimates)
    harmonic = float((1 / np.arange(1, n + 1)).sum())
    chance = (harmonic + (positives - 1) * (n - harmonic) / (n - 1)) / n
    return Metric(
        name="average_precision",
        value=mean.value,
        low=mean.low,
        high=mean.high,
        chance=chance,
        n=labelled_patients(predictions),
        split=split,
        events=positives,
    )
