"""Nomogram: rulers of points, one a variable, and from their total to a probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from radiogenomics.core.errors import AlignmentError, DataError, short_list
from radiogenomics.plots.style import (
    BLUE,
    INK,
    MUTED,
    PALE,
    SMALL,
    VERMILION,
    name_axes,
    new_axes,
    plain,
    require,
    shorten,
    write,
)

POINTS = ("variable", "value", "points")
PROBABILITIES = ("outcome", "total_points", "probability")
WIDTH_INCHES, ROW_INCHES = 7.4, 0.42
FULL = 100.0
# Inches that a character takes, near enough to keep labels apart.
CHARACTER = 0.56 * SMALL / 72
TICK = 0.11
LABEL = 0.46
OVERHANG = 0.25
NAME, LEVEL = 30, 24


class Tick(NamedTuple):
    """A mark on a ruler: place from 0 to 1, what stands at it, and whether that starts there."""

    place: float
    text: str
    starts: bool = False

    def reach(self, length: float) -> tuple[float, float]:
        """From where to where its text goes on a ruler of `length` inches, in inches."""
        room = CHARACTER * (len(self.text) + 1)
        left = self.place * length - (CHARACTER / 2 if self.starts else room / 2)
        return left, left + room


def draw_nomogram(
    points: pd.DataFrame,
    probabilities: pd.DataFrame,
    ax: Axes | None = None,
    *,
    patient: Mapping[str, float] | None = None,
    title: str | None = None,
) -> Axes:
    """Draw a nomogram: read points upwards, add them up, read the probability downwards.

    The ruler on top says what a value on a variable's ruler is worth; the sum, on that of total
    points, stands straight above the probability. Marks whose labels would touch go without one.

    Parameters
    ----------
    points
        ``variable, value, points``: numbers or levels, and their worth; the widest goes to 100.
    probabilities
        ``outcome, total_points, probability``: round probabilities, and totals that give them
        (``Nomogram.probability_axes``; its ``probability_table`` has round totals instead).
    ax
        Axes to draw on; new ones when not given.
    patient
        Variable → points of one patient, to be marked, with their total.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: length of the rulers, 0 to 1; y: one row a ruler, downwards.

    Raises
    ------
    DataError
        There is no row, a column is missing, or probabilities are not round.
    AlignmentError
        The patient has other variables than the nomogram.

    Examples
    --------
    >>> points = pd.DataFrame({"variable": ["size"] * 2 + ["grade"] * 2,
    ...                        "value": [0, 10, "low", "high"], "points": [0, 100, 0, 40]})
    >>> chances = {"outcome": "response", "total_points": [20, 120], "probability": [0.1, 0.8]}
    >>> draw_nomogram(points, pd.DataFrame(chances)).get_yticklabels()[-1].get_text()
    'response'
    """
    require(points, POINTS, what="points")
    _require_round(probabilities)
    variables = dict(list(points.groupby("variable", sort=False)))
    outcomes = dict(list(probabilities.groupby("outcome", sort=False)))
    names = ["Points", *variables, "Total points", *outcomes]
    ax = new_axes(ax, size=(WIDTH_INCHES, 0.35 + ROW_INCHES * len(names)))
    _empty_rows(ax, names, foot=len(variables) + 1)
    top = float(_round_values(sum(part["points"].max() for part in variables.values()))[-1])
    _draw_rows(ax, variables, outcomes, top=top, length=_ruler_inches(ax, names))
    if patient is not None:
        _mark_patient(ax, patient, list(variables), top=top, last=len(names) - 1)
    name_axes(ax, x="", y="", title=title)
    return ax


def _require_round(probabilities: pd.DataFrame) -> None:
    """Refuse what labels of six digits cannot say, such as the probabilities at round totals."""
    require(probabilities, PROBABILITIES, what="probabilities")
    values = probabilities["probability"].to_numpy(dtype=float)
    said = np.array([float(f"{value:g}") for value in values])
    odd = ~np.isclose(said, values, rtol=1e-9, atol=0)
    if odd.any():
        raise DataError(
            f"probabilities: expected round ones, which marks are labelled with; found "
            f"{int(odd.sum())} of {len(values)} that are not, the first {values[odd][0]:.9g}. Pass "
            "Nomogram.probability_axes(), not probability_table()."
        )


def _empty_rows(ax: Axes, names: Sequence[str], *, foot: int) -> None:
    """Rows with names, no axes, and faint guides from the points down to the last variable."""
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(len(names) - 0.45, -0.6)
    ax.set_xticks([])
    ax.set_yticks(range(len(names)), [plain(shorten(name, length=NAME)) for name in names])
    ax.tick_params(axis="y", length=0, labelcolor=INK, pad=8)
    for label in ax.get_yticklabels():
        if label.get_text() in ("Points", "Total points"):
            label.set_fontweight("bold")
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.vlines(np.linspace(0, 1, 11), 0, foot - 0.45, color=PALE, linewidth=0.9, zorder=0)


def _draw_rows(
    ax: Axes,
    variables: Mapping[str, pd.DataFrame],
    outcomes: Mapping[str, pd.DataFrame],
    *,
    top: float,
    length: float,
) -> None:
    _draw_scale(ax, 0, FULL, length=length)
    for row, part in enumerate(variables.values(), start=1):
        _draw_variable(ax, row, part, length=length)
    foot = len(variables) + 1
    _draw_scale(ax, foot, top, length=length)
    for row, part in enumerate(outcomes.values(), start=foot + 1):
        ticks = _ticks(part["total_points"] / top, part["probability"])
        _draw_ruler(ax, row, ticks, colour=BLUE, length=length)


def _ruler_inches(ax: Axes, names: Sequence[str]) -> float:
    """Length of the rulers once the names have taken their room."""
    share = ax.get_position().width / Figure().add_subplot().get_position().width
    longest = max(len(shorten(name, length=NAME)) for name in names)
    return max(1.0, ax.figure.get_figwidth() * share - longest * CHARACTER - 0.5)


def _round_values(upper: float, *, steps: int = 10) -> NDArray[np.float64]:
    return MaxNLocator(steps, steps=[1, 2, 5, 10]).tick_values(0, upper)


def _ticks(places: pd.Series, values: pd.Series) -> list[Tick]:
    pairs = sorted(zip(places.astype(float), values, strict=True), key=lambda pair: pair[0])
    return [
        Tick(place, shorten(v, length=LEVEL) if isinstance(v, str) else _number(v))
        for place, v in pairs
    ]


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def _draw_scale(ax: Axes, row: int, top: float, *, length: float) -> None:
    """Draw one of the two rulers all others are read against, 0 to `top`."""
    ticks = [Tick(value / top, _number(value)) for value in _round_values(top)]
    _draw_ruler(ax, row, ticks, colour=INK, length=length)
    finer = _round_values(top, steps=50) / top
    ax.vlines(finer, row, row + 0.6 * TICK, color=MUTED, linewidth=0.6)


def _draw_variable(ax: Axes, row: int, part: pd.DataFrame, *, length: float) -> None:
    ticks = _ticks(part["points"] / FULL, part["value"])
    if any(isinstance(value, str) for value in part["value"]):
        _draw_levels(ax, row, ticks, length=length)
    else:
        _draw_ruler(ax, row, ticks, colour=INK, length=length)


def _draw_ruler(ax: Axes, row: int, ticks: Sequence[Tick], *, colour: str, length: float) -> None:
    """Draw a line with marks and as many labels as there is room for, the two ends first."""
    _draw_line(ax, row, ticks, colour=colour)
    for tick in _roomy(ticks, length):
        _label(ax, row, tick, below=True)


def _draw_levels(ax: Axes, row: int, ticks: Sequence[Tick], *, length: float) -> None:
    """Draw levels below the line, or above it where they would touch; then side by side."""
    _draw_line(ax, row, ticks, colour=INK)
    placed: dict[bool, list[Tick]] = {True: [], False: []}
    # A long word at the left end would run into the name of the ruler.
    for tick in (t._replace(starts=t.reach(length)[0] < -OVERHANG) for t in ticks):
        free = [s for s in (True, False) if not placed[s] or _apart(placed[s][-1], tick, length)]
        if free:
            placed[free[0]].append(tick)
        else:
            last = placed[True].pop()
            placed[True].append(Tick(last.place, f"{last.text}, {tick.text}", starts=True))
    for below, labels in placed.items():
        for tick in labels:
            _label(ax, row, tick, below=below)


def _draw_line(ax: Axes, row: int, ticks: Sequence[Tick], *, colour: str) -> None:
    places = [tick.place for tick in ticks]
    ax.hlines(row, min(places), max(places), color=colour, linewidth=1.2, zorder=2)
    ax.vlines(places, row, row + TICK, color=colour, linewidth=0.9, zorder=2)


def _label(ax: Axes, row: int, tick: Tick, *, below: bool) -> None:
    write(
        ax,
        tick.text,
        (tick.place, row + TICK if below else row),
        offset=(0, -1.5 if below else 2.5),
        colour=MUTED,
        across="left" if tick.starts else "center",
        upright="top" if below else "bottom",
    )


def _roomy(ticks: Sequence[Tick], length: float) -> list[Tick]:
    """Ticks whose labels do not touch: the ends, then from left to right what fits between."""
    kept, last = [ticks[0]], ticks[-1]
    for tick in ticks[1:-1]:
        if _apart(kept[-1], tick, length) and _apart(tick, last, length):
            kept.append(tick)
    if _apart(ticks[0], last, length):
        kept.append(last)
    return kept


def _apart(left: Tick, right: Tick, length: float) -> bool:
    return left.reach(length)[1] <= right.reach(length)[0]


def _mark_patient(
    ax: Axes, patient: Mapping[str, float], variables: Sequence[str], *, top: float, last: int
) -> None:
    """Mark one patient's points and total, and drop a line from it through the probabilities."""
    if set(patient) != set(variables):
        raise AlignmentError(
            f"expected points of {short_list(variables)}; found {short_list(patient)}. "
            "Pass one row of the points that the nomogram gave."
        )
    places = [float(patient[name]) / FULL for name in variables]
    total = sum(float(patient[name]) for name in variables)
    foot = len(variables) + 1
    style = {"color": VERMILION, "zorder": 4, "clip_on": False}
    ax.plot(places, range(1, foot), "o", markersize=5.5, label="patient", **style)
    ax.plot([total / top], [foot], "D", markersize=6, **style)
    below = range(foot + 1, last + 1)
    ax.plot([total / top] * len(below), below, "o", markersize=4, **style)
    # Broken where labels stand.
    starts, stops = [row - 1 + LABEL for row in below], list(below)
    ax.vlines([total / top] * len(below), starts, stops, color=VERMILION, linewidth=1.0, zorder=3)
    write(
        ax,
        f"{total:.0f}",
        (total / top, foot),
        offset=(0, 5),
        colour=VERMILION,
        across="center",
        upright="bottom",
    )
