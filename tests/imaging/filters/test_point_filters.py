"""Square, SquareRoot, Logarithm and Exponential against pyradiomics."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.filters import Exponential, Filter, Logarithm, Square, SquareRoot

BOX = (slice(2, 5), slice(0, 4), slice(3, 8))
FILTERS = (Square(), SquareRoot(), Logarithm(), Exponential())


def only(item: Filter, voxels: np.ndarray, box: tuple[slice, ...]) -> tuple[str, np.ndarray]:
    (found,) = item.responses(voxels, spacing_mm=(1.0, 1.0, 1.0), box=box)
    return found


@pytest.mark.parametrize("item", FILTERS, ids=lambda item: item.kind)
@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "f4", "f8"])
def test_response_in_a_box_is_that_of_the_whole_image(item, kind, image_types, rng):
    low = 0 if kind == "u1" else -32768 if kind == "i2" else -1000
    voxels = rng.uniform(low, 255, (6, 7, 8)).astype(kind)
    voxels[1, 1, 1], voxels[3, 2, 4] = low, 0
    ((name, expected),) = image_types(item.kind, voxels).items()
    found_name, found = only(item, voxels, BOX)
    assert found_name == name
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected[BOX])


@pytest.mark.parametrize("item", FILTERS, ids=lambda item: item.kind)
@pytest.mark.parametrize("value", [0, 1, -3])
@pytest.mark.filterwarnings("ignore::RuntimeWarning:radiomics")
def test_constant_image(item, value, image_types):
    voxels = np.full((6, 7, 8), value, dtype=np.int16)
    ((_, expected),) = image_types(item.kind, voxels).items()
    np.testing.assert_array_equal(only(item, voxels, BOX)[1], expected[BOX])


@pytest.mark.real
@pytest.mark.parametrize("item", FILTERS, ids=lambda item: item.kind)
def test_brain1(item, brain1, image_types):
    ((_, expected),) = image_types(item.kind, brain1.voxels).items()
    found = only(item, brain1.voxels, brain1.box)[1]
    np.testing.assert_array_equal(found, expected[brain1.box])
