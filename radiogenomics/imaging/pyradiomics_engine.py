"""Features by pyradiomics 3.0.1, the reference engine; loaded when first used."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import numpy as np

from radiogenomics.core.errors import GeometryError, MissingExtraError, short_list
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.settings import ExtractionSettings

LOG_PREFIX = "log-sigma"


def engine_name() -> str:
    """Name and version, for the ``source`` of each feature."""
    _load()
    return f"pyradiomics {version('pyradiomics')}"


def compute_features(volume: Volume, region: str, settings: ExtractionSettings) -> dict[str, float]:
    """Radiomic features of one region, in pyradiomics' order and under its names.

    The volume is taken as it comes: choosing lesions, cropping and normalising are done before. A
    feature that is not defined for the region is NaN.

    Parameters
    ----------
    volume
        Voxels and masks.
    region
        Name of the mask; every voxel above 0 counts.
    settings
        ``normalise``, ``lesions`` and ``minimum_voxels`` are not used here.

    Returns
    -------
    dict
        ``"{image type}_{family}_{feature}"`` → value.

    Raises
    ------
    MissingExtraError
        pyradiomics or SimpleITK is not installed.
    GeometryError
        The region is empty or a line, or the image is too small for a filter.

    References
    ----------
    van Griethuysen et al., Cancer Res 2017;77:e104, doi:10.1158/0008-5472.CAN-17-0339
    """
    extractor_class, sitk = _load()
    image = sitk.GetImageFromArray(np.asarray(volume.voxels, dtype=np.float64))
    mask = sitk.GetImageFromArray((volume.mask(region) > 0).astype(np.uint8))
    for item in (image, mask):
        item.SetSpacing([float(size) for size in reversed(volume.spacing_mm)])
    try:
        with _silence(), _one_thread(sitk):
            found = _extractor(extractor_class, settings).execute(image, mask)
    except ValueError as error:
        raise GeometryError(
            f"expected a region that pyradiomics can measure; it says: {error}. Check the mask."
        ) from None
    features = {name: _number(value) for name, value in found.items()}
    _require_filters(features, settings)
    return features


def describe(name: str) -> tuple[str, str]:
    """Image type and family of a feature, from its name."""
    image_type, family, _ = name.split("_", 2)
    return image_type, family


def _load() -> tuple[Any, Any]:
    """Import pyradiomics' extractor and SimpleITK; both are optional and slow to load."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import SimpleITK
            from radiomics.featureextractor import RadiomicsFeatureExtractor
    except ImportError as error:
        raise MissingExtraError(
            f"expected pyradiomics 3.0.1 and SimpleITK; found: {error}. Install them: "
            "pip install 'radiogenomics[imaging]', then "
            "pip install --no-build-isolation pyradiomics==3.0.1 (in a checkout, make does both)."
        ) from None
    return RadiomicsFeatureExtractor, SimpleITK


@contextmanager
def _silence() -> Iterator[None]:
    """Hold back pyradiomics' own messages, and nobody else's, for the time of one extraction."""
    logger = logging.getLogger("radiomics")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def _one_thread(sitk: Any) -> Iterator[None]:
    """Filter in one thread: on a crop more cost more than they give, and batches run processes."""
    threads = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)


def _extractor(extractor_class: Any, settings: ExtractionSettings) -> Any:
    extractor = extractor_class(**_parameters(settings))
    extractor.disableAllImageTypes()
    for image_type in settings.image_types:
        sigma = {"sigma": list(settings.log_sigma_mm)} if image_type == "LoG" else {}
        extractor.enableImageTypeByName(image_type, customArgs=sigma)
    extractor.disableAllFeatures()
    for family in settings.families:
        extractor.enableFeatureClassByName(family)
    return extractor


def _parameters(settings: ExtractionSettings) -> dict[str, Any]:
    parameters: dict[str, Any] = {"additionalInfo": False, "label": 1}
    if settings.bin_width is not None:
        parameters["binWidth"] = settings.bin_width
    else:
        parameters["binCount"] = settings.bin_count
    if settings.spacing_mm is not None:
        parameters["resampledPixelSpacing"] = list(reversed(settings.spacing_mm))
        parameters["padDistance"] = max(settings.reach(settings.spacing_mm))
    return parameters


def _number(value: Any) -> float:
    number = float(value)
    return number if math.isfinite(number) else math.nan


def _require_filters(features: dict[str, float], settings: ExtractionSettings) -> None:
    """Raise GeometryError for a filter that pyradiomics skipped with no more than a log line."""
    if set(settings.families) == {"shape"}:
        return
    made = {describe(name)[0] for name in features}
    missing = []
    for image_type in settings.image_types:
        wanted = len(settings.log_sigma_mm) if image_type == "LoG" else 1
        prefix = LOG_PREFIX if image_type == "LoG" else image_type.lower()
        if sum(name.startswith(prefix) for name in made) < wanted:
            missing.append(image_type)
    if missing:
        raise GeometryError(
            f"expected an image large enough for {short_list(missing)}; found one that the filter "
            "does not fit into. Use a smaller sigma, or leave the scan out."
        )
