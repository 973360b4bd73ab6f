"""Who is counted in the tables of the design and of the follow-up, and what cut the label."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from radiogenomics.study.prediction.design import described
from radiogenomics.study.prediction.inputs import read_prediction_inputs
from radiogenomics.study.prediction.scored import Scored

CV, FAR = "cross-validation", "external:far"


def scored(cohort, split: str, patients: pd.Index, unknown: int) -> Scored:
    label = (np.arange(len(patients)) % 2).astype(float)
    label[:unknown] = np.nan
    frame = pd.DataFrame({"patient_id": patients, "repeat": 0, "fold": 0, "label": label})
    return Scored(cohort, split, {"Fusion": frame.assign(score=0.5)}, 0.5, "better")


def test_patients_are_counted_alike_in_every_cohort_and_table(study_of, cohort_of):
    study = study_of({"label": "survival", "label.landmark": 4.0})
    near, far = cohort_of(lacking=15), cohort_of(60, id="far", seed=2, lacking=6)
    inputs = [read_prediction_inputs(c, study, complete=False, jobs=1) for c in (near, far)]
    # As a run has it: who did not outlive the landmark is not trained on, but is scored elsewhere.
    late = near.outcomes["OS"].time.loc[lambda time: time > 4].index
    parts = [scored(near, CV, late, 5), scored(far, FAR, far.patient_ids, 8)]
    found = described(study, inputs, parts, threshold=0.5, rule=SimpleNamespace(months_=11.5))
    design = found.tables["study_design"].set_index("part")
    assert design["patients"].to_dict() == {"training": 120, CV: 90, FAR: 60}
    assert design["labelled"].dropna().to_dict() == {CV: len(late) - 5, FAR: 52}
    assert design.loc["training", "positives"] == 60
    follow_up = found.tables["follow_up"].set_index("split")
    assert follow_up["patients"].to_dict() == {CV: 90, FAR: 60}
    assert follow_up["with_follow_up"].to_dict() == {CV: 75, FAR: 54}
    once = near.patient_ids[75:].intersection(late)
    assert follow_up["by_baseline_model"].to_dict() == {CV: len(once), FAR: 6}
    assert found.tables["label_months"].iloc[0].to_dict() == {
        "endpoint": "OS", "months": 11.5, "source": "median", "landmark": 4.0, "n": len(late),
    }  # fmt: skip


def test_other_labels_have_no_months(study_of, cohort_of):
    study, near = study_of(), cohort_of()
    inputs = [read_prediction_inputs(near, study, complete=False, jobs=1)]
    part = scored(near, CV, near.patient_ids, 0)
    tables = described(study, inputs, [part], threshold=0.5, rule=None).tables
    assert "label_months" not in tables
