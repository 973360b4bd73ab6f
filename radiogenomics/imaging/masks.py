"""Regions: which voxels of a mask are the one that features are taken from."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import ndimage

from radiogenomics.core.errors import GeometryError, UnknownNameError, short_list

Mask = np.ndarray[Any, np.dtype[Any]]
Box = tuple[slice, slice, slice]
LESION_RULES = ("largest", "union")


def select_lesions(
    mask: Mask, rule: Literal["largest", "union"] | str, *, label: int | None = None
) -> Mask:
    """Return a boolean mask of the lesions that the rule takes.

    Objects are told apart as by :func:`split_lesions`, and ``largest`` is its first. Misleads when
    touching lesions were drawn under one number.

    Parameters
    ----------
    mask
        Integers (z, y, x): 0 outside, 1, 2, ... number the lesions.
    rule
        ``"largest"`` or ``"union"``.
    label
        The number that counts; None: all above 0.

    Raises
    ------
    GeometryError
        The mask is empty, or lacks the label.
    UnknownNameError
        There is no such rule.

    Examples
    --------
    >>> select_lesions(np.array([[[1, 0, 2, 2]]]), "largest").astype(int)
    array([[[0, 0, 1, 1]]])
    """
    if rule not in LESION_RULES:
        raise UnknownNameError("lesion rule", rule, LESION_RULES)
    inside = mask > 0 if label is None else mask == label
    if not inside.any():
        raise GeometryError(_nothing(mask, label))
    if rule == "union":
        return inside
    # All work happens in the bounding box: a lesion fills a thousandth of its scan.
    box = bounding_box(inside)
    chosen = np.zeros(mask.shape, dtype=bool)
    chosen[box] = split_lesions(np.where(inside[box], mask[box], 0)) == 1
    return chosen


def split_lesions(mask: Mask) -> Mask:
    """Number the lesions of a mask by size, 1 the largest.

    Lesions are told apart by their number in the mask; when all carry the same number, by
    connection (voxels that share a face, an edge or a corner). A tie in size goes to the lower
    number, or to the one that comes first in the array.

    Parameters
    ----------
    mask
        Integers or booleans (z, y, x): 0 outside.

    Returns
    -------
    ndarray
        int32, the same shape.

    Raises
    ------
    GeometryError
        The mask is empty.

    Examples
    --------
    >>> split_lesions(np.array([[[1, 0, 1, 1]]]))
    array([[[2, 0, 1, 1]]], dtype=int32)
    """
    objects = mask.astype(np.int64)
    numbers = np.unique(objects[objects > 0])
    if numbers.size == 0:
        raise GeometryError("expected a region; found an empty mask. Draw it, or drop the scan.")
    if numbers.size == 1:
        objects, count = ndimage.label(mask > 0, structure=np.ones((3, 3, 3)))
        numbers = np.arange(1, count + 1)
    # Old numbers may be far apart (labels of an atlas), so they are looked up by their place.
    inside = objects > 0
    places = np.searchsorted(numbers, objects[inside])
    rank = np.empty(numbers.size, dtype=np.int32)
    rank[np.argsort(-np.bincount(places), kind="stable")] = np.arange(1, numbers.size + 1)
    ranked = np.zeros(mask.shape, dtype=np.int32)
    ranked[inside] = rank[places]
    return ranked


def _nothing(mask: Mask, label: int | None) -> str:
    there = [int(number) for number in np.unique(mask) if number > 0]
    if label is None or not there:
        return "expected a region; found an empty mask. Draw it, or drop the scan."
    return (
        f"expected the label {label} in the mask; found {short_list(there)}. Choose one of them, "
        "or leave the label out to take all."
    )


def require_size(region: Mask, minimum_voxels: int) -> None:
    """Raise GeometryError when a region has fewer than ``minimum_voxels`` voxels."""
    size = int(np.count_nonzero(region))
    if size < minimum_voxels:
        raise GeometryError(
            f"expected a region of at least {minimum_voxels} voxels; found {size}. Texture of so "
            "few means nothing: leave the scan out, or lower minimum_voxels knowingly."
        )


def require_dimensions(region: Mask, minimum_dimensions: int) -> None:
    """Raise GeometryError when a region is longer than one voxel along too few axes."""
    sizes = [part.stop - part.start for part in bounding_box(region)]
    found = sum(size > 1 for size in sizes)
    if found < minimum_dimensions:
        shape = " × ".join(map(str, sizes))
        raise GeometryError(
            f"expected a region with at least {minimum_dimensions} dimensions; found "
            f"{shape} voxels (z, y, x). Check the mask, or lower minimum_dimensions knowingly."
        )


def bounding_box(region: Mask, *, margin: tuple[int, int, int] = (0, 0, 0)) -> Box:
    """Smallest box (z, y, x) around a region that is not empty, widened by ``margin`` voxels.

    The box ends at the border of the image.
    """
    box: list[slice] = []
    for axis in range(region.ndim):
        others = tuple(other for other in range(region.ndim) if other != axis)
        # Each axis looks only at what the axes before it have left.
        filled = np.flatnonzero(region[tuple(box)].any(axis=others))
        box.append(slice(int(filled[0]), int(filled[-1]) + 1))
    z, y, x = (
        slice(max(part.start - more, 0), min(part.stop + more, size))
        for part, more, size in zip(box, margin, region.shape, strict=True)
    )
    return z, y, x
