"""Slices → a volume: their order, their lattice, and what their pixels mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from radiogenomics.core.errors import DataError, GeometryError
from radiogenomics.io.images.dicom_header import (
    Instance,
    Plane,
    dicom_faults,
    pydicom_module,
    read_dataset,
)
from radiogenomics.io.images.dicom_series import Series, Slice
from radiogenomics.io.images.grid import Grid, orthonormal
from radiogenomics.io.images.image import Array, ImageHead
from radiogenomics.io.images.limits import require_bytes
from radiogenomics.io.images.suv import suv_factor

ANGLE = 1e-3  # largest difference of a direction cosine within one volume
UNEVEN = 0.1  # of the distance of two slices: how far one may lie beside its place
REMARKABLE = 0.01  # beyond this it is noted
SHEAR = 0.1  # of a pixel's side: how far the stack may lean over all its slices
QUANTITIES = ("CT", "PT")  # stored values have a unit, whatever the display inverts


def stack(series: Series, *, name: str) -> tuple[ImageHead, tuple[Slice, ...]]:
    """Put slices in order along their normal and find the lattice they lie on.

    Raises
    ------
    GeometryError
        Slices differ in orientation, size or pixel size; lie twice at one place; lack a neighbour;
        are unevenly spaced; or lean (gantry tilt).
    """
    slices = series.slices
    planes = [entry.plane for entry in slices]
    _require_alike(slices, name)
    axes = orthonormal(planes[0].axes, name=name)
    normal = axes[:, 2]
    positions = np.array([plane.position for plane in planes])
    heights = positions @ normal
    order = np.argsort(heights, kind="stable")
    gap, notes = _gap(heights[order], planes[0], name)
    _require_upright(positions[order], normal, planes[0].pixel_mm, name)
    rows, columns = slices[0].instance.size
    grid = Grid(
        shape=(len(slices), rows, columns),
        spacing_mm=(gap, *planes[0].pixel_mm),
        origin_mm=planes[int(order[0])].position,
        direction=tuple(map(float, axes.ravel())),
    )
    require_bytes(grid.shape, 4, name=name)
    ordered = tuple(slices[index] for index in order)
    header = ordered[0].instance.header
    return ImageHead(name, grid, header, series.source, notes), ordered


def read_pixels(slices: Sequence[Slice], *, name: str, suv: bool = True) -> tuple[Array, list[str]]:
    """Read the values of ordered slices, rescaled to their unit: HU for CT, SUV for PET.

    Where slope and intercept are whole numbers the result is int16 (int32 where that is too small),
    as stored by scanners: resampling rounds integer images to integers, so a conversion to float
    would change features. Other rescales give float32.

    Returns
    -------
    tuple
        Voxels (z, y, x), and notes.

    Raises
    ------
    DataError
        Pixels are missing, cut off, coloured or compressed in a way that cannot be read here; CT
        without a rescale; PET without what its SUV needs.
    """
    first = slices[0].instance
    modality = first.header.modality
    whole = modality != "PT" and all(_is_whole(entry.plane) for entry in slices)
    shape = (len(slices), *first.size)
    voxels = np.empty(shape, dtype=np.int32 if whole else np.float32)
    factor = suv_factor(first.path, name=name) if modality == "PT" and suv else 1.0
    for number, (entry, stored) in enumerate(_stored(slices, name)):
        if modality == "CT" and entry.plane.slope is None:
            raise DataError(
                f"{name}: expected RescaleSlope and RescaleIntercept, which turn CT values into "
                "HU; found none. Export the original series."
            )
        slope = 1.0 if entry.plane.slope is None else entry.plane.slope
        intercept = entry.plane.intercept or 0.0
        if whole and stored.dtype.kind in "iu":
            voxels[number] = stored.astype(np.int64) * int(slope) + int(intercept)
        elif whole:
            raise DataError(
                f"{name}: expected whole numbers as pixels; found fractions. "
                "Convert the series to NIfTI."
            )
        else:
            voxels[number] = (stored * slope + intercept) * factor
    notes = []
    if first.inverted and modality not in QUANTITIES:
        voxels = voxels.max() + voxels.min() - voxels
        notes.append("high values were dark (MONOCHROME1): they were inverted")
    if whole and voxels.min() >= -32768 and voxels.max() <= 32767:
        return voxels.astype(np.int16), notes
    return voxels, notes


def decode(data: Any, *, name: str) -> Array:
    """Frames of a dataset as stored (frames, rows, columns).

    Raises
    ------
    DataError
        There are no pixels, they are coloured, cut off, or their compression cannot be read here.
    """
    with dicom_faults(name):
        if not any(tag in data for tag in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
            raise DataError(
                f"{name}: expected pixel data; found a header only. Export the images again."
            )
        if int(data.get("SamplesPerPixel") or 1) != 1:
            raise DataError(
                f"{name}: expected one grey value a pixel; found colours. "
                "Give the original grey images."
            )
        frames = int(data.get("NumberOfFrames") or 1)
        require_bytes((frames, data.Rows, data.Columns), 4, name=name)
        syntax = data.file_meta.TransferSyntaxUID
        if syntax.is_compressed and syntax.is_encapsulated and not _decodable(syntax):
            raise DataError(
                f"{name}: expected pixels that can be decoded; found the compression "
                f"{syntax.name!r}, for which no decoder is installed. "
                "Install pylibjpeg with its plugins, or decompress the files (dcmdjpeg, gdcmconv)."
            )
        stored: Array = data.pixel_array
        unused = int(data.get("BitsAllocated") or 0) - int(data.get("BitsStored") or 0)
        if stored.dtype.kind in "iu" and 0 < unused < stored.dtype.itemsize * 8:
            # Unused high bits may hold overlays; shifting there and back clears or extends them.
            stored = (stored << unused) >> unused
    return stored.reshape(-1, *stored.shape[-2:])


def _decodable(syntax: Any) -> bool:
    try:
        decoder = pydicom_module().pixels.get_decoder(syntax)
    except NotImplementedError:
        return False
    return bool(decoder.is_available)


def _stored(slices: Sequence[Slice], name: str) -> Iterator[tuple[Slice, Array]]:
    """Go through the slices with their pixels; a file of many frames is decoded once."""
    opened: Instance | None = None
    frames: Array | None = None
    for number, entry in enumerate(slices, start=1):
        if frames is None or entry.instance is not opened:
            where = name if entry.instance.planes[1:] else f"{name}, slice {number}"
            frames = decode(read_dataset(entry.instance.path, name=where), name=where)
            opened = entry.instance
        if entry.plane.frame >= len(frames) or frames.shape[1:] != entry.instance.size:
            raise DataError(
                f"{name}: expected {entry.instance.size} pixels in each frame; found "
                f"{frames.shape[1:]} in {len(frames)} frames. Export the images again."
            )
        yield entry, frames[entry.plane.frame]


def _is_whole(plane: Plane) -> bool:
    values = (1.0 if plane.slope is None else plane.slope, plane.intercept or 0.0)
    return all(value.is_integer() and abs(value) < 2**15 for value in values)


def _require_alike(slices: Sequence[Slice], name: str) -> None:
    planes = [entry.plane for entry in slices]
    cosines = np.array([plane.axes for plane in planes])
    if np.abs(cosines - cosines[0]).max() > ANGLE:
        raise GeometryError(
            f"{name}: expected slices of one orientation; found several in the series. "
            "Sort the orientations into folders of their own."
        )
    sizes = {entry.instance.size for entry in slices}
    pixels = np.array([plane.pixel_mm for plane in planes])
    if len(sizes) > 1 or np.abs(pixels - pixels[0]).max() > 1e-4 * pixels[0].min():
        raise GeometryError(
            f"{name}: expected slices of one size; found {len(sizes)} matrix sizes or several "
            "pixel sizes in the series. Sort them into folders of their own."
        )
    if (pixels <= 0).any():
        raise GeometryError(
            f"{name}: expected positive pixel sizes; found {pixels.min():g} mm. Correct the header."
        )


def _gap(heights: Array, plane: Plane, name: str) -> tuple[float, tuple[str, ...]]:
    """Distance of neighbouring slices, in mm, from their sorted heights."""
    if len(heights) == 1:
        if not plane.thickness_mm:
            raise GeometryError(
                f"{name}: expected several slices, or a thickness in the header; found one slice "
                "without. Add the other slices."
            )
        return abs(plane.thickness_mm), ()
    gaps = np.diff(heights)
    usual = float(np.median(gaps))
    doubled = int((gaps < max(REMARKABLE * usual, 1e-4)).sum())
    if doubled:
        raise GeometryError(
            f"{name}: expected one slice at each place; found {doubled} duplicate slices among "
            f"{len(heights)}. Remove the copies, or sort the acquisitions into folders."
        )
    mean = float((heights[-1] - heights[0]) / (len(heights) - 1))
    off = float(np.abs(heights - heights[0] - mean * np.arange(len(heights))).max() / mean)
    if off > UNEVEN:
        missing = int(np.maximum(np.rint(gaps / usual) - 1, 0).sum())
        found = f"{missing} missing slices" if missing else "uneven gaps"
        raise GeometryError(
            f"{name}: expected slices {usual:g} mm apart; found {found} among {len(heights)} "
            f"(gaps from {gaps.min():g} to {gaps.max():g} mm). Add what is missing, or export the "
            "series again."
        )
    if off > REMARKABLE:
        return mean, (f"slices lie up to {off:.0%} of their distance beside an even lattice",)
    return mean, ()


def _require_upright(
    positions: Array, normal: Array, pixel_mm: tuple[float, float], name: str
) -> None:
    along = positions[-1] - positions[0]
    aside = along - (along @ normal) * normal
    lean = float(np.linalg.norm(aside))
    if lean > SHEAR * min(pixel_mm):
        angle = np.degrees(np.arctan2(lean, abs(float(along @ normal))))
        raise GeometryError(
            f"{name}: expected slices stacked along their normal; found a stack that leans by "
            f"{angle:.1f}° (gantry tilt). Resample it onto an upright lattice first."
        )
