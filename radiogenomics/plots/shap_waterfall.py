"""Waterfall of one patient: from the base value to the output, feature by feature."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.core.errors import DataError
from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    VERMILION,
    bare_rows,
    grid,
    name_axes,
    new_axes,
    plain,
    require,
    shorten,
    write,
)

COLUMNS = ("patient", "feature", "value", "contribution", "base", "output", "scale")
ROW_INCHES = 0.32


def draw_shap_waterfall(
    patient: pd.DataFrame, ax: Axes | None = None, *, most: int = 10, title: str | None = None
) -> Axes:
    """Draw how the features carry one patient from the base value to the output.

    The base value is at the foot; each bar starts where the one below it ended. Orange raises the
    output, blue lowers it, and the number says by how much. The largest stand on top, and those
    beyond `most` are summed into the lowest bar.

    Parameters
    ----------
    patient
        ``patient, feature, value, contribution, base, output, scale`` of one patient.
    ax, title
        Axes to draw on, new ones when not given; their title, the patient's name when not given.
    most
        Features drawn by name, at least 1.

    Raises
    ------
    DataError
        There is no row, a column is missing, or there are several patients.

    Examples
    --------
    >>> table = pd.DataFrame({"patient": "P1", "feature": ["rim", "size"], "value": [0.9, 62.0],
    ...     "contribution": [0.8, -0.3], "base": 0.1, "output": 0.6, "scale": "log-odds of 1"})
    >>> [float(bar.get_width()) for bar in draw_shap_waterfall(table).patches]
    [0.8, -0.3]
    """
    bars = one_patient(patient, most=most)
    ax = new_axes(ax, size=(6.0, 1.35 + ROW_INCHES * len(bars)))
    base, output = float(patient["base"].iloc[0]), float(patient["output"].iloc[0])
    widths = bars["contribution"].to_numpy(dtype=float)
    ends = base + widths[::-1].cumsum()[::-1]
    starts = np.append(ends[1:], base)
    rows = np.arange(len(bars))
    colours = np.where(widths > 0, VERMILION, BLUE)
    ax.barh(rows, widths, left=starts, color=colours, height=0.62, zorder=3)
    last = len(bars) - 0.3
    ax.vlines(ends[1:], rows[1:] - 1.31, rows[1:] + 0.31, color=MUTED, linewidth=0.7, zorder=2)
    ax.vlines(base, -0.6, last, color=FAINT, linewidth=1.1, linestyle=(0, (2, 2)), zorder=1)
    ax.vlines(output, -0.6, 0.31, color=INK, linewidth=1.1, zorder=2)
    bare_rows(ax, bars["label"].tolist())
    ax.set_ylim(len(bars) + 0.1, -0.6)
    _leave_room(ax, starts, ends)
    for row, (end, width) in enumerate(zip(ends, widths, strict=True)):
        _write_size(ax, width, (end, row))
    write(ax, f"output {number(output)}", (output, -0.6), offset=(0, 6), across="center")
    write(ax, f"base {number(base)}", (base, last + 0.17), colour=MUTED, across="center")
    grid(ax, axis="x")
    name = f"patient {patient['patient'].iloc[0]}" if title is None else title
    name_axes(ax, x=str(patient["scale"].iloc[0]), y="", title=name, raised=True)
    return ax


def _write_size(ax: Axes, width: float, end: tuple[float, float]) -> None:
    """Write a contribution beyond the end its bar points to."""
    right = width >= 0
    write(
        ax,
        number(width, sign=True),
        end,
        offset=(4 if right else -4, 0),
        colour=VERMILION if right else BLUE,
        across="left" if right else "right",
    )


def one_patient(patient: pd.DataFrame, *, most: int) -> pd.DataFrame:
    """Bars of one patient, ``label, contribution``: the largest first, the others as a sum.

    Raises
    ------
    DataError
        There is no row, a column is missing, there are several patients, or they do not add up.
    """
    require(patient, COLUMNS, what="contributions of a patient")
    names = patient["patient"].unique()
    if len(names) != 1 or most < 1:
        raise DataError(
            f"expected the rows of one patient and at least 1 feature to draw; found {len(names)} "
            f"patients and {most} features. Pass explanation.patient(name)."
        )
    gap = patient["base"].iloc[0] + patient["contribution"].sum() - patient["output"].iloc[0]
    if not abs(gap) <= 1e-5 * max(1.0, abs(float(patient["output"].iloc[0]))):
        raise DataError(
            "expected contributions that add up, with the base value, to the output; found a gap "
            f"of {gap:.3g}. Pass all features of the patient."
        )
    order = np.argsort(-patient["contribution"].abs().to_numpy(dtype=float), kind="stable")
    rows = patient.iloc[order]
    # A single feature left over is drawn under its own name.
    kept = most if len(rows) > most + 1 else len(rows)
    labels = [
        plain(f"{shorten(name, length=26)} = {number(value)}")
        for name, value in zip(rows["feature"][:kept], rows["value"][:kept], strict=True)
    ]
    sizes = rows["contribution"].to_numpy(dtype=float)
    bars = [*zip(labels, sizes[:kept], strict=True)]
    if kept < len(rows):
        bars.append((f"{len(rows) - kept} other features", float(sizes[kept:].sum())))
    return pd.DataFrame(bars, columns=["label", "contribution"])


def number(value: float, *, sign: bool = False) -> str:
    """Three digits, with a true minus, and a plus where `sign` asks for it; a dash for NaN."""
    if math.isnan(value):
        return "–"
    return f"{value:{'+' if sign else ''}.3g}".replace("-", "−")


def _leave_room(ax: Axes, starts: np.ndarray, ends: np.ndarray) -> None:
    """Widen the axes so that the numbers beside the bars fit."""
    low = float(min(starts.min(), ends.min()))
    high = float(max(starts.max(), ends.max()))
    room = (high - low) or 1.0
    ax.set_xlim(low - 0.22 * room, high + 0.18 * room)
