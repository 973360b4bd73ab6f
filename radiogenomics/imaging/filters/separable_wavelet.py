"""Separable wavelets with pooled rotations (IBSI 25BO)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from radiogenomics.core.errors import MissingExtraError, UnknownNameError
from radiogenomics.imaging.filters.boundary import Boundary, image_reader
from radiogenomics.imaging.filters.filter import Array, Box, Filter
from radiogenomics.imaging.filters.naming import image_type
from radiogenomics.imaging.filters.rotations import (
    Pooling,
    Turn,
    pooled_response,
    right_angle_turns,
)
from radiogenomics.imaging.filters.separable import Row, along_axes, expect_rows, odd

Bands = Annotated[str, Field(pattern=r"^[LH]{2,3}$")]


class SeparableWavelet(Filter):
    """Separable wavelets with pooled rotations (IBSI 25BO).

    Undecimated decomposition: at level j the image that was low-passed j - 1 times along all axes
    is filtered by the wavelet's low-pass (L) or high-pass (H) row along each axis. From level to
    level a zero is set between the coefficients (à trous). Units are those of the image.

    ``Wavelet`` is pyradiomics' filter: the same rows, the image periodic, and from level 2 on
    without the zeros.

    Parameters
    ----------
    wavelet
        Name of a discrete wavelet of PyWavelets, such as ``"haar"``, ``"db3"``, ``"coif1"``.
    decompositions
        Bands as the IBSI writes them: ``"LHL"`` is L along x, H along y, L along z; two letters
        where the extraction is slice by slice. One image type each.
    level
        Level j of the decomposition.
    rotation_invariant
        Pool the responses to the filters in all their rotations by right angles (24 in 3D, 4 in
        2D); the low passes before them turn, too.
    pooling
        How they are pooled.
    boundary
        How the image, and each level, continue beyond the border.

    References
    ----------
    IBSI, reference manual of convolutional filters, arXiv:2006.05470.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([[[1.0, 1.0, 5.0]] * 2])
    >>> everything = (slice(0, 1), slice(0, 2), slice(0, 3))
    >>> haar = SeparableWavelet(wavelet="haar", decompositions=("LL",))
    >>> (response,) = haar.responses(image, spacing_mm=(1, 1, 1), box=everything, flat_axis=0)
    >>> response[0], np.round(response[1][0, 0], 6)
    ('wavelet-haar-LL-level-1', array([ 2.,  6., 10.]))
    """

    kind: Literal["SeparableWavelet"] = "SeparableWavelet"
    wavelet: str = "coif1"
    decompositions: Annotated[tuple[Bands, ...], Field(min_length=1)]
    level: Annotated[int, Field(ge=1)] = 1
    rotation_invariant: bool = False
    pooling: Pooling = "mean"
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
        low, high = self._rows()
        for bands in self.decompositions:
            expect_rows(bands, len(bands), flat_axis=flat_axis)
            words = ("L" * len(bands),) * (self.level - 1) + (bands,)
            steps = tuple(
                along_axes(
                    tuple(_with_holes(low if band == "L" else high, level) for band in word),
                    flat_axis=flat_axis,
                )
                for level, word in enumerate(words)
            )
            response = pooled_response(
                image_reader(voxels),
                right_angle_turns(steps) if self.rotation_invariant else (Turn(steps, 1, 0),),
                box=box,
                shape=voxels.shape,
                boundary=self.boundary,
                pooling=self.pooling,
            )
            yield self._image_type(bands), response

    def _rows(self) -> tuple[Row, Row]:
        """Low-pass and high-pass row of the first level."""
        try:
            import pywt
        except ImportError:
            raise MissingExtraError(
                "expected PyWavelets, which knows the coefficients of wavelets; it is not "
                "installed. Run: pip install 'radiogenomics[imaging]'."
            ) from None
        known = pywt.wavelist(kind="discrete")
        if self.wavelet not in known:
            raise UnknownNameError("discrete wavelet", self.wavelet, known)
        wavelet = pywt.Wavelet(self.wavelet)
        return odd(tuple(wavelet.dec_lo)), odd(tuple(wavelet.dec_hi))

    def _image_type(self, bands: str) -> str:
        return image_type(
            *("wavelet", self.wavelet, bands, "level", self.level),
            f"invariant-{self.pooling}" if self.rotation_invariant else None,
            None if self.boundary == "mirror" else self.boundary,
        )


def _with_holes(row: Row, level: int) -> Row:
    """Row with ``2**level - 1`` zeros between its numbers."""
    spread = [0.0] * ((len(row) - 1) * 2**level + 1)
    spread[:: 2**level] = row
    return tuple(spread)
