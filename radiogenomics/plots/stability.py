"""How often each gene came back when the derivation was repeated in other patients."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    INK,
    bare_rows,
    grid,
    name_axes,
    new_axes,
    require,
    shorten,
    write_beside,
)

COLUMNS = ("gene", "share", "low", "high")
ROW_INCHES = 0.22


def draw_stability(
    stability: pd.DataFrame,
    ax: Axes | None = None,
    *,
    chosen: Collection[str] = (),
    top: int = 25,
    of: str = "repeats",
) -> Axes:
    """Draw the share of repeats that chose each gene, with its interval, most frequent first.

    Genes of one programme share their frequency, so that a low share need not mean noise.

    Parameters
    ----------
    stability
        ``gene, share, low, high`` (0 to 1; bounds may be empty), one row a gene.
    ax
        Axes to draw on; new ones when not given.
    chosen
        Genes of the signature: drawn in blue, and drawn even where others came back more often.
    top
        Other genes drawn at most.
    of
        What is repeated, for the name of the axis.

    Returns
    -------
    Axes
        x: share of repeats, 0 to 1.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"gene": ["A", "B"], "share": [0.2, 0.7], "low": [0.1, 0.6],
    ...                       "high": [0.3, 0.8]})
    >>> [float(bar.get_width()) for bar in draw_stability(table, chosen=["B"]).patches]
    [0.7, 0.2]
    """
    require(stability, COLUMNS, what="stability")
    ordered = stability.sort_values("share", ascending=False, kind="stable")
    own = ordered["gene"].isin(chosen)
    drawn = ordered[own | ((~own).cumsum() <= top)].reset_index(drop=True)
    ax = new_axes(ax, size=(4.6, 0.9 + ROW_INCHES * len(drawn)))
    shares = drawn["share"].to_numpy(dtype=float)
    colours = [BLUE if mine else FAINT for mine in drawn["gene"].isin(chosen)]
    ax.barh(range(len(drawn)), shares, height=0.68, color=colours)
    ax.hlines(drawn.index, drawn["low"], drawn["high"], color=INK, linewidth=1.1, zorder=3)
    for position, share in enumerate(shares):
        write_beside(ax, position, f"{100 * share:.0f} %")
    bare_rows(ax, [shorten(gene, length=20) for gene in drawn["gene"]])
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    grid(ax, axis="x")
    more = f" ({rarer} rarer not drawn)" if (rarer := len(ordered) - len(drawn)) else ""
    name_axes(ax, x=f"share of {of} that chose it{more}", y="")
    return ax
