"""Tables of how well one split's predictions do, one learner beside the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.evaluation import (
    auc_metric,
    calibration_metrics,
    calibration_table,
    comparison_table,
    decision_curve_table,
    precision_recall_table,
    roc_table,
)

NO_NULLS: Mapping[str, NDArray[np.float64]] = MappingProxyType({})


def performance_tables(
    predictions: Mapping[str, pd.DataFrame], split: str
) -> dict[str, pd.DataFrame]:
    """Curves of one split, and the first learner held against the others.

    Parameters
    ----------
    predictions
        Learner → its predictions; the headline first.
    split
        Written beside every number.

    Returns
    -------
    dict
        ``roc`` and ``comparisons`` of all, ``precision_recall``, ``calibration`` and
        ``decision_curve`` of the first.
    """
    name, first = next(iter(predictions.items()))
    curves = [roc_table(frame).assign(learner=learner) for learner, frame in predictions.items()]
    return {
        "roc": pd.concat(curves, ignore_index=True).assign(split=split),
        "precision_recall": precision_recall_table(first).assign(split=split, learner=name),
        "calibration": calibration_table(first).assign(split=split),
        "decision_curve": decision_curve_table(first).assign(split=split, learner=name),
        "comparisons": _comparisons(predictions, split),
    }


def _comparisons(predictions: Mapping[str, pd.DataFrame], split: str) -> pd.DataFrame:
    """Hold the first against the others, each among the patients whom that one is known of."""
    name, first = next(iter(predictions.items()))
    whole = {other: frame for other, frame in predictions.items() if len(frame) == len(first)}
    tables = [comparison_table(whole, reference=name, split=split)] if len(whole) > 1 else []
    for other, frame in predictions.items():
        if other not in whole:
            shared = first[first["patient_id"].isin(frame["patient_id"])]
            pair = {name: shared, other: frame}
            tables.append(comparison_table(pair, reference=name, split=split))
    return pd.concat(tables or [comparison_table(whole, reference=name, split=split)])


def learner_table(
    predictions: Mapping[str, pd.DataFrame],
    split: str,
    *,
    uncalibrated: Sequence[str] = (),
    nulls: Mapping[str, NDArray[np.float64]] = NO_NULLS,
) -> pd.DataFrame:
    """AUC with interval and calibration of each learner; the first is the headline.

    The scores of those that are ``uncalibrated`` are no probabilities: they only rank. Learners
    with AUCs under permuted patients among ``nulls`` get a ``p``.
    """
    rows: list[dict[str, Any]] = []
    for learner, frame in predictions.items():
        auc = auc_metric(frame, split=split, null=nulls.get(learner))
        row = {
            "split": split,
            "learner": learner,
            "headline": not rows,
            "auc": auc.value,
            "low": auc.low,
            "high": auc.high,
            "chance": auc.chance,
            "n": auc.n,
            "positives": auc.events,
        }
        if learner in nulls:
            row["p"] = auc.p_permutation
        if learner not in uncalibrated:
            row |= {m.name: m.value for m in calibration_metrics(frame, split=split)}
        rows.append(row)
    return pd.DataFrame(rows)
