from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from numpy.testing import assert_allclose, assert_array_equal

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats import kaplan_meier

SUBSETS = ["all", "group1", "group2", "group3", "group4", "exact"]


@pytest.fixture(params=SUBSETS)
def subset(request, patients, table):
    key = request.param
    if key == "exact":
        return key, table("kaplan_meier_exact_input")
    return key, patients if key == "all" else patients[patients["group"] == int(key[-1])]


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_curve_and_median_match_r_survfit(subset, level, table):
    key, rows = subset
    curve = kaplan_meier(rows["time"], rows["event"], level=level)
    expected = table("kaplan_meier").query("subset == @key and level == @level")
    for name in ("time", "at_risk", "events"):
        assert_array_equal(getattr(curve, name), expected[name])
    assert_allclose(curve.survival, expected["survival"], rtol=1e-12, atol=1e-15)
    for name in ("low", "high"):
        bound = expected[name].to_numpy()
        # R leaves the bounds out before the first event, where the curve is at 1.
        bound = np.where(expected["survival"] == 1, 1.0, bound)
        assert_allclose(getattr(curve, name), bound, rtol=1e-10)

    median = table("kaplan_meier_median").query("subset == @key and level == @level")
    assert_allclose(curve.median, median[["median", "low", "high"]].to_numpy()[0])


def test_median_of_a_curve_flat_at_one_half_lies_in_the_middle(table):
    rows = table("kaplan_meier_exact_input")
    assert kaplan_meier(rows["time"], rows["event"]).median.value == 5.0
    assert kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]).median.value == 2.5


def test_agrees_with_lifelines(patients):
    curve = kaplan_meier(patients["time"], patients["event"])
    fitter = KaplanMeierFitter().fit(patients["time"], patients["event"])
    asked = [0.0, 0.5, 3.0, 7.5, 20.0]
    assert_allclose(curve.at(asked), fitter.survival_function_at_times(asked), rtol=1e-10)
    bounds = fitter.confidence_interval_.loc[curve.time].to_numpy()
    seen = curve.survival > 0
    assert_allclose(curve.low[seen], bounds[seen, 0], rtol=1e-10)
    assert_allclose(curve.high[seen], bounds[seen, 1], rtol=1e-10)


def test_steps_and_numbers_at_risk_by_hand():
    curve = kaplan_meier([2, 4, 4, 7, 9], [1, 1, 0, 1, 0])
    assert_allclose(curve.at([1, 2, 3.9, 4, 6, 7, 9]), [1, 0.8, 0.8, 0.6, 0.6, 0.3, 0.3])
    assert_array_equal(curve.number_at_risk([0, 2, 2.1, 4, 8, 9, 10]), [5, 5, 4, 4, 1, 1, 0])


def test_beyond_follow_up_nothing_is_known_unless_nobody_is_left():
    censored = kaplan_meier([1, 2, 3], [1, 1, 0])
    assert np.isnan(censored.at([3.1])[0])
    extinct = kaplan_meier([1, 2, 3], [1, 1, 1])
    assert extinct.at([3.1])[0] == 0.0
    assert np.isnan([extinct.low[-1], extinct.high[-1]]).all()


def test_a_group_without_events_stays_at_one():
    curve = kaplan_meier([3, 5], [0, 0])
    assert_array_equal(curve.survival, [1, 1])
    assert_array_equal(curve.low, [1, 1])
    assert np.isnan(curve.median).all()


def test_impossible_input_says_what_to_do():
    with pytest.raises(OutcomeError, match="finite follow-up times of 0 or more"):
        kaplan_meier([3, -1], [0, 1])
    with pytest.raises(DataError, match=r"write 0\.95"):
        kaplan_meier([3, 1], [0, 1], level=95)
