from __future__ import annotations

import numpy as np
import pytest
from scipy.special import polygamma

from radiogenomics.core.errors import DataError
from radiogenomics.stats.groups.variance_prior import inverse_trigamma, variance_prior


def test_inverse_trigamma_inverts() -> None:
    y = np.geomspace(1e-6, 1e6, 200)
    np.testing.assert_allclose(inverse_trigamma(polygamma(1, y)), y, rtol=1e-9)


def test_inverse_trigamma_refuses_what_trigamma_never_is() -> None:
    with pytest.raises(DataError, match="above 0"):
        inverse_trigamma([0.5, 0.0])


def test_finds_the_prior_that_variances_were_drawn_from() -> None:
    rng = np.random.default_rng(5)
    freedom = rng.integers(3, 12, 60_000).astype(float)
    true = 0.7 * 8 / rng.chisquare(8, freedom.size)
    found = variance_prior(true * rng.chisquare(freedom) / freedom, freedom)
    assert found.variance[0] == pytest.approx(0.7, rel=0.02)
    assert found.freedom == pytest.approx(8, rel=0.05)


def test_finds_a_trend() -> None:
    rng = np.random.default_rng(6)
    x = rng.uniform(0, 10, 40_000)
    level = np.exp(1 - 0.2 * x)
    true = level * 10 / rng.chisquare(10, x.size)
    found = variance_prior(true * rng.chisquare(6, x.size) / 6, np.full(x.size, 6.0), covariate=x)
    np.testing.assert_allclose(found.variance, level, rtol=0.08)
    assert found.freedom == pytest.approx(10, rel=0.1)


def test_a_constant_covariate_is_no_trend() -> None:
    variance, freedom = np.array([0.5, 1.0, 2.0, 8.0]), np.full(4, 10.0)
    with_it = variance_prior(variance, freedom, covariate=np.ones(4))
    without = variance_prior(variance, freedom)
    np.testing.assert_array_equal(with_it.variance, without.variance)
    assert with_it.freedom == without.freedom


def test_genes_without_degrees_get_a_prior_and_do_not_inform_it() -> None:
    variance = np.array([0.5, 1.0, 2.0, 8.0, np.nan])
    found = variance_prior(variance, [10, 10, 10, 10, 0])
    assert found.variance[4] == found.variance[0]
    assert found.freedom == variance_prior(variance[:4], [10] * 4).freedom


def test_a_covariate_with_gaps_is_refused() -> None:
    with pytest.raises(DataError, match="finite covariate"):
        variance_prior([1.0, 2.0, 3.0], [4, 4, 4], covariate=[1.0, np.nan, 2.0])
