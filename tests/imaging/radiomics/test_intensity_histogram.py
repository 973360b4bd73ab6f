from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from radiogenomics.imaging.radiomics.intensity_histogram import FEATURES, intensity_histogram
from radiogenomics.imaging.radiomics.roi import GreyLevels


def region(levels, count: int) -> GreyLevels:
    return GreyLevels(np.asarray(levels, dtype=np.uint16).reshape(1, 1, -1), count)


def test_statistics_of_the_levels_by_scipy(rng) -> None:
    levels = rng.integers(0, 20, 500)
    values = levels[levels > 0]
    found = intensity_histogram(region(levels, 24))
    assert found["ih_mean"] == pytest.approx(values.mean(), rel=1e-12)
    assert found["ih_var"] == pytest.approx(values.var(), rel=1e-12)
    assert found["ih_skew"] == pytest.approx(stats.skew(values), rel=1e-9)
    assert found["ih_kurt"] == pytest.approx(stats.kurtosis(values), rel=1e-9)
    assert found["ih_iqr"] == stats.iqr(values)
    assert found["ih_cov"] == pytest.approx(stats.variation(values), rel=1e-12)
    shares = np.unique(values, return_counts=True)[1] / len(values)
    assert found["ih_entropy"] == pytest.approx(stats.entropy(shares, base=2), rel=1e-12)
    assert (found["ih_min"], found["ih_max"]) == (values.min(), values.max())


def test_slope_counts_empty_levels_at_both_ends() -> None:
    """Counts 0, 5, 1, 0: slopes 5, 0.5, -2.5, -1, worked out by hand."""
    found = intensity_histogram(region([2] * 5 + [3], 4))
    assert (found["ih_max_grad"], found["ih_max_grad_g"]) == (5, 1)
    assert (found["ih_min_grad"], found["ih_min_grad_g"]) == (-2.5, 3)


@pytest.mark.parametrize(
    ("levels", "mode"),
    [([1, 1, 4, 4, 5], 4), ([2, 2, 3, 4, 4], 2), ([7, 7, 1], 7)],
    ids=["nearest to the mean", "the lowest of equally near ones", "most frequent"],
)
def test_mode(levels, mode) -> None:
    assert intensity_histogram(region(levels, 7))["ih_mode"] == mode


def test_a_single_level() -> None:
    found = intensity_histogram(region([1, 1, 1], 1))
    assert (found["ih_entropy"], found["ih_uniformity"], found["ih_var"]) == (0, 1, 0)
    assert (found["ih_max_grad"], found["ih_min_grad_g"]) == (0, 1)


def test_all_23_features_of_the_family_are_there() -> None:
    assert len({feature.ibsi_code for feature in FEATURES}) == 23
