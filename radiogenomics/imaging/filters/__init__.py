"""Image filters: one a file; each knows its settings and what it does to an image."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from radiogenomics.imaging.filters.exponential import Exponential
from radiogenomics.imaging.filters.filter import Filter
from radiogenomics.imaging.filters.gabor import Gabor
from radiogenomics.imaging.filters.gradient import Gradient
from radiogenomics.imaging.filters.laplacian_of_gaussian import LoG
from radiogenomics.imaging.filters.laws import Laws
from radiogenomics.imaging.filters.lbp2d import LBP2D
from radiogenomics.imaging.filters.lbp3d import LBP3D
from radiogenomics.imaging.filters.logarithm import Logarithm
from radiogenomics.imaging.filters.mean import Mean
from radiogenomics.imaging.filters.nonseparable_wavelet import NonseparableWavelet
from radiogenomics.imaging.filters.original import Original
from radiogenomics.imaging.filters.riesz import Riesz
from radiogenomics.imaging.filters.sampled_log import SampledLoG
from radiogenomics.imaging.filters.separable_wavelet import SeparableWavelet
from radiogenomics.imaging.filters.square import Square
from radiogenomics.imaging.filters.square_root import SquareRoot
from radiogenomics.imaging.filters.wavelet import Wavelet

AnyFilter = Annotated[
    Original
    | LoG
    | Wavelet
    | Square
    | SquareRoot
    | Logarithm
    | Exponential
    | Gradient
    | LBP2D
    | LBP3D
    | Mean
    | SampledLoG
    | Laws
    | Gabor
    | SeparableWavelet
    | NonseparableWavelet
    | Riesz,
    Field(discriminator="kind"),
]

__all__ = [
    "LBP2D",
    "LBP3D",
    "AnyFilter",
    "Exponential",
    "Filter",
    "Gabor",
    "Gradient",
    "Laws",
    "LoG",
    "Logarithm",
    "Mean",
    "NonseparableWavelet",
    "Original",
    "Riesz",
    "SampledLoG",
    "SeparableWavelet",
    "Square",
    "SquareRoot",
    "Wavelet",
]
