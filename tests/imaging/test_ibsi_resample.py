from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.ibsi_resample import ibsi_resample

OLD = (3.0, 0.9, 1.1)


@pytest.fixture
def volume(rng) -> Volume:
    voxels = 1000 * rng.normal(size=(14, 40, 37))
    region = np.zeros(voxels.shape, dtype=np.uint8)
    region[4:9, 12:28, 15:30] = rng.random((5, 16, 15)) < 0.7
    return Volume(voxels, {"tumour": region}, OLD, origin_mm=(5.0, -3.0, 100.0))


def places(count: int, old: float, new: float) -> np.ndarray:
    """Grid positions as the reference manual writes them (QCY4), in old voxels."""
    new_count = int(np.ceil(count * old / new))
    first = 0.5 * (count - 1 - new / old * (new_count - 1))
    return first + new / old * np.arange(new_count)


def by_scipy(values: np.ndarray, new, order: int) -> np.ndarray:
    axes = [places(*axis) for axis in zip(values.shape, OLD, new, strict=True)]
    points = np.meshgrid(*axes, indexing="ij")
    return ndimage.map_coordinates(values.astype(float), points, order=order, mode="nearest")


@pytest.mark.parametrize(("kind", "order"), [("linear", 1), ("bspline", 3)])
@pytest.mark.parametrize("new", [(2.0, 2.0, 2.0), (1.0, 1.0, 0.7), (5.0, 0.9, 4.1)])
def test_equal_to_scipy_with_continued_ends(volume: Volume, new, kind: str, order: int) -> None:
    found = ibsi_resample(volume, "tumour", spacing_mm=new, interpolator=kind)
    # scipy continues the ends by 12 voxels, after which a spline still knows 1e-7 of them.
    atol = 1e-9 if order == 1 else 1e-7 * np.abs(volume.voxels).max()
    np.testing.assert_allclose(found.voxels, by_scipy(volume.voxels, new, order), rtol=0, atol=atol)
    half = by_scipy(volume.mask("tumour"), new, 1)
    sure = np.abs(half - 0.5) > 1e-6
    np.testing.assert_array_equal(found.mask("tumour")[sure], (half > 0.5)[sure])


def test_nearest_takes_the_voxel_it_lies_in(volume: Volume) -> None:
    found = ibsi_resample(volume, "tumour", spacing_mm=(1.0, 0.3, 1.1), interpolator="nearest")
    expected = volume.voxels.repeat(3, axis=0).repeat(3, axis=1)
    np.testing.assert_array_equal(found.voxels, expected)


def test_grid_of_the_manual() -> None:
    """Four voxels of 3 mm become six of 2 mm with a common centre."""
    line = np.arange(4.0)
    volume = Volume(line.reshape(1, 1, 4), {"tumour": np.ones((1, 1, 4), int)}, (1.0, 1.0, 3.0))
    found = ibsi_resample(volume, "tumour", spacing_mm=(0, 0, 2))
    # Centres at -0.5, 1.5, 3.5, ... mm of the first old one; the ends are continued.
    np.testing.assert_allclose(found.voxels.ravel(), [0, 0.5, 7 / 6, 11 / 6, 2.5, 3])
    assert found.spacing_mm == (1.0, 1.0, 2.0)
    assert found.origin_mm == pytest.approx((-0.5, 0, 0))


def test_axes_that_keep_their_size_keep_their_voxels(volume: Volume) -> None:
    found = ibsi_resample(volume, "tumour", spacing_mm=(0, 0.9, 0), interpolator="bspline")
    np.testing.assert_array_equal(found.voxels, volume.voxels)
    np.testing.assert_array_equal(found.mask("tumour"), volume.mask("tumour") > 0)


@pytest.mark.parametrize("kind", ["linear", "bspline", "nearest"])
def test_a_margin_changes_nothing_of_what_is_kept(volume: Volume, kind: str) -> None:
    new = (2.0, 1.0, 1.0)
    whole = ibsi_resample(volume, "tumour", spacing_mm=new, interpolator=kind)
    part = ibsi_resample(volume, "tumour", spacing_mm=new, interpolator=kind, margin_mm=4)
    shift = np.subtract(part.origin_mm, whole.origin_mm)[::-1] / new
    z, y, x = np.rint(shift).astype(int)
    np.testing.assert_allclose(shift, (z, y, x), atol=1e-9)
    box = tuple(
        slice(start, start + size) for start, size in zip((z, y, x), part.voxels.shape, strict=True)
    )
    np.testing.assert_allclose(part.voxels, whole.voxels[box], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(part.mask("tumour"), whole.mask("tumour")[box])
    assert part.mask("tumour").sum() == whole.mask("tumour").sum()
    assert part.voxels.size < whole.voxels.size


def test_a_voxel_that_is_half_inside_belongs_to_the_region() -> None:
    """Each new voxel lies midway between two old ones, so weights are exact halves."""
    region = np.array([[[1, 1, 1, 0, 0, 0]]])
    volume = Volume(np.zeros(region.shape), {"tumour": region}, (1.0, 1.0, 0.1))
    found = ibsi_resample(volume, "tumour", spacing_mm=(0, 0, 0.2))
    assert found.mask("tumour").ravel().tolist() == [True, True, False]


@pytest.mark.parametrize("filled", [0, 1], ids=["empty", "lost"])
def test_a_region_without_voxels_is_refused(filled: int) -> None:
    region = np.zeros((5, 5, 5), dtype=int)
    region[2, 2, 2] = filled
    volume = Volume(np.zeros(region.shape), {"tumour": region}, (1.0, 1.0, 1.0))
    with pytest.raises(GeometryError):
        ibsi_resample(volume, "tumour", spacing_mm=(4.0, 4.0, 4.0))
