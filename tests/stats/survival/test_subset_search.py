from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.survival.cox import fit_cox, fit_cox_batch
from radiogenomics.stats.survival.subset_newton import gain_bound
from radiogenomics.stats.survival.subset_search import best_subsets
from radiogenomics.stats.survival.subset_validation import choose_subset_size, left_out_concordance

GENES = [f"g{i}" for i in range(1, 13)]
TIES = pytest.mark.parametrize("ties", ["efron", "breslow"])


@pytest.fixture(scope="module")
def cohorts(table):
    return table("subset_search_input")


@pytest.fixture(scope="module")
def given(cohorts):
    return (
        cohorts[GENES].to_numpy(),
        cohorts["time"].to_numpy(),
        cohorts["event"].to_numpy(),
        cohorts["cohort"].to_numpy(),
    )


def simulated(rng, *, genes, per_cohort=100, effect=0.5, programme=0.6):
    """Three cohorts; genes 3 and 7 carry the risk, a fifth of all share a programme."""
    n = 3 * per_cohort
    shared = rng.normal(size=(n, 1)) * (np.arange(genes) < genes // 5)
    x = programme * shared + np.sqrt(1 - programme**2) * rng.normal(size=(n, genes))
    cohort = np.repeat([0, 1, 2], per_cohort)
    death = rng.exponential(40 / (1 + cohort) * np.exp(-effect * (x[:, 3] + x[:, 7])))
    end = rng.exponential(60, size=n)
    return x, np.ceil(np.minimum(death, end)), death <= end, cohort


def brute_force(x, time, event, cohort, *, size, ties="efron"):
    subsets = np.array(list(combinations(range(x.shape[1]), size)))
    fit = fit_cox_batch(x[:, subsets].transpose(1, 0, 2), time, event, strata=cohort, ties=ties)
    order = np.argsort(-fit.log_likelihood, kind="stable")
    return subsets[order], fit.log_likelihood[order]


@TIES
@pytest.mark.parametrize("size", [2, 3])
def test_ranking_is_that_of_r_coxph_over_all_subsets(size, ties, given, values):
    x, time, event, cohort = given
    found = best_subsets(x, time, event, strata=cohort, max_size=size, keep=20, ties=ties)
    level, model = found.levels[-1], f"size_{size}_{ties}"
    assert level.exhaustive and level.size == size
    for name, tolerance in (("log_likelihood", 1e-12), ("coef", 1e-8), ("se", 1e-8)):
        reference = values("subset_search", model, name)
        assert_allclose(getattr(level, name).ravel(), reference, rtol=tolerance)
    assert_array_equal(level.subsets.ravel(), values("subset_search", model, "subset"))
    assert found.null_log_likelihood < level.log_likelihood[-1]


@pytest.mark.parametrize("effect", [0.0, 0.3, 0.8])
def test_bounds_lose_nothing_that_fitting_every_subset_finds(effect, rng):
    x, time, event, cohort = simulated(rng, genes=30, per_cohort=60, effect=effect)
    x[:, 11] = np.round(np.exp(2 * x[:, 11]))
    found = best_subsets(x, time, event, strata=cohort, keep=5)
    for size in (2, 3):
        subsets, value = brute_force(x, time, event, cohort, size=size)
        level = found.levels[size - 1]
        assert_array_equal(level.subsets, subsets[:5])
        assert_allclose(level.log_likelihood, value[:5], rtol=1e-12)
    assert found.levels[2].looked_at == 30 * 29 * 28 / 6
    # Proof, not fitting, is what most triples get.
    assert found.levels[2].fitted < found.levels[2].looked_at / 2


def test_beyond_the_exhaustive_size_triples_hold_one_of_the_best_pairs(rng):
    x, time, event, cohort = simulated(rng, genes=25, per_cohort=60)
    found = best_subsets(x, time, event, strata=cohort, keep=30, beam=4, exhaustive=10, max_size=3)
    pairs = [set(pair) for pair in found.levels[1].subsets[:30].tolist()]
    level = found.levels[2]
    assert not level.exhaustive and found.levels[1].exhaustive
    subsets, value = brute_force(x, time, event, cohort, size=3)
    kept = np.array([any(pair <= set(triple) for pair in pairs) for triple in subsets.tolist()])
    assert_array_equal(level.subsets, subsets[kept][:30])


def test_planted_pair_is_found_among_forty_thousand(rng):
    x, time, event, cohort = simulated(rng, genes=300, per_cohort=120)
    found = best_subsets(x, time, event, strata=cohort, max_size=2)
    assert found.levels[1].subsets[0].tolist() == [3, 7]
    assert found.levels[1].looked_at == 300 * 299 / 2
    sizes = choose_subset_size(x, time, event, strata=cohort, max_size=2)
    assert sizes.size == 2
    assert_array_equal(sizes.subsets[1], [[3, 7]] * 3)


def test_a_null_world_rewards_no_size(rng):
    x, time, event, cohort = simulated(rng, genes=100, effect=0.0)
    sizes = choose_subset_size(x, time, event, strata=cohort, max_size=2)
    assert abs(sizes.mean - 0.5).max() < 0.06
    # What the search itself finds looks like something.
    best = best_subsets(x, time, event, strata=cohort, max_size=2).levels[1]
    seen = left_out_concordance(x, time, event, subsets=best.subsets[:1], strata=cohort)
    assert seen.mean() > sizes.mean[1] + 0.03


@TIES
def test_left_out_cohorts_match_r(ties, given, values):
    x, time, event, cohort = given
    sizes = choose_subset_size(x, time, event, strata=cohort, ties=ties)
    assert sizes.folds.tolist() == ["a", "b", "c"]
    for at, label in enumerate(sizes.folds):
        model = f"without_{label}_{ties}"
        for size in (1, 2, 3):
            expected = values("subset_search", model, f"subset_{size}")
            assert_array_equal(sizes.subsets[size - 1][at], expected)
        expected = values("subset_search", model, "concordance")
        assert_allclose(sizes.concordance[:, at], expected, rtol=1e-12)
    se = sizes.concordance.std(axis=1, ddof=1) / np.sqrt(3)
    assert_allclose(sizes.se, se, rtol=1e-12)

    fixed = left_out_concordance(x, time, event, subsets=sizes.subsets[1], strata=cohort, ties=ties)
    assert_allclose(np.diagonal(fixed), sizes.concordance[1], rtol=1e-12)


def test_the_size_falls_short_of_the_best_by_at_most_one_standard_error(rng):
    x, time, event, cohort = simulated(rng, genes=20, per_cohort=60)
    found = choose_subset_size(x, time, event, strata=cohort, max_size=3)
    best = int(found.mean.argmax())
    assert found.best_size == best + 1
    # A level that all sizes of a fold share says nothing of which size is best.
    short = (found.concordance[best] - found.concordance).T
    assert_allclose(found.shortfall, short.mean(axis=0), rtol=1e-12)
    assert_allclose(found.shortfall_se, np.std(short, axis=0, ddof=1) / np.sqrt(3), rtol=1e-12)
    assert found.size == 1 + np.flatnonzero(found.shortfall <= found.shortfall_se)[0]


def test_folds_need_not_be_cohorts(given, rng):
    x, time, event, _ = given
    folds = rng.permutation(np.arange(time.size) % 4)
    sizes = choose_subset_size(x, time, event, folds=folds, max_size=2)
    assert sizes.concordance.shape == (2, 4)
    out = folds == 2
    pair = sizes.subsets[1][2]
    fit = fit_cox(x[~out][:, pair], time[~out], event[~out])
    expected = left_out_concordance(x, time, event, subsets=[pair], folds=folds)[0, 2]
    assert sizes.concordance[1, 2] == pytest.approx(expected, rel=1e-12)
    assert fit.converged


def test_bound_holds_where_the_likelihood_can_be_seen(rng):
    # One event, one stratum: log(sum of exponentials) along a line, from many starting points.
    x = rng.normal(size=(200, 12))
    grid = np.linspace(-30, 30, 4001)
    for row in x:
        value = row[0] * grid - np.log(np.exp(grid[:, None] * row).sum(axis=1))
        reach = np.ptp(row)
        for start in (-2.0, -0.5, 0.0, 0.7):
            share = np.exp(start * row) / np.exp(start * row).sum()
            gradient = row[0] - share @ row
            information = share @ row**2 - (share @ row) ** 2
            here = row[0] * start - np.log(np.exp(start * row).sum())
            most = gain_bound(
                np.array([abs(gradient) / np.sqrt(information)]),
                np.array([reach / np.sqrt(information)]),
            )
            assert value.max() <= here + most[0] + 1e-9


def test_bound_is_half_the_score_statistic_for_small_steps():
    decrement = np.array([1e-6, 1e-3, 0.019999, 0.020001, 0.5])
    k = np.ones(5)
    series = decrement**2 * sum(decrement**n / ((n + 1) * (n + 2)) for n in range(60))
    assert_allclose(gain_bound(decrement, k), series, rtol=1e-9)
    assert gain_bound(np.array([1.0, 3.0]), np.array([1.0, 1.0])).tolist() == [np.inf, np.inf]


def test_candidates_that_repeat_or_separate_are_kept_out(given):
    x, time, event, cohort = given
    early = time < 3
    odd = np.column_stack([x, 2 * x[:, 1] + 1, np.full(time.size, 4.0), early * event])
    with pytest.warns(RadiogenomicsWarning, match="2 of 15 candidates were left out"):
        found = best_subsets(odd, time, event, strata=cohort, keep=200)
    plain = best_subsets(x, time, event, strata=cohort, keep=200)
    shown = found.levels[1].subsets
    assert not (shown >= 13).any()
    assert [1, 12] not in shown.tolist()
    assert_allclose(
        found.levels[1].log_likelihood[0], plain.levels[1].log_likelihood[0], rtol=1e-12
    )


def test_bad_input_is_refused(given):
    x, time, event, cohort = given
    with pytest.raises(DataError, match="Put patients in rows"):
        best_subsets(x.T, time, event)
    hole = x.copy()
    hole[3, 4] = np.nan
    with pytest.raises(DataError, match="1 of 12 with missing .* position 4"):
        best_subsets(hole, time, event)
    with pytest.raises(OutcomeError, match="at least one event"):
        best_subsets(x, time, 0 * event)
    with pytest.raises(DataError, match="at most 1, 2 or 3"):
        best_subsets(x, time, event, max_size=4)
    with pytest.raises(DataError, match="at least 3 candidates"):
        best_subsets(x[:, :2], time, event)
    with pytest.raises(DataError, match="keep and beam"):
        best_subsets(x, time, event, keep=0)
    with pytest.raises(DataError, match="ties='efron'"):
        best_subsets(x, time, event, ties="exact")
    with pytest.raises(DataError, match="with a Cox model of their own; found 1"):
        best_subsets(np.column_stack([x[:, 0], np.ones(time.size)]), time, event, max_size=2)
    with pytest.raises(DataError, match="at least two folds"):
        choose_subset_size(x, time, event)
    with pytest.raises(DataError, match="order of survival is known; found none in True"):
        choose_subset_size(x, time, event, folds=np.arange(time.size) == np.argmax(event == 0))
    with pytest.raises(DataError, match="positions from 0 to 11"):
        left_out_concordance(x, time, event, subsets=[[3, 12]], strata=cohort)
