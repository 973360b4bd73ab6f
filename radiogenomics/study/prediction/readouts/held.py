"""A cohort's outcome beside the headline's risk, patient by patient; or why there is none."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from radiogenomics.core.errors import OutcomeError
from radiogenomics.core.evidence import Metric
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.time_dependent import time_dependent_auc
from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.labels import SurvivalLabel
from radiogenomics.study.prediction.readouts.remarks import Notes, as_notes, warning
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.scored import Scored
from radiogenomics.study.prognosis import same_for_all


@dataclass(frozen=True, eq=False)
class Held:
    """Outcome and risk of the same patients in one order."""

    outcome: SurvivalOutcome
    risk: pd.Series[float]

    def repeats(self, part: Scored) -> pd.DataFrame:
        """Risks of these patients, one row a patient and repeat: ``patient_id, repeat, score``."""
        frame = part.predictions[part.headline]
        frame = frame.loc[
            frame["patient_id"].isin(self.risk.index), ["patient_id", "repeat", "score"]
        ]
        return frame.assign(score=1 - frame["score"]) if part.meaning == "better" else frame


def hold(study: PredictionStudy, part: Scored, endpoint: str) -> tuple[Held | None, Notes]:
    """Match the headline's risk with an endpoint.

    Patients without a score are left out, and with a label that has a landmark those who had the
    event or were lost by then, as in the label: nobody scanned at follow-up can have died before.
    Months go on counting from the outcome's origin.

    Raises
    ------
    StudyError
        The cohort has a response of that name.
    """
    where = f"{part.split}, {endpoint}"
    if endpoint not in part.cohort.outcomes:
        return None, (("warning", f"{where}: the cohort does not have it; left out."),)
    seen, risk = part.cohort.survival(endpoint), part.risk().dropna()
    patients = seen.patient_ids[seen.patient_ids.isin(risk.index)]
    notes: Notes = ()
    if lacking := len(seen.patient_ids) - len(patients):
        text = f"{where}: {lacking} of {len(seen.patient_ids)} patients have no score; left out."
        notes = (("info", text),)
    landmark = study.label.landmark.value if isinstance(study.label, SurvivalLabel) else 0.0
    early = (seen.time.loc[patients] <= landmark) if landmark > 0 else None
    if early is not None and early.any():
        text = f"{where}: {int(early.sum())} patients not followed beyond {landmark:g} months"
        notes = (*notes, ("info", f"{text}, the landmark of the label; left out."))
        patients = patients[~early.to_numpy()]
    outcome, fewest = seen.for_patients(patients), study.evaluation.minimum_events.value
    if outcome.n_events < fewest:
        text = f"{where}: {outcome.n_events} events, below {fewest}; left out."
        return None, (*notes, ("warning", text))
    risk = risk.loc[patients]
    if risk.nunique() < 2:
        return None, (*notes, ("warning", same_for_all(where)))
    return Held(outcome, risk), notes


def areas_over_time(
    risks: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    split: str,
    model: str,
    horizons: tuple[float, ...],
) -> Findings:
    """Time-dependent AUC at the horizons that can be used; a note gives the reason of the others.

    Returns
    -------
    Findings
        ``auc_at_T_months`` and the table ``time_dependent_auc``: ``split, endpoint, model, horizon,
        auc, low, high, n, events``; ``events`` counts those up to the horizon.
    """
    if not horizons:
        return Findings()
    where = f"{split}, {outcome.endpoint}: time-dependent AUC"
    try:
        # Dropped times are told below, with their endpoint.
        with as_notes():
            metrics, tables = time_dependent_auc(risks, outcome, split=split, times=list(horizons))
    except OutcomeError as error:
        return warning(f"{where} is left out: {error}")
    found = tables["time_dependent_auc"].rename(columns={"time": "horizon", "n_cases": "events"})
    table = found.assign(model=model, n=len(outcome.time))
    columns = ["split", "endpoint", "model", "horizon", "auc", "low", "high", "n", "events"]
    dropped = tables["dropped_times"].itertuples()
    notes = tuple(
        ("warning", f"{where} is left out at {row.time:g} months ({row.reason}).")
        for row in dropped
    )
    at: tuple[Metric, ...] = tuple(m for m in metrics if m.name.startswith("auc_at_"))
    return Findings(metrics=at, tables={"time_dependent_auc": table[columns]}, notes=notes)
