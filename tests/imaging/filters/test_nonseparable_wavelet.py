"""Non-separable wavelets against the complex definition of their reference maps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft

from radiogenomics.imaging.filters import NonseparableWavelet
from radiogenomics.imaging.filters.nonseparable_wavelet import shannon, simoncelli


def centred_radius(shape: tuple[int, ...]) -> np.ndarray:
    """Distance from the middle of the spectrum, 1 at the ends of each axis."""
    middles = [(size - 1) / 2 for size in shape]
    axes = [
        (np.arange(size) - middle) / middle for size, middle in zip(shape, middles, strict=True)
    ]
    return np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))


def weight(family: str, radius: np.ndarray, level: int) -> np.ndarray:
    ratio = radius * 2 ** (level - 1)
    if family == "shannon":
        return ((ratio >= 0.5) & (ratio <= 1)).astype(float)
    inside = (ratio >= 0.25) & (ratio <= 1)
    return np.where(inside, np.cos(np.pi / 2 * np.log2(2 * np.where(inside, ratio, 1))), 0)


@pytest.mark.parametrize("family", ["simoncelli", "shannon"])
@pytest.mark.parametrize("shape", [(8, 10, 12), (7, 9, 11), (6, 9, 8)], ids=str)
@pytest.mark.parametrize("flat_axis", [None, 0])
def test_response_is_the_real_part_of_the_weighted_spectrum(
    family: str, shape: tuple[int, int, int], flat_axis: int | None, rng: np.random.Generator
) -> None:
    image = rng.normal(size=shape)
    axes = (0, 1, 2) if flat_axis is None else (1, 2)
    radius = centred_radius(tuple(shape[axis] for axis in axes))
    z, y, x = (slice(0, size) for size in shape)
    kind = NonseparableWavelet(family=family, levels=(1, 2))
    responses = kind.responses(image, spacing_mm=(1, 1, 1), box=(z, y, x), flat_axis=flat_axis)
    for level, (name, response) in enumerate(responses, start=1):
        weights = fft.ifftshift(weight(family, radius, level))
        expected = fft.ifftn(fft.fftn(image, axes=axes) * weights, axes=axes).real
        assert name == f"{family}-level-{level}"
        np.testing.assert_allclose(response, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("band", [simoncelli, shannon])
def test_bands_of_all_levels_share_the_energy_of_each_frequency(band) -> None:
    frequencies = np.random.default_rng(1).uniform(0.05, 0.499, 200)
    squared = [band((frequencies,), highest=2.0**-step) ** 2 for step in range(8)]
    np.testing.assert_allclose(np.sum(squared, axis=0), 1, atol=1e-12)


def test_mirrored_image_is_continued_by_half_its_size(rng: np.random.Generator) -> None:
    image = rng.normal(size=(4, 8, 6))
    z, y, x = (slice(0, size) for size in image.shape)
    ((name, response),) = NonseparableWavelet(boundary="mirror").responses(
        image, spacing_mm=(1, 1, 1), box=(z, y, x)
    )
    padded = np.pad(image, [(2, 2), (4, 4), (3, 3)], mode="symmetric")
    pz, py, px = (slice(0, size) for size in padded.shape)
    ((_, expected),) = NonseparableWavelet().responses(
        padded, spacing_mm=(1, 1, 1), box=(pz, py, px)
    )
    assert name == "simoncelli-level-1-mirror"
    np.testing.assert_allclose(response, expected[2:6, 4:12, 3:9], atol=1e-12)
