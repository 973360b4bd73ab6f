"""Recursive Laplacian of Gaussian against pyradiomics, which asks ITK: equal to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import GeometryError
from radiogenomics.imaging.filters import LoG
from radiogenomics.imaging.radiomics import _kernels

SPACINGS = ((1.0, 1.0, 1.0), (2.5, 0.7, 1.3))


def responses(voxels, sigmas, *, spacing_mm, box=None):
    whole = tuple(slice(0, size) for size in voxels.shape)
    item = LoG(sigma_mm=sigmas)
    return dict(item.responses(voxels, spacing_mm=spacing_mm, box=box or whole))


@pytest.mark.parametrize("spacing", SPACINGS, ids=["isotropic", "anisotropic"])
@pytest.mark.parametrize("kind", ["u1", "i2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(4, 4, 4), (6, 33, 40), (9, 70, 15)], ids=str)
def test_response_of_the_whole_image(spacing, kind, shape, image_types, rng):
    voxels = rng.uniform(0, 255, shape).astype(kind)
    sigmas = (0.4, 1, 1.5, 2.0)
    expected = image_types("LoG", voxels, spacing_mm=spacing, sigma=sigmas)
    found = responses(voxels, sigmas, spacing_mm=spacing)
    assert list(found) == list(expected) != []
    for name, response in found.items():
        np.testing.assert_array_equal(response, expected[name], err_msg=name)


@pytest.mark.parametrize("corner", ["first", "middle", "last"])
def test_box_of_a_large_image(corner, image_types, rng):
    """Larger than the reach of the filter along y and x, with an edge that could leak in."""
    voxels = rng.normal(0, 20, (5, 110, 130)).astype(np.int16)
    voxels[:, :, 64:] += 1000
    start = {"first": (0, 0, 0), "middle": (1, 50, 60), "last": (2, 102, 122)}[corner]
    box = tuple(slice(first, first + size) for first, size in zip(start, (3, 8, 8), strict=True))
    expected = image_types("LoG", voxels, spacing_mm=SPACINGS[0], sigma=[1.0, 1.7])
    found = responses(voxels, (1.0, 1.7), spacing_mm=SPACINGS[0], box=box)
    for name, response in found.items():
        np.testing.assert_array_equal(response, expected[name][box], err_msg=name)


@pytest.mark.real
def test_brain1(brain1, image_types):
    sigmas = (1.0, 2.0, 3.0, 5.0)
    expected = image_types("LoG", brain1.voxels, spacing_mm=brain1.spacing_mm, sigma=sigmas)
    found = responses(brain1.voxels, sigmas, spacing_mm=brain1.spacing_mm, box=brain1.box)
    assert list(found) == list(expected)
    for name, response in found.items():
        np.testing.assert_array_equal(response, expected[name][brain1.box], err_msg=name)


def test_constant_image_has_the_response_that_itk_gives_it(image_types):
    voxels = np.full((8, 9, 40), 1000, dtype=np.int16)
    expected = image_types("LoG", voxels, spacing_mm=SPACINGS[1], sigma=[2.0])
    found = responses(voxels, (2.0,), spacing_mm=SPACINGS[1])
    np.testing.assert_array_equal(*(list(maps.values())[0] for maps in (found, expected)))


@pytest.mark.parametrize(
    ("shape", "sigma"), [((3, 9, 9), 1.0), ((9, 9, 5), 6.0)], ids=["thin", "wide-sigma"]
)
def test_what_pyradiomics_leaves_out_is_an_error(shape, sigma, image_types, rng):
    voxels = rng.normal(size=shape)
    assert not image_types("LoG", voxels, spacing_mm=SPACINGS[1], sigma=[sigma])
    with pytest.raises(GeometryError, match="smaller sigma"):
        responses(voxels, (sigma,), spacing_mm=SPACINGS[1])


def test_threads_change_nothing(rng):
    voxels = rng.normal(size=(9, 40, 33))
    one, three = (
        _kernels.laplacian_of_gaussian(
            voxels, 1.5, np.ones(3), np.zeros(3, dtype=int), np.array(voxels.shape), threads
        )
        for threads in (1, 3)
    )
    np.testing.assert_array_equal(one, three)
