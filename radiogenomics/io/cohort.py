"""A manifest's tables put together: files → Cohort."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import DataError, MissingFileError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.outcomes import Outcome
from radiogenomics.core.provenance import hash_file
from radiogenomics.core.scan import Scan
from radiogenomics.io.clinical import read_outcome, read_patients
from radiogenomics.io.expression import read_assay
from radiogenomics.io.identifiers import require_overlap, require_same_rows
from radiogenomics.io.layout import Table, data_file
from radiogenomics.io.manifest import AssayTable, Manifest, read_manifest
from radiogenomics.io.plausibility import check_assay
from radiogenomics.io.scans import hash_scans, read_scans


def load_cohort(manifest_path: str | Path, *, data_root: str | Path) -> Cohort:
    """Read everything a manifest names.

    Patients are those of the patients' table, then those that only an assay, outcome or scan has
    (their facts are missing). Every sample of an assay is kept. Times become months.

    Parameters
    ----------
    manifest_path
        The manifest.
    data_root
        Folder that its files are relative to.

    Returns
    -------
    Cohort

    Raises
    ------
    MissingFileError, ChecksumError
        A file is absent or another than the one recorded.
    SchemaError
        The manifest is wrong.
    AlignmentError
        Identifiers repeat, or those of a table match nowhere.
    OutcomeError
        A time is negative or not a number, or an event has none.
    DataError, UnknownNameError
        A file is broken, a column absent, a value not a number, or a table cannot be what the
        manifest declares (counts called log2, say).

    Examples
    --------
    >>> load_cohort("data_manifests/tcga_lihc.yaml", data_root="../data")  # doctest: +SKIP
    """
    manifest = read_manifest(Path(manifest_path))
    root = check_root(data_root)
    patients = read_patients(manifest.patients, root)
    assays = {name: _plausible(name, rule, root) for name, rule in manifest.assays.items()}
    outcomes = {
        name: read_outcome(name, rule, root, patients=patients).outcome
        for name, rule in manifest.outcomes.items()
    }
    scans = () if manifest.scans is None else read_scans(manifest.scans, root)
    return assemble(manifest, patients.facts, assays=assays, outcomes=outcomes, scans=scans)


def _plausible(name: str, rule: AssayTable, root: Path) -> FeatureTable:
    table = read_assay(name, rule, root).table
    impossible = [finding for finding in check_assay(table, rule) if finding.level == "error"]
    if impossible:
        first = impossible[0]
        raise DataError(f"{first.what}: expected {first.expected}; found {first.found}. {first.do}")
    return table


def assemble(
    manifest: Manifest,
    facts: pd.DataFrame,
    *,
    assays: Mapping[str, FeatureTable],
    outcomes: Mapping[str, Outcome],
    scans: tuple[Scan, ...],
) -> Cohort:
    """Build the cohort from tables already read; identifiers must meet those of ``facts``.

    Raises
    ------
    AlignmentError
        A linked table shares no identifier with the patients' table, or tables that are aligned by
        the order of their rows have different numbers of rows.
    """
    for name, table in assays.items():
        identifier = manifest.assays[name].id
        if identifier.row and identifier.linked:
            require_same_rows(table.patient_ids, facts.index, what=f"assay {name}")
    everyone = dict.fromkeys(facts.index)
    for what, rule, ids in members(manifest, assays=assays, outcomes=outcomes, scans=scans):
        if rule.id.linked:
            require_overlap(ids, facts.index, what=what, cohort=manifest.cohort)
        everyone |= dict.fromkeys(ids)
    return Cohort(
        id=manifest.cohort,
        patients=facts.reindex(pd.Index(list(everyone), dtype=object, name="patient_id")),
        assays=assays,
        scans=scans,
        outcomes=outcomes,
        citation=manifest.citation,
        licence=manifest.licence,
        simulated=manifest.simulated,
    )


def input_hashes(manifest_path: str | Path, *, data_root: str | Path) -> dict[str, str]:
    """SHA-256 of the manifest and of each file it names, by logical name.

    Images and masks share one hash, ``scans.images``.

    Raises
    ------
    MissingFileError
        A file is absent.
    """
    path = Path(manifest_path)
    manifest, root = read_manifest(path), check_root(data_root)
    hashes = {"manifest": hash_file(path)}
    for name, table in manifest.tables().items():
        for part in table.pieces():
            label = f"{name}[{part.name}]" if part.name else name
            hashes[label] = hash_file(data_file(root, part.file))
        if table.names_file is not None:
            hashes[f"{name}.names"] = hash_file(data_file(root, table.names_file))
    if manifest.scans is not None:
        hashes["scans.images"] = hash_scans(read_scans(manifest.scans, root))
    return hashes


def members(
    manifest: Manifest,
    *,
    assays: Mapping[str, FeatureTable],
    outcomes: Mapping[str, Outcome],
    scans: tuple[Scan, ...],
) -> list[tuple[str, Table, list[str]]]:
    """Tables beside the patients' own: name, the rule for its identifiers, patients."""
    found: list[tuple[str, Table, list[str]]] = []
    for name, table in assays.items():
        rule = manifest.assays[name]
        found.append((f"assay {name}", rule.samples or rule, list(table.patient_ids)))
    for name, outcome in outcomes.items():
        if manifest.outcomes[name].pieces():
            found.append((f"outcome {name}", manifest.outcomes[name], list(outcome.patient_ids)))
    if manifest.scans is not None and scans:
        ids = list(dict.fromkeys(scan.patient_id for scan in scans))
        found.append(("scans", manifest.scans, ids))
    return found


def check_root(data_root: str | Path) -> Path:
    """Return the data root as a path; MissingFileError when it is no folder."""
    root = Path(data_root)
    if not root.is_dir():
        raise MissingFileError(
            f"expected a folder with the data at {root}; found none. Correct the data root."
        )
    return root
