"""Rows of a feature table and of what is to be learnt from it stand for the same patients."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from radiogenomics.core.errors import AlignmentError, short_list


def refuse_other_order(X: Any, y: Any) -> None:
    """Raise AlignmentError when `X` and `y` name the same rows in different orders.

    Learners pair rows by position: a `y` that was sorted, or joined from another table, would teach
    them the outcomes of other patients, without a word. Only pandas objects name their rows; arrays
    pass, as do tables without a label in common, or of different lengths.

    Labels that are whole numbers are often left-over row numbers, so they have to be the same on
    both sides to count as names; of others one that both have, on different rows, is enough.

    Parameters
    ----------
    X
        Table of features, or anything else.
    y
        Label, score or outcome of each row, or anything else.

    Raises
    ------
    AlignmentError
        The two are pandas objects with the same row labels in different orders.

    Examples
    --------
    >>> X = pd.DataFrame({"size": [1.0, 2.0]}, index=["P1", "P2"])
    >>> refuse_other_order(X, pd.Series([0, 1], index=["P1", "P2"]))
    >>> refuse_other_order(X, pd.Series([1, 0], index=["P2", "P1"]))
    Traceback (most recent call last):
    ...
    radiogenomics.core.errors.AlignmentError: expected X and y in one order ...
    """
    if not isinstance(X, pd.DataFrame) or not isinstance(y, pd.Series | pd.DataFrame):
        return
    rows, others = X.index, y.index
    if len(rows) != len(others) or rows.equals(others):
        return
    moved = (rows != others) & rows.isin(others)
    numbered = pd.api.types.is_integer_dtype(rows.dtype)
    if not moved.any() or (numbered and Counter(rows) != Counter(others)):
        return
    todo = (
        "Do: y.loc[X.index]."
        if others.is_unique and not len(rows.difference(others))
        else "Give both the same rows, in one order."
    )
    raise AlignmentError(
        f"expected X and y in one order of rows, as they are paired by position; found "
        f"{int(moved.sum())} of {len(rows)} labels on other rows of y, first "
        f"{short_list(rows[moved], limit=3)}. {todo}"
    )
