from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import t as student_t

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.meta_analysis import METHODS, TESTS, meta_analysis

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "stats"
IN_R = {"fixed": "FE", "dersimonian_laird": "DL", "reml": "REML", "paule_mandel": "PM"}
TESTS_IN_R = {"normal": "z", "hartung_knapp": "knha", "hartung_knapp_cautious": "adhoc"}


@pytest.fixture(scope="module")
def metafor() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "meta_analysis.csv.gz")


@pytest.fixture(scope="module")
def cohorts() -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_csv(REFERENCE / "meta_analysis_input.csv")
    wide = table.pivot(index="cohort", columns="gene")
    return wide["effect"].to_numpy(), wide["error"].to_numpy()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("test", TESTS)
def test_agrees_with_metafor(method: str, test: str, metafor, cohorts) -> None:
    rows = metafor[(metafor["method"] == IN_R[method]) & (metafor["test"] == TESTS_IN_R[test])]
    found = meta_analysis(*cohorts, method=method, test=test)
    several = (rows["k"] > 1).to_numpy()
    gene = rows["gene"].to_numpy() - 1
    np.testing.assert_array_equal(found.cohorts[gene], rows["k"])
    for name in ("estimate", "standard_error", "statistic", "p", "low", "high"):
        np.testing.assert_allclose(
            getattr(found, name)[gene], rows[name], rtol=1e-10, atol=1e-13, err_msg=name
        )
    for name in "q q_p i2 tau2 tau2_low tau2_high i2_low i2_high".split():
        # metafor halves its steps towards a tau2 of 0, and stops short of it by up to 3e-14.
        np.testing.assert_allclose(
            getattr(found, name)[gene][several],
            rows[name][several],
            rtol=1e-10,
            atol=1e-13,
            err_msg=name,
        )


def test_of_one_cohort_there_is_its_effect_and_nothing_on_agreement(cohorts) -> None:
    effect, error = cohorts
    one = np.flatnonzero((~np.isnan(effect)).sum(axis=0) == 1)
    assert len(one)
    found = meta_analysis(effect, error)
    np.testing.assert_allclose(found.estimate[one], np.nansum(effect[:, one], axis=0))
    assert np.isfinite(found.p[one]).all()
    for name in ("q", "tau2", "i2", "tau2_high", "prediction_low"):
        assert np.isnan(getattr(found, name)[one]).all()
    assert np.isnan(meta_analysis(effect, error, test="hartung_knapp").p[one]).all()


def test_a_gene_of_no_cohort_is_nan_and_the_others_stay(cohorts) -> None:
    effect, error = (table[:, 40:].copy() for table in cohorts)
    whole = meta_analysis(effect, error)
    effect[:, 3] = np.nan
    found = meta_analysis(effect, error)
    assert found.cohorts[3] == 0 and np.isnan([found.estimate[3], found.p[3], found.low[3]]).all()
    np.testing.assert_array_equal(np.delete(found.p, 3), np.delete(whole.p, 3))


def test_genes_are_each_on_their_own(cohorts) -> None:
    together = meta_analysis(*cohorts)
    for gene in (5, 20, 50):
        alone = meta_analysis(cohorts[0][:, gene], cohorts[1][:, gene])
        assert alone.tau2[0] == pytest.approx(together.tau2[gene], rel=1e-12)
        assert alone.p[0] == pytest.approx(together.p[gene], rel=1e-12)


def test_restricted_likelihood_is_the_highest(rng: np.random.Generator) -> None:
    """Against a search of our own over small, uneven cohorts, where peaks may be several."""
    effect = rng.normal(0, 0.4, (5, 60)) * rng.choice([0.2, 1, 5], 60)
    error = rng.uniform(0.05, 0.8, effect.shape)
    found = meta_analysis(effect, error).tau2

    def lost(tau2: float, gene: int) -> float:
        w = 1 / (error[:, gene] ** 2 + tau2)
        mean = np.average(effect[:, gene], weights=w)
        return float(-np.log(w).sum() + np.log(w.sum()) + (w * (effect[:, gene] - mean) ** 2).sum())

    for gene in range(60):
        grid = np.r_[0, np.geomspace(1e-6, 200, 400)]
        best = min(grid, key=lambda tau2, gene=gene: lost(tau2, gene))
        near = minimize_scalar(lost, bounds=(best / 1.1, best * 1.1 + 1e-6), args=(gene,))
        assert lost(found[gene], gene) <= min(near.fun, lost(best, gene)) + 1e-10


def test_prediction_interval_by_its_formula_and_by_what_it_covers() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(0.3, 0.4, (7, 4000))
    error = rng.uniform(0.05, 0.15, true.shape)
    effect = true + rng.normal(0, error)
    found = meta_analysis(effect[:6], error[:6])
    half = student_t.ppf(0.975, 4) * np.sqrt(found.tau2 + found.standard_error**2)
    np.testing.assert_allclose(found.prediction_high - found.estimate, half, rtol=1e-12)
    covered = (found.prediction_low <= true[6]) & (true[6] <= found.prediction_high)
    assert 0.93 < covered.mean() < 0.97
    assert np.isnan(meta_analysis(effect[:2], error[:2]).prediction_low).all()
    assert np.isnan(meta_analysis(effect, error, method="fixed").prediction_low).all()


def test_hartung_and_knapp_keep_their_level_where_normal_intervals_do_not() -> None:
    rng = np.random.default_rng(4)
    effect = rng.normal(0, 0.3, (4, 4000)) + rng.normal(0, 0.1, (4, 4000))
    error = np.full(effect.shape, 0.1)
    rejected = {test: (meta_analysis(effect, error, test=test).p < 0.05).mean() for test in TESTS}
    assert rejected["normal"] > 0.09
    assert abs(rejected["hartung_knapp"] - 0.05) < 0.012
    assert rejected["hartung_knapp_cautious"] <= rejected["hartung_knapp"]


def test_equal_effects_have_no_heterogeneity() -> None:
    for method in METHODS:
        found = meta_analysis(
            np.full((4, 1), 0.3), np.array([[0.1], [0.2], [0.3], [0.4]]), method=method
        )
        assert found.tau2[0] == 0 and found.i2[0] == 0 and found.q[0] == pytest.approx(0, abs=1e-25)
        assert found.estimate[0] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("effect", "error", "message"),
    [
        ([0.1, 0.2], [0.1], "in one shape"),
        ([], [], "in one shape"),
        ([0.1, 0.2], [0.1, 0.0], "found 1 others"),
        ([0.1, np.inf], [0.1, 0.1], "did not converge"),
        ([0.1, 0.2], [0.1, -0.1], "above 0"),
        (["a"], [0.1], "as numbers"),
    ],
)
def test_bad_input_says_what_is_expected(effect, error, message: str) -> None:
    with pytest.raises(DataError, match=message):
        meta_analysis(effect, error)


def test_unknown_words_name_the_known() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'reml'"):
        meta_analysis([0.1, 0.2], [0.1, 0.1], method="REML")
    with pytest.raises(UnknownNameError, match="hartung_knapp"):
        meta_analysis([0.1, 0.2], [0.1, 0.1], test="knha")
    with pytest.raises(DataError, match="confidence level"):
        meta_analysis([0.1, 0.2], [0.1, 0.1], level=95)
