from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f_oneway
from sklearn.metrics import mutual_info_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.features.mrmr import MRMR

SCHEMES = ("MID", "MIQ", "FCD", "FCQ")


@parametrize_with_checks([MRMR(k=2), MRMR(k=2, scheme="MID")])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def by_the_formula(X: np.ndarray, y: np.ndarray, k: int, scheme: str) -> tuple[list[int], list]:
    """Ding and Peng's criteria, every sum anew, one library call at a time."""
    n_features = X.shape[1]
    if scheme.startswith("F"):
        V = [f_oneway(*(X[y == c, j] for c in np.unique(y))).statistic for j in range(n_features)]
        pair = np.abs(np.corrcoef(X.T))
    else:
        z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
        states = np.where(z > 0.5, 1, np.where(z < -0.5, -1, 0))
        V = [mutual_info_score(y, states[:, j]) for j in range(n_features)]
        pair = np.array([[mutual_info_score(a, b) for a in states.T] for b in states.T])
    chosen, values = [int(np.argmax(V))], [max(V)]
    while len(chosen) < min(k, n_features):
        rest = [j for j in range(n_features) if j not in chosen]
        W = [np.mean([pair[j, i] for i in chosen]) for j in rest]
        value = [
            V[j] - w if scheme.endswith("D") else V[j] / w for j, w in zip(rest, W, strict=True)
        ]
        chosen.append(rest[int(np.argmax(value))])
        values.append(max(value))
    return chosen, values


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("classes", [2, 3])
def test_choice_follows_the_formula(rng, scheme, classes):
    latent = rng.normal(size=(60, 6))
    X = latent[:, rng.integers(0, 6, 30)] + rng.uniform(0.2, 1.5, 30) * rng.normal(size=(60, 30))
    y = np.digitize(latent[:, 0] + latent[:, 1], [-0.5, 0.8][: classes - 1])
    chosen, values = by_the_formula(X, y, 12, scheme)
    fitted = MRMR(12, scheme).fit(X, y)
    assert fitted.selected_.tolist() == chosen
    np.testing.assert_allclose(fitted.criterion_, values, rtol=1e-9, atol=1e-12)
    assert sorted(chosen) == np.flatnonzero(fitted.support_).tolist()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_relevance_is_that_of_other_libraries(rng, scheme):
    X, y = rng.normal(size=(50, 40)), rng.integers(0, 2, 50)
    _, values = by_the_formula(X, y, 1, scheme)
    assert MRMR(1, scheme).fit(X, y).scores_.max() == pytest.approx(values[0], rel=1e-10)


@pytest.mark.parametrize("scheme", ["MID", "MIQ", "FCQ"])
def test_copies_wait_behind_what_is_new(rng, scheme):
    y = np.arange(80) % 2
    a, b = y + 0.6 * rng.normal(size=(2, 80))
    X = np.column_stack([rng.normal(size=80), a, a + 1e-3 * rng.normal(size=80), b])
    fitted = MRMR(2, scheme).fit(X, y)
    assert 3 in fitted.selected_
    assert set(fitted.selected_) <= {1, 2, 3}


def test_difference_of_unbounded_f_hardly_hears_redundancy(rng):
    """What the docstring warns of: a copy of a strong variable beats all that is new."""
    y = np.arange(80) % 2
    a = 3 * y + 0.6 * rng.normal(size=80)
    X = np.column_stack([a, a + 1e-3 * rng.normal(size=80), y + rng.normal(size=80)])
    assert set(MRMR(2, "FCD").fit(X, y).selected_) == {0, 1}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_unit_and_zero_do_not_matter(rng, scheme):
    X, y = rng.normal(size=(40, 20)), rng.integers(0, 2, 40)
    expected = MRMR(6, scheme).fit(X, y)
    moved = MRMR(6, scheme).fit(X * -(10.0 ** rng.integers(-90, 90, 20)), y)
    assert moved.selected_.tolist() == expected.selected_.tolist()
    np.testing.assert_allclose(moved.criterion_, expected.criterion_, rtol=1e-8)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_perfect_copies_of_the_label_do_not_break_it(rng, scheme):
    y = np.arange(30) % 2
    X = np.column_stack([rng.normal(size=30), y, 1 - y, rng.normal(size=30), np.ones(30)])
    fitted = MRMR(4, scheme).fit(X, y)
    assert fitted.selected_[0] == 1
    assert sorted(fitted.selected_) == [0, 1, 2, 3]
    assert not np.isnan(fitted.criterion_).any()


def test_fewer_variables_than_k_and_constants(rng):
    X = np.column_stack([rng.normal(size=30), np.full(30, 0.1) * 3])
    assert MRMR(10).fit(X, np.arange(30) % 2).selected_.tolist() == [0]
    with pytest.raises(DataError, match="found none of 2"):
        MRMR().fit(np.ones((30, 2)), np.arange(30) % 2)


def test_labels_that_cannot_be_told_apart_are_refused(rng):
    X = rng.normal(size=(12, 3))
    with pytest.raises(OutcomeError, match=r"1 class\(es\) in 12"):
        MRMR().fit(X, np.zeros(12))
    with pytest.raises(OutcomeError, match="one of several patients"):
        MRMR().fit(X, np.arange(12))


@pytest.mark.parametrize("parameters", [{"k": 0}, {"k": 2.5}, {"scheme": "JMI"}])
def test_senseless_parameters_are_refused(rng, parameters):
    with pytest.raises(DataError, match=next(iter(parameters))):
        MRMR(**parameters).fit(rng.normal(size=(12, 3)), np.arange(12) % 2)
