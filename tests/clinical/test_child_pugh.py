"""Child-Pugh: every step of every item, by the published table."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from radiogenomics.clinical.child_pugh import child_pugh_score
from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError

BEST = {
    "bilirubin_mg_dl": 0.8,
    "albumin_g_dl": 4.2,
    "inr": 1.0,
    "ascites": "none",
    "encephalopathy_grade": 0,
}


@pytest.mark.parametrize(
    ("item", "values", "points"),
    [
        ("bilirubin_mg_dl", [1.99, 2.0, 3.0, 3.01], [1, 2, 2, 3]),
        ("albumin_g_dl", [3.51, 3.5, 2.8, 2.79], [1, 2, 2, 3]),
        ("inr", [1.69, 1.7, 2.3, 2.31], [1, 2, 2, 3]),
        ("ascites", ["none", "mild", "moderate", "severe"], [1, 2, 3, 3]),
        ("encephalopathy_grade", [0, 1, 2, 3, 4], [1, 2, 2, 3, 3]),
    ],
)
def test_each_item_steps_where_published(item: str, values: list, points: list[int]) -> None:
    found = child_pugh_score(**{**BEST, item: values})
    assert (found.points - 4).tolist() == points


def test_prothrombin_prolongation_instead_of_inr() -> None:
    without = {name: value for name, value in BEST.items() if name != "inr"}
    found = child_pugh_score(**without, prothrombin_prolongation_s=[3.9, 4, 6, 6.1])
    assert (found.points - 4).tolist() == [1, 2, 2, 3]


def test_classes_over_all_combinations() -> None:
    steps = {
        "bilirubin_mg_dl": [1, 2.5, 4],
        "albumin_g_dl": [4, 3, 2],
        "inr": [1, 2, 3],
        "ascites": ["none", "mild", "severe"],
        "encephalopathy_grade": [0, 2, 4],
    }
    combinations = list(itertools.product(range(3), repeat=5))
    table = {
        name: [values[combination[place]] for combination in combinations]
        for place, (name, values) in enumerate(steps.items())
    }
    found = child_pugh_score(**table)
    expected = [5 + sum(combination) for combination in combinations]
    assert found.points.tolist() == expected
    assert (min(expected), max(expected)) == (5, 15)
    classes = {5: "A", 6: "A", 7: "B", 8: "B", 9: "B"}
    assert found.grade.tolist() == [classes.get(points, "C") for points in expected]


def test_nothing_is_summed_over_missing_items() -> None:
    with pytest.warns(RadiogenomicsWarning, match=r"1 of 2 .*ascites 1"):
        found = child_pugh_score(**{**BEST, "ascites": ["none", None]})
    np.testing.assert_array_equal(found.points, [5, np.nan])
    assert found.grade.tolist() == ["A", None]


def test_bad_input() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'mild'"):
        child_pugh_score(**{**BEST, "ascites": "mil"})
    with pytest.raises(DataError, match="found both"):
        child_pugh_score(**BEST, prothrombin_prolongation_s=3)
    with pytest.raises(DataError, match="found neither"):
        child_pugh_score(**{**BEST, "inr": None})
    with pytest.raises(DataError, match="looks like g/l"):
        child_pugh_score(**{**BEST, "albumin_g_dl": 42})
