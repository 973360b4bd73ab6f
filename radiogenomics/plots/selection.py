"""Selection frequency: how often each feature was chosen in the training parts."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    bare_rows,
    grid,
    name_axes,
    new_axes,
    require,
    shorten,
    write,
)

COLUMNS = ("feature", "frequency")
ROW_INCHES = 0.25
STABLE = 0.5
"""Features chosen in at least this share of fits are drawn stronger."""


def draw_selection(frequencies: pd.DataFrame, ax: Axes | None = None, *, top: int = 20) -> Axes:
    """Draw the share of fits that chose each feature, most frequent first.

    A feature that half of the fits leave out is a matter of which patients happened to be there;
    correlated features share their frequency.

    Parameters
    ----------
    frequencies
        ``feature, frequency`` (0 to 1), one row a feature.
    ax
        Axes to draw on; new ones when not given.
    top
        Features drawn at most.

    Returns
    -------
    Axes
        x: share of fits, 0 to 1.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"feature": ["size", "rim"], "frequency": [0.2, 0.9]})
    >>> [float(bar.get_width()) for bar in draw_selection(table).patches]
    [0.9, 0.2]
    """
    require(frequencies, COLUMNS, what="selection frequency")
    rows = frequencies.sort_values("frequency", ascending=False, kind="stable").head(top)
    ax = new_axes(ax, size=(6.4, 0.9 + ROW_INCHES * len(rows)))
    shares = rows["frequency"].to_numpy(dtype=float)
    colours = [BLUE if share >= STABLE else FAINT for share in shares]
    ax.barh(range(len(rows)), shares, height=0.66, color=colours)
    for position, share in enumerate(shares):
        write(ax, f"{100 * share:.0f} %", (share, position), offset=(4, 0))
    bare_rows(ax, [shorten(name) for name in rows["feature"]])
    ax.set_xlim(0, 1.12)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    grid(ax, axis="x")
    left_out = len(frequencies) - len(rows)
    more = f" ({left_out} rarer not drawn)" if left_out else ""
    name_axes(ax, x=f"share of fits that chose it{more}", y="")
    return ax
