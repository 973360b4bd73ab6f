"""Patients' facts and outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import OutcomeError, SchemaError, short_list
from radiogenomics.core.outcomes import Outcome, ResponseOutcome, SurvivalOutcome
from radiogenomics.io.identifiers import as_text, require_same_rows
from radiogenomics.io.manifest import (
    ColumnRule,
    Dates,
    PatientTable,
    ResponseRule,
    SurvivalRule,
)
from radiogenomics.io.rows import read_column, read_rows, unique_rows
from radiogenomics.io.tables import column_of, to_number

DAYS_OF_DISAGREEMENT = 1.0
_TRUTH = MappingProxyType({"TRUE": 1.0, "FALSE": 0.0})


@dataclass(frozen=True, eq=False)
class PatientRows:
    """The patients' table as read.

    Parameters
    ----------
    facts
        Patients × facts, in our names.
    cells
        Patients × columns of the file, from which outcomes are read.
    missing
        Words that mean "not known".
    repeated
        Surplus rows that a rule of the manifest resolved.
    """

    facts: pd.DataFrame
    cells: pd.DataFrame
    missing: tuple[str, ...] = ()
    repeated: int = 0


@dataclass(frozen=True, eq=False)
class OutcomeReading:
    """An outcome, and who has none.

    Parameters
    ----------
    outcome
        Of the patients who have it.
    blank
        Patients without a time (or category) and without an event.
    stateless
        Patients with a time but no event state.
    dropped
        Patients left out because the manifest says ``incomplete: drop``.
    """

    outcome: Outcome
    blank: int = 0
    stateless: int = 0
    dropped: int = 0


def read_patients(table: PatientTable, root: Path) -> PatientRows:
    """Read the patients' table.

    Raises
    ------
    AlignmentError
        A patient repeats and the manifest states no rule.
    SchemaError, DataError, UnknownNameError
        A column is absent, a value is not in its map, or text stands for a number.
    """
    rows = read_rows(table, root, what="patients")
    cells, repeated = unique_rows(rows.frame, rows.patients, table.duplicates, what="patients")
    facts = {
        name: read_column(cells, rule, missing=table.missing, what="patients")
        for name, rule in table.columns.items()
    }
    frame = pd.DataFrame(facts, index=cells.index)
    return PatientRows(frame, cells, table.missing, repeated)


def read_outcome(
    name: str, rule: SurvivalRule | ResponseRule, root: Path, *, patients: PatientRows
) -> OutcomeReading:
    """Read an outcome from its own file or from the patients' table.

    Raises
    ------
    OutcomeError
        A time is negative or not a number, an event has no time, or an event is not 0/1, and the
        manifest does not say ``incomplete: drop``; or a category is not known.
    AlignmentError
        A patient repeats in the outcome's own file.
    """
    what = f"outcome {name}"
    cells, missing = patients.cells, (*patients.missing, *rule.missing)
    if rule.pieces():
        rows = read_rows(rule, root, what=what)
        cells, _ = unique_rows(rows.frame, rows.patients, "error", what=what)
        missing = rule.missing
        if rule.id.row and rule.id.linked:
            require_same_rows(cells.index, patients.cells.index, what=what)
    if isinstance(rule, ResponseRule):
        return _response(name, rule, cells, missing)
    return _survival(name, rule, cells, missing)


def _response(
    name: str, rule: ResponseRule, cells: pd.DataFrame, missing: tuple[str, ...]
) -> OutcomeReading:
    column = ColumnRule(column=rule.column, map=dict(rule.map) if rule.map else None, kind="text")
    found = _states(cells, column, missing, what=f"outcome {name}")
    known = found.dropna()
    outcome = ResponseOutcome(name, known, rule.criterion, rule.categories())
    return OutcomeReading(outcome, blank=len(found) - len(known))


def _survival(
    name: str, rule: SurvivalRule, cells: pd.DataFrame, missing: tuple[str, ...]
) -> OutcomeReading:
    event = _event(name, rule.event, cells, missing)
    if isinstance(rule.time, Dates):
        time, problems = _from_dates(name, rule.time, cells, missing)
    else:
        time, problems = _from_column(name, rule.time, cells, missing)
    absent = time.isna() & ~_any(problems)
    problems |= {
        "event without a time": absent & event.eq(1),
        "negative or infinite time": time.lt(0) | np.isinf(time),
    }
    bad = _any(problems)
    if bad.any() and rule.incomplete == "error":
        found = "; ".join(
            f"{label}: {int(mask.sum())} ({short_list(cells.index[mask], limit=3)})"
            for label, mask in problems.items()
            if mask.any()
        )
        raise OutcomeError(
            f"{name}: expected times of at least 0 {rule.time_unit or 'days'} and a time for each "
            f"event; found {found}. Correct them at the source, declare words as missing, or say "
            "incomplete: drop to leave these patients out, counted."
        )
    blank = absent & ~bad
    stateless = time.notna() & event.isna() & ~bad
    usable = ~(bad | blank | stateless)
    outcome = SurvivalOutcome.from_unit(
        name,
        time[usable],
        event[usable].astype(bool),
        unit=rule.time_unit or "days",
        origin=rule.origin,
    )
    counts = (int(mask.sum()) for mask in (blank, stateless, bad))
    return OutcomeReading(outcome, *counts)


def _event(
    name: str, rule: ColumnRule, cells: pd.DataFrame, missing: tuple[str, ...]
) -> pd.Series[float]:
    what = f"outcome {name}"
    event = _states(cells, rule, missing, what=what)
    numbers, odd = to_number(event.map(lambda state: _TRUTH.get(state, state)))
    odd |= numbers.notna() & ~numbers.isin([0, 1])
    if odd.any():
        raise OutcomeError(
            f"{what}, {rule.column}: expected events coded 0/1; found "
            f"{short_list(pd.unique(as_text(event[odd])))}. "
            "Map them: event: {column: ..., map: {...: 1, ...: 0}}."
        )
    return numbers


def _states(
    cells: pd.DataFrame, rule: ColumnRule, missing: tuple[str, ...], *, what: str
) -> pd.Series[Any]:
    """Read events or categories; a value outside the map is a fault of the outcome."""
    try:
        return read_column(cells, rule, missing=missing, what=what)
    except SchemaError as error:
        raise OutcomeError(str(error)) from None


def _from_column(
    name: str, column: str, cells: pd.DataFrame, missing: tuple[str, ...]
) -> tuple[pd.Series[float], dict[str, pd.Series[bool]]]:
    found = _cells(cells, column, missing, name)
    time, odd = to_number(found)
    return time, {"text instead of a number": odd}


def _from_dates(
    name: str, rule: Dates, cells: pd.DataFrame, missing: tuple[str, ...]
) -> tuple[pd.Series[float], dict[str, pd.Series[bool]]]:
    moments, odd = {}, pd.Series(False, index=cells.index)
    for which, column in (("until", rule.until), ("since", rule.since)):
        found = _cells(cells, column, missing, name)
        text = found if pd.api.types.is_datetime64_any_dtype(found.dtype) else as_text(found)
        moments[which] = pd.to_datetime(text, format=rule.date_format, errors="coerce")
        odd |= moments[which].isna() & found.notna()
    time = (moments["until"] - moments["since"]).dt.total_seconds() / 86400
    if rule.plus_days is not None:
        days, not_number = to_number(_cells(cells, rule.plus_days, missing, name))
        time, odd = time - days, odd | not_number
    problems = {f"not a date of the form {rule.date_format}": odd}
    if rule.verify is not None:
        stated, _ = to_number(_cells(cells, rule.verify, missing, name))
        problems[f"disagrees with {rule.verify}"] = (time - stated).abs() > DAYS_OF_DISAGREEMENT
    return time, problems


def _cells(cells: pd.DataFrame, column: str, missing: tuple[str, ...], name: str) -> pd.Series[Any]:
    found = column_of(cells, column, what=f"outcome {name}")
    return found.mask(as_text(found).isin(missing)) if missing else found


def _any(problems: dict[str, pd.Series[bool]]) -> pd.Series[bool]:
    return pd.concat(problems, axis=1).any(axis=1)
