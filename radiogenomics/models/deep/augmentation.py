"""Changes of training scans: contrast, quarter turns, mirror images and zoom, drawn per scan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch.nn import functional

from radiogenomics.core.errors import GeometryError
from radiogenomics.models.deep.training_settings import Augmentation

# Keeps these draws apart from others of the same seed and epoch.
STREAM = 7
# As MONAI has it: contrast of a constant image divides by this.
SMALLEST_RANGE = 1e-7


def augmented(
    scans: torch.Tensor, rows: ArrayLike, *, augmentation: Augmentation, seed: int, epoch: int
) -> torch.Tensor:
    """Return scans changed at random, each by draws of its own.

    What is drawn for a scan depends on seed, epoch and row alone, so neither the batch it came in
    nor an interruption changes it. The operations are those that MONAI's ``AdjustContrast``,
    ``Rotate90``, ``Flip`` and ``Zoom`` (``mode="area"``) do, in torch alone, on the scan's device.
    All channels of a patient are changed alike.

    A liver mirrored left to right or stood on its head is nothing a radiologist sees; it is what
    the papers did, and a network that must not know left from right needs less data.

    Parameters
    ----------
    scans
        float32, shape (n, channels, z, y, x), z 1 for slices.
    rows
        Row number of each scan, shape (n,).
    augmentation
        Probabilities and ranges.
    seed, epoch
        0 or more.

    Returns
    -------
    Tensor
        Of the same shape; the scans given are not touched.

    Raises
    ------
    GeometryError
        The tensor has not five axes.

    References
    ----------
    Cardoso et al., MONAI, 2022, doi:10.48550/arXiv.2211.02701.

    Examples
    --------
    >>> scans = torch.arange(8.0).reshape(1, 1, 2, 2, 2)
    >>> always = Augmentation(flip=1.0)
    >>> changed = augmented(scans, [0], augmentation=always, seed=0, epoch=1)
    >>> bool((changed != scans).any()), bool((changed.sort().values.sum() == scans.sum()))
    (True, True)
    """
    if scans.ndim != 5:
        raise GeometryError(
            "expected scans (patients, channels, z, y, x) to augment; found the shape "
            f"{tuple(scans.shape)}. Train what is not a scan with augment: none."
        )
    numbers = np.asarray(rows).ravel()
    made = [
        _changed(scan, augmentation, np.random.default_rng([seed, epoch, int(row), STREAM]))
        for scan, row in zip(scans, numbers, strict=True)
    ]
    return torch.stack(made)


def _changed(
    scan: torch.Tensor, augmentation: Augmentation, rng: np.random.Generator
) -> torch.Tensor:
    slices = scan.shape[1] == 1
    planes = ((1, 2),) if slices else ((0, 2), (0, 1))
    axes = (1, 2) if slices else (0, 1, 2)
    # All is drawn whether wanted or not: another probability changes which, not how.
    wanted = rng.random(3) < (augmentation.contrast, augmentation.flip, augmentation.zoom)
    turned = rng.random(len(planes)) < augmentation.rotate90
    gamma, zoom = rng.uniform(*augmentation.gamma), rng.uniform(*augmentation.zooms)
    turns = rng.integers(1, 4, size=len(planes))
    mirrored = rng.random(len(axes)) < 0.5
    mirrored[rng.integers(len(axes))] = True
    if wanted[0]:
        scan = adjust_contrast(scan, gamma)
    for plane, now, times in zip(planes, turned, turns, strict=True):
        if now:
            scan = rotate90(scan, int(times), plane)
    if wanted[1]:
        scan = torch.flip(scan, [1 + axis for axis, now in zip(axes, mirrored, strict=True) if now])
    return zoomed(scan, zoom) if wanted[2] else scan


def adjust_contrast(scan: torch.Tensor, gamma: float) -> torch.Tensor:
    """Bend brightness: ((x - min) / range) ** gamma * range + min, over all channels at once."""
    low = scan.min()
    spread = scan.max() - low
    return ((scan - low) / (spread + SMALLEST_RANGE)) ** gamma * spread + low


def rotate90(scan: torch.Tensor, times: int, plane: Sequence[int]) -> torch.Tensor:
    """Turn a scan (channels, z, y, x) by quarters; by a half where the plane is not square."""
    first, second = (axis + 1 for axis in plane)
    if scan.shape[first] != scan.shape[second]:
        times = 2 if times % 4 else 0
    return torch.rot90(scan, times, (first, second))


def zoomed(scan: torch.Tensor, zoom: float) -> torch.Tensor:
    """Enlarge a scan (channels, z, y, x) about its centre, cut or filled to the size it had."""
    size = scan.shape[1:]
    # A single slice stays one: shrunk, it would be none.
    target = [max(1, int(length * zoom)) if length > 1 else 1 for length in size]
    scaled = functional.interpolate(scan[None], size=target, mode="area")[0]
    for axis, (had, has) in enumerate(zip(size, target, strict=True), start=1):
        if has > had:
            scaled = scaled.narrow(axis, has // 2 - had // 2, had)
    short = [had - have for had, have in zip(size, scaled.shape[1:], strict=True)]
    if not any(short):
        return scaled
    margins = [side for lack in reversed(short) for side in (lack // 2, lack - lack // 2)]
    return functional.pad(scaled[None], margins, mode="replicate")[0]
