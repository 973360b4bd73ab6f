"""What a validation says beside its numbers: what was not tested, and what is not informative."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.evidence import Evidence
from radiogenomics.evaluation import LockedModel, auc_metric, auc_within_folds
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


def leaning(evidences: Sequence[Evidence], split: str) -> Notes:
    """Name the models that are below chance only because predictions of all folds are pooled."""
    found = {}
    for evidence in evidences:
        pooled = auc_metric(evidence.predictions, split=split)
        within = auc_within_folds(evidence.predictions)
        if pooled.high < CHANCE <= within.high[0]:
            found[evidence.name] = (
                f"{evidence.name} {pooled.value:.3f}, within folds {within.value[0]:.3f} "
                f"({within.low[0]:.3f}–{within.high[0]:.3f})"
            )
    if not found:
        return ()
    text = (
        f"{split}: an AUC below {CHANCE:g} whose interval leaves chance out is no finding here: "
        "scores hardly differ within a fold, and a fold rich in one class leaves a training part "
        f"poor in it behind. {'; '.join(found.values())}. Read the permutation p, and no test "
        "between these models."
    )
    return (("warning", text),)


def _informative(model: object) -> bool:
    estimator = model.estimator if isinstance(model, LockedModel) else None
    calibration = getattr(estimator, "calibration_", None)
    return bool(getattr(calibration, "informative", True))
