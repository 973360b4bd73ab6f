"""The learners of our own: boosted stumps, the small network and the stack."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.special import logit
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.models import learner
from radiogenomics.models.blend import fit_blend
from radiogenomics.models.learners.network import SmallNetwork
from radiogenomics.models.learners.stack import LearnerStack
from radiogenomics.models.learners.stumps import BoostedStumps
from radiogenomics.models.platt import fit_platt


@parametrize_with_checks([BoostedStumps(), SmallNetwork(), LearnerStack(n_splits=2)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.mark.parametrize("learning_rate", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_stumps_agree_with_scikit_learn(seed, learning_rate):
    """Scores there run from -2 to 2. Odd numbers of patients keep two cuts from being equal."""
    rng = np.random.default_rng([31, seed])
    X = rng.normal(size=(83, 5)).astype(np.float32).astype(float)  # trees there read float32
    y = (X[:, 0] + X[:, 1] + rng.normal(size=83) > 0.4).astype(int)
    ours = BoostedStumps(learning_rate=learning_rate, n_estimators=30).fit(X, y)
    theirs = AdaBoostClassifier(learning_rate=learning_rate, n_estimators=30, random_state=0)
    theirs.fit(X, y)
    assert len(ours.stumps_) == len(theirs.estimators_) == 30
    np.testing.assert_allclose(ours.stump_weights_, theirs.estimator_weights_, rtol=1e-9)
    new = rng.normal(size=(200, 5)).astype(np.float32)
    np.testing.assert_allclose(
        2 * ours.decision_function(new), theirs.decision_function(new), atol=1e-9
    )


def test_stumps_by_hand():
    """Six patients, one feature, + + - - + +: three stumps call all of them right."""
    X, y = np.arange(6.0)[:, None], np.array([1, 1, 0, 0, 1, 1])
    model = BoostedStumps(n_estimators=1).fit(X, y)
    assert model.stumps_[0].threshold == 1.5  # purest: ++ | --++, and the earlier of two alike
    assert model.stumps_[0].error == pytest.approx(1 / 3)
    assert model.stump_weights_[0] == pytest.approx(np.log(2))
    assert BoostedStumps(n_estimators=20).fit(X, y).predict(X).tolist() == y.tolist()


def test_a_stump_that_is_always_right_ends_the_boosting(rng):
    X = rng.normal(size=(30, 3))
    model = BoostedStumps().fit(X, X[:, 2] > 0.1)
    assert [stump.feature for stump in model.stumps_] == [2]
    assert set(model.decision_function(X)) == {-1.0, 1.0}


def test_nothing_to_cut_scores_zero():
    model = BoostedStumps().fit(np.ones((10, 2)), np.arange(10) % 2)
    assert model.stumps_ == []
    assert model.decision_function(np.ones((3, 2))).tolist() == [0.0] * 3


def test_network_scores_are_the_log_odds_of_its_probabilities(rng):
    X = rng.normal(3, 5, size=(60, 4))
    y = (X[:, 0] > 3).astype(int)
    model = SmallNetwork(alpha=1.0, random_state=5).fit(X, y)
    theirs = model.network_.predict_proba(model.scaler_.transform(X))[:, 1]
    np.testing.assert_allclose(model.decision_function(X), logit(theirs), rtol=1e-7, atol=1e-9)


def test_network_standardises_by_itself_and_keeps_quiet(rng):
    X = rng.normal(size=(60, 3))
    y = X[:, 0] + rng.normal(size=60) > 0
    moved = X * [1, 1e4, 1e-4] + [0, 1e6, 3]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plain, far = (SmallNetwork(steps=5).fit(values, y) for values in (X, moved))
    np.testing.assert_allclose(far.decision_function(moved), plain.decision_function(X), rtol=1e-5)
    assert plain.n_iter_ == 5


def test_bagged_trees_are_bagged_trees(rng):
    """As scikit-learn's bagging of the same trees, but for the draws of patients."""
    X, new = rng.normal(size=(150, 4)), rng.normal(size=(300, 4))
    y = (X[:, 0] * X[:, 1] + 0.5 * rng.normal(size=150) > 0).astype(int)
    forest = learner("bagging").estimator.set_params(n_estimators=250, min_samples_leaf=5)
    tree = DecisionTreeClassifier(min_samples_leaf=5)
    bag = BaggingClassifier(tree, n_estimators=250, random_state=1)
    ours, theirs = (model.fit(X, y).predict_proba(new)[:, 1] for model in (forest, bag))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.98
    assert np.abs(ours - theirs).mean() < 0.04  # the standard error of 250 draws is at most 0.03


def test_stack_agrees_with_its_parts_by_hand(rng):
    X = rng.normal(size=(90, 4))
    y = (X[:, 0] + rng.normal(size=90) > 0.3).astype(int)
    members = [("lr", LogisticRegression(C=0.1)), ("nb", GaussianNB())]
    stack = LearnerStack(members, C=0.5, n_splits=4, random_state=7).fit(X, y)
    folds = StratifiedKFold(4, shuffle=True, random_state=7)
    raw = [
        cross_val_predict(members[0][1], X, y, cv=folds, method="decision_function"),
        cross_val_predict(members[1][1], X, y, cv=folds, method="predict_proba")[:, 1] - 0.5,
    ]
    platt = [fit_platt(scores, y == 1) for scores in raw]
    columns = np.column_stack([p.log_odds(s) for p, s in zip(platt, raw, strict=True)])
    blend = fit_blend(columns, y == 1, C=0.5)
    np.testing.assert_allclose(stack.blend_.weights, blend.weights, rtol=1e-9)
    fitted = [model.fit(X, y) for _, model in members]
    final = [
        platt[0].log_odds(fitted[0].decision_function(X)),
        platt[1].log_odds(fitted[1].predict_proba(X)[:, 1] - 0.5),
    ]
    np.testing.assert_allclose(
        stack.decision_function(X), blend.log_odds(np.column_stack(final)), rtol=1e-9
    )


def test_a_member_that_remembers_patients_earns_no_trust():
    """One neighbour is always right about its own patients; out of fold it knows nothing."""
    y = np.arange(100) % 2
    members = [("memory", KNeighborsClassifier(1)), ("lr", LogisticRegression())]
    trust, cheated = [], []
    for seed in range(6):
        rng = np.random.default_rng([17, seed])
        X, new = rng.normal(size=(100, 30)), rng.normal(size=(50, 30))
        stack = LearnerStack(members).fit(X, y)
        trust.append(np.abs(stack.decision_function(new)).mean())
        fitted = stack.members_[0][1]
        blend = fit_blend(fitted.predict_proba(X)[:, 1:] - 0.5, y == 1)
        cheated.append(np.abs(blend.log_odds(fitted.predict_proba(new)[:, 1:] - 0.5)).mean())
    assert np.mean(trust) < 0.3
    assert np.mean(cheated) > 1  # what fitting on top of training scores would say of noise


def test_senseless_settings_and_labels_are_refused(rng):
    X, y = rng.normal(size=(20, 2)), np.arange(20) % 2
    with pytest.raises(DataError, match="learning_rate: expected a number above 0; found 0"):
        BoostedStumps(learning_rate=0).fit(X, y)
    with pytest.raises(DataError, match="n_splits: expected at least 2; found 1"):
        LearnerStack(n_splits=1).fit(X, y)
    with pytest.raises(DataError, match="members: expected at least one"):
        LearnerStack([]).fit(X, y)
    with pytest.raises(OutcomeError, match="the smallest of 1"):
        LearnerStack().fit(X, np.arange(20) == 3)
    for model in (BoostedStumps(), SmallNetwork(), LearnerStack()):
        with pytest.raises(OutcomeError, match="found 3"):
            model.fit(X, np.arange(20) % 3)
        with pytest.raises(OutcomeError, match="found 1"):
            model.fit(X, np.zeros(20))
