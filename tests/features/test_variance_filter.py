from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import iqr, variation
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, FallbackWarning
from radiogenomics.features.variance_filter import MEASURES, VarianceFilter

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "features"


@parametrize_with_checks([VarianceFilter(), VarianceFilter("iqr", 0.0, k=2)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.mark.parametrize("measure", MEASURES)
def test_spread_is_that_of_r(measure):
    X = pd.read_csv(REFERENCE / "filters_input.csv").filter(regex="^v")
    expected = pd.read_csv(REFERENCE / "filters.csv")[measure]
    found = VarianceFilter(measure, threshold=0.0).fit(X).spread_
    # Where values balance, R divides by a mean of pure rounding.
    balanced = expected > 1e12
    assert np.isinf(found[balanced]).all()
    np.testing.assert_allclose(found[~balanced], expected[~balanced], rtol=1e-12)


def test_spread_is_that_of_scipy(rng):
    X = rng.gamma(2, size=(50, 20)) * 10.0 ** rng.integers(-5, 5, 20)
    found = VarianceFilter("cv").fit(X).spread_
    np.testing.assert_allclose(found, variation(X, ddof=1), rtol=1e-12)
    np.testing.assert_allclose(
        VarianceFilter("iqr", 0.0).fit(X).spread_, iqr(X, axis=0), rtol=1e-12
    )


@pytest.mark.parametrize("measure", ["cv", "relative_iqr"])
def test_unit_and_sign_do_not_matter(rng, measure):
    X = rng.normal(5, rng.uniform(0.1, 2, 30), size=(40, 30))
    before = VarianceFilter(measure).fit(X).support_
    assert 0 < before.sum() < 30
    assert np.array_equal(VarianceFilter(measure).fit(X * -1e-6).support_, before)


def test_constants_have_no_spread_and_a_zero_centre_an_infinite_one():
    X = np.column_stack([np.full(10, 0.1) * 3, np.zeros(10), np.r_[-np.ones(5), np.ones(5)]])
    fitted = VarianceFilter(threshold=0.0).fit(X)
    assert fitted.spread_.tolist() == [0, 0, np.inf]
    assert fitted.support_.tolist() == [False, False, True]


def test_at_most_k_are_kept(rng):
    X = rng.normal(10, np.arange(1, 9), size=(200, 8))
    assert VarianceFilter(k=3).fit(X).support_.tolist() == [False] * 5 + [True] * 3
    assert VarianceFilter(threshold=0.65, k=3).fit(X).support_.sum() <= 2


def test_fallback_and_its_absence(rng):
    X = rng.normal(100, 1, size=(30, 4)) * [1, 1, 2, 1] + [0, 0, -100, 0]
    with pytest.warns(FallbackWarning, match="the best 1"):
        fitted = VarianceFilter(threshold=0.5).fit(X)
    assert fitted.fell_back_ and fitted.support_.tolist() == [False, False, True, False]
    with pytest.raises(DataError, match="found none of 4"):
        VarianceFilter(threshold=0.5, fallback=0).fit(X)


@pytest.mark.parametrize(
    "parameters", [{"measure": "variance"}, {"threshold": -1}, {"k": 0}, {"k": 1.5}]
)
def test_senseless_parameters_are_refused(rng, parameters):
    with pytest.raises(DataError, match=next(iter(parameters))):
        VarianceFilter(**parameters).fit(rng.normal(size=(9, 3)))
