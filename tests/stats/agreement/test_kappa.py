from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.stats.agreement.kappa import cohen_kappa, cohen_kappa_of_counts

PAIRS = (("a", "b"), ("a", "c"), ("b", "c"))
APART = np.array([[0, 1, 2, 6], [1, 0, 3, 6], [2, 3, 0, 6], [6, 6, 6, 0]])
WEIGHTS = {"none": None, "linear": "linear", "quadratic": "quadratic", "given": 1 - APART / 6}


@pytest.mark.parametrize("pair", PAIRS, ids="".join)
@pytest.mark.parametrize("kind", WEIGHTS)
def test_matches_r_psych_vcd_and_the_published_null_error(table, pair, kind) -> None:
    ratings = table("agreement_ratings")
    rows = table("agreement").set_index(["case", "name"])["value"]
    expected = rows[".".join([*pair, kind])]
    found = cohen_kappa(
        ratings[pair[0]], ratings[pair[1]], weights=WEIGHTS[kind], categories=[1, 2, 3, 4]
    )
    for name in ("value", "standard_error", "low", "high", "z"):
        assert getattr(found, name) == pytest.approx(expected[name], rel=1e-10), name
    assert found.p == pytest.approx(expected["p"], rel=1e-8)
    assert found.subjects == len(ratings[list(pair)].dropna())
    assert found.left_out == 90 - found.subjects > 0


@pytest.mark.parametrize("kind", ["none", "linear", "quadratic"])
def test_matches_statsmodels_and_scikit_learn(table, kind) -> None:
    complete = table("agreement_ratings")[["a", "c"]].dropna().astype(int)
    found = cohen_kappa(complete["a"], complete["c"], weights=WEIGHTS[kind])
    other = cohens_kappa(
        pd.crosstab(complete["a"], complete["c"]), wt=None if kind == "none" else kind
    )
    assert found.value == pytest.approx(other.kappa, rel=1e-12)
    assert found.standard_error == pytest.approx(other.std_kappa, rel=1e-10)
    assert found.z == pytest.approx(other.z_value, rel=1e-10)
    again = cohen_kappa_score(complete["a"], complete["c"], weights=WEIGHTS[kind])
    assert found.value == pytest.approx(again, rel=1e-12)


def test_published_examples() -> None:
    # Cohen 1968, table 1: two judges, 200 patients, three diagnoses.
    counts = 200 * np.array([[0.44, 0.07, 0.09], [0.05, 0.20, 0.05], [0.01, 0.03, 0.06]])
    apart = np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]])
    assert round(cohen_kappa_of_counts(counts).value, 3) == 0.492
    assert round(cohen_kappa_of_counts(counts, weights=1 - apart / 6).value, 3) == 0.348
    # Printed by SAS for 19 subjects: kappa, its error, bounds, error under no agreement, z.
    small = [[0, 4, 1], [0, 8, 0], [0, 1, 5]]
    for weights, printed in (
        (None, [0.4842, 0.1380, 0.2137, 0.7547, 0.1484, 3.2626]),
        ("linear", [0.4701, 0.1457, 0.1845, 0.7558, 0.1426, 3.2971]),
    ):
        found = cohen_kappa_of_counts(small, weights=weights)
        numbers = [found.value, found.standard_error, found.low, found.high]
        numbers += [found.value / found.z, found.z]
        assert numbers == pytest.approx(printed, abs=5.1e-5)


def test_two_categories_have_the_same_kappa_whatever_the_weights(rng) -> None:
    first, second = rng.integers(0, 2, (2, 40))
    plain = cohen_kappa(first, second)
    for weights in ("linear", "quadratic"):
        assert cohen_kappa(first, second, weights=weights).value == pytest.approx(plain.value)


def test_quadratic_weights_give_the_intraclass_correlation_of_large_samples(rng) -> None:
    # Fleiss & Cohen 1973: equal but for a term of order 1/n.
    truth = rng.normal(size=20000)
    first, second = (np.digitize(truth + rng.normal(0, 0.7, truth.size), [-1, 0, 1]) for _ in "ab")
    shift = (first.mean() - second.mean()) ** 2
    expected = 2 * np.cov(first, second, ddof=0)[0, 1] / (first.var() + second.var() + shift)
    assert cohen_kappa(first, second, weights="quadratic").value == pytest.approx(expected, 1e-12)


def test_interval_and_test_keep_their_level() -> None:
    rng = np.random.default_rng(5)
    covered, rejected = [], []
    for _ in range(800):
        truth = rng.integers(0, 3, 120)
        first, second = (
            np.where(rng.random(120) < 0.25, rng.integers(0, 3, 120), truth) for _ in "ab"
        )
        found = cohen_kappa(first, second)
        # Both keep the truth with probability 0.75, else draw evenly: kappa is 0.75².
        covered.append(found.low <= 0.5625 <= found.high)
        rejected.append(cohen_kappa(first, rng.permutation(second)).p < 0.05)
    assert 0.927 <= np.mean(covered) <= 0.973  # 3 standard errors
    assert 0.027 <= np.mean(rejected) <= 0.073


def test_text_missing_values_and_order_of_categories(table) -> None:
    ratings = table("agreement_ratings")
    names = {1: "CR", 2: "PR", 3: "SD", 4: "PD"}
    text = ratings.apply(lambda column: column.map(names).astype(object).where(column.notna()))
    expected = cohen_kappa(ratings["a"], ratings["b"], weights="linear")
    order = list(names.values())
    found = cohen_kappa(text["a"], text["b"], weights="linear", categories=order)
    assert (found.value, found.left_out) == (expected.value, expected.left_out)
    with pytest.raises(DataError, match="order of the categories"):
        cohen_kappa(text["a"], text["b"], weights="linear")
    with pytest.raises(UnknownNameError, match="PD"):
        cohen_kappa(text["a"], text["b"], categories=["CR", "PR", "SD"])


def test_bounds_stay_within_minus_1_and_1() -> None:
    found = cohen_kappa(list("aabb"), list("bbba"))
    assert found.value - 1.96 * found.standard_error < -1
    assert (found.low, found.value < found.high <= 1) == (-1, True)
    # By hand: no agreement seen, two thirds expected, so (0 - 2/3) / (1/3).
    weights = [[1, 0, 1], [1, 1, 0], [0, 1, 1]]
    below = cohen_kappa([1, 2, 3], [2, 3, 1], weights=weights)
    assert below.value == pytest.approx(-2)
    assert below.low <= below.value <= below.high


def test_perfect_agreement_is_one_without_width() -> None:
    found = cohen_kappa(list("aabbc"), list("aabbc"))
    assert (found.value, found.low, found.high) == (1, 1, 1)


def test_a_constant_reader_has_kappa_0_and_a_warning() -> None:
    with pytest.warns(RadiogenomicsWarning, match="one category"):
        found = cohen_kappa(["a", "a", "a", "a"], ["a", "b", "a", "b"])
    assert found.value == found.low == found.high == 0
    assert np.isnan(found.p)


@pytest.mark.parametrize(
    ("first", "second", "options"),
    [
        (["a", "a"], ["a", "a"], {}),
        (["a", "b"], ["a"], {}),
        (["a", None], [None, "b"], {}),
        ([1, "b"], ["a", 2], {}),
        ([[1, 2]], [[1, 2]], {}),
        ([1, 2, 3], [1, 2, 2], {"weights": np.eye(2)}),
        ([1, 2], [1, 2], {"weights": [[0, 1], [1, 0]]}),
        ([1, 2], [1, 2], {"categories": [1, 1, 2]}),
        ([1, 2], [1, 2], {"level": 95}),
    ],
)
def test_bad_input_says_what_is_expected(first, second, options) -> None:
    with pytest.raises(DataError, match="expected"):
        cohen_kappa(first, second, **options)


def test_unknown_weights_and_odd_tables_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="quadratic"):
        cohen_kappa([1, 2], [1, 2], weights="quadratc")
    for counts in ([[1, 2, 3], [1, 2, 3]], [[1, -1], [2, 3]], [[0, 0], [0, 0]]):
        with pytest.raises(DataError, match="square table of counts"):
            cohen_kappa_of_counts(counts)
