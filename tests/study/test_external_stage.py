"""The locked surrogate in another cohort: predicted patient by patient, nothing learnt there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines.utils import concordance_index
from sklearn.metrics import roc_auc_score

from radiogenomics.core.errors import AlignmentError
from radiogenomics.core.evidence import Evidence
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.study.external import validate_externally
from radiogenomics.study.findings import Findings
from radiogenomics.study.inputs import Inputs, response_of
from radiogenomics.study.signature import evaluate_signature

SPLIT = "external:far"


@pytest.fixture(scope="module")
def evidence(surrogate: Findings) -> Evidence:
    assert surrogate.evidence is not None
    return surrogate.evidence


@pytest.fixture(scope="module")
def found(recipe, evidence, far_inputs) -> Findings:
    return validate_externally(recipe, far_inputs, signature=None, evidence=evidence, seed=0)


def scores(found: Findings) -> pd.Series:
    return found.tables["predictions"].set_index("patient_id")["score"]


def names(found: Findings) -> set[str]:
    return {metric.name for metric in found.metrics}


def with_outcomes(inputs: Inputs, **changed) -> Inputs:
    """The inputs with outcomes replaced or, where None is given, removed."""
    outcomes = {**inputs.cohort.outcomes, **changed}
    kept = {name: outcome for name, outcome in outcomes.items() if outcome is not None}
    return replace(inputs, cohort=replace(inputs.cohort, outcomes=kept))


def permuted(inputs: Inputs) -> Inputs:
    """The same images with molecules, survival and response of other patients."""
    rng = np.random.default_rng(4)
    order = rng.permutation(len(inputs.expression))
    os, response = inputs.cohort.survival("OS"), inputs.cohort.response("response")
    ids = os.patient_ids
    mixed = with_outcomes(
        inputs,
        OS=SurvivalOutcome(
            "OS", os.time.iloc[order].set_axis(ids), os.event.iloc[order].set_axis(ids)
        ),
        response=replace(response, category=response.category.iloc[order].set_axis(ids)),
    )
    genes = inputs.expression.iloc[order].set_axis(inputs.expression.index)
    return replace(mixed, expression=genes, outcome=mixed.cohort.survival("OS"))


def test_nothing_of_the_external_truth_reaches_the_predictions(recipe, evidence, far_inputs, found):
    other = validate_externally(
        recipe, permuted(far_inputs), signature=None, evidence=evidence, seed=5
    )
    pd.testing.assert_series_equal(scores(other), scores(found))
    assert other.metric("auc", split=SPLIT) != found.metric("auc", split=SPLIT)
    assert other.metric("c_index", split=SPLIT) != found.metric("c_index", split=SPLIT)


def test_each_patient_is_predicted_alone(recipe, evidence, far_inputs, found):
    few = replace(far_inputs, images=far_inputs.images.iloc[7:10])
    alone = scores(validate_externally(recipe, few, signature=None, evidence=evidence, seed=0))
    np.testing.assert_allclose(alone, scores(found).iloc[7:10], rtol=1e-12)
    np.testing.assert_allclose(scores(found), evidence.model.predict(far_inputs.images))


def test_the_evidence_is_left_as_it_was(recipe, evidence, far_inputs):
    before = evidence.predictions.copy()
    validate_externally(recipe, far_inputs, signature=None, evidence=evidence, seed=0)
    pd.testing.assert_frame_equal(evidence.predictions, before)


def test_label_is_that_of_the_discovery_constants(evidence, far_inputs, found, inputs):
    genes = inputs.expression[["KPNA2", "SMG5"]]
    locked = evidence.model.rule.signature_.signature_
    np.testing.assert_allclose(locked.centre, genes.mean())
    z = (far_inputs.expression[["KPNA2", "SMG5"]] - genes.mean()) / genes.std()
    high = z.to_numpy() @ np.array(locked.weights) > locked.cutoff
    auc = found.metric("auc", split=SPLIT)
    assert (auc.n, auc.events) == (40, high.sum())
    truth = pd.Series(high, index=z.index).loc[scores(found).index]
    assert auc.value == pytest.approx(roc_auc_score(truth, scores(found)))


def test_survival_agrees_with_lifelines_and_the_cutoff_is_locked(evidence, far_inputs, found):
    os = far_inputs.cohort.survival("OS").for_patients(scores(found).index)
    c = concordance_index(os.time, -scores(found), os.event)
    assert found.metric("c_index", split=SPLIT).value == pytest.approx(c)
    above = scores(found) > 0.5
    assert 0 < above.sum() < len(above)
    curves = found.tables["survival_curves"]
    start = curves[curves["time"] == 0].set_index("group")["at_risk"]
    assert start["predicted high"] == above.sum()
    assert set(curves["split"]) == {SPLIT}


def test_responders_score_low_or_high(recipe, evidence, far_inputs, found, alter):
    """A risk is expected to be low in responders: the AUC counts them above when scores are low."""
    responders = response_of(far_inputs.cohort, recipe).loc[scores(found).index]
    low = found.metric("auc_response", split=SPLIT)
    assert low.value == pytest.approx(roc_auc_score(responders, -scores(found)))
    turned = alter(recipe, responders_score="high")
    high = validate_externally(
        turned, far_inputs, signature=None, evidence=evidence, seed=0
    ).metric("auc_response", split=SPLIT)
    assert high.value == pytest.approx(1 - low.value)
    assert low.events == high.events == responders.sum()


def test_nulls_permute_the_truth_and_give_the_p_values(recipe, found):
    count = recipe.evaluation.outcome_permutations.value
    null = found.tables["null"]
    assert set(null["split"]) == {SPLIT}
    for name in ("auc", "auc_response"):
        values = null.loc[null["metric"] == name, "value"]
        assert len(values) == count and values.between(0.1, 0.9).all()
        metric = found.metric(name, split=SPLIT)
        expected = (1 + (values >= metric.value).sum()) / (1 + count)
        assert metric.p_permutation == pytest.approx(expected)
    assert all(metric.p_permutation is not None for metric in found.metrics)


def test_the_planted_link_holds_elsewhere(found):
    assert found.metric("auc", split=SPLIT).low > 0.5
    assert set(found.tables["roc"]["learner"]) == {"label", "response"}


@pytest.mark.parametrize("drop", [1, 3])
def test_features_that_are_missing_are_an_error(recipe, evidence, far_inputs, drop):
    less = replace(far_inputs, images=far_inputs.images.iloc[:, drop:])
    with pytest.raises(
        AlignmentError, match=f"8 features the model.*found {drop} missing .texture_0"
    ):
        validate_externally(recipe, less, signature=None, evidence=evidence, seed=0)


def test_features_in_another_order_and_further_ones_do_no_harm(recipe, evidence, far_inputs, found):
    turned = far_inputs.images.iloc[:, ::-1].assign(more=1.0)
    other = validate_externally(
        recipe, replace(far_inputs, images=turned), signature=None, evidence=evidence, seed=0
    )
    pd.testing.assert_series_equal(scores(other), scores(found))


def test_without_rna_outcome_or_response_the_rest_is_done(recipe, evidence, far_inputs):
    everything = {"auc", "auc_response", "c_index", "hr_per_sd", "hr_high_vs_low"}
    survival = {"c_index", "hr_per_sd", "hr_high_vs_low"}

    def done(inputs: Inputs) -> set[str]:
        found = validate_externally(recipe, inputs, signature=None, evidence=evidence, seed=0)
        assert found.notes == () and len(found.tables["predictions"]) == 40
        return names(found)

    assert done(far_inputs) == everything
    assert done(replace(far_inputs, expression=None)) == everything - {"auc"}
    assert done(with_outcomes(far_inputs, response=None)) == everything - {"auc_response"}
    assert done(with_outcomes(far_inputs, OS=None)) == everything - survival
    nothing = replace(with_outcomes(far_inputs, OS=None, response=None), expression=None)
    assert done(nothing) == set()


def test_without_images_there_is_a_note(recipe, evidence, far_inputs):
    found = validate_externally(
        recipe, replace(far_inputs, images=None), signature=None, evidence=evidence, seed=0
    )
    assert found.notes == (
        ("warning", f"{SPLIT}: no images or image features; the surrogate was not validated."),
    )
    assert not found.metrics and not found.tables


def test_one_class_only_is_noted(recipe, evidence, far_inputs):
    response = far_inputs.cohort.response("response")
    same = replace(response, category=response.category.map(lambda _: "PD"))
    found = validate_externally(
        recipe, with_outcomes(far_inputs, response=same), signature=None, evidence=evidence, seed=0
    )
    assert ("warning", f"{SPLIT}: auc_response needs both classes; found one.") in found.notes
    assert "auc_response" not in names(found) and "auc" in names(found)


def test_too_few_events_are_noted(recipe, evidence, far_inputs):
    os = far_inputs.cohort.survival("OS")
    nine = replace(os, event=os.event & (os.event.cumsum() <= 9))
    found = validate_externally(
        recipe, with_outcomes(far_inputs, OS=nine), signature=None, evidence=evidence, seed=0
    )
    assert [text for _, text in found.notes if "OS" in text and "9 events" in text]
    assert "c_index" not in names(found) and "auc" in names(found)


def test_the_recipes_fewest_events_hold_here_too(recipe, evidence, far_inputs, alter):
    os = far_inputs.cohort.survival("OS")
    nine = with_outcomes(far_inputs, OS=replace(os, event=os.event & (os.event.cumsum() <= 9)))
    found = validate_externally(
        alter(recipe, minimum_events=5), nine, signature=None, evidence=evidence, seed=0
    )
    assert found.metric("c_index", split=SPLIT).events == 9


def test_every_endpoint_of_the_recipe_is_held_against(recipe, evidence, far_inputs, alter):
    plan = alter(recipe, endpoints=("OS", "PFS"))
    found = validate_externally(plan, far_inputs, signature=None, evidence=evidence, seed=0)
    assert set(found.tables["hazard_ratios"]["endpoint"]) == {"OS", "PFS"}


def test_rna_of_another_unit_is_not_labelled_by_constants_that_do_not_fit(
    recipe, evidence, far_inputs
):
    rna = far_inputs.cohort.assay("rna")
    other = replace(rna, adata=rna.adata.copy())
    other.adata.var["unit"] = "z-score"
    cohort = replace(far_inputs.cohort, assays={**far_inputs.cohort.assays, "rna": other})
    found = validate_externally(
        recipe, replace(far_inputs, cohort=cohort), signature=None, evidence=evidence, seed=0
    )
    assert "auc" not in names(found) and "c_index" in names(found)
    assert [text for _, text in found.notes if "log2(x+1)" in text and "z-score" in text]


def test_a_model_that_found_nothing_is_told_and_not_judged(recipe, evidence, far_inputs):
    class Blank:
        """Says the prevalence of everybody."""

        def predict_proba(self, X):
            return np.full((len(X), 2), 0.5)

    model = replace(evidence.model, estimator=Blank())
    found = validate_externally(
        recipe, far_inputs, signature=None, evidence=replace(evidence, model=model), seed=0
    )
    assert names(found) == {"auc", "auc_response"}
    assert found.metric("auc", split=SPLIT).value == 0.5
    assert found.metric("auc", split=SPLIT).p_permutation == 1
    assert [text for _, text in found.notes if "the same for all patients" in text]


def test_patients_without_an_outcome_are_predicted_all_the_same(recipe, evidence, far_inputs):
    os = far_inputs.cohort.survival("OS")
    some = with_outcomes(far_inputs, OS=os.for_patients(os.patient_ids[5:]))
    found = validate_externally(recipe, some, signature=None, evidence=evidence, seed=0)
    assert found.metric("c_index", split=SPLIT).n == 35
    assert len(found.tables["predictions"]) == 40


def test_the_locked_signature_is_held_against_survival(recipe, inputs, far_inputs):
    signature = evaluate_signature(recipe, inputs, seed=0).signature
    found = validate_externally(recipe, far_inputs, signature=signature, evidence=None, seed=0)
    genes = far_inputs.target(signature.genes)
    os = far_inputs.cohort.survival("OS").for_patients(genes.index)
    expected = concordance_index(os.time, -signature.score(genes), os.event)
    assert found.metric("signature_c_index", split=SPLIT).value == pytest.approx(expected)
    assert set(found.tables["survival_curves"]["split"]) == {f"signature, {SPLIT}"}
    assert "predictions" not in found.tables


def test_a_second_endpoint_carries_its_name(recipe, evidence, far_inputs, alter):
    plan = alter(recipe, endpoints=("OS", "PFS"))
    found = validate_externally(plan, far_inputs, signature=None, evidence=evidence, seed=0)
    named = [(metric.name, metric.split) for metric in found.metrics]
    assert len(set(named)) == len(named) and ("c_index:PFS", SPLIT) in named
