"""ROC curves with the area and its interval in the legend."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    INK,
    grid,
    interval,
    legend,
    line_styles,
    name_axes,
    new_axes,
    plain,
    require,
)

COLUMNS = ("learner", "fpr", "tpr")


def draw_roc(
    curves: pd.DataFrame,
    ax: Axes | None = None,
    *,
    areas: pd.DataFrame | None = None,
    headline: str | None = None,
    title: str | None = None,
) -> Axes:
    """Draw sensitivity against 1 - specificity, one line a learner, and the diagonal of chance.

    Parameters
    ----------
    curves
        ``learner, fpr, tpr`` in the order of the curve; with a column ``split`` of several values,
        one line a learner and split.
    ax
        Axes to draw on; new ones when not given.
    areas
        ``learner, auc, low, high`` (and ``split``, if the curves have it) for the legend.
    headline
        Learner drawn stronger than the others.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: false positive rate, y: true positive rate, both 0 to 1.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> curve = pd.DataFrame({"learner": "svm", "fpr": [0.0, 0.2, 1.0], "tpr": [0.0, 0.7, 1.0]})
    >>> draw_roc(curve).get_lines()[-1].get_ydata().tolist()
    [0.0, 0.7, 1.0]
    """
    require(curves, COLUMNS, what="ROC curves")
    ax = new_axes(ax, size=(4.1, 4.1))
    ax.plot([0, 1], [0, 1], color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label="chance: 0.50")
    keys = [column for column in ("learner", "split") if _varies(curves, column)]
    named = {" · ".join(map(str, key)): part for key, part in curves.groupby(keys, sort=False)}
    for name, style in line_styles(named).items():
        strong = headline is None or named[name]["learner"].iloc[0] == headline
        label = f"{name}{_area(named[name], areas)}"
        _draw_curve(ax, named[name], label=label, style=style, strong=strong)
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.01)
    ax.set_aspect("equal")
    grid(ax)
    name_axes(ax, x="1 − specificity", y="sensitivity", title=title)
    legend(ax, place="lower right")
    return ax


def _draw_curve(
    ax: Axes, curve: pd.DataFrame, *, label: str, style: tuple[str, Any], strong: bool
) -> None:
    colour, dash = style
    ax.plot(
        curve["fpr"],
        curve["tpr"],
        color=colour,
        linestyle="-" if strong else dash,
        linewidth=2.0 if strong else 1.1,
        alpha=1.0 if strong else 0.8,
        zorder=3 if strong else 2,
        label=plain(label),
    )


def _varies(curves: pd.DataFrame, column: str) -> bool:
    return column == "learner" or (column in curves and curves[column].nunique() > 1)


def _area(part: pd.DataFrame, areas: pd.DataFrame | None) -> str:
    if areas is None:
        return ""
    same = areas["learner"] == part["learner"].iloc[0]
    if "split" in areas and "split" in part:
        same &= areas["split"] == part["split"].iloc[0]
    if not same.any():
        return ""
    row = areas[same].iloc[0]
    return f": {interval(row['auc'], row['low'], row['high'])}"
