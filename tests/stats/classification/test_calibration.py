from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats import (
    brier,
    calibration_bins,
    calibration_in_the_large,
    calibration_line,
    wilson,
)


@pytest.fixture(scope="module")
def predicted(table):
    rows = table("classification_input")
    return rows["probability"].to_numpy(), rows["label"].to_numpy()


def test_line_and_calibration_in_the_large_match_r_glm(predicted, values):
    line = calibration_line(*predicted)
    assert line.converged
    for name in ("intercept", "slope", "intercept_se", "slope_se"):
        assert getattr(line, name) == pytest.approx(
            values("calibration", "line", name)[0], rel=1e-8
        )
    large = calibration_in_the_large(*predicted)
    for name in ("intercept", "se"):
        assert getattr(large, name) == pytest.approx(
            values("calibration", "large", name)[0], rel=1e-8
        )


def test_brier_matches_r_and_scikit_learn(predicted, values):
    found = brier(*predicted)
    assert found == pytest.approx(values("calibration", "brier", "value")[0], rel=1e-12)
    assert found == pytest.approx(brier_score_loss(predicted[1], predicted[0]), rel=1e-12)


def test_finds_the_distortion_that_was_put_in(rng):
    truth = rng.normal(size=20000)
    label = rng.random(20000) < expit(truth)
    line = calibration_line(expit(2 * truth + 1), label)
    # truth = (logit p - 1) / 2
    assert line.slope == pytest.approx(0.5, abs=4 * line.slope_se)
    assert line.intercept == pytest.approx(-0.5, abs=4 * line.intercept_se)
    assert calibration_in_the_large(expit(truth - 0.3), label).intercept == pytest.approx(
        0.3, abs=0.07
    )


def test_recalibrated_predictions_are_calibrated(predicted):
    line = calibration_line(*predicted)
    mended = expit(line.intercept + line.slope * logit(predicted[0]))
    again = calibration_line(mended, predicted[1])
    assert (again.intercept, again.slope) == pytest.approx((0, 1), abs=1e-8)
    assert brier(mended, predicted[1]) < brier(*predicted)


def test_no_line_through_separated_or_constant_predictions():
    for probability in ([0.1, 0.2, 0.8, 0.9], [0.4, 0.4, 0.4, 0.4], [1e-5, 0.01, 0.99, 0.999]):
        line = calibration_line(probability, [0, 0, 1, 1])
        assert not line.converged
        assert np.isnan([line.intercept, line.slope, line.intercept_se, line.slope_se]).all()


def test_certain_predictions_are_moved_from_the_edge():
    certain = [0.0, 1.0, 0.5, 0.5, 1.0, 0.0], [0, 1, 0, 1, 0, 1]
    with pytest.warns(RadiogenomicsWarning, match="found 4 of 6 within 1e-06"):
        line = calibration_line(*certain)
    with pytest.warns(RadiogenomicsWarning, match="found 4 of 6 within 1e-06"):
        calibration_in_the_large(*certain)
    assert line.converged
    moved = calibration_line([1e-6, 1 - 1e-6, 0.5, 0.5, 1 - 1e-6, 1e-6], [0, 1, 0, 1, 0, 1])
    assert line == moved


def test_bins_hold_everyone_once_and_keep_equal_predictions_together(predicted):
    probability, label = predicted
    groups = calibration_bins(probability, label, bins=4)
    order = np.argsort(probability, kind="stable")
    assert_array_equal(groups.n, [25, 24, 24, 24])
    edges = np.cumsum(groups.n)[:-1]
    parts = np.split(order, edges)
    assert_allclose(groups.predicted, [probability[part].mean() for part in parts])
    assert_allclose(groups.observed, [label[part].mean() for part in parts])
    low, high = wilson([label[part].sum() for part in parts], groups.n)
    assert_allclose([groups.low, groups.high], [low, high])

    tied = calibration_bins(np.repeat([0.2, 0.7], [9, 1]), [0, 1] * 5, bins=5)
    assert_array_equal(tied.n, [9, 1])
    assert_allclose(tied.predicted, [0.2, 0.7])


def test_impossible_input_says_what_to_do():
    with pytest.raises(DataError, match="not decision values"):
        brier([0.2, 1.3], [0, 1])
    with pytest.raises(DataError, match="not decision values"):
        calibration_bins([0.2, np.nan], [0, 1])
    with pytest.raises(OutcomeError, match="both classes"):
        calibration_line([0.2, 0.3], [0, 0])
    with pytest.raises(DataError, match="1 bin or more"):
        calibration_bins([0.2, 0.3], [0, 1], bins=0)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(19)
