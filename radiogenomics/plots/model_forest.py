"""Models beside each other in every cohort: one block a model, one interval a split."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.core.errors import DataError
from radiogenomics.plots.style import (
    INK,
    PALE,
    PALETTE,
    bare_rows,
    grid,
    interval,
    legend_above,
    name_axes,
    new_axes,
    plain,
    records,
    require,
    shorten,
    width_for,
    write,
)

COLUMNS = ("learner", "split", "value", "low", "high")
LINE_INCHES, GAP_INCHES = 0.17, 0.14
LONGEST = 34
MARKERS = ("o", "D", "^", "s", "v", "P")


def draw_model_forest(
    models: pd.DataFrame,
    ax: Axes | None = None,
    *,
    name: str = "AUC",
    chance: float = 0.5,
    title: str | None = None,
) -> Axes:
    """Draw what each model reaches in each split, with its interval, against chance.

    Models stand in the order of the table, splits below each other within a model. Intervals of
    models that were tried on the same patients overlap even where a paired test tells them apart.

    Parameters
    ----------
    models
        ``learner, split, value, low, high``, one row a model and split; bounds may be empty. With
        ``headline`` (bool) the study's own model stands out; with ``rival`` (bool) what nobody
        trained is hollow.
    ax, title
        Axes to draw on, new ones when not given, and their title.
    name, chance
        Of the estimate, for the x axis; where there is nothing to find.

    Returns
    -------
    Axes
        x: the estimate; one row a model, the first on top.

    Raises
    ------
    DataError
        There is no row with a finite value, a column is missing, or a model is twice in a split.

    Examples
    --------
    >>> table = pd.DataFrame({"learner": ["all"], "split": "a", "value": 0.8, "low": 0.7,
    ...     "high": 0.9})
    >>> draw_model_forest(table).get_yticklabels()[0].get_text()
    'all'
    """
    known = _known(models, name)
    names = list(dict.fromkeys(known["learner"].astype(str)))
    splits = list(dict.fromkeys(known["split"].astype(str)))
    block = GAP_INCHES + LINE_INCHES * len(splits)
    height = 0.75 + block * (len(names) + 1)
    ax = new_axes(ax, size=(width_for(_short(names), free=26), height))
    ax.axvline(chance, color=INK, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
    for row in records(known):
        line = splits.index(str(row.split))
        offset = (line - (len(splits) - 1) / 2) * LINE_INCHES / block
        _draw_one(ax, row, y=names.index(str(row.learner)) + offset, line=line)
    _name_rows(ax, known, names)
    _keep_in_sight(ax, known, chance=chance)
    grid(ax, axis="x")
    words = f"{name} (95 % interval; dashed: chance)"
    name_axes(ax, x=words, y="", title=title, raised=len(splits))
    _key(ax, splits)
    return ax


def _known(models: pd.DataFrame, name: str) -> pd.DataFrame:
    require(models, COLUMNS, what=f"{name} of models")
    known: pd.DataFrame = models[np.isfinite(models["value"].to_numpy(dtype=float))]
    require(known, COLUMNS, what=f"{name} of models: finite values")
    twice = known.duplicated(["learner", "split"])
    if twice.any():
        row = known[twice].iloc[0]
        raise DataError(
            f"{name} of models: expected one row a model and split; found several of "
            f"{row['learner']!r} in {row['split']!r}. Keep one."
        )
    return known


def _draw_one(ax: Axes, row: object, *, y: float, line: int) -> None:
    value, low, high = (float(getattr(row, column)) for column in COLUMNS[2:])
    colour = PALETTE[line % len(PALETTE)]
    own, rival = bool(getattr(row, "headline", False)), bool(getattr(row, "rival", False))
    if np.isfinite([low, high]).all():
        ax.hlines(y, low, high, color=colour, linewidth=2.2 if own else 1.4, zorder=2)
    ax.plot(
        [value],
        [y],
        marker=MARKERS[line % len(MARKERS)],
        markersize=6 if own else 4.5,
        color=colour,
        markerfacecolor="white" if rival else colour,
        zorder=3,
    )
    beside = ("axes fraction", "data")
    write(ax, interval(value, low, high), (1.02, y), coords=beside, colour=colour)


def _short(names: list[str]) -> list[str]:
    return [shorten(name, length=LONGEST) for name in names]


def _name_rows(ax: Axes, known: pd.DataFrame, names: list[str]) -> None:
    """Name the models, the study's own in bold, every other on a pale ground."""
    bare_rows(ax, _short(names))
    ax.set_ylim(len(names) - 0.5, -0.5)
    for position in range(0, len(names), 2):
        ax.axhspan(position - 0.5, position + 0.5, color=PALE, alpha=0.6, linewidth=0, zorder=0)
    own = (
        set(known.loc[known["headline"].eq(True), "learner"].astype(str))
        if "headline" in known
        else set()
    )
    for tick, name in zip(ax.get_yticklabels(), names, strict=True):
        tick.set_fontweight("bold" if name in own else "normal")


def _keep_in_sight(ax: Axes, known: pd.DataFrame, *, chance: float) -> None:
    numbers = known[["value", "low", "high"]].to_numpy(dtype=float)
    bounds = np.append(numbers[np.isfinite(numbers)], chance)
    margin = 0.04 * (float(np.ptp(bounds)) or 1.0)
    ax.set_xlim(bounds.min() - margin, bounds.max() + margin)


def _key(ax: Axes, splits: list[str]) -> None:
    """Name the splits above the axes, where no interval can lie."""
    handles = [
        ax.plot([], [], color=PALETTE[k % len(PALETTE)], marker=MARKERS[k % len(MARKERS)],
                markersize=4.5, linewidth=1.4, label=plain(shorten(split, length=48)))[0]
        for k, split in enumerate(splits)
    ]  # fmt: skip
    legend_above(ax, handles)
