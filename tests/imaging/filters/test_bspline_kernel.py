"""B-spline resampling against SimpleITK: equal to the last bit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from radiogenomics.imaging.radiomics import _kernels


class Grid(NamedTuple):
    """Origin and spacing (x, y, z) of the image; spacing and first voxel of the new one."""

    origin: tuple[float, float, float]
    spacing: tuple[float, float, float]
    new_spacing: tuple[float, float, float]
    new_origin: tuple[float, float, float]
    new_size: tuple[int, int, int]


FINER = Grid((-3.0, 10.0, 7.25), (0.7, 1.3, 2.5), (1.0, 1.0, 1.0), (-2.85, 9.85, 6.5), (29, 17, 24))
COARSER = Grid((0.0, 0.0, 0.0), (0.8, 0.8, 1.0), (2.0, 1.9, 1.7), (3.0, -5.0, 0.1), (20, 9, 6))
SHAPES = ((9, 12, 40), (30, 19, 18), (1, 20, 9), (3, 4, 25))


def of_itk(voxels, grid):
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    resampler = sitk.ResampleImageFilter()
    resampler.SetInterpolator(sitk.sitkBSpline)
    resampler.SetOutputSpacing(grid.new_spacing)
    resampler.SetOutputOrigin(grid.new_origin)
    resampler.SetSize(grid.new_size)
    return sitk.GetArrayFromImage(resampler.Execute(image))


def positions(grid):
    """Positions (z, y, x) in voxels, rounded as ITK does: x is interpolated between its ends."""
    x, y, z = (
        (new_origin + np.arange(size + 1) * new_spacing - origin) * (1.0 / spacing)
        for origin, spacing, new_spacing, new_origin, size in zip(*grid, strict=True)
    )
    columns = grid.new_size[0]
    return z[:-1], y[:-1], x[0] + np.arange(columns) / columns * (x[columns] - x[0])


def as_type(values, kind):
    """Cut off towards zero and kept within the number type, as ITK does."""
    if np.issubdtype(kind, np.integer):
        values = np.clip(values, np.iinfo(kind).min, np.iinfo(kind).max)
    return values.astype(kind)


@pytest.mark.parametrize("grid", [FINER, COARSER], ids=["finer", "coarser"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32, np.float64])
def test_values_are_those_of_itk(grid, shape, kind, rng):
    """Beyond the image they are 0; axes shorter and longer than the memory of a spline."""
    voxels = rng.uniform(0, 255, shape).astype(kind)
    expected = of_itk(voxels, grid)
    assert (expected != 0).any()
    found = _kernels.bspline_resample(voxels.astype(np.float64), *positions(grid))
    np.testing.assert_array_equal(as_type(found, kind), expected)


def test_constant_image_is_cut_off_to_the_same_whole_numbers():
    """Splines of a constant are it but for rounding, which decides between 99 and 100."""
    voxels = np.full((9, 30, 31), 100, dtype=np.int16)
    expected = of_itk(voxels, FINER)
    found = _kernels.bspline_resample(voxels.astype(np.float64), *positions(FINER))
    np.testing.assert_array_equal(as_type(found, np.int16), expected)


@pytest.mark.real
def test_brain1(brain1):
    sx, sy, sz = brain1.spacing_mm[::-1]
    grid = Grid((0.0, 0.0, 0.0), (sx, sy, sz), (1.0, 1.0, 1.0), (40.1, 30.2, -2.0), (60, 70, 150))
    expected = of_itk(brain1.voxels, grid)
    found = _kernels.bspline_resample(brain1.voxels.astype(np.float64), *positions(grid))
    np.testing.assert_array_equal(as_type(found, brain1.voxels.dtype), expected)


def test_part_of_the_grid_reads_only_what_it_needs(rng):
    voxels = rng.normal(size=(10, 20, 400))
    z, y, x = np.linspace(0, 9, 7), np.linspace(-0.5, 19, 33), np.linspace(0, 399, 500)
    whole = _kernels.bspline_resample(voxels, z, y, x)
    part = _kernels.bspline_resample(voxels, z[2:4], y[:9], x[250:260], threads=2)
    np.testing.assert_array_equal(part, whole[2:4, :9, 250:260])


def test_positions_beyond_the_image_give_zero(rng):
    voxels = rng.normal(10, 1, size=(4, 5, 300))
    beyond = np.array([-0.500001, 299.5, np.nan, np.inf, -1e300, 200.0])
    found = _kernels.bspline_resample(voxels, np.array([1.0]), np.array([2.0]), beyond)
    np.testing.assert_array_equal(found[0, 0] != 0, [False] * 5 + [True])
