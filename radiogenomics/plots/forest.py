"""Forest of hazard ratios on a logarithmic scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from radiogenomics.plots.style import (
    BLUE,
    MUTED,
    bare_rows,
    grid,
    interval,
    name_axes,
    new_axes,
    plain,
    require,
    shorten,
    width_for,
    write_beside,
)

COLUMNS = ("term", "hazard_ratio", "low", "high")
ROW_INCHES = 0.3
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
WIDEST = 64.0
"""Axes end here: beyond it an interval says only that the data do not tell."""


def draw_forest(hazards: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None) -> Axes:
    """Draw hazard ratios with their intervals, one row a term, against the line of no effect.

    Intervals that leave the axes end in an arrow; the numbers stand on the right in full.

    Parameters
    ----------
    hazards
        ``term, hazard_ratio, low, high``; with ``model``, it is named beside the term where it
        varies; ``n`` and ``events``, where present, are written out.
    ax
        Axes to draw on; new ones when not given.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: hazard ratio, logarithmic; above 1 is worse.

    Raises
    ------
    DataError
        There is no row, a column is missing, or a hazard ratio is not positive.

    Examples
    --------
    >>> table = pd.DataFrame({"term": ["risk"], "hazard_ratio": [1.4], "low": [1.0], "high": [1.9]})
    >>> draw_forest(table).get_xscale()
    'log'
    """
    require(hazards, COLUMNS, what="hazard ratios")
    known = hazards[hazards["hazard_ratio"].astype(float) > 0].reset_index(drop=True)
    require(known, COLUMNS, what="positive hazard ratios")
    names = [_row_name(known, position) for position in range(len(known))]
    ax = new_axes(ax, size=(width_for(names, free=36), 0.95 + ROW_INCHES * len(known)))
    ax.set_xscale("log")
    low, high = _limits(known)
    ax.axvline(1, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    for position, row in enumerate(known.itertuples()):
        _draw_interval(ax, position, (float(row.low), float(row.high)), limits=(low, high))
        write_beside(ax, position, interval(row.hazard_ratio, row.low, row.high))
    values = known["hazard_ratio"].clip(low, high)
    ax.plot(values, known.index, "s", markersize=5.5, color=BLUE, zorder=3)
    bare_rows(ax, names)
    _ratio_axis(ax, low, high)
    grid(ax, axis="x")
    name_axes(ax, x="hazard ratio (95 % interval)", y="", title=title)
    return ax


def _ratio_axis(ax: Axes, low: float, high: float) -> None:
    ax.set_xlim(low, high)
    inside = [tick for tick in TICKS if low <= tick <= high]
    ax.xaxis.set_major_locator(FixedLocator(inside))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels([f"{tick:g}" for tick in inside])


def _limits(known: pd.DataFrame) -> tuple[float, float]:
    bounds = known[["hazard_ratio", "low", "high"]].to_numpy(dtype=float).ravel()
    finite = bounds[np.isfinite(bounds) & (bounds > 0)]
    low = max(min(finite.min() / 1.15, 0.5), 1 / WIDEST)
    high = min(max(finite.max() * 1.15, 2.0), WIDEST)
    return float(min(low, 1)), float(max(high, 1))


def _draw_interval(
    ax: Axes, position: int, bounds: tuple[float, float], *, limits: tuple[float, float]
) -> None:
    """Draw the whisker; an end beyond the axes becomes an arrow at their edge."""
    if np.isnan(bounds).any():
        return
    ends = np.clip(bounds, *limits)
    ax.hlines(position, ends[0], ends[1], color=BLUE, linewidth=1.6, zorder=2)
    for end, bound, marker in zip(ends, bounds, ("<", ">"), strict=True):
        if end != bound:
            ax.plot([end], [position], marker=marker, color=BLUE, markersize=6, clip_on=False)


def _row_name(known: pd.DataFrame, position: int) -> str:
    row = known.iloc[position]
    several = "model" in known and known["model"].nunique() > 1
    name = shorten(row["term"]) + (f", {row['model']}" if several else "")
    if "events" in known and pd.notna(row["events"]):
        name += f"  ({int(row['events'])} events)"
    return plain(name)
