"""Laplacian of Gaussian by a sampled kernel (IBSI L6PA)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from radiogenomics.imaging.filters.boundary import Boundary, beyond, image_reader
from radiogenomics.imaging.filters.filter import Array, Box, Filter, Positive
from radiogenomics.imaging.filters.naming import image_type
from radiogenomics.imaging.filters.separable import Kernel, Row, along_axes, convolve, reach


class SampledLoG(Filter):
    """Laplacian of Gaussian by a sampled kernel (IBSI L6PA).

    ``g(k) = -(D - ‖k‖²/σ²) exp(-‖k‖²/2σ²) / (√(2π)^D σ^(D+2))`` at voxels k, σ in voxels, cut off
    ``truncation`` standard deviations from the middle. Dark blobs of radius σ√D answer most, bright
    ones negatively. Where voxels are not cubes, each axis has its own σ and the response is scaled
    as if they were cubes of the same volume. Units: intensity per squared voxel.

    ``LoG`` is pyradiomics' filter: recursive, and scaled by σ² instead.

    Parameters
    ----------
    sigma_mm
        Standard deviations of the Gaussian; one image type each.
    truncation
        Half width of the kernel in standard deviations.
    boundary
        How the image continues beyond its border.

    References
    ----------
    IBSI, reference manual of convolutional filters, arXiv:2006.05470.

    Examples
    --------
    >>> impulse = np.zeros((1, 9, 9))
    >>> impulse[0, 4, 4] = 1
    >>> middle = (slice(0, 1), slice(4, 5), slice(4, 5))
    >>> edge = SampledLoG(sigma_mm=(1.0,))
    >>> dict(edge.responses(impulse, spacing_mm=(1, 1, 1), box=middle, flat_axis=0))
    {'sampled-log-sigma-1-0-mm': array([[[-0.3183]]])}
    """

    kind: Literal["SampledLoG"] = "SampledLoG"
    sigma_mm: Annotated[tuple[Positive, ...], Field(min_length=1)]
    truncation: Positive = 4.0
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
        for name, sigma in zip(self.names(), self.sigma_mm, strict=True):
            sigmas = [sigma / spacing_mm[axis] for axis in (2, 1, 0) if axis != flat_axis]
            kernels = self._kernels(sigmas, flat_axis=flat_axis)
            values = beyond(
                image_reader(voxels),
                box,
                margins=reach(kernels[0]),
                shape=voxels.shape,
                boundary=self.boundary,
            )
            response = reduce(np.add, (convolve(values, kernel) for kernel in kernels))
            yield name, response * np.prod(sigmas) ** (-2 / len(sigmas))

    def names(self) -> tuple[str, ...]:
        """Names of the responses, in their order."""
        cut = None if self.truncation == 4 else f"to-{self.truncation}"
        edge = None if self.boundary == "mirror" else self.boundary
        return tuple(
            image_type("sampled-log-sigma", sigma, "mm", cut, edge) for sigma in self.sigma_mm
        )

    def _kernels(self, sigmas: list[float], *, flat_axis: int | None) -> tuple[Kernel, ...]:
        """Second derivative along one axis times Gaussians along the others, for each axis."""
        rows = [self._rows(sigma) for sigma in sigmas]
        return tuple(
            along_axes(
                tuple(
                    curved if axis == bent else smooth for axis, (smooth, curved) in enumerate(rows)
                ),
                flat_axis=flat_axis,
            )
            for bent in range(len(rows))
        )

    def _rows(self, sigma: float) -> tuple[Row, Row]:
        """Gaussian of ``sigma`` voxels, and its second derivative times the variance."""
        far = int(self.truncation * sigma + 0.5)
        k = np.arange(-far, far + 1) / sigma
        smooth = np.exp(-(k**2) / 2) / (np.sqrt(2 * np.pi) * sigma)
        return tuple(smooth.tolist()), tuple(((k**2 - 1) * smooth).tolist())
