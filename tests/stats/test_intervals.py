from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import beta

from radiogenomics.core.errors import DataError
from radiogenomics.stats import bootstrap_interval, clopper_pearson, wilson


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_proportions_match_r(level, table):
    rows = table("proportions").query("level == @level")
    low, high = wilson(rows["successes"], rows["trials"], level=level)
    assert_allclose(low, rows["wilson_low"], rtol=1e-10, atol=1e-14)
    assert_allclose(high, rows["wilson_high"], rtol=1e-10)
    low, high = clopper_pearson(rows["successes"], rows["trials"], level=level)
    assert_allclose(low, rows["exact_low"], rtol=1e-10, atol=1e-14)
    assert_allclose(high, rows["exact_high"], rtol=1e-10)


def test_exact_interval_takes_weighted_counts():
    low, high = clopper_pearson(2.5, 8)
    assert_allclose([low, high], [beta.ppf(0.025, 2.5, 6.5), beta.ppf(0.975, 3.5, 5.5)])


def test_no_trials_no_bounds():
    for interval in (wilson(0, 0), clopper_pearson(0, 0)):
        assert np.isnan(interval).all()


def test_exact_interval_covers_at_least_its_level(rng):
    hits = rng.binomial(25, 0.13, 4000)
    low, high = clopper_pearson(hits, 25)
    assert ((low <= 0.13) & (high >= 0.13)).mean() >= 0.95
    low, high = wilson(hits, 25)
    assert ((low <= 0.13) & (high >= 0.13)).mean() == pytest.approx(0.95, abs=0.03)


def test_percentiles_of_resampled_values(rng):
    resampled = rng.normal(3, 2, (20000, 2))
    low, high = bootstrap_interval(resampled, level=0.9)
    assert_allclose(low, 3 - 1.645 * 2, atol=0.12)
    assert_allclose(high, 3 + 1.645 * 2, atol=0.12)
    resampled[::2, 0] = np.nan
    resampled[:, 1] = np.nan
    low, high = bootstrap_interval(resampled)
    assert_allclose([low[0], high[0]], np.quantile(resampled[1::2, 0], [0.025, 0.975]))
    assert np.isnan([low[1], high[1]]).all()


def test_impossible_input_says_what_to_do():
    with pytest.raises(DataError, match="order of the two"):
        wilson(5, 3)
    with pytest.raises(DataError, match="one value per resample"):
        bootstrap_interval([])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(23)
