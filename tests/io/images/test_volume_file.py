from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from radiogenomics.core.errors import DataError, GeometryError
from radiogenomics.io.images import read_image, read_image_head, read_mask

DIRECTION = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def save(path: Path, values: np.ndarray) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((0.7, 0.8, 3.0))
    image.SetOrigin((-10.0, 20.0, 5.0))
    image.SetDirection(DIRECTION)
    sitk.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"])
def test_formats_give_one_volume(tmp_path: Path, stored: np.ndarray, suffix: str) -> None:
    path = save(tmp_path / f"image{suffix}", stored)
    image, head = read_image(path), read_image_head(path)
    np.testing.assert_array_equal(image.voxels, stored)
    assert image.voxels.dtype == np.int16
    np.testing.assert_allclose(image.spacing_mm, (3.0, 0.8, 0.7), rtol=1e-6)
    np.testing.assert_allclose(image.origin_mm, (-10, 20, 5), rtol=1e-6)
    np.testing.assert_allclose(image.direction, DIRECTION, atol=1e-6)
    assert head.grid == image.head.grid
    np.testing.assert_array_equal(read_mask(path, image=image), stored)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_voxels_that_are_not_finite(tmp_path, stored, suffix, value) -> None:
    bad = stored.astype(np.float32)
    bad[0, 1, 2:4] = value
    path = tmp_path / f"image{suffix}"
    if ".nii" in suffix:
        nibabel.save(nibabel.Nifti1Image(bad.T, np.eye(4)), path)
    else:
        save(path, bad)
    with pytest.raises(GeometryError, match=f"image{suffix}: expected finite voxels; found 2"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_truncated_files(tmp_path: Path, stored: np.ndarray, suffix: str) -> None:
    path = save(tmp_path / f"image{suffix}", stored)
    content = path.read_bytes()
    for share in (0.0, 0.2, 0.9):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(DataError, match="SimpleITK can read"):
            read_image(path)


def test_headers_that_claim_too_much_or_too_little(tmp_path: Path, stored: np.ndarray) -> None:
    huge = tmp_path / "huge.mhd"
    huge.write_text(
        "ObjectType = Image\nNDims = 3\nDimSize = 40000 40000 40000\n"
        "ElementType = MET_SHORT\nElementDataFile = huge.raw\n"
    )
    with pytest.raises(DataError, match="at most 4 GiB; found a header that claims 40000 × 40000"):
        read_image(huge)
    for name, values in (
        ("four.nii", np.zeros((2, 3, 4, 5), dtype=np.int16)),
        ("two.nii", np.zeros((4, 5), dtype=np.int16)),
    ):
        sitk.WriteImage(sitk.GetImageFromArray(values, isVector=False), str(tmp_path / name))
        with pytest.raises(GeometryError, match="three axes"):
            read_image(tmp_path / name)
    colour = sitk.GetImageFromArray(np.zeros((3, 4, 5, 3), dtype=np.uint8), isVector=True)
    sitk.WriteImage(colour, str(tmp_path / "colour.mha"))
    with pytest.raises(GeometryError, match="3 values"):
        read_image(tmp_path / "colour.mha")


@pytest.mark.parametrize(
    ("suffix", "line"),
    [
        (".mhd", "ElementDataFile = ../secret.raw"),
        (".mhd", "ElementDataFile = /etc/hostname"),
        (".mhd", "ElementDataFile = LIST"),
        (".mha", "ElementDataFile = ..\\secret.raw"),
        (".nhdr", "data file: /etc/hostname"),
        (".nhdr", "datafile: ../secret.raw"),
    ],
)
def test_header_that_points_elsewhere(tmp_path, stored, suffix, line) -> None:
    path = save(tmp_path / f"image{suffix}", stored)
    head = [
        text
        for text in path.read_bytes()[:400].decode("latin-1").splitlines()
        if " = " in text or ": " in text or text.startswith("NRRD")
    ]
    head = [text for text in head if "ile = " not in text and "file: " not in text]
    path.write_text("\n".join([*head, line]) + "\n")
    with pytest.raises(DataError, match="points elsewhere"):
        read_image(path)
