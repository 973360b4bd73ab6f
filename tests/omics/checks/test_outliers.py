from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.core.method import Method
from radiogenomics.omics.checks import ExpressionOutliers


@parametrize_with_checks([ExpressionOutliers()])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def cohort(rng) -> pd.DataFrame:
    level = rng.gamma(2, 2, 500)
    values = level + rng.normal(0, 1, (60, 500)) + rng.normal(0, 0.1, (60, 1))
    return pd.DataFrame(values, index=[f"P{i}" for i in range(60)]).rename(columns="g{}".format)


def test_numbers_agree_with_scipy(cohort) -> None:
    train, new = cohort[:50], cohort[50:].copy()
    new.iloc[3, 10:90] = np.nan
    table = ExpressionOutliers().fit(train).table(new)
    profile = train.median().to_numpy()

    def numbers(values: np.ndarray) -> list[float]:
        here = ~np.isnan(values)
        r = stats.pearsonr(values[here], profile[here]).statistic
        return [r, np.median(values[here]), stats.iqr(values[here])]

    learnt = np.array([numbers(row) for row in train.to_numpy()])
    found = np.array([numbers(row) for row in new.to_numpy()])
    np.testing.assert_allclose(table[["correlation", "level", "spread"]], found, rtol=1e-9)
    learnt[:, 0], found[:, 0] = np.arctanh(learnt[:, 0]), np.arctanh(found[:, 0])
    scale = stats.median_abs_deviation(learnt, scale="normal")
    z = (found - np.median(learnt, axis=0)) / scale
    np.testing.assert_allclose(table.filter(like="z_"), z, rtol=1e-7)
    np.testing.assert_allclose(
        table["distance"], np.maximum(-z[:, 0], np.abs(z[:, 1:]).max(axis=1)), rtol=1e-7
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row, rng: rng.permutation(row),
        lambda row, rng: row + 3,
        lambda row, rng: row / 3,
        lambda row, rng: np.exp2(row),
        lambda row, rng: np.where(rng.random(row.size) < 0.6, 0, row),
    ],
    ids=["other tissue", "shifted", "squeezed", "linear", "dropout"],
)
def test_spoilt_samples_are_found_and_others_are_not(cohort, rng, spoil) -> None:
    new = cohort[50:].copy()
    new.iloc[0] = spoil(new.iloc[0].to_numpy(), rng)
    verdict = ExpressionOutliers().fit(cohort[:50]).predict(new)
    assert verdict.tolist() == [-1] + [1] * 9


def test_false_alarms_are_rare() -> None:
    alarms = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        level = rng.gamma(2, 2, 300)
        values = level + rng.normal(0, 1, (140, 300)) + rng.normal(0, 0.2, (140, 1))
        alarms += int((ExpressionOutliers().fit(values[:40]).predict(values[40:]) < 0).sum())
    assert alarms <= 0.01 * 2000


def test_verdict_does_not_hang_on_company(cohort) -> None:
    fitted = ExpressionOutliers().fit(cohort[:50])
    together = fitted.score_samples(cohort[50:])
    alone = [fitted.score_samples(cohort[i : i + 1])[0] for i in range(50, 60)]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_table_and_predictions_say_the_same(cohort) -> None:
    fitted = ExpressionOutliers(threshold=1).fit(cohort)
    table = fitted.table(cohort)
    assert table.index.equals(cohort.index)
    assert np.array_equal(table["outlier"], fitted.predict(cohort) < 0)
    assert np.array_equal(-table["distance"], fitted.score_samples(cohort))
    assert table["outlier"].any() and not table["outlier"].all()


def test_empty_sample_is_infinitely_far(cohort) -> None:
    new = cohort[:2].copy()
    new.iloc[0] = np.nan
    fitted = ExpressionOutliers().fit(cohort)
    assert fitted.predict(new)[0] == -1
    assert fitted.score_samples(new)[0] == -np.inf


def test_bad_input(cohort) -> None:
    with pytest.raises(DataError, match="n_samples=2"):
        ExpressionOutliers().fit(cohort[:2])
    with pytest.raises(DataError, match="none of 1 .g0"):
        ExpressionOutliers().fit(cohort.assign(g0=np.nan))
    with pytest.raises(DataError, match="threshold"):
        ExpressionOutliers(threshold=0).fit(cohort)
    with pytest.raises(SchemaError, match="@site"):
        ExpressionOutliers().fit(cohort.assign(**{"@site": 1.0}))
    with pytest.raises(DataError, match="found 1 of 60"):
        ExpressionOutliers().fit(
            cohort.where(np.eye(60, 500, dtype=bool) | (np.arange(60) == 0)[:, None])
        )


def test_card() -> None:
    assert isinstance(ExpressionOutliers.card, Method) and ExpressionOutliers.card.learns


@pytest.mark.real
def test_real_tumours_fit_and_the_same_in_linear_units_do_not(data_root) -> None:
    file = "omics/hcc_key_genes/tcga_lihc_fpkm_log2_proteincoding_179samples.parquet"
    values = pd.read_parquet(data_root / file).T
    tumour = values[values.index.str[13:15] == "01"]
    fitted = ExpressionOutliers().fit(tumour[:100])
    assert (fitted.predict(tumour[100:]) < 0).sum() <= 2
    assert (fitted.predict(np.exp2(tumour[100:]) - 1) < 0).all()
