"""pyradiomics parameter files ↔ extraction settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from radiogenomics.core.errors import SchemaError, UnknownNameError, short_list
from radiogenomics.core.schema import parse, read_yaml
from radiogenomics.imaging.filters import LBP2D, LBP3D, Filter, Gradient, LoG, Wavelet
from radiogenomics.imaging.presets import SETTINGS_PRESETS, settings_preset
from radiogenomics.imaging.pyradiomics_words import FILTER_WORDS, ParameterFile, Settings
from radiogenomics.imaging.radiomics.families import feature_names
from radiogenomics.imaging.settings import ExtractionSettings, Family

FAMILY_NAMES: tuple[Family, ...] = get_args(Family)
IMAGE_TYPES = (
    "Original",
    "LoG",
    "Wavelet",
    "Square",
    "SquareRoot",
    "Logarithm",
    "Exponential",
    "Gradient",
    "LBP2D",
    "LBP3D",
)
# Our word for a setting of a filter → that of a parameter file.
FILTER_FIELDS: Mapping[type[Filter], Mapping[str, str]] = MappingProxyType(
    {
        LoG: MappingProxyType({"sigma_mm": "sigma"}),
        Wavelet: MappingProxyType(
            {"wavelet": "wavelet", "level": "level", "start_level": "start_level"}
        ),
        Gradient: MappingProxyType({"use_spacing": "gradientUseSpacing"}),
        LBP2D: MappingProxyType(
            {"radius": "lbp2DRadius", "samples": "lbp2DSamples", "method": "lbp2DMethod"}
        ),
        LBP3D: MappingProxyType(
            {
                "levels": "lbp3DLevels",
                "radius": "lbp3DIcosphereRadius",
                "subdivision": "lbp3DIcosphereSubdivision",
            }
        ),
    }
)
# Features that pyradiomics 3 knows by name and leaves out.
REPLACED: Mapping[str, str] = MappingProxyType(
    {
        "Homogeneity1": "Homogeneity1 is Id by now; write that",
        "Homogeneity2": "Homogeneity2 is Idm by now; write that",
    }
)
# ITK's names, and the numbers that older files have instead.
INTERPOLATORS: Mapping[str | int, str] = MappingProxyType(
    {
        "sitkNearestNeighbor": "nearest",
        "sitkLinear": "linear",
        "sitkBSpline": "bspline",
        1: "nearest",
        2: "linear",
        3: "bspline",
    }
)


def load_settings(name_or_path: str | Path) -> ExtractionSettings:
    """Return a preset by name, or the settings of a pyradiomics parameter file.

    Raises
    ------
    UnknownNameError
        It is neither a preset nor does it look like a file.
    MissingFileError
        There is no such file.
    SchemaError
        The file is not a parameter file.

    Examples
    --------
    >>> load_settings("lwctr").spacing_mm
    (1.0, 1.0, 1.0)
    """
    text = str(name_or_path)
    if text in SETTINGS_PRESETS:
        return settings_preset(text)
    path = Path(name_or_path)
    if path.suffix or path.parent != Path() or path.exists():
        return read_parameter_file(path)
    raise UnknownNameError("extraction settings", text, SETTINGS_PRESETS)


def read_parameter_file(path: str | Path) -> ExtractionSettings:
    """Read a pyradiomics parameter file (YAML or JSON) as extraction settings.

    All words of pyradiomics 3.0.1 are known, and what a file leaves out has its default there.
    ``additionalInfo`` is accepted and changes nothing: there are no columns of diagnostics here.

    Raises
    ------
    MissingFileError
        There is no such file.
    SchemaError
        A word is unknown (near matches are listed), a value cannot be, or a setting cannot be
        honoured; the message says what to change.
    """
    file = Path(path)
    return from_pyradiomics(read_yaml(file), where=file.name)


def from_pyradiomics(
    content: Mapping[str, Any], *, where: str = "parameters"
) -> ExtractionSettings:
    """Translate the content of a parameter file; the reverse of :func:`to_pyradiomics`.

    Parameters
    ----------
    content
        Plain data: ``imageType``, ``featureClass``, ``setting``, ``voxelSetting``.
    where
        Name of the file, for messages.

    Raises
    ------
    SchemaError
        As :func:`read_parameter_file`.

    Examples
    --------
    >>> from_pyradiomics({"setting": {"resampledPixelSpacing": [1, 1, 3]}}).spacing_mm
    (3.0, 1.0, 1.0)
    """
    # An empty block is one without words, as in pyradiomics.
    given = {word: block for word, block in content.items() if block is not None}
    file = parse(ParameterFile, given, where=where)
    problems = [*_not_honoured(file), *_unknown_names(file)]
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise SchemaError(f"{where}: {len(problems)} problem(s)\n{lines}")
    fields = _fields(file.setting)
    fields["filters"] = [
        _filter(kind, custom or Settings(), file.setting)
        for kind, custom in (file.imageType or {"Original": None}).items()
    ]
    fields["families"], fields["only"] = _families(file)
    if file.voxelSetting is not None:
        fields["voxel"] = {
            "kernel_radius": file.voxelSetting.kernelRadius,
            "masked_kernel": file.voxelSetting.maskedKernel,
            "initial_value": file.voxelSetting.initValue,
            "batch": file.voxelSetting.voxelBatch,
        }
    return parse(ExtractionSettings, fields, where=where)


def to_pyradiomics(settings: ExtractionSettings) -> dict[str, Any]:
    """Write extraction settings as a pyradiomics parameter file has them, as plain data.

    Choosing lesions and normalising by the liver come before pyradiomics; the region is label 1.

    Raises
    ------
    SchemaError
        pyradiomics lacks a filter or convention.

    Examples
    --------
    >>> to_pyradiomics(ExtractionSettings(bin_width=10))["setting"]["binWidth"]
    10.0
    """
    kinds = [item.kind for item in settings.filters]
    lacking = [kind for kind in kinds if kind not in IMAGE_TYPES or kinds.count(kind) > 1]
    if lacking:
        raise SchemaError(
            f"expected each of pyradiomics' image types at most once; found {short_list(lacking)}. "
            "Use the native backend."
        )
    if settings.conventions != "pyradiomics":
        raise SchemaError(
            f"expected pyradiomics' conventions; found {settings.conventions!r}. "
            "Use the native backend."
        )
    if settings.voxel_array_shift % 1:
        raise SchemaError(
            "expected a whole number as voxel_array_shift; found "
            f"{settings.voxel_array_shift:g}. Use the native backend."
        )
    parameters: dict[str, Any] = {
        "setting": _words(settings),
        "imageType": {item.kind: _custom(item) for item in settings.filters},
        "featureClass": {
            family: list(settings.only.get(family, ())) for family in settings.families
        },
    }
    if settings.voxel is not None:
        parameters["voxelSetting"] = {
            "kernelRadius": settings.voxel.kernel_radius,
            "maskedKernel": settings.voxel.masked_kernel,
            "initValue": settings.voxel.initial_value,
        }
        if settings.voxel.batch is not None:
            parameters["voxelSetting"]["voxelBatch"] = settings.voxel.batch
    return parameters


def _not_honoured(file: ParameterFile) -> list[str]:
    """Problems with settings that have no counterpart here."""
    setting, problems = file.setting, []
    # A geometryTolerance changes no number: image and mask are matched when they are read.
    if setting.correctMask:
        problems.append(
            "setting.correctMask: image and mask are matched when they are read; take it out, and "
            "give the reader repair='resample' where masks are off"
        )
    if setting.label_channel:
        problems.append(
            "setting.label_channel: masks have one channel here; give each region a mask of its own"
        )
    if setting.interpolator is not None and setting.interpolator not in INTERPOLATORS:
        problems.append(
            "setting.interpolator: expected sitkBSpline, sitkLinear or sitkNearestNeighbor; found "
            f"{setting.interpolator!r}; choose one of them"
        )
    if "shape2D" in file.featureClass and not setting.force2D:
        problems.append(
            "featureClass.shape2D: measures one slice, which needs setting.force2D: true; add it, "
            "or take shape2D out"
        )
    for kind, custom in file.imageType.items():
        if kind == "LoG" and not (custom and custom.sigma) and not setting.sigma:
            problems.append("imageType.LoG: needs sigma: [widths in mm]; add it")
        for word in sorted((custom.model_fields_set if custom else set()) - set(FILTER_WORDS)):
            problems.append(
                f"imageType.{kind}.{word}: is about the whole extraction; move it to setting"
            )
    return problems


def _unknown_names(file: ParameterFile) -> list[str]:
    """Problems with the names of image types, classes and features."""
    names: list[tuple[str, str, str, tuple[str, ...]]] = [
        ("imageType", "image type", kind, IMAGE_TYPES) for kind in file.imageType
    ]
    for family, wanted in file.featureClass.items():
        names.append(("featureClass", "feature class", family, FAMILY_NAMES))
        if family in FAMILY_NAMES:
            known = feature_names(family)
            names += [(f"featureClass.{family}", "feature", name, known) for name in wanted or ()]
    return [
        f"{place}: {REPLACED.get(name) or UnknownNameError(kind, name, known)}"
        for place, kind, name, known in names
        if name not in known
    ]


def _fields(setting: Settings) -> dict[str, Any]:
    """Fields of the extraction as a whole."""
    fields: dict[str, Any] = {
        "pad_distance": setting.padDistance,
        "pre_crop": setting.preCrop,
        "resegment_range": setting.resegmentRange,
        "resegment_mode": setting.resegmentMode,
        "resegment_shape": setting.resegmentShape,
        "flat_axis": setting.force2Ddimension if setting.force2D else None,
        "distances": setting.distances,
        "symmetric": setting.symmetricalGLCM,
        "weighting": setting.weightingNorm,
        "dependence_tolerance": setting.gldm_a,
        "voxel_array_shift": setting.voxelArrayShift,
        "label": setting.label,
        "lesions": "union",
        "minimum_dimensions": setting.minimumROIDimensions,
        "minimum_voxels": (setting.minimumROISize or 0) + 1,
        **_bins(setting.binWidth, setting.binCount),
    }
    if setting.resampledPixelSpacing is not None and setting.interpolator is not None:
        fields["spacing_mm"] = setting.resampledPixelSpacing[::-1]
        fields["interpolator"] = INTERPOLATORS[setting.interpolator]
    if setting.normalize:
        fields["normalise"] = "image"
        fields["normalise_scale"] = setting.normalizeScale
        fields["remove_outliers"] = setting.removeOutliers
    return fields


def _bins(width: float | None, count: int | None) -> dict[str, Any]:
    """A number of bins goes before their width, as in pyradiomics."""
    return {"bin_count": count} if count is not None else {"bin_width": width}


def _filter(kind: str, custom: Settings, setting: Settings) -> dict[str, Any]:
    """Filter with its own words, those of ``setting`` behind them."""

    def value(word: str) -> Any:
        return getattr(custom if word in custom.model_fields_set else setting, word)

    fields: dict[str, Any] = {"kind": kind}
    if custom.model_fields_set & {"binWidth", "binCount"}:
        fields |= _bins(value("binWidth"), value("binCount"))
    for owner, words in FILTER_FIELDS.items():
        if owner.__name__ == kind:
            fields |= {field: value(word) for field, word in words.items()}
    return fields


def _families(file: ParameterFile) -> tuple[Sequence[str], dict[str, tuple[str, ...]]]:
    """Families, and the features of those that do not want all."""
    if not file.featureClass:
        # pyradiomics enables all its classes, and skips shape2D where it cannot be.
        skipped = () if file.setting.force2D else ("shape2D",)
        return sorted(set(FAMILY_NAMES) - set(skipped)), {}
    return tuple(file.featureClass), {k: v for k, v in file.featureClass.items() if v}


def _words(settings: ExtractionSettings) -> dict[str, Any]:
    """``setting`` of a parameter file."""
    words: dict[str, Any] = {
        "additionalInfo": False,
        "label": 1,
        "minimumROIDimensions": settings.minimum_dimensions,
        "padDistance": settings.pad_distance,
        "preCrop": settings.pre_crop,
        "distances": list(settings.distances),
        "symmetricalGLCM": settings.symmetric,
        "weightingNorm": settings.weighting,
        "gldm_a": settings.dependence_tolerance,
        "voxelArrayShift": int(settings.voxel_array_shift),
    }
    if settings.bin_width is not None:
        words["binWidth"] = settings.bin_width
    else:
        words["binCount"] = settings.bin_count
    if settings.minimum_voxels > 1:
        words["minimumROISize"] = settings.minimum_voxels - 1
    if settings.normalise == "image":
        words |= {"normalize": True, "normalizeScale": settings.normalise_scale}
        if settings.remove_outliers is not None:
            words["removeOutliers"] = settings.remove_outliers
    if settings.spacing_mm is not None:
        names = {ours: theirs for theirs, ours in INTERPOLATORS.items() if isinstance(theirs, str)}
        words["resampledPixelSpacing"] = list(settings.spacing_mm[::-1])
        words["interpolator"] = names[settings.interpolator]
    if settings.resegment_range is not None:
        words["resegmentRange"] = list(settings.resegment_range)
        words["resegmentMode"] = settings.resegment_mode
        words["resegmentShape"] = settings.resegment_shape
    if settings.flat_axis is not None:
        words |= {"force2D": True, "force2Ddimension": settings.flat_axis}
    return words


def _custom(item: Filter) -> dict[str, Any]:
    """What stands behind an image type."""
    words = {
        word: list(value) if isinstance(value := getattr(item, field), tuple) else value
        for field, word in FILTER_FIELDS.get(type(item), {}).items()
    }
    if item.bin_count is not None:
        words["binCount"] = item.bin_count
    elif item.bin_width is not None:
        # A number of bins for the whole extraction would go before the width.
        words |= {"binWidth": item.bin_width, "binCount": None}
    return words
