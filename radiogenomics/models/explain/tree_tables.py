"""Read the trees of a fitted ensemble into plain tables whose leaves hold one number each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from radiogenomics.core.errors import DataError
from radiogenomics.models.explain.opened_model import is_boosted_by_xgboost
from radiogenomics.models.learners.stumps import BoostedStumps, Stump
from radiogenomics.models.survival.boosting import BoostedCox
from radiogenomics.models.survival.forest import SurvivalForest
from radiogenomics.stats.inputs import Floats

Ints = NDArray[np.intp]

LEAF = -1
AVERAGES = (
    RandomForestClassifier,
    ExtraTreesClassifier,
    RandomForestRegressor,
    ExtraTreesRegressor,
)
# XGBoost adds up in single precision.
_ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class TreeTable:
    """One binary tree; the root is node 0.

    Parameters
    ----------
    left, right
        Children of each node, or -1 at a leaf.
    feature
        Column that an inner node asks for.
    threshold
        Values up to it go left.
    value
        What a leaf adds to the score; not read at inner nodes.
    cover
        Weight of the training patients at each node; None where the model does not keep it.
    """

    left: Ints
    right: Ints
    feature: Ints
    threshold: Floats
    value: Floats
    cover: Floats | None

    def predict(self, values: NDArray[Any]) -> Floats:
        """What the leaf reached adds to the score, shape (n,)."""
        node = np.zeros(len(values), dtype=np.intp)
        while (inner := self.left[node] != LEAF).any():
            here = node[inner]
            goes_left = values[inner, self.feature[here]] <= self.threshold[here]
            node[inner] = np.where(goes_left, self.left[here], self.right[here])
        return self.value[node]


@dataclass(frozen=True, eq=False)
class TreeEnsemble:
    """Trees whose leaves add up to the score of a model.

    Parameters
    ----------
    trees
        With the weight of each tree in its leaves.
    offset
        What the score is without any tree.
    precision
        Type the model rounds features to before it compares them.
    """

    trees: tuple[TreeTable, ...]
    offset: float
    precision: type[np.floating[Any]]

    def rounded(self, values: Floats) -> NDArray[Any]:
        """Features as the trees compare them."""
        return values.astype(self.precision)

    def predict(self, values: Floats) -> Floats:
        """Score, shape (n,)."""
        rows = self.rounded(values)
        return self.offset + np.sum([tree.predict(rows) for tree in self.trees], axis=0)


def read_trees(
    learner: Any, score: Callable[[Floats], Floats], probes: Floats
) -> TreeEnsemble | None:
    """Trees of a fitted ensemble, or None when the learner is not one that can be read.

    Read are scikit-learn's trees, forests and gradient boosting, XGBoost's tree boosters, boosted
    stumps, and the survival trees, forests and gradient boosting of scikit-survival. A survival
    forest's risk is the sum of the cumulative hazard over the event times, averaged over trees:
    linear in the curves its leaves hold, so each leaf can be given its own sum.

    Parameters
    ----------
    learner
        Fitted.
    score
        Features (n, p) → score (n,); the trees are held against it.
    probes
        Rows for that, shape (k, p), at least one.

    Raises
    ------
    DataError
        The trees and the score differ by more than a constant, as when boosting starts from
        another model.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> model = DecisionTreeRegressor(max_depth=1).fit([[0.0], [1.0]], [3.0, 5.0])
    >>> read_trees(model, model.predict, np.zeros((1, 1))).predict(np.array([[0.0], [1.0]]))
    array([3., 5.])
    """
    trees = _trees_of(learner)
    if trees is None:
        return None
    precision = np.float64 if isinstance(learner, BoostedStumps) else np.float32
    found = score(probes)
    rest = found - TreeEnsemble(trees, 0.0, precision).predict(probes)
    if np.ptp(rest) > _ROUNDING * max(1.0, float(np.abs(found).max())):
        raise DataError(
            f"expected trees that make up the score but for a constant; found {type(learner)} "
            "whose trees leave a rest that differs between patients. Use method='kernel'."
        )
    return TreeEnsemble(trees, float(np.median(rest)), precision)


def _trees_of(learner: Any) -> tuple[TreeTable, ...] | None:
    learner = _inside(learner)
    if isinstance(learner, DecisionTreeClassifier | DecisionTreeRegressor):
        return (_sklearn_tree(learner, 1.0),)
    if isinstance(learner, AVERAGES):
        members = learner.estimators_
        return tuple(_sklearn_tree(member, 1 / len(members)) for member in members)
    if isinstance(learner, GradientBoostingClassifier | GradientBoostingRegressor):
        return tuple(_sklearn_tree(member, learner.learning_rate) for (member,) in _stages(learner))
    if isinstance(learner, BoostedStumps):
        shares = learner.stump_weights_ / max(learner.stump_weights_.sum(), 1e-300)
        return tuple(map(_stump, learner.stumps_, shares)) or (_constant(),)
    if is_boosted_by_xgboost(learner):
        return _xgboost_trees(learner)
    return _survival_trees(learner) if type(learner).__module__.startswith("sksurv.") else None


def _inside(learner: Any) -> Any:
    if isinstance(learner, SurvivalForest):
        return learner.forest_
    return learner.boosting_ if isinstance(learner, BoostedCox) else learner


def _survival_trees(learner: Any) -> tuple[TreeTable, ...] | None:
    kind = type(learner).__name__
    if kind in ("SurvivalTree", "ExtraSurvivalTree"):
        return (_hazard_tree(learner, 1.0),)
    if kind in ("RandomSurvivalForest", "ExtraSurvivalTrees"):
        members = learner.estimators_
        return tuple(_hazard_tree(member, 1 / len(members)) for member in members)
    if kind == "GradientBoostingSurvivalAnalysis" and not learner.dropout_rate:
        return tuple(_sklearn_tree(member, learner.learning_rate) for (member,) in _stages(learner))
    return None


def _stages(learner: Any) -> Any:
    """Trees of each stage: one, as there are two classes or a number."""
    return learner.estimators_


def _sklearn_tree(member: Any, weight: float) -> TreeTable:
    """Share of the second class, or the mean, in each leaf."""
    value = member.tree_.value[:, 0, :]
    if value.shape[1] == 1:
        return _table(member.tree_, weight * value[:, 0])
    return _table(member.tree_, weight * value[:, 1] / value.sum(axis=1))


def _hazard_tree(member: Any, weight: float) -> TreeTable:
    """Sum of the cumulative hazard over the event times in each leaf."""
    value = member.tree_.value
    if member.low_memory:
        return _table(member.tree_, weight * value[:, 0, 0])
    return _table(member.tree_, weight * value[:, member.is_event_time_, 0].sum(axis=1))


def _table(tree: Any, value: Floats) -> TreeTable:
    return TreeTable(
        left=tree.children_left,
        right=tree.children_right,
        feature=tree.feature,
        threshold=tree.threshold,
        value=value,
        cover=tree.weighted_n_node_samples,
    )


def _stump(stump: Stump, weight: float) -> TreeTable:
    return TreeTable(
        left=np.array([1, LEAF, LEAF]),
        right=np.array([2, LEAF, LEAF]),
        feature=np.array([stump.feature, LEAF, LEAF]),
        threshold=np.array([stump.threshold, 0.0, 0.0]),
        value=weight * np.array([0.0, stump.left, stump.right]),
        cover=None,
    )


def _constant() -> TreeTable:
    leaf = np.array([LEAF])
    return TreeTable(leaf, leaf, leaf, np.zeros(1), np.zeros(1), None)


def _xgboost_trees(learner: Any) -> tuple[TreeTable, ...] | None:
    booster = learner.get_booster()
    content = json.loads(bytes(booster.save_raw("json")))
    gradient = content["learner"]["gradient_booster"]
    if gradient["name"] != "gbtree":
        return None
    last = getattr(learner, "best_iteration", None) if learner.early_stopping_rounds else None
    trees = gradient["model"]["trees"][: None if last is None else last + 1]
    return tuple(map(_xgboost_tree, trees))


def _xgboost_tree(tree: dict[str, Any]) -> TreeTable:
    """Values below the threshold go left there, and it holds the value of a leaf."""
    left = np.asarray(tree["left_children"], dtype=np.intp)
    condition = np.asarray(tree["split_conditions"], dtype=np.float32)
    return TreeTable(
        left=left,
        right=np.asarray(tree["right_children"], dtype=np.intp),
        feature=np.asarray(tree["split_indices"], dtype=np.intp),
        threshold=np.nextafter(condition, np.float32(-np.inf)).astype(float),
        value=condition.astype(float),
        cover=np.asarray(tree["sum_hessian"], dtype=float),
    )
