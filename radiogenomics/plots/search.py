"""What a search for genes looked at: subsets by size, and combinations of methods."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.estimates import draw_estimates
from radiogenomics.plots.style import (
    BLUE,
    INK,
    MUTED,
    VERMILION,
    grid,
    legend,
    name_axes,
    new_axes,
    records,
    require,
)

SIZE_COLUMNS = ("size", "concordance", "shortfall_se", "chosen")
GRID_COLUMNS = ("selector", "learner", "concordance", "se", "genes", "failed", "within_se")
CHANCE = 0.5


def draw_subset_sizes(
    sizes: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw the left-out concordance of the best subset of each size.

    Bars are the standard error of what a size falls short of the best, which the dotted line marks:
    by the rule of one standard error the smallest size whose bar reaches the line is taken.

    Parameters
    ----------
    sizes
        ``size, concordance, shortfall_se, chosen``, one row a size; with ``looked_at``, the number
        of subsets is written below the size.
    ax
        Axes to draw on; new ones when not given.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: genes, y: concordance.

    Raises
    ------
    DataError
        There is no size with a concordance, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"size": [1, 2], "concordance": [0.58, 0.6],
    ...     "shortfall_se": [0.03, 0.0], "chosen": [True, False]})
    >>> draw_subset_sizes(table).get_lines()[0].get_ydata().tolist()
    [0.58, 0.6]
    """
    require(sizes, SIZE_COLUMNS, what="sizes of subsets")
    known = sizes[sizes["concordance"].notna()].sort_values("size")
    require(known, SIZE_COLUMNS, what="sizes with a concordance")
    ax = new_axes(ax, size=(4.1, 3.4))
    x, y, error = known["size"], known["concordance"], known["shortfall_se"].fillna(0)
    ax.plot(x, y, color=BLUE, linewidth=1.4, marker="o", markersize=5, zorder=3)
    ax.vlines(x, y, y + error, color=BLUE, linewidth=1.4, alpha=0.65, zorder=2)
    _draw_levels(ax, best=float(y.max()))
    _ring(ax, known[known["chosen"].eq(True)])
    ax.set_xticks(list(x), [_size_words(row) for row in records(known)])
    ax.set_xlim(float(x.min()) - 0.5, float(x.max()) + 0.5)
    grid(ax, axis="y")
    name_axes(ax, x="genes", y="concordance left out", title=title)
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.4 * (high - low))
    legend(ax, place="upper right")
    return ax


def _draw_levels(ax: Axes, *, best: float) -> None:
    ax.axhline(best, color=MUTED, linewidth=1, linestyle=(0, (1, 1.5)), label="best")
    ax.axhline(CHANCE, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label="chance: 0.50")


def _ring(ax: Axes, taken: pd.DataFrame) -> None:
    ax.plot(
        taken["size"],
        taken["concordance"],
        "o",
        markersize=11,
        markerfacecolor="none",
        markeredgewidth=1.8,
        color=VERMILION,
        zorder=4,
        label="taken",
    )


def _size_words(row: object) -> str:
    looked_at = getattr(row, "looked_at", None)
    count = "" if looked_at is None or pd.isna(looked_at) else f"\n{int(looked_at):,} tried"
    return f"{getattr(row, 'size', ''):g}{count}"


def draw_grid(combinations: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the concordance of every selector with every learner in the inner folds, best first.

    The best of many is too high by itself; those within its standard error are as good.

    Parameters
    ----------
    combinations
        ``selector, learner, concordance, se, genes, failed, within_se``.
    ax
        Axes to draw on; new ones when not given.

    Returns
    -------
    Axes
        x: concordance with one standard error either way, against chance.

    Raises
    ------
    DataError
        There is no combination with a concordance, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"selector": ["lasso"], "learner": ["cox"], "concordance": [0.6],
    ...     "se": [0.02], "genes": [4.2], "failed": [0], "within_se": [True]})
    >>> draw_grid(table).get_yticklabels()[0].get_text()
    'lasso + cox'
    """
    require(combinations, GRID_COLUMNS, what="grid of selectors and learners")
    ordered = combinations.sort_values("concordance", ascending=False, kind="stable")
    rows = pd.DataFrame(
        {
            "label": ordered["selector"] + " + " + ordered["learner"],
            "value": ordered["concordance"],
            "low": ordered["concordance"] - ordered["se"],
            "high": ordered["concordance"] + ordered["se"],
            "found": ordered["within_se"].eq(True),
            "text": [_grid_words(row) for row in records(ordered)],
        }
    )
    return draw_estimates(
        rows,
        ax,
        name="concordance in inner folds ± standard error (hollow: below the best by more)",
        chance=CHANCE,
    )


def _grid_words(row: object) -> str:
    concordance, genes, failed = (getattr(row, n) for n in ("concordance", "genes", "failed"))
    words = f"{concordance:.3f}, {genes:.3g} genes"
    return f"{words}, {failed:g} folds failed" if failed > 0 else words
