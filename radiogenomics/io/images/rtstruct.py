"""DICOM RTSTRUCT: contours in the patient's space → a mask on the image's slices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from radiogenomics.core.errors import DataError, GeometryError
from radiogenomics.io.images.dicom_header import FARTHEST_MM, dicom_faults, read_dataset, text
from radiogenomics.io.images.grid import Array, Grid
from radiogenomics.io.images.image import ImageHead, Source
from radiogenomics.io.images.match import TOLERANCE, Repair
from radiogenomics.io.images.named import choose_named
from radiogenomics.io.images.polygon import fill_polygons

CLOSED = frozenset(("CLOSED_PLANAR", "CLOSEDPLANAR_XOR"))
SAME_PLANE = 0.01  # of the slices' distance: contours of one plane differ by rounding only
LEAN = 0.1  # of the slices' distance: how far a contour may leave its plane
FAR = 4  # times the image's size: contours beyond are not drawn at all


@dataclass(frozen=True)
class Structure:
    """One structure of a set.

    Parameters
    ----------
    contours
        Corners (x, y, z) in mm, n × 3 each.
    source
        What the set refers to.
    skipped
        Contours without an area (points, open lines).
    """

    contours: tuple[Array, ...] = field(repr=False)
    source: Source
    skipped: int = 0


def read_structure(path: Path, roi: str | int | None, *, name: str) -> Structure:
    """Read the contours of a structure by name or number; None: of the only one.

    Raises
    ------
    DataError
        The file is damaged, holds several structures and none was named, or the structure has no
        closed contour.
    UnknownNameError
        There is no such structure; near matches are listed.
    MissingExtraError
        pydicom is not installed.
    """
    data = read_dataset(path, name=name)
    with dicom_faults(name):
        known = {
            int(entry.ROINumber): text(entry, "ROIName")
            for entry in data.get("StructureSetROISequence") or ()
        }
        number = choose_named(known, roi, kind="structure", name=name)
        drawn = [
            entry
            for entry in data.get("ROIContourSequence") or ()
            if int(entry.ReferencedROINumber) == number
        ]
        items = [item for entry in drawn for item in entry.get("ContourSequence") or ()]
        closed = [item for item in items if text(item, "ContourGeometricType").upper() in CLOSED]
        contours = tuple(_corners(item, name) for item in closed)
        source = _references(data, items)
    if not contours:
        raise DataError(
            f"{name}: expected closed contours of the structure; found none (no ContourSequence, "
            "or points and lines only). Draw it, or name another structure."
        )
    return Structure(contours, source, skipped=len(items) - len(closed))


def draw_structure(
    structure: Structure, image: ImageHead, *, name: str, repair: Repair | str = "error"
) -> tuple[Array, tuple[str, ...]]:
    """Fill contours on the slices of an image.

    A voxel is inside when its centre is, by the even-odd rule over all contours of its plane:
    contours within contours are holes. A plane is drawn on the nearest slice.

    Parameters
    ----------
    structure
        Contours.
    image
        Where to draw.
    name
        Of the file, for messages.
    repair
        With ``"error"`` two planes that fall onto one slice are refused; otherwise the nearer
        counts.

    Returns
    -------
    tuple
        uint8 (z, y, x), and notes.

    Raises
    ------
    GeometryError
        A contour leaves its plane, lies more than half a slice off, or is partly outside the image.
    """
    planes, notes = _planes(structure, image.grid, name=name, repair=repair)
    mask = np.zeros(image.grid.shape, dtype=np.uint8)
    lost = total = 0
    for slice_index, polygons in planes.items():
        drawn, outside = _drawn(polygons, image.grid.shape[1:], name)
        mask[slice_index] |= drawn
        lost, total = lost + outside, total + outside + int(np.count_nonzero(drawn))
    if lost:
        raise GeometryError(
            f"{name}: expected contours inside {image.name}; found {lost / total:.1%} of their "
            "area outside. Check that both belong together."
        )
    if structure.skipped:
        notes.append(f"{structure.skipped} contours without an area (points, lines) were left out")
    return mask, tuple(notes)


def _planes(
    structure: Structure, grid: Grid, *, name: str, repair: str
) -> tuple[dict[int, list[Array]], list[str]]:
    """Polygons (row, column) by the slice they are drawn on, and notes."""
    placed = [grid.indices(contour) for contour in structure.contours]
    placed.sort(key=_height)
    by_height: dict[float, list[Array]] = {}
    height = -np.inf
    for corners in placed:
        if np.ptp(corners[:, 0]) > LEAN:
            raise GeometryError(
                f"{name}: expected contours in the planes of the slices; found one that leaves its "
                "plane. It was drawn on other slices: give the series it belongs to."
            )
        if _height(corners) - height > SAME_PLANE:
            height = _height(corners)
        by_height.setdefault(height, []).append(corners[:, 1:])
    outside = [height for height in by_height if not -0.5 <= height < grid.shape[0] - 0.5]
    if outside:
        raise GeometryError(
            f"{name}: expected contours within half a slice of the image; found {len(outside)} of "
            f"{len(by_height)} planes beyond its first or last slice. Check that both belong "
            "together."
        )
    return _nearest_slices(by_height, grid, name=name, repair=repair)


def _height(corners: Array) -> float:
    return float(np.median(corners[:, 0]))


def _nearest_slices(
    by_height: dict[float, list[Array]], grid: Grid, *, name: str, repair: str
) -> tuple[dict[int, list[Array]], list[str]]:
    nearest: dict[int, list[float]] = defaultdict(list)
    for height in by_height:
        nearest[int(np.floor(height + 0.5))].append(height)
    notes = []
    crowded = sum(len(heights) - 1 for heights in nearest.values())
    if crowded and repair == "error":
        raise GeometryError(
            f"{name}: expected one plane of contours a slice; found {crowded} more planes than "
            "slices. They were drawn on thinner slices: give those, or use repair='resample'."
        )
    if crowded:
        notes.append(f"{crowded} planes of contours between slices gave way to nearer ones")
    chosen = {
        index: min(heights, key=lambda height: abs(height - index))
        for index, heights in nearest.items()
    }
    off = max(abs(height - index) for index, height in chosen.items())
    if off > TOLERANCE:
        notes.append(
            f"contours lie up to {off * grid.spacing_mm[0]:.2g} mm off the slices and were drawn "
            "on the nearest ones"
        )
    steps = np.diff(sorted(chosen))
    if len(steps) and steps.min() > 1:
        notes.append(
            f"contours lie {int(steps.min())} or more slices apart: the slices between stay empty"
        )
    return {index: by_height[height] for index, height in chosen.items()}, notes


def _drawn(polygons: Sequence[Array], shape: tuple[int, ...], name: str) -> tuple[Array, int]:
    """Pixels of the image inside the polygons, and how many inside lie beyond the image."""
    corners = np.concatenate(polygons)
    low = np.floor(corners.min(axis=0)).astype(np.int64)
    high = np.ceil(corners.max(axis=0)).astype(np.int64) + 1
    room = np.array(shape)
    if (low < -FAR * room).any() or (high > FAR * room).any():
        raise GeometryError(
            f"{name}: expected contours inside the image; found corners far outside. "
            "Check that both belong together."
        )
    window = fill_polygons([polygon - low for polygon in polygons], tuple(high - low))
    drawn = np.zeros(shape, dtype=bool)
    start, stop = np.clip(low, 0, room), np.clip(high, 0, room)
    cut = window[start[0] - low[0] : stop[0] - low[0], start[1] - low[1] : stop[1] - low[1]]
    drawn[start[0] : stop[0], start[1] : stop[1]] = cut
    return drawn, int(np.count_nonzero(window) - np.count_nonzero(cut))


def _corners(item: Any, name: str) -> Array:
    values = np.array([float(value) for value in item.get("ContourData") or ()])
    if len(values) % 3 or len(values) < 9 or not (np.abs(values) < FARTHEST_MM).all():
        raise DataError(
            f"{name}: expected contours of at least three points (x, y, z) in mm; found one of "
            f"{len(values)} numbers, or far beyond any body. Export the structure set again."
        )
    corners: Array = values.reshape(-1, 3)
    return corners


def _references(data: Any, items: Sequence[Any]) -> Source:
    """Series, instances and frames of reference that the set says it was drawn on."""
    frames, series, instances = set(), set(), set()
    for frame in data.get("ReferencedFrameOfReferenceSequence") or ():
        frames.add(text(frame, "FrameOfReferenceUID"))
        for study in frame.get("RTReferencedStudySequence") or ():
            for entry in study.get("RTReferencedSeriesSequence") or ():
                series.add(text(entry, "SeriesInstanceUID"))
                for image in entry.get("ContourImageSequence") or ():
                    instances.add(text(image, "ReferencedSOPInstanceUID"))
    if not series:
        return Source()
    for item in items:
        for image in item.get("ContourImageSequence") or ():
            instances.add(text(image, "ReferencedSOPInstanceUID"))
    return Source(*(frozenset(found - {""}) for found in (series, frames, instances)))
