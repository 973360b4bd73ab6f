"""Features by the definitions and in the order of processing of the IBSI.

Normalise, interpolate, round, re-segment, filter, discretise, measure. Re-segmentation takes voxels
out of the intensity mask only; the morphological mask stays as it was drawn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from radiogenomics.core.scan import Volume
from radiogenomics.imaging.discretise import ibsi_grey_levels
from radiogenomics.imaging.filters import Filter, Original
from radiogenomics.imaging.ibsi_resample import ibsi_resample
from radiogenomics.imaging.masks import Box, bounding_box, require_dimensions, require_size
from radiogenomics.imaging.preparation import resegment, scaling
from radiogenomics.imaging.radiomics.firstorder import intensity_statistics
from radiogenomics.imaging.radiomics.glcm import glcm_ibsi
from radiogenomics.imaging.radiomics.gldm import gldm_ibsi
from radiogenomics.imaging.radiomics.gldzm import gldzm_ibsi
from radiogenomics.imaging.radiomics.glrlm import glrlm_ibsi
from radiogenomics.imaging.radiomics.glszm import glszm_ibsi
from radiogenomics.imaging.radiomics.intensity_histogram import intensity_histogram
from radiogenomics.imaging.radiomics.ivh import ivh_features
from radiogenomics.imaging.radiomics.local_intensity import RADIUS_MM, local_intensity, reach
from radiogenomics.imaging.radiomics.morphology import morphology_features
from radiogenomics.imaging.radiomics.ngtdm import ngtdm_ibsi
from radiogenomics.imaging.radiomics.roi import GreyLevels, Roi, require_numbers
from radiogenomics.imaging.settings import Aggregation, ExtractionSettings, Family

Array = np.ndarray[Any, np.dtype[Any]]
Bounds = tuple[float | None, float | None]


@dataclass(frozen=True, eq=False)
class IbsiRegion:
    """A region ready to be measured; axis order is (z, y, x).

    Parameters
    ----------
    volume
        Normalised, interpolated and rounded.
    shape
        Morphological mask, boolean.
    inside
        Intensity mask: ``shape``, re-segmented.
    """

    volume: Volume
    shape: Array
    inside: Array

    def measured(self, values: Array, box: Box) -> Roi:
        """Values inside a box, with the intensity mask there."""
        return Roi(values, self.inside[box], self.volume.spacing_mm)


def compute_ibsi_features(
    volume: Volume, region: str, settings: ExtractionSettings
) -> dict[str, float]:
    """Features of one region under the IBSI's tags.

    Parameters
    ----------
    volume
        Voxels and masks; every voxel of the mask above 0 counts.
    region
        Name of the mask.
    settings
        Families stand for those of the IBSI: ``shape`` for morphology; ``firstorder`` for local
        intensity, intensity statistics, intensity histogram and intensity-volume histogram;
        ``glszm`` also for GLDZM; ``gldm`` is NGLDM; ``shape2D`` has none. Neighbours lie at
        distance 1, dependences have no tolerance. The intensity-volume histogram of a filter's
        response is read in numbered bins.

    Returns
    -------
    dict
        Full tag (``"cm_contrast_3D_comb"``) → value; with the image type in front for all but the
        unfiltered one (``"log-sigma-3-0-mm-3D_stat_mean"``). NaN where a feature is not defined.

    Raises
    ------
    GeometryError
        What is left of the region is too small or has too few dimensions.

    References
    ----------
    Zwanenburg et al., Radiology 2020, doi:10.1148/radiol.2020191145.
    """
    prepared = prepare_ibsi(volume, region, settings)
    return measure_ibsi(prepared, settings, aggregations=(settings.aggregation,))


def prepare_ibsi(
    volume: Volume, region: str, settings: ExtractionSettings, *, whole: bool = False
) -> IbsiRegion:
    """Normalise, interpolate, round and re-segment a region, in this order.

    Bounds of intensity and outliers are both taken of the region as drawn; what is kept lies
    within both.

    Parameters
    ----------
    volume
        Voxels and masks; every voxel of the mask above 0 counts.
    region
        Name of the mask.
    settings
        Normalisation by the liver is done before.
    whole
        Keep the whole image; else, without filters, only what features look at.

    Raises
    ------
    GeometryError
        What is left of the region is too small or has too few dimensions.
    """
    scaled = scaling(volume, settings)
    if scaled is not None:
        volume = replace(volume, voxels=scaled(volume.voxels))
    plain = all(isinstance(kind, Original) for kind in settings.filters)
    volume = ibsi_resample(
        volume,
        region,
        spacing_mm=settings.spacing_mm or (0, 0, 0),
        interpolator=settings.interpolator,
        margin_mm=RADIUS_MM if plain and not whole else None,
    )
    if settings.round_intensities:
        volume = replace(volume, voxels=np.rint(volume.voxels))
    shape = volume.mask(region)
    inside = _resegmented(volume.voxels, shape, settings)
    require_size(inside, settings.minimum_voxels)
    require_dimensions(inside, settings.minimum_dimensions)
    return IbsiRegion(volume, inside if settings.resegment_shape else shape, inside)


def _resegmented(voxels: Array, shape: Array, settings: ExtractionSettings) -> Array:
    """Intensity mask: what lies within the bounds and is no outlier."""
    inside = shape
    if settings.resegment_range is not None:
        inside = resegment(voxels, shape, settings)
    if settings.resegment_outliers is not None:
        values = voxels[shape]
        farthest = settings.resegment_outliers * values.std()
        inside = inside & (np.abs(voxels - values.mean()) <= farthest)
    return inside


def measure_ibsi(
    region: IbsiRegion, settings: ExtractionSettings, *, aggregations: Iterable[Aggregation]
) -> dict[str, float]:
    """Features of a prepared region, textures joined in each of several ways.

    Parameters
    ----------
    region
        As :func:`prepare_ibsi` gives it.
    settings
        Its ``aggregation`` is not looked at.
    aggregations
        Ways to join the textures of slices and directions; filters stay within the slice if the
        textures of all do.

    Returns
    -------
    dict
        As of :func:`compute_ibsi_features`.
    """
    ways = tuple(aggregations)
    tight = bounding_box(region.shape)
    wide = bounding_box(region.shape, margin=reach(region.volume.spacing_mm))
    flat = 0 if all(way.startswith("2") for way in ways) else None
    found: dict[str, float] = {}
    if "shape" in settings.families:
        roi = region.measured(region.volume.voxels[tight], tight)
        found |= morphology_features(roi, shape_inside=region.shape[tight])
    if set(settings.families) <= {"shape", "shape2D"}:
        return found
    for kind in settings.filters:
        for name, response in kind.responses(
            region.volume.voxels, spacing_mm=region.volume.spacing_mm, box=wide, flat_axis=flat
        ):
            around = region.measured(response, wide)
            require_numbers(name, around)
            measured = _of_image(around, region.shape[wide], kind, settings=settings, ways=ways)
            prefix = "" if isinstance(kind, Original) else f"{name}_"
            found |= {f"{prefix}{tag}": value for tag, value in measured.items()}
    return found


def _of_image(
    around: Roi,
    shape: Array,
    kind: Filter,
    *,
    settings: ExtractionSettings,
    ways: Collection[Aggregation],
) -> dict[str, float]:
    """Features of one image type, from the region and what local intensity sees around it."""
    box = bounding_box(shape)
    roi = Roi(around.values[box], around.inside[box], around.spacing_mm)
    levels = _levels(roi, kind, settings)
    found: dict[str, float] = {}
    if "firstorder" in settings.families:
        found |= local_intensity(around) | intensity_statistics(roi) | intensity_histogram(levels)
        found |= ivh_features(
            roi,
            # A width is one of calibrated intensities.
            bin_width=settings.ivh_bin_width if isinstance(kind, Original) else None,
            bin_count=settings.ivh_bin_count,
            bounds=_bounds(kind, settings),
        )
    return found | _textures(levels, shape[box], settings.families, ways)


def _bounds(kind: Filter, settings: ExtractionSettings) -> Bounds:
    """Range of the calibrated intensities, where it is given; a filter's response has none."""
    given = settings.resegment_range
    if given is None or settings.resegment_mode != "absolute" or not isinstance(kind, Original):
        return None, None
    return min(given), max(given) if len(given) == 2 else None


def _levels(roi: Roi, kind: Filter, settings: ExtractionSettings) -> GreyLevels:
    """Grey levels by the bins of the filter, or else of the extraction."""
    bins = kind if kind.has_bins else settings
    return ibsi_grey_levels(
        roi,
        bin_width=bins.bin_width,
        bin_count=bins.bin_count,
        lowest=_bounds(kind, settings)[0],
        maximum_bins=settings.maximum_bins,
    )


def _textures(
    levels: GreyLevels, shape: Array, families: Collection[Family], ways: Iterable[Aggregation]
) -> dict[str, float]:
    """Texture features joined in each of the ways; some families know no directions to join."""
    found: dict[str, float] = {}
    for way in ways:
        if "glcm" in families:
            found |= glcm_ibsi(levels, way)
        if "glrlm" in families:
            found |= glrlm_ibsi(levels, way)
    for section in dict.fromkeys(_without_directions(way) for way in ways):
        if "glszm" in families:
            found |= glszm_ibsi(levels, section) | gldzm_ibsi(levels, shape, section)
        if "ngtdm" in families:
            found |= ngtdm_ibsi(levels, section)
        if "gldm" in families:
            found |= gldm_ibsi(levels, section)
    return found


def _without_directions(way: Aggregation) -> Literal["2D", "2_5D", "3D"]:
    """``2D_avg`` → ``2D``."""
    return cast("Literal['2D', '2_5D', '3D']", way.rpartition("_")[0])
