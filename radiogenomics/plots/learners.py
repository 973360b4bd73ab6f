"""Comparison of learners: area under the curve with interval, against chance."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

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
    write,
    write_beside,
)

COLUMNS = ("learner", "auc", "low", "high")
ROW_INCHES = 0.32


def draw_learners(learners: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw each learner's AUC with its interval, in the order of the table.

    The learner of the study was named beforehand; the others show whether the choice mattered.
    Picking the best of them afterwards would be selection on the test data.

    Parameters
    ----------
    learners
        ``learner, auc, low, high``, one row a learner; ``headline`` (bool) marks the study's own,
        ``chance`` (0.5 when absent) is the line of nothing to find.
    ax
        Axes to draw on; new ones when not given.

    Returns
    -------
    Axes
        x: AUC.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"learner": ["svm"], "auc": [0.6], "low": [0.5], "high": [0.7]})
    >>> draw_learners(table).get_lines()[-1].get_xdata().tolist()
    [0.6]
    """
    require(learners, COLUMNS, what="comparison of learners")
    ax = new_axes(ax, size=(6.0, 0.95 + ROW_INCHES * len(learners)))
    chance = float(learners["chance"].iloc[0]) if "chance" in learners else 0.5
    ax.axvline(chance, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    top = ("data", "axes fraction")
    write(ax, "chance", (chance, 1), coords=top, offset=(0, 6), colour=MUTED, across="center")
    names = []
    for position, row in enumerate(learners.itertuples()):
        own = bool(getattr(row, "headline", False))
        colour = BLUE if own else MUTED
        ax.hlines(position, row.low, row.high, color=colour, linewidth=2.4 if own else 1.5)
        ax.plot([row.auc], [position], marker="o", markersize=7 if own else 5, color=colour)
        write_beside(ax, position, interval(row.auc, row.low, row.high))
        names.append(shorten(row.learner) + (" (the study's)" if own else ""))
    bare_rows(ax, names)
    low, high = float(learners["low"].min()), float(learners["high"].max())
    ax.set_xlim(min(low, chance) - 0.03, max(high, chance) + 0.03)
    grid(ax, axis="x")
    name_axes(ax, x="AUC (95 % interval)", y="")
    return ax
