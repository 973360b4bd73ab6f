"""What was foretold of patients against what was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from radiogenomics.core.errors import DataError
from radiogenomics.plots.style import (
    BLUE,
    MUTED,
    VERMILION,
    grid,
    legend,
    name_axes,
    new_axes,
    require,
)

COLUMNS = ("predicted", "measured")


def draw_foretold(
    table: pd.DataFrame, ax: Axes | None = None, *, unit: str = "", title: str | None = None
) -> Axes:
    """Draw measured against predicted levels, a point a patient, with the line of identity.

    The second line is that of measured on predicted: as steep as the first where predictions are
    calibrated, flat where they say nothing. What images do not show is foretold as the mean.

    Parameters
    ----------
    table
        ``predicted, measured``, one row a patient who was held out.
    ax
        Axes to draw on; new ones when not given.
    unit, title
        Of both numbers; of the axes.

    Returns
    -------
    Axes
        x: predicted, y: measured.

    Raises
    ------
    DataError
        There is no row with both numbers, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"predicted": [0.1, 0.4, 0.2], "measured": [0.0, 0.9, 0.1]})
    >>> draw_foretold(table).get_xlabel()
    'foretold from images'
    """
    require(table, COLUMNS, what="foretold and measured")
    values = table[list(COLUMNS)].to_numpy(dtype=float)
    known = values[np.isfinite(values).all(axis=1)]
    if not len(known):
        raise DataError(
            f"foretold and measured: expected patients with both; found none of {len(values)}. "
            "Pass predictions of patients that were measured."
        )
    x, y = known.T
    ax = new_axes(ax, size=(4.1, 3.4))
    ends = np.array([known.min(), known.max()])
    ax.plot(ends, ends, color=MUTED, linewidth=1, linestyle=(0, (3, 3)), label="identity")
    ax.scatter(x, y, s=17, color=BLUE, alpha=0.65, linewidths=0, zorder=3)
    if np.ptp(x) > 0:
        slope, intercept = np.polyfit(x, y, 1)
        reach, label = np.array([x.min(), x.max()]), f"slope {slope:.2f}".replace("-", "−")
        ax.plot(reach, intercept + slope * reach, color=VERMILION, linewidth=1.8, label=label)
    margin = 0.04 * float(np.ptp(ends) or 1.0)
    ax.set_ylim(ends[0] - margin, ends[1] + margin)
    wide = 0.75 * max(float(np.ptp(x)), 0.35 * float(np.ptp(ends)), 1e-9)
    ax.set_xlim(x.mean() - wide, x.mean() + wide)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    legend(ax)
    grid(ax)
    beside = f", {unit}" if unit else ""
    name_axes(ax, x=f"foretold from images{beside}", y=f"measured{beside}", title=title)
    return ax
