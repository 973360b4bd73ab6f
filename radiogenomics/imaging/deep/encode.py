"""Many scans → one table of deep features, with the bookkeeping of the radiomic one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.log import progress
from radiogenomics.core.scan import Scan
from radiogenomics.imaging.deep.crops import (
    Crop,
    attempt_crop,
    phases_of,
    warn_of_cut_off,
)
from radiogenomics.imaging.deep.encoder import Array, Encoder
from radiogenomics.imaging.deep.presets import EncoderSettings
from radiogenomics.imaging.extract import report_failures, sample_facts

TOGETHER = "+"
"""Between the phases of one view, in the facts of its row."""


def deep_features(
    scans: Iterable[Scan],
    encoder: Encoder,
    *,
    region: str = "tumour",
    name: str = "deep",
    jobs: int = 1,
    batch: int = 16,
) -> FeatureTable:
    """Encode many scans: one row a scan, or a patient and time point where phases are channels.

    Scans are loaded and cut by ``jobs`` processes and read by one network, so neither the number of
    processes nor, on a CPU, the size of the batch changes a bit of the result, and memory holds a
    batch of views. Scans that fail are left out and a warning counts them by reason; their
    patients are those that the table lacks.

    Parameters
    ----------
    scans
        With a mask of ``region``; where phases are channels, the first phase's has it.
    encoder
        Frozen network and view.
    region
        Name of the mask, or a word that makes one (``tumour_ring_10mm_in_liver``).
    name
        Name of the table.
    jobs, batch
        Processes that load and cut; views held and, on a GPU, read at once.

    Returns
    -------
    FeatureTable
        ``obs``: patient_id, modality, phase, time_point, region, lesions (the rule), and slice
        where each is read for itself. ``var``: unit, source (architecture and hash of the weights),
        family, image_type (the view), ibsi_code (empty). Variables are ``<backbone>_0001`` ...

    Raises
    ------
    DataError
        There is no scan, or all fail.
    """
    settings = encoder.settings
    todo = [phases_of(each, settings) for each in _together(list(scans), settings)]
    if not todo or batch < 1:
        raise DataError(
            f"expected scans, in batches of at least 1; found {len(todo)} and batches of {batch}. "
            "Check the selection of phase and time point."
        )
    facts: list[tuple[float | None, str]] = []
    rows: list[Array] = []
    with joblib.Parallel(n_jobs=jobs) as processes:
        for first in progress(range(0, len(todo), batch), f"{name}: encoding"):
            part = todo[first : first + batch]
            found = processes(joblib.delayed(_attempt)(*each, settings, region) for each in part)
            rows += _encoded(encoder, [crop for crop, _ in found if crop is not None])
            facts += [(None if crop is None else crop.cut_off, reason) for crop, reason in found]
    report_failures([(None if cut is None else {}, reason) for cut, reason in facts])
    warn_of_cut_off([cut for cut, _ in facts if cut is not None], stacklevel=2)
    kept = [each[0] for (each, _), (cut, _) in zip(todo, facts, strict=True) if cut is not None]
    return _table(kept, np.stack(rows), encoder, name=name, region=region)


def _together(scans: Sequence[Scan], settings: EncoderSettings) -> list[list[Scan]]:
    """Scans that are read as one: each for itself, or those of a patient and time point."""
    if not settings.phases:
        return [[scan] for scan in scans]
    groups: dict[tuple[str, str], list[Scan]] = {}
    for scan in scans:
        groups.setdefault((scan.patient_id, scan.time_point), []).append(scan)
    return list(groups.values())


def _attempt(
    scans: Sequence[Scan], problem: str, settings: EncoderSettings, region: str
) -> tuple[Crop | None, str]:
    """View of the scans that are read as one, or why there is none."""
    if problem:
        wanted = ", ".join(settings.phases)
        return None, f"AlignmentError: expected the phases {wanted}; found {problem}"
    return attempt_crop(scans, settings, region)


def _encoded(encoder: Encoder, crops: Sequence[Crop]) -> list[Array]:
    """Features of views, each (slices or 1, width)."""
    if not crops:
        return []
    values = np.stack([crop.values for crop in crops])
    if encoder.settings.pooling == "each":
        return list(encoder.instances(values, batch=len(values)))
    return list(encoder.features(values, batch=len(values))[:, np.newaxis])


def _table(
    scans: Sequence[Scan], features: Array, encoder: Encoder, *, name: str, region: str
) -> FeatureTable:
    settings = encoder.settings
    if settings.phases:
        scans = [replace(scan, phase=TOGETHER.join(settings.phases)) for scan in scans]
    samples = sample_facts([(scan, "") for scan in scans])
    patients = [scan.patient_id for scan in scans]
    if settings.pooling == "each":
        numbers = np.tile(np.arange(1, settings.slices + 1), len(scans))
        samples = samples.loc[np.repeat(samples.index, settings.slices)].assign(slice=numbers)
        samples.index = pd.Index(
            [f"{row}/slice {n}" for row, n in zip(samples.index, numbers, strict=True)],
            dtype=object,
        )
        patients = np.repeat(patients, settings.slices).tolist()
    samples = samples.assign(region=region, lesions=settings.lesions)
    columns = [f"{settings.backbone}_{n:04d}" for n in range(1, encoder.width + 1)]
    values = pd.DataFrame(features.reshape(len(samples), -1), samples.index, columns)
    facts = {"family": "deep", "image_type": settings.view, "ibsi_code": ""}
    return FeatureTable.from_frame(
        values,
        name=name,
        unit="1",
        source=encoder.origin,
        patient_id=patients,
        samples=samples,
        variables=pd.DataFrame(facts, index=values.columns),
    )
