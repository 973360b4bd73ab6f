"""Feature maps: where in a region a feature is high; each voxel measured in a cube of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.log import progress
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.engine import levels_of, responses_of, textures_of
from radiogenomics.imaging.filters import Filter
from radiogenomics.imaging.intensity import normalise_to_organ
from radiogenomics.imaging.masks import LESION_RULES, Box, bounding_box, select_lesions
from radiogenomics.imaging.preparation import Prepared, prepare
from radiogenomics.imaging.radiomics.families import feature_names
from radiogenomics.imaging.radiomics.firstorder import firstorder_features
from radiogenomics.imaging.radiomics.roi import GreyLevels, Roi
from radiogenomics.imaging.regions import with_region
from radiogenomics.imaging.settings import ExtractionSettings, VoxelSettings

Array = np.ndarray[Any, np.dtype[Any]]
Wanted = Mapping[str, tuple[str, ...]]

FAMILIES = ("firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm")


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """Maps of features on one grid.

    Parameters
    ----------
    maps
        Feature → float64 (z, y, x); outside the region the settings' initial value.
    grid
        The image the maps lie on, after resampling, with the mask of the region.
    """

    maps: Mapping[str, Array]
    grid: Volume


def feature_maps(
    volume: Volume, region: str, settings: ExtractionSettings, *, features: Iterable[str]
) -> FeatureMaps:
    """Measure features around each voxel of a region.

    Grey levels are cut once, over the whole region, so that values of different places compare.
    Then every voxel stands for the cube around it. The features of a model are seen this way where
    they come from; single maps of small cubes are noisy, and matrices of 27 voxels are sparse.

    Parameters
    ----------
    volume
        Voxels and masks.
    region
        Name of the mask, or a word that makes one; lesions are chosen by the settings.
    settings
        As for the extraction; ``settings.voxel`` holds the size of the cube (its
        ``kernel_radius``), whether voxels outside the region count, and the value outside.
    features
        Full names, ``original_glcm_JointEntropy``; not of shape, which has no place.

    Raises
    ------
    UnknownNameError
        An image type, family or feature is not among those of the settings.
    DataError
        No feature is asked for, or one of shape, or by the conventions of the IBSI.
    GeometryError
        As for the extraction.

    References
    ----------
    Gatenby et al. 2013, doi:10.1148/radiol.13122697 (why place within the tumour matters).
    """
    asked = tuple(dict.fromkeys(features))
    if not asked:
        raise DataError("expected names of features; found none. Name those of your model.")
    ready = prepared_for_maps(volume, region, settings)
    where = window_of(ready, settings)
    maps = {}
    for name, response, item in responses_of(ready, settings, box=where):
        wanted = wanted_of(name, asked)
        if wanted:
            found = _mapped(response, item, wanted, ready, settings, where)
            maps |= {f"{name}_{feature}": values for feature, values in found.items()}
    for name in asked:
        if name not in maps:
            raise UnknownNameError("feature of these settings", name, maps or asked)
    return FeatureMaps({name: maps[name] for name in asked}, ready.volume)


def prepared_for_maps(volume: Volume, region: str, settings: ExtractionSettings) -> Prepared:
    """The region as it is measured for a table; where lesions are measured apart, the largest.

    Raises
    ------
    DataError
        The settings have the conventions of the IBSI.
    GeometryError
        As for the extraction.
    """
    if settings.conventions == "ibsi":
        raise DataError(
            "feature maps: expected settings with the conventions of pyradiomics; found those of "
            "the IBSI, which are not mapped. Use conventions: pyradiomics."
        )
    volume = with_region(volume, region)
    rule = settings.lesions if settings.lesions in LESION_RULES else "largest"
    lesions = select_lesions(volume.mask(region), rule, label=settings.label)
    if settings.normalise == "liver":
        others = tuple({region, "tumour"} - {"liver"})
        volume = normalise_to_organ(volume, organ="liver", without=others)
    return prepare(replace(volume, masks={region: lesions}), region, settings)


def voxel_settings(settings: ExtractionSettings) -> VoxelSettings:
    """Size of the cubes, what counts in them and what stands outside."""
    return settings.voxel or VoxelSettings()


def window_of(ready: Prepared, settings: ExtractionSettings) -> Box:
    """Box of the region, widened by the cube where voxels outside the region count."""
    if voxel_settings(settings).masked_kernel:
        return ready.box
    radius = voxel_settings(settings).kernel_radius
    z, y, x = bounding_box(ready.inside, margin=(radius, radius, radius))
    return z, y, x


def wanted_of(image_type: str, asked: tuple[str, ...]) -> Wanted:
    """Family → features of one image type; DataError or UnknownNameError for a wrong word."""
    found: dict[str, tuple[str, ...]] = {}
    for name in asked:
        kind, family, feature = (*name.split("_", 2), "", "")[:3]
        if family in ("shape", "shape2D"):
            raise DataError(f"{name}: expected a feature of intensities; found one of shape.")
        if family not in FAMILIES:
            raise UnknownNameError("feature family", family, FAMILIES)
        if feature not in feature_names(family):
            raise UnknownNameError(f"{family} feature", feature, feature_names(family))
        if kind == image_type:
            found[family] = (*found.get(family, ()), feature)
    return found


def _mapped(
    response: Array,
    item: Filter,
    wanted: Wanted,
    ready: Prepared,
    settings: ExtractionSettings,
    where: Box,
) -> dict[str, Array]:
    """Maps of one image type, by family and feature."""
    inside = ready.inside[where]
    counted = inside if voxel_settings(settings).masked_kernel else np.ones_like(inside)
    roi = Roi(response, counted, ready.volume.spacing_mm)
    levels = levels_of(roi, item, settings=settings, scanned=ready.volume.voxels.dtype)
    shape = ready.volume.voxels.shape
    maps = {
        f"{family}_{feature}": np.full(shape, voxel_settings(settings).initial_value)
        for family, names in wanted.items()
        for feature in names
    }
    corner = np.array([part.start for part in where])
    places = np.argwhere(inside)
    for place in progress(places, "feature maps", total=len(places)):
        cube = cube_around(place, settings, inside.shape)
        for name, value in measured_in(roi, levels, cube, wanted=wanted, settings=settings).items():
            maps[name][tuple(place + corner)] = value if math.isfinite(value) else math.nan
    return maps


def cube_around(place: Array, settings: ExtractionSettings, shape: tuple[int, ...]) -> Box:
    """Voxels around a place, one thick along the axis that is not crossed."""
    radii = [voxel_settings(settings).kernel_radius] * 3
    if settings.flat_axis is not None:
        radii[settings.flat_axis] = 0
    z, y, x = (
        slice(max(int(at) - radius, 0), min(int(at) + radius + 1, size))
        for at, radius, size in zip(place, radii, shape, strict=True)
    )
    return z, y, x


def measured_in(
    roi: Roi, levels: GreyLevels, cube: Box, *, wanted: Wanted, settings: ExtractionSettings
) -> dict[str, float]:
    """Features of the voxels in one cube, family by family."""
    here = GreyLevels(np.ascontiguousarray(levels.levels[cube]), levels.count)
    textures = {family: names for family, names in wanted.items() if family != "firstorder"}
    found = textures_of(here, textures, spacing_mm=roi.spacing_mm, settings=settings)
    if "firstorder" in wanted:
        found["firstorder"] = firstorder_features(
            Roi(roi.values[cube], roi.inside[cube], roi.spacing_mm),
            levels=here,
            voxel_array_shift=settings.voxel_array_shift,
            names=wanted["firstorder"],
        )
    return {
        f"{family}_{feature}": value
        for family, values in found.items()
        for feature, value in values.items()
    }
