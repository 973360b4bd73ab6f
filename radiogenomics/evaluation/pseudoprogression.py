"""Patients whose tumour grew by the criteria although their score says responder: what happened.

If the score sees what the criteria miss, those with a high score fare better than those with a low
one although all progressed; the two intervals say how far chance goes, which with the few patients
there are is far. Long survival after progression is no proof of pseudoprogression: a later
treatment may have worked, and only a further scan would tell. A cut-off chosen on these patients
flatters the score, and survival counted from the start of treatment favours those who progressed
late.

Examples
--------
>>> ids = ["P1", "P2", "P3"]
>>> found = pseudoprogression_table(
...     pd.Series([0.9, 0.2, 0.8], ids),
...     ResponseOutcome("response", pd.Series(["PD", "PD", "PR"], ids), "mRECIST"),
...     SurvivalOutcome("OS", pd.Series([30.0, 6.0, 40.0], ids), pd.Series([0, 1, 0], ids)),
...     cutoff=0.5,
...     horizon=14.0,
... )
>>> found.patients[["patient_id", "score", "what_happened"]].values.tolist()
[['P1', 0.9, 'survived beyond']]
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.stats.inputs import Floats, as_floats, check_level
from radiogenomics.stats.intervals import wilson
from radiogenomics.stats.survival.kaplan_meier import kaplan_meier

SURVIVED, DIED, CENSORED = "survived beyond", "died before", "censored before"
# Times that differ by no more than this share differ by rounding, as in stats.inputs.
ROUNDING = 1.5e-8


class Pseudoprogression(NamedTuple):
    """Who progressed with a high score, and how those with a high and a low one fared.

    Attributes
    ----------
    patients : DataFrame
        ``patient_id, score, category, months, event, what_happened``, one row a patient who
        progressed with a score at or above the cut-off, highest score first. ``what_happened`` is
        ``"survived beyond"``, ``"died before"`` or ``"censored before"`` the horizon.
    summary : DataFrame
        Rows ``high`` and ``low`` score: ``score, n, survived, died, censored, share, low, high,
        km, endpoint, horizon``. ``share`` is of those of whom it is known, with Wilson's interval
        ``low`` to ``high``; it leaves out those censored early, among whom the living are too
        many, and so comes out too low. ``km``, the Kaplan-Meier survival at the horizon, uses them
        as well. Both are NaN where nobody, or no follow-up that long, is there.
    """

    patients: pd.DataFrame
    summary: pd.DataFrame


def pseudoprogression_table(
    score: pd.Series[float],
    response: ResponseOutcome,
    outcome: SurvivalOutcome,
    *,
    cutoff: float,
    horizon: float,
    progressive: Sequence[str] = ("PD",),
    level: float = 0.95,
) -> Pseudoprogression:
    """List patients with progression by the criteria whose score says responder.

    A patient who was followed to the horizon survived beyond it, one with an event at or before it
    did not. What the table can and cannot show stands at the head of this module.

    Parameters
    ----------
    score
        Higher is better; indexed by patient.
    response, outcome
        Of the same patients in the same order; time in months.
    cutoff
        Locked beforehand; at or above it a score says responder.
    horizon
        Months that a responder is expected to survive, as the training median.
    progressive, level
        Categories that are progression; confidence level of the intervals.

    Raises
    ------
    AlignmentError, DataError, UnknownNameError
        Other patients; a score missing, a senseless number; a category that the response lacks.
    """
    scores = _checked(score, response, outcome, cutoff=cutoff, horizon=horizon)
    progressed = response.grouped(_listed(progressive)).to_numpy()
    if not progressed.any():
        warnings.warn(
            f"none of {progressed.size} patients has {' or '.join(_listed(progressive))} by "
            f"{response.criterion}: the table is empty.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    table = _table(scores, response, outcome, horizon=horizon)[progressed]
    high = table["score"] >= cutoff
    rows = [
        {"score": name, **_fared(part, horizon, level=check_level(level))}
        for name, part in (("high", table[high]), ("low", table[~high]))
    ]
    listed = table[high].sort_values("score", ascending=False, kind="stable", ignore_index=True)
    summary = pd.DataFrame(rows).assign(endpoint=outcome.endpoint, horizon=float(horizon))
    return Pseudoprogression(listed, summary)


def _table(
    scores: Floats, response: ResponseOutcome, outcome: SurvivalOutcome, *, horizon: float
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": outcome.patient_ids,
            "score": scores,
            "category": response.category.to_numpy(),
            "months": outcome.time.to_numpy(),
            "event": outcome.event.to_numpy(),
            "what_happened": _what_happened(outcome, horizon),
        }
    )


def _listed(progressive: Sequence[str]) -> list[str]:
    return [progressive] if isinstance(progressive, str) else list(progressive)


def _checked(
    score: pd.Series[float],
    response: ResponseOutcome,
    outcome: SurvivalOutcome,
    *,
    cutoff: float,
    horizon: float,
) -> Floats:
    """Scores as an array, or what is wrong with the input."""
    patients = outcome.patient_ids
    require_same_patients(score.index, patients, what=f"score and {outcome.endpoint}")
    require_same_patients(response.patient_ids, patients, what=f"response and {outcome.endpoint}")
    values = as_floats(score, "scores")
    missing = int((~np.isfinite(values)).sum())
    if missing or not np.isfinite(cutoff):
        raise DataError(
            f"expected a finite score of each patient and a finite cut-off; found {missing} scores "
            f"that are not, and the cut-off {cutoff}. Leave patients without a score out."
        )
    if not 0 < horizon < np.inf:
        raise DataError(
            f"horizon: expected months above 0; found {horizon}. Give the survival that a "
            "responder is expected to reach, as the training median."
        )
    return values


def _what_happened(outcome: SurvivalOutcome, horizon: float) -> list[str]:
    """Fate of each patient at the horizon."""
    time, event = outcome.time.to_numpy(), outcome.event.to_numpy()
    just = np.abs(time - horizon) <= ROUNDING * horizon
    beyond = ((time > horizon) & ~just) | (just & ~event)
    return list(np.where(beyond, SURVIVED, np.where(event, DIED, CENSORED)).tolist())


def _fared(part: pd.DataFrame, horizon: float, *, level: float) -> dict[str, float]:
    """Counts, share and survival of some patients who progressed."""
    counts = [int((part["what_happened"] == fate).sum()) for fate in (SURVIVED, DIED, CENSORED)]
    survived, died, censored = counts
    known = survived + died
    low, high = wilson(survived, known, level=level)
    km = kaplan_meier(part["months"], part["event"]).at(horizon) if len(part) else np.nan
    return {
        "n": len(part),
        "survived": survived,
        "died": died,
        "censored": censored,
        "share": survived / known if known else np.nan,
        "low": float(low),
        "high": float(high),
        "km": float(km),
    }
