"""What the label of a signature means, in simulated cohorts whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from radiogenomics.core.errors import (
    AlignmentError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics import SHIPPED, EstimateScores, MeanZ, moderated_t_table
from radiogenomics.study.derivation.cohorts import join, read_molecules
from radiogenomics.study.derivation.meaning import COMMON_SHIFT, label_meaning, questions_of
from radiogenomics.study.derivation.plan import DerivationPlan

CYCLE = ("TOP2A", "MKI67", "CDK1", "CCNB1")
CONTRASTS = ["split", "score", "difference", "low", "high", "auc", "p", "fdr", "n_high", "n_low"]
DIFFERENTIAL = ["split", "gene", "log2_fold_change", "low", "high", "t", "p", "fdr"]
GSEA = ["split", "set", "nes", "p", "fdr", "size", "leading_edge"]


@pytest.fixture(scope="module")
def parts(near, far):
    return [read_molecules(w.cohort, assay="rna", endpoint="OS") for w in (near, far)]


@pytest.fixture(scope="module")
def given(parts) -> dict[str, GeneSet]:
    """Sets of the user: proliferation, forty genes of no meaning, one that is not measured."""
    plain = [gene for gene in parts[0].tumour.columns if gene not in CYCLE]
    return {
        "H|CYCLE": GeneSet("H|CYCLE", CYCLE),
        "H|PLAIN": GeneSet("H|PLAIN", tuple(plain[-40:])),
        "ABSENT": GeneSet("ABSENT", ("X1", "X2", "X3")),
    }


@pytest.fixture(scope="module")
def high(parts) -> pd.Series:
    """By one gene of the cell cycle, within cohorts; named as a derivation names patients."""
    genes = join(parts).expression
    return genes["TOP2A"] > genes.groupby("@cohort")["TOP2A"].transform("median")


@pytest.fixture(scope="module")
def found(high, parts, given):
    plan = DerivationPlan(contrasts=("H|*",), gsea=("H|PLAIN",))
    return label_meaning(high, parts, plan, gene_sets=given, seed=2, own=("TOP2A",))


def test_tables_have_the_columns_that_were_agreed(found, parts):
    assert list(found.tables["contrasts"].columns) == CONTRASTS
    assert list(found.tables["differential"].columns) == DIFFERENTIAL
    assert list(found.tables["gsea"].columns) == GSEA
    for table in found.tables.values():
        assert set(table["split"]) == {"near", "far"}


def test_genes_of_the_cell_cycle_differ_and_others_do_not(found):
    table = found.tables["contrasts"].set_index(["split", "score"])
    for split in ("near", "far"):
        assert table.loc[(split, "H|CYCLE"), "low"] > 0.5
        assert abs(table.loc[(split, "H|PLAIN"), "difference"]) < 1


def test_the_labels_own_genes_are_left_out_of_what_is_scored(found, parts, high, given):
    """The score of the cycle is that of the other three genes."""
    part = parts[0]
    three = MeanZ(GeneSet("three", CYCLE[1:])).fit_transform(part.tumour)["three"]
    called = high[[f"near:{p}" for p in part.tumour.index]].to_numpy()
    row = found.tables["contrasts"].query("split == 'near' and score == 'H|CYCLE'").iloc[0]
    test = mannwhitneyu(three[called], three[~called], method="exact")
    assert row["p"] == pytest.approx(test.pvalue, rel=1e-9)
    assert "TOP2A" in set(found.tables["differential"]["gene"])
    assert any("TOP2A made the label" in text for _, text in found.notes)
    alone = questions_of(["H|*", "checkpoints"], [], gene_sets=given, own=[*CYCLE, "LAG3"])
    assert [each.name for each in alone.scored] == ["H|PLAIN"]
    assert "LAG3" not in alone.genes and "CTLA4" in alone.genes


def test_differential_is_the_moderated_t_of_each_cohort(found, parts, high):
    for part in parts:
        name = part.cohort.id
        called = high[[f"{name}:{p}" for p in part.tumour.index]].set_axis(part.tumour.index)
        expected = moderated_t_table(part.tumour, called).set_index("gene")
        mine = found.tables["differential"].query("split == @name").set_index("gene")
        columns = DIFFERENTIAL[2:]
        pd.testing.assert_frame_equal(mine[columns], expected.loc[mine.index, columns])


def test_one_cohort_is_called_by_its_own_names(parts, high, given, found):
    one = parts[0]
    own = high[[f"near:{p}" for p in one.tumour.index]].set_axis(one.tumour.index)
    plan = DerivationPlan(contrasts=("H|*",), gsea=("H|PLAIN",))
    alone = label_meaning(own, [one], plan, gene_sets=given, seed=2, own=("TOP2A",))
    for name, table in alone.tables.items():
        both = found.tables[name].query("split == 'near'").reset_index(drop=True)
        pd.testing.assert_frame_equal(table.reset_index(drop=True), both)


def test_only_patients_who_were_called_are_compared(parts, high, given):
    some = high.iloc[::2]
    plan = DerivationPlan(contrasts=("H|*",))
    table = label_meaning(some, parts, plan, gene_sets=given, seed=0).tables["contrasts"]
    sizes = table.groupby("split")[["n_high", "n_low"]].first().sum(axis=1)
    assert sizes.sum() == len(some) and "gsea" not in table


def test_shipped_sets_and_single_checkpoints_when_none_is_named(given):
    asked = questions_of([], [], gene_sets=given)
    assert {"checkpoints", "myeloid_pair"}.isdisjoint(each.name for each in asked.scored)
    assert {"cytolytic", "tls_chemokines_12"} <= {each.name for each in asked.scored}
    assert set(SHIPPED["checkpoints"].genes) <= set(asked.genes)
    assert asked.estimate is None and asked.enriched == ()


@pytest.mark.parametrize(
    "names", [("StromalSignature", "ImmuneSignature"), ("E|StromalSignature", "E|ImmuneSignature")]
)
def test_estimate_is_scored_where_the_gmt_holds_its_sets(parts, high, names):
    genes = list(parts[0].tumour.columns)
    sets = {
        name: GeneSet(name, tuple(genes[at : at + 15]))
        for name, at in zip(names, (20, 50), strict=True)
    }
    with pytest.warns(RadiogenomicsWarning, match="left out"):
        found = label_meaning(high, parts, DerivationPlan(), gene_sets=sets, seed=0)
    table = found.tables["contrasts"].set_index(["split", "score"])
    part = parts[1]
    scores = EstimateScores(*sets.values()).fit_transform(part.tumour)
    called = high[[f"far:{p}" for p in part.tumour.index]].to_numpy()
    for mine, theirs in (("estimate_immune", "immune"), ("estimate_sum", "estimate")):
        area = mannwhitneyu(scores[theirs][called], scores[theirs][~called]).statistic
        pairs = called.sum() * (~called).sum()
        assert table.loc[("far", mine), "auc"] == pytest.approx(area / pairs)


def test_sets_that_are_not_measured_are_named_once_a_cohort(parts, high, given):
    plan = DerivationPlan(contrasts=("ABSENT", "H|CYCLE"))
    with pytest.warns(RadiogenomicsWarning) as caught:
        found = label_meaning(high, parts, plan, gene_sets=given, seed=0)
    texts = [str(w.message) for w in caught]
    assert [text.partition(":")[0] for text in texts] == ["near", "far"]
    assert all("ABSENT (0 of 3)" in text for text in texts)
    assert set(found.tables["contrasts"]["score"]) == {"H|CYCLE"}


def test_a_label_dealt_at_random_finds_as_much_as_chance(parts, given):
    """Share of p below 0.1 among a hundred and fifty labels, score by score."""
    rng = np.random.default_rng(4)
    part, plan = parts[0], DerivationPlan(contrasts=("H|*",))
    quick = replace(part, tumour=part.tumour[[*CYCLE, *given["H|PLAIN"].genes]])
    found = []
    for _ in range(150):
        dealt = pd.Series(rng.permutation(np.arange(len(part.tumour)) < 20), part.tumour.index)
        table = label_meaning(dealt, [quick], plan, gene_sets=given, seed=0).tables["contrasts"]
        found.append(table["p"].to_numpy())
    for p in np.array(found).T:
        assert (p <= 0.1).mean() == pytest.approx(0.1, abs=0.07)


def test_a_shift_common_to_all_genes_is_told(parts, given):
    part = parts[0]
    called = pd.Series(np.arange(len(part.tumour)) % 2 == 0, index=part.tumour.index)
    shifted = replace(part, tumour=part.tumour + 1.5 * called.to_numpy()[:, None])
    plan = DerivationPlan(contrasts=("H|CYCLE",))
    for cohort, told in ((part, False), (shifted, True)):
        found = label_meaning(called, [cohort], plan, gene_sets=given, seed=0)
        middle = found.tables["differential"]["t"].median()
        assert (abs(middle) >= COMMON_SHIFT) == told
        assert any("most genes alike" in text for _, text in found.notes) == told


def test_patients_all_called_alike_are_not_compared(parts, given):
    part = parts[0]
    alike = pd.Series(True, index=part.tumour.index)
    found = label_meaning(alike, [part], DerivationPlan(), gene_sets=given, seed=0)
    assert not found.tables
    assert "not compared" in found.notes[0][1]


def test_wrong_names_and_strange_patients_are_errors(parts, high, given):
    plan = DerivationPlan(contrasts=("H|CYCEL",))
    with pytest.raises(UnknownNameError, match="did you mean 'H|CYCLE'"):
        label_meaning(high, parts, plan, gene_sets=given, seed=0)
    with pytest.raises(UnknownNameError, match="beginning of gene sets"):
        questions_of(["KEGG*"], [], gene_sets=given)
    with pytest.raises(StudyError, match="hypoxia_hallmark"):
        questions_of(["hypoxia_hallmark"], [], gene_sets=given)
    with pytest.raises(AlignmentError, match="near: expected its patients"):
        label_meaning(high.rename("x{}".format), parts, DerivationPlan(), gene_sets=given, seed=0)
