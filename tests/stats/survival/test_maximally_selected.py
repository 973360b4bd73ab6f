"""Cut-points, scores and searches against maxstat, coin and plain loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binomtest, rankdata

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.stats.survival.maximally_selected import (
    P_METHODS,
    TIES,
    admissible_counts,
    logrank_scores,
    maximally_selected,
)
from radiogenomics.stats.survival.maximally_selected_p import whole_scores

SETS = ["plain", "tied", "few", "small", "DLBCL"]
KEYS = [*SETS, "wide", "wilcoxon", "binary"]


@pytest.fixture(scope="module")
def patients(table):
    rows = table("maximally_selected_input")
    return lambda name: rows[rows["set"] == name].reset_index(drop=True)


@pytest.fixture(scope="module")
def expected(values):
    return lambda model, name: values("maximally_selected", model, name)


@pytest.fixture(scope="module")
def case(patients):
    """Covariate, scores and shares of one of the cases of the R script."""

    def make(key):
        if key == "wilcoxon":
            own = patients("tied")
            return own["x"], rankdata(own["time"]), {}
        own = patients("plain" if key in ("wide", "binary") else key)
        scores = own["class"] if key == "binary" else logrank_scores(own["time"], own["event"])
        return own["x"], scores, {"minprop": 0.02, "maxprop": 0.75} if key == "wide" else {}

    return make


@pytest.mark.parametrize("key", KEYS)
def test_statistics_and_cutpoints_are_those_of_maxstat(key, case, expected):
    x, scores, shares = case(key)
    found = maximally_selected(x, scores, **shares)
    assert found.statistic == pytest.approx(expected(key, "statistic")[0], rel=1e-12)
    assert found.cutoff == expected(key, "cutoff")[0]
    assert_allclose(np.abs(found.standardised), expected(key, "statistics"), rtol=1e-10, atol=1e-12)
    assert found.cutoffs.tolist() == expected(key, "cutoffs").tolist()
    assert found.counts.tolist() == [(x <= cut).sum() for cut in found.cutoffs]


@pytest.mark.parametrize("key", KEYS)
def test_analytic_p_values_are_those_of_maxstat(key, case, expected):
    x, scores, shares = case(key)
    for method, name, rel in [
        ("lausen-schumacher", "Lau92", 1e-12),
        ("improved-bonferroni", "Lau94", 1e-12),
        ("gaussian", "simpson", 1e-7),
    ]:
        found = maximally_selected(x, scores, method=method, **shares)
        assert found.p == pytest.approx(expected(key, name)[0], rel=rel)
        assert found.p_interval is None
    # Of pmvnorm, whose error is its own estimate.
    p, error = expected(key, "exactGauss")
    assert found.p == pytest.approx(p, abs=2 * error)


def test_few_cutpoints_match_pmvnorm_to_the_digit(case, expected):
    x, scores, _ = case("few")
    assert maximally_selected(x, scores).p == pytest.approx(expected("few", "Miwa")[0], rel=1e-9)


@pytest.mark.parametrize("key", ["few", "small", "DLBCL", "binary"])
def test_permutation_p_agrees_with_maxstat_and_the_exact_one(key, case, expected, rng):
    x, scores, shares = case(key)
    found = maximally_selected(
        x, scores, method="permutation", n_permutations=20_000, rng=rng, **shares
    )
    theirs = expected(key, "condMC")[0]
    # They count what is larger than the statistic only, which differs where sums repeat.
    spread = np.sqrt(theirs * (1 - theirs) * (1 / 20_000 + 1 / 100_000))
    if key == "binary":
        assert found.p >= theirs - 4 * spread
    else:
        assert abs(found.p - theirs) < 4 * spread + 0.005 * (key == "small")
    assert found.p_interval.low < found.p < found.p_interval.high
    if key in ("small", "binary"):
        exact = maximally_selected(x, scores, method="exact", **shares).p
        assert abs(found.p - exact) < 4 * np.sqrt(exact * (1 - exact) / 20_000)


def test_bound_by_two_sample_distributions_is_that_of_maxstat(case, expected):
    x, scores, _ = case("small")
    assert_allclose(whole_scores(scores[np.argsort(x)]), expected("small", "whole"), rtol=0, atol=0)
    found = maximally_selected(x, scores, method="hothorn-lausen")
    # They leave out that the two lowest of twelve scores come first: 1 of 66.
    assert found.p == pytest.approx(expected("small", "HL")[0] + 1 / 66, rel=1e-10)
    exact = maximally_selected(x, whole_scores(scores), method="exact")
    assert exact.statistic == pytest.approx(expected("small", "HL_statistic")[0], rel=1e-12)
    assert exact.p <= found.p


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("name", ["plain", "tied", "DLBCL"])
def test_scores_are_those_of_coin(name, ties, patients, expected):
    own = patients(name)
    found = logrank_scores(own["time"], own["event"], ties=ties)
    assert_allclose(found, expected(f"scores_{name}", ties), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["plain", "tied", "DLBCL"])
def test_standardised_statistics_are_those_of_coin(name, patients, expected):
    own = patients(name)
    scores = logrank_scores(own["time"], own["event"], ties="mid-ranks")
    found = maximally_selected(own["x"], scores).standardised
    theirs = expected(f"coin_{name}", "standardized")
    # Their rule of shares may leave out a cut-point at either end.
    first = int(np.argmin(np.abs(found - theirs[0])))
    assert found.size - theirs.size <= 2
    assert_allclose(found[first : first + theirs.size], theirs, rtol=1e-10, atol=1e-12)


def test_strata_are_those_of_coin(patients, expected, rng):
    own = patients("tied")
    scores = logrank_scores(own["time"], own["event"], ties="mid-ranks", strata=own["stratum"])
    assert_allclose(scores, expected("coin_strata", "scores"), rtol=1e-10, atol=1e-12)
    found = maximally_selected(
        own["x"], scores, strata=own["stratum"], method="permutation", rng=rng
    )
    # Theirs is of the patients below.
    theirs = -expected("coin_strata", "standardized")
    first = int(np.argmin(np.abs(found.standardised - theirs[0])))
    assert found.standardised.size - theirs.size <= 2
    assert_allclose(found.standardised[first : first + theirs.size], theirs, rtol=1e-10, atol=1e-12)
    p = expected("coin_strata", "p")[0]
    assert abs(found.p - p) < 4 * np.sqrt(p * (1 - p) * (1 / 9999 + 1 / 100_000))


def test_a_stratum_that_explains_all_leaves_nothing(rng):
    site = np.repeat([0, 1], 40)
    x = site + rng.normal(0, 0.05, 80)
    y = 3.0 * site + rng.normal(size=80)
    apart = maximally_selected(x, y)
    within = maximally_selected(x, y, strata=site, method="permutation", rng=rng)
    assert apart.p < 1e-6
    assert within.p > 0.01


def test_plain_loop_over_cutpoints(rng):
    x, scores = rng.integers(0, 9, 40), rng.normal(size=40)
    found = maximally_selected(x, scores)
    for cut, count, z in zip(found.cutoffs, found.counts, found.standardised, strict=True):
        above = x > cut
        assert count == 40 - above.sum()
        mean = scores.mean() * above.sum()
        variance = above.sum() * (~above).sum() / 39 * scores.var()
        assert z == pytest.approx((scores[above].sum() - mean) / np.sqrt(variance), rel=1e-10)


def test_a_late_rise_is_found(rng):
    x = rng.uniform(size=300)
    time = rng.exponential(np.where(x > 0.7, 8, 30))
    found = maximally_selected(x, logrank_scores(time, np.ones(300)))
    assert found.cutoff == pytest.approx(0.7, abs=0.05)
    assert found.p < 1e-6
    assert found.standardised[found.cutoffs == found.cutoff][0] > 0
    # Turned, the same cut-point from the other side.
    turned = maximally_selected(-x, logrank_scores(time, np.ones(300)))
    assert turned.statistic == pytest.approx(found.statistic, rel=1e-10)
    assert -turned.cutoff == x[x > found.cutoff].min()


@pytest.mark.parametrize("method", ["gaussian", "permutation", "improved-bonferroni"])
def test_the_level_is_held_where_nothing_is_to_be_found(method, rng):
    rejected = 0
    for _ in range(400):
        x, time = rng.normal(size=50), rng.exponential(size=50)
        event = rng.uniform(size=50) < 0.6
        more = {"rng": rng, "n_permutations": 199} if method == "permutation" else {}
        scores = logrank_scores(time, event)
        rejected += maximally_selected(x, scores, method=method, **more).p <= 0.05
    assert binomtest(rejected, 400, 0.05, alternative="greater").pvalue > 0.001
    if method == "permutation":
        assert binomtest(rejected, 400, 0.05).pvalue > 0.001


def test_the_same_seed_gives_the_same_p(case):
    x, scores, _ = case("plain")
    found = {
        maximally_selected(x, scores, method="permutation", rng=np.random.default_rng(5)).p
        for _ in range(2)
    }
    assert len(found) == 1


def test_shares_of_the_ends_leave_one_patient():
    x = np.array([1.0, 2.0, 2.0, 3.0, 9.0])
    assert admissible_counts(x, minprop=0.0, maxprop=1.0).tolist() == [1, 3, 4]
    assert admissible_counts(x, minprop=0.5, maxprop=0.7).tolist() == [3]
    assert admissible_counts(np.ones(5), minprop=0.0, maxprop=1.0).size == 0
    with pytest.raises(DataError, match="write 0.1 for"):
        admissible_counts(x, minprop=10, maxprop=90)


@pytest.mark.parametrize("method", [m for m in P_METHODS if m != "permutation"])
def test_strata_need_permutations(method):
    with pytest.raises(DataError, match="knows no strata"):
        maximally_selected([1, 2, 3, 4], [1, 2, 3, 5], strata=[0, 1, 0, 1], method=method)


@pytest.mark.parametrize(
    ("x", "scores", "settings", "message"),
    [
        ([1, 2, 3], [1, 2], {}, "one a patient"),
        ([1, 2, np.nan], [1, 2, 3], {}, "none missing"),
        ([1, 2, 3], [1, np.inf, 3], {}, "finite scores"),
        ([1], [1], {}, "two patients"),
        (["a", "b"], [1, 2], {}, "as numbers"),
        ([4, 4, 4], [1, 2, 3], {}, "1 distinct values of 3"),
        ([1, 1, 1, 2], [1, 2, 3, 4], {"maxprop": 0.5}, "widen the shares"),
        ([1, 2, 3, 4], [2, 2, 2, 2], {}, "scores that vary"),
        ([1, 2, 3, 4], [1, 2, 3, 4], {"method": "permutation"}, "expected rng"),
        ([1, 2, 3, 4], [1, 2, 3, 4], {"strata": [1, 2]}, "one stratum per patient"),
        ([1, 2, 3, 4], [1, 2, 3, 4], {"minprop": 0, "method": "lausen-schumacher"}, "minprop"),
    ],
    ids=str,
)
def test_what_cannot_be_analysed_is_named(x, scores, settings, message):
    with pytest.raises(DataError, match=message):
        maximally_selected(x, scores, **settings)


def test_words_that_are_not_known_are_named():
    with pytest.raises(UnknownNameError, match="gaussian"):
        maximally_selected([1, 2], [1, 2], method="gauss")
    with pytest.raises(UnknownNameError, match="mid-ranks"):
        logrank_scores([1, 2], [1, 1], ties="midranks")
    with pytest.raises(OutcomeError, match="at least one event"):
        logrank_scores([1, 2], [0, 0])


def test_scores_add_up_to_nothing_and_strata_are_apart(rng):
    time, event = rng.integers(1, 12, 60), rng.uniform(size=60) < 0.6
    site = rng.integers(0, 3, 60)
    for ties in ("mid-ranks", "average-scores"):
        assert logrank_scores(time, event, ties=ties).sum() == pytest.approx(0, abs=1e-10)
    scores = logrank_scores(time, event, strata=site)
    assert_allclose(scores[site == 1], logrank_scores(time[site == 1], event[site == 1]))
    assert pd.Series(scores).notna().all()
