from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dcurves import dca
from scipy.special import expit

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.utility import decision_curve_survival_table, decision_curve_table


@pytest.fixture
def predictions(rng) -> pd.DataFrame:
    x = rng.normal(-0.7, 1, 160)
    label = (rng.random(160) < expit(x)).astype(float)
    ids = [f"P{i}" for i in range(160)]
    return pd.DataFrame({"patient_id": ids, "repeat": 0, "label": label, "score": expit(1.4 * x)})


@pytest.fixture
def survival(rng) -> tuple[pd.Series, SurvivalOutcome]:
    ids = [f"P{i}" for i in range(150)]
    hazard = 0.03 * np.exp(rng.normal(size=150))
    death, end = rng.exponential(1 / hazard), rng.uniform(10, 60, 150)
    outcome = SurvivalOutcome(
        "OS", pd.Series(np.minimum(death, end), ids), pd.Series(death <= end, ids)
    )
    return pd.Series(1 - np.exp(-24 * hazard), ids), outcome


def of(table: pd.DataFrame, strategy: str) -> pd.DataFrame:
    return table[table["strategy"] == strategy].set_index("threshold")


def test_values_are_those_of_dcurves(predictions):
    table = decision_curve_table(predictions)
    assert list(table) == ["strategy", "threshold", "net_benefit", "low", "high"]
    cuts = of(table, "model").index.to_numpy()
    theirs = dca(predictions, "label", ["score"], thresholds=cuts).set_index("model")
    for name, strategy in (("score", "model"), ("all", "treat all"), ("none", "treat none")):
        found = of(table, strategy)
        expected = theirs.loc[name, "net_benefit"].to_numpy()
        np.testing.assert_allclose(found["net_benefit"], expected, rtol=1e-9, atol=1e-14)
        assert found["low"].isna().all() == (strategy == "treat none")


def test_default_thresholds_end_with_the_predictions(predictions):
    cuts = of(decision_curve_table(predictions.assign(score=predictions["score"] * 0.5)), "model")
    assert cuts.index[0] == 0.01 and (np.diff(cuts.index) > 0).all()
    last = predictions["score"].max() * 0.5
    assert cuts.index[-1] <= last < cuts.index[-1] + 0.01
    certain = decision_curve_table(predictions.assign(score=predictions["label"]))
    assert of(certain, "model").index[-1] == 0.99
    rare = decision_curve_table(predictions.assign(score=0.001))
    assert of(rare, "model")["net_benefit"].tolist() == [0.0]


def test_repeats_are_averaged_and_add_no_patients(predictions):
    other = predictions.assign(repeat=1, score=predictions["score"] ** 1.5)
    cuts = [0.1, 0.3, 0.5]
    one, two, both, twice = (
        of(decision_curve_table(frame, thresholds=cuts), "model")
        for frame in (
            predictions,
            other,
            pd.concat([predictions, other]),
            pd.concat([predictions, predictions.assign(repeat=1)]),
        )
    )
    mean = (one["net_benefit"] + two["net_benefit"]) / 2
    np.testing.assert_allclose(both["net_benefit"], mean, rtol=1e-12)
    pd.testing.assert_frame_equal(twice, one)
    width = np.mean([(frame["high"] - frame["low"]) ** 2 for frame in (one, two)], axis=0) ** 0.5
    np.testing.assert_allclose(both["high"] - both["low"], width, rtol=1e-12)


def test_patients_without_a_label_are_left_out(predictions):
    unknown = predictions.head(5).assign(patient_id=list("abcde"), label=np.nan, score=0.99)
    more = decision_curve_table(pd.concat([predictions, unknown]), thresholds=[0.2, 0.6])
    pd.testing.assert_frame_equal(more, decision_curve_table(predictions, thresholds=[0.2, 0.6]))


def test_survival_values_are_those_of_dcurves(survival):
    risk, outcome = survival
    cuts = np.arange(1, 70, 6) / 100
    table = decision_curve_survival_table(risk, outcome, horizon=24, thresholds=cuts)
    frame = outcome.to_frame().assign(risk=risk)
    names = {"time": 24.0, "time_to_outcome_col": "time"}
    theirs = dca(frame, "event", ["risk"], thresholds=cuts, **names).set_index("model")
    for name, strategy in (("risk", "model"), ("all", "treat all")):
        found, expected = of(table, strategy), theirs.loc[name, "net_benefit"]
        np.testing.assert_allclose(found["net_benefit"], expected, rtol=1e-9, atol=1e-12)
        assert (found["low"] < found["high"]).all()


def test_bad_input_says_what_is_expected(predictions, survival):
    with pytest.raises(DataError, match="probabilities from 0 to 1"):
        decision_curve_table(predictions.assign(score=predictions["score"] * 3 - 1))
    with pytest.raises(DataError, match="probabilities from 0 to 1"):
        decision_curve_table(predictions.assign(score=np.nan))
    with pytest.raises(DataError, match="above 0 and below 1"):
        decision_curve_table(predictions, thresholds=[0, 0.5])
    with pytest.raises(OutcomeError, match="both classes"):
        decision_curve_table(predictions.assign(label=1.0))
    risk, outcome = survival
    with pytest.raises(AlignmentError, match="another order"):
        decision_curve_survival_table(risk[::-1], outcome, horizon=24)
    with pytest.raises(DataError, match="probabilities from 0 to 1"):
        decision_curve_survival_table(risk + 1, outcome, horizon=24)
    with pytest.raises(OutcomeError, match="followed to the horizon"):
        decision_curve_survival_table(risk, outcome, horizon=90)
