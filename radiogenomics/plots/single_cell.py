"""Figures of single cells: the map by score, expression by dots, composition by bars."""

from __future__ import annotations

from itertools import cycle, islice

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.patheffects import withStroke

from radiogenomics.core.errors import DataError
from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    PALE,
    PALETTE,
    SMALL,
    bare_rows,
    name_axes,
    new_axes,
    plain,
    require,
    shorten,
    write,
)

RAMP = LinearSegmentedColormap.from_list("faint to blue", [PALE, "#4a9fd0", BLUE, INK])
HATCHES = ("", "///", "...", "xx", "\\\\\\", "oo")
LARGEST_DOT = 150.0
"""Area of the dot of genes that all cells express, in square points."""


def draw_map(
    table: pd.DataFrame, column: str, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw the cells on their map, coloured by a score or by a label.

    Cells with high scores are drawn last, so that crowds do not hide them; labels are named at the
    middle of their cells. The map's axes have no unit and distances on it mean little.

    Parameters
    ----------
    table
        ``x, y`` and ``column``, a row a cell.
    column
        Numbers (a score) or text (a label).
    ax
        Axes to draw on; new ones when not given.
    title
        Of the axes; the name of the column when not given.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        A column is missing, there is no row, or a value is missing.

    Examples
    --------
    >>> cells = pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0], "CYT": [0.1, 0.4]})
    >>> len(draw_map(cells, "CYT").collections)
    1
    """
    require(table, ("x", "y", column), what="map of cells")
    empty = int(table[["x", "y", column]].isna().any(axis=1).sum())
    if empty:
        raise DataError(
            f"map of cells: expected a place and {column} of every cell; found {empty} of "
            f"{len(table)} without. Drop these cells, or name them unknown."
        )
    ax = new_axes(ax, size=(4.6, 4.0))
    size = float(np.clip(3000 / len(table), 1.5, 18))
    if pd.api.types.is_numeric_dtype(table[column]) and table[column].dtype != bool:
        drawn = table.sort_values(column, kind="stable")
        dots = ax.scatter(drawn["x"], drawn["y"], c=drawn[column], s=size, cmap=RAMP, linewidths=0)
        _scale_bar(ax, dots, "")
    else:
        _draw_labels(ax, table.assign(label=table[column].astype(str)), size)
    ax.set_xticks([])
    ax.set_yticks([])
    name_axes(ax, x="map 1", y="map 2", title=column if title is None else title)
    return ax


def _scale_bar(ax: Axes, dots: PathCollection, name: str) -> None:
    bar = ax.figure.colorbar(dots, ax=ax, shrink=0.8, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, labelcolor=MUTED, color=FAINT)
    bar.set_label(name, fontsize=SMALL, color=INK)


def _draw_labels(ax: Axes, table: pd.DataFrame, size: float) -> None:
    labels = sorted(table["label"].unique())
    for label, colour in zip(labels, islice(cycle(PALETTE), len(labels)), strict=True):
        own = table[table["label"] == label]
        ax.scatter(own["x"], own["y"], s=size, color=colour, linewidths=0, label=plain(label))
    for label in labels:
        own = table[table["label"] == label]
        middle = (float(own["x"].median()), float(own["y"].median()))
        write(ax, shorten(label, length=24), middle, across="center")
        ax.texts[-1].set_path_effects([withStroke(linewidth=3, foreground="white")])


def draw_dots(table: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None) -> Axes:
    """Draw mean expression (colour) and the share of cells that express a gene (area) by group.

    Parameters
    ----------
    table
        ``group, gene, mean, share``, one row a pair; genes and groups in the order of the table.
    ax
        Axes to draw on; new ones when not given.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: genes; y: groups.

    Raises
    ------
    DataError
        A column is missing, there is no row, or a share is not between 0 and 1.

    Examples
    --------
    >>> table = pd.DataFrame({"group": ["T"], "gene": ["GZMA"], "mean": [1.2], "share": [0.6]})
    >>> draw_dots(table).get_yticklabels()[0].get_text()
    'T'
    """
    require(table, ("group", "gene", "mean", "share"), what="expression by group")
    if not table["share"].between(0, 1).all():
        raise DataError(
            f"expression by group: expected shares of 0 to 1; found {table['share'].min():.3g} to "
            f"{table['share'].max():.3g}. Divide percentages by 100."
        )
    groups, genes = (list(dict.fromkeys(table[name].astype(str))) for name in ("group", "gene"))
    ax = new_axes(ax, size=(max(5.0, 1.9 + 0.34 * len(genes)), 1.7 + 0.32 * len(groups)))
    shades = Normalize(0, max(float(table["mean"].max()), 1e-12))
    dots = ax.scatter(
        table["gene"].astype(str).map(genes.index),
        table["group"].astype(str).map(groups.index),
        s=LARGEST_DOT * table["share"],
        c=table["mean"],
        cmap=RAMP,
        norm=shades,
        edgecolors=FAINT,
        linewidths=0.6,
    )
    ax.set_xticks(range(len(genes)), [plain(gene) for gene in genes], rotation=90)
    ax.set_xlim(-0.7, len(genes) - 0.3)
    bare_rows(ax, [shorten(group) for group in groups])
    _scale_bar(ax, dots, "mean (log)")
    for share in (0.25, 0.5, 1.0):
        ax.scatter([], [], s=LARGEST_DOT * share, color=MUTED, label=f"{share:.0%} of cells")
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False, fontsize=SMALL,
        labelcolor=INK, handletextpad=0.2, columnspacing=1.0, borderaxespad=0,
    )  # fmt: skip
    name_axes(ax, x="", y="", title=title, raised=True)
    return ax


def draw_composition(
    table: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw the share of each cell type, one stacked bar a sample or group.

    Parameters
    ----------
    table
        ``sample, cell_type, share``; shares of a sample sum to 1. Bars and types in the order of
        the table.
    ax
        Axes to draw on; new ones when not given.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: share, 0 to 1; y: samples.

    Raises
    ------
    DataError
        A column is missing, there is no row, a sample has a type twice, or its shares do not sum to
        1.

    Examples
    --------
    >>> table = pd.DataFrame({"sample": ["P1", "P1"], "cell_type": ["T", "B"],
    ...                       "share": [0.7, 0.3]})
    >>> len(draw_composition(table).patches)
    2
    """
    require(table, ("sample", "cell_type", "share"), what="composition")
    named = table.assign(sample=table["sample"].astype(str), type=table["cell_type"].astype(str))
    samples, types = (list(dict.fromkeys(named[name])) for name in ("sample", "type"))
    wide = _shares(named).loc[samples, types]
    ax = new_axes(ax, size=(6.0, 1.2 + 0.28 * len(samples)))
    left = np.zeros(len(samples))
    colours = islice(cycle(PALETTE), len(types))
    for number, (name, colour) in enumerate(zip(types, colours, strict=True)):
        share = wide[name].to_numpy()
        hatch = HATCHES[number // len(PALETTE) % len(HATCHES)]
        ax.barh(
            range(len(samples)), share, left=left, height=0.78, color=colour, hatch=hatch,
            edgecolor="white", linewidth=0.6, label=plain(shorten(name)),
        )  # fmt: skip
        left += share
    bare_rows(ax, [shorten(sample) for sample in samples])
    ax.set_xlim(0, 1)
    ax.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=SMALL, labelcolor=INK
    )
    name_axes(ax, x="share of cells", y="", title=title)
    return ax


def _shares(named: pd.DataFrame) -> pd.DataFrame:
    """Samples × types, checked."""
    twice = int(named.duplicated(["sample", "type"]).sum())
    if twice:
        raise DataError(
            f"composition: expected each cell type once a sample; found {twice} rows twice. Add "
            "their shares up."
        )
    wide = named.pivot(index="sample", columns="type", values="share").fillna(0.0)
    total = wide.sum(axis=1)
    if not np.allclose(total, 1, atol=1e-6) or (wide < 0).any(axis=None):
        raise DataError(
            "composition: expected shares of at least 0 that sum to 1 in each sample; found sums "
            f"of {total.min():.3g} to {total.max():.3g}. Pass shares, not numbers of cells."
        )
    return wide
