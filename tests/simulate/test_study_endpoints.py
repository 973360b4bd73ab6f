"""Endpoints of a class beside progression at the later scan and death: lifelines finds the plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from scipy.stats import multivariate_normal, norm

from radiogenomics.core.errors import DataError
from radiogenomics.simulate.study_cohort import StudyCohort, draw_study_cohort
from radiogenomics.simulate.study_design import (
    BeyondLabel,
    CategoryLabel,
    EndpointDesign,
    ImageDesign,
    LabelDesign,
    PartDesign,
    RivalDesign,
    StudyDesign,
    TimeLabel,
    WordLabel,
)
from radiogenomics.simulate.study_endpoints import _Deaths, endpoint_law
from radiogenomics.simulate.study_facts import says_progression, write_facts
from radiogenomics.simulate.study_people import draw_people
from radiogenomics.simulate.study_rivals import progressed_shares
from radiogenomics.simulate.study_times import MONTHS_PER_WEEK
from radiogenomics.simulate.study_truth import calibrate

MANY = 20_000
SEEDS = range(2)
NAMES = tuple(f"f{number}" for number in range(6))
WORDS = WordLabel("itls", ("present",), ("absent",))
RESPONSE = RivalDesign("response", 0.65, (("PD",), ("CR", "PR", "SD")), outcome=True)
PROGRESSION = {"PFS": EndpointDesign(6.0, 2.0, 0.15)}


def design(label: LabelDesign = WORDS, **changes) -> StudyDesign:
    made = isinstance(label, BeyondLabel | TimeLabel)
    base = StudyDesign(
        study="toy",
        parts={"training": PartDesign(MANY, None if made else MANY * 2 // 5, ("A",))},
        images={"pre": ImageDesign(NAMES), "post": ImageDesign(NAMES, "pre", later=True)},
        clinical={},
        label=label,
        better=True,
        target=0.85,
        shares={"pre": 0.5, "post": 0.5},
        informative=3,
        rivals={"mRECIST": RESPONSE},
        endpoints={"OS": EndpointDesign(14.0, None if made else 2.0, 0.25), **PROGRESSION},
        facts={"weeks": "weeks"},
    )
    return replace(base, **changes)


def measured(cohort: StudyCohort, name: str, *, better: bool = True) -> tuple[float, float, float]:
    """Kaplan-Meier median, hazard ratio of the worse class by a Cox model, share censored."""
    seen = cohort.outcomes[name]
    kept = KaplanMeierFitter().fit(seen["months"], seen["event"])
    worse = cohort.truth["class"] == (0 if better else 1)
    fitted = CoxPHFitter().fit(seen.assign(worse=worse.astype(float)), "months", "event")
    ratio = float(np.exp(fitted.params_["worse"]))
    return float(kept.median_survival_time_), ratio, float(1 - seen["event"].mean())


ONCE = {"images": {"pre": ImageDesign(NAMES)}, "shares": {"pre": 1.0}, "facts": {}}
WORLDS = {
    "scan": {"endpoints": PROGRESSION},
    "scan_and_deaths": {},
    "deaths": ONCE,
    "some_not_scanned": {"without_follow_up": 0.3},
    "worse": {
        "better": False,
        "rivals": {"r": replace(RESPONSE, groups=(("CR", "PR", "SD"), ("PD",)))},
    },
    "unrelated_response": {"rivals": {"r": replace(RESPONSE, discrimination=0.5)}},
    "response_is_the_label": {
        "label": CategoryLabel("response", ("CR", "PR"), ("SD", "PD")),
        "rivals": {},
    },
    "time": {
        "label": TimeLabel("OS"),
        "parts": {"training": PartDesign(MANY, None, ("A",))},
        "endpoints": {"OS": EndpointDesign(14.0, None, 0.25), "PFS": EndpointDesign(6.0, 3.0, 0.1)},
    },
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_the_stated_median_ratio_and_censoring_are_found(world):
    asked = design(**world)
    drawn = [draw_study_cohort(asked, "training", seed=seed) for seed in SEEDS]
    for name in asked.endpoints:
        if name == asked.label_endpoint:
            continue
        found = np.mean([measured(one, name, better=asked.better) for one in drawn], axis=0)
        stated = asked.endpoints[name]
        # 40,000 patients: standard errors of about 0.6 %, 1.1 % and 0.002.
        assert found[0] == pytest.approx(stated.median, rel=0.02)
        assert found[1] == pytest.approx(stated.hazard_ratio, rel=0.04)
        assert found[2] == pytest.approx(stated.censored, abs=0.008)


def test_progression_at_the_scan_is_its_event_and_no_one_else_has_one_before():
    cohort = draw_study_cohort(design(BeyondLabel("OS", None)), "training", seed=1)
    scan = cohort.facts["weeks"] * MONTHS_PER_WEEK
    progressed = cohort.responses["response"] == "PD"
    os, pfs = cohort.outcomes["OS"], cohort.outcomes["PFS"]
    assert progressed.mean() == pytest.approx(0.25, abs=0.01)
    assert (os["months"] >= scan).all()
    assert pfs.loc[progressed, "event"].all()
    late = pfs.loc[progressed, "months"] - scan[progressed]
    assert late.between(0, 0.0101).all()
    assert (pfs.loc[~progressed, "months"] >= scan[~progressed]).all()
    died = os["event"]
    assert (pfs.loc[died, "months"] <= os.loc[died, "months"]).all()


def test_only_endpoints_of_progression_are_ended_by_it():
    own = EndpointDesign(6.0, 2.0, 0.2)
    endpoints = {
        "TTP": own,
        "local control": own,
        "by field": replace(own, progression=True),
        "PFS": replace(own, progression=False),
    }
    asked = design(endpoints=endpoints)
    cohort = draw_study_cohort(asked, "training", seed=1)
    progressed = cohort.responses["response"] == "PD"
    due = np.ceil(np.round(cohort.facts["weeks"] * MONTHS_PER_WEEK * 100, 6)) / 100
    for name, ends in {
        "TTP": True, "local control": False, "by field": True, "PFS": False
    }.items():  # fmt: skip
        assert asked.ends_by_progression(name) == ends
        at_scan = (cohort.outcomes[name]["months"] == due)[progressed].mean()
        assert at_scan == 1 if ends else at_scan < 0.02
    for other in (replace(asked, progressive=("relapse",)), design(endpoints=endpoints, **ONCE)):
        cohort = draw_study_cohort(other, "training", seed=1)
        seen = cohort.outcomes["by field"][cohort.responses["response"] == "PD"]
        assert seen["months"].nunique() > 500


def test_who_was_not_scanned_may_go_before():
    asked = design(without_follow_up=0.4)
    cohort = draw_study_cohort(asked, "training", seed=1)
    scanned = cohort.facts.index.isin(cohort.blocks["post"].index)
    scan = cohort.facts["weeks"] * MONTHS_PER_WEEK
    pfs, os = cohort.outcomes["PFS"], cohort.outcomes["OS"]
    early = (pfs["months"] < scan) & pfs["event"]
    assert early[~scanned].mean() > 0.05
    assert not early[scanned].any()
    died = os["event"]
    assert (pfs.loc[died, "months"] <= os.loc[died, "months"]).all()
    progressed = cohort.responses["response"] == "PD"
    assert (pfs.loc[progressed, "months"] <= scan[progressed] + 0.0101).all()


def test_shares_with_progression_by_hand():
    """Of two words with an AUC of 0.65 the shares differ by 0.3, and their mean is 0.25."""
    asked = design()
    negative, positive = progressed_shares(asked, calibrate(asked))
    assert negative - positive == pytest.approx(0.3, abs=1e-9)
    assert 0.6 * negative + 0.4 * positive == pytest.approx(0.25, abs=1e-9)
    asked = design(CategoryLabel("response", ("CR", "PR"), ("SD", "PD")), rivals={})
    # Stable disease is twice as common.
    assert progressed_shares(asked, calibrate(asked)) == pytest.approx((1 / 3, 0.0))
    assert progressed_shares(design(rivals={}), calibrate(design())) == (0.0, 0.0)
    null = design(effect=False)
    assert progressed_shares(null, calibrate(null)) == pytest.approx((0.25, 0.25))


def test_shares_with_progression_of_a_time_are_those_of_its_halves():
    asked = design(TimeLabel("OS"), rivals={"r": replace(RESPONSE, discrimination=0.6)})
    truth, rng = calibrate(asked), np.random.default_rng(2)
    drawn = draw_people(asked, truth, asked.training, rng=rng)
    written = write_facts(asked, truth, drawn, part=asked.training, rng=rng)
    said = says_progression(asked, written)
    found = said[~drawn.positive].mean(), said[drawn.positive].mean()
    assert progressed_shares(asked, truth) == pytest.approx(found, abs=0.015)


def test_neither_of_two_times_is_a_probability_of_two_normals(rng):
    for correlation in (0.64, 0.8):
        score = rng.normal(size=12)
        deaths = _Deaths(np.log(np.arange(1.0, 13.0)), score[None, None], correlation)
        other = rng.normal(size=12)
        log_left = norm.logsf(other)[None, None]
        found = deaths.neither(log_left, np.arange(1.0, 13.0)[None])[0, 0]
        both = multivariate_normal(cov=[[1, correlation], [correlation, 1]])
        expected = [both.cdf([-a, -b]) for a, b in zip(score, other, strict=True)]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_without_scan_and_deaths_the_ratio_is_the_stated_one():
    asked = design(endpoints=PROGRESSION, **ONCE)
    law = endpoint_law(asked, calibrate(asked), "PFS")
    assert law.ratio == 2.0
    assert 0.4 * np.exp(-law.hazard) + 0.6 * np.exp(-2 * law.hazard) == pytest.approx(0.5)


def test_deaths_of_a_class_made_from_them_may_do_more_than_stated():
    """All of the worse class die within the median, so a ratio of 1.5 cannot be."""
    asked = design(BeyondLabel("OS", None), endpoints={
        "OS": EndpointDesign(9.0, None, 0.2), "PFS": EndpointDesign(6.0, 1.5, 0.1)
    })  # fmt: skip
    assert endpoint_law(asked, calibrate(asked), "PFS").ratio == 1.0
    cohort = draw_study_cohort(asked, "training", seed=1)
    median, ratio, _ = measured(cohort, "PFS")
    assert median == pytest.approx(6.0, rel=0.03)
    assert ratio > 1.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"rivals": {"r": replace(RESPONSE, groups=(("PD", "a", "b"), ("SD",)))},
             "progressive": ("PD", "a", "b")},
            "more than half without progression",
        ),
        (
            {"endpoints": {"OS": EndpointDesign(5.0, 2.0, 0.1), **PROGRESSION}},
            "alive at the median of PFS",
        ),
        ({"endpoints": {"PFS": EndpointDesign(6.0, 500.0, 0.1)}}, "that its law can have"),
    ],
)  # fmt: skip
def test_worlds_that_cannot_be_are_refused(changes, message):
    asked = design(**changes)
    with pytest.raises(DataError, match=message):
        draw_study_cohort(asked, "training", seed=1)


@pytest.mark.parametrize("label", [BeyondLabel("PFS", None), TimeLabel("PFS")])
def test_a_label_that_the_response_decides_is_refused(label):
    parts = {"training": PartDesign(MANY, None, ("A",))}
    own = EndpointDesign(6.0, None, 0.2)
    asked = design(endpoints={})
    message = "a label that response at the later scan does not decide"
    with pytest.raises(DataError, match=message):
        replace(asked, label=label, parts=parts, endpoints={"PFS": own})
    free = replace(own, progression=False)
    for changes in ({"endpoints": {"PFS": free}}, {"endpoints": {"PFS": own}, "rivals": {}}):
        replace(asked, label=label, parts=parts, **changes)
