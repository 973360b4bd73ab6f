from __future__ import annotations

import numpy as np
import pytest
from lifelines.statistics import multivariate_logrank_test
from numpy.testing import assert_allclose
from scipy.stats import chi2

from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.stats.survival.logrank import logrank
from radiogenomics.stats.survival.weighted_logrank import WEIGHTS, logrank_trend, weighted_logrank

EXPONENTS = {"rho": 0.5, "gamma": 1.5}


def options(weight: str) -> dict[str, float]:
    return EXPONENTS if weight == "fleming-harrington" else {}


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("rho", ["0", "0.5", "1", "2"])
def test_matches_r_survdiff(rho, stratified, patients, values):
    model = f"survdiff_{rho}" + ("_strata" if stratified else "")
    data = patients["time"], patients["event"], patients["group"]
    chosen = {
        "weight": "fleming-harrington",
        "rho": float(rho),
        "strata": patients["stratum"] if stratified else None,
    }
    found = weighted_logrank(*data, **chosen)
    expected = values("weighted_logrank", model, "statistic")[0]
    assert found.statistic == pytest.approx(expected, rel=1e-10)
    assert found.p == pytest.approx(chi2.sf(expected, 3), rel=1e-9)
    assert_allclose(found.observed, values("weighted_logrank", model, "observed"), rtol=1e-11)
    assert_allclose(found.expected, values("weighted_logrank", model, "expected"), rtol=1e-11)
    trend = logrank_trend(*data, **chosen)
    assert trend.z == pytest.approx(values("weighted_logrank", model, "trend_z")[0], rel=1e-9)
    spaced = logrank_trend(*data, scores={1: 0, 2: 1, 3: 4, 4: 5}, **chosen)
    assert spaced.z == pytest.approx(values("weighted_logrank", model, "spaced_z")[0], rel=1e-9)


@pytest.mark.parametrize("weight", ["gehan", "tarone-ware", "peto", "fleming-harrington"])
def test_deviations_match_the_scores_of_r_coin(weight, patients, values):
    found = weighted_logrank(
        patients["time"], patients["event"], patients["group"], weight=weight, **options(weight)
    )
    gap = values("weighted_logrank", f"coin_{weight}", "gap")
    assert_allclose(found.observed - found.expected, gap, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("weight", WEIGHTS)
def test_matches_tables_summed_by_hand_in_r(weight, stratified, patients, values):
    model = f"hand_{weight}" + ("_strata" if stratified else "")
    strata = patients["stratum"] if stratified else None
    data = patients["time"], patients["event"], patients["group"]
    found = weighted_logrank(*data, weight=weight, strata=strata, **options(weight))
    expected = values("weighted_logrank", model, "statistic")[0]
    assert found.statistic == pytest.approx(expected, rel=1e-10)
    gap = values("weighted_logrank", model, "gap")
    assert_allclose(found.observed - found.expected, gap, rtol=1e-9, atol=1e-10)
    trend = logrank_trend(*data, weight=weight, strata=strata, **options(weight))
    assert trend.z == pytest.approx(values("weighted_logrank", model, "trend_z")[0], rel=1e-9)


@pytest.mark.parametrize(
    ("weight", "theirs"),
    [
        ("gehan", {"weightings": "wilcoxon"}),
        ("tarone-ware", {"weightings": "tarone-ware"}),
        ("peto", {"weightings": "peto"}),
        ("fleming-harrington", {"weightings": "fleming-harrington", "p": 0.5, "q": 1.5}),
    ],
)
def test_agrees_with_lifelines(weight, theirs, patients):
    found = weighted_logrank(
        patients["time"], patients["event"], patients["group"], weight=weight, **options(weight)
    )
    other = multivariate_logrank_test(
        patients["time"], patients["group"], patients["event"], **theirs
    )
    assert found.statistic == pytest.approx(other.test_statistic, rel=1e-9)


def test_weight_one_is_the_logrank_test(patients):
    data = patients["time"], patients["event"], patients["group"]
    found, plain = weighted_logrank(*data, weight="logrank"), logrank(*data)
    assert found.statistic == pytest.approx(plain.statistic, rel=1e-12)
    assert_allclose(found.expected, plain.expected, rtol=1e-12)


def test_hand_calculation_of_gehan():
    # At t = 1, 2, 3 the first group has 2 of 4, 1 of 3, 0 of 2 at risk; weights 4, 3, 2:
    # O - E = 4 (1 - 1/2) + 3 (1 - 1/3) = 4, V = 16/4 + 9 * 2/9 = 6.
    found = weighted_logrank([1, 2, 3, 4], [1, 1, 1, 0], ["a", "a", "b", "b"], weight="gehan")
    assert found.statistic == pytest.approx(16 / 6)


def test_trend_of_two_groups_is_their_comparison_and_its_sign_follows_the_scores(patients):
    data = patients["time"], patients["event"], patients["x3"]
    trend = logrank_trend(*data)
    assert trend.statistic == pytest.approx(logrank(*data).statistic, rel=1e-10)
    turned = logrank_trend(*data, scores={0: 1.0, 1: 0.0})
    assert turned.z == pytest.approx(-trend.z)
    # Scores count by their spacing only.
    moved = logrank_trend(*data, scores={0: 105.0, 1: 112.0})
    assert moved.z == pytest.approx(trend.z, rel=1e-8)


@pytest.mark.parametrize("weight", WEIGHTS)
def test_size_of_the_test_is_its_level(weight):
    rng = np.random.default_rng(5)
    p, trend = [], []
    for _ in range(400):
        time, end = rng.exponential(10, 80), rng.uniform(2, 25, 80)
        data = np.minimum(time, end), time <= end, rng.integers(0, 3, 80)
        p.append(weighted_logrank(*data, weight=weight, **options(weight)).p)
        trend.append(logrank_trend(*data, weight=weight, **options(weight)).p)
    # Three standard errors of a share of 400.
    assert abs(np.mean(np.array(p) < 0.1) - 0.1) < 0.045
    assert abs(np.mean(np.array(trend) < 0.1) - 0.1) < 0.045


def test_late_weights_find_late_differences(rng):
    # Hazards part at 10 months.
    n = 400
    group = np.repeat([0, 1], n // 2)
    time = rng.exponential(12, n)
    late = time > 10
    time[late & (group == 1)] = 10 + (time[late & (group == 1)] - 10) / 4
    data = time, np.ones(n), group
    late_p = weighted_logrank(*data, weight="fleming-harrington", gamma=1.0).p
    assert late_p < weighted_logrank(*data, weight="gehan").p


def test_strata_of_one_and_groups_never_at_risk_add_nothing(patients):
    data = [patients[name].to_numpy() for name in ("time", "event", "group")]
    plain = weighted_logrank(*data, weight="peto", strata=np.zeros(len(patients)))
    alone = [np.append(column, value) for column, value in zip(data, (3, 1, 4), strict=True)]
    strata = np.append(np.zeros(len(patients)), 1)
    found = weighted_logrank(*alone, weight="peto", strata=strata)
    assert found.statistic == pytest.approx(plain.statistic, rel=1e-10)
    early = [np.append(column, value) for column, value in zip(data, (0, 0, 9), strict=True)]
    found = weighted_logrank(*early, weight="peto")
    assert (found.df, found.statistic) == (3, pytest.approx(plain.statistic, rel=1e-10))


def test_a_group_without_events_and_events_at_time_zero_are_counted():
    found = weighted_logrank([0, 0, 2, 5, 6, 7], [1, 1, 1, 0, 0, 0], list("aaabbb"))
    assert found.observed.tolist() == [16, 0] and np.isfinite(found.statistic)
    assert found.statistic == pytest.approx(
        multivariate_logrank_test(
            [0, 0, 2, 5, 6, 7], list("aaabbb"), [1, 1, 1, 0, 0, 0], weightings="wilcoxon"
        ).test_statistic
    )


def test_bad_input_says_what_is_expected(patients):
    data = patients["time"], patients["event"], patients["group"]
    with pytest.raises(UnknownNameError, match="tarone-ware"):
        weighted_logrank(*data, weight="tarone")
    with pytest.raises(DataError, match="rho and gamma"):
        weighted_logrank(*data, weight="peto", rho=1)
    with pytest.raises(DataError, match="rho and gamma"):
        weighted_logrank(*data, weight="fleming-harrington", gamma=-1)
    with pytest.raises(OutcomeError, match="at least one event"):
        weighted_logrank(patients["time"], np.zeros(len(patients)), patients["group"])
    with pytest.raises(DataError, match="scores for groups that are not numbers"):
        logrank_trend([1, 2, 3], [1, 1, 1], ["a", "b", "b"])
    with pytest.raises(DataError, match="finite score for every group"):
        logrank_trend(*data, scores={1: 0, 2: 1})
    with pytest.raises(DataError, match="differ in their score"):
        logrank_trend(*data, scores=dict.fromkeys([1, 2, 3, 4], 2.0))
    # Each group a stratum of its own: nothing is compared.
    with pytest.raises(DataError, match="cannot be compared"):
        logrank_trend(*data, strata=patients["group"])


def test_fewer_than_two_groups_at_risk_warn(patients):
    for data in (
        (patients["time"], patients["event"], patients["x3"] * 0),
        ([1, 1, 5, 6], [0, 0, 1, 1], list("aabb")),
    ):
        with pytest.warns(RadiogenomicsWarning, match="two or more groups at risk"):
            assert np.isnan(weighted_logrank(*data).p)
