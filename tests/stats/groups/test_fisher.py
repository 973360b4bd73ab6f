from __future__ import annotations

from itertools import product
from math import factorial

import numpy as np
import pytest
from scipy import stats

from radiogenomics.core.errors import DataError
from radiogenomics.stats.groups.fisher import fisher_exact


def test_matches_r(table) -> None:
    rows = table("baseline_table")
    rows = rows[rows["groups"] == "fisher"]
    assert len(rows) == 8
    for text, p in zip(rows["variable"], rows["value"], strict=True):
        counts = [[int(n) for n in row.split()] for row in text.split("|")]
        found = fisher_exact(counts)
        assert found.exact
        assert found.p == pytest.approx(p, rel=1e-8), text


def test_matches_scipy_for_two_by_two(rng) -> None:
    for _ in range(60):
        counts = rng.integers(0, 15, (2, 2)) + np.eye(2, dtype=int)
        expected = stats.fisher_exact(counts).pvalue
        assert fisher_exact(counts).p == pytest.approx(expected, rel=1e-9)


def test_is_the_sum_over_all_tables() -> None:
    counts = np.array([[3, 1, 0], [1, 2, 2], [0, 1, 3]])
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)

    def weight(table: np.ndarray) -> float:
        return 1 / np.prod([float(factorial(n)) for n in table.ravel()])

    every = []
    for a, b, c, d in product(range(6), repeat=4):
        top = np.array([[a, b, rows[0] - a - b], [c, d, rows[1] - c - d]])
        table = np.vstack([top, columns - top.sum(axis=0)])
        if (table >= 0).all():
            every.append(weight(table))
    every = np.array(every)
    expected = every[every <= weight(counts) * (1 + 1e-7)].sum() / every.sum()
    assert fisher_exact(counts).p == pytest.approx(expected, rel=1e-12)


def test_order_of_rows_and_columns_and_empty_ones_do_not_matter(rng) -> None:
    counts = rng.integers(0, 9, (3, 4)) + 1
    expected = fisher_exact(counts).p
    shuffled = counts[[2, 0, 1]][:, [3, 1, 0, 2]]
    padded = np.pad(counts, ((0, 1), (1, 0)))
    for other in (shuffled, counts.T, padded):
        assert fisher_exact(other).p == pytest.approx(expected, rel=1e-10)


def test_large_tables_draw_at_random_and_say_so() -> None:
    counts = np.full((6, 6), 12) + np.arange(36).reshape(6, 6) % 5
    found = fisher_exact(counts, seed=1)
    assert not found.exact
    assert fisher_exact(counts, seed=1).p == found.p
    # With counts this large the chi-squared test is close.
    assert found.p == pytest.approx(stats.chi2_contingency(counts).pvalue, abs=0.02)


@pytest.mark.parametrize(
    "counts", [[[1, 2]], [[1, 2], [0, 0]], [[1.5, 2], [3, 4]], [[-1, 2], [3, 4]]]
)
def test_bad_input_says_what_is_expected(counts) -> None:
    with pytest.raises(DataError, match="expected whole counts"):
        fisher_exact(counts)
