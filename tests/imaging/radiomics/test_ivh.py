from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.radiomics.ivh import ivh_features
from radiogenomics.imaging.radiomics.roi import Roi


def region(values) -> Roi:
    values = np.asarray(values, dtype=float).reshape(1, 1, -1)
    return Roi(values, np.ones(values.shape, dtype=bool), (1.0, 1.0, 1.0))


def test_whole_numbers_are_read_one_by_one() -> None:
    """0 ... 10: the fraction of the range is a tenth of the intensity."""
    found = ivh_features(region(np.arange(11)))
    assert found["ivh_v10"] == pytest.approx(10 / 11)
    assert found["ivh_v90"] == pytest.approx(2 / 11)
    # Ten lies above 1/11 of the voxels, nine above 2/11.
    assert (found["ivh_i10"], found["ivh_i90"]) == (10, 2)
    assert found["ivh_diff_v10_v90"] == pytest.approx(8 / 11)
    assert found["ivh_diff_i10_i90"] == 8
    shares = np.arange(11, 0, -1) / 11
    assert found["ivh_auc"] == pytest.approx((shares[1:] + shares[:-1]).sum() / 20)


def test_fractions_are_of_the_range_of_the_resegmentation() -> None:
    found = ivh_features(region([2, 4, 6]), bounds=(-0.5, 20.0))
    assert found["ivh_v10"] == 1
    assert found["ivh_v90"] == 0
    assert (found["ivh_i10"], found["ivh_i90"]) == (7, 3)


def test_bins_of_a_width_are_read_at_their_centres() -> None:
    """Bins 0-2.5, 2.5-5, 5-7.5, 7.5-10 and the one of the upper bound itself."""
    found = ivh_features(region([0.1, 2.5, 4.9, 9.9]), bin_width=2.5, bounds=(0.0, 10.0))
    assert (found["ivh_i10"], found["ivh_i90"]) == (11.25, 3.75)
    assert found["ivh_v10"] == 0.75
    assert found["ivh_v90"] == 0


def test_numbered_bins_span_the_values() -> None:
    found = ivh_features(region([0.0, 0.24, 0.26, 1.0]), bin_count=4, bounds=(-50.0, 50.0))
    assert (found["ivh_i10"], found["ivh_i90"]) == (4, 2)
    assert (found["ivh_v10"], found["ivh_v90"]) == (0.5, 0.25)


@pytest.mark.parametrize("values", [[0.5, 0.75, 1.5], [0.0, 1e6, 3e6]], ids=["broken", "wide"])
def test_arbitrary_intensities_are_read_in_a_thousand_bins(values) -> None:
    roi = region(values)
    assert ivh_features(roi) == ivh_features(roi, bin_count=1000)


@pytest.mark.parametrize("bins", [{}, {"bin_count": 32}, {"bin_width": 3.0}])
def test_a_flat_region_is_all_at_its_brightest(bins) -> None:
    found = ivh_features(region([5.0, 5.0]), **bins)
    assert (found["ivh_v10"], found["ivh_v90"], found["ivh_auc"]) == (1, 1, 0)
    assert found["ivh_diff_i10_i90"] == 0
