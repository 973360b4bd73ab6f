"""The surrogate of a score: tuned by patients, within its budget, honest on noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.method import Method
from radiogenomics.models.feature_budget import FeatureBudget
from radiogenomics.models.score_surrogate import ScoreSurrogate, score_learner_names

ALPHAS = (1000.0, 100.0, 10.0, 1.0, 0.1)


@parametrize_with_checks([ScoreSurrogate(), ScoreSurrogate("svr", 3, n_splits=3)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def cohort(rng) -> tuple[pd.DataFrame, pd.Series]:
    """90 patients; the score, in units of its own, rests on two of 40 features."""
    rows = [f"P{i}" for i in range(90)]
    X = pd.DataFrame(rng.normal(size=(90, 40)), index=rows, columns=[f"f{i}" for i in range(40)])
    score = 50 + 8 * (X["f3"] - X["f20"] + 0.7 * rng.normal(size=90))
    return X, score


class Dealt:
    """The inner folds, as a splitter of scikit-learn's."""

    def __init__(self, fold):
        self.fold = fold

    def split(self, X, y=None, groups=None):
        for number in np.unique(self.fold):
            yield np.flatnonzero(self.fold != number), np.flatnonzero(self.fold == number)

    def get_n_splits(self, X=None, y=None, groups=None):
        return len(np.unique(self.fold))


def test_agrees_with_scikit_learn_by_hand(cohort):
    """Standardise, keep, learn in each inner fold; predictions against training means."""
    X, y = cohort
    model = ScoreSurrogate(max_features=6, random_state=4).fit(X, y)
    order = np.random.RandomState(4).permutation(90)
    fold = np.empty(90, dtype=int)
    fold[order] = np.arange(90) % 5
    means = np.array([y.to_numpy()[fold != number].mean() for number in fold])
    expected = []
    for alpha in ALPHAS:
        steps = make_pipeline(
            StandardScaler(), FeatureBudget(6, target="score"), Ridge(alpha=alpha)
        )
        found = cross_val_predict(steps, X, y, cv=Dealt(fold))
        expected.append(1 - np.sum((y - found) ** 2) / np.sum((y - means) ** 2))
    np.testing.assert_allclose(model.grid_r2_, expected, rtol=1e-9)
    best = ALPHAS[int(np.argmax(expected))]
    assert model.best_params_ == {"alpha": best}
    assert model.inner_r2_ == pytest.approx(max(expected))
    steps = make_pipeline(StandardScaler(), FeatureBudget(6, target="score"), Ridge(alpha=best))
    np.testing.assert_allclose(model.predict(X), steps.fit(X, y).predict(X), rtol=1e-10)
    assert {"f3", "f20"} <= set(model.selected_features_)


def test_support_vectors_learn_the_standardised_score(cohort):
    X, y = cohort
    model = ScoreSurrogate("svr", 6).fit(X, y)
    assert model.best_params_["C"] in (0.01, 0.1, 1.0, 10.0)
    by_hand = make_pipeline(
        StandardScaler(), FeatureBudget(6, target="score"), SVR(**model.best_params_)
    ).fit(X, (y - y.mean()) / y.std(ddof=0))
    np.testing.assert_allclose(
        model.predict(X), by_hand.predict(X) * y.std(ddof=0) + y.mean(), rtol=1e-9
    )
    far = ScoreSurrogate("svr", 6).fit(X, 1e4 * y - 3)
    np.testing.assert_allclose(far.predict(X), 1e4 * model.predict(X) - 3, rtol=1e-6)


@pytest.mark.parametrize("learner", score_learner_names())
def test_out_of_fold_predictions_find_what_is_there(cohort, learner):
    """Two features of equal weight and noise of 0.7: at best R2 is 2 / 2.49."""
    X, y = cohort
    found = cross_val_predict(ScoreSurrogate(learner), X, y, cv=KFold(5, shuffle=True))
    assert 0.4 < r2_score(y, found) < 0.9
    assert spearmanr(y, found).statistic > 0.65


@pytest.mark.parametrize(("n", "expected"), [(90, 9), (47, 4), (12, 1)])
def test_budget_by_the_rule_is_one_for_ten_patients(cohort, n, expected):
    X, y = cohort
    model = ScoreSurrogate().fit(X[:n], y[:n])
    assert model.max_features_ == len(model.selected_features_) == expected


class Recorder(TransformerMixin, BaseEstimator):
    """Writes down which patients it was fitted on (the first column numbers them)."""

    seen: list = []

    def fit(self, X, y=None):
        self.seen.append(set(np.asarray(X)[:, 0].astype(int)))
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return np.asarray(X)[:, 1:]


def test_rows_of_a_patient_stay_together_and_count_once(rng):
    Recorder.seen.clear()
    patient = rng.permutation(np.repeat(np.arange(30), 3))
    X = pd.DataFrame(np.column_stack([patient, rng.normal(size=(90, 12))]))
    X.index = [f"P{i}" for i in patient]
    model = ScoreSurrogate(steps=[("record", Recorder())]).fit(X, rng.normal(size=90) + X[3])
    assert model.n_patients_ == 30
    assert model.max_features_ == 3
    *inner, whole = Recorder.seen
    assert [len(part) for part in inner] == [24] * 5
    assert set.union(*(whole - part for part in inner)) == set(range(30))
    bare = ScoreSurrogate(steps=[("record", Recorder())]).fit(X.to_numpy(), rng.normal(size=90))
    assert bare.n_patients_ == 90


class CentreBySite(TransformerMixin, BaseEstimator):
    """Take each site's training mean away."""

    row_facts = ("@site",)

    def fit(self, X, y=None):
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.means_ = X.drop(columns="@site").groupby(X["@site"].to_numpy()).mean()
        return self

    def transform(self, X):
        return X.drop(columns="@site") - self.means_.loc[X["@site"]].to_numpy()

    def get_feature_names_out(self, input_features=None):
        return np.array([name for name in input_features if name != "@site"], dtype=object)


def test_row_facts_reach_the_step_that_uses_them(cohort):
    X, y = cohort
    site = np.where(np.arange(90) < 45, "north", "south")
    shifted = X.add(np.where(site == "south", 20.0, 0.0), axis=0).assign(**{"@site": site})
    steps = [("fill", SimpleImputer()), ("batch", Pipeline([("centre", CentreBySite())]))]
    model = ScoreSurrogate(steps=steps).fit(shifted, y)
    assert model.inner_r2_ > 0.4
    assert model.predict(shifted.iloc[:3]).shape == (3,)
    assert not model.pipeline_[-1].n_features_in_ > 9
    with pytest.raises(SchemaError, match="@site"):
        ScoreSurrogate().fit(shifted, y)
    with pytest.raises(SchemaError, match="@site"):
        model.predict(X)


def test_missing_values_need_a_step(cohort):
    X, y = cohort
    gappy = X.mask(np.random.default_rng(0).random(X.shape) < 0.05)
    with pytest.raises(DataError, match="Impute missing values"):
        ScoreSurrogate().fit(gappy, y)
    model = ScoreSurrogate(steps=[("fill", SimpleImputer())]).fit(gappy, y)
    assert np.isfinite(model.predict(gappy)).all()


def test_bad_input_says_what_is_wrong(cohort):
    X, y = cohort
    with pytest.raises(UnknownNameError, match="did you mean 'ridge'"):
        ScoreSurrogate("rigde").fit(X, y)
    with pytest.raises(DataError, match="max_features"):
        ScoreSurrogate(max_features=0).fit(X, y)
    with pytest.raises(DataError, match="n_splits: expected at least 2"):
        ScoreSurrogate(n_splits=1).fit(X, y)
    with pytest.raises(OutcomeError, match="score that varies; found 3 for all 90"):
        ScoreSurrogate().fit(X, np.full(90, 3.0))
    with pytest.raises(DataError, match="at least 4 patients.*n_samples = 3 of 3"):
        ScoreSurrogate().fit(X[:3], y[:3])
    with pytest.raises(ValueError, match="NaN"):
        ScoreSurrogate().fit(X, y.where(y > 45))
    with pytest.raises(ValueError, match="inconsistent"):
        ScoreSurrogate().fit(X, y[:80].to_numpy())
    with pytest.raises(AlignmentError, match="Do: y.loc"):
        ScoreSurrogate().fit(X, y.iloc[::-1])
    with pytest.raises(AlignmentError, match="Do: y.loc"):
        ScoreSurrogate().fit(X, y).score(X, y.iloc[::-1])


def test_constant_features_foretell_the_mean(rng):
    y = rng.normal(10, 2, size=40)
    model = ScoreSurrogate().fit(np.ones((40, 3)), y)
    np.testing.assert_allclose(model.predict(np.ones((2, 3))), y.mean(), rtol=1e-9)
    assert model.inner_r2_ == pytest.approx(0, abs=1e-12)
    assert model.best_params_ == {"alpha": 1000.0}


def test_seed_clone_and_card(cohort):
    X, y = cohort
    model = ScoreSurrogate(random_state=1)
    first, again = clone(model).fit(X, y), clone(model).fit(X, y)
    assert np.array_equal(first.predict(X), again.predict(X))
    other = ScoreSurrogate(random_state=2).fit(X, y)
    assert not np.array_equal(first.grid_r2_, other.grid_r2_)
    assert isinstance(ScoreSurrogate.card, Method) and ScoreSurrogate.card.learns
    assert not first.needs_names
