"""Shapes of SIMULATED organs and lesions as formulas of the position, on a grid of any size.

A random field is a sum of plane waves, so it is the same field at 32, 64 and 128 voxels. On a grid
a wave is a product of three factors, one an axis, and the sum over waves is one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radiogenomics.core.errors import GeometryError
from radiogenomics.simulate.streams import stream

Field = NDArray[np.float32]
Axes = tuple[Field, Field, Field]
Box = tuple[slice, slice, slice]

FIELD_OF_VIEW_MM = (200.0, 220.0, 280.0)
SMALLEST_GRID = 8
LIVER_CENTRE_MM = (0.0, -6.0, -28.0)
LIVER_SEMI_AXES_MM = (68.0, 64.0, 92.0)
# The right lobe, towards negative x, is the thicker one.
TAPER, WIDEST = 0.3, 1.05
AXIS_SPREAD, LOBULATION, LOBE_MM = 0.05, 0.03, 16.0
BOX_MARGIN = 1.1
SPLEEN_CENTRE_MM = (8.0, 42.0, 102.0)
SPLEEN_SEMI_AXES_MM = (42.0, 34.0, 20.0)
WAVES = 40
BUMPS, BUMP_LENGTH = 12, 0.35
EDGE_MM = 3.0
CANDIDATES, BURIED = 300, 0.7
SATELLITE_GAP_MM = 24.0


@dataclass(frozen=True, eq=False)
class Grid:
    """Voxel centres in mm, LPS.

    Parameters
    ----------
    axes
        Coordinates along z, y and x.
    spacing_mm
        Voxel size (z, y, x).
    """

    axes: Axes
    spacing_mm: tuple[float, float, float]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels (z, y, x)."""
        z, y, x = map(len, self.axes)
        return z, y, x

    @property
    def origin_mm(self) -> tuple[float, float, float]:
        """Position (x, y, z) of the first voxel."""
        z, y, x = (float(axis[0]) for axis in self.axes)
        return x, y, z

    def near(self, centre: Field, reach_mm: float) -> Box:
        """The part within ``reach_mm`` of a point (z, y, x) along each axis; a voxel at least."""
        cuts = []
        for axis, middle in zip(self.axes, centre, strict=True):
            first, end = np.searchsorted(axis, (middle - reach_mm, middle + reach_mm)).tolist()
            first = min(first, len(axis) - 1)
            cuts.append(slice(first, max(end, first + 1)))
        z, y, x = cuts
        return z, y, x

    def part(self, box: Box) -> Axes:
        """Coordinates within a box."""
        z, y, x = (axis[cut] for axis, cut in zip(self.axes, box, strict=True))
        return z, y, x

    def share(self, distance: Field) -> Field:
        """Share of each voxel that lies inside a surface, of the distance to it (negative inside).

        The border is as wide as a voxel, as it is in a scan, and never below 3 mm.
        """
        width = np.float32(max(EDGE_MM, float(np.mean(self.spacing_mm))))
        found: Field = np.clip(np.float32(0.5) - distance / width, 0.0, 1.0)
        return found


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Plane waves whose sum has mean 0 and variance 1 in space.

    Parameters
    ----------
    vectors
        (n, 3): wave vectors (z, y, x) in radians per mm.
    shifts
        (n,): phases.
    """

    vectors: Field
    shifts: Field

    def over(self, axes: Axes) -> Field:
        """The field on a grid."""
        fz, fy, fx = (
            np.exp(1j * np.outer(k, axis)).astype(np.complex64)
            for k, axis in zip(self.vectors.T, axes, strict=True)
        )
        fz *= np.exp(1j * self.shifts).astype(np.complex64)[:, None]
        plane = (fz[:, :, None] * fy[:, None, :]).reshape(len(self.shifts), -1)
        # The real part of the product, as one product of real matrices.
        left = np.concatenate([plane.real, -plane.imag])
        right = np.concatenate([fx.real, fx.imag])
        total = (left.T @ right) * np.float32(np.sqrt(2 / len(self.shifts)))
        return total.reshape([len(axis) for axis in axes])

    def at(self, points: Field) -> Field:
        """The field at points (..., 3)."""
        waves = np.cos(points @ self.vectors.T + self.shifts)
        found: Field = waves.sum(axis=-1) * np.float32(np.sqrt(2 / len(self.shifts)))
        return found


@dataclass(frozen=True, eq=False)
class LiverShape:
    """A tapered ellipsoid with waves on its surface.

    Parameters
    ----------
    semi_axes_mm
        (z, y, x).
    waves
        Of its surface.
    """

    semi_axes_mm: Field
    waves: Spectrum

    def depth(self, axes: Axes) -> Field:
        """Approximate depth below the surface in mm on a grid, negative outside."""
        z, y, x = np.ix_(*axes)
        return self._depth(z, y, x, self.waves.over(axes))

    def depth_at(self, points: Field) -> Field:
        """The same at points (n, 3)."""
        z, y, x = points.T
        return self._depth(z, y, x, self.waves.at(points))

    def _depth(self, z: Field, y: Field, x: Field, waves: Field) -> Field:
        cz, cy, cx = map(np.float32, LIVER_CENTRE_MM)
        a, b, c = self.semi_axes_mm
        along = (x - cx) / c
        narrow = np.float32(1) - np.float32(TAPER) * np.clip(along, -1, 1)
        level = ((z - cz) / (a * narrow)) ** 2 + ((y - cy) / (b * narrow)) ** 2 + along**2
        level = np.sqrt(level) * (1 + np.float32(LOBULATION) * waves)
        found: Field = (1 - level) * min(a, b, c)
        return found


def whole_grid(shape: Sequence[int]) -> Grid:
    """A grid of 200 × 220 × 280 mm (z, y, x), centred on the origin, that holds liver and spleen.

    Raises
    ------
    GeometryError
        The shape is not three whole numbers of at least 8.

    Examples
    --------
    >>> whole_grid((32, 32, 32)).spacing_mm
    (6.25, 6.875, 8.75)
    """
    return _grid((0.0, 0.0, 0.0), FIELD_OF_VIEW_MM, shape)


def liver_grid(liver: LiverShape, shape: Sequence[int]) -> Grid:
    """A grid that is the box around a liver.

    Raises
    ------
    GeometryError
        The shape is not three whole numbers of at least 8.
    """
    z, y, x = 2 * BOX_MARGIN * liver.semi_axes_mm.astype(float) * (WIDEST, WIDEST, 1.0)
    return _grid(LIVER_CENTRE_MM, (float(z), float(y), float(x)), shape)


def liver_shape(seed: int, patient: str | int) -> LiverShape:
    """The liver of a patient."""
    rng = stream(seed, "planted liver", patient)
    semi = np.array(LIVER_SEMI_AXES_MM) * (1 + AXIS_SPREAD * rng.standard_normal(3))
    return LiverShape(semi.astype(np.float32), spectrum(LOBE_MM, rng, waves=BUMPS))


def spectrum(length_mm: float, rng: np.random.Generator, *, waves: int = WAVES) -> Spectrum:
    """A Gaussian random field with correlation exp(−d² / 2 length²) at the distance d."""
    vectors = rng.standard_normal((waves, 3)) / length_mm
    shifts = rng.uniform(0, 2 * np.pi, waves)
    return Spectrum(vectors.astype(np.float32), shifts.astype(np.float32))


def spleen_distance(axes: Axes, rng: np.random.Generator) -> Field:
    """Approximate distance to the spleen's surface in mm, negative inside."""
    semi = np.array(SPLEEN_SEMI_AXES_MM) * (1 + AXIS_SPREAD * rng.standard_normal(3))
    z, y, x = (
        ((axis - np.float32(middle)) / np.float32(half)) ** 2
        for axis, middle, half in zip(axes, SPLEEN_CENTRE_MM, semi, strict=True)
    )
    level = np.sqrt(z[:, None, None] + y[None, :, None] + x[None, None, :])
    found: Field = (level - 1) * np.float32(semi.min())
    return found


def lesion_places(
    liver: LiverShape, radius: float, satellites: int, *, rng: np.random.Generator
) -> Field:
    """Centres (1 + satellites, 3): the main lesion's, and satellites apart from it and each other.

    The main lesion may bulge out of the liver by less than a third of its radius; where there is no
    room for it or for a satellite, it lies where there is most.
    """
    spread = rng.uniform(-1, 1, (CANDIDATES, 3)).astype(np.float32)
    points = np.float32(LIVER_CENTRE_MM) + spread * liver.semi_axes_mm
    depth = liver.depth_at(points)
    room, needed = depth, BURIED * radius
    chosen: list[int] = []
    for number in range(1 + satellites):
        fits = np.flatnonzero(room > needed)
        chosen.append(int(fits[0] if len(fits) else room.argmax()))
        own = radius if number == 0 else SATELLITE_GAP_MM - 10
        apart = np.linalg.norm(points - points[chosen[-1]], axis=1) - np.float32(own)
        room, needed = np.minimum(depth if number == 0 else room, apart), SATELLITE_GAP_MM
    return points[chosen]


def bumpy_distance(
    offsets: Axes, radius: float, irregularity: float, *, rng: np.random.Generator
) -> Field:
    """Distance along the ray from the centre to a bumpy sphere's surface, negative inside.

    Its log radius has the SD ``irregularity`` over directions, and its mean volume is that of the
    sphere.
    """
    bumps = spectrum(BUMP_LENGTH, rng, waves=BUMPS)
    offset = np.stack(np.broadcast_arrays(*np.ix_(*offsets)), axis=-1)
    length = np.sqrt(np.einsum("...k,...k", offset, offset))
    direction = offset / np.maximum(length, np.float32(1e-3))[..., None]
    wave = np.clip(bumps.at(direction), -2.5, 2.5)
    surface = radius * np.exp(irregularity * wave - 1.5 * irregularity**2)
    found: Field = (length - surface).astype(np.float32)
    return found


def _grid(
    centre_mm: tuple[float, float, float],
    extent_mm: tuple[float, float, float],
    shape: Sequence[int],
) -> Grid:
    if len(shape) != 3 or any(int(size) != size or size < SMALLEST_GRID for size in shape):
        raise GeometryError(
            f"simulated scan: expected three whole numbers (z, y, x) of at least {SMALLEST_GRID}; "
            f"found {tuple(shape)}. Choose another shape."
        )
    z, y, x = (extent / int(size) for extent, size in zip(extent_mm, shape, strict=True))
    axes = tuple(
        (middle + (np.arange(int(size)) - (size - 1) / 2) * step).astype(np.float32)
        for middle, size, step in zip(centre_mm, shape, (z, y, x), strict=True)
    )
    return Grid((axes[0], axes[1], axes[2]), (z, y, x))
