"""Partial dependence of a score on one feature, with the curve of each patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from radiogenomics.core.errors import DataError
from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    SMALL,
    grid,
    name_axes,
    new_axes,
    require,
    shorten,
)

COLUMNS = ("patient", "feature", "value", "score", "observed", "scale")


def draw_partial_dependence(
    curves: pd.DataFrame,
    ax: Axes | None = None,
    *,
    centred: bool = False,
    title: str | None = None,
) -> Axes:
    """Draw the mean score over one feature, the patients' own curves behind it.

    Curves that run parallel say that the feature acts alone; curves that cross say that its effect
    hangs on others. Ticks at the foot are the values the patients have: where there are none, the
    model guesses.

    Parameters
    ----------
    curves
        ``patient, feature, value, score, observed, scale``: one row a patient and grid point.
    ax, title
        Axes to draw on, new ones when not given, and their title.
    centred
        Let every curve start at 0, so that shapes can be compared.

    Raises
    ------
    DataError
        There is no row, a column is missing, or there are several features.

    Examples
    --------
    >>> curves = pd.DataFrame({"patient": ["a", "a", "b", "b"], "feature": "rim",
    ...     "value": [0.0, 1.0, 0.0, 1.0], "score": [0.0, 1.0, 2.0, 5.0],
    ...     "observed": [0.2, 0.2, 0.7, 0.7], "scale": "risk"})
    >>> draw_partial_dependence(curves).get_lines()[0].get_ydata().tolist()
    [1.0, 3.0]
    """
    require(curves, COLUMNS, what="partial dependence")
    names = curves["feature"].unique()
    if len(names) != 1:
        raise DataError(
            f"expected the curves of one feature; found {len(names)}. Draw one after the other."
        )
    wide = curves.pivot(index="patient", columns="value", values="score")
    x, y = wide.columns.to_numpy(dtype=float), wide.to_numpy(dtype=float)
    y = y - y[:, :1] if centred else y
    ax = new_axes(ax, size=(4.8, 3.5))
    ax.plot(x, y.mean(axis=0), color=BLUE, linewidth=2.2, zorder=4, label="mean")
    alpha = float(np.clip(12 / len(y), 0.12, 0.6))
    ax.plot(x, y.T, color=MUTED, linewidth=0.7, alpha=alpha, zorder=2)
    observed = curves.groupby("patient", sort=False)["observed"].first().to_numpy(dtype=float)
    inside = observed[(observed >= x.min()) & (observed <= x.max())]
    foot = ax.get_xaxis_transform()
    ax.plot(inside, np.full(len(inside), 0.018), "|", color=INK, markersize=5, alpha=0.55,
            markeredgewidth=0.7, transform=foot, zorder=3)  # fmt: skip
    _key(ax, len(y))
    grid(ax)
    scale = str(curves["scale"].iloc[0])
    words = f"change of {scale}" if centred else scale
    name_axes(ax, x=shorten(names[0]), y=words, title=title)
    return ax


def _key(ax: Axes, n: int) -> None:
    keys = [
        Line2D([], [], color=BLUE, linewidth=2.2, label="mean"),
        Line2D([], [], color=MUTED, linewidth=0.8, label=f"{n} patients"),
    ]
    ax.legend(handles=keys, fontsize=SMALL, labelcolor=INK, framealpha=0.85, edgecolor=FAINT,
              handlelength=1.8)  # fmt: skip
