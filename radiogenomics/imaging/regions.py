"""Regions made from regions: an organ without its lesions, a ring around a lesion, habitats."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import ndimage

from radiogenomics.core.errors import DataError, GeometryError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.masks import bounding_box

Array = np.ndarray[Any, np.dtype[Any]]

WITHOUT = re.compile(r"(?P<organ>.+)_without_(?P<lesion>.+)")
RING = re.compile(r"(?P<region>.+)_ring_(?P<width>\d+(\.\d+)?)mm(_in_(?P<organ>.+))?")


def without(volume: Volume, organ: str, lesion: str) -> Array:
    """Boolean mask of an organ outside another region, for example liver without tumour.

    Raises
    ------
    UnknownNameError
        The volume lacks a mask.
    GeometryError
        Nothing is left.
    """
    rest = (volume.mask(organ) > 0) & (volume.mask(lesion) == 0)
    if not rest.any():
        raise GeometryError(
            f"expected {organ} outside {lesion}; found none. Check which mask is which."
        )
    return rest


def viable(volume: Volume, region: str, *, minimum: float) -> Array:
    """Boolean mask of the part of a region that enhances: intensities of at least ``minimum``.

    Necrosis and embolised tissue do not take up contrast agent in the arterial phase. The bound
    depends on scanner, phase and protocol; there is no published one that holds for all, so it is
    yours to choose, for example the mean of the liver in the same scan.

    Parameters
    ----------
    volume
        Arterial phase.
    region
        Name of the mask.
    minimum
        In the image's unit.

    Raises
    ------
    UnknownNameError
        The volume lacks the mask.
    GeometryError
        Nothing reaches the bound.

    References
    ----------
    Lencioni & Llovet 2010, doi:10.1055/s-0030-1247132 (mRECIST: viable tumour).
    """
    part = (volume.mask(region) > 0) & (volume.voxels >= minimum)
    if not part.any():
        raise GeometryError(
            f"expected voxels of {region} of at least {minimum:g}; found none. Check the phase, or "
            "lower the bound."
        )
    return part


def ring(volume: Volume, region: str, *, width_mm: float, organ: str | None = None) -> Array:
    """Boolean mask of the voxels around a region, up to ``width_mm`` from its nearest voxel.

    Distances run between voxel centres in mm, so the ring is round also where voxels are not. It
    misleads where the width is near the slice thickness: then it hardly leaves the slices.

    Parameters
    ----------
    volume
        Voxels and masks.
    region
        Name of the mask the ring is drawn around; it is not part of the ring.
    width_mm
        Width in mm.
    organ
        Mask that the ring is clipped to; None: the image.

    Raises
    ------
    DataError
        The width is not positive.
    UnknownNameError
        The volume lacks a mask.
    GeometryError
        The region or the ring is empty.

    Examples
    --------
    >>> tumour = np.zeros((1, 1, 7), dtype=int)
    >>> tumour[..., 3] = 1
    >>> scan = Volume(np.zeros((1, 1, 7)), {"tumour": tumour}, (5, 1, 1))
    >>> ring(scan, "tumour", width_mm=2).astype(int)
    array([[[0, 1, 1, 0, 1, 1, 0]]])
    """
    if not (math.isfinite(width_mm) and width_mm > 0):
        raise DataError(f"expected a width above 0 mm; found {width_mm}. Correct it.")
    inside = volume.mask(region) > 0
    if not inside.any():
        raise GeometryError(f"expected voxels in {region!r}; found none. Draw it.")
    z, y, x = (math.ceil(width_mm / size) for size in volume.spacing_mm)
    box = bounding_box(inside, margin=(z, y, x))
    distance = ndimage.distance_transform_edt(~inside[box], sampling=volume.spacing_mm)
    around = np.zeros(inside.shape, dtype=bool)
    # The slack lets in voxels whose distance equals the width but for rounding.
    around[box] = (distance > 0) & (distance <= width_mm * (1 + 1e-9))
    if organ is not None:
        around &= volume.mask(organ) > 0
    if not around.any():
        raise GeometryError(
            f"expected a ring of {width_mm:g} mm around {region}; found no voxel"
            f"{'' if organ is None else f' of it in {organ}'}. Use a width above the voxel size "
            f"({' × '.join(f'{size:g}' for size in volume.spacing_mm)} mm), or check the masks."
        )
    return around


def habitats(
    volume: Volume,
    region: str,
    *,
    count: int,
    maps: Mapping[str, Array] | None = None,
    random_state: int = 0,
) -> Array:
    """Cut a region into habitats: k-means over intensity maps, voxel by voxel.

    Maps are standardised inside the region. Habitat 1 has the lowest mean of the first map, so
    numbers mean the same in every patient. Habitats common to a cohort would need an estimator.

    Parameters
    ----------
    volume
        Voxels and masks.
    region
        Name of the mask.
    count
        Number of habitats.
    maps
        Name → array of the image's shape, for example other phases or filter responses; None: the
        image alone.
    random_state
        Seed of the starting points.

    Returns
    -------
    ndarray
        int32 (z, y, x): 0 outside, 1 ... ``count``.

    Raises
    ------
    DataError
        Fewer than two habitats are asked for, or a map has another shape or NaN in the region.
    GeometryError
        There are fewer distinct voxels than habitats.

    References
    ----------
    O'Connor et al., Clin Cancer Res 2015;21:249, doi:10.1158/1078-0432.CCR-14-0990
    """
    from sklearn.cluster import KMeans

    inside = volume.mask(region) > 0
    vectors = _vectors(maps or {"image": volume.voxels}, inside)
    if count < 2:
        raise DataError(f"expected at least 2 habitats; found {count}. Raise the number.")
    if len(np.unique(vectors, axis=0)) < count:
        raise GeometryError(
            f"expected at least {count} different voxels in {region!r}; found fewer. "
            "Ask for fewer habitats, or check the image."
        )
    found = KMeans(count, n_init=10, random_state=random_state).fit(vectors)
    place = np.empty(count, dtype=np.int32)
    place[np.argsort(found.cluster_centers_[:, 0], kind="stable")] = np.arange(1, count + 1)
    numbered = np.zeros(inside.shape, dtype=np.int32)
    numbered[inside] = place[found.labels_]
    return numbered


def with_region(volume: Volume, name: str) -> Volume:
    """Return the volume with the mask that a word names; words are made of the masks it has.

    Parameters
    ----------
    name
        A mask (``tumour``), ``<organ>_without_<lesion>`` (``liver_without_tumour``),
        ``<region>_ring_<k>mm`` or ``<region>_ring_<k>mm_in_<organ>``
        (``tumour_ring_10mm_in_liver``).

    Raises
    ------
    UnknownNameError
        The word, or a mask in it, is unknown.
    GeometryError
        The region is empty.
    """
    if name in volume.masks:
        return volume
    if found := RING.fullmatch(name):
        made = ring(volume, found["region"], width_mm=float(found["width"]), organ=found["organ"])
    elif found := WITHOUT.fullmatch(name):
        made = without(volume, found["organ"], found["lesion"])
    else:
        raise UnknownNameError("region", name, volume.masks)
    return replace(volume, masks={**volume.masks, name: made})


def _vectors(maps: Mapping[str, Array], inside: Array) -> Array:
    """Standardised values (voxels of the region × maps)."""
    columns = []
    for name, values in maps.items():
        if values.shape != inside.shape or not np.isfinite(values[inside]).all():
            raise DataError(
                f"map {name!r}: expected finite values of the image's shape {inside.shape}; found "
                f"{values.shape}, or NaN in the region. Resample it onto the image."
            )
        column = values[inside].astype(np.float64)
        spread = column.std() if column.size else 0.0
        columns.append((column - column.mean()) / spread if spread > 0 else column * 0.0)
    return np.column_stack(columns)
