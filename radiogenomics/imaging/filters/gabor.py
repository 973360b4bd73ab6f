"""Gabor filters (IBSI Q88H)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import scipy.fft
from pydantic import AfterValidator

from radiogenomics.imaging.filters.boundary import Boundary, beyond, image_reader
from radiogenomics.imaging.filters.filter import Array, Box, Filter, Positive
from radiogenomics.imaging.filters.naming import image_type
from radiogenomics.imaging.filters.rotations import Pooling, pool


def _part_of_a_circle(step: float) -> float:
    if abs(360 / step - round(360 / step)) > 1e-9:
        raise ValueError(f"expected a step that divides 360 degrees; found {step}")
    return step


# Slices that are transformed at once: few enough for the cache.
SLICES = 8


class Gabor(Filter):
    """Magnitude of the response to Gabor filters (IBSI Q88H).

    In a plane, ``g = exp(-(u² + γ²v²) / 2σ² + 2πi u / λ)``; u runs along the wave, which is the
    plane's row direction turned clockwise by θ, and v across it. The magnitude is high where there
    are stripes λ apart along u. The kernel is not normalised: units are intensity times voxels of
    a plane.

    Parameters
    ----------
    sigma_mm
        Standard deviation σ of the envelope along the wave.
    wavelength_mm
        λ; with less than two voxels the wave is not represented.
    aspect_ratio
        γ; the envelope's standard deviation across the wave is σ/γ.
    theta
        θ in degrees.
    theta_step
        Pool over all orientations θ, θ + step, ... of the circle: invariant to in-plane rotation.
    orthogonal_planes
        Pool over the three planes along the axes too. Axial slices only if False; where the
        extraction is slice by slice, its slices.
    pooling
        How orientations and planes are pooled.
    truncation
        Half width of the kernel in standard deviations of the envelope's longer side.
    boundary
        How the image continues beyond its border.

    References
    ----------
    IBSI, reference manual of convolutional filters, arXiv:2006.05470.

    Examples
    --------
    >>> stripes = np.tile([1.0, -1.0], (1, 16, 8))
    >>> middle = (slice(0, 1), slice(8, 9), slice(8, 9))
    >>> wave = Gabor(sigma_mm=1, wavelength_mm=2)
    >>> across = Gabor(sigma_mm=1, wavelength_mm=2, theta=90)
    >>> [
    ...     (name, round(float(values[0, 0, 0]), 2))
    ...     for gabor in (wave, across)
    ...     for name, values in gabor.responses(stripes, spacing_mm=(1, 1, 1), box=middle)
    ... ]
    [('gabor-sigma-1-0-mm-lambda-2-0-mm-gamma-1-0-theta-0-0', 6.28),
     ('gabor-sigma-1-0-mm-lambda-2-0-mm-gamma-1-0-theta-90-0', 0.0)]
    """

    kind: Literal["Gabor"] = "Gabor"
    sigma_mm: Positive
    wavelength_mm: Positive
    aspect_ratio: Positive = 1.0
    theta: float = 0.0
    theta_step: Annotated[Positive, AfterValidator(_part_of_a_circle)] | None = None
    orthogonal_planes: bool = False
    pooling: Pooling = "mean"
    truncation: Positive = 6.0
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
        if flat_axis is not None:
            normals: tuple[int, ...] = (flat_axis,)
        else:
            normals = (0, 1, 2) if self.orthogonal_planes else (0,)
        in_planes = (
            (self._in_plane(voxels, normal, spacing_mm=spacing_mm, box=box), 1, 0)
            for normal in normals
        )
        yield self._image_type(flat_axis), pool(in_planes, self.pooling)

    def _in_plane(
        self, voxels: Array, normal: int, *, spacing_mm: tuple[float, float, float], box: Box
    ) -> Array:
        """Pooled magnitude in the planes across one axis, some slices at a time."""
        axes = tuple(axis for axis in range(3) if axis != normal)
        longest = self.truncation * self.sigma_mm * max(1, 1 / self.aspect_ratio)
        z, y, x = (
            0 if axis == normal else math.ceil(longest / spacing_mm[axis]) for axis in range(3)
        )
        margins = (z, y, x)
        widths = [box[axis].stop - box[axis].start + 2 * margins[axis] for axis in axes]
        sizes = [scipy.fft.next_fast_len(width) for width in widths]
        kernels = [
            self._kernel(
                theta, [margins[axis] for axis in axes], [spacing_mm[axis] for axis in axes]
            )
            for theta in self._thetas()
        ]
        spectra = [np.expand_dims(scipy.fft.fft2(kernel, sizes), normal) for kernel in kernels]
        # What wraps around falls into the margins: the window reads nothing beyond the values.
        window = tuple(
            slice(2 * margin, None if axis == normal else 2 * margin + part.stop - part.start)
            for axis, (margin, part) in enumerate(zip(margins, box, strict=True))
        )

        def magnitudes(slab: Box) -> Iterator[tuple[Array, int, int]]:
            values = beyond(
                image_reader(voxels),
                slab,
                margins=margins,
                shape=voxels.shape,
                boundary=self.boundary,
            )
            frequencies = scipy.fft.fft2(values, sizes, axes=axes)
            for spectrum in spectra:
                filtered = scipy.fft.ifft2(frequencies * spectrum, axes=axes)
                yield np.abs(filtered[window]), 1, 0

        slabs = (pool(magnitudes(slab), self.pooling) for slab in _slabs(box, normal))
        return np.concatenate(list(slabs), axis=normal)

    def _thetas(self) -> list[float]:
        """Orientations in degrees; opposite ones have the same magnitude, so half a circle does."""
        if self.theta_step is None:
            return [self.theta]
        count = round(360 / self.theta_step)
        wanted = count // 2 if count % 2 == 0 else count
        return [self.theta + 360 * turn / count for turn in range(wanted)]

    def _kernel(self, theta: float, far: list[int], spacing_mm: list[float]) -> Array:
        """Complex kernel at the voxels of a plane, (rows, columns)."""
        rows, columns = (
            np.arange(-reach, reach + 1) * size for reach, size in zip(far, spacing_mm, strict=True)
        )
        cosine, sine = math.cos(math.radians(theta)), math.sin(math.radians(theta))
        u = columns[None, :] * cosine + rows[:, None] * sine
        v = rows[:, None] * cosine - columns[None, :] * sine
        envelope = np.exp(-(u**2 + (self.aspect_ratio * v) ** 2) / (2 * self.sigma_mm**2))
        return envelope * np.exp(2j * np.pi * u / self.wavelength_mm)

    def _image_type(self, flat_axis: int | None) -> str:
        step, cut = self.theta_step, self.truncation
        planes = self.orthogonal_planes and flat_axis is None
        return image_type(
            *("gabor-sigma", self.sigma_mm, "mm-lambda", self.wavelength_mm, "mm-gamma"),
            *(self.aspect_ratio, "theta", self.theta),
            None if step is None else f"step-{step}",
            "planes" if planes else None,
            None if step is None and not planes else self.pooling,
            None if cut == 6 else f"to-{cut}",
            None if self.boundary == "mirror" else self.boundary,
        )


def _slabs(box: Box, normal: int) -> Iterator[Box]:
    """Cut a box into slabs of a few slices across one axis."""
    first, last = box[normal].start, box[normal].stop
    for start in range(first, last, SLICES):
        part = slice(start, min(start + SLICES, last))
        z, y, x = (part if axis == normal else side for axis, side in enumerate(box))
        yield z, y, x
