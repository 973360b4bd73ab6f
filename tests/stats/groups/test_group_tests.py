from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.groups.group_tests import compare_counts, compare_numbers

TWO = ("mann-whitney", "t", "welch", "kruskal-wallis", "anova")
THREE = ("kruskal-wallis", "anova")


@pytest.fixture
def expected(table):
    return table("baseline_table").set_index(["groups", "variable", "name"])["value"].sort_index()


@pytest.fixture
def patients(table):
    frame = table("baseline_table_input")
    return {"two": frame[frame["arm"] != "C"], "three": frame}


@pytest.mark.parametrize("variable", ["age", "afp", "bmi"])
@pytest.mark.parametrize(
    ("groups", "test"), [*(("two", test) for test in TWO), *(("three", test) for test in THREE)]
)
def test_numbers_match_r(patients, expected, variable, groups, test) -> None:
    frame = patients[groups].dropna(subset=variable)
    found = compare_numbers(frame[variable], frame["arm"], test=test)
    wanted = expected[groups, variable]
    assert found.p == pytest.approx(wanted[test], rel=1e-9)
    assert found.statistic == pytest.approx(wanted[f"{test}.statistic"], rel=1e-9)


def test_ordered_categories_match_r(patients, expected) -> None:
    frame = patients["two"]
    for test in ("mann-whitney", "kruskal-wallis", "trend"):
        found = compare_numbers(frame["stage"], frame["arm"], test=test)
        assert found.p == pytest.approx(expected["two", "stage", test], rel=1e-9)
    assert found.statistic == pytest.approx(expected["two", "stage", "trend.statistic"], rel=1e-9)


@pytest.mark.parametrize("groups", ["two", "three"])
@pytest.mark.parametrize("variable", ["sex", "virus", "stage", "rare"])
def test_counts_match_r_and_the_rule(patients, expected, groups, variable) -> None:
    frame = patients[groups].dropna(subset=variable)
    counts = pd.crosstab(frame[variable], frame["arm"])
    wanted = expected[groups, variable]
    found = compare_counts(counts, test="chi-squared")
    assert found.p == pytest.approx(wanted["chi-squared"], rel=1e-9)
    assert found.statistic == pytest.approx(wanted["chi-squared.statistic"], rel=1e-9)
    assert compare_counts(counts, test="fisher").p == pytest.approx(wanted["fisher"], rel=1e-8)
    chosen = "Fisher's exact" if wanted["least expected"] < 5 else "chi-squared"
    assert compare_counts(counts).name == chosen


def test_the_rule_meets_both_sides(expected) -> None:
    least = expected[expected.index.get_level_values("name") == "least expected"]
    assert (least < 5).any() and (least >= 5).any()


def test_scipy_agrees_on_a_table(rng) -> None:
    counts = rng.integers(5, 40, (3, 4))
    assert compare_counts(counts).p == pytest.approx(
        stats.chi2_contingency(counts, correction=False).pvalue, rel=1e-10
    )


@pytest.mark.parametrize("test", ["mann-whitney", "t", "welch", "anova", "kruskal-wallis"])
def test_level_is_kept_without_a_difference(test) -> None:
    rng = np.random.default_rng(4)
    groups = np.repeat([0, 1], 20)
    p = np.array([compare_numbers(rng.normal(size=40), groups, test=test).p for _ in range(600)])
    assert 0.023 <= (p < 0.05).mean() <= 0.077  # 3 standard errors


@pytest.mark.parametrize(
    ("values", "groups", "test"),
    [
        ([1, 2, 3], [0, 0, 0], "mann-whitney"),
        ([1, 2, 3], [0, 1, 2], "mann-whitney"),
        ([1, 2, 3], [0, 0, 1], "welch"),
        ([2, 2, 2, 2], [0, 0, 1, 1], "kruskal-wallis"),
        ([1, 1, 2, 2], [0, 0, 1, 1], "t"),
        ([1, np.nan, 2, 2], [0, 0, 1, 1], "t"),
        ([1, 2], [0, 1], "anova"),
        ([1, 2, 3], [0, 1], "anova"),
    ],
)
def test_bad_numbers_say_what_is_expected(values, groups, test) -> None:
    with pytest.raises(DataError, match="expected"):
        compare_numbers(values, groups, test=test)


@pytest.mark.parametrize(
    "counts", [[[1, 2], [0, 0]], [1, 2], [[0.5, 1], [1, 1]], [[-1, 1], [1, 1]]]
)
def test_bad_counts_say_what_is_expected(counts) -> None:
    with pytest.raises(DataError, match="expected whole counts"):
        compare_counts(counts)


def test_unknown_tests_name_near_ones() -> None:
    with pytest.raises(UnknownNameError, match="mann-whitney"):
        compare_numbers([1, 2], [0, 1], test="mann-whitny")
    with pytest.raises(UnknownNameError, match="fisher"):
        compare_counts([[1, 2], [2, 1]], test="fischer")
