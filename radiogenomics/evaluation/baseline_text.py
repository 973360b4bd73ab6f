"""How the numbers of a baseline table are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

INDENT = "\u2003"
NOTHING = "–"


def written_table(
    cells: pd.DataFrame,
    tests: pd.DataFrame,
    sizes: pd.Series[int],
    *,
    digits: int | Mapping[str, int],
) -> pd.DataFrame:
    """Text of a baseline table: one row a variable or level, one column a group.

    Parameters
    ----------
    cells, tests, sizes
        As a :class:`radiogenomics.evaluation.baseline_table.BaselineTable` holds them.
    digits
        Decimals of numbers, of all or by variable (1 where not named).

    Examples
    --------
    >>> cells = pd.DataFrame([{"variable": "age", "kind": "normal", "level": "", "group": "all",
    ...                        "n": 3, "missing": 0, "mean": 61.25, "sd": 4.0}])
    >>> tests = pd.DataFrame(columns=["variable"])
    >>> written_table(cells, tests, pd.Series({"all": 3}), digits=1).values.tolist()
    [['age, mean (SD)', '61.2 (4.0)']]
    """
    heads = {name: f"{name} (n = {size})" for name, size in sizes.items()}
    rows = []
    for variable, part in cells.groupby("variable", sort=False):
        places = digits if isinstance(digits, int) else digits.get(str(variable), 1)
        written = _variable_rows(str(variable), part, places)
        rows += [{"characteristic": label} | texts for label, texts in written]
        about = tests[tests["variable"] == variable]
        if len(about):
            rows[-len(written)] |= _test_texts(about.iloc[0])
    order = ["characteristic", *heads.values()]
    if len(tests):
        order += ["standardised difference", "p", "test"]
    return pd.DataFrame(rows).rename(columns=heads).reindex(columns=order).fillna("")


def p_text(p: float) -> str:
    """Three decimals, and never 0 or 1.

    Examples
    --------
    >>> [p_text(p) for p in (0.0496, 0.0004, 0.99999)]
    ['0.050', '<0.001', '>0.999']
    """
    if np.isnan(p):
        return NOTHING
    if p < 0.001:
        return "<0.001"
    return ">0.999" if p > 0.999 else f"{p:.3f}"


def _test_texts(row: pd.Series) -> dict[str, str]:
    difference = row["standardised_difference"]
    return {
        "standardised difference": NOTHING if np.isnan(difference) else f"{difference:.3f}",
        "p": p_text(row["p"]),
        "test": "; ".join(filter(None, [row["test"], row["note"]])),
    }


def _variable_rows(
    variable: str, part: pd.DataFrame, digits: int
) -> list[tuple[str, dict[str, str]]]:
    kind = part["kind"].iloc[0]
    if kind == "continuous":
        rows = [(f"{variable}, median (Q1 to Q3)", _texts(part, "median", "q1", "q3", digits))]
    elif kind == "normal":
        rows = [(f"{variable}, mean (SD)", _texts(part, "mean", "sd", None, digits))]
    elif kind == "survival":
        rows = list(_survival_rows(variable, part, digits))
    else:
        rows = [(f"{variable}, n (%)", {})]
        rows += [
            (f"{INDENT}{level}", _shares(members, "count", "n"))
            for level, members in part.groupby("level", sort=False)
            if level
        ]
    first = part[part["level"] == part["level"].iloc[0]]
    if first["missing"].any():
        everyone = first.assign(everyone=first["n"] + first["missing"])
        rows.append((f"{INDENT}missing", _shares(everyone, "missing", "everyone")))
    return rows


def _survival_rows(
    variable: str, part: pd.DataFrame, digits: int
) -> Iterator[tuple[str, dict[str, str]]]:
    events, followed = (part[part["level"] == level] for level in ("events", "median follow-up"))
    yield f"{variable}, events, n (%)", _shares(events, "count", "n")
    label = f"{INDENT}median follow-up, months (interval)"
    yield label, _texts(followed, "median", "low", "high", digits)


def _texts(
    part: pd.DataFrame, middle: str, low: str, high: str | None, digits: int
) -> dict[str, str]:
    """Text of each group: a number and, in brackets, one or two more."""
    found = {}
    for row in part.to_dict("records"):
        value = _number(row[middle], digits)
        inner = _number(row[low], digits)
        if high is not None:
            inner += f" to {_number(row[high], digits)}"
        found[row["group"]] = NOTHING if value == NOTHING else f"{value} ({inner})"
    return found


def _number(value: float, digits: int) -> str:
    return NOTHING if np.isnan(value) else f"{value:.{digits}f}"


def _shares(part: pd.DataFrame, count: str, of: str) -> dict[str, str]:
    return {
        row["group"]: f"{int(row[count])} ({100 * row[count] / row[of]:.1f})"
        if row[of]
        else NOTHING
        for row in part.to_dict("records")
    }
