"""Undecimated wavelets against pyradiomics, which asks PyWavelets: equal to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.imaging.filters import Wavelet
from radiogenomics.imaging.radiomics import _kernels

SHAPES = ((6, 8, 10), (7, 9, 11), (1, 12, 5))
LONG = ("dmey", "db38")


def settings_of(item: Wavelet, flat_axis: int | None) -> dict[str, object]:
    return {
        "wavelet": item.wavelet,
        "level": item.level,
        "start_level": item.start_level,
        "force2D": flat_axis is not None,
        "force2Ddimension": flat_axis or 0,
    }


def assert_equal(item, voxels, image_types, *, box, flat_axis=None):
    expected = image_types("Wavelet", voxels, **settings_of(item, flat_axis))
    found = dict(item.responses(voxels, spacing_mm=(1.0, 1.0, 1.0), box=box, flat_axis=flat_axis))
    assert list(found) == list(expected)
    for name, response in found.items():
        assert response.dtype == np.float64
        np.testing.assert_array_equal(response, expected[name][box], err_msg=name)


@pytest.mark.parametrize("wavelet", ["coif1", "haar", "db3", "bior2.2", "rbio1.5", "sym8", *LONG])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_whole_image_with_any_wavelet(wavelet, shape, image_types, rng):
    """Filters longer than the image go around it more than once."""
    voxels = rng.normal(0, 300, shape).astype(np.int16)
    whole = tuple(slice(0, size) for size in shape)
    assert_equal(Wavelet(wavelet=wavelet), voxels, image_types, box=whole)


@pytest.mark.parametrize("kind", ["u1", "i2", "f4", "f8"])
@pytest.mark.parametrize(("level", "start_level"), [(1, 0), (2, 0), (1, 2), (2, 1)], ids=str)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_box_at_any_level(kind, level, start_level, place, image_types, rng):
    voxels = rng.uniform(0, 255, (13, 20, 33)).astype(kind)
    start = {"first": (0, 0, 0), "middle": (5, 9, 14), "last": (10, 16, 28)}[place]
    box = tuple(slice(first, first + size) for first, size in zip(start, (3, 4, 5), strict=True))
    item = Wavelet(wavelet="coif1", level=level, start_level=start_level)
    assert_equal(item, voxels, image_types, box=box)


@pytest.mark.parametrize("flat_axis", [0, 1, 2])
def test_flat_axis_is_left_out(flat_axis, image_types, rng):
    voxels = rng.normal(size=(5, 8, 9))
    box = (slice(1, 4), slice(2, 8), slice(0, 9))
    assert_equal(Wavelet(level=2), voxels, image_types, box=box, flat_axis=flat_axis)


def test_rounding_of_a_constant_image_is_the_same(image_types):
    """A detail of it is zero up to rounding, and the sign of that decides its grey level."""
    voxels = np.full((9, 10, 11), 37, dtype=np.int16)
    assert_equal(Wavelet(), voxels, image_types, box=(slice(0, 9), slice(0, 10), slice(0, 11)))


@pytest.mark.real
def test_brain1(brain1, image_types):
    assert_equal(Wavelet(level=2), brain1.voxels, image_types, box=brain1.box)


def test_unknown_wavelet_is_named(rng):
    with pytest.raises(UnknownNameError, match="coif1"):
        next(
            Wavelet(wavelet="coiff1").responses(
                rng.normal(size=(4, 4, 4)), spacing_mm=(1, 1, 1), box=(slice(0, 4),) * 3
            )
        )


def test_threads_change_nothing(rng):
    voxels, taps = rng.normal(size=(9, 12, 33)), rng.normal(size=(2, 6))
    turned = np.zeros(28, dtype=int)
    one, three = (
        _kernels.split_bands(voxels, taps[0], taps[1], 2, turned, threads) for threads in (1, 3)
    )
    np.testing.assert_array_equal(one, three)
