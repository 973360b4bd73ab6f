"""Responders among patients of high and of low score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from radiogenomics.stats import fisher_exact, wilson
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.prediction.labels import ResponseLabel
from radiogenomics.study.prediction.readouts.facts import require_categories
from radiogenomics.study.prediction.readouts.remarks import NONE, warning
from radiogenomics.study.prediction.schema import PredictionStudy, ResponseReadout
from radiogenomics.study.prediction.scored import Scored


def response_readouts(study: PredictionStudy, scored: Sequence[Scored]) -> Findings:
    r"""Compare the share of responders above and below the locked threshold, in each cohort.

    Shares have Wilson's interval, p is Fisher's, exact and two-sided. The difference
    :math:`d = p_1 - p_2` of high and low has Newcombe's interval, from
    :math:`d - \sqrt{(p_1 - l_1)^2 + (u_2 - p_2)^2}` to
    :math:`d + \sqrt{(u_1 - p_1)^2 + (p_2 - l_2)^2}`, with :math:`l, u` the bounds of the shares.

    Returns
    -------
    Findings
        Table ``response_by_score``: ``split, outcome, group, responders, n, rate, low, high, p,
        difference, difference_low, difference_high``, two rows a cohort; what compares them stands
        in both.

    Raises
    ------
    StudyError
        The recipe's responders are no categories of the outcome, or that is no response.

    References
    ----------
    Newcombe 1998, Stat Med 17:873 (method 10).
    """
    asked = study.readouts.response
    if asked is None:
        return Findings()
    found = [_of_cohort(asked, part) for part in scored]
    label, notes = study.label, NONE
    if isinstance(label, ResponseLabel) and label.outcome.value == asked.outcome.value:
        text = (
            f"{asked.outcome.value}: the label is made from this very response, so that shares of "
            "responders repeat what the label's own measures say."
        )
        notes = (("info", text),)
    return merge([Findings(notes=notes), *found])


def _of_cohort(asked: ResponseReadout, part: Scored) -> Findings:
    name = asked.outcome.value
    if name not in part.cohort.outcomes:
        return warning(f"{part.split}: no response called {name}; left out.")
    outcome = part.cohort.response(name)
    require_categories(outcome, asked.responders.value, cohort=part.cohort.id)
    responded = outcome.grouped(asked.responders.value)
    high = part.high()[part.score().notna()]
    high = high[high.index.isin(responded.index)]
    responded = responded.loc[high.index]
    if high.nunique() < 2:
        sides = "nobody" if high.empty else ("everybody high" if high.all() else "everybody low")
        text = f"{part.split}, {name}: the locked threshold calls {sides} of {len(high)} patients"
        return warning(f"{text} whose response is known; not compared.")
    counts = np.array(
        [[responded[high].sum(), high.sum()], [responded[~high].sum(), (~high).sum()]]
    )
    return Findings(tables={"response_by_score": _table(counts, split=part.split, outcome=name)})


def _table(counts: np.ndarray, *, split: str, outcome: str) -> pd.DataFrame:
    """Two rows, high and low, from responders and patients of each."""
    responders, n = counts.T
    rate, (low, high) = responders / n, wilson(responders, n)
    difference = float(rate[0] - rate[1])
    below = float(np.hypot(rate[0] - low[0], high[1] - rate[1]))
    above = float(np.hypot(high[0] - rate[0], rate[1] - low[1]))
    split_in_two = np.column_stack([responders, n - responders])
    # When all respond, or nobody does, there is one table only.
    one_kind = bool((split_in_two.sum(axis=0) == 0).any())
    return pd.DataFrame(
        {
            "split": split,
            "outcome": outcome,
            "group": ["high", "low"],
            "responders": responders,
            "n": n,
            "rate": rate,
            "low": low,
            "high": high,
            "p": 1.0 if one_kind else fisher_exact(split_in_two).p,
            "difference": difference,
            "difference_low": difference - below,
            "difference_high": difference + above,
        }
    )
