"""Local binary patterns in 3D, on a sphere."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from itertools import combinations
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from scipy.ndimage import map_coordinates, spline_filter
from scipy.special import sph_harm_y
from scipy.stats import kurtosis

from radiogenomics.imaging.filters.filter import Array, Box, Filter, Positive, widened

# A cubic spline forgets what is further away: 0.27 to the power of this is below any rounding.
SPLINE_REACH = 64
VOXELS_AT_ONCE = 20_000


class LBP3D(Filter):
    """Local binary patterns in 3D: where on a sphere the image is at least as high as its centre.

    The image is sampled by cubic splines (0 beyond the border) at the vertices of an icosphere
    around each voxel. The pattern of vertices that reach the value of the centre is developed in
    spherical harmonics; the response of level ``l`` is the norm of the part of degree ``l − 1``,
    which does not depend on rotation. A last response is the kurtosis of the samples, NaN where all
    are equal.

    Two peculiarities of pyradiomics are kept, as published features have them: polar angle and
    azimuth are exchanged, and in whole-numbered images the samples are cut off to whole numbers.

    Parameters
    ----------
    levels
        Number of degrees, from 0.
    radius
        Of the sphere, in voxels.
    subdivision
        Times that the faces of the icosahedron are divided in four.

    References
    ----------
    Banerjee, Moelker, Niessen, van Walsum (2013). ACCV 2012 Workshops, LNCS 7728, 26-37.
    doi:10.1007/978-3-642-37410-4_3
    """

    kind: Literal["LBP3D"] = "LBP3D"
    levels: Annotated[int, Field(ge=1)] = 2
    radius: Positive = 1.0
    subdivision: Annotated[int, Field(ge=0)] = 1

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and response inside ``box``, in all three dimensions whatever ``flat_axis``."""
        sphere = icosphere(self.subdivision, radius=self.radius)
        harmonics = _harmonics(sphere, self.levels, radius=self.radius)
        reach = SPLINE_REACH + math.ceil(self.radius)
        outer, _ = widened(box, (reach,) * 3, shape=voxels.shape)
        splines = spline_filter(voxels[outer], order=3, output=np.float64)
        origin = np.array([part.start for part in outer])

        centres = np.stack(
            np.meshgrid(*(range(part.start, part.stop) for part in box), indexing="ij")
        )
        shape = centres.shape[1:]
        positions = centres.reshape(3, -1).T
        values = voxels[box].ravel()
        found = np.empty((self.levels + 1, values.size))
        for start in range(0, values.size, VOXELS_AT_ONCE):
            part = slice(start, start + VOXELS_AT_ONCE)
            # Added before the origin is taken off, so that a crop rounds as the whole image does.
            places = positions[part, None, :] + sphere[None] - origin
            samples = map_coordinates(
                splines, places.transpose(2, 0, 1), order=3, prefilter=False, output=voxels.dtype
            )
            found[:-1, part] = _norms(samples >= values[part, None], harmonics)
            found[-1, part] = _kurtosis(samples)
        for level in range(self.levels):
            yield f"lbp-3D-m{level + 1}", found[level].reshape(shape)
        yield "lbp-3D-k", found[-1].reshape(shape)


def icosphere(subdivision: int, *, radius: float) -> Array:
    """Vertices (points, xyz) of an icosahedron whose faces are divided in four and pushed outwards.

    Examples
    --------
    >>> icosphere(1, radius=2.0).shape
    (42, 3)
    """
    golden = (1 + math.sqrt(5)) / 2
    signs = np.array([(-1, 1), (1, 1), (-1, -1), (1, -1)])
    points = np.zeros((12, 3))
    # The order is that of trimesh, so that sums over the points round as in pyradiomics.
    points[:4, :2] = points[4:8, 1:] = points[8:, [2, 0]] = signs * (1, golden)
    faces = np.array(
        [
            corners
            for corners in combinations(range(len(points)), 3)
            if all(math.dist(*points[list(side)]) < 2.5 for side in combinations(corners, 2))
        ]
    )
    points /= math.sqrt(1 + golden**2)
    for _ in range(subdivision):
        points, faces = _subdivided(points, faces)
        points = _pushed(points, radius)
    return points if subdivision else _pushed(points, radius)


def _subdivided(points: Array, faces: Array) -> tuple[Array, Array]:
    sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=-1)[..., ::-1].reshape(-1, 2)
    edges, edge_of_side = np.unique(sides, axis=0, return_inverse=True)
    a, b, c = faces.T
    ab, bc, ca = len(points) + edge_of_side.reshape(-1, 3).T
    quarters = np.stack([[a, ab, ca], [ab, b, bc], [ca, bc, c], [ab, bc, ca]])
    return (
        np.concatenate([points, points[edges].mean(axis=1)]),
        quarters.transpose(0, 2, 1).reshape(-1, 3),
    )


def _pushed(points: Array, radius: float) -> Array:
    length = np.sqrt(np.square(points).sum(axis=1, keepdims=True))
    return points + points / length * (radius - length)


def _harmonics(sphere: Array, levels: int, *, radius: float) -> list[Array]:
    """Of each degree: complex (points, orders)."""
    polar = np.arccos(np.clip(sphere[:, 2] / radius, -1, 1))
    azimuth = np.arctan2(sphere[:, 1], sphere[:, 0])
    return [
        np.stack(
            [sph_harm_y(degree, order, azimuth, polar) for order in range(-degree, degree + 1)],
            axis=1,
        )
        for degree in range(levels)
    ]


def _norms(pattern: Array, harmonics: list[Array]) -> Array:
    """Norm (levels, voxels) of each degree of the patterns (voxels, points)."""
    norms = np.empty((len(harmonics), len(pattern)))
    for level, basis in enumerate(harmonics):
        developed = (pattern @ basis) @ basis.T
        norms[level] = np.sqrt((developed**2).sum(axis=1)).real
    return norms


def _kurtosis(samples: Array) -> Array:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        return kurtosis(samples, axis=1)
