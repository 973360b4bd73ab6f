"""Patients who progressed by the criteria, by what their score says, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from radiogenomics.evaluation.pseudoprogression import pseudoprogression_table
from radiogenomics.stats import kaplan_meier
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.prediction.labels import SurvivalLabel, TimeLabel
from radiogenomics.study.prediction.readouts.facts import require_categories
from radiogenomics.study.prediction.readouts.held import hold
from radiogenomics.study.prediction.readouts.remarks import warning
from radiogenomics.study.prediction.schema import PredictionStudy, Pseudoprogression
from radiogenomics.study.prediction.scored import Scored


def pseudoprogression_readout(study: PredictionStudy, scored: Sequence[Scored]) -> Findings:
    """Hold progression by the criteria against the score, patient by patient, in each cohort.

    Listed is everybody who progressed, called high or low by the locked threshold, with survival up
    to a horizon: the label's months, or the Kaplan-Meier median of the training cohort where the
    label has none. Long survival after progression is no proof of pseudoprogression.

    Returns
    -------
    Findings
        Tables ``pseudoprogression``: ``cohort, patient_id, split, called, score, category, months,
        event, happened, endpoint, horizon``, and ``pseudoprogression_summary``: ``split, called,
        progressive, survived, died_before, unknown, share, low, high, km, endpoint, horizon``;
        ``share`` (Wilson's interval) is of those of whom it is known, ``km`` the Kaplan-Meier
        survival at the horizon; empty where nobody was followed that long.

    Raises
    ------
    StudyError
        The recipe's categories are none of the outcome's, or that is no response.
    """
    asked = study.readouts.pseudoprogression
    if asked is None:
        return Findings()
    endpoint = _endpoint(study)
    if endpoint is None:
        return warning("pseudoprogression: the recipe names no survival to hold it against.")
    horizon = _horizon(study, scored[0], endpoint)
    if horizon is None:
        text = f"pseudoprogression: {scored[0].cohort.id} has no median of {endpoint} to serve as"
        return warning(f"{text} horizon; left out.")
    return merge([_of_cohort(asked, part, endpoint, horizon=horizon) for part in scored])


def _endpoint(study: PredictionStudy) -> str | None:
    if isinstance(study.label, SurvivalLabel | TimeLabel):
        return study.label.endpoint.value
    return next((readout.endpoint.value for readout in study.readouts.survival), None)


def _horizon(study: PredictionStudy, training: Scored, endpoint: str) -> float | None:
    """Months of the label, or the median of the training cohort where it is known."""
    if isinstance(study.label, SurvivalLabel) and study.label.months.value != "median":
        return float(study.label.months.value)
    found, _ = hold(study, training, endpoint)
    if found is None:
        return None
    median = kaplan_meier(found.outcome.time, found.outcome.event).median.value
    return None if np.isnan(median) else float(median)


def _of_cohort(
    asked: Pseudoprogression, part: Scored, endpoint: str, *, horizon: float
) -> Findings:
    where, name = f"{part.split}, pseudoprogression", asked.outcome.value
    lacking = [each for each in (name, endpoint) if each not in part.cohort.outcomes]
    if lacking:
        return warning(f"{where}: the cohort does not have {' and '.join(lacking)}; left out.")
    response, seen = part.cohort.response(name), part.cohort.survival(endpoint)
    require_categories(response, asked.progressive.value, cohort=part.cohort.id)
    score = part.score().dropna()
    patients = score.index[score.index.isin(response.patient_ids.intersection(seen.patient_ids))]
    progressed = response.for_patients(patients).grouped(asked.progressive.value)
    if not progressed.any():
        text = f"{where}: nobody of {len(patients)} progressed"
        return warning(f"{text} ({'/'.join(asked.progressive.value)}); left out.")
    ids = patients[progressed.to_numpy()]
    outcome, high = seen.for_patients(ids), part.high().loc[ids]
    # What says responder is called 1, whichever way the score runs.
    good = (high if part.meaning == "better" else ~high).astype(float)
    found, everybody = (
        pseudoprogression_table(
            good,
            response.for_patients(ids),
            outcome,
            cutoff=cutoff,
            horizon=horizon,
            progressive=asked.progressive.value,
        )
        for cutoff in (0.5, 0.0)
    )
    listed = _listed(everybody.patients, score.loc[ids], high)
    listed = listed.assign(
        cohort=part.cohort.id, split=part.split, endpoint=endpoint, horizon=horizon
    )
    tables = {"pseudoprogression": listed[list(_LISTED)]}
    return merge([Findings(tables=tables), _summarised(found.summary, part, where=where)])


_LISTED = (
    "cohort",
    "patient_id",
    "split",
    "called",
    "score",
    "category",
    "months",
    "event",
    "happened",
    "endpoint",
    "horizon",
)
_SUMMARY = (
    "split",
    "called",
    "progressive",
    "survived",
    "died_before",
    "unknown",
    "share",
    "low",
    "high",
    "km",
    "endpoint",
    "horizon",
)


def _listed(patients: pd.DataFrame, score: pd.Series[float], high: pd.Series[bool]) -> pd.DataFrame:
    """Everybody who progressed, with the headline's own score, the highest first."""
    ids = patients["patient_id"]
    table = patients.rename(columns={"what_happened": "happened"}).assign(
        score=score.loc[ids].to_numpy(), called=_called(high.loc[ids])
    )
    return table.sort_values("score", ascending=False, kind="stable", ignore_index=True)


def _called(high: pd.Series[bool]) -> list[str]:
    return ["high" if each else "low" for each in high]


def _summarised(summary: pd.DataFrame, part: Scored, *, where: str) -> Findings:
    """Rows of the calls that somebody who progressed has."""
    turned = {"high": "low", "low": "high"} if part.meaning == "worse" else {}
    names = {
        "score": "called",
        "n": "progressive",
        "died": "died_before",
        "censored": "unknown",
    }
    table = summary.rename(columns=names).replace({"called": turned}).assign(split=part.split)
    notes = [
        ("info", f"{where}: nobody who progressed has a {called} score.")
        for called in table.loc[table["progressive"] == 0, "called"]
    ]
    table = table[table["progressive"] > 0]
    notes += [
        ("warning", f"{where}: nobody with a {called} score was followed to the horizon or death.")
        for called in table.loc[table["share"].isna(), "called"]
    ]
    columns = {"pseudoprogression_summary": table[list(_SUMMARY)].sort_values("called")}
    return Findings(tables=columns, notes=tuple(notes))
