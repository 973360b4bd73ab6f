"""Estimates from repeated cross-validation: one a repeat, averaged, with the interval of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from radiogenomics.core.errors import OutcomeError, SchemaError, short_list

Floats = NDArray[np.float64]

Z95 = float(ndtri(0.975))
# Below this a variance is rounding: everything is separated, or all scores are equal.
NO_VARIANCE = 1e-20


class Estimate(NamedTuple):
    """A share between 0 and 1 with its variance and bounds."""

    value: float
    variance: float
    low: float
    high: float


def mean_over_repeats(estimates: Sequence[Estimate]) -> Estimate:
    """Average shares (AUC, concordance) over repeats of the same patients.

    Repeats average out the luck of the folds, not the choice of patients, so the variance stays
    that of one repeat (their mean); the interval is Wald's on the logit scale. Where that has no
    width, because everything is separated, the bounds are the mean of the estimates' own.

    Examples
    --------
    >>> mean_over_repeats([Estimate(0.7, 0.0025, 0.59, 0.79)]).value
    0.7
    """
    value, variance, low, high = (float(column) for column in np.mean(estimates, axis=0))
    if variance > NO_VARIANCE and 0 < value < 1:
        half = Z95 * np.sqrt(variance) / (value * (1 - value))
        low, high = float(expit(logit(value) - half)), float(expit(logit(value) + half))
    return Estimate(value, variance, low, high)


def by_repeat(predictions: pd.DataFrame) -> Iterator[tuple[Floats, Floats]]:
    """Scores and labels of each repeat; patients without a label are left out.

    Raises
    ------
    SchemaError
        A column is missing, or a patient (where ``patient_id`` is given) is twice in a repeat.
    OutcomeError
        No patient has a label.
    """
    absent = [column for column in ("repeat", "label", "score") if column not in predictions]
    if absent:
        raise SchemaError(
            f"expected predictions with repeat, label and score; found no {short_list(absent)}. "
            "Use the predictions of cross_validate, or add the columns."
        )
    repeat = predictions["repeat"].to_numpy()
    labels = predictions["label"].to_numpy(dtype=float)
    scores = predictions["score"].to_numpy(dtype=float)
    known = ~np.isnan(labels)
    if not known.any():
        raise OutcomeError(
            f"expected labelled patients; found none among {len(predictions)} predictions. "
            "Label them, or hold the scores against survival instead."
        )
    if "patient_id" in predictions:
        refuse_twice(predictions[known])
    for value in pd.unique(repeat[known]):
        rows = known & (repeat == value)
        yield scores[rows], labels[rows]


def refuse_twice(predictions: pd.DataFrame) -> None:
    """Raise unless each patient has one prediction a repeat, since more would narrow intervals.

    Raises
    ------
    SchemaError
        A patient is twice in a repeat.
    """
    twice = predictions["patient_id"][predictions.duplicated(["patient_id", "repeat"])].unique()
    if twice.size:
        raise SchemaError(
            f"expected each patient once a repeat; found {twice.size} patients more than once "
            f"({short_list(twice)}). Number the repeats, or keep one prediction a patient."
        )


def labelled_patients(predictions: pd.DataFrame) -> int:
    """Count the patients with a label."""
    return int(predictions.loc[predictions["label"].notna(), "patient_id"].nunique())
