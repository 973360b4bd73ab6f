"""The reference data sets of IBSI chapter 1 as settings: the digital phantom, and A to E.

References
----------
Zwanenburg et al., The image biomarker standardisation initiative: reference manual,
doi:10.48550/arXiv.1612.07003; Reference data sets.
"""

from __future__ import annotations

from dataclasses import dataclass

from radiogenomics.imaging.settings import Aggregation, ExtractionSettings

IN_SLICES: tuple[Aggregation, ...] = ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb")
IN_SPACE: tuple[Aggregation, ...] = ("3D_avg", "3D_comb")

DIGITAL_PHANTOM = "ibsi_1_digital_phantom"
CHEST_PHANTOM = "ibsi_1_ct_radiomics_phantom"


@dataclass(frozen=True)
class IbsiConfiguration:
    """How a phantom is processed, and which textures have reference values.

    Parameters
    ----------
    name
        As in the reference table.
    phantom
        Folder of the phantom.
    settings
        Image processing; the ``aggregation`` is not looked at.
    aggregations
        Ways to join the textures of slices and directions.
    """

    name: str
    phantom: str
    settings: ExtractionSettings
    aggregations: tuple[Aggregation, ...]


CONFIGURATIONS: tuple[IbsiConfiguration, ...] = (
    IbsiConfiguration(
        "digital_phantom",
        DIGITAL_PHANTOM,
        # Bins of one, so that the levels are the intensities 1 ... 6.
        ExtractionSettings(conventions="ibsi", bin_width=1),
        IN_SLICES + IN_SPACE,
    ),
    IbsiConfiguration(
        "A",
        CHEST_PHANTOM,
        ExtractionSettings(conventions="ibsi", resegment_range=(-500, 400), bin_width=25),
        IN_SLICES,
    ),
    IbsiConfiguration(
        "B",
        CHEST_PHANTOM,
        ExtractionSettings(
            conventions="ibsi",
            spacing_mm=(0, 2, 2),
            interpolator="linear",
            round_intensities=True,
            resegment_range=(-500, 400),
            bin_count=32,
        ),
        IN_SLICES,
    ),
    IbsiConfiguration(
        "C",
        CHEST_PHANTOM,
        ExtractionSettings(
            conventions="ibsi",
            spacing_mm=(2, 2, 2),
            interpolator="linear",
            round_intensities=True,
            resegment_range=(-1000, 400),
            bin_width=25,
            ivh_bin_width=2.5,
        ),
        IN_SPACE,
    ),
    IbsiConfiguration(
        "D",
        CHEST_PHANTOM,
        ExtractionSettings(
            conventions="ibsi",
            spacing_mm=(2, 2, 2),
            interpolator="linear",
            round_intensities=True,
            resegment_outliers=3,
            bin_count=32,
        ),
        IN_SPACE,
    ),
    IbsiConfiguration(
        "E",
        CHEST_PHANTOM,
        ExtractionSettings(
            conventions="ibsi",
            spacing_mm=(2, 2, 2),
            interpolator="bspline",
            round_intensities=True,
            resegment_range=(-1000, 400),
            resegment_outliers=3,
            bin_count=32,
            ivh_bin_count=1000,
        ),
        IN_SPACE,
    ),
)
