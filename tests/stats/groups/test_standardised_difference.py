from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.stats.groups.standardised_difference import (
    standardised_difference,
    standardised_difference_of_counts,
)


@pytest.mark.parametrize("groups", ["two", "three"])
def test_matches_the_formula_in_r(table, groups) -> None:
    rows = table("baseline_table").set_index(["groups", "variable", "name"])["value"]
    expected = rows.sort_index()[groups]
    frame = table("baseline_table_input")
    frame = frame[frame["arm"] != "C"] if groups == "two" else frame
    for name in ("age", "afp", "bmi"):
        known = frame.dropna(subset=name)
        found = standardised_difference(known[name], known["arm"])
        assert found == pytest.approx(expected[name, "difference"], rel=1e-10)
    for name in ("sex", "virus", "stage", "rare"):
        found = standardised_difference_of_counts(pd.crosstab(frame[name], frame["arm"]))
        assert found == pytest.approx(expected[name, "difference"], rel=1e-10)


def test_two_categories_are_the_formula_of_proportions() -> None:
    p, q = 0.3, 0.55
    expected = (q - p) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    found = standardised_difference_of_counts([[30, 110], [70, 90]])
    assert found == pytest.approx(expected, rel=1e-12)


def test_order_and_empty_categories_do_not_matter(rng) -> None:
    counts = rng.integers(1, 30, (5, 2))
    expected = standardised_difference_of_counts(counts)
    for other in (counts[[3, 0, 4, 1, 2]], counts[:, ::-1], np.vstack([[0, 0], counts])):
        assert standardised_difference_of_counts(other) == pytest.approx(expected, rel=1e-9)
    assert standardised_difference_of_counts(counts * [1, 7]) == pytest.approx(expected)


def test_ends() -> None:
    assert standardised_difference([1, 2, 1, 2], [0, 0, 1, 1]) == 0
    assert standardised_difference([1, 1, 2, 2], [0, 0, 1, 1]) == np.inf
    assert standardised_difference([0.1, 0.1, 0.1, 0.1], [0, 0, 1, 1]) == 0
    assert standardised_difference_of_counts([[4, 8], [1, 2]]) == pytest.approx(0)
    assert standardised_difference_of_counts([[4, 0], [0, 2], [0, 3]]) == np.inf
    assert np.isfinite(standardised_difference_of_counts([[4, 1], [0, 2], [0, 3]]))


def test_bad_input_says_what_is_expected() -> None:
    for values, groups in (([1, 2, 3], [0, 0, 1]), ([1, np.nan], [0, 1]), ([1, 2], [0, 0])):
        with pytest.raises(DataError, match="expected"):
            standardised_difference(values, groups)
    for counts in ([[1], [2]], [[1, 0], [2, 0]], [[1, -1], [2, 3]]):
        with pytest.raises(DataError, match="expected counts"):
            standardised_difference_of_counts(counts)
