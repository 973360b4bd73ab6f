from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chisquare, permutation_test

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats import (
    auc_batch,
    clopper_pearson,
    permutation_interval,
    permutation_p,
    permutations,
)

NULL = [0.1, 0.4, 0.4, 0.9, -1.0, 2.0, 0.0, 0.3, 1.5]


@pytest.mark.parametrize(
    ("observed", "alternative", "expected"),
    [
        (0.9, "greater", 4 / 10),
        (0.9, "less", 8 / 10),
        (0.9, "two-sided", 8 / 10),
        (5.0, "greater", 1 / 10),
        (5.0, "two-sided", 2 / 10),
        (-5.0, "less", 1 / 10),
        (0.3, "two-sided", 1.0),
    ],
)
def test_counts_by_hand(observed, alternative, expected):
    assert permutation_p(observed, NULL, alternative=alternative) == pytest.approx(expected)


def test_agrees_with_scipy(rng):
    a, b = rng.normal(0.7, 1, 9), rng.normal(0, 1, 11)
    for alternative in ("greater", "less", "two-sided"):
        found = permutation_test(
            (a, b),
            lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
            n_resamples=499,
            alternative=alternative,
            vectorized=True,
            rng=np.random.default_rng(1),
        )
        p = permutation_p(found.statistic, found.null_distribution, alternative=alternative)
        assert p == pytest.approx(found.pvalue, rel=1e-12)


def test_rounding_makes_a_tie_not_a_defeat():
    observed = 0.1 + 0.2
    assert permutation_p(observed, [0.3, 0.3, 0.3]) == 1.0
    assert permutation_p(0.3, [observed] * 3, alternative="less") == 1.0


def test_unknown_statistics_count_against_us():
    assert permutation_p(5.0, [np.nan, 1.0, 1.0]) == pytest.approx(2 / 4)
    assert np.isnan(permutation_p(np.nan, [1.0]))
    assert permutation_p(np.inf, [1.0, np.inf, 2.0]) == pytest.approx(2 / 4)


@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
def test_p_is_uniform_under_the_null(alternative):
    # Over 600 seeds, a real statistic with ties: the AUC of a rounded score.
    p = []
    for seed in range(600):
        rng = np.random.default_rng(seed)
        labels = np.repeat([1, 0], [12, 20])
        score = rng.normal(size=32).round(1)
        null = auc_batch(score, labels[permutations(32, 99, rng)])
        p.append(permutation_p(auc_batch(score, labels[None])[0], null, alternative=alternative))
    p = np.array(p)
    assert p.min() >= 0.01
    for level in (0.05, 0.1, 0.25, 0.5, 0.75):
        low, high = clopper_pearson((p <= level + 1e-12).sum(), p.size, level=0.999)
        assert low <= level
        # Ties make the test a little conservative, never the reverse.
        assert high >= 0.8 * level


def test_monte_carlo_interval_covers_the_p_of_all_permutations(rng):
    truth = 0.03
    covered = 0
    for _ in range(300):
        null = (rng.random(999) < truth).astype(float)
        low, high = permutation_interval(0.5, null)
        covered += low <= truth <= high
    assert covered / 300 >= 0.93
    one = permutation_interval(0.9, NULL)
    assert_allclose(one, clopper_pearson(3, 9))
    assert_allclose(
        permutation_interval(0.9, NULL, alternative="two-sided"), np.minimum(1, 2 * np.array(one))
    )


def test_permutations_are_permutations_all_equally_likely(rng):
    drawn = permutations(4, 12000, rng)
    assert (np.sort(drawn, axis=1) == np.arange(4)).all()
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert counts.size == 24
    assert chisquare(counts).pvalue > 1e-4
    again = permutations(4, 12000, np.random.default_rng(29))
    assert (again == drawn).all()


def test_impossible_input_says_what_to_do():
    with pytest.raises(DataError, match="at least one permutation"):
        permutation_p(1.0, [])
    with pytest.raises(UnknownNameError, match="greater"):
        permutation_p(1.0, [1.0], alternative="grater")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(29)


def test_permutations_in_blocks_never_leave_their_block(rng):
    blocks = np.array(["north", "south", "north", None, "south", "north", None])
    orders = permutations(7, 500, rng, blocks=blocks)
    assert (np.sort(orders, axis=1) == np.arange(7)).all()
    assert all((blocks[order].astype(str) == blocks.astype(str)).all() for order in orders)
    first = np.bincount(orders[:, 0], minlength=7)
    assert set(np.flatnonzero(first)) == {0, 2, 5}
    assert first[[0, 2, 5]].min() > 500 / 3 * 0.7


def test_permutations_refuse_blocks_of_another_length(rng):
    with pytest.raises(DataError, match="one block for each of 4"):
        permutations(4, 2, rng, blocks=["a", "b"])
