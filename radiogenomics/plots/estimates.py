"""Estimates with their intervals, one row each: what several figures of groups have in common."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from radiogenomics.plots.style import (
    BLUE,
    INK,
    MUTED,
    bare_rows,
    grid,
    interval,
    name_axes,
    new_axes,
    require,
    shorten,
    width_for,
    write_beside,
    write_sides,
)

COLUMNS = ("label", "value", "low", "high")
ROW_INCHES = 0.25
LONGEST = 40
"""Letters of a row's name; longer ones lose their middle."""


def draw_estimates(
    rows: pd.DataFrame,
    ax: Axes | None = None,
    *,
    name: str,
    chance: float,
    sides: tuple[str, str] = ("", ""),
    title: str | None = None,
) -> Axes:
    """Draw a point and an interval a row, against the line of no effect, in the rows' order.

    Rows not found are grey and hollow; pooled ones are diamonds as wide as their interval.

    Parameters
    ----------
    rows
        ``label, value, low, high`` (bounds may be empty); with ``found``, what is not is grey; with
        ``pooled``, diamonds; with ``heading``, a line above each run of rows that share it; with
        ``text``, what is written beside the row instead of the interval.
    ax
        Axes to draw on; new ones when not given.
    name
        Of the estimate, for the x axis.
    chance
        Where there is no effect.
    sides
        What lies to the left and to the right of that line.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: the estimate, linear.

    Raises
    ------
    DataError
        There is no row with a finite value, or a column is missing.

    Examples
    --------
    >>> rows = pd.DataFrame({"label": ["B cells"], "value": [0.4], "low": [0.1], "high": [0.7]})
    >>> draw_estimates(rows, name="difference", chance=0).get_yticklabels()[0].get_text()
    'B cells'
    """
    require(rows, COLUMNS, what=name)
    known = rows[np.isfinite(rows["value"].to_numpy(dtype=float))]
    require(known, COLUMNS, what=f"{name}: finite values")
    lines = list(_lines(known))
    names = [_name(row) for row in lines]
    ax = new_axes(ax, size=(width_for(names), 1.0 + ROW_INCHES * len(lines)))
    ax.axvline(chance, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    _draw_lines(ax, lines, names)
    _keep_in_sight(ax, known, chance=chance)
    grid(ax, axis="x")
    name_axes(ax, x=name, y="", title=title, raised=any(sides))
    write_sides(ax, sides)
    return ax


def _lines(known: pd.DataFrame) -> Iterator[pd.Series | str]:
    """Rows as they are drawn, each heading where it begins."""
    above = ""
    for _, row in known.iterrows():
        heading = str(row["heading"]) if "heading" in known else ""
        if heading != above:
            above = heading
            yield heading
        yield row


def _name(row: pd.Series | str) -> str:
    return shorten(row if isinstance(row, str) else row["label"], length=LONGEST)


def _draw_lines(ax: Axes, lines: list[pd.Series | str], names: list[str]) -> None:
    for position, row in enumerate(lines):
        if isinstance(row, pd.Series):
            _draw_row(ax, position, row)
    bare_rows(ax, names)
    for tick, row in zip(ax.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if isinstance(row, str) else "normal")


def _draw_row(ax: Axes, position: int, row: pd.Series) -> None:
    value, low, high = (float(row[column]) for column in COLUMNS[1:])
    text = row["text"] if "text" in row else interval(value, low, high)
    write_beside(ax, position, text)
    if bool(row.get("pooled", False)) and np.isfinite([low, high]).all():
        corners = [(low, position), (value, position - 0.3), (high, position)]
        ax.fill(*zip(*corners, (value, position + 0.3), strict=True), color=INK, zorder=3)
        return
    found = bool(row.get("found", True))
    colour = BLUE if found else MUTED
    if np.isfinite([low, high]).all():
        ax.hlines(position, low, high, color=colour, linewidth=1.5, zorder=2)
    face = colour if found else "white"
    ax.plot([value], [position], "s", markersize=5, color=colour, markerfacecolor=face, zorder=3)


def _keep_in_sight(ax: Axes, known: pd.DataFrame, *, chance: float) -> None:
    """Limits that hold every bound and the line of no effect."""
    numbers = known[["value", "low", "high"]].to_numpy(dtype=float)
    bounds = np.append(numbers[np.isfinite(numbers)], chance)
    margin = 0.05 * (float(np.ptp(bounds)) or 1.0)
    ax.set_xlim(bounds.min() - margin, bounds.max() + margin)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
