"""Small DICOM objects made by the test itself; everything in them is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed")
pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")

from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.sequence import Sequence as Items  # noqa: E402
from pydicom.uid import ExplicitVRLittleEndian, generate_uid  # noqa: E402

STORAGE = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "SEG": "1.2.840.10008.5.1.4.1.1.66.4",
    "RTSTRUCT": "1.2.840.10008.5.1.4.1.1.481.3",
}
PATIENT = "Secret^Name"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
Edit = Callable[[Dataset, int], None]


def blank(modality: str, *, instance: str, series: str, frame: str) -> Dataset:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = STORAGE[modality]
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = instance
    data.PatientName, data.PatientID, data.PatientBirthDate = PATIENT, "SECRET-ID", "19500101"
    data.Modality, data.SeriesInstanceUID, data.FrameOfReferenceUID = modality, series, frame
    return data


def put_pixels(data: Dataset, values: np.ndarray) -> None:
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = values.shape[-2:]
    data.BitsAllocated = data.BitsStored = values.dtype.itemsize * 8
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(values.dtype.kind == "i")
    data.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)


class Scanner:
    """Writes DICOM into a folder; one series and one frame of reference by default."""

    def __init__(self) -> None:
        self._made = 0
        self.series, self.frame = self.uid(), self.uid()

    def uid(self) -> str:
        """The next identifier: new, and the same in every run."""
        self._made += 1
        return str(generate_uid(entropy_srcs=[str(self._made)]))

    def _blank(self, modality: str, series: str) -> Dataset:
        return blank(modality, instance=self.uid(), series=series, frame=self.frame)

    def write(
        self,
        folder: Path,
        voxels: np.ndarray,
        *,
        modality: str = "CT",
        spacing: Sequence[float] = (2.5, 0.8, 0.7),
        origin: Sequence[float] = (-10.0, 20.0, -30.0),
        orientation: Sequence[float] = AXIAL,
        series: str = "",
        edit: Edit | None = None,
        names: Callable[[int], str] = "{:03d}.dcm".format,
    ) -> Path:
        """Write one file a slice, the highest first, so that names and positions disagree."""
        folder.mkdir(parents=True, exist_ok=True)
        normal = np.cross(orientation[:3], orientation[3:])
        for z, values in enumerate(voxels):
            data = self._blank(modality, series or self.series)
            put_pixels(data, values)
            place = np.array(origin) + z * spacing[0] * normal
            data.ImagePositionPatient = [round(float(x), 6) for x in place]
            data.ImageOrientationPatient = list(orientation)
            data.PixelSpacing, data.SliceThickness = list(spacing[1:]), spacing[0]
            data.InstanceNumber = z + 1
            if modality == "CT":
                data.RescaleSlope, data.RescaleIntercept = 1, -1024
            if edit is not None:
                edit(data, z)
            data.save_as(folder / names(len(voxels) - z), enforce_file_format=True)
        return folder

    def write_seg(
        self,
        path: Path,
        segments: dict[str, np.ndarray],
        image: Path,
        *,
        kind: str = "BINARY",
        edit: Callable[[Dataset], None] | None = None,
    ) -> Path:
        """Write a SEG with a frame wherever a segment has pixels, on the slices of a series."""
        slices = sorted(map(pydicom.dcmread, image.iterdir()), key=_height)
        data = self._blank("SEG", self.uid())
        frames, groups = [], []
        for number, mask in enumerate(segments.values(), start=1):
            for source, plane in zip(slices, mask, strict=True):
                if plane.any():
                    frames.append(plane)
                    groups.append(_frame(number, source))
        shared = Dataset()
        measures, orientation = Dataset(), Dataset()
        measures.PixelSpacing, measures.SliceThickness = slices[0].PixelSpacing, 1.0
        orientation.ImageOrientationPatient = slices[0].ImageOrientationPatient
        shared.PixelMeasuresSequence = Items([measures])
        shared.PlaneOrientationSequence = Items([orientation])
        data.SharedFunctionalGroupsSequence = Items([shared])
        data.PerFrameFunctionalGroupsSequence = Items(groups)
        data.SegmentSequence = Items([_segment(n, s) for n, s in enumerate(segments, start=1)])
        data.ReferencedSeriesSequence = Items([Dataset()])
        data.ReferencedSeriesSequence[0].SeriesInstanceUID = slices[0].SeriesInstanceUID
        data.SegmentationType, data.NumberOfFrames = kind, len(frames)
        stacked = np.array(frames)
        put_pixels(data, stacked.astype(np.uint8))
        if kind == "BINARY":
            data.BitsAllocated, data.BitsStored, data.HighBit = 1, 1, 0
            packed = np.packbits(stacked.astype(bool).ravel(), bitorder="little").tobytes()
            data.PixelData = packed + b"\0" * (len(packed) % 2)
        if edit is not None:
            edit(data)
        data.save_as(path, enforce_file_format=True)
        return path

    def write_rtstruct(
        self,
        path: Path,
        structures: dict[str, list[np.ndarray]],
        *,
        edit: Callable[[Dataset], None] | None = None,
    ) -> Path:
        """Write contours (n × 3, mm) that refer to this scanner's series."""
        data = self._blank("RTSTRUCT", self.uid())
        names, drawn = [], []
        for number, (name, contours) in enumerate(structures.items(), start=1):
            roi, shape = Dataset(), Dataset()
            roi.ROINumber, roi.ROIName = number, name
            shape.ReferencedROINumber = number
            shape.ContourSequence = Items([_contour(points) for points in contours])
            names.append(roi)
            drawn.append(shape)
        series, study, frame = Dataset(), Dataset(), Dataset()
        series.SeriesInstanceUID = self.series
        study.RTReferencedSeriesSequence = Items([series])
        frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = self.frame, Items([study])
        data.ReferencedFrameOfReferenceSequence = Items([frame])
        data.StructureSetROISequence, data.ROIContourSequence = Items(names), Items(drawn)
        if edit is not None:
            edit(data)
        data.save_as(path, enforce_file_format=True)
        return path


def _height(data: Dataset) -> float:
    normal = np.cross(data.ImageOrientationPatient[:3], data.ImageOrientationPatient[3:])
    return float(np.dot(normal, data.ImagePositionPatient))


def _frame(number: int, source: Dataset) -> Dataset:
    group, position, segment = Dataset(), Dataset(), Dataset()
    position.ImagePositionPatient = source.ImagePositionPatient
    segment.ReferencedSegmentNumber = number
    group.PlanePositionSequence = Items([position])
    group.SegmentIdentificationSequence = Items([segment])
    return group


def _segment(number: int, label: str) -> Dataset:
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentLabel = number, label
    return segment


def _contour(points: np.ndarray) -> Dataset:
    contour = Dataset()
    contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(points)
    contour.ContourData = [round(float(value), 4) for value in np.ravel(points)]
    return contour


@pytest.fixture
def scanner() -> Scanner:
    return Scanner()


@pytest.fixture
def stored(rng: np.random.Generator) -> np.ndarray:
    """Stored values of a small CT (z, y, x); HU are 1024 lower."""
    return rng.integers(0, 2000, (5, 12, 14)).astype(np.int16)
