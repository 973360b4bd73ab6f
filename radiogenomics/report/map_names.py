"""How tables of a map write names and intervals: short enough for a page, and still distinct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pandas as pd

from radiogenomics.plots.link_words import feature_label
from radiogenomics.plots.style import shorten
from radiogenomics.report.parts import number
from radiogenomics.report.split_tables import LONGEST

FEATURES, SETS = ("feature", "similar"), ("set",)
FEATURE_LETTERS = 44
# Kinds of targets that are gene sets, in tables that have both.
SET = "set"


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """Write names short and join the ends of intervals.

    Examples
    --------
    >>> table = pd.DataFrame({"feature": ["wavelet-LLH_glcm_JointEntropy"], "set": ["HYPOXIA_UP"],
    ...                       "low": [-0.1], "high": [0.25]})
    >>> readable(table).loc[0, ["feature", "set"]].tolist()
    ['glcm JointEntropy · wav LLH', 'HYPOXIA UP']
    """
    found = table.copy()
    for column in FEATURES:
        if column in found:
            found[column] = found[column].map(feature_names(found[column]))
    for column in SETS:
        if column in found:
            found[column] = found[column].map(set_names(found[column]))
    if "target" in found and "kind" in found:
        sets = found["kind"] == SET
        short = set_names(found.loc[sets, "target"])
        found["target"] = found["target"].where(~sets, found["target"].map(short))
    if {"low", "high"} <= set(found):
        ends = zip(found["low"], found["high"], strict=True)
        found["interval"] = [between(low, high) for low, high in ends]
    return found


def between(low: float, high: float) -> str:
    """Write an interval.

    Examples
    --------
    >>> between(0.1, 0.25).split(), between(float("nan"), 0.3)
    (['0.10', 'to', '0.25'], '–')
    """
    if pd.isna(low) or pd.isna(high):
        return "–"
    # In one line, however narrow the column.
    return f"{number(low, digits=2)}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{number(high, digits=2)}"


def set_names(names: Iterable[str], *, length: int = LONGEST) -> dict[str, str]:
    """Name of each gene set in words, without its collection where that leaves it distinct.

    Examples
    --------
    >>> set_names(["IOBR|T_cells", "Atlas|T_cells", "H|HALLMARK_HYPOXIA"])
    {'IOBR|T_cells': 'T cells (IOBR)', 'Atlas|T_cells': 'T cells (Atlas)',
     'H|HALLMARK_HYPOXIA': 'HALLMARK HYPOXIA'}
    """
    parts = {name: name.rpartition("|") for name in dict.fromkeys(names)}
    short = {
        name: shorten(own.replace("_", " "), length=length) for name, (_, _, own) in parts.items()
    }
    counts = Counter(short.values())
    longer = {
        name: f"{label} ({parts[name][0]})" if parts[name][0] else name.replace("_", " ")
        for name, label in short.items()
        if counts[label] > 1
    }
    found = short | longer
    twice = Counter(found.values())
    return {name: label if twice[label] == 1 else name for name, label in found.items()}


def feature_names(names: Iterable[str], *, length: int = FEATURE_LETTERS) -> dict[str, str]:
    """Name of each feature in short, with its family; as it is where that is not distinct.

    Examples
    --------
    >>> feature_names(["original_glcm_MCC", "deep_3"])
    {'original_glcm_MCC': 'glcm MCC', 'deep_3': 'deep_3'}
    """
    whole = list(dict.fromkeys(names))
    short = {name: feature_label(name, length=length, family=True) for name in whole}
    counts = Counter(short.values())
    return {name: label if counts[label] == 1 else name for name, label in short.items()}
