"""What is extracted and how: one frozen record, and the presets that recipes name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.schema import Record

ImageType = Literal["Original", "LoG", "Wavelet", "Gradient"]
Family = Literal["shape", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"]
Positive = Annotated[float, Field(gt=0)]

FAMILIES: tuple[Family, ...] = (
    "shape",
    "firstorder",
    "glcm",
    "gldm",
    "glrlm",
    "glszm",
    "ngtdm",
)

# A Gaussian is below 2e-8 of its peak six standard deviations away.
REACH_IN_SIGMA = 6.0
# coif1 has six coefficients; odd sizes are padded by one.
WAVELET_REACH = 8
LEAST_REACH = 2


class ExtractionSettings(Record):
    """Settings of a radiomic feature extraction.

    Only image types whose value at a voxel depends on its surroundings are offered: they can be
    computed on a crop around the lesion and give what the whole image would.

    Parameters
    ----------
    spacing_mm
        Voxel size (z, y, x) in mm to resample to, B-spline for the image and nearest neighbour for
        the mask; None leaves the voxels as they are.
    bin_width
        Width of the grey-level bins in units of the image (after ``normalise``).
    bin_count
        Number of grey-level bins instead; exactly one of the two is given.
    image_types
        ``Original``, ``LoG`` (Laplacian of Gaussian), ``Wavelet`` (coif1, one level, eight bands)
        and ``Gradient`` (magnitude).
    log_sigma_mm
        Widths of the LoG filter in mm; required with ``LoG``.
    families
        Feature families; ``shape`` is computed once, the others on each image type.
    normalise
        ``liver`` subtracts the mean of the liver outside the tumour, divides by its standard
        deviation and multiplies by 100; ``none`` leaves the intensities.
    lesions
        ``largest`` lesion of the region, or the ``union`` of all.
    minimum_voxels
        A region with fewer voxels is refused: texture of a handful of voxels is noise.

    Examples
    --------
    >>> ExtractionSettings(bin_width=25, image_types=["Original"]).lesions
    'largest'
    """

    spacing_mm: tuple[Positive, Positive, Positive] | None = None
    bin_width: Positive | None = None
    bin_count: Annotated[int, Field(ge=2)] | None = None
    image_types: Annotated[tuple[ImageType, ...], Field(min_length=1)] = ("Original",)
    log_sigma_mm: tuple[Positive, ...] = ()
    families: Annotated[tuple[Family, ...], Field(min_length=1)] = FAMILIES
    normalise: Literal["none", "liver"] = "none"
    lesions: Literal["largest", "union"] = "largest"
    minimum_voxels: Annotated[int, Field(ge=1)] = 27

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.bin_width is None) == (self.bin_count is None):
            raise ValueError("give exactly one of bin_width and bin_count")
        if ("LoG" in self.image_types) != bool(self.log_sigma_mm):
            raise ValueError("give log_sigma_mm with the image type LoG, and only with it")
        return self

    def reach(self, spacing_mm: tuple[float, float, float]) -> tuple[int, int, int]:
        """Voxels (z, y, x) around a region that its filtered images depend on."""
        least = WAVELET_REACH if "Wavelet" in self.image_types else LEAST_REACH
        reach_mm = REACH_IN_SIGMA * max(self.log_sigma_mm, default=0.0)
        z, y, x = (max(least, math.ceil(reach_mm / size)) for size in spacing_mm)
        return z, y, x


SETTINGS_PRESETS: Mapping[str, ExtractionSettings] = MappingProxyType(
    {
        # Liver-normalised, so that CT and MR share one scale: 100 is one SD of liver, 25 a quarter.
        "irs": ExtractionSettings(
            bin_width=25,
            image_types=("Original", "LoG"),
            log_sigma_mm=(3.0, 5.0),
            normalise="liver",
        ),
    }
)


def settings_preset(name: str) -> ExtractionSettings:
    """Return the extraction settings a recipe names; UnknownNameError lists near matches.

    Examples
    --------
    >>> settings_preset("irs").log_sigma_mm
    (3.0, 5.0)
    """
    if name not in SETTINGS_PRESETS:
        raise UnknownNameError("extraction settings", name, SETTINGS_PRESETS)
    return SETTINGS_PRESETS[name]
