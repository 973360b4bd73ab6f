"""Gene sets enriched at either end of a ranking of all genes."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    BLUE,
    MUTED,
    VERMILION,
    bare_rows,
    grid,
    name_axes,
    new_axes,
    records,
    require,
    shorten,
    unprefixed,
    width_for,
    write_beside,
    write_sides,
)

COLUMNS = ("set", "nes", "fdr", "size")
ROW_INCHES = 0.25
FOUND = 0.05


def draw_enrichment(
    enrichment: pd.DataFrame, ax: Axes | None = None, *, top: int = 12, title: str | None = None
) -> Axes:
    """Draw normalised enrichment scores as stems, the largest of either direction.

    Sets share genes, so that neighbours may be one finding told several times.

    Parameters
    ----------
    enrichment
        ``set, nes, fdr, size`` (genes), one row a set of one cohort; above 0: higher in patients
        called high.
    ax
        Axes to draw on; new ones when not given.
    top
        Sets drawn at most in each direction.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: normalised enrichment score; grey and hollow where the FDR is above 0.05.

    Raises
    ------
    DataError
        There is no row with a score, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"set": ["G2M", "BILE"], "nes": [2.1, -1.4], "fdr": [0.001, 0.3],
    ...                       "size": [180, 90]})
    >>> [label.get_text() for label in draw_enrichment(table).get_yticklabels()]
    ['G2M', 'BILE']
    """
    require(enrichment, COLUMNS, what="enrichment")
    known = enrichment[enrichment["nes"].notna()].sort_values("nes", ascending=False, kind="stable")
    require(known, COLUMNS, what="sets with an enrichment score")
    up, down = known[known["nes"] > 0].head(top), known[known["nes"] <= 0].tail(top)
    drawn = pd.concat([up, down]).reset_index(drop=True)
    names = [shorten(name, length=40) for name in unprefixed(drawn["set"])]
    ax = new_axes(ax, size=(width_for(names), 1.0 + ROW_INCHES * len(drawn)))
    ax.axvline(0, color=MUTED, linewidth=0.9, zorder=1)
    for position, row in enumerate(records(drawn)):
        _draw_stem(ax, position, row)
    bare_rows(ax, names)
    reach = 1.08 * max(float(drawn["nes"].abs().max()), 1.0)
    ax.set_xlim(-reach if len(down) else -0.08, reach if len(up) else 0.08)
    grid(ax, axis="x")
    name = f"normalised enrichment score (hollow: FDR above {FOUND:g})"
    name_axes(ax, x=name, y="", title=title, raised=True)
    write_sides(ax, ("higher in low" if len(down) else "", "higher in high" if len(up) else ""))
    return ax


def _draw_stem(ax: Axes, position: int, row: Any) -> None:
    found = row.fdr <= FOUND
    colour = (VERMILION if row.nes > 0 else BLUE) if found else MUTED
    ax.hlines(position, 0, row.nes, color=colour, linewidth=1.8 if found else 1, zorder=2)
    face = colour if found else "white"
    ax.plot(
        [row.nes], [position], "o", markersize=6.5, color=colour, markerfacecolor=face, zorder=3
    )
    write_beside(ax, position, f"FDR {_written(row.fdr)}, {row.size:.0f} genes")


def _written(fdr: float) -> str:
    return "not known" if pd.isna(fdr) else "< 0.001" if fdr < 0.001 else f"{fdr:.2g}"
