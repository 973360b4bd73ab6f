"""A list of scans → one table of radiomic features, through kills, crashes and bad scans."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pandas as pd

from radiogenomics.core.errors import DataError, RadiogenomicsError, SchemaError, UnknownNameError
from radiogenomics.core.log import get_logger, progress
from radiogenomics.core.provenance import hash_text, version, versions
from radiogenomics.core.schema import parse
from radiogenomics.imaging import ExtractionSettings, load_settings
from radiogenomics.imaging.backend import BACKENDS, Backend
from radiogenomics.imaging.control_features import ControlRule
from radiogenomics.imaging.controls import Control, Part
from radiogenomics.io.images.match import REPAIRS, Repair
from radiogenomics.io.journal import Journal, open_journal
from radiogenomics.io.scan_list import ScanRow, content_hash, read_scan_list
from radiogenomics.io.store import pseudonym, replaced_file
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
    series: str = "",
    scans: str | Path | None = None,
    lesions: str | None = None,
    backend: Backend = "native",
    repair: Repair = "error",
    control: Control | None = None,
    control_part: Part = "inside",
    control_seed: int = 0,
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
    image, mask, label, roi, series
        One scan: a value in the mask, a structure of a DICOM mask, a series of a DICOM folder.
    scans
        Or a table: patient_id, image_path, mask_path; where wanted label and series, and phase,
        time_point and roi, which become prefixes (``Pre_A_liver_original_...``).
    lesions, repair, backend
        Rule from lesions to patients, instead of that of the settings; what to do when image and
        mask do not share a grid; ``native``, or ``pyradiomics`` for comparison.
    control, control_part, control_seed
        Negative controls instead of the scans: see `ControlRule`.
    jobs, dask
        Processes, all cores if None; or address of a Dask scheduler to use instead.
    hash_ids
        Secret under which patient identifiers are replaced by pseudonyms in all outputs.

    Raises
    ------
    DataError, SchemaError, UnknownNameError
        The list or the settings are wrong, the output's journal belongs to other work, or words
        do not go together or are unknown.
    """
    one = ScanRow(SINGLE, Path(), Path(), label=label, structure=roi, series=series)
    rows = _asked(image, mask, one, scans)
    rule = _control(control, part=control_part, seed=control_seed)
    plan = replace(_plan(settings, lesions=lesions, backend=backend, repair=repair), control=rule)
    processes = jobs or os.cpu_count() or 1
    return _extract(rows, plan, Path(out), jobs=processes, dask=dask, hash_ids=hash_ids)


def _asked(
    image: str | Path | None, mask: str | Path | None, one: ScanRow, scans: str | Path | None
) -> tuple[ScanRow, ...]:
    """Rows of the list, or the one scan that was named."""
    if scans is not None and image is None and mask is None:
        return read_scan_list(scans)
    if scans is None and image is not None and mask is not None:
        listed = (str(image), str(mask))
        return (replace(one, image=Path(image), mask=Path(mask), listed=listed),)
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


def _control(control: Control | None, *, part: Part, seed: int) -> ControlRule | None:
    """The control that was asked for; words that would change nothing are a mistake."""
    if control is None and (part, seed) == ("inside", 0):
        return None
    if control is None or seed < 0:
        raise SchemaError(
            "expected a control beside its part and its seed, and a seed from 0; found control "
            f"{control}, part {part} and seed {seed}. Name the control: shuffled, sampled or "
            "uniform."
        )
    return ControlRule(control, part, seed)


def _extract(
    rows: Sequence[ScanRow],
    plan: Plan,
    out: Path,
    *,
    jobs: int,
    dask: str | None,
    hash_ids: str | None,
) -> Extraction:
    target = _checked_target(out, rows)
    words = {**plan.words(), "version": version()}
    # Cores that no scan of its own keeps busy compute the image types of one side by side.
    threads = 1 if dask is not None else max(1, jobs // len(rows))
    tasks = {_key(row, hash_ids): Work(_absolute(row), plan, threads=threads) for row in rows}
    named = {_key(row, hash_ids): _named(row, hash_ids) for row in rows}
    with open_journal(_beside(target, ".journal"), work=words) as journal:
        todo = {key: task for key, task in tasks.items() if not _is_done(journal, key, task)}
        resumed = len(tasks) - len(todo)
        if resumed:
            get_logger(__name__).info("%d of %d scans are there already", resumed, len(tasks))
        failed = {}
        for key, found in _outcomes(todo, rows, jobs=jobs, dask=dask, hash_ids=hash_ids):
            told = found if hash_ids is None else _without_names(found, tasks[key].row)
            if told.error:
                failed[key] = told
            else:
                journal.add(key, told.record())
        done = {key: row for key, row in journal.rows.items() if key not in failed}
        table = _table(named, done, plan=plan)
        failures, notes = _failures(named, failed), _notes(named, done)
        made = {**words, "versions": versions(), "scans": len(rows), "failed": len(failures)}
        _write(table, target)
        _write_or_remove(failures, _beside(target, ".failures.csv"))
        _write_or_remove(notes, _beside(target, ".notes.csv"))
        text = json.dumps(made, indent=2, sort_keys=True) + "\n"
        with replaced_file(_beside(target, ".provenance.json")) as draft:
            draft.write_text(text, "utf-8")
    return Extraction(table, failures, notes, resumed, target)


def _outcomes(
    todo: Mapping[str, Work],
    rows: Sequence[ScanRow],
    *,
    jobs: int,
    dask: str | None,
    hash_ids: str | None,
) -> Iterator[tuple[str, Measured]]:
    """Do what is left; a single scan needs no process of its own, it has no batch to take along."""
    outcomes: Iterable[tuple[str, Measured | None]]
    if dask is not None:
        outcomes = run_on_cluster(measure, todo, address=dask)
    elif len(rows) == 1 and hash_ids is None:
        outcomes = ((key, measure(task)) for key, task in todo.items())
    else:
        outcomes = run_in_processes(measure, todo, jobs=jobs)
    for key, outcome in progress(outcomes, "extracting", total=len(todo)):
        yield key, outcome or DIED


def _key(row: ScanRow, secret: str | None) -> str:
    """Name of a row in the journal; under a secret nobody else can make it from an identifier."""
    return row.key if secret is None else hash_text(f"{secret}\x1f{row.key}")[:24]


def _absolute(row: ScanRow) -> ScanRow:
    """The row with paths that another process finds, wherever it was started."""
    return replace(row, image=row.image.absolute(), mask=row.mask.absolute())


def _without_names(found: Measured, row: ScanRow) -> Measured:
    """Words without the patient and without names of files and folders, which often hold one."""
    names = {part: "mask" for part in row.mask.parts} | {part: "image" for part in row.image.parts}
    names |= {path.stem: word for path, word in ((row.mask, "mask"), (row.image, "image"))}
    names[row.patient_id] = "patient"
    longest = sorted((name for name in names if len(name) > 1), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest)))

    def told(text: str) -> str:
        return pattern.sub(lambda match: names[match[0]], text)

    return replace(
        found,
        notes=tuple(map(told, found.notes)),
        reason=told(found.reason),
        mend=told(found.mend),
    )


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
    rows: Mapping[str, ScanRow], done: Mapping[str, Mapping[str, Any]], *, plan: Plan
) -> pd.DataFrame:
    """One row a patient and lesion, in the order of the list; scans become prefixed columns."""
    found: dict[tuple[str, str], dict[str, float | None]] = {}
    for key, row in rows.items():
        if key in done:
            for lesion, features in done[key]["lesions"].items():
                cells = found.setdefault((row.patient_id, lesion), {})
                cells |= {row.prefix + name: value for name, value in features.items()}
    done_to_all: dict[str, str] = {"lesions": plan.settings.lesions}
    if plan.control is not None:
        done_to_all |= {"control": plan.control.control, "control_part": plan.control.part}
    facts = [
        {"patient_id": patient} | done_to_all | ({"lesion": lesion} if lesion else {})
        for patient, lesion in found
    ]
    if not found:
        return pd.DataFrame(columns=["patient_id", *done_to_all])
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


def _checked_target(target: Path, rows: Sequence[ScanRow]) -> Path:
    if target.suffix not in FORMATS:
        raise SchemaError(
            f"{target.name}: expected an output called *.csv or *.parquet; found "
            f"{target.suffix or 'no ending'!r}. Rename it."
        )
    if target.is_dir():
        raise DataError(f"{target}: expected a file to write; found a folder. Choose another name.")
    folders = {path.resolve() for row in rows for path in (row.image, row.mask) if path.is_dir()}
    if folders & set(target.resolve().parents):
        raise DataError(
            f"{target.name}: expected a place outside the scans' folders, which are read as a "
            "whole; found one inside. Choose another folder."
        )
    return target


def _beside(target: Path, ending: str) -> Path:
    return target.with_name(target.name + ending)


def _write(table: pd.DataFrame, target: Path) -> None:
    """Write a table in full precision."""
    with replaced_file(target) as draft:
        if target.suffix == ".parquet":
            table.to_parquet(draft, index=False)
        else:
            table.to_csv(draft, index=False, lineterminator="\n")


def _write_or_remove(table: pd.DataFrame, target: Path) -> None:
    """A table without rows is no file, so what an earlier run left is taken away."""
    if table.empty:
        target.unlink(missing_ok=True)
    else:
        _write(table, target)
