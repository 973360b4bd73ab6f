"""Scores of programmes and cell types between patients called high and low."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.estimates import draw_estimates
from radiogenomics.plots.style import require, unprefixed

COLUMNS = ("score", "difference", "low", "high", "fdr")
FOUND = 0.05


def draw_contrasts(
    contrasts: pd.DataFrame, ax: Axes | None = None, *, top: int = 40, title: str | None = None
) -> Axes:
    """Draw how much higher each score is in patients called high, the largest differences.

    Those drawn are the largest of many, and so look larger than they will be in other patients.

    Parameters
    ----------
    contrasts
        ``score, difference, low, high, fdr``, one row a score of one cohort; the difference is high
        minus low, in standard deviations.
    ax
        Axes to draw on; new ones when not given.
    top
        Scores drawn at most, by the size of the difference.
    title
        Of the axes.

    Returns
    -------
    Axes
        x: difference; grey and hollow where the FDR is above 0.05.

    Raises
    ------
    DataError
        There is no row with a difference, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"score": ["CYT", "MDSC"], "difference": [0.1, -0.6],
    ...     "low": [-0.2, -0.9], "high": [0.4, -0.3], "fdr": [0.5, 0.01]})
    >>> [label.get_text() for label in draw_contrasts(table, top=1).get_yticklabels()]
    ['MDSC']
    """
    require(contrasts, COLUMNS, what="contrasts")
    known = contrasts[contrasts["difference"].notna()]
    largest = known["difference"].abs().sort_values(ascending=False, kind="stable").index[:top]
    drawn = known.loc[largest].sort_values("difference", ascending=False, kind="stable")
    rows = drawn.assign(
        label=unprefixed(drawn["score"]), value=drawn["difference"], found=drawn["fdr"] <= FOUND
    )
    return draw_estimates(
        rows,
        ax,
        name=f"difference in SD (95 % interval; hollow: FDR above {FOUND:g})",
        chance=0,
        sides=("higher in low", "higher in high"),
        title=title,
    )
