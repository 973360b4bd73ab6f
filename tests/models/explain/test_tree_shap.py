from __future__ import annotations

import numpy as np
import pytest
import shap
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from sksurv.ensemble import ExtraSurvivalTrees, GradientBoostingSurvivalAnalysis
from sksurv.ensemble import RandomSurvivalForest as Rsf
from xgboost import XGBClassifier

from radiogenomics.core.errors import DataError
from radiogenomics.models.explain.opened_model import score
from radiogenomics.models.explain.tree_shap import tree_shap
from radiogenomics.models.explain.tree_tables import LEAF, TreeEnsemble, TreeTable, read_trees
from radiogenomics.models.learners.stumps import BoostedStumps
from radiogenomics.models.survival.boosting import BoostedCox
from radiogenomics.models.survival.forest import SurvivalForest

CLASSIFIERS = [
    DecisionTreeClassifier(max_depth=5, random_state=0),
    RandomForestClassifier(12, random_state=0),
    ExtraTreesClassifier(12, random_state=0),
    GradientBoostingClassifier(n_estimators=15, random_state=0),
    GradientBoostingClassifier(n_estimators=15, init="zero", random_state=0),
    XGBClassifier(n_estimators=15, max_depth=3, n_jobs=1),
    RandomForestRegressor(8, random_state=0),
    GradientBoostingRegressor(n_estimators=8, random_state=0),
]
SURVIVAL = [
    SurvivalForest(n_estimators=12, random_state=0),
    Rsf(12, low_memory=True, random_state=0),
    ExtraSurvivalTrees(12, random_state=0),
    BoostedCox(n_estimators=15, random_state=0),
    GradientBoostingSurvivalAnalysis(n_estimators=15, max_depth=2, random_state=0),
]
EVERY = [*CLASSIFIERS, BoostedStumps(), *SURVIVAL]
IDS = [f"{type(learner).__name__}-{i}" for i, learner in enumerate(EVERY)]


def fitted(learner, cohort):
    """Learner, its score, values to explain and background."""
    X, label, y = cohort
    survival = any(type(learner) is type(other) for other in SURVIVAL)
    model = learner.fit(X.to_numpy()[:60], (y if survival else label)[:60])
    values = X.to_numpy()
    return model, (lambda rows: score(model, rows)), values[60:63], values[:25]


@pytest.mark.parametrize("learner", EVERY, ids=IDS)
def test_against_a_background_equals_brute_force(learner, cohort, brute_force):
    model, asked, values, background = fitted(learner, cohort)
    trees = read_trees(model, asked, background)
    found = tree_shap(values, background, trees=trees)
    # The margin of XGBoost is in single precision, the sum of its leaves is not.
    exact = trees.predict if isinstance(model, XGBClassifier) else asked
    brute = brute_force(exact, values, background)
    np.testing.assert_allclose(found.values, brute, rtol=1e-9, atol=1e-11)
    assert found.base == pytest.approx(np.mean(exact(background)), rel=1e-10)
    np.testing.assert_allclose(
        found.base + found.values.sum(axis=1), asked(values), rtol=1e-6, atol=1e-12
    )


@pytest.mark.parametrize("learner", [*CLASSIFIERS, *SURVIVAL], ids=[*IDS[:8], *IDS[9:]])
def test_path_dependent_equals_brute_force(learner, cohort, shapley):
    model, asked, values, _ = fitted(learner, cohort)
    trees = read_trees(model, asked, values)
    found = tree_shap(values, None, trees=trees)
    rows = trees.rounded(values)
    brute = np.array(
        [
            sum(shapley(5, lambda S, x=x, t=tree: walked(t, x, S)) for tree in trees.trees)
            for x in rows
        ]
    )
    np.testing.assert_allclose(found.values, brute, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(
        found.base + found.values.sum(axis=1), asked(values), rtol=1e-6, atol=1e-12
    )


def walked(tree: TreeTable, x: np.ndarray, known: frozenset[int], node: int = 0) -> float:
    """Mean over the training patients who went where the known features lead."""
    if tree.left[node] == LEAF:
        return tree.value[node]
    children = tree.left[node], tree.right[node]
    feature = tree.feature[node]
    if feature in known:
        below = x[feature] <= tree.threshold[node]
        return walked(tree, x, known, children[0 if below else 1])
    return sum(
        tree.cover[child] / tree.cover[node] * walked(tree, x, known, child) for child in children
    )


@pytest.mark.parametrize("learner", CLASSIFIERS[:4], ids=IDS[:4])
@pytest.mark.parametrize("against", [True, False], ids=["background", "path"])
def test_equals_shap_library(learner, against, cohort):
    model, asked, values, background = fitted(learner, cohort)
    masker = shap.maskers.Independent(background, max_samples=len(background))
    theirs = shap.TreeExplainer(model, masker if against else None)
    expected = theirs.shap_values(values, check_additivity=False)
    expected = expected[..., 1] if expected.ndim == 3 else expected
    found = tree_shap(
        values, background if against else None, trees=read_trees(model, asked, background)
    )
    # With a background the library adds up in single precision.
    tolerance = 1e-6 if against else 1e-10
    np.testing.assert_allclose(found.values, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("against", [True, False], ids=["background", "path"])
def test_survival_forest_equals_shap_library_on_scalar_leaves(against, cohort):
    X, _, y = cohort
    values = X.to_numpy()
    model = SurvivalForest(n_estimators=20, random_state=1).fit(values[:60], y[:60])
    tables = [_as_dictionary(member) for member in model.forest_.estimators_]
    ensemble = {"trees": tables, "input_dtype": np.float32, "internal_dtype": np.float64}
    masker = shap.maskers.Independent(values[:60], max_samples=60)
    theirs = shap.TreeExplainer(ensemble, masker if against else None)
    expected = theirs.shap_values(values[60:], check_additivity=False) / len(tables)
    trees = read_trees(model, model.predict, values)
    found = tree_shap(values[60:], values[:60] if against else None, trees=trees)
    np.testing.assert_allclose(found.values, expected, rtol=1e-5, atol=1e-6 if against else 1e-10)
    assert found.base == pytest.approx(np.ravel(theirs.expected_value)[0] / len(tables), rel=1e-10)
    total = found.base + found.values.sum(axis=1)
    np.testing.assert_allclose(total, model.predict(values[60:]), rtol=1e-12)


def _as_dictionary(member):
    tree = member.tree_
    risk = tree.value[:, member.is_event_time_, 0].sum(axis=1)
    return {
        "children_left": tree.children_left,
        "children_right": tree.children_right,
        "children_default": tree.children_left,
        "features": tree.feature,
        "thresholds": tree.threshold,
        "values": risk[:, None],
        "node_sample_weight": tree.weighted_n_node_samples,
    }


@pytest.mark.parametrize("features", [5, 14, 70])
def test_long_paths_add_up(features, rng):
    """One tree that asks each feature in turn: patterns by table, by number and by column."""
    k = features
    left = 1 + 2 * np.arange(k)
    nodes = 2 * k + 1
    tree = TreeTable(
        left=np.full(nodes, LEAF),
        right=np.full(nodes, LEAF),
        feature=np.full(nodes, LEAF),
        threshold=np.zeros(nodes),
        value=rng.normal(size=nodes),
        cover=np.ones(nodes),
    )
    # Node 2i asks feature i: 2i + 1 is a leaf, 2i + 2 the next question.
    asks = 2 * np.arange(k)
    tree.left[asks], tree.right[asks], tree.feature[asks] = left, left + 1, np.arange(k)
    tree.threshold[asks] = -1.5
    tree.cover[::2] = np.arange(k + 1, 0, -1)
    ensemble = TreeEnsemble((tree,), 0.5, np.float64)
    values, background = rng.normal(size=(40, k)), rng.normal(size=(30, k))
    for others in (background, None):
        found = tree_shap(values, others, trees=ensemble)
        total = found.base + found.values.sum(axis=1)
        np.testing.assert_allclose(total, ensemble.predict(values), rtol=1e-9, atol=1e-10)


def test_what_cannot_be_read_is_left_alone(cohort):
    X, label, _ = cohort
    values = X.to_numpy()
    model = KNeighborsClassifier().fit(values, label)
    assert read_trees(model, lambda rows: rows[:, 0], values) is None
    linear = XGBClassifier(booster="gblinear", n_estimators=2).fit(values, label)
    assert read_trees(linear, lambda rows: score(linear, rows), values) is None


def test_boosting_from_another_model_is_refused(cohort):
    X, label, _ = cohort
    values = X.to_numpy()
    model = GradientBoostingClassifier(init=LogisticRegression(), n_estimators=3)
    model.fit(values, label)
    with pytest.raises(DataError, match="differs between patients"):
        read_trees(model, model.decision_function, values)


def test_bad_background_is_refused(cohort):
    X, label, _ = cohort
    values = X.to_numpy()
    model = BoostedStumps().fit(values, label)
    trees = read_trees(model, model.decision_function, values)
    with pytest.raises(DataError, match="Pass a background"):
        tree_shap(values, None, trees=trees)
    with pytest.raises(DataError, match="at least one training patient"):
        tree_shap(values, values[:0], trees=trees)


def test_stumps_that_found_nothing_explain_nothing():
    values = np.ones((6, 2))
    model = BoostedStumps().fit(values, [0, 1, 0, 1, 0, 1])
    trees = read_trees(model, model.decision_function, values)
    found = tree_shap(values, values, trees=trees)
    assert not found.values.any() and found.base == 0
