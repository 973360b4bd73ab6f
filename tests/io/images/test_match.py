from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from radiogenomics.core.errors import GeometryError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.io.images import Image, read_image, read_mask, read_mask_with_notes

SPACING, ORIGIN = (0.7, 0.8, 3.0), (-10.0, 20.0, 5.0)
TURNED = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def save(path: Path, values: np.ndarray, **space: object) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(space.get("spacing", SPACING))
    image.SetOrigin(space.get("origin", ORIGIN))
    image.SetDirection(space.get("direction", TURNED))
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def image(tmp_path: Path, rng: np.random.Generator) -> Image:
    values = rng.integers(-200, 300, (8, 20, 24)).astype(np.int16)
    return read_image(save(tmp_path / "image.mha", values))


@pytest.fixture
def mask(rng: np.random.Generator) -> np.ndarray:
    """Two labels in the middle of the image."""
    values = np.zeros((8, 20, 24), dtype=np.uint8)
    values[2:6, 5:15, 6:18] = rng.integers(0, 3, (4, 10, 12))
    return values


def by_sitk(path: Path, image: Image) -> np.ndarray:
    grid = image.head.grid
    onto = sitk.Image(*map(int, grid.shape[::-1]), sitk.sitkUInt8)
    onto.SetSpacing(grid.spacing_mm[::-1])
    onto.SetOrigin(grid.origin_mm)
    onto.SetDirection(grid.direction)
    moved = sitk.Resample(
        sitk.ReadImage(str(path)), onto, sitk.Transform(), sitk.sitkNearestNeighbor
    )
    return sitk.GetArrayFromImage(moved)


@pytest.mark.parametrize(
    "space",
    [
        {"spacing": (0.63, 0.75, 2.1)},
        {"origin": (-9.73, 20.31, 5.9)},
        {"direction": (0.81, -0.5864, 0.0, 0.5864, 0.81, 0.0, 0.0, 0.0, 1.0)},
    ],
    ids=lambda space: next(iter(space)),
)
def test_resampling_equals_simpleitk(
    tmp_path: Path, image: Image, mask: np.ndarray, space: dict
) -> None:
    path = save(tmp_path / "mask.mha", mask, **space)
    with pytest.raises(GeometryError, match="mask.mha.*mm elsewhere.*resample"):
        read_mask(path, image=image)
    with pytest.raises(GeometryError, match="another lattice"):
        read_mask(path, image=image, repair="pad")
    with pytest.warns(RadiogenomicsWarning, match="resampled.*ml before"):
        ours = read_mask(path, image=image, repair="resample")
    np.testing.assert_array_equal(ours, by_sitk(path, image))
    assert set(np.unique(ours)) == {0, 1, 2}


def test_other_axis_order_loses_nothing(tmp_path: Path, image: Image, mask: np.ndarray) -> None:
    path = save(tmp_path / "mask.mha", mask)
    sitk.WriteImage(sitk.DICOMOrient(sitk.ReadImage(str(path)), "RAS"), str(tmp_path / "ras.mha"))
    with pytest.raises(GeometryError, match="expected the (size|grid)"):
        read_mask(tmp_path / "ras.mha", image=image)
    with pytest.warns(RadiogenomicsWarning, match="resampled"):
        found = read_mask(tmp_path / "ras.mha", image=image, repair="resample")
    np.testing.assert_array_equal(found, mask)


def cropped(path: Path, mask: np.ndarray, image: Image) -> Path:
    """The part of a mask from (1, 3, 2) on, with its own origin; and two voxels more at the end."""
    part = np.pad(mask[1:, 3:, 2:], ((0, 2), (0, 2), (0, 2)))
    x, y, z = image.head.grid.points(np.array([[1, 3, 2]]))[0]
    return save(path, part, origin=(x, y, z))


def test_padding_moves_no_voxel(tmp_path: Path, image: Image, mask: np.ndarray, caplog) -> None:
    path = cropped(tmp_path / "mask.nii.gz", mask, image)
    with pytest.raises(GeometryError, match="expected the size of image.mha"):
        read_mask(path, image=image)
    for repair in ("pad", "resample"):
        with (
            caplog.at_level(logging.INFO, logger="radiogenomics"),
            pytest.warns(RadiogenomicsWarning, match=r"mask.nii.gz: mask (padded|resampled)"),
        ):
            found = read_mask_with_notes(path, image=image, repair=repair)
        np.testing.assert_array_equal(found.voxels, mask)
        assert found.notes[0] in caplog.text


@pytest.mark.parametrize("repair", ["pad", "resample"])
def test_no_repair_cuts_a_region(tmp_path, image, mask, repair) -> None:
    x, y, z = image.head.grid.points(np.array([[-4, 0, 0]]))[0]
    path = save(tmp_path / "mask.mha", mask, origin=(x, y, z))
    share = np.count_nonzero(mask[:4]) / np.count_nonzero(mask)
    with pytest.raises(GeometryError, match=f"found {share:.1%} of it outside"):
        read_mask(path, image=image, repair=repair)
    far = save(tmp_path / "far.mha", mask, origin=(5000.0, 0.0, 0.0))
    with pytest.raises(GeometryError, match="found 100.0% of it outside"):
        read_mask(far, image=image, repair="resample")


def test_label_between_the_voxels_is_not_dropped(tmp_path: Path, image: Image) -> None:
    fine = np.zeros((40, 100, 120), dtype=np.uint8)
    fine[22, 52, 62] = 1  # between the centres of the image's voxels
    path = save(tmp_path / "fine.mha", fine, spacing=(0.14, 0.16, 0.6))
    with pytest.raises(GeometryError, match="1 labels that fall between"):
        read_mask(path, image=image, repair="resample")


def test_tolerance_is_a_share_of_a_voxel(tmp_path: Path, image: Image, mask: np.ndarray) -> None:
    path = save(tmp_path / "mask.mha", mask, origin=(-10.0 + 0.7 * 0.02, 20.0, 5.0))
    with pytest.raises(GeometryError, match="0.014 mm elsewhere"):
        read_mask(path, image=image)
    np.testing.assert_array_equal(read_mask(path, image=image, tolerance=0.03), mask)
    near = save(tmp_path / "near.mha", mask, origin=(-10.0 + 0.7 * 0.005, 20.0, 5.0))
    np.testing.assert_array_equal(read_mask(near, image=image), mask)


def test_label_is_chosen(tmp_path: Path, image: Image, mask: np.ndarray) -> None:
    path = save(tmp_path / "mask.mha", mask)
    np.testing.assert_array_equal(read_mask(path, image=image), mask)
    np.testing.assert_array_equal(read_mask(path, image=image, label=2), mask == 2)
    np.testing.assert_array_equal(read_mask(path, image=image, roi="liver"), mask)
    with pytest.raises(UnknownNameError, match="label in mask.mha '7'.*1, 2"):
        read_mask(path, image=image, label=7)
    with pytest.raises(UnknownNameError, match="did you mean 'resample'"):
        read_mask(path, image=image, repair="resampled")
    huge = save(tmp_path / "huge.mha", np.full((8, 20, 24), 3e12))
    with pytest.raises(GeometryError, match="whole numbers"):
        read_mask(huge, image=image)
