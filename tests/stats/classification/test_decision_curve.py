from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dcurves import dca
from numpy.testing import assert_allclose
from scipy.special import expit

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.bootstrap import bootstrap_counts
from radiogenomics.stats.classification.decision_curve import net_benefit, net_benefit_survival
from radiogenomics.stats.survival.risk_influence import risk_influence

HORIZON = 24


@pytest.fixture(scope="module")
def cohort(table):
    return table("utility_input")


@pytest.fixture(scope="module")
def cuts(values):
    return values("utility", "net_benefit", "thresholds")


def survival(cohort, cuts):
    return net_benefit_survival(
        cohort["risk"], cohort["time"], cohort["event"], horizon=HORIZON, thresholds=cuts
    )


@pytest.mark.parametrize("what", ["model", "treat_all", "gain"])
def test_matches_the_formula_in_r(cohort, cuts, values, what):
    found = getattr(net_benefit(cohort["p"], cohort["label"], cuts), what)
    assert_allclose(found.value, values("utility", "net_benefit", what), rtol=1e-11, atol=1e-15)
    assert_allclose(found.se, values("utility", "net_benefit", f"{what}_se"), rtol=1e-11)
    assert_allclose((found.high - found.low) / 2, 1.959963984540054 * found.se, rtol=1e-12)


@pytest.mark.parametrize("what", ["model", "treat_all"])
def test_censored_matches_survfit(cohort, cuts, values, what):
    found = getattr(survival(cohort, cuts), what)
    expected = values("utility", "survival_benefit", what)
    assert_allclose(found.value, expected, rtol=1e-10, atol=1e-15)
    assert_allclose(found.se, values("utility", "survival_benefit", f"{what}_se"), rtol=1e-10)


def test_matches_dcurves(cohort):
    cuts = np.arange(1, 96) / 100
    found = net_benefit(cohort["p"], cohort["label"], cuts)
    theirs = dca(cohort, "label", ["p"], thresholds=cuts).set_index("model")["net_benefit"]
    assert_allclose(found.model.value, theirs["p"], rtol=1e-9, atol=1e-14)
    assert_allclose(found.treat_all.value, theirs["all"], rtol=1e-9, atol=1e-14)
    assert_allclose(found.treat_none.value, theirs["none"], atol=0)


def test_censored_matches_dcurves(cohort):
    cuts = np.arange(1, 86, 6) / 100
    found = survival(cohort, cuts)
    names = {"time": float(HORIZON), "time_to_outcome_col": "time"}
    theirs = dca(cohort, "event", ["risk"], thresholds=cuts, **names).set_index("model")
    assert_allclose(found.model.value, theirs.loc["risk", "net_benefit"], rtol=1e-9, atol=1e-12)
    assert_allclose(found.treat_all.value, theirs.loc["all", "net_benefit"], rtol=1e-9, atol=1e-12)


def test_without_censoring_both_are_one(cohort, cuts):
    time = np.where(cohort["label"] == 1, 5.0, 30.0)
    event = np.ones(len(cohort))
    censored = net_benefit_survival(cohort["p"], time, event, horizon=6, thresholds=cuts)
    plain = net_benefit(cohort["p"], cohort["label"], cuts)
    for what in ("model", "treat_all", "gain"):
        for one, other in zip(getattr(censored, what), getattr(plain, what), strict=True):
            assert_allclose(one, other, rtol=1e-10, atol=1e-14)


def test_bootstrap_is_that_of_resampled_rows(cohort, cuts, rng):
    counts = bootstrap_counts(len(cohort), 300, rng)
    found = net_benefit(cohort["p"], cohort["label"], cuts, counts=counts)
    p, label = cohort["p"].to_numpy(), cohort["label"].to_numpy()
    loop = []
    for row in counts:
        rows = np.repeat(np.arange(label.size), row)
        again = net_benefit(p[rows], label[rows], cuts)
        loop.append([again.model.value, again.treat_all.value, again.gain.value])
    low, high = np.quantile(loop, [0.025, 0.975], axis=0)
    for place, what in enumerate(("model", "treat_all", "gain")):
        curve = getattr(found, what)
        assert_allclose(curve.value, getattr(net_benefit(p, label, cuts), what).value, atol=1e-14)
        assert_allclose(curve.se, np.std(loop, axis=0, ddof=1)[place], rtol=1e-9)
        assert_allclose([curve.low, curve.high], [low[place], high[place]], atol=1e-12)


def test_censored_error_is_that_of_resampling(cohort, rng):
    cuts = np.array([0.2, 0.4, 0.6])
    found = survival(cohort, cuts)
    loop = []
    for row in bootstrap_counts(len(cohort), 1500, rng):
        again = survival(cohort.loc[np.repeat(cohort.index, row)], cuts)
        loop.append([again.model.value, again.gain.value])
    expected = np.std(loop, axis=0, ddof=1)
    # A standard deviation of 1500 draws has a relative error of 2 %.
    assert_allclose([found.model.se, found.gain.se], expected, rtol=0.1)


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(5)
    x = rng.normal(size=2_000_000)
    truth, cut = expit(x - 0.5), 0.3
    treated = expit(1.5 * x - 0.5) >= cut
    expected = np.mean(treated * (truth - cut / (1 - cut) * (1 - truth)))
    inside = 0
    for _ in range(1000):
        x = rng.normal(size=150)
        label = rng.random(150) < expit(x - 0.5)
        curve = net_benefit(expit(1.5 * x - 0.5), label, cut).model
        inside += curve.low[0] <= expected <= curve.high[0]
    assert 928 <= inside <= 972  # 3 standard errors around 950


def test_jackknife_of_the_risk_is_greenwoods(cohort):
    time, event = cohort["time"].to_numpy(), cohort["event"].to_numpy(dtype=bool)
    found = risk_influence(time, event, horizon=HORIZON)
    greenwood, survival = 0.0, 1.0
    for moment in np.unique(time[event & (time <= HORIZON)]):
        at_risk, died = (time >= moment).sum(), (event & (time == moment)).sum()
        greenwood += died / (at_risk * (at_risk - died))
        survival *= 1 - died / at_risk
    assert found.risk == pytest.approx(1 - survival, rel=1e-12)
    assert np.square(found.influence).sum() == pytest.approx(survival**2 * greenwood, rel=1e-12)


def test_nobody_above_the_threshold_is_worth_nothing(cohort):
    found = net_benefit(cohort["p"].clip(upper=0.6), cohort["label"], [0.6, 0.7])
    assert found.model.value[0] > 0
    assert [part[1] for part in found.model] == [0, 0, 0, 0]
    censored = survival(cohort.assign(risk=cohort["risk"].clip(upper=0.6)), [0.7])
    assert [part[0] for part in censored.model] == [0, 0, 0, 0]


def test_constant_predictions_treat_all_or_none(cohort):
    found = net_benefit(np.full(len(cohort), 0.3), cohort["label"], [0.3, 0.31])
    assert found.model.value[0] == found.treat_all.value[0] and found.gain.se[0] == 0
    assert found.model.value[1] == 0 and found.gain.value[1] == -found.treat_all.value[1]


def test_unknown_risk_above_a_threshold_is_said():
    risk, time, event = [0.1, 0.2, 0.8, 0.9], [30, 28, 5, 6], [0, 1, 0, 1]
    with pytest.warns(RadiogenomicsWarning, match="1 of 2 thresholds"):
        found = net_benefit_survival(risk, time, [0, 1, 1, 0], horizon=12, thresholds=[0.15, 0.5])
    assert np.isfinite(found.model.value[0]) and np.isnan(found.model).all(axis=0)[1]
    known = net_benefit_survival(risk, time, event, horizon=12, thresholds=[0.5])
    assert known.model.value[0] == pytest.approx(0.5)


@pytest.mark.parametrize("cut", [0, 1, -0.1, 1.2, np.nan, [], [[0.1]]])
def test_thresholds_out_of_range_are_refused(cut):
    with pytest.raises(DataError, match="above 0 and below 1"):
        net_benefit([0.2, 0.3], [0, 1], cut)
    with pytest.raises(DataError, match="above 0 and below 1"):
        net_benefit_survival([0.2, 0.3], [3, 9], [0, 1], horizon=6, thresholds=cut)


def test_bad_input_says_what_is_expected():
    with pytest.raises(OutcomeError, match="both classes"):
        net_benefit([0.2, 0.3], [1, 1], 0.2)
    with pytest.raises(DataError, match="not decision values"):
        net_benefit([0.2, 1.3], [0, 1], 0.2)
    with pytest.raises(DataError, match="not decision values"):
        net_benefit([0.2], [0, 1], 0.2)
    with pytest.raises(DataError, match="expected counts"):
        net_benefit([0.2, 0.3], [0, 1], 0.2, counts=[[1, 1, 1]])
    with pytest.raises(OutcomeError, match="followed to the horizon"):
        net_benefit_survival([0.2, 0.3], [3, 4], [0, 0], horizon=6, thresholds=0.2)
    with pytest.raises(DataError, match="0 to 1"):
        net_benefit_survival([0.2, -0.3], [3, 9], [1, 0], horizon=6, thresholds=0.2)


def test_frames_are_read_as_arrays():
    frame = pd.DataFrame({"p": [0.1, 0.6], "y": [0, 1]}, index=["b", "a"])
    assert net_benefit(frame["p"], frame["y"], 0.5).model.value.tolist() == [0.5]
