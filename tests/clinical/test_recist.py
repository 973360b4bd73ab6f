"""RECIST 1.1 and mRECIST: the guideline's rules at their edges, and real readings of HCC."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from radiogenomics.clinical.assessment import Assessment
from radiogenomics.clinical.mrecist import mrecist
from radiogenomics.clinical.recist import recist
from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError

REAL_CODES = {1: "CR", 2: "PR", 3: "SD", 4: "PD"}


def overall(*sums: float, criterion=recist, **later) -> list[str]:
    """Responses of one target lesion seen at months 0, 2, 4, ..."""
    first, *rest = sums
    seen = [Assessment(0, {"a": first})]
    seen += [Assessment(2.0 * (k + 1), {"a": mm}, **later) for k, mm in enumerate(rest)]
    return criterion(seen).table["overall"].tolist()


@pytest.mark.parametrize(
    ("sums", "expected"),
    [
        ((100, 70), "PR"),  # exactly 30 % less
        ((100, 70.1), "SD"),
        ((100, 120), "PD"),  # exactly 20 % and 20 mm more
        ((100, 119.9), "SD"),
        ((20, 24.9), "SD"),  # 24.5 % more, but less than 5 mm
        ((20, 25), "PD"),
        ((100, 0), "CR"),
        ((0.3, 0.21), "PR"),  # a binary fraction must not decide
    ],
)
def test_edges_of_the_target_response(sums, expected):
    assert overall(*sums) == [expected]


def test_progression_is_counted_from_the_smallest_sum():
    assert overall(100, 50, 59.9, 60) == ["PR", "PR", "PD"]
    # 60 is still 40 % below the baseline: progression goes before response.
    assert overall(100, 120, 100) == ["PD", "SD"]


def test_a_node_of_normal_size_has_gone():
    nodes = frozenset({"n"})
    seen = [
        Assessment(0, {"a": 30, "n": 18}, nodes=nodes),
        Assessment(2, {"a": 0, "n": 9.9}, nodes=nodes),
        Assessment(4, {"a": 0, "n": 10.0}, nodes=nodes),
    ]
    assert recist(seen).table["overall"].tolist() == ["CR", "PD"]


@pytest.mark.parametrize(
    ("target", "non_target", "new", "expected"),
    [
        # Table 1 of the guideline.
        (0, "CR", 0, "CR"),
        (0, "non-CR/non-PD", 0, "PR"),
        (0, "NE", 0, "PR"),
        (60, "non-CR/non-PD", 0, "PR"),
        (60, "NE", 0, "PR"),
        (100, "non-CR/non-PD", 0, "SD"),
        (100, "NE", 0, "SD"),
        (math.nan, "non-CR/non-PD", 0, "NE"),
        (130, "CR", 0, "PD"),
        (60, "PD", 0, "PD"),
        (60, "CR", 1, "PD"),
        (math.nan, "CR", 1, "PD"),
    ],
)
def test_overall_response_follows_the_table_of_the_guideline(target, non_target, new, expected):
    seen = [
        Assessment(0, {"a": 100}, non_target="non-CR/non-PD"),
        Assessment(2, {"a": target}, non_target=non_target, new_lesions=new),
    ]
    assert recist(seen).table["overall"].tolist() == [expected]


@pytest.mark.parametrize(
    ("non_target", "new", "expected"),
    [
        # Table 2 of the guideline: no target disease.
        ("CR", 0, "CR"),
        ("non-CR/non-PD", 0, "non-CR/non-PD"),
        ("NE", 0, "NE"),
        ("PD", 0, "PD"),
        ("CR", 2, "PD"),
    ],
)
def test_patients_without_targets(non_target, new, expected):
    seen = [
        Assessment(0, {}, non_target="non-CR/non-PD"),
        Assessment(2, {}, non_target=non_target, new_lesions=new),
    ]
    assert recist(seen).table["overall"].tolist() == [expected]


def test_a_missing_target_leaves_progression_open_to_view():
    seen = [Assessment(0, {"a": 50, "b": 20}), Assessment(2, {"a": 90, "b": math.nan})]
    assert recist(seen).table["overall"].tolist() == ["PD"]
    seen[1] = Assessment(2, {"a": 20, "b": math.nan})
    table = recist(seen).table
    assert table["overall"].tolist() == ["NE"]
    assert np.isnan(table["sum_mm"]).all()


def test_what_comes_back_after_a_complete_response_is_a_relapse():
    assert overall(50, 0, 4, 4) == ["CR", "PD", "PD"]
    assert overall(50, 0, 0) == ["CR", "CR"]


def test_growth_of_normal_nodes_is_no_progression():
    nodes = frozenset({"n"})
    seen = [
        Assessment(0, {"a": 30, "n": 15}, nodes=nodes),
        Assessment(2, {"a": 0, "n": 3}, nodes=nodes),
        Assessment(4, {"a": 0, "n": 8.5}, nodes=nodes),
    ]
    assert recist(seen).table["overall"].tolist() == ["CR", "CR"]


def test_mrecist_asks_for_no_millimetres():
    assert overall(20, 24.1, criterion=mrecist) == ["PD"]
    assert mrecist([Assessment(0, {"a": 20}), Assessment(2, {"a": 24.1})], least_growth_mm=5).table[
        "overall"
    ].tolist() == ["SD"]


def test_the_last_assessment_before_treatment_is_the_baseline():
    seen = [Assessment(2, {"a": 60}), Assessment(-1, {"a": 100}), Assessment(-0.1, {"a": 90})]
    assert recist(seen).table["change_from_baseline"].tolist() == pytest.approx([-1 / 3])


def test_bad_input_says_what_to_do():
    with pytest.raises(OutcomeError, match="baseline at or before month 0"):
        recist([Assessment(1, {"a": 10})])
    with pytest.raises(OutcomeError, match="one assessment a day"):
        recist([Assessment(0, {"a": 10}), Assessment(2, {"a": 5}), Assessment(2, {"a": 6})])
    with pytest.raises(DataError, match="a difference in b"):
        recist([Assessment(0, {"a": 10, "b": 5}), Assessment(2, {"a": 5})])
    with pytest.raises(OutcomeError, match="baseline at 0: expected every target measured"):
        recist([Assessment(0, {"a": math.nan}), Assessment(2, {"a": 5})])
    with pytest.raises(OutcomeError, match="targets that can be measured"):
        mrecist([Assessment(0, {"a": 0.0}), Assessment(2, {"a": 0.0})])
    with pytest.raises(DataError, match="1 diameters that are not"):
        Assessment(0, {"a": -3})
    with pytest.raises(UnknownNameError, match="non-target"):
        Assessment(0, {"a": 3}, non_target="stable")
    with pytest.raises(DataError, match="lymph nodes among the targets"):
        Assessment(0, {"a": 3}, nodes=frozenset({"b"}))


@pytest.mark.real
@pytest.mark.parametrize("reader", [1, 2, 3])
@pytest.mark.parametrize(("criterion", "column"), [(recist, "RECIST"), (mrecist, "mRECIST")])
def test_readers_of_tace_followed_the_same_rules(data_root, reader, criterion, column):
    """Sums before and after chemoembolisation, and the category that the reader gave."""
    path = data_root / "tables" / "hcc-tace-seg_clinical"
    frame = pd.read_csv(next(path.glob("*.csv")))
    names = [f"{reader}_{column}{end}" for end in ("_BL", "_FU", "")]
    readings = frame[names].dropna()
    assert len(readings) >= 95
    ours = [
        criterion([Assessment(0, {"sum": before}), Assessment(1, {"sum": after})]).table["overall"][
            0
        ]
        for before, after in readings.iloc[:, :2].to_numpy()
    ]
    theirs = readings.iloc[:, 2].map(REAL_CODES).tolist()
    assert ours == theirs
