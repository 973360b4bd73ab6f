"""Solids that enclose a region: hull, boxes and ellipsoids, each with its volume and area."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull

Array = np.ndarray[Any, np.dtype[Any]]

# Excess of the ellipsoid over the smallest one, and a bound on the steps to it.
PRECISION = 1e-9
MOST_STEPS = 200_000

# Of the series for the area of an ellipsoid.
LAST_TERM = 20


@dataclass(frozen=True)
class Solid:
    """Volume in mm^3 and area in mm^2."""

    volume: float
    area: float


def box(sides: Array) -> Solid:
    """Solid with three right-angled sides.

    Examples
    --------
    >>> box(np.array([1.0, 2.0, 3.0]))
    Solid(volume=6.0, area=22.0)
    """
    a, b, c = map(float, sides)
    return Solid(a * b * c, 2 * (a * b + b * c + c * a))


def ellipsoid(semi_axes: Array) -> Solid:
    r"""Ellipsoid, its area by the series of the IBSI.

    With :math:`a \ge b \ge c`, :math:`\alpha^2 = 1 - b^2/a^2` and :math:`\beta^2 = 1 - c^2/a^2`,

    .. math::
        A = 4 \pi a b \sum_{\nu=0}^{20} \frac{(\alpha \beta)^\nu}{1 - 4 \nu^2}
            P_\nu\left(\frac{\alpha^2 + \beta^2}{2 \alpha \beta}\right),

    P the Legendre polynomials. Unless the ellipsoid is a ball, the series does not converge to its
    area: a prolate one comes out too small, an oblate one too large, by a fifth at axes of 2:1. The
    IBSI's consensus values rest on it all the same.

    Parameters
    ----------
    semi_axes
        Three lengths in any order.

    Examples
    --------
    >>> ball = ellipsoid(np.ones(3))
    >>> ball.area / ball.volume
    3.0
    """
    c, b, a = np.sort(semi_axes)
    volume = 4 / 3 * np.pi * a * b * c
    if not a > 0:
        return Solid(0.0, 0.0)
    alpha, beta = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    mean, product = (alpha + beta) / 2, alpha * beta
    # Bonnet's recursion for (alpha beta)^n P_n, which also holds where alpha is 0.
    before, term, total = 0.0, 1.0, 1.0
    for n in range(LAST_TERM):
        before, term = term, ((2 * n + 1) * mean * term - n * product * before) / (n + 1)
        total += term / (1 - 4 * (n + 1) ** 2)
    return Solid(float(volume), float(4 * np.pi * a * b * total))


def convex_hull(points: Array) -> tuple[Solid, Array, Array]:
    """Convex hull of points (n, 3): the solid, its corners (m, 3), the normals (k, 3) of facets."""
    hull = ConvexHull(points)
    normals = hull.equations[:, :3]
    _, distinct = np.unique(normals.round(12), axis=0, return_index=True)
    return Solid(float(hull.volume), float(hull.area)), points[hull.vertices], normals[distinct]


def smallest_box(corners: Array, normals: Array) -> Solid:
    """Smallest box that encloses a hull and has one side on one of its facets.

    The very smallest box may touch the hull along edges only: around a regular tetrahedron it has
    half the volume of this one.

    Parameters
    ----------
    corners
        Corners (m, 3) of the hull.
    normals
        Normals (k, 3) of its facets.
    """
    boxes = [box(sides) for sides in _boxes_on_facets(corners, normals)]
    return min(boxes, key=lambda found: found.volume)


def _boxes_on_facets(corners: Array, normals: Array) -> Iterator[Array]:
    """For each facet the sides of the smallest box on it."""
    # A facet and the one opposite to it stand on the same box.
    first = np.take_along_axis(normals, np.argmax(normals != 0, axis=1)[:, None], axis=1)
    for normal in np.unique(normals * np.sign(first), axis=0):
        u = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
        u /= np.linalg.norm(u)
        height = np.ptp(corners @ normal)
        shadow = corners @ np.stack((u, np.cross(normal, u)), axis=1)
        outline = shadow[ConvexHull(shadow).vertices]
        yield np.append(_smallest_rectangle(outline), height)


def _smallest_rectangle(outline: Array) -> Array:
    """Sides of the smallest rectangle around a convex polygon (m, 2); one lies on an edge of it."""
    edges = np.roll(outline, -1, axis=0) - outline
    along = edges / np.linalg.norm(edges, axis=1, keepdims=True)
    across = along[:, ::-1] * (-1, 1)
    sides = np.stack([np.ptp(outline @ axes.T, axis=0) for axes in (along, across)], axis=1)
    return sides[np.argmin(sides.prod(axis=1))]


def smallest_ellipsoid(corners: Array) -> Solid:
    """Ellipsoid of least volume that encloses all points.

    Khachiyan's ascent on the weights of the points; in each step the point farthest out takes
    weight from the one deepest inside, as in Boehning's exchange for optimal designs.

    Parameters
    ----------
    corners
        Points (m, 3), not all in one plane.

    References
    ----------
    Khachiyan 1996, doi:10.1287/moor.21.2.307. Boehning, Metrika 1986;33:337.

    Examples
    --------
    >>> cube = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T
    >>> round(smallest_ellipsoid(cube).volume / (4 / 3 * np.pi * 3**1.5), 6)
    1.0
    """
    weights = _ellipsoid_weights(corners)
    offsets = corners - weights @ corners
    covariance = 3 * (weights * offsets.T) @ offsets
    # The weights are almost optimal: stretched until no point is left outside.
    reach = np.einsum("ij,ij->i", offsets, np.linalg.solve(covariance, offsets.T).T).max()
    return ellipsoid(np.sqrt(np.linalg.eigvalsh(covariance) * reach))


def _ellipsoid_weights(corners: Array) -> Array:
    """Weights of the points whose weighted covariance is a multiple of the ellipsoid's matrix."""
    # The distances below do not change with scale, and the equations are better posed near one.
    centred = corners - corners.mean(axis=0)
    lifted = np.column_stack((centred / np.abs(centred).max(), np.ones(len(corners))))
    weights = np.full(len(corners), 1 / len(corners))
    for _ in range(MOST_STEPS):
        images = lifted @ np.linalg.inv((weights * lifted.T) @ lifted)
        distances = np.einsum("ij,ij->i", images, lifted)
        outer = int(np.argmax(distances))
        inner = int(np.argmin(np.where(weights > 0, distances, np.inf)))
        gain = distances[outer] - distances[inner]
        if gain < PRECISION:
            break
        mixed = images[outer] @ lifted[inner]
        best = gain / (2 * (distances[outer] * distances[inner] - mixed**2))
        moved = min(weights[inner], best)
        weights[outer] += moved
        weights[inner] -= moved
    return weights
