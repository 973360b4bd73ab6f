from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
import SimpleITK as sitk

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.io.images import Image, read_image, read_mask
from radiogenomics.io.images.dicom_seg import read_segment

OBLIQUE = (0.998513, 0.0543233, -0.0046083, -0.0540488, 0.997294, 0.0498372)


@pytest.fixture
def folder(tmp_path: Path, scanner, stored) -> Path:
    return scanner.write(tmp_path / "ct", stored, orientation=OBLIQUE)


@pytest.fixture
def image(folder: Path) -> Image:
    return read_image(folder)


@pytest.fixture
def masks(stored, rng) -> dict[str, np.ndarray]:
    """Two segments that overlap; 12 × 14 pixels a frame are no whole number of bytes."""
    liver, tumour = (rng.random((2, *stored.shape)) < 0.4).astype(bool)
    tumour[[0, 2, 4]] = False
    return {"Liver": liver, "Tumour": tumour}


def test_overlapping_segments_with_gaps_come_back(tmp_path, scanner, folder, image, masks) -> None:
    path = scanner.write_seg(tmp_path / "seg.dcm", masks, folder)
    for number, (label, mask) in enumerate(masks.items(), start=1):
        for choice in ({"roi": label.lower()}, {"roi": number}, {"label": number}):
            np.testing.assert_array_equal(read_mask(path, image=image, **choice), mask)
    with pytest.raises(DataError, match="there are 2; found no choice.*1: Liver, 2: Tumour"):
        read_mask(path, image=image)
    with pytest.raises(UnknownNameError, match="did you mean 'Tumour'"):
        read_mask(path, image=image, roi="tumor")


def test_fraction_of_a_half_is_inside(tmp_path, scanner, folder, image, rng) -> None:
    values = rng.integers(0, 101, image.voxels.shape).astype(np.uint8)
    values[0, 0, :4] = (0, 49, 50, 100)

    def edit(data) -> None:
        data.MaximumFractionalValue = 100

    path = scanner.write_seg(
        tmp_path / "seg.dcm", {"Liver": values}, folder, kind="FRACTIONAL", edit=edit
    )
    np.testing.assert_array_equal(read_mask(path, image=image), values >= 50)


def test_segment_of_a_label_map(tmp_path, scanner, folder, image, rng) -> None:
    labels = rng.integers(0, 3, image.voxels.shape).astype(np.uint8)

    def edit(data) -> None:
        for group in data.PerFrameFunctionalGroupsSequence:
            del group.SegmentIdentificationSequence
        second = pydicom.Dataset()
        second.SegmentNumber, second.SegmentLabel = 2, "Tumour"
        background = pydicom.Dataset()
        background.SegmentNumber, background.SegmentLabel = 0, "Background"
        data.SegmentSequence.extend([second, background])

    path = scanner.write_seg(
        tmp_path / "seg.dcm", {"Liver": labels}, folder, kind="LABELMAP", edit=edit
    )
    np.testing.assert_array_equal(read_mask(path, image=image, roi="Tumour"), labels == 2)
    np.testing.assert_array_equal(read_mask(path, image=image, label=1), labels == 1)


def test_segmentation_of_another_series(tmp_path, scanner, stored, folder, masks) -> None:
    path = scanner.write_seg(tmp_path / "seg.dcm", {"Liver": masks["Liver"]}, folder)
    other = read_image(
        scanner.write(tmp_path / "other", stored, orientation=OBLIQUE, series=scanner.uid())
    )
    with pytest.raises(DataError, match="refers to another series") as error:
        read_mask(path, image=other)
    assert scanner.series not in str(error.value)
    with pytest.warns(RadiogenomicsWarning, match="taken at their word"):
        mask = read_mask(path, image=other, repair="resample")
    np.testing.assert_array_equal(mask, masks["Liver"])


def test_frames_beyond_the_image_are_not_cut(tmp_path, scanner, stored, folder, masks) -> None:
    path = scanner.write_seg(tmp_path / "seg.dcm", {"Liver": masks["Liver"]}, folder)
    for number in (4, 5):
        (folder / f"{number:03d}.dcm").unlink()
    fewer = read_image(folder)
    assert fewer.voxels.shape[0] == 3
    with pytest.raises(GeometryError, match="expected the size"):
        read_mask(path, image=fewer)
    outside = masks["Liver"][:2].sum() / masks["Liver"].sum()
    with pytest.raises(GeometryError, match=f"found {outside:.1%} of it outside"):
        read_mask(path, image=fewer, repair="pad")


def test_frames_that_are_no_volume(tmp_path, scanner, folder, image, masks) -> None:
    one = {"Liver": masks["Liver"]}

    def twice(data) -> None:
        groups = data.PerFrameFunctionalGroupsSequence
        groups[1].PlanePositionSequence = groups[0].PlanePositionSequence

    def nowhere(data) -> None:
        del data.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence

    def crooked(data) -> None:
        shared = data.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
        shared.ImageOrientationPatient = [1, 0, 0, 1, 0, 0]

    def surface(data) -> None:
        data.SegmentationType = "SURFACE"

    def without_segments(data) -> None:
        data.SegmentSequence = []

    for edit, error, message in (
        (twice, GeometryError, "several"),
        (nowhere, DataError, "frames with a position"),
        (crooked, GeometryError, "perpendicular"),
        (surface, DataError, "another kind"),
        (without_segments, DataError, "expected a segment; found none"),
    ):
        path = scanner.write_seg(tmp_path / f"{edit.__name__}.dcm", one, folder, edit=edit)
        with pytest.raises(error, match=message):
            read_mask(path, image=image)
    with pytest.raises(DataError, match="segmentation or structure set. Give it as mask"):
        read_image(path)


@pytest.mark.real
@pytest.mark.parametrize("kind", ["true_fractional", "binary_fractional", "binary"])
def test_frames_are_those_that_pydicom_unpacks(data_root: Path, kind: str) -> None:
    path = data_root / "imaging" / "dicom_seg" / "highdicom" / f"seg_image_ct_{kind}.dcm"
    data = pydicom.dcmread(path)
    expected = data.pixel_array / float(data.get("MaximumFractionalValue", 1)) >= 0.5
    np.testing.assert_array_equal(read_segment(path, None, name="seg").frames, expected)


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "mask", "reference", "voxels"),
    [
        ("ct-3slice", "liver.dcm", "liver_seg.nrrd", 107_098),
        ("23x38x3/image", "23x38x3/seg/label.seg", "23x38x3/nrrd/label.nrrd", 322),
        ("24x38x3/image", "24x38x3/seg/label.seg", "24x38x3/nrrd/label.nrrd", 315),
        ("24x38x3/image", "sparse-labelmap-noppv.dcm", "sparse_labelmap_noppv_seg.nrrd", 630),
        ("24x38x3/image", "sparse-labelmap-ppv5.dcm", "sparse_labelmap_ppv5_seg.nrrd", 630),
    ],
)
def test_real_segmentations_equal_their_nrrd(
    data_root: Path, folder: str, mask: str, reference: str, voxels: int
) -> None:
    root = data_root / "imaging" / "dicom_seg" / "dcmqi"
    image = read_image(root / folder)
    found = read_mask(root / mask, image=image)
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(root / reference)))
    np.testing.assert_array_equal(found, expected == 1)  # 5 pads the frame that is not there
    assert found.sum() == voxels


@pytest.mark.real
def test_real_overlapping_segments(data_root: Path) -> None:
    root = data_root / "imaging" / "dicom_seg" / "dcmqi"
    image = read_image(root / "ct-3slice")
    files = [root / f"partial_overlaps-{part}.nrrd" for part in (1, 2, 3)]
    parts = [sitk.GetArrayFromImage(sitk.ReadImage(str(file))) for file in files]
    for number in range(1, 6):
        found = read_mask(root / "partial_overlaps.dcm", image=image, roi=number)
        expected = sum(np.count_nonzero(part == number) for part in parts)
        assert found.sum() == expected > 0


@pytest.mark.real
def test_real_segmentation_without_place_or_with_another_series(data_root: Path) -> None:
    root = data_root / "imaging" / "dicom_seg"
    image = read_image(root / "dcmqi" / "23x38x3" / "multiframe" / "mf.dcm")
    with pytest.raises(DataError, match="refers to another series"):
        read_mask(root / "dcmqi" / "23x38x3" / "seg" / "label.seg", image=image)
    with pytest.raises(DataError, match="position in the patient's space"):
        read_mask(root / "highdicom" / "seg_image_cr_binary.dcm", image=image)
