"""Sampled Laplacian of Gaussian against its definition and against calculus."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.imaging.filters import SampledLoG

WHOLE = (slice(0, 12), slice(0, 14), slice(0, 13))


def defined_kernel(sigma: float, dimensions: int, *, far: int) -> np.ndarray:
    """The IBSI's formula, sampled; sigma in voxels."""
    grid = np.meshgrid(*[np.arange(-far, far + 1)] * dimensions, indexing="ij")
    squared = sum(axis**2 for axis in grid) / sigma**2
    height = (2 * np.pi) ** (-dimensions / 2) * sigma ** -(dimensions + 2)
    return -height * (dimensions - squared) * np.exp(-squared / 2)


@pytest.mark.parametrize("flat_axis", [None, 0])
def test_response_is_that_of_the_defined_kernel(
    flat_axis: int | None, rng: np.random.Generator
) -> None:
    image = rng.normal(size=(12, 14, 13))
    ((_, response),) = SampledLoG(sigma_mm=(3,), truncation=3).responses(
        image, spacing_mm=(2, 2, 2), box=WHOLE, flat_axis=flat_axis
    )
    kernel = defined_kernel(1.5, 3 if flat_axis is None else 2, far=5)
    kernel = kernel if flat_axis is None else kernel[None]
    expected = ndimage.convolve(image, kernel, mode="reflect")
    np.testing.assert_allclose(response, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("spacing_mm", [(2.0, 2.0, 2.0), (3.0, 1.0, 1.5)], ids=str)
def test_laplacian_of_a_quadratic_is_constant(spacing_mm: tuple[float, float, float]) -> None:
    # A Gaussian leaves the second derivatives of a quadratic as they are: 2 + 4 + 6 per mm².
    z, y, x = (np.arange(-40, 41) * size for size in spacing_mm)
    image = z[:, None, None] ** 2 + 2 * y[:, None] ** 2 + 3 * x**2
    middle = (slice(40, 41),) * 3
    ((_, response),) = SampledLoG(sigma_mm=(4.5,), truncation=8).responses(
        image, spacing_mm=spacing_mm, box=middle
    )
    squared_voxel = np.prod(spacing_mm) ** (2 / 3)
    assert response.item() == pytest.approx(12 * squared_voxel, rel=1e-6)


def test_each_sigma_is_an_image_type() -> None:
    responses = SampledLoG(sigma_mm=(1, 2.5), boundary="zero").responses(
        np.ones((12, 14, 13)), spacing_mm=(1, 1, 1), box=WHOLE
    )
    assert [name for name, _ in responses] == [
        "sampled-log-sigma-1-0-mm-zero",
        "sampled-log-sigma-2-5-mm-zero",
    ]
