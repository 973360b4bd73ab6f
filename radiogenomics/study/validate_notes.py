"""What a validation says beside its numbers: what was not tested, and what is not informative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import (
    LockedModel,
    auc_metric,
    auc_within_folds,
    concordance_metric,
)
from radiogenomics.study.plan import ValidationPlan

FEWEST_PERMUTATIONS = 19
CHANCE = 0.5

Notes = tuple[tuple[str, str], ...]


def few_permutations(plan: ValidationPlan) -> Notes:
    """Say that so few permutations cannot find anything; nothing where there are enough."""
    if plan.permutations >= FEWEST_PERMUTATIONS:
        return ()
    text = (
        f"permutations: with {plan.permutations} the p of the cross-validation cannot be below "
        f"{1 / (plan.permutations + 1):.2g}, so nothing can be found; take at least "
        f"{FEWEST_PERMUTATIONS}."
    )
    return (("warning", text),)


def null_table(
    null: NDArray[np.float64] | None, split: str, *, metric: str = "auc"
) -> dict[str, pd.DataFrame]:
    """The table ``null`` of one split; none where nothing was permuted."""
    if null is None:
        return {}
    return {"null": pd.DataFrame({"metric": metric, "split": split, "value": null})}


def not_permuted(null: NDArray[np.float64] | None, split: str) -> Notes:
    """Say why one split was not tested; nothing where it was."""
    if null is not None:
        return ()
    text = (
        f"{split}: not tested against chance: no site has patients of both classes, so labels "
        "cannot change places within sites, and a learner may only have told the sites apart."
    )
    return (("warning", text),)


def uninformative(evidences: Sequence[Evidence]) -> Notes:
    """Name the learners whose locked model its inner folds ranked no better than chance."""
    names = [e.name for e in evidences if not _informative(e.model)]
    if not names:
        return ()
    text = (
        f"{', '.join(names)}: the inner folds of the locked model ranked no better than chance: it "
        "gives everybody nearly the prevalence. Its order of other patients is still judged."
    )
    return (("warning", text),)


def leaning(
    evidences: Sequence[Evidence], split: str, *, outcome: SurvivalOutcome | None = None
) -> Notes:
    """Name the models that are below chance only because predictions of all folds are pooled.

    By AUC or, of risks, by Harrell's C against an outcome.
    """
    found = {}
    for evidence in evidences:
        pooled, within = _pooled_and_within(evidence.predictions, split, outcome)
        if pooled.high < CHANCE <= within.high:
            found[evidence.name] = (
                f"{evidence.name} {pooled.value:.3f}, within folds {within.value:.3f} "
                f"({within.low:.3f}–{within.high:.3f})"
            )
    if not found:
        return ()
    number = "an AUC" if outcome is None else "a C-index"
    text = (
        f"{split}: {number} below {CHANCE:g} whose interval leaves chance out is no finding here: "
        "scores hardly differ within a fold, and a fold rich in one class, or in events, leaves a "
        f"training part poor in it behind. {'; '.join(found.values())}. Read the permutation p, "
        "and no test between these models."
    )
    return (("warning", text),)


def _pooled_and_within(
    predictions: pd.DataFrame, split: str, outcome: SurvivalOutcome | None
) -> tuple[Metric, Metric]:
    """The headline number of one repeat with itself, and with patients of the same fold only."""
    pooled: Metric
    if outcome is None:
        pooled = auc_metric(predictions, split=split)
        value, low, high = (float(bound[0]) for bound in auc_within_folds(predictions))
        return pooled, replace(pooled, value=value, low=low, high=high)
    first = predictions[predictions["repeat"] == predictions["repeat"].iloc[0]]
    pooled = concordance_metric(first, outcome, split=split)
    folds = first.set_index("patient_id")["fold"]
    return pooled, concordance_metric(first, outcome, split=split, strata=folds)


def _informative(model: object) -> bool:
    estimator = model.estimator if isinstance(model, LockedModel) else None
    calibration = getattr(estimator, "calibration_", None)
    return bool(getattr(calibration, "informative", True))
