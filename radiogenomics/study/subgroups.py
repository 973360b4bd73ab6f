"""A risk within kinds of patients: one hazard ratio each, and whether they differ."""

from __future__ import annotations

import warnings
from typing import Any

import pandas as pd

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.subgroups import ALL_PATIENTS, MOST_LEVELS, subgroup_table
from radiogenomics.study.findings import Findings, merge

FEWEST_IN_SUBGROUP = 10


def within_subgroups(
    risk: pd.Series[float], outcome: SurvivalOutcome, *, where: str, patients: pd.DataFrame
) -> Findings:
    """Hazard ratio per standard deviation in each subgroup, and whether it differs between them.

    Numbers of more than ten values are cut at their median among these patients. Subgroups of fewer
    than ten events, or without a finite hazard ratio, are left out, and a note names them. Table
    ``subgroups``: ``split, subgroup, level, n, events, hazard_ratio, low, high, p, p_interaction``.

    Parameters
    ----------
    risk, outcome
        Of the same patients.
    where
        The split of the table.
    patients
        One column a division of them.
    """
    found: list[pd.DataFrame] = []
    notes: list[Findings] = []
    for name, column in patients.items():
        levels = _levels(column).to_frame(name)
        with warnings.catch_warnings():
            # One note tells of all subgroups that are left out.
            warnings.simplefilter("ignore", RadiogenomicsWarning)
            try:
                table = subgroup_table(
                    risk, outcome, levels, split=where, minimum_events=FEWEST_IN_SUBGROUP
                )
            except DataError as error:
                text = f"{where}: subgroups by {name} left out: {error}"
                notes.append(Findings(notes=(("warning", text),)))
                continue
        found.append(table.iloc[1:] if found else table)
    if not found:
        return merge(notes)
    table = pd.concat(found, ignore_index=True)
    empty = table["note"] != ""
    if empty.any():
        reasons = "; ".join((table["term"] + " (" + table["note"] + ")")[empty])
        notes.append(Findings(notes=(("warning", f"{where}: subgroups: {reasons}."),)))
    table = table[table["hazard_ratio"].notna()]
    everyone = table["factor"] == ""
    rows = {
        "split": table["split"],
        "subgroup": table["factor"].mask(everyone, ALL_PATIENTS),
        "level": table["subgroup"].mask(everyone, ""),
    }
    columns = ["n", "events", "hazard_ratio", "low", "high", "p", "p_interaction"]
    numbers = {column: table[column] for column in columns}
    return merge([Findings(tables={"subgroups": pd.DataFrame(rows | numbers)}), *notes])


def _levels(column: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers of many values as two classes; whole numbers as such, so that 1.0 is called 1."""
    values = column.convert_dtypes()
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return column
    if values.nunique() <= MOST_LEVELS:
        return values
    median = float(values.median())
    names = [f"≤ {median:g}", f"> {median:g}"]
    above = (values > median).map({False: names[0], True: names[1]})
    return above.astype(pd.CategoricalDtype(names, ordered=True))
