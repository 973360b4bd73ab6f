from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats import inter_rater

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.agreement.fleiss_kappa import fleiss_kappa

# Fleiss 1971, table 1: 30 patients, 6 psychiatrists, 5 diagnoses (how many chose each).
FLEISS_1971 = """00060 03003 01401 00006 03030 20400 00402 20310 20040 00006
10050 11040 03300 10050 02031 00501 30012 51000 02040 10203
00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""


def psychiatrists() -> np.ndarray:
    """One row a patient, one column a psychiatrist; who chose what does not matter."""
    counts = [[int(digit) for digit in word] for word in FLEISS_1971.split()]
    return np.array([np.repeat(np.arange(1, 6), row) for row in counts])


def test_published_example() -> None:
    found = fleiss_kappa(psychiatrists())
    assert (round(found.value, 3), round(found.z, 2)) == (0.430, 17.65)
    assert found.category_value.round(3).tolist() == [0.245, 0.245, 0.520, 0.471, 0.566]
    assert found.category_z.round(2).tolist() == [5.19, 5.19, 11.03, 9.99, 12.01]
    assert round(found.agreement, 3) == 0.556


def test_matches_r(table) -> None:
    rows = table("agreement")
    expected = rows[rows["case"] == "fleiss"].groupby("name")["value"].apply(list)
    found = fleiss_kappa(table("agreement_ratings").to_numpy(dtype=object))
    for name in ("value", "z", "agreement", "unanimous", "standard_error"):
        assert getattr(found, name) == pytest.approx(expected[name][0], rel=1e-10), name
    assert found.p == pytest.approx(expected["p"][0], rel=1e-8)
    np.testing.assert_allclose(found.category_value, expected["category_value"], rtol=1e-10)
    np.testing.assert_allclose(found.category_z, expected["category_z"], rtol=1e-10)
    np.testing.assert_allclose(found.category_p, expected["category_p"], rtol=1e-8)
    assert (found.subjects, found.readers, found.left_out) == (86, 3, 4)


def test_matches_statsmodels(rng) -> None:
    ratings = rng.integers(0, 4, (25, 5))
    counts, _ = inter_rater.aggregate_raters(ratings)
    expected = inter_rater.fleiss_kappa(counts)
    assert fleiss_kappa(ratings).value == pytest.approx(expected, rel=1e-12)


def test_errors_are_close_to_those_of_the_jackknife() -> None:
    ratings = np.tile(psychiatrists(), (10, 1))
    n = len(ratings)
    found = fleiss_kappa(ratings)
    left = [fleiss_kappa(np.delete(ratings, row, axis=0)) for row in range(n)]
    for of, error in (
        ([one.value for one in left], found.standard_error),
        ([one.category_value for one in left], found.category_standard_error),
    ):
        jackknife = np.std(of, axis=0) * np.sqrt(n - 1)
        np.testing.assert_allclose(error, jackknife, rtol=0.02)


def test_interval_and_test_keep_their_level() -> None:
    rng = np.random.default_rng(8)
    covered, each, rejected = [], [], []
    for _ in range(600):
        truth = rng.integers(0, 3, (100, 1))
        guess = rng.integers(0, 3, (100, 4))
        found = fleiss_kappa(np.where(rng.random((100, 4)) < 0.3, guess, truth))
        covered.append(found.low <= 0.49 <= found.high)
        each.append((found.category_low <= 0.49) & (found.category_high >= 0.49))
        rejected.append(fleiss_kappa(guess).p < 0.05)
    assert 0.923 <= np.mean(covered) <= 0.977  # 3 standard errors
    assert 0.923 <= np.mean(each) <= 0.977
    assert 0.023 <= np.mean(rejected) <= 0.077


def test_bounds_stay_within_minus_1_and_1() -> None:
    found = fleiss_kappa([["a", "b"], ["a", "b"], ["a", "b"], ["b", "b"]])
    assert found.value - 1.96 * found.standard_error < -1
    assert found.low == -1 and (found.category_low == -1).all()
    assert found.high <= 1


def test_a_category_nobody_used_has_no_kappa() -> None:
    ratings = [["a", "a"], ["b", "b"], ["a", "b"]]
    found = fleiss_kappa(ratings, categories=["a", "never", "b"])
    assert found.value == pytest.approx(fleiss_kappa(ratings).value)
    assert np.isnan(found.category_value[1])
    assert not np.isnan(found.category_value[[0, 2]]).any()


@pytest.mark.parametrize(
    "ratings",
    [
        [["a", "a"], ["a", "a"]],
        [["a"], ["b"]],
        ["a", "b"],
        [["a", None], ["b", "b"], [None, "a"]],
    ],
)
def test_bad_input_says_what_is_expected(ratings) -> None:
    with pytest.raises(DataError, match="expected"):
        fleiss_kappa(ratings)


def test_a_rating_outside_the_categories_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="'c'"):
        fleiss_kappa([["a", "b"], ["c", "a"]], categories=["a", "b"])
