"""Negative controls: images from which the texture of a region has been taken out on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np

from radiogenomics.core.errors import GeometryError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.regions import with_region

Array = np.ndarray[Any, np.dtype[Any]]
Control = Literal["shuffled", "sampled", "uniform"]
Part = Literal["inside", "outside", "all"]


def negative_control(
    volume: Volume,
    region: str,
    *,
    control: Control,
    part: Part = "inside",
    rng: np.random.Generator,
) -> Volume:
    """Return the volume with voxels that say nothing but what the control leaves.

    ``shuffled`` permutes the voxels: the histogram stays, the texture goes. ``sampled`` draws each
    voxel from the histogram; ``uniform`` between minimum and maximum. A model that predicts as well
    from a control of the region has learnt from its size, its shape or something outside it; one
    that predicts as well from a control of what is outside has learnt from the region.

    Parameters
    ----------
    volume
        Left as it is.
    region
        Name of the mask.
    control
        What is destroyed.
    part
        Voxels that are replaced and drawn from: in the region, outside it, or all.
    rng
        Source of randomness.

    Raises
    ------
    UnknownNameError
        The volume lacks the mask, or there is no such control or part.
    GeometryError
        There is no voxel to replace.

    References
    ----------
    Welch et al. 2019, doi:10.1016/j.radonc.2018.10.027 (models that had learnt tumour volume).

    Examples
    --------
    >>> image = np.arange(27.0).reshape(3, 3, 3)
    >>> scan = Volume(image, {"tumour": (image > 13).astype(int)}, (1, 1, 1))
    >>> control = negative_control(
    ...     scan, "tumour", control="shuffled", rng=np.random.default_rng(0)
    ... )
    >>> float(control.voxels.sum()) == float(image.sum())
    True
    """
    if control not in get_args(Control):
        raise UnknownNameError("negative control", control, get_args(Control))
    volume = with_region(volume, region)
    chosen = _part(volume.mask(region) > 0, part)
    if not chosen.any():
        raise GeometryError(
            f"expected voxels {part} of region {region!r}; found none. Check the mask."
        )
    voxels = volume.voxels.copy()
    voxels[chosen] = _replacement(voxels[chosen], control, rng)
    return replace(volume, voxels=voxels)


def _part(inside: Array, part: str) -> Array:
    if part not in get_args(Part):
        raise UnknownNameError("part of the image", part, get_args(Part))
    return {"inside": inside, "outside": ~inside, "all": np.ones_like(inside)}[part]


def _replacement(values: Array, control: Control, rng: np.random.Generator) -> Array:
    if control == "shuffled":
        return rng.permutation(values)
    if control == "sampled":
        return rng.choice(values, values.size)
    if values.dtype.kind in "iu":
        return rng.integers(values.min(), values.max(), values.size, endpoint=True)
    return rng.uniform(values.min(), values.max(), values.size)
