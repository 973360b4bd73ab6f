from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    MissingFileError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.scan import Scan
from radiogenomics.io.manifest import ScanTable
from radiogenomics.io.scans import hash_scans, read_scans

sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")

TILTED = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def save(
    path: Path, values: np.ndarray, *, origin=(-10.0, 20.0, 5.0), spacing=(0.7, 0.8, 3.0)
) -> None:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection(TILTED)
    sitk.WriteImage(image, str(path))


@pytest.fixture
def voxels(tmp_path: Path, rng: np.random.Generator) -> np.ndarray:
    """An image with one mask of two lesions, listed for one patient."""
    values = rng.integers(-200, 300, (4, 6, 8)).astype(np.int16)
    mask = np.zeros(values.shape, dtype=np.uint8)
    mask[1, 2:4, 2:5], mask[3, 0, 0] = 1, 2
    (tmp_path / "scans" / "images").mkdir(parents=True)
    save(tmp_path / "scans/images/p1.nii.gz", values)
    save(tmp_path / "scans/images/p1_tumour.nii.gz", mask)
    return values


def listed(root: Path, **changes: object) -> tuple[Scan, ...]:
    row = {
        "modality": "CT",
        "phase": "arterial",
        "time_point": "baseline",
        "image": "images/p1.nii.gz",
        "mask_tumour": "images/p1_tumour.nii.gz",
        "mask_liver": None,
        "patient_id": "P1",
    }
    pd.DataFrame([{**row, **changes}]).to_csv(root / "scans" / "scans.csv", index=False)
    return read_scans(ScanTable(file="scans/scans.csv"), root)


def test_voxels_masks_and_space_come_back(tmp_path: Path, voxels: np.ndarray) -> None:
    scan = pickle.loads(pickle.dumps(listed(tmp_path)[0]))
    assert (scan.patient_id, scan.modality, scan.phase) == ("P1", "CT", "arterial")
    assert scan.regions == ("tumour",)
    volume = scan.load()
    np.testing.assert_array_equal(volume.voxels, voxels)
    assert np.unique(volume.mask("tumour")).tolist() == [0, 1, 2]
    np.testing.assert_allclose(volume.spacing_mm, (3.0, 0.8, 0.7), rtol=1e-6)
    np.testing.assert_allclose(volume.origin_mm, (-10, 20, 5), rtol=1e-6)
    np.testing.assert_allclose(volume.direction, TILTED, atol=1e-6)


@pytest.mark.parametrize("space", [{"origin": (-10.0, 20.0, 8.0)}, {"spacing": (0.7, 0.9, 3.0)}])
def test_a_mask_that_lies_elsewhere(tmp_path: Path, voxels: np.ndarray, space: dict) -> None:
    mask = (voxels > 0).astype(np.uint8)
    save(tmp_path / "scans/images/p1_tumour.nii.gz", mask, **space)
    scan = listed(tmp_path)[0]
    for look in (scan.load, scan.loader.check_headers):
        with pytest.raises(GeometryError, match="p1_tumour.*mm elsewhere"):
            look()


def test_a_mask_of_another_size_or_of_fractions(tmp_path: Path, voxels: np.ndarray) -> None:
    scan = listed(tmp_path)[0]
    save(tmp_path / "scans/images/p1_tumour.nii.gz", np.zeros((4, 6, 7), dtype=np.uint8))
    with pytest.raises(GeometryError, match="expected the size"):
        scan.load()
    save(tmp_path / "scans/images/p1_tumour.nii.gz", np.full(voxels.shape, 2.0, dtype=np.float32))
    assert scan.load().mask("tumour").dtype.kind == "i"
    save(tmp_path / "scans/images/p1_tumour.nii.gz", np.full(voxels.shape, 0.5, dtype=np.float32))
    with pytest.raises(GeometryError, match="fractions"):
        scan.load()


def test_images_that_are_no_volume(tmp_path: Path, voxels: np.ndarray) -> None:
    scan = listed(tmp_path, mask_tumour=None)[0]
    path = tmp_path / "scans/images/p1.nii.gz"
    bad = voxels.astype(np.float32)
    bad[0, 0, 0] = np.nan
    save(tmp_path / "scans/images/p1.nrrd", bad)
    with pytest.raises(GeometryError, match="p1.nrrd.*finite"):
        listed(tmp_path, mask_tumour=None, image="images/p1.nrrd")[0].load()
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 3, 4, 5)), isVector=False), str(path))
    with pytest.raises(GeometryError, match="three axes"):
        scan.load()
    path.write_bytes(b"not an image")
    with pytest.raises(DataError, match="SimpleITK can read"):
        scan.load()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"image": "images/p2.nii.gz"}, MissingFileError, "p2"),
        ({"mask_liver": "images/liver.nii.gz"}, MissingFileError, "liver"),
        ({"image": "../../p1.nii.gz"}, SchemaError, "below the data root"),
        ({"image": None}, SchemaError, "patient P1"),
        ({"modality": "CTT"}, UnknownNameError, "did you mean 'CT'"),
    ],
)
def test_a_list_that_is_wrong(
    tmp_path: Path, voxels: np.ndarray, changes: dict, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        listed(tmp_path, **changes)


def test_hash_follows_the_content_and_not_the_order(tmp_path: Path, voxels: np.ndarray) -> None:
    scans = listed(tmp_path)
    before = hash_scans(scans)
    assert hash_scans(scans[::-1]) == before
    save(tmp_path / "scans/images/p1.nii.gz", voxels + np.int16(1))
    assert hash_scans(scans) != before
