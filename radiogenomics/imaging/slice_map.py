"""One slice of a feature map: its voxels only, so that a picture takes seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.engine import levels_of, responses_of
from radiogenomics.imaging.feature_maps import (
    FAMILIES,
    cube_around,
    measured_in,
    prepared_for_maps,
    voxel_settings,
    wanted_of,
    window_of,
)
from radiogenomics.imaging.filters import Filter
from radiogenomics.imaging.masks import Box, bounding_box
from radiogenomics.imaging.preparation import Prepared
from radiogenomics.imaging.radiomics.families import feature_names
from radiogenomics.imaging.radiomics.roi import Roi
from radiogenomics.imaging.settings import ExtractionSettings

Array = np.ndarray[Any, np.dtype[Any]]

MARGIN = 10
"""Voxels around the region that a slice shows."""
MOST_VOXELS = 20_000
"""Of a slice; in a larger one every second, third, ... row and column is measured."""
PROBE = (32, 10.0)
"""Voxels along each axis, and their size in mm, of an image that fits the widest filters."""


@dataclass(frozen=True, eq=False)
class SliceMap:
    """The map of a feature in the slice in which its region has the most voxels.

    Parameters
    ----------
    feature
        Full name.
    values
        float64 (rows, columns); NaN outside the region, and where the feature is not defined.
    scan, inside
        Intensities as they were measured, and the region; the same shape.
    rows, columns
        Where they lie in the slice, after resampling.
    spacing_mm
        From row to row and from column to column.
    place
        Number of the slice on the first axis.
    whole
        The feature of the whole region, as in a table of features.
    """

    feature: str
    values: Array
    scan: Array
    inside: Array
    rows: Array
    columns: Array
    spacing_mm: tuple[float, float]
    place: int
    whole: float


def slice_map(
    volume: Volume, region: str, settings: ExtractionSettings, *, feature: str
) -> SliceMap:
    """Measure a feature around each voxel of a region in the slice in which it is largest.

    Values are those of :func:`~radiogenomics.imaging.feature_maps.feature_maps`, to the last bit:
    the scan is filtered, and grey levels are cut, as for the whole region, and cubes reach into the
    slices beside.

    Parameters
    ----------
    volume
        Voxels and masks.
    region
        Name of the mask, or a word that makes one. Where the settings measure lesions apart, the
        largest is taken.
    settings
        As for the extraction of the table that the feature is a column of.
    feature
        Full name, ``original_glcm_JointEntropy``; not of shape, which has no place.

    Raises
    ------
    UnknownNameError
        The image type, family or feature is not among those of the settings, or there is no region.
    DataError
        A feature of shape, the conventions of the IBSI, or a feature that has no value anywhere.
    GeometryError
        As for the extraction.

    Examples
    --------
    >>> voxels = np.random.default_rng(0).normal(0, 40, (7, 9, 9))
    >>> tumour = np.zeros((7, 9, 9), dtype=int)
    >>> tumour[2:5, 2:6, 2:6] = 1
    >>> scan = Volume(voxels, {"tumour": tumour}, (1, 1, 1))
    >>> found = slice_map(
    ...     scan, "tumour", ExtractionSettings(bin_width=25), feature="original_glcm_JointEntropy"
    ... )
    >>> found.values.shape, int(np.isfinite(found.values).sum()), found.place
    ((9, 9), 16, 2)
    """
    wanted_of(feature.partition("_")[0], (feature,))  # a wrong name is found before any work
    image = _filtered(prepared_for_maps(volume, region, settings), settings, feature=feature)
    ready = image.ready
    rows, columns, place = _shown(ready.inside)
    shown = ready.inside[place][np.ix_(rows, columns)]
    values = np.full(shown.shape, np.nan)
    y, x = np.nonzero(shown)
    values[shown] = image.around(np.column_stack([np.full(len(y), place), rows[y], columns[x]]))
    if not np.isfinite(values).any():
        raise DataError(f"{feature}: expected values in the slice; found none. Choose another one.")
    tall, wide = (
        size * (int(axis[1] - axis[0]) if len(axis) > 1 else 1)
        for size, axis in zip(ready.volume.spacing_mm[1:], (rows, columns), strict=True)
    )
    scan = ready.volume.voxels[place][np.ix_(rows, columns)].astype(np.float64)
    spacing = (tall, wide)
    return SliceMap(feature, values, scan, shown, rows, columns, spacing, place, image.whole())


def has_place(feature: str, image_types: tuple[str, ...]) -> bool:
    """Whether a feature can be mapped: of intensities, of a known name, on a known image type.

    Examples
    --------
    >>> has_place("original_glcm_Idn", ("original",)), has_place("original_shape_Flatness", ())
    (True, False)
    """
    image_type, family, word = (*feature.split("_", 2), "", "")[:3]
    return image_type in image_types and family in FAMILIES and word in feature_names(family)


def image_types(settings: ExtractionSettings) -> tuple[str, ...]:
    """Names of the image types that settings make.

    Raises
    ------
    MissingExtraError
        A filter needs a package that is not installed.

    Examples
    --------
    >>> image_types(ExtractionSettings(bin_width=25))
    ('original',)
    """
    size, spacing = PROBE
    voxels = np.random.default_rng(0).uniform(1, 2, (size, size, size))
    middle = slice(size // 2, size // 2 + 1)
    return tuple(
        name
        for item in settings.filters
        for name, _ in item.responses(
            voxels,
            spacing_mm=(spacing, spacing, spacing),
            box=(middle, middle, middle),
            flat_axis=settings.flat_axis,
        )
    )


@dataclass(frozen=True, eq=False)
class _Filtered:
    """A region's image type, ready to be measured in cubes for one feature."""

    feature: str
    values: Array
    item: Filter
    ready: Prepared
    where: Box
    settings: ExtractionSettings

    def around(self, places: Array) -> list[float]:
        """The feature in the cubes around places of the image, rows of (z, y, x)."""
        inside = self.ready.inside[self.where]
        masked = voxel_settings(self.settings).masked_kernel
        corner = [part.start for part in self.where]
        cubes = [cube_around(place, self.settings, inside.shape) for place in places - corner]
        return self._measured(inside if masked else np.ones_like(inside), cubes)

    def whole(self) -> float:
        """The feature of the region."""
        everything = (slice(None), slice(None), slice(None))
        return self._measured(self.ready.inside[self.where], [everything])[0]

    def _measured(self, counted: Array, cubes: Sequence[Box]) -> list[float]:
        """The feature in each cube, with levels cut over all voxels that count."""
        roi = Roi(self.values, counted, self.ready.volume.spacing_mm)
        scanned = self.ready.volume.voxels.dtype
        levels = levels_of(roi, self.item, settings=self.settings, scanned=scanned)
        wanted = wanted_of(self.feature.partition("_")[0], (self.feature,))
        found = (
            measured_in(roi, levels, cube, wanted=wanted, settings=self.settings) for cube in cubes
        )
        values = [value for each in found for value in each.values()]
        return [value if math.isfinite(value) else math.nan for value in values]


def _filtered(ready: Prepared, settings: ExtractionSettings, *, feature: str) -> _Filtered:
    """Values of the feature's image type around the region."""
    image_type, where = feature.partition("_")[0], window_of(ready, settings)
    known = []
    for name, values, item in responses_of(ready, settings, box=where):
        if name == image_type:
            return _Filtered(feature, values, item, ready, where, settings)
        known.append(name)
    raise UnknownNameError("image type of these settings", image_type, known)


def _shown(inside: Array) -> tuple[Array, Array, int]:
    """Rows, columns and number of the slice that is shown."""
    place = int(inside.sum(axis=(1, 2)).argmax())
    _, tall, wide = bounding_box(inside[place : place + 1], margin=(0, MARGIN, MARGIN))
    area = (tall.stop - tall.start) * (wide.stop - wide.start)
    step = math.ceil(math.sqrt(area / MOST_VOXELS))
    rows, columns = (np.arange(side.start, side.stop, step) for side in (tall, wide))
    return rows, columns, place
