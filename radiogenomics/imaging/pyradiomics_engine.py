"""Features by pyradiomics 3.0.1, the reference engine; loaded when first used."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

import numpy as np

from radiogenomics.core.errors import GeometryError, MissingExtraError, short_list
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.filters import LoG
from radiogenomics.imaging.parameter_file import to_pyradiomics
from radiogenomics.imaging.resample import numbers
from radiogenomics.imaging.settings import ExtractionSettings

Array = np.ndarray[Any, np.dtype[Any]]
# Image types whose features are not called as they are.
PREFIXES = MappingProxyType({"LoG": "log-sigma", "LBP2D": "lbp-2D", "LBP3D": "lbp-3D"})


def engine_name() -> str:
    """Name and version, for the ``source`` of each feature."""
    _load()
    return f"pyradiomics {version('pyradiomics')}"


def compute_features(volume: Volume, region: str, settings: ExtractionSettings) -> dict[str, float]:
    """Radiomic features of one region, in pyradiomics' order and under its names.

    The volume is taken as it comes: choosing lesions and normalising by the liver are done before.
    A feature that is not defined for the region is NaN.

    Parameters
    ----------
    volume
        Voxels and masks.
    region
        Name of the mask; every voxel above 0 counts.
    settings
        With the conventions of pyradiomics.

    Returns
    -------
    dict
        ``"{image type}_{family}_{feature}"`` → value.

    Raises
    ------
    MissingExtraError
        pyradiomics or SimpleITK is not installed.
    SchemaError
        pyradiomics lacks a filter or convention.
    GeometryError
        The region is empty or too small, or the image is too small for a filter.

    References
    ----------
    van Griethuysen et al., Cancer Res 2017;77:e104, doi:10.1158/0008-5472.CAN-17-0339
    """
    parameters = to_pyradiomics(settings)
    extractor_class, sitk = _load()
    image = _placed(sitk, volume, numbers(volume.voxels))
    mask = _placed(sitk, volume, (volume.mask(region) > 0).astype(np.uint8))
    try:
        with _silence(), _one_thread(sitk):
            found = extractor_class(parameters).execute(image, mask)
    except (ValueError, RuntimeError) as error:
        raise GeometryError(
            f"expected a region that pyradiomics can measure; it says: {error}. Check the mask."
        ) from None
    features = {name: _number(value) for name, value in found.items()}
    _require_filters(features, settings)
    return features


def _placed(sitk: Any, volume: Volume, voxels: Array) -> Any:
    """Voxels as an image where the volume is."""
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing([float(size) for size in reversed(volume.spacing_mm)])
    image.SetOrigin(volume.origin_mm)
    image.SetDirection(volume.direction)
    return image


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


def _number(value: Any) -> float:
    number = float(value)
    return number if math.isfinite(number) else math.nan


def _require_filters(features: dict[str, float], settings: ExtractionSettings) -> None:
    """Raise GeometryError for a filter that pyradiomics skipped with no more than a log line."""
    if set(settings.families) <= {"shape", "shape2D"}:
        return
    made = {name.split("_", 1)[0] for name in features if "_shape" not in name}
    missing = []
    for item in settings.filters:
        prefix = PREFIXES.get(item.kind, item.kind.lower())
        wanted = len(item.sigma_mm) if isinstance(item, LoG) else 1
        if sum(name == prefix or name.startswith(f"{prefix}-") for name in made) < wanted:
            missing.append(item.kind)
    if missing:
        raise GeometryError(
            f"expected pyradiomics to give {short_list(missing)}; found that it left them out: the "
            "image is smaller than the filter, or (LBP) a package is missing or too new for it. "
            "Use a smaller sigma, or the native backend."
        )
