"""Published numbers beside those obtained: what was claimed, could be had, was had, and is luck."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator

from radiogenomics.core.errors import DataError
from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    MUTED,
    PALE,
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
    write,
)

COLUMNS = (
    "label",
    "claimed",
    "claimed_low",
    "claimed_high",
    "possible_low",
    "possible_high",
    "obtained",
    "obtained_low",
    "obtained_high",
    "chance_low",
    "chance_high",
)
ROW_INCHES = 0.5
UP, DOWN, HALF = -0.2, 0.22, 0.42
LONGEST = 40
POSSIBLE = "#f2c9a9"
TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def draw_claims(
    claims: pd.DataFrame,
    ax: Axes | None = None,
    *,
    name: str = "AUC",
    ratio: bool = False,
    title: str | None = None,
) -> Axes:
    """Draw each published number with four intervals, one row a claim.

    The upper line of a row is the claim: its published interval (thin, orange) on the interval that
    so many patients allow (broad, pale). Where the thin one is much the shorter, it cannot be an
    interval of the number. The lower line, in blue, is what was obtained. Behind both, in grey, is
    where 95 of 100 worthless scores of that size come to lie.

    Parameters
    ----------
    claims
        ``label, claimed, claimed_low, claimed_high, possible_low, possible_high, obtained,
        obtained_low, obtained_high, chance_low, chance_high``; what is not known is empty.
    ax, title
        Axes to draw on, new ones when not given, and their title.
    name
        Of what is claimed, for the x axis.
    ratio
        Logarithmic axis, for hazard ratios.

    Returns
    -------
    Axes
        x: what is claimed; one row a claim, the first on top.

    Raises
    ------
    DataError
        There is no row with a claimed or obtained number, a column is missing, or a ratio is not
        positive.

    Examples
    --------
    >>> row = {"label": "external", "claimed": 0.875, "claimed_low": 0.87, "claimed_high": 0.88,
    ...        "possible_low": 0.79, "possible_high": 0.93, "obtained": 0.81, "obtained_low": 0.71,
    ...        "obtained_high": 0.89, "chance_low": 0.37, "chance_high": 0.63}
    >>> draw_claims(pd.DataFrame([row])).get_yticklabels()[0].get_text()
    'external'
    """
    known = _known(claims, ratio=ratio)
    labels = [shorten(label, length=LONGEST) for label in known["label"]]
    ax = new_axes(ax, size=(1.1 + width_for(labels), 1.25 + ROW_INCHES * len(known)))
    if ratio:
        ax.set_xscale("log")
    for position, row in enumerate(records(known)):
        _draw_row(ax, position, row, digits=2 if ratio else 3)
    bare_rows(ax, labels)
    ax.set_ylim(len(known) - 0.5, -0.5)
    _keep_in_sight(ax, known, ratio=ratio)
    grid(ax, axis="x")
    name_axes(ax, x=name, y="", title=title, raised=2)
    _key(ax)
    return ax


def _known(claims: pd.DataFrame, *, ratio: bool) -> pd.DataFrame:
    require(claims, COLUMNS, what="claims")
    known = claims[claims[["claimed", "obtained"]].notna().any(axis="columns")]
    require(known, COLUMNS, what="claims: claimed or obtained numbers")
    if ratio and np.nanmin(known[list(COLUMNS[1:])].to_numpy(dtype=float)) <= 0:
        raise DataError(
            "claims: expected positive ratios; found one that is not. Draw other numbers without "
            "ratio=True."
        )
    return known.reset_index(drop=True)


def _draw_row(ax: Axes, position: int, row: object, *, digits: int) -> None:
    chance = _pair(row, "chance")
    if chance is not None:
        ax.fill_betweenx(
            [position - HALF, position + HALF], *chance, color=FAINT, alpha=0.55, linewidth=0,
            zorder=1,
        )  # fmt: skip
    possible = _pair(row, "possible")
    if possible is not None:
        ax.hlines(position + UP, *possible, color=POSSIBLE, linewidth=8, zorder=2)
    for name, y, colour, marker in (
        ("claimed", position + UP, VERMILION, "D"),
        ("obtained", position + DOWN, BLUE, "o"),
    ):
        value, bounds = float(getattr(row, name)), _pair(row, name)
        if bounds is not None:
            ax.hlines(y, *bounds, color=colour, linewidth=2, zorder=3)
        if np.isfinite(value):
            ax.plot([value], [y], marker=marker, markersize=5, color=colour, zorder=4)
            low, high = bounds or (np.nan, np.nan)
            text = interval(value, low, high, digits=digits)
            write(ax, text, (1.02, y), coords=("axes fraction", "data"), colour=colour)


def _pair(row: object, name: str) -> tuple[float, float] | None:
    """Bounds of that name, or None where one is not known."""
    low, high = float(getattr(row, f"{name}_low")), float(getattr(row, f"{name}_high"))
    return (low, high) if np.isfinite([low, high]).all() else None


def _keep_in_sight(ax: Axes, known: pd.DataFrame, *, ratio: bool) -> None:
    numbers = known[list(COLUMNS[1:])].to_numpy(dtype=float)
    bounds = numbers[np.isfinite(numbers)]
    low, high = float(bounds.min()), float(bounds.max())
    if not ratio:
        margin = 0.04 * ((high - low) or 1.0)
        ax.set_xlim(low - margin, high + margin)
        return
    low, high = min(low / 1.1, 0.9), max(high * 1.1, 1.1)
    ax.set_xlim(low, high)
    inside = [tick for tick in TICKS if low <= tick <= high]
    ax.xaxis.set_major_locator(FixedLocator(inside))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticklabels([f"{tick:g}" for tick in inside])
    ax.axvline(1, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)


def _key(ax: Axes) -> None:
    """Name the four above the axes, where no row can lie."""
    handles = [
        Line2D([], [], color=VERMILION, marker="D", markersize=4.5, linewidth=2, label="claimed"),
        Patch(color=POSSIBLE, label="interval possible with so many"),
        Line2D([], [], color=BLUE, marker="o", markersize=4.5, linewidth=2, label="obtained"),
        Patch(facecolor=FAINT, edgecolor=PALE, label="95 % of worthless scores"),
    ]
    legend_above(ax, handles, columns=2)
