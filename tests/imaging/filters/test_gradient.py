"""Gradient magnitude against pyradiomics, which asks ITK."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.filters import Gradient

SPACING = (2.5, 0.7, 1.3)


@pytest.mark.parametrize("use_spacing", [True, False], ids=["per-mm", "per-voxel"])
@pytest.mark.parametrize("kind", ["u1", "i2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(6, 7, 8), (1, 5, 4), (2, 1, 9)], ids=str)
def test_response_of_the_whole_image(use_spacing, kind, shape, image_types, rng):
    voxels = rng.uniform(0, 255, shape).astype(kind)
    expected = image_types("Gradient", voxels, spacing_mm=SPACING, gradientUseSpacing=use_spacing)
    whole = tuple(slice(0, size) for size in shape)
    found = dict(Gradient(use_spacing=use_spacing).responses(voxels, spacing_mm=SPACING, box=whole))
    assert list(found) == list(expected)
    np.testing.assert_array_equal(found["gradient"], expected["gradient"])


@pytest.mark.real
def test_brain1(brain1, image_types):
    expected = image_types("Gradient", brain1.voxels, spacing_mm=brain1.spacing_mm)["gradient"]
    ((_, found),) = Gradient().responses(
        brain1.voxels, spacing_mm=brain1.spacing_mm, box=brain1.box
    )
    np.testing.assert_array_equal(found, expected[brain1.box])


@pytest.mark.parametrize("start", [0, 2, 4])
def test_box_reads_its_neighbours(start, image_types, rng):
    voxels = rng.normal(size=(6, 6, 6))
    box = (slice(start, start + 2),) * 3
    expected = image_types("Gradient", voxels, spacing_mm=SPACING)["gradient"][box]
    ((_, found),) = Gradient().responses(voxels, spacing_mm=SPACING, box=box)
    np.testing.assert_array_equal(found, expected)
