"""Polygons to pixels: whose centre lies inside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def fill_polygons(polygons: Iterable[Array], shape: tuple[int, int]) -> Array:
    """Pixels whose centre lies inside an odd number of closed polygons (even-odd rule).

    A line is drawn through the centres of each row; every edge that it meets turns the pixels to
    the right of the meeting point from out to in, or back. A polygon inside another is therefore a
    hole, and the two coinciding edges of a keyhole cancel. A centre exactly on an edge belongs to
    the pixels on its right or below, so polygons that share an edge never share a pixel.

    Parameters
    ----------
    polygons
        Corners (row, column), n × 2; pixel centres have whole numbers. The last corner is joined to
        the first. What lies outside the pixels is cut off.
    shape
        Rows and columns.

    Returns
    -------
    ndarray
        bool (rows, columns).

    Examples
    --------
    >>> square = np.array([[0.5, 0.5], [0.5, 2.5], [2.5, 2.5], [2.5, 0.5]])
    >>> fill_polygons([square], (4, 4)).astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    rows, columns = shape
    turns = np.zeros((rows, columns + 1), dtype=np.int64)
    for polygon in polygons:
        crossed, where = _crossings(np.asarray(polygon, dtype=float), rows)
        first = np.clip(np.ceil(where), 0, columns).astype(np.int64)
        np.add.at(turns, (crossed, first), 1)
    inside: Array = np.cumsum(turns, axis=1)[:, :columns] % 2 == 1
    return inside


def _crossings(corners: Array, rows: int) -> tuple[Array, Array]:
    """Row and column of each point where an edge meets the centre line of a row."""
    other = np.roll(corners, -1, axis=0)
    # Every edge runs downwards: drawn twice, there and back, it gives the very same points.
    down = (corners[:, 0] <= other[:, 0])[:, None]
    top, bottom = np.where(down, corners, other), np.where(down, other, corners)
    # An edge holds its upper end and not its lower, so a corner counts once.
    low = np.clip(np.ceil(top[:, 0]), 0, rows).astype(np.int64)
    count = np.clip(np.ceil(bottom[:, 0]), 0, rows).astype(np.int64) - low
    edge = np.repeat(np.arange(len(corners)), count)
    crossed = low[edge] + np.arange(len(edge)) - (np.cumsum(count) - count)[edge]
    slope = (bottom[edge, 1] - top[edge, 1]) / (bottom[edge, 0] - top[edge, 0])
    return crossed, top[edge, 1] + (crossed - top[edge, 0]) * slope
