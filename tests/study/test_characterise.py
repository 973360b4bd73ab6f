"""Characterising scores: simulated cohorts from files to report, and the real cohorts of ICB."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from sklearn.metrics import roc_auc_score

import radiogenomics as rg
from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import RadiogenomicsWarning, StudyError, UnknownNameError
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.core.signature import Signature
from radiogenomics.evaluation.response import POOLED_ROW
from radiogenomics.io import write_gmt
from radiogenomics.io.signatures import write_signature
from radiogenomics.omics import MeanZ, PrincipalComponent, find_gene_set
from radiogenomics.study.characterisation.characterise import (
    Wanted,
    characterise,
    characterise_cohorts,
)
from radiogenomics.study.characterisation.scores import SetScore, SignatureScore, named_score
from radiogenomics.study.derivation.meaning import questions_of
from radiogenomics.study.tumours import Tumours, read_tumours

CYCLE = GeneSet("CYCLE", ("TOP2A", "MKI67", "CDK1", "CCNB1"))
RESPONSE = {"response": "response", "responders": ("CR", "PR")}
ICB = tuple(
    f"icb_{name}"
    for name in (
        "hugo", "liu", "mariathasan", "miao", "nathanson", "padron", "riaz", "van_allen",
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def parts(near, far) -> list[Tumours]:
    return [read_tumours(world.cohort, assay="rna") for world in (near, far)]


@pytest.fixture(scope="module")
def signature(parts) -> Signature:
    """Two genes of the cycle with the constants of the first cohort."""
    genes = parts[0].values[["TOP2A", "MKI67"]]
    return Signature(
        "two", tuple(genes), weights=(0.6, 0.4), centre=tuple(genes.mean()),
        scale=tuple(genes.std()), cutoff=0.3, direction="risk", unit=parts[0].unit,
    )  # fmt: skip


def wanted(*scores, contrasts=("CYCLE",), **asked) -> Wanted:
    sets = {"CYCLE": CYCLE}
    questions = questions_of(contrasts, (), gene_sets=sets, own=scores[0].own)
    return Wanted(tuple(scores), questions, **asked)


@pytest.fixture(scope="module")
def found(parts, signature):
    """The signature and a set, against response and survival, in both cohorts."""
    asked = wanted(SignatureScore(signature), SetScore("CYCLE", CYCLE), endpoint="OS", **RESPONSE)
    return characterise_cohorts(parts, asked, seed=1)


def test_the_signature_calls_by_its_locked_cutoff(found, parts, signature):
    table = found.tables["label_scores"]
    for part in parts:
        mine = table[table["cohort"] == part.cohort.id].set_index("patient_id")
        score = signature.score(part.values)
        np.testing.assert_allclose(mine["score"], score)
        assert ((mine["label"] == "high") == (score > 0.3)).all()
    assert any("locked cut-off 0.3" in text for _, text in found.findings.notes)


def test_response_is_judged_in_each_cohort_and_pooled(found, parts, signature):
    table = found.tables["response"].set_index(["score", "cohort"])
    for part in parts:
        seen = part.cohort.response("response").grouped(("CR", "PR"))
        seen = seen[seen.index.isin(part.values.index)]
        values = part.values.loc[seen.index]
        scores = {
            "two": signature.score(values),
            "CYCLE": MeanZ(CYCLE).fit_transform(values).iloc[:, 0],
        }
        for name, score in scores.items():
            row = table.loc[(name, part.cohort.id)]
            assert row["auc"] == pytest.approx(roc_auc_score(seen, score), rel=1e-12)
            assert (row["n"], row["responders"]) == (len(seen), seen.sum())
    assert (table.loc[("two", POOLED_ROW), "n"]) == table.loc["two"]["n"].iloc[:2].sum()
    assert list(found.tables["response_heterogeneity"]["score"]) == ["two", "CYCLE"]
    metric = found.findings.metric("auc_response:two", split="pooled")
    assert metric.chance == 0.5 and 0 < metric.p_permutation <= 1
    assert f"AUC {metric.value:.3f}" in found.verdict
    assert "that a high two goes with CR or PR in response" in found.verdict


def test_survival_is_that_of_a_cox_model_within_and_over_cohorts(found, parts, signature):
    frames = []
    for part in parts:
        os = part.cohort.survival("OS").to_frame()
        frame = os[os.index.isin(part.values.index)]
        risk = signature.score(part.values.loc[frame.index])
        frames.append(frame.assign(risk=(risk - risk.mean()) / risk.std(), cohort=part.cohort.id))
    for frame in frames:
        fit = CoxPHFitter().fit(frame.drop(columns="cohort"), "time", "event")
        metric = found.findings.metric("signature_hr_per_sd", split=frame["cohort"].iloc[0])
        assert metric.value == pytest.approx(fit.hazard_ratios_["risk"], rel=1e-4)
    whole = pd.concat(frames)
    whole["risk"] /= whole["risk"].std()
    fit = CoxPHFitter().fit(whole, "time", "event", strata=["cohort"])
    metric = found.findings.metric("signature_hr_per_sd", split="pooled")
    assert metric.value == pytest.approx(fit.hazard_ratios_["risk"], rel=1e-4)
    names = {m.name for m in found.metrics if m.split == "pooled"}
    assert {"signature_c_index", "c_index:CYCLE", "hr_per_sd:CYCLE"} <= names
    assert len({(m.name, m.split) for m in found.metrics}) == len(found.metrics)


def test_the_sets_median_calls_where_there_is_no_signature(parts):
    result = characterise_cohorts(parts, wanted(SetScore("CYCLE", CYCLE)), seed=0)
    labels = result.tables["label_scores"]
    for _, table in labels.groupby("cohort"):
        assert (table["label"] == "high").sum() == len(table) // 2
    assert "described" in result.verdict and "nothing was tested" in result.verdict
    assert result.metrics == ()
    assert any("by the cohort's median" in text for _, text in result.findings.notes)


def test_without_response_the_verdict_is_about_survival(parts, signature):
    result = characterise_cohorts(
        parts[:1], wanted(SignatureScore(signature), endpoint="OS"), seed=0
    )
    metric = result.findings.metric("signature_c_index", split="near")
    assert f"C-index {metric.value:.3f}" in result.verdict
    assert "goes with shorter OS" in result.verdict
    assert result.findings.metric("signature_c_index", split="pooled") is None


def test_a_score_of_noise_is_not_distinguishable_from_chance(parts):
    """Patients' scores permuted within cohorts: one labelling, known not to follow response."""
    rng = np.random.default_rng(8)
    dealt = []
    for part in parts:
        values = part.values.set_axis(rng.permutation(part.values.index), axis=0)
        dealt.append(part._replace(values=values.loc[part.values.index]))
    result = characterise_cohorts(dealt, wanted(SetScore("CYCLE", CYCLE), **RESPONSE), seed=0)
    assert "is not distinguishable from chance" in result.verdict


def test_response_that_follows_the_genes_is_found(parts):
    made = []
    for part in parts:
        score = part.values[list(CYCLE.genes)].mean(axis=1)
        seen = (score > score.median()).map({True: "CR", False: "PD"})
        outcome = ResponseOutcome("response", seen, "made")
        made.append(part._replace(cohort=replace(part.cohort, outcomes={"response": outcome})))
    asked = wanted(SetScore("CYCLE", CYCLE), response="response", responders=("CR",))
    result = characterise_cohorts(made, asked, seed=0)
    assert "is distinguishable from chance" in result.verdict
    turned = wanted(SetScore("CYCLE", CYCLE), response="response", responders=("PD",))
    assert "is not distinguish" in characterise_cohorts(made, turned, seed=0).verdict


def test_a_cohort_that_lacks_genes_is_left_out_with_its_coverage(parts, signature):
    few = parts[1]._replace(values=parts[1].values.drop(columns=["MKI67", "CDK1", "CCNB1"]))
    asked = wanted(SignatureScore(signature), SetScore("CYCLE", CYCLE), **RESPONSE)
    with pytest.warns(RadiogenomicsWarning):
        result = characterise_cohorts([parts[0], few], asked, seed=0)
    warned = [text for level, text in result.findings.notes if level == "warning"]
    assert any("far, two: 1 of 2 genes measured (not: MKI67)" in text for text in warned)
    assert any("far, CYCLE: 1 of 4 genes measured" in text for text in warned)
    assert set(result.tables["response"]["cohort"]) == {"near"}
    assert set(result.tables["label_scores"]["cohort"]) == {"near"}
    half = parts[1]._replace(values=parts[1].values.drop(columns=["CDK1", "CCNB1"]))
    result = characterise_cohorts(
        [half], wanted(SetScore("CYCLE", CYCLE), contrasts=("cytolytic",)), seed=0
    )
    assert (
        "info",
        "far, CYCLE: 2 of 4 genes measured (not: CDK1, CCNB1).",
    ) in result.findings.notes


def test_another_unit_is_standardised_on_the_cohort(parts, signature):
    other = replace(signature, unit="log intensity")
    score = SignatureScore(other).of(parts[0], parts[0].values.index)
    assert "standardised on this cohort" in score.remark
    genes = parts[0].values[["TOP2A", "MKI67"]]
    by_hand = ((genes - genes.mean()) / genes.std()) @ np.array([0.6, 0.4])
    np.testing.assert_allclose(score.score, by_hand, rtol=1e-9)
    few = parts[0]._replace(values=parts[0].values.iloc[:6])
    assert SignatureScore(other).of(few, few.values.index).score is None


def test_scores_are_made_the_way_that_is_named(parts):
    sets = {"CYCLE": CYCLE, "A:B": CYCLE}
    values = parts[0].values
    for name, rule in (
        ("CYCLE", MeanZ),
        ("CYCLE:mean_z", MeanZ),
        ("CYCLE:pc1", PrincipalComponent),
    ):
        mine = named_score(name, sets).of(parts[0], values.index[:20]).score
        np.testing.assert_allclose(mine, rule(CYCLE).fit_transform(values.iloc[:20]).iloc[:, 0])
        assert mine.name == name
    assert named_score("A:B", sets).own == CYCLE.genes
    with pytest.raises(UnknownNameError, match="did you mean 'pc1'"):
        named_score("CYCLE:pc2", sets)
    with pytest.raises(UnknownNameError, match="did you mean 'CYCLE'"):
        named_score("CYCEL", sets)


def test_questions_that_cannot_be_asked_are_errors(parts, signature):
    one = SetScore("CYCLE", CYCLE)
    questions = questions_of(("CYCLE",), (), gene_sets={"CYCLE": CYCLE})
    with pytest.raises(StudyError, match="Give --signature, --scores or both"):
        Wanted((), questions)
    with pytest.raises(StudyError, match="each once; found CYCLE, CYCLE"):
        Wanted((one, one), questions)
    with pytest.raises(StudyError, match="Name both"):
        Wanted((one,), questions, response="response")
    with pytest.raises(StudyError, match="Name both"):
        Wanted((one,), questions, responders=("CR",))
    with pytest.raises(StudyError, match="found 'OSS', and OS, PFS, response"):
        characterise_cohorts(parts, wanted(one, endpoint="OSS"), seed=0)
    with pytest.raises(UnknownNameError, match="category"):
        characterise_cohorts(parts, wanted(one, response="response", responders=("good",)), seed=0)
    with pytest.raises(StudyError, match="distinct ids"):
        characterise_cohorts([parts[0], parts[0]], wanted(one), seed=0)


def test_few_events_and_one_kind_of_response_are_left_out_by_name(parts):
    part = parts[0]
    patients = part.values.index
    censored = SurvivalOutcome("OS", pd.Series(5.0, patients), pd.Series(False, patients))
    alike = ResponseOutcome("response", pd.Series("PD", patients), "made")
    cohort = replace(part.cohort, outcomes={"OS": censored, "response": alike})
    asked = wanted(SetScore("CYCLE", CYCLE), endpoint="OS", **RESPONSE)
    with pytest.warns(RadiogenomicsWarning) as caught:
        result = characterise_cohorts([part._replace(cohort=cohort)], asked, seed=0)
    texts = " ".join(str(w.message) for w in caught)
    assert "0 events of OS, below 10" in texts and "found one kind" in texts
    assert result.metrics == () and result.verdict.startswith("nothing was tested")


def test_tumours_are_read_without_an_outcome_and_normals_stay_out(near):
    cohort = replace(near.cohort, outcomes={})
    part = read_tumours(cohort, assay="rna")
    assert len(part.values) == near.cohort.assay("rna").where("sample_type", "tumour").n_samples
    with pytest.raises(StudyError, match="expected the assay 'microarray'"):
        read_tumours(cohort, assay="microarray")
    flat = FeatureTable.from_frame(
        pd.DataFrame({"A": [1.5, 1.5], "B": [2.5, 3], "C": [1, np.nan]}, index=["P1", "P2"]),
        name="rna", unit="log2(x+1)", source="made",
    )  # fmt: skip
    small = Cohort("small", pd.DataFrame(index=["P1", "P2"]), {"rna": flat})
    with pytest.warns(RadiogenomicsWarning, match="2 of 3 genes were left out"):
        assert list(read_tumours(small, assay="rna").values) == ["B"]


def test_from_files_to_a_report_without_names_of_patients(files, parts, signature, tmp_path):
    write_signature(signature, tmp_path / "signature.json")
    write_gmt([CYCLE, GeneSet("MANY", tuple(parts[0].values)[60:80])], tmp_path / "sets.gmt")
    result = rg.characterise(
        cohort=[files.near, files.far], out=tmp_path / "out", endpoint="OS", **RESPONSE,
        signature=tmp_path / "signature.json", gene_sets=tmp_path / "sets.gmt",
        scores=["CYCLE:pc1"], contrasts=["CYCLE", "cytolytic"], gsea=["MAN*"], seed=3,
    )  # fmt: skip
    folder = tmp_path / "out"
    assert result.folder == folder and (folder / "report.html").is_file()
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["study"] == "characterise" and summary["simulated"] == ["near", "far"]
    assert summary["verdict"] == result.verdict
    tables = {path.stem for path in (folder / "tables").glob("*.csv")}
    assert {"contrasts", "differential", "gsea", "response", "hazard_ratios"} <= tables
    everything = "".join(path.read_text() for path in (folder / "tables").glob("*.csv"))
    for cohort in files.cohorts:
        assert not any(str(patient) in everything for patient in cohort.patient_ids)
    inputs = json.loads((folder / "provenance.json").read_text())["inputs"]
    assert {"signature.json", "sets.gmt"} <= set(inputs)
    again = characterise(
        cohort=[files.near, files.far], out=tmp_path / "again", endpoint="OS", **RESPONSE,
        signature=tmp_path / "signature.json", gene_sets=tmp_path / "sets.gmt",
        scores=["CYCLE:pc1"], contrasts=["CYCLE", "cytolytic"], gsea=["MAN*"], seed=3,
    )  # fmt: skip
    assert again.summary() == result.summary()


@pytest.mark.real
@pytest.mark.slow
def test_checkpoint_cohorts_pool_to_what_was_found_by_hand(data_root, tmp_path):
    """Numbers of docs/real_runs.md, which other code has found (test_real_labels.py)."""
    with pytest.warns(RadiogenomicsWarning):
        result = characterise(
            cohort=ICB, out=tmp_path / "icb", data_root=data_root,
            scores=["tls_chemokines_12:pc1", "cytolytic", "ifn_gamma_6"],
            contrasts=["cytotoxic_davoli"], response="response", responders=["R"],
        )  # fmt: skip
    pooled = result.tables["response"].query("cohort == @POOLED_ROW").set_index("score")
    assert (pooled["n"] == 357).all()
    assert pooled["auc"].to_dict() == pytest.approx(
        {"tls_chemokines_12:pc1": 0.568, "cytolytic": 0.577, "ifn_gamma_6": 0.580}, abs=0.0006
    )
    bounds = {
        "tls_chemokines_12:pc1": (0.498, 0.636),
        "cytolytic": (0.509, 0.642),
        "ifn_gamma_6": (0.499, 0.658),
    }
    for score, limits in bounds.items():
        assert tuple(pooled.loc[score, ["low", "high"]]) == pytest.approx(limits, abs=0.0006)
    assert result.tables["response_heterogeneity"]["i2"].max() == pytest.approx(0.235, abs=0.001)
    assert "is not distinguishable from chance" in result.verdict


@pytest.mark.real
def test_the_two_genes_say_nothing_of_response_in_hugo(data_root, tmp_path):
    write_gmt([GeneSet("irs", ("KPNA2", "SMG5"))], tmp_path / "irs.gmt")
    with pytest.warns(RadiogenomicsWarning, match="genes were left out"):
        result = characterise(
            cohort="icb_hugo_full", out=tmp_path / "hugo", data_root=data_root,
            gene_sets=tmp_path / "irs.gmt", scores=["irs", "tls_cabrita_9"],
            contrasts=["cytolytic"], response="response", responders=["R"],
        )  # fmt: skip
    two, nine = (m for m in result.metrics if m.name.startswith("auc_response"))
    assert (two.value, two.low, two.high) == pytest.approx((0.462, 0.249, 0.689), abs=0.0006)
    assert (nine.value, nine.low, nine.high) == pytest.approx((0.527, 0.309, 0.736), abs=0.0006)
    assert (two.n, two.events) == (27, 14) and find_gene_set("tls_cabrita_9").genes
