"""How many genes each filter leaves, alone and together with those before it."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.style import (
    BLUE,
    FAINT,
    bare_rows,
    grid,
    legend,
    name_axes,
    new_axes,
    records,
    require,
    write_beside,
)

PASSES = "passes_"
COLUMNS = ("filter", "alone", "together")
ROW_INCHES = 0.4


def candidate_counts(candidates: pd.DataFrame) -> pd.DataFrame:
    """Count the genes that pass each filter.

    Parameters
    ----------
    candidates
        ``gene``, and a column ``passes_...`` for each filter, in their order.

    Returns
    -------
    DataFrame
        ``filter, alone, together``: genes that pass it, and that pass it and all above; first the
        row of all shared genes.

    Raises
    ------
    DataError
        There is no row, or no column ``gene``.

    Examples
    --------
    >>> table = pd.DataFrame({"gene": ["A", "B", "C"], "passes_expressed": [True, True, False],
    ...                       "passes_protein": [False, True, True]})
    >>> candidate_counts(table)["together"].tolist()
    [3, 2, 1]
    """
    require(candidates, ("gene",), what="candidates")
    left = pd.Series(True, index=candidates.index)
    rows = [("shared genes", len(candidates), len(candidates))]
    for column in filter(lambda name: name.startswith(PASSES), map(str, candidates.columns)):
        passed = candidates[column].eq(True)
        left &= passed
        words = column.removeprefix(PASSES).replace("_", " ")
        rows.append((words, int(passed.sum()), int(left.sum())))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def draw_candidates(counts: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw genes left after each filter (blue) and those that pass it alone (grey).

    Parameters
    ----------
    counts
        ``filter, alone, together`` of :func:`candidate_counts`.
    ax
        Axes to draw on; new ones when not given.

    Returns
    -------
    Axes
        x: genes.

    Raises
    ------
    DataError
        There is no row, or a column is missing.

    Examples
    --------
    >>> counts = pd.DataFrame({"filter": ["shared genes", "protein"], "alone": [9, 4],
    ...                        "together": [9, 4]})
    >>> draw_candidates(counts).get_yticklabels()[1].get_text()
    'protein'
    """
    require(counts, COLUMNS, what="filters of candidates")
    ax = new_axes(ax, size=(6.4, 1.3 + ROW_INCHES * len(counts)))
    rows = range(len(counts))
    ax.barh(rows, counts["alone"], height=0.72, color=FAINT, label="pass this filter")
    ax.barh(rows, counts["together"], height=0.36, color=BLUE, label="pass this and all above")
    for position, row in enumerate(records(counts)):
        alone = "" if row.alone == row.together else f" ({row.alone:,} alone)"
        write_beside(ax, position, f"{row.together:,}{alone}")
    bare_rows(ax, list(counts["filter"]))
    ax.set_xlim(0, 1.02 * max(float(counts["alone"].max()), 1.0))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    grid(ax, axis="x")
    name_axes(ax, x="genes", y="")
    legend(ax, place="lower right")
    return ax
