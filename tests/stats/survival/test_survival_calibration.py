from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.survival.cox import fit_cox
from radiogenomics.stats.survival.survival_calibration import (
    complementary_log_log,
    observed_expected,
    risk_groups,
    survival_slope,
)
from radiogenomics.stats.survival.survival_calibration_curve import calibration_curve


@pytest.fixture(scope="module")
def judged(table) -> pd.DataFrame:
    return table("survival_calibration_input")


def outcome(judged: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    return judged["risk"], judged["time"], judged["event"]


@pytest.mark.parametrize("horizon", [12, 24])
def test_groups_match_r_survfit(horizon, judged, values):
    found = risk_groups(*outcome(judged), horizon=horizon)
    for g in range(5):
        model = f"at_{horizon}_group_{g}"
        numbers = [found.observed[g], found.low[g], found.high[g]]
        assert_allclose(numbers, values("survival_calibration", model, "observed"), rtol=1e-10)
        counts = [found.n[g], found.events[g], found.at_risk[g]]
        assert_array_equal(counts, values("survival_calibration", model, "counts"))
        expected = values("survival_calibration", model, "predicted")
        assert_allclose(found.predicted[g], expected, rtol=1e-12)


@pytest.mark.parametrize("horizon", [12, 24])
def test_ratio_and_slope_match_r(horizon, judged, values):
    found = observed_expected(*outcome(judged), horizon=horizon)
    expected = values("survival_calibration", f"at_{horizon}", "ratio")
    assert_allclose([found.ratio, found.low, found.high], expected, rtol=1e-10)
    position = complementary_log_log(judged["risk"])
    slope = survival_slope(position, judged["time"], judged["event"], horizon=horizon)
    expected = values("survival_calibration", f"at_{horizon}", "slope")
    assert_allclose([slope.value, slope.se], expected, rtol=1e-8)


def test_slope_over_all_follow_up_matches_r(judged, values):
    position = complementary_log_log(judged["risk"])
    slope = survival_slope(position, judged["time"], judged["event"])
    expected = values("survival_calibration", "all", "slope")
    assert_allclose([slope.value, slope.se, slope.p], expected, rtol=1e-8)


@pytest.mark.parametrize("knots", [3, 4])
@pytest.mark.parametrize("horizon", [12, 24])
def test_distances_match_r(horizon, knots, judged, values):
    found = calibration_curve(*outcome(judged), horizon=horizon, knots=knots)
    expected = values("survival_calibration", f"at_{horizon}_knots_{knots}", "distances")
    assert_allclose([found.ici, found.e50, found.e90, found.emax], expected, rtol=1e-8)
    if knots == 3:
        # rms stops its search at a relative change of 1e-4 of the likelihood.
        rms = values("survival_calibration", f"at_{horizon}", "rms_ici")[0]
        assert found.ici == pytest.approx(rms, rel=1e-6)


def test_curve_and_its_band_match_r(judged, values):
    found = calibration_curve(*outcome(judged), horizon=12)
    for name in ("observed", "low", "high"):
        expected = values("survival_calibration", "at_12_knots_3", name)
        assert_allclose(getattr(found, name), expected, rtol=1e-8)
    assert_allclose(found.predicted[[0, -1]], np.quantile(judged["risk"], [0.01, 0.99]))


def test_slope_is_one_on_the_patients_a_model_was_fitted_to(patients):
    x = patients[["x1", "x2", "x3"]].to_numpy()
    predictor = x @ fit_cox(x, patients["time"], patients["event"]).coef
    found = survival_slope(predictor, patients["time"], patients["event"])
    assert found.value == pytest.approx(1, rel=1e-8)


def test_true_risks_are_calibrated_and_distorted_ones_are_not():
    rng = np.random.default_rng(4)
    hazard = 0.03 * np.exp(0.8 * rng.normal(size=6000))
    time, end = rng.exponential(1 / hazard), rng.uniform(5, 50, 6000)
    seen = np.minimum(time, end), time <= end
    risk = 1 - np.exp(-18 * hazard)
    assert calibration_curve(risk, *seen, horizon=18).ici < 0.02
    ratio = observed_expected(risk, *seen, horizon=18)
    assert ratio.low < 1 < ratio.high
    slope = survival_slope(complementary_log_log(risk), *seen)
    assert slope.low < 1 < slope.high
    groups = risk_groups(risk, *seen, horizon=18, groups=10)
    assert ((groups.low <= groups.predicted) & (groups.predicted <= groups.high)).sum() >= 8

    # Hazards twice as high as they are: risks are overstated by what that makes of them.
    twice = 1 - np.exp(-36 * hazard)
    assert observed_expected(twice, *seen, horizon=18).ratio == pytest.approx(
        risk.mean() / twice.mean(), rel=0.05
    )
    gap = np.abs(twice - risk).mean()
    with pytest.warns(RadiogenomicsWarning, match="found 3 of 6000 within"):
        found = calibration_curve(twice, *seen, horizon=18)
    assert found.ici == pytest.approx(gap, rel=0.1)
    # Log hazards stretched by 2: the slope is one half.
    stretched = survival_slope(2 * np.log(hazard), *seen)
    assert stretched.value == pytest.approx(0.5, abs=0.03)


def test_risks_at_the_edge_are_counted_once(judged):
    risk, *seen = outcome(judged)
    edge = risk.mask(risk < risk.nsmallest(3).max(), 0.0)
    with pytest.warns(RadiogenomicsWarning, match="found 2 of") as caught:
        found = calibration_curve(edge, *seen, horizon=12)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    moved = calibration_curve(edge.clip(1e-6), *seen, horizon=12)
    assert found.ici == pytest.approx(moved.ici, abs=1e-6)


def test_risks_of_zero_and_one_stay_finite():
    with pytest.warns(RadiogenomicsWarning, match="found 2 of 3 within 1e-06"):
        assert np.isfinite(complementary_log_log([0.0, 0.5, 1.0])).all()
    with pytest.warns(RadiogenomicsWarning, match="1 of 2 risk groups have no event"):
        found = risk_groups([0, 0, 1, 1], [9, 9, 2, 8], [0, 0, 1, 0], horizon=6, groups=2)
    assert found.observed.tolist() == [0, 0.5] and np.isnan(found.low[0])


def test_a_group_whose_follow_up_ends_early_is_unknown_and_said():
    with pytest.warns(RadiogenomicsWarning, match="1 of 2 risk groups are not followed to 6"):
        found = risk_groups([0.1, 0.1, 0.9, 0.9], [4, 5, 2, 8], [1, 0, 1, 0], horizon=6, groups=2)
    assert np.isnan(found.observed[0]) and found.observed[1] == 0.5


def test_constant_predictions_have_groups_and_a_ratio_but_no_slope_or_curve(judged):
    flat = np.full(len(judged), 0.4)
    data = judged["time"], judged["event"]
    assert risk_groups(flat, *data, horizon=12).n.tolist() == [len(judged)]
    assert observed_expected(flat, *data, horizon=12).expected == pytest.approx(0.4)
    with pytest.raises(DataError, match="found all equal"):
        survival_slope(flat, *data)
    with pytest.raises(DataError, match="use a straight line"):
        calibration_curve(flat, *data, horizon=12)


def test_bad_input_says_what_is_expected(judged):
    risk, time, event = outcome(judged)
    judges = (risk_groups, observed_expected, calibration_curve)
    for judge in judges:
        with pytest.raises(DataError, match="risks from 0 to 1"):
            judge(risk * 2, time, event, horizon=12)
        with pytest.raises(DataError, match="risks from 0 to 1"):
            judge(risk.where(risk > 0.1), time, event, horizon=12)
        with pytest.raises(DataError, match="one risk per patient"):
            judge(risk[:9], time, event, horizon=12)
        with pytest.raises(DataError, match="horizon above 0"):
            judge(risk, time, event, horizon=0)
        # Everybody is censored before the horizon.
        with pytest.raises(OutcomeError, match="followed to the horizon of 99 months"):
            judge(risk, time, event, horizon=99)
    with pytest.raises(DataError, match="1 group or more"):
        risk_groups(risk, time, event, horizon=12, groups=0)
    with pytest.raises(OutcomeError, match="some patients, not all"):
        observed_expected([0.1, 0.2], [9, 9], [1, 0], horizon=6)
    with pytest.raises(DataError, match="found 0 for all"):
        observed_expected([0, 0, 0], [2, 9, 9], [1, 0, 0], horizon=6)
    with pytest.raises(OutcomeError, match="at least one event"):
        calibration_curve(risk, time, event * 0, horizon=12)
    with pytest.raises(OutcomeError, match="order the events perfectly"):
        survival_slope([4, 3, 2, 1], [1, 2, 3, 4], [1, 1, 1, 1])
