"""The viable part of lesions: by numpy alone, and where nothing enhances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import DataError, GeometryError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.enhancement import with_viable

SHAPE, SPACING = (16, 32, 32), (4.0, 2.0, 2.0)


@pytest.fixture
def scan(rng) -> Volume:
    """A liver of 60 ± 5, half of lesion 3 is 40 above, and lesion 7 does not enhance."""
    voxels = rng.normal(60, 5, size=SHAPE)
    tumour = np.zeros(SHAPE, dtype=np.uint8)
    tumour[4:10, 4:14, 4:14] = 3
    tumour[4:10, 18:28, 18:28] = 7
    voxels[4:10, 4:14, 4:9] += 40
    voxels[tumour == 7] -= 30
    liver = np.ones(SHAPE, dtype=np.uint8)
    liver[:, :, -3:] = 0
    voxels[liver == 0] = 500  # what is outside of the organ says nothing of it
    return Volume(voxels, {"liver": liver, "tumour": tumour}, SPACING)


def test_rule_by_numpy(scan):
    found = with_viable(scan, above_sd=3.0, smoothed_mm=0.0).masks["viable"]
    voxels, tumour = scan.voxels.astype(np.float32), scan.masks["tumour"]
    rest = voxels[(scan.masks["liver"] > 0) & (tumour == 0)]
    bound = np.median(rest) + 3 * 1.4826 * np.median(np.abs(rest - np.median(rest)))
    assert np.array_equal(found, np.where(voxels > bound, tumour, 0))
    assert bound == pytest.approx(75, abs=0.5)  # 60 + 3 × 5
    smooth = ndimage.gaussian_filter(voxels, [4 / 2.3548 / mm for mm in SPACING], mode="nearest")
    rest = smooth[(scan.masks["liver"] > 0) & (tumour == 0)]
    bound = np.median(rest) + 2 * 1.4826 * np.median(np.abs(rest - np.median(rest)))
    usual = with_viable(scan).masks["viable"]
    assert np.mean(usual != np.where(smooth > bound, tumour, 0)) < 1e-4


def test_enhancing_half_is_viable_and_the_rest_is_not(scan):
    viable = with_viable(scan).masks["viable"]
    assert set(np.unique(viable)) == {0, 3}
    truth = np.zeros(SHAPE, dtype=bool)
    truth[4:10, 4:14, 4:9] = True
    both = (truth & (viable > 0)).sum()
    assert 2 * both / (truth.sum() + (viable > 0).sum()) > 0.9
    assert viable.dtype == scan.masks["tumour"].dtype
    assert set(scan.masks) == {"liver", "tumour"}


def test_unit_and_number_type_change_nothing(scan):
    usual = with_viable(scan).masks["viable"] > 0
    other = with_viable(replace(scan, voxels=scan.voxels * 8 + 1000)).masks["viable"] > 0
    assert (usual != other).sum() <= 1
    drawn_as_one = replace(scan, masks={**scan.masks, "tumour": scan.masks["tumour"] > 0})
    assert np.array_equal(with_viable(drawn_as_one).masks["viable"], usual)


def test_after_complete_response_the_mask_is_there_and_empty(scan):
    quiet = scan.voxels.copy()
    quiet[scan.masks["tumour"] > 0] = 30
    assert not with_viable(replace(scan, voxels=quiet)).masks["viable"].any()


def test_bad_input_is_named(scan):
    with pytest.raises(UnknownNameError, match="did you mean 'liver'"):
        with_viable(scan, organ="livr")
    for given in ({"above_sd": 0.0}, {"above_sd": np.nan}, {"smoothed_mm": -1.0}):
        with pytest.raises(DataError, match="expected above_sd above 0"):
            with_viable(scan, **given)
    flat = replace(scan, voxels=np.full(SHAPE, 60.0))
    with pytest.raises(GeometryError, match="with a spread of 0"):
        with_viable(flat)
    few = np.zeros(SHAPE, dtype=np.uint8)
    few[0, :10, :10] = 1
    with pytest.raises(GeometryError, match="expected 1000 voxels of liver outside tumour"):
        with_viable(replace(scan, masks={**scan.masks, "liver": few}))
    everything = replace(scan, masks={**scan.masks, "tumour": np.ones(SHAPE, dtype=np.uint8)})
    with pytest.raises(GeometryError, match="expected liver outside tumour; found none"):
        with_viable(everything)
