"""The entry for images: any format in, voxels in the patient's space out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from radiogenomics.core.errors import GeometryError, RadiogenomicsWarning
from radiogenomics.core.log import get_logger
from radiogenomics.io.images.archive import opened
from radiogenomics.io.images.dicom_header import is_dicom
from radiogenomics.io.images.dicom_series import (
    Series,
    choose_series,
    read_instances,
    series_of,
    set_aside,
)
from radiogenomics.io.images.dicom_stack import read_pixels, stack
from radiogenomics.io.images.grid import Array
from radiogenomics.io.images.image import Image, ImageHead, image_of
from radiogenomics.io.images.volume_file import read_head, read_voxels

_LOG = get_logger(__name__)


def read_image(path: str | Path, *, series: str | None = None, suv: bool = True) -> Image:
    """Read an image from NIfTI, NRRD, MHA, MHD, a DICOM folder or file, or an archive of these.

    Values are HU for CT, SUV by body weight for PET, and as stored for MR (rescaled where the
    header says so). Whole numbers stay integers: int16 where they fit.

    Parameters
    ----------
    path
        File, folder, zip or tar archive, or a place inside one, written like a folder:
        ``scans.zip/patient/arterial``.
    series
        Key of the series, where a folder holds several; the error that says so lists them.
    suv
        False leaves PET as stored activity.

    Raises
    ------
    MissingFileError
        There is nothing at that path.
    DataError
        A file is damaged, holds no image, or there are several series and none was chosen.
    GeometryError
        The slices make no regular volume, or a voxel is not finite.
    UnknownNameError
        There is no such series.
    MissingExtraError
        A package of the extra ``imaging`` is not installed.
    """
    place = Path(path)
    with opened(place) as found:
        if holds_dicom(found):
            head, voxels = _read_series(found, series, name=place.name, suv=suv)
        else:
            head, voxels = read_voxels(found)
    try:
        image = image_of(replace(head, name=place.name), voxels)
    except GeometryError as error:
        raise GeometryError(f"{place.name}: {error}") from None
    announce(image.notes, place.name)
    return image


def read_image_head(path: str | Path, *, series: str | None = None) -> ImageHead:
    """Read where an image lies without its voxels; raises as :func:`read_image` does."""
    place = Path(path)
    with opened(place) as found:
        if not holds_dicom(found):
            return replace(read_head(found), name=place.name)
        chosen = choose_series(read_instances(found, name=place.name), series, name=place.name)
        return stack(chosen, name=place.name)[0]


def list_series(path: str | Path) -> tuple[Series, ...]:
    """List the series of a DICOM folder: key, modality and slices, nothing of the patient.

    Raises
    ------
    MissingFileError, DataError, MissingExtraError
        As for :func:`read_image`.
    """
    with opened(Path(path)) as found:
        return series_of(read_instances(found, name=Path(path).name))


def holds_dicom(path: Path) -> bool:
    """Whether a file or folder is to be read as DICOM: by its mark, else by its suffix."""
    return path.is_dir() or path.suffix.lower() == ".dcm" or is_dicom(path)


def announce(notes: Iterable[str], name: str) -> None:
    """Log each note and raise it as a warning, so that nothing is mended silently."""
    for note in notes:
        _LOG.info("%s: %s", name, note)
        warnings.warn(f"{name}: {note}.", RadiogenomicsWarning, stacklevel=3)


def _read_series(path: Path, key: str | None, *, name: str, suv: bool) -> tuple[ImageHead, Array]:
    instances = read_instances(path, name=name)
    chosen = choose_series(instances, key, name=name)
    head, slices = stack(chosen, name=name)
    voxels, notes = read_pixels(slices, name=name, suv=suv)
    return replace(head, notes=(*set_aside(instances, chosen), *head.notes, *notes)), voxels
