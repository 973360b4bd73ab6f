from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
import SimpleITK as sitk

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    MissingFileError,
    RadiogenomicsError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.io.images import list_series, read_image, read_image_head

OBLIQUE = (0.998513, 0.0543233, -0.0046083, -0.0540488, 0.997294, 0.0498372)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def by_gdcm(folder: Path) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


@pytest.mark.parametrize(
    "orientation", [(1, 0, 0, 0, 1, 0), OBLIQUE, SAGITTAL], ids=["axial", "oblique", "sagittal"]
)
def test_series_equals_what_gdcm_reads(tmp_path: Path, scanner, stored, orientation) -> None:
    folder = scanner.write(tmp_path / "ct", stored, orientation=orientation)
    ours, theirs = read_image(folder), by_gdcm(folder)
    np.testing.assert_array_equal(ours.voxels, sitk.GetArrayFromImage(theirs))
    np.testing.assert_array_equal(ours.voxels, stored - 1024)
    np.testing.assert_allclose(ours.origin_mm, theirs.GetOrigin(), atol=1e-6)
    np.testing.assert_allclose(ours.spacing_mm, theirs.GetSpacing()[::-1], atol=1e-5)
    np.testing.assert_allclose(ours.direction, theirs.GetDirection(), atol=1e-6)
    head = read_image_head(folder)
    assert head.grid == ours.head.grid
    assert (ours.voxels.dtype, ours.header.modality) == (np.int16, "CT")


@pytest.mark.parametrize(
    ("slope", "intercept", "dtype"),
    [(1, -1024, np.int16), (20, 0, np.int32), (0.5, 3, np.float32)],
)
def test_rescale_keeps_integers_where_it_is_whole(
    tmp_path: Path, scanner, stored, slope, intercept, dtype
) -> None:
    def edit(data, z) -> None:
        data.RescaleSlope, data.RescaleIntercept = slope, intercept

    image = read_image(scanner.write(tmp_path / "ct", stored, edit=edit))
    np.testing.assert_array_equal(image.voxels, stored.astype(float) * slope + intercept)
    assert image.voxels.dtype == dtype


def test_mr_keeps_its_values_and_monochrome1_is_inverted(tmp_path: Path, scanner, stored) -> None:
    plain = read_image(scanner.write(tmp_path / "mr", stored, modality="MR"))
    np.testing.assert_array_equal(plain.voxels, stored)

    def edit(data, z) -> None:
        data.PhotometricInterpretation = "MONOCHROME1"

    with pytest.warns(RadiogenomicsWarning, match="MONOCHROME1"):
        dark = read_image(scanner.write(tmp_path / "dark", stored, modality="MR", edit=edit))
    assert np.corrcoef(dark.voxels.ravel(), stored.ravel())[0, 1] == pytest.approx(-1)
    assert dark.notes
    # A HU is a HU however it is displayed.
    hu = read_image(scanner.write(tmp_path / "ct", stored, edit=edit))
    np.testing.assert_array_equal(hu.voxels, stored - 1024)


def test_unused_high_bits_are_no_pixel_values(tmp_path: Path, scanner, stored) -> None:
    overlay = (stored.astype(np.uint16) | 0xF000).astype(np.uint16)

    def edit(data, z) -> None:
        data.BitsStored, data.HighBit = 12, 11

    image = read_image(scanner.write(tmp_path / "mr", overlay, modality="MR", edit=edit))
    np.testing.assert_array_equal(image.voxels, stored)


def tilt(data, z) -> None:
    data.ImagePositionPatient[1] += 0.3 * z


def drop_rescale(data, z) -> None:
    del data.RescaleSlope


def turn(data, z) -> None:
    if z == 2:
        data.ImageOrientationPatient = list(SAGITTAL)


def colour(data, z) -> None:
    data.SamplesPerPixel, data.PhotometricInterpretation = 3, "RGB"
    data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = b"\0" * (3 * data.Rows * data.Columns)


def without_pixels(data, z) -> None:
    del data.PixelData


def shorter(data, z) -> None:
    data.PixelData = data.PixelData[:-20]


def nowhere(data, z) -> None:
    del data.ImagePositionPatient


def crooked(data, z) -> None:
    data.ImageOrientationPatient = [1, 0, 0, 1, 0, 0]


def localiser(data, z) -> None:
    data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]


def wider(data, z) -> None:
    data.PixelSpacing = [0.8, 0.7 + 0.1 * (z == 2)]


@pytest.mark.parametrize(
    ("edit", "error", "message"),
    [
        (tilt, GeometryError, "6.8°.*gantry tilt"),
        (drop_rescale, DataError, "RescaleSlope.*HU"),
        (turn, GeometryError, "one orientation"),
        (crooked, GeometryError, "perpendicular"),
        (wider, GeometryError, "pixel sizes"),
        (colour, DataError, "found colours"),
        (without_pixels, DataError, "expected pixel data"),
        (shorter, DataError, "slice 1: expected a sound DICOM file"),
        (nowhere, DataError, "without a position"),
        (localiser, DataError, "localisers only"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_series_that_is_no_volume(tmp_path: Path, scanner, stored, edit, error, message) -> None:
    folder = scanner.write(tmp_path / "ct", stored, edit=edit)
    with pytest.raises(error, match=message):
        read_image(folder)


def test_missing_duplicate_and_uneven_slices(tmp_path: Path, scanner, stored) -> None:
    folder = scanner.write(tmp_path / "ct", stored)
    copy = (folder / "003.dcm").read_bytes()
    (folder / "003.dcm").unlink()
    with pytest.raises(GeometryError, match="2.5 mm apart; found 1 missing slices among 4"):
        read_image(folder)
    for name in ("003.dcm", "copy.dcm"):
        (folder / name).write_bytes(copy)
    with pytest.raises(GeometryError, match="1 duplicate slices among 6"):
        read_image(folder)

    def drift(data, z) -> None:
        data.ImagePositionPatient[2] += 0.4 * (z == 2)

    with pytest.raises(GeometryError, match="uneven gaps"):
        read_image(scanner.write(tmp_path / "uneven", stored, edit=drift))

    def rounded(data, z) -> None:
        data.ImagePositionPatient[2] += 0.1 * (z == 2)

    with pytest.warns(RadiogenomicsWarning, match="beside an even lattice"):
        image = read_image(scanner.write(tmp_path / "rounded", stored, edit=rounded))
    assert image.spacing_mm[0] == pytest.approx(2.5)


def test_two_series_are_listed_without_identifiers_and_chosen_by_key(
    tmp_path: Path, scanner, stored
) -> None:
    other = scanner.uid()
    folder = scanner.write(tmp_path / "both", stored)
    scanner.write(folder, stored[:3] + 1, modality="MR", series=other, names="mr{}".format)
    with pytest.raises(DataError, match=r"found 2: \w{8} \(CT, 5 slices\); \w{8} \(MR, 3") as error:
        read_image(folder)
    for secret in (other, scanner.series, "Secret", "SECRET"):
        assert secret not in str(error.value)
    keys = {series.modality: series.key for series in list_series(folder)}
    np.testing.assert_array_equal(read_image(folder, series=keys["MR"]).voxels, stored[:3] + 1)
    with pytest.raises(UnknownNameError, match="unknown series in both"):
        read_image(folder, series="0")


def test_localiser_beside_a_series_is_left_out_and_noted(tmp_path: Path, scanner, stored) -> None:
    folder = scanner.write(tmp_path / "ct", stored)
    scanner.write(folder, stored[:1], orientation=SAGITTAL, edit=localiser, names="scout{}".format)
    with pytest.warns(RadiogenomicsWarning, match="1 localisers"):
        image = read_image(folder)
    assert image.voxels.shape == stored.shape


def test_phases_of_one_series_are_told_apart(tmp_path: Path, scanner, stored) -> None:
    for phase in (1, 2, 10):

        def edit(data, z, phase=phase) -> None:
            data.TemporalPositionIdentifier = phase
            data.InstanceNumber = 100 * phase + z

        scanner.write(
            tmp_path / "dce",
            stored + np.int16(phase),
            modality="MR",
            edit=edit,
            names=lambda k, p=phase: f"{k}-{p}.dcm",
        )
    phases = list_series(tmp_path / "dce")
    assert [series.key[-2:] for series in phases] == [".1", ".2", ".3"]
    last = read_image(tmp_path / "dce", series=phases[2].key)
    np.testing.assert_array_equal(last.voxels, stored + 10)
    assert last.header.temporal_position == 10


def test_files_that_are_no_series(tmp_path: Path, scanner, stored) -> None:
    with pytest.raises(MissingFileError, match="nowhere"):
        read_image(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="found none, and 0 folders"):
        read_image(tmp_path / "empty")
    text = tmp_path / "letter.dcm"
    text.write_text("Dear colleague, " * 40)
    with pytest.raises(DataError, match="letter.dcm: expected a sound DICOM file"):
        read_image(text)
    folder = scanner.write(tmp_path / "ct", stored)
    (folder / "LICENSE").write_text("free")
    (folder / "notes.txt").write_text("a picture")
    assert read_image(folder).voxels.shape == stored.shape
    slice_ = folder / "002.dcm"
    slice_.write_bytes(slice_.read_bytes()[:100])
    with pytest.raises(DataError, match="ct, file 2 of 5: expected a sound DICOM"):
        read_image(folder)


def test_single_slice_needs_a_thickness(tmp_path: Path, scanner, stored) -> None:
    folder = scanner.write(tmp_path / "ct", stored[:1])
    assert read_image(folder / "001.dcm").spacing_mm == (2.5, 0.8, 0.7)

    def edit(data, z) -> None:
        del data.SliceThickness

    with pytest.raises(GeometryError, match="one slice without"):
        read_image(scanner.write(tmp_path / "thin", stored[:1], edit=edit))


def test_no_message_quotes_the_patient(tmp_path: Path, scanner, stored) -> None:
    secret = re.compile("secret|1950", re.I)
    for edit in (tilt, turn, colour, without_pixels, shorter, nowhere, localiser, drop_rescale):
        folder = scanner.write(tmp_path / edit.__name__, stored, edit=edit)
        with pytest.raises(RadiogenomicsError) as error:
            read_image(folder)
        assert not secret.search(str(error.value))
        assert error.value.__cause__ is None
    image = read_image(scanner.write(tmp_path / "sound", stored))
    assert not secret.search(repr((image, image.head, image.header, image.source)))
    assert scanner.series not in repr(image.head)


@pytest.mark.parametrize("name", ["MR_small_RLE.dcm", "MR_small_jp2klossless.dcm"])
def test_compressed_slices_equal_the_uncompressed(name: str) -> None:
    plain, packed = (
        read_image(pydicom.data.get_testdata_file(file)) for file in ("MR_small.dcm", name)
    )
    np.testing.assert_array_equal(packed.voxels, plain.voxels)


def test_compression_without_a_decoder_is_named(tmp_path: Path, scanner, stored) -> None:
    def edit(data, z) -> None:
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.201"  # HTJ2K
        data.PixelData = pydicom.encaps.encapsulate([data.PixelData])
        data["PixelData"].is_undefined_length = True

    folder = scanner.write(tmp_path / "ct", stored, edit=edit)
    with pytest.raises(DataError, match="High-Throughput JPEG 2000.*no decoder"):
        read_image(folder)


@pytest.mark.real
def test_enhanced_multi_frame_equals_the_series_it_was_made_of(data_root: Path) -> None:
    for size in ("23x38x3", "24x38x3"):
        folder = data_root / "imaging" / "dicom_seg" / "dcmqi" / size
        series, frames = read_image(folder / "image"), read_image(folder / "multiframe" / "mf.dcm")
        np.testing.assert_array_equal(series.voxels, frames.voxels)
        assert series.head.grid == frames.head.grid
