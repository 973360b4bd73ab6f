from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from numpy.testing import assert_allclose, assert_array_equal
from sksurv.linear_model import CoxPHSurvivalAnalysis
from sksurv.util import Surv

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats import fit_cox, fit_cox_batch, logrank

COLUMNS = {"one": ["x1"], "tied": ["x2"], "three": ["x1", "x2", "x3"], "strata": ["x1", "x2", "x3"]}


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("key", list(COLUMNS))
def test_single_fit_matches_r_coxph(key, ties, patients, values):
    strata = patients["stratum"] if key == "strata" else None
    fit = fit_cox(
        patients[COLUMNS[key]], patients["time"], patients["event"], ties=ties, strata=strata
    )
    model = f"{key}_{ties}"
    assert fit.converged
    assert (fit.n, fit.events) == (len(patients), patients["event"].sum())
    for name in ("coef", "se", "z", "p"):
        assert_allclose(getattr(fit, name), values("cox", model, name), rtol=1e-8)
    assert_allclose(
        fit.covariance.ravel(), values("cox", model, "covariance"), rtol=1e-8, atol=1e-12
    )
    bounds = fit.interval()
    assert_allclose(bounds[:, 0], values("cox", model, "low"), rtol=1e-8)
    assert_allclose(bounds[:, 1], values("cox", model, "high"), rtol=1e-8)
    assert_allclose(fit.hazard_ratio, np.exp(values("cox", model, "coef")), rtol=1e-8)
    assert_allclose(fit.log_likelihood, values("cox", model, "log_likelihood"), rtol=1e-12)
    assert_allclose(
        fit.null_log_likelihood, values("cox", model, "null_log_likelihood"), rtol=1e-12
    )
    assert_allclose(fit.score_test.statistic, values("cox", model, "score"), rtol=1e-8)
    assert_allclose(fit.score_test.p, values("cox", model, "score_p"), rtol=1e-8)
    assert_allclose(fit.likelihood_ratio_p, values("cox", model, "likelihood_ratio_p"), rtol=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_batch_matches_r_coxph_on_scores_of_every_kind_and_scale(ties, patients, genes, values):
    screen = fit_cox_batch(genes[:, :, None], patients["time"], patients["event"], ties=ties)
    assert screen.converged.all()
    assert_allclose(screen.coef[:, 0], values("cox_genes", ties, "coef"), rtol=1e-8)
    assert_allclose(screen.se[:, 0], values("cox_genes", ties, "se"), rtol=1e-8)
    assert_allclose(screen.log_likelihood, values("cox_genes", ties, "log_likelihood"), rtol=1e-12)

    pairs = np.stack([genes, np.broadcast_to(patients["x1"], genes.shape)], axis=2)
    both = fit_cox_batch(pairs, patients["time"], patients["event"], ties=ties)
    assert_allclose(both.coef[:, 0], values("cox_genes", ties, "pair_coef"), rtol=1e-8)
    assert_allclose(both.se[:, 0], values("cox_genes", ties, "pair_se"), rtol=1e-8)


def test_batch_gives_what_single_fits_give(patients, rng):
    # Wide and narrow batches cumulate differently.
    x = rng.normal(size=(150, len(patients), 3)) * [1.0, 50.0, 1e-3] + [0.0, 1e4, 0.0]
    screen = fit_cox_batch(x, patients["time"], patients["event"])
    for i in (0, 77, 149):
        fit = fit_cox(x[i], patients["time"], patients["event"])
        for name in ("coef", "se", "z", "p"):
            assert_allclose(getattr(screen, name)[i], getattr(fit, name), rtol=1e-8)
        assert_allclose(screen.log_likelihood[i], fit.log_likelihood, rtol=1e-12)
        assert_allclose(screen.score_statistic[i], fit.score_statistic, rtol=1e-8)
    assert screen.null_log_likelihood == pytest.approx(fit.null_log_likelihood, rel=1e-14)


def test_chunks_do_not_show(patients, genes, monkeypatch):
    whole = fit_cox_batch(genes[:, :, None], patients["time"], patients["event"])
    monkeypatch.setattr("radiogenomics.stats.survival.cox._CHUNK", 5 * len(patients))
    parts = fit_cox_batch(genes[:, :, None], patients["time"], patients["event"])
    assert_allclose(parts.coef, whole.coef, rtol=1e-12)
    assert_allclose(parts.se, whole.se, rtol=1e-12)


def test_agrees_with_lifelines_and_scikit_survival(patients):
    columns = ["x1", "x2", "x3"]
    time, event = patients["time"], patients["event"]
    lifelines = CoxPHFitter().fit(
        patients[["time", "event", *columns]], "time", "event", fit_options={"precision": 1e-12}
    )
    fit = fit_cox(patients[columns], time, event)
    assert_allclose(fit.coef, lifelines.params_, rtol=1e-6)
    assert_allclose(fit.se, lifelines.standard_errors_, rtol=1e-6)
    outcome = Surv.from_arrays(event.astype(bool), time)
    sksurv = CoxPHSurvivalAnalysis(ties="breslow", tol=1e-14).fit(patients[columns], outcome)
    assert_allclose(
        fit_cox(patients[columns], time, event, ties="breslow").coef, sksurv.coef_, rtol=1e-6
    )


def test_hand_calculation_with_two_events():
    # With x = 1, 0, 1 and r = e^b the likelihood is r / (2 r + 1) * 1 / (1 + r); its logarithm is
    # flat where 1 - 2 r / (2 r + 1) - r / (1 + r) = 0, that is 2 r^2 = 1.
    fit = fit_cox([1, 0, 1], [1, 2, 3], [1, 1, 0])
    assert fit.coef[0] == pytest.approx(-0.5 * np.log(2), rel=1e-12)
    r = np.sqrt(0.5)
    assert fit.log_likelihood == pytest.approx(np.log(r / (2 * r + 1) / (1 + r)), rel=1e-12)


def test_score_test_of_two_groups_is_the_logrank_test_when_nothing_is_tied(rng):
    time, event, group = rng.permutation(50) + 1, rng.random(50) < 0.7, rng.random(50) < 0.4
    assert fit_cox(group, time, event).score_test.statistic == pytest.approx(
        logrank(time, event, group).statistic, rel=1e-10
    )


def test_monotone_likelihood_is_flagged_with_infinity_and_its_supremum():
    time, event = np.arange(1, 21), np.tile([1, 0], 10)
    never = np.where(event, 0.0, 1.0) * (time > 10)
    fit = fit_cox(never, time, event)
    assert not fit.converged
    assert fit.coef[0] == -np.inf
    assert np.isnan([fit.se[0], fit.z[0], fit.p[0]]).all()
    assert np.isnan(fit.interval()).all()
    # With coefficient -inf those never failing leave every risk set.
    supremum = -sum(np.log(np.sum((time >= t) & (never == 0))) for t in time[event == 1])
    assert fit.log_likelihood == pytest.approx(supremum, abs=1e-6)
    assert 0 < fit.likelihood_ratio_p < 1

    always = fit_cox(-never, time, event)
    assert always.coef[0] == np.inf


def test_infinity_of_one_covariate_leaves_the_other_finite(rng):
    time, event = np.arange(1, 41), np.tile([1, 0], 20)
    never = np.where(event, 0.0, 1.0) * (time > 20)
    other = rng.normal(size=40)
    fit = fit_cox(np.stack([never, other], axis=1), time, event)
    assert not fit.converged
    assert fit.coef[0] == -np.inf
    # The limit is the fit without those who never fail, once the first has left every risk set.
    rest = never == 0
    assert fit.coef[1] == pytest.approx(
        fit_cox(other[rest], time[rest], event[rest]).coef[0], rel=1e-5
    )


def test_a_single_carrier_is_flagged_by_when_it_fails(patients):
    # The first step overshoots to where nothing but rounding is left, and has to come back.
    time, event = patients["time"].to_numpy(), patients["event"].to_numpy()
    late = int(np.argmax(time))
    carrier = (np.arange(time.size) == late).astype(float)
    assert fit_cox(carrier, time, event).coef[0] == -np.inf
    event, time = np.append(event, 1), np.append(time, 0.5)
    first = (np.arange(time.size) == time.size - 1).astype(float)
    assert fit_cox(first, time, event).coef[0] == np.inf


def test_bad_covariates_are_flagged_and_leave_the_rest_of_the_batch_alone(patients, genes):
    time, event = patients["time"].to_numpy(), patients["event"].to_numpy()
    early = (time < time[event == 1].min()).astype(float)
    bad = np.stack([np.full(time.size, 0.1), genes[0].copy(), early, genes[1]])
    bad[1, 3] = np.nan
    screen = fit_cox_batch(bad[:, :, None], time, event)
    assert_array_equal(screen.converged, [False, False, False, True])
    for name in ("coef", "se", "z", "p", "log_likelihood"):
        assert np.isnan(getattr(screen, name)[:3]).all()
    assert screen.coef[3, 0] == pytest.approx(fit_cox(genes[1], time, event).coef[0], rel=1e-12)

    collinear = np.stack([genes[0], 2 * genes[0] + 1], axis=1)
    assert not fit_cox(collinear, time, event).converged
    assert np.isnan(fit_cox(collinear, time, event).coef).all()
    wide = np.stack([np.ones(time.size), genes[0]], axis=1)
    assert np.isnan(fit_cox(wide, time, event).coef).all()


def test_one_patient_far_out_does_not_break_the_search(patients):
    x = patients["x1"].to_numpy().copy()
    late = int(np.argmax(patients["time"]))
    x[late] = -1e4
    fit = fit_cox(x, patients["time"], patients["event"])
    # Such a patient has no hazard at all: the rest decide.
    rest = np.arange(x.size) != late
    without = fit_cox(x[rest], patients["time"][rest], patients["event"][rest])
    assert patients["event"][late] == 0
    assert fit.converged
    assert fit.coef[0] == pytest.approx(without.coef[0], rel=1e-6)


def test_large_effects_and_large_values_converge(rng):
    x = rng.normal(size=300)
    time = rng.exponential(np.exp(-12 * x))
    fit = fit_cox(1e6 * x + 1e9, time, np.ones(300))
    assert fit.converged
    assert fit.coef[0] * 1e6 == pytest.approx(12, rel=0.2)
    assert fit.log_likelihood > fit.null_log_likelihood


def test_p_values_are_uniform_under_the_null(rng):
    time, event = np.ceil(rng.exponential(20, 200)), rng.random(200) < 0.6
    screen = fit_cox_batch(rng.normal(size=(2000, 200, 1)), time, event)
    share = (screen.p[:, 0] < np.array([[0.05], [0.25], [0.5]])).mean(axis=1)
    assert_allclose(share, [0.05, 0.25, 0.5], atol=0.045)


@given(st.integers(0, 2**32 - 1), st.integers(8, 40), st.sampled_from(["efron", "breslow"]))
@settings(max_examples=25, deadline=None)
def test_estimate_is_a_maximum_and_free_of_scale_and_order(seed, n, ties):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    time, event = rng.integers(1, 8, n), rng.random(n) < 0.7
    event[0] = True
    fit = fit_cox(x, time, event, ties=ties)
    if not fit.converged:
        return
    assert fit.log_likelihood >= fit.null_log_likelihood - 1e-9
    order = rng.permutation(n)
    again = fit_cox(-3 * x[order] + 7, time[order] * 10.0, event[order], ties=ties)
    assert_allclose(-3 * again.coef, fit.coef, rtol=1e-6, atol=1e-9)
    assert_allclose(3 * again.se, fit.se, rtol=1e-6)
    assert again.log_likelihood == pytest.approx(fit.log_likelihood, rel=1e-10, abs=1e-10)


def test_impossible_input_says_what_to_do(patients, genes):
    time, event = patients["time"], patients["event"]
    with pytest.raises(DataError, match="breslow"):
        fit_cox(genes[0], time, event, ties="exact")
    with pytest.raises(DataError, match="finite covariates"):
        fit_cox(np.where(genes[0] > 0, np.nan, genes[0]), time, event)
    with pytest.raises(DataError, match="add or swap axes"):
        fit_cox_batch(genes, time, event)
    with pytest.raises(DataError, match="one stratum per patient"):
        fit_cox(genes[0], time, event, strata=[1, 2])
    with pytest.raises(DataError, match="found 1 missing"):
        fit_cox([1, 2, 3], [1, 2, 3], [1, 1, 0], strata=[1.0, np.nan, 1.0])
    with pytest.raises(DataError, match="convert text"):
        fit_cox_batch([[["high"], ["low"]]], [1, 2], [1, 1])
    with pytest.raises(OutcomeError, match="at least one event"):
        fit_cox(genes[0], time, np.zeros(len(time)))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
