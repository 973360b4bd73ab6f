"""The first table of a paper: who the patients are, by group.

Examples
--------
>>> patients = pd.DataFrame({
...     "age": [61, 70, 55, 66, 59, 73], "sex": ["f", "m", "m", "m", "f", "m"],
...     "response": ["yes", "no", "yes", "no", "yes", "no"]})
>>> table = baseline_table(patients, by="response")
>>> table.to_frame().iloc[0].tolist()
['age, median (Q1 to Q3)', '63.5 (59.5 to 69.0)', '70.0 (68.0 to 71.5)', '59.0 (57.0 to 60.0)',
 '3.443', '0.081', 'Mann-Whitney']
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.baseline_text import written_table
from radiogenomics.stats.groups.group_tests import TWO_GROUPS, compare_counts, compare_numbers
from radiogenomics.stats.groups.standardised_difference import (
    standardised_difference,
    standardised_difference_of_counts,
)
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier

Kind = Literal["continuous", "normal", "categorical", "ordered"]

ALL_PATIENTS = "all patients"
NOT_TESTED = "none"
MOST_LEVELS = 20

_NUMBER_TESTS = ("mann-whitney", "t", "welch", "kruskal-wallis", "anova", NOT_TESTED)
_COUNT_TESTS = ("chi-squared", "fisher", NOT_TESTED)
_ORDER_TESTS = ("mann-whitney", "kruskal-wallis", "trend", *_COUNT_TESTS)
_CELLS = ("variable", "kind", "level", "group", "n", "missing", "count", "share", "mean", "sd")
_CELLS += ("median", "q1", "q3", "low", "high")
_TESTS = ("variable", "kind", "test", "statistic", "p", "standardised_difference", "note")


@dataclass(frozen=True, eq=False)
class BaselineTable:
    """A baseline table as numbers, to be written or worked on.

    Parameters
    ----------
    cells
        One row a variable, level and group: ``variable, kind, level, group, n, missing, count,
        share, mean, sd, median, q1, q3, low, high``. ``n`` has the variable, ``missing`` has not;
        ``share`` is of ``n``; ``low`` and ``high`` bound a median follow-up.
    tests
        One row a variable: ``variable, kind, test, statistic, p, standardised_difference, note``;
        empty without groups.
    sizes
        Patients by group, all of them first.
    digits
        Decimals of numbers when written.
    """

    cells: pd.DataFrame
    tests: pd.DataFrame
    sizes: pd.Series[int]
    digits: int | Mapping[str, int] = 1

    def to_frame(self) -> pd.DataFrame:
        """Text as a paper prints it: ``characteristic``, a column a group, and the tests."""
        return written_table(self.cells, self.tests, self.sizes, digits=self.digits)

    def __repr__(self) -> str:
        """Return patients, variables and groups in one line."""
        groups = ", ".join(f"{name}: {size}" for name, size in self.sizes.items())
        return f"BaselineTable({self.cells['variable'].nunique()} variables; {groups})"

    def _repr_html_(self) -> str:
        table = self.to_frame().to_html(index=False, border=0, escape=True)
        return f"<div><b>{escape(repr(self))}</b>{table}</div>"


@dataclass(frozen=True)
class _Variable:
    """A variable of the patients as numbers: itself, or positions of its levels; NaN if missing."""

    name: str
    kind: Kind
    values: NDArray[np.float64]
    levels: tuple[object, ...] = ()


def baseline_table(
    frame: pd.DataFrame,
    *,
    by: str | None = None,
    kinds: Mapping[str, Kind] | None = None,
    tests: Mapping[str, str] | None = None,
    survival: Sequence[SurvivalOutcome] = (),
    digits: int | Mapping[str, int] = 1,
) -> BaselineTable:
    """Describe patients by group, and test each variable for differences between the groups.

    ``continuous``: median and quartiles; Mann-Whitney, or Kruskal-Wallis for three or more groups.
    ``normal``: mean and standard deviation; Welch's t, or one-way ANOVA. ``categorical``: counts
    and shares of those who have it; chi-squared without continuity correction, or Fisher's exact
    where an expected count is below 5. ``ordered``: the same numbers, tested by rank. Outcomes:
    events, and median follow-up by the reverse Kaplan-Meier method with its 95 % interval. The
    standardised difference (largest of all pairs) does not grow with the number of patients. Of
    twenty variables that do not differ, one has p < 0.05 by chance.

    Parameters
    ----------
    frame
        One row a patient, one column a variable; empty text counts as missing.
    by
        Column with the group; patients without one are left out, with a warning.
    kinds
        Where not the default: ``categorical`` of text, booleans, and numbers of two values at most;
        ``ordered`` of ordered pandas categoricals; ``continuous`` of other numbers.
    tests
        Where not the default: ``mann-whitney``, ``t``, ``welch``, ``kruskal-wallis``, ``anova``,
        ``chi-squared``, ``fisher``, ``trend`` (Cochran-Armitage, two groups) or ``none``.
    survival
        Outcomes to describe; patients without one count as missing.
    digits
        Decimals of numbers in the text, of all or by variable.

    Raises
    ------
    AlignmentError, DataError, UnknownNameError
        Patients or columns repeat, or an outcome has none of the patients; no variable, fewer than
        two groups, over 20 levels, infinite numbers; an unknown or unfitting kind or test.

    References
    ----------
    Austin 2009, doi:10.1080/03610910902859574; Schemper & Smith 1996,
    doi:10.1016/0197-2456(96)00075-X (follow-up).
    """
    kinds, tests = dict(kinds or {}), dict(tests or {})
    table, group = _checked(frame, by, [*kinds, *tests])
    names, place, members = _groups(group)
    variables = [_variable(table[name], kinds.get(name)) for name in table]
    for variable in variables:
        _check_test(variable, tests.get(variable.name), groups=len(names))
    cells = [cell for variable in variables for cell in _cells(variable, members)]
    cells += [cell for outcome in survival for cell in _follow_up(outcome, table.index, members)]
    compared = variables if by is not None else []
    rows = [_compared(each, place, names, test=tests.get(each.name)) for each in compared]
    sizes = pd.Series({name: int(member.sum()) for name, member in members.items()})
    written = pd.DataFrame(cells).reindex(columns=list(_CELLS))
    return BaselineTable(written, pd.DataFrame(rows, columns=list(_TESTS)), sizes, digits)


def _checked(
    frame: pd.DataFrame, by: str | None, named: Sequence[str]
) -> tuple[pd.DataFrame, pd.Series]:
    """Variables and group of the patients who have a group."""
    if frame.index.has_duplicates or frame.columns.has_duplicates:
        raise AlignmentError(
            "expected one row a patient and each column once; found "
            f"{int(frame.index.duplicated().sum())} repeated patients and "
            f"{int(frame.columns.duplicated().sum())} repeated columns. Drop the repeats."
        )
    table = frame.rename(columns=str)
    for name in [*([] if by is None else [by]), *named]:
        if name not in table:
            raise UnknownNameError("variable", name, table.columns)
    for name in table.select_dtypes(include=["object", "string"]):
        table[name] = table[name].replace(r"^\s*$", np.nan, regex=True).infer_objects()
    if by is None:
        group = pd.Series(ALL_PATIENTS, index=table.index)
    else:
        group = table.pop(by)
    grouped = group.notna()
    if not grouped.all():
        warnings.warn(
            f"{int((~grouped).sum())} of {len(grouped)} patients have no {by} and are left out of "
            "the table.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    table, group = table[grouped], group[grouped]
    if table.empty or (by is not None and group.nunique() < 2):
        raise DataError(
            f"expected patients with variables, in two or more groups; found {len(table)} with "
            f"{table.shape[1]} variables in {group.nunique()} groups. Leave by out to describe one "
            "group."
        )
    return table, group


def _groups(
    group: pd.Series,
) -> tuple[list[object], NDArray[np.intp], dict[str, NDArray[np.bool_]]]:
    """Names, the place of each patient among them, and who is in each column of the table."""
    names = _levels(group, "groups")
    place = group.map({name: number for number, name in enumerate(names)}).to_numpy(dtype=int)
    members = {ALL_PATIENTS: np.ones(len(group), dtype=bool)}
    if len(names) > 1:
        if ALL_PATIENTS in map(str, names):
            raise DataError(
                f"expected groups under other names; found one called {ALL_PATIENTS!r}, which is "
                "the column of all. Rename the group."
            )
        members |= {str(name): place == number for number, name in enumerate(names)}
    return names, place, members


def _levels(values: pd.Series, what: str) -> list[object]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        levels = list(values.cat.remove_unused_categories().cat.categories)
    else:
        present = values.dropna().unique().tolist()
        text = any(isinstance(level, str) for level in present)
        levels = sorted(present, key=str) if text else sorted(present)
    if len(levels) > MOST_LEVELS:
        raise DataError(
            f"{values.name}: expected up to {MOST_LEVELS} {what}; found {len(levels)} "
            f"({short_list(levels)}). Drop identifiers, merge levels, or make it a number."
        )
    return levels


def _variable(values: pd.Series, kind: Kind | None) -> _Variable:
    name = str(values.name)
    if kind is not None and kind not in get_args(Kind):
        raise UnknownNameError("kind of variable", str(kind), get_args(Kind))
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    infinite = int(np.isinf(values.to_numpy(dtype=float, na_value=np.nan)).sum()) if numeric else 0
    if infinite:
        raise DataError(
            f"{name}: expected finite numbers; found {infinite} infinite. Correct them or set them "
            "missing."
        )
    if kind is None:
        kind = _default_kind(values, numeric=numeric)
    if kind in ("continuous", "normal"):
        if not numeric and values.notna().any():
            raise DataError(
                f"{name}: expected numbers for kind {kind!r}; found {values.dtype}. Convert the "
                "column, or call it categorical."
            )
        return _Variable(name, kind, values.to_numpy(dtype=float, na_value=np.nan))
    text = not numeric and not isinstance(values.dtype, pd.CategoricalDtype)
    if kind == "ordered" and text and not pd.api.types.is_bool_dtype(values):
        raise DataError(
            f"{name}: expected the order of its categories; found text without one. Make it an "
            "ordered pandas categorical."
        )
    levels = _levels(values, "levels")
    codes = values.astype(object).map({level: place for place, level in enumerate(levels)})
    return _Variable(name, kind, codes.to_numpy(dtype=float, na_value=np.nan), tuple(levels))


def _default_kind(values: pd.Series, *, numeric: bool) -> Kind:
    if numeric:
        return "categorical" if values.nunique() <= 2 else "continuous"
    if pd.api.types.is_datetime64_any_dtype(values):
        raise DataError(
            f"{values.name}: expected numbers or categories; found dates. Turn them into an age or "
            "a time since diagnosis."
        )
    ordered = isinstance(values.dtype, pd.CategoricalDtype) and values.cat.ordered
    return "ordered" if ordered else "categorical"


def _check_test(variable: _Variable, test: str | None, *, groups: int) -> None:
    if test is None:
        return
    fitting = _NUMBER_TESTS
    if variable.levels:
        fitting = _ORDER_TESTS if variable.kind == "ordered" else _COUNT_TESTS
    if test not in fitting:
        raise UnknownNameError(f"test of {variable.kind} variables", test, fitting)
    if test in TWO_GROUPS and groups > 2:
        raise DataError(
            f"{variable.name}: expected two groups for {test}; found {groups}. Choose another "
            "test or merge groups."
        )


def _cells(
    variable: _Variable, members: Mapping[str, NDArray[np.bool_]]
) -> Iterator[dict[str, object]]:
    for group, member in members.items():
        values = variable.values[member]
        present = values[~np.isnan(values)]
        cell: dict[str, object] = {"variable": variable.name, "kind": variable.kind, "level": ""}
        cell |= {"group": group, "n": present.size, "missing": values.size - present.size}
        if variable.kind in ("continuous", "normal"):
            yield cell | _moments(present)
            continue
        if not variable.levels:
            yield cell
        for place, level in enumerate(variable.levels):
            count = int((present == place).sum())
            share = count / present.size if present.size else np.nan
            # Whole numbers become decimal ones in a column with missing values.
            label = f"{level:g}" if isinstance(level, float) else str(level)
            yield cell | {"level": label, "count": count, "share": share}


def _moments(present: NDArray[np.float64]) -> dict[str, object]:
    if not present.size:
        return {}
    q1, median, q3 = np.quantile(present, [0.25, 0.5, 0.75])
    sd = present.std(ddof=1) if present.size > 1 else np.nan
    return {"mean": present.mean(), "sd": sd, "median": median, "q1": q1, "q3": q3}


def _follow_up(
    outcome: SurvivalOutcome, patients: pd.Index, members: Mapping[str, NDArray[np.bool_]]
) -> Iterator[dict[str, object]]:
    ids = patients.astype(str)
    known = ids.isin(outcome.patient_ids)
    if not known.any():
        raise AlignmentError(
            f"{outcome.endpoint}: expected an outcome of the patients of the table; found none of "
            f"{len(ids)} ({short_list(ids)}). Index the table by patient."
        )
    for group, member in members.items():
        part = outcome.for_patients(ids[member & known])
        n = len(part.time)
        cell: dict[str, object] = {"variable": outcome.endpoint, "kind": "survival"}
        cell |= {"group": group, "n": n, "missing": int(member.sum()) - n}
        events = int(part.event.sum())
        share = events / n if n else np.nan
        yield cell | {"level": "events", "count": events, "share": share}
        cell["level"] = "median follow-up"
        if n:
            median = kaplan_meier(part.time, ~part.event).median
            cell |= {"median": median.value, "low": median.low, "high": median.high}
        yield cell


def _compared(
    variable: _Variable, place: NDArray[np.intp], names: list[object], *, test: str | None
) -> dict[str, object]:
    """Test and standardised difference of a variable, or a note why there is none."""
    known = ~np.isnan(variable.values)
    values, group = variable.values[known], place[known]
    row: dict[str, object] = {"variable": variable.name, "kind": variable.kind, "test": ""}
    row |= {"statistic": np.nan, "p": np.nan, "standardised_difference": np.nan, "note": ""}
    sizes = np.bincount(group, minlength=len(names))
    if not sizes.all():
        empty = [str(name) for name, size in zip(names, sizes, strict=True) if not size]
        return row | {"note": f"missing for all of {short_list(empty)}"}
    if np.ptp(values) == 0:
        return row | {"standardised_difference": 0.0, "note": "the same for all patients"}
    counts = np.zeros((len(variable.levels), len(names)))
    if variable.levels:
        np.add.at(counts, (values.astype(int), group), 1)
        row["standardised_difference"] = standardised_difference_of_counts(counts)
    elif sizes.min() > 1:
        row["standardised_difference"] = standardised_difference(values, group)
    if test == NOT_TESTED:
        return row
    if variable.kind == "categorical" or test in _COUNT_TESTS:
        found = compare_counts(counts, test=test)
    else:
        several = len(names) > 2
        ranked, means = ("kruskal-wallis", "anova") if several else ("mann-whitney", "welch")
        test = test or (means if variable.kind == "normal" else ranked)
        if test in ("t", "welch", "anova"):
            spreads = [np.ptp(values[group == number]) for number in range(len(names))]
            if sizes.min() < 2 or not any(spreads):
                return row | {"note": f"too few values, or no spread within groups, for {test}"}
        found = compare_numbers(values, group, test=test)
    return row | {"test": found.name, "statistic": found.statistic, "p": found.p}
