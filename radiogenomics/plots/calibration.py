"""Calibration: what was foretold against what was seen, with how many it rests on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    SMALL,
    grid,
    name_axes,
    new_axes,
    require,
    write,
)

Floats = NDArray[np.float64]

COLUMNS = ("predicted", "observed", "low", "high", "n")
ROOM = 0.06
"""Least distance of two points, in predicted probability, at which both carry their count."""


def draw_calibration(
    bins: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw the observed share against the mean predicted probability, bin by bin.

    Points on the diagonal are well calibrated; below it, risk is overstated. Grey bars at the foot
    show the patients in each bin: a point that rests on ten says little.

    Parameters
    ----------
    bins
        ``predicted, observed, low, high, n``: mean prediction, observed share with its interval
        (0 to 1) and patients, one row a bin.
    ax
        Axes to draw on; new ones when not given.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: predicted probability, y: observed share, both 0 to 1.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> bins = pd.DataFrame({"predicted": [0.2, 0.8], "observed": [0.3, 0.7], "low": [0.1, 0.5],
    ...                      "high": [0.5, 0.9], "n": [20, 20]})
    >>> draw_calibration(bins).get_lines()[1].get_ydata().tolist()
    [0.3, 0.7]
    """
    require(bins, COLUMNS, what="calibration")
    ax = new_axes(ax, size=(4.1, 4.1))
    rows = bins.sort_values("predicted")
    x, y, n = (rows[name].to_numpy(dtype=float) for name in ("predicted", "observed", "n"))
    ax.plot([0, 1], [0, 1], color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label="ideal")
    ax.plot(x, y, color=BLUE, linewidth=1.4, marker="o", markersize=5, zorder=3, label="observed")
    ax.vlines(x, rows["low"], rows["high"], color=BLUE, linewidth=1.4, alpha=0.65, zorder=2)
    _draw_counts(ax, x, n)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.17, 1.02)
    ax.set_yticks(np.linspace(0, 1, 6))
    ax.set_xticks(np.linspace(0, 1, 6))
    grid(ax)
    name_axes(ax, x="predicted probability", y="observed share", title=title)
    return ax


def _draw_counts(ax: Axes, x: Floats, n: Floats) -> None:
    """Draw the patients of each point as bars at the foot, with numbers where there is room."""
    apart = float(np.diff(x).min()) if x.size > 1 else 1.0
    heights = 0.09 * n / n.max()
    ax.bar(x, heights, width=min(0.025, max(0.6 * apart, 0.004)), bottom=-0.16, color=FAINT)
    if apart < ROOM:
        few, many = int(n.min()), int(n.max())
        size = f"{few}" if few == many else f"{few} to {many}"
        foot = ("axes fraction", "data")
        write(ax, f"{size} patients a point", (0.02, -0.12), coords=foot, colour=MUTED)
        return
    for place, height, count in zip(x, heights, n, strict=True):
        at = (place, height - 0.15)
        write(
            ax,
            f"{count:.0f}",
            at,
            colour=MUTED,
            size=SMALL - 1,
            across="center",
            upright="bottom",
        )
