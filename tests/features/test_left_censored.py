from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from statsmodels.imputation import ros

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.core.method import Method
from radiogenomics.features.left_censored import (
    CensoredNormalImputer,
    LowNormalImputer,
    LowQuantileImputer,
)

IMPUTERS = [
    LowQuantileImputer(),
    LowNormalImputer(random_state=0),
    CensoredNormalImputer(random_state=0),
]
each = pytest.mark.parametrize("imputer", IMPUTERS, ids=lambda step: type(step).__name__)


@parametrize_with_checks(IMPUTERS)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def whole(rng) -> np.ndarray:
    return rng.normal(rng.uniform(20, 30, 8), rng.uniform(0.5, 3, 8), size=(300, 8))


@pytest.fixture
def censored(whole) -> np.ndarray:
    """The lowest 5 to 40 % of each protein are not seen."""
    limits = [
        np.quantile(column, q) for column, q in zip(whole.T, np.linspace(0.05, 0.4, 8), strict=True)
    ]
    return np.where(whole < limits, np.nan, whole)


@each
def test_what_was_seen_stays_and_gaps_are_filled_low(imputer, censored) -> None:
    filled = clone(imputer).fit_transform(censored)
    gap = np.isnan(censored)
    assert np.array_equal(filled[~gap], censored[~gap])
    assert np.isfinite(filled).all()
    assert (np.nanmean(np.where(gap, filled, np.nan), axis=0) < np.nanmedian(censored, 0)).all()


@each
def test_a_patient_is_filled_alike_in_any_company(imputer, censored, rng) -> None:
    fitted = clone(imputer).fit(censored[:200])
    together = fitted.transform(censored[200:])
    order = rng.permutation(100)
    assert np.array_equal(fitted.transform(censored[200:][order]), together[order])
    alone = np.vstack([fitted.transform(row[None]) for row in censored[200:]])
    assert np.array_equal(alone, together)
    again = clone(imputer).fit(censored[:200]).transform(censored[200:])
    assert np.array_equal(again, together)


@each
def test_only_training_patients_teach(imputer, censored) -> None:
    fitted = clone(imputer).fit(censored[:200])
    twin = clone(imputer).fit(censored[:200])
    twin.transform(censored[200:] + 50)
    assert np.array_equal(twin.transform(censored[200:]), fitted.transform(censored[200:]))


@each
def test_frames_keep_names_and_rare_variables_are_dropped(imputer, censored) -> None:
    table = pd.DataFrame(censored, columns=[f"protein {i}" for i in range(8)])
    table.loc[:160, "protein 3"] = np.nan
    step = clone(imputer).set_params(max_missing=0.5).set_output(transform="pandas")
    out = step.fit_transform(table)
    assert out.columns.tolist() == [f"protein {i}" for i in (0, 1, 2, 4, 5, 6, 7)]
    assert out.index.equals(table.index)


def test_low_quantile_is_that_of_numpy(censored) -> None:
    fitted = LowQuantileImputer(quantile=0.02).fit(censored)
    expected = [np.quantile(column[~np.isnan(column)], 0.02) for column in censored.T]
    np.testing.assert_allclose(fitted.low_, expected, rtol=1e-13)
    assert np.array_equal(fitted.transform(np.full((1, 8), np.nan))[0], fitted.low_)


def test_low_normal_draws_have_the_stated_distribution(censored, rng) -> None:
    fitted = LowNormalImputer(quantile=0.01, sd_factor=0.5, random_state=3).fit(censored)
    assert fitted.sd_ == pytest.approx(0.5 * np.median(pd.DataFrame(censored).std()), rel=1e-12)
    new = rng.normal(25, 1, (4000, 8))
    new[:, 2] = np.nan
    draws = fitted.transform(new)[:, 2]
    assert stats.kstest(draws, stats.norm(fitted.low_[2], fitted.sd_).cdf).pvalue > 1e-3


def test_line_is_that_of_statsmodels(censored) -> None:
    """Censored values of regression on order statistics lie on the line that we learn."""
    fitted = CensoredNormalImputer(random_state=0).fit(censored)
    for j, column in enumerate(censored.T):
        gap = np.isnan(column)
        limit = np.nanmin(column) - 1e-6
        theirs = ros.impute_ros(
            pd.Series(np.where(gap, limit, column)),
            pd.Series(gap),
            transform_in=lambda x: x,
            transform_out=lambda x: x,
        )
        low = np.setdiff1d(theirs, column[~gap])
        place = gap.mean() * np.arange(1, gap.sum() + 1) / (gap.sum() + 1)
        ours = fitted.mean_[j] + fitted.sd_[j] * stats.norm.ppf(place)
        np.testing.assert_allclose(ours, low, rtol=1e-8)


def test_line_finds_the_true_mean_and_sd() -> None:
    ratio = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x = rng.normal(25, 2, (150, 1))
        fitted = CensoredNormalImputer(random_state=0).fit(np.where(x < 24, np.nan, x))
        ratio.append((fitted.mean_[0] - 25, fitted.sd_[0] / 2))
    mean, spread = np.mean(ratio, axis=0)
    assert abs(mean) < 0.1 and abs(spread - 1) < 0.05


def test_draws_are_those_of_the_cut_normal(whole, censored, rng) -> None:
    fitted = CensoredNormalImputer(random_state=5).fit(censored)
    new = rng.normal(25, 1, (4000, 8))
    new[:, 6] = np.nan
    draws = fitted.transform(new)[:, 6]
    end = (fitted.limit_[6] - fitted.mean_[6]) / fitted.sd_[6]
    cut = stats.truncnorm(-np.inf, end, loc=fitted.mean_[6], scale=fitted.sd_[6])
    assert stats.kstest(draws, cut.cdf).pvalue > 1e-3
    assert draws.max() <= fitted.limit_[6]
    assert stats.norm.cdf(end) == pytest.approx(np.isnan(censored[:, 6]).mean(), rel=1e-12)


def test_filled_proteins_have_nearly_the_true_moments(whole, censored) -> None:
    filled = CensoredNormalImputer(random_state=1).fit_transform(censored)
    low = LowQuantileImputer().fit_transform(censored)
    error = np.abs(filled.std(axis=0) / whole.std(axis=0) - 1)
    assert error.max() < 0.1
    assert np.abs(low.std(axis=0) / whole.std(axis=0) - 1).max() > error.max()


def test_complete_and_constant_variables() -> None:
    train = np.column_stack([np.arange(10.0), np.full(10, 7.0)])
    gap = np.full((1, 2), np.nan)
    for imputer in IMPUTERS:
        fitted = clone(imputer).fit(train)
        filled = fitted.transform(gap)[0]
        assert np.isfinite(filled).all()
        assert np.array_equal(fitted.transform(train), train)
    assert CensoredNormalImputer(random_state=0).fit(train).transform(gap)[0, 1] == 7
    # A gap where training had none is at most in the lowest twentieth.
    assert CensoredNormalImputer(random_state=0).fit(train).transform(gap)[0, 0] < 0.5


@each
def test_bad_input(imputer, censored) -> None:
    with pytest.raises(DataError, match="n_samples=2"):
        clone(imputer).fit(censored[:2])
    with pytest.raises(DataError, match="found none of 2. Raise max_missing"):
        clone(imputer).fit(np.full((9, 2), np.nan))
    with pytest.raises(DataError, match="Write 0.5 for 50 %"):
        clone(imputer).set_params(max_missing=50).fit(censored)
    with pytest.raises(SchemaError, match="@site"):
        clone(imputer).fit(
            pd.DataFrame(censored).rename(columns="p{}".format).assign(**{"@site": 1})
        )


@pytest.mark.parametrize(
    "imputer",
    [
        LowQuantileImputer(quantile=1.5),
        LowNormalImputer(quantile=-1),
        LowNormalImputer(sd_factor=0),
        CensoredNormalImputer(sd_factor=-1),
    ],
    ids=["quantile", "negative quantile", "no spread", "negative spread"],
)
def test_bad_parameters(imputer, censored) -> None:
    with pytest.raises(DataError, match="expected a (share|number)"):
        imputer.fit(censored)


@each
def test_card(imputer) -> None:
    assert isinstance(imputer.card, Method) and imputer.card.learns


@pytest.mark.real
def test_real_proteins_are_brought_nearer_to_the_truth(data_root) -> None:
    table = pd.read_csv(data_root / "omics/lihc/rppa_tcpa_184.csv.gz", index_col=0)
    truth = table.loc[:, "X1433BETA":].dropna(axis=1)
    assert truth.shape[1] > 100
    seen = truth.where(truth >= truth.quantile(0.25))
    filled = (
        CensoredNormalImputer(random_state=0).set_output(transform="pandas").fit_transform(seen)
    )
    nearer = (filled.mean() - truth.mean()).abs() < (seen.mean() - truth.mean()).abs()
    assert nearer.mean() > 0.95
