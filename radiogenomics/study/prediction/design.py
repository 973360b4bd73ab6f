"""Who is in a prediction study, beside whom the paper had, and who was scanned again."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.checks import design_checks
from radiogenomics.study.prediction.inputs import PredictionInputs
from radiogenomics.study.prediction.labels import TimeLabel
from radiogenomics.study.prediction.schema import ImageBlock, PredictionStudy
from radiogenomics.study.prediction.scored import Scored


def described(
    study: PredictionStudy,
    inputs: Sequence[PredictionInputs],
    scored: Sequence[Scored],
    *,
    threshold: float,
) -> Findings:
    """Cohorts, settings, design and follow-up of a run, and where its threshold was locked."""
    first = inputs[0].cohort.id
    text = f"threshold {threshold:.4g} ({study.evaluation.threshold.value}) was locked on {first}."
    flow = [entry.cohort.flow().reset_index().assign(cohort=entry.cohort.id) for entry in inputs]
    return Findings(
        tables={
            "cohort_flow": pd.concat(flow, ignore_index=True),
            "settings": study.settings(),
            "study_design": _design(study, scored),
            "design_checks": design_checks(study),
            **_follow_up(inputs, scored),
        },
        notes=(("info", text), *inputs[0].notes, *_unread(study, inputs[0])),
    )


def _design(study: PredictionStudy, scored: Sequence[Scored]) -> pd.DataFrame:
    """Sizes of the paper, then those of the run."""
    rows = [
        {
            "part": name,
            "cohort": "published",
            "patients": part.patients.value,
            "positives": part.positives.value,
            "sites": part.sites.value,
        }
        for name, part in study.design.items()
    ]
    for entry in scored:
        frame = next(iter(entry.predictions.values())).drop_duplicates("patient_id")
        sites = entry.cohort.patients.get("site")
        rows.append(
            {
                "part": entry.split,
                "cohort": entry.cohort.id,
                "patients": len(frame),
                "positives": _positives(study, entry, pd.Index(frame["patient_id"])),
                "sites": 1 if sites is None else int(sites.nunique()),
            }
        )
    return pd.DataFrame(rows).astype({"positives": "Int64"})


def _positives(study: PredictionStudy, entry: Scored, patients: pd.Index) -> int | None:
    """Patients of class 1, or with the event where a time is foretold."""
    label = study.label
    if not isinstance(label, TimeLabel):
        frame = next(iter(entry.predictions.values())).drop_duplicates("patient_id")
        return int(frame["label"].sum()) if frame["label"].notna().any() else None
    if label.endpoint.value not in entry.cohort.outcomes:
        return None
    event = entry.cohort.survival(label.endpoint.value).event
    return int(event.reindex(patients).fillna(False).sum())


def _follow_up(
    inputs: Sequence[PredictionInputs], scored: Sequence[Scored]
) -> dict[str, pd.DataFrame]:
    """How many were scanned again, where the recipe needs it."""
    if not inputs[0].follow_up:
        return {}
    rows = []
    for entry, result in zip(inputs, scored, strict=True):
        seen = entry.seen_again()
        rows.append(
            {
                "split": result.split,
                "patients": len(seen),
                "with_follow_up": int(seen.sum()),
                "by_baseline_model": int((~seen).sum()),
            }
        )
    return {"follow_up": pd.DataFrame(rows)}


def _unread(study: PredictionStudy, inputs: PredictionInputs) -> tuple[tuple[str, str], ...]:
    """Say which blocks ask for a second reading that the cohort does not have."""
    asked = [
        name
        for name, block in study.blocks.items()
        if isinstance(block, ImageBlock) and block.reread.value and name not in inputs.readings
    ]
    if not asked:
        return ()
    text = (
        f"{inputs.cohort.id}: no second reading of {', '.join(asked)}: features were not filtered "
        "by their agreement."
    )
    return (("warning", text),)
