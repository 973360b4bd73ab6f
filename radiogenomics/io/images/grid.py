"""Where voxels lie: a regular lattice in the patient's space."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from radiogenomics.core.errors import GeometryError
from radiogenomics.core.scan import Volume

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Grid:
    """A lattice of voxels; the centre of voxel (z, y, x) is origin + direction · (index · spacing).

    Parameters
    ----------
    shape
        Voxels (z, y, x).
    spacing_mm
        Voxel size (z, y, x).
    origin_mm
        Physical position (x, y, z) of the first voxel, LPS.
    direction
        Nine direction cosines, row by row; column j is the direction of image axis j of (x, y, z).

    Examples
    --------
    >>> grid = Grid((4, 8, 8), (3.0, 1.0, 1.0), (-4.0, -4.0, 10.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
    >>> grid.points(np.array([[1, 0, 2]])).tolist()
    [[-2.0, -4.0, 13.0]]
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    direction: tuple[float, ...]

    @classmethod
    def of(cls, volume: Volume) -> Grid:
        """Lattice of a volume's voxels."""
        z, y, x = volume.voxels.shape
        return cls((z, y, x), volume.spacing_mm, volume.origin_mm, tuple(volume.direction))

    @property
    def axes(self) -> Array:
        """3 × 3: column j is the step in mm (x, y, z) along index j of (z, y, x)."""
        cosines = np.array(self.direction, dtype=float).reshape(3, 3)
        axes: Array = cosines[:, ::-1] * np.array(self.spacing_mm, dtype=float)
        return axes

    def points(self, indices: Array) -> Array:
        """Physical positions (x, y, z) of indices (z, y, x); both n × 3."""
        points: Array = np.asarray(indices, dtype=float) @ self.axes.T + np.array(self.origin_mm)
        return points

    def indices(self, points: Array) -> Array:
        """Indices (z, y, x), not rounded, of physical positions (x, y, z); both n × 3."""
        shifted = np.asarray(points, dtype=float) - np.array(self.origin_mm)
        indices: Array = np.linalg.solve(self.axes, shifted.T).T
        return indices

    def corners(self) -> Array:
        """Indices (z, y, x) of the eight corner voxels."""
        return np.array(list(product(*((0, size - 1) for size in self.shape))), dtype=float)

    def holds(self, indices: Array) -> Array:
        """Which indices (z, y, x) fall into a voxel of this grid."""
        nearest = np.floor(np.asarray(indices, dtype=float) + 0.5)
        inside: Array = np.all((nearest >= 0) & (nearest < np.array(self.shape)), axis=1)
        return inside


def orthonormal(plane_axes: tuple[float, ...], *, name: str) -> Array:
    """Directions of columns, rows and slices from six cosines rounded in a header.

    The direction down the columns is kept, the normal stands on both, and the direction along the
    rows is turned to stand on them, by as little as the rounding left open.

    Parameters
    ----------
    plane_axes
        Direction along a row, then down a column, (x, y, z) each.
    name
        For messages.

    Returns
    -------
    ndarray
        3 × 3; columns are the directions of the image axes x, y, z.

    Raises
    ------
    GeometryError
        They are no two perpendicular unit vectors.
    """
    across, down = np.array(plane_axes[:3]), np.array(plane_axes[3:])
    lengths = np.array([across @ across, down @ down])
    if np.abs(lengths - 1).max() > 1e-2 or abs(across @ down) > 1e-2:
        raise GeometryError(
            f"{name}: expected two perpendicular unit vectors as orientation; found others. "
            "Correct ImageOrientationPatient, or export the series again."
        )
    down = down / np.linalg.norm(down)
    normal = np.cross(across, down)
    normal = normal / np.linalg.norm(normal)
    return np.column_stack([np.cross(down, normal), down, normal])
