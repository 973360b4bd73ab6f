"""Gray's test against cmprsk, the log-rank test it becomes, and its own null."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import kstest

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.survival.gray import gray_test
from radiogenomics.stats.survival.logrank import logrank

CASES = {
    "tied": ("time", "cause", "group", None),
    "exact": ("exact", "cause", "group", None),
    "extinct": ("exact", "extinct", "group", None),
    "tied_strata": ("time", "cause", "group", "stratum"),
    "two": ("time", "cause", "rim", None),
    "two_strata": ("exact", "cause", "rim", "group"),
}


@pytest.fixture(scope="module")
def patients(table):
    """Simulated, three causes."""
    return table("competing_risks_input")


@pytest.mark.parametrize("key", CASES)
@pytest.mark.parametrize("cause", [1, 2, 3])
def test_statistic_and_p_match_cmprsk(key, cause, patients, values):
    time, code, group, stratum = CASES[key]
    strata = None if stratum is None else patients[stratum]
    test = gray_test(patients[time], patients[code], patients[group], interest=cause, strata=strata)
    expected = values("competing_risks_gray", key, "statistic")[cause - 1]
    assert_allclose(test.statistic, expected, rtol=1e-11)
    assert_allclose(test.p, values("competing_risks_gray", key, "p")[cause - 1], rtol=1e-10)
    assert test.df == test.groups.size - 1
    assert test.score.sum() == pytest.approx(0, abs=1e-10)


def test_the_order_of_groups_does_not_matter(patients):
    first = gray_test(patients["time"], patients["cause"], patients["group"])
    renamed = patients["group"].map({"a": "z", "b": "b", "c": "a"})
    second = gray_test(patients["time"], patients["cause"], renamed)
    assert_allclose(second.statistic, first.statistic, rtol=1e-10)
    assert_allclose(second.score, first.score[[2, 1, 0]], rtol=1e-10)


def test_without_competing_failures_the_score_is_that_of_the_log_rank_test(patients):
    cause = (patients["cause"] == 1).astype(int)
    test = gray_test(patients["time"], cause, patients["group"])
    other = logrank(patients["time"], cause, patients["group"])
    assert_allclose(test.score, other.observed - other.expected, rtol=1e-10)
    assert test.statistic == pytest.approx(other.statistic, rel=0.05)


def test_p_values_are_uniform_where_groups_share_the_incidence(rng):
    ps = []
    for _ in range(400):
        group = rng.integers(0, 3, size=90)
        time, cause = rng.exponential(1, size=90), rng.integers(1, 3, size=90)
        left = rng.uniform(0.3, 3, size=90)
        cause[left < time] = 0
        ps.append(gray_test(np.minimum(time, left), cause, group).p)
    assert kstest(ps, "uniform").pvalue > 0.01


def test_finds_a_difference_and_its_direction(rng):
    group = np.repeat(["less", "more"], 150)
    cause = 1 + (rng.random(300) > np.where(group == "more", 0.7, 0.3))
    test = gray_test(rng.exponential(1, size=300), cause, group)
    assert test.p < 1e-6
    assert test.score[1] > 0
    assert gray_test(np.arange(300) + 1, cause, group, interest=2).score[1] < 0


def test_a_group_gone_before_the_first_failure_is_left_out(patients):
    base = gray_test(patients["time"], patients["cause"], patients["rim"])
    time = np.append(patients["time"], [0.1, 0.2])
    cause, group = np.append(patients["cause"], [0, 2]), np.append(patients["rim"], [9, 9])
    more = gray_test(time, cause, group)
    assert (more.df, more.groups.size) == (1, 3)
    assert_allclose(more.statistic, base.statistic, rtol=1e-10)
    assert more.score[2] == 0


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"group": ["a"] * 6}, DataError, "at least two groups .* found only a"),
        ({"group": ["a", "b"]}, DataError, "one group per patient"),
        ({"group": ["a", "b", None] * 2}, DataError, "1 missing|2 missing"),
        ({"cause": [0] * 6}, OutcomeError, "all 6 patients censored"),
        ({"interest": 3}, OutcomeError, "failed of cause 3; found only causes 1, 2"),
        ({"interest": 0}, OutcomeError, "failed of cause 0"),
        ({"strata": [1, 2]}, DataError, "one stratum per patient"),
        ({"strata": [1, 2, 3, 4, 5, 6]}, DataError, "at least two groups"),
        ({"cause": [1.5] * 6}, OutcomeError, "whole numbers"),
    ],
    ids=str,
)
def test_what_cannot_be_compared_is_refused(change, error, message):
    given = {"cause": [1, 2, 1, 0, 2, 1], "group": list("ababab")} | change
    with pytest.raises(error, match=message):
        gray_test([1, 2, 3, 4, 5, 6], given.pop("cause"), given.pop("group"), **given)
