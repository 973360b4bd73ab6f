from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.stats.survival.cox import fit_cox, fit_cox_batch
from radiogenomics.stats.survival.cox_newton import maximise
from radiogenomics.stats.survival.cox_screen import cox_screen
from radiogenomics.stats.survival.cox_single import maximise_single
from radiogenomics.stats.survival.risk_sets import build_risk_sets

GENES = [f"g{i}" for i in range(1, 13)]


@pytest.fixture(scope="module")
def cohorts(table):
    return table("subset_search_input")


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_every_cohort_matches_r_coxph(ties, cohorts, values):
    screen = cox_screen(
        cohorts[GENES], cohorts["time"], cohorts["event"], cohorts=cohorts["cohort"], ties=ties
    )
    assert screen.cohorts.tolist() == ["a", "b", "c"]
    assert screen.n.tolist() == [70, 55, 45]
    for at, cohort in enumerate(screen.cohorts):
        model = f"screen_{cohort}_{ties}"
        assert_allclose(screen.coef[at], values("subset_search", model, "coef"), rtol=1e-8)
        assert_allclose(screen.se[at], values("subset_search", model, "se"), rtol=1e-8)
        assert_allclose(
            screen.log_likelihood[at],
            values("subset_search", model, "log_likelihood"),
            rtol=1e-12,
        )
        assert_allclose(
            screen.score_statistic[at], values("subset_search", model, "score"), rtol=1e-8
        )
    alone = cohorts[cohorts["cohort"] == "b"]
    fit = fit_cox(alone["g3"], alone["time"], alone["event"], ties=ties)
    assert screen.p[1, 2] == pytest.approx(fit.p[0], rel=1e-9)
    assert screen.null_log_likelihood[1] == pytest.approx(fit.null_log_likelihood, rel=1e-12)
    assert screen.events[1] == fit.events


def test_genes_that_a_cohort_lacks_are_absent_there_and_nowhere_else(cohorts):
    x = cohorts[GENES].to_numpy()
    whole = cox_screen(x, cohorts["time"], cohorts["event"], cohorts=cohorts["cohort"])
    x = x.copy()
    x[np.ix_(cohorts["cohort"] == "b", [0, 4])] = np.nan
    x[cohorts["cohort"] == "c", 7] = 3.0
    screen = cox_screen(x, cohorts["time"], cohorts["event"], cohorts=cohorts["cohort"])
    assert_array_equal(np.argwhere(screen.absent), [[1, 0], [1, 4]])
    assert_array_equal(np.argwhere(screen.without_model), [[2, 7]])
    lost = screen.absent | screen.without_model
    for name in ("coef", "se", "z", "p"):
        assert_array_equal(np.isnan(getattr(screen, name)), lost)
        assert_allclose(getattr(screen, name)[~lost], getattr(whole, name)[~lost], rtol=1e-12)


def test_a_gene_measured_in_a_part_of_a_cohort_is_said_so(cohorts):
    x = cohorts[GENES].to_numpy().copy()
    x[0, 5] = np.nan
    with pytest.warns(RadiogenomicsWarning, match="1 genes .* a part of a cohort .*: a"):
        screen = cox_screen(x, cohorts["time"], cohorts["event"], cohorts=cohorts["cohort"])
    assert_array_equal(np.argwhere(screen.without_model), [[0, 5]])


def test_a_gene_that_orders_the_events_has_a_score_and_no_coefficient():
    time, event = np.arange(1, 21), np.tile([1, 0], 10)
    never = np.where(event, 0.0, 1.0) * (time > 10)
    screen = cox_screen(np.stack([never, time % 3], axis=1), time, event)
    assert screen.without_model.tolist() == [[True, False]]
    assert np.isfinite(screen.score_statistic).all()
    assert np.isfinite(screen.log_likelihood).all()


def test_bad_input_is_refused(cohorts):
    x, time, event = cohorts[GENES], cohorts["time"], cohorts["event"]
    with pytest.raises(DataError, match="Put patients in rows"):
        cox_screen(x.T, time, event)
    with pytest.raises(OutcomeError, match="found none in b"):
        cox_screen(x, time, event * (cohorts["cohort"] != "b"), cohorts=cohorts["cohort"])
    with pytest.raises(OutcomeError, match="at least one event"):
        cox_screen(x, time, 0 * event)
    with pytest.raises(DataError, match="one cohort per patient"):
        cox_screen(x, time, event, cohorts=["a"])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("effect", [0.0, 0.3, 1.5, 6.0])
def test_one_covariate_takes_the_short_way_to_the_same_maximum(ties, effect, rng):
    kinds = (rng.normal, rng.standard_cauchy, lambda size: rng.random(size) < 0.02)
    x = np.concatenate([kind(size=(150, 60)) for kind in kinds], axis=1) * 1.0
    x[0] += x.std(axis=0) == 0
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    time = np.ceil(20 * rng.exponential(np.exp(-effect * x[:, 0])))
    event = rng.random(150) < 0.6
    sets = build_risk_sets(time, event, ties=ties, strata=rng.integers(0, 3, 150))
    short = maximise_single(x[sets.subjects], sets)
    long = maximise(x[sets.subjects][:, None], sets)
    assert_array_equal(short.converged, long.converged)
    assert_allclose(short.coef, long.coef, rtol=1e-9, atol=1e-12)
    assert_allclose(short.covariance, long.covariance, rtol=2e-8)
    assert_allclose(short.log_likelihood, long.log_likelihood, rtol=1e-12)
    assert_allclose(short.score_statistic, long.score_statistic, rtol=1e-9, atol=1e-12)


def test_strata_of_a_batch_are_those_of_single_fits(cohorts):
    x = cohorts[GENES].to_numpy()
    pairs = x[:, [[0, 1], [4, 9]]].transpose(1, 0, 2)
    time, event, strata = cohorts["time"], cohorts["event"], cohorts["cohort"]
    batch = fit_cox_batch(pairs, time, event, strata=strata)
    for at in range(2):
        fit = fit_cox(pairs[at], time, event, strata=strata)
        assert_allclose(batch.coef[at], fit.coef, rtol=1e-12)
        assert_allclose(batch.se[at], fit.se, rtol=1e-12)
    with pytest.raises(DataError, match="one stratum per patient"):
        fit_cox_batch(pairs, time, event, strata=strata[:3])
