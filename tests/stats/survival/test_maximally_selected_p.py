"""P-values of the largest statistic against R, published tables and all permutations."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from radiogenomics.core.errors import DataError
from radiogenomics.stats.survival.maximally_selected_p import (
    exact_p,
    gaussian_p,
    hothorn_lausen_p,
    improved_bonferroni_p,
    lausen_schumacher_p,
    whole_scores,
)

FEW = [([20, 50], 100), ([10, 12, 60, 90], 100), ([3, 4, 5, 6, 7], 30)]
TIED = [0, 0, 1, 1, 1, 3, 4, 4, 7, 9, 9, 12, 15]


@pytest.fixture(scope="module")
def expected(values):
    return lambda model, name: values("maximally_selected", model, name)


@pytest.mark.parametrize(
    ("shares", "quantiles"),
    [
        ((0.25, 0.75), (2.539, 2.829, 3.088, 3.395)),
        ((0.4, 0.6), (2.263, 2.560, 2.828, 3.149)),
        ((0.1, 0.9), (2.784, 3.054, 3.297, 3.588)),
        ((0.4, 0.9), (2.597, 2.883, 3.138, 3.442)),
    ],
    ids=str,
)
def test_table_of_lausen_and_schumacher(shares, quantiles):
    # Their table 2: quantiles to three digits, of p 0.1 to 0.01.
    for level, quantile in zip((0.1, 0.05, 0.025, 0.01), quantiles, strict=True):
        ends = [
            lausen_schumacher_p(quantile + half, minprop=shares[0], maxprop=shares[1])
            for half in (-0.0005001, 0.0005001)
        ]
        assert ends[0] > level > ends[1]


def test_published_bound():
    # Lausen, Sauerbrei & Schumacher 1994, page 489.
    assert improved_bonferroni_p(2.5, range(5, 16), n=20) == pytest.approx(0.073, abs=0.0005)


@pytest.mark.parametrize("b", ["1.20", "1.96", "3.00"])
def test_formulas_and_the_process_match_r(b, expected):
    statistic = float(b)
    lau92 = [
        lausen_schumacher_p(statistic),
        lausen_schumacher_p(statistic, minprop=0.25, maxprop=0.6),
    ]
    assert lau92 == pytest.approx(np.minimum(expected("Lau92", b), 1), rel=1e-12)
    lau94 = [
        improved_bonferroni_p(statistic, range(5, 46), n=50),
        improved_bonferroni_p(statistic, [40, 100, 101, 250], n=400),
    ]
    assert lau94 == pytest.approx(np.minimum(expected("Lau94", b), 1), rel=1e-12)
    found = [gaussian_p(statistic, counts, n=n) for counts, n in FEW]
    assert found == pytest.approx(expected("Miwa", b), rel=1e-8)


@pytest.mark.parametrize("b", ["1.7123", "2.5123", "3.1123"])
def test_bound_matches_r(b, expected):
    found = hothorn_lausen_p(float(b), range(1, 21), counts=range(5, 16))
    assert found == pytest.approx(expected("HL_ranks", b)[0], rel=1e-12)
    found = hothorn_lausen_p(float(b), TIED, counts=range(2, 12))
    assert found == pytest.approx(expected("HL_ties", b)[0], rel=1e-12, abs=1e-15)


def test_one_cutpoint_is_a_plain_test():
    assert gaussian_p(1.7, [30], n=100) == pytest.approx(2 * norm.sf(1.7), rel=1e-14)
    assert improved_bonferroni_p(1.7, [30], n=100) == pytest.approx(2 * norm.sf(1.7), rel=1e-14)


def test_far_tails_keep_their_digits():
    # Between the largest single chance and the sum of all, where 1 - p has no digits left.
    p = gaussian_p(9.0, [20, 50, 80], n=100)
    assert 2 * norm.sf(9) * 2.9 < p < 2 * norm.sf(9) * 3
    corr = np.array([[1.0, 0.5], [0.5, 1.0]])
    # Counts 20 and 50 of 100 are correlated 1/2; below, above and both by symmetry.
    joint = multivariate_normal(cov=corr).cdf([-3, -3])
    across = multivariate_normal(cov=[[1, -0.5], [-0.5, 1]]).cdf([-3, -3])
    assert gaussian_p(3.0, [20, 50], n=100) == pytest.approx(
        4 * norm.sf(3) - 2 * joint - 2 * across, rel=1e-8
    )


def test_more_cutpoints_never_help():
    ps = [gaussian_p(2.5, range(10, stop), n=100) for stop in (11, 20, 50, 91)]
    assert ps == sorted(ps)
    bounds = [improved_bonferroni_p(2.5, range(10, stop), n=100) for stop in (11, 20, 50, 91)]
    assert all(p <= bound * (1 + 1e-3) for p, bound in zip(ps, bounds, strict=True))
    assert gaussian_p(0.0, [10], n=20) == 1


def test_the_process_is_the_limit_of_random_walks(rng):
    draws = np.cumsum(rng.normal(size=(40_000, 60)), axis=1)
    m = np.arange(6, 55)
    bridge = draws[:, m - 1] - m / 60 * draws[:, -1:]
    largest = np.abs(bridge / np.sqrt(m * (60 - m) / 60)).max(axis=1)
    for b in (2.0, 2.8):
        p = gaussian_p(b, m, n=60)
        assert (largest >= b).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 40_000))


@pytest.mark.parametrize(
    ("scores", "counts"),
    [
        ([0.3, -1.2, 2.2, 0.9, -0.4, 1.7, 0.1], [1, 2, 3, 4, 5, 6]),
        ([1, 2, 2, 2, 5, 5, 9], [2, 4, 5]),
        ([0, 0, 0, 1, 1, 0, 1, 1], [3, 4, 6]),
    ],
    ids=["distinct", "tied", "binary"],
)
def test_exact_p_counts_all_permutations(scores, counts):
    a, m = np.array(scores, dtype=float), np.array(counts)
    n = a.size
    orders = a[np.array(list(permutations(range(n))))]
    sd = np.sqrt(m * (n - m) / (n - 1) * a.var())
    largest = np.abs((np.cumsum(orders, axis=1)[:, m - 1] - m * a.mean()) / sd).max(axis=1)
    for b in (0.5, 1.3, float(largest[17]), float(largest.max())):
        share = (largest >= b - 1e-9).mean()
        assert exact_p(b, a, counts=m) == pytest.approx(share, rel=1e-12)
    assert exact_p(largest.max() + 0.01, a, counts=m) == 0


@pytest.mark.parametrize("b", [1.0, 1.9, 2.4, 2.9])
def test_bounds_lie_above_the_exact_p(b):
    for scores in (np.arange(14.0), np.array(TIED, float)):
        for counts in (range(1, 12), [2, 5, 6, 9]):
            exact = exact_p(b, scores, counts=counts)
            assert exact <= hothorn_lausen_p(b, scores, counts=counts) + 1e-12


def test_two_classes_are_exact_for_many_patients():
    scores = np.repeat([0.0, 1.0], [180, 120])
    p = exact_p(2.9, scores, counts=range(30, 271))
    assert p == pytest.approx(gaussian_p(2.9, range(30, 271), n=300), rel=0.2)


def test_whole_scores_keep_order_and_distance():
    assert whole_scores([3, 1, 7]).tolist() == [2, 0, 6]
    assert whole_scores([0.5, 1.0, 2.5]).tolist() == [0, 1, 4]
    assert whole_scores([0.0, 0.33, 1.0]).tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lausen_schumacher_p(-1.0), "statistic of 0 or more"),
        (lambda: lausen_schumacher_p(np.nan), "found nan"),
        (lambda: lausen_schumacher_p(2.0, minprop=0.0), "minprop < maxprop < 1"),
        (lambda: gaussian_p(2.0, [3, 3], n=10), "rising whole counts"),
        (lambda: gaussian_p(2.0, [0, 3], n=10), "from 1 to 9"),
        (lambda: gaussian_p(2.0, [3, 10], n=10), "from 1 to 9"),
        (lambda: gaussian_p(2.0, [2.5], n=10), "whole counts"),
        (lambda: improved_bonferroni_p(2.0, [], n=10), "whole counts"),
        (lambda: exact_p(2.0, np.arange(40), counts=[20]), "permutation or gaussian_p"),
        (lambda: exact_p(2.0, [1, 1, 1], counts=[1]), "scores that vary"),
        (lambda: exact_p(2.0, [1, np.nan, 3], counts=[1]), "1 not finite"),
        (lambda: hothorn_lausen_p(2.0, [0.1, 0.7, 2.0], counts=[1]), "use whole_scores"),
        (lambda: hothorn_lausen_p(2.0, np.arange(800), counts=[400]), "by permutation"),
    ],
)
def test_what_cannot_be_computed_is_named(call, message):
    with pytest.raises(DataError, match=message):
        call()
