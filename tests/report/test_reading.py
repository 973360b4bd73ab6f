"""Verdict box and readings follow the numbers by the rule that made the verdict."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation import verdict
from radiogenomics.report.content import ReportContent
from radiogenomics.report.page import verdict_box
from radiogenomics.report.parts import estimate, number, p_value, whisker
from radiogenomics.report.vocabulary import (
    METRICS,
    is_beyond_chance,
    reading,
    split_words,
    words_of,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"
CV = "cross-validation"


def metric(name: str = "auc", *, value: float, half: float, p: float | None) -> Metric:
    chance = 1.0 if "hr" in name else 0.5
    return Metric(name, value, value - half, value + half, chance, 100, CV, p, 50)


def content(*metrics: Metric, text: str = "the imaging surrogate is something") -> ReportContent:
    return ReportContent("s", ("a",), 0, "0.1", text, metrics)


@pytest.mark.parametrize("name", ["auc", "c_index", "signature_c_index", "hr_per_sd"])
def test_found_is_what_the_verdict_calls_found(name: str) -> None:
    for value, half, p in itertools.product(
        (0.3, 0.5, 0.7, 1.0, 1.6), (0.05, 0.3), (None, 0.001, 0.05, 0.051, 0.5)
    ):
        one = metric(name, value=value, half=half, p=p)
        assert is_beyond_chance(one) == verdict(one).found


def test_box_is_green_only_when_the_headline_is_beyond_chance() -> None:
    found = metric(value=0.7, half=0.1, p=0.005)
    assert verdict_box(content(found))["tone"] == "found"
    for half, p in ((0.1, 0.2), (0.3, 0.005)):
        box = verdict_box(content(metric(value=0.7, half=half, p=p)))
        assert (box["tone"], box["heading"]) == ("chance", "Not distinguishable from chance")
    for half in (0.1, 0.3):
        box = verdict_box(content(metric(value=0.7, half=half, p=None)))
        assert (box["tone"], box["heading"]) == ("open", "Not tested against chance")
    assert verdict_box(content())["tone"] == "open"


def test_image_surrogate_speaks_before_the_signature() -> None:
    signature = metric("signature_c_index", value=0.7, half=0.1, p=0.001)
    image = metric(value=0.5, half=0.1, p=0.6)
    assert verdict_box(content(signature))["tone"] == "found"
    assert verdict_box(content(signature, image))["tone"] == "chance"


def test_verdict_is_a_sentence() -> None:
    assert verdict_box(content())["text"] == "The imaging surrogate is something."


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (metric(value=0.7, half=0.1, p=0.01), "found"),
        (metric(value=0.55, half=0.1, p=0.01), "chance"),
        (metric(value=0.7, half=0.1, p=0.2), "chance"),
        (metric(value=0.7, half=0.1, p=None), "open"),
        (metric(value=0.55, half=0.1, p=None), "open"),
        (metric(value=0.3, half=0.1, p=0.999), "chance"),
        (metric("gene_hr_per_sd:A", value=0.6, half=0.1, p=0.01), "found"),
        (metric("signature_random_share", value=0.05, half=0.02, p=0.04), "found"),
        (metric("brier", value=0.2, half=0.01, p=None), "plain"),
        (metric("calibration_slope", value=1.0, half=0.1, p=None), "plain"),
        (metric("unheard_of", value=0.9, half=0.1, p=0.001), "plain"),
        (metric(value=float("nan"), half=0.1, p=None), "open"),
    ],
)
def test_reading_of_a_metric(one: Metric, kind: str) -> None:
    assert reading(one)[0] == kind


def test_whisker_puts_chance_in_the_middle_and_clips() -> None:
    share = whisker(metric(value=0.7, half=0.1, p=None))
    assert share is not None
    assert (share.low, share.value, share.high, share.chance) == (60, 70, 80, 50)
    ratio = whisker(Metric("hr_per_sd", 1.0, 0.001, 50.0, 1.0, 10, CV))
    assert ratio is not None
    assert (ratio.low, ratio.value, ratio.high, ratio.chance) == (0, 50, 100, 50)
    assert whisker(Metric("auc", float("nan"), 0.1, 0.2, 0.5, 10, CV)) is None
    assert whisker(metric("brier", value=0.2, half=0.1, p=None)) is None


def test_numbers_are_written_for_readers() -> None:
    assert [number(x) for x in (3.0, -0.12345, None, float("inf"), "4")] == [
        "3",
        "−0.123",
        "–",
        "∞",
        "4",
    ]
    assert [p_value(x) for x in (None, 0.00001, 0.04321, 0.5)] == ["–", "< 0.0001", "0.043", "0.5"]
    assert estimate(Metric("x", -0.1, -0.4, 0.2, 0.0, 9, CV)) == "−0.10 (−0.40 to 0.20)"


def test_splits_and_names_in_words() -> None:
    assert split_words("external:b") == "external cohort b"
    assert split_words("signature, cross-validation").startswith("signature, cross-validation (")
    assert words_of("tumour_normal_difference:KPNA2").title.startswith("KPNA2: ")


def test_documentation_lists_the_names_the_report_knows() -> None:
    documented = set(re.findall(r"^\| `([a-z_]+)", (DOCS / "metrics.md").read_text(), re.MULTILINE))
    assert set(METRICS) <= documented
