import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import spearmanr
from typer.testing import CliRunner

from radiogenomics.cli.main import app
from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    LeakageError,
    RadiogenomicsWarning,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.core.signature import Signature
from radiogenomics.omics import unit_of
from radiogenomics.study.derivation.candidates import candidate_table
from radiogenomics.study.derivation.cohorts import join, read_molecules, refuse_copies
from radiogenomics.study.derivation.plan import Candidates, DerivationPlan
from radiogenomics.study.derivation.signature import derive_signature
from radiogenomics.study.plan import plan_from
from radiogenomics.study.score import score

QUICK = {
    "keep": 30,
    "max_size": 2,
    "inner_folds": 3,
    "folds": 3,
    "repeats": 1,
    "permutations": 2,
    "random_signatures": 20,
    "bootstraps": 4,
    "minimum_events": 10,
    "candidates": {"expressed": None},
}
PROLIFERATION = {"prolif": GeneSet("prolif", ("TOP2A", "MKI67", "CDK1", "CCNB1"))}


@pytest.fixture(scope="module")
def plan() -> DerivationPlan:
    return DerivationPlan.model_validate(QUICK)


@pytest.fixture(scope="module")
def parts(near, far):
    """The two simulated cohorts as a derivation sees them."""
    return [read_molecules(w.cohort, assay="rna", endpoint="OS") for w in (near, far)]


@pytest.fixture(scope="module")
def both(parts, plan):
    """One run on both cohorts."""
    return derive_signature(parts, plan, name="both", seed=1, jobs=1)


def test_patients_of_cohorts_with_one_name_stay_apart(parts):
    discovery = join(parts)
    assert discovery.expression.index.is_unique
    assert set(discovery.cohorts) == {"near", "far"}
    assert len(discovery.outcome.time) == sum(len(part.tumour) for part in parts)


def test_the_run_says_what_it_chose_and_what_chance_gives(both):
    tables = both.tables
    assert both.findings.signature.locked
    assert set(both.findings.signature.genes) <= set(tables["candidates"]["gene"])
    c_index = both.findings.metric("signature_c_index", split="cross-validation")
    assert 0 < c_index.low < c_index.value < c_index.high < 1
    null = tables["null"]["value"]
    assert c_index.p_permutation == (1 + (null >= c_index.value).sum()) / (1 + len(null))
    for name in ("random_signatures", "random_signatures_matched"):
        assert len(tables[name]) == 20
    assert tables["selection"]["frequency"].between(0, 1).all()
    assert set(both.simulated) == {"near", "far"}
    assert "derivation of both" in both.verdict


def test_the_screen_is_a_cox_model_of_each_gene_in_each_cohort(both, parts):
    rows = both.tables["screen_by_cohort"]
    assert set(rows["cohort"]) == {"near", "far"}
    counted = rows.groupby("cohort")["n"].first()
    assert counted.to_dict() == {p.cohort.id: len(p.tumour) for p in parts}


def test_an_external_cohort_sees_the_locked_signature_only(parts, plan):
    alone = derive_signature(parts[:1], plan, seed=1, jobs=1)
    found = derive_signature(parts[:1], plan, external=parts[1:], seed=1, jobs=1)
    assert found.findings.signature.to_json() == alone.findings.signature.to_json()
    metric = found.findings.metric("signature_c_index", split="external:far")
    risk = alone.findings.signature.score(parts[1].tumour)
    y = parts[1].outcome
    later = [
        (risk.iloc[i] > risk.iloc[j]) + 0.5 * (risk.iloc[i] == risk.iloc[j])
        for i in range(len(risk))
        for j in range(len(risk))
        if y.event.iloc[i] and y.time.iloc[i] < y.time.iloc[j]
    ]
    assert metric.value == pytest.approx(np.mean(later))


def test_numbers_do_not_depend_on_the_processes(parts, plan):
    one, two = (derive_signature(parts[:1], plan, seed=3, jobs=jobs) for jobs in (1, 2))
    assert one.summary()["metrics"] == two.summary()["metrics"]


def test_planted_genes_are_found_and_hold_outside(parts):
    """Two genes of three cohorts carry the risk; the derived signature ranks a fourth like them."""
    rng = np.random.default_rng(8)
    made = [_planted(parts[0], name, rng) for name in ("one", "two", "three", "four")]
    plan = DerivationPlan.model_validate({**QUICK, "permutations": 1, "random_signatures": 40})
    found = derive_signature(made[:3], plan, external=made[3:], seed=0, jobs=1)
    assert set(found.findings.signature.genes) == {"G5", "G9"}
    outside = found.findings.metric("signature_c_index", split="external:four")
    truth = made[3].tumour["G5"] + made[3].tumour["G9"]
    risk = found.findings.signature.score(made[3].tumour)
    assert spearmanr(risk, truth).statistic > 0.95
    assert outside.low > 0.5
    share = found.findings.metric("signature_random_share", split="cross-validation")
    assert share.value == 0


def _planted(like, name, rng):
    n = 120
    names = [f"{name}{i}" for i in range(n)]
    genes = pd.DataFrame(
        rng.normal(6, 1, size=(n, 60)), index=names, columns=[f"G{i}" for i in range(60)]
    )
    death = rng.exponential(20 * np.exp(-0.7 * (genes["G5"] + genes["G9"] - 12)))
    end = rng.uniform(5, 60, n)
    outcome = SurvivalOutcome(
        "OS",
        pd.Series(np.minimum(death, end), index=names),
        pd.Series(death <= end, index=names),
    )
    cohort = Cohort(name, pd.DataFrame(index=names), simulated=True)
    return replace(like, cohort=cohort, tumour=genes, normal=None, outcome=outcome)


def test_candidates_by_tissue_protein_and_immunity(parts):
    discovery = join(parts[:1])
    rules = Candidates(
        expressed=1.0, tumour_normal=0.05, protein=0.2, immune_score="cyt", purity="prolif"
    )
    plan = DerivationPlan(candidates=rules.model_copy(update={"immune_fdr": 0.9}))
    supplied = {**PROLIFERATION, "cyt": GeneSet("cyt", ("GZMA", "PRF1"))}
    table = candidate_table(discovery, plan, gene_sets=supplied).set_index("gene")
    part = parts[0]
    both_tissues = part.tumour.mean() - part.normal[part.tumour.columns].mean()
    np.testing.assert_allclose(
        table["tumour_normal_change"], both_tissues[table.index], rtol=1e-8, atol=1e-10
    )
    protein = part.cohort.assay("protein").per_patient()
    shared = part.tumour.index[part.tumour.index.isin(protein.index)]
    gene = next(g for g in table.index if g in protein and protein.loc[shared, g].notna().all())
    expected = spearmanr(part.tumour.loc[shared, gene], protein.loc[shared, gene]).statistic
    assert table["protein_rho"][gene] == pytest.approx(expected, rel=1e-9)
    passed = [name for name in table if name.startswith("passes_")]
    assert len(passed) == 4
    assert (table["candidate"] == table[passed].all(axis=1)).all()


def test_the_command_writes_a_signature_that_scores_one_patient(files, tmp_path):
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(QUICK), encoding="utf-8")
    arguments = ["derive", "--cohort", files.near, "--external", files.far, "--endpoint", "OS"]
    arguments += ["--plan", tmp_path / "plan.yaml", "--out", tmp_path / "out", "--jobs", "1"]
    shown = CliRunner().invoke(app, list(map(str, arguments)))
    assert shown.exit_code == 0, shown.output
    out = tmp_path / "out"
    assert "SIMULATED" in shown.output and (out / "report.html").is_file()
    summary = json.loads((out / "summary.json").read_text())
    assert {m["split"] for m in summary["metrics"]} >= {"cross-validation", "external:far"}
    signature = Signature.from_json((out / "signature.json").read_text())
    rna = files.cohorts[0].assay("rna")
    one = read_molecules(files.cohorts[0], assay="rna", endpoint="OS").tumour.iloc[[0]]
    alone = score(signature=signature, expression=one).table
    assert alone["score"].iloc[0] == pytest.approx(signature.score(one).iloc[0])
    texts = "".join(path.read_text() for path in (out / "tables").glob("*.csv"))
    assert not any(str(patient) in texts for patient in rna.samples["patient_id"].unique())


def test_bad_input_is_named(parts, plan, tmp_path):
    with pytest.raises(StudyError, match="distinct ids"):
        derive_signature([parts[0], parts[0]], plan)
    with pytest.raises(StudyError, match="'proteome'"):
        read_molecules(parts[0].cohort, assay="proteome", endpoint="OS")
    wanting = plan.model_copy(update={"proliferation": "absent"})
    with pytest.raises(UnknownNameError, match="absent"):
        derive_signature(parts, wanting)
    strict = plan.model_copy(update={"candidates": Candidates(expressed=1e6)})
    with pytest.raises(StudyError, match="expressed 0"):
        derive_signature(parts[:1], strict)
    (tmp_path / "plan.yaml").write_text("serch: subset", encoding="utf-8")
    with pytest.raises(SchemaError, match="serch"):
        plan_from(DerivationPlan, tmp_path / "plan.yaml")


def test_a_copy_of_the_cohort_is_no_external_cohort(parts, plan):
    again = replace(parts[0], cohort=replace(parts[0].cohort, id="again"))
    with pytest.raises(LeakageError, match="equal expression in both"):
        derive_signature(parts[:1], plan, external=[again])


def test_hazard_ratios_of_several_cohorts_are_stratified(both, parts):
    rows = both.tables["hazard_ratios"]
    assert set(rows["model"]) == {"stratified by cohort"}
    assert rows["n"].tolist() == [sum(len(p.tumour) for p in parts)] * len(rows)


def test_cohorts_on_another_scale_do_not_hide_a_gene(parts):
    rng = np.random.default_rng(11)
    made = [_planted(parts[0], name, rng) for name in ("one", "two")]
    small = replace(made[1], tumour=made[1].tumour * 0.05, unit="log intensity")
    plan = DerivationPlan.model_validate({**QUICK, "permutations": 1, "random_signatures": 0})
    found = derive_signature([made[0], small], plan, seed=0, jobs=1)
    assert set(found.tables["screen"]["gene"].head(2)) == {"G5", "G9"}


def test_a_search_that_chooses_nothing_keeps_the_first_of_the_screen(parts):
    rng = np.random.default_rng(3)
    made = _planted(parts[0], "one", rng)
    order = rng.permutation(len(made.tumour))
    noise = replace(
        made,
        outcome=SurvivalOutcome(
            "OS",
            pd.Series(made.outcome.time.to_numpy()[order], index=made.tumour.index),
            pd.Series(made.outcome.event.to_numpy()[order], index=made.tumour.index),
        ),
    )
    plan = DerivationPlan.model_validate(
        {**QUICK, "search": "stepwise", "max_size": 1, "permutations": 1, "random_signatures": 0}
    )
    found = derive_signature([noise], plan, seed=0, jobs=1)
    assert len(found.findings.signature.genes) == 1


def test_copies_among_the_cohorts_derived_from_are_refused(parts, plan):
    again = replace(parts[0], cohort=replace(parts[0].cohort, id="again"))
    with pytest.raises(LeakageError, match="samples of equal expression in both"):
        derive_signature([parts[0], again], plan, jobs=1)
    shifted = replace(again, tumour=again.tumour + 0.5)
    with pytest.raises(LeakageError, match="with the same follow-up"):
        refuse_copies([parts[0]], [shifted])
    ours = parts[0].outcome
    later = SurvivalOutcome("OS", ours.time + 1, ours.event)
    shifted = replace(shifted, outcome=later)
    with pytest.warns(RadiogenomicsWarning, match="names in both"):
        refuse_copies([parts[0], shifted], [])


def test_several_normal_samples_of_a_patient_count_once(parts):
    table = parts[0].cohort.assay("rna")
    frame, samples = table.values, table.samples
    normal = samples.index[samples["sample_type"] == "normal"]
    twice = pd.concat([frame, frame.loc[normal[:1]].set_axis(["second"], axis=0) + 1.0])
    facts = pd.concat([samples, samples.loc[normal[:1]].set_axis(["second"], axis=0)])
    doubled = FeatureTable.from_frame(
        twice, name="rna", unit=unit_of(table), source="test", samples=facts
    )
    cohort = replace(parts[0].cohort, assays={"rna": doubled})
    found = read_molecules(cohort, assay="rna", endpoint="OS")
    patient = str(samples.loc[normal[0], "patient_id"])
    assert found.normal.index.is_unique
    once = parts[0].normal.loc[patient, found.normal.columns]
    assert not np.allclose(found.normal.loc[patient], once)
