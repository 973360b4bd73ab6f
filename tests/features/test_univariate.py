from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.feature_selection import f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, FallbackWarning, OutcomeError, SchemaError
from radiogenomics.features.univariate import UnivariateFilter

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "features"
R = pd.read_csv(REFERENCE / "filters.csv")
INPUT = pd.read_csv(REFERENCE / "filters_input.csv")
X_R = INPUT.filter(regex="^v")


@parametrize_with_checks([UnivariateFilter(), UnivariateFilter("kruskal", k=3)])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.mark.parametrize("test", ["student", "welch", "mann_whitney"])
def test_two_classes_agree_with_r(test):
    found = UnivariateFilter(test).fit(X_R, INPUT["two"]).p_values_
    np.testing.assert_allclose(found, R[test], rtol=1e-10)


@pytest.mark.parametrize("test", ["anova", "welch_anova", "kruskal"])
def test_three_classes_agree_with_r(test):
    found = UnivariateFilter(test, alpha=0.5).fit(X_R, INPUT["three"]).p_values_
    np.testing.assert_allclose(found, R[test], rtol=1e-10)


@pytest.mark.parametrize("levene", ["median", "mean"])
def test_t_is_students_where_levene_of_r_finds_no_difference_else_welchs(levene):
    equal = R[f"levene_{levene}"] > 0.05
    assert 0 < equal.sum() < len(R)
    found = UnivariateFilter(levene=levene).fit(X_R, INPUT["two"]).p_values_
    np.testing.assert_allclose(found, np.where(equal, R["student"], R["welch"]), rtol=1e-10)


@pytest.mark.parametrize("decimals", [8, 0], ids=["no ties", "many ties"])
def test_batches_agree_with_scipy_one_by_one(rng, decimals):
    y = rng.permutation(np.repeat([0, 1], [31, 46]))
    X = rng.normal(size=(77, 300)) * rng.uniform(0.3, 4, 300) + y[:, None] * rng.normal(size=300)
    X[y == 1, ::3] *= 2.5
    X = np.round(X, decimals)
    a, b = X[y == 0], X[y == 1]
    expected = {
        "student": stats.ttest_ind(a, b).pvalue,
        "welch": stats.ttest_ind(a, b, equal_var=False).pvalue,
        "mann_whitney": stats.mannwhitneyu(a, b, method="asymptotic").pvalue,
        "anova": f_classif(X, y)[1],
        "kruskal": np.array([stats.kruskal(*pair).pvalue for pair in zip(a.T, b.T, strict=True)]),
    }
    expected["welch_anova"] = expected["welch"]
    levene = np.array([stats.levene(*pair).pvalue for pair in zip(a.T, b.T, strict=True)])
    expected["t"] = np.where(levene > 0.05, expected["student"], expected["welch"])
    for test, p in expected.items():
        found = UnivariateFilter(test).fit(X, y).p_values_
        np.testing.assert_allclose(found, p, rtol=1e-10, err_msg=test)


@pytest.mark.parametrize("correction", ["bh", "by", "holm", "bonferroni"])
def test_corrections_agree_with_r(correction):
    fitted = UnivariateFilter("welch", correction=correction).fit(X_R, INPUT["two"])
    expected = R[f"welch_{correction}"]
    np.testing.assert_allclose(fitted.adjusted_, expected, rtol=1e-10)
    assert fitted.support_.tolist() == (expected <= 0.05).tolist()


def test_k_keeps_the_smallest_p_values_of_those_that_pass():
    order = np.argsort(R["welch"])
    best = UnivariateFilter("welch", k=3).fit(X_R, INPUT["two"])
    assert set(np.flatnonzero(best.support_)) == set(order[:3])
    many = UnivariateFilter("welch", k=100).fit(X_R, INPUT["two"])
    assert many.support_.sum() == (R["welch"] <= 0.05).sum()
    anyhow = UnivariateFilter("welch", alpha=1, k=20).fit(X_R, INPUT["two"])
    assert set(np.flatnonzero(anyhow.support_)) == set(order[:20])


def test_rank_tests_of_two_groups_know_the_exact_case():
    """Ranks 1 to 3 against 4 to 6, by hand: U = 0, z = (4.5 - 0.5) / sqrt(5.25)."""
    X, y = np.arange(6.0)[:, None], [0, 0, 0, 1, 1, 1]
    mann_whitney = UnivariateFilter("mann_whitney", fallback=1, alpha=0.9).fit(X, y).p_values_[0]
    assert mann_whitney == pytest.approx(2 * stats.norm.sf(4 / np.sqrt(5.25)), rel=1e-12)
    kruskal = UnivariateFilter("kruskal", alpha=0.9).fit(X, y).p_values_[0]
    assert kruskal == pytest.approx(stats.chi2.sf(27 / 7, 1), rel=1e-12)


@pytest.mark.parametrize("test", ["t", "student", "welch", "mann_whitney", "anova", "kruskal"])
def test_constants_never_pass_and_perfect_separation_does(rng, test):
    y = np.arange(40) % 2
    X = np.column_stack([np.full(40, 0.1) * 3, y, rng.normal(size=40), 1e9 + 5 * y])
    fitted = UnivariateFilter(test, alpha=0.001).fit(X, y)
    assert np.isnan(fitted.p_values_[0])
    assert fitted.support_.tolist() == [False, True, False, True]
    assert (fitted.p_values_[[1, 3]] < 1e-8).all()


@pytest.mark.parametrize("test", ["t", "mann_whitney", "welch_anova"])
def test_unit_does_not_matter(test):
    expected = UnivariateFilter(test).fit(X_R, INPUT["two"]).p_values_
    for unit in (1e-200, -1e200):
        found = UnivariateFilter(test).fit(X_R * unit, INPUT["two"]).p_values_
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_p_values_of_noise_are_uniform():
    rng = np.random.default_rng(3)
    y = np.arange(60) % 2
    X = rng.normal(size=(60, 5000))
    for test in ("t", "student", "welch", "mann_whitney", "anova", "welch_anova", "kruskal"):
        p = UnivariateFilter(test).fit(X, y).p_values_
        assert stats.kstest(p, "uniform").statistic < 0.03, test


def test_pure_noise_falls_back_inside_a_pipeline_and_says_so(rng):
    X, y = rng.normal(size=(60, 200)), np.arange(60) % 2
    pipe = make_pipeline(UnivariateFilter(alpha=1e-6), LogisticRegression())
    with pytest.warns(FallbackWarning, match="none of 200 variables passed; the best 1 were kept"):
        pipe.fit(X, y)
    step = pipe[0]
    assert step.fell_back_ is True
    assert np.flatnonzero(step.support_).tolist() == [int(np.argmin(step.p_values_))]
    with pytest.warns(FallbackWarning):
        assert np.isfinite(cross_val_score(pipe, X, y, cv=3)).all()
    with pytest.raises(DataError, match="found none of 200"):
        UnivariateFilter(alpha=1e-6, fallback=0).fit(X, y)


@pytest.mark.parametrize("test", ["t", "anova"])
def test_classes_that_cannot_be_compared_are_refused(rng, test):
    X = rng.normal(size=(12, 3))
    with pytest.raises(OutcomeError, match=r"1 class\(es\) in 12 patients"):
        UnivariateFilter(test).fit(X, np.zeros(12))
    with pytest.raises(OutcomeError, match="the smallest of 1"):
        UnivariateFilter(test).fit(X, np.r_[np.zeros(11), 1])
    with pytest.raises(ValueError, match="inconsistent"):
        UnivariateFilter(test).fit(X, np.zeros(11))


def test_three_classes_are_too_many_for_a_t_test(rng):
    X, y = rng.normal(size=(12, 3)), np.arange(12) % 3
    with pytest.raises(OutcomeError, match="two classes.*found 3"):
        UnivariateFilter().fit(X, y)
    UnivariateFilter("anova", alpha=1).fit(X, y)


@pytest.mark.parametrize(
    "parameters",
    [{"test": "z"}, {"alpha": 0}, {"alpha": 5}, {"k": 0}, {"levene": "trimmed"}, {"fallback": -1}],
    ids=lambda p: "-".join(f"{k}={v}" for k, v in p.items()),
)
def test_senseless_parameters_are_refused(rng, parameters):
    with pytest.raises(DataError, match=next(iter(parameters))):
        UnivariateFilter(**parameters).fit(rng.normal(size=(12, 3)), np.arange(12) % 2)


def test_unknown_correction_gaps_and_row_facts_are_refused(rng):
    X = pd.DataFrame(rng.normal(size=(12, 2)), columns=["a", "@site"])
    y = np.arange(12) % 2
    with pytest.raises(KeyError, match="bonferoni"):
        UnivariateFilter(correction="bonferoni").fit(X[["a"]], y)
    with pytest.raises(SchemaError, match="@site"):
        UnivariateFilter().fit(X, y)
    with pytest.raises(ValueError, match="NaN"):
        UnivariateFilter().fit(X[["a"]].mask(X[["a"]] > 0), y)
