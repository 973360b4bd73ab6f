"""Features of one volume: which lesions, in which intensities, measured by which engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from radiogenomics.core.errors import GeometryError, UnknownNameError
from radiogenomics.core.provenance import version
from radiogenomics.core.scan import Volume
from radiogenomics.imaging import engine, pyradiomics_engine
from radiogenomics.imaging.intensity import organ_statistics, standardise
from radiogenomics.imaging.masks import bounding_box, select_lesions
from radiogenomics.imaging.regions import with_region
from radiogenomics.imaging.settings import ExtractionSettings

Array = np.ndarray[Any, np.dtype[Any]]
Backend = Literal["native", "pyradiomics"]
BACKENDS: tuple[Backend, ...] = ("native", "pyradiomics")


def features_of_volume(
    volume: Volume,
    settings: ExtractionSettings,
    *,
    region: str = "tumour",
    backend: Backend = "native",
    threads: int = 1,
) -> dict[str, float]:
    """Radiomic features of one volume: choose the lesions, normalise by the liver, measure.

    Parameters
    ----------
    volume
        Voxels with a mask of ``region`` and, for liver normalisation, of ``liver``.
    settings
        What to extract and how; ``lesions`` is ``largest`` or ``union`` here, the rules that join
        several measurements are :func:`~radiogenomics.imaging.lesions.features_of_lesions`'.
    region
        Name of the mask, or a word that makes one of those that are there
        (``liver_without_tumour``, ``tumour_ring_10mm_in_liver``).
    backend
        ``native``, or ``pyradiomics``, which gives the same numbers many times slower.
    threads
        Threads of the native engine; the result does not depend on it.

    Returns
    -------
    dict
        ``"{image type}_{family}_{feature}"`` → value; NaN where a feature is not defined. With the
        conventions of the IBSI: its tags.

    Raises
    ------
    UnknownNameError
        The volume lacks a mask, or there is no such backend or lesion rule.
    GeometryError
        The region is empty, too small or of one intensity, or the liver cannot serve as a
        yardstick.
    MissingExtraError
        The engine is not installed.
    """
    if backend not in BACKENDS:
        raise UnknownNameError("backend", backend, BACKENDS)
    volume = with_region(volume, region)
    lesions = select_lesions(volume.mask(region), settings.lesions, label=settings.label)
    _require_contrast(volume.voxels, lesions, settings)
    yardstick = None
    if settings.normalise == "liver":
        # All lesions are kept out of the yardstick, also those that are not measured.
        others = tuple({region, "tumour"} - {"liver"})
        yardstick = organ_statistics(volume, organ="liver", without=others)
    volume = replace(volume, masks={region: lesions})
    if yardstick is not None:
        volume = standardise(volume, mean=yardstick[0], deviation=yardstick[1])
    if backend == "pyradiomics":
        return pyradiomics_engine.compute_features(volume, region, settings)
    return engine.compute_features(volume, region, settings, threads=threads)


def engine_name(backend: Backend, settings: ExtractionSettings) -> str:
    """Engine, version and conventions, for the ``source`` of each feature.

    Raises
    ------
    MissingExtraError
        The engine is not installed.
    """
    if backend == "pyradiomics":
        return pyradiomics_engine.engine_name()
    return f"radiogenomics {version()} native engine, {settings.conventions} conventions"


def _require_contrast(voxels: Array, inside: Array, settings: ExtractionSettings) -> None:
    """Raise GeometryError for a region of one intensity, unless only its shape is measured."""
    if set(settings.families) <= {"shape", "shape2D"}:
        return
    box = bounding_box(inside)
    values = voxels[box][inside[box]]
    if values.min() == values.max():
        raise GeometryError(
            f"expected intensities that vary; found {values[0]:g} in all {len(values)} voxels of "
            "the region. Check that image and mask belong together, or measure shape only."
        )
