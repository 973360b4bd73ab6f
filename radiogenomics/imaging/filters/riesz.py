"""Riesz transforms (IBSI AYRS)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from radiogenomics.core.errors import DataError
from radiogenomics.imaging.filters.filter import Array, Box, Filter
from radiogenomics.imaging.filters.fourier import (
    filtered_axes,
    length,
    response,
    spectrum,
    surroundings,
)
from radiogenomics.imaging.filters.naming import image_type
from radiogenomics.imaging.filters.nonseparable_wavelet import NonseparableWavelet
from radiogenomics.imaging.filters.sampled_log import SampledLoG

Degree = Annotated[int, Field(ge=0)]


class Riesz(Filter):
    """Riesz transform (IBSI AYRS) of the response to another filter.

    Derivatives that keep the strength of each frequency:
    ``(-i)^L √(L! / l₁!l₂!l₃!) ν₁^l₁ ν₂^l₂ ν₃^l₃ / ‖ν‖^L`` with ``L = l₁ + l₂ + l₃``. Order 1 is
    gradient-like, order 2 Hessian-like. Units are those of the other filter.

    The transform is not steered: no reference map of the IBSI is.

    Parameters
    ----------
    orders
        Orders of derivation along (z, y, x), not all 0; the IBSI's order (1, 0, 0) is (0, 0, 1).
        One image type each.
    base
        The other filter; its boundary is that of the whole. With any but ``periodic`` half an
        image is seen on each side, which needs eight times the memory in 3D.

    References
    ----------
    Unser & Van De Ville, IEEE TIP 2010, doi:10.1109/TIP.2009.2038832; IBSI, reference manual of
    convolutional filters, arXiv:2006.05470.

    Examples
    --------
    >>> wave = np.cos(2 * np.pi * np.arange(9) / 9) + np.zeros((1, 9, 1))
    >>> everything = (slice(0, 1), slice(0, 9), slice(0, 9))
    >>> riesz = Riesz(orders=((0, 0, 1),), base=NonseparableWavelet(levels=(2,)))
    >>> ((name, values),) = riesz.responses(
    ...     wave, spacing_mm=(1, 1, 1), box=everything, flat_axis=0
    ... )
    >>> sine = np.sin(2 * np.pi * np.arange(9) / 9)
    >>> name, bool(np.allclose(values[0, 0], sine))
    ('riesz-0-0-1-simoncelli-level-2', True)
    """

    kind: Literal["Riesz"] = "Riesz"
    orders: Annotated[tuple[tuple[Degree, Degree, Degree], ...], Field(min_length=1)]
    base: Annotated[SampledLoG | NonseparableWavelet, Field(discriminator="kind")]

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
        for order in self.orders:
            _expect_derivation(order, axes)
        values, window = surroundings(voxels, box, boundary=self.base.boundary, flat_axis=flat_axis)
        z, y, x = (slice(0, size) for size in values.shape)
        base = self.base.model_copy(update={"boundary": "periodic"})
        responses = base.responses(
            values, spacing_mm=spacing_mm, box=(z, y, x), flat_axis=flat_axis
        )
        for name, (_, filtered) in zip(self.base.names(), responses, strict=True):
            frequencies = spectrum(filtered, axes=axes)
            for order in self.orders:
                degrees = tuple(order[axis] for axis in axes)
                transformed = response(
                    frequencies,
                    partial(riesz, degrees=degrees),
                    shape=values.shape,
                    axes=axes,
                    order=sum(degrees),
                )
                yield image_type("riesz", *order, name), transformed[window]


def riesz(coordinates: tuple[Array, ...], *, degrees: tuple[int, ...]) -> Array:
    """Weight of a Riesz transform without its phase; 0 at frequency 0.

    Examples
    --------
    >>> riesz((np.array([0.0, 3.0]), np.array([0.0, 4.0])), degrees=(1, 1)).round(4)
    array([0.    , 0.6788])
    """
    ways = math.factorial(sum(degrees)) / math.prod(map(math.factorial, degrees))
    norm = length(coordinates)
    derivative = math.prod(
        axis**degree for axis, degree in zip(coordinates, degrees, strict=True) if degree
    )
    return math.sqrt(ways) * derivative / np.where(norm > 0, norm, 1) ** sum(degrees)


def _expect_derivation(order: tuple[int, int, int], axes: tuple[int, ...]) -> None:
    along = sum(order[axis] for axis in axes)
    if along == 0 or along != sum(order):
        names = ", ".join("zyx"[axis] for axis in axes)
        raise DataError(
            f"expected an order of derivation along some of {names}, the axes that are filtered "
            f"along, and no other; found {order} for (z, y, x). Give it there."
        )
