"""Fine-Gray regression against cmprsk, Cox regression, brute force and simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.survival.cox import fit_cox
from radiogenomics.stats.survival.fine_gray import fit_fine_gray
from radiogenomics.stats.survival.subdistribution_sets import SubdistributionSets

CASES = {
    "tied_1": ("time", "cause"),
    "tied_2": ("time", "cause"),
    "tied_3": ("time", "cause"),
    "exact_1": ("exact", "cause"),
    "exact_2": ("exact", "cause"),
    "extinct_1": ("exact", "extinct"),
}


@pytest.fixture(scope="module")
def patients(table):
    """Simulated, three causes."""
    return table("competing_risks_input")


@pytest.fixture(scope="module")
def covariates(patients) -> np.ndarray:
    return patients[["size", "rim", "age"]].to_numpy(dtype=float)


@pytest.mark.parametrize("key", CASES)
def test_estimates_match_cmprsk(key, patients, covariates, values):
    time, cause = CASES[key]
    interest = int(key[-1])
    fit = fit_fine_gray(covariates, patients[time], patients[cause], interest=interest)
    assert fit.converged
    # cmprsk stops a little before the maximum.
    assert_allclose(fit.coef, values("fine_gray", key, "coef"), rtol=1e-8)
    assert_allclose(fit.covariance.ravel(), values("fine_gray", key, "covariance"), rtol=1e-8)
    assert_allclose(fit.z, values("fine_gray", key, "z"), rtol=1e-8)
    assert_allclose(fit.p, values("fine_gray", key, "p"), rtol=1e-8)
    for name in ("log_likelihood", "null_log_likelihood"):
        assert_allclose(getattr(fit, name), values("fine_gray", key, name)[0], rtol=1e-12)
    assert_allclose(fit.time, values("fine_gray", key, "time"), rtol=1e-12)
    at_zero = fit.baseline * np.exp(-fit.center @ fit.coef)
    assert_allclose(at_zero, values("fine_gray", key, "hazard"), rtol=1e-9)
    assert fit.events == (patients[cause] == interest).sum()
    assert fit.competing == (patients[cause] > 0).sum() - fit.events


@pytest.mark.parametrize("key", CASES)
def test_foretold_incidence_matches_cmprsk(key, patients, covariates, values):
    time, cause = CASES[key]
    fit = fit_fine_gray(covariates, patients[time], patients[cause], interest=int(key[-1]))
    for patient in (0, 1):
        expected = values("fine_gray", f"{key}_patient{patient + 1}", "incidence")
        assert_allclose(fit.incidence(covariates[[patient]], fit.time)[0], expected, rtol=1e-9)


def test_without_competing_failures_it_is_cox_regression(patients, covariates):
    event = (patients["cause"] == 1).astype(int)
    fit = fit_fine_gray(covariates, patients["time"], event)
    cox = fit_cox(covariates, patients["time"], event, ties="breslow")
    assert_allclose(fit.coef, cox.coef, rtol=1e-9)
    assert fit.log_likelihood == pytest.approx(cox.log_likelihood, rel=1e-12)


def test_without_censoring_those_who_failed_otherwise_stay_for_ever(patients, covariates):
    cause = np.where(patients["cause"] == 1, 1, 2)
    fit = fit_fine_gray(covariates, patients["time"], cause)
    stay = np.where(cause == 2, 1e6, patients["time"])
    cox = fit_cox(covariates, stay, cause == 1, ties="breslow")
    assert_allclose(fit.coef, cox.coef, rtol=1e-9)
    assert_allclose(np.diagonal(cox.covariance), np.square(fit.se), rtol=0.3)


def test_risk_sets_by_brute_force(rng):
    time, kind = np.ceil(rng.exponential(5, size=50)), rng.integers(0, 3, size=50)
    value = rng.normal(size=50)
    sets = SubdistributionSets.of(time, kind)
    followed, share = {}, 1.0
    for moment in np.unique(time):
        followed[moment] = share
        share *= 1 - np.sum((time == moment) & (kind == 0)) / np.sum(time >= moment)
    for moment, total in zip(sets.time, sets.over(value[sets.order]), strict=True):
        weight = np.where(time >= moment, 1.0, 0.0)
        for i in np.flatnonzero((time < moment) & (kind == 2)):
            weight[i] = followed[moment] / followed[time[i]]
        assert total == pytest.approx(weight @ value, rel=1e-10, abs=1e-12)


def test_truth_is_found_and_errors_are_honest(rng):
    # Fine and Gray's own scheme: F1(t) = 1 - (1 - 0.5 (1 - exp(-t)))^exp(x'b).
    truth, coefs, errors = np.array([0.7, -0.5]), [], []
    for _ in range(150):
        x = rng.normal(size=(250, 2))
        ratio = np.exp(x @ truth)
        ever = 1 - 0.5**ratio
        mine = rng.random(250) < ever
        share = 1 - (1 - rng.random(250) * ever) ** (1 / ratio)
        time = np.where(mine, -np.log1p(-2 * share), rng.exponential(1 / ratio))
        left = rng.uniform(0.5, 4, size=250)
        cause = np.where(left < time, 0, np.where(mine, 1, 2))
        fit = fit_fine_gray(x, np.minimum(time, left), cause)
        coefs.append(fit.coef)
        errors.append(fit.se)
    assert_allclose(np.mean(coefs, axis=0), truth, atol=0.04)
    assert_allclose(np.mean(errors, axis=0), np.std(coefs, axis=0), rtol=0.15)


def test_scale_and_shift_of_covariates_change_nothing_but_the_unit(patients, covariates):
    plain = fit_fine_gray(covariates, patients["time"], patients["cause"])
    moved = fit_fine_gray(1e6 + 1e3 * covariates, patients["time"], patients["cause"])
    assert_allclose(moved.coef * 1e3, plain.coef, rtol=1e-8)
    assert_allclose(moved.z, plain.z, rtol=1e-8)
    times = [2, 8]
    assert_allclose(
        moved.incidence(1e6 + 1e3 * covariates, times),
        plain.incidence(covariates, times),
        rtol=1e-8,
    )


def test_interval_and_hazard_ratio(patients, covariates):
    fit = fit_fine_gray(covariates, patients["time"], patients["cause"])
    low, high = fit.interval(0.9).T
    assert_allclose(np.sqrt(low * high), fit.hazard_ratio)
    assert_allclose(np.log(high / low), 2 * 1.6448536269514722 * fit.se)


def test_incidence_starts_at_zero_rises_and_stops_with_follow_up(patients, covariates):
    fit = fit_fine_gray(covariates, patients["time"], patients["cause"])
    curves = fit.incidence(covariates, [0, 1, 5, 10, fit.last])
    assert (curves[:, 0] == 0).all()
    assert (np.diff(curves, axis=1) >= 0).all()
    assert (curves < 1).all()
    assert fit.incidence(covariates[:, :3], fit.last).shape == (len(covariates), 1)
    for times in ([fit.last + 1], [-1], [np.nan]):
        with pytest.raises(DataError, match="expected times from 0 to"):
            fit.incidence(covariates, times)
    with pytest.raises(DataError, match=r"shape \(patients, 3\)"):
        fit.incidence(covariates[:, :2], [1])


def test_failures_at_time_zero_count(patients, covariates):
    time = patients["time"].to_numpy(copy=True)
    cause = patients["cause"].to_numpy(copy=True)
    time[:3], cause[:3] = 0.0, [1, 2, 0]
    fit = fit_fine_gray(covariates, time, cause)
    assert fit.converged
    assert fit.time[0] == 0
    assert (fit.incidence(covariates[:2], [0]) > 0).all()


def test_a_likelihood_that_rises_for_ever_is_told(patients, covariates):
    never = np.where(patients["cause"] == 1, 0.0, patients["rim"])
    fit = fit_fine_gray(
        np.column_stack([covariates[:, 0], never]), patients["time"], patients["cause"]
    )
    assert not fit.converged
    assert np.isfinite(fit.coef[0])
    assert fit.coef[1] == -np.inf
    assert np.isnan(fit.se).all()
    assert fit.log_likelihood >= fit.null_log_likelihood
    with pytest.raises(DataError, match="finite maximum"):
        fit.incidence([[0, 0]], [1])


@pytest.mark.parametrize("extra", ["constant", "twice"])
def test_covariates_without_information_are_told(extra, patients, covariates):
    column = np.ones(len(covariates)) if extra == "constant" else 2 * covariates[:, 0] - 1
    fit = fit_fine_gray(np.column_stack([covariates, column]), patients["time"], patients["cause"])
    assert not fit.converged
    assert np.isnan(fit.coef).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"cause": [0] * 6}, OutcomeError, "all 6 patients censored"),
        ({"cause": [2] * 6}, OutcomeError, "failed of cause 1; found only causes 2"),
        ({"cause": [1.5] * 6}, OutcomeError, "whole numbers"),
        ({"time": [1, 2, 3, 4, 5, -6]}, OutcomeError, "0 or more"),
        ({"covariates": [1, 2, 3]}, DataError, "one patient a row"),
        ({"covariates": [[]] * 6}, DataError, "expected covariates of shape"),
        ({"covariates": [1, 2, 3, 4, 5, np.nan]}, DataError, "finite covariates; found 1"),
        ({"interest": 1.5}, OutcomeError, "failed of cause 1.5"),
    ],
    ids=str,
)
def test_impossible_input_is_named(change, error, message):
    given = {"covariates": [1, 5, 2, 6, 3, 4], "time": [1, 2, 3, 4, 5, 6]} | change
    cause = given.pop("cause", [1, 2, 0, 1, 2, 1])
    with pytest.raises(error, match=message):
        fit_fine_gray(given.pop("covariates"), given.pop("time"), cause, **given)
