"""What must hold before anything is fitted: sizes, columns, classes, and nobody on both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    LeakageError,
    OutcomeError,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.row_facts import MARK
from radiogenomics.evaluation.label_copies import refuse_label_copies
from radiogenomics.io.labelled_table import LabelledTable

MINIMUM_PATIENTS = 20
# Copies differ in their last digits by who wrote the file and who rounded it: no more than this, in
# standard deviations, in any feature.
SAME = 1e-3


def read_facts(
    fact: Sequence[str] | Mapping[str, str] | None, *, taken: Mapping[str, str | None]
) -> dict[str, str]:
    """Return name → column of facts given as ``NAME=COLUMN`` or as a mapping.

    Parameters
    ----------
    fact
        As a user gave them.
    taken
        What other columns are for → their names.

    Raises
    ------
    StudyError
        One is not ``NAME=COLUMN``, has a name that is no word or is given twice, or names a column
        that is the label, the identifiers or the sites.

    Examples
    --------
    >>> read_facts(["age=Age at scan"], taken={"label": "MTM"})
    {'age': 'Age at scan'}
    """
    if isinstance(fact, str):
        fact = [fact]
    pairs = fact.items() if isinstance(fact, Mapping) else [_pair(text) for text in fact or ()]
    facts: dict[str, str] = {}
    for name, column in pairs:
        if not name.isidentifier() or name == "site" or name in facts:
            raise StudyError(
                f"fact {name!r}: expected a name of its own in letters, digits and underscores; "
                "found another. Sites have the option --site; name each fact once."
            )
        use = next((use for use, name_of in taken.items() if name_of == column), None)
        if use is not None:
            raise StudyError(
                f"fact {name}: expected a column that is not used otherwise; found {column}, the "
                f"column of the {use}. The label must not reach the features: take a covariate "
                "that is known before it."
            )
        facts[name] = column
    return facts


def require_own_columns(named: Mapping[str, str | None]) -> None:
    """Raise StudyError where one column is given two parts to play.

    Examples
    --------
    >>> require_own_columns({"label": "MTM", "site": "hospital", "id": None})
    """
    columns = [column for column in named.values() if column is not None]
    for column in columns:
        uses = [use for use, name in named.items() if name == column]
        if len(uses) > 1:
            raise StudyError(
                f"expected a column of its own for {' and '.join(uses)}; found {column!r} for "
                f"{len(uses)}. Name another column, or leave one out."
            )


def can_be_permuted(labels: pd.Series[int], sites: pd.Series[str] | None) -> bool:
    """Whether some site holds both classes, so that labels can change places within sites."""
    return sites is None or bool((labels.groupby(sites.to_numpy()).nunique() > 1).any())


def _pair(text: str) -> tuple[str, str]:
    name, mark, column = text.partition("=")
    if not (name and mark and column):
        raise StudyError(
            f"--fact: expected NAME=COLUMN, as in age=Age; found {text!r}. Write both."
        )
    return name.removeprefix(MARK), column


def with_facts(table: LabelledTable, facts: Mapping[str, str]) -> LabelledTable:
    """Take the columns of facts out of the features; they travel as ``@NAME``.

    Raises
    ------
    UnknownNameError, DataError
        There is no such column; a patient has no value.
    """
    features = table.features
    for name, column in facts.items():
        if column not in features:
            raise UnknownNameError(f"column of {table.name}", column, map(str, features.columns))
        empty = features.index[features[column].isna()]
        if len(empty):
            raise DataError(
                f"{table.name}: expected the fact {name} ({column}) of every patient; found "
                f"{len(empty)} without ({short_list(empty)}). Fill it in, or leave them out."
            )
    moved = {f"{MARK}{name}": features[column] for name, column in facts.items()}
    rest = features.drop(columns=list(facts.values()))
    return replace(table, features=rest.assign(**moved))


def check_tables(
    train: LabelledTable,
    external: Sequence[LabelledTable],
    readings: Sequence[pd.DataFrame] | None,
) -> tuple[tuple[str, str], ...]:
    """Raise unless the tables can be validated; return remarks (level, text) for the report.

    Raises
    ------
    StudyError, OutcomeError, AlignmentError
        Tables of one name, too few patients, one class, or a feature that an external table lacks.
    LeakageError
        A patient twice in the training table, or there and in an external one, by identifier or by
        features that are all the same but for rounding; or an external patient among those read
        again.
    """
    names = [table.name for table in (train, *external)]
    if len(set(names)) != len(names):
        raise StudyError(
            f"expected tables of distinct names; found {short_list(names)}. Rename the files."
        )
    if len(train.labels) < MINIMUM_PATIENTS:
        raise StudyError(
            f"{train.name}: expected at least {MINIMUM_PATIENTS} patients to train on; found "
            f"{len(train.labels)}."
        )
    _refuse_copies(train)
    remarks = []
    for table in (train, *external):
        if table.labels.nunique() < 2:
            raise OutcomeError(
                f"{table.name}: expected both classes; found only {table.labels.iloc[0]} among "
                f"{len(table.labels)} labels. Discrimination is undefined with one class."
            )
    own = train.features[_features(train.features)]
    refuse_label_copies(own, train.labels.astype(float), where=train.name)
    for table in external:
        remarks += _external(train, table)
        _refuse_shared(
            table.features,
            train.features,
            f"{table.name}: expected patients who took "
            f"no part in training; found {{}} of {train.name} again",
        )
        for reading in readings or ():
            _refuse_shared(
                table.features,
                reading,
                f"{table.name}: expected patients who were "
                "not read again to choose the features; found {} among the readings",
            )
    return tuple(remarks)


def _external(train: LabelledTable, table: LabelledTable) -> list[tuple[str, str]]:
    absent = [name for name in train.features.columns if name not in table.features.columns]
    if absent:
        raise AlignmentError(
            f"{table.name}: expected the features of {train.name}; found {len(absent)} missing "
            f"({short_list(absent)}). Extract them with the same settings."
        )
    empty = [name for name in _features(train.features) if table.features[name].isna().all()]
    if not empty:
        return []
    text = f"{table.name}: {len(empty)} features are missing in everybody ({short_list(empty)})."
    return [("warning", f"{text} Imputation puts the training median there.")]


def _refuse_copies(train: LabelledTable) -> None:
    again = np.triu(_same(train.features, train.features), k=1).any(axis=0)
    copies = np.flatnonzero(again)
    if copies.size:
        raise LeakageError(
            f"{train.name}: expected each patient once; found {copies.size} rows that repeat "
            f"another in all features ({short_list(train.features.index[copies])}). A copy would "
            "stand on both sides of a fold: keep one row a patient."
        )


def _refuse_shared(features: pd.DataFrame, others: pd.DataFrame, message: str) -> None:
    shared = _shared(others, features)
    if shared:
        found = f"{len(shared)} rows"
        raise LeakageError(f"{message.format(found)} ({short_list(shared)}). Take them out.")


def _shared(known: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Rows of ``other`` that repeat one of ``known``, by identifier or by all their features."""
    numbered = "row 1" in known.index or "row 1" in other.index
    ids = set() if numbered else {_plain_id(i) for i in known.index}
    named = [str(i) for i in other.index if _plain_id(i) in ids]
    same = [str(i) for i in other.index[np.flatnonzero(_same(other, known).any(axis=1))]]
    return list(dict.fromkeys(named + same))


def _same(first: pd.DataFrame, second: pd.DataFrame) -> np.ndarray:
    """Which rows of ``first`` are those of ``second`` but for rounding, shape (n, m)."""
    columns = [name for name in _features(second) if name in first.columns]
    if len(columns) < 2:
        return np.zeros((len(first), len(second)), dtype=bool)
    centre, spread = second[columns].mean(), second[columns].std().replace(0, 1).fillna(1)
    rows, others = (
        ((table[columns] - centre) / spread).fillna(0).to_numpy(dtype=float)
        for table in (first, second)
    )
    found: np.ndarray = cdist(rows, others, "chebyshev") <= SAME
    return found


def _plain_id(patient: object) -> str:
    """Identifier without case, blanks and leading zeros, which files lose and gain."""
    return str(patient).strip().casefold().lstrip("0")


def _features(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if not str(name).startswith(MARK)]
