"""The words of a pyradiomics parameter file, as pyradiomics 3.0.1 defines them."""

# The fields are called as in the files, so that messages speak the words of who wrote them.

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from radiogenomics.core.schema import Record

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Whole = Annotated[int, Field(ge=0)]
Counted = Annotated[int, Field(ge=1)]

# Words that decide about one image type; all others are about the whole extraction.
FILTER_WORDS = (
    "binWidth",
    "binCount",
    "sigma",
    "wavelet",
    "level",
    "start_level",
    "gradientUseSpacing",
    "lbp2DRadius",
    "lbp2DSamples",
    "lbp2DMethod",
    "lbp3DLevels",
    "lbp3DIcosphereRadius",
    "lbp3DIcosphereSubdivision",
)


class Settings(Record):
    """``setting``, and what may stand behind an image type; spacings are (x, y, z)."""

    minimumROIDimensions: Annotated[int, Field(ge=1, le=3)] = 2
    minimumROISize: Counted | None = None
    geometryTolerance: Positive | None = None
    correctMask: bool = False
    additionalInfo: bool = True
    label: Counted = 1
    label_channel: Whole = 0
    binWidth: Positive = 25.0
    binCount: Counted | None = None
    normalize: bool = False
    normalizeScale: Positive = 1.0
    removeOutliers: Positive | None = None
    resampledPixelSpacing: tuple[NotNegative, NotNegative, NotNegative] | None = None
    interpolator: int | str | None = "sitkBSpline"
    padDistance: Whole = 5
    distances: Annotated[tuple[Counted, ...], Field(min_length=1)] = (1,)
    force2D: bool = False
    force2Ddimension: Literal[0, 1, 2] = 0
    resegmentRange: tuple[float] | tuple[float, float] | None = None
    resegmentMode: Literal["absolute", "relative", "sigma"] = "absolute"
    resegmentShape: bool = False
    preCrop: bool = False
    sigma: tuple[Annotated[int | float, Field(gt=0)], ...] = ()
    start_level: Whole = 0
    level: Counted = 1
    wavelet: str = "coif1"
    gradientUseSpacing: bool = True
    lbp2DRadius: Positive = 1.0
    lbp2DSamples: Counted = 8  # its documentation says 9
    lbp2DMethod: Literal["default", "ror", "uniform", "var"] = "uniform"
    lbp3DLevels: Counted = 2
    lbp3DIcosphereRadius: Positive = 1.0
    lbp3DIcosphereSubdivision: Whole = 1
    voxelArrayShift: float = 0.0
    symmetricalGLCM: bool = True
    weightingNorm: Literal["manhattan", "euclidean", "infinity", "no_weighting"] | None = None
    gldm_a: Whole = 0


class MapSettings(Record):
    """``voxelSetting``."""

    kernelRadius: Counted = 1
    maskedKernel: bool = True
    initValue: float = 0.0
    voxelBatch: Counted | None = None


class ParameterFile(Record):
    """A parameter file; image types and classes keep their order."""

    setting: Settings = Settings()
    voxelSetting: MapSettings | None = None
    featureClass: Mapping[str, tuple[str, ...] | None] = Field(default_factory=dict)
    imageType: Mapping[str, Settings | None] = Field(default_factory=dict)
