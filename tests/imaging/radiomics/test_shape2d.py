from __future__ import annotations

import logging
import warnings

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import GeometryError
from radiogenomics.imaging.radiomics import _kernels
from radiogenomics.imaging.radiomics.shape2d import FEATURES, shape2d_features

EVERY_NAME = tuple(feature.name for feature in FEATURES)


def by_pyradiomics(inside: np.ndarray, spacing_mm, flat_axis: int) -> dict[str, float]:
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    family = pytest.importorskip("radiomics.shape2D", reason="pyradiomics is not installed")
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    image, mask = (sitk.GetImageFromArray(inside[box].astype(np.uint8)) for _ in range(2))
    for item in (image, mask):
        item.SetSpacing([float(size) for size in reversed(spacing_mm)])
    logger = logging.getLogger("radiomics")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        features = family.RadiomicsShape2D(image, mask, force2D=True, force2Ddimension=flat_axis)
        for name in features.getFeatureNames():
            features.enableFeatureByName(name)
        found = features.execute()
    logger.setLevel(level)
    return {name: float(value) for name, value in found.items()}


@pytest.mark.parametrize("flat_axis", [0, 1, 2])
def test_random_slices_give_the_numbers_of_pyradiomics(flat_axis, rng):
    for density in np.tile((0.1, 0.3, 0.6, 0.9), 15):
        shape = rng.integers(1, 12, 3)
        shape[flat_axis] = 1
        inside = rng.random(shape) < density
        inside[tuple(rng.integers(0, shape))] = True
        spacing = rng.uniform(0.3, 4, 3)
        ours = shape2d_features(inside, spacing_mm=spacing, flat_axis=flat_axis, names=EVERY_NAME)
        theirs = by_pyradiomics(inside, spacing, flat_axis)
        assert list(ours) == list(theirs)
        if ours["MinorAxisLength"] == 0:
            # A line: zero by definition, in pyradiomics the root of a rounding error.
            flat = [theirs.pop(name) for name in ("MinorAxisLength", "Elongation")]
            assert flat[0] < 1e-6 and not flat[1] > 1e-6
        np.testing.assert_allclose(
            [ours[name] for name in theirs], list(theirs.values()), rtol=1e-9, atol=1e-12
        )


def test_a_rectangle_has_cut_corners():
    # Each corner loses a triangle with legs of half a pixel.
    rows, columns, y, x = 4, 7, 2.0, 0.5
    found = shape2d_features(np.ones((1, rows, columns), bool), spacing_mm=(9, y, x), flat_axis=0)
    straight = 2 * (rows - 1) * y + 2 * (columns - 1) * x
    assert found["MeshSurface"] == pytest.approx((rows * columns - 0.5) * y * x, rel=1e-14)
    assert found["Perimeter"] == pytest.approx(straight + 2 * np.hypot(y, x), rel=1e-14)
    assert found["PixelSurface"] == rows * columns * y * x


def test_the_slice_may_lie_anywhere_in_the_array(rng):
    inside = rng.random((1, 6, 7)) < 0.5
    inside[0, 3, 3] = True
    padded = np.pad(inside, ((3, 1), (2, 0), (0, 5)))
    at_home = shape2d_features(inside, spacing_mm=(1, 2, 3), flat_axis=0)
    assert shape2d_features(padded, spacing_mm=(1, 2, 3), flat_axis=0) == pytest.approx(at_home)


@pytest.mark.parametrize("slices", [0, 2])
def test_a_region_of_no_or_several_slices_is_refused(slices):
    inside = np.zeros((4, 3, 3), bool)
    inside[:slices] = True
    with pytest.raises(GeometryError, match=f"found voxels in {slices} slices"):
        shape2d_features(inside, spacing_mm=(1, 1, 1), flat_axis=0)


def test_the_kernel_refuses_a_volume():
    with pytest.raises(ValueError, match="expected 2 axes"):
        _kernels.outline(np.ones((2, 2, 2), bool), [1.0, 1.0])
