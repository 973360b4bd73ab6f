"""A recipe that foretells a time: concordance instead of AUC, everything else as for classes."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import OutcomeError, StudyError, UnknownNameError
from radiogenomics.evaluation import (
    PatientKFold,
    concordance_comparison_table,
    concordance_metric,
    cross_validate_survival,
)
from radiogenomics.models.prognostic_model import prognostic_model
from radiogenomics.study.prediction.inputs import read_prediction_inputs
from radiogenomics.study.prediction.models import ModelBuilder
from radiogenomics.study.prediction.obtained import obtained_table
from radiogenomics.study.prediction.run import Options
from radiogenomics.study.run import run_cohorts

CV, FAR = "cross-validation", "external:far"
MODELS = [
    {
        "name": name,
        "blocks": {"value": blocks, "source": "paper"},
        "learner": {"value": learner, "source": "paper"},
    }
    for name, blocks, learner in [
        ("Joined", ["pre", "clinical"], "ridge_cox"),
        ("Images", ["pre"], "cox"),
        ("Forest", ["clinical"], "rsf"),
    ]
]
RIVAL = {
    "name": "AFP",
    "fact": {"value": "afp", "source": "paper"},
    "groups": {"value": None, "source": "paper"},
    "rises": {"value": "positive", "source": "paper"},
}
SURVIVAL = {
    "endpoint": {"value": "OS", "source": "paper"},
    "horizons": {"value": [6.0, 12.0], "source": "paper"},
    "adjust_for": {"value": ["age"], "source": "paper"},
}
STEPS = [{"step": "median_imputer"}, {"step": "standardise"}]
CHANGES = {
    "label": "time",
    "blocks.pre.steps": STEPS,
    "blocks.post.steps": STEPS,
    "models": MODELS,
    "rivals": [RIVAL],
    "blocks.post.time_point": "baseline",
    "blocks.change": {"kind": "clinical", "facts": {"value": ["age"], "source": "paper"}},
    "evaluation.threshold": "median",
    "simulation.rivals": {},
    "readouts": {
        "survival": [SURVIVAL],
        "subgroups": {"value": ["stage", "site"], "source": "paper"},
    },
}


@pytest.fixture(scope="module")
def time_study(study_of):
    def time_study(changes=None, *, checked=True):
        return study_of(deepcopy({**CHANGES, **(changes or {})}), checked=checked)

    return time_study


@pytest.fixture(scope="module")
def cohorts(cohort_of):
    return cohort_of(120, signal=2.5), cohort_of(80, id="far", seed=2, signal=2.5)


@pytest.fixture(scope="module")
def results(time_study, cohorts, provenance):
    return run_cohorts(
        time_study(), cohorts, provenance=provenance, seed=0, jobs=1, options=Options()
    )


def row_of(results, split, learner):
    table = results.tables["concordances"].set_index(["split", "learner"])
    return table.loc[(split, learner)]


def test_inside_is_the_cross_validated_concordance(results, time_study, cohorts):
    study, cohort = time_study(), cohorts[0]
    inputs = read_prediction_inputs(cohort, study, complete=False, jobs=1)
    builder = ModelBuilder(study, inputs, memory=None, random_state=0)
    for plan in study.models:
        model = prognostic_model(
            builder.steps(plan), plan.learner.value, n_splits=3, random_state=0
        )
        found = cross_validate_survival(
            model,
            inputs.features[builder.columns(plan)],
            cohort.survival("OS"),
            splitter=PatientKFold(3, n_repeats=1, random_state=0),
            name=plan.name,
        )
        expected = concordance_metric(found.predictions, cohort.survival("OS"), split=CV)
        own = row_of(results, CV, plan.name)
        assert own["c_index"] == pytest.approx(expected.value, abs=1e-12)
        assert own["low"] == pytest.approx(expected.low, abs=1e-12)
    metric = results.findings.metric("c_index", split=CV)
    assert metric.value == pytest.approx(row_of(results, CV, "Joined")["c_index"])
    assert metric.p_permutation == pytest.approx(1 / 4)  # the best of three permutations and itself
    assert "C-index" in results.verdict


def test_outside_the_locked_models_score_each_patient(results, time_study, cohorts):
    predictions = results.tables["predictions"]
    far = predictions[predictions["cohort"] == "far"]
    truth = cohorts[1].survival("OS")
    expected = concordance_metric(far, truth, split=FAR)
    own = row_of(results, FAR, "Joined")
    assert own["c_index"] == pytest.approx(expected.value, abs=1e-12)
    assert own["c_index"] > 0.55 and 0 < results.findings.metric("c_index", split=FAR).p_permutation
    compared = results.tables["comparisons"].set_index(["split", "second"])
    afp = far.assign(score=far["patient_id"].map(cohorts[1].patients["afp"]))
    pair = concordance_comparison_table({"a": far, "b": afp}, truth, reference="a", split=FAR).iloc[
        0
    ]
    assert compared.loc[(FAR, "AFP"), "difference"] == pytest.approx(pair["difference"])
    assert compared.loc[(FAR, "AFP"), "p"] == pytest.approx(pair["p"])


def test_each_concordance_is_told_once(results, time_study):
    names = [(m.name, m.split) for m in results.metrics]
    assert len(names) == len(set(names))
    obtained = obtained_table(results.findings, time_study())
    c_index = obtained[obtained["metric"] == "c_index"]
    assert sorted(c_index["model"]) == sorted(2 * ["Joined", "Images", "Forest", "AFP"])
    assert {"td_auc@6:OS", "hazard_ratio"} <= set(obtained["metric"])


def test_untested_concordances_are_told_too(time_study, cohorts, provenance):
    study = time_study({"rivals": [], "readouts": {}})
    found = run_cohorts(
        study, cohorts[:1], provenance=provenance, seed=0, jobs=1, options=Options(permutations=0)
    )
    obtained = obtained_table(found.findings, study)
    assert sorted(obtained["model"]) == ["Forest", "Images", "Joined"]
    assert obtained["p"].isna().all()


def test_groups_and_subgroups_are_of_the_locked_median(results, cohorts):
    inside = results.tables["predictions"].query("cohort == 'near'")
    assert any(f"{inside['score'].median():.4g} (median)" in t for _, t in results.findings.notes)
    high = results.tables["survival_curves"].query("split == @CV").groupby("group")["at_risk"].max()
    assert sorted(high) == [60, 60]
    subgroups = results.tables["subgroups"]
    assert set(subgroups["subgroup"]) == {"all patients", "stage", "site"}
    assert "subgroup_auc" not in results.tables
    design = results.tables["study_design"].set_index("cohort")
    assert design.loc["far", "positives"] == cohorts[1].survival("OS").n_events


def test_a_cohort_without_the_endpoint_is_scored_and_not_judged(time_study, cohorts, provenance):
    near, far = cohorts
    blind = replace(far, outcomes={"response": far.outcomes["response"]})
    found = run_cohorts(
        time_study({"models": MODELS[:1], "readouts": {}}),
        (near, blind),
        provenance=provenance,
        seed=0,
        jobs=1,
        options=Options(permutations=0),
    )
    assert set(found.tables["concordances"]["split"]) == {CV}
    assert (found.tables["predictions"]["cohort"] == "far").sum() == 80
    assert any("OS" in text for level, text in found.findings.notes if level == "warning")


def test_risks_of_strangers_are_chance(time_study, cohort_of, provenance):
    """Concordance of outcomes dealt to other patients, over cohorts: one half on average."""
    found = []
    for seed in range(12):
        cohort = cohort_of(90, seed=seed + 50, signal=0.0)
        run = run_cohorts(
            time_study({"models": MODELS[:1], "rivals": [], "readouts": {}}),
            [cohort],
            provenance=provenance,
            seed=seed,
            jobs=1,
            options=Options(permutations=0),
        )
        found.append(run.findings.metric("c_index", split=CV).value)
    mean, error = np.mean(found), np.std(found, ddof=1) / np.sqrt(len(found))
    assert abs(mean - 0.5) < 3 * error


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"blocks.pre.steps": [{"step": "lasso"}]}, StudyError, "needs two classes"),
        ({"models.0.learner": "svm"}, UnknownNameError, "survival learner 'svm'"),
        ({"evaluation.threshold": "youden"}, StudyError, "evaluation.threshold"),
        ({"blocks.post.time_point": "follow-up"}, StudyError, "blocks of later scans"),
        ({"legacy": ["pooled_selection"]}, StudyError, "legacy"),
        (
            {"readouts": {"explained_patients": {"value": 2, "source": "paper"}}},
            StudyError,
            "explained_patients",
        ),
    ],
)
def test_what_needs_classes_is_refused(changes, error, message, time_study):
    with pytest.raises(error, match=message):
        time_study(changes)


def test_steps_that_select_by_time_may_stand_there(time_study, cohorts, provenance):
    steps = [*STEPS, {"step": "univariate_cox"}]
    study = time_study(
        {"blocks.pre.steps": steps, "models": MODELS[1:2], "rivals": [], "readouts": {}}
    )
    found = run_cohorts(study, cohorts[:1], provenance=provenance, seed=0, jobs=1)
    assert "pre|texture_0" in set(found.tables["selection"]["feature"])


def test_too_few_events_are_refused(time_study, cohorts, provenance):
    near = cohorts[0]
    outcome = near.survival("OS")
    event = pd.Series(np.arange(len(outcome.event)) < 5, outcome.event.index)
    few = replace(near, outcomes={"OS": replace(outcome, event=event)})
    with pytest.raises(OutcomeError, match="10 "):
        run_cohorts(time_study({"rivals": []}), [few], provenance=provenance, seed=0, jobs=1)
