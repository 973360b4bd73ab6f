from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import rankdata, spearmanr

from radiogenomics.core.errors import DataError
from radiogenomics.stats import midranks
from radiogenomics.stats.ranks import partial_spearman, spearman

A, B = [f"a{i}" for i in range(1, 7)], [f"b{i}" for i in range(1, 7)]
KINDS = {
    "columns": (B, []),
    "one": (["b1"], []),
    "one beside one": (["b1"], ["z1"]),
    "one beside two": (["b1"], ["z1", "z2"]),
    "columns beside two": (B, ["z1", "z2"]),
}


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.sampled_from([2, 5, 10**6]))
@settings(max_examples=50, deadline=None)
def test_matches_scipy(seed, n, levels):
    values = np.random.default_rng(seed).integers(0, levels, (4, n))
    assert_array_equal(midranks(values), rankdata(values, axis=1))
    assert_array_equal(midranks(values[0]), rankdata(values[0]))


def test_ranks_do_not_depend_on_the_block(rng):
    values = np.round(rng.normal(size=(2, 700, 30)), 1)
    assert_array_equal(midranks(values), rankdata(values, axis=2))


@pytest.mark.parametrize("case", ["complete", "gaps"])
@pytest.mark.parametrize("kind", KINDS)
def test_correlation_matches_r(table, case, kind):
    """cor.test, psych's partial.r and the t of a linear model of ranks."""
    values = table("ranks_input").query("case == @case")
    expected = table("ranks").query("case == @case and kind == @kind").sort_values("column")
    other, beside = KINDS[kind]
    y = values[other].squeeze(axis=1) if len(other) == 1 else values[other]
    if beside:
        found = partial_spearman(values[A], y, values[beside])
    else:
        found = spearman(values[A], y)
    assert_allclose(found.rho, expected["rho"], rtol=1e-10)
    assert_allclose(found.p, expected["p"], rtol=1e-9)
    assert_array_equal(found.n, expected["n"])


def test_many_columns_with_gaps_are_each_as_scipy_has_them(rng):
    x = np.round(rng.normal(size=(25, 600)), 1)
    y = np.round(x + rng.normal(size=x.shape), 1)
    x[rng.random(x.shape) < 0.2] = np.nan
    y[rng.random(y.shape) < 0.2] = np.nan
    found = spearman(x, y)
    for column in range(0, 600, 7):
        known = ~np.isnan(x[:, column] + y[:, column])
        expected = spearmanr(x[known, column], y[known, column])
        assert found.rho[column] == pytest.approx(expected.statistic, rel=1e-10, abs=1e-14)
        assert found.p[column] == pytest.approx(expected.pvalue, rel=1e-9)
        assert found.n[column] == known.sum()


def test_a_partial_correlation_is_that_of_what_is_left_by_hand(rng):
    x, y, z = (np.round(rng.normal(size=40), 1) for _ in range(3))
    r = np.corrcoef([rankdata(v) for v in (x, y, z)])
    expected = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert partial_spearman(x, y, z).rho[0] == pytest.approx(expected, rel=1e-12)


def test_same_order_is_one_without_doubt():
    rising = np.arange(50.0)
    found = spearman(np.column_stack([rising, rising**3, -rising]), np.exp(rising))
    assert_array_equal(found.rho, [1, 1, -1])
    assert_array_equal(found.p, [0, 0, 0])


def test_what_has_no_correlation_is_nan(rng):
    y, z = rng.normal(size=12), rng.normal(size=12)
    few = np.where(np.arange(12) < 4, rng.normal(size=12), np.nan)
    x = np.column_stack([np.ones(12), few, np.full(12, np.nan), y + 0.1 * z])
    found = spearman(x, y, fewest=5)
    assert_array_equal(np.isnan(found.rho), [True, True, True, False])
    assert_array_equal(np.isnan(found.p), np.isnan(found.rho))
    assert_array_equal(found.n, [12, 4, 0, 12])
    assert np.isfinite(spearman(x, y, fewest=4).rho[1])
    assert np.isnan(partial_spearman(z**3, y, z).rho).all()
    assert np.isnan(partial_spearman(x, y, np.column_stack([z, 2 * z])).rho).all()
    assert np.isnan(partial_spearman(x[:4], y[:4], rng.normal(size=(4, 2))).rho).all()


def test_bad_input_is_named():
    with pytest.raises(DataError, match="as many rows"):
        spearman([1, 2, 3], [1, 2])
    with pytest.raises(DataError, match=r"one for\s+each of x"):
        spearman(np.zeros((4, 3)), np.zeros((4, 2)))
    with pytest.raises(DataError, match="1 infinite"):
        spearman([1, 2, np.inf], [1, 2, 3])
    with pytest.raises(DataError, match="shape"):
        spearman(np.zeros((2, 2, 2)), [1, 2])
    with pytest.raises(DataError, match="3 pairs or more"):
        spearman([1, 2, 3], [1, 2, 3], fewest=2)
    with pytest.raises(DataError, match="x"):
        spearman(["a", "b", "c"], [1, 2, 3])
