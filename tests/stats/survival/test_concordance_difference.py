from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
)
from radiogenomics.stats.survival.concordance import concordance
from radiogenomics.stats.survival.concordance_difference import (
    concordance_test,
    concordance_test_unpaired,
    uno_concordance_test,
)
from radiogenomics.stats.survival.uno import uno_concordance

PAIRS = [("x1", "x2"), ("x1", "x3"), ("x2", "x3"), ("x1", "g4"), ("g3", "g12")]


@pytest.fixture(scope="module")
def columns(patients, table) -> pd.DataFrame:
    return pd.concat([patients, table("survival_genes")], axis=1)


def simulated(rng, n):
    """Two risks that share a part and rank equally well."""
    shared = rng.normal(size=n)
    a, b = shared + rng.normal(size=n), shared + rng.normal(size=n)
    death, end = rng.exponential(30 * np.exp(-0.7 * shared)), rng.uniform(0, 60, n)
    return a, b, np.minimum(death, end), death <= end


def assert_as_in_r(found, values, model):
    for name in found._fields:
        expected = values("concordance_difference", model, name)[0]
        assert getattr(found, name) == pytest.approx(expected, rel=1e-9), name


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_harrell_matches_the_contrast_in_r(pair, columns, values):
    found = concordance_test(
        columns[pair[0]], columns[pair[1]], time=columns["time"], event=columns["event"]
    )
    assert_as_in_r(found, values, "_".join(["harrell", *pair]))


@pytest.mark.parametrize("tau", [None, 6.0])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_uno_matches_the_contrast_in_r(pair, tau, columns, values):
    found = uno_concordance_test(
        columns[pair[0]],
        columns[pair[1]],
        time=columns["time"],
        event=columns["event"],
        tau=tau,
        known_weights=True,
    )
    assert_as_in_r(found, values, "_".join(["uno" if tau is None else "uno6", *pair]))


def test_a_difference_is_that_of_the_single_indices(columns):
    a, b, time, event = (columns[name] for name in ("x1", "x2", "time", "event"))
    train = {"train_time": time[:90], "train_event": event[:90], "tau": 8.0}
    for options in ({}, train):
        found = uno_concordance_test(a, b, time=time, event=event, **options)
        one, two = (uno_concordance(x, time, event, **options) for x in (a, b))
        assert found.difference == pytest.approx(one.value - two.value, rel=1e-12)
        assert abs(one.se - two.se) <= found.se <= one.se + two.se
        turned = uno_concordance_test(b, a, time=time, event=event, **options)
        assert turned.z == pytest.approx(-found.z, rel=1e-12)
        assert turned.p == pytest.approx(found.p, rel=1e-12)


def test_level_sets_the_width(columns):
    a, b, time, event = (columns[name] for name in ("x1", "x2", "time", "event"))
    found = concordance_test(a, b, time=time, event=event, level=0.8)
    assert found.high - found.low == pytest.approx(2 * norm.ppf(0.9) * found.se, rel=1e-12)
    with pytest.raises(DataError, match="confidence level"):
        concordance_test(a, b, time=time, event=event, level=80)


def test_equal_risks_reject_at_the_level(rng):
    p = {"harrell": [], "uno": []}
    for _ in range(500):
        a, b, time, event = simulated(rng, 100)
        p["harrell"].append(concordance_test(a, b, time=time, event=event).p)
        p["uno"].append(uno_concordance_test(a, b, time=time, event=event, tau=25).p)
    for values in p.values():
        # 500 tests at 0.05 reject 0.03 to 0.07 of the time in all but 4 % of cases.
        assert 0.025 <= np.mean(np.array(values) < 0.05) <= 0.08


def test_unpaired_by_hand(rng):
    a, _, time, event = simulated(rng, 60)
    b, _, other_time, other_event = simulated(rng, 90)
    for single, options in ((concordance, {}), (uno_concordance, {"tau": 20.0})):
        one = single(a, time, event, **options)
        two = single(b, other_time, other_event, **options)
        found = concordance_test_unpaired(one, two, level=0.9)
        se = np.sqrt(one.se**2 + two.se**2)
        z = (one.value - two.value) / se
        bounds = one.value - two.value + norm.ppf([0.05, 0.95]) * se
        expected = [one.value - two.value, se, z, 2 * norm.sf(abs(z)), *bounds]
        assert_allclose(found, expected, rtol=1e-12)


def test_unpaired_refuses_unlike_indices(rng):
    a, _, time, event = simulated(rng, 60)
    harrell, uno = concordance(a, time, event), uno_concordance(a, time, event, tau=20)
    with pytest.raises(AlignmentError, match="use one index"):
        concordance_test_unpaired(harrell, uno)
    with pytest.raises(AlignmentError, match="float"):
        concordance_test_unpaired(0.7, 0.6)
    with pytest.warns(RadiogenomicsWarning, match="one tau for both"):
        concordance_test_unpaired(uno, uno_concordance(a, time, event, tau=15))


def test_a_risk_does_not_differ_from_its_like(columns):
    a, time, event = columns["x1"], columns["time"], columns["event"]
    for test in (concordance_test, uno_concordance_test):
        assert test(a, np.exp(a), time=time, event=event) == (0, 0, 0, 1, 0, 0)


def test_a_difference_without_error_has_no_p():
    time, event = np.arange(1.0, 11), np.ones(10)
    for test in (concordance_test, uno_concordance_test):
        with pytest.warns(RadiogenomicsWarning, match="permute"):
            found = test(-time, time, time=time, event=event)
        assert (found.difference, found.se) == (1, 0)
        assert np.isnan(found[2:]).all()


def test_no_comparable_pair():
    for test in (concordance_test, uno_concordance_test):
        with pytest.warns(RadiogenomicsWarning, match="somebody outlived"):
            found = test([1, 2], [2, 1], time=[1, 2], event=[0, 1])
        assert np.isnan(found).all()
    with pytest.warns(RadiogenomicsWarning, match="somebody outlived"):
        none = concordance([1, 2], [1, 2], [0, 1])
        concordance_test_unpaired(none, none)


def test_impossible_input_says_what_to_do():
    options = {"time": [1, 2, 3], "event": [1, 1, 0]}
    for test in (concordance_test, uno_concordance_test):
        with pytest.raises(DataError, match="1 missing"):
            test([1, 2, 3], [1, np.nan, 3], **options)
        with pytest.raises(DataError, match="one risk per patient"):
            test([1, 2], [1, 2, 3], **options)
        with pytest.raises(OutcomeError, match="at least one event"):
            test([1, 2, 3], [3, 2, 1], time=[1, 2, 3], event=[0, 0, 0])
