"""Who is in a prediction study, beside whom the paper had, and who was scanned again."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.checks import design_checks
from radiogenomics.study.prediction.inputs import PredictionInputs
from radiogenomics.study.prediction.labels import SurvivalLabel, TimeLabel
from radiogenomics.study.prediction.schema import ImageBlock, PredictionStudy
from radiogenomics.study.prediction.scored import Scored


def described(
    study: PredictionStudy,
    inputs: Sequence[PredictionInputs],
    scored: Sequence[Scored],
    *,
    threshold: float,
    rule: object = None,
) -> Findings:
    """Cohorts, settings, design and follow-up of a run, and what was locked on its first cohort.

    Parameters
    ----------
    inputs
        Cohorts as they were read, before patients without the label were left out.
    scored
        The same cohorts with their scores.
    threshold, rule
        Locked: where scores are cut, and what made the label, with ``months_`` where it has some.
    """
    first = inputs[0].cohort.id
    text = f"threshold {threshold:.4g} ({study.evaluation.threshold.value}) was locked on {first}."
    flow = [entry.cohort.flow().reset_index().assign(cohort=entry.cohort.id) for entry in inputs]
    return Findings(
        tables={
            "cohort_flow": pd.concat(flow, ignore_index=True),
            "settings": study.settings(),
            "study_design": _design(study, inputs, scored),
            "design_checks": design_checks(study),
            **_months(study, scored[0], rule),
            **_follow_up(inputs, scored),
        },
        notes=(("info", text), *inputs[0].notes, *_unread(study, inputs[0])),
    )


def _design(
    study: PredictionStudy, inputs: Sequence[PredictionInputs], scored: Sequence[Scored]
) -> pd.DataFrame:
    """Sizes of the paper, then those of the run.

    ``patients`` are, in every cohort, those with the recipe's blocks; ``labelled`` those of them
    who could be held against their score.
    """
    rows = [
        {
            "part": name,
            "cohort": "published",
            "patients": part.patients.value,
            "labelled": None,
            "positives": part.positives.value,
            "sites": part.sites.value,
        }
        for name, part in study.design.items()
    ]
    for read, entry in zip(inputs, scored, strict=True):
        labelled = _labelled(study, entry)
        sites = entry.cohort.patients.get("site")
        rows.append(
            {
                "part": entry.split,
                "cohort": entry.cohort.id,
                "patients": len(read.features),
                "labelled": len(labelled),
                "positives": _positives(study, entry, labelled),
                "sites": 1 if sites is None else int(sites.nunique()),
            }
        )
    return pd.DataFrame(rows).astype({"labelled": "Int64", "positives": "Int64"})


def _labelled(study: PredictionStudy, entry: Scored) -> pd.Index:
    """Patients with a score whose class is known, or whose time where one is foretold."""
    frame, label = next(iter(entry.predictions.values())), study.label
    patients: pd.Index = pd.Index(frame["patient_id"].unique())
    if not isinstance(label, TimeLabel):
        known: pd.Index = pd.Index(frame.loc[frame["label"].notna(), "patient_id"])
    elif label.endpoint.value in entry.cohort.outcomes:
        known = entry.cohort.survival(label.endpoint.value).patient_ids
    else:
        known = patients[:0]
    found: pd.Index = patients[patients.isin(known)]
    return found


def _months(study: PredictionStudy, training: Scored, rule: object) -> dict[str, pd.DataFrame]:
    """Months that cut the label, as they were learnt or named."""
    label, months = study.label, getattr(rule, "months_", None)
    if not isinstance(label, SurvivalLabel) or months is None:
        return {}
    patients = next(iter(training.predictions.values()))["patient_id"].nunique()
    row = {
        "endpoint": label.endpoint.value,
        "months": float(months),
        "source": "median" if label.months.value == "median" else "recipe",
        "landmark": label.landmark.value,
        "n": patients,
    }
    return {"label_months": pd.DataFrame([row])}


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
    """How many of the design's patients were scanned again, where the recipe needs it.

    Scored by the baseline model are those who were not, but for training patients without a label.
    """
    if not inputs[0].follow_up:
        return {}
    rows = []
    for entry, result in zip(inputs, scored, strict=True):
        seen = entry.seen_again()
        scores = next(iter(result.predictions.values()))
        once = seen.index[~seen.to_numpy()]
        rows.append(
            {
                "split": result.split,
                "patients": len(seen),
                "with_follow_up": int(seen.sum()),
                "by_baseline_model": int(once.isin(scores["patient_id"]).sum()),
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
