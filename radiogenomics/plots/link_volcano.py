"""Volcano of one image feature: how strong its links are against how sure they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.plots.link_words import (
    FOUND,
    Quantity,
    feature_label,
    quantity_of,
    set_labels,
)
from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    SMALL,
    VERMILION,
    name_axes,
    new_axes,
    plain,
    require,
    write,
)
from radiogenomics.plots.volcano import LABEL_GAP, draw_points

CHANCE = "not beyond chance"
SIZE, PANEL, LETTER = (8.4, 4.4), 6.6, 0.076
"""Inches: of the figure, of its axes across, and of a letter."""
LONGEST = 26
"""Letters of a name; longer ones lose their middle."""
GAP = 0.08
"""Share of the points' width between them and the names."""


def draw_link_volcano(
    links: pd.DataFrame,
    feature: str,
    ax: Axes | None = None,
    *,
    value: str = "nes",
    top: int = 6,
    title: str | None = None,
) -> Axes:
    """Draw the links of one feature: effect against −log10 p, with what chance could explain.

    Colour and lines count over all features and targets of the analysis (FDR, family-wise), not
    over this feature alone. A line is drawn where one p, or one size of effect, parts what is found
    from what is not, half-way between the two.

    Parameters
    ----------
    links
        As for the heat map of links, one row a pair.
    feature
        Whose links are drawn.
    ax
        Axes to draw on; new ones when not given.
    value
        Quantity of the x axis: *nes*, *contrast_rho* or *rho*.
    top
        Names written on either side: those of the smallest p, whether they are found or not.
    title
        Of the axes; the feature when not given.

    Returns
    -------
    Axes
        x: effect, y: −log10 p, not adjusted.

    Raises
    ------
    DataError
        There is no row with a value and a p, a column is missing, or a pair is there twice.
    UnknownNameError
        The feature has no row, or the quantity is not known.

    Examples
    --------
    >>> table = pd.DataFrame({"feature": "deep_3", "set": ["HYPOXIA"], "nes": [2.1], "p": [1e-4],
    ...                       "fdr": [0.01], "p_family": [0.2]})
    >>> draw_link_volcano(table, "deep_3").get_title(loc="left")
    'deep_3'
    """
    quantity, own = _own(links, feature, value=value)
    points, colours = _points(own, quantity)
    ax = draw_points(points, new_axes(ax, size=SIZE), colours=colours, named=())
    best = _best(points, top=top)
    beside = _make_room(ax, points, longest=0.1 + LETTER * max(map(len, best["name"])))
    raised = _draw_thresholds(ax, own, quantity)
    _name_best(ax, best, beside=beside)
    words = feature_label(feature, length=60, family=True) if title is None else title
    name_axes(ax, x=quantity.words, y="−log10 p", title=words, raised=raised)
    return ax


def _own(links: pd.DataFrame, feature: str, *, value: str) -> tuple[Quantity, pd.DataFrame]:
    """Links of the feature that have a p."""
    quantity, known = quantity_of(links, value, what="links")
    own = known[known["feature"] == feature]
    if own.empty:
        raise UnknownNameError("feature of these links", feature, known["feature"].unique())
    own = own[own[quantity.p].notna()]
    return quantity, require(own, quantity.columns, what=f"links of {feature} with a p")


def _make_room(ax: Axes, points: pd.DataFrame, *, longest: float) -> tuple[float, float]:
    """Widen the axes for names of `longest` inches; where they end and begin."""
    lowest, highest = float(points["effect"].min()), float(points["effect"].max())
    span = (highest - lowest) or 1.0
    room = span * (longest * (1 + 2 * GAP) / (PANEL - 2 * longest) + GAP)
    ax.set_xlim(lowest - room, highest + room)
    return lowest - GAP * span, highest + GAP * span


def _points(own: pd.DataFrame, quantity: Quantity) -> tuple[pd.DataFrame, dict[str, str]]:
    """Points of the shared volcano, and the colours of their kinds."""
    effect, p = (own[column].to_numpy(dtype=float) for column in (quantity.value, quantity.p))
    sure = (own[quantity.family_wise] < FOUND).to_numpy()
    likely = (own[quantity.fdr] < FOUND).to_numpy() & ~sure
    maybe = f"FDR < {FOUND:g} only"
    up, down = (f"family-wise p < {FOUND:g}, {way}" for way in ("positive", "negative"))
    kind = np.select([sure & (effect > 0), sure, likely], [up, down, maybe], CHANCE)
    points = pd.DataFrame({"gene": own[quantity.target], "effect": effect, "p": p, "kind": kind})
    return points, {CHANCE: FAINT, maybe: MUTED, up: VERMILION, down: BLUE}


def _best(points: pd.DataFrame, *, top: int) -> pd.DataFrame:
    """Points of the smallest p on either side, with the names to write, the surest first."""
    # As in the shared volcano, a p that underflowed to 0 stands at the smallest that did not.
    above = points["p"][points["p"] > 0]
    height = -np.log10(points["p"].clip(lower=1.0 if above.empty else above.min()))
    side = np.where(points["effect"] < 0, "left", "right")
    placed = points.assign(height=height, size=points["effect"].abs(), side=side)
    ranked = placed.sort_values(["height", "size"], ascending=False, kind="stable")
    best = ranked.groupby("side").head(top)
    return best.assign(name=set_labels(best["gene"], length=LONGEST))


def _draw_thresholds(ax: Axes, own: pd.DataFrame, quantity: Quantity) -> bool:
    """Draw where FDR and family-wise p pass 0.05, as far as a line can say it.

    Returns
    -------
    bool
        Whether something was written above the axes.
    """
    p, size = own[quantity.p].to_numpy(dtype=float), own[quantity.value].abs().to_numpy(dtype=float)
    height = -np.log10(np.maximum(p, np.finfo(float).tiny))
    levels, reaches = [], []
    for column, words, dashes in (
        (quantity.fdr, "FDR", (0, (1.5, 1.5))),
        (quantity.family_wise, "family-wise p", (0, (5, 2))),
    ):
        found = (own[column] < FOUND).to_numpy()
        level, reach = boundary(height, found), boundary(size, found)
        text = f"{words} {FOUND:g}"
        style: dict[str, Any] = {"color": INK, "linewidth": 0.8, "linestyle": dashes}
        if level is not None:
            ax.axhline(level, zorder=1, **style)
            levels.append((level, text))
        elif reach is not None:
            ax.axvline(-reach, zorder=1, **style)
            ax.axvline(reach, zorder=1, **style)
            reaches.append((reach, text))
    for place, (level, text) in enumerate(levels):
        # Lines that lie close together are named on either side.
        upright = "center" if len(levels) == 1 else ("top", "bottom")[place]
        write(ax, text, (1.01, level), coords=("axes fraction", "data"), upright=upright)
    for (reach, text), sign in zip(reaches, (1, -1), strict=False):
        place, across = (sign * reach, 1), "left" if sign > 0 else "right"
        write(ax, text, place, coords=("data", "axes fraction"), offset=(0, 7), across=across)
    return bool(reaches)


def boundary(values: NDArray[np.float64], found: NDArray[np.bool_]) -> float | None:
    """Half-way between the smallest value that is found and the largest that is not, if parted.

    Examples
    --------
    >>> boundary(np.array([1.0, 4.0, 2.0]), np.array([False, True, False]))
    3.0
    """
    if found.all() or not found.any():
        return None
    above, below = values[found].min(), values[~found].max()
    return float((above + below) / 2) if above > below else None


def _name_best(ax: Axes, best: pd.DataFrame, *, beside: tuple[float, float]) -> None:
    """Write names in columns left and right of all points, and lead to them."""
    highest = ax.get_ylim()[1]
    for side, column in zip(("left", "right"), beside, strict=True):
        mine = best[best["side"] == side]
        levels = spread(mine["height"].to_numpy(dtype=float) / highest, gap=LABEL_GAP)
        inner, outer = (1.0, "right") if side == "left" else (0.0, "left")
        for row, level in zip(mine.itertuples(), levels, strict=True):
            ax.annotate(
                plain(row.name),
                (row.effect, row.height),
                xytext=(column, level * highest),
                ha=outer,
                va="center",
                fontsize=SMALL,
                color=MUTED if row.kind == CHANCE else INK,
                arrowprops={
                    "arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "shrinkA": 0,
                    "shrinkB": 2, "relpos": (inner, 0.5),
                },
                annotation_clip=False,
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )  # fmt: skip


def spread(levels: NDArray[np.float64], *, gap: float) -> NDArray[np.float64]:
    """Move falling levels apart to `gap` at least, downwards, and up again from the floor.

    Examples
    --------
    >>> spread(np.array([0.9, 0.9, 0.1]), gap=0.05)
    array([0.9 , 0.85, 0.1 ])
    """
    found = levels.astype(float)
    for place in range(1, len(found)):
        found[place] = min(found[place], found[place - 1] - gap)
    lowest = gap / 2
    for place in reversed(range(len(found))):
        found[place] = max(found[place], lowest)
        lowest = found[place] + gap
    return found
