from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radiogenomics.core.errors import DataError
from radiogenomics.io.images import read_image

WEIGHT_KG, DOSE_BQ, HALF_LIFE_S = 70.0, 350e6, 6586.2
SLOPES = (2.0, 2.5, 3.0)


def pet(data: Dataset, z: int) -> None:
    """F-18, injected an hour before the scan; the slope differs from slice to slice."""
    tracer = Dataset()
    tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = DOSE_BQ, HALF_LIFE_S
    tracer.RadiopharmaceuticalStartTime = "130000.00"
    data.RadiopharmaceuticalInformationSequence = Items([tracer])
    data.Units, data.DecayCorrection, data.PatientWeight = "BQML", "START", WEIGHT_KG
    data.SeriesDate = data.AcquisitionDate = "20200101"
    data.SeriesTime, data.AcquisitionTime = "140000", "140500"
    data.RescaleSlope, data.RescaleIntercept = SLOPES[z], 0


def scan(tmp_path: Path, scanner, stored, change=None) -> np.ndarray:
    def edit(data: Dataset, z: int) -> None:
        pet(data, z)
        if change is not None:
            change(data)

    return read_image(scanner.write(tmp_path / "pt", stored[:3], modality="PT", edit=edit)).voxels


def by_hand(stored: np.ndarray, seconds: float) -> np.ndarray:
    activity = stored[:3] * np.array(SLOPES)[:, None, None]
    return activity * WEIGHT_KG * 1000 / (DOSE_BQ * 0.5 ** (seconds / HALF_LIFE_S))


def test_dose_decays_to_the_start_of_the_scan(tmp_path: Path, scanner, stored) -> None:
    voxels = scan(tmp_path, scanner, stored)
    np.testing.assert_allclose(voxels, by_hand(stored, 3600), rtol=1e-6)
    assert voxels.dtype == np.float32


def full_date(data: Dataset) -> None:
    tracer = data.RadiopharmaceuticalInformationSequence[0]
    tracer.RadiopharmaceuticalStartDateTime = "20191231235000.0"
    data.SeriesTime, data.AcquisitionTime = "001000", "001500"


def midnight(data: Dataset) -> None:
    data.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime = "235000"
    data.SeriesTime, data.AcquisitionTime = "001000", "001500"


def administered(data: Dataset) -> None:
    data.DecayCorrection = "ADMIN"


def afterwards(data: Dataset) -> None:
    data.SeriesTime = "180000"
    data.add_new((0x0009, 0x0010), "LO", "GEMS_PETD_01")
    data.add_new((0x0009, 0x100D), "DT", "20200101135000.00")


@pytest.mark.parametrize(
    ("change", "seconds"),
    [(full_date, 1200), (midnight, 1200), (administered, 0), (afterwards, 3000)],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_times_of_injection_and_scan(tmp_path, scanner, stored, change, seconds) -> None:
    voxels = scan(tmp_path, scanner, stored, change)
    np.testing.assert_allclose(voxels, by_hand(stored, seconds), rtol=1e-6)


def test_units_that_need_no_or_another_factor(tmp_path: Path, scanner, stored) -> None:
    def suv(data: Dataset) -> None:
        data.Units = "GML"

    slopes = np.array(SLOPES)[:, None, None]
    np.testing.assert_allclose(scan(tmp_path, scanner, stored, suv), stored[:3] * slopes)

    def counts(data: Dataset) -> None:
        data.Units = "CNTS"
        data.add_new((0x7053, 0x0010), "LO", "Philips PET Private Group")
        data.add_new((0x7053, 0x1000), "DS", "0.25")

    np.testing.assert_allclose(scan(tmp_path, scanner, stored, counts), stored[:3] * slopes / 4)

    def activity(data: Dataset) -> None:
        counts(data)
        data[0x7053, 0x1000].value = "0"
        data.add_new((0x7053, 0x1009), "DS", "1.5")

    voxels = scan(tmp_path, scanner, stored, activity)
    np.testing.assert_allclose(voxels, 1.5 * by_hand(stored, 3600), rtol=1e-6)


@pytest.mark.parametrize(
    ("tag", "value", "message"),
    [
        ("PatientWeight", None, "PatientWeight"),
        ("PatientWeight", 0, "PatientWeight"),
        ("DecayCorrection", "NONE", "DecayCorrection"),
        ("Units", "CNTS", "7053,1000"),
        ("Units", "PROPCPS", "BQML, GML or CNTS"),
        ("RadiopharmaceuticalInformationSequence", None, "the injection"),
        ("RadionuclideTotalDose", None, "RadionuclideTotalDose"),
        ("RadionuclideHalfLife", None, "RadionuclideHalfLife"),
        ("RadiopharmaceuticalStartTime", None, "RadiopharmaceuticalStartTime"),
        ("RadiopharmaceuticalStartTime", "141000", "ten half-lives"),
        ("SeriesTime", "180000", "start of the scan"),
    ],
)
def test_what_the_header_lacks_is_named(tmp_path, scanner, stored, tag, value, message) -> None:
    def change(data: Dataset) -> None:
        tracer = data.RadiopharmaceuticalInformationSequence[0]
        target = tracer if tag in tracer else data
        if value is None:
            delattr(target, tag)
        else:
            setattr(target, tag, value)

    with pytest.raises(DataError, match=f"{message}.*suv=False") as error:
        scan(tmp_path, scanner, stored, change)
    assert "2020" not in str(error.value)
    stored_activity = read_image(tmp_path / "pt", suv=False)
    np.testing.assert_allclose(
        stored_activity.voxels, stored[:3] * np.array(SLOPES)[:, None, None], rtol=1e-6
    )
