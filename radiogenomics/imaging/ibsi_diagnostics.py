"""What the IBSI reports of image and region after each step, to find the one that differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from radiogenomics.core.scan import Volume
from radiogenomics.imaging.ibsi_engine import IbsiRegion
from radiogenomics.imaging.masks import bounding_box

Array = np.ndarray[Any, np.dtype[Any]]
AXES = ("z", "y", "x")


def ibsi_diagnostics(volume: Volume, region: str, prepared: IbsiRegion) -> dict[str, float]:
    """Sizes and intensities of image and masks: initial, interpolated and re-segmented.

    Parameters
    ----------
    volume, region
        As they were given to :func:`~radiogenomics.imaging.ibsi_engine.prepare_ibsi`.
    prepared
        As it gave them back, the whole image kept.

    Returns
    -------
    dict
        Tag (``"int_mask_vox_count_reseg_roi"``) → value.

    References
    ----------
    Zwanenburg et al., The image biomarker standardisation initiative: reference manual,
    doi:10.48550/arXiv.1612.07003; Diagnostic features.
    """
    initial = volume.mask(region) > 0
    drawn = prepared.volume.mask(region)
    steps = (
        _image(volume, "init"),
        _image(prepared.volume, "interp"),
        _region(volume.voxels, initial, initial, step="init"),
        _region(prepared.volume.voxels, drawn, drawn, step="interp"),
        _region(prepared.volume.voxels, prepared.inside, prepared.shape, step="reseg"),
    )
    return {tag: value for step in steps for tag, value in step.items()}


def _image(volume: Volume, step: str) -> dict[str, float]:
    found = _sizes("img_dim", volume.voxels.shape)
    found |= _sizes("vox_dim", volume.spacing_mm) | _intensities("", volume.voxels)
    return {f"{tag}_{step}_img": value for tag, value in found.items()}


def _region(voxels: Array, inside: Array, shape: Array, *, step: str) -> dict[str, float]:
    found = _sizes("int_mask_dim", inside.shape) | _intensities("int_mask_", voxels[inside])
    for name, mask in (("int", inside), ("morph", shape)):
        box = [part.stop - part.start for part in bounding_box(mask)]
        found |= _sizes(f"{name}_mask_bb_dim", box)
        found[f"{name}_mask_vox_count"] = float(np.count_nonzero(mask))
    return {f"{tag}_{step}_roi": value for tag, value in found.items()}


def _sizes(name: str, sizes: Sequence[float]) -> dict[str, float]:
    return {f"{name}_{axis}": float(size) for axis, size in zip(AXES, sizes, strict=True)}


def _intensities(mask: str, values: Array) -> dict[str, float]:
    return {
        f"{mask}mean_int": float(values.mean()),
        f"{mask}min_int": float(values.min()),
        f"{mask}max_int": float(values.max()),
    }
