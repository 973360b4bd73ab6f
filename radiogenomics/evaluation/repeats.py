"""Estimates from repeated cross-validation: one a repeat, averaged, with the interval of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from radiogenomics.core.errors import AlignmentError, OutcomeError, SchemaError, short_list
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.stats.survival.concordance import comparable_pairs

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


def comparable_repeats(
    predictions: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    split: str,
    strata: pd.Series[Any] | None = None,
) -> Iterator[tuple[pd.DataFrame, SurvivalOutcome, NDArray[Any] | None]]:
    """Rows of each repeat, indexed by patient, with their outcome and strata.

    Raises
    ------
    SchemaError
        As in :func:`require_risks`.
    AlignmentError
        A patient has no outcome or no stratum.
    OutcomeError
        No two patients of a repeat can be compared.
    """
    require_risks(predictions)
    for _, part in predictions.groupby("repeat", sort=False):
        rows = part.set_index("patient_id")
        truth = outcome.for_patients(rows.index)
        within = None if strata is None else of_patients(strata, rows.index, what="stratum")
        require_comparable(truth, within, split=split)
        yield rows, truth, within


def require_risks(predictions: pd.DataFrame) -> None:
    """Raise unless there is one risk a patient and repeat.

    Raises
    ------
    SchemaError
        A column is missing, there is no prediction, or a patient is twice in a repeat.
    """
    absent = [column for column in ("patient_id", "repeat", "score") if column not in predictions]
    if absent or predictions.empty:
        raise SchemaError(
            "expected predictions with patient_id, repeat and score; found "
            f"{len(predictions)} rows{' and no ' if absent else ''}{short_list(absent)}. "
            "Use the predictions of cross_validate_survival, or add the columns."
        )
    refuse_twice(predictions)


def require_comparable(
    outcome: SurvivalOutcome, strata: NDArray[Any] | None, *, split: str
) -> None:
    """Raise OutcomeError unless some patient is seen to do worse than another."""
    if not comparable_pairs(outcome.time, outcome.event, strata=strata):
        one = "patients" if strata is None else "patients of one stratum"
        raise OutcomeError(
            f"{split}: expected {one} of whom one is seen to do worse than another; found none. "
            "Use a longer follow-up or more patients."
        )


def of_patients(facts: pd.Series[Any], patient_ids: pd.Index, *, what: str) -> NDArray[Any]:
    """Return what is known of these patients, in their order.

    Raises
    ------
    AlignmentError
        Nothing is known of one, or two things are.
    """
    unknown = patient_ids.difference(facts.index)
    if len(unknown) or facts.index.has_duplicates:
        doubled = facts.index[facts.index.duplicated()]
        raise AlignmentError(
            f"expected one {what} a patient; found {len(unknown)} without "
            f"({short_list(unknown)}) and {len(doubled)} repeated ({short_list(doubled)}). "
            "Index it by patient, once each."
        )
    return facts.loc[patient_ids].to_numpy(dtype=object)


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
