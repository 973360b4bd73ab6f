from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, OutcomeError, SchemaError
from radiogenomics.features.redundancy import CorrelationClusters

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "features"
CUTS = pd.read_csv(REFERENCE / "clusters.csv")


@parametrize_with_checks([CorrelationClusters(), CorrelationClusters(representative="label")])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def grouped(rng, n: int, p: int, *, groups: int = 5) -> np.ndarray:
    noise = rng.uniform(0.1, 1.5, p) * rng.normal(size=(n, p))
    return rng.normal(size=(n, groups))[:, rng.integers(0, groups, p)] + noise


@pytest.mark.parametrize("cut", CUTS.columns)
def test_clusters_are_those_of_r(cut):
    method, how, threshold = cut.split("_")
    X = pd.read_csv(REFERENCE / "clusters_input.csv")
    fitted = CorrelationClusters(float(threshold), method, how).fit(X)
    assert fitted.cluster_.tolist() == CUTS[cut].tolist()
    assert fitted.n_clusters_ == fitted.support_.sum() == CUTS[cut].max()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["average", "complete", "single"]))
def test_components_change_nothing_about_the_tree(seed, how):
    rng = np.random.default_rng(seed)
    X = grouped(rng, 15, 40)
    threshold = rng.uniform(0.2, 0.95)
    distance = 1 - np.abs(np.corrcoef(X.T))
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), how)
    expected = fcluster(tree, 1 - threshold, "distance")
    found = CorrelationClusters(threshold, "pearson", how).fit(X).cluster_
    assert np.array_equal(found[:, None] == found, expected[:, None] == expected)


def test_blocks_change_nothing(rng):
    X = grouped(rng, 30, 1300, groups=40)
    distance = np.clip(1 - np.abs(spearmanr(X).statistic), 0, None)
    np.fill_diagonal(distance, 0)
    expected = fcluster(linkage(squareform(distance, checks=False), "average"), 0.2, "distance")
    found = CorrelationClusters(0.8).fit(X).cluster_
    assert np.array_equal(found[:, None] == found, expected[:, None] == expected)


def test_medoid_is_nearest_to_its_cluster(rng):
    X = grouped(rng, 25, 40)
    fitted = CorrelationClusters(0.6).fit(X)
    rho = np.abs(spearmanr(X).statistic)
    for number in range(1, fitted.n_clusters_ + 1):
        members = np.flatnonzero(fitted.cluster_ == number)
        means = [np.mean([rho[i, j] for j in members if j != i] or [1.0]) for i in members]
        assert np.flatnonzero(fitted.support_[members]).tolist() == [int(np.argmax(means))]
        np.testing.assert_allclose(fitted.scores_[members], means, rtol=1e-10)


def test_label_and_first_choose_as_they_say(rng):
    X, y = grouped(rng, 40, 30), np.arange(40) % 2
    X[:, ::4] += y[:, None]
    by_label = CorrelationClusters(0.5, representative="label").fit(X, y)
    by_place = CorrelationClusters(0.5, representative="first").fit(X)
    distance = np.array([abs(roc_auc_score(y, column) - 0.5) for column in X.T])
    np.testing.assert_allclose(by_label.scores_, distance, atol=1e-12)
    assert by_label.n_clusters_ < 30
    for number in range(1, by_label.n_clusters_ + 1):
        members = np.flatnonzero(by_label.cluster_ == number)
        assert by_label.support_[members[np.argmax(distance[members])]]
        assert by_place.support_[members[0]]


def test_only_the_label_choice_looks_at_the_label(rng):
    X = grouped(rng, 30, 20)
    for how in ("medoid", "first"):
        chosen = [CorrelationClusters(representative=how).fit(X, y) for y in (None, np.arange(30))]
        assert np.array_equal(chosen[0].support_, chosen[1].support_)
    with pytest.raises(OutcomeError, match="two classes; found 3"):
        CorrelationClusters(representative="label").fit(X, np.arange(30) % 3)
    with pytest.raises(ValueError, match="requires y"):
        CorrelationClusters(representative="label").fit(X)


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_copies_join_even_at_one_and_units_do_not_matter(rng, method):
    a, b = rng.normal(size=(2, 30))
    X = np.column_stack([a, b, -3e9 * a, 1e-9 * b + 5e-9, a * 1e-200])
    fitted = CorrelationClusters(1.0, method).fit(X)
    assert fitted.cluster_.tolist() == [1, 2, 1, 2, 1]
    assert fitted.support_.tolist() == [True, True, False, False, False]


def test_constants_are_dropped(rng):
    X = np.column_stack([np.full(20, 0.1) * 3, rng.normal(size=20), np.zeros(20)])
    fitted = CorrelationClusters(0.01).fit(X)
    assert fitted.cluster_.tolist() == [0, 1, 0]
    assert fitted.support_.tolist() == [False, True, False]
    with pytest.raises(DataError, match="found none of 2"):
        CorrelationClusters().fit(np.ones((20, 2)))


def test_complete_linkage_keeps_its_promise_for_every_pair(rng):
    X = grouped(rng, 30, 60)
    fitted = CorrelationClusters(0.6, linkage="complete").fit(X)
    rho = np.abs(spearmanr(X).statistic)
    same = fitted.cluster_[:, None] == fitted.cluster_
    assert rho[same].min() >= 0.6 - 1e-12
    assert same.sum() > 60


@pytest.mark.parametrize(
    "parameters",
    [{"threshold": 0}, {"threshold": 90}, {"method": "kendall"}, {"linkage": "ward"}]
    + [{"representative": "best"}],
)
def test_senseless_parameters_are_refused(rng, parameters):
    with pytest.raises(DataError, match=next(iter(parameters))):
        CorrelationClusters(**parameters).fit(rng.normal(size=(9, 3)))


def test_left_over_row_fact_and_gaps_are_refused(rng):
    X = pd.DataFrame(rng.normal(size=(9, 2)), columns=["a", "@site"])
    with pytest.raises(SchemaError, match="@site"):
        CorrelationClusters().fit(X)
    with pytest.raises(ValueError, match="NaN"):
        CorrelationClusters().fit(np.where(X > 0, X, np.nan))


@pytest.mark.real
@pytest.mark.parametrize("how", ["average", "complete", "single"])
def test_clusters_of_real_features_are_those_of_scipy(data_root, how):
    X = pd.read_csv(data_root / "tables" / "hcc_mtm_radiomics2022" / "XY3A.csv").drop(columns="MTM")
    X = X.loc[:, X.nunique() > 1]
    distance = np.clip(1 - np.abs(spearmanr(X).statistic), 0, None)
    np.fill_diagonal(distance, 0)
    expected = fcluster(linkage(squareform(distance, checks=False), how), 0.1, "distance")
    found = CorrelationClusters(linkage=how).fit(X).cluster_
    assert np.array_equal(found[:, None] == found, expected[:, None] == expected)
