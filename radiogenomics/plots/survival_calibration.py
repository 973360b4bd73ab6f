"""Calibration of predicted survival: foretold against observed risk, at one horizon or several."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    INK,
    MUTED,
    grid,
    legend,
    line_styles,
    name_axes,
    new_axes,
    plain,
    require,
    write,
)

GROUP_COLUMNS = ("horizon", "predicted", "observed", "low", "high", "n")
CURVE_COLUMNS = ("horizon", "predicted", "observed", "low", "high")
MARKERS = ("o", "s", "^", "D")
STEP = 0.2
"""Distance of ticks; the axes end at a multiple of it."""


def draw_survival_calibration(
    groups: pd.DataFrame,
    ax: Axes | None = None,
    *,
    curves: pd.DataFrame | None = None,
    title: str | None = None,
) -> Axes:
    """Draw observed against predicted risk: a point a risk group, a line the smooth curve.

    Points and lines on the diagonal are well calibrated; below it, risk is overstated. Each horizon
    has a colour, dash and marker of its own. The axes end where the risks do, rounded up to a
    fifth. The note tells how few patients and events a point may rest on.

    Parameters
    ----------
    groups
        ``horizon, predicted, observed, low, high, n``: months, mean predicted risk, Kaplan-Meier
        risk with its interval (empty where there is none), patients, one row a group; ``events`` by
        the horizon, where present, are told in the note.
    ax
        Axes to draw on; new ones when not given.
    curves
        ``horizon, predicted, observed, low, high``: smooth curves with their bands.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: predicted risk, y: observed risk, from 0.

    Raises
    ------
    DataError
        There is no row, a column is missing, or no group has an observed risk.

    Examples
    --------
    >>> groups = pd.DataFrame({"horizon": 24, "predicted": [0.2, 0.8], "observed": [0.3, 0.7],
    ...     "low": [0.1, 0.5], "high": [0.5, 0.9], "n": [20, 20], "events": [6, 14]})
    >>> draw_survival_calibration(groups).get_lines()[1].get_ydata().tolist()
    [0.3, 0.7]
    """
    require(groups, GROUP_COLUMNS, what="survival calibration")
    known = groups[groups["observed"].notna()]
    require(known, GROUP_COLUMNS, what="risk groups with an observed risk")
    ax = new_axes(ax, size=(4.1, 4.1))
    _square_from_zero(ax, known)
    horizons = sorted(known["horizon"].unique())
    styles = line_styles(_name(horizon) for horizon in horizons)
    for horizon, marker in zip(horizons, cycle(MARKERS), strict=False):
        colour, dash = styles[_name(horizon)]
        points = known[known["horizon"] == horizon].sort_values("predicted")
        line = points if curves is None else curves[curves["horizon"] == horizon]
        _draw_line(ax, line, colour=colour, dash=dash, smooth=curves is not None)
        _draw_points(ax, points, colour=colour, marker=marker)
    name_axes(ax, x="predicted risk", y="observed risk", title=title, raised=True)
    write(ax, _note(known), (0, 1), coords="axes fraction", offset=(0, 8), colour=MUTED)
    legend(ax, place="upper left")
    return ax


def _square_from_zero(ax: Axes, known: pd.DataFrame) -> None:
    """Draw the diagonal on axes that end at the largest risk or bound, rounded up to a step."""
    largest = float(np.nanmax(known[["predicted", "observed", "high"]].to_numpy(dtype=float)))
    end = float(min(max(STEP * np.ceil(largest / STEP - 1e-9), STEP), 1.0))
    ax.plot([0, end], [0, end], color=INK, linewidth=0.9, linestyle=(0, (2, 2)), label="ideal")
    ticks = np.linspace(0, end, round(end / STEP) + 1)
    ax.set_xticks(ticks)
    ax.set_yticks(ticks)
    ax.set_xlim(-0.02 * end, 1.02 * end)
    ax.set_ylim(-0.02 * end, 1.02 * end)
    grid(ax)


def _draw_line(ax: Axes, line: pd.DataFrame, *, colour: str, dash: Any, smooth: bool) -> None:
    require(line, CURVE_COLUMNS, what="calibration curves of the same horizons")
    line = line.sort_values("predicted")
    name = plain(_name(line["horizon"].iloc[0]))
    x, y = line["predicted"], line["observed"]
    ax.plot(x, y, color=colour, linestyle=dash, linewidth=1.5, zorder=3, label=name)
    if smooth:
        ax.fill_between(x, line["low"], line["high"], color=colour, alpha=0.13, linewidth=0)


def _draw_points(ax: Axes, points: pd.DataFrame, *, colour: str, marker: str) -> None:
    x, y = points["predicted"], points["observed"]
    ax.plot(x, y, color=colour, linestyle="none", marker=marker, markersize=5, zorder=4)
    bounded = points[points["low"].notna() & points["high"].notna()]
    ax.vlines(
        bounded["predicted"],
        bounded["low"],
        bounded["high"],
        color=colour,
        linewidth=1.4,
        alpha=0.65,
        zorder=2,
    )


def _name(horizon: object) -> str:
    return f"{float(str(horizon)):g} months"


def _note(known: pd.DataFrame) -> str:
    spans = []
    for name, what in (("n", "patients"), ("events", "events")):
        if name not in known:
            continue
        few, many = int(known[name].min()), int(known[name].max())
        spans.append(f"{few}{'' if few == many else f'–{many}'} {what}")
    return f"{' and '.join(spans)} a point"
