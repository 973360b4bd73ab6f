from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.cross_decomposition import PLSCanonical
from sklearn.linear_model import LinearRegression

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association import sparse_cca_validation, sparse_pairs
from radiogenomics.stats.association.sparse_cca import choose_penalty, sparse_cca
from radiogenomics.stats.association.sparse_cca_validation import cross_validated_cca
from radiogenomics.stats.association.sparse_pairs import EXACT
from radiogenomics.stats.association.training_columns import Part, TrainingColumns
from radiogenomics.stats.permutation import permutation_p, permutations


def held_out(x, y, folds, *, beside, learn) -> float:
    """Sums over folds, one fold and one cohort at a time, covariates and scales by scikit-learn."""
    sums = np.zeros(3)
    for fold in np.unique(folds):
        train, test = folds != fold, folds == fold
        sides = []
        for values in (x, y):
            line = LinearRegression().fit(beside[train], values[train])
            left = values - line.predict(beside)
            sides.append(left / left[train].std(axis=0))
        weights = learn(*(side[train] for side in sides))
        a, b = (
            (side[test] @ w) / np.std(side[train] @ w)
            for side, w in zip(sides, weights, strict=True)
        )
        a, b = a - a.mean(), b - b.mean()
        sums += (a @ b, a @ a, b @ b)
    return sums[0] / np.sqrt(sums[1] * sums[2])


def by_canonical_pls(x, y):
    found = PLSCanonical(1, scale=False, algorithm="svd").fit(x, y)
    return found.x_weights_[:, 0], found.y_weights_[:, 0]


def by_sparse_cca(x, y):
    found = sparse_cca(x, y, shares=(0.5, 0.5))
    return found.x_weights[:, 0], found.y_weights[:, 0]


@pytest.mark.parametrize("covariates", [0, 2])
@pytest.mark.parametrize(
    ("share", "learn"), [(1.0, by_canonical_pls), (0.5, by_sparse_cca)], ids=["PLS", "sparse"]
)
def test_observed_and_null_are_those_of_one_cohort_at_a_time(
    rng, monkeypatch, covariates: int, share: float, learn
) -> None:
    monkeypatch.setattr(sparse_cca_validation, "BRIEF", EXACT)
    factor = rng.normal(size=(42, 1))
    x, y = factor + rng.normal(size=(42, 9)), factor + rng.normal(2, 3, size=(42, 30))
    z = rng.normal(size=(42, covariates))
    x, y = x + z @ np.ones((covariates, 9)), y - z @ np.ones((covariates, 30))
    folds, orders = rng.permutation(np.arange(42) % 4), permutations(42, 5, rng)
    beside = z if covariates else None
    found = cross_validated_cca(x, y, orders=orders, folds=folds, shares=(share,), beside=beside)
    constant = np.ones((42, 1)) if beside is None else z
    residual = x - LinearRegression().fit(constant, x).predict(constant)
    expected = [
        held_out(moved, y, folds, beside=constant, learn=learn)
        for moved in (x, *(residual[order] for order in orders))
    ]
    np.testing.assert_allclose([found.correlations[0], *found.null[0]], expected, rtol=1e-6)
    assert found.p[0] == permutation_p(expected[0], expected[1:])


def test_pieces_and_company_change_nothing(rng, monkeypatch) -> None:
    x, y = rng.normal(size=(30, 8)), rng.normal(size=(30, 20))
    folds, orders = np.arange(30) % 3, permutations(30, 11, rng)
    together = cross_validated_cca(x, y, orders=orders, folds=folds, components=2)
    monkeypatch.setattr(sparse_cca_validation, "AT_ONCE", 60)
    monkeypatch.setattr(sparse_pairs, "AT_ONCE", 60)
    pieces = cross_validated_cca(x, y, orders=orders, folds=folds, components=2)
    np.testing.assert_allclose(pieces.null, together.null, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(pieces.correlations, together.correlations, rtol=1e-9)


def test_held_out_patients_teach_nothing(rng) -> None:
    x, z = rng.normal(size=(40, 6)), rng.normal(size=(40, 1))
    part = Part.build(np.arange(40) < 12, z, name="fold 1")
    weights = rng.normal(size=(1, 6))
    found = []
    for shift, stretch in ((0, 1), (100, 7)):
        moved = x.copy()
        moved[:12] = stretch * x[:12] + shift
        columns = TrainingColumns.build(moved - moved.mean(axis=0), part.train, part.basis)
        scores = columns.test_scores(weights, part.test, reach=part.reach)
        line = LinearRegression().fit(z[12:], x[12:])
        left = moved - line.predict(z)
        spread = left[12:].std(axis=0) * np.sqrt(28 / 26)
        expected = (left[:12] / spread) @ weights[0]
        size = ((left[12:] / spread) @ weights[0]).std()
        np.testing.assert_allclose(scores[0], expected / size, rtol=1e-9)
        found.append(columns.inverse)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


def test_a_planted_factor_is_found_out_of_sample(rng) -> None:
    factor = rng.normal(size=(90, 1))
    x, y = rng.normal(size=(90, 80)), rng.normal(size=(90, 600))
    x[:, :6] += factor
    y[:, :30] += factor
    orders, folds = permutations(90, 39, rng), np.arange(90) % 5
    found = cross_validated_cca(x, y, orders=orders, folds=folds, shares=(0.2,), components=2)
    assert found.p[0] == pytest.approx(1 / 40)
    assert found.correlations[0] > 0.5
    assert found.correlations[1] < found.correlations[0]
    assert np.abs(found.chance).max() < 0.1


@pytest.mark.parametrize("case", ["plain", "beside", "within sites"])
def test_p_is_uniform_without_a_link(case: str) -> None:
    found = []
    for seed in range(120):
        rng = np.random.default_rng([seed, 5])
        z, site = rng.normal(size=(30, 2)), rng.integers(0, 2, 30)
        x = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 8)) + rng.normal(size=(30, 8))
        y = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 25)) + rng.normal(size=(30, 25))
        if case == "beside":
            x, y = x + z @ rng.normal(size=(2, 8)), y + z @ rng.normal(size=(2, 25))
        if case == "within sites":
            x, y = x + 2 * rng.normal(size=(2, 8))[site], y + 2 * rng.normal(size=(2, 25))[site]
        orders = permutations(30, 19, rng, blocks=site if case == "within sites" else None)
        beside = z if case == "beside" else None
        part = cross_validated_cca(
            x, y, orders=orders, folds=np.arange(30) % 3, shares=(0.4,), components=2, beside=beside
        )
        found.append(part.p - rng.random(2) / 20)
    for p in np.array(found).T:
        assert kstest(p, "uniform").pvalue > 0.01


def test_each_training_part_chooses_its_penalty(rng) -> None:
    factor = rng.normal(size=(48, 1))
    x, y = rng.normal(size=(48, 40)), rng.normal(size=(48, 40))
    x[:, :2] += 2 * factor
    y[:, :2] += 2 * factor
    orders, folds = permutations(48, 6, rng), np.arange(48) % 3
    shares = (0.2, 1.0)
    found = cross_validated_cca(x, y, orders=orders, folds=folds, shares=shares, choosing=6)
    inner = sparse_cca_validation.induced_orders
    for fold, used in enumerate(found.shares):
        train = folds != fold
        choice = choose_penalty(x[train], y[train], orders=inner(orders, train), shares=shares)
        assert choice.best == used
    assert found.correlations[0] > 0.5


def test_bad_input_says_what_is_expected(rng) -> None:
    x, y, orders = rng.normal(size=(12, 4)), rng.normal(size=(12, 5)), permutations(12, 3, rng)
    folds = np.arange(12) % 3
    for bad in (np.zeros(12), np.arange(12) % 6, folds[:11]):
        with pytest.raises(DataError, match="expected"):
            cross_validated_cca(x, y, orders=orders, folds=bad)
    with pytest.raises(DataError, match="each row a permutation"):
        cross_validated_cca(x, y, orders=orders[:, :11], folds=folds)
    with pytest.raises(DataError, match="components"):
        cross_validated_cca(x, y, orders=orders, folds=folds, components=5)
    with pytest.raises(DataError, match="same patients"):
        cross_validated_cca(x, y[:11], orders=orders, folds=folds)
    with pytest.raises(DataError, match="2 orders to choose"):
        cross_validated_cca(x, y, orders=orders, folds=folds, shares=(0.2, 0.5), choosing=1)
    site = (folds == 1).astype(float)[:, None]
    with pytest.raises(DataError, match="training part of fold 1: expected covariates that vary"):
        cross_validated_cca(x, y, orders=orders, folds=folds, beside=site)


def test_a_column_constant_in_a_training_part_gets_no_weight(rng) -> None:
    x, y, folds = rng.normal(size=(30, 4)), rng.normal(size=(30, 5)), np.arange(30) % 3
    x[folds != 0, 0] = 2.0
    orders = permutations(30, 9, rng)
    found = cross_validated_cca(x, y, orders=orders, folds=folds, shares=(1.0,))
    assert np.isfinite(found.null).all() and np.isfinite(found.correlations).all()
