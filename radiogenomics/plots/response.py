"""Scores against response to treatment: each cohort and what they pool to."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from radiogenomics.plots.estimates import draw_estimates
from radiogenomics.plots.style import records, require

COLUMNS = ("score", "cohort", "auc", "low", "high", "n", "responders")
POOLED = "pooled"
CHANCE = 0.5


def draw_response(
    response: pd.DataFrame, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw the AUC of each score for response, cohort by cohort, with the pooled diamond.

    Parameters
    ----------
    response
        ``score, cohort, auc, low, high, n, responders``; a cohort whose name begins with *pooled*
        is drawn as a diamond. Several scores stand under their names.
    ax
        Axes to draw on; new ones when not given.
    title
        Of the axes; when not given and there is one score, its name.

    Returns
    -------
    Axes
        x: AUC, against chance at ½.

    Raises
    ------
    DataError
        There is no row with an AUC, or a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"score": "risk", "cohort": ["a"], "auc": [0.7], "low": [0.5],
    ...     "high": [0.8], "n": [40], "responders": [12]})
    >>> draw_response(table).get_yticklabels()[0].get_text()
    'a (12 of 40)'
    """
    require(response, COLUMNS, what="response")
    pooled = response["cohort"].astype(str).str.lower().str.startswith(POOLED)
    rows = response.assign(
        value=response["auc"],
        pooled=pooled,
        label=[_label(row) for row in records(response)],
    )
    several = response["score"].nunique() > 1
    if several:
        rows = rows.assign(heading=response["score"])
    return draw_estimates(
        rows,
        ax,
        name="AUC for response (95 % interval; in brackets: responders of patients)",
        chance=CHANCE,
        title=str(response["score"].iloc[0]) if title is None and not several else title,
    )


def _label(row: object) -> str:
    """Cohort with its responders; spelt out only where they are known."""
    cohort, responders, n = (getattr(row, name) for name in ("cohort", "responders", "n"))
    return str(cohort) if pd.isna([responders, n]).any() else f"{cohort} ({responders:g} of {n:g})"
