"""Kaplan-Meier curves with bands, censoring ticks and the number at risk."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.plots.style import (
    INK,
    MUTED,
    grid,
    legend,
    line_styles,
    name_axes,
    new_axes,
    plain,
    require,
    shorten,
    write,
)

COLUMNS = ("group", "time", "survival", "low", "high", "at_risk", "censored")
FIRST_ROW, ROW, LABEL_GAP = 38.0, 11.5, 14.0
"""Points between the axis and the numbers at risk, from row to row, and before the first column."""


def draw_survival(
    curves: pd.DataFrame,
    ax: Axes | None = None,
    *,
    endpoint: str | None = None,
    note: str | None = None,
    title: str | None = None,
) -> Axes:
    """Draw one step curve a group, its pointwise band, and the number at risk below the axis.

    Groups are drawn, and listed, in the order of the table, or of its categories. The right end of
    each curve rests on few patients: read it with the numbers underneath.

    Parameters
    ----------
    curves
        ``group, time, survival, low, high, at_risk, censored``, one row a distinct time (months):
        probability to survive beyond it with its band, patients followed up to just before it,
        patients censored at it; ``endpoint``, if there, is what is survived.
    ax
        Axes to draw on; new ones when not given.
    endpoint
        What is survived, for the name of the axis; when not given, that of the table.
    note
        Short text under the title, for example a hazard ratio.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: months, y: survival probability, 0 to 1.

    Raises
    ------
    DataError
        There is no row, a column is missing, or there are several endpoints and none is given.

    Examples
    --------
    >>> curve = pd.DataFrame({"group": "all", "time": [2.0, 5.0], "survival": [0.5, 0.5],
    ...     "low": [0.1, 0.1], "high": [0.9, 0.9], "at_risk": [2, 1], "censored": [0, 1]})
    >>> draw_survival(curve).get_lines()[0].get_ydata().tolist()
    [1.0, 0.5, 0.5]
    """
    words = _axis_words(curves, endpoint)
    ax = new_axes(ax, size=(4.1, 4.1))
    styles = line_styles(groups := _in_order(curves))
    for name, part in groups.items():
        _draw_group(ax, part, name=name, style=styles[name])
    ax.set_xlim(0, float(curves["time"].max()) * 1.02)
    ax.set_ylim(0, 1.03)
    grid(ax)
    name_axes(ax, x="months", y=words, title=title, raised=note is not None)
    ax.xaxis.set_major_locator(_months(ax))
    if note is not None:
        write(ax, note, (0, 1), coords="axes fraction", offset=(0, 8), colour=MUTED)
    _number_at_risk(ax, groups, {name: style[0] for name, style in styles.items()})
    legend(ax)
    return ax


def _in_order(curves: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows of each group by time; groups as the table, or its categories, order them."""
    ordered = isinstance(curves["group"].dtype, pd.CategoricalDtype)
    parts = curves.groupby("group", sort=ordered, observed=True)
    return {str(name): part.sort_values("time") for name, part in parts}


def _axis_words(curves: pd.DataFrame, endpoint: str | None) -> str:
    """Name of the axis of checked curves, with the endpoint where it is known."""
    require(curves, COLUMNS, what="survival curves")
    if endpoint is None and "endpoint" in curves:
        found = [str(word) for word in curves["endpoint"].dropna().unique() if str(word)]
        if len(found) > 1:
            raise DataError(
                f"survival curves: expected one endpoint; found {short_list(found)}. Draw the rows "
                "of one."
            )
        endpoint = found[0] if found else None
    return f"survival probability ({endpoint})" if endpoint else "survival probability"


def _draw_group(ax: Axes, part: pd.DataFrame, *, name: str, style: tuple[str, object]) -> None:
    colour, dash = style
    time, survival, low, high = (
        _from_origin(part, column, start)
        for column, start in (("time", 0.0), ("survival", 1.0), ("low", 1.0), ("high", 1.0))
    )
    ax.plot(
        time,
        survival,
        drawstyle="steps-post",
        color=colour,
        linestyle=dash,
        linewidth=1.6,
        label=plain(name),
        zorder=3,
    )
    ax.fill_between(time, low, high, step="post", color=colour, alpha=0.13, linewidth=0)
    censored = part[part["censored"] > 0]
    ax.plot(
        censored["time"],
        censored["survival"],
        linestyle="none",
        marker="|",
        markersize=6,
        markeredgewidth=0.9,
        color=colour,
        zorder=3,
    )


def _from_origin(part: pd.DataFrame, column: str, start: float) -> np.ndarray:
    """Values of a column, with the point at time 0 in front where the table begins later."""
    values = part[column].to_numpy(dtype=float)
    return values if part["time"].iloc[0] <= 0 else np.concatenate([[start], values])


def _months(ax: Axes) -> object:
    """Ticks at whole years where the follow-up has them, so that readers count in years."""
    from matplotlib.ticker import MaxNLocator, MultipleLocator

    span = ax.get_xlim()[1]
    if span < 18:
        return MaxNLocator(nbins=6, integer=True)
    return MultipleLocator(12 * max(1, round(span / 12 / 5)))


def _number_at_risk(ax: Axes, groups: dict[str, pd.DataFrame], colours: dict[str, str]) -> None:
    """Write, under the axis, who is still followed at each tick.

    Rows are placed in points below the axis, so that they keep their distance at any size.
    """
    span = ax.get_xlim()[1]
    ticks = [
        tick for tick in ax.xaxis.get_major_locator().tick_values(0, span) if 0 <= tick <= span
    ]
    ax.set_xticks(ticks)
    _below(ax, "number at risk", 0.0, row=0, colour=MUTED, align="left")
    for row, (name, part) in enumerate(groups.items(), start=1):
        times, at_risk = part["time"].to_numpy(), np.append(part["at_risk"].to_numpy(), 0)
        label = shorten(name, length=18)
        _below(ax, label, 0.0, row=row, colour=colours[name], align="right")
        for tick in ticks:
            count = int(at_risk[np.searchsorted(times, tick, side="left")])
            _below(ax, str(count), float(tick), row=row, colour=INK, align="center")


def _below(ax: Axes, text: str, x: float, *, row: int, colour: str, align: str) -> None:
    offset = (-LABEL_GAP if align == "right" else 0.0, -(FIRST_ROW + ROW * row))
    under = ax.get_xaxis_transform()
    write(ax, text, (x, 0), coords=under, offset=offset, colour=colour, across=align)
