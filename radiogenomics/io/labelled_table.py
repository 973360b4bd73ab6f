"""One flat file of features, and the label beside them: what most published tables are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, short_list
from radiogenomics.core.provenance import hash_file
from radiogenomics.core.row_facts import MARK
from radiogenomics.io.identifiers import as_text
from radiogenomics.io.layout import Layout, Part
from radiogenomics.io.tables import column_of, read_table, to_number

IDENTIFIERS = frozenset(
    (
        "id",
        "patient",
        "patient_id",
        "patientid",
        "case",
        "case_id",
        "number",
        "no",
        "subject",
        "pid",
    )
)


@dataclass(frozen=True, eq=False)
class LabelledTable:
    """Features and label of patients, from one file.

    Parameters
    ----------
    name
        Of the file, without folder and ending.
    features
        Patients × features as numbers, NaN where missing; a column ``@site`` where sites were
        named.
    labels
        0 or 1 of each patient.
    sha256
        Of the file.
    secret
        Made of the whole file and written nowhere: keys the pseudonyms of its patients.
    """

    name: str
    features: pd.DataFrame
    labels: pd.Series[int]
    sha256: str
    secret: str


def read_labelled_table(
    path: str | Path, *, label: str, id: str | None = None, site: str | None = None
) -> LabelledTable:
    """Read a table with a column of labels 0 and 1; every other column is a feature.

    Parameters
    ----------
    path
        csv, tsv, parquet, xlsx or xls.
    label
        Column of 0 and 1.
    id
        Column of patient identifiers, one row each; without it rows are numbered.
    site
        Column of sites or scanners, for steps that need ``@site``.

    Raises
    ------
    MissingFileError, UnknownNameError, DataError, OutcomeError, AlignmentError
        No such file or column; a feature that is text; a label that is not 0 or 1; a patient twice.
    """
    frame = _read(path, id=id)
    file = Path(path).name
    labels, text = to_number(column_of(frame, label, what=file))
    odd = text | ~labels.isin((0, 1))
    if odd.any():
        raise OutcomeError(
            f"{file}: expected {label} coded 0 and 1; found {int(odd.sum())} others "
            f"({short_list(pd.unique(frame.loc[odd, label]))}). Recode the column, and leave "
            "patients without a label out."
        )
    facts = {}
    if site is not None:
        facts[f"{MARK}site"] = as_text(column_of(frame, site, what=file)).fillna("not stated")
    rest = frame.drop(columns=[label] if site is None else [label, site])
    if id is None:
        _refuse_identifiers(rest, file)
    features = _numbers(rest, file).assign(**facts)
    place = Path(path)
    secret = sha256(b"pseudonyms\x1f" + place.read_bytes()).hexdigest()
    return LabelledTable(place.stem, features, labels.astype(int), hash_file(place), secret)


def read_readings(paths: Sequence[str | Path], *, id: str | None = None) -> list[pd.DataFrame]:
    """Read repeated readings of the same patients: one table a reading, rows in one order.

    Raises
    ------
    MissingFileError, DataError, AlignmentError
        No such file; a feature that is text; readings of other patients, or fewer than two.
    """
    frames = [_numbers(_read(path, id=id), Path(path).name) for path in paths]
    if len(frames) < 2:
        raise DataError(
            f"expected at least two readings of the same patients; found {len(frames)}. Name one "
            "file a reading."
        )
    first = frames[0]
    for path, frame in zip(paths[1:], frames[1:], strict=True):
        if not frame.index.equals(first.index) or set(frame.columns) != set(first.columns):
            raise AlignmentError(
                f"expected each reading to hold the {len(first)} patients and {first.shape[1]} "
                f"features of {Path(paths[0]).name} in one order; found another table in "
                f"{Path(path).name} ({len(frame)} patients, {frame.shape[1]} features). Align them."
            )
    return [frame[first.columns] for frame in frames]


def _read(path: str | Path, *, id: str | None) -> pd.DataFrame:
    """Read a file as it is, indexed by patient."""
    place = Path(path)
    frame = read_table(
        Part(name=place.stem, file=place.name), Layout(), place.parent, text_column=id
    )
    if id is None:
        return frame.set_axis(pd.Index([f"row {i + 1}" for i in range(len(frame))]), axis=0)
    ids = as_text(column_of(frame, id, what=place.name))
    doubled = ids[ids.duplicated()].unique()
    if ids.isna().any() or len(doubled):
        raise AlignmentError(
            f"{place.name}: expected one row a patient; found {int(ids.isna().sum())} rows without "
            f"{id} and {len(doubled)} patients with several. Choose or aggregate rows first."
        )
    return frame.drop(columns=id).set_axis(pd.Index(ids, name=None), axis=0)


def _numbers(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    read = {name: to_number(frame[name]) for name in frame.columns}
    texts = [str(name) for name, (_, text) in read.items() if text.any()]
    if texts:
        raise DataError(
            f"{file}: expected features as numbers; found text in {len(texts)} columns "
            f"({short_list(texts)}). Take the columns out, recode them, or name the one that "
            "identifies patients."
        )
    table = pd.DataFrame({name: numbers for name, (numbers, _) in read.items()})
    endless = [str(name) for name in table if np.isinf(table[name]).any()]
    if endless:
        raise DataError(
            f"{file}: expected finite features; found infinite values in {len(endless)} columns "
            f"({short_list(endless)}). Leave the cells empty, or take the columns out."
        )
    return table


def _refuse_identifiers(features: pd.DataFrame, file: str) -> None:
    """Raise DataError for a column that numbers the patients: as a feature it tells their order."""
    for name in features.columns:
        values = features[name]
        whole = values.notna().all() and pd.to_numeric(values, errors="coerce").mod(1).eq(0).all()
        named = str(name).strip().lower() in IDENTIFIERS
        if (
            whole
            and values.is_unique
            and (named or np.ptp(values.astype(float)) == len(values) - 1)
        ):
            raise DataError(
                f"{file}: expected features; found {name}, which looks like the patients' numbers "
                "(whole, no two alike). Name it with --id, or drop it."
            )
