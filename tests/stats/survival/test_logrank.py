from __future__ import annotations

import numpy as np
import pytest
from lifelines.statistics import multivariate_logrank_test
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chi2

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats import logrank, logrank_batch

KEYS = {
    "groups": ("group", False),
    "groups_strata": ("group", True),
    "two": ("x3", False),
    "two_strata": ("x3", True),
}


@pytest.mark.parametrize("key", list(KEYS))
def test_matches_r_survdiff(key, patients, values):
    column, stratified = KEYS[key]
    strata = patients["stratum"] if stratified else None
    found = logrank(patients["time"], patients["event"], patients[column], strata=strata)
    assert found.statistic == pytest.approx(values("logrank", key, "statistic")[0], rel=1e-10)
    assert found.p == pytest.approx(values("logrank", key, "p")[0], rel=1e-10)
    assert found.df == patients[column].nunique() - 1
    assert_array_equal(found.groups, np.unique(patients[column]))
    assert_allclose(found.observed, values("logrank", key, "observed"), rtol=1e-12)
    assert_allclose(found.expected, values("logrank", key, "expected"), rtol=1e-12)


def test_batch_matches_r_survdiff(patients, genes, table, values):
    rows = table("logrank").query("model == 'batch'")
    splits = (genes > np.median(genes, axis=1, keepdims=True))[rows["index"]]
    found = logrank_batch(patients["time"], patients["event"], splits)
    assert_allclose(found, values("logrank", "batch", "statistic"), rtol=1e-10)


def test_stratified_batch_is_the_single_test(patients, rng):
    splits = rng.random((70, len(patients))) < 0.4
    found = logrank_batch(patients["time"], patients["event"], splits, strata=patients["stratum"])
    for i in (0, 69):
        single = logrank(patients["time"], patients["event"], splits[i], strata=patients["stratum"])
        assert found[i] == pytest.approx(single.statistic, rel=1e-10)


def test_agrees_with_lifelines(patients):
    found = logrank(patients["time"], patients["event"], patients["group"])
    other = multivariate_logrank_test(patients["time"], patients["group"], patients["event"])
    assert found.statistic == pytest.approx(other.test_statistic, rel=1e-10)
    assert found.p == pytest.approx(other.p_value, rel=1e-9)


def test_hand_calculation():
    # At t = 1, 2, 3 the first group has 2 of 4, 1 of 3, 0 of 2 at risk: E = 1/2 + 1/3, O = 2,
    # V = 1/4 + 2/9.
    found = logrank([1, 2, 3, 4], [1, 1, 1, 0], ["a", "a", "b", "b"])
    assert_allclose(found.expected, [5 / 6, 13 / 6])
    assert found.statistic == pytest.approx((7 / 6) ** 2 / (17 / 36))


def test_null_of_permuted_groups_is_chi_squared(patients, rng):
    base = rng.random(len(patients)) < 0.5
    null = logrank_batch(
        patients["time"], patients["event"], rng.permuted(np.tile(base, (4000, 1)), axis=1)
    )
    for level in (0.5, 0.1, 0.05):
        assert (null > chi2.isf(level, 1)).mean() == pytest.approx(level, abs=0.025)


def test_one_group_has_no_test(patients):
    with pytest.warns(RadiogenomicsWarning, match="two or more groups at risk"):
        found = logrank(patients["time"], patients["event"], np.zeros(len(patients)))
    assert found.df == 0
    assert np.isnan([found.statistic, found.p]).all()
    batch = logrank_batch(
        patients["time"], patients["event"], np.ones((1, len(patients)), dtype=bool)
    )
    assert np.isnan(batch).all()


def test_a_group_never_at_risk_is_not_counted():
    # The last group is censored before the first event.
    found = logrank([5, 6, 7, 8, 1], [1, 1, 1, 0, 0], list("ababc"))
    assert found.df == 1
    assert found.statistic == pytest.approx(
        logrank([5, 6, 7, 8], [1, 1, 1, 0], list("abab")).statistic
    )


def test_two_groups_of_which_one_is_gone_before_the_first_event_warn():
    with pytest.warns(RadiogenomicsWarning, match="two or more groups at risk"):
        found = logrank([1, 1, 5, 6], [0, 0, 1, 1], list("aabb"))
    assert np.isnan([found.statistic, found.p]).all()


def test_impossible_input_says_what_to_do(patients):
    with pytest.raises(DataError, match="one group per patient"):
        logrank(patients["time"], patients["event"], [1, 2])
    with pytest.raises(DataError, match="found 1 missing"):
        logrank([1, 2, 3], [1, 1, 1], ["a", None, "b"])
    with pytest.raises(DataError, match="one stratum per patient"):
        logrank([1, 2, 3], [1, 1, 1], [1, 1, 2], strata=[1, 1])
    with pytest.raises(DataError, match="one split a row"):
        logrank_batch(patients["time"], patients["event"], [[True, False]])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(13)
