"""pyradiomics resamples the whole image with ITK; ours reads a part of it and must not differ."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import GeometryError, MissingExtraError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.resample import resample

sitk = pytest.importorskip("SimpleITK")
UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
ITK_NAMES = {"bspline": "sitkBSpline", "linear": "sitkLinear", "nearest": "sitkNearestNeighbor"}


def by_pyradiomics(volume: Volume, *, spacing_mm, interpolator, pad):
    """Image and mask as pyradiomics resamples them."""
    operations = pytest.importorskip("radiomics.imageoperations")
    image = sitk.GetImageFromArray(volume.voxels)
    mask = sitk.GetImageFromArray(volume.mask("a").astype(np.uint32))
    for item in (image, mask):
        item.SetSpacing(volume.spacing_mm[::-1])
        item.SetOrigin(volume.origin_mm)
        item.SetDirection(volume.direction)
    return operations.resampleImage(
        image,
        mask,
        resampledPixelSpacing=list(spacing_mm[::-1]),
        interpolator=ITK_NAMES[interpolator],
        padDistance=pad,
    )


def assert_same(volume: Volume, **how) -> None:
    image, mask = by_pyradiomics(volume, **how)
    ours = resample(volume, "a", **how)
    expected = sitk.GetArrayFromImage(image)
    assert ours.voxels.dtype == expected.dtype
    np.testing.assert_array_equal(ours.mask("a"), sitk.GetArrayFromImage(mask) == 1)
    if volume.direction == UPRIGHT:
        np.testing.assert_array_equal(ours.voxels, expected)
    else:
        # Oblique positions are sums in another order; single precision has seven digits.
        digits = 1e-7 if expected.dtype == np.float32 else 1e-9
        reach = np.abs(expected.astype(float)).max()
        np.testing.assert_allclose(ours.voxels, expected, rtol=0, atol=digits * reach)
    np.testing.assert_allclose(ours.origin_mm, image.GetOrigin(), atol=1e-9)
    np.testing.assert_allclose(ours.spacing_mm, image.GetSpacing()[::-1])


def drawn(rng: np.random.Generator, shape, dtype) -> tuple[np.ndarray, np.ndarray]:
    """A textured image and a mask somewhere in it."""
    voxels = 60 * ndimage.gaussian_filter(rng.normal(size=shape), 0.8) + 100
    low = [int(rng.integers(0, size - 3)) for size in shape]
    high = [int(rng.integers(start + 3, size)) + 1 for start, size in zip(low, shape, strict=True)]
    mask = np.zeros(shape, dtype=np.uint8)
    box = tuple(slice(start, stop) for start, stop in zip(low, high, strict=True))
    mask[box] = rng.random(mask[box].shape) < 0.8
    mask[low[0], low[1], low[2]] = mask[high[0] - 1, high[1] - 1, high[2] - 1] = 1
    return voxels.astype(dtype), mask


@pytest.mark.parametrize("dtype", ["int16", "float32", "float64"])
@pytest.mark.parametrize("interpolator", ITK_NAMES)
@pytest.mark.parametrize("case", range(6))
def test_resampling_is_that_of_the_whole_image(rng, case, interpolator, dtype):
    shape = tuple(int(n) for n in rng.integers(6, 70 if case % 2 else 14, 3))
    voxels, mask = drawn(rng, shape, dtype)
    direction, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    volume = Volume(
        voxels,
        {"a": mask},
        tuple(rng.uniform(0.5, 4.0, 3).tolist()),
        tuple(rng.uniform(-300, 300, 3).tolist()),
        tuple(direction.ravel().tolist()) if case < 3 else (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0),
    )
    spacing = tuple((rng.uniform(0.5, 4.0, 3) * (rng.random(3) > 0.2)).tolist())
    assert_same(volume, spacing_mm=spacing, interpolator=interpolator, pad=case)


@pytest.mark.parametrize("interpolator", ITK_NAMES)
def test_ties_between_voxels_fall_as_in_itk(rng, interpolator):
    """At half the voxel size each new centre lies midway between two old ones."""
    voxels, mask = drawn(rng, (21, 20, 19), "float64")
    volume = Volume(voxels, {"a": mask}, (0.5, 0.5, 0.5), (-17.3, 211.1, 0.7))
    assert_same(volume, spacing_mm=(1.0, 1.0, 1.0), interpolator=interpolator, pad=3)


def test_an_axis_one_voxel_thick_is_kept(rng):
    voxels, mask = drawn(rng, (9, 20, 20), "float64")
    mask[:5] = mask[6:] = 0
    mask[5, 4:9, 4:9] = 1
    volume = Volume(voxels, {"a": mask}, (5.0, 0.8, 0.8))
    assert resample(volume, "a", spacing_mm=(1.0, 1.0, 1.0)).spacing_mm == (5.0, 1.0, 1.0)
    assert_same(volume, spacing_mm=(1.0, 1.0, 1.0), interpolator="bspline", pad=2)


def test_voxels_of_that_size_are_only_cropped(rng):
    voxels, mask = drawn(rng, (20, 20, 20), "int16")
    mask[:] = 0
    mask[8:10, 8:10, 8:10] = 1
    volume = Volume(voxels, {"a": mask}, (1.0, 1.0, 1.0), (3.0, 4.0, 5.0))
    found = resample(volume, "a", spacing_mm=(1.0, 1.0, 0.0), pad=2)
    np.testing.assert_array_equal(found.voxels, voxels[6:12, 6:12, 6:12])
    assert found.origin_mm == (9.0, 10.0, 11.0)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float64"])
def test_whole_numbers_are_cut_off_as_by_itk(rng, dtype):
    """ITK makes 254 of half the voxels of a constant 255: its rounding is part of its numbers."""
    mask = np.ones((9, 9, 9), dtype=np.uint8)
    flat = np.full(mask.shape, 255)
    steps = rng.integers(0, 255, mask.shape)
    for voxels in (flat.astype(dtype), steps.astype(dtype)):
        for spacing in ((3.0, 1.0, 1.0), (1.3, 0.9, 0.9)):
            volume = Volume(voxels, {"a": mask}, spacing, (-171.3, 40.25, 7.1))
            how = {"spacing_mm": (1.0, 1.0, 1.0), "interpolator": "bspline", "pad": 2}
            if spacing[1] == 1.0:
                how["spacing_mm"] = (1.0, 0.5, 0.5)
            image, _ = by_pyradiomics(volume, **how)
            found = resample(volume, "a", **how).voxels
            np.testing.assert_array_equal(found, sitk.GetArrayFromImage(image))


def test_intensities_are_changed_before_interpolation(rng):
    voxels, mask = drawn(rng, (20, 21, 22), "float64")
    how = {"spacing_mm": (1.5, 1.5, 1.5), "pad": 2}
    clipped = Volume(np.clip(voxels, 90, 110), {"a": mask}, (1.0, 1.0, 1.0))
    volume = Volume(voxels, {"a": mask}, (1.0, 1.0, 1.0))
    found = resample(volume, "a", intensities=lambda part: np.clip(part, 90, 110), **how)
    np.testing.assert_allclose(found.voxels, resample(clipped, "a", **how).voxels, rtol=1e-12)


def test_region_between_the_new_voxels_is_named():
    mask = np.zeros((9, 9, 9), dtype=np.uint8)
    mask[0, 0, 0] = mask[1, 1, 1] = 1
    volume = Volume(np.zeros(mask.shape), {"a": mask}, (1.0, 1.0, 1.0))
    with pytest.raises(GeometryError, match="falls between"):
        resample(volume, "a", spacing_mm=(7.0, 7.0, 7.0))


def test_missing_simpleitk_says_how_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    volume = Volume(np.zeros((4, 4, 4)), {"a": np.ones((4, 4, 4), dtype=int)}, (1.0, 1.0, 1.0))
    with pytest.raises(MissingExtraError, match=r"pip install 'radiogenomics\[imaging\]'"):
        resample(volume, "a", spacing_mm=(2.0, 2.0, 2.0))
