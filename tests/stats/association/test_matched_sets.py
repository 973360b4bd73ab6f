from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, chisquare

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association.gene_pool import GenesLeft, gene_pool, mean_pair_correlation
from radiogenomics.stats.association.matched_sets import matched_random_sets, random_sets
from radiogenomics.stats.association.units import unit_columns

GENES, BLOCK = 1200, 40


def transcriptome(
    rng: np.random.Generator, *, tight: float = 0.8, loose: float = 0.0
) -> np.ndarray:
    """Unit columns of 60 patients and genes in thirty blocks, the first tight, the last loose."""
    strength = np.repeat(np.linspace(tight, loose, GENES // BLOCK), BLOCK)
    common = np.repeat(rng.normal(size=(60, GENES // BLOCK)), BLOCK, axis=1)
    own = rng.normal(size=(60, GENES))
    return unit_columns(np.sqrt(strength) * common + np.sqrt(1 - strength) * own)


def pair_mean(units: np.ndarray, members: np.ndarray) -> float:
    r = np.corrcoef(units[:, members].T)
    return float(r[np.triu_indices(len(r), 1)].mean())


@pytest.mark.parametrize("size", [2, 5, 30])
def test_mean_of_pairs_is_that_of_the_matrix(size: int, rng) -> None:
    units = transcriptome(rng)
    sets = np.array([rng.choice(GENES, size, replace=False) for _ in range(6)])
    expected = [pair_mean(units, members) for members in sets]
    np.testing.assert_allclose(mean_pair_correlation(units, sets), expected, atol=1e-13)
    np.testing.assert_allclose(mean_pair_correlation(units, sets[0]), expected[0], atol=1e-13)


@pytest.mark.parametrize("size", [5, 20, 100])
@pytest.mark.parametrize("block", [4, 8, 20, 29])
def test_draws_have_the_size_and_the_correlation_of_the_set(size: int, block: int, rng) -> None:
    units = transcriptome(rng)
    inside = np.arange(block * BLOCK, block * BLOCK + min(size, BLOCK // 2))
    others = np.setdiff1d(np.arange(GENES), inside)
    members = np.r_[inside, rng.choice(others, size - inside.size, replace=False)]
    found = matched_random_sets(units, members, count=60, rng=rng)
    assert found.sets.shape == (60, size)
    assert not np.isin(found.sets, members).any()
    assert (np.diff(np.sort(found.sets, axis=1), axis=1) > 0).all()
    expected = [pair_mean(units, draw) for draw in found.sets]
    np.testing.assert_allclose(found.correlation, expected, atol=1e-12)
    assert found.target == pytest.approx(pair_mean(units, members), abs=1e-12)
    np.testing.assert_allclose(found.mismatch, found.correlation - found.target)
    inflation, wanted = (1 + (size - 1) * r for r in (found.correlation, found.target))
    assert np.abs(inflation / wanted - 1).max() < 0.05
    assert np.mean(np.abs(inflation / wanted - 1) < 0.02) > 0.9
    assert np.mean(inflation / wanted) == pytest.approx(1, abs=0.01)


def test_a_set_that_holds_all_that_goes_together_has_no_match_and_it_shows(rng) -> None:
    values = rng.normal(size=(50, 600))
    values[:, :30] += 3 * rng.normal(size=(50, 1))
    found = matched_random_sets(unit_columns(values), np.arange(30), count=20, rng=rng)
    assert found.target > 0.8 and (found.mismatch < -0.5).all()


def test_one_pool_serves_many_sets(rng) -> None:
    units = transcriptome(rng)
    pool = gene_pool(units, rng=rng)
    for block in (2, 10):
        members = np.arange(block * BLOCK, block * BLOCK + 15)
        found = matched_random_sets(pool, members, count=30, rng=rng)
        assert np.abs(found.mismatch).max() < 0.02
        assert not np.isin(found.sets, members).any()


def test_neighbours_are_the_nearest_genes(rng) -> None:
    units = transcriptome(rng)
    units[:, 700] = units[:, 3]
    pool = gene_pool(units, rng=rng, seeds=GENES, reach=7)
    r = units[:, pool.seeds].T @ units
    for seed, nearest, row in zip(pool.seeds, pool.nearest, r, strict=True):
        assert nearest[0] == seed
        best = np.sort(np.delete(row, seed))[::-1][:6]
        np.testing.assert_allclose(row[nearest[1:]], best, atol=1e-12)
    for nearest, tightness in zip(pool.nearest[:20], pool.tightness[:20], strict=True):
        expected = [1.0, *(pair_mean(units, nearest[:k]) for k in range(2, 8))]
        np.testing.assert_allclose(tightness, expected, atol=1e-12)


def test_strata_are_kept(rng) -> None:
    units = transcriptome(rng)
    strata = rng.integers(5, size=GENES)
    members = np.r_[np.arange(18), [500, 901]]
    counts = np.bincount(strata[members], minlength=5)
    pool = gene_pool(units, rng=rng, strata=strata)
    found = matched_random_sets(pool, members, count=40, rng=rng)
    plain = random_sets(members, genes=GENES, count=40, rng=rng, strata=strata)
    for draw in (*found.sets, *plain):
        np.testing.assert_array_equal(np.bincount(strata[draw], minlength=5), counts)
        assert np.unique(draw).size == members.size and not np.isin(draw, members).any()
    assert np.abs(found.mismatch).max() < 0.02


def test_random_sets_are_all_equally_likely() -> None:
    """Each pair of the six genes outside comes as often as any other."""
    draws = random_sets([1, 4], genes=8, count=15000, rng=np.random.default_rng(0))
    low, high = np.sort(draws, axis=1).T
    counts = np.unique(low * 8 + high, return_counts=True)[1]
    assert counts.size == 15 and chisquare(counts).pvalue > 0.01


def test_fixed_places_stay_and_the_others_differ_from_them() -> None:
    rest = GenesLeft.of(np.zeros(9, dtype=np.intp), np.array([0, 1]))
    places = np.tile([5, 6, -1, -1, -1, -1], (200, 1))
    filled = rest.filled(places, np.zeros_like(places), np.random.default_rng(1))
    assert (filled[:, :2] == [5, 6]).all()
    assert (np.sort(filled, axis=1)[:, 1:] > np.sort(filled, axis=1)[:, :-1]).all()
    assert set(filled.ravel()) == set(range(2, 9))


def test_draws_differ_from_each_other(rng) -> None:
    units = transcriptome(rng)
    found = matched_random_sets(units, np.arange(9 * BLOCK, 9 * BLOCK + 10), count=100, rng=rng)
    assert len({tuple(sorted(draw)) for draw in found.sets}) == 100
    assert np.unique(found.sets).size > 100


def test_the_same_seed_draws_the_same_sets(rng) -> None:
    units = transcriptome(rng)
    first, again = (
        matched_random_sets(units, np.arange(12), count=9, rng=np.random.default_rng(3)).sets
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


def test_sets_that_go_together_are_not_significant_against_matched_ones() -> None:
    """Features without any link: the mean correlation of a tight set, against either null."""
    tested, by_size, by_match = 0, 0, 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        units = transcriptome(rng, tight=0.5, loose=0.5)
        members = rng.choice(BLOCK, 20, replace=False)
        r = unit_columns(rng.normal(size=(60, 20))).T @ units
        mean = np.abs(r[:, members].mean(axis=1))
        loose = random_sets(members, genes=GENES, count=99, rng=rng)
        tight = matched_random_sets(units, members, count=99, rng=rng)
        by_size += ((np.abs(r[:, loose].mean(axis=2)) >= mean[:, None]).sum(axis=1) < 5).sum()
        by_match += ((np.abs(r[:, tight.sets].mean(axis=2)) >= mean[:, None]).sum(axis=1) < 5).sum()
        tested += 20
    assert by_size > 0.4 * tested
    assert by_match <= binom.ppf(0.999, tested, 0.05)


def test_effective_draws_are_counted(rng) -> None:
    units = transcriptome(rng)
    members = np.arange(20)
    found = matched_random_sets(units, members, count=50, rng=rng)
    means = units[:, found.sets].sum(axis=2)
    cosine = means.T @ means / np.outer(*2 * [np.sqrt((means**2).sum(axis=0))])
    assert found.effective == pytest.approx(2500 / (cosine**2).sum(), rel=1e-12)
    # Only what is left of the block itself is as tight.
    assert found.effective < 3
    loose = matched_random_sets(units, np.arange(GENES - 20, GENES), count=50, rng=rng)
    assert loose.effective > 5
    alone = matched_random_sets(units, members, count=1, rng=rng)
    assert alone.effective == pytest.approx(1)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([3], "expected 2 or more distinct positions"),
        ([3, 3], "distinct"),
        ([3, 1200], "below 1200"),
        ([-1, 3], "below 1200"),
        ([0.0, 1.0], "type float64"),
        ([[0, 1]], r"shape \(1, 2\)"),
        (np.arange(500), "2 times as many genes outside the set as its 500 genes; found 700"),
    ],
)
def test_sets_that_cannot_be_matched(members, message: str, rng) -> None:
    with pytest.raises(DataError, match=message):
        matched_random_sets(transcriptome(rng), members, count=5, rng=rng)


def test_other_bad_input_says_what_is_expected(rng) -> None:
    units = transcriptome(rng)
    with pytest.raises(DataError, match="columns of length 1; found 1 others, at positions 7"):
        gene_pool(np.where(np.arange(GENES) == 7, 2 * units, units), rng=rng)
    with pytest.raises(DataError, match="columns of length 1; found 1 others"):
        gene_pool(np.where(np.arange(GENES) == 7, np.nan, units), rng=rng)
    with pytest.raises(DataError, match="patients × genes"):
        gene_pool(units[0], rng=rng)
    for strata in ([0, 1], np.full(GENES, -1), np.full(GENES, 0.5)):
        with pytest.raises(DataError, match="a whole number from 0 for each of 1200 genes"):
            gene_pool(units, rng=rng, strata=strata)
    with pytest.raises(DataError, match="1 draw or more"):
        matched_random_sets(units, [0, 1], count=0, rng=rng)
    with pytest.raises(DataError, match="1 draw or more"):
        random_sets([0, 1], genes=9, count=0, rng=rng)
    with pytest.raises(DataError, match="seeds and reach"):
        gene_pool(units, rng=rng, seeds=0)
    with pytest.raises(DataError, match="1 times as many genes outside the set as its 5 genes"):
        random_sets(np.arange(5), genes=9, count=1, rng=rng)
    with pytest.raises(DataError, match="genes in stratum 1; found 1"):
        random_sets([0, 1], genes=6, count=1, rng=rng, strata=[1, 1, 1, 0, 0, 0])
    with pytest.raises(DataError, match="2 genes or more a set"):
        mean_pair_correlation(units, [3])
    pool = gene_pool(units, rng=rng, seeds=1)
    with pytest.raises(DataError, match="all 1 in it"):
        matched_random_sets(pool, np.r_[pool.seeds, (pool.seeds + 1) % GENES], count=1, rng=rng)
