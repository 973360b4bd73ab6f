"""Local binary patterns in 2D against pyradiomics, which asks scikit-image."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.filters import LBP2D

BOX = (slice(1, 4), slice(0, 5), slice(3, 9))
pytestmark = [
    pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern`:UserWarning"),
    pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning"),
]


@pytest.mark.parametrize("kind", ["u1", "i2", "f4", "f8"])
@pytest.mark.parametrize("flat_axis", [None, 0, 1, 2])
@pytest.mark.parametrize("method", ["default", "ror", "uniform", "var"])
def test_response_in_a_box_is_that_of_the_whole_image(kind, flat_axis, method, image_types, rng):
    voxels = rng.uniform(0, 9, (6, 7, 9)).astype(kind)
    voxels[2:4] = 5
    item = LBP2D(radius=1.5, samples=7, method=method)
    ((name, expected),) = image_types(
        "LBP2D",
        voxels,
        lbp2DRadius=1.5,
        lbp2DSamples=7,
        lbp2DMethod=method,
        force2D=flat_axis is not None,
        force2Ddimension=flat_axis or 0,
    ).items()
    ((found_name, found),) = item.responses(
        voxels, spacing_mm=(1, 1, 1), box=BOX, flat_axis=flat_axis
    )
    assert found_name == name
    np.testing.assert_array_equal(found, expected[BOX])


@pytest.mark.real
def test_brain1_with_the_defaults(brain1, image_types):
    expected = image_types("LBP2D", brain1.voxels)["lbp-2D"][brain1.box]
    ((_, found),) = LBP2D().responses(brain1.voxels, spacing_mm=brain1.spacing_mm, box=brain1.box)
    np.testing.assert_array_equal(found, expected)
