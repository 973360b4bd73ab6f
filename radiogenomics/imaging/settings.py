"""What is extracted and how: one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_serializer, model_validator

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.schema import Record
from radiogenomics.imaging.filters import AnyFilter, Original
from radiogenomics.imaging.radiomics.families import feature_names

Family = Literal["shape", "shape2D", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"]
Aggregation = Literal["2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"]
Weighting = Literal["manhattan", "euclidean", "infinity", "no_weighting"]
LesionRule = Literal["largest", "union", "mean", "volume_weighted", "per_lesion"]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]

FAMILIES: tuple[Family, ...] = (
    "shape",
    "firstorder",
    "glcm",
    "gldm",
    "glrlm",
    "glszm",
    "ngtdm",
)


FIXED_BY_IBSI = (
    "only",
    "distances",
    "symmetric",
    "weighting",
    "dependence_tolerance",
    "pre_crop",
    "pad_distance",
    "voxel_array_shift",
)
IBSI_ONLY = (
    "aggregation",
    "ivh_bin_count",
    "ivh_bin_width",
    "resegment_outliers",
    "round_intensities",
)


class VoxelSettings(Record):
    """Settings of feature maps: each voxel is measured in a cube of its own.

    Parameters
    ----------
    kernel_radius
        Half the width of the cube, in voxels.
    masked_kernel
        Voxels of the cube outside the region do not count.
    initial_value
        Value of the map outside the region.
    batch
        Voxels computed at once; None: all.
    """

    kernel_radius: Annotated[int, Field(ge=1)] = 1
    masked_kernel: bool = True
    initial_value: float = 0.0
    batch: Annotated[int, Field(ge=1)] | None = None


class ExtractionSettings(Record):
    """Settings of a radiomic feature extraction.

    Names and defaults follow pyradiomics where it has the setting; axes are (z, y, x).

    Parameters
    ----------
    filters
        Image types: each filter with its own settings.
    families
        Feature families; shape is computed once, the others on each image type.
    only
        Family → names of its features, where not all are wanted; features that are redundant come
        only when named here.
    conventions
        ``pyradiomics``: its names and definitions. ``ibsi``: those of the IBSI reference manual,
        and its order of processing.
    spacing_mm
        Voxel size (z, y, x) in mm to resample to; 0 keeps an axis, None leaves the voxels as they
        are.
    interpolator
        How the image is resampled; masks take the nearest voxel (IBSI: linear, cut at a half).
    pad_distance
        Voxels kept around the region after resampling or an early crop.
    pre_crop
        Crop to the region and ``pad_distance`` before filtering, also without resampling.
    normalise
        ``image``: zero mean, unit standard deviation over the whole image, times
        ``normalise_scale``. ``liver``: the same by the liver outside the tumour, times 100.
    normalise_scale
        Value of one standard deviation; with ``image``.
    remove_outliers
        Standard deviations beyond which intensities are cut off; with ``image``.
    resegment_range
        One lower, or a lower and an upper bound of the intensities that stay in the region.
    resegment_mode
        ``absolute``; ``relative`` to the maximum; ``sigma`` around the mean.
    resegment_outliers
        IBSI only: also leave out what lies further than so many standard deviations from the mean.
    resegment_shape
        Shape, too, is that of the region after re-segmentation.
    bin_width
        Width of the grey-level bins in units of the image (after ``normalise``).
    bin_count
        Number of grey-level bins instead; exactly one of the two is given.
    maximum_bins
        More grey levels than this are refused: a forgotten bin width fills the memory.
    flat_axis
        Axis that textures do not cross (``force2D``): 0 keeps them within axial slices.
    distances
        Distances in voxels (Chebyshev) of GLCM, GLDM and NGTDM neighbours.
    symmetric
        GLCM counts each pair in both orders.
    weighting
        Weight of a direction by its length; directions are then merged and not averaged.
    dependence_tolerance
        Levels that a GLDM neighbour may differ.
    voxel_array_shift
        Added to intensities in Energy, TotalEnergy and RootMeanSquared.
    aggregation
        IBSI only: how textures of slices and directions are joined.
    round_intensities
        IBSI only: round to whole numbers after resampling.
    ivh_bin_width, ivh_bin_count
        IBSI only: discretisation of the intensity-volume histogram; neither: none.
    label
        Value of the mask that is measured; None: every value above 0, by ``lesions``.
    lesions
        ``largest`` lesion of the region or the ``union`` of all, measured as one; ``mean`` or
        ``volume_weighted`` mean of their features; or each, ``per_lesion``.
    minimum_dimensions
        Axes along which the region must be longer than one voxel.
    minimum_voxels
        A region with fewer voxels, as they are measured, is refused: texture of a handful of voxels
        is noise.
    voxel
        Feature maps only: around each voxel.

    Examples
    --------
    >>> ExtractionSettings(bin_width=25).lesions
    'largest'
    """

    filters: Annotated[tuple[AnyFilter, ...], Field(min_length=1)] = (Original(),)
    families: tuple[Family, ...] = FAMILIES
    only: Mapping[Family, tuple[str, ...]] = Field(default_factory=dict)
    conventions: Literal["pyradiomics", "ibsi"] = "pyradiomics"
    spacing_mm: tuple[NotNegative, NotNegative, NotNegative] | None = None
    interpolator: Literal["bspline", "linear", "nearest"] = "bspline"
    pad_distance: Annotated[int, Field(ge=0)] = 5
    pre_crop: bool = False
    normalise: Literal["none", "image", "liver"] = "none"
    normalise_scale: Positive = 1.0
    remove_outliers: Positive | None = None
    resegment_range: tuple[float] | tuple[float, float] | None = None
    resegment_mode: Literal["absolute", "relative", "sigma"] = "absolute"
    resegment_outliers: Positive | None = None
    resegment_shape: bool = False
    bin_width: Positive | None = None
    bin_count: Annotated[int, Field(ge=2)] | None = None
    maximum_bins: Annotated[int, Field(ge=2)] = 2000
    flat_axis: Literal[0, 1, 2] | None = None
    distances: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (1,)
    symmetric: bool = True
    weighting: Weighting | None = None
    dependence_tolerance: Annotated[int, Field(ge=0)] = 0
    voxel_array_shift: float = 0.0
    aggregation: Aggregation = "3D_comb"
    round_intensities: bool = False
    ivh_bin_width: Positive | None = None
    ivh_bin_count: Annotated[int, Field(ge=2)] | None = None
    label: Annotated[int, Field(ge=1)] | None = None
    lesions: LesionRule = "largest"
    minimum_dimensions: Annotated[int, Field(ge=1, le=3)] = 2
    minimum_voxels: Annotated[int, Field(ge=1)] = 27
    voxel: VoxelSettings | None = None

    @field_serializer("only")
    def _plain(self, only: Mapping[Family, tuple[str, ...]]) -> dict[str, list[str]]:
        return {family: list(names) for family, names in only.items()}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.bin_width is None) == (self.bin_count is None):
            raise ValueError("give exactly one of bin_width and bin_count")
        if self.conventions != "ibsi":
            for name in IBSI_ONLY:
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"{name} needs conventions: ibsi; add it, or leave {name} out")
        else:
            self._require_what_the_ibsi_fixes()
        if self.remove_outliers is not None and self.normalise != "image":
            raise ValueError("remove_outliers belongs to normalise: image; give both or neither")
        if len(set(self.distances)) < len(self.distances):
            raise ValueError("distances: each counts once; leave the repeated ones out")
        if "shape2D" in self.families and self.flat_axis is None:
            raise ValueError("shape2D measures one slice: give flat_axis, or leave the family out")
        for family, names in self.only.items():
            _require_features(family, names)
            if family not in self.families:
                raise ValueError(f"only names features of {family}: add it to families")
        return self

    def _require_what_the_ibsi_fixes(self) -> None:
        """Raise ValueError for a setting that the engine of the IBSI would not look at."""
        for name in FIXED_BY_IBSI:
            default = type(self).model_fields[name].get_default(call_default_factory=True)
            if getattr(self, name) != default:
                raise ValueError(
                    f"{name} is fixed by the IBSI: leave it out, or use conventions: pyradiomics"
                )
        if "shape2D" in self.families:
            raise ValueError("the IBSI has no shape2D: leave the family out")
        slices = self.aggregation.startswith("2")
        if self.flat_axis not in (None, 0) or (self.flat_axis == 0 and not slices):
            raise ValueError(
                "flat_axis: the IBSI's slices are axial: use 0 with an aggregation of 2D or 2.5D, "
                "or leave it out"
            )


def _require_features(family: Family, names: tuple[str, ...]) -> None:
    """Raise ValueError, with near matches, for a name that is no feature of the family."""
    known = feature_names(family)
    for name in names:
        if name not in known:
            raise ValueError(str(UnknownNameError(f"{family} feature", name, known)))
