"""What chance gave as the strongest of all links, and what was seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.core.errors import DataError
from radiogenomics.plots.link_words import FOUND
from radiogenomics.plots.null import draw_null
from radiogenomics.plots.style import INK, new_axes, require, write

BELOW = 0.87
"""Height that the threshold reaches, so that it stays below the words on what was observed."""


def draw_link_nulls(
    maxima: pd.DataFrame,
    ax: Axes | None = None,
    *,
    observed: float,
    name: str = "strongest of all links, absolute rank correlation",
    title: str | None = None,
) -> Axes:
    """Draw the strongest link of each permutation of the patients, and that of the real data.

    The dashed line is what 5 % of permutations reach somewhere: the family-wise threshold. A link
    beyond it would have been the strongest of thousands by chance in fewer than one map of twenty.

    Parameters
    ----------
    maxima
        ``value``: largest statistic over all features and targets, one row a permutation.
    ax
        Axes to draw on; new ones when not given.
    observed
        Largest statistic of the real data; its p counts itself among the permutations.
    name
        Of the statistic, for the x axis.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: the statistic, y: permutations.

    Raises
    ------
    DataError
        There is no row, a value is not finite, or the column is missing.

    Examples
    --------
    >>> maxima = pd.DataFrame({"value": [0.35, 0.38, 0.41, 0.33]})
    >>> draw_link_nulls(maxima, observed=0.5).texts[0].get_text()
    'observed 0.500, p = 0.2'
    """
    values = require(maxima, ("value",), what="strongest links by chance")["value"].to_numpy(float)
    if not np.isfinite([*values, observed]).all():
        raise DataError(
            "strongest links by chance: expected finite statistics; found "
            f"{int((~np.isfinite([*values, observed])).sum())} that are not. Pass the maxima of "
            "all permutations, and that of the real data."
        )
    p = (1 + int((values >= observed).sum())) / (1 + len(values))
    ax = new_axes(ax, size=(5.4, 3.1))
    draw_null(maxima, ax, observed=observed, p=p, name=name, title=title)
    if observed < np.mean(ax.get_xlim()):
        # The words stand where there is more room.
        ax.texts[0].set(ha="left", position=(5, -7))
    ax.set_ylabel(ax.get_ylabel().replace("replicates", "permutations"))
    threshold = family_wise_threshold(values)
    if threshold is not None:
        _draw_threshold(ax, threshold, left=observed > threshold)
    return ax


def _draw_threshold(ax: Axes, threshold: float, *, left: bool) -> None:
    """Draw the family-wise threshold, named away from what was observed."""
    ax.axvline(threshold, color=INK, linewidth=1, linestyle=(0, (5, 2)), ymax=BELOW)
    words, top = f"family-wise {FOUND:g}: {threshold:.3f}", ("data", "axes fraction")
    shift, across = (-5, "right") if left else (5, "left")
    write(ax, words, (threshold, 1), coords=top, offset=(shift, -20), across=across)


def family_wise_threshold(values: np.ndarray, *, level: float = FOUND) -> float | None:
    """Smallest of the maxima that has a p of at most `level`; none where there are too few.

    Examples
    --------
    >>> family_wise_threshold(np.arange(1.0, 100.0))
    96.0
    """
    falling = np.sort(values)[::-1]
    # A statistic equal to the k-th largest of N maxima has p = (1 + k) / (1 + N).
    reached = int(np.floor(level * (1 + len(falling)) + 1e-9)) - 1
    return float(falling[reached - 1]) if reached >= 1 else None
