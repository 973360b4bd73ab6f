"""The list of scans over DICOM: folders, archives, structures, phases."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from radiogenomics.core.errors import (
    GeometryError,
    MissingFileError,
    RadiogenomicsWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.scan import Scan
from radiogenomics.io.manifest import ScanTable
from radiogenomics.io.scans import hash_scans, read_scans


@pytest.fixture
def stored(rng: np.random.Generator) -> np.ndarray:
    """As bright as a liver in the portal phase: about 110 HU."""
    return rng.normal(1134, 10, (5, 12, 14)).astype(np.int16)


@pytest.fixture
def masks(stored, rng) -> dict[str, np.ndarray]:
    liver = np.zeros(stored.shape, dtype=bool)
    liver[:, 2:10, 2:12] = True
    return {"Liver": liver, "HCC 1": liver & (rng.random(stored.shape) < 0.3)}


@pytest.fixture
def cohort(tmp_path: Path, scanner, stored, masks) -> Path:
    """A CT folder, a SEG of two segments and a label image of the same."""

    def portal(data, z) -> None:
        data.SeriesDescription = "Liver portal venous"

    folder = scanner.write(tmp_path / "p1" / "ct", stored, edit=portal)
    scanner.write_seg(tmp_path / "p1" / "seg.dcm", masks, folder)
    labels = sitk.GetImageFromArray(masks["Liver"].astype(np.uint8) + masks["HCC 1"])
    labels.SetSpacing((0.7, 0.8, 2.5))
    labels.SetOrigin((-10.0, 20.0, -30.0))
    sitk.WriteImage(labels, str(tmp_path / "p1" / "labels.nii.gz"))
    return tmp_path


def listed(root: Path, **cells: object) -> tuple[Scan, ...]:
    row = {
        "patient_id": "P1",
        "modality": "CT",
        "phase": "portal",
        "image": "p1/ct",
        "mask_liver": "p1/seg.dcm",
        "roi_liver": "Liver",
        "mask_tumour": "p1/labels.nii.gz",
        "label_tumour": 2,
    }
    row = {name: value for name, value in {**row, **cells}.items() if value is not None}
    pd.DataFrame([row]).to_csv(root / "scans.csv", index=False)
    return read_scans(ScanTable(file="scans.csv"), root)


def test_regions_come_with_their_own_label_and_structure(cohort, stored, masks) -> None:
    scan = pickle.loads(pickle.dumps(listed(cohort)[0]))
    scan.loader.check_headers()
    volume = pickle.loads(pickle.dumps(scan.load()))
    assert scan.regions == ("liver", "tumour")
    np.testing.assert_array_equal(volume.voxels, stored - 1024)
    np.testing.assert_array_equal(volume.mask("liver"), masks["Liver"])
    np.testing.assert_array_equal(volume.mask("tumour"), masks["HCC 1"])
    assert "Secret" not in repr(scan) + repr(volume) + repr(scan.loader)


def test_archive_is_found_hashed_and_read(cohort: Path) -> None:
    shutil.make_archive(str(cohort / "p1" / "scan"), "zip", cohort / "p1", "ct")
    plain, packed = listed(cohort), listed(cohort, image="p1/scan.zip/ct")
    np.testing.assert_array_equal(packed[0].load().voxels, plain[0].load().voxels)
    packed[0].loader.check_headers()
    assert (cohort / "p1" / "scan.zip") in packed[0].loader.files()
    assert len(plain[0].loader.files()) == 5 + 2
    before = hash_scans(plain)
    (cohort / "p1" / "ct" / "003.dcm").unlink()
    assert hash_scans(plain) != before


def test_repair_is_the_lists_choice(cohort: Path, masks) -> None:
    labels = sitk.ReadImage(str(cohort / "p1" / "labels.nii.gz"))
    part = sitk.RegionOfInterest(labels, [12, 10, 5], [1, 1, 0])
    sitk.WriteImage(part, str(cohort / "p1" / "labels.nii.gz"))
    refused = listed(cohort)[0]
    for look in (refused.load, refused.loader.check_headers):
        with pytest.raises(GeometryError, match="labels.nii.gz: expected the size"):
            look()
    mended = listed(cohort, repair_tumour="pad")[0]
    mended.loader.check_headers()
    with pytest.warns(RadiogenomicsWarning, match="padded"):
        volume = mended.load()
    np.testing.assert_array_equal(volume.mask("tumour"), masks["HCC 1"])


def test_declared_phase_is_checked_when_read(cohort: Path) -> None:
    with pytest.warns(RadiogenomicsWarning, match="ct: expected the declared phase 'arterial'"):
        listed(cohort, phase="arterial")[0].load()
    listed(cohort, phase=None)[0].load()


@pytest.mark.parametrize(
    ("cells", "error", "message"),
    [
        ({"label_tumour": "one"}, SchemaError, "label_tumour: expected a whole number"),
        ({"label_tumor": 1}, UnknownNameError, "did you mean 'tumour'"),
        ({"repair_liver": "pads"}, UnknownNameError, "did you mean 'pad'"),
        ({"image": "p1/scan.zip/ct"}, MissingFileError, "scan.zip"),
    ],
)
def test_choices_that_are_wrong(cohort, cells, error, message) -> None:
    with pytest.raises(error, match=message):
        listed(cohort, **cells)


def test_series_of_a_mixed_folder_is_named_in_the_list(cohort, scanner, stored) -> None:
    scanner.write(
        cohort / "p1" / "ct", stored, modality="MR", series=scanner.uid(), names="mr{}".format
    )
    scan = listed(cohort)[0]
    with pytest.raises(ValueError, match=r"(\w{8}) \(CT, 5 slices\)") as error:
        scan.load()
    key = str(error.value).partition(" (CT")[0][-8:]
    assert listed(cohort, series=key)[0].load().voxels.shape == stored.shape
