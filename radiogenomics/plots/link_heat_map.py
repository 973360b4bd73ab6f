"""Heat map of links: image features against gene sets or genes, both clustered."""

from __future__ import annotations

from textwrap import wrap
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from scipy.cluster.hierarchy import dendrogram, linkage

from radiogenomics.core.errors import DataError
from radiogenomics.plots.link_words import (
    FOUND,
    Quantity,
    feature_labels,
    feature_words,
    quantity_of,
    set_labels,
)
from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    PALETTE,
    SMALL,
    TEXT_SIZE,
    VERMILION,
    new_axes,
    plain,
    write,
)

Floats = NDArray[np.float64]

DIVERGING = LinearSegmentedColormap.from_list(
    "low to high", ["#00466f", BLUE, "#9cc7e0", "white", "#f2b48a", VERMILION, "#8a3c00"]
).with_extremes(bad=FAINT)
"""Blue below 0, white at 0, orange above; grey where there is no value."""
WIDEST, SMALLEST_CELL, LARGEST_CELL = 5.8, 0.145, 0.32
TREE, STRIP, GAP = 0.55, 0.68, 0.05
"""Inches: of a dendrogram, of the names of families, and between the parts."""
BAR = (1.75, 0.11)
KEYS, LETTER, CAPITAL, BOLD, LINE, EDGE = 2.05, 0.07, 0.078, 0.088, 0.18, 0.15
"""Inches: that the keys take at least; of a letter, a capital, a bold letter, a line; the edge."""
FAMILY_COLOURS = MappingProxyType(
    dict(
        zip(
            ("shape", "glrlm", "first order", "glcm", "gldm", "glszm", "ngtdm"),
            PALETTE,
            strict=True,
        )
    )
)
DARK = 0.62
"""Share of the colour scale beyond which marks are white."""


class HeatMap(NamedTuple):
    """What is drawn: features × targets, in the order of their dendrograms."""

    effects: pd.DataFrame
    marks: pd.DataFrame
    features: Tree
    targets: Tree


class Tree(NamedTuple):
    """A dendrogram: the order of its leaves, and its lines (leaf, height)."""

    order: list[int]
    lines: list[Floats]


def draw_link_heat_map(
    links: pd.DataFrame,
    ax: Axes | None = None,
    *,
    value: str = "nes",
    features: int = 40,
    targets: int = 40,
    title: str | None = None,
) -> Axes:
    """Draw the strongest links as a heat map, with dendrograms and marks of evidence.

    Neighbours are alike, which is no evidence; the marks are. Rows and columns were chosen for
    strong links, so that a map of chance has dark cells too. Near copies repeat one finding.

    Parameters
    ----------
    links
        One row a pair: ``feature, set, nes, p, fdr, p_family``, or the columns of another quantity.
    ax
        Axes to draw on, with room around them; new ones when not given.
    value
        Quantity of the colours: *nes*, *contrast_rho*, or *rho* (with ``gene`` for ``set``).
    features, targets
        Rows and columns drawn at most: those of the smallest family-wise p, then largest value.
    title
        Of the figure.

    Returns
    -------
    Axes
        x: gene sets or genes, y: features; dot: FDR, star: family-wise p below 0.05.

    Raises
    ------
    DataError
        There is no row with a value, a column is missing, a pair is there twice, or none asked for.

    Examples
    --------
    >>> table = pd.DataFrame({"feature": ["original_glcm_MCC"], "set": ["HYPOXIA"], "nes": [2.1],
    ...                       "p": [1e-4], "fdr": [0.01], "p_family": [0.2]})
    >>> draw_link_heat_map(table).get_yticklabels()[0].get_text()
    'MCC'
    """
    quantity, known = quantity_of(links, value, what="links")
    heat = strongest(known, quantity, features=features, targets=targets)
    names, below = feature_labels(heat.effects.index), set_labels(heat.effects.columns)
    size, sides = _inches(*heat.effects.shape), _around(names, below)
    head = _head(title, across=size[0] + sum(sides[:2]))
    foot = _foot(known, heat, quantity, across=sides[0] + size[0])
    if ax is None:
        ax = _placed(size, sides, lines=(len(head), len(foot)))
    new_axes(ax)
    scale = _draw_cells(ax, heat)
    _name_cells(ax, names, below)
    _draw_sides(ax, heat, size=size)
    _draw_keys(ax, scale, quantity, size=size)
    ax.set_xlabel("\n".join(map(plain, foot)), color=INK, fontsize=TEXT_SIZE, x=1, ha="right")
    _write_head(ax, head, left=(sides[0] - EDGE) / size[0])
    return ax


def strongest(known: pd.DataFrame, quantity: Quantity, *, features: int, targets: int) -> HeatMap:
    """Choose rows and columns by their strongest links, and order them by their dendrograms."""
    if features < 1 or targets < 1:
        raise DataError(
            f"links: expected at least 1 feature and 1 of the {quantity.targets} to draw; found "
            f"{features} and {targets}. Ask for some 40 of each."
        )
    order = np.lexsort(
        (-known[quantity.value].abs().to_numpy(dtype=float), known[quantity.family_wise])
    )
    ranked = known.iloc[order]
    rows = ranked["feature"].drop_duplicates().head(features)
    ranked = ranked[ranked["feature"].isin(rows)]
    columns = ranked[quantity.target].drop_duplicates().head(targets)
    ranked = ranked[ranked[quantity.target].isin(columns)]
    wide = ranked.pivot(index="feature", columns=quantity.target)
    wide = wide.reindex(index=rows)
    effects = wide[quantity.value].reindex(columns=columns)
    marks = effects.astype(object).mask(effects.notna() | effects.isna(), "")
    for mark, column in (("dot", quantity.fdr), ("star", quantity.family_wise)):
        marks = marks.mask(wide[column].reindex(columns=columns) < FOUND, mark)
    filled = effects.fillna(0).to_numpy(dtype=float)
    across, down = tree_of(filled), tree_of(filled.T)
    return HeatMap(
        effects.iloc[across.order, down.order], marks.iloc[across.order, down.order], across, down
    )


def tree_of(values: Floats) -> Tree:
    """Cluster rows by mean Euclidean distance; neighbours are as alike as the tree lets them be."""
    if len(values) < 2:
        return Tree([0], [])
    joined = linkage(values, method="average", metric="euclidean", optimal_ordering=True)
    drawn = dendrogram(joined, no_plot=True)
    # SciPy puts leaves at 5, 15, 25, ...; here they are at 0, 1, 2, ...
    places = (np.asarray(drawn["icoord"]) - 5) / 10
    lines = [np.column_stack(pair) for pair in zip(places, drawn["dcoord"], strict=True)]
    return Tree(list(drawn["leaves"]), lines)


def _inches(rows: int, columns: int) -> tuple[float, float]:
    """Width and height of the cells, which are square."""
    cell = float(np.clip(WIDEST / max(rows, columns), SMALLEST_CELL, LARGEST_CELL))
    return cell * columns, cell * rows


def _around(names: list[str], below: list[str]) -> tuple[float, float, float]:
    """Inches that the cells leave on the left, on the right and for the names below."""
    right = 0.12 + max(LETTER * max(map(len, names)), KEYS)
    return 2 * EDGE + TREE + STRIP + 2 * GAP, right, max(CAPITAL * max(map(len, below)), 0.5)


def _placed(
    size: tuple[float, float], sides: tuple[float, float, float], *, lines: tuple[int, int]
) -> Axes:
    """Axes placed by the inch, as what stands around them is measured in their size."""
    left, right, foot = sides
    foot += 0.2 + LINE * lines[1]
    top = 2 * GAP + TREE + LINE * (lines[0] + 0.5)
    whole = (left + size[0] + right, foot + size[1] + top)
    figure = Figure(figsize=whole, facecolor="white")
    FigureCanvasAgg(figure)
    place = (left / whole[0], foot / whole[1], size[0] / whole[0], size[1] / whole[1])
    return figure.add_axes(place)


def _head(title: str | None, *, across: float) -> list[str]:
    return [] if title is None else wrap(title, width=int((across - EDGE) / BOLD))


def _foot(known: pd.DataFrame, heat: HeatMap, quantity: Quantity, *, across: float) -> list[str]:
    """Lines that say what is drawn, and of how many where some are not."""
    rows, columns = heat.effects.shape
    counts = known["feature"].nunique(), known[quantity.target].nunique()
    if (rows, columns) == counts:
        return [f"features and {quantity.targets}"]
    words = (
        f"{rows} of {counts[0]:,} features and {columns} of {counts[1]:,} {quantity.targets}: "
        "those with the strongest links"
    )
    return wrap(words, width=int((across - EDGE) / CAPITAL))


def _write_head(ax: Axes, head: list[str], *, left: float) -> None:
    """Write the title above the dendrogram, from the left edge of the figure."""
    for line, words in enumerate(reversed(head)):
        lift = 72 * (GAP + TREE + 0.17 + line * LINE)
        write(ax, words, (-left, 1), coords="axes fraction", offset=(0, lift), size=TEXT_SIZE + 1)
        ax.texts[-1].set_fontweight("bold")


def _draw_cells(ax: Axes, heat: HeatMap) -> ScalarMappable:
    """Draw the cells and their marks; white marks on dark cells."""
    values = heat.effects.to_numpy(dtype=float)
    rows, columns = values.shape
    reach = float(np.nanmax(np.abs(values))) or 1.0
    mesh = ax.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        np.ma.masked_invalid(values),
        cmap=DIVERGING,
        norm=Normalize(-reach, reach),
        edgecolors="white",
        linewidth=0.5,
    )
    marks = heat.marks.to_numpy()
    for kind, shape, size in (("dot", "o", 5.0), ("star", "*", 26.0)):
        for dark, colour in ((False, INK), (True, "white")):
            own = (marks == kind) & ((np.abs(values) > DARK * reach) == dark)
            y, x = np.nonzero(own)
            ax.scatter(x, y, s=size, marker=shape, color=colour, linewidths=0, label=f"_{kind}")
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(rows - 0.5, -0.5)
    return mesh


def _name_cells(ax: Axes, names: list[str], below: list[str]) -> None:
    ax.set_xticks(range(len(below)), [plain(name) for name in below], rotation=90)
    ax.set_yticks(range(len(names)), [plain(name) for name in names])
    ax.yaxis.tick_right()
    ax.tick_params(length=0, labelcolor=INK, labelsize=SMALL)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _draw_sides(ax: Axes, heat: HeatMap, *, size: tuple[float, float]) -> None:
    """Draw the families and the features' tree on the left, and the targets' tree above."""
    width, height = size
    above = ax.inset_axes((0, 1 + GAP / height, 1, TREE / height))
    families = ax.inset_axes((-(GAP + STRIP) / width, 0, STRIP / width, 1))
    left = ax.inset_axes((-(2 * GAP + STRIP + TREE) / width, 0, TREE / width, 1))
    for side in (above, left, families):
        side.set(xticks=[], yticks=[], frame_on=False)
    for side, tree, turned in ((above, heat.targets, False), (left, heat.features, True)):
        lines = [line[:, ::-1] if turned else line for line in tree.lines]
        side.add_collection(LineCollection(lines, colors=MUTED, linewidths=0.7))
    tops = [1.03 * max((line[:, 1].max() for line in tree.lines), default=0) or 1.0
            for tree in (heat.targets, heat.features)]  # fmt: skip
    above.set(xlim=ax.get_xlim(), ylim=(0, tops[0]))
    left.set(xlim=(tops[1], 0), ylim=ax.get_ylim())
    families.set(xlim=(0, 1), ylim=ax.get_ylim())
    for row, feature in enumerate(heat.effects.index):
        family = feature_words(feature).family
        families.barh(row, 1, height=0.94, color=_tint(family))
        write(families, family, (0.5, row), size=SMALL - 1.5, across="center")


def _tint(family: str) -> tuple[float, ...]:
    """Pale colour of a family, which carries its name; the same on every figure."""
    colour = np.array(to_rgb(FAMILY_COLOURS.get(family, FAINT)))
    return tuple(1 - 0.32 * (1 - colour))


def _draw_keys(
    ax: Axes, scale: ScalarMappable, quantity: Quantity, *, size: tuple[float, float]
) -> None:
    """Draw the colour bar above the names of features, and what the marks mean below them."""
    width, height = size
    place = (1 + 0.1 / width, 1 + (GAP + 0.22) / height, BAR[0] / width, BAR[1] / height)
    bar = ax.figure.colorbar(scale, cax=ax.inset_axes(place), orientation="horizontal")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL - 1, labelcolor=MUTED, color=FAINT, length=2, pad=1.5)
    bar.ax.xaxis.set_major_locator(MaxNLocator(4, symmetric=True))
    write(bar.ax, quantity.words, (0, 1), coords="axes fraction", offset=(0, 3), upright="bottom")
    none = {"linestyle": "none", "color": INK, "markeredgewidth": 0}
    handles = [
        Line2D([], [], marker="o", markersize=3, label=f"FDR < {FOUND:g}", **none),
        Line2D([], [], marker="*", markersize=6, label=f"family-wise p < {FOUND:g}", **none),
    ]
    if np.ma.getmaskarray(scale.get_array()).any():
        handles.append(Patch(color=FAINT, label="not in the table"))
    ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1 + 0.02 / width, -0.06 / height),
        frameon=False, fontsize=SMALL, labelcolor=INK, handletextpad=0.4, borderaxespad=0,
        handlelength=1.2,
    )  # fmt: skip
