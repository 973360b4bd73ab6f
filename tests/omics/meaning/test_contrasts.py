"""High against low: held against metafor and R's wilcox.test, by hand, and in a null world."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, mannwhitneyu

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning
from radiogenomics.omics.meaning.contrasts import contrast_table, hedges_g, rank_sum
from radiogenomics.stats.multiplicity import adjust

REFERENCE = Path(__file__).parents[2] / "reference" / "omics"
INPUT = pd.read_csv(REFERENCE / "contrasts_input.csv")
EXPECTED = pd.read_csv(REFERENCE / "contrasts.csv")


@pytest.mark.parametrize("case", EXPECTED["case"].unique())
def test_r_finds_the_same(case):
    part = INPUT[INPUT["case"] == case].reset_index(drop=True)
    scores = part[["plain", "none", "skewed", "tied"]]
    found = contrast_table(scores, part["high"] == 1).set_index("score")
    expected = EXPECTED[EXPECTED["case"] == case].set_index("score")
    columns = ["difference", "low", "high", "auc", "p"]
    np.testing.assert_allclose(found.loc[expected.index, columns], expected[columns], rtol=1e-10)
    assert set(found["n_high"]) == {int(part["high"].sum())}
    assert set(found["n_low"]) == {int((1 - part["high"]).sum())}


def test_exact_p_counts_every_division_of_the_patients(rng):
    values = rng.normal(size=(8, 5))
    member = np.arange(8) < 3
    found = rank_sum(values, member)
    for column, p in zip(values.T, found.p, strict=True):
        ranks = column.argsort().argsort() + 1
        sums = np.array([ranks[list(chosen)].sum() for chosen in combinations(range(8), 3)])
        centre = 3 * 9 / 2
        extreme = np.abs(sums - centre) >= abs(ranks[member].sum() - centre)
        assert p == pytest.approx(extreme.mean(), rel=1e-12)


@pytest.mark.parametrize("sizes", [(49, 49), (49, 2), (50, 3), (3, 80)])
def test_exact_below_fifty_and_normal_from_there(rng, sizes):
    values = rng.normal(size=(sum(sizes), 3))
    member = np.arange(sum(sizes)) < sizes[0]
    method = "exact" if max(sizes) < 50 else "asymptotic"
    expected = [mannwhitneyu(x[member], x[~member], method=method).pvalue for x in values.T]
    np.testing.assert_allclose(rank_sum(values, member).p, expected, rtol=1e-10)


def test_the_label_turned_round_turns_the_difference_round(rng):
    scores = pd.DataFrame(rng.normal(size=(20, 4)), columns=list("abcd"))
    high = pd.Series(np.arange(20) < 9)
    one, other = contrast_table(scores, high), contrast_table(scores, ~high)
    np.testing.assert_allclose(one["difference"], -other["difference"])
    np.testing.assert_allclose(one["auc"], 1 - other["auc"])
    np.testing.assert_allclose(one["p"], other["p"])
    np.testing.assert_allclose(one["fdr"], adjust(one["p"], method="bh"))


def test_a_label_dealt_at_random_gives_uniform_p(rng):
    """Genes that go together, and labels dealt among the patients: p of each score is uniform."""
    shared = rng.normal(size=(60, 1))
    scores = pd.DataFrame(shared + rng.normal(size=(60, 5)))
    found = []
    for _ in range(400):
        high = pd.Series(rng.permutation(np.arange(60) < 25))
        found.append(contrast_table(scores, high)["p"].to_numpy())
    found = np.array(found)
    for p in found.T:
        assert kstest(p, "uniform").pvalue > 0.001
    assert (found <= 0.05).mean() == pytest.approx(0.05, abs=0.03)


def test_the_interval_covers_the_truth(rng):
    """Hedges' g of two normal groups one SD apart."""
    values = rng.normal(size=(40, 4000)) + (np.arange(40) < 20)[:, None]
    g, variance = hedges_g(values, np.arange(40) < 20)
    assert g.mean() == pytest.approx(1.0, abs=0.02)
    half = 1.959964 * np.sqrt(variance)
    assert (np.abs(g - 1.0) <= half).mean() == pytest.approx(0.95, abs=0.015)


def test_a_score_that_does_not_vary_is_left_out_by_name():
    scores = pd.DataFrame({"flat": [1.0] * 6, "label": [1.0, 1, 1, 0, 0, 0], "CYT": np.arange(6.0)})
    high = pd.Series([True] * 3 + [False] * 3)
    with pytest.warns(RadiogenomicsWarning, match="flat, label"):
        assert contrast_table(scores, high)["score"].tolist() == ["CYT"]


@pytest.mark.parametrize(
    ("scores", "high", "error", "message"),
    [
        ({"a": [1.0, np.nan, 2, 3]}, [True, True, False, False], DataError, "missing or infinite"),
        ({"a": [1.0, np.inf, 2, 3]}, [True, True, False, False], DataError, "missing or infinite"),
        ({"a": ["x", "y", "z", "w"]}, [True, True, False, False], DataError, "as numbers"),
        ({"a": [1.0, 2, 3, 4]}, [True, False, False, False], DataError, "two samples in each"),
        ({"a": [1.0, 2, 3, 4]}, [1, 1, 0, 0], DataError, "True and False"),
        ({"a": [1.0, 2, 3, 4]}, [True, True, False], AlignmentError, "another index"),
        ({}, [True, True, False, False], AlignmentError, "another index"),
    ],
)
def test_unfit_input_is_named(scores, high, error, message):
    with pytest.raises(error, match=message):
        contrast_table(pd.DataFrame(scores), pd.Series(high))


def test_no_score_is_an_error():
    with pytest.raises(DataError, match="found 0 columns"):
        contrast_table(pd.DataFrame(index=range(4)), pd.Series([True, True, False, False]))


def test_the_level_is_that_of_the_interval(rng):
    scores = pd.DataFrame({"a": rng.normal(size=12)})
    high = pd.Series(np.arange(12) < 5)
    wide, narrow = (contrast_table(scores, high, level=level).iloc[0] for level in (0.99, 0.8))
    ratio = (wide["high"] - wide["low"]) / (narrow["high"] - narrow["low"])
    assert ratio == pytest.approx(2.5758293 / 1.2815516, rel=1e-6)
    with pytest.raises(DataError, match="0.95 for 95 %"):
        contrast_table(scores, high, level=95)
