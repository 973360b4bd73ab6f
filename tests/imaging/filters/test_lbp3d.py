"""Local binary patterns in 3D against pyradiomics."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
import scipy.special

from radiogenomics.imaging.filters import LBP3D
from radiogenomics.imaging.filters.lbp3d import icosphere

CLOSE = MappingProxyType({"rtol": 1e-12, "atol": 1e-12})


@pytest.fixture(autouse=True)
def older_scipy(monkeypatch):
    """pyradiomics asks for a function that scipy 1.17 no longer has; angles come in other order."""
    pytest.importorskip("trimesh")
    monkeypatch.setattr(
        scipy.special,
        "sph_harm",
        lambda order, degree, azimuth, polar: scipy.special.sph_harm_y(
            degree, order, polar, azimuth
        ),
        raising=False,
    )


def settings_of(item: LBP3D) -> dict[str, object]:
    return {
        "lbp3DLevels": item.levels,
        "lbp3DIcosphereRadius": item.radius,
        "lbp3DIcosphereSubdivision": item.subdivision,
    }


@pytest.mark.parametrize("kind", ["u1", "i2", "f4", "f8"])
@pytest.mark.parametrize(
    "item",
    [LBP3D(), LBP3D(levels=3, radius=1.5, subdivision=2), LBP3D(radius=0.8, subdivision=0)],
    ids=["default", "finer", "coarse"],
)
def test_response_in_a_box_is_that_of_the_whole_image(kind, item, image_types, rng):
    """With a part of one value, where nothing but rounding decides what is higher."""
    voxels = rng.uniform(0, 200, (9, 12, 11)).astype(kind)
    voxels[3:8, 2:9, 4:] = 100
    box = (slice(2, 8), slice(0, 7), slice(3, 11))
    expected = image_types("LBP3D", voxels, **settings_of(item))
    found = dict(item.responses(voxels, spacing_mm=(1, 1, 1), box=box))
    assert list(found) == list(expected)
    for name, response in found.items():
        np.testing.assert_allclose(response, expected[name][box], **CLOSE, err_msg=name)


def test_crop_rounds_as_the_whole_image_does(image_types, rng):
    """Samples on the grid are whole numbers but for rounding, and are then cut off."""
    voxels = rng.integers(-100, 100, (5, 170, 160)).astype(np.int16)
    box = (slice(0, 5), slice(90, 96), slice(80, 88))
    inside = np.zeros(voxels.shape, dtype=bool)
    inside[box] = True
    expected = image_types("LBP3D", voxels, inside=inside)
    found = dict(LBP3D().responses(voxels, spacing_mm=(1, 1, 1), box=box))
    for name, response in found.items():
        np.testing.assert_allclose(response, expected[name][box], **CLOSE, err_msg=name)


@pytest.mark.real
def test_brain1(brain1, image_types):
    expected = image_types("LBP3D", brain1.voxels, inside=brain1.inside)
    found = dict(LBP3D().responses(brain1.voxels, spacing_mm=(1, 1, 1), box=brain1.box))
    within = brain1.inside[brain1.box]
    for name, response in found.items():
        np.testing.assert_allclose(
            response[within], expected[name][brain1.box][within], **CLOSE, err_msg=name
        )


@pytest.mark.parametrize("subdivision", [0, 1, 2, 3])
@pytest.mark.parametrize("radius", [1.0, 2.5])
def test_icosphere_is_that_of_trimesh(subdivision, radius):
    from trimesh.creation import icosphere as of_trimesh

    expected = of_trimesh(subdivision, radius).vertices
    np.testing.assert_array_equal(icosphere(subdivision, radius=radius), expected)
