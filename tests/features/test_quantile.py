from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, rankdata
from sklearn.preprocessing import QuantileTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, SchemaError, UnknownNameError
from radiogenomics.features.quantile import NormalScores, QuantileNormaliser

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "features"
NORMALISERS = [QuantileNormaliser(), QuantileNormaliser("order"), NormalScores()]


def patients(file: str, case: str) -> np.ndarray:
    table = pd.read_csv(REFERENCE / f"{file}.csv")
    return table[table["case"] == case].loc[:, "g1":].to_numpy()


def refusals(estimator) -> dict[str, str]:
    if isinstance(estimator, NormalScores):
        return {}
    return {"check_estimators_pickle": "makes a patient of one value, who is refused"}


@parametrize_with_checks(NORMALISERS, expected_failed_checks=refusals)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.mark.parametrize("case", ["full", "tied", "gaps", "tied gaps"])
def test_quantiles_agree_with_limma(case):
    found = QuantileNormaliser().fit_transform(patients("quantile_input", case))
    np.testing.assert_allclose(found, patients("quantile_average", case), rtol=1e-12)


@pytest.mark.parametrize("case", ["full", "gaps"])
def test_quantiles_in_order_agree_with_limma(case):
    found = QuantileNormaliser("order").fit_transform(patients("quantile_input", case))
    np.testing.assert_allclose(found, patients("quantile_order", case), rtol=1e-12)


@pytest.mark.parametrize("normaliser", NORMALISERS, ids=str)
def test_patients_one_by_one_are_as_together(rng, normaliser):
    normaliser.fit(np.round(rng.normal(size=(12, 40)), 1))
    new = np.round(rng.normal(size=(9, 40)), 1)
    new[2, 5] = np.nan
    alone = [normaliser.transform(row[None])[0] for row in new]
    assert np.array_equal(alone, normaliser.transform(new), equal_nan=True)


def test_in_order_every_patient_has_exactly_the_reference(rng):
    model = QuantileNormaliser("order").fit(rng.normal(size=(7, 20)))
    tied = rng.integers(0, 4, (5, 20)).astype(float)
    found = model.transform(tied)
    np.testing.assert_allclose(np.sort(found, axis=1), np.tile(model.reference_, (5, 1)))
    first, second = np.flatnonzero(tied[0] == tied[0].min())[:2]
    assert found[0, first] < found[0, second]


def test_equal_values_stay_equal_and_order_is_kept(rng):
    model = QuantileNormaliser().fit(rng.normal(size=(7, 20)))
    tied = rng.integers(0, 6, (5, 20)).astype(float)
    for before, after in zip(tied, model.transform(tied), strict=True):
        assert np.array_equal(rankdata(before), rankdata(after.round(12)))


@pytest.mark.parametrize("case", ["full", "tied", "gaps"])
def test_normal_scores_agree_with_r(case):
    found = NormalScores().fit_transform(patients("quantile_input", case))
    np.testing.assert_allclose(found, patients("normal_scores", case), rtol=1e-12, atol=1e-14)


def test_normal_scores_are_those_of_scikit_learn_but_for_the_ends(rng):
    X = rng.exponential(size=(50, 4))
    ranks = 1 + 49 * QuantileTransformer(n_quantiles=50).fit_transform(X)
    blom = norm.ppf((ranks - 3 / 8) / 50.25)
    np.testing.assert_allclose(NormalScores().fit_transform(X), blom, rtol=1e-9)
    normal = QuantileTransformer(n_quantiles=50, output_distribution="normal").fit_transform(X)
    assert np.abs(normal).max() > 5.1  # why this is not simply theirs
    assert np.abs(blom).max() < 2.3


def test_new_values_lie_between_their_neighbours_and_end_at_the_ends():
    model = NormalScores().fit(np.array([[1.0], [2.0], [2.0], [4.0]]))
    low, middle, high = norm.ppf((np.array([1, 2.5, 4]) - 3 / 8) / 4.25)
    found = model.transform(np.array([[-9.0], [1.0], [2.0], [3.0], [4.0], [9.0], [np.nan]]))
    expected = [low, low, middle, (middle + high) / 2, high, high, np.nan]
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-12, atol=1e-15)


def test_constant_variable_scores_zero():
    assert np.array_equal(NormalScores().fit_transform(np.full((5, 1), 7.0)), np.zeros((5, 1)))


def test_bad_input_says_what_is_expected(rng):
    X = rng.normal(size=(5, 4))
    with pytest.raises(UnknownNameError, match="mean"):
        QuantileNormaliser("mean").fit(X)
    lone = np.where(np.arange(4) > 0, np.nan, X)
    with pytest.raises(DataError, match=r"2 values of each patient; found fewer in 5 of 5"):
        QuantileNormaliser().fit(lone)
    with pytest.raises(DataError, match=r"rows 0"):
        QuantileNormaliser().fit(X).transform(lone[:1])
    with pytest.raises(DataError, match=r"none of 3 \(1, 2, 3\)"):
        NormalScores().fit(lone)


@pytest.mark.parametrize("normaliser", NORMALISERS, ids=str)
def test_left_over_row_fact_fails_loudly(rng, normaliser):
    table = pd.DataFrame(rng.normal(size=(5, 3))).add_prefix("g").assign(**{"@site": 1.0})
    with pytest.raises(SchemaError, match="row fact.*@site"):
        normaliser.fit(table)
