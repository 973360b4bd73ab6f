"""Gabor filters against direct convolution and the Fourier transform of their envelope."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from radiogenomics.imaging.filters import Gabor


def magnitude(
    gabor: Gabor,
    image: np.ndarray,
    *,
    spacing_mm: tuple[float, float, float] = (1, 1, 1),
    flat_axis: int | None = None,
) -> np.ndarray:
    z, y, x = (slice(0, size) for size in image.shape)
    ((_, values),) = gabor.responses(
        image, spacing_mm=spacing_mm, box=(z, y, x), flat_axis=flat_axis
    )
    return values


def defined_kernel(gabor: Gabor, far: int) -> np.ndarray:
    """The IBSI's formula for voxels of 1 mm, rows downwards and columns to the right."""
    rows, columns = np.mgrid[-far : far + 1, -far : far + 1].astype(float)
    angle = np.deg2rad(gabor.theta)
    u = columns * np.cos(angle) + rows * np.sin(angle)
    v = rows * np.cos(angle) - columns * np.sin(angle)
    squared = u**2 + gabor.aspect_ratio**2 * v**2
    wave = 2j * np.pi * u / gabor.wavelength_mm
    return np.exp(-squared / (2 * gabor.sigma_mm**2) + wave)


@pytest.mark.parametrize("normal", [0, 1, 2])
def test_response_in_a_plane_is_that_of_the_defined_kernel(
    normal: int, rng: np.random.Generator
) -> None:
    image = rng.normal(size=(9, 11, 10))
    gabor = Gabor(sigma_mm=1.5, wavelength_mm=3, aspect_ratio=0.8, theta=30, truncation=4)
    far = 8
    kernel = np.expand_dims(defined_kernel(gabor, far), normal)
    expected = np.abs(ndimage.convolve(image, kernel, mode="reflect"))
    values = magnitude(gabor, image, flat_axis=normal)
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("theta", [0, 30, 225])
def test_wave_answers_with_the_spectrum_of_the_envelope(theta: float) -> None:
    # Plane wave along the filter: half its amplitude times the area of the Gaussian, in voxels.
    spacing_mm = (1.0, 0.5, 0.8)
    gabor = Gabor(sigma_mm=4, wavelength_mm=4, aspect_ratio=1.25, theta=theta)
    rows, columns = np.arange(200) * spacing_mm[1], np.arange(160) * spacing_mm[2]
    angle = np.deg2rad(theta)
    along = columns * np.cos(angle) + rows[:, None] * np.sin(angle)
    image = 10 * np.cos(2 * np.pi * along / 4)[None]
    z, y, x = slice(0, 1), slice(100, 101), slice(80, 81)
    ((_, values),) = gabor.responses(image, spacing_mm=spacing_mm, box=(z, y, x), flat_axis=0)
    area = 2 * np.pi * 4 * (4 / 1.25) / (spacing_mm[1] * spacing_mm[2])
    assert values.item() == pytest.approx(5 * area, rel=1e-6)


@pytest.mark.parametrize(("step", "count"), [(45.0, 8), (120.0, 3)])
def test_orientations_and_planes_are_pooled(
    step: float, count: int, rng: np.random.Generator
) -> None:
    image = rng.normal(size=(8, 9, 10))
    every = [
        magnitude(
            Gabor(sigma_mm=1, wavelength_mm=3, aspect_ratio=2, theta=10 + turn * step),
            image,
            flat_axis=normal,
        )
        for turn in range(count)
        for normal in range(3)
    ]
    pooled = magnitude(
        Gabor(
            sigma_mm=1,
            wavelength_mm=3,
            aspect_ratio=2,
            theta=10,
            theta_step=step,
            orthogonal_planes=True,
        ),
        image,
    )
    np.testing.assert_allclose(pooled, np.mean(every, axis=0), rtol=0, atol=1e-10)


def test_step_that_does_not_close_the_circle_is_refused() -> None:
    with pytest.raises(ValidationError, match="divides 360.*found 50"):
        Gabor(sigma_mm=1, wavelength_mm=2, theta_step=50)
