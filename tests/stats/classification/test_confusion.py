"""Counts and shares at a threshold, against scikit-learn, statsmodels and hand calculation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk
from statsmodels.stats.proportion import proportion_confint

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.classification.confusion import Confusion, confusion


@pytest.fixture
def called(rng) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.random(120) < 0.3
    return np.round(labels + rng.normal(size=120), 1), labels


@pytest.mark.parametrize("threshold", [-0.5, 0.3, 0.9])
def test_counts_and_shares_are_those_of_scikit_learn(called, threshold):
    scores, labels = called
    positive = scores >= threshold
    found = confusion(scores, labels, threshold)
    tn, fp, fn, tp = sk.confusion_matrix(labels, positive).ravel()
    assert (found.tp, found.fp, found.fn, found.tn) == (tp, fp, fn, tn)
    shares = found.shares()
    expected = {
        "sensitivity": sk.recall_score(labels, positive),
        "specificity": sk.recall_score(~labels, ~positive),
        "ppv": sk.precision_score(labels, positive),
        "npv": sk.precision_score(~labels, ~positive),
        "accuracy": sk.accuracy_score(labels, positive),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, positive),
        "f1": sk.f1_score(labels, positive),
        "mcc": sk.matthews_corrcoef(labels, positive),
    }
    assert shares.keys() == expected.keys()
    for name, value in expected.items():
        assert shares[name].value == pytest.approx(value, rel=1e-12), name
        assert shares[name].low <= value <= shares[name].high, name


def test_intervals_of_shares_are_wilsons():
    shares = Confusion(tp=40, fp=10, fn=20, tn=80).shares(level=0.9)
    for name, k, n in (("sensitivity", 40, 60), ("specificity", 80, 90), ("ppv", 40, 50)):
        low, high = proportion_confint(k, n, alpha=0.1, method="wilson")
        assert shares[name][1:] == pytest.approx((low, high, n), rel=1e-12)
    # f1 through the plain share TP / (TP + FP + FN) = 40 / 70, by hand: 2 x / (1 + x).
    low, high = proportion_confint(40, 70, alpha=0.1, method="wilson")
    assert shares["f1"][1:3] == pytest.approx((2 * low / (1 + low), 2 * high / (1 + high)))


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1", "mcc", "sensitivity"])
def test_intervals_hold_what_they_promise(name, rng):
    """95 % intervals cover the truth in 1500 simulated cohorts of 100 patients."""
    sensitivity, specificity, prevalence, n = 0.75, 0.8, 0.35, 100
    tp, fn = prevalence * sensitivity, prevalence * (1 - sensitivity)
    tn, fp = (1 - prevalence) * specificity, (1 - prevalence) * (1 - specificity)
    truth = {
        "sensitivity": sensitivity,
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "f1": 2 * tp / (2 * tp + fp + fn),
        "mcc": (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
    }[name]
    drawn = rng.multinomial(n, [tp, fp, fn, tn], size=1500)
    shares = [Confusion(*map(int, counts)).shares()[name] for counts in drawn]
    covered = np.mean([share.low <= truth <= share.high for share in shares])
    assert 0.93 <= covered <= 0.985


def test_what_is_not_defined_has_no_number():
    shares = Confusion(tp=0, fp=0, fn=3, tn=7).shares()
    assert np.isnan(shares["ppv"].value) and shares["ppv"].n == 0
    assert shares["mcc"].value == 0
    assert np.isnan(shares["mcc"].low)


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="finite threshold"):
        confusion([0.1, 0.9], [0, 1], np.nan)
    with pytest.raises(OutcomeError, match="both classes"):
        confusion([0.1, 0.9], [1, 1], 0.5)
