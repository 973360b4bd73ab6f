from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, spearmanr
from sklearn.metrics import roc_auc_score

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.features.rank_selector import RankSelector


def greedy(X: np.ndarray, y: np.ndarray, k: int, limit: float) -> list[int]:
    """The definition, one scipy call at a time."""
    auc = np.array([mannwhitneyu(X[y == 1, j], X[y == 0, j]).statistic for j in range(X.shape[1])])
    distance = np.abs(auc - (y == 1).sum() * (y == 0).sum() / 2)
    kept: list[int] = []
    for j in sorted(range(X.shape[1]), key=lambda j: (-distance[j], j)):
        if len(kept) < k and all(abs(spearmanr(X[:, j], X[:, i])[0]) <= limit for i in kept):
            kept.append(j)
    return kept


@pytest.mark.parametrize("decimals", [8, 0], ids=["no ties", "many ties"])
def test_auc_agrees_with_scikit_learn(rng, decimals):
    X = np.round(rng.normal(size=(60, 300)), decimals)
    y = rng.random(60) < 0.4
    X[:, ::3] += y[:, None]
    fitted = RankSelector().fit(X, y)
    expected = [roc_auc_score(y, column) for column in X.T]
    np.testing.assert_allclose(fitted.auc_, expected, atol=1e-12)


@pytest.mark.parametrize("limit", [0.3, 0.7, 1.0])
@pytest.mark.parametrize("decimals", [8, 0], ids=["no ties", "many ties"])
def test_choice_follows_the_definition(rng, limit, decimals):
    latent = rng.normal(size=(50, 4))
    X = np.round(latent[:, rng.integers(0, 4, size=40)] + 0.6 * rng.normal(size=(50, 40)), decimals)
    y = (latent[:, 0] + latent[:, 1] + rng.normal(size=50) > 0.3).astype(int)
    fitted = RankSelector(k=6, max_correlation=limit).fit(X, y)
    assert fitted.selected_.tolist() == greedy(X, y, 6, limit)
    assert fitted.n_selected_ == len(fitted.selected_)


def test_monotone_transformations_change_nothing(rng):
    X = rng.normal(size=(40, 30))
    y = np.arange(40) % 2
    before = RankSelector().fit(X, y)
    after = RankSelector().fit(np.exp(2 * X), y)
    assert before.selected_.tolist() == after.selected_.tolist()
    assert np.array_equal(before.auc_, after.auc_)


def test_direction_does_not_matter_and_copies_are_passed_over(rng):
    y = np.arange(40) % 2
    signal = y + 0.5 * rng.normal(size=40)
    X = np.column_stack([rng.normal(size=40), signal, -signal, signal**3])
    fitted = RankSelector(k=2).fit(X, y)
    assert fitted.selected_.tolist() == [1, 0]
    assert fitted.ranking_.tolist() == [4, 1, 2, 3]
    assert fitted.transform(X).shape == (40, 2)


def test_fewer_than_k_when_the_rest_are_copies(rng):
    signal = rng.normal(size=30)
    X = np.column_stack([signal, 2 * signal, signal + 1])
    fitted = RankSelector(k=4).fit(X, np.arange(30) % 2)
    assert fitted.n_selected_ == 1


def test_copies_pass_when_any_correlation_is_allowed(rng):
    signal = rng.normal(size=31)
    X = np.column_stack([signal, 3 * signal, -signal])
    fitted = RankSelector(k=3, max_correlation=1.0).fit(X, np.arange(31) % 2)
    assert fitted.n_selected_ == 3


def test_constants_are_never_chosen(rng):
    X = np.column_stack([np.ones(20), rng.normal(size=20)])
    assert RankSelector(k=2).fit(X, np.arange(20) % 2).selected_.tolist() == [1]
    with pytest.raises(DataError, match="2 constant"):
        RankSelector().fit(np.ones((20, 2)), np.arange(20) % 2)


def test_text_labels_are_taken_in_their_order(rng):
    X = rng.normal(size=(30, 3))
    y = np.where(X[:, 1] > 0, "low", "high")
    fitted = RankSelector(k=1).fit(X, y)
    assert fitted.classes_.tolist() == ["high", "low"]
    assert fitted.auc_[1] == 1.0


@pytest.mark.parametrize("y", [np.zeros(12), np.arange(12) % 3], ids=["one class", "three"])
def test_other_than_two_classes_is_refused(rng, y):
    with pytest.raises(OutcomeError, match="two classes; found"):
        RankSelector().fit(rng.normal(size=(12, 3)), y)


def test_missing_values_are_refused(rng):
    X = rng.normal(size=(12, 3))
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        RankSelector().fit(X, np.arange(12) % 2)


@pytest.mark.parametrize("parameters", [{"k": 0}, {"k": 2.5}, {"max_correlation": 1.2}])
def test_senseless_parameters_are_refused(rng, parameters):
    with pytest.raises(DataError, match=next(iter(parameters))):
        RankSelector(**parameters).fit(rng.normal(size=(12, 3)), np.arange(12) % 2)
