"""Extraction settings under a name that recipes and the command line use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.imaging.filters import (
    Exponential,
    Gradient,
    LoG,
    Logarithm,
    Original,
    Square,
    SquareRoot,
    Wavelet,
)
from radiogenomics.imaging.settings import ExtractionSettings

ISOTROPIC_MM = (1.0, 1.0, 1.0)
FINE_TO_COARSE = LoG(sigma_mm=(1.0, 2.0, 3.0, 4.0, 5.0))

SETTINGS_PRESETS: Mapping[str, ExtractionSettings] = MappingProxyType(
    {
        # Liver-normalised, so that CT and MR share one scale: 100 is one SD of liver, 25 a quarter.
        "irs": ExtractionSettings(
            bin_width=25, filters=(Original(), LoG(sigma_mm=(3.0, 5.0))), normalise="liver"
        ),
        # Longitudinal whole-liver CT: 14 shape + 14 image types x 93 = 1316 features. The paper
        # gives the image types; voxel and bin size are defaults.
        "lwctr": ExtractionSettings(
            bin_width=25,
            spacing_mm=ISOTROPIC_MM,
            filters=(Original(), FINE_TO_COARSE, Wavelet()),
            lesions="union",
        ),
        # Any CT in HU. Ten voxels of padding let the widest LoG see what surrounds the region, and
        # energies are taken of HU + 1000, which is not negative.
        "ct": ExtractionSettings(
            bin_width=25,
            spacing_mm=ISOTROPIC_MM,
            filters=(Original(), FINE_TO_COARSE, Wavelet()),
            pad_distance=10,
            voxel_array_shift=1000,
        ),
        # MR has no unit: 100 is one SD of the whole image, and 3 SD are -300 to 300, which the
        # shift makes positive.
        "mr": ExtractionSettings(
            bin_width=5,
            spacing_mm=ISOTROPIC_MM,
            filters=(Original(), FINE_TO_COARSE, Wavelet()),
            pad_distance=10,
            normalise="image",
            normalise_scale=100,
            remove_outliers=3,
            voxel_array_shift=300,
        ),
        # Susceptibility-weighted MR: as mr, with the filters that a study of it names (logarithm,
        # exponential) and their kin.
        "swi": ExtractionSettings(
            bin_width=5,
            spacing_mm=ISOTROPIC_MM,
            filters=(
                Original(),
                FINE_TO_COARSE,
                Wavelet(),
                Square(),
                SquareRoot(),
                Logarithm(),
                Exponential(),
                Gradient(),
            ),
            pad_distance=10,
            normalise="image",
            normalise_scale=100,
            remove_outliers=3,
            voxel_array_shift=300,
        ),
        # One slice of ultrasound, whose grey values have no unit and whose pixels no common size.
        "us2d": ExtractionSettings(
            bin_count=32,
            filters=(Original(), Wavelet()),
            families=("shape2D", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"),
            flat_axis=0,
        ),
        # Radiomics beside the multi-phase networks: liver and tumour, unfiltered (the features that
        # the supplement lists name no filter). Its settings are not public; these are defaults.
        "mmf": ExtractionSettings(bin_width=25, spacing_mm=ISOTROPIC_MM, lesions="union"),
    }
)


def settings_preset(name: str) -> ExtractionSettings:
    """Return the extraction settings a recipe names; UnknownNameError lists near matches.

    Examples
    --------
    >>> settings_preset("irs").filters[1].sigma_mm
    (3.0, 5.0)
    """
    if name not in SETTINGS_PRESETS:
        raise UnknownNameError("extraction settings", name, SETTINGS_PRESETS)
    return SETTINGS_PRESETS[name]
