"""The signature's own prognosis: out of fold, against lifelines and against its nulls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.evaluation import PatientKFold
from radiogenomics.omics import out_of_fold_concordance, out_of_fold_scores
from radiogenomics.stats import concordance
from radiogenomics.study.findings import Findings
from radiogenomics.study.inputs import Inputs
from radiogenomics.study.signature import evaluate_signature

GENES = ["KPNA2", "SMG5"]
SPLIT = "cross-validation"


@pytest.fixture(scope="module")
def found(recipe, inputs) -> Findings:
    return evaluate_signature(recipe, inputs, seed=0)


def folds(recipe, inputs: Inputs, *, seed: int = 0):
    """Folds by the recipe, dealt here once more."""
    plan = recipe.evaluation
    splitter = PatientKFold(
        plan.folds.value, n_repeats=plan.signature_repeats.value, random_state=seed
    )
    outcome = inputs.outcome.for_patients(inputs.expression.index)
    splits = list(splitter.split(outcome.patient_ids, outcome.event.astype(int)))
    repeats = sorted({split.repeat for split in splits})
    return outcome, [[s for s in splits if s.repeat == r] for r in repeats]


def scores(recipe, inputs: Inputs, *, seed: int = 0) -> np.ndarray:
    """Mean out-of-fold margin by the batched code of omics, patients in their own order."""
    outcome, by_repeat = folds(recipe, inputs, seed=seed)
    design = inputs.expression[GENES].to_numpy()[None]
    parts = [
        out_of_fold_scores(design, outcome.time, outcome.event, splits=splits)[0]
        for splits in by_repeat
    ]
    return np.mean(parts, axis=0)


def lifelines_log_hazard(covariates: pd.DataFrame, inputs: Inputs) -> pd.Series:
    outcome = inputs.outcome.for_patients(covariates.index)
    frame = covariates.assign(time=outcome.time, event=outcome.event.astype(int))
    return CoxPHFitter().fit(frame, "time", "event").params_


def value(found: Findings, name: str, split: str = SPLIT) -> float:
    metric = found.metric(name, split=split)
    assert metric is not None
    return metric.value


@pytest.mark.parametrize("repeats", [1, 2])
def test_out_of_fold_c_is_that_of_the_batched_code_in_the_identity_order(
    recipe, inputs, alter, repeats
):
    plan = alter(recipe, signature_repeats=repeats, random_signatures=0)
    outcome, by_repeat = folds(plan, inputs)
    expected = out_of_fold_concordance(
        inputs.expression[GENES].to_numpy()[None],
        outcome.time,
        outcome.event,
        splits_by_repeat=by_repeat,
    )
    found = evaluate_signature(plan, inputs, seed=0)
    assert value(found, "signature_c_index") == pytest.approx(expected[0], abs=1e-12)


def test_hazard_ratios_agree_with_lifelines(recipe, inputs, found):
    margin = pd.Series(scores(recipe, inputs), index=inputs.expression.index)
    for name, covariate in (
        ("signature_hr_per_sd", (margin - margin.mean()) / margin.std()),
        ("signature_hr_high_vs_low", (margin > 0).astype(float)),
    ):
        expected = lifelines_log_hazard(covariate.to_frame("x"), inputs)["x"]
        assert np.log(value(found, name)) == pytest.approx(expected, abs=1e-4)


def test_single_genes_agree_with_lifelines(inputs, found):
    for gene in GENES:
        column = inputs.expression[gene]
        expected = lifelines_log_hazard(
            ((column - column.mean()) / column.std()).to_frame(), inputs
        )
        ratio = value(found, f"gene_hr_per_sd:{gene}", "apparent")
        assert np.log(ratio) == pytest.approx(expected[gene], abs=1e-4)
        row = found.tables["genes"].set_index("gene").loc[gene]
        assert (row["hazard_ratio"], row["n"], row["events"]) == (
            ratio,
            len(column),
            inputs.outcome.n_events,
        )


def test_the_locked_signature_is_the_cox_model_of_all_patients(inputs, found):
    locked = found.signature
    assert locked.locked and locked.direction == "risk" and locked.unit == "log2(x+1)"
    genes = inputs.expression[GENES]
    np.testing.assert_allclose(locked.centre, genes.mean())
    np.testing.assert_allclose(locked.scale, genes.std())
    expected = lifelines_log_hazard((genes - genes.mean()) / genes.std(), inputs)
    np.testing.assert_allclose(locked.weights, expected[GENES], atol=1e-4)
    table = found.tables["label_scores"].set_index("patient_id")
    assert table["label"].value_counts().to_dict() == {"high": 25, "low": 25}
    np.testing.assert_allclose(table["score"], locked.score(genes).loc[table.index])


def test_nulls_have_one_row_a_permutation_and_give_the_p_values(recipe, found):
    null = found.tables["null"]
    count = recipe.evaluation.outcome_permutations.value
    assert null.groupby("metric").size().to_dict() == {
        "signature_c_index": count,
        "signature_hr_per_sd": count,
        "signature_hr_high_vs_low": count,
    }
    for name, values in null.groupby("metric")["value"]:
        observed = value(found, name)
        reference = observed if name == "signature_c_index" else np.log(observed)
        p = (1 + (values >= reference).sum()) / (1 + count)
        assert found.metric(name, split=SPLIT).p_permutation == pytest.approx(p)


def test_random_signatures_go_through_the_same_folds(recipe, inputs, alter):
    """Genes that are rising copies of one gene all give its own C, if the folds are its own."""
    gene = inputs.expression["KPNA2"]
    copies = pd.DataFrame({f"g{i}": (1 + i) * gene + i for i in range(60)})
    copied = replace(inputs, expression=copies.assign(KPNA2=gene), normal=None)
    plan = alter(recipe, genes=("KPNA2",), signature_repeats=2, random_signatures=7)
    found = evaluate_signature(plan, copied, seed=3)
    drawn = found.tables["random_signatures"]["value"]
    assert len(drawn) == 7
    np.testing.assert_allclose(drawn, value(found, "signature_c_index"), atol=1e-12)


def test_share_of_random_signatures_counts_those_that_reach_it(found):
    drawn = found.tables["random_signatures"]["value"]
    reached = (drawn >= value(found, "signature_c_index")).mean()
    metric = found.metric("signature_random_share", split=SPLIT)
    assert metric.value == reached and metric.low <= reached <= metric.high


def test_too_few_genes_to_draw_from_are_noted(recipe, inputs):
    few = replace(inputs, expression=inputs.expression.iloc[:, :49], normal=None)
    found = evaluate_signature(recipe, few, seed=0)
    assert "random_signatures" not in found.tables
    assert [note for note in found.notes if "at least 50 measured genes" in note[1]]


def test_adjusted_ratio_agrees_with_lifelines(recipe, inputs, found):
    margin = pd.Series(scores(recipe, inputs), index=inputs.expression.index)
    facts = inputs.cohort.patients.loc[margin.index]
    assert not facts[["stage", "age", "sex"]].isna().any(axis=None)
    design = facts[["stage", "age"]].assign(
        male=(facts["sex"] == "male").astype(float), risk=(margin - margin.mean()) / margin.std()
    )
    expected = lifelines_log_hazard(design, inputs)["risk"]
    ratio = value(found, "signature_hr_per_sd_adjusted")
    assert np.log(ratio) == pytest.approx(expected, abs=1e-4)
    assert found.metric("signature_hr_per_sd_adjusted", split=SPLIT).p_permutation is None


def test_supplied_weights_are_taken_as_they_are(recipe, inputs, alter):
    plan = alter(recipe, weights=(0.5, 2.0), random_signatures=0)
    found = evaluate_signature(plan, inputs, seed=0)
    assert found.signature.weights == (0.5, 2.0)
    assert found.signature.source.startswith("supplied weights")
    outcome, (splits,) = folds(plan, inputs)
    genes, margin = inputs.expression[GENES].to_numpy(), np.empty(len(inputs.expression))
    for split in splits:
        train = genes[split.train]
        risk = (genes - train.mean(axis=0)) / train.std(axis=0, ddof=1) @ [0.5, 2.0]
        margin[split.test] = (risk - np.median(risk[split.train]))[split.test]
    expected = concordance(margin, outcome.time, outcome.event).value
    assert value(found, "signature_c_index") == pytest.approx(expected, abs=1e-12)
    turned = evaluate_signature(alter(plan, weights=(-0.5, -2.0)), inputs, seed=0)
    assert value(turned, "signature_c_index") == pytest.approx(1 - expected, abs=1e-12)


def test_supplied_weights_have_the_null_of_permuted_patients_within_sites(recipe, inputs, alter):
    """With one site a patient nothing can change places: each permutation is the observed order."""
    alone = inputs.cohort.patients.assign(
        site=[f"s{i}" for i in range(len(inputs.cohort.patients))]
    )
    apart = replace(inputs, cohort=replace(inputs.cohort, patients=alone))
    plan = alter(recipe, weights=(1.0, 1.0), random_signatures=0, signature_repeats=2)
    found = evaluate_signature(plan, apart, seed=0)
    null = found.tables["null"].groupby("metric")["value"]
    for name in ("signature_c_index", "signature_hr_per_sd", "signature_hr_high_vs_low"):
        observed = value(found, name)
        np.testing.assert_allclose(
            null.get_group(name), observed if name.endswith("c_index") else np.log(observed)
        )
        assert found.metric(name, split=SPLIT).p_permutation == 1


def test_fitted_weights_keep_permutations_within_sites_too(recipe, inputs):
    alone = inputs.cohort.patients.assign(
        site=[f"s{i}" for i in range(len(inputs.cohort.patients))]
    )
    apart = replace(inputs, cohort=replace(inputs.cohort, patients=alone))
    found = evaluate_signature(recipe, apart, seed=0)
    null = found.tables["null"].groupby("metric")["value"].get_group("signature_c_index")
    np.testing.assert_allclose(null, value(found, "signature_c_index"))


def test_a_fixed_cutoff_is_used_in_every_fold(recipe, inputs, alter):
    plan = alter(recipe, weights=(1.0, 1.0), cutoff=0.75, random_signatures=0)
    found = evaluate_signature(plan, inputs, seed=0)
    assert found.signature.cutoff == 0.75
    _, (splits,) = folds(plan, inputs)
    genes, high = inputs.expression[GENES].to_numpy(), np.zeros(len(inputs.expression), dtype=bool)
    for split in splits:
        train = genes[split.train]
        risk = ((genes - train.mean(axis=0)) / train.std(axis=0, ddof=1)).sum(axis=1)
        high[split.test] = risk[split.test] > 0.75
    curves = found.tables["survival_curves"]
    at_start = curves[curves["time"] == 0].set_index("group")["at_risk"]
    assert at_start.to_dict() == {"predicted high": high.sum(), "predicted low": (~high).sum()}
    assert 0 < high.sum() < len(high) / 2


def test_tumour_against_normal_is_the_difference_of_means(inputs, found):
    for gene in GENES:
        expected = inputs.expression[gene].mean() - inputs.normal[gene].mean()
        metric = found.metric(f"tumour_normal_difference:{gene}", split="apparent")
        assert metric.value == pytest.approx(expected)
        assert (metric.n, metric.events) == (56, 50)
        assert metric.p_permutation <= 0.01 and metric.low > 0


def test_no_normal_tissue_is_no_comparison(recipe, inputs):
    found = evaluate_signature(recipe, replace(inputs, normal=inputs.normal.iloc[:2]), seed=0)
    assert "tumour_normal" not in found.tables


def test_too_few_events_and_a_constant_gene_stop_it(recipe, inputs, alter):
    with pytest.raises(OutcomeError, match="at least 40 events"):
        evaluate_signature(alter(recipe, minimum_events=40), inputs, seed=0)
    flat = replace(inputs, expression=inputs.expression.assign(SMG5=4.0))
    with pytest.raises(DataError, match="SMG5 constant"):
        evaluate_signature(recipe, flat, seed=0)


def test_the_recipes_fewest_events_hold_everywhere(recipe, inputs, alter):
    """Eight events do when the recipe asks for two."""
    outcome = inputs.outcome
    rare = outcome.event & (outcome.event.cumsum() <= 8)
    few = replace(inputs, outcome=replace(outcome, event=rare))
    plan = alter(
        recipe, minimum_events=2, random_signatures=0, genes=("KPNA2",), adjust_for=("age",)
    )
    with pytest.warns(RadiogenomicsWarning, match="8 events for 2 terms"):
        found = evaluate_signature(plan, few, seed=0)
    assert found.metric("signature_c_index", split=SPLIT).events == 8
