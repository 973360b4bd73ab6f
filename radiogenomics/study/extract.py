"""A list of scans → one table of radiomic features, through kills, crashes and bad scans."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pandas as pd

from radiogenomics.core.errors import DataError, RadiogenomicsError, SchemaError, UnknownNameError
from radiogenomics.core.log import get_logger, progress
from radiogenomics.core.provenance import version, versions
from radiogenomics.core.schema import parse
from radiogenomics.imaging import ExtractionSettings, load_settings
from radiogenomics.imaging.backend import BACKENDS, Backend
from radiogenomics.io.images.match import REPAIRS, Repair
from radiogenomics.io.journal import Journal, open_journal
from radiogenomics.io.scan_list import ScanRow, content_hash, read_scan_list
from radiogenomics.io.store import pseudonym
from radiogenomics.study.batch import run_in_processes, run_on_cluster
from radiogenomics.study.measure import Measured, Plan, Work, measure

FORMATS = (".csv", ".parquet")
SINGLE = "scan"
DIED = Measured(
    content="",
    lesions={},
    error="ProcessDied",
    reason="expected the process to finish; found it killed or crashed (out of memory?)",
    mend="Run this scan alone, with more memory, or at a coarser spacing.",
)


@dataclass(frozen=True, eq=False)
class Extraction:
    """What an extraction gave.

    Parameters
    ----------
    table
        One row a patient (and lesion, where each is measured): identifiers, then features.
    failures
        Scans without features: number in the list, patient, error, reason and mend.
    notes
        What was repaired or should be known, scan by scan.
    resumed
        Scans whose rows were there from an earlier run.
    path
        Where the table was written.
    """

    table: pd.DataFrame
    failures: pd.DataFrame
    notes: pd.DataFrame
    resumed: int
    path: Path

    @property
    def ok(self) -> bool:
        """Whether every scan has features."""
        return self.failures.empty

    def summary(self) -> dict[str, Any]:
        """Counts and place as plain data."""
        return {
            "table": str(self.path),
            "rows": len(self.table),
            "columns": self.table.shape[1],
            "resumed": self.resumed,
            "failed": len(self.failures),
            "notes": len(self.notes),
        }

    def __repr__(self) -> str:
        """Return counts and place in one line."""
        return (
            f"Extraction({len(self.table)} rows × {self.table.shape[1]} columns at {self.path}; "
            f"{len(self.failures)} scans failed)"
        )


def extract(
    *,
    settings: str | Path | ExtractionSettings,
    out: str | Path,
    image: str | Path | None = None,
    mask: str | Path | None = None,
    label: int | None = None,
    roi: str = "",
    scans: str | Path | None = None,
    lesions: str | None = None,
    backend: Backend = "native",
    repair: Repair = "error",
    jobs: int | None = None,
    dask: str | None = None,
    hash_ids: str | None = None,
) -> Extraction:
    """Measure one scan or a list of scans into a table; each row is safe on the disk once done.

    Killed at any moment and started again with the same words it goes on where it was and ends
    with the table that an undisturbed run gives. Scans that fail are tried again by the next run.

    Parameters
    ----------
    settings
        A preset, a pyradiomics parameter file, or settings.
    out
        ``.csv`` or ``.parquet``. Beside it: ``.journal`` (finished rows), ``.provenance.json`` and,
        where there are any, ``.failures.csv`` (with reason and mend) and ``.notes.csv``.
    image, mask, label, roi
        One scan; ``label`` chooses a value in the mask, ``roi`` a structure of a DICOM mask.
    scans
        Or a table with the columns patient_id, image_path, mask_path and, where wanted, label,
        phase, time_point and roi, which become prefixes (``Pre_A_liver_original_...``).
    lesions
        Rule from lesions to patients, instead of that of the settings.
    backend
        ``native``, or ``pyradiomics`` for comparison.
    repair
        What to do when image and mask do not share a grid.
    jobs
        Processes; all cores if None.
    dask
        Address of a Dask scheduler to use instead of processes.
    hash_ids
        Secret under which patient identifiers are replaced by pseudonyms in all outputs.

    Raises
    ------
    DataError
        The list or the settings are wrong, or the output's journal belongs to other work.
    UnknownNameError
        A preset, backend, policy or column is unknown.
    """
    rows = _asked(image, mask, ScanRow(SINGLE, Path(), Path(), label=label, structure=roi), scans)
    plan = _plan(settings, lesions=lesions, backend=backend, repair=repair)
    processes = jobs or os.cpu_count() or 1
    return _extract(rows, plan, Path(out), jobs=processes, dask=dask, hash_ids=hash_ids)


def _asked(
    image: str | Path | None, mask: str | Path | None, one: ScanRow, scans: str | Path | None
) -> tuple[ScanRow, ...]:
    """Rows of the list, or the one scan that was named."""
    if scans is not None and image is None and mask is None:
        return read_scan_list(scans)
    if scans is None and image is not None and mask is not None:
        return (replace(one, image=Path(image), mask=Path(mask)),)
    raise SchemaError(
        "expected an image with its mask, or a list of scans; found parts of both, or neither. "
        "Give --image and --mask, or --scans."
    )


def _plan(
    settings: str | Path | ExtractionSettings, *, lesions: str | None, backend: str, repair: str
) -> Plan:
    """What is done to every scan; a wrong word is found here, before any scan is read."""
    for kind, word, known in (("backend", backend, BACKENDS), ("repair", repair, REPAIRS)):
        if word not in known:
            raise UnknownNameError(kind, word, known)
    chosen = settings if isinstance(settings, ExtractionSettings) else load_settings(settings)
    if lesions is not None:
        words = chosen.model_dump() | {"lesions": lesions}
        chosen = parse(ExtractionSettings, words, where="settings")
    return Plan(chosen, cast("Backend", backend), cast("Repair", repair))


def _extract(
    rows: Sequence[ScanRow],
    plan: Plan,
    out: Path,
    *,
    jobs: int,
    dask: str | None,
    hash_ids: str | None,
) -> Extraction:
    target = _checked_target(out)
    words = {**plan.words(), "version": version()}
    # Cores that no scan of its own keeps busy compute the image types of one side by side.
    tasks = {row.key: Work(row, plan, threads=max(1, jobs // len(rows))) for row in rows}
    with open_journal(_beside(target, ".journal"), work=words) as journal:
        todo = {key: task for key, task in tasks.items() if not _is_done(journal, key, task)}
        resumed = len(tasks) - len(todo)
        if resumed:
            get_logger(__name__).info("%d of %d scans are there already", resumed, len(tasks))
        failed = _work(todo, journal, jobs=jobs, dask=dask)
        named = {row.key: _named(row, hash_ids) for row in rows}
        table = _table(named, journal.rows, lesions=plan.settings.lesions)
        failures = _failures(named, failed)
        notes = _notes(named, journal.rows)
    _write(table, target)
    _write_or_remove(failures, _beside(target, ".failures.csv"))
    _write_or_remove(notes, _beside(target, ".notes.csv"))
    made = {**words, "versions": versions(), "scans": len(rows), "failed": len(failures)}
    text = json.dumps(made, indent=2, sort_keys=True) + "\n"
    _replace(_beside(target, ".provenance.json"), lambda draft: draft.write_text(text, "utf-8"))
    return Extraction(table, failures, notes, resumed, target)


def _work(
    todo: Mapping[str, Work], journal: Journal, *, jobs: int, dask: str | None
) -> dict[str, Measured]:
    """Do what is left, write each row to the journal, and return what failed."""
    failed = {}
    outcomes: Iterator[tuple[str, Measured | None]]
    if dask is not None:
        outcomes = run_on_cluster(measure, todo, address=dask)
    else:
        outcomes = run_in_processes(measure, todo, jobs=min(jobs, max(1, len(todo))))
    for key, outcome in progress(outcomes, "extracting", total=len(todo)):
        found = outcome or DIED
        if found.error:
            failed[key] = found
        else:
            row = {"content": found.content, "lesions": found.lesions, "notes": found.notes}
            journal.add(key, row)
    return failed


def _is_done(journal: Journal, key: str, task: Work) -> bool:
    """Whether the journal holds this row, made from files of the same content."""
    if key not in journal.rows:
        return False
    try:
        return bool(journal.rows[key]["content"] == content_hash(task.row))
    except (RadiogenomicsError, OSError):
        return False


def _named(row: ScanRow, secret: str | None) -> ScanRow:
    return row if secret is None else replace(row, patient_id=pseudonym(secret, row.patient_id))


def _table(
    rows: Mapping[str, ScanRow], done: Mapping[str, Mapping[str, Any]], *, lesions: str
) -> pd.DataFrame:
    """One row a patient and lesion, in the order of the list; scans become prefixed columns."""
    found: dict[tuple[str, str], dict[str, float | None]] = {}
    for key, row in rows.items():
        if key in done:
            for lesion, features in done[key]["lesions"].items():
                cells = found.setdefault((row.patient_id, lesion), {})
                cells |= {row.prefix + name: value for name, value in features.items()}
    facts = [
        {"patient_id": patient, "lesions": lesions} | ({"lesion": lesion} if lesion else {})
        for patient, lesion in found
    ]
    features = pd.DataFrame(list(found.values())).astype(float)
    return pd.concat([pd.DataFrame(facts), features], axis=1)


def _failures(rows: Mapping[str, ScanRow], failed: Mapping[str, Measured]) -> pd.DataFrame:
    records = [
        _facts(number, row)
        | {"error": failed[key].error, "reason": failed[key].reason, "mend": failed[key].mend}
        for number, (key, row) in enumerate(rows.items(), start=1)
        if key in failed
    ]
    return pd.DataFrame(records)


def _notes(rows: Mapping[str, ScanRow], done: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    records = [
        _facts(number, row) | {"note": note}
        for number, (key, row) in enumerate(rows.items(), start=1)
        if key in done
        for note in done[key]["notes"]
    ]
    return pd.DataFrame(records)


def _facts(number: int, row: ScanRow) -> dict[str, Any]:
    """Which scan it is, in words that may leave the house."""
    words = {"time_point": row.time_point, "phase": row.phase, "roi": row.roi}
    return {"scan": number, "patient_id": row.patient_id, **words}


def _checked_target(target: Path) -> Path:
    if target.suffix not in FORMATS:
        raise SchemaError(
            f"{target.name}: expected an output called *.csv or *.parquet; found "
            f"{target.suffix or 'no ending'!r}. Rename it."
        )
    if target.is_dir():
        raise DataError(f"{target}: expected a file to write; found a folder. Choose another name.")
    return target


def _beside(target: Path, ending: str) -> Path:
    return target.with_name(target.name + ending)


def _write(table: pd.DataFrame, target: Path) -> None:
    """Write a table in full precision; a reader sees the old file or the new one."""
    if target.suffix == ".parquet":
        _replace(target, lambda draft: table.to_parquet(draft, index=False))
    else:
        _replace(target, lambda draft: table.to_csv(draft, index=False, lineterminator="\n"))


def _write_or_remove(table: pd.DataFrame, target: Path) -> None:
    """A table without rows is no file, so what an earlier run left is taken away."""
    if table.empty:
        target.unlink(missing_ok=True)
    else:
        _write(table, target)


def _replace(target: Path, write: Callable[[Path], object]) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        write(draft)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
