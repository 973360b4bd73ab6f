"""Undecimated wavelet transform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from radiogenomics.core.errors import MissingExtraError, UnknownNameError
from radiogenomics.imaging.filters.filter import Array, Box, Filter
from radiogenomics.imaging.radiomics import _kernels


class Wavelet(Filter):
    """Undecimated wavelet transform: low (L) or high (H) pass along each axis, in all bands.

    A band is named by its passes along x, y, z in this order: ``wavelet-LLH`` is high along z. The
    next level transforms the lowest band of the last one, again without dilating the filters. The
    image is continued periodically; an odd axis is first made even by repeating its first voxel at
    its end. The lowest band is that of the last level only.

    Parameters
    ----------
    wavelet
        Name of a discrete wavelet, as PyWavelets knows it.
    level
        Number of levels.
    start_level
        Number of levels gone through before.

    References
    ----------
    Lee et al. (2019). PyWavelets: a Python package for wavelet analysis. J Open Source Softw 4,
    1237. doi:10.21105/joss.01237
    """

    kind: Literal["Wavelet"] = "Wavelet"
    wavelet: str = "coif1"
    level: Annotated[int, Field(ge=1)] = 1
    start_level: Annotated[int, Field(ge=0)] = 0

    def responses(
        self,
        voxels: Array,
        *,
        spacing_mm: tuple[float, float, float],
        box: Box,
        flat_axis: int | None = None,
    ) -> Iterator[tuple[str, Array]]:
        """Name and response inside ``box``; not transformed along ``flat_axis``."""
        low, high = _passes(self.wavelet, np.float32 if voxels.dtype == np.float32 else np.float64)
        before, after = len(low) - 1 - len(low) // 2, len(low) // 2
        axes = tuple(axis for axis in (2, 1, 0) if axis != flat_axis)
        levels = self.start_level + self.level
        read = _grown(box, axes=axes, before=before * levels, after=after * levels)
        values = np.ascontiguousarray(_continued(voxels, read), dtype=low.dtype)
        for done in range(1, levels + 1):
            left = levels - done
            wanted = _grown(box, axes=axes, before=before * left, after=after * left)
            bands = _bands(
                values, low, high, axes=axes, turned=_turned(wanted, voxels.shape, len(low))
            )
            lowest, values = next(bands)
            level = done - self.start_level
            if level < 1:
                continue
            prefix = f"wavelet{level}-" if level > 1 else "wavelet-"
            inner = tuple(
                slice(asked.start - given.start, asked.stop - given.start)
                for asked, given in zip(box, wanted, strict=True)
            )
            for letters, band in bands:
                yield prefix + letters, band[inner].astype(np.float64, copy=False)
        yield prefix + lowest, values.astype(np.float64, copy=False)


def _grown(box: Box, *, axes: tuple[int, ...], before: int, after: int) -> Box:
    """The box and what a filter reads around it; it may begin and end beyond the image."""
    z, y, x = (
        slice(part.start - before, part.stop + after) if axis in axes else part
        for axis, part in enumerate(box)
    )
    return z, y, x


def _passes(wavelet: str, dtype: type[np.floating]) -> tuple[Array, Array]:
    """Low and high pass, in the rounding that PyWavelets applies to such an image."""
    try:
        import pywt
    except ImportError:
        raise MissingExtraError(
            "expected PyWavelets, which knows the coefficients of wavelets; it is not installed. "
            "Run: pip install 'radiogenomics[imaging]'."
        ) from None
    known = pywt.wavelist(kind="discrete")
    if wavelet not in known:
        raise UnknownNameError("discrete wavelet", wavelet, known)
    taps = pywt.Wavelet(wavelet).dec_len
    impulse = np.zeros(2 * taps, dtype=dtype)
    impulse[taps] = 1
    first = taps - taps // 2
    ((low, high),) = pywt.swt(impulse, wavelet, level=1)
    return low[first : first + taps], high[first : first + taps]


def _continued(voxels: Array, box: Box) -> Array:
    """The image in a box that may begin and end beyond it."""
    values = voxels
    for axis, (part, size) in enumerate(zip(box, voxels.shape, strict=True)):
        wanted: slice | Array = part
        if part.start < 0 or part.stop > size:
            places = np.arange(part.start, part.stop) % _period(size)
            # The voxel that makes an odd axis even is the first once more.
            wanted = np.where(places == size, 0, places)
        values = values[(slice(None),) * axis + (wanted,)]
    return values


def _period(size: int) -> int:
    return size + size % 2


def _turned(box: Box, shape: tuple[int, ...], taps: int) -> list[Array]:
    """Along each axis of the results: taps that reach past the end of the image.

    PyWavelets adds these first, from the furthest back.
    """
    return [
        np.clip(
            np.arange(part.start, part.stop) % _period(size) + taps // 2 + 1 - _period(size),
            0,
            taps,
        )
        for part, size in zip(box, shape, strict=True)
    ]


def _bands(
    values: Array,
    low: Array,
    high: Array,
    *,
    axes: tuple[int, ...],
    turned: list[Array],
    letters: str = "",
) -> Iterator[tuple[str, Array]]:
    """All combinations of passes along ``axes``, the lowest first; one at a time to save memory."""
    if not axes:
        yield letters, values
        return
    axis, *others = axes
    pair = _kernels.split_bands(values, low, high, axis, turned[axis])
    for letter, band in zip("LH", pair, strict=True):
        yield from _bands(
            band, low, high, axes=tuple(others), turned=turned, letters=letters + letter
        )
