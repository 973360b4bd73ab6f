"""Null distribution: what chance gave when the truth was shuffled, and what was seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    FAINT,
    VERMILION,
    grid,
    name_axes,
    new_axes,
    require,
    write,
)

COLUMNS = ("value",)


def draw_null(
    values: pd.DataFrame,
    ax: Axes | None = None,
    *,
    observed: float,
    p: float | None = None,
    name: str = "statistic",
    title: str | None = None,
) -> Axes:
    """Draw the histogram of a statistic under the null with a line at the observed value.

    Parameters
    ----------
    values
        ``value``, one row a permutation or random signature.
    ax
        Axes to draw on; new ones when not given.
    observed
        The statistic of the real data.
    p
        Permutation p-value, written beside the line when given.
    name
        Of the statistic, for the x axis.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: the statistic, y: replicates.

    Raises
    ------
    DataError
        There is no row, no finite value, or the column is missing.

    Examples
    --------
    >>> values = pd.DataFrame({"value": [0.45, 0.5, 0.55, 0.48]})
    >>> draw_null(values, observed=0.7, p=0.2).get_lines()[0].get_xdata()
    [0.7, 0.7]
    """
    require(values, COLUMNS, what="null distribution")
    finite = values[np.isfinite(values["value"].to_numpy(dtype=float))]
    drawn = require(finite, COLUMNS, what="finite null values")["value"].to_numpy(dtype=float)
    ax = new_axes(ax, size=(4.1, 3.0))
    bins = min(40, max(10, int(np.sqrt(drawn.size) * 1.5)))
    ax.hist(drawn, bins=bins, color=FAINT, edgecolor="white", linewidth=0.6)
    ax.axvline(observed, color=VERMILION, linewidth=2)
    text = f"observed {observed:.3f}" + ("" if p is None else f", p = {p:.2g}")
    shift, across = (-5, "right") if observed > np.median(drawn) else (5, "left")
    at, top = (observed, 1), ("data", "axes fraction")
    write(ax, text, at, coords=top, offset=(shift, -7), colour=VERMILION, across=across)
    ax.margins(x=0.06, y=0.16)
    grid(ax, axis="y")
    name_axes(ax, x=name, y=f"replicates ({drawn.size} in all)", title=title)
    return ax
