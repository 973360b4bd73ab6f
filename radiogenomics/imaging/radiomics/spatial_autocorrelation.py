r"""Moran's I and Geary's C: whether near voxels are alike, over all pairs of voxels.

With :math:`d_i = X_i - \mu` and :math:`w_{ij}` the inverse distance of voxels i and j,

.. math::
    I = \frac{N}{\sum w_{ij}} \frac{\sum w_{ij} d_i d_j}{\sum d_i^2}, \qquad
    C = \frac{N - 1}{2 \sum w_{ij}} \frac{\sum w_{ij} (d_i - d_j)^2}{\sum d_i^2},

sums over all :math:`i \ne j`. On a grid :math:`w` depends on the offset alone, so each sum is one
of weights times an autocorrelation of the region, and by Parseval's theorem one of their Fourier
transforms: :math:`O(n \log n)` and exact but for rounding, where the definition asks for
:math:`O(n^2)`.

References
----------
Moran 1950, doi:10.1093/biomet/37.1-2.17. Geary 1954, doi:10.2307/2986645. Zwanenburg et al. 2020
(IBSI), doi:10.1148/radiol.2020191145.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import fft

from radiogenomics.imaging.radiomics.roi import Roi

Array = np.ndarray[Any, np.dtype[Any]]

# Cells of the padded spectrum held at once.
CELLS_AT_ONCE = 2**20


@dataclass(frozen=True)
class SpatialAutocorrelation:
    """Moran's I and Geary's C of a region.

    Parameters
    ----------
    moran_i
        Above :math:`-1 / (N - 1)` where near voxels are alike; NaN where all are.
    geary_c
        Below 1 where near voxels are alike; NaN where all are.
    """

    moran_i: float
    geary_c: float


def spatial_autocorrelation(roi: Roi) -> SpatialAutocorrelation:
    """Moran's I and Geary's C of the intensities inside a region.

    Parameters
    ----------
    roi
        Intensities and intensity mask; what lies outside the mask does not count.

    Examples
    --------
    >>> values = np.array([[[1.0, 1.0, 5.0, 5.0]]])
    >>> found = spatial_autocorrelation(Roi(values, values > 0, (1.0, 1.0, 1.0)))
    >>> round(found.moran_i, 4), round(found.geary_c, 4)
    (-0.0769, 0.8077)
    """
    box = tuple(slice(places.min(), places.max() + 1) for places in np.nonzero(roi.inside))
    inside = roi.inside[box]
    voxels = np.count_nonzero(inside)
    values = roi.values[box]
    deviations = np.where(inside, values - values[inside].mean(), 0.0)
    squares = deviations**2
    weights, products, mixed = _pair_sums(
        inside.astype(np.float64), deviations, squares, spacing_mm=roi.spacing_mm
    )
    scale = weights * squares.sum()
    if not scale > 0:
        return SpatialAutocorrelation(math.nan, math.nan)
    # (d_i - d_j)^2 = d_i^2 + d_j^2 - 2 d_i d_j, and half of the sum is asked for.
    return SpatialAutocorrelation(
        float(voxels * products / scale), float((voxels - 1) * (mixed - products) / scale)
    )


def _pair_sums(
    inside: Array, deviations: Array, squares: Array, *, spacing_mm: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Sums over pairs of voxels of w, of w d_i d_j and of w d_i^2."""
    # Twice as long as the box: offsets do not wrap around.
    half = tuple(fft.next_fast_len(length) for length in inside.shape)
    sums = np.zeros(3)
    spectra = (_spectrum(field, half) for field in (inside, deviations, squares))
    weights = _weight_spectrum(half, spacing_mm)
    for weight, mask, deviation, square in zip(weights, *spectra, strict=True):
        sums += (
            np.vdot(mask, weight * mask).real,
            np.vdot(deviation, weight * deviation).real,
            np.vdot(mask, weight * square).real,
        )
    weight_sum, products, mixed = sums / (8 * math.prod(half))
    return float(weight_sum), float(products), float(mixed)


def _blocks(half: tuple[int, ...]) -> Iterator[slice]:
    """Frequencies along x, as many at once as fit."""
    step = max(1, CELLS_AT_ONCE // (4 * half[0] * half[1]))
    for start in range(0, half[2] + 1, step):
        yield slice(start, min(start + step, half[2] + 1))


def _spectrum(field: Array, half: tuple[int, ...]) -> Iterator[Array]:
    """Fourier transform of a field in twice its box, by blocks of frequencies along x."""
    along_x = fft.rfft(field, 2 * half[2], axis=2)
    for block in _blocks(half):
        yield fft.fft2(along_x[:, :, block], (2 * half[0], 2 * half[1]), axes=(0, 1))


def _weight_spectrum(
    half: tuple[int, ...], spacing_mm: tuple[float, float, float]
) -> Iterator[Array]:
    """Fourier transform of the inverse distance; frequencies along x that stand for two, twice."""
    z, y, x = (
        (np.arange(length + 1.0) * size) ** 2 for length, size in zip(half, spacing_mm, strict=True)
    )
    weights = z[:, None, None] + y[:, None] + x
    weights[0, 0, 0] = np.inf
    np.sqrt(weights, out=weights)
    np.reciprocal(weights, out=weights)
    # Even along each axis, so a cosine transform of one octant is that of the whole.
    octant = fft.dctn(weights, type=1, overwrite_x=True)
    octant[:, :, 1:-1] *= 2
    folds = (np.r_[: length + 1, length - 1 : 0 : -1] for length in half[:2])
    rows = np.ix_(*folds)
    for block in _blocks(half):
        yield octant[:, :, block][rows]
