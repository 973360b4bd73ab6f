"""What a segmentation network learns from, and is scored by: label volumes, patches, Dice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.scan_arrays import ScanArrays

Array = np.ndarray[Any, np.dtype[Any]]
Regions = Mapping[str, Sequence[int]]
"""Region → values of the label volume that are of it; regions may share values."""

Shape = tuple[int, int, int]
# Keeps these draws apart from others of the same seed.
STREAM = 17


def label_volumes(masks: Mapping[str, Array], regions: Regions) -> NDArray[np.uint8]:
    """Paint masks of one shape into label volumes, later regions over earlier ones.

    A region is painted with the first of its values, so organs come before what lies in them. What
    of a lesion lies outside of its organ counts as organ afterwards, if the organ has its value.

    Parameters
    ----------
    masks
        Region → integers or booleans of any shape; all above 0 is inside.
    regions
        Region → values.

    Raises
    ------
    UnknownNameError
        A mask is missing.
    GeometryError
        The masks have several shapes.

    Examples
    --------
    >>> masks = {"liver": np.array([0, 1, 1]), "tumour": np.array([0, 0, 3])}
    >>> label_volumes(masks, {"liver": (1, 2), "tumour": (2,)})
    array([0, 1, 2], dtype=uint8)
    """
    check_regions(regions)
    for name in regions:
        if name not in masks:
            raise UnknownNameError("mask", name, masks)
    shapes = {masks[name].shape for name in regions}
    if len(shapes) > 1:
        raise GeometryError(
            f"expected masks of one shape; found {short_list(shapes)}. Bring them onto one grid."
        )
    painted = np.zeros(shapes.pop(), dtype=np.uint8)
    for name, values in regions.items():
        painted[masks[name] > 0] = values[0]
    return painted


def region_masks(labels: Array, regions: Regions) -> dict[str, NDArray[np.bool_]]:
    """Return region → where the label volume has one of its values.

    Examples
    --------
    >>> region_masks(np.array([0, 1, 2]), {"liver": (1, 2)})["liver"]
    array([False,  True,  True])
    """
    return {name: np.isin(labels, list(values)) for name, values in regions.items()}


def check_regions(regions: Regions) -> None:
    """Raise SchemaError unless each region has values from 1 to 255."""
    wrong = [
        name
        for name, values in regions.items()
        if not len(values) or not all(0 < value < 256 and value == int(value) for value in values)
    ]
    if wrong or not regions:
        raise SchemaError(
            "expected regions with values from 1 to 255, for example liver: (1, 2), tumour: (2,); "
            f"found none or others for {short_list(wrong) or 'no region'}. Give each its values."
        )


@dataclass(frozen=True, eq=False)
class PatchSource:
    """Patches of scans with their labels; rows are patches, ``count`` of each patient.

    Places are drawn once: each epoch shows the same patches, in another order. Every second one
    has its centre on a voxel of a region, all values equally often, as far as the border allows;
    the others lie anywhere.

    Parameters
    ----------
    scans
        Scans of all patients.
    codes
        Class of each voxel, shape (n, z, y, x).
    corners
        First voxel (z, y, x) of each patch, shape (n · count, 3).
    count
        Patches a patient.
    size
        Voxels (z, y, x) of a patch.
    """

    scans: ScanArrays
    codes: NDArray[np.uint8]
    corners: NDArray[np.intp]
    count: int
    size: Shape

    @classmethod
    def draw(
        cls,
        scans: ScanArrays,
        codes: NDArray[np.uint8],
        *,
        size: Shape | None,
        count: int,
        seed: int,
    ) -> Self:
        """Draw patches; without a size they are the whole scans, one a patient.

        Raises
        ------
        GeometryError
            A patch would be larger than the scans.
        """
        if size is None:
            whole = np.zeros((len(scans), 3), dtype=np.intp)
            return cls(scans, codes, whole, 1, scans.shape)
        if any(part > room for part, room in zip(size, scans.shape, strict=True)):
            raise GeometryError(
                f"expected patches no larger than the scans, {scans.shape}; found {size}. "
                "Use smaller patches, or whole scans."
            )
        corners = [
            _corner(codes[row], size, np.random.default_rng([seed, row, n, STREAM]), n % 2 == 0)
            for row in range(len(scans))
            for n in range(count)
        ]
        return cls(scans, codes, np.array(corners, dtype=np.intp), count, size)

    def at(self, rows: ArrayLike, /) -> NDArray[np.float32]:
        """Return patches, shape (k, channels, z, y, x)."""
        return np.stack(
            [self.scans.values[(*self._place(row, each=True),)] for row in _whole(rows)]
        )

    def labels(self, rows: ArrayLike) -> NDArray[np.int64]:
        """Return classes of patches, shape (k, z, y, x)."""
        found = [self.codes[(*self._place(row, each=False),)] for row in _whole(rows)]
        return np.stack(found).astype(np.int64)

    def patients(self, rows: ArrayLike) -> NDArray[np.intp]:
        """Return whose patches these are, each patient once: rows of the scans."""
        return np.unique(_whole(rows) // self.count)

    def rows(self, patients: ArrayLike) -> NDArray[np.intp]:
        """Return all patches of some rows of the scans."""
        first = _whole(patients)[:, np.newaxis] * self.count
        return (first + np.arange(self.count)).ravel()

    def _place(self, row: int, *, each: bool) -> list[Any]:
        box = [
            slice(start, start + part)
            for start, part in zip(self.corners[row].tolist(), self.size, strict=True)
        ]
        return [row // self.count, *([slice(None)] if each else []), *box]


def checked_codes(
    labels: Array, scans: ScanArrays, values: Sequence[int], *, complete: bool
) -> NDArray[np.uint8]:
    """Return the class of each voxel: the place of its value, 0 for outside.

    Parameters
    ----------
    labels
        Integers (n, z, y, x).
    scans
        What they are of.
    values
        Values of the classes, rising, 0 first.
    complete
        Whether each value has to occur.

    Raises
    ------
    GeometryError
        They have another shape than the scans.
    SchemaError
        They are no integers, or have other values.
    DataError
        A value does not occur.
    """
    if labels.shape != (len(scans), *scans.shape):
        raise GeometryError(
            f"expected labels (n, z, y, x) of the shape {(len(scans), *scans.shape)}, as the scans "
            f"have; found {labels.shape}. Cut both in the same way."
        )
    if labels.dtype.kind not in "biu":
        raise SchemaError(
            f"expected whole numbers as labels; found {labels.dtype}. Use label_volumes."
        )
    there = np.unique(labels)
    other = sorted(set(there.tolist()) - set(values))
    if other:
        raise SchemaError(
            f"expected labels {short_list(values)}; found {short_list(other)}, too. Name their "
            "regions, or set them to 0."
        )
    missing = sorted(set(values) - set(there.tolist()))
    if missing and complete:
        raise DataError(
            f"expected voxels of each label to learn from; found none of {short_list(missing)}. "
            "Leave the region out, or add patients who have it."
        )
    return np.searchsorted(np.asarray(values), labels).astype(np.uint8)


def region_dice(drawn: Array, labels: Array, regions: Regions) -> dict[str, NDArray[np.float64]]:
    """Return region → Dice of each patient, shape (n,); NaN where neither has a voxel."""
    made = {}
    for name, values in regions.items():
        first, second = (np.isin(each, list(values)) for each in (drawn, labels))
        size = first.sum(axis=(1, 2, 3)) + second.sum(axis=(1, 2, 3))
        shared = (first & second).sum(axis=(1, 2, 3))
        empty = np.full(len(size), np.nan)
        made[name] = np.divide(2.0 * shared, size, out=empty, where=size > 0)
    return made


def mean_dice(dice: Mapping[Any, Any]) -> float:
    """Return the mean over patients and regions that have voxels.

    Raises
    ------
    DataError
        None has.
    """
    every = np.concatenate([np.asarray(each, dtype=float) for each in dice.values()])
    if np.isnan(every).all():
        raise DataError(
            "expected a region in one of the scans at least; found none drawn and none to draw. "
            "Score scans with masks."
        )
    return float(np.nanmean(every))


def _corner(
    codes: NDArray[np.uint8], size: Shape, rng: np.random.Generator, centred: bool
) -> NDArray[np.intp]:
    room = np.array(codes.shape) - np.array(size)
    inside = np.unique(codes[codes > 0])
    if not centred or not len(inside):
        anywhere: NDArray[np.intp] = rng.integers(0, room + 1)
        return anywhere
    places = np.argwhere(codes == rng.choice(inside))
    corner: NDArray[np.intp] = rng.choice(places) - np.array(size) // 2
    return np.clip(corner, 0, room)


def _whole(rows: ArrayLike) -> NDArray[np.intp]:
    return np.asarray(rows, dtype=np.intp).ravel()
