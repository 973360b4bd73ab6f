"""Flexible calibration: a smooth curve of what was seen over what was foretold."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    BLUE,
    INK,
    MUTED,
    grid,
    legend,
    name_axes,
    new_axes,
    require,
)

COLUMNS = ("predicted", "observed", "low", "high")
STEP = 0.2
"""Distance of ticks; the axes end at a multiple of it."""


def draw_flexible_calibration(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    bins: pd.DataFrame | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the smooth curve with its pointwise band, and the diagonal.

    On the diagonal predictions are well calibrated; below it, risk is overstated. Where the band
    holds the diagonal, the data cannot tell. The curve ends where the predictions do, and the axes
    end where the predictions or the curve do, rounded up to a fifth.

    Parameters
    ----------
    table
        ``predicted, observed, low, high``, 0 to 1.
    ax
        Axes to draw on; new ones when not given.
    bins
        ``predicted, observed, low, high`` of groups of patients, drawn as points over the curve.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: predicted probability, y: observed probability.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"predicted": [0.2, 0.8], "observed": [0.3, 0.7],
    ...                       "low": [0.1, 0.5], "high": [0.5, 0.9]})
    >>> draw_flexible_calibration(table).get_lines()[1].get_ydata().tolist()
    [0.3, 0.7]
    """
    require(table, COLUMNS, what="flexible calibration")
    ax = new_axes(ax, size=(4.1, 4.1))
    curve = table.sort_values("predicted")
    end = _end(curve)
    ax.plot([0, end], [0, end], color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label="ideal")
    x = curve["predicted"]
    ax.plot(x, curve["observed"], color=BLUE, linewidth=1.7, zorder=3, label="smooth curve")
    ax.fill_between(x, curve["low"], curve["high"], color=BLUE, alpha=0.15, linewidth=0)
    if bins is not None:
        _draw_bins(ax, require(bins, COLUMNS, what="groups of patients"))
    _square(ax, end)
    name_axes(ax, x="predicted probability", y="observed probability", title=title)
    legend(ax, place="upper left")
    return ax


def _end(curve: pd.DataFrame) -> float:
    largest = float(curve[["predicted", "observed"]].to_numpy(dtype=float).max())
    return float(np.clip(STEP * np.ceil(largest / STEP - 1e-9), STEP, 1.0))


def _square(ax: Axes, end: float) -> None:
    ticks = np.linspace(0, end, round(end / STEP) + 1)
    ax.set_xticks(ticks)
    ax.set_yticks(ticks)
    ax.set_xlim(-0.02 * end, 1.02 * end)
    ax.set_ylim(-0.02 * end, 1.02 * end)
    ax.set_aspect("equal")
    grid(ax)


def _draw_bins(ax: Axes, bins: pd.DataFrame) -> None:
    x = bins["predicted"]
    ax.plot(
        x,
        bins["observed"],
        color=MUTED,
        linestyle="none",
        marker="o",
        markersize=4.5,
        zorder=4,
        label="groups of patients",
    )
    ax.vlines(x, bins["low"], bins["high"], color=MUTED, linewidth=1.2, alpha=0.7, zorder=2)
