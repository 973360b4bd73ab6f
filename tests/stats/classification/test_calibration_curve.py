from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, logit

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.classification.calibration_curve import flexible_calibration


@pytest.fixture(scope="module")
def cohort(table):
    return table("utility_input")


@pytest.mark.parametrize("knots", [3, 4, 5])
def test_matches_r_rms(cohort, values, knots):
    name = f"curve_{knots}"
    at = values("utility", name, "predicted")
    found = flexible_calibration(cohort["p"], cohort["label"], knots=knots, at=at)
    assert_allclose(found.knots, values("utility", name, "knots"), rtol=1e-12)
    for what in ("observed", "low", "high"):
        assert_allclose(getattr(found, what), values("utility", name, what), rtol=1e-8)
    distances = [found.ici, found.e50, found.e90, found.emax]
    assert_allclose(distances, values("utility", name, "distances"), rtol=1e-8)


def test_finds_the_curve_that_was_put_in():
    rng = np.random.default_rng(8)
    x = rng.normal(-0.5, 1, 40_000)
    label = rng.random(x.size) < expit(0.6 * x + 0.2)
    found = flexible_calibration(expit(x), label)
    truth = expit(0.6 * logit(found.predicted) + 0.2)
    assert np.abs(found.observed - truth).max() < 0.02
    assert found.ici == pytest.approx(np.abs(expit(0.6 * x + 0.2) - expit(x)).mean(), abs=0.005)
    assert found.e50 < found.e90 < found.emax


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(4)
    inside = []
    for _ in range(400):
        p = expit(rng.normal(-0.5, 1, 300))
        found = flexible_calibration(p, rng.random(300) < p, at=[0.2, 0.4, 0.6])
        inside.append((found.low <= found.predicted) & (found.predicted <= found.high))
    # 3 standard errors of 400 draws around 0.95.
    assert (np.abs(np.mean(inside, axis=0) - 0.95) <= 0.033).all()


def test_grid_is_inside_the_predictions(cohort):
    found = flexible_calibration(cohort["p"], cohort["label"])
    assert found.predicted.size == 100 and (np.diff(found.predicted) > 0).all()
    ends = np.quantile(cohort["p"], [0.01, 0.99])
    assert_allclose(found.predicted[[0, -1]], ends)
    assert ((found.low < found.observed) & (found.observed < found.high)).all()


def test_no_curve_through_constant_or_separating_predictions(rng):
    with pytest.raises(DataError, match="distinct values"):
        flexible_calibration(np.full(40, 0.3), np.arange(40) % 2)
    apart = np.sort(rng.random(40))
    with pytest.raises(OutcomeError, match="separate them"):
        flexible_calibration(apart, np.arange(40) >= 20)


def test_predictions_at_the_edge_are_counted(rng):
    p = rng.uniform(0.05, 0.95, 300)
    label = rng.random(300) < p
    p[:4], label[:4] = [0.0, 1e-9, 1.0, 1 - 1e-9], [False, True, True, True]
    with pytest.warns(RadiogenomicsWarning, match="found 4 of 300 within 1e-06") as caught:
        found = flexible_calibration(p, label)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    moved = flexible_calibration(np.clip(p, 1e-6, 1 - 1e-6), label, at=found.predicted)
    assert_allclose(found.observed, moved.observed, rtol=1e-9)


def test_bad_input_says_what_is_expected(cohort):
    with pytest.raises(OutcomeError, match="both classes"):
        flexible_calibration(cohort["p"], np.ones(len(cohort)))
    with pytest.raises(DataError, match="not decision values"):
        flexible_calibration(cohort["p"] * 2, cohort["label"])
    for at in ([], [1.2], [[0.1]], [np.nan]):
        with pytest.raises(DataError, match="at which the curve is wanted"):
            flexible_calibration(cohort["p"], cohort["label"], at=at)
