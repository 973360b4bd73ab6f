"""Heat over scans: brought to their voxels, and to a scale that a picture can show."""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from radiogenomics.core.errors import RadiogenomicsWarning, UnknownNameError

Maps = NDArray[np.float32]
"""Heat maps, (n, z, y, x); z is 1 for slices."""

Scale = Literal["patient", "raw"]


def to_voxels(cells: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Spread coarse maps (n, z, y, x) over the voxels of their scans, linearly.

    Each cell is taken to cover an equal share of the scan, and its value to stand in the middle.
    Beyond the outermost middles the value stays. Convolutions that pad on one side shift their
    cells by up to half a cell, which is not known here.

    Examples
    --------
    >>> to_voxels(torch.tensor([[[[0.0, 4.0]]]]), (1, 1, 4)).ravel().tolist()
    [0.0, 1.0, 3.0, 4.0]
    """
    return interpolate(cells[:, None], size=shape, mode="trilinear", align_corners=False)[:, 0]


def check_scale(scale: str) -> None:
    """Refuse a scale that there is not.

    Raises
    ------
    UnknownNameError
        It is neither ``"patient"`` nor ``"raw"``.
    """
    if scale not in get_args(Scale):
        raise UnknownNameError("scale of heat maps", scale, get_args(Scale))


def scaled(maps: Maps, scale: Scale, *, from_zero: bool) -> Maps:
    """Bring each patient's map to [0, 1], or leave it.

    Parameters
    ----------
    maps
        (n, z, y, x).
    scale
        ``"patient"`` divides by the patient's own largest value, so maps of two patients do not
        compare; ``"raw"`` leaves them.
    from_zero
        0 stays 0 and what is below becomes 0. Else the lowest voxel becomes 0, which makes a map
        look lively that is nearly flat.

    Warns
    -----
    RadiogenomicsWarning
        A map is flat: it comes out as zeros.

    Examples
    --------
    >>> scaled(np.array([[[[-1.0, 1.0, 2.0]]]]), "patient", from_zero=True).ravel().tolist()
    [0.0, 0.5, 1.0]
    """
    check_scale(scale)
    if scale == "raw":
        return maps
    axes = (1, 2, 3)
    foot = np.zeros((len(maps), 1, 1, 1)) if from_zero else maps.min(axis=axes, keepdims=True)
    risen = np.maximum(maps - foot, 0)
    height = risen.max(axis=axes, keepdims=True)
    flat = int((height == 0).sum())
    if flat:
        warnings.warn(
            f"the heat maps of {flat} of {len(maps)} patients have nothing to show: nowhere above "
            f"{'0' if from_zero else 'their lowest value'}. They are zeros.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    found: Maps = np.divide(risen, height, out=np.zeros_like(risen), where=height > 0).astype(
        np.float32
    )
    return found


def as_maps(parts: list[Tensor]) -> Maps:
    """Join batches of maps."""
    joined: Maps = torch.cat(parts).detach().cpu().numpy().astype(np.float32, copy=False)
    return joined
