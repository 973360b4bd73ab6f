"""The native engine: one region of one scan → all its features, in few passes over its voxels."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from radiogenomics.core.errors import DataError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.discretise import grey_levels
from radiogenomics.imaging.filters import LBP2D, Filter, Gradient, LoG, Original, Wavelet
from radiogenomics.imaging.masks import Box, bounding_box
from radiogenomics.imaging.preparation import Prepared, prepare
from radiogenomics.imaging.radiomics.firstorder import firstorder_features
from radiogenomics.imaging.radiomics.roi import GreyLevels, Roi, require_numbers
from radiogenomics.imaging.radiomics.shape import shape_features
from radiogenomics.imaging.radiomics.shape2d import shape2d_features
from radiogenomics.imaging.radiomics.texture import texture_features
from radiogenomics.imaging.settings import ExtractionSettings

Array = np.ndarray[Any, np.dtype[Any]]
Features = dict[str, float]
Task = TypeVar("Task")

TEXTURES = ("glcm", "gldm", "glrlm", "glszm", "ngtdm")


def compute_features(
    volume: Volume, region: str, settings: ExtractionSettings, *, threads: int = 1
) -> Features:
    """Radiomic features of one region, in pyradiomics' order and under its names.

    The volume is taken as it comes: choosing lesions and normalising by the liver are done before.
    Shape is measured on the mask; every filter's response is cut to the region's box, cut into grey
    levels once and given to all families. A feature that is not defined for the region is NaN.

    Parameters
    ----------
    volume
        Voxels and masks.
    region
        Name of the mask; every voxel above 0 counts.
    settings
        What to compute and how.
    threads
        Image types computed at once; the result does not depend on it.

    Returns
    -------
    dict
        ``"{image type}_{family}_{feature}"`` → value. With the conventions of the IBSI: its tags.

    Raises
    ------
    GeometryError
        The region is empty, too small or has too few dimensions, or a filter does not fit into the
        image or gives no number somewhere in the region.
    DataError
        There are more grey levels than ``settings.maximum_bins``.
    MissingExtraError
        A filter needs a package that is not installed.

    References
    ----------
    van Griethuysen et al., Cancer Res 2017;77:e104, doi:10.1158/0008-5472.CAN-17-0339
    """
    if settings.conventions == "ibsi":
        from radiogenomics.imaging.ibsi_engine import compute_ibsi_features

        return compute_ibsi_features(volume, region, settings)
    ready = prepare(volume, region, settings, threads=threads)
    features = _shape(ready, settings)
    if set(settings.families) <= {"shape", "shape2D"}:
        return features
    inside = np.ascontiguousarray(ready.inside[ready.box])
    tasks = responses_of(ready, settings, box=ready.box)
    for found in _in_order(lambda task: _measured(*task, inside, ready, settings), tasks, threads):
        features |= found
    return features


def responses_of(
    ready: Prepared, settings: ExtractionSettings, *, box: Box
) -> Iterator[tuple[str, Array, Filter]]:
    """Image types with their values in a box and the filters that made them."""
    for item in settings.filters:
        found = item.responses(
            ready.volume.voxels,
            spacing_mm=ready.volume.spacing_mm,
            box=box,
            flat_axis=settings.flat_axis,
        )
        for name, response in found:
            yield name, response, item


def _shape(ready: Prepared, settings: ExtractionSettings) -> Features:
    """Shape of the whole region, under the name of the original image."""
    features: Features = {}
    mask = np.ascontiguousarray(ready.shape[bounding_box(ready.shape)])
    spacing = ready.volume.spacing_mm
    if "shape" in settings.families:
        wanted = settings.only.get("shape")
        found = shape_features(mask, spacing_mm=spacing, names=wanted)
        features |= _named("original_shape", found, wanted)
    if "shape2D" in settings.families and settings.flat_axis is not None:
        wanted = settings.only.get("shape2D")
        found = shape2d_features(
            mask, spacing_mm=spacing, flat_axis=settings.flat_axis, names=wanted
        )
        features |= _named("original_shape2D", found, wanted)
    return features


def _measured(
    name: str,
    response: Array,
    item: Filter,
    inside: Array,
    ready: Prepared,
    settings: ExtractionSettings,
) -> Features:
    """Features of one image type in the settings' order."""
    roi = Roi(response, inside, ready.volume.spacing_mm)
    require_numbers(name, roi)
    levels = levels_of(roi, item, settings=settings, scanned=ready.volume.voxels.dtype)
    wanted = {
        family: settings.only.get(family) for family in settings.families if family in TEXTURES
    }
    found = textures_of(levels, wanted, spacing_mm=roi.spacing_mm, settings=settings)
    if "firstorder" in settings.families:
        found["firstorder"] = firstorder_features(
            roi,
            levels=levels,
            voxel_array_shift=settings.voxel_array_shift,
            names=settings.only.get("firstorder"),
        )
    features: Features = {}
    for family in settings.families:
        if family in found:
            features |= _named(f"{name}_{family}", found[family], settings.only.get(family))
    return features


def levels_of(
    roi: Roi, item: Filter, *, settings: ExtractionSettings, scanned: np.dtype[Any]
) -> GreyLevels:
    """Grey levels of an image type: by the filter's own bins, or else by those of the settings.

    Parameters
    ----------
    scanned
        Number type of the image that was filtered. Where pyradiomics has the response in single
        precision, so are the edges of its bins.
    """
    bins = item if item.has_bins else settings
    precision = np.float32 if _is_single(item, scanned) else np.float64
    return grey_levels(
        replace(roi, values=roi.values.astype(precision, copy=False)),
        bin_width=bins.bin_width,
        bin_count=bins.bin_count,
        maximum_bins=settings.maximum_bins,
    )


def textures_of(
    levels: GreyLevels,
    families: Mapping[str, tuple[str, ...] | None],
    *,
    spacing_mm: tuple[float, float, float],
    settings: ExtractionSettings,
) -> dict[str, Features]:
    """Texture features as the settings want them; families as for ``texture_features``."""
    try:
        return texture_features(
            levels,
            families,
            spacing_mm=spacing_mm,
            distances=settings.distances,
            flat_axis=settings.flat_axis,
            symmetric=settings.symmetric,
            weighting=settings.weighting,
            dependence_tolerance=settings.dependence_tolerance,
        )
    except ValueError as error:
        raise DataError(
            f"expected grey levels whose matrices fit into memory; found {levels.count} levels "
            f"({error}). Use a wider bin or a bin count."
        ) from None


def _is_single(item: Filter, scanned: np.dtype[Any]) -> bool:
    """Whether pyradiomics has the response in single precision."""
    keeps_type = isinstance(item, Original | Wavelet | LBP2D)
    return isinstance(item, LoG | Gradient) or (keeps_type and scanned == np.float32)


def _named(prefix: str, found: Features, wanted: tuple[str, ...] | None) -> Features:
    """Full names, in the order asked for; what is not finite is not defined."""
    return {
        f"{prefix}_{name}": found[name] if math.isfinite(found[name]) else math.nan
        for name in wanted or found
    }


def _in_order(
    function: Callable[[Task], Features], tasks: Iterator[Task], threads: int
) -> Iterator[Features]:
    """Results in the order of the tasks, with few of them under way at any time."""
    if threads == 1:
        yield from map(function, tasks)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Features]] = deque()
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
