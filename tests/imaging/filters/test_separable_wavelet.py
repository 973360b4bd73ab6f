"""Separable wavelets against PyWavelets' stationary transform."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.imaging.filters import SeparableWavelet

WHOLE = (slice(0, 8), slice(0, 12), slice(0, 16))


@pytest.mark.parametrize("wavelet", ["haar", "db3", "coif1", "bior2.2"])
@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("bands", ["LHL", "HHH", "LLH"])
def test_periodic_image_gives_the_stationary_transform(
    wavelet: str, level: int, bands: str, rng: np.random.Generator
) -> None:
    pywt = pytest.importorskip("pywt")
    image = rng.normal(size=(8, 12, 16))
    coefficients = pywt.swtn(image, wavelet, level=level, axes=(2, 1, 0))[0]
    kind = SeparableWavelet(
        wavelet=wavelet, decompositions=(bands,), level=level, boundary="periodic"
    )
    ((_, response),) = kind.responses(image, spacing_mm=(1, 1, 1), box=WHOLE)
    expected = coefficients[bands.replace("L", "a").replace("H", "d")]
    np.testing.assert_allclose(response, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_mean_over_rotations_turns_with_the_image(level: int, rng: np.random.Generator) -> None:
    pytest.importorskip("pywt")
    image = rng.normal(size=(10, 10, 10))
    whole = (slice(0, 10),) * 3
    kind = SeparableWavelet(
        wavelet="db2", decompositions=("LLH",), level=level, rotation_invariant=True
    )

    def response(voxels: np.ndarray) -> np.ndarray:
        ((_, values),) = kind.responses(voxels, spacing_mm=(1, 1, 1), box=whole)
        return values

    for axes in ((0, 1), (1, 2), (0, 2)):
        turned = response(np.rot90(image, axes=axes))
        np.testing.assert_allclose(turned, np.rot90(response(image), axes=axes), atol=1e-12)


def test_pooling_level_two_turns_low_and_high_pass_together(rng: np.random.Generator) -> None:
    pytest.importorskip("pywt")
    image = rng.normal(size=(1, 10, 10))
    whole = (slice(0, 1), slice(0, 10), slice(0, 10))

    def response(voxels: np.ndarray, *, pooled: bool) -> np.ndarray:
        kind = SeparableWavelet(
            wavelet="db3",
            decompositions=("LH",),
            level=2,
            rotation_invariant=pooled,
            pooling="max",
        )
        ((_, values),) = kind.responses(voxels, spacing_mm=(1, 1, 1), box=whole, flat_axis=0)
        return values

    turned = [
        np.rot90(response(np.rot90(image, turn, axes=(1, 2)), pooled=False), -turn, axes=(1, 2))
        for turn in range(4)
    ]
    np.testing.assert_allclose(
        response(image, pooled=True), np.max(turned, axis=0), rtol=0, atol=1e-12
    )


def test_unknown_wavelet_names_near_ones() -> None:
    pytest.importorskip("pywt")
    kind = SeparableWavelet(wavelet="coif01", decompositions=("LLL",))
    with pytest.raises(UnknownNameError, match="coif1"):
        next(kind.responses(np.zeros((8, 12, 16)), spacing_mm=(1, 1, 1), box=WHOLE))


def test_bands_need_a_letter_for_each_axis() -> None:
    pytest.importorskip("pywt")
    kind = SeparableWavelet(decompositions=("LH",))
    with pytest.raises(DataError, match="expected 3 rows.*found 2 in 'LH'"):
        next(kind.responses(np.zeros((8, 12, 16)), spacing_mm=(1, 1, 1), box=WHOLE))
