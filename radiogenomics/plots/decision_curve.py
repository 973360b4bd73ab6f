"""Decision curves: net benefit of a model over the thresholds, beside treating all or none."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.core.errors import DataError
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
)

COLUMNS = ("strategy", "threshold", "net_benefit", "low", "high")
ALL, NONE = "treat all", "treat none"
DEPTH = 0.3
"""How far below 0 the axes reach at most, as a share of their height above it."""


def draw_decision_curve(
    table: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw net benefit against the threshold, with the two strategies that need no model.

    The model is of use where its line lies above both others. The band is pointwise. Treating all
    plunges at high thresholds, so the axes end a little below 0: a line that leaves them is worse
    than treating nobody by more than matters.

    Parameters
    ----------
    table
        ``strategy, threshold, net_benefit, low, high``; each strategy other than ``treat all`` and
        ``treat none`` is a model with a line and band of its own.
    ax
        Axes to draw on; new ones when not given.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: threshold probability, y: net benefit.

    Raises
    ------
    DataError
        There is no row, a column is missing, or no net benefit is known.

    Examples
    --------
    >>> table = pd.DataFrame({"strategy": "model", "threshold": [0.1, 0.2],
    ...                       "net_benefit": [0.3, 0.2], "low": [0.2, 0.1], "high": [0.4, 0.3]})
    >>> draw_decision_curve(table).get_lines()[0].get_ydata().tolist()
    [0.3, 0.2]
    """
    require(table, COLUMNS, what="decision curve")
    if not np.isfinite(table["net_benefit"]).any():
        raise DataError(
            "decision curve: expected a known net benefit to draw; found none. Choose lower "
            "thresholds or an earlier horizon."
        )
    ax = new_axes(ax, size=(4.6, 3.8))
    parts = {
        str(name): part.sort_values("threshold")
        for name, part in table.groupby("strategy", sort=False)
    }
    _draw_default(ax, parts.pop(ALL, None), dash=(0, (5, 1.5)), colour=MUTED, name=ALL)
    _draw_default(ax, parts.pop(NONE, None), dash="-", colour=INK, name=NONE)
    for name, (colour, dash) in line_styles(parts).items():
        x, y = parts[name]["threshold"], parts[name]["net_benefit"]
        ax.plot(x, y, color=colour, linestyle=dash, linewidth=1.7, zorder=4, label=plain(name))
        low, high = parts[name]["low"], parts[name]["high"]
        ax.fill_between(x, low, high, color=colour, alpha=0.13, linewidth=0, zorder=2)
    _frame(ax, table)
    grid(ax)
    name_axes(ax, x="threshold probability", y="net benefit", title=title)
    legend(ax, place="upper right")
    return ax


def _draw_default(
    ax: Axes, part: pd.DataFrame | None, *, dash: object, colour: str, name: str
) -> None:
    if part is not None:
        x, y = part["threshold"], part["net_benefit"]
        ax.plot(x, y, color=colour, linestyle=dash, linewidth=1.1, zorder=3, label=name)


def _frame(ax: Axes, table: pd.DataFrame) -> None:
    """End the axes above the highest bound and a little below 0."""
    models = table[~table["strategy"].isin([ALL, NONE])]
    top = float(np.nanmax([table["net_benefit"].max(), models["high"].max(), 0.01]))
    lowest = float(np.nanmin([table["net_benefit"].min(), models["low"].min(), 0.0]))
    ax.set_ylim(max(1.1 * lowest, -DEPTH * top) - 0.03 * top, 1.06 * top)
    ends = table["threshold"].min(), table["threshold"].max()
    room = 0.02 * max(ends[1] - ends[0], 0.01)
    ax.set_xlim(ends[0] - room, ends[1] + room)
