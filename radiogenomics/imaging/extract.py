"""Many scans → one feature table; a scan that fails costs itself, not the batch."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import joblib
import pandas as pd

from radiogenomics.core.errors import DataError, RadiogenomicsError, RadiogenomicsWarning
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.log import progress
from radiogenomics.core.scan import Scan
from radiogenomics.imaging.backend import Backend, engine_name
from radiogenomics.imaging.lesions import features_of_lesions
from radiogenomics.imaging.radiomics.families import meaning
from radiogenomics.imaging.settings import ExtractionSettings

Features = dict[str, float]
Outcome = tuple[Mapping[str, Features] | None, str]

# What a file or a region can do; anything else is a mistake in the program and ends the batch.
FAILURES = (RadiogenomicsError, OSError, ValueError, RuntimeError, ArithmeticError, MemoryError)


def extract_features(
    scans: Iterable[Scan],
    settings: ExtractionSettings,
    *,
    region: str = "tumour",
    name: str = "radiomics",
    jobs: int = 1,
    backend: Backend = "native",
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
    backend
        Engine that measures.

    Returns
    -------
    FeatureTable
        ``obs``: patient_id, modality, phase, time_point, region, lesions (the rule), and lesion
        where each is measured. ``var``: unit, source, family, image_type, ibsi_code. Rows are named
        ``patient/modality/phase/time point``, with the lesion behind where each is measured, and a
        number where one patient has several such scans.

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
    source = engine_name(backend, settings)  # a missing engine is no fault of a scan
    work = (joblib.delayed(_attempt)(scan, settings, region, backend) for scan in todo)
    results = joblib.Parallel(n_jobs=jobs, return_as="generator")(work)
    outcomes = list(progress(results, f"{name}: extracting", total=len(todo)))
    report_failures(outcomes)
    measured = zip(todo, (found or {} for found, _ in outcomes), strict=True)
    rows = [(scan, lesion, row) for scan, found in measured for lesion, row in found.items()]
    facts = {"region": region, "lesions": settings.lesions}
    return _table(rows, name=name, source=source, facts=facts)


def _table(
    rows: Sequence[tuple[Scan, str, Features]],
    *,
    name: str,
    source: str,
    facts: Mapping[str, str],
) -> FeatureTable:
    """Table of the scans that have features."""
    samples = sample_facts([(scan, lesion) for scan, lesion, _ in rows]).assign(**facts)
    values = pd.DataFrame([found for _, _, found in rows], index=samples.index)
    variables = pd.DataFrame([asdict(meaning(n)) for n in values.columns], index=values.columns)
    return FeatureTable.from_frame(
        values,
        name=name,
        unit="feature",
        source=source,
        patient_id=[scan.patient_id for scan, _, _ in rows],
        samples=samples,
        variables=variables,
    )


def _attempt(scan: Scan, settings: ExtractionSettings, region: str, backend: Backend) -> Outcome:
    """Features of a scan by lesion, or why there are none."""
    try:
        return features_of_lesions(scan.load(), settings, region=region, backend=backend), ""
    except FAILURES as error:
        return None, f"{type(error).__name__}: {error}"


def report_failures(outcomes: Sequence[Outcome]) -> None:
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


def sample_facts(rows: Sequence[tuple[Scan, str]]) -> pd.DataFrame:
    """Facts of each row, under unique names."""
    names: list[str] = []
    seen: Counter[str] = Counter()
    for scan, lesion in rows:
        words = (scan.patient_id, scan.modality, scan.phase, scan.time_point)
        base = "/".join(words) + (f"/lesion {lesion}" if lesion else "")
        seen[base] += 1
        names.append(base if seen[base] == 1 else f"{base}/{seen[base]}")
    samples = pd.DataFrame(
        {
            "modality": [scan.modality for scan, _ in rows],
            "phase": [scan.phase for scan, _ in rows],
            "time_point": [scan.time_point for scan, _ in rows],
        },
        index=pd.Index(names, dtype=object),
    )
    lesions = [lesion for _, lesion in rows]
    return samples.assign(lesion=lesions) if any(lesions) else samples
