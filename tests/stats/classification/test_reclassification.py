from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, ndtr

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.bootstrap import bootstrap_counts
from radiogenomics.stats.classification.reclassification import (
    integrated_discrimination,
    net_reclassification,
    net_reclassification_survival,
    risk_classes,
)

HORIZON = 24
CUTS = {"continuous": None, "categorical": [0.2, 0.4]}
PARTS = ("total", "events", "nonevents")
SHARES = ("up_events", "down_events", "up_nonevents", "down_nonevents")


@pytest.fixture(scope="module")
def cohort(table):
    return table("utility_input")


def survival(cohort, cutoffs):
    return net_reclassification_survival(
        cohort["risk"],
        cohort["risk2"],
        time=cohort["time"],
        event=cohort["event"],
        horizon=HORIZON,
        cutoffs=cutoffs,
    )


def assert_reference(found, name, values):
    for part in PARTS:
        expected = values("reclassification", name, part)
        assert_allclose(getattr(found, part)[:3], expected, rtol=1e-10, atol=1e-13)
    shares = [getattr(found, share) for share in SHARES]
    assert_allclose(shares, values("reclassification", name, "shares"), rtol=1e-10)


@pytest.mark.parametrize("kind", CUTS)
def test_matches_hmisc(cohort, values, kind):
    found = net_reclassification(cohort["p"], cohort["other"], cohort["label"], cutoffs=CUTS[kind])
    assert_reference(found, kind, values)


@pytest.mark.parametrize("kind", CUTS)
def test_censored_matches_survfit(cohort, values, kind):
    assert_reference(survival(cohort, CUTS[kind]), f"survival_{kind}", values)


def test_discrimination_matches_hmisc(cohort, values):
    found = integrated_discrimination(cohort["p"], cohort["other"], cohort["label"])
    assert_allclose(found.total[:3], values("reclassification", "idi", "total"), rtol=1e-10)
    parts = [found.events.value, found.nonevents.value]
    assert_allclose(parts, values("reclassification", "idi", "parts"), rtol=1e-10)


def test_p_and_bounds_follow_from_value_and_error(cohort):
    found = net_reclassification(cohort["p"], cohort["other"], cohort["label"], level=0.9)
    for part in PARTS:
        value, se, z, p, low, high = getattr(found, part)
        assert (z, p) == pytest.approx((value / se, 2 * ndtr(-abs(value / se))))
        assert (low, high) == pytest.approx((value - 1.6448536 * se, value + 1.6448536 * se))


@pytest.mark.parametrize("kind", CUTS)
def test_without_censoring_both_are_one(cohort, kind):
    censored = net_reclassification_survival(
        cohort["p"],
        cohort["other"],
        time=np.where(cohort["label"] == 1, 5.0, 30.0),
        event=np.ones(len(cohort)),
        horizon=6,
        cutoffs=CUTS[kind],
    )
    plain = net_reclassification(cohort["p"], cohort["other"], cohort["label"], cutoffs=CUTS[kind])
    for part in PARTS:
        assert_allclose(getattr(censored, part), getattr(plain, part), rtol=1e-9, atol=1e-12)
    for share in SHARES:
        assert getattr(censored, share) == pytest.approx(getattr(plain, share), rel=1e-12)


def test_censored_error_is_that_of_resampling(cohort, rng):
    loop = []
    for row in bootstrap_counts(len(cohort), 1500, rng):
        again = survival(cohort.loc[np.repeat(cohort.index, row)], CUTS["categorical"])
        loop.append([getattr(again, part).value for part in PARTS])
    found = survival(cohort, CUTS["categorical"])
    errors = [getattr(found, part).se for part in PARTS]
    assert_allclose(errors, np.std(loop, axis=0, ddof=1), rtol=0.1)


def test_one_cutoff_gives_changes_of_sensitivity_and_specificity(cohort):
    label = cohort["label"] == 1
    found = net_reclassification(cohort["p"], cohort["other"], label, cutoffs=[0.3])
    called = [(cohort[name] >= 0.3) for name in ("p", "other")]
    sensitivity = [c[label].mean() for c in called]
    specificity = [(~c[~label]).mean() for c in called]
    assert found.events.value == pytest.approx(sensitivity[1] - sensitivity[0])
    assert found.nonevents.value == pytest.approx(specificity[1] - specificity[0])


def test_miscalibrated_noise_is_called_an_improvement():
    """The trap the module warns of: predictions shrunk to the middle "improve" the true model."""
    rng = np.random.default_rng(3)
    truth = expit(rng.normal(-1.5, 1.2, 4000))
    label = rng.random(4000) < truth
    shrunk = np.where(truth > label.mean(), truth + 0.02, truth - 0.02).clip(0, 1)
    found = net_reclassification(truth, shrunk, label)
    assert found.total.value > 0.3 and found.total.p < 1e-6
    assert integrated_discrimination(truth, shrunk, label).total.p < 1e-6


def test_the_same_predictions_change_nothing(cohort):
    found = net_reclassification(cohort["p"], cohort["p"], cohort["label"])
    assert all(getattr(found, part) == (0, 0, 0, 1, 0, 0) for part in PARTS)
    assert integrated_discrimination(cohort["p"], cohort["p"], cohort["label"]).total.p == 1
    assert survival(cohort.assign(risk2=cohort["risk"]), None).total.value == 0


def test_all_moved_alike_has_no_error():
    with pytest.warns(RadiogenomicsWarning, match="no standard error for the total and events"):
        found = net_reclassification([0.1, 0.2, 0.3, 0.4], [0.2, 0.3, 0.2, 0.3], [1, 1, 0, 0])
    assert found.total.value == 2 and np.isnan(found.total[2:]).all()


def test_classes_are_closed_below():
    assert risk_classes([0, 0.1, 0.2, 0.5, 1], [0.1, 0.5]).tolist() == [0, 1, 1, 2, 2]


@pytest.mark.parametrize("cutoffs", [[0.4, 0.2], [0.2, 0.2], [0, 0.5], [1], [np.nan], []])
def test_cutoffs_that_do_not_rise_are_refused(cutoffs):
    with pytest.raises(DataError, match="rising cut-offs"):
        net_reclassification([0.2, 0.3], [0.3, 0.2], [0, 1], cutoffs=cutoffs)


def test_bad_input_says_what_is_expected():
    with pytest.raises(OutcomeError, match="both classes"):
        net_reclassification([0.2, 0.3], [0.3, 0.2], [1, 1])
    with pytest.raises(DataError, match="one probability"):
        net_reclassification([0.2, 0.3], [0.3, 1.2], [0, 1])
    with pytest.raises(DataError, match="one probability"):
        net_reclassification([0.2, 0.3], [0.3], [0, 1])
    with pytest.raises(OutcomeError, match="2 patients of each class"):
        integrated_discrimination([0.2, 0.3, 0.1], [0.3, 0.2, 0.1], [0, 0, 1])
    times = {"event": [0, 0, 1], "horizon": 6}
    first, second = [0.2, 0.3, 0.4], [0.3, 0.2, 0.1]
    with pytest.raises(OutcomeError, match="followed to the horizon"):
        net_reclassification_survival(first, second, time=[1, 2, 3], **times)
    with pytest.raises(OutcomeError, match="some patients, not all"):
        net_reclassification_survival(first, second, time=[7, 8, 9], **times)
    with pytest.raises(OutcomeError, match="the 1 patients moved one way"):
        net_reclassification_survival(first, second, time=[2, 9, 3], **times)
