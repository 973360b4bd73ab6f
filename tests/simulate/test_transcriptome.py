from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.simulate.genes import PROLIFERATION
from radiogenomics.simulate.transcriptome import (
    FEWEST_GENES,
    HCC_SIZES,
    PROGRAMME_CORRELATION,
    RANK_CORRELATIONS,
    RISK_GENES,
    CohortDesign,
    Platform,
    SimulatedTranscriptome,
    simulate_transcriptomes,
    transcriptome_model,
)
from radiogenomics.stats.survival.cox import fit_cox

FLAT = Platform(gene_shift=0.0, gene_scale=0.0)
SIZE = 10_000
LIHC = Path("omics/hcc_key_genes/tcga_lihc_fpkm_log2_proteincoding_179samples.parquet")


def drawn(
    n: int, *, seed: int = 1, null: bool = False, platform: Platform = FLAT
) -> SimulatedTranscriptome:
    designs = (CohortDesign("large", n, platform),)
    rng = np.random.default_rng(seed)
    return simulate_transcriptomes(designs, rng=rng, n_genes=FEWEST_GENES, null=null)[0]


def correlations_with(genes: list[str], table: pd.DataFrame) -> pd.DataFrame:
    """Of every gene with a few; quicker than ``corrwith`` over thousands."""
    standard = table.to_numpy()
    standard = (standard - standard.mean(axis=0)) / standard.std(axis=0)
    few = standard[:, table.columns.get_indexer(genes)]
    return pd.DataFrame(standard.T @ few / len(table), index=table.columns, columns=genes)


@pytest.fixture(scope="module")
def large() -> SimulatedTranscriptome:
    return drawn(SIZE)


def test_published_rank_correlations_are_met(large: SimulatedTranscriptome) -> None:
    # README of the expression set: NCAPG .88, CDK1 .85, TOP2A .84 with KPNA2; SCAMP3 .68 with SMG5.
    assert {(gene, rho) for gene, _, rho in RANK_CORRELATIONS} == {
        ("NCAPG", 0.88), ("CDK1", 0.85), ("TOP2A", 0.84), ("SCAMP3", 0.68),
    }  # fmt: skip
    for gene, partner, rho in RANK_CORRELATIONS:
        found = stats.spearmanr(large.expression[gene], large.expression[partner]).statistic
        # Five standard errors of a correlation, on Fisher's scale.
        assert np.arctanh(found) == pytest.approx(np.arctanh(rho), abs=5 / np.sqrt(SIZE))


def test_stated_correlations_are_those_of_the_patients(large: SimulatedTranscriptome) -> None:
    model = transcriptome_model(FEWEST_GENES)
    floored = (large.expression == 0).mean().to_numpy() > 0.001
    assert floored.mean() < 0.1
    genes = [*RISK_GENES, "CD8A", "ALB", "LIVER100"]
    found = correlations_with(genes, large.expression)
    for gene in genes:
        expected = model.correlation(gene)[~floored]
        np.testing.assert_allclose(found.loc[~floored, gene], expected, atol=6 / np.sqrt(SIZE))


def test_genes_have_the_stated_mean_and_sd(large: SimulatedTranscriptome) -> None:
    model = transcriptome_model(FEWEST_GENES)
    far = model.mean > 4 * model.sd
    assert far.mean() > 0.5
    values = large.expression.to_numpy(dtype=float)[:, far]
    standard = (values.mean(axis=0) - model.mean[far]) / model.sd[far]
    np.testing.assert_allclose(standard, 0, atol=6 / np.sqrt(SIZE))
    np.testing.assert_allclose(values.std(axis=0) / model.sd[far], 1, atol=6 / np.sqrt(2 * SIZE))


def test_programmes_are_as_large_as_promised() -> None:
    model = transcriptome_model()
    assert len(model.names) == len(set(model.names)) == 15_000
    assert set(PROLIFERATION) < set(model.names)
    around = model.correlation("KPNA2").drop("KPNA2")
    assert around.drop(list(PROLIFERATION[2:])).max() < 0.9
    assert 150 <= (around >= 0.7).sum() <= 300
    # In the published block SCAMP3 is among the nearest, so hardly a gene may stand in for SMG5.
    beside = model.correlation("SMG5").drop("SMG5")
    assert (beside >= 0.7).sum() <= 3
    assert beside.nlargest(10).min() > 0.6
    assert 0.3 < model.correlation("SMG5")["KPNA2"] < 0.45
    assert (np.linalg.eigvalsh(PROGRAMME_CORRELATION) > 0).all()
    for gene in ("KPNA2", "GENE09000", "CXCL9"):
        assert model.correlation(gene).abs().drop(gene).max() < 0.99
    variance = model.own**2 + (model.anonymous**2).sum(axis=1)
    variance += np.einsum(
        "gp,pq,gq->g", model.loadings, np.array(PROGRAMME_CORRELATION), model.loadings
    )
    np.testing.assert_allclose(variance, 1, rtol=1e-12)


def test_cohorts_have_their_sizes_platforms_and_events() -> None:
    cohorts = simulate_transcriptomes(rng=np.random.default_rng(3))
    assert [c.expression.shape for c in cohorts] == [(365, 15_000), (232, 15_000), (221, 15_000)]
    for cohort in cohorts:
        values = cohort.expression
        assert cohort.outcome.patient_ids.equals(values.index)
        assert values.index.equals(cohort.truth.index)
        assert values.dtypes.unique().tolist() == [np.dtype("float32")]
        assert float(values.min(axis=None)) == cohort.design.platform.floor
        assert (values.max() > values.min()).all()
    seen, intensity = cohorts[0].expression.mean(), cohorts[2].expression.mean()
    assert stats.spearmanr(seen, intensity).statistic > 0.95
    assert (intensity - seen).median() == pytest.approx(4 - 0.2 * seen.median(), abs=0.1)
    moved = cohorts[0].expression.mean() - cohorts[1].expression.mean()
    # Two laboratories, each with a shift of SD 0.3; the rest is noise of the means.
    assert moved[seen > 2].std() == pytest.approx(0.3 * np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("null", [False, True])
def test_event_rates_are_those_asked_for(null: bool) -> None:
    events = np.zeros(3)
    for seed in range(12):
        rng = np.random.default_rng([7, seed])
        cohorts = simulate_transcriptomes(rng=rng, n_genes=FEWEST_GENES, null=null)
        events += [cohort.outcome.n_events for cohort in cohorts]
    for count, design in zip(events, HCC_SIZES, strict=True):
        assert stats.binomtest(int(count), 12 * design.patients, 0.35).pvalue > 0.001


def test_risk_is_the_stated_cox_model(large: SimulatedTranscriptome) -> None:
    genes = large.expression[list(RISK_GENES)].astype(float)
    standard = (genes - [4.0, 4.5]) / [1.0, 0.7]
    seen = (genes > 0).all(axis=1)
    assert seen.mean() > 0.999
    stated = standard.sum(axis=1) * np.log(1.65)
    np.testing.assert_allclose(stated[seen], large.truth[seen], rtol=0, atol=1e-4)
    others = large.expression[["TOP2A", "NCAPG", "SCAMP3", "CD8A", "ALB"]].astype(float)
    table = standard.join((others - others.mean()) / others.std())
    fit = fit_cox(table.to_numpy(), large.outcome.time, large.outcome.event)
    expected = [np.log(1.65)] * 2 + [0.0] * 5
    assert (np.abs(fit.coef - expected) < 4 * fit.se).all()
    assert fit.se.max() < 0.06


def test_null_world_differs_in_survival_alone() -> None:
    alive, dead = drawn(3000), drawn(3000, null=True)
    pd.testing.assert_frame_equal(alive.expression, dead.expression)
    assert not dead.truth.any()
    fit = fit_cox(
        dead.expression[list(RISK_GENES)].astype(float), dead.outcome.time, dead.outcome.event
    )
    assert (np.abs(fit.coef) < 4 * fit.se).all()
    assert alive.truth.std() == pytest.approx(np.log(1.65) * np.sqrt(2 + 2 * 0.372), rel=0.05)


def test_same_seed_gives_the_same_and_another_cohort_changes_nothing() -> None:
    def draw(seed: int, *more: CohortDesign) -> tuple[SimulatedTranscriptome, ...]:
        designs = (*HCC_SIZES[:2], *more)
        rng = np.random.default_rng(seed)
        return simulate_transcriptomes(designs, rng=rng, n_genes=FEWEST_GENES)

    first, again, other = draw(5), draw(5, CohortDesign("more", 30)), draw(6)
    for a, b, c in zip(first, again, other, strict=False):
        pd.testing.assert_frame_equal(a.expression, b.expression)
        pd.testing.assert_series_equal(a.outcome.time, b.outcome.time)
        pd.testing.assert_series_equal(a.truth, b.truth)
        assert not a.expression.equals(c.expression)
    assert not np.allclose(first[0].truth[:100], first[1].truth[:100])


def test_longer_genome_begins_with_the_programmes_of_the_shorter() -> None:
    short, long = transcriptome_model(FEWEST_GENES), transcriptome_model(2500)
    assert long.names[:FEWEST_GENES] == short.names
    np.testing.assert_array_equal(long.loadings[:FEWEST_GENES], short.loadings)
    np.testing.assert_array_equal(long.anonymous[:FEWEST_GENES], short.anonymous)
    np.testing.assert_array_equal(long.mean[:FEWEST_GENES], short.mean)


def test_bad_input_is_named() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="at least 1780 genes"):
        simulate_transcriptomes(n_genes=1779, rng=rng)
    with pytest.raises(DataError, match="two positive hazard ratios"):
        simulate_transcriptomes(hazard_ratios=(1.5, 0.0), rng=rng)
    with pytest.raises(DataError, match="every cohort once"):
        simulate_transcriptomes((HCC_SIZES[0], HCC_SIZES[0]), rng=rng)
    with pytest.raises(DataError, match="at least 2 patients"):
        CohortDesign("one", 1)
    with pytest.raises(DataError, match=re.escape("found 1.0")):
        CohortDesign("all", 50, event_rate=1.0)
    with pytest.raises(UnknownNameError, match="KPNA3"):
        transcriptome_model(FEWEST_GENES).correlation("KPNA3")


@pytest.mark.real
def test_marginals_and_neighbourhoods_look_like_real_tumours(data_root: Path) -> None:
    real = pd.read_parquet(data_root / LIHC).T
    real = real[real.index.str.contains("-01")]
    real = real[real.mean().nlargest(15_000).index]
    made = simulate_transcriptomes(HCC_SIZES[:1], rng=np.random.default_rng(0))[0].expression
    levels = [0.1, 0.25, 0.5, 0.75, 0.9]
    np.testing.assert_allclose(made.mean().quantile(levels), real.mean().quantile(levels), atol=0.4)
    np.testing.assert_allclose(made.std().quantile(levels), real.std().quantile(levels), atol=0.1)
    theirs, ours = (correlations_with(list(RISK_GENES), table) for table in (real, made))
    np.testing.assert_allclose(ours.std(), theirs.std(), atol=0.04)
    for gene in RISK_GENES:
        nearest = [table[gene].drop(gene).nlargest(200).min() for table in (ours, theirs)]
        assert nearest[0] == pytest.approx(nearest[1], abs=0.1)
