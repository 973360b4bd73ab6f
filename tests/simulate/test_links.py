"""Simulated links: what is planted is there, and what volume drives goes once adjusted for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from scipy.stats import rankdata

from radiogenomics.core.errors import DataError
from radiogenomics.simulate.links import LinkCohort, LinkDesign, PlantedLink, link_world

SMALL = LinkDesign(
    features=60,
    blocks=10,
    genes=700,
    pathways=12,
    pathway_genes=15,
    overlapping_sets=13,
    unrelated_sets=5,
)
NULL = replace(SMALL, links=(), volume_blocks=(), purity_blocks=())


def drivers(cohort: LinkCohort) -> np.ndarray:
    """Covariates on the scale on which they act."""
    known = cohort.covariates
    site = pd.get_dummies(known["site"], drop_first=True, dtype=float)
    return np.column_stack([np.log(known["volume"]), logit(known["purity"]), site])


def correlations(cohort: LinkCohort, given: np.ndarray | None = None) -> pd.DataFrame:
    """Features × genes, Pearson's, by least squares with numpy."""
    design = np.ones((len(cohort.features), 1))
    design = design if given is None else np.column_stack([design, given])
    left = []
    for table in (cohort.features, cohort.genes):
        values = table.to_numpy()
        values = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        left.append(values / np.linalg.norm(values, axis=0))
    found = left[0].T @ left[1]
    return pd.DataFrame(found, index=cohort.features.columns, columns=cohort.genes.columns)


def of_pairs(found: pd.DataFrame, pairs: pd.DataFrame) -> np.ndarray:
    rows = found.index.get_indexer(pairs["feature"])
    return found.to_numpy()[rows, found.columns.get_indexer(pairs["gene"])]


@pytest.fixture(scope="module")
def population() -> LinkCohort:
    """So many patients that correlations are those of the population, all but 1/√n."""
    world = link_world(SMALL, rng=np.random.default_rng(3))
    return world.cohort(4000, rng=np.random.default_rng(4))


def test_every_pair_has_its_stated_correlation_and_all_others_are_null(population) -> None:
    n, pairs = 4000, population.pairs
    for found, truth in (
        (correlations(population), "rho"),
        (correlations(population, drivers(population)), "partial_rho"),
    ):
        # The largest of 6000 standard normal deviates lies below 5.
        assert np.abs(of_pairs(found, pairs) - pairs[truth]).max() < 5 / np.sqrt(n)
    listed = np.zeros(found.shape, dtype=bool)
    listed[found.index.get_indexer(pairs["feature"]), found.columns.get_indexer(pairs["gene"])] = (
        True
    )
    rest = found.to_numpy()[~listed]
    assert np.abs(rest).max() < 5.5 / np.sqrt(n)
    assert np.mean(rest**2) == pytest.approx(1 / n, rel=0.1)


def test_sets_have_their_stated_mean_correlation(population) -> None:
    found = correlations(population)
    given = correlations(population, drivers(population))
    sets = population.sets
    assert set(sets["share"]) == {0.5, 1.0}
    for (feature, name), row in sets.set_index(["feature", "set"]).iterrows():
        genes = list(population.gene_sets[name])
        assert found.loc[feature, genes].mean() == pytest.approx(row["rho"], abs=5 / np.sqrt(4000))
        expected = pytest.approx(row["partial_rho"], abs=5 / np.sqrt(4000))
        assert given.loc[feature, genes].mean() == expected


def test_variances_blocks_and_pathways_are_as_designed(population) -> None:
    features = population.features.to_numpy()
    genes = (population.genes - population.genes.mean()).to_numpy() / 0.8
    tolerance = 6 * np.sqrt(2 / 4000)
    np.testing.assert_allclose(features.var(axis=0), 1, atol=tolerance)
    np.testing.assert_allclose(genes.var(axis=0), 1, atol=tolerance)
    # Given the covariates a block that none drives keeps its correlation, as does a pathway.
    block = population.features.iloc[:, 6:12]
    inside = correlations(replace(population, features=block, genes=block), drivers(population))
    off = np.abs(inside.to_numpy()[np.triu_indices(6, 1)])
    np.testing.assert_allclose(off, SMALL.block_correlation, atol=0.03)
    pathway = population.genes.iloc[:, 15:30]
    inside = correlations(replace(population, features=pathway, genes=pathway), drivers(population))
    off = inside.to_numpy()[np.triu_indices(15, 1)]
    # A pair of genes also shares what all genes share, at most background_share each way.
    assert off.mean() == pytest.approx(SMALL.gene_correlation, abs=0.04)
    assert np.abs(off - SMALL.gene_correlation).max() < SMALL.background_share + 0.04
    beyond = population.genes.iloc[:, 300:400]
    inside = correlations(replace(population, features=beyond, genes=beyond), drivers(population))
    # Correlation of two random directions of 5 factors has mean square 1/5.
    off = inside.to_numpy()[np.triu_indices(100, 1)]
    assert np.mean(off**2) == pytest.approx(SMALL.background_share**2 / 5 + 1 / 4000, rel=0.15)


def test_what_volume_drives_goes_with_log_volume_and_not_with_raw_volume(population) -> None:
    driven = population.pairs.query("volume_driven & spurious")
    assert np.abs(driven["rho"]).mean() > 0.2
    assert (driven["partial_rho"] == 0).all()
    raw = np.column_stack([population.covariates["volume"], drivers(population)[:, 1:]])
    assert np.abs(of_pairs(correlations(population, raw), driven)).mean() > 0.1
    ranked = replace(
        population,
        features=population.features.apply(rankdata),
        genes=population.genes.apply(rankdata),
    )
    given = drivers(population)
    given[:, :2] = np.apply_along_axis(rankdata, 0, given[:, :2])
    left = of_pairs(correlations(ranked, given), driven) * np.sign(driven["rho"])
    assert left.mean() == pytest.approx(0.006, abs=0.006)


def test_small_cohorts_have_the_planted_correlations_on_average() -> None:
    world = link_world(SMALL, rng=np.random.default_rng(5))
    kinds = world.pairs.groupby(["planted", "volume_driven", "purity_driven"]).indices
    assert len(kinds) == 4
    found = {(kind, truth): [] for kind in kinds for truth in ("rho", "partial_rho")}
    for seed in range(50):
        cohort = world.cohort(100, rng=np.random.default_rng([6, seed]))
        sign = np.sign(cohort.pairs["rho"]).to_numpy()
        for truth, given in (("rho", None), ("partial_rho", drivers(cohort))):
            r = of_pairs(correlations(cohort, given), cohort.pairs)
            excess = (r - cohort.pairs[truth].to_numpy()) * sign
            for kind, places in kinds.items():
                found[kind, truth].append(excess[places].mean())
    for excesses in found.values():
        error = np.std(excesses, ddof=1) / np.sqrt(50)
        # Pearson's r is too small by r (1 − r²) / 2n, at most 0.002 here.
        assert abs(np.mean(excesses)) < 4 * error + 0.002


@pytest.mark.parametrize("site", [0.0, 0.3])
def test_a_null_world_has_no_link(site: float) -> None:
    design = replace(NULL, site_on_features=site, site_on_genes=site)
    world = link_world(design, rng=np.random.default_rng(7))
    assert world.pairs.empty and world.sets.empty
    squares, crude = [], []
    for seed in range(30):
        cohort = world.cohort(80, rng=np.random.default_rng([8, seed]))
        squares.append(np.mean(correlations(cohort, drivers(cohort)).to_numpy() ** 2))
        crude.append(np.mean(correlations(cohort).to_numpy() ** 2))
    # Expected square of a null correlation with n − 1 and with four degrees of freedom fewer.
    assert np.mean(squares) == pytest.approx(1 / 75, abs=4 * np.std(squares) / np.sqrt(30))
    shifts = world.structure.feature_shift @ world.structure.gene_shift.T / SMALL.sites
    expected = 1 / 79 + np.mean(shifts**2)
    assert np.mean(crude) == pytest.approx(expected, abs=4 * np.std(crude) / np.sqrt(30))


def test_a_second_cohort_has_the_same_truth_and_other_patients() -> None:
    world = link_world(SMALL, rng=np.random.default_rng(9))
    first = world.cohort(400, rng=np.random.default_rng(10))
    second = world.cohort(300, rng=np.random.default_rng(11), prefix="REP")
    pd.testing.assert_frame_equal(first.pairs, second.pairs)
    assert not set(first.features.index) & set(second.features.index)
    planted = first.pairs.query("planted and not volume_driven and abs(partial_rho) > 0.25")
    r = [of_pairs(correlations(c, drivers(c)), planted) for c in (first, second)]
    assert len(planted) > 100
    assert np.mean(np.sign(r[0]) == np.sign(r[1])) > 0.98
    assert np.corrcoef(*r)[0, 1] > 0.9
    again = link_world(SMALL, rng=np.random.default_rng(9)).cohort(
        400, rng=np.random.default_rng(10)
    )
    pd.testing.assert_frame_equal(first.genes, again.genes, check_exact=True)
    pd.testing.assert_frame_equal(first.features, again.features, check_exact=True)


def test_sets_are_made_of_what_their_names_say(population) -> None:
    sets, genes = population.gene_sets, list(population.genes.columns)
    assert len(sets) == 12 + 13 + 5
    in_pathways = set(genes[: 12 * 15])
    assert sets["PATHWAY_002"] == tuple(genes[15:30])
    # The thirteenth begins with the first pathway again.
    for number, pathway in ((1, "PATHWAY_001"), (12, "PATHWAY_012"), (13, "PATHWAY_001")):
        members = sets[f"OVERLAPPING_{number:03d}"]
        assert len(set(members)) == 16
        assert len(set(members) & set(sets[pathway])) == len(set(members) & in_pathways) == 8
    for number in range(1, 6):
        members = sets[f"UNRELATED_{number:03d}"]
        assert 10 <= len(set(members)) == len(members) <= 200
        assert not set(members) & in_pathways


def test_the_default_world_has_the_size_of_a_study_and_looks_like_log2_expression() -> None:
    cohort = link_world(LinkDesign(), rng=np.random.default_rng(0)).cohort(
        130, rng=np.random.default_rng(1)
    )
    assert cohort.features.shape == (130, 1316)
    assert cohort.genes.shape == (130, 20_000)
    assert cohort.genes.min().min() > 0 and cohort.genes.max().max() < 20
    assert (
        cohort.covariates["purity"].between(0, 1).all() and (cohort.covariates["volume"] > 0).all()
    )
    assert cohort.covariates["site"].nunique() == 3
    assert "SIMULATED" in repr(cohort)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"links": (PlantedLink(0, 0, 1.2),)}, "with a correlation"),
        ({"links": (PlantedLink(0, 0, 0.2), PlantedLink(1, 0, 0.2))}, "one link at most"),
        ({"links": (PlantedLink(10, 0, 0.2),)}, r"block from 0 to 9; found \[10\]"),
        ({"volume_pathways": (-1,)}, r"pathway from 0 to 11; found \[-1\]"),
        ({"purity_blocks": (4,), "purity_on_features": 0.5}, "sum to less than 1"),
        ({"site_on_genes": 1.0}, "sum to less than 1"),
        ({"sites": 1}, "single site"),
        ({"blocks": 61}, "60 features, 61 blocks"),
        ({"genes": 300}, "at least 380 genes"),
        ({"gene_correlation": 0.95}, "below 1"),
        ({"unrelated_sets": -1}, "numbers of gene sets"),
    ],
)
def test_a_world_that_cannot_be_is_refused(changes, message) -> None:
    with pytest.raises(DataError, match=message):
        replace(SMALL, **changes)


def test_one_patient_and_one_site() -> None:
    alone = replace(SMALL, sites=1, site_on_features=0.0, site_on_genes=0.0)
    world = link_world(alone, rng=np.random.default_rng(0))
    with pytest.raises(DataError, match="at least 2 patients; found 1"):
        world.cohort(1, rng=np.random.default_rng(0))
    cohort = world.cohort(4000, rng=np.random.default_rng(1))
    worst = np.abs(of_pairs(correlations(cohort), cohort.pairs) - cohort.pairs["rho"]).max()
    assert worst < 5 / np.sqrt(4000)
