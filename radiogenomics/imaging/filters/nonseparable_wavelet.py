"""Non-separable wavelets (IBSI LODD)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from radiogenomics.imaging.filters.boundary import Boundary
from radiogenomics.imaging.filters.filter import Array, Box, Filter
from radiogenomics.imaging.filters.fourier import (
    filtered_axes,
    length,
    response,
    spectrum,
    surroundings,
)
from radiogenomics.imaging.filters.naming import image_type


class NonseparableWavelet(Filter):
    """Non-separable wavelets (IBSI LODD), which treat all directions alike.

    Band pass of frequencies ν between ``ν_j/4`` and ``ν_j`` (Simoncelli, weight
    ``cos(π/2 log₂(2‖ν‖/ν_j))``) or ``ν_j/2`` and ``ν_j`` (Shannon, weight 1), where
    ``ν_j = 2^(1-j)`` of the highest frequency at level j. Units are those of the image; the mean of
    the image is lost.

    Parameters
    ----------
    family
        Wavelet.
    levels
        Levels j of the decomposition; 1 holds the finest structures. One image type each.
    boundary
        How the image continues beyond its border. The filter has no end: with any but ``periodic``
        it sees half an image on each side, and needs eight times the memory in 3D.

    References
    ----------
    Portilla & Simoncelli, IJCV 2000, doi:10.1023/A:1026553619983; IBSI, reference manual of
    convolutional filters, arXiv:2006.05470.

    Examples
    --------
    >>> wave = np.cos(2 * np.pi * 3 * np.arange(9) / 9) + np.zeros((1, 9, 1))
    >>> everything = (slice(0, 1), slice(0, 9), slice(0, 9))
    >>> fine = NonseparableWavelet(family="shannon")
    >>> ((name, values),) = fine.responses(
    ...     5 + wave, spacing_mm=(1, 1, 1), box=everything, flat_axis=0
    ... )
    >>> name, bool(np.allclose(values, wave))
    ('shannon-level-1', True)
    """

    kind: Literal["NonseparableWavelet"] = "NonseparableWavelet"
    family: Literal["simoncelli", "shannon"] = "simoncelli"
    levels: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (1,)
    boundary: Boundary = "periodic"

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and response inside ``box``."""
        axes = filtered_axes(flat_axis)
        values, window = surroundings(voxels, box, boundary=self.boundary, flat_axis=flat_axis)
        frequencies = spectrum(values, axes=axes)
        weight = simoncelli if self.family == "simoncelli" else shannon
        for name, level in zip(self.names(), self.levels, strict=True):
            band = partial(weight, highest=2.0 ** (1 - level))
            filtered = response(frequencies, band, shape=values.shape, axes=axes)
            yield name, filtered[window]

    def names(self) -> tuple[str, ...]:
        """Names of the responses, in their order."""
        edge = None if self.boundary == "periodic" else self.boundary
        return tuple(image_type(self.family, "level", level, edge) for level in self.levels)


def simoncelli(coordinates: tuple[Array, ...], *, highest: float) -> Array:
    """Weight of the Simoncelli wavelet at frequencies given in parts of the highest of the image.

    Examples
    --------
    >>> simoncelli((np.array([0.25, 0.5, 0.75, 1.0]),), highest=1.0).round(3)
    array([0.   , 1.   , 0.607, 0.   ])
    """
    ratio = length(coordinates) / highest
    inside = (ratio >= 0.25) & (ratio <= 1)
    return np.cos(np.pi / 2 * np.log2(2 * ratio, where=inside, out=np.ones_like(ratio))) * inside


def shannon(coordinates: tuple[Array, ...], *, highest: float) -> Array:
    """Weight of the Shannon wavelet at frequencies given in parts of the highest of the image.

    Examples
    --------
    >>> shannon((np.array([0.25, 0.5, 1.0]),), highest=1.0)
    array([0., 1., 1.])
    """
    ratio = length(coordinates) / highest
    return ((ratio >= 0.5) & (ratio <= 1)).astype(np.float64)
