"""DICOM headers: what is needed of them, as plain numbers and words, and no more."""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radiogenomics.core.errors import DataError, MissingExtraError, RadiogenomicsError
from radiogenomics.io.images.image import Header, Source

DAY_S = 86_400.0
FARTHEST_MM = 1e6  # a position beyond is a damaged one
# Tags that tell the acquisitions of a dynamic, multi-echo or diffusion series apart.
SPLITTING = (
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "AcquisitionNumber",
    "AcquisitionTime",
    "ContentTime",
    "TriggerTime",
    "EchoTime",
    "DiffusionBValue",
    "ImageType",
)


@dataclass(frozen=True)
class Plane:
    """One slice or frame in the patient's space.

    Parameters
    ----------
    position
        Centre of the first pixel in mm (x, y, z).
    axes
        Direction along a row, then down a column, (x, y, z) each.
    pixel_mm
        Pixel size (down, across).
    thickness_mm
        Distance to the next slice as far as the header says, else thickness; None when absent.
    slope, intercept
        Of the rescale; None when absent.
    frame
        Number of the frame in its file, from 0.
    marks
        Values of the tags that split a series into acquisitions.
    """

    position: tuple[float, float, float]
    axes: tuple[float, ...]
    pixel_mm: tuple[float, float]
    thickness_mm: float | None
    slope: float | None
    intercept: float | None
    frame: int = 0
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Instance:
    """A DICOM file without its pixels.

    Parameters
    ----------
    path
        Of the file.
    kind
        ``"image"``, ``"SEG"``, ``"RTSTRUCT"`` or ``"other"``.
    header, source
        As for an image.
    size
        Rows and columns.
    localiser
        Whether it is an overview, not part of a volume.
    inverted
        Whether high values are dark (MONOCHROME1).
    planes
        Slices; empty where the file has no place in space.
    """

    path: Path = field(repr=False)
    kind: str
    header: Header
    source: Source
    size: tuple[int, int] = (0, 0)
    localiser: bool = False
    inverted: bool = False
    planes: tuple[Plane, ...] = ()


def pydicom_module() -> Any:
    """Return the package pydicom; MissingExtraError where it is not installed."""
    try:
        import pydicom
    except ImportError:
        raise MissingExtraError(
            "expected the package pydicom to read DICOM; found none. "
            "Install it: pip install 'radiogenomics[imaging]'."
        ) from None
    return pydicom


@contextmanager
def dicom_faults(name: str) -> Iterator[None]:
    """Turn whatever a damaged DICOM file makes pydicom raise into a DataError.

    pydicom converts values when they are asked for, so this is wrapped around asking, not only
    around opening. Its messages and warnings quote values of the header and are kept back.
    """
    errors = pydicom_module().errors
    faults = (
        errors.InvalidDicomError,
        errors.BytesLengthException,
        OSError,
        EOFError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RuntimeError,
        NotImplementedError,
        AssertionError,
        MemoryError,
        struct.error,
        zlib.error,
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except RadiogenomicsError:
        raise
    except faults:
        raise DataError(
            f"{name}: expected a sound DICOM file; found one that is damaged, cut off or no DICOM. "
            "Fetch it again, or take it out of the folder."
        ) from None


def is_dicom(path: Path) -> bool:
    """Whether a file carries the DICOM mark behind its preamble."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_dataset(path: Path, *, name: str, pixels: bool = True) -> Any:
    """Read a DICOM file; DataError where it is not one."""
    with dicom_faults(name):
        return pydicom_module().dcmread(path, stop_before_pixels=not pixels)


def read_instance(path: Path, *, name: str) -> Instance:
    """Read what a file is and where it lies.

    Raises
    ------
    DataError
        The file is damaged or no DICOM.
    MissingExtraError
        pydicom is not installed.
    """
    data = read_dataset(path, name=name, pixels=False)
    with dicom_faults(name):
        return Instance(
            path=path,
            kind=_kind(data),
            header=_header(data),
            source=source_of(data),
            size=(int(data.get("Rows") or 0), int(data.get("Columns") or 0)),
            localiser="LOCALIZER" in words(data.get("ImageType")),
            inverted=text(data, "PhotometricInterpretation") == "MONOCHROME1",
            planes=planes_of(data),
        )


def source_of(data: Any) -> Source:
    """Identifiers of a DICOM object."""
    series, frame, instance = (
        frozenset(filter(None, [text(data, tag)]))
        for tag in ("SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID")
    )
    return Source(series, frame, instance)


def planes_of(data: Any) -> tuple[Plane, ...]:
    """Slices of a file: one, or the frames of an enhanced multi-frame object."""
    shared = first(data, "SharedFunctionalGroupsSequence")
    frames = data.get("PerFrameFunctionalGroupsSequence")
    if not frames:
        plane = _plane((data,), frame=0)
        return () if plane is None or int(data.get("NumberOfFrames") or 1) > 1 else (plane,)
    found = []
    for number, group in enumerate(frames):
        plane = _plane((*_groups(group), *_groups(shared), data), frame=number)
        if plane is None:
            return ()
        found.append(plane)
    return tuple(found)


def text(data: Any, tag: str) -> str:
    """Value of a tag as a word; empty where it is absent."""
    return str(data.get(tag) or "").strip()


def words(value: Any) -> tuple[str, ...]:
    """One or several values as upper-case words."""
    several = [value] if isinstance(value, str) or not isinstance(value, Sequence) else value
    return tuple(str(word).upper() for word in several if word is not None)


def first(data: Any, tag: str) -> Any:
    """First item of a sequence; None where it is absent or empty."""
    items = None if data is None else data.get(tag)
    return items[0] if items else None


def numbers(value: Any, count: int) -> tuple[float, ...] | None:
    """So many finite numbers; None where the tag is absent or holds others."""
    if value is None or isinstance(value, str | int | float) or len(value) != count:
        return None
    found = tuple(float(entry) for entry in value)
    return found if all(map(math.isfinite, found)) else None


def number(value: Any) -> float | None:
    """A finite number; None where the tag is absent, empty or holds something else."""
    if value is None or value == "":
        return None
    found = float(value)
    return found if math.isfinite(found) else None


def seconds_of_day(time: str) -> float | None:
    """Seconds since midnight of a DICOM time (HHMMSS.FFFFFF); None when it is empty or none.

    Examples
    --------
    >>> seconds_of_day("010203.5")
    3723.5
    """
    digits = time.replace(":", "")
    if not digits[:6].isdecimal() or len(digits) < 4:
        return None
    seconds = float(digits[4:]) if len(digits) > 4 else 0.0
    return int(digits[:2]) * 3600.0 + int(digits[2:4]) * 60.0 + seconds


def _kind(data: Any) -> str:
    modality = text(data, "Modality").upper()
    if modality in ("SEG", "RTSTRUCT"):
        return modality
    return "image" if data.get("Rows") and data.get("Columns") else "other"


def _header(data: Any) -> Header:
    acquired = seconds_of_day(text(data, "AcquisitionTime"))
    injected = seconds_of_day(text(data, "ContrastBolusStartTime"))
    known = acquired is not None and injected is not None
    agent = text(data, "ContrastBolusAgent").upper()
    position = number(data.get("TemporalPositionIdentifier"))
    return Header(
        modality=text(data, "Modality").upper(),
        description=f"{text(data, 'SeriesDescription')} {text(data, 'ProtocolName')}".strip(),
        contrast=agent not in ("NONE", "NO") if agent else None,
        # An examination may span midnight.
        seconds_after_contrast=(acquired - injected) % DAY_S if known else None,  # type: ignore[operator]
        temporal_position=None if position is None else int(position),
    )


def _groups(group: Any) -> Iterator[Any]:
    """Macros of a functional group, each a dataset of its own."""
    if group is not None:
        for element in group:
            if element.VR == "SQ" and element.value:
                yield element.value[0]


def _plane(places: Sequence[Any], *, frame: int) -> Plane | None:
    """Plane from the first of several datasets that states each tag; None where one is absent."""

    def find(tag: str) -> Any:
        return next((p[tag].value for p in places if tag in p and p[tag].value is not None), None)

    position = numbers(find("ImagePositionPatient"), 3)
    cosines = numbers(find("ImageOrientationPatient"), 6)
    pixel = numbers(find("PixelSpacing"), 2)
    if position is None or cosines is None or pixel is None:
        return None
    if max(map(abs, position)) > FARTHEST_MM:
        raise ValueError("a position that no scanner gives")
    gap = number(find("SpacingBetweenSlices"))
    return Plane(
        position=(position[0], position[1], position[2]),
        axes=cosines,
        pixel_mm=(pixel[0], pixel[1]),
        thickness_mm=gap or number(find("SliceThickness")),
        slope=number(find("RescaleSlope")),
        intercept=number(find("RescaleIntercept")),
        frame=frame,
        marks=tuple(str(find(tag)) for tag in SPLITTING),
    )
