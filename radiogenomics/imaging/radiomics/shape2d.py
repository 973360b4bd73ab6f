r"""Shape features of a single slice: size and form of an outline.

:math:`A` and :math:`P` are area and length of the outline that marching squares lays halfway
between pixels inside and outside; the diameter joins its vertices. :math:`\lambda_1 \ge \lambda_2`
are the variances of the pixel centres along their principal axes, divided by the number of pixels.
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
from radiogenomics.imaging.radiomics.shape import principal_variances

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, eq=False)
class Outline:
    """What shape features of a slice are computed from.

    Parameters
    ----------
    perimeter, surface, diameter
        Length, area and largest distance of two vertices of the outline.
    voxels, sums, products
        Number, sum (3,) and sums of products (3, 3) of the pixels' indices (0, y, x).
    spacing_mm
        Pixel size (1, y, x).
    """

    perimeter: float
    surface: float
    diameter: float
    voxels: int
    sums: Sequence[int]
    products: Sequence[Sequence[int]]
    spacing_mm: tuple[float, float, float]

    @property
    def pixel_surface(self) -> float:
        """Number of pixels times the area of one."""
        return self.voxels * math.prod(self.spacing_mm)

    @cached_property
    def variances(self) -> Array:
        """Variances along the two principal axes in mm^2, smallest first."""
        return principal_variances(self)[1:]


def _sphericity(outline: Outline) -> float:
    return 2 * math.sqrt(np.pi * outline.surface) / outline.perimeter


def _elongation(outline: Outline) -> float:
    minor, major = outline.variances
    return math.sqrt(minor / major) if major else math.nan


FEATURES: tuple[Feature, ...] = (
    Feature(
        "Elongation",
        None,
        None,
        "1",
        r":math:`\sqrt{\lambda_2 / \lambda_1}`: 1 where both axes are equal, 0 for a line.",
        _elongation,
    ),
    Feature(
        "MajorAxisLength",
        None,
        None,
        "mm",
        r":math:`4 \sqrt{\lambda_1}`.",
        lambda outline: 4 * math.sqrt(outline.variances[1]),
    ),
    Feature(
        "MaximumDiameter",
        None,
        None,
        "mm",
        "Largest distance of two vertices.",
        lambda outline: outline.diameter,
    ),
    Feature(
        "MeshSurface",
        None,
        None,
        "mm^2",
        ":math:`A`: area within the outline.",
        lambda outline: outline.surface,
    ),
    Feature(
        "MinorAxisLength",
        None,
        None,
        "mm",
        r":math:`4 \sqrt{\lambda_2}`.",
        lambda outline: 4 * math.sqrt(outline.variances[0]),
    ),
    Feature(
        "Perimeter",
        None,
        None,
        "mm",
        ":math:`P`: length of the outline, holes included.",
        lambda outline: outline.perimeter,
    ),
    Feature(
        "PerimeterSurfaceRatio",
        None,
        None,
        "mm^-1",
        ":math:`P / A`: falls as a region grows.",
        lambda outline: outline.perimeter / outline.surface,
    ),
    Feature(
        "PixelSurface",
        None,
        None,
        "mm^2",
        "Number of pixels times the area of one.",
        lambda outline: outline.pixel_surface,
    ),
    Feature(
        "SphericalDisproportion",
        None,
        None,
        "1",
        r":math:`P / (2 \sqrt{\pi A})`: the inverse of sphericity.",
        lambda outline: 1 / _sphericity(outline),
        extra=True,
    ),
    Feature(
        "Sphericity",
        None,
        None,
        "1",
        r":math:`2 \sqrt{\pi A} / P`: perimeter of a disc of equal area, as a share.",
        _sphericity,
    ),
)


def shape2d_features(
    inside: Array,
    *,
    spacing_mm: Sequence[float],
    flat_axis: int,
    names: Iterable[str] | None = None,
) -> dict[str, float]:
    """Shape features of a region within one slice under pyradiomics' names and definitions.

    Parameters
    ----------
    inside
        Boolean (z, y, x); all voxels lie in one plane across ``flat_axis``.
    spacing_mm
        Voxel size (z, y, x).
    flat_axis
        Axis across the slice: 0 for axial slices.
    names
        Features to compute; None: all but SphericalDisproportion, the inverse of Sphericity.

    Returns
    -------
    dict
        Name (``"Perimeter"``) → value, in pyradiomics' order. Elongation of a single pixel is NaN.

    Raises
    ------
    GeometryError
        The region is empty or reaches more than one slice.

    Examples
    --------
    >>> box = np.ones((1, 10, 20), dtype=bool)
    >>> features = shape2d_features(box, spacing_mm=(5, 1, 1), flat_axis=0)
    >>> features["PixelSurface"], features["MeshSurface"]
    (200.0, 199.5)
    """
    slices = np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {flat_axis})))
    if len(slices) != 1:
        raise GeometryError(
            f"expected a region within one slice across axis {flat_axis}; found voxels in "
            f"{len(slices)} slices. Choose a slice, or measure shape in place of shape2D."
        )
    plane = np.ascontiguousarray(inside.take(slices[0], axis=flat_axis))
    first, second = (float(size) for axis, size in enumerate(spacing_mm) if axis != flat_axis)
    outline = Outline(**_kernels.outline(plane, [first, second]), spacing_mm=(1.0, first, second))
    return {str(item.name): float(item.compute(outline)) for item in chosen(FEATURES, names)}
