"""Continuation beyond the border against numpy's padding."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from radiogenomics.imaging.filters.boundary import Boundary, beyond, image_reader

AS_IN_NUMPY = MappingProxyType(
    {"zero": "constant", "nearest": "edge", "periodic": "wrap", "mirror": "symmetric"}
)


@pytest.mark.parametrize("boundary", AS_IN_NUMPY)
@pytest.mark.parametrize("margins", [(0, 0, 0), (1, 2, 3), (0, 11, 17)], ids=str)
def test_whole_image_is_padded_as_numpy_pads(
    boundary: Boundary, margins: tuple[int, int, int], rng: np.random.Generator
) -> None:
    image = rng.normal(size=(3, 4, 5))
    whole = (slice(0, 3), slice(0, 4), slice(0, 5))
    padded = beyond(
        image_reader(image), whole, margins=margins, shape=image.shape, boundary=boundary
    )
    expected = np.pad(image, [(margin, margin) for margin in margins], mode=AS_IN_NUMPY[boundary])
    np.testing.assert_array_equal(padded, expected)


@pytest.mark.parametrize("boundary", AS_IN_NUMPY)
@pytest.mark.parametrize("start", [0, 2, 7], ids=["at-the-start", "inside", "at-the-end"])
def test_box_is_what_lies_there_in_the_padded_image(
    boundary: Boundary, start: int, rng: np.random.Generator
) -> None:
    image = rng.normal(size=(1, 1, 9))
    box = (slice(0, 1), slice(0, 1), slice(start, start + 2))
    around = beyond(
        image_reader(image), box, margins=(0, 0, 4), shape=image.shape, boundary=boundary
    )
    padded = np.pad(image[0, 0], 4, mode=AS_IN_NUMPY[boundary])
    np.testing.assert_array_equal(around[0, 0], padded[start : start + 10])


def test_no_more_of_the_image_is_read_than_is_needed() -> None:
    asked = []

    def read(box: tuple[slice, slice, slice]) -> np.ndarray:
        asked.append(box)
        return np.zeros([part.stop - part.start for part in box])

    box = (slice(0, 1), slice(4, 6), slice(0, 2))
    beyond(read, box, margins=(0, 1, 1), shape=(9, 9, 9), boundary="mirror")
    assert asked == [(slice(0, 1), slice(3, 7), slice(0, 3))]
