"""Directions in which textures look: steps to the neighbours, and their weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Norm = Literal["manhattan", "euclidean", "infinity", "no_weighting"]


def offsets(distances: Sequence[int], *, flat_axis: int | None = None) -> Array:
    """Steps from a voxel to half of its neighbours; the other half are their opposites.

    A neighbour at distance δ lies δ voxels away in the longest direction (Chebyshev). Of each pair
    of opposite steps the one stays whose first non-zero part is positive.

    Parameters
    ----------
    distances
        Distances in voxels, each at least 1.
    flat_axis
        Axis along which no step goes.

    Returns
    -------
    int64 (A, 3) steps (z, y, x) in falling order: 13 for distance 1, 49 for distance 2.

    Examples
    --------
    >>> offsets((1,), flat_axis=0).tolist()
    [[0, 1, 1], [0, 1, 0], [0, 1, -1], [0, 0, 1]]
    """
    reach = max(distances)
    steps = range(reach, -reach - 1, -1)
    origin = (0, 0, 0)
    chosen = [
        step
        for step in product(*((0,) if axis == flat_axis else steps for axis in range(3)))
        if step > origin and max(map(abs, step)) in distances
    ]
    return np.array(chosen, dtype=np.int64).reshape(-1, 3)


def offset_lengths(offsets: Array, spacing_mm: Sequence[float], norm: Norm) -> Array:
    """Length of each step in mm by a norm; 1 with ``no_weighting``. Weights of the GLRLM.

    Parameters
    ----------
    offsets
        Steps (A, 3) in voxels.
    spacing_mm
        Voxel size (z, y, x).
    norm
        ``manhattan``, ``euclidean``, ``infinity`` or ``no_weighting``.

    Examples
    --------
    >>> offset_lengths(offsets((1,), flat_axis=0), (5, 3, 4), "euclidean").tolist()
    [5.0, 3.0, 5.0, 4.0]
    """
    parts = np.abs(offsets) * np.asarray(spacing_mm, dtype=float)
    if norm == "no_weighting":
        return np.ones(len(parts))
    order = {"manhattan": 1, "euclidean": 2, "infinity": np.inf}[norm]
    return np.linalg.norm(parts, ord=order, axis=1)


def offset_weights(offsets: Array, spacing_mm: Sequence[float], norm: Norm) -> Array:
    r"""Weight :math:`e^{-d^2}` of steps of d mm; 1 with ``no_weighting``. Weights of the GLCM.

    Parameters as in `offset_lengths`. Weights fall so fast that steps of more than 27 mm count as
    nothing.

    Examples
    --------
    >>> offset_weights(offsets((1,), flat_axis=0), (1, 1, 1), "manhattan").round(4).tolist()
    [0.0183, 0.3679, 0.0183, 0.3679]
    """
    lengths = offset_lengths(offsets, spacing_mm, norm)
    return lengths if norm == "no_weighting" else np.exp(-(lengths**2))
