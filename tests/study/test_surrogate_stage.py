"""The imaging surrogate: cross-validated evidence, its rivals, a null of the whole procedure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.utils import concordance_index
from sklearn.metrics import roc_auc_score

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, StudyError
from radiogenomics.evaluation import auc_metric, concordance_metric, prognosis
from radiogenomics.study.findings import Findings
from radiogenomics.study.inputs import Inputs
from radiogenomics.study.prognosis import Statistics, imaged_outcome
from radiogenomics.study.surrogate import aligned, evaluate_surrogate

SPLIT = "cross-validation"
NAMES = ("auc", "c_index", "hr_per_sd", "hr_high_vs_low")


def test_statistics_are_those_of_evaluation(recipe, inputs, alter):
    plan = alter(recipe, repeats=2, permutations=1, comparators=())
    found = evaluate_surrogate(plan, inputs, seed=1, jobs=1)
    outcome, predictions = inputs.outcome, found.evidence.predictions
    statistics = Statistics(outcome, cutoff=0.5)
    assert statistics.names == NAMES
    auc, c_index, per_sd, groups = statistics(predictions)
    assert auc == auc_metric(predictions, split=SPLIT).value
    assert c_index == pytest.approx(concordance_metric(predictions, outcome, split=SPLIT).value)
    risk = found.evidence.mean_predictions()["score"].loc[outcome.patient_ids]
    expected, _ = prognosis(
        risk,
        outcome,
        split=SPLIT,
        cutoff=0.5,
        permutations=0,
        rng=np.random.default_rng(0),
    )
    ratios = {metric.name: np.log(metric.value) for metric in expected}
    assert per_sd == pytest.approx(ratios["hr_per_sd"], abs=1e-9)
    assert groups == pytest.approx(ratios["hr_high_vs_low"], abs=1e-9)
    assert {m.name: m.value for m in found.metrics if m.name in ratios}.keys() == ratios.keys()


def test_headline_numbers_agree_with_other_libraries(inputs, surrogate):
    predictions = surrogate.evidence.predictions.set_index("patient_id")
    auc = surrogate.metric("auc", split=SPLIT)
    assert auc.value == pytest.approx(roc_auc_score(predictions["label"], predictions["score"]))
    outcome = inputs.outcome.for_patients(predictions.index)
    c = concordance_index(outcome.time, -predictions["score"], outcome.event)
    assert surrogate.metric("c_index", split=SPLIT).value == pytest.approx(c)
    score = predictions["score"]
    for name, risk in (
        ("hr_per_sd", (score - score.mean()) / score.std()),
        ("hr_high_vs_low", (score > score.median()).astype(float)),
    ):
        frame = pd.DataFrame({"x": risk, "time": outcome.time, "event": outcome.event.astype(int)})
        expected = CoxPHFitter().fit(frame, "time", "event").params_["x"]
        found = surrogate.metric(name, split=SPLIT)
        assert np.log(found.value) == pytest.approx(expected, abs=1e-4)


def test_a_planted_link_is_seen_and_its_feature_chosen(surrogate):
    auc = surrogate.metric("auc", split=SPLIT)
    assert auc.low > 0.5 and auc.p_permutation == pytest.approx(1 / 10)
    chosen = surrogate.tables["selection"]
    assert chosen.iloc[0].tolist() == ["texture_0", 1.0]


def test_null_is_the_whole_procedure_repeated(recipe, surrogate):
    null = surrogate.tables["null"]
    assert null.columns.tolist() == ["split", "metric", "value"]
    count = recipe.evaluation.permutations.value
    assert null.groupby("metric").size().to_dict() == dict.fromkeys(NAMES, count)
    for name, values in null.groupby("metric")["value"]:
        metric = surrogate.metric(name, split=SPLIT)
        observed = np.log(metric.value) if name.startswith("hr") else metric.value
        assert metric.p_permutation == pytest.approx((1 + (values >= observed).sum()) / (1 + count))


def test_every_patient_is_predicted_once_by_each_repeat(inputs, surrogate):
    predictions = surrogate.tables["predictions"]
    assert sorted(predictions["patient_id"]) == sorted(inputs.images.index)
    assert predictions["cohort"].unique().tolist() == ["near"]
    assert predictions.groupby("fold").size().tolist() == [10] * 5


def test_learners_stand_side_by_side_and_one_is_the_headline(recipe, surrogate):
    table = surrogate.tables["learners"].set_index("learner")
    assert table["headline"].to_dict() == {"svm": True, "lr": False}
    auc = surrogate.metric("auc", split=SPLIT)
    assert table.loc["svm", ["auc", "low", "high"]].tolist() == [auc.value, auc.low, auc.high]
    assert set(surrogate.tables["roc"]["learner"]) == {"svm", "lr"}
    assert surrogate.evidence.name == "svm"


def test_without_an_outcome_the_label_still_stands(recipe, inputs, alter):
    plan = alter(recipe, weights=(1.0, 1.0), comparators=(), permutations=2)
    found = evaluate_surrogate(plan, replace(inputs, outcome=None), seed=0, jobs=1)
    assert [m.name for m in found.metrics if m.p_permutation is not None] == ["auc"]
    assert set(found.tables["null"]["metric"]) == {"auc"}
    assert "survival_curves" not in found.tables


def test_too_few_events_among_the_imaged_are_not_held_against_survival(recipe, inputs, alter):
    ids = inputs.images.index
    assert imaged_outcome(recipe, inputs, ids).n_events == inputs.outcome.n_events
    assert imaged_outcome(alter(recipe, minimum_events=40), inputs, ids) is None
    assert imaged_outcome(recipe, inputs, ids[:8]) is None


def test_patients_of_one_table_only_take_no_part(recipe, inputs):
    part = replace(
        inputs,
        images=inputs.images.iloc[::-1].iloc[:30],
        expression=inputs.expression.iloc[5:],
    )
    images, target = aligned(recipe, part)
    assert images.index.equals(target.index)
    assert set(images.index) == set(part.images.index) & set(part.expression.index)


def test_fewer_than_twenty_shared_patients_are_refused(recipe, inputs):
    renamed = inputs.images.set_axis([f"X{i}" for i in range(50)])
    with pytest.raises(StudyError, match="found 0 .50 with images, 50 with RNA"):
        aligned(recipe, replace(inputs, images=renamed))


def test_constant_features_alone_are_an_error(recipe, inputs):
    flat = replace(inputs, images=inputs.images * 0 + 3.0)
    with pytest.raises(DataError, match="8 constant"):
        evaluate_surrogate(recipe, flat, seed=0, jobs=1)


def test_a_constant_feature_among_others_changes_nothing(recipe, inputs, surrogate, alter):
    wider = inputs.images.assign(flat=1.0)
    plan = alter(recipe, comparators=(), permutations=1)
    found = evaluate_surrogate(plan, replace(inputs, images=wider), seed=0, jobs=1)
    pd.testing.assert_frame_equal(
        found.evidence.predictions, surrogate.evidence.predictions, check_exact=False, atol=1e-9
    )


def confounded(inputs: Inputs) -> Inputs:
    """Images and molecules both tell the site, and nothing else of one another."""
    rng = np.random.default_rng(8)
    north = (inputs.cohort.patients["site"] == "north").loc[inputs.images.index]
    noise = rng.normal(size=inputs.images.shape)
    images = pd.DataFrame(
        noise + 3.0 * north.to_numpy()[:, None],
        index=inputs.images.index,
        columns=inputs.images.columns,
    )
    genes = inputs.expression.copy()
    genes["KPNA2"] = rng.normal(size=len(genes)) + 3.0 * north.loc[genes.index]
    return replace(inputs, images=images, expression=genes)


def test_a_difference_between_sites_is_not_taken_for_a_link(recipe, inputs, alter):
    plan = alter(recipe, weights=(1.0, 0.0), learner="nb", comparators=(), folds=3, permutations=19)
    tied = confounded(inputs)
    auc = evaluate_surrogate(plan, tied, seed=0, jobs=1).metric("auc", split=SPLIT)
    assert auc.value > 0.75
    assert auc.p_permutation > 0.1
    nowhere = replace(tied.cohort, patients=tied.cohort.patients.drop(columns="site"))
    naive = evaluate_surrogate(plan, replace(tied, cohort=nowhere), seed=0, jobs=1)
    assert naive.metric("auc", split=SPLIT).p_permutation == pytest.approx(1 / 20)


def same_for_everybody(inputs: Inputs, recipe) -> tuple[Inputs, Findings]:
    """Noise images on which the model finds nothing in any fold and says the prevalence."""
    for seed in range(60):
        noise = np.random.default_rng([77, seed]).normal(size=inputs.images.shape)
        blank = replace(inputs, images=inputs.images * 0 + noise)
        found = evaluate_surrogate(recipe, blank, seed=0, jobs=1)
        if found.evidence.predictions["score"].nunique() == 1:
            return blank, found
    pytest.fail("no noise without any prediction")


@pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")
def test_a_prediction_that_is_the_same_for_all_is_told_and_not_judged(
    recipe, inputs, alter, monkeypatch
):
    # As a learner gives that has found nothing; calibration alone would keep its order.
    monkeypatch.setattr("radiogenomics.models.platt.LEAST", 0.0)
    plan = alter(recipe, comparators=(), permutations=1, folds=2)
    blank, found = same_for_everybody(inputs, plan)
    assert found.metric("auc", split=SPLIT).value == 0.5
    assert found.metric("hr_per_sd", split=SPLIT) is None
    with pytest.warns(RadiogenomicsWarning, match="the same for all patients"):
        evaluate_surrogate(plan, blank, seed=0, jobs=1)


def test_a_permutation_without_any_prediction_counts_as_no_effect(inputs, surrogate):
    constant = surrogate.evidence.predictions.assign(score=0.5)
    assert Statistics(inputs.outcome, cutoff=0.5)(constant) == (0.5, 0.5, 0.0, 0.0)
