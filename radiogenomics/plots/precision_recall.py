"""Precision against recall, one thin curve a repeat, and the prevalence."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    BLUE,
    INK,
    grid,
    legend,
    name_axes,
    new_axes,
    require,
)

COLUMNS = ("repeat", "threshold", "recall", "precision", "prevalence")
FAINTEST = 0.3


def draw_precision_recall(
    table: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw precision over recall as steps, one line a repeat, above the line of the prevalence.

    A score that knows nothing runs along the prevalence. The left end rests on the few patients
    with the highest scores and jumps; curves of cohorts with other prevalences do not compare.

    Parameters
    ----------
    table
        ``repeat, threshold, recall, precision, prevalence``, one row a threshold and repeat.
    ax
        Axes to draw on; new ones when not given.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: recall, y: precision, both 0 to 1.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"repeat": 0, "threshold": [0.8, 0.1], "recall": [0.5, 1.0],
    ...                       "precision": [1.0, 0.67], "prevalence": 0.4})
    >>> draw_precision_recall(table).get_lines()[1].get_ydata().tolist()
    [1.0, 1.0, 0.67]
    """
    require(table, COLUMNS, what="precision and recall")
    ax = new_axes(ax, size=(4.1, 4.1))
    # A learnt label may give each repeat a prevalence of its own.
    prevalence = float(table.groupby("repeat")["prevalence"].first().mean())
    dash = (0, (2, 2))
    label = f"prevalence: {prevalence:.2f}"
    ax.axhline(prevalence, color=INK, linewidth=0.9, linestyle=dash, label=label)
    repeats = [part for _, part in table.groupby("repeat", sort=False)]
    _draw_steps(ax, repeats[0], of=len(repeats), label=_name(len(repeats)))
    for part in repeats[1:]:
        _draw_steps(ax, part, of=len(repeats), label=None)
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.01)
    ax.set_aspect("equal")
    grid(ax)
    name_axes(ax, x="recall (sensitivity)", y="precision", title=title)
    legend(ax, place="lower left" if prevalence > 0.4 else "upper right")
    return ax


def _name(repeats: int) -> str:
    return "model" if repeats == 1 else f"model, {repeats} repeats"


def _draw_steps(ax: Axes, part: pd.DataFrame, *, of: int, label: str | None) -> None:
    part = part.sort_values("threshold", ascending=False)
    recall, precision = (part[name].to_numpy(dtype=float) for name in ("recall", "precision"))
    ax.step(
        np.append(0.0, recall),
        np.append(precision[0], precision),
        where="pre",
        color=BLUE,
        linewidth=1.8 if of == 1 else 0.9,
        alpha=1.0 if of == 1 else max(FAINTEST, 1.2 / of**0.5),
        label=label,
        zorder=3,
    )
