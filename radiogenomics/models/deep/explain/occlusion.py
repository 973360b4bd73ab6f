r"""Occlusion: how much a score falls when a box of the scan is painted over.

A voxel is given the mean of s(x) - s(x without B) over the boxes B that cover it. For a linear
score :math:`w \cdot x`, painted with b, such a difference is :math:`\sum_{i \in B} w_i (x_i - b)`.

It needs no gradients and no layer, so it is a second opinion on both. A painted scan is none that
was ever seen: the score may change for the box's edges alone, and what two places both show is not
missed where one of them is covered. Differences for single boxes do not add up.

Zeiler and Fergus, ECCV 2014, doi:10.1007/978-3-319-10590-1_53.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from radiogenomics.core.errors import DataError, GeometryError
from radiogenomics.core.log import progress
from radiogenomics.models.deep.explain.heat import Maps, Scale, check_scale, scaled
from radiogenomics.models.deep.explain.target import (
    Target,
    at_rest,
    check_batch,
    parts_of,
    scans_of,
    volume_shape,
)

Triple = tuple[int, int, int]
Size = float | tuple[float, float, float]
Box = tuple[slice, slice, slice]


class _Painted(NamedTuple):
    channels: list[int]
    baseline: float
    target: Target
    batch: int


def occlusion(
    network: nn.Module,
    x: ArrayLike | Tensor,
    *,
    size: Size = 4,
    stride: Size | None = None,
    spacing_mm: tuple[float, float, float] | None = None,
    baseline: float = 0.0,
    channels: Sequence[int] | None = None,
    target: Target | None = None,
    scale: Scale = "raw",
    batch: int = 16,
) -> Maps:
    """Paint over one box after the other and see by how much the score falls.

    What that means, and when it misleads, stands at the head of this module.

    Parameters
    ----------
    network, x
        Explained in evaluation mode and left as it is; scans (n, c, z, y, x) or slices.
    size, stride
        Of the box, and from box to box (half the box): one number or (z, y, x), in voxels, or in mm
        where `spacing_mm` is given. Cut to the scan; boxes at the far edge overlap the ones before.
    spacing_mm
        Voxel size (z, y, x).
    baseline
        What the box is painted with: air of a windowed CT is 0, the mean of a standardised MR too.
    channels, target
        Which phases are painted (else all); head and column, needed where there are several heads.
    scale, batch
        ``"raw"``: in units of the score, below 0 where the score rises; ``"patient"``: what raises
        the score, from 0 to 1 in each patient. Painted scans at a time.

    Returns
    -------
    ndarray of float32, shape (n, z, y, x)

    Raises
    ------
    DataError, UnknownNameError, GeometryError
        The stride leaves gaps, a length is not above 0, a score is not finite, there is no such
        channel, head or scale, or `x` is not scans.

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    >>> _ = network[1].weight.data.copy_(torch.tensor([[1.0, 0.0, 2.0, -1.0]]))
    >>> occlusion(network, torch.full((1, 1, 2, 2), 3.0), size=1).tolist()
    [[[[3.0, 0.0], [6.0, -3.0]]]]
    """
    check_scale(scale)
    check_batch(batch)
    scans = scans_of(x)
    boxes = list(_boxes(volume_shape(scans), size, stride, spacing_mm=spacing_mm))
    painted = _Painted(_chosen(channels, scans.shape[1]), baseline, target or Target(), batch)
    with at_rest(network), torch.no_grad():
        maps = _mapped(network, scans, boxes, painted)
    return scaled(maps, scale, from_zero=True)


def _mapped(network: nn.Module, scans: Tensor, boxes: Sequence[Box], painted: _Painted) -> Maps:
    """Mean of what the score loses by the boxes that cover a voxel."""
    covered = np.zeros(volume_shape(scans))
    for box in boxes:
        covered[box] += 1
    maps = np.zeros((len(scans), *covered.shape))
    for row in progress(range(len(scans)), "occlusion"):
        for box, lost in zip(boxes, _lost(network, scans[row], boxes, painted), strict=True):
            maps[row][box] += lost
    return (maps / covered).astype(np.float32)


def _lost(network: nn.Module, scan: Tensor, boxes: Sequence[Box], painted: _Painted) -> list[float]:
    """How much one patient's score falls by each box."""
    (whole,) = painted.target.of(network(next(parts_of(scan[None], network, batch=1)))).tolist()
    lost: list[float] = []
    for start in range(0, len(boxes), painted.batch):
        some = boxes[start : start + painted.batch]
        copies = scan.expand(len(some), *scan.shape).clone()
        for copy, box in zip(copies, some, strict=True):
            for channel in painted.channels:
                copy[channel][box[-copy[channel].ndim :]] = painted.baseline
        (part,) = parts_of(copies, network, batch=len(some))
        lost += [whole - score for score in painted.target.of(network(part)).tolist()]
    return lost


def _boxes(
    shape: Triple, size: Size, stride: Size | None, *, spacing_mm: Sequence[float] | None
) -> Iterator[Box]:
    """Boxes that cover the scan; the last along each axis ends with it."""
    wide = _voxels(size, "size", spacing_mm=spacing_mm)
    wide = tuple(min(length, whole) for length, whole in zip(wide, shape, strict=True))
    if stride is None:
        step = tuple(max(1, length // 2) for length in wide)
    else:
        step = _voxels(stride, "stride", spacing_mm=spacing_mm)
    if any(
        by > length and whole > length for by, length, whole in zip(step, wide, shape, strict=True)
    ):
        raise DataError(
            f"occlusion: expected a stride up to the size of the box, {wide} voxels; found {step}, "
            "which leaves gaps. Make it smaller."
        )
    starts = [
        sorted({*range(0, whole - length, by), whole - length})
        for whole, length, by in zip(shape, wide, step, strict=True)
    ]
    for corner in product(*starts):
        z, y, x = (slice(first, first + length) for first, length in zip(corner, wide, strict=True))
        yield z, y, x


def _voxels(length: Size, what: str, *, spacing_mm: Sequence[float] | None) -> tuple[int, ...]:
    """Lengths (z, y, x) in whole voxels, one at least."""
    if spacing_mm is not None and (len(spacing_mm) != 3 or not min(spacing_mm) > 0):
        raise GeometryError(
            f"expected three voxel sizes above 0 mm (z, y, x); found {spacing_mm}. Take those of "
            "the scans."
        )
    wanted = (
        np.broadcast_to(np.asarray(length, dtype=float), (3,))
        if np.size(length) in (1, 3)
        else None
    )
    if wanted is None or not np.isfinite(wanted).all() or (wanted <= 0).any():
        raise DataError(
            f"occlusion: expected one {what} above 0 or three (z, y, x); found {length}. Choose a "
            "few voxels, or millimetres with spacing_mm."
        )
    in_voxels = wanted / np.asarray(spacing_mm or (1.0, 1.0, 1.0), dtype=float)
    return tuple(int(max(1, round(number))) for number in in_voxels)


def _chosen(channels: Sequence[int] | None, known: int) -> list[int]:
    wanted = list(range(known)) if channels is None else list(channels)
    if not wanted or not all(0 <= channel < known for channel in wanted):
        raise DataError(
            f"occlusion: expected channels from 0 to {known - 1}; found {wanted or 'none'}. Leave "
            "them out to paint over all."
        )
    return wanted
