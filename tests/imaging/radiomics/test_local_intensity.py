from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.radiomics.local_intensity import RADIUS_MM, local_intensity, reach
from radiogenomics.imaging.radiomics.roi import Roi


def one_by_one(roi: Roi) -> dict[str, float]:
    """Distances from each voxel of the region to all of the box."""
    places = np.argwhere(np.ones(roi.values.shape)) * roi.spacing_mm
    centres = np.argwhere(roi.inside) * roi.spacing_mm
    around = [np.linalg.norm(places - centre, axis=1) <= 6.2035 for centre in centres]
    means = np.array([roi.values.ravel()[near].mean() for near in around])
    values = roi.values[roi.inside]
    return {"loc_peak_loc": means[values == values.max()].max(), "loc_peak_glob": means.max()}


def test_the_sphere_holds_one_cubic_centimetre() -> None:
    assert 4 / 3 * np.pi * RADIUS_MM**3 == pytest.approx(1000)
    assert reach((3.0, 2.0, 7.0)) == (2, 3, 0)


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (5.0, 0.9, 1.3), (7.0, 7.0, 7.0)])
def test_equal_to_a_search_of_all_voxels(spacing, rng) -> None:
    values = 1e4 + rng.normal(size=(6, 13, 11))
    inside = np.zeros(values.shape, dtype=bool)
    inside[1:5, 2:12, 4:11] = rng.random((4, 10, 7)) < 0.4
    roi = Roi(values, inside, spacing)
    assert local_intensity(roi) == pytest.approx(one_by_one(roi), rel=1e-12)


def test_of_several_brightest_voxels_the_highest_neighbourhood_counts() -> None:
    values = np.zeros((1, 1, 30))
    values[0, 0, [3, 20]] = 10
    values[0, 0, 21] = 4
    # 3 mm: two voxels on either side.
    found = local_intensity(Roi(values, values > 0, (3.0, 3.0, 3.0)))
    assert found["loc_peak_loc"] == pytest.approx((10 + 4) / 5, rel=1e-12)


def test_voxels_outside_the_region_count_and_those_beyond_the_image_do_not() -> None:
    values = np.array([[[6.0, 3.0, 0.0]]])
    inside = np.array([[[True, False, False]]])
    found = local_intensity(Roi(values, inside, (5.0, 5.0, 5.0)))
    assert found["loc_peak_loc"] == pytest.approx((6 + 3) / 2, rel=1e-12)
    assert found["loc_peak_glob"] == found["loc_peak_loc"]
