"""What known defects of published procedures add: each beside the honest way, and on nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    BLUE,
    INK,
    MUTED,
    VERMILION,
    bare_rows,
    grid,
    interval,
    legend_above,
    name_axes,
    new_axes,
    records,
    require,
    shorten,
    width_for,
    write_beside,
)

COLUMNS = ("procedure", "auc", "low", "high", "auc_on_noise")
ROW_INCHES = 0.42
LONGEST = 56
CHANCE = 0.5
BELOW = 0.2


def draw_flattery(
    flattery: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw what each procedure claims of the same patients, and what it claims of shuffled labels.

    The first row is the honest way; a line through its AUC shows how far the others leave it, and
    the length of an interval how sure they pretend to be. Hollow grey: the same procedure where
    there is nothing to find. A procedure whose hollow mark lies right of chance finds something in
    nothing.

    Parameters
    ----------
    flattery
        ``procedure, auc, low, high, auc_on_noise``, the honest way first; the last may be empty.
    ax, title
        Axes to draw on, new ones when not given, and their title.

    Returns
    -------
    Axes
        x: AUC; one row a procedure.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"procedure": ["nested", "pooled"], "auc": [0.6, 0.9],
    ...     "low": [0.5, 0.88], "high": [0.7, 0.92], "auc_on_noise": [0.5, 0.85]})
    >>> draw_flattery(table).get_lines()[0].get_xdata()
    [0.6, 0.6]
    """
    require(flattery, COLUMNS, what="flattery")
    names = [shorten(name, length=LONGEST) for name in flattery["procedure"]]
    ax = new_axes(ax, size=(width_for(names), 1.25 + ROW_INCHES * len(flattery)))
    honest = float(flattery["auc"].iloc[0])
    own = ax.axvline(honest, color=BLUE, linewidth=0.9, alpha=0.7, zorder=1, label="the honest way")
    luck = ax.axvline(
        CHANCE, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1, label="chance: 0.50"
    )
    for position, row in enumerate(records(flattery)):
        _draw_row(ax, position, row)
    words = "where labels are shuffled"
    (noise,) = ax.plot([], [], "o", color=MUTED, markerfacecolor="white", label=words)
    bare_rows(ax, names)
    numbers = flattery[list(COLUMNS[1:])].to_numpy(dtype=float)
    bounds = np.append(numbers[np.isfinite(numbers)], CHANCE)
    margin = 0.04 * (float(np.ptp(bounds)) or 1.0)
    ax.set_xlim(bounds.min() - margin, bounds.max() + margin)
    grid(ax, axis="x")
    name_axes(ax, x="AUC as claimed (95 % interval as claimed)", y="", title=title, raised=1)
    legend_above(ax, [own, luck, noise], columns=3)
    return ax


def _draw_row(ax: Axes, position: int, row: object) -> None:
    value, low, high, noise = (float(getattr(row, column)) for column in COLUMNS[1:])
    colour = VERMILION if position else BLUE
    if np.isfinite([low, high]).all():
        ax.hlines(position, low, high, color=colour, linewidth=2, zorder=2)
    ax.plot([value], [position], "s", markersize=5.5, color=colour, zorder=3)
    if np.isfinite(noise):
        ax.plot(
            [noise], [position + BELOW], "o", markersize=5, color=MUTED, markerfacecolor="white",
            zorder=3,
        )  # fmt: skip
    write_beside(ax, position, interval(value, low, high))
