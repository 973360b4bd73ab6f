"""The entry for masks: any format in, integers on the image's grid out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from radiogenomics.core.errors import DataError, GeometryError, UnknownNameError
from radiogenomics.io.images.archive import opened
from radiogenomics.io.images.dicom_header import Instance
from radiogenomics.io.images.dicom_seg import read_segment, segment_volume
from radiogenomics.io.images.dicom_series import choose_series, read_instances
from radiogenomics.io.images.dicom_stack import read_pixels, stack
from radiogenomics.io.images.grid import Array, Grid
from radiogenomics.io.images.image import Image, ImageHead, Source
from radiogenomics.io.images.match import REPAIRS, TOLERANCE, Repair, fit_mask, require_fit
from radiogenomics.io.images.reading import announce, holds_dicom
from radiogenomics.io.images.rtstruct import draw_structure, read_structure
from radiogenomics.io.images.volume_file import read_head, read_voxels

DRAWN = ("SEG", "RTSTRUCT")


@dataclass(frozen=True, eq=False)
class Mask:
    """A mask on an image's grid.

    Parameters
    ----------
    voxels
        Integers (z, y, x); 0 is outside.
    notes
        What was mended, set aside or taken at its word while reading.
    """

    voxels: Array = field(repr=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Wanted:
    """A mask that was asked for."""

    path: Path
    name: str
    label: int | None
    roi: str | int | None
    repair: str
    tolerance: float


def read_mask(
    path: str | Path,
    *,
    image: Image | ImageHead,
    label: int | None = None,
    roi: str | int | None = None,
    repair: Repair | str = "error",
    tolerance: float = TOLERANCE,
) -> Array:
    """Read a mask and bring it onto an image's grid.

    Parameters
    ----------
    path
        Label image (NIfTI, NRRD, MHA, MHD), DICOM series of mask slices, DICOM SEG or RTSTRUCT, or
        an archive of one, as for :func:`read_image`.
    image
        The image it belongs to.
    label
        Value of the region, which becomes 1; None keeps all values (mask slices with one value
        besides 0, whatever it is, become 0 and 1). Of a SEG it is the segment's number.
    roi
        Name or number of the segment or structure; None: the only one. Masks made of voxels have
        no names, so there it is not looked at.
    repair
        ``"error"``, ``"pad"`` or ``"resample"``: what happens to a mask on another grid, see
        :func:`~radiogenomics.io.images.match.fit_mask`. The latter two also let a SEG or RTSTRUCT
        pass that refers to another series, or to none. Each repair raises a warning and is logged.
    tolerance
        Share of a voxel side by which grids may differ and still be the same.

    Returns
    -------
    ndarray
        Integers (z, y, x) of the image's shape; 0 is outside.

    Raises
    ------
    MissingFileError
        There is nothing at that path.
    DataError
        A file is damaged, the region is absent, or it was drawn on another series.
    GeometryError
        The grids differ and no repair was asked for, or a repair would lose part of the region.
    UnknownNameError
        There is no such segment, structure, series or repair.
    MissingExtraError
        A package of the extra ``imaging`` is not installed.
    """
    found = read_mask_with_notes(
        path, image=image, label=label, roi=roi, repair=repair, tolerance=tolerance
    )
    return found.voxels


def read_mask_with_notes(
    path: str | Path,
    *,
    image: Image | ImageHead,
    label: int | None = None,
    roi: str | int | None = None,
    repair: Repair | str = "error",
    tolerance: float = TOLERANCE,
) -> Mask:
    """Read a mask as :func:`read_mask` does, and say what was mended."""
    if repair not in REPAIRS:
        raise UnknownNameError("repair", repair, REPAIRS)
    place, head = Path(path), image.head if isinstance(image, Image) else image
    with opened(place) as found:
        wanted = _Wanted(found, place.name, label, roi, str(repair), tolerance)
        mask = (_from_dicom if holds_dicom(found) else _from_volume)(wanted, head)
    announce(mask.notes, place.name)
    return mask


def check_mask(
    path: str | Path,
    *,
    image: ImageHead,
    label: int | None = None,
    roi: str | int | None = None,
    repair: Repair | str = "error",
) -> None:
    """Compare a mask's grid with an image's from the headers, voxels unread.

    A SEG or RTSTRUCT is read whole: its grid is made of its frames or contours.

    Raises
    ------
    MissingFileError, DataError, GeometryError, UnknownNameError, MissingExtraError
        As for :func:`read_mask`.
    """
    place = Path(path)
    with opened(place) as found:
        if not holds_dicom(found):
            own = read_head(found).grid
        else:
            instances = read_instances(found, name=place.name)
            if any(entry.kind in DRAWN for entry in instances):
                read_mask(path, image=image, label=label, roi=roi, repair=repair)
                return
            own = stack(choose_series(instances, None, name=place.name), name=place.name)[0].grid
    require_fit(own, image.grid, names=(place.name, image.name), repair=repair, tolerance=TOLERANCE)


def _from_volume(wanted: _Wanted, image: ImageHead) -> Mask:
    head, voxels = read_voxels(wanted.path)
    return _fitted(_labels(voxels, wanted), head.grid, wanted, image)


def _from_dicom(wanted: _Wanted, image: ImageHead) -> Mask:
    instances = read_instances(wanted.path, name=wanted.name)
    drawn = [entry for entry in instances if entry.kind in DRAWN]
    if not drawn:
        return _from_slices(instances, wanted, image)
    if len(drawn) > 1:
        raise DataError(
            f"{wanted.name}: expected one segmentation or structure set; found {len(drawn)}. "
            "Give the file itself."
        )
    if drawn[0].kind == "SEG":
        return _from_seg(drawn[0].path, wanted, image)
    return _from_rtstruct(drawn[0].path, wanted, image)


def _from_slices(instances: tuple[Instance, ...], wanted: _Wanted, image: ImageHead) -> Mask:
    series = choose_series(instances, None, name=wanted.name)
    head, slices = stack(series, name=wanted.name)
    voxels, notes = read_pixels(slices, name=wanted.name, suv=False)
    labels = _labels(voxels, wanted)
    if wanted.label is None and len(np.unique(labels[labels != 0])) == 1:
        # Slices of 0 and 255 are a picture of a mask: the value says nothing but "inside".
        labels = (labels != 0).astype(np.uint8)
    fitted = _fitted(labels, head.grid, wanted, image)
    return Mask(fitted.voxels, (*head.notes, *notes, *fitted.notes))


def _from_seg(path: Path, wanted: _Wanted, image: ImageHead) -> Mask:
    choice = wanted.label if wanted.label is not None else wanted.roi
    segment = read_segment(path, choice, name=wanted.name)
    trusted = _references(segment.source, wanted, image)
    labels, grid = segment_volume(segment, image.grid, name=wanted.name)
    fitted = _fitted(labels, grid, wanted, image)
    return Mask(fitted.voxels, (*trusted, *fitted.notes))


def _from_rtstruct(path: Path, wanted: _Wanted, image: ImageHead) -> Mask:
    if wanted.label is not None:
        raise DataError(
            f"{wanted.name}: expected the name or number of a structure (roi), as a structure set "
            f"has no labels; found label {wanted.label}. Leave the label out."
        )
    structure = read_structure(path, wanted.roi, name=wanted.name)
    trusted = _references(structure.source, wanted, image)
    mask, notes = draw_structure(structure, image, name=wanted.name, repair=wanted.repair)
    return Mask(mask, (*trusted, *notes))


def _references(source: Source, wanted: _Wanted, image: ImageHead) -> tuple[str, ...]:
    """Note that a region is taken at its word; refuse one that was drawn on something else."""
    if not image.source.known or (source.known and source.agrees_with(image.source)):
        return ()
    found = "one that refers to another series" if source.known else "one without a reference"
    if wanted.repair == "error":
        raise DataError(
            f"{wanted.name}: expected a region that refers to the series of {image.name}; found "
            f"{found}. Give its own series; if you know that both share their space, read it with "
            "repair='resample'."
        )
    return ((f"{found}: its positions were taken at their word".removeprefix("one ")),)


def _fitted(labels: Array, grid: Grid, wanted: _Wanted, image: ImageHead) -> Mask:
    names = (wanted.name, image.name)
    return Mask(
        *fit_mask(
            labels, grid, image.grid, names=names, repair=wanted.repair, tolerance=wanted.tolerance
        )
    )


def _labels(values: Array, wanted: _Wanted) -> Array:
    """Whole numbers, or 0 and 1 where one label is wanted."""
    whole = values
    if values.dtype.kind not in "biu":
        whole = np.rint(values)
        if not (np.abs(values) < 2**31).all() or not np.array_equal(whole, values):
            raise GeometryError(
                f"{wanted.name}: expected whole numbers as labels; found fractions. "
                "Cut the mask at a half, or export labels."
            )
        whole = whole.astype(np.int32)
    if wanted.label is None:
        return whole
    inside: Array = whole == wanted.label
    if not inside.any():
        raise UnknownNameError(
            f"label in {wanted.name}", str(wanted.label), map(str, np.unique(whole[whole != 0]))
        )
    return inside.astype(np.uint8)
