"""The budget is what the rule says, and goes to the features that rank best."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, SchemaError
from radiogenomics.models.feature_budget import FeatureBudget, one_in_ten
from radiogenomics.models.surrogate import surrogate


@parametrize_with_checks(
    [FeatureBudget(target="score"), FeatureBudget(2, target="score"), FeatureBudget()]
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    ("positives", "target", "expected"),
    [(40, "label", 4), (9, "label", 1), (75, "label", 2), (50, "score", 10)],
)
def test_the_rule_counts_the_rarer_class_or_everybody(rng, positives, target, expected):
    y = rng.permutation(100) < positives
    label = np.where(y, "high", "low") if target == "label" else rng.normal(size=100)
    fitted = FeatureBudget(target=target).fit(rng.normal(size=(100, 30)), label)
    assert fitted.max_features_ == fitted.support_.sum() == expected


def test_at_least_one_and_no_more_than_there_are(rng):
    assert [one_in_ten(n) for n in (0, 9, 10, 19, 20, 105)] == [1, 1, 1, 1, 2, 10]
    X, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    assert FeatureBudget(7).fit(X, y).support_.all()


def test_order_is_that_of_spearman_and_of_the_auc(rng):
    X, y = rng.normal(size=(60, 25)), np.arange(60) % 3 == 0
    X[:, 7] = 2.0
    X[:, 8] = np.round(X[:, 8])
    score = rng.normal(size=60) + X[:, 3]
    fitted = FeatureBudget(5, target="score").fit(X, score)
    expected = [
        0.0 if j == 7 else abs(spearmanr(column, score).statistic) for j, column in enumerate(X.T)
    ]
    np.testing.assert_allclose(fitted.scores_, expected, rtol=1e-12, atol=1e-15)
    assert set(np.flatnonzero(fitted.support_)) == set(np.argsort(expected)[-5:])
    smooth = np.delete(X, [7, 8], axis=1)
    away = [abs(roc_auc_score(y, column) - 0.5) for column in smooth.T]
    by_label = FeatureBudget(6).fit(smooth, y)
    assert set(np.flatnonzero(by_label.support_)) == set(np.argsort(away)[-6:])


def test_names_go_through(rng):
    X = pd.DataFrame(rng.normal(size=(40, 4)), columns=list("abcd"))
    y = (X["c"] > 0).to_numpy()
    assert FeatureBudget().fit(X, y).get_feature_names_out().tolist()[0] == "c"


@pytest.mark.parametrize("budget", [0, -1, 2.5, "ten"])
def test_a_budget_that_is_none_is_refused(rng, budget):
    with pytest.raises(DataError, match="max_features: expected a whole number"):
        FeatureBudget(budget).fit(rng.normal(size=(20, 3)), np.arange(20) % 2)


def test_bad_input_says_what_is_wrong(rng):
    X = pd.DataFrame(rng.normal(size=(20, 3)), columns=["a", "b", "@site"])
    y = pd.Series(np.arange(20) % 2)
    with pytest.raises(SchemaError, match="@site"):
        FeatureBudget().fit(X, y)
    features = X[["a", "b"]]
    with pytest.raises(AlignmentError):
        FeatureBudget().fit(features, y.iloc[::-1])
    for label in (np.zeros(20), np.arange(20) % 3):
        with pytest.raises(OutcomeError, match="two classes"):
            FeatureBudget().fit(features, label)
    with pytest.raises(DataError, match="without gaps; found 2 NaN. Impute missing values"):
        FeatureBudget().fit(features.mask(np.arange(40).reshape(20, 2) < 2), y)
    with pytest.raises(KeyError, match="kind of target 'scores'"):
        FeatureBudget(target="scores").fit(features, y)


def test_a_surrogate_with_a_budget_sees_no_more_features(rng):
    X, y = rng.normal(size=(80, 40)), np.arange(80) % 4 == 0
    X[:, 11] += 2 * y
    by_rule = surrogate([], "lr", max_features="one_in_ten", n_splits=3).fit(X, y)
    assert [name for name, _ in by_rule.pipeline_.steps] == ["budget", "lr"]
    assert len(by_rule.selected_features_) == 2
    assert "x11" in by_rule.selected_features_
    assert len(surrogate([], "lr", max_features=5).fit(X, y).selected_features_) == 5
    assert len(surrogate([], "lr").fit(X, y).selected_features_) == 40
