"""Rows with a patient each: stacking files, choosing rows, naming patients, repeated rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    SchemaError,
    UnknownNameError,
    short_list,
)
from radiogenomics.io.identifiers import as_text, patient_of
from radiogenomics.io.layout import Table
from radiogenomics.io.manifest import ColumnRule
from radiogenomics.io.tables import column_of, read_table, to_number

PART = "part"


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a table in file order.

    Parameters
    ----------
    frame
        Cells as read.
    names
        Identifier of each row as it stands in the file (prefix included), same index.
    patients
        Patient of each row, same index.
    identifier
        Column that held the identifiers, or None when rows were numbered.
    """

    frame: pd.DataFrame
    names: pd.Series[Any]
    patients: pd.Series[Any]
    identifier: str | None


def read_rows(table: Table, root: Path, *, what: str) -> Rows:
    """Read a table's file or parts, name the patient of each row and keep the rows asked for.

    Parameters
    ----------
    table
        Where and how.
    root
        Data root.
    what
        The table in words, for messages.

    Raises
    ------
    SchemaError
        Parts have different columns.
    AlignmentError
        An identifier is empty or not of its kind.
    UnknownNameError
        The identifier column or a value of ``keep`` does not occur.
    """
    frames, names = [], []
    identifier = None
    for part in table.pieces():
        column: str | int | None = None if table.id.row else (table.id.column or 0)
        frame = read_table(part, table, root, text_column=column)
        if table.id.row:
            found = pd.Series([str(number + 1) for number in range(len(frame))], dtype=object)
        else:
            identifier = table.id.column or str(frame.columns[0])
            found = as_text(column_of(frame, identifier, what=part.file))
        names.append(table.id.completed(found, prefix=part.prefix))
        frames.append(frame.assign(**{PART: part.name}) if table.parts else frame)
        _same_columns(frames[0], frames[-1], part.file)
    frame = pd.concat(frames, ignore_index=True)
    named = pd.concat(names, ignore_index=True)
    kept = _kept(frame, table, what=what)
    frame, named = frame[kept], named[kept]
    return Rows(frame, named, patient_of(named, table.id.kind, what=what), identifier)


def unique_rows(
    frame: pd.DataFrame, names: pd.Series[Any], rule: str, *, what: str
) -> tuple[pd.DataFrame, int]:
    """One row a name, and how many rows were too many.

    Parameters
    ----------
    frame
        Cells.
    names
        Name of each row; becomes the index.
    rule
        ``error``, ``first``, ``mean`` or ``max``; text is always taken from the first row.
    what
        The table in words, for messages.

    Raises
    ------
    AlignmentError
        A name repeats and the rule is ``error``.
    """
    labelled = frame.set_axis(pd.Index(names.to_numpy(), dtype=object), axis=0)
    repeated = labelled.index.duplicated()
    if not repeated.any():
        return labelled, 0
    if rule == "error":
        doubled = labelled.index[repeated].unique()
        raise AlignmentError(
            f"{what}: expected each identifier once; found {len(doubled)} repeated "
            f"({short_list(doubled)}). Remove the surplus rows, or state a rule in the manifest "
            "(duplicates: first or mean; repeated_samples for samples of an assay)."
        )
    unique = labelled[~repeated].copy()
    if rule in ("mean", "max"):
        numeric = labelled.select_dtypes("number")
        grouped = numeric.groupby(level=0, sort=False)
        reduced = grouped.mean() if rule == "mean" else grouped.max()
        unique = unique.astype(dict.fromkeys(numeric.columns, float))
        unique[numeric.columns] = reduced.loc[unique.index]
    return unique, int(repeated.sum())


def read_column(
    frame: pd.DataFrame, rule: ColumnRule, *, missing: tuple[str, ...], what: str
) -> pd.Series[Any]:
    """One fact: mapped, as number or as text, missing where it is not known.

    Raises
    ------
    UnknownNameError
        There is no such column.
    SchemaError
        A value is not in the map.
    DataError
        Text stands where a number was declared.
    """
    found = column_of(frame, rule.column, what=what)
    found = found.mask(as_text(found).isin(missing)) if missing else found
    if rule.map is not None:
        found = _mapped(found, rule.map, what=f"{what}, {rule.column}")
    numbers, odd = to_number(found)
    if rule.kind == "number" and odd.any():
        raise DataError(
            f"{what}, {rule.column}: expected numbers; found {int(odd.sum())} cells of text "
            f"({short_list(pd.unique(as_text(found[odd])))}). Declare them as missing, or map them."
        )
    if rule.kind == "number" or (rule.kind is None and not odd.any() and not _flags(found)):
        return numbers
    return as_text(found)


def _flags(values: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_bool_dtype(values.dropna().infer_objects().dtype))


def _mapped(
    values: pd.Series[Any], mapping: dict[str, bool | int | float | str], *, what: str
) -> pd.Series[Any]:
    text = as_text(values)
    known: dict[str, Any] = dict(mapping)
    if _flags(values):
        known = {key.upper(): value for key, value in known.items()}
    unknown = [cell for cell in pd.unique(text.dropna()) if cell not in known]
    if unknown:
        raise SchemaError(
            f"{what}: expected {short_list(known)}; found {len(unknown)} other values "
            f"({short_list(unknown)}). Add them to the map, or declare them as missing."
        )
    result = text.map(lambda cell: np.nan if cell is None else known[cell])
    numeric = all(isinstance(value, int | float) for value in known.values())
    return result.astype(float) if numeric else result


def _kept(frame: pd.DataFrame, table: Table, *, what: str) -> pd.Series[bool]:
    kept = pd.Series(True, index=frame.index)
    for column, wanted in table.keep.items():
        cells = as_text(column_of(frame, column, what=what))
        for value in wanted:
            if not cells.eq(value).any():
                raise UnknownNameError(f"value of {what}, {column}", value, cells.dropna().unique())
        kept &= cells.isin(wanted)
    if not kept.any():
        raise DataError(f"{what}: expected rows to keep; found none. Correct keep in the manifest.")
    return kept


def _same_columns(first: pd.DataFrame, other: pd.DataFrame, file: str) -> None:
    if not first.columns.equals(other.columns):
        differing = sorted(set(first.columns) ^ set(other.columns))
        raise SchemaError(
            f"{file}: expected the columns of the first part, in their order; found "
            f"{len(differing)} that only one has ({short_list(differing)}). "
            "Declare separate assays instead of parts."
        )
