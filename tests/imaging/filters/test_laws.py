"""Laws kernels against direct convolution, and their rotations against rotating the image."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from radiogenomics.core.errors import DataError
from radiogenomics.imaging.filters import Laws

SIZE = 9
WHOLE = (slice(0, SIZE),) * 3


@pytest.fixture
def image(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(SIZE, SIZE, SIZE))


def response_of(laws: Laws, image: np.ndarray, *, flat_axis: int | None = None) -> np.ndarray:
    ((_, response),) = laws.responses(image, spacing_mm=(1, 1, 1), box=WHOLE, flat_axis=flat_axis)
    return response


def unit(*row: float) -> np.ndarray:
    return np.array(row) / np.linalg.norm(row)


def rotations(flat: bool) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Axis order and signs of all rotation matrices made of 0 and ±1."""
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            in_plane = matrix[0, 0] == 1
            if round(np.linalg.det(matrix)) == 1 and (in_plane or not flat):
                yield order, signs


def rotated(image: np.ndarray, order: tuple[int, ...], signs: tuple[int, ...]) -> np.ndarray:
    return image.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]


def rotated_back(image: np.ndarray, order: tuple[int, ...], signs: tuple[int, ...]) -> np.ndarray:
    return image[tuple(slice(None, None, sign) for sign in signs)].transpose(np.argsort(order))


def test_rows_lie_along_x_y_z(image: np.ndarray) -> None:
    e3, w5, r5 = unit(-1, 0, 1), unit(-1, 2, 0, -2, 1), unit(1, -4, 6, -4, 1)
    kernel = r5[:, None, None] * w5[:, None] * e3
    expected = ndimage.convolve(image, kernel, mode="constant")
    response = response_of(Laws(kernels=("E3W5R5",), boundary="zero"), image)
    np.testing.assert_allclose(response, expected, rtol=0, atol=1e-12)


def test_two_rows_lie_within_slices(image: np.ndarray) -> None:
    kernel = unit(-1, 0, 2, 0, -1)[:, None] * unit(1, 4, 6, 4, 1)
    expected = ndimage.convolve(image, kernel[None], mode="reflect")
    response = response_of(Laws(kernels=("L5S5",)), image, flat_axis=0)
    np.testing.assert_allclose(response, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("pooling", ["max", "mean", "min"])
@pytest.mark.parametrize(
    ("kernel", "flat_axis", "count"),
    [("E5L5S5", None, 24), ("L5E5E5", None, 24), ("E3W5R5", None, 24), ("E3S5", 0, 4)],
)
def test_turning_the_kernel_is_turning_the_image(
    pooling: str, kernel: str, flat_axis: int | None, count: int, image: np.ndarray
) -> None:
    plain = Laws(kernels=(kernel,))
    turned = [
        rotated_back(response_of(plain, rotated(image, *turn), flat_axis=flat_axis), *turn)
        for turn in rotations(flat=flat_axis == 0)
    ]
    assert len(turned) == count
    expected = {"max": np.max, "mean": np.mean, "min": np.min}[pooling](turned, axis=0)
    laws = Laws(kernels=(kernel,), rotation_invariant=True, pooling=pooling)
    response = response_of(laws, image, flat_axis=flat_axis)
    np.testing.assert_allclose(response, expected, rtol=0, atol=1e-12)


def test_energy_is_the_mean_magnitude_around(image: np.ndarray) -> None:
    magnitude = np.abs(response_of(Laws(kernels=("E5L5S5",)), image))
    expected = ndimage.uniform_filter(magnitude, 5, mode="reflect")
    response = response_of(Laws(kernels=("E5L5S5",), energy_distance=2), image)
    np.testing.assert_allclose(response, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernel", ["E5", "E5L5S7", "W3L5", "l5e5", "E5L5S5R5"])
def test_unknown_kernel_is_refused(kernel: str) -> None:
    with pytest.raises(ValidationError, match="kernels"):
        Laws(kernels=(kernel,))


@pytest.mark.parametrize(("kernel", "flat_axis"), [("L5E5", None), ("L5E5E5", 0)])
def test_kernel_needs_a_row_for_each_axis(
    kernel: str, flat_axis: int | None, image: np.ndarray
) -> None:
    with pytest.raises(DataError, match=f"rows in the kernel.*{kernel}"):
        response_of(Laws(kernels=(kernel,)), image, flat_axis=flat_axis)
