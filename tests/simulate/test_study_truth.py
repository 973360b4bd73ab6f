"""Calibration against closed forms, scipy's quadrature and brute force on many patients."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import DataError
from radiogenomics.simulate.study_design import (
    BeyondLabel,
    EndpointDesign,
    ImageDesign,
    PartDesign,
    RivalDesign,
    StudyDesign,
    TimeLabel,
    WordLabel,
)
from radiogenomics.simulate.study_facts import write_facts
from radiogenomics.simulate.study_people import People, draw_people
from radiogenomics.simulate.study_rivals import rival_shift
from radiogenomics.simulate.study_truth import (
    SHAPE,
    beyond_auc,
    calibrate,
    concordance,
    discrimination_of,
    hazard_at_median,
    separation_of,
)

MANY = 40_000
WORDS = WordLabel("itls", ("present",), ("absent",))


def design(label, target=0.85, **changes) -> StudyDesign:
    names = tuple(f"f{number}" for number in range(12))
    base = StudyDesign(
        study="toy",
        parts={"training": PartDesign(MANY, 12_000 if label is WORDS else None, ("A",))},
        images={"pre": ImageDesign(names), "post": ImageDesign(names, "pre", later=True)},
        clinical={"clinic": ("age", "afp", "sex", "albumin")},
        label=label,
        better=True,
        target=target,
        shares={"pre": 0.3, "post": 0.5, "clinic": 0.2},
        informative=3,
        endpoints={"OS": EndpointDesign(12.0, None, 0.3)},
    )
    return replace(base, **changes)


def people(asked: StudyDesign, rng: np.random.Generator) -> People:
    return draw_people(asked, calibrate(asked), asked.training, rng=rng)


def test_class_separation_is_the_inverse_of_the_binormal_auc():
    assert norm.cdf(separation_of(0.875) / np.sqrt(2)) == pytest.approx(0.875, abs=1e-12)


@pytest.mark.parametrize("slope", [0.4, 2.0])
def test_hazard_and_auc_beyond_against_scipys_quadrature(slope):
    def survived(z, hazard):
        return np.exp(-hazard * np.exp(-slope * z))

    def gap(hazard):
        return quad(lambda z: survived(z, hazard) * norm.pdf(z), -9, 9)[0] - 0.5

    median = brentq(gap, 1e-6, 1e3)
    assert hazard_at_median(slope) == pytest.approx(median, rel=1e-7)
    hazard = median * 0.7**SHAPE
    share = quad(lambda z: survived(z, hazard) * norm.pdf(z), -9, 9)[0]
    area, _ = dblquad(
        lambda low, high: (
            survived(high, hazard) * (1 - survived(low, hazard)) * norm.pdf(low) * norm.pdf(high)
        ),
        -8,
        8,
        -8,
        lambda high: high,
        epsabs=1e-8,
    )
    assert beyond_auc(slope, ratio=0.7) == pytest.approx(area / share / (1 - share), abs=1e-5)


@pytest.mark.parametrize("slope", [0.0, 0.5, 2.0])
def test_concordance_without_censoring_is_the_expectation(slope):
    expected = quad(
        lambda d: norm.pdf(d, scale=np.sqrt(2)) / (1 + np.exp(-slope * abs(d))), -14, 14, points=[0]
    )[0]
    assert concordance(slope) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("target", [0.5, 0.7, 0.875, 0.97])
def test_classes_reach_the_published_auc(target, rng):
    drawn = people(design(WORDS, target), rng)
    assert drawn.positive.sum() == 12_000
    assert roc_auc_score(drawn.positive, drawn.score) == pytest.approx(target, abs=0.01)


@pytest.mark.parametrize("months", [None, 6.0, 24.0])
@pytest.mark.parametrize("target", [0.65, 0.875])
def test_living_beyond_reaches_the_published_auc(months, target, rng):
    drawn = people(design(BeyondLabel("OS", months), target), rng)
    assert roc_auc_score(drawn.positive, drawn.score) == pytest.approx(target, abs=0.01)
    if months is None:
        assert drawn.positive.mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("censored", [0.0, 0.3, 0.95])
@pytest.mark.parametrize("better", [True, False])
def test_times_reach_the_published_concordance_as_it_is_measured(censored, better, rng):
    asked = design(
        TimeLabel("OS"),
        0.74,
        better=better,
        endpoints={"OS": EndpointDesign(14.0, None, censored)},
        parts={"training": PartDesign(8_000 if censored < 0.9 else 40_000, None, ("A",))},
    )
    drawn = people(asked, rng)
    seen = drawn.outcomes["OS"]
    assert 1 - seen["event"].mean() == pytest.approx(censored, abs=0.02)
    risk = -drawn.score if better else drawn.score
    found = concordance_index_censored(seen["event"], seen["months"], risk)[0]
    # Over seeds its standard error is 0.010 at 1,000 events.
    error = 0.010 * np.sqrt(1_000 / seen["event"].sum())
    assert found == pytest.approx(0.74, abs=3 * error)


def test_counted_events_come_exactly():
    asked = design(TimeLabel("OS"), parts={"training": PartDesign(600, 37, ("A",))})
    drawn = people(asked, np.random.default_rng(4))
    assert drawn.outcomes["OS"]["event"].sum() == 37


@pytest.mark.parametrize("label", [WORDS, BeyondLabel("OS", None), BeyondLabel("OS", 6.0)])
def test_part_of_the_blocks_has_the_stated_auc(label, rng):
    asked = design(label)
    truth = calibrate(asked)
    drawn = draw_people(asked, truth, asked.training, rng=rng)
    for blocks in (("pre",), ("pre", "post"), ("clinic",)):
        score = sum(np.sqrt(asked.shares[name]) * drawn.blocks[name] for name in blocks)
        stated = discrimination_of(asked, truth, blocks=blocks)
        assert roc_auc_score(drawn.positive, score) == pytest.approx(stated, abs=0.01)
    with pytest.raises(DataError, match="pre beside post"):
        discrimination_of(asked, truth, blocks=("post",))


def test_part_of_the_blocks_has_the_stated_concordance(rng):
    asked = design(TimeLabel("OS"), parts={"training": PartDesign(8_000, None, ("A",))})
    truth = calibrate(asked)
    drawn = draw_people(asked, truth, asked.training, rng=rng)
    seen = drawn.outcomes["OS"]
    found = concordance_index_censored(seen["event"], seen["months"], -drawn.blocks["pre"])[0]
    assert found == pytest.approx(discrimination_of(asked, truth, blocks=("pre",)), abs=0.01)


@pytest.mark.parametrize("label", [WORDS, BeyondLabel("OS", None)])
def test_without_change_or_effect_the_rest_is_left(label, rng):
    static, null = design(label, change=False), design(label, effect=False)
    left = discrimination_of(static, calibrate(static), blocks=("pre", "clinic"))
    assert calibrate(static).discrimination == left < 0.8
    drawn = people(static, rng)
    whole = sum(np.sqrt(static.carried(name)) * drawn.blocks[name] for name in static.blocks)
    assert roc_auc_score(drawn.positive, whole) == pytest.approx(left, abs=0.01)
    assert roc_auc_score(drawn.positive, drawn.blocks["post"]) == pytest.approx(0.5, abs=0.01)
    assert calibrate(null).discrimination == pytest.approx(0.5, abs=1e-9)
    drawn = people(null, rng)
    for own in drawn.blocks.values():
        assert roc_auc_score(drawn.positive, own) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("label", [WORDS, BeyondLabel("OS", 6.0)])
@pytest.mark.parametrize(
    ("rival", "auc"),
    [
        (RivalDesign("response", 0.649, (("PD",), ("CR", "PR", "SD")), outcome=True), 0.649),
        (RivalDesign("bclc", 0.6, (("D",), ("C",), ("B",), ("A",))), 0.6),
        (RivalDesign("grade", 0.95, (("3",), ("2",))), 0.95),
        (RivalDesign("albi", 0.7, rises="negative"), 0.7),
    ],
)
def test_rivals_have_their_auc(label, rival, auc, rng):
    asked = design(label, rivals={"rival": rival})
    truth = calibrate(asked)
    drawn = draw_people(asked, truth, asked.training, rng=rng)
    written = write_facts(asked, truth, drawn, part=asked.training, rng=rng)
    known = written.responses[rival.fact] if rival.outcome else written.facts[rival.fact]
    if rival.groups is None:
        value = -known
    else:
        place = {word: n for n, group in enumerate(rival.groups) for word in group}
        value = [place[word] for word in known]
    assert roc_auc_score(drawn.positive, value) == pytest.approx(auc, abs=0.01)


@pytest.mark.parametrize("groups", [None, (("CR", "PR"), ("SD", "PD"))])
def test_rivals_of_times_have_their_concordance(groups, rng):
    rival = RivalDesign("response", 0.6, groups, outcome=groups is not None)
    asked = design(
        TimeLabel("OS"),
        better=False,
        rivals={"rival": rival},
        parts={"training": PartDesign(8_000, None, ("A",))},
    )
    truth = calibrate(asked)
    drawn = draw_people(asked, truth, asked.training, rng=rng)
    written = write_facts(asked, truth, drawn, part=asked.training, rng=rng)
    risk = (
        written.facts["response"].to_numpy()
        if groups is None
        else np.isin(written.responses["response"], groups[1]).astype(float)
    )
    seen = drawn.outcomes["OS"]
    assert concordance_index_censored(seen["event"], seen["months"], risk)[0] == pytest.approx(
        0.6, abs=0.01
    )


def test_rival_of_times_above_the_true_model_is_refused(rng):
    asked = design(TimeLabel("OS"), 0.6, rivals={"rival": RivalDesign("albi", 0.8)})
    with pytest.raises(DataError, match="rival below the true model"):
        write_facts(asked, calibrate(asked), people(asked, rng), part=asked.training, rng=rng)


def test_words_that_cannot_reach_an_auc_take_the_shares_of_the_classes():
    shift, cuts = rival_shift(0.98, np.array([0.05, 0.95]), 0.5)
    low, high = norm.cdf(cuts[0]), norm.cdf(cuts[0] - shift)
    assert (low + (1 - high)) / 2 == pytest.approx(0.98, abs=1e-8)
    assert (low + high) / 2 == pytest.approx(0.5, abs=1e-8)
