"""Readable HTML for notebooks; every user string is escaped.

Styles are inline, because notebooks drop style sheets when they are shared, and colours are
translucent greys, because the page behind may be light or dark.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
import pandas as pd

MAX_ROWS = 20
MAX_COLUMNS = 12
_LINE = "1px solid rgba(128,128,128,.35)"
# A page without a doctype gives tables colour and size of their own: hence inherit.
_INHERIT = "color:inherit;font-size:inherit"
_TABLE = f"border-collapse:collapse;border:none;margin:.3em 0;table-layout:auto;{_INHERIT}"
_CELL = "padding:.1em .9em .1em 0;border:none;background:none;vertical-align:top;color:inherit;"
_QUIET = "opacity:.65;font-weight:normal;"


def card(title: str, facts: Mapping[str, object], table: pd.DataFrame | None = None) -> str:
    """Title, a two-column list of facts and, if given, the first rows of a table.

    Parameters
    ----------
    title
        First line.
    facts
        What → value; an empty text is left out, None shows as a dash.
    table
        Shown with its index, at most ``MAX_ROWS`` rows and ``MAX_COLUMNS`` columns; numbers to
        four digits, right-aligned.
    """
    texts = [(str(key), _text(value)) for key, value in facts.items()]
    rows = "".join(
        _row(_cell("th", key, "left", _QUIET) + _cell("td", text, "left"))
        for key, text in texts
        if text
    )
    listing = f'<table style="{_TABLE}"><tbody>{rows}</tbody></table>' if rows else ""
    body = "" if table is None else _table(table)
    return (
        '<div style="font-size:90%;line-height:1.35;max-width:100%;overflow-x:auto">'
        f"<b>{escape(title)}</b>{listing}{body}</div>"
    )


def _table(table: pd.DataFrame) -> str:
    part = table.iloc[:MAX_ROWS, :MAX_COLUMNS]
    sides = [
        "right" if pd.api.types.is_numeric_dtype(kind) and kind.kind != "b" else "left"
        for kind in part.dtypes
    ]
    line = f"border-bottom:{_LINE};"
    head = _cell("th", str(part.index.name or ""), "left", _QUIET + line)
    head += "".join(
        _cell("th", str(column), side, _QUIET + line)
        for column, side in zip(part.columns, sides, strict=True)
    )
    rows = "".join(
        _row(
            _cell("th", _text(label), "left", "font-weight:normal;")
            + "".join(_cell("td", _text(v), side) for v, side in zip(values, sides, strict=True))
        )
        for label, values in zip(part.index, part.itertuples(index=False, name=None), strict=True)
    )
    hidden = [
        f"{count} more {what}"
        for count, what in (
            (len(table) - len(part), "rows"),
            (table.shape[1] - part.shape[1], "columns"),
        )
        if count
    ]
    more = f'<div style="{_QUIET}">and {", ".join(hidden)}</div>' if hidden else ""
    return f'<table style="{_TABLE}"><thead>{_row(head)}</thead><tbody>{rows}</tbody></table>{more}'


def _row(cells: str) -> str:
    # Notebooks stripe the rows of tables: none here.
    return f'<tr style="background:none">{cells}</tr>'


def _cell(tag: str, text: str, side: str, style: str = "") -> str:
    return f'<{tag} style="{_CELL}text-align:{side};{style}">{escape(text)}</{tag}>'


def _text(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT:
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return "–" if np.isnan(value) else f"{value:.4g}"
    return str(value)
