"""Force bar of one patient: what pushes the output up against what pulls it down, on one line."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from radiogenomics.plots.shap_waterfall import number, one_patient
from radiogenomics.plots.style import (
    BLUE,
    INK,
    MUTED,
    VERMILION,
    name_axes,
    new_axes,
    write,
)

HALF = 0.5
"""Half the height of the bar; base and output are written in the gap above it, then the names."""
GAP = 0.95
LINE = 0.55
LINE_INCHES = 0.2
TIP = 0.012
NAMED = 0.05
"""Least share of the width at which a feature is named."""


def draw_shap_force(
    patient: pd.DataFrame, ax: Axes | None = None, *, most: int = 8, title: str | None = None
) -> Axes:
    """Draw the contributions of one patient as arrows that meet at the output.

    From the left, in orange, come the features that raise the output, the largest next to it; from
    the right, in blue, those that lower it. An arrow is as long as its contribution; the sides meet
    at the output, and the dashed line is the base value. The shortest are not named: the waterfall
    names them all.

    Parameters
    ----------
    patient
        ``patient, feature, value, contribution, base, output, scale`` of one patient.
    ax, title
        Axes to draw on, new ones when not given; their title, the patient's name when not given.
    most
        Features drawn by name, at least 1; the others are summed.

    Raises
    ------
    DataError
        There is no row, a column is missing, or there are several patients.

    Examples
    --------
    >>> table = pd.DataFrame({"patient": "P1", "feature": ["rim", "size"], "value": [0.9, 62.0],
    ...     "contribution": [0.8, -0.3], "base": 0.1, "output": 0.6, "scale": "log-odds of 1"})
    >>> len(draw_shap_force(table).patches)
    2
    """
    bars = one_patient(patient, most=most)
    base, output = float(patient["base"].iloc[0]), float(patient["output"].iloc[0])
    size = bars["contribution"]
    low = min(output - float(size[size > 0].sum()), base)
    high = max(output - float(size[size < 0].sum()), base)
    width = 1.08 * ((high - low) or 1.0)
    named = size.abs() >= NAMED * width
    above, below = int((named & (size > 0)).sum()), int((named & (size < 0)).sum())
    ax = new_axes(ax, size=(7.4, 1.7 + LINE_INCHES * (above + below)))
    middle = (low + high) / 2
    ax.set_xlim(middle - width / 2, middle + width / 2)
    ax.set_ylim(-HALF - 0.45 - LINE * below, HALF + GAP + LINE * above)
    for sign, colour in ((1, VERMILION), (-1, BLUE)):
        _draw_side(ax, bars[sign * size > 0], output, sign=sign, colour=colour)
    _mark(ax, base, output)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    name = f"patient {patient['patient'].iloc[0]}" if title is None else title
    name_axes(ax, x=str(patient["scale"].iloc[0]), y="", title=name)
    return ax


def _mark(ax: Axes, base: float, output: float) -> None:
    """Mark base and output; on its side of the output the base is written opposite to the names."""
    ends = [-HALF - 0.15, HALF + 0.15]
    ax.plot([base, base], ends, color=INK, linewidth=1, linestyle=(0, (2, 2)), zorder=4)
    ax.plot([output, output], [-HALF, ends[1]], color=INK, linewidth=1.6, zorder=5)
    away = 1 if base >= output else -1
    across = {1: "left", -1: "right"}
    write(ax, f"output {number(output)}", (output, HALF + 0.2), offset=(2 * away, 5),
          across=across[-away])  # fmt: skip
    write(ax, f"base {number(base)}", (base, away * (HALF + 0.2)), offset=(-2 * away, 5 * away),
          colour=MUTED, across=across[away])  # fmt: skip


def _draw_side(ax: Axes, bars: pd.DataFrame, output: float, *, sign: int, colour: str) -> None:
    """Draw arrows from the output outwards, the largest first, and name those with room for it."""
    left, right = ax.get_xlim()
    edge, named = output, 0
    for label, contribution in zip(bars["label"], bars["contribution"], strict=True):
        far = edge - contribution
        tip = min(TIP * (right - left), abs(contribution)) * sign
        corners = [
            (far, HALF),
            (edge - tip, HALF),
            (edge, 0),
            (edge - tip, -HALF),
            (far, -HALF),
            (far + tip, 0),
        ]
        ax.add_patch(Polygon(corners, facecolor=colour, edgecolor="white", linewidth=0.9, zorder=3))
        if abs(contribution) >= NAMED * (right - left):
            words = f"{label} ({number(contribution, sign=True)})"
            _name(ax, (edge + far) / 2, words, line=named, sign=sign)
            named += 1
        edge = far


def _name(ax: Axes, x: float, text: str, *, line: int, sign: int) -> None:
    """Write a name above a raising arrow or below a lowering one, each on a line of its own.

    Lines of arrows further out lie further from the bar, and names run inwards from their line, so
    that nothing crosses.
    """
    colour = VERMILION if sign > 0 else BLUE
    start = HALF + (GAP if sign > 0 else 0.35)
    level = sign * (start + LINE * line)
    ax.plot([x, x], [sign * HALF, level], color=colour, linewidth=0.7, alpha=0.7, zorder=2)
    across = "left" if sign > 0 else "right"
    write(ax, text, (x, level), offset=(3 * sign, 0), colour=colour, across=across)
