from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.masks import bounding_box
from radiogenomics.imaging.preparation import prepare, resegment
from radiogenomics.imaging.settings import ExtractionSettings


@pytest.fixture
def lesion(rng) -> Volume:
    z, y, x = np.indices((20, 24, 26))
    ball = (z - 10) ** 2 + (y - 12) ** 2 + (x - 11) ** 2 < 30
    return Volume(rng.normal(100, 30, size=ball.shape), {"a": ball.astype(int)}, (2.0, 1.0, 1.0))


def by_pyradiomics(volume: Volume, **settings) -> np.ndarray:
    """Re-segmented mask."""
    operations = pytest.importorskip("radiomics.imageoperations")
    sitk = pytest.importorskip("SimpleITK")
    image, mask = (sitk.GetImageFromArray(a) for a in (volume.voxels, volume.mask("a")))
    return sitk.GetArrayFromImage(operations.resegmentMask(image, mask, **settings)) == 1


@pytest.mark.parametrize(
    ("mode", "bounds"),
    [
        ("absolute", (90.0,)),
        ("absolute", (120.0, 80.0)),
        ("relative", (0.5,)),
        ("relative", (0.4, 0.9)),
        ("sigma", (-1.0,)),
        ("sigma", (-1.0, 1.5)),
    ],
)
def test_resegmented_region_is_that_of_pyradiomics(lesion, mode, bounds):
    settings = ExtractionSettings(bin_width=25, resegment_range=bounds, resegment_mode=mode)
    ours = resegment(lesion.voxels, lesion.mask("a") > 0, settings)
    theirs = by_pyradiomics(lesion, resegmentRange=list(bounds), resegmentMode=mode)
    np.testing.assert_array_equal(ours, theirs)


def test_shape_keeps_the_region_as_drawn_unless_told_otherwise(lesion):
    settings = ExtractionSettings(bin_width=25, resegment_range=(100.0,), minimum_voxels=1)
    ready = prepare(lesion, "a", settings)
    assert ready.shape.sum() == (lesion.mask("a") > 0).sum() > ready.inside.sum()
    assert ready.box == bounding_box(ready.inside)
    both = prepare(lesion, "a", settings.model_copy(update={"resegment_shape": True}))
    np.testing.assert_array_equal(both.shape, ready.inside)


def test_early_crop_keeps_the_padding(lesion):
    ready = prepare(lesion, "a", ExtractionSettings(bin_width=25, pre_crop=True, pad_distance=3))
    box = bounding_box(lesion.mask("a") > 0, margin=(3, 3, 3))
    np.testing.assert_array_equal(ready.volume.voxels, lesion.voxels[box])


def test_whole_image_decides_about_normalisation_also_where_it_is_cropped(lesion):
    settings = ExtractionSettings(
        bin_width=25, normalise="image", normalise_scale=10, pre_crop=True, pad_distance=0
    )
    whole = 10 * (lesion.voxels - lesion.voxels.mean()) / lesion.voxels.std(ddof=1)
    ready = prepare(lesion, "a", settings)
    box = bounding_box(lesion.mask("a") > 0)
    np.testing.assert_allclose(ready.volume.voxels, whole[box], rtol=1e-12)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"minimum_voxels": 1000}, "at least 1000 voxels"),
        ({"resegment_range": (90.0, 91.0), "minimum_voxels": 200}, "at least 200 voxels"),
        ({"resegment_range": (1e6, 2e6)}, "within 1e[+]06 to 2e[+]06; found 0"),
    ],
)
def test_region_of_which_too_little_is_left_is_refused(lesion, fields, problem):
    with pytest.raises(GeometryError, match=problem):
        prepare(lesion, "a", ExtractionSettings(bin_width=25, **fields))


def test_size_is_counted_in_the_voxels_that_are_measured(lesion):
    drawn = int((lesion.mask("a") > 0).sum())
    few = {"bin_width": 25, "minimum_voxels": drawn}
    with pytest.raises(GeometryError, match=f"at least {drawn} voxels"):
        prepare(lesion, "a", ExtractionSettings(spacing_mm=(2.0, 2.0, 2.0), **few))
    finer = prepare(lesion, "a", ExtractionSettings(spacing_mm=(1.0, 1.0, 1.0), **few))
    assert finer.inside.sum() > drawn


def test_empty_region_is_named(lesion):
    empty = Volume(lesion.voxels, {"a": lesion.mask("a") * 0}, lesion.spacing_mm)
    with pytest.raises(GeometryError, match="found none"):
        prepare(empty, "a", ExtractionSettings(bin_width=25))
