"""Shares of patients called high and called low to whom something happened: response, survival."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    BLUE,
    MUTED,
    bare_rows,
    grid,
    interval,
    name_axes,
    new_axes,
    records,
    require,
    shorten,
    width_for,
    write_beside,
)

COLUMNS = ("split", "group", "count", "n", "share", "low", "high")
ROW_INCHES = 0.3
LONGEST = 44


def draw_group_shares(
    shares: pd.DataFrame, ax: Axes | None = None, *, name: str, title: str | None = None
) -> Axes:
    """Draw the share of each group with its interval, split by split.

    Intervals of two groups may overlap where the test between them tells them apart, so read its p
    too.

    Parameters
    ----------
    shares
        ``split, group, count, n, share, low, high``, one row a group of a split; groups called
        ``high`` are blue. Shares and bounds may be empty.
    ax, title
        Axes to draw on, new ones when not given, and their title.
    name
        Of the share, for the x axis.

    Returns
    -------
    Axes
        x: share, 0 to 1; rows in the order of the table, each split under its name.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"split": "a", "group": ["high", "low"], "count": [9, 2],
    ...     "n": [20, 20], "share": [0.45, 0.1], "low": [0.26, 0.03], "high": [0.66, 0.3]})
    >>> ax = draw_group_shares(table, name="share of responders")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['a', 'high (9 of 20)', 'low (2 of 20)']
    """
    require(shares, COLUMNS, what="shares of groups")
    names: list[str] = []
    drawn: list[tuple[int, object]] = []
    for split, part in shares.groupby("split", sort=False):
        names.append(shorten(split, length=LONGEST))
        for row in records(part.rename(columns={"count": "counted"})):
            drawn.append((len(names), row))
            names.append(shorten(f"{row.group} ({row.counted:g} of {row.n:g})", length=LONGEST))
    ax = new_axes(ax, size=(width_for(names), 0.95 + ROW_INCHES * len(names)))
    for position, row in drawn:
        _draw_row(ax, position, row)
    bare_rows(ax, names)
    own = {position for position, _ in drawn}
    for position, tick in enumerate(ax.get_yticklabels()):
        tick.set_fontweight("normal" if position in own else "bold")
    ax.set_xlim(-0.01, 1.01)
    grid(ax, axis="x")
    name_axes(ax, x=f"{name} (95 % interval)", y="", title=title)
    return ax


def _draw_row(ax: Axes, position: int, row: object) -> None:
    share, low, high = (float(getattr(row, column)) for column in COLUMNS[4:])
    if not np.isfinite(share):
        return
    colour = BLUE if getattr(row, "group", "") == "high" else MUTED
    if np.isfinite([low, high]).all():
        ax.hlines(position, low, high, color=colour, linewidth=2, zorder=2)
    ax.plot([share], [position], "o", markersize=5.5, color=colour, zorder=3)
    write_beside(ax, position, interval(share, low, high))
