from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import kstest
from sklearn.calibration import calibration_curve

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.stats.classification.calibration_tests import (
    expected_calibration_error,
    hosmer_lemeshow,
    spiegelhalter_test,
)


@pytest.fixture(scope="module")
def cohort(table):
    return table("utility_input")


def test_spiegelhalter_matches_r_rms(cohort, values):
    found = spiegelhalter_test(cohort["p"], cohort["label"])
    for name in ("z", "p"):
        expected = values("utility", "spiegelhalter", name)[0]
        assert getattr(found, name) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("groups", [5, 10])
def test_hosmer_lemeshow_matches_r(cohort, values, groups):
    for external, name in ((True, "external"), (False, "internal")):
        found = hosmer_lemeshow(cohort["p"], cohort["label"], groups=groups, external=external)
        statistic, p = (values("utility", f"hosmer_{groups}", x)[0] for x in ("statistic", name))
        assert (found.statistic, found.p) == pytest.approx((statistic, p), rel=1e-10)
        assert found.df == groups - (0 if external else 2)


@pytest.mark.parametrize(("binning", "strategy"), [("count", "quantile"), ("width", "uniform")])
def test_bins_are_those_of_scikit_learn(cohort, binning, strategy):
    found = expected_calibration_error(cohort["p"], cohort["label"], bins=8, binning=binning)
    observed, predicted = calibration_curve(
        cohort["label"], cohort["p"], n_bins=8, strategy=strategy
    )
    gaps = np.abs(observed - predicted)
    assert found.n.sum() == len(cohort) and found.n.size == gaps.size
    assert found.value == pytest.approx(gaps @ found.n / len(cohort), rel=1e-12)
    assert found.maximum == pytest.approx(gaps.max(), rel=1e-12)


@pytest.mark.parametrize("binning", ["count", "width"])
def test_what_chance_makes_of_a_calibrated_model_is_foretold(binning):
    rng = np.random.default_rng(2)
    p = expit(rng.normal(-0.3, 0.8, 200))
    labels = rng.random((2000, p.size)) < p
    found = [expected_calibration_error(p, label, binning=binning) for label in labels]
    mean = np.mean([one.value for one in found])
    # The sums of a bin are taken as normal, which is a little off where it has few patients.
    assert found[0].when_calibrated == pytest.approx(mean, rel=0.05)
    assert mean > 0.03


@pytest.mark.parametrize("test", [spiegelhalter_test, hosmer_lemeshow])
def test_calibrated_predictions_give_uniform_p_values(test):
    rng = np.random.default_rng(6)
    p = expit(rng.normal(0, 0.7, 400))
    found = [test(p, rng.random(p.size) < p).p for _ in range(400)]
    assert kstest(found, "uniform").pvalue > 0.01


def test_overconfidence_is_found():
    rng = np.random.default_rng(7)
    x = rng.normal(0, 1, 600)
    label = rng.random(600) < expit(x)
    assert spiegelhalter_test(expit(2 * x), label).z > 3
    assert hosmer_lemeshow(expit(2 * x), label).p < 1e-4


def test_ties_share_a_group():
    p = np.repeat([0.2, 0.4, 0.7], 10)
    label = np.tile([0, 1], 15)
    assert hosmer_lemeshow(p, label).df == 3
    assert hosmer_lemeshow(p, label, external=False).df == 1
    with pytest.raises(DataError, match="fill 3 groups"):
        hosmer_lemeshow(p[:20], label[:20], external=False)
    with pytest.raises(DataError, match="fill 2 groups"):
        hosmer_lemeshow(np.full(20, 0.4), label[:20])


def test_the_impossible_that_happened_has_p_zero():
    p, label = np.repeat([0.0, 0.5], 6), np.tile([0, 1], 6)
    found = hosmer_lemeshow(p, label, groups=2)
    assert found.statistic == np.inf and found.p == 0
    never = hosmer_lemeshow(p, np.repeat([0, 1], [9, 3]), groups=2)
    assert never.statistic == 0


def test_bad_input_says_what_is_expected():
    with pytest.raises(DataError, match="undefined for classes"):
        spiegelhalter_test([0, 1, 0.5], [0, 1, 1])
    with pytest.raises(UnknownNameError, match="count"):
        expected_calibration_error([0.2], [1], binning="counts")
    with pytest.raises(DataError, match="1 bin or more"):
        expected_calibration_error([0.2], [1], bins=0)
    with pytest.raises(OutcomeError, match="both classes"):
        hosmer_lemeshow([0.2, 0.3], [1, 1])
    for test in (spiegelhalter_test, hosmer_lemeshow, expected_calibration_error):
        with pytest.raises(DataError, match="not decision values"):
            test([0.2, 1.3], [0, 1])
