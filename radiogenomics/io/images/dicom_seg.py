"""DICOM SEG: frames of a segment, placed by position → a mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from radiogenomics.core.errors import DataError, GeometryError
from radiogenomics.io.images.dicom_header import (
    Plane,
    dicom_faults,
    first,
    number,
    planes_of,
    pydicom_module,
    read_dataset,
    source_of,
    text,
)
from radiogenomics.io.images.grid import Array, Grid, orthonormal
from radiogenomics.io.images.image import Source
from radiogenomics.io.images.limits import require_bytes
from radiogenomics.io.images.match import TOLERANCE
from radiogenomics.io.images.named import choose_named

PARALLEL = 1e-3  # largest difference of cosines, and sine between two normals
HALF = 0.5  # of MaximumFractionalValue: a fractional voxel is inside from here on
BACKGROUND = 0


@dataclass(frozen=True)
class Segment:
    """Frames of one segment.

    Parameters
    ----------
    frames
        bool (frames, rows, columns).
    planes
        Where each frame lies.
    source
        What the segmentation refers to.
    """

    frames: Array = field(repr=False)
    planes: tuple[Plane, ...] = field(repr=False)
    source: Source


def read_segment(path: Path, roi: str | int | None, *, name: str) -> Segment:
    """Read the frames of a segment by label or number; None: of the only one.

    Binary segmentations are unpacked, fractional ones cut at half of ``MaximumFractionalValue``
    (from a half on a voxel is inside), label maps compared with the segment's number. Only the
    segment's own frames are decoded.

    Raises
    ------
    DataError
        The file is damaged, of another kind, has no place in space, or holds several segments and
        none was named.
    UnknownNameError
        There is no such segment; near matches are listed.
    MissingExtraError
        pydicom is not installed.
    """
    data = read_dataset(path, name=name)
    with dicom_faults(name):
        kind = text(data, "SegmentationType").upper()
        if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
            raise DataError(
                f"{name}: expected a binary, fractional or label-map segmentation; found another "
                "kind. Export it as DICOM SEG or NIfTI."
            )
        wanted = choose_named(_segments(data, kind), roi, kind="segment", name=name)
        planes = planes_of(data)
        if not planes:
            raise DataError(
                f"{name}: expected frames with a position in the patient's space; found some "
                "without. A segmentation of a projection cannot be laid onto a volume."
            )
        mine = [
            frame
            for frame, group in enumerate(data.PerFrameFunctionalGroupsSequence)
            if kind == "LABELMAP" or _segment_of(group, data) == wanted
        ]
        require_bytes((max(len(mine), 1), data.Rows, data.Columns), 1, name=name)
        decoded = list(_inside(data, mine, kind, wanted))
        size = (int(data.Rows), int(data.Columns))
        frames = np.array(decoded, dtype=bool).reshape(len(decoded), *size)
        source = _references(data)
    return Segment(frames, tuple(planes[frame] for frame in mine), source)


def segment_volume(segment: Segment, near: Grid, *, name: str) -> tuple[Array, Grid]:
    """Stack frames into a volume; slices without a frame are empty.

    Where the frames are parallel to the image's slices and lie on them, the volume has exactly the
    image's slices (more, if frames lie beyond); otherwise it gets a lattice of its own.

    Parameters
    ----------
    segment
        Frames.
    near
        Grid of the image.
    name
        For messages.

    Returns
    -------
    tuple
        uint8 (z, y, x) and its grid.

    Raises
    ------
    GeometryError
        Frames differ in orientation or pixel size, lie twice at one place, or their distance is
        not known.
    """
    if not segment.planes:
        return np.zeros(near.shape, dtype=np.uint8), near
    plane = _common_plane(segment.planes, name)
    axes = orthonormal(plane.axes, name=name)
    normal = axes[:, 2]
    positions = np.array([entry.position for entry in segment.planes])
    start, step = _lattice(positions @ normal, normal, near, plane=plane, name=name)
    steps = (positions @ normal - start) / step
    index = np.rint(steps).astype(int)
    if np.abs(steps - index).max() > 10 * TOLERANCE:
        raise GeometryError(
            f"{name}: expected frames an even distance apart; found uneven ones. "
            "Export the segmentation again."
        )
    if len(np.unique(index)) < len(index):
        raise GeometryError(
            f"{name}: expected one frame of a segment at each place; found several. "
            "Export one time point or one observer."
        )
    slices = int(index.max()) + 1
    require_bytes((slices, *segment.frames.shape[1:]), 1, name=name)
    mask = np.zeros((slices, *segment.frames.shape[1:]), dtype=np.uint8)
    mask[index] = segment.frames
    corner = positions[0] - index[0] * step * normal
    grid = Grid(
        shape=(slices, *segment.frames.shape[1:]),
        spacing_mm=(step, *plane.pixel_mm),
        origin_mm=(float(corner[0]), float(corner[1]), float(corner[2])),
        direction=tuple(map(float, axes.ravel())),
    )
    return _to_full_stack(mask, grid, near)


def _lattice(
    heights: Array, normal: Array, near: Grid, *, plane: Plane, name: str
) -> tuple[float, float]:
    """Height of the first slice of the volume, and distance of slices, in mm."""
    theirs = near.axes[:, 0] / near.spacing_mm[0]
    if np.linalg.norm(np.cross(theirs, normal)) < PARALLEL:
        ends = near.points(np.array([[0, 0, 0], [near.shape[0] - 1, 0, 0]])) @ normal
        steps = (heights - ends.min()) / near.spacing_mm[0]
        if np.abs(steps - np.rint(steps)).max() <= TOLERANCE:
            below = min(0, int(np.rint(steps).min()))
            return float(ends.min()) + below * near.spacing_mm[0], near.spacing_mm[0]
    gaps = np.diff(np.unique(np.round(heights, 3)))
    step = float(gaps.min()) if len(gaps) else plane.thickness_mm
    if not step or step <= 0:
        raise GeometryError(
            f"{name}: expected the distance of frames; found one frame and no thickness. "
            "Export the segmentation again."
        )
    return float(heights.min()), step


def _to_full_stack(mask: Array, grid: Grid, near: Grid) -> tuple[Array, Grid]:
    """Add empty slices up to the image's last one, where both count the same slices."""
    same = np.allclose(grid.axes[:, 0], near.axes[:, 0], atol=PARALLEL)
    missing = near.shape[0] - grid.shape[0]
    starts = grid.indices(np.array([near.origin_mm]))[0, 0]
    if not same or missing <= 0 or abs(starts) > TOLERANCE:
        return mask, grid
    full = np.concatenate([mask, np.zeros((missing, *mask.shape[1:]), dtype=mask.dtype)])
    shape = (full.shape[0], full.shape[1], full.shape[2])
    return full, Grid(shape, grid.spacing_mm, grid.origin_mm, grid.direction)


def _common_plane(planes: tuple[Plane, ...], name: str) -> Plane:
    facts = np.array([p.axes + p.pixel_mm for p in planes])
    if np.abs(facts - facts[0]).max() > PARALLEL or min(planes[0].pixel_mm) <= 0:
        raise GeometryError(
            f"{name}: expected frames of one orientation and pixel size; found several. "
            "Export each orientation by itself."
        )
    return planes[0]


def _segments(data: Any, kind: str) -> dict[int, str]:
    """Number → label; the background of a label map is no segment."""
    known = {
        int(entry.SegmentNumber): text(entry, "SegmentLabel")
        for entry in data.get("SegmentSequence") or ()
    }
    if kind == "LABELMAP":
        known.pop(BACKGROUND, None)
    return known


def _segment_of(group: Any, data: Any) -> int | None:
    shared = first(data, "SharedFunctionalGroupsSequence")
    for place in (group, shared):
        entry = first(place, "SegmentIdentificationSequence")
        if entry is not None:
            return int(entry.ReferencedSegmentNumber)
    return None


def _inside(data: Any, frames: list[int], kind: str, wanted: int) -> Iterator[Array]:
    """Decode frames one by one and say which pixels are inside."""
    if not frames:
        return
    threshold = HALF * (number(data.get("MaximumFractionalValue")) or 255.0)
    for stored in pydicom_module().pixels.iter_pixels(data, indices=frames):
        if kind == "LABELMAP":
            yield stored == wanted
        elif kind == "FRACTIONAL":
            yield stored >= threshold
        else:
            yield stored != 0


def _references(data: Any) -> Source:
    """Series and instances that the segmentation was drawn on, and its frame of reference."""
    series, instances = set(), set()
    for entry in data.get("ReferencedSeriesSequence") or ():
        series.add(text(entry, "SeriesInstanceUID"))
        for image in entry.get("ReferencedInstanceSequence") or ():
            instances.add(text(image, "ReferencedSOPInstanceUID"))
    for group in data.get("PerFrameFunctionalGroupsSequence") or ():
        for derivation in group.get("DerivationImageSequence") or ():
            for image in derivation.get("SourceImageSequence") or ():
                instances.add(text(image, "ReferencedSOPInstanceUID"))
    frames = source_of(data).frames_of_reference
    return Source(frozenset(series - {""}), frames, frozenset(instances - {""}))
