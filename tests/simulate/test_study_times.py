"""Who was scanned again lived to be scanned: the law that this leaves, and its calibration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.utils import concordance_index
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from radiogenomics.core.errors import DataError
from radiogenomics.simulate.study_design import (
    BeyondLabel,
    EndpointDesign,
    ImageDesign,
    LabelDesign,
    PartDesign,
    StudyDesign,
    TimeLabel,
    WordLabel,
)
from radiogenomics.simulate.study_people import People, draw_people
from radiogenomics.simulate.study_times import (
    MONTHS_PER_WEEK,
    ONE_SCAN,
    SHAPE,
    Visits,
    draw_visits,
    followed,
    leaving,
    left,
    scans_of,
)
from radiogenomics.simulate.study_truth import (
    StudyTruth,
    beyond_auc,
    calibrate,
    discrimination_of,
    hazard_at_median,
    marginal_survival,
)

MANY = 40_000
SEEDS = range(4)
DEATH = BeyondLabel("OS", None)
NAMES = tuple(f"f{number}" for number in range(12))


def design(label: LabelDesign = DEATH, **changes) -> StudyDesign:
    base = StudyDesign(
        study="toy",
        parts={"training": PartDesign(MANY, None, ("A",))},
        images={"pre": ImageDesign(NAMES), "post": ImageDesign(NAMES, "pre", later=True)},
        clinical={"clinic": ("age", "afp", "sex", "albumin")},
        label=label,
        better=True,
        target=0.85,
        shares={"pre": 0.3, "post": 0.5, "clinic": 0.2},
        informative=3,
        endpoints={"OS": EndpointDesign(5.0, None, 0.3)},
    )
    return replace(base, **changes)


def people(asked: StudyDesign, seed: int, truth: StudyTruth | None = None) -> People:
    known = truth or calibrate(asked)
    return draw_people(asked, known, asked.training, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("label", [DEATH, BeyondLabel("OS", 9.0)])
@pytest.mark.parametrize("away", [0.0, 0.3])
def test_the_true_score_has_its_auc_under_the_law_of_the_scanned(label, away):
    asked = design(label, without_follow_up=away)
    drawn = [people(asked, seed) for seed in SEEDS]
    found = [roc_auc_score(one.positive, one.score) for one in drawn]
    assert np.mean(found) == pytest.approx(0.85, abs=0.004)
    truth = calibrate(asked)
    for blocks in (("pre",), ("pre", "post"), ("clinic",)):
        stated = discrimination_of(asked, truth, blocks=blocks)
        found = [
            roc_auc_score(
                one.positive, sum(np.sqrt(asked.shares[n]) * one.blocks[n] for n in blocks)
            )
            for one in drawn
        ]
        assert np.mean(found) == pytest.approx(stated, abs=0.004)


@pytest.mark.parametrize("slope", [0.4, 2.0])
def test_hazard_and_auc_against_scipys_quadrature(slope):
    """Scans spread evenly over 6 to 10 weeks, of an endpoint with a median of 5 months."""
    first, last = (week * 7 / 30.4375 / 5.0 for week in (6.0, 10.0))

    def alive(z, ratio, hazard):
        def one(scan):
            since = max(ratio**SHAPE - scan**SHAPE, 0.0)
            return np.exp(-hazard * since * np.exp(-slope * z))

        return quad(one, first, last)[0] / (last - first)

    def gap(hazard):
        return quad(lambda z: alive(z, 1.0, hazard) * norm.pdf(z), -9, 9)[0] - 0.5

    scans = scans_of(design()).in_medians(5.0)
    hazard = brentq(gap, 1e-3, 1e2)
    assert hazard_at_median(slope, scans) == pytest.approx(hazard, rel=1e-7)
    z = np.linspace(-8, 8, 1601)
    beyond = np.array([alive(one, 1.4, hazard) for one in z])
    mass = norm.pdf(z) * (z[1] - z[0])
    below = np.cumsum((1 - beyond) * mass) - (1 - beyond) * mass / 2
    share = beyond @ mass
    area = (beyond * mass) @ below / share / (1 - share)
    assert beyond_auc(slope, ratio=1.4, scans=scans) == pytest.approx(area, abs=2e-5)


@pytest.mark.parametrize("away", [0.0, 0.3])
def test_kaplan_meier_finds_the_median_and_the_law(away):
    asked = design(without_follow_up=away)
    truth = calibrate(asked)
    times = np.array([1.0, 2.0, 3.0, 5.0, 8.0, 15.0])
    stated = marginal_survival(truth, times / 5.0)
    assert stated[3] == pytest.approx(0.5, abs=1e-9)
    found = []
    for seed in SEEDS:
        seen = people(asked, seed).outcomes["OS"]
        kept = KaplanMeierFitter().fit(seen["months"], seen["event"])
        found.append(kept.survival_function_at_times(times).to_numpy())
        assert 1 - seen["event"].mean() == pytest.approx(0.3, abs=0.01)
    # 160,000 patients: a standard error of 0.0013.
    np.testing.assert_allclose(np.mean(found, axis=0), stated, atol=0.004)
    assert stated[0] == pytest.approx(1.0) if away == 0 else 0.9 < stated[0] < 0.98


def test_hazards_are_proportional_from_the_scan_on():
    """A Cox model that lets patients enter at their scan finds the slope of the truth."""
    asked = design(parts={"training": PartDesign(4_000, None, ("A",))})
    slope = calibrate(asked).slope
    found = []
    for seed in SEEDS:
        drawn = people(asked, seed)
        # An event rounded to the hundredth of the scan comes after it.
        table = drawn.outcomes["OS"].assign(score=drawn.score, entry=drawn.visits.months - 0.005)
        fitted = CoxPHFitter().fit(table, "months", "event", entry_col="entry")
        found.append(-fitted.params_["score"])
    # Of 11,000 deaths: a standard error of 0.012.
    assert np.mean(found) == pytest.approx(slope, abs=0.03)


@pytest.mark.parametrize("away", [0.0, 0.4])
def test_who_was_scanned_is_alive_and_followed_at_the_scan(away):
    asked = design(without_follow_up=away, endpoints={"OS": EndpointDesign(3.0, None, 0.8)})
    drawn = people(asked, 1)
    months, visits = drawn.outcomes["OS"]["months"].to_numpy(), drawn.visits
    assert visits.scanned.mean() == pytest.approx(1 - away, abs=0.01)
    assert (months[visits.scanned] >= visits.weeks[visits.scanned] * MONTHS_PER_WEEK).all()
    assert visits.weeks.min() == 6.0
    assert visits.weeks.max() == 10.0
    assert visits.weeks.mean() == pytest.approx(8.0, abs=0.03)
    if away:
        others = drawn.outcomes["OS"][~visits.scanned]
        early = others["months"] < visits.weeks[~visits.scanned] * MONTHS_PER_WEEK
        assert (early & others["event"]).sum() > 1000
        assert (early & ~others["event"]).sum() > 1000


def test_counted_positives_keep_their_own_scans():
    asked = design(parts={"training": PartDesign(MANY, MANY * 2 // 5, ("A",))})
    drawn = people(asked, 3)
    assert drawn.positive.sum() == MANY * 2 // 5
    assert (drawn.outcomes["OS"]["months"] >= drawn.visits.months).all()
    assert roc_auc_score(drawn.positive, drawn.score) == pytest.approx(0.85, abs=0.006)


@pytest.mark.parametrize(("censored", "away"), [(0.0, 0.3), (0.3, 0.0), (0.9, 0.3)])
def test_times_of_the_scanned_reach_the_concordance(censored, away):
    asked = design(
        TimeLabel("OS"),
        target=0.74,
        without_follow_up=away,
        endpoints={"OS": EndpointDesign(5.0, None, censored)},
    )
    found, events, truth = [], 0, calibrate(asked)
    for seed in SEEDS[:2]:
        drawn = people(asked, seed, truth)
        seen = drawn.outcomes["OS"]
        events += seen["event"].sum()
        found.append(concordance_index(seen["months"], drawn.score, seen["event"]))
    # Over seeds its standard error is 0.010 at 1,000 events.
    assert np.mean(found) == pytest.approx(0.74, abs=3 * 0.010 * np.sqrt(1_000 / events))


def test_a_scan_at_the_start_is_no_scan():
    log_hazard = np.linspace(-3, 3, 7)
    expected = np.exp(-np.exp(log_hazard) * 0.7**SHAPE)
    np.testing.assert_allclose(left(log_hazard, ONE_SCAN, 0.7), expected, rtol=1e-12)
    once = design(images={"pre": ImageDesign(NAMES)}, shares={"pre": 0.8, "clinic": 0.2})
    assert scans_of(once) == ONE_SCAN
    visits = draw_visits(once, 5, np.random.default_rng(0))
    assert not visits.scanned.any()
    assert not visits.start.any()
    truth = StudyTruth(0.0, 1.0, 0.7, 0.5, 0.8)
    assert truth.scans == ONE_SCAN


def test_points_of_scans_are_their_mean_and_spread():
    scans = scans_of(design(without_follow_up=0.25))
    share, visit, start = (np.array(each) for each in (scans.share, scans.visit, scans.start))
    assert share.sum() == pytest.approx(1)
    assert share[start == 0].sum() == pytest.approx(0.25)
    weeks = visit * 30.4375 / 7
    assert share @ weeks == pytest.approx(8.0)
    assert share @ (weeks - 8) ** 2 == pytest.approx(16 / 12)


def test_follow_up_is_uniform_and_never_ends_before_the_scan():
    position = np.linspace(0.1, 1.0, 10_001)
    for start in (0.0, 0.5, 3.0, 12.0):
        until = leaving(10.0, start, position)
        assert until.min() == pytest.approx(max(1.0, start))
        assert until.max() == pytest.approx(max(10.0, start))
        for time in (0.5, 2.0, 7.0):
            share = (until > time).mean()
            assert followed(np.array(time), 10.0, start) == pytest.approx(share, abs=2e-4)
    assert np.isinf(leaving(np.inf, 2.0, position)).all()


def test_months_of_a_visit_are_rounded_up():
    visits = Visits(np.array([6.0, 8.7, 10.0]), np.array([True, True, False]))
    # 42, 60.9 and 70 days of 30.4375 to a month: 1.3799, 2.0008 and 2.2998.
    assert visits.months.tolist() == [1.38, 2.01, 2.3]
    assert visits.start.tolist() == [1.38, 2.01, 0.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"endpoints": {"OS": EndpointDesign(2.2, None, 0.2)}}, "months of OS after the later"),
        ({"label": BeyondLabel("OS", 2.0)}, "months of the label after the later scan, at 10"),
        ({"scanned_at": (10.0, 6.0)}, "weeks above 0 of the later scan"),
        ({"scanned_at": (0.0, 6.0)}, "weeks above 0 of the later scan"),
        ({"label": WordLabel("itls", ("a",), ("b",))}, "number of positives"),
    ],
)
def test_months_that_the_scan_leaves_impossible_are_refused(changes, message):
    with pytest.raises(DataError, match=message):
        design(**changes)
