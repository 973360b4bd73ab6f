from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radiogenomics.core.errors import GeometryError, SchemaError
from radiogenomics.core.scan import Volume
from radiogenomics.io.images import read_image, write_image

nibabel = pytest.importorskip("nibabel", reason="needs the extra imaging")

TURNED = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


@pytest.fixture
def grid(rng: np.random.Generator) -> Volume:
    voxels = rng.normal(size=(3, 4, 5))
    return Volume(voxels, {}, (2.5, 0.8, 0.7), (-10.0, 20.5, 3.0), TURNED)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_what_is_written_is_read_back_in_place(tmp_path: Path, grid: Volume, ending: str) -> None:
    write_image(tmp_path / f"map{ending}", grid.voxels, grid=grid)
    back = read_image(tmp_path / f"map{ending}")
    assert np.array_equal(back.voxels, grid.voxels)
    assert back.spacing_mm == pytest.approx(grid.spacing_mm, rel=1e-6)
    assert back.origin_mm == pytest.approx(grid.origin_mm, rel=1e-6)
    assert back.direction == pytest.approx(grid.direction, abs=1e-6)
    assert [file.name for file in tmp_path.iterdir()] == [f"map{ending}"]


def test_nan_outside_the_region_survives_for_another_reader(tmp_path: Path, grid: Volume) -> None:
    values = grid.voxels.copy()
    values[0] = np.nan
    write_image(tmp_path / "map.nii.gz", values, grid=grid)
    found = nibabel.load(tmp_path / "map.nii.gz")
    assert np.array_equal(found.get_fdata().T, values, equal_nan=True)
    # LPS here, RAS there.
    assert found.affine[:3, 3] == pytest.approx((10.0, -20.5, 3.0), rel=1e-6)


def test_wrong_names_and_shapes_are_named(tmp_path: Path, grid: Volume) -> None:
    with pytest.raises(SchemaError, match="ends on"):
        write_image(tmp_path / "map.jpg", grid.voxels, grid=grid)
    with pytest.raises(GeometryError, match="shape"):
        write_image(tmp_path / "map.nii", grid.voxels[1:], grid=grid)
    assert not list(tmp_path.iterdir())
