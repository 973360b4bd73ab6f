from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import GeometryError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.intensity import (
    image_statistics,
    normalise_to_image,
    normalise_to_organ,
)


@pytest.fixture
def scan(rng) -> Volume:
    liver = np.zeros((10, 20, 20), dtype=np.uint8)
    liver[2:8, 3:17, 3:17] = 1
    tumour = np.zeros_like(liver)
    tumour[4:6, 8:12, 8:12] = 1
    voxels = rng.normal(100, 12, size=liver.shape)
    voxels[tumour > 0] += 500
    return Volume(voxels, {"liver": liver, "tumour": tumour}, (2.0, 1.0, 1.0))


def test_liver_outside_the_tumour_gets_mean_0_and_sd_100(scan):
    done = normalise_to_organ(scan)
    reference = (scan.mask("liver") > 0) & (scan.mask("tumour") == 0)
    assert done.voxels[reference].mean() == pytest.approx(0, abs=1e-9)
    assert done.voxels[reference].std() == pytest.approx(100)


def test_scanner_gain_and_offset_cancel(scan):
    other = Volume(7.5 * scan.voxels - 320, scan.masks, scan.spacing_mm)
    np.testing.assert_allclose(
        normalise_to_organ(other).voxels, normalise_to_organ(scan).voxels, rtol=1e-9, atol=1e-8
    )


def test_tumour_does_not_move_the_yardstick(scan):
    voxels = scan.voxels.copy()
    voxels[scan.mask("tumour") > 0] = -900
    changed = normalise_to_organ(Volume(voxels, scan.masks, scan.spacing_mm))
    outside = scan.mask("tumour") == 0
    assert np.array_equal(changed.voxels[outside], normalise_to_organ(scan).voxels[outside])


def test_integers_are_not_cut_off(scan):
    whole = Volume(np.round(scan.voxels).astype(np.int16), scan.masks, scan.spacing_mm)
    done = normalise_to_organ(whole).voxels
    assert np.abs(done - np.round(done)).max() > 0.1


def test_no_liver_mask_is_named(scan):
    bare = Volume(scan.voxels, {"livre": scan.mask("liver")}, scan.spacing_mm)
    with pytest.raises(UnknownNameError, match="'livre'"):
        normalise_to_organ(bare)


def test_liver_full_of_tumour_is_refused(scan):
    masks = {"liver": scan.mask("tumour"), "tumour": scan.mask("tumour")}
    full = Volume(scan.voxels, masks, scan.spacing_mm)
    with pytest.raises(GeometryError, match="at least 100 voxels of liver"):
        normalise_to_organ(full)


def test_flat_liver_is_refused(scan):
    flat = Volume(np.full(scan.voxels.shape, 60.0), scan.masks, scan.spacing_mm)
    with pytest.raises(GeometryError, match="varying intensity"):
        normalise_to_organ(flat)


@pytest.mark.parametrize("dtype", ["int16", "float32", "float64"])
def test_image_statistics_are_those_of_itk(rng, dtype):
    sitk = pytest.importorskip("SimpleITK")
    voxels = rng.normal(300, 80, size=(7, 30, 40)).astype(dtype)
    statistics = sitk.StatisticsImageFilter()
    statistics.Execute(sitk.GetImageFromArray(voxels))
    expected = (statistics.GetMean(), statistics.GetSigma())
    np.testing.assert_allclose(image_statistics(voxels), expected, rtol=1e-13)


@pytest.mark.parametrize("outliers", [None, 1.5])
def test_normalised_image_is_that_of_pyradiomics(rng, outliers):
    operations = pytest.importorskip("radiomics.imageoperations")
    sitk = pytest.importorskip("SimpleITK")
    voxels = rng.normal(300, 80, size=(7, 30, 40)).astype(np.int16)
    image = operations.normalizeImage(
        sitk.GetImageFromArray(voxels), normalizeScale=100, removeOutliers=outliers
    )
    mean, deviation = image_statistics(voxels)
    ours = normalise_to_image(voxels, mean=mean, deviation=deviation, scale=100, outliers=outliers)
    np.testing.assert_allclose(ours, sitk.GetArrayFromImage(image), rtol=1e-13, atol=1e-11)


@pytest.mark.parametrize("value", [0.0, 0.1, 30_000.7])
def test_constant_image_cannot_be_normalised(value):
    with pytest.raises(GeometryError, match="everywhere"):
        image_statistics(np.full((5, 6, 7), value))
