"""What a paper claims: published numbers as a table, checked by themselves.

``claims.csv`` has one row a published number: ``metric, model, split, bound, value, low, high, n,
positives, where``. A cell is empty where the paper does not say. ``model`` is a model or rival of
the recipe, ``split`` a part of its design, several together (``internal+external``) or one level of
a fact in them (``internal+external:regimen=A``), ``bound`` says with ``>`` or ``<`` that only a
bound is stated, ``n`` the patients behind the number (of a predictive value, a response rate or a
share: those it is a share of), ``positives`` those of class 1, or with the event where the metric
is of survival. A file without the column ``bound`` has none.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from radiogenomics.core.errors import (
    MissingFileError,
    SchemaError,
    UnknownNameError,
    short_list,
)

COLUMNS = ("metric", "model", "split", "bound", "value", "low", "high", "n", "positives", "where")
BOUNDS = (">", "<")
CROSS_VALIDATION, EXTERNAL = "cross-validation", "external"
Parts = Mapping[str, tuple[int | None, int | None]]


class Place(NamedTuple):
    """Which patients a claim is of: parts of the design, and a level of a fact where it is not all.

    A claim that names no part has one that is empty.
    """

    parts: tuple[str, ...]
    fact: str = ""
    level: str = ""


TD_AUC = "td_auc@<months>:<endpoint>"
# Shares of those called positive, or with a high score: not of the whole part.
OF_GROUPS = (
    "ppv",
    "npv",
    "response_rate_high",
    "response_rate_low",
    "pseudoprogression_foretold",
    "share",
)
DESCRIBED = ("patients", "positives", "sites", "genes", "features")
_SHARES = (
    "auc",
    "auc_response",
    "c_index",
    "accuracy",
    "sensitivity",
    "specificity",
    "brier",
    "p",
    *OF_GROUPS,
)
_ABOVE_0 = ("hazard_ratio", "median_survival_high", "median_survival_low")
METRICS = (*_SHARES, *_ABOVE_0, *DESCRIBED, "cut_off")
# A second endpoint is named behind a colon; of an AUC that of another label.
_BY_ENDPOINT = ("c_index", "p", *_ABOVE_0)
_WITH_ENDPOINT = (*_BY_ENDPOINT, "auc")
_TD_AUC_WORD = re.compile(r"td_auc@\d+(\.\d+)?:\w+")
_TEXT, _COUNTS = ("metric", "model", "split", "bound", "where"), ("n", "positives")
_NUMBERS = ("value", "low", "high")


def read_claims(path: str | Path) -> pd.DataFrame:
    """Read the published numbers of a study.

    Parameters
    ----------
    path
        ``claims.csv``; words of ``metric`` are :data:`METRICS` and ``td_auc@<months>:<endpoint>``,
        and of survival also ``c_index:PFS``; ``auc:CSS`` is that of a label made from another
        endpoint. ``pseudoprogression_foretold`` is the share, among those who progressed by the
        criteria and lived on, whom the score called well. Of a surrogate study ``auc`` is of its
        label and ``auc_response`` of the response.

    Returns
    -------
    DataFrame
        :data:`COLUMNS`; text, floats and nullable whole numbers.

    Raises
    ------
    MissingFileError
        There is no such file.
    SchemaError
        A column is missing, a cell is no number, a value is out of range or outside its interval,
        a bound has an interval, there are more positives than patients, or a row is there twice;
        with the line.
    UnknownNameError
        A metric is not known.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingFileError(
            f"expected the published numbers at {file}; found none. Add claims.csv."
        )
    lines, rows = [], []
    for line, cells in _lines_of(file):
        lines.append(line)
        rows.append(_checked_row(cells, f"{file.name}, line {line}"))
    claims = pd.DataFrame(rows, columns=list(COLUMNS))
    _refuse_repeated(claims, file.name, lines)
    kinds = dict.fromkeys(_TEXT, "str") | dict.fromkeys(_NUMBERS, "float64")
    return claims.astype(kinds | dict.fromkeys(_COUNTS, "Int64"))


def metric_of(word: str) -> str:
    """Return what a word of ``metric`` measures, without horizon and endpoint; "" if unknown.

    Examples
    --------
    >>> metric_of("td_auc@12:OS"), metric_of("c_index:PFS"), metric_of("brier:PFS")
    ('td_auc', 'c_index', '')
    """
    if _TD_AUC_WORD.fullmatch(word):
        return "td_auc"
    bare, colon, endpoint = word.partition(":")
    known = bare in METRICS and (not colon or (bare in _WITH_ENDPOINT and endpoint.isidentifier()))
    return bare if known else ""


def place_of(split: str) -> Place:
    """Read a ``split`` of claims.

    Examples
    --------
    >>> place_of("internal+external:regimen=A")
    Place(parts=('internal', 'external'), fact='regimen', level='A')
    >>> place_of("")
    Place(parts=('',), fact='', level='')
    """
    whole, _, group = split.partition(":")
    fact, _, level = group.partition("=")
    return Place(tuple(part.strip() for part in whole.split("+")), fact.strip(), level.strip())


def size_of(parts: Parts, names: Iterable[str]) -> tuple[int | None, int | None]:
    """Patients and positives of some parts together; None where one of them is not known."""
    columns = tuple(zip(*(parts.get(name, (None, None)) for name in names), strict=True))
    patients, positives = (
        None if None in counts else sum(counts) for counts in columns or ((None,), (None,))
    )
    return patients, positives


def positives_are_events(word: str) -> bool:
    """Say whether ``positives`` of this metric are events, not patients of class 1."""
    return metric_of(word) in (*_BY_ENDPOINT, "td_auc")


def count_of(cell: Any) -> int | None:
    """Return a whole number, or None of an empty cell."""
    return None if pd.isna(cell) else int(cell)


def _lines_of(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Number and cells of each line that holds any."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.reader(opened, strict=True)
        try:
            header = [cell.strip() for cell in next(reader, [])]
            older = tuple(name for name in COLUMNS if name != "bound")
            if tuple(header) not in (COLUMNS, older):
                raise SchemaError(
                    f"{file.name}: expected the columns {', '.join(COLUMNS)}; found "
                    f"{', '.join(header) or 'none'}. Write all of them, in this order."
                )
            for cells in filter(None, reader):
                if len(cells) != len(header):
                    raise SchemaError(
                        f"{file.name}, line {reader.line_num}: expected {len(header)} cells; "
                        f"found {len(cells)}. Quote text that holds a comma."
                    )
                stripped = (cell.strip() for cell in cells)
                found = dict(zip(header, stripped, strict=True))
                yield reader.line_num, {"bound": "", **found}
        except (csv.Error, UnicodeDecodeError) as error:
            raise SchemaError(
                f"{file.name}: expected comma-separated text in UTF-8; found a file that cannot be "
                f"read ({error}). Save it anew."
            ) from None


def _checked_row(row: Mapping[str, str], line: str) -> dict[str, Any]:
    values: dict[str, Any] = {name: row[name] for name in _TEXT}
    metric = metric_of(values["metric"])
    if not metric:
        raise UnknownNameError(f"metric in {line}", values["metric"], (*METRICS, TD_AUC))
    values |= {name: _number(row[name], f"{line}, {name}") for name in _NUMBERS}
    if np.isnan(values["value"]):
        raise SchemaError(
            f"{line}: expected a value; found none. Write the number, or leave the row out; of a "
            "range over cohorts write a row for each end."
        )
    place = place_of(values["split"])
    if ":" in values["split"] and not (place.fact and place.level):
        raise SchemaError(
            f"{line}, split: expected a fact and its level behind the parts, as "
            f"external:regimen=A; found {values['split']!r}. Complete it, or name the part alone."
        )
    _check_range(values, metric, line)
    _check_bound(values, line)
    values |= {name: _whole(row[name], f"{line}, {name}", least=name == "n") for name in _COUNTS}
    n, positives = (count_of(values[name]) for name in _COUNTS)
    if n is not None and positives is not None and positives > n:
        raise SchemaError(
            f"{line}: expected at most {n} positives, as n; found {positives}. Check the order of "
            "the two columns."
        )
    return values


def _whole(cell: str, place: str, *, least: int) -> Any:
    number = _number(cell, place)
    if np.isnan(number):
        return pd.NA
    if number < least or number != np.floor(number):
        raise SchemaError(
            f"{place}: expected a whole number of patients or nothing; found {cell!r}. Count them, "
            "or leave the cell empty."
        )
    return int(number)


def _number(cell: str, place: str) -> float:
    if not cell:
        return float("nan")
    try:
        number = float(cell)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise SchemaError(
            f"{place}: expected a number or nothing; found {cell!r}. Write a bound such as <0.001 "
            "as the number, with < under bound."
        )
    return number


def _check_range(values: Mapping[str, Any], metric: str, line: str) -> None:
    value, low, high = (values[name] for name in _NUMBERS)
    given = [number for number in (value, low, high) if not np.isnan(number)]
    wanted = _range_missed(metric, given)
    if wanted:
        raise SchemaError(
            f"{line}: expected {values['metric']} {wanted}; found {short_list(given)}. Correct it."
        )
    if np.isnan(low) != np.isnan(high):
        raise SchemaError(
            f"{line}: expected both bounds or none; found {'high' if np.isnan(low) else 'low'} "
            "alone. Add the other, or leave both empty."
        )
    if not np.isnan(low) and not low <= value <= high:
        raise SchemaError(
            f"{line}: expected a value inside its interval; found {value:g} and {low:g} to "
            f"{high:g}. Correct the row; if the paper prints it so, leave the bounds empty and say "
            "so under where."
        )


def _check_bound(values: Mapping[str, Any], line: str) -> None:
    if values["bound"] not in ("", *BOUNDS):
        raise SchemaError(
            f"{line}, bound: expected {' or '.join(BOUNDS)}, or nothing; found "
            f"{values['bound']!r}. Leave it empty where the paper states the number itself."
        )
    if values["bound"] and not np.isnan(values["low"]):
        raise SchemaError(
            f"{line}: expected a bound or a value with its interval; found both. Leave bound "
            "empty, or low and high."
        )


def _range_missed(metric: str, given: Iterable[float]) -> str:
    if metric in (*_SHARES, "td_auc") and not all(0 <= number <= 1 for number in given):
        return "from 0 to 1, 0.8 for 80 %"
    if metric in _ABOVE_0 and not all(number > 0 for number in given):
        return "above 0"
    if metric in DESCRIBED and not all(n >= 0 and n == np.floor(n) for n in given):
        return "as a whole number"
    return ""


def _refuse_repeated(claims: pd.DataFrame, file: str, lines: Sequence[int]) -> None:
    # Without a part, claims are told apart by where they stand.
    place = claims["where"].where(claims["split"] == "", "")
    keys = claims[["metric", "model", "split", "n"]].assign(place=place).astype(str)
    again = np.flatnonzero(keys.duplicated())
    if again.size:
        row = claims.iloc[again[0]]
        model, part = row["model"] or "no model", row["split"] or "no part"
        raise SchemaError(
            f"{file}, line {lines[again[0]]}: expected each number once; found {row['metric']} of "
            f"{model} in {part} again. Keep one of the rows."
        )
