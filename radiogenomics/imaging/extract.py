"""Many scans → one feature table; a scan that fails costs itself, not the batch."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import joblib
import pandas as pd

from radiogenomics.core.errors import DataError, RadiogenomicsError, RadiogenomicsWarning
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.log import progress
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.imaging.geometry import crop
from radiogenomics.imaging.intensity import organ_statistics, standardise
from radiogenomics.imaging.masks import require_size, select_lesions
from radiogenomics.imaging.pyradiomics_engine import compute_features, describe, engine_name
from radiogenomics.imaging.settings import ExtractionSettings

Outcome = tuple[dict[str, float] | None, str]

# What a file or a region can do; anything else is a mistake in the program and ends the batch.
FAILURES = (RadiogenomicsError, OSError, ValueError, RuntimeError, ArithmeticError, MemoryError)


def features_of_volume(
    volume: Volume, settings: ExtractionSettings, *, region: str = "tumour"
) -> dict[str, float]:
    """Radiomic features of one volume: choose the lesions, crop, normalise, compute.

    The crop keeps as much around the lesions as the filters reach, so the whole image would give
    the same; the rest is let go before anything is computed.

    Parameters
    ----------
    volume
        Voxels with a mask of ``region`` and, for liver normalisation, of ``liver``.
    settings
        What to extract and how.
    region
        Name of the mask.

    Returns
    -------
    dict
        ``"{image type}_{family}_{feature}"`` → value; NaN where a feature is not defined.

    Raises
    ------
    UnknownNameError
        The volume lacks a mask.
    GeometryError
        The region is empty or too small, or the liver cannot serve as a yardstick.
    MissingExtraError
        The engine is not installed.
    """
    lesions = select_lesions(volume.mask(region), settings.lesions)
    require_size(lesions, settings.minimum_voxels)
    yardstick = None
    if settings.normalise == "liver":
        # All lesions are kept out of the yardstick, also those that are not measured.
        others = tuple({region, "tumour"} - {"liver"})
        yardstick = organ_statistics(volume, organ="liver", without=others)
    volume = replace(volume, masks={region: lesions})
    if settings.spacing_mm is None:
        # Resampling lays its grid out from the corner of the image, so then the crop comes after.
        volume = crop(volume, region, margin=settings.reach(volume.spacing_mm))
    if yardstick is not None:
        volume = standardise(volume, mean=yardstick[0], deviation=yardstick[1])
    return compute_features(volume, region, settings)


def extract_features(
    scans: Iterable[Scan],
    settings: ExtractionSettings,
    *,
    region: str = "tumour",
    name: str = "radiomics",
    jobs: int = 1,
) -> FeatureTable:
    """Extract radiomic features of many scans, one row a scan.

    Each scan is loaded, measured and let go by one process, so memory grows with ``jobs`` and not
    with the number of scans. Scans that fail are left out and a warning counts them by reason;
    their patients are those that the table lacks.

    Parameters
    ----------
    scans
        Scans with a mask of ``region``.
    settings
        For example ``settings_preset("irs")``.
    region
        Name of the mask.
    name
        Name of the table.
    jobs
        Processes.

    Returns
    -------
    FeatureTable
        ``obs``: patient_id, modality, phase, time_point, region, lesions. ``var``: unit, source,
        family, image_type. Rows are named ``patient/modality/phase/time point``, with a number
        behind where one patient has several such scans.

    Raises
    ------
    DataError
        There is no scan, or all fail.
    MissingExtraError
        The engine is not installed.
    """
    todo = list(scans)
    if not todo:
        raise DataError("expected scans; found none. Check the selection of phase and time point.")
    source = engine_name()  # before the batch: a missing engine is no fault of a scan
    work = (joblib.delayed(_attempt)(scan, settings, region) for scan in todo)
    results = joblib.Parallel(n_jobs=jobs, return_as="generator")(work)
    outcomes = list(progress(results, f"{name}: extracting", total=len(todo)))
    _report_failures(outcomes)
    return _table(todo, outcomes, name=name, source=source, region=region, lesions=settings.lesions)


def _table(
    scans: Sequence[Scan],
    outcomes: Sequence[Outcome],
    *,
    name: str,
    source: str,
    region: str,
    lesions: str,
) -> FeatureTable:
    """Table of the scans that have features."""
    kept = [(scan, found) for scan, (found, _) in zip(scans, outcomes, strict=True) if found]
    samples = _samples([scan for scan, _ in kept]).assign(region=region, lesions=lesions)
    values = pd.DataFrame([found for _, found in kept], index=samples.index)
    kinds = [describe(feature) for feature in values.columns]
    variables = pd.DataFrame(kinds, columns=["image_type", "family"], index=values.columns)
    return FeatureTable.from_frame(
        values,
        name=name,
        unit="feature",
        source=source,
        patient_id=[scan.patient_id for scan, _ in kept],
        samples=samples,
        variables=variables,
    )


def _attempt(scan: Scan, settings: ExtractionSettings, region: str) -> Outcome:
    """Features of a scan, or why there are none."""
    try:
        return features_of_volume(scan.load(), settings, region=region), ""
    except FAILURES as error:
        return None, f"{type(error).__name__}: {error}"


def _report_failures(outcomes: Sequence[Outcome]) -> None:
    """Warn of failed scans by reason; raise DataError when none is left."""
    reasons = Counter(reason for found, reason in outcomes if found is None)
    if not reasons:
        return
    failed = reasons.total()
    text = "; ".join(f"{count} × {reason}" for reason, count in reasons.most_common(5))
    if len(reasons) > 5:
        text += f"; and {len(reasons) - 5} more reasons"
    if failed == len(outcomes):
        raise DataError(f"expected features; found that all {failed} scans failed: {text}")
    warnings.warn(
        f"{failed} of {len(outcomes)} scans failed and are not in the table: {text}",
        RadiogenomicsWarning,
        stacklevel=3,
    )


def _samples(scans: Sequence[Scan]) -> pd.DataFrame:
    """Facts of each row, under unique names."""
    names: list[str] = []
    seen: Counter[str] = Counter()
    for scan in scans:
        base = f"{scan.patient_id}/{scan.modality}/{scan.phase}/{scan.time_point}"
        seen[base] += 1
        names.append(base if seen[base] == 1 else f"{base}/{seen[base]}")
    return pd.DataFrame(
        {
            "modality": [scan.modality for scan in scans],
            "phase": [scan.phase for scan in scans],
            "time_point": [scan.time_point for scan in scans],
        },
        index=pd.Index(names, dtype=object),
    )
