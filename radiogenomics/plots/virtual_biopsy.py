"""How well imaging foretells each pathway or gene in patients the model has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from radiogenomics.core.errors import DataError
from radiogenomics.plots.estimates import draw_estimates
from radiogenomics.plots.link_words import FOUND, set_labels
from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    MUTED,
    grid,
    interval,
    name_axes,
    new_axes,
    records,
    require,
    write,
    write_beside,
)

COLUMNS = ("target", "r2", "auc", "auc_low", "auc_high", "fdr", "p_family")
BAND = (0.025, 0.975)
LETTER, NAMES = 0.078, 1.0
"""Inches: of a letter of a target's name, and that the names take at least."""
FIRST, BETWEEN, SECOND, BESIDE = 2.75, 0.75, 1.85, 1.3
"""Inches across: R², what is written beside it, AUC, what is written beside that."""
TOP, FOOT, ROW_INCHES = 0.4, 0.75, 0.25
"""Inches above and below the rows, and of a row."""


def draw_virtual_biopsy(
    biopsy: pd.DataFrame,
    ax: Axes | None = None,
    *,
    null: pd.DataFrame | None = None,
    top: int = 30,
    title: str | None = None,
) -> Axes:
    """Draw out-of-sample R² target by target, the best foretold first, with the AUC beside it.

    An R² of 0 is no better than the mean of the training patients, and chance lies below 0 rather
    than at it, which the grey band shows. A star is a family-wise p below 0.05; grey and hollow are
    targets whose FDR is not below 0.05: of those nothing is known from imaging. The best of many
    targets look better here than they will elsewhere.

    Parameters
    ----------
    biopsy
        ``target, r2, auc, auc_low, auc_high, fdr, p_family``, one row a target; with ``r2_low,
        r2_high`` also the interval of R².
    ax
        Axes of R², with room on the right; new ones when not given.
    null
        ``target, r2``, one row a permutation of a target: the middle 95 % of them are the band.
    top
        Targets drawn at most.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: R² out of sample; y: targets.

    Raises
    ------
    DataError
        There is no row with an R², a column is missing, or the null is of other targets.

    Examples
    --------
    >>> table = pd.DataFrame({"target": ["HYPOXIA", "MYC"], "r2": [0.02, 0.3], "auc": [0.5, 0.8],
    ...     "auc_low": [0.4, 0.7], "auc_high": [0.6, 0.9], "fdr": [0.5, 0.01],
    ...     "p_family": [0.9, 0.02]})
    >>> [label.get_text() for label in draw_virtual_biopsy(table).get_yticklabels()]
    ['MYC', 'HYPOXIA']
    """
    rows, known = _ranked(biopsy, top=top)
    ax = new_axes(_placed(rows) if ax is None else ax)
    more = "" if len(rows) == known else f", the {len(rows)} best of {known:,}"
    draw_estimates(rows, ax, name=f"R² out of sample{more}", chance=0, title=title)
    if null is not None:
        _draw_band(ax, rows, require(null, ("target", "r2"), what="null of the virtual biopsy"))
    _draw_auc(ax, rows)
    band = "" if null is None else "grey band: 95 % of permutations; "
    words = f"{band}★ family-wise p < {FOUND:g}; hollow: FDR not below {FOUND:g}"
    drop = -72 * (FOOT - 0.12)
    write(ax, words, (0, 0), coords="axes fraction", offset=(0, drop), colour=MUTED)
    return ax


def _ranked(biopsy: pd.DataFrame, *, top: int) -> tuple[pd.DataFrame, int]:
    """Rows of estimates, the best first, and the number of targets that have an R²."""
    require(biopsy, COLUMNS, what="virtual biopsy")
    known = biopsy[np.isfinite(biopsy["r2"].to_numpy(dtype=float))]
    require(known, COLUMNS, what="virtual biopsy: targets with an R²")
    best = known.sort_values("r2", ascending=False, kind="stable").head(top).reset_index(drop=True)
    rows = best.assign(
        label=set_labels(best["target"]),
        value=best["r2"],
        low=best.get("r2_low", np.nan),
        high=best.get("r2_high", np.nan),
        found=best["fdr"] < FOUND,
        text=[_beside(row) for row in records(best)],
    )
    return rows, len(known)


def _placed(rows: pd.DataFrame) -> Axes:
    """Axes of R², placed by the inch, with room for the AUC beside them."""
    names = max(NAMES, 0.15 + LETTER * max(map(len, rows["label"])))
    height = ROW_INCHES * (len(rows) + 0.2)
    whole = (names + FIRST + BETWEEN + SECOND + BESIDE, FOOT + height + TOP)
    figure = Figure(figsize=whole, facecolor="white")
    FigureCanvasAgg(figure)
    place = (names / whole[0], FOOT / whole[1], FIRST / whole[0], height / whole[1])
    return figure.add_axes(place)


def _beside(row: Any) -> str:
    return f"{row.r2:.2f}{' ★' if row.p_family < FOUND else ''}".replace("-", "−")


def _draw_band(ax: Axes, rows: pd.DataFrame, null: pd.DataFrame) -> None:
    """Draw where the middle 95 % of permutations lie, and keep it in sight."""
    ends = null.groupby("target")["r2"].quantile(list(BAND)).unstack()
    own = ends.reindex(rows["target"]).to_numpy(dtype=float)
    if not np.isfinite(own).any():
        raise DataError(
            "null of the virtual biopsy: expected permutations of the targets drawn; found none of "
            f"the {len(rows)} targets in it. Pass the permutations of the same run."
        )
    ax.barh(rows.index, own[:, 1] - own[:, 0], left=own[:, 0], height=0.62, color=FAINT,
            alpha=0.7, zorder=0)  # fmt: skip
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 1.05 * np.nanmin(own)), max(high, 1.05 * np.nanmax(own)))


def _draw_auc(ax: Axes, rows: pd.DataFrame) -> None:
    """Draw the AUC of high against low on axes of its own, level with R²."""
    beside = new_axes(ax.inset_axes((1 + BETWEEN / FIRST, 0, SECOND / FIRST, 1)))
    beside.axvline(0.5, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    for row in records(rows):
        colour = BLUE if row.found else MUTED
        beside.hlines(row.Index, row.auc_low, row.auc_high, color=colour, linewidth=1.5, zorder=2)
        face = colour if row.found else "white"
        beside.plot(
            [row.auc], [row.Index], "s", markersize=5, color=colour, markerfacecolor=face, zorder=3
        )
        known = np.isfinite(row.auc)
        words = interval(row.auc, row.auc_low, row.auc_high) if known else "not known"
        write_beside(beside, row.Index, words)
    beside.set(ylim=ax.get_ylim(), yticks=[])
    beside.spines["left"].set_visible(False)
    beside.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    grid(beside, axis="x")
    name_axes(beside, x="AUC of high against low", y="")
