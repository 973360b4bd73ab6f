"""Laws kernels (IBSI JTXT)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from types import MappingProxyType
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from radiogenomics.imaging.filters.boundary import Boundary, image_reader
from radiogenomics.imaging.filters.filter import Array, Box, Filter
from radiogenomics.imaging.filters.naming import image_type
from radiogenomics.imaging.filters.rotations import (
    Pooling,
    Turn,
    pooled_response,
    right_angle_turns,
)
from radiogenomics.imaging.filters.separable import (
    Row,
    along_axes,
    convolve_beyond,
    expect_rows,
)

ROWS = MappingProxyType(
    {
        "L3": (1, 2, 1),
        "L5": (1, 4, 6, 4, 1),
        "E3": (-1, 0, 1),
        "E5": (-1, -2, 0, 2, 1),
        "S3": (-1, 2, -1),
        "S5": (-1, 0, 2, 0, -1),
        "W5": (-1, 2, 0, -2, 1),
        "R5": (1, -4, 6, -4, 1),
    }
)
KernelName = Annotated[str, Field(pattern=r"^([LES][35]|[WR]5){2,3}$")]


class Laws(Filter):
    """Laws kernels (IBSI JTXT), on demand as texture energy.

    The outer product of one row an axis, each of unit length: Level ``L3 L5``, Edge ``E3 E5``, Spot
    ``S3 S5``, Wave ``W5``, Ripple ``R5``. Texture energy is the mean magnitude of the (pooled)
    response in the ``(2δ + 1)^D`` voxels around each. Units are those of the image.

    Parameters
    ----------
    kernels
        Names as the IBSI writes them: ``"E5W5S5"`` is E5 along x, W5 along y and S5 along z; two
        rows where extraction is slice by slice. One image type each.
    rotation_invariant
        Pool the responses to the kernel in all its rotations by right angles (24 in 3D, 4 in 2D).
    pooling
        How they are pooled.
    energy_distance
        δ in voxels; None: the response itself.
    boundary
        How the image, and the response before its energy, continue beyond the border.

    References
    ----------
    Laws, 1980; IBSI, reference manual of convolutional filters, arXiv:2006.05470.

    Examples
    --------
    >>> step = np.array([[[0.0, 0.0, 1.0, 1.0]] * 3])
    >>> everything = (slice(0, 1), slice(0, 3), slice(0, 4))
    >>> edge = Laws(kernels=("E3L3",))
    >>> (response,) = edge.responses(step, spacing_mm=(1, 1, 1), box=everything, flat_axis=0)
    >>> response[0], np.round(response[1][0, 1] * np.sqrt(12), 6)
    ('laws-E3L3', array([ 0., -4., -4.,  0.]))
    """

    kind: Literal["Laws"] = "Laws"
    kernels: Annotated[tuple[KernelName, ...], Field(min_length=1)]
    rotation_invariant: bool = False
    pooling: Pooling = "max"
    energy_distance: Annotated[int, Field(ge=1)] | None = None
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
        for name in self.kernels:
            steps = (along_axes(_rows(name, flat_axis=flat_axis), flat_axis=flat_axis),)
            response = partial(
                pooled_response,
                image_reader(voxels),
                right_angle_turns(steps) if self.rotation_invariant else (Turn(steps, 1, 0),),
                shape=voxels.shape,
                boundary=self.boundary,
                pooling=self.pooling,
            )
            if self.energy_distance is None:
                values = response(box=box)
            else:
                width = 2 * self.energy_distance + 1
                values = convolve_beyond(
                    lambda part, response=response: np.abs(response(box=part)),
                    along_axes(((1 / width,) * width,) * 3, flat_axis=flat_axis),
                    box=box,
                    shape=voxels.shape,
                    boundary=self.boundary,
                )
            yield self._image_type(name), values

    def _image_type(self, name: str) -> str:
        pooled = f"invariant-{self.pooling}" if self.rotation_invariant else None
        energy = None if self.energy_distance is None else f"energy-{self.energy_distance}"
        edge = None if self.boundary == "mirror" else self.boundary
        return image_type("laws", name, pooled, energy, edge)


def _rows(name: str, *, flat_axis: int | None) -> tuple[Row, ...]:
    """Rows of unit length along x, y and, in three dimensions, z."""
    names = [name[start : start + 2] for start in range(0, len(name), 2)]
    expect_rows(name, len(names), flat_axis=flat_axis)
    return tuple(tuple(number / math.hypot(*ROWS[row]) for number in ROWS[row]) for row in names)
