r"""Shape features: size and form of a region, whatever its intensities.

:math:`V` and :math:`A` are volume and area of the mesh that marching cubes lays halfway between
voxels inside and outside; diameters join its vertices. :math:`\lambda_1 \ge \lambda_2 \ge
\lambda_3` are the variances of the voxel centres along their principal axes, divided by the number
of voxels.

References
----------
Lorensen & Cline 1987, doi:10.1145/37402.37422. Zwanenburg et al. 2020 (IBSI),
doi:10.1148/radiol.2020191145; family HCUG.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from radiogenomics.core.errors import GeometryError
from radiogenomics.imaging.radiomics import _kernels
from radiogenomics.imaging.radiomics.aggregation import chosen
from radiogenomics.imaging.radiomics.feature import Feature

Array = np.ndarray[Any, np.dtype[Any]]

# A region of 10^6 voxels of which one lies out of line still has a share of 1e-11.
ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class Mesh:
    """What shape features are computed from.

    Parameters
    ----------
    area, volume
        Of the mesh, in mm^2 and mm^3.
    slice_diameter, column_diameter, row_diameter
        Largest distance in mm of two vertices of one plane across z, across y and across x.
    diameter
        Largest distance of any two vertices.
    corners
        Vertices (n, 3) in half voxels from the centre of the first voxel, (z, y, x); all corners of
        the convex hull are among them.
    voxels, sums, products
        Number, sum (3,) and sums of products (3, 3) of the voxels' indices: exact integers.
    spacing_mm
        Voxel size (z, y, x).
    """

    area: float
    volume: float
    slice_diameter: float
    column_diameter: float
    row_diameter: float
    diameter: float
    corners: Array
    voxels: int
    sums: Sequence[int]
    products: Sequence[Sequence[int]]
    spacing_mm: tuple[float, float, float]

    @property
    def voxel_volume(self) -> float:
        """Number of voxels times the volume of one."""
        return self.voxels * math.prod(self.spacing_mm)

    @property
    def sphere_area(self) -> np.float64:
        """Area of the sphere of equal volume."""
        return np.cbrt(36 * np.pi * self.volume**2)

    @cached_property
    def variances(self) -> Array:
        """Variances along the principal axes in mm^2, smallest first."""
        return principal_variances(self)

    def axis_length(self, rank: int) -> float:
        """Four standard deviations along the principal axis of that rank, 0 the shortest."""
        return 4 * math.sqrt(self.variances[rank])

    def axis_ratio(self, rank: int) -> float:
        """Length of a principal axis as a share of the longest; NaN for a single voxel."""
        longest = self.variances[-1]
        return math.sqrt(self.variances[rank] / longest) if longest else math.nan


def principal_variances(region: Any) -> Array:
    """Eigenvalues of the covariance of voxel centres, smallest first, none below zero.

    Parameters
    ----------
    region
        Has ``voxels``, ``sums``, ``products`` and ``spacing_mm``. The covariance in voxels is a
        ratio of whole numbers, hence exact before it is scaled.
    """
    n, sums = region.voxels, region.sums
    exact = [
        [(n * product - sums[i] * sums[j]) / n**2 for j, product in enumerate(row)]
        for i, row in enumerate(region.products)
    ]
    values = np.linalg.eigvalsh(np.array(exact) * np.outer(region.spacing_mm, region.spacing_mm))
    return np.where(values < ROUNDING * values[-1], 0.0, values)


FEATURES: tuple[Feature, ...] = (
    Feature(
        "Compactness1",
        "morph_comp_1",
        "SKGS",
        "1",
        r":math:`V / \sqrt{\pi A^3}`; at most :math:`1 / (6 \pi)`, that of a sphere.",
        lambda mesh: mesh.volume / math.sqrt(np.pi * mesh.area**3),
        extra=True,
    ),
    Feature(
        "Compactness2",
        "morph_comp_2",
        "BQWJ",
        "1",
        r":math:`36 \pi V^2 / A^3`: the cube of sphericity.",
        lambda mesh: 36 * np.pi * mesh.volume**2 / mesh.area**3,
        extra=True,
    ),
    Feature(
        "Elongation",
        "morph_pca_elongation",
        "Q3CK",
        "1",
        r":math:`\sqrt{\lambda_2 / \lambda_1}`: 1 where both longest axes are equal, 0 for a line.",
        lambda mesh: mesh.axis_ratio(1),
    ),
    Feature(
        "Flatness",
        "morph_pca_flatness",
        "N17B",
        "1",
        r":math:`\sqrt{\lambda_3 / \lambda_1}`: 1 for a ball, 0 for a flat region.",
        lambda mesh: mesh.axis_ratio(0),
    ),
    Feature(
        "LeastAxisLength",
        None,
        None,
        "mm",
        r":math:`4 \sqrt{\lambda_3}`; the IBSI divides by the number of voxels less one.",
        lambda mesh: mesh.axis_length(0),
    ),
    Feature(
        "MajorAxisLength",
        None,
        None,
        "mm",
        r":math:`4 \sqrt{\lambda_1}`; the IBSI divides by the number of voxels less one.",
        lambda mesh: mesh.axis_length(2),
    ),
    Feature(
        "Maximum2DDiameterColumn",
        None,
        None,
        "mm",
        "Largest distance of two vertices in one plane across y (coronal in axial slices).",
        lambda mesh: mesh.column_diameter,
    ),
    Feature(
        "Maximum2DDiameterRow",
        None,
        None,
        "mm",
        "Largest distance of two vertices in one plane across x (sagittal in axial slices).",
        lambda mesh: mesh.row_diameter,
    ),
    Feature(
        "Maximum2DDiameterSlice",
        None,
        None,
        "mm",
        "Largest distance of two vertices in one plane across z (axial).",
        lambda mesh: mesh.slice_diameter,
    ),
    Feature(
        "Maximum3DDiameter",
        "morph_diam",
        "L0JK",
        "mm",
        "Largest distance of two vertices.",
        lambda mesh: mesh.diameter,
    ),
    Feature(
        "MeshVolume",
        "morph_volume",
        "RNU0",
        "mm^3",
        ":math:`V`: sum of the signed tetrahedra between the mesh's triangles and a fixed point.",
        lambda mesh: mesh.volume,
    ),
    Feature(
        "MinorAxisLength",
        None,
        None,
        "mm",
        r":math:`4 \sqrt{\lambda_2}`; the IBSI divides by the number of voxels less one.",
        lambda mesh: mesh.axis_length(1),
    ),
    Feature(
        "SphericalDisproportion",
        "morph_sph_dispr",
        "KRCK",
        "1",
        r":math:`A / \sqrt[3]{36 \pi V^2}`: the inverse of sphericity.",
        lambda mesh: mesh.area / mesh.sphere_area,
        extra=True,
    ),
    Feature(
        "Sphericity",
        "morph_sphericity",
        "QCFX",
        "1",
        r":math:`\sqrt[3]{36 \pi V^2} / A`: area of a sphere of equal volume, as a share.",
        lambda mesh: mesh.sphere_area / mesh.area,
    ),
    Feature(
        "SurfaceArea",
        "morph_area_mesh",
        "C0JK",
        "mm^2",
        ":math:`A`: sum of the mesh's triangles.",
        lambda mesh: mesh.area,
    ),
    Feature(
        "SurfaceVolumeRatio",
        "morph_av",
        "2PR5",
        "mm^-1",
        ":math:`A / V`: falls as a region grows.",
        lambda mesh: np.divide(mesh.area, mesh.volume),
    ),
    Feature(
        "VoxelVolume",
        "morph_vol_approx",
        "YEKZ",
        "mm^3",
        "Number of voxels times the volume of one.",
        lambda mesh: mesh.voxel_volume,
    ),
)


def measure(inside: Array, *, spacing_mm: Sequence[float], watertight: bool = False) -> Mesh:
    """Mesh of a region and what can be read from it.

    Parameters
    ----------
    inside
        Boolean (z, y, x); outside of the array counts as outside of the region.
    spacing_mm
        Voxel size (z, y, x).
    watertight
        Voxels that touch along an edge or at a corner only each keep a surface of their own.
        pyradiomics decides such a place anew in each of the cubes around it and may leave a hole.

    Raises
    ------
    GeometryError
        No voxel is inside.

    Examples
    --------
    >>> cube = measure(np.ones((10, 10, 10), dtype=bool), spacing_mm=(1, 1, 1), watertight=True)
    >>> cube.corners.min().item(), cube.corners.max().item()
    (-1, 19)
    """
    if not inside.any():
        raise GeometryError(
            f"expected a region of at least one voxel; found none in a box of {inside.shape}. "
            "Check the mask and its label."
        )
    z, y, x = map(float, spacing_mm)
    return Mesh(**_kernels.mesh(inside, [z, y, x], not watertight), spacing_mm=(z, y, x))


def shape_features(
    inside: Array, *, spacing_mm: Sequence[float], names: Iterable[str] | None = None
) -> dict[str, float]:
    """Shape features of a region under pyradiomics' names and definitions.

    Where voxels touch along an edge or at a corner only, the mesh of pyradiomics may have holes.
    Its volume then hangs on where it is seen from, one voxel before the region's box, and may even
    be negative; the IBSI's ``morph_volume`` is that of a watertight mesh.

    Parameters
    ----------
    inside
        Boolean (z, y, x), at least one voxel; outside of the array counts as outside of the region.
    spacing_mm
        Voxel size (z, y, x).
    names
        Features to compute; None: all but Compactness1, Compactness2 and SphericalDisproportion,
        which say the same as Sphericity.

    Returns
    -------
    dict
        Name (``"Sphericity"``) → value, in pyradiomics' order. Elongation and Flatness of a single
        voxel are NaN.

    Raises
    ------
    GeometryError
        No voxel is inside.

    Examples
    --------
    >>> box = np.ones((4, 10, 20), dtype=bool)
    >>> shape_features(box, spacing_mm=(2, 1, 1), names=("MajorAxisLength", "VoxelVolume"))
    {'MajorAxisLength': 23.065, 'VoxelVolume': 1600.0}
    """
    mesh = measure(inside, spacing_mm=spacing_mm)
    with np.errstate(all="ignore"):
        return {
            str(feature.name): float(feature.compute(mesh)) for feature in chosen(FEATURES, names)
        }
