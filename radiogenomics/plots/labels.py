"""Label distribution: the scores of both classes and the cut-off between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from radiogenomics.plots.style import (
    INK,
    grid,
    legend,
    line_styles,
    name_axes,
    new_axes,
    plain,
    require,
    write,
)

Floats = NDArray[np.float64]

COLUMNS = ("score", "label")
TOP_OF_AXES = ("data", "axes fraction")


def draw_labels(
    scores: pd.DataFrame,
    ax: Axes | None = None,
    *,
    cutoff: float | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the histogram of scores, stacked by class, with one tick a patient below it.

    Classes may overlap: where the cut-off is learnt in each fold, a patient near it is called by
    the cut-off of the fold that held the patient out.

    Parameters
    ----------
    scores
        ``score, label``, one row a patient.
    ax, title
        Axes to draw on, new ones when not given; their title.
    cutoff
        Drawn as a line when given, in the unit of the score.

    Returns
    -------
    Axes
        x: score, y: patients.

    Raises
    ------
    DataError
        There is no row, a column is missing, or no score is finite.

    Examples
    --------
    >>> table = pd.DataFrame({"score": [-1.0, 0.2, 2.0], "label": ["low", "low", "high"]})
    >>> int(sum(bar.get_height() for bar in draw_labels(table, cutoff=0.3).patches))
    3
    """
    require(scores, COLUMNS, what="label distribution")
    finite = np.isfinite(scores["score"].to_numpy(dtype=float))
    known = require(scores[finite], COLUMNS, what="finite scores")
    ax = new_axes(ax, size=(4.1, 3.2))
    values = known["score"].to_numpy(dtype=float)
    edges = _edges(values, cutoff)
    classes = sorted(known["label"].astype(str).unique(), reverse=True)
    tallest = float(np.histogram(values, edges)[0].max())
    base = np.zeros(edges.size - 1)
    for name, (colour, _) in line_styles(classes).items():
        mine = values[known["label"].astype(str) == name]
        base += _draw_class(ax, mine, edges, base=base, name=name, colour=colour)
        rug = np.full(mine.size, -0.035 * tallest)
        ax.plot(mine, rug, "|", color=colour, markersize=6, alpha=0.7)
    if cutoff is not None:
        ax.axvline(cutoff, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
        write(ax, f"cut-off {cutoff:.2f}", (cutoff, 1), coords=TOP_OF_AXES, offset=(4, -6))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    ax.set_ylim(-0.08 * tallest, 1.12 * tallest)
    grid(ax, axis="y")
    name_axes(ax, x="score", y="patients", title=title)
    legend(ax)
    return ax


def _edges(values: Floats, cutoff: float | None) -> Floats:
    """Bins of equal width, with an edge at the cut-off so that no bar lies on both sides."""
    edges = np.histogram_bin_edges(values, bins=min(30, max(8, int(np.sqrt(values.size) * 2))))
    if cutoff is None or not edges[0] < cutoff < edges[-1]:
        return edges
    width = edges[1] - edges[0]
    below = int(np.ceil((cutoff - edges[0]) / width))
    above = int(np.ceil((edges[-1] - cutoff) / width))
    shifted = cutoff + width * np.arange(-below, above + 1)
    # Rounding must not leave the outermost patients outside.
    shifted[0], shifted[-1] = min(shifted[0], edges[0]), max(shifted[-1], edges[-1])
    return shifted


def _draw_class(
    ax: Axes, mine: Floats, edges: Floats, *, base: Floats, name: str, colour: str
) -> Floats:
    """Stack the bars of one class on ``base`` and return their heights."""
    counts = np.histogram(mine, edges)[0].astype(float)
    ax.bar(
        edges[:-1],
        counts,
        width=np.diff(edges),
        bottom=base,
        align="edge",
        color=colour,
        edgecolor="white",
        linewidth=0.6,
        label=plain(f"{name}: {mine.size}"),
    )
    return counts
