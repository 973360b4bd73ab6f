"""A table of patients in one file, whichever way it lies: who they are, and cells as numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from radiogenomics.core.errors import AlignmentError, DataError, UnknownNameError, short_list
from radiogenomics.io.identifiers import as_text
from radiogenomics.io.labelled_table import IDENTIFIERS
from radiogenomics.io.layout import Layout, Part
from radiogenomics.io.tables import column_of, read_table, to_number

Where = Literal["rows", "columns"]
# Beyond the first column these may count lesions.
_ALSO_COUNTS = frozenset({"no", "number"})


@dataclass(frozen=True, eq=False, repr=False)
class PatientTable:
    """A table of patients from one file.

    Parameters
    ----------
    name
        Of the file, without folder.
    values
        Patients × variables.
    notes
        What was taken for granted or left out, a sentence each; patients are not named.
    """

    name: str
    values: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Return name and size in one line."""
        patients, variables = self.values.shape
        return f"PatientTable({self.name}: {patients} patients × {variables} variables)"


@dataclass(frozen=True)
class Source:
    """A file, and what was said about it.

    Parameters
    ----------
    path
        csv, tsv, parquet, xlsx or xls; text also packed (``.gz``).
    id
        Column of identifiers; patients are then in rows.
    patients_in
        ``"rows"`` or ``"columns"``; found out where not given.
    among
        Identifiers of another table of these patients.
    drop
        Variables to leave out, and where patients are columns also columns that are none.
    missing
        Words that mean "not known" beside blank, NA and NaN.

    Raises
    ------
    UnknownNameError
        ``patients_in`` is neither word.
    """

    path: Path
    id: str | None = None
    patients_in: Where | None = None
    among: frozenset[str] = frozenset()
    drop: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a wrong word."""
        if self.patients_in not in (None, *get_args(Where)):
            raise UnknownNameError("place of patients", str(self.patients_in), get_args(Where))

    def cells(self, text_column: str | int = 0) -> pd.DataFrame:
        """Cells as they are, one column as text."""
        part = Part(name=self.path.stem, file=self.path.name)
        layout = Layout(missing=self.missing)
        return read_table(part, layout, self.path.parent, text_column=text_column)


def read_patients(
    source: Source, *, known: Callable[[str], bool], skip: Callable[[str], bool]
) -> PatientTable:
    """Read patients × variables with cells as they are.

    Parameters
    ----------
    source
        The file.
    known
        Whether a name is certainly one of a variable, which tells where variables stand.
    skip
        Whether a variable is to be left out, which a note says.

    Raises
    ------
    MissingFileError, DataError
        There is no such file, or it cannot be read.
    UnknownNameError
        The identifier's column or a name to drop is not there.
    AlignmentError
        No column can be one of identifiers, one is empty, or a patient or variable stands twice.
    """
    file = source.path.name
    frame = source.cells()
    where, notes = _where(frame, source, known)
    patients, body = (_by_rows if where == "rows" else _by_columns)(frame, source)
    lesions = " Measure lesions together (lesions: largest, union, mean)." * ("lesion" in body)
    _require_names(patients, file, "patient", more=lesions)
    left_out = [str(name) for name in body.columns if skip(str(name))]
    if left_out:
        notes = (*notes, f"{file}: {len(left_out)} columns left out ({short_list(left_out)})")
    values = body.drop(columns=left_out).set_axis(pd.Index(patients.to_list()), axis=0)
    return PatientTable(file, values, notes)


def as_numbers(table: PatientTable) -> PatientTable:
    """The table with float cells, without variables that have no value.

    Raises
    ------
    DataError
        A cell is text or infinite, or nothing is left.
    """
    frame, file = table.values, table.name
    converted, texts = {}, []
    for name, kind in frame.dtypes.items():
        if pd.api.types.is_numeric_dtype(kind):
            continue
        converted[name], odd = to_number(frame[name])
        if odd.any():
            texts.append(f"{name}: {as_text(frame.loc[odd, name]).iloc[0]!r}")
    if texts:
        raise DataError(
            f"{file}: expected numbers; found text in {len(texts)} of {frame.shape[1]} columns "
            f"({short_list(texts)}). Drop or recode these columns, or name the one that "
            "identifies patients (id)."
        )
    numbers = frame.assign(**converted).to_numpy(dtype=float, na_value=np.nan)
    infinite = np.isinf(numbers)
    if infinite.any():
        columns = infinite.any(axis=0)
        raise DataError(
            f"{file}: expected finite values; found {int(infinite.sum())} infinite ones in "
            f"{int(columns.sum())} columns ({short_list(frame.columns[columns])}). Leave the cells "
            "empty, or drop the columns."
        )
    missing = np.isnan(numbers)
    blank = missing.all(axis=0)
    if blank.all():
        raise DataError(
            f"{file}: expected patients and columns of numbers; found {len(frame)} patients and "
            f"{int((~blank).sum())} of {len(blank)} columns with a value. Check the separator, and "
            "what was dropped."
        )
    notes = list(table.notes)
    if blank.any():
        names = short_list(frame.columns[blank])
        notes.append(f"{file}: {int(blank.sum())} columns without any value left out ({names})")
    if missing[:, ~blank].any():
        notes.append(f"{file}: {int(missing[:, ~blank].sum())} cells are empty")
    values = pd.DataFrame(numbers[:, ~blank], index=frame.index, columns=frame.columns[~blank])
    return replace(table, values=values, notes=tuple(notes))


def _by_rows(frame: pd.DataFrame, source: Source) -> tuple[pd.Series[Any], pd.DataFrame]:
    file = source.path.name
    column = _identifier(frame, source.id, file)
    if column != frame.columns[0]:
        frame = source.cells(column)
    patients = as_text(column_of(frame, column, what=file))
    body = frame.drop(columns=column)
    _require_droppable(source.drop, body.columns, file)
    return patients, body.drop(columns=list(source.drop))


def _by_columns(frame: pd.DataFrame, source: Source) -> tuple[pd.Series[Any], pd.DataFrame]:
    file = source.path.name
    variables = as_text(frame.iloc[:, 0])
    _require_names(variables, f"{file}, rows", "variable")
    body = frame.iloc[:, 1:].set_axis(variables.to_list(), axis=0)
    _require_droppable(source.drop, [*body.columns, *body.index], file)
    columns = [name for name in source.drop if name in body.columns]
    rows = [name for name in source.drop if name in body.index]
    turned = body.drop(columns=columns, index=rows).T
    return as_text(turned.index), turned


def _where(
    frame: pd.DataFrame, source: Source, known: Callable[[str], bool]
) -> tuple[Where, tuple[str, ...]]:
    """Where patients stand: as said, by another table's identifiers, or by names of variables."""
    if source.patients_in is not None or source.id is not None:
        return source.patients_in or "rows", ()
    file = source.path.name
    named = _named_identifier(frame)
    first = as_text(frame[frame.columns[0] if named is None else named]).dropna().tolist()
    header = list(map(str, frame.columns[1:]))
    for rows, columns, what in (
        (
            len(source.among.intersection(first)),
            len(source.among.intersection(header)),
            "identifiers of the other table",
        ),
        (sum(map(known, header)), sum(map(known, first)), "names of variables"),
    ):
        if columns > rows:
            return "columns", (f"{file}: patients are in columns, as {columns} {what} tell",)
        if rows > columns:
            return "rows", ()
    return "rows", (f"{file}: patients taken to be in rows; no name in the file tells",)


def _identifier(frame: pd.DataFrame, id: str | None, file: str) -> str:
    """Column of identifiers: as named, one with a usual name, or the first if it can be one."""
    if id is not None:
        column_of(frame, id, what=file)
        return id
    named = _named_identifier(frame)
    if named is not None:
        return named
    first = str(frame.columns[0])
    numbers, odd = to_number(frame[first])
    if odd.any():
        return first
    whole = numbers.notna().all() and numbers.mod(1).eq(0).all()
    counted = whole and bool(np.diff(numbers).tolist() == [1.0] * (len(numbers) - 1))
    if first.startswith("unnamed_") and whole and not counted:
        return first
    raise AlignmentError(
        f"{file}: expected a column of patient identifiers (patient_id, case_id, pid or the like, "
        f"or a first column of text); found {'row numbers' if counted else 'numbers'} in the first "
        f"column ({first}). Name the column (id)."
    )


def _named_identifier(frame: pd.DataFrame) -> str | None:
    """First column that is called like an identifier; blanks, points and hyphens do not matter."""
    for place, name in enumerate(frame.columns):
        word = re.sub(r"[ .\-]+", "_", str(name).strip().casefold())
        if word in IDENTIFIERS and (place == 0 or word not in _ALSO_COUNTS):
            return str(name)
    return None


def _require_droppable(drop: tuple[str, ...], there: Any, file: str) -> None:
    names = set(there)
    for name in drop:
        if name not in names:
            raise UnknownNameError(f"column of {file} to drop", name, map(str, there))


def _require_names(names: pd.Series[Any], where: str, what: str, *, more: str = "") -> None:
    """Each name is there, and once; patients are counted, not named."""
    repeated = names[names.duplicated(keep=False) & names.notna()]
    if names.isna().any() or len(repeated):
        example = f" ({short_list(repeated.unique(), limit=3)})" if what == "variable" else ""
        raise AlignmentError(
            f"{where}: expected each {what} once, by name; found {int(names.isna().sum())} of "
            f"{len(names)} without a name, and {repeated.nunique()} several times, in "
            f"{len(repeated)} rows or columns{example}. Name them, and choose or aggregate rows "
            f"first.{more}"
        )
