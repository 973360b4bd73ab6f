"""Steps for each block alone: against the same steps by hand, kept results, and what is refused."""

from __future__ import annotations

import os
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    DataError,
    FallbackWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.evaluation import PatientKFold, cross_validate, pooled_auc
from radiogenomics.features import ComBat, LassoSelector, MedianImputer, RankSelector
from radiogenomics.models import TunedClassifier
from radiogenomics.models.per_block import PerBlock

BLOCKS = {"pre": 5, "post": 8, "clinical": 2}


class NamedBlocks(PerBlock):
    """Names the columns of plain arrays, which scikit-learn's checks pass."""

    def fit(self, X, y=None):
        return super().fit(named(X), y)

    def fit_transform(self, X, y=None):
        return super().fit_transform(named(X), y)


def named(X):
    values = X if issparse(X) else np.asarray(X)
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.size:
        blocks = ["a" if i % 2 == 0 else "b" for i in range(values.shape[1])]
        return pd.DataFrame(values, columns=[f"{b}|x{i}" for i, b in enumerate(blocks)])
    return X


OWN = {"a": [("impute", MedianImputer()), ("scale", StandardScaler())]}


@parametrize_with_checks([NamedBlocks({}), NamedBlocks(OWN)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def table(rng) -> pd.DataFrame:
    """60 patients, columns of the blocks mixed; a few values of the images are missing."""
    names = [f"{block}|x{i}" for block, count in BLOCKS.items() for i in range(count)]
    X = pd.DataFrame(rng.normal(3, 2, size=(60, 15)), [f"P{i}" for i in range(60)], names)
    X.iloc[3, 0] = X.iloc[7, 6] = np.nan
    return X[rng.permutation(X.columns)]


@pytest.fixture
def y(table) -> np.ndarray:
    return (table["pre|x3"] + table["post|x5"] > 6).to_numpy(dtype=int)


def select(k: int) -> list:
    return [("impute", MedianImputer()), ("rank", RankSelector(k=k)), ("scale", StandardScaler())]


def test_blocks_are_what_the_steps_give_of_each_alone(table, y):
    steps = {"pre": select(2), "post": select(3)}
    model = PerBlock(steps)
    found = model.fit_transform(table, y)
    new = table.sample(frac=0.5, random_state=0) + 0.1
    expected, behind, names = [], [], []
    for block in dict.fromkeys(name.split("|")[0] for name in table):
        own = table[[name for name in table if name.startswith(f"{block}|")]]
        other = new[own.columns]
        if block in steps:
            alone = clone(Pipeline(steps[block])).set_output(transform="pandas").fit(own, y)
            own, other = alone.transform(own), alone.transform(other)
        expected.append(own.to_numpy())
        behind.append(other.to_numpy())
        names += list(own.columns)
    np.testing.assert_allclose(found, np.hstack(expected), rtol=1e-12)
    np.testing.assert_allclose(model.transform(new), np.hstack(behind), rtol=1e-12)
    assert model.get_feature_names_out().tolist() == names
    assert set(model.steps_) == set(steps)
    assert not hasattr(steps["pre"][1][1], "support_")


def test_what_one_block_keeps_does_not_depend_on_the_others(table, y, rng):
    alone = PerBlock({"pre": select(2)}).fit(table, y)
    crowd = pd.DataFrame(table["pre|x3"].to_numpy()[:, None] + rng.normal(0, 0.1, (60, 40)))
    crowded = table.join(crowd.set_axis(table.index, axis=0).add_prefix("crowd|"))
    beside = PerBlock({"pre": select(2), "crowd": select(2)}).fit(crowded, y)
    kept = [name for name in beside.names_ if name.startswith("pre|")]
    assert kept == [name for name in alone.names_ if name.startswith("pre|")] and len(kept) == 2


def test_missing_values_stay_in_blocks_without_steps(table, y):
    model = PerBlock({"pre": select(2), "post": []})
    found = pd.DataFrame(model.fit_transform(table, y), table.index, model.names_)
    post = [name for name in table if name.startswith("post|")]
    pd.testing.assert_frame_equal(found[post], table[post], check_names=False)
    assert found[post].isna().sum().sum() == 1 and "post" not in model.steps_
    with pytest.raises(DataError, match="expected finite features after the transformers"):
        PerBlock({"pre": [("scale", StandardScaler())]}).fit(table, y)


class Twice(TransformerMixin, BaseEstimator):
    """Does not name what it gives."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.hstack([X, X])


def test_new_columns_carry_the_name_of_their_block(table, y):
    whole = table.fillna(0.0)
    model = PerBlock({"pre": [("pca", PCA(2))], "post": [("pca", PCA(2))]}).fit(whole, y)
    first = [name for name in model.names_ if not name.startswith("clinical")]
    assert sorted(first) == ["post|pca0", "post|pca1", "pre|pca0", "pre|pca1"]
    nameless = PerBlock({"clinical": [("twice", Twice())]}).fit(whole, y)
    own = [name for name in nameless.names_ if name.startswith("clinical")]
    assert own == [f"clinical|{i}" for i in (1, 2, 3, 4)]


class Counting(TransformerMixin, BaseEstimator):
    """Leaves a file for each fit."""

    def __init__(self, folder=None):
        self.folder = folder

    def fit(self, X, y=None):
        (self.folder / f"fit{len(os.listdir(self.folder))}").touch()
        return self

    def transform(self, X):
        return X


def test_fits_are_kept_for_models_that_share_blocks_patients_and_labels(table, y, tmp_path):
    folder, memory = tmp_path / "fits", str(tmp_path / "memory")
    folder.mkdir()
    steps = {block: [("count", Counting(folder)), *select(2)] for block in ("pre", "post")}
    only = {"pre": steps["pre"]}
    first = PerBlock(steps, memory=memory).fit_transform(table, y)
    assert len(os.listdir(folder)) == 2
    again = clone(PerBlock(steps, memory=memory))
    np.testing.assert_array_equal(again.fit_transform(table, y), first)
    own = table[[name for name in table if name.startswith("pre|")]]
    part = PerBlock(only, memory=memory).fit(own, y)
    assert len(os.listdir(folder)) == 2
    without = PerBlock(steps).fit(table, y)
    assert len(os.listdir(folder)) == 4
    new = table + 0.5
    np.testing.assert_array_equal(again.transform(new), without.transform(new))
    assert part.names_.tolist() == [name for name in without.names_ if name.startswith("pre|")]


@pytest.mark.parametrize("what", ["labels", "patients", "parameters", "names"])
def test_nothing_is_taken_from_another_fit(what, table, y, tmp_path):
    folder, memory = tmp_path / "fits", str(tmp_path / "memory")
    folder.mkdir()
    own = table[[name for name in table if name.startswith("pre|")]]

    def fit(X, labels, k=2):
        steps = {"pre": [("count", Counting(folder)), *select(k)]}
        return PerBlock(steps, memory=memory).fit(X, labels)

    fit(own, y)
    others = {
        "labels": (own, y[::-1], 2),
        "patients": (own.iloc[:-1], y[:-1], 2),
        "parameters": (own, y, 3),
        "names": (own.rename(columns=lambda name: f"{name}b"), y, 2),
    }
    found = fit(*others[what])
    assert len(os.listdir(folder)) == 2
    assert found.names_.tolist() == PerBlock(found.steps).fit(*others[what][:2]).names_.tolist()


def test_selectors_that_kept_nothing_are_named_also_where_the_fit_was_kept(rng, tmp_path):
    noise = rng.normal(size=(60, 12))
    X = pd.DataFrame(noise, columns=[f"{'ab'[i % 2]}|x{i}" for i in range(12)])
    y = np.arange(60) % 2
    X["a|x0"] += 3 * y
    lasso = [("lasso", LassoSelector(rule="1se"))]
    model = PerBlock({"a": lasso, "b": lasso}, memory=str(tmp_path))
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)
            model = clone(model).fit(X, y)
        assert model.fallbacks_ == ["b.lasso"]


def test_what_blocks_cannot_be_is_named(table, y):
    with pytest.raises(UnknownNameError, match="unknown block 'prae': did you mean 'pre'"):
        PerBlock({"prae": []}).fit(table, y)
    with pytest.raises(DataError, match="found ndarray without names"):
        PerBlock({}).fit(table.to_numpy(), y)
    with pytest.raises(SchemaError, match=r"expected columns named block\|feature; found age"):
        PerBlock({}).fit(table.assign(age=1.0), y)
    with pytest.raises(SchemaError, match="@site"):
        PerBlock({}).fit(table.assign(**{"@site": "north"}), y)
    with pytest.raises(SchemaError, match=r"expected the row fact\(s\) @site"):
        PerBlock({"pre": [("combat", ComBat())]}).fit(table, y)
    with pytest.raises(ValueError, match="feature names"):
        PerBlock({}).fit(table, y).transform(table[table.columns[::-1]])


def model_of(k: int, n_splits: int = 3) -> TunedClassifier:
    blocks = PerBlock({block: [("rank", RankSelector(k=k))] for block in "ab"})
    steps = make_pipeline(blocks, StandardScaler(), SVC(kernel="linear"))
    return TunedClassifier(steps, {"C": (0.01, 0.1)}, n_splits=n_splits)


def test_selection_within_blocks_is_blind_to_test_patients():
    """Of 400 columns of noise the best two of a block look like signal to whoever sees all."""
    honest, peeked = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        names = [f"{'ab'[i % 2]}|x{i}" for i in range(400)]
        X = pd.DataFrame(rng.normal(size=(60, 400)), [f"P{i}" for i in range(60)], names)
        y = pd.Series(rng.permutation(60) % 2, X.index)
        folds = PatientKFold(3, random_state=seed)
        found = cross_validate(model_of(2), X, y, splitter=folds, name="x")
        honest.append(pooled_auc(found.predictions))
        best = PerBlock({block: [("rank", RankSelector(k=2))] for block in "ab"}).fit(X, y)
        seen = cross_validate(model_of(2), X[best.names_], y, splitter=folds, name="x")
        peeked.append(pooled_auc(seen.predictions))
    error = np.std(honest) / np.sqrt(len(honest))
    assert abs(np.mean(honest) - 0.5) < 3 * error + 0.02  # pooled scores lean a little below
    assert np.mean(peeked) > 0.7
