"""A simulated cohort as files and a manifest, so that it is read like any other cohort."""

from __future__ import annotations

import copy
import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import yaml

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import MissingExtraError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.log import progress
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.core.provenance import hash_file
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.simulate.cohort import SimulatedHCC
from radiogenomics.simulate.staging import complete_or_not

MANIFEST = "manifest.yaml"
TEXT = frozenset({"site", "sex", "itls"})


def write_cohort(simulated: SimulatedHCC, folder: Path | str, *, jobs: int = 1) -> Path:
    """Write tables, images, masks and the manifest that describes them.

    ``patients.csv`` (facts and outcomes), one parquet file an assay, ``samples.csv``, ``scans.csv``
    with NIfTI images and masks, and ``manifest.yaml`` with checksums. ``truth.csv`` and
    ``single_cell.h5ad`` lie beside them and are not in the manifest: the first must not be read by
    an analysis, the second is no table. The folder appears complete or not at all.

    Parameters
    ----------
    simulated
        What :func:`~radiogenomics.simulate.hcc_cohort` returned.
    folder
        A new or empty folder.
    jobs
        Processes that make scans.

    Returns
    -------
    pathlib.Path
        The manifest; its folder is the data root.

    Raises
    ------
    DataError
        The folder holds something already.
    MissingFileError
        The folder that should hold it does not exist.
    MissingExtraError
        There are scans to write and nibabel is not installed.
    """
    folder = Path(folder)
    with complete_or_not(folder) as staging:
        _write_all(simulated, staging, jobs)
    return folder / MANIFEST


def _write_all(simulated: SimulatedHCC, folder: Path, jobs: int) -> None:
    cohort = simulated.cohort
    manifest = {
        "cohort": cohort.id,
        "title": f"Simulated HCC, effect {simulated.effect:g}, seed {simulated.seed}",
        "licence": cohort.licence,
        "citation": cohort.citation,
        "simulated": True,
        "patients": _write_patients(cohort, folder),
        "assays": _write_assays(cohort, folder),
        "outcomes": _outcome_rules(cohort),
    }
    if cohort.scans:
        manifest["scans"] = write_scans(cohort.scans, folder, jobs)
    if "scrna" in cohort.assays:
        cohort.assay("scrna").adata.write_h5ad(folder / "single_cell.h5ad", compression="gzip")
    simulated.truth.to_csv(folder / "truth.csv", index_label="patient_id")
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=100)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _write_patients(cohort: Cohort, folder: Path) -> dict[str, Any]:
    facts = list(map(str, cohort.patients.columns))
    table = cohort.patients.copy()
    for name, outcome in cohort.outcomes.items():
        if isinstance(outcome, SurvivalOutcome):
            table[f"{name}_months"] = outcome.time
            table[name] = outcome.event.astype(int)
        else:
            table[name] = outcome.category
    table.to_csv(folder / "patients.csv", index_label="patient_id")
    columns = {
        fact: {"column": fact, "kind": "text" if fact in TEXT else "number"} for fact in facts
    }
    return {
        **_entry(folder, "patients.csv"),
        "id": {"column": "patient_id", "kind": "plain"},
        "columns": columns,
    }


def _write_assays(cohort: Cohort, folder: Path) -> dict[str, Any]:
    tables = {name: table for name, table in cohort.assays.items() if name != "scrna"}
    samples = tables["rna"].samples
    samples.to_csv(folder / "samples.csv", index_label="sample")
    link = {
        **_entry(folder, "samples.csv"),
        "sample": "sample",
        "patient": "patient_id",
        "facts": {
            "sample_type": {"column": "sample_type", "kind": "text"},
            "batch": {"column": "batch", "kind": "text"},
            "library_size": {"column": "library_size", "kind": "number"},
        },
    }
    entries = {}
    for name, table in tables.items():
        values = table.values.T.rename_axis("symbol").reset_index()
        values.columns.name = None
        values.to_parquet(folder / f"{name}.parquet", index=False)
        entries[name] = {
            **_entry(folder, f"{name}.parquet"),
            "orientation": "genes_by_samples",
            "identifiers": "symbol",
            "unit": _unit(table),
            "variable_column": "symbol",
            # A copy each: one object in two places would be written as a YAML alias.
            "samples": copy.deepcopy(link),
        }
    return entries


def _unit(table: FeatureTable) -> str:
    """Unit of all variables; measures of images, each with its own, are features."""
    units = set(table.variables["unit"].astype(str))
    return units.pop() if len(units) == 1 else "feature"


def _outcome_rules(cohort: Cohort) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    for name, outcome in cohort.outcomes.items():
        if isinstance(outcome, ResponseOutcome):
            rules[name] = {"kind": "response", "column": name, "criterion": outcome.criterion}
        else:
            rules[name] = {
                "kind": "survival",
                "time": f"{name}_months",
                "event": name,
                "time_unit": "months",
                "origin": outcome.origin,
            }
    return rules


def write_scans(scans: tuple[Scan, ...], folder: Path, jobs: int) -> dict[str, Any]:
    """Write scans with their masks as NIfTI into ``images/``; return the manifest's entry."""
    try:
        import nibabel  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "expected the package nibabel to write images; found none. "
            "Install it: pip install 'radiogenomics[imaging]'."
        ) from None
    (folder / "images").mkdir()
    work = joblib.Parallel(n_jobs=jobs, return_as="generator")(
        joblib.delayed(_write_scan)(scan, folder) for scan in scans
    )
    rows = list(progress(work, "scans", total=len(scans)))
    pd.DataFrame(rows).to_csv(folder / "scans.csv", index=False)
    return _entry(folder, "scans.csv")


def _write_scan(scan: Scan, folder: Path) -> Mapping[str, str]:
    volume = scan.load()
    stem = f"images/{scan.patient_id}_{scan.modality}_{scan.phase}_{scan.time_point}"
    row = {
        "patient_id": scan.patient_id,
        "modality": scan.modality,
        "phase": scan.phase,
        "time_point": scan.time_point,
        "image": f"{stem}.nii.gz",
    }
    _write_nifti(volume.voxels, volume, folder / row["image"])
    for region, mask in volume.masks.items():
        row[f"mask_{region}"] = f"{stem}_{region}.nii.gz"
        _write_nifti(mask, volume, folder / row[f"mask_{region}"])
    return row


def _write_nifti(voxels: np.ndarray, volume: Volume, path: Path) -> None:
    """Write (z, y, x) voxels as NIfTI-1: axes (x, y, z), and LPS positions turned into RAS."""
    import nibabel

    affine = np.eye(4)
    affine[:3, :3] = np.reshape(volume.direction, (3, 3)) * np.array(volume.spacing_mm[::-1])
    affine[:3, 3] = volume.origin_mm
    image = nibabel.Nifti1Image(np.ascontiguousarray(voxels.T), np.diag([-1, -1, 1, 1]) @ affine)
    image.header.set_xyzt_units("mm")
    # No time stamp: the same scan is the same file.
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=1, mtime=0))


def _entry(folder: Path, file: str) -> dict[str, Any]:
    return {"file": file, "source": "simulated", "sha256": hash_file(folder / file)}
