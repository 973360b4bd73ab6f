"""Regions: which voxels of a mask are the one that features are taken from."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import ndimage

from radiogenomics.core.errors import GeometryError, UnknownNameError

Mask = np.ndarray[Any, np.dtype[Any]]
LESION_RULES = ("largest", "union")


def select_lesions(mask: Mask, rule: Literal["largest", "union"] | str) -> Mask:
    """Return a boolean mask of the lesions that the rule takes.

    Objects are told apart by their number in the mask; when all carry the same number, by
    connection (voxels that share a face, an edge or a corner). ``largest`` is by voxels, a tie goes
    to the lower number. Misleads when touching lesions were drawn under one number.

    Parameters
    ----------
    mask
        Integers (z, y, x): 0 outside, 1, 2, ... number the lesions.
    rule
        ``"largest"`` or ``"union"``.

    Raises
    ------
    GeometryError
        The mask is empty.
    UnknownNameError
        There is no such rule.

    Examples
    --------
    >>> select_lesions(np.array([[[1, 0, 2, 2]]]), "largest").astype(int)
    array([[[0, 0, 1, 1]]])
    """
    if rule not in LESION_RULES:
        raise UnknownNameError("lesion rule", rule, LESION_RULES)
    inside = mask > 0
    if not inside.any():
        raise GeometryError("expected a region; found an empty mask. Draw it, or drop the scan.")
    if rule == "union":
        return inside
    # All work happens in the bounding box: a lesion fills a thousandth of its scan.
    box = bounding_box(inside)
    objects = mask[box].astype(np.int64)
    if len(np.unique(objects[objects > 0])) == 1:
        objects, _ = ndimage.label(inside[box], structure=np.ones((3, 3, 3)))
    sizes = np.bincount(objects[objects > 0])
    chosen = np.zeros(mask.shape, dtype=bool)
    chosen[box] = objects == int(np.argmax(sizes))
    return chosen


def require_size(region: Mask, minimum_voxels: int) -> None:
    """Raise GeometryError when a region has fewer than ``minimum_voxels`` voxels."""
    size = int(np.count_nonzero(region))
    if size < minimum_voxels:
        raise GeometryError(
            f"expected a region of at least {minimum_voxels} voxels; found {size}. Texture of so "
            "few means nothing: leave the scan out, or lower minimum_voxels knowingly."
        )


def bounding_box(region: Mask, *, margin: tuple[int, int, int] = (0, 0, 0)) -> tuple[slice, ...]:
    """Smallest box (z, y, x) around a region that is not empty, widened by ``margin`` voxels.

    The box ends at the border of the image.
    """
    box = []
    for axis, size in enumerate(region.shape):
        others = tuple(other for other in range(region.ndim) if other != axis)
        filled = np.flatnonzero(region.any(axis=others))
        low, high = int(filled[0]) - margin[axis], int(filled[-1]) + 1 + margin[axis]
        box.append(slice(max(low, 0), min(high, size)))
    return tuple(box)
