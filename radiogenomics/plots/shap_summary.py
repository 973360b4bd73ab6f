"""Beeswarm of contributions: one row a feature, one point a patient."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError
from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    MUTED,
    VERMILION,
    bare_rows,
    grid,
    name_axes,
    new_axes,
    require,
    shorten,
    write,
    write_beside,
)

Floats = NDArray[np.float64]

COLUMNS = ("patient", "feature", "value", "contribution", "scale")
ROW_INCHES = 0.34
BINS = 80
HALF_ROW = 0.38
LOW_TO_HIGH = LinearSegmentedColormap.from_list(
    "low_to_high", [BLUE, "#b9b2bb", VERMILION]
).with_extremes(bad=FAINT)


def draw_shap_summary(
    contributions: pd.DataFrame,
    ax: Axes | None = None,
    *,
    most: int = 15,
    title: str | None = None,
) -> Axes:
    """Draw what each feature adds to the output of each patient, most important feature on top.

    Points right of 0 raise the output, those left of it lower it; their colour is the rank of the
    feature's value among the patients drawn, from blue (low) to orange (high), and light grey where
    the value was not known. A row whose colours change from left to right has a direction; one that
    mixes them does not. On the right stands the mean absolute contribution ("mean size"). Features
    beyond `most` are counted at the foot.

    Parameters
    ----------
    contributions
        ``patient, feature, value, contribution, scale``: the table of an explanation.
    ax, title
        Axes to draw on, new ones when not given, and their title.
    most
        Features drawn, at least 1.

    Raises
    ------
    DataError
        There is no row, a column is missing, a contribution is not finite, or `most` is below 1.

    Examples
    --------
    >>> table = pd.DataFrame({"patient": ["P1", "P2"], "feature": "rim", "value": [0.1, 0.9],
    ...                       "contribution": [-0.4, 0.4], "scale": "log-odds of 1"})
    >>> draw_shap_summary(table).get_xlabel()
    'contribution to log-odds of 1'
    """
    require(contributions, COLUMNS, what="contributions")
    if most < 1 or not np.isfinite(contributions["contribution"].to_numpy(dtype=float)).all():
        raise DataError(
            f"expected finite contributions and at least 1 feature to draw; found {most} asked "
            "for, or contributions missing. Pass the table of an explanation."
        )
    size = contributions["contribution"].abs().groupby(contributions["feature"], sort=False).mean()
    ranked = size.sort_values(ascending=False, kind="stable")
    shown = ranked.index[:most]
    ax = new_axes(ax, size=(6.2, 1.25 + ROW_INCHES * len(shown)))
    ax.axvline(0, color=MUTED, linewidth=0.9, zorder=1)
    reach = float(contributions["contribution"].abs().max()) or 1.0
    for row, feature in enumerate(shown):
        _draw_row(ax, row, contributions[contributions["feature"] == feature], reach=reach)
        write_beside(ax, row, f"{ranked[feature]:.3g}")
    bare_rows(ax, [shorten(feature, length=30) for feature in shown])
    write(ax, "mean size", (1.02, 1.0), coords="axes fraction", offset=(0, 5), colour=MUTED)
    grid(ax, axis="both")
    scale = contributions["scale"].iloc[0]
    name_axes(ax, x=f"contribution to {scale}", y="", title=title, raised=True)
    _foot(ax, hidden=len(ranked) - len(shown))
    return ax


def _draw_row(ax: Axes, row: int, part: pd.DataFrame, *, reach: float) -> None:
    x = part["contribution"].to_numpy(dtype=float)
    ax.scatter(
        x,
        row + _swarm(x, reach),
        c=_ranks(part["value"]),
        cmap=LOW_TO_HIGH,
        vmin=0,
        vmax=1,
        plotnonfinite=True,
        s=11,
        linewidths=0,
        alpha=0.9,
        zorder=3,
    )


def _swarm(x: Floats, reach: float) -> Floats:
    """Vertical places: points that fall together are laid out evenly about the row, in turns."""
    bins = np.floor((x + reach) / (2 * reach) * BINS).astype(int)
    order = np.lexsort((x, bins))
    counts = np.bincount(bins)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    turn = np.empty(len(x), dtype=int)
    turn[order] = np.arange(len(x)) - starts[bins[order]]
    # 0, 1, -1, 2, -2, ...: the fullest bin fills the row, the others stay as dense as it is.
    place = (turn + 1) // 2 * np.where(turn % 2, 1, -1)
    widest = max(float(np.abs(place).max(initial=0)), 3.0)
    return HALF_ROW * place / widest


def _ranks(values: pd.Series) -> Floats:
    """Mid-ranks from 0 to 1, NaN where not known; one half for a feature that does not vary."""
    if values.nunique() < 2:
        return np.where(values.isna(), np.nan, 0.5)
    ranks = values.rank().to_numpy(dtype=float)
    return (ranks - np.nanmin(ranks)) / (np.nanmax(ranks) - np.nanmin(ranks))


def _foot(ax: Axes, *, hidden: int) -> None:
    """Draw the key of the colours, and write how many features were left out."""
    below, corner = -38, (1.0, 0.0)
    write(ax, "high", corner, coords="axes fraction", offset=(0, below), colour=VERMILION,
          across="right")  # fmt: skip
    ramp = OffsetImage(np.tile(LOW_TO_HIGH(np.linspace(0, 1, 60)), (5, 1, 1)), zoom=1)
    place = AnnotationBbox(
        ramp,
        corner,
        xybox=(-30, below),
        xycoords="axes fraction",
        boxcoords="offset points",
        box_alignment=(1, 0.5),
        frameon=False,
        pad=0,
        annotation_clip=False,
    )
    ax.add_artist(place)
    write(ax, "low", corner, coords="axes fraction", offset=(-94, below), colour=BLUE,
          across="right")  # fmt: skip
    write(ax, "value of the feature:", corner, coords="axes fraction", offset=(-116, below),
          colour=MUTED, across="right")  # fmt: skip
    if hidden:
        words = f"{hidden} more feature{'s' * (hidden > 1)}"
        beside = ("figure fraction", "axes fraction")
        write(ax, words, (0.01, 0.0), coords=beside, offset=(0, below), colour=MUTED)
