import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, SchemaError
from radiogenomics.evaluation import calibration_metrics, calibration_table
from radiogenomics.evaluation.calibration import hardly_differ
from radiogenomics.stats import calibration_bins


def frame(score, label, repeat=0) -> pd.DataFrame:
    ids = [f"P{i}" for i in range(len(score))]
    return pd.DataFrame({"patient_id": ids, "repeat": repeat, "label": label, "score": score})


@pytest.fixture
def predictions(rng) -> pd.DataFrame:
    truth = rng.normal(size=300)
    label = (rng.random(300) < expit(truth)).astype(float)
    return frame(expit(2 * truth - 0.5), label)


def by_name(predictions: pd.DataFrame):
    return {metric.name: metric for metric in calibration_metrics(predictions, split="x")}


def test_values_and_intervals_are_those_of_statsmodels(predictions):
    found = by_name(predictions)
    x = logit(predictions["score"])
    line = sm.Logit(predictions["label"], sm.add_constant(x)).fit(disp=0, tol=1e-12)
    offset = sm.GLM(
        predictions["label"], np.ones(300), family=sm.families.Binomial(), offset=x
    ).fit(tol=1e-12)
    slope, intercept = found["calibration_slope"], found["calibration_intercept"]
    assert slope.value == pytest.approx(line.params["score"], rel=1e-6)
    assert (slope.low, slope.high) == pytest.approx(tuple(line.conf_int().loc["score"]), rel=1e-6)
    assert intercept.value == pytest.approx(offset.params.iloc[0], rel=1e-6)
    assert (intercept.low, intercept.high) == pytest.approx(
        tuple(offset.conf_int().iloc[0]), rel=1e-6
    )
    assert found["brier"].value == pytest.approx(
        brier_score_loss(predictions["label"], predictions["score"])
    )


def test_chance_is_what_ignorance_gives(predictions):
    """Predicting the prevalence has the Brier score called chance, and no slope."""
    q = predictions["label"].mean()
    with pytest.warns(RadiogenomicsWarning, match="calibration_slope has no finite estimate"):
        ignorant = by_name(predictions.assign(score=q))
    assert ignorant["brier"].value == pytest.approx(ignorant["brier"].chance)
    assert ignorant["calibration_intercept"].value == pytest.approx(0.0, abs=1e-9)
    assert "calibration_slope" not in ignorant
    unrelated = predictions.assign(score=np.random.default_rng(0).permutation(predictions["score"]))
    slope = by_name(unrelated)["calibration_slope"]
    assert slope.chance == 0.0 and slope.low < 0 < slope.high


def test_calibrated_probabilities_have_slope_one(rng):
    truth = rng.normal(size=4000)
    label = (rng.random(4000) < expit(truth)).astype(float)
    found = by_name(frame(expit(truth), label))
    for name, ideal in (("calibration_slope", 1.0), ("calibration_intercept", 0.0)):
        error = (found[name].high - found[name].low) / (2 * 1.96)
        assert found[name].value == pytest.approx(ideal, abs=4 * error)
    assert found["brier"].high < found["brier"].chance


def test_brier_interval_covers_as_it_says(rng):
    """The truth, E (p − y)² = E p (1 − p), lies in 95 % of intervals."""
    inside = 0
    for _ in range(200):
        p = rng.uniform(0.1, 0.9, size=100)
        found = by_name(frame(p, (rng.random(100) < p).astype(float)))["brier"]
        inside += found.low <= 0.5 * 1 - (0.1**2 + 0.1 * 0.9 + 0.9**2) / 3 <= found.high
    assert 178 <= inside <= 199


def test_repeats_are_averaged(predictions):
    other = frame(np.clip(predictions["score"] * 0.9, 0, 1), predictions["label"], repeat=1)
    both = by_name(pd.concat([predictions, other]))
    one, two = by_name(predictions), by_name(other)
    for name, metric in both.items():
        assert metric.value == pytest.approx((one[name].value + two[name].value) / 2)
        assert (metric.n, metric.events) == (300, int(predictions["label"].sum()))


def test_separated_classes_leave_the_slope_out():
    with pytest.warns(RadiogenomicsWarning, match="calibration_slope"):
        found = by_name(frame([0.1, 0.2, 0.3, 0.7, 0.8, 0.9], [0, 0, 0, 1, 1, 1]))
    assert set(found) == {"brier", "calibration_intercept"}


def test_decision_values_are_refused(predictions):
    with pytest.raises(DataError, match="probabilities from 0 to 1"):
        calibration_metrics(predictions.assign(score=predictions["score"] * 3 - 1), split="x")
    with pytest.raises(DataError, match="predict_proba"):
        calibration_table(predictions.assign(score=2.0))


def test_table_counts_a_patient_once_however_often_repeated(predictions):
    second = predictions.assign(repeat=1)
    once = calibration_table(predictions, bins=4)
    twice = calibration_table(pd.concat([predictions, second]), bins=4)
    pd.testing.assert_frame_equal(once, twice, atol=1e-12)


def test_table_of_one_repeat_is_that_of_the_bins(predictions):
    found = calibration_table(predictions, bins=7)
    groups = calibration_bins(predictions["score"], predictions["label"], bins=7)
    for name in ("predicted", "observed", "low", "high", "n"):
        np.testing.assert_allclose(found[name], getattr(groups, name), rtol=1e-12)


def test_table_groups_the_patients_of_each_repeat_on_their_own(predictions):
    """A repeat whose probabilities are all lower must not fill the lowest groups alone."""
    second = predictions.assign(repeat=1, score=predictions["score"] / 10)
    one, other = (calibration_table(frame, bins=4) for frame in (predictions, second))
    both = calibration_table(pd.concat([predictions, second]), bins=4)
    for name in ("observed", "low", "high", "n"):
        np.testing.assert_allclose(both[name], one[name], rtol=1e-12)
    np.testing.assert_allclose(both["predicted"], (one["predicted"] + other["predicted"]) / 2)
    assert both["n"].sum() == 300


def test_table_averages_ties_by_size_and_loses_nobody(predictions):
    second = predictions.assign(repeat=1, score=predictions["score"].round(0).clip(0.1, 0.9))
    both = calibration_table(pd.concat([predictions, second]), bins=4)
    assert both["n"].sum() == pytest.approx(300, abs=1)
    shares = both["n"] / both["n"].sum()
    assert (both["observed"] * shares).sum() == pytest.approx(predictions["label"].mean(), abs=5e-3)
    constant = predictions.assign(score=0.3)
    assert calibration_table(constant, bins=4)["n"].tolist() == [300]


def test_table_refuses_a_patient_twice_in_a_repeat_and_no_group(predictions):
    with pytest.raises(SchemaError, match="300 patients more than once"):
        calibration_table(pd.concat([predictions, predictions]))
    with pytest.raises(DataError, match="1 bin or more; found 0"):
        calibration_table(predictions, bins=0)


def test_table_uses_the_label_of_each_repeat(predictions):
    second = predictions.assign(repeat=1, label=1 - predictions["label"])
    table = calibration_table(pd.concat([predictions, second]), bins=4)
    assert table["n"].sum() == 300 and len(table) == 4
    np.testing.assert_allclose(table["observed"], 0.5)
    assert ((table["low"] <= table["observed"]) & (table["observed"] <= table["high"])).all()


@pytest.mark.filterwarnings("error")
def test_probabilities_of_0_and_1_are_no_reason_to_call_the_rest_alike():
    assert hardly_differ([(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 1.0]))]) is None


def test_the_slope_of_probabilities_that_hardly_differ_is_left_out(rng):
    label = rng.integers(0, 2, 80).astype(float)
    score = 1 / (1 + np.exp(-(0.1 + 0.01 * rng.normal(size=80))))
    frame = pd.DataFrame({"patient_id": range(80), "repeat": 0, "label": label, "score": score})
    with pytest.warns(RadiogenomicsWarning, match="hardly differ"):
        found = {metric.name for metric in calibration_metrics(frame, split="x")}
    assert found == {"brier", "calibration_intercept"}
