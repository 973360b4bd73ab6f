"""Correlations as products of unit columns, against scipy, pingouin and the room of ranks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.association.units import (
    correlation_interval,
    correlation_p,
    covariate_basis,
    unit_beside,
    unit_columns,
)
from radiogenomics.stats.ranks import midranks, partial_spearman

N = 40


def tables(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    features = rng.normal(size=(N, 6))
    features[:, 1] = features[:, 1].round(0)  # ties
    features[:, 2] = np.exp(4 * features[:, 2])
    genes = rng.poisson(3, size=(N, 9)).astype(float)
    return features, genes


@pytest.mark.parametrize(
    ("method", "reference"), [("spearman", stats.spearmanr), ("pearson", stats.pearsonr)]
)
def test_products_are_the_correlations_of_scipy(method, reference, rng) -> None:
    features, genes = tables(rng)
    r = unit_columns(features, method=method).T @ unit_columns(genes, method=method)
    p = correlation_p(r, N - 2)
    for row in range(6):
        for column in range(9):
            expected = reference(features[:, row], genes[:, column])
            assert r[row, column] == pytest.approx(expected.statistic, abs=1e-13)
            assert p[row, column] == pytest.approx(expected.pvalue, rel=1e-9)


def test_partial_correlation_is_pingouins(rng) -> None:
    features, genes = tables(rng)
    beside = rng.normal(size=(N, 2)) + features[:, :1]
    frame = pd.DataFrame(
        {"x": features[:, 0], "y": genes[:, 0], "a": beside[:, 0], "b": beside[:, 1]}
    )
    for method in ("pearson", "spearman"):
        known = midranks(beside.T).T if method == "spearman" else beside
        r = (
            unit_columns(features[:, :1], method=method, beside=known).T
            @ unit_columns(genes[:, :1], method=method, beside=known)
        ).item()
        expected = pingouin.partial_corr(frame, x="x", y="y", covar=["a", "b"], method=method)
        assert r == pytest.approx(expected["r"].item(), abs=1e-12)
        p_column = next(name for name in expected.columns if name.startswith("p"))
        assert correlation_p(r, N - 4).item() == pytest.approx(expected[p_column].item(), rel=1e-8)


def test_partial_ranks_are_those_of_the_room_of_ranks(rng) -> None:
    features, genes = tables(rng)
    beside = rng.normal(size=(N, 3))
    known = midranks(beside.T).T
    r = unit_columns(features, beside=known).T @ unit_columns(genes[:, :1], beside=known)
    expected = partial_spearman(features, genes[:, 0], beside)
    np.testing.assert_allclose(r[:, 0], expected.rho, atol=1e-12)
    np.testing.assert_allclose(correlation_p(r[:, 0], N - 5), expected.p, rtol=1e-9)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@pytest.mark.parametrize("truth", [0.0, 0.4, 0.7])
def test_interval_covers_the_truth_as_often_as_it_says(method, truth, rng) -> None:
    n, draws = 80, 3000
    x = rng.normal(size=(draws, n))
    y = truth * x + np.sqrt(1 - truth**2) * rng.normal(size=(draws, n))
    if method == "spearman":
        x, y, truth = midranks(x), midranks(y), 6 / np.pi * np.arcsin(truth / 2)
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(x, y, strict=True)]
    low, high = correlation_interval(r, n - 2, level=0.95, method=method)
    covered = int(((low <= truth) & (truth <= high)).sum())
    assert abs(covered / draws - 0.95) < 0.012


def test_huge_values_are_ranked_like_small_ones(rng) -> None:
    features = rng.normal(size=(N, 2))
    np.testing.assert_array_equal(unit_columns(features), unit_columns(1e15 * features))


@pytest.mark.parametrize("column", [np.full(N, 3.0), np.full(N, 1e15)])
def test_a_constant_is_named_by_its_place(column, rng) -> None:
    table = np.column_stack([rng.normal(size=N), column])
    with pytest.raises(DataError, match="1 that do not vary.*positions 1"):
        unit_columns(table)


def test_what_covariates_explain_is_named(rng) -> None:
    volume = rng.normal(size=(N, 1))
    table = np.column_stack([rng.normal(size=N), 2 * volume[:, 0] + 1])
    with pytest.raises(DataError, match="1 that the covariates explain, at positions 1"):
        unit_columns(table, method="pearson", beside=volume)


def test_what_a_basis_leaves_is_of_length_1_and_has_nothing_of_it(rng) -> None:
    columns, known = rng.normal(size=(N, 3)), rng.normal(size=(N, 2))
    centred = columns - columns.mean(axis=0)
    found = unit_beside(centred, covariate_basis(known, N))
    design = np.column_stack([np.ones(N), known])
    left = columns - design @ np.linalg.lstsq(design, columns, rcond=None)[0]
    np.testing.assert_allclose(found, left / np.linalg.norm(left, axis=0), atol=1e-12)
    nothing = unit_beside(centred, covariate_basis(None, N))
    np.testing.assert_allclose(nothing, centred / np.linalg.norm(centred, axis=0), atol=1e-15)


def test_the_interval_of_a_perfect_correlation_has_no_width() -> None:
    low, high = correlation_interval([-1.0, 1.0], 38, level=0.95)
    assert low.tolist() == high.tolist() == [-1.0, 1.0]


def test_bad_tables_are_refused(rng) -> None:
    good = rng.normal(size=(N, 2))
    with pytest.raises(UnknownNameError, match="spearman"):
        unit_columns(good, method="kendall")
    holes = good.copy()
    holes[3, 1] = np.nan
    with pytest.raises(DataError, match="1 missing or infinite, in 1 columns"):
        unit_columns(holes)
    with pytest.raises(DataError, match="Align them by patient"):
        unit_columns(good, beside=good[:-1])
    with pytest.raises(DataError, match="of rank 1"):
        covariate_basis(np.column_stack([good[:, 0], 2 * good[:, 0]]), N)
    with pytest.raises(DataError, match="patients × columns"):
        unit_columns(good[:, 0])
