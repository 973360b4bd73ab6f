"""Volcanoes: effect against evidence, a point a gene."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    SMALL,
    VERMILION,
    grid,
    name_axes,
    new_axes,
    plain,
    records,
    require,
    shorten,
)

SCREEN_COLUMNS = ("gene", "hazard_ratio", "p", "selected")
DIFFERENTIAL_COLUMNS = ("gene", "log2_fold_change", "p", "fdr")
FOUND = 0.05
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100)
CROWD = 1000
"""More points than this are drawn as pixels, which keeps the page small."""
ROOM = 0.38
"""Share of the points' width that is left free on either side, for names."""
LABEL_GAP = 0.052
"""Share of the height that a name takes."""


def draw_screen(
    screen: pd.DataFrame,
    ax: Axes | None = None,
    *,
    named: Collection[str] = (),
    unit: str = "SD",
    title: str | None = None,
) -> Axes:
    """Draw the hazard ratio of every candidate against its p, with the genes that were kept.

    Parameters
    ----------
    screen
        ``gene, hazard_ratio, p, selected``, one row a gene; genes without a model are left out.
    ax
        Axes to draw on; new ones when not given.
    named
        Genes whose names are written: those of the signature.
    unit
        That hazard ratios are per.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: hazard ratio, logarithmic, above 1 is worse; y: −log10 p, not adjusted.

    Raises
    ------
    DataError
        No gene has a model, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"gene": ["A", "B"], "hazard_ratio": [1.8, 1.1], "p": [1e-4, 0.4],
    ...                       "selected": [True, False]})
    >>> [text.get_text() for text in draw_screen(table, named=["A"]).texts]
    ['A']
    """
    require(screen, SCREEN_COLUMNS, what="screen")
    known = screen[screen["p"].notna() & (screen["hazard_ratio"] > 0)]
    require(known, SCREEN_COLUMNS, what="genes with a Cox model")
    kept = known["selected"].eq(True)
    points = known.assign(
        effect=np.log(known["hazard_ratio"].to_numpy(dtype=float)),
        kind=np.where(kept, "kept for the search", "not kept"),
    )
    colours = {"not kept": FAINT, "kept for the search": BLUE}
    ax = draw_points(points, new_axes(ax, size=(4.6, 4.0)), colours=colours, named=named)
    low, high = ax.get_xlim()
    inside = [tick for tick in TICKS if low <= np.log(tick) <= high]
    ax.xaxis.set_major_locator(FixedLocator([float(np.log(tick)) for tick in inside]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels([f"{tick:g}" for tick in inside])
    name_axes(ax, x=f"hazard ratio per {unit}", y="−log10 p", title=title)
    return ax


def draw_differential(
    differential: pd.DataFrame,
    ax: Axes | None = None,
    *,
    named: Collection[str] = (),
    top: int = 8,
    title: str | None = None,
) -> Axes:
    """Draw log2 fold change of patients called high against p, with the genes that differ.

    Parameters
    ----------
    differential
        ``gene, log2_fold_change, p, fdr``, one row a gene of one cohort.
    ax
        Axes to draw on; new ones when not given.
    named
        Genes whose names are written, beside the first that differ in either direction.
    top
        How many of those.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: log2 fold change, above 0 is higher in those called high; y: −log10 p, not adjusted.

    Raises
    ------
    DataError
        No gene has a p, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"gene": ["A", "B"], "log2_fold_change": [1.8, 0.1],
    ...                       "p": [1e-4, 0.4], "fdr": [2e-4, 0.4]})
    >>> [text.get_text() for text in draw_differential(table).texts]
    ['A']
    """
    require(differential, DIFFERENTIAL_COLUMNS, what="differential expression")
    known = differential[differential["p"].notna() & differential["log2_fold_change"].notna()]
    require(known, DIFFERENTIAL_COLUMNS, what="genes with a test")
    change = known["log2_fold_change"].to_numpy(dtype=float)
    found = (known["fdr"] <= FOUND).to_numpy()
    up, down = (f"higher in {name}, FDR ≤ {FOUND:g}" for name in ("high", "low"))
    other = f"FDR above {FOUND:g}"
    kind = np.select([found & (change > 0), found], [up, down], other)
    points = known.assign(effect=change, kind=kind)
    first = points[points["kind"] != other].sort_values("p", kind="stable").groupby("kind")
    names = {*named, *first.head(top)["gene"]}
    colours = {other: FAINT, up: VERMILION, down: BLUE}
    ax = draw_points(points, new_axes(ax, size=(4.6, 4.0)), colours=colours, named=names)
    words = "log2 fold change, high over low"
    name_axes(ax, x=words, y="−log10 p", title=title)
    return ax


def draw_points(
    points: pd.DataFrame, ax: Axes, *, colours: dict[str, str], named: Collection[str]
) -> Axes:
    """Draw points ``effect, p, kind, gene``; the kinds are drawn in the order of their colours."""
    p = points["p"].to_numpy(dtype=float)
    # A p that underflowed to 0 is drawn at the smallest one that did not.
    floor = p[p > 0].min(initial=1.0)
    placed = points.assign(height=-np.log10(np.maximum(p, floor)))
    ax.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    for kind, colour in colours.items():
        part = placed[placed["kind"] == kind]
        ax.scatter(
            part["effect"],
            part["height"],
            s=9,
            color=colour,
            linewidths=0,
            alpha=0.85,
            rasterized=len(part) > CROWD,
            label=f"{kind}: {len(part):,}",
            zorder=2,
        )
    ax.set_ylim(0, 1.12 * max(float(placed["height"].max()), 1.0))
    lowest, highest = float(placed["effect"].min()), float(placed["effect"].max())
    span = (highest - lowest) or 1.0
    ax.set_xlim(lowest - ROOM * span, highest + ROOM * span)
    grid(ax)
    beside = (lowest - 0.05 * span, highest + 0.05 * span)
    _name(ax, placed[placed["gene"].isin(named)], beside=beside)
    # Below the axes, as names fill what room there is beside the points.
    ax.legend(
        loc="upper left", bbox_to_anchor=(-0.02, -0.14), frameon=False, fontsize=SMALL,
        labelcolor=INK, handletextpad=0.2, borderaxespad=0, markerscale=1.6,
    )  # fmt: skip
    return ax


def _name(ax: Axes, genes: pd.DataFrame, *, beside: tuple[float, float]) -> None:
    """Write names in columns left and right of all points, from the top down, and lead to them."""
    top = ax.get_ylim()[1]
    ax.scatter(
        genes["effect"], genes["height"], s=16, facecolors="none", edgecolors=INK, linewidths=0.9,
        zorder=4,
    )  # fmt: skip
    for side, column in zip(("left", "right"), beside, strict=True):
        below = 1.0
        mine = genes[(genes["effect"] < 0) == (side == "left")]
        for row in records(mine.sort_values("height", ascending=False)):
            below = min(row.height / top, below - LABEL_GAP)
            ax.annotate(
                plain(shorten(row.gene, length=16)),
                (row.effect, row.height),
                xytext=(column, below * top),
                ha="right" if side == "left" else "left",
                va="center",
                fontsize=SMALL,
                color=INK,
                arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "shrinkB": 2},
                annotation_clip=False,
            )
