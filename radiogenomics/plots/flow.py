"""Cohort flow: how many patients each table has, and how many of them had an event."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    VERMILION,
    bare_rows,
    grid,
    name_axes,
    new_axes,
    require,
    shorten,
    write,
)

COLUMNS = ("cohort", "table", "kind", "patients", "events")
ROW_INCHES = 0.27


def draw_flow(flow: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw one bar a table of each cohort, as long as it has patients.

    Survival outcomes show the patients with an event in a stronger colour: events, not patients,
    are what a survival analysis lives on.

    Parameters
    ----------
    flow
        ``cohort, table, kind, patients, events``, one row a table; ``events`` is empty where the
        table is no survival outcome.
    ax
        Axes to draw on; new ones when not given.

    Returns
    -------
    Axes
        x: patients.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> flow = pd.DataFrame({"cohort": "a", "table": ["patients", "OS"], "patients": [60, 50],
    ...                      "kind": ["patients", "outcome"], "events": [None, 21]})
    >>> [int(bar.get_width()) for bar in draw_flow(flow).patches]
    [60, 50, 21]
    """
    require(flow, COLUMNS, what="cohort flow")
    ax = new_axes(ax, size=(6.4, 0.9 + ROW_INCHES * (len(flow) + flow["cohort"].nunique())))
    labels: list[str] = []
    for cohort, tables in flow.groupby("cohort", sort=False):
        labels.append(f"{shorten(cohort)}")
        for row in tables.itertuples():
            _draw_row(ax, len(labels), row)
            labels.append(f"{shorten(row.table)}")
    bare_rows(ax, labels)
    heads = set(flow["cohort"].map(shorten))
    for label, name in zip(ax.get_yticklabels(), labels, strict=True):
        label.set_fontweight("bold" if name in heads else "normal")
    ax.set_xlim(0, 1.35 * max(float(flow["patients"].max()), 1.0))
    grid(ax, axis="x")
    name_axes(ax, x="patients", y="")
    return ax


def _draw_row(ax: Axes, position: int, row: object) -> None:
    patients, events, kind = int(row.patients), row.events, row.kind  # type: ignore[attr-defined]
    ax.barh(position, patients, height=0.62, color=BLUE if kind == "patients" else FAINT)
    text = f"{patients}"
    if pd.notna(events):
        ax.barh(position, int(events), height=0.62, color=VERMILION)
        text += f", {int(events)} with event"
    write(ax, text, (patients, position), offset=(4, 0))
