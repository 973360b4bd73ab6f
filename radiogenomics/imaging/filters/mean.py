"""Mean of the neighbourhood (IBSI S60F)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from radiogenomics.imaging.filters.boundary import Boundary, image_reader
from radiogenomics.imaging.filters.filter import Array, Box, Filter
from radiogenomics.imaging.filters.naming import image_type
from radiogenomics.imaging.filters.separable import along_axes, convolve_beyond


def _with_a_middle(support: int) -> int:
    if support % 2 == 0:
        raise ValueError(f"expected an odd support, so that it has a middle; found {support}")
    return support


class Mean(Filter):
    """Mean of the neighbourhood (IBSI S60F).

    ``h(x) = Σ f(x + k) / M^D`` over the M voxels k around x on each of D axes. Removes
    noise and blurs edges alike. Units are those of the image.

    Parameters
    ----------
    support
        Voxels M along each axis, odd. It does not know the spacing: resample to equal voxels first.
    boundary
        How the image continues beyond its border.

    References
    ----------
    IBSI, reference manual of convolutional filters, arXiv:2006.05470.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[0.0, 3.0, 6.0, 0.0]]])
    >>> everything = (slice(0, 1), slice(0, 1), slice(0, 4))
    >>> dict(Mean(support=3).responses(image, spacing_mm=(1, 1, 1), box=everything))
    {'mean-3': array([[[1., 3., 3., 2.]]])}
    """

    kind: Literal["Mean"] = "Mean"
    support: Annotated[int, Field(ge=1), AfterValidator(_with_a_middle)] = 5
    boundary: Boundary = "mirror"

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and response inside ``box``."""
        row = (1 / self.support,) * self.support
        kernel = along_axes((row,) * 3, flat_axis=flat_axis)
        edge = None if self.boundary == "mirror" else self.boundary
        yield (
            image_type("mean", self.support, edge),
            convolve_beyond(
                image_reader(voxels), kernel, box=box, shape=voxels.shape, boundary=self.boundary
            ),
        )
