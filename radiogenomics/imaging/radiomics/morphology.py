r"""The IBSI's morphology family: form of a region, and how intensities lie within it.

:math:`V` and :math:`A` are volume and area of a watertight mesh around the morphological mask;
:math:`a \ge b \ge c` half the lengths of its principal axes. Intensities are those of the
intensity mask, which re-segmentation may have made smaller.

Variances along the principal axes are divided by the number of voxels less one: only so are the
consensus values of the IBSI's digital phantom met.

References
----------
Zwanenburg et al. 2020 (IBSI), doi:10.1148/radiol.2020191145; family HCUG.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from radiogenomics.core.errors import GeometryError
from radiogenomics.imaging.radiomics import enclosing_solids, shape
from radiogenomics.imaging.radiomics.enclosing_solids import Solid
from radiogenomics.imaging.radiomics.feature import Feature
from radiogenomics.imaging.radiomics.roi import Roi
from radiogenomics.imaging.radiomics.spatial_autocorrelation import (
    SpatialAutocorrelation,
    spatial_autocorrelation,
)

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Morphology:
    """What morphological features are computed from.

    Parameters
    ----------
    roi
        Intensities and intensity mask.
    mesh
        Watertight mesh of the morphological mask in the same box.
    """

    roi: Roi
    mesh: shape.Mesh

    @cached_property
    def corners(self) -> Array:
        """Vertices (n, 3) in mm, all corners of the convex hull among them."""
        return self.mesh.corners * np.array(self.roi.spacing_mm) / 2

    @cached_property
    def hull(self) -> tuple[Solid, Array, Array]:
        """Convex hull of the mesh: the solid, its corners and its facets' normals."""
        return enclosing_solids.convex_hull(self.corners)

    @cached_property
    def aligned_box(self) -> Solid:
        """Box along the image's axes."""
        return enclosing_solids.box(np.ptp(self.corners, axis=0))

    @cached_property
    def oriented_box(self) -> Solid:
        """Smallest box on a facet of the hull."""
        return enclosing_solids.smallest_box(*self.hull[1:])

    @cached_property
    def approximate_ellipsoid(self) -> Solid:
        """Ellipsoid with the region's principal axes."""
        return enclosing_solids.ellipsoid(self.axis_lengths / 2)

    @cached_property
    def enclosing_ellipsoid(self) -> Solid:
        """Smallest ellipsoid around the hull."""
        return enclosing_solids.smallest_ellipsoid(self.hull[1])

    @cached_property
    def axis_lengths(self) -> Array:
        """Four standard deviations along the principal axes, shortest first."""
        n = self.mesh.voxels
        return 4 * np.sqrt(self.mesh.variances * n / max(n - 1, 1))

    @cached_property
    def autocorrelation(self) -> SpatialAutocorrelation:
        """Moran's I and Geary's C."""
        return spatial_autocorrelation(self.roi)

    def integrated_intensity(self) -> float:
        """Volume of the mesh times the mean intensity."""
        return float(self.mesh.volume * self.roi.values[self.roi.inside].mean())

    def centre_shift(self) -> float:
        """Distance in mm between the centre of the region and that of its intensities."""
        places = np.argwhere(self.roi.inside)
        values = self.roi.values[self.roi.inside]
        heavy = values @ places / values.sum()
        centre = np.array(self.mesh.sums) / self.mesh.voxels
        return float(np.linalg.norm((heavy - centre) * self.roi.spacing_mm))


OF_THE_MESH = MappingProxyType({item.ibsi_name: item for item in shape.FEATURES})


def _of_the_mesh(tag: str) -> Feature:
    """A feature that pyradiomics has too, of the watertight mesh."""
    feature = OF_THE_MESH[tag]
    return replace(feature, name=None, compute=lambda region: feature.compute(region.mesh))


def _axis(tag: str, code: str, definition: str, *, rank: int) -> Feature:
    return Feature(
        None,
        f"morph_pca_{tag}_axis",
        code,
        "mm",
        definition,
        lambda region: region.axis_lengths[rank],
    )


def _densities(
    tag: str, codes: tuple[str, str], body: str, *, solid: Callable[[Morphology], Solid]
) -> tuple[Feature, Feature]:
    """Volume and area of the mesh as shares of an enclosing solid's; NaN where that is flat."""
    of_volume, of_area = codes
    return (
        Feature(
            None,
            f"morph_vol_dens_{tag}",
            of_volume,
            "1",
            f":math:`V` as a share of the volume of {body}.",
            lambda region: region.mesh.volume / (solid(region).volume or math.nan),
        ),
        Feature(
            None,
            f"morph_area_dens_{tag}",
            of_area,
            "1",
            f":math:`A` as a share of the area of {body}.",
            lambda region: region.mesh.area / (solid(region).area or math.nan),
        ),
    )


FEATURES: tuple[Feature, ...] = (
    _of_the_mesh("morph_volume"),
    _of_the_mesh("morph_vol_approx"),
    _of_the_mesh("morph_area_mesh"),
    _of_the_mesh("morph_av"),
    _of_the_mesh("morph_comp_1"),
    _of_the_mesh("morph_comp_2"),
    _of_the_mesh("morph_sph_dispr"),
    _of_the_mesh("morph_sphericity"),
    Feature(
        None,
        "morph_asphericity",
        "25C7",
        "1",
        r":math:`\sqrt[3]{A^3 / (36 \pi V^2)} - 1`: excess of area over a sphere of equal volume.",
        lambda region: region.mesh.area / region.mesh.sphere_area - 1,
    ),
    Feature(
        None,
        "morph_com",
        "KLMA",
        "mm",
        "Distance from the centre of the region to the centre weighted by intensity.",
        lambda region: region.centre_shift(),
    ),
    _of_the_mesh("morph_diam"),
    _axis("maj", "TDIC", ":math:`2 a`.", rank=2),
    _axis("min", "P9VJ", ":math:`2 b`.", rank=1),
    _axis("least", "7J51", ":math:`2 c`.", rank=0),
    _of_the_mesh("morph_pca_elongation"),
    _of_the_mesh("morph_pca_flatness"),
    *_densities(
        "aabb",
        ("PBX1", "R59B"),
        "the box along the image's axes",
        solid=lambda region: region.aligned_box,
    ),
    *_densities(
        "ombb",
        ("ZH1A", "IQYR"),
        "the smallest box in any direction",
        solid=lambda region: region.oriented_box,
    ),
    *_densities(
        "aee",
        ("6BDE", "RDD2"),
        "the ellipsoid with semi-axes a, b and c",
        solid=lambda region: region.approximate_ellipsoid,
    ),
    *_densities(
        "mvee",
        ("SWZ1", "BRI8"),
        "the smallest ellipsoid around the mesh",
        solid=lambda region: region.enclosing_ellipsoid,
    ),
    *_densities(
        "conv_hull", ("R3ER", "7T7F"), "the convex hull", solid=lambda region: region.hull[0]
    ),
    Feature(
        None,
        "morph_integ_int",
        "99N0",
        "intensity mm^3",
        ":math:`V` times the mean intensity.",
        lambda region: region.integrated_intensity(),
    ),
    Feature(
        None,
        "morph_moran_i",
        "N365",
        "1",
        "Moran's I with inverse distances: above 0 where near voxels are alike.",
        lambda region: region.autocorrelation.moran_i,
    ),
    Feature(
        None,
        "morph_geary_c",
        "NPT7",
        "1",
        "Geary's C with inverse distances: below 1 where near voxels are alike.",
        lambda region: region.autocorrelation.geary_c,
    ),
)


def morphology_features(
    roi: Roi, *, shape_inside: Array, names: Iterable[str] | None = None
) -> dict[str, float]:
    """Morphological features of a region under the IBSI's tags and definitions.

    Parameters
    ----------
    roi
        Intensities and intensity mask, after re-segmentation.
    shape_inside
        Morphological mask: boolean, in the same box.
    names
        Tags to compute; None: all.

    Returns
    -------
    dict
        Tag (``"morph_volume"``) → value, in the IBSI's order; NaN where a denominator is 0.

    Raises
    ------
    GeometryError
        The masks differ in shape, or one of them is empty.

    References
    ----------
    Zwanenburg et al. 2020, doi:10.1148/radiol.2020191145.

    Examples
    --------
    >>> values = np.arange(1.0, 28.0).reshape(3, 3, 3)
    >>> roi = Roi(values, values > 0, (1.0, 1.0, 1.0))
    >>> found = morphology_features(roi, shape_inside=roi.inside)
    >>> round(found["morph_com"], 3), round(found["morph_vol_dens_conv_hull"], 3)
    (0.454, 1.0)
    """
    if shape_inside.shape != roi.inside.shape or not roi.inside.any():
        raise GeometryError(
            f"expected an intensity mask of at least one voxel in the box {shape_inside.shape} of "
            f"the morphological one; found {np.count_nonzero(roi.inside)} voxels in "
            f"{roi.inside.shape}. Crop both alike; widen the re-segmentation range if it is empty."
        )
    mesh = shape.measure(shape_inside, spacing_mm=roi.spacing_mm, watertight=True)
    region = Morphology(roi, mesh)
    wanted = None if names is None else frozenset(names)
    with np.errstate(all="ignore"):
        return {
            str(feature.ibsi_name): float(feature.compute(region))
            for feature in FEATURES
            if wanted is None or feature.ibsi_name in wanted
        }
