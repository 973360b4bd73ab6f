"""Feature modules and gene modules, joined by their links."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from radiogenomics.core.errors import DataError
from radiogenomics.plots.link_words import FOUND
from radiogenomics.plots.style import (
    BLUE,
    INK,
    MUTED,
    SMALL,
    TEXT_SIZE,
    VERMILION,
    name_axes,
    new_axes,
    records,
    require,
    shorten,
    write,
)

COLUMNS = ("feature_module", "gene_module", "rho", "p_family", "features", "genes")
NOTHING = "no link beyond chance"
WIDEST = 14.0
"""Points across, of a link whose rho is 1."""
ROW_INCHES = 0.42
SIDES = ("feature_module", "gene_module")
ROOMY = 9.0
"""Points between the starts of lines that leave room for a number on each."""
BAR, THINNEST, FILLED = 0.018, 0.012, 0.5
"""Shares of the axes: width of a module's bar, its least height, and of all bars together."""
LONGEST, SWEEPS = 26, 8


def draw_module_network(
    module_links: pd.DataFrame,
    ax: Axes | None = None,
    *,
    most: int = 24,
    title: str | None = None,
) -> Axes:
    """Draw links between feature modules (left) and gene modules (right).

    The width of a line is the size of rho, its colour the sign; a full line has a family-wise p
    below 0.05, a dashed one is what chance gives as well. The longer a module's bar, the more of
    its links are drawn, not the more members it has; those are counted beside it.

    Parameters
    ----------
    module_links
        ``feature_module, gene_module, rho, p_family, features, genes`` (the last two: members),
        one row a pair.
    ax
        Axes to draw on; new ones when not given.
    most
        Links drawn at most: the smallest family-wise p first, among equals the largest rho.
    title
        Of the axes.

    Returns
    -------
    Axes
        Where no link is beyond chance, it says so.

    Raises
    ------
    DataError
        There is no row with a rho, a column is missing, a pair is there twice, or no link is asked
        for.

    Examples
    --------
    >>> table = pd.DataFrame({"feature_module": ["F1"], "gene_module": ["G1"], "rho": [0.2],
    ...                       "p_family": [0.4], "features": [12], "genes": [80]})
    >>> draw_module_network(table).texts[0].get_text()
    'no link beyond chance; drawn: all 1; width: size of rho'
    """
    drawn = strongest(module_links, most=most)
    left, right = ordered(drawn)
    rows = max(len(left), len(right))
    ax = new_axes(ax, size=(7.4, 1.55 + ROW_INCHES * rows))
    _head(ax, module_links[module_links["rho"].notna()], drawn=len(drawn))
    _draw(ax, drawn, left, right)
    ax.set(xlim=(-0.02, 1.02), ylim=(1.03, -0.03), xticks=[], yticks=[], frame_on=False)
    _keys(ax)
    name_axes(ax, x="", y="", title=title, raised=True)
    return ax


def _draw(ax: Axes, drawn: pd.DataFrame, left: list[str], right: list[str]) -> None:
    """Draw bars and links; a link is as wide as the part of the bars that it takes."""
    points = 72 * ax.figure.get_figheight() * ax.get_position().height
    scale = min(FILLED / max(float(drawn["rho"].abs().sum()), 1e-9), WIDEST / points)
    ends = []
    for names, own, other, at in ((left, *SIDES, 0.0), (right, *SIDES[::-1], 1.0)):
        order = _ranks(drawn[other], right if names is left else left)
        ends.append(_stacked(drawn, own, names, order=order, scale=scale))
        _draw_modules(ax, drawn, own, ends[-1], at=at, scale=scale)
    thick = (0.92 * scale * points * drawn["rho"].abs()).clip(lower=0.8)
    starts = np.sort(ends[0][drawn["p_family"] < FOUND])
    numbered = bool((np.diff(starts) * points > ROOMY).all())
    # The surest are drawn last, above all others.
    for row in records(drawn.assign(thick=thick).iloc[::-1]):
        _draw_link(ax, row, (ends[0][row.Index], ends[1][row.Index]), numbered=numbered)


def strongest(module_links: pd.DataFrame, *, most: int) -> pd.DataFrame:
    """Links to draw, the surest first; refuses what is no table of module links."""
    require(module_links, COLUMNS, what="module links")
    known = module_links[module_links["rho"].notna()]
    require(known, COLUMNS, what="module links with a rho")
    twice = int(known.duplicated(list(SIDES)).sum())
    if twice or most < 1:
        raise DataError(
            f"module links: expected each pair of modules once, and at least 1 link to draw; found "
            f"{twice} rows more, and {most} asked for. Pass the links of one analysis."
        )
    order = np.lexsort((-known["rho"].abs(), known["p_family"]))
    return known.iloc[order[:most]].reset_index(drop=True)


def ordered(drawn: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Order the modules of both sides so that links cross little.

    Either side in turn is sorted by the mean place of its partners, weighted by the size of rho.
    """
    left, right = ([*dict.fromkeys(drawn[side])] for side in SIDES)
    for _ in range(SWEEPS):
        right = _by_partners(drawn, SIDES[1], _ranks(drawn[SIDES[0]], left))
        left = _by_partners(drawn, SIDES[0], _ranks(drawn[SIDES[1]], right))
    return left, right


def _by_partners(drawn: pd.DataFrame, side: str, ranks: pd.Series) -> list[str]:
    weight = drawn["rho"].abs() + 1e-9
    sums = pd.DataFrame({"place": weight * ranks, "weight": weight}).groupby(drawn[side]).sum()
    return list((sums["place"] / sums["weight"]).sort_values(kind="stable").index)


def _ranks(modules: pd.Series, names: list[str]) -> pd.Series:
    """Place of each module in the order, from 0 to 1, so that both sides compare."""
    return modules.map(names.index) / max(1, len(names) - 1)


def _stacked(
    drawn: pd.DataFrame, side: str, names: list[str], *, order: pd.Series, scale: float
) -> pd.Series:
    """Height at which each link meets its module: partners from top to bottom, bars apart."""
    sizes = scale * drawn["rho"].abs()
    bars = sizes.groupby(drawn[side]).sum()
    free = 1 - float(bars.sum())
    gap = free / len(names)
    found, top = pd.Series(0.0, index=drawn.index), gap / 2
    for name in names:
        own = order[drawn[side] == name].sort_values(kind="stable").index
        below = top + sizes[own].cumsum()
        found[own] = below - sizes[own] / 2
        top = float(below.iloc[-1]) + gap
    return found


def _draw_modules(
    ax: Axes, drawn: pd.DataFrame, side: str, places: pd.Series, *, at: float, scale: float
) -> None:
    """Draw the bars of one side with their names and the count of their members."""
    members = side.removesuffix("_module") + "s"
    outer, across = (-1, "right") if at == 0 else (1, "left")
    sizes = scale * drawn["rho"].abs() / 2
    for name, part in drawn.groupby(side, sort=False):
        own = part.index
        top, foot = (places - sizes)[own].min(), (places + sizes)[own].max()
        least = max(foot - top, THINNEST)
        ax.barh(
            (top + foot) / 2, outer * BAR, left=at, height=least, color=INK, clip_on=False, zorder=3
        )
        beside = (at + 1.6 * outer * BAR, (top + foot) / 2)
        count = part[members].iloc[0]
        words = f"{shorten(name, length=LONGEST)} ({count:,.0f} {members})"
        write(ax, words, beside, across=across)


def _draw_link(ax: Axes, row: Any, ends: tuple[float, float], *, numbered: bool) -> None:
    sure, colour = row.p_family < FOUND, VERMILION if row.rho > 0 else BLUE
    corners = [(0, ends[0]), (0.45, ends[0]), (0.55, ends[1]), (1, ends[1])]
    curve = Path(corners, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    # Matplotlib measures dashes in widths of their line.
    dashes = (0, (max(1.0, 4 / row.thick), max(0.7, 2.5 / row.thick)))
    line = PathPatch(
        curve,
        facecolor="none",
        edgecolor=colour,
        linewidth=row.thick,
        linestyle="-" if sure else dashes,
        alpha=0.85 if sure else 0.35,
        capstyle="butt",
        zorder=2,
    )
    ax.add_patch(line)
    if sure and numbered:
        write(ax, f"{row.rho:+.2f}".replace("-", "−"), (1.6 * BAR, ends[0]), colour=colour)
        ax.texts[-1].set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.6})


def _head(ax: Axes, known: pd.DataFrame, *, drawn: int) -> None:
    """Say above the links how many are beyond chance, of all and not only of those drawn."""
    sure = int((known["p_family"] < FOUND).sum())
    found = NOTHING if not sure else f"{sure} link{'s' * (sure > 1)} beyond chance"
    these = f"all {drawn}" if drawn == len(known) else f"the {drawn} surest of {len(known):,} pairs"
    words = f"{found}; drawn: {these}; width: size of rho"
    write(ax, words, (0, 1), coords="axes fraction", offset=(0, 8), size=TEXT_SIZE)
    ax.texts[-1].set_fontweight("normal" if sure else "bold")


def _keys(ax: Axes) -> None:
    full, dashed = "-", (0, (3, 1.6))
    kinds = (
        (VERMILION, full, 3, "positive"),
        (BLUE, full, 3, "negative"),
        (MUTED, full, 3, f"family-wise p < {FOUND:g}"),
        (MUTED, dashed, 1.5, "not beyond chance"),
    )
    handles = [
        Line2D([], [], color=colour, linestyle=style, linewidth=width, label=label)
        for colour, style, width, label in kinds
    ]
    ax.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=4, frameon=False,
        fontsize=SMALL, labelcolor=INK, handlelength=2.4, columnspacing=1.4,
    )  # fmt: skip
