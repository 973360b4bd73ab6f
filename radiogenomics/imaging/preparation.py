"""From a scan to the voxels that features are computed from: normalise, resample, re-segment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.geometry import crop
from radiogenomics.imaging.intensity import image_statistics, normalise_to_image
from radiogenomics.imaging.masks import (
    Box,
    bounding_box,
    require_dimensions,
    require_size,
)
from radiogenomics.imaging.resample import resample
from radiogenomics.imaging.settings import ExtractionSettings

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A region ready to be measured; axis order is (z, y, x).

    Parameters
    ----------
    volume
        Normalised and resampled, cut as far as the settings cut it.
    shape
        Region whose shape is measured, boolean.
    inside
        Region whose intensities are measured: ``shape``, re-segmented.
    box
        Smallest box around ``inside``.
    """

    volume: Volume
    shape: Array
    inside: Array
    box: Box


def prepare(
    volume: Volume, region: str, settings: ExtractionSettings, *, threads: int = 1
) -> Prepared:
    """Normalise, resample or crop, and re-segment a region, in this order.

    Parameters
    ----------
    volume
        Voxels and masks; every voxel of the mask above 0 counts.
    region
        Name of the mask.
    settings
        Normalisation by the liver is done before, by
        :func:`~radiogenomics.imaging.backend.features_of_volume`.
    threads
        Threads for resampling.

    Raises
    ------
    GeometryError
        The image is constant though it is to be normalised, or what is left of the region is too
        small or has too few dimensions.
    """
    if not (volume.mask(region) > 0).any():
        raise GeometryError(
            f"expected voxels in region {region!r}; found none. Draw it, or drop the scan."
        )
    scaled = scaling(volume, settings)
    if settings.spacing_mm is not None:
        volume = resample(
            volume,
            region,
            spacing_mm=settings.spacing_mm,
            interpolator=settings.interpolator,
            pad=settings.pad_distance,
            threads=threads,
            intensities=scaled,
        )
    else:
        if settings.pre_crop:
            pad = settings.pad_distance
            volume = crop(volume, region, margin=(pad, pad, pad))
        if scaled is not None:
            volume = replace(volume, voxels=scaled(volume.voxels))
    whole = volume.mask(region) > 0
    _require_measurable(whole, settings)
    if settings.resegment_range is None:
        return Prepared(volume, whole, whole, bounding_box(whole))
    kept = resegment(volume.voxels, whole, settings)
    _require_measurable(kept, settings)
    return Prepared(volume, kept if settings.resegment_shape else whole, kept, bounding_box(kept))


def resegment(voxels: Array, inside: Array, settings: ExtractionSettings) -> Array:
    r"""Keep the voxels of a region whose intensity lies within ``settings.resegment_range``.

    The bounds :math:`r` belong to the range. ``absolute``: :math:`r`; ``relative``:
    :math:`r \max v`; ``sigma``: :math:`m + r d`, with the region's mean and standard deviation.

    Parameters
    ----------
    voxels, inside
        Image and boolean region of the same shape.
    settings
        With a ``resegment_range``.

    Raises
    ------
    GeometryError
        Fewer than two voxels are left.

    Examples
    --------
    >>> settings = ExtractionSettings(bin_width=25, resegment_range=(2.0, 3.0))
    >>> resegment(np.arange(5), np.ones(5, dtype=bool), settings).astype(int)
    array([0, 0, 1, 1, 0])
    """
    values = voxels[inside]
    bounds = sorted(settings.resegment_range or ())
    if settings.resegment_mode == "relative":
        bounds = [values.max() * bound for bound in bounds]
    elif settings.resegment_mode == "sigma":
        mean, deviation = values.mean(), values.std()
        bounds = [mean + deviation * bound for bound in bounds]
    fits = values >= bounds[0]
    if len(bounds) == 2:
        fits &= values <= bounds[1]
    if np.count_nonzero(fits) < 2:
        raise GeometryError(
            f"expected voxels within {' to '.join(f'{bound:g}' for bound in bounds)}; found "
            f"{np.count_nonzero(fits)} of {len(values)}. Widen resegment_range."
        )
    kept = np.zeros(inside.shape, dtype=bool)
    kept[inside] = fits
    return kept


def scaling(volume: Volume, settings: ExtractionSettings) -> partial[Array] | None:
    """Normalisation by the whole image, for what is read of it; None where there is none."""
    if settings.normalise != "image":
        return None
    mean, deviation = image_statistics(volume.voxels)
    return partial(
        normalise_to_image,
        mean=mean,
        deviation=deviation,
        scale=settings.normalise_scale,
        outliers=settings.remove_outliers,
    )


def _require_measurable(region: Array, settings: ExtractionSettings) -> None:
    require_size(region, settings.minimum_voxels)
    require_dimensions(region, settings.minimum_dimensions)
