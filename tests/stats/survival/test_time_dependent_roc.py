import numpy as np
import pytest

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.stats.classification.roc import roc_curve, youden_threshold
from radiogenomics.stats.survival.time_dependent_auc import cumulative_dynamic_auc
from radiogenomics.stats.survival.time_dependent_roc import time_dependent_roc, youden_threshold_at

HORIZONS = (8, 16, 24)


@pytest.mark.parametrize("data", ["exact", "rounded"])
@pytest.mark.parametrize("horizon", HORIZONS)
def test_points_are_those_of_risk_regression(table, data, horizon):
    patients, points = table("time_dependent_input"), table("time_dependent_roc")
    wanted = points[(points["data"] == data) & (points["times"] == horizon)]
    risk = 1 - patients[f"bad_{horizon}"].to_numpy()
    found = time_dependent_roc(risk, patients[data], patients["event"], horizon=horizon)
    place = np.searchsorted(-found.thresholds, -wanted["risk"].to_numpy() - 1e-9)
    np.testing.assert_allclose(found.thresholds[place], wanted["risk"], rtol=1e-12)
    np.testing.assert_allclose(found.tpr[place], wanted["TPR"], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found.fpr[place], wanted["FPR"], rtol=1e-12, atol=1e-14)
    assert len(wanted) >= len(found.thresholds) - 1


@pytest.mark.parametrize("horizon", HORIZONS)
def test_area_under_the_points_is_the_time_dependent_area(table, horizon):
    patients = table("time_dependent_input")
    risk, time, event = patients["z"], patients["exact"], patients["event"]
    found = time_dependent_roc(risk, time, event, horizon=horizon)
    area = cumulative_dynamic_auc(risk, time, event, times=[horizon]).value[0]
    assert np.trapezoid(found.tpr, found.fpr) == pytest.approx(area, rel=1e-12)


def test_without_censoring_it_is_the_plain_curve(rng):
    time = rng.exponential(10, 80)
    risk = np.round(rng.normal(size=80), 1)
    found = time_dependent_roc(risk, time, np.ones(80), horizon=8)
    plain = roc_curve(risk, time <= 8)
    np.testing.assert_allclose(found.tpr, plain.tpr, atol=1e-12)
    np.testing.assert_allclose(found.fpr, plain.fpr, atol=1e-12)
    for ties in ("highest", "lowest"):
        threshold = youden_threshold_at(risk, time, np.ones(80), horizon=8, ties=ties)
        assert threshold == youden_threshold(risk, time <= 8, ties=ties)


def test_censored_patients_move_weights_to_those_who_stay():
    # Patient 2 leaves at 2 with 3 of 4 at risk: G(2) = 2/3, so the case at 3 weighs 3/2.
    found = time_dependent_roc([4, 3, 2, 1], [1, 2, 3, 4], [1, 0, 1, 1], horizon=3)
    np.testing.assert_allclose(found.tpr, [0, 1 / 2.5, 1 / 2.5, 1, 1])


def test_no_case_or_no_control_is_refused():
    for horizon, words in ((0.5, "found 0 and 4"), (9, "found 3 and 0")):
        with pytest.raises(OutcomeError, match=words):
            time_dependent_roc([4, 1, 3, 2], [1, 2, 3, 4], [1, 1, 1, 0], horizon=horizon)


def test_bad_input_is_named():
    with pytest.raises(DataError, match="risk"):
        time_dependent_roc([1, 2], [1, 2, 3], [1, 1, 0], horizon=1)
    with pytest.raises(UnknownNameError, match="tie rule"):
        youden_threshold_at([1, 2, 3], [1, 2, 3], [1, 1, 0], horizon=1, ties="first")
