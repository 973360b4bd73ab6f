"""p of rank correlations far out: moments by all permutations, tails by many random ones."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.integrate import quad

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association.rank_tail import rank_correlation_p
from radiogenomics.stats.association.units import correlation_p


@pytest.mark.parametrize("n", [5, 6, 7, 8])
def test_second_and_fourth_moment_are_those_of_all_permutations(n: int) -> None:
    ranks = np.arange(n) - (n - 1) / 2
    rho = np.array(list(permutations(ranks))) @ ranks / (ranks @ ranks)
    # Beyond the end of the distribution nothing is left.
    end = np.sqrt(np.nextafter(_end_squared(n), 0))

    def moment(power: int) -> float:
        def slope(r: float) -> float:
            return power * r ** (power - 1) * rank_correlation_p([r], n - 2)[0]

        return quad(slope, 0, end, epsabs=1e-13, epsrel=1e-11)[0]

    assert moment(2) == pytest.approx((rho**2).mean(), rel=1e-8)
    assert moment(4) == pytest.approx((rho**4).mean(), rel=1e-8)


def _end_squared(n: int) -> float:
    """Where p reaches 0, by bisection between 1 and 2."""
    low, high = 1.0, 2.0
    for _ in range(200):
        middle = (low + high) / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            inside = rank_correlation_p([np.sqrt(middle)], n - 2)[0] > 0
        low, high = (middle, high) if inside else (low, middle)
    return low


@pytest.mark.parametrize("n", [30, 60, 100])
def test_p_holds_far_out_where_that_of_t_is_too_small(n: int, rng: np.random.Generator) -> None:
    ranks = np.arange(n) - (n - 1) / 2
    unit = np.tile(ranks / np.linalg.norm(ranks), (2000, 1))
    far = dict.fromkeys(("ours", "t"), 0)
    for _ in range(10):
        rho = np.abs(rng.permuted(unit, axis=1) @ rng.permuted(unit, axis=1).T).ravel()
        rho = rho[rho > 3 / np.sqrt(n)]
        far["ours"] += int((rank_correlation_p(rho, n - 2) <= 1e-4).sum())
        far["t"] += int((correlation_p(rho, n - 2) <= 1e-4).sum())
    expected = 10 * 2000**2 * 1e-4
    # Some 4000 are expected, so that chance moves the ratio by 0.02 or so.
    assert 0.85 < far["ours"] / expected < 1.06
    assert far["t"] / expected > 1.08


def test_it_agrees_with_t_where_many_patients_are_and_ends_below_it_for_none() -> None:
    rho = np.linspace(-0.05, 0.05, 21)
    np.testing.assert_allclose(rank_correlation_p(rho, 9998), correlation_p(rho, 9998), rtol=0.01)
    every = rank_correlation_p(np.linspace(0, 1, 101), 18)
    assert every[0] == 1 and (np.diff(every) < 0).all() and every[-1] > 0
    np.testing.assert_array_equal(every, rank_correlation_p(-np.linspace(0, 1, 101), 18))


def test_too_few_patients_are_refused() -> None:
    with pytest.raises(DataError, match="2 degrees of freedom or more; found 1"):
        rank_correlation_p([0.5], 1)
