"""RNA beside protein, and the signature at protein level: scipy, lifelines, planted truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.utils import concordance_index
from scipy.stats import spearmanr

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    StudyError,
)
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.signature import Signature
from radiogenomics.io import load_cohort
from radiogenomics.stats import adjust
from radiogenomics.study.derivation.candidates import candidate_table
from radiogenomics.study.derivation.cohorts import join, read_molecules
from radiogenomics.study.derivation.plan import Candidates, DerivationPlan
from radiogenomics.study.derivation.protein import pass_protein, protein_level, read_protein
from radiogenomics.study.registry import find_manifest

PLAN = DerivationPlan(candidates=Candidates(expressed=None, protein=0.05), minimum_events=5)
SIGNATURE = Signature(
    "two",
    ("TOP2A", "SMG5"),
    weights=(0.7, 0.4),
    centre=(4.5, 6.0),
    scale=(1.0, 0.5),
    cutoff=0.1,
    direction="risk",
    unit="log2(x+1)",
)


@pytest.fixture(scope="module")
def parts(near, far):
    return [read_molecules(w.cohort, assay="rna", endpoint="OS") for w in (near, far)]


@pytest.fixture(scope="module")
def proteins(near):
    """What ``--protein`` names: a manifest with proteins and outcomes, and no RNA."""
    cohort = replace(near.cohort, assays={"protein": near.cohort.assay("protein")})
    return read_protein(cohort, PLAN, endpoint="OS")


def made(values: pd.DataFrame, unit: str, *, outcomes=None) -> Cohort:
    table = FeatureTable.from_frame(values, name="protein", unit=unit, source="made")
    return Cohort("made", pd.DataFrame(index=values.index), {"protein": table}, (), outcomes or {})


def lifelines(frame: pd.DataFrame) -> pd.Series:
    options = {"precision": 1e-13, "r_precision": 1e-14}
    fitter = CoxPHFitter().fit(frame.astype(float), "time", "event", fit_options=options)
    return fitter.summary.iloc[0]


def concordance(discovery, protein=None) -> pd.DataFrame:
    table = pd.DataFrame({"gene": discovery.genes.columns})
    pass_protein(table, discovery, PLAN, protein=protein)
    return table.set_index("gene")


def test_correlation_is_that_of_scipy_over_the_values_that_are_there(parts, proteins):
    found = concordance(join(parts[:1]), proteins)
    rna, protein = parts[0].tumour, proteins.tumour.loc[parts[0].tumour.index]
    p = pd.Series(np.nan, index=found.index)
    for gene in protein.columns.intersection(rna.columns):
        known = protein[gene].notna()
        assert found.loc[gene, "protein_n"] == known.sum()
        if known.sum() >= 10:
            expected = spearmanr(rna.loc[known, gene], protein.loc[known, gene])
            assert found.loc[gene, "protein_rho"] == pytest.approx(expected.statistic, rel=1e-9)
            p[gene] = expected.pvalue
    passes = (found["protein_rho"] > 0) & (adjust(p) <= 0.05)
    assert (found["passes_protein"] == passes).all()
    assert found["protein_n"].nunique() > 5 and 0 < passes.sum() < len(found)
    absent = found.index.difference(protein.columns)
    assert len(absent) and not found.loc[absent, "passes_protein"].any()


def test_a_manifest_of_its_own_gives_what_the_cohort_gives(parts, proteins):
    alone = concordance(join(parts[:1]))
    pd.testing.assert_frame_equal(alone, concordance(join(parts[:1]), proteins))
    elsewhere = replace(proteins, cohort=replace(proteins.cohort, id="proteome"))
    pd.testing.assert_frame_equal(alone, concordance(join(parts[:1]), elsewhere))
    both = concordance(join(parts), elsewhere)
    pd.testing.assert_frame_equal(alone.loc[both.index, :"protein_n"], both.loc[:, :"protein_n"])


def test_one_identifier_in_two_cohorts_is_settled_by_the_id_of_the_cohort(parts, proteins):
    """Two hospitals number their patients alike; the proteins are of the first."""
    names = parts[0].tumour.index[: len(parts[1].tumour)]
    outcome = parts[1].outcome
    twin = replace(
        parts[1],
        tumour=parts[1].tumour.set_axis(names, axis=0),
        outcome=replace(
            outcome, time=outcome.time.set_axis(names), event=outcome.event.set_axis(names)
        ),
    )
    discovery = join([parts[0], twin])
    expected = concordance(join(parts), proteins)
    pd.testing.assert_frame_equal(concordance(discovery, proteins), expected)
    elsewhere = replace(proteins, cohort=replace(proteins.cohort, id="proteome"))
    with pytest.raises(AlignmentError, match=r"in one discovery cohort; found\s.*near, far"):
        concordance(discovery, elsewhere)


def test_patients_under_names_of_others_are_doubted(parts, proteins, rng):
    order = rng.permutation(len(proteins.tumour))
    shuffled = replace(proteins, tumour=proteins.tumour.iloc[order].set_axis(proteins.tumour.index))
    with pytest.warns(RadiogenomicsWarning, match="the same identifier is the same patient"):
        found = concordance(join(parts[:1]), shuffled)
    assert found["passes_protein"].mean() < 0.1


def test_what_does_not_fit_together_is_named(parts, proteins, near):
    discovery = join(parts[:1])
    others = proteins.tumour.rename(index="X{}".format)
    with pytest.raises(AlignmentError, match=r"10 patients of near .* found 0 of 50 \(proteins: X"):
        concordance(discovery, replace(proteins, tumour=others))
    with pytest.raises(AlignmentError, match="found 9 of 9"):
        concordance(discovery, replace(proteins, tumour=proteins.tumour.iloc[:9]))
    accessions = proteins.tumour.add_prefix("P0")
    with pytest.raises(AlignmentError, match="Name proteins by their genes"):
        concordance(discovery, replace(proteins, tumour=accessions))
    with pytest.raises(StudyError, match="'protein'; found rna. Name it as protein_assay"):
        rna_only = replace(near.cohort, assays={"rna": near.cohort.assay("rna")})
        read_protein(rna_only, PLAN, endpoint="OS")
    without = replace(parts[0], cohort=replace(parts[0].cohort, assays={}))
    with pytest.raises(StudyError, match=r"candidates\.protein: .* Give --protein"):
        concordance(join([without]))
    with pytest.raises(StudyError, match="is a response"):
        read_protein(near.cohort, PLAN, endpoint="response")


def test_a_unit_that_the_values_cannot_have_is_named(rng):
    index = [f"P{i}" for i in range(12)]
    logs = pd.DataFrame(rng.normal(25, 3, (12, 30)), index, [f"G{i}" for i in range(30)])
    read_protein(made(logs, "log intensity"), PLAN, endpoint="OS")
    with pytest.raises(DataError, match="made, assay protein: expected log intensity; .*linear"):
        read_protein(made(2**logs, "log intensity"), PLAN, endpoint="OS")
    with pytest.raises(DataError, match="linear scale"):
        read_protein(made(2**logs, "log2(x+offset)"), PLAN, endpoint="OS")
    with pytest.raises(DataError, match=r"expected log2\(x\+1\); found negative values"):
        read_protein(made(logs - 25, "log2(x+1)"), PLAN, endpoint="OS")
    with pytest.raises(DataError, match="expected TPM; found negative"):
        read_protein(made(logs - 25, "TPM"), PLAN, endpoint="OS")
    with pytest.raises(DataError, match="expected z-score; found no value below 0"):
        read_protein(made(logs, "z-score"), PLAN, endpoint="OS")
    with pytest.raises(DataError, match="genes as rows"):
        turned = pd.DataFrame({"S1": [1.5, 2.5, 3.5]}, index=["KPNA2", "SMG5", "CD8A"])
        read_protein(made(turned, "log intensity"), PLAN, endpoint="OS")


def test_linear_units_become_logarithms_and_ratios_stay(rng):
    values = pd.DataFrame(rng.lognormal(8, 1, (12, 4)), columns=["KPNA2", "SMG5", "ALB", "TF"])
    values.index = [f"P{i}" for i in range(12)]
    values.iloc[2, 1] = np.nan
    found = read_protein(made(values, "TPM"), PLAN, endpoint="OS")
    pd.testing.assert_frame_equal(found.tumour, np.log2(values + 1), check_names=False)
    assert found.unit == "log2(TPM+1)" and not len(found.outcome.time)
    ratios = np.log2(values / values.mean())
    for unit in ("log2(x+offset)", "feature"):
        found = read_protein(made(ratios, unit), PLAN, endpoint="OS")
        pd.testing.assert_frame_equal(found.tumour, ratios, check_names=False)
        assert found.unit == unit


def test_former_symbols_are_understood_and_several_proteins_averaged(rng):
    names = ["UTP11L", "KPNA2", "ENSG00000198952.8", "ENSG00000198952.9"]
    values = pd.DataFrame(rng.normal(25, 1, (5, 4)), [f"P{i}" for i in range(5)], names)
    found = read_protein(made(values, "log intensity"), PLAN, endpoint="OS").tumour
    assert list(found.columns) == ["UTP11", "KPNA2", "SMG5"]
    np.testing.assert_allclose(found["SMG5"], values.iloc[:, 2:].mean(axis=1))


def test_single_proteins_are_cox_models_of_lifelines(parts, proteins):
    found = protein_level(SIGNATURE, proteins, PLAN, discovery=join(parts), seed=0, permutations=9)
    table = found.tables["protein"]
    names = ["split", "gene", "hazard_ratio", "low", "high", "p", "n", "events"]
    assert list(table.columns) == names
    assert table["gene"].tolist() == ["TOP2A", "SMG5"] and set(table["split"]) == {"protein:near"}
    for row in table.itertuples():
        frame = proteins.outcome.to_frame().join(proteins.tumour[row.gene]).dropna()
        frame[row.gene] = (frame[row.gene] - frame[row.gene].mean()) / frame[row.gene].std()
        fit = lifelines(frame)
        assert row.n == len(frame) and row.events == frame["event"].sum()
        assert row.hazard_ratio == pytest.approx(fit["exp(coef)"], rel=1e-8)
        assert row.low == pytest.approx(fit["exp(coef) lower 95%"], rel=1e-8)
        assert row.high == pytest.approx(fit["exp(coef) upper 95%"], rel=1e-8)
        assert row.p == pytest.approx(fit["p"], rel=1e-7)


def test_the_score_is_the_weighted_sum_of_standardised_proteins(parts, proteins):
    found = protein_level(SIGNATURE, proteins, PLAN, discovery=join(parts), seed=0, permutations=99)
    whole = proteins.tumour[["TOP2A", "SMG5"]].dropna()
    standard = (whole - whole.mean()) / whole.std()
    score = standard @ [0.7, 0.4]
    frame = proteins.outcome.to_frame().loc[whole.index].astype(float)
    split = "protein:near"
    c = found.metric("signature_c_index", split=split)
    assert c.value == pytest.approx(concordance_index(frame["time"], -score, frame["event"]))
    assert c.n == len(whole) < len(proteins.tumour) and 0.01 <= c.p_permutation <= 1
    frame["high"] = (score > 0.1).astype(float)
    hazard = found.metric("signature_hr_high_vs_low", split=split)
    fit = lifelines(frame)
    # lifelines ends where the score is 7e-8; ours is at the root by scipy's brentq.
    assert hazard.value == pytest.approx(fit["exp(coef)"], rel=1e-7)
    assert found.metric("signature_hr_per_sd", split=split).chance == 1
    assert set(found.tables["hazard_ratios"]["split"]) == {f"signature, {split}"}
    texts = " ".join(text for _, text in found.notes)
    assert "50 of 50 patients are those of near" in texts and "no validation" in texts
    assert not any(str(patient) in texts for patient in proteins.tumour.index)


def test_genes_without_protein_are_named_and_the_rest_has_no_cutoff(parts, proteins):
    more = Signature(
        "more",
        ("ABSENT", *SIGNATURE.genes),
        weights=(9.0, 0.7, 0.4),
        centre=(0.0, 4.5, 6.0),
        scale=(1.0, 1.0, 0.5),
        cutoff=0.1,
    )
    discovery = join(parts)
    two, three = (
        protein_level(s, proteins, PLAN, discovery=discovery, seed=0, permutations=9)
        for s in (SIGNATURE, more)
    )
    split = "protein:near"
    c = [f.metric("signature_c_index", split=split).value for f in (two, three)]
    assert c[0] == pytest.approx(c[1])
    assert three.metric("signature_hr_high_vs_low", split=split) is None
    assert any("no protein of ABSENT; the score is of TOP2A, SMG5" in t for _, t in three.notes)
    none = Signature("none", ("ABSENT",), weights=(1.0,), centre=(0.0,), scale=(1.0,), cutoff=0.0)
    found = protein_level(none, proteins, PLAN, discovery=discovery, seed=0)
    assert not found.tables and not found.metrics
    assert any("no protein of ABSENT: nothing" in text for _, text in found.notes)


def test_outcomes_that_are_too_few_are_said_not_fitted(parts, proteins):
    discovery = join(parts)
    few = DerivationPlan(minimum_events=200)
    found = protein_level(SIGNATURE, proteins, few, discovery=discovery, seed=0)
    assert not found.metrics and any("below 200" in text for _, text in found.notes)
    cohort = replace(proteins.cohort, outcomes={})
    bare = read_protein(cohort, PLAN, endpoint="OS")
    found = protein_level(SIGNATURE, bare, PLAN, discovery=discovery, seed=0)
    assert not found.tables and any("0 events in 0 patients" in text for _, text in found.notes)
    gaps = proteins.tumour.copy()
    gaps.loc[gaps.index[:25], "SMG5"] = np.nan
    gaps.loc[gaps.index[25:], "TOP2A"] = np.nan
    apart = replace(proteins, tumour=gaps)
    found = protein_level(SIGNATURE, apart, PLAN, discovery=discovery, seed=0)
    assert not found.metrics and any("no score: 0 patients" in text for _, text in found.notes)


def test_open_weights_are_refused(parts, proteins):
    with pytest.raises(StudyError, match="fixed weights"):
        protein_level(Signature("open", ("SMG5",)), proteins, PLAN, discovery=join(parts), seed=0)


def test_gaps_of_weak_proteins_are_told_from_gaps_anywhere(parts, proteins, rng):
    discovery = join(parts)

    def said(protein):
        found = protein_level(SIGNATURE, protein, PLAN, discovery=discovery, seed=0, permutations=1)
        return " ".join(text for _, text in found.notes)

    share = proteins.tumour.isna().to_numpy().mean()
    assert f"{share:.0%} of the values are missing, more of weak proteins" in said(proteins)
    filled = proteins.tumour.fillna(proteins.tumour.mean())
    anywhere = filled.mask(rng.random(filled.shape) < 0.2)
    text = said(replace(proteins, tumour=anywhere))
    assert "of the values are missing." in text and "weak" not in text
    assert "missing" not in said(replace(proteins, tumour=filled))


def test_planted_proteins_foretell_and_permuted_patients_do_not(parts):
    """The score finds a planted risk; in a null world its p is uniform."""
    rng = np.random.default_rng(2)
    names = [f"N{i}" for i in range(150)]
    values = pd.DataFrame(rng.normal(25, 2, (150, 2)), names, ["TOP2A", "SMG5"])
    death = rng.exponential(20 * np.exp(-0.4 * (values.sum(axis=1) - 50)))
    end = rng.uniform(5, 60, 150)
    like = parts[0].outcome
    index = pd.Index(names)
    outcome = replace(
        like,
        time=pd.Series(np.minimum(death, end), index=index),
        event=pd.Series(death <= end, index=index),
    )
    planted = read_protein(
        made(values, "log intensity", outcomes={"OS": outcome}), PLAN, endpoint="OS"
    )
    arguments = {"discovery": join(parts), "seed": 0, "permutations": 99}
    found = protein_level(SIGNATURE, planted, PLAN, **arguments)
    c = found.metric("signature_c_index", split="protein:made")
    assert c.low > 0.6 and c.p_permutation == 0.01
    assert (found.tables["protein"]["low"] > 1).all()
    assert not any("no validation" in text for _, text in found.notes)
    p = []
    for seed in range(30):
        order = np.random.default_rng(seed).permutation(150)
        null = replace(planted, tumour=planted.tumour.iloc[order].set_axis(names, axis=0))
        null = protein_level(SIGNATURE, null, PLAN, **arguments)
        p.append(null.metric("signature_c_index", split="protein:made").p_permutation)
    assert np.mean(np.array(p) <= 0.05) <= 0.2 and 0.3 < np.mean(p) < 0.7


def test_candidates_take_the_manifest_of_proteins(parts, proteins):
    discovery = join(parts[:1])
    given = candidate_table(discovery, PLAN, gene_sets={}, protein=proteins)
    pd.testing.assert_frame_equal(given, candidate_table(discovery, PLAN, gene_sets={}))
    assert given["candidate"].equals(given["passes_protein"].rename("candidate"))


@pytest.mark.real
def test_proteins_of_tcga_follow_their_rna(data_root):
    cohort = load_cohort(find_manifest("tcga_lihc"), data_root=data_root)
    with pytest.warns(RadiogenomicsWarning, match="282 of 19642 genes"):
        rna = read_molecules(cohort, assay="rna", endpoint="OS")
    protein = read_protein(cohort, PLAN, endpoint="OS")
    discovery = join([rna])
    table = concordance(discovery, protein).dropna()
    assert protein.unit == "z-score" and len(table) > 50 and set(table["protein_n"]) == {71}
    assert 0.15 < table["protein_rho"].median() < 0.5
    found = protein_level(SIGNATURE, protein, PLAN, discovery=discovery, seed=0)
    assert any("no protein of TOP2A, SMG5" in text for _, text in found.notes)
