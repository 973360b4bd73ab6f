"""AUC over follow-up time with its band, chance, and the times at which there is none."""

from __future__ import annotations

from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    INK,
    MUTED,
    SMALL,
    grid,
    legend,
    line_styles,
    name_axes,
    new_axes,
    plain,
    require,
    write,
)

COLUMNS = ("time", "auc", "low", "high")
DROPPED_COLUMNS = ("time", "reason")
FIRST_ROW, ROW = 36.0, 10.5
"""Points between the axis and the footnote, and from line to line of it."""
NOTE_WIDTH, NOTE_TIMES = 76, 6
"""Letters a line of the footnote, and times named for one reason."""


def draw_time_dependent_auc(
    areas: pd.DataFrame,
    ax: Axes | None = None,
    *,
    dropped: pd.DataFrame | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the AUC at each time with its pointwise band, and the line of chance.

    The band holds at each time, not for the whole curve; both ends rest on few patients. A footnote
    says at which times nothing could be estimated, and why.

    Parameters
    ----------
    areas
        ``time, auc, low, high``, one row a time (months); with a column ``learner``, one curve a
        learner.
    ax
        Axes to draw on; new ones when not given.
    dropped
        ``time, reason`` of the times left out; may be empty.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: months, y: AUC.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> areas = pd.DataFrame({"time": [12, 24], "auc": [0.7, 0.6], "low": [0.6, 0.5],
    ...                       "high": [0.8, 0.7]})
    >>> draw_time_dependent_auc(areas).get_lines()[1].get_ydata().tolist()
    [0.7, 0.6]
    """
    require(areas, COLUMNS, what="time-dependent AUC")
    ax = new_axes(ax, size=(4.6, 3.8))
    ax.axhline(0.5, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label="chance: 0.50")
    names = areas["learner"] if "learner" in areas else pd.Series("AUC", index=areas.index)
    styles = line_styles(map(str, names))
    for name, part in areas.groupby(names.astype(str), sort=False):
        _draw_curve(ax, part.sort_values("time"), name=str(name), style=styles[str(name)])
    lowest = float(areas[["auc", "low"]].to_numpy(dtype=float).min())
    ax.set_ylim(max(-0.02, min(0.4, lowest - 0.03)), 1.02)
    ax.set_xlim(left=0)
    grid(ax)
    name_axes(ax, x="months", y="cumulative/dynamic AUC", title=title)
    if dropped is not None and not dropped.empty:
        _write_dropped(ax, require(dropped, DROPPED_COLUMNS, what="dropped times"))
    legend(ax, place="lower right")
    return ax


def _draw_curve(ax: Axes, part: pd.DataFrame, *, name: str, style: tuple[str, object]) -> None:
    colour, dash = style
    time, value, low, high = (part[column].to_numpy(dtype=float) for column in COLUMNS)
    ax.plot(
        time,
        value,
        color=colour,
        linestyle=dash,
        linewidth=1.6,
        marker="o",
        markersize=4,
        zorder=3,
        label=plain(name),
    )
    if time.size == 1:
        # A band of one time has no width.
        ax.vlines(time, low, high, color=colour, linewidth=1.4, alpha=0.65, zorder=2)
    else:
        ax.fill_between(time, low, high, color=colour, alpha=0.13, linewidth=0)


def _write_dropped(ax: Axes, dropped: pd.DataFrame) -> None:
    """Write the times left out under the axis, those of one reason together."""
    lines: list[str] = []
    for reason, part in dropped.groupby("reason", sort=False):
        times = [f"{t:g}" for t in np.sort(part["time"].to_numpy(dtype=float))]
        rest = len(times) - NOTE_TIMES
        named = ", ".join(times[:NOTE_TIMES]) + (f" and {rest} more" if rest > 0 else "")
        lines += wrap(f"Not estimated at {named}: {reason}", NOTE_WIDTH)
    for place, line in enumerate(lines):
        below = (0, -FIRST_ROW - ROW * place)
        write(
            ax,
            line,
            (0, 0),
            coords="axes fraction",
            offset=below,
            colour=MUTED,
            size=SMALL - 1,
            upright="top",
        )
