"""Row facts travel beside the features and reach only the steps that name them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import SchemaError
from radiogenomics.models.tuned import TunedClassifier


class CentreBySite(TransformerMixin, BaseEstimator):
    """Take each site's training mean away: the least that eats a row fact."""

    row_facts = ("@site",)

    def fit(self, X, y=None):
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        features = X.drop(columns="@site")
        self.means_ = features.groupby(X["@site"].to_numpy()).mean()
        return self

    def transform(self, X):
        features = X.drop(columns="@site")
        return features - self.means_.loc[X["@site"]].to_numpy()

    def get_feature_names_out(self, input_features=None):
        return np.array([name for name in input_features if name != "@site"], dtype=object)


@pytest.fixture
def two_sites(rng) -> tuple[pd.DataFrame, np.ndarray]:
    site = np.repeat(["north", "south"], 40)
    y = np.tile([0, 1], 40)
    values = rng.normal(size=(80, 3)) + 1.5 * y[:, None] * [1, 0, 0]
    values[site == "south", 0] += 30
    frame = pd.DataFrame(values, columns=["a", "b", "c"], index=[f"P{i}" for i in range(80)])
    return frame.assign(**{"@site": site}), y


def tuned(*steps: tuple[str, object]) -> TunedClassifier:
    pipeline = Pipeline([*steps, ("lr", LogisticRegression())])
    return TunedClassifier(pipeline, {"C": (1.0,)}, n_splits=3)


def test_the_fact_reaches_its_step_behind_one_that_never_sees_it(two_sites):
    X, y = two_sites
    model = tuned(("standardise", StandardScaler()), ("centre", CentreBySite())).fit(X, y)
    assert model.pipeline_[0].n_features_in_ == 3
    assert list(model.pipeline_[1].feature_names_in_) == ["a", "b", "c", "@site"]
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    assert list(model.selected_features_) == ["a", "b", "c"]
    by_hand = X.drop(columns="@site")
    scaled = pd.DataFrame(StandardScaler().fit_transform(by_hand), index=X.index)
    centred = scaled - scaled.groupby(X["@site"]).transform("mean")
    direct = LogisticRegression().fit(centred.to_numpy(), y)
    assert np.allclose(model.pipeline_[-1].coef_, direct.coef_, rtol=1e-8)
    assert model.predict_proba(X.iloc[:1])[0, 1] == pytest.approx(model.predict_proba(X)[0, 1])


def test_the_site_would_drown_the_signal_without_its_step(two_sites):
    X, y = two_sites
    blind = tuned(("standardise", StandardScaler())).fit(X.drop(columns="@site"), y)
    told = tuned(("centre", CentreBySite())).fit(X, y)
    assert told.inner_auc_ > blind.inner_auc_ + 0.1


def test_a_fact_that_no_step_eats_fails(two_sites):
    X, y = two_sites
    with pytest.raises(SchemaError, match="row fact.*@site"):
        tuned(("standardise", StandardScaler())).fit(X, y)


def test_a_fact_that_a_step_needs_and_is_not_there_fails(two_sites):
    X, y = two_sites
    with pytest.raises(SchemaError, match="expected the row fact.*@site"):
        tuned(("centre", CentreBySite())).fit(X.drop(columns="@site"), y)


class KeepNamed(TransformerMixin, BaseEstimator):
    """Keeps the variables of a list: the least that looks names up."""

    needs_names = True

    def __init__(self, keep=("a",)) -> None:
        self.keep = keep

    def fit(self, X, y=None):
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        return self

    def transform(self, X):
        return X[list(self.keep)]

    def get_feature_names_out(self, input_features=None):
        return np.array(self.keep, dtype=object)


def test_a_step_that_needs_names_sees_them_behind_one_that_does_not(two_sites):
    X, y = two_sites
    frame = X.drop(columns="@site")
    model = tuned(("standardise", StandardScaler()), ("keep", KeepNamed(("c", "a")))).fit(frame, y)
    assert model.needs_names
    assert list(model.selected_features_) == ["c", "a"]
    direct = LogisticRegression().fit(StandardScaler().fit_transform(frame[["c", "a"]]), y)
    assert np.allclose(model.pipeline_[-1].coef_, direct.coef_, rtol=1e-8)
    assert not tuned(("standardise", StandardScaler())).needs_names


def nested() -> Pipeline:
    centre = Pipeline([("none", "passthrough"), ("centre", CentreBySite())])
    return Pipeline([("standardise", StandardScaler()), ("batch", centre)])


def test_steps_of_a_pipeline_within_are_steps_like_any_other(two_sites):
    X, y = two_sites
    flat = tuned(("standardise", StandardScaler()), ("centre", CentreBySite())).fit(X, y)
    deep = tuned(("preparation", nested())).fit(X, y)
    assert np.array_equal(flat.predict_proba(X), deep.predict_proba(X))
    assert list(deep.selected_features_) == ["a", "b", "c"]
    assert [name for name, _ in deep.pipeline_.steps] == [
        "preparation.standardise",
        "preparation.batch.centre",
        "lr",
    ]
    kept = tuned(("select", Pipeline([("keep", KeepNamed(("c", "a")))])))
    assert kept.needs_names
    assert list(kept.fit(X.drop(columns="@site"), y).selected_features_) == ["c", "a"]


def test_a_fact_that_a_step_within_needs_and_is_not_there_fails(two_sites):
    X, y = two_sites
    with pytest.raises(SchemaError, match="expected the row fact.*@site"):
        tuned(("preparation", nested())).fit(X.drop(columns="@site"), y)


def test_a_pipeline_as_the_last_step_keeps_its_names_and_may_need_no_facts(two_sites):
    X, y = two_sites
    last = Pipeline([("standardise", StandardScaler()), ("lr", LogisticRegression())])
    frame = X.drop(columns="@site")
    model = TunedClassifier(Pipeline([("learner", last)]), {"lr__C": (1.0,)}, n_splits=3)
    flat = tuned(("standardise", StandardScaler())).fit(frame, y)
    assert np.array_equal(model.fit(frame, y).predict_proba(frame), flat.predict_proba(frame))
    within = Pipeline([*nested().steps, ("lr", LogisticRegression())])
    model = TunedClassifier(Pipeline([("learner", within)]), {"lr__C": (1.0,)}, n_splits=3)
    with pytest.raises(SchemaError, match=r"found learner\.batch\.centre within it, as 'learner'"):
        model.fit(X, y)
