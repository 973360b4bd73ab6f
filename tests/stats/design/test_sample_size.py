"""Sizes for development against R, published examples and what models of that size then do."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, ndtri

from radiogenomics.core.errors import DataError
from radiogenomics.stats.design.sample_size import (
    development_size_binary,
    development_size_survival,
    maximum_r2_binary,
    maximum_r2_survival,
    r2_from_c_statistic,
)

NAMES = ("shrinkage", "optimism", "overall risk")
CASES = {
    "chagas": (development_size_binary, 24, 0.174, {"r2_cox_snell": 0.288}),
    "rare": (development_size_binary, 30, 0.05, {"r2_cox_snell": 0.05}),
    "thrombosis": (
        development_size_survival,
        30,
        0.065,
        {"r2_cox_snell": 0.051, "mean_follow_up": 2.07, "horizon": 2},
    ),
    "frequent": (
        development_size_survival,
        12,
        0.03,
        {"r2_cox_snell": 0.2, "mean_follow_up": 20, "horizon": 24},
    ),
}


@pytest.mark.parametrize("key", CASES)
def test_sizes_are_the_formulas_rounded_up(key, values):
    function, parameters, level, more = CASES[key]
    size = function(parameters, level, **more)
    expected = values("sample_size", key, "n")
    assert [criterion.name for criterion in size.criteria] == list(NAMES)
    assert [criterion.n for criterion in size.criteria] == np.ceil(expected).tolist()
    assert_allclose(size.r2_maximum, values("sample_size", key, "maximum"), rtol=1e-12)
    assert size.n == np.ceil(expected.max())
    assert size.driver == NAMES[int(expected.argmax())]
    share = level * more.get("mean_follow_up", 1)
    assert size.events == pytest.approx(size.n * share)
    assert size.events_per_parameter == pytest.approx(size.n * share / parameters)


@pytest.mark.parametrize(
    ("parameters", "prevalence", "given", "published"),
    [
        (24, 0.174, {"r2_cox_snell": 0.288}, [623, 662, 221]),
        (24, 0.174, {"c_statistic": 0.89}, [615, 660, 221]),
    ],
)
def test_binary_examples_of_pmsampsize(parameters, prevalence, given, published):
    found = [c.n for c in development_size_binary(parameters, prevalence, **given).criteria]
    assert found == published


@pytest.mark.parametrize(
    ("r2", "parameters", "rate", "published"),
    [
        (0.051, 30, 0.065, (5143, 1039)),
        (0.051, 25, 0.065, (4286, 866)),
        (0.065, 25, 0.065, (3335, 859)),
        (0.051, 50, 0.065, (8572, 1731)),
        (0.051, 25, 0.1, (4286, 731)),
    ],
)
def test_survival_examples_of_pmsampsize(r2, parameters, rate, published):
    size = development_size_survival(
        parameters, rate, mean_follow_up=2.07, horizon=2, r2_cox_snell=r2
    )
    shrinkage, optimism, _ = (criterion.n for criterion in size.criteria)
    assert shrinkage == published[0]
    # It rounds the events among 10 000 patients up, which moves the second by one patient.
    assert 0 <= optimism - published[1] <= 1
    assert size.n == published[0]


def test_published_events_per_parameter():
    chagas = development_size_binary(24, 0.174, r2_cox_snell=0.288)
    assert chagas.events_per_parameter == pytest.approx(4.8, abs=0.005)
    thrombosis = development_size_survival(
        30, 0.065, mean_follow_up=2.07, horizon=2, r2_cox_snell=0.051
    )
    assert round(thrombosis.events_per_parameter, 2) == 23.07


def test_overall_risk_at_the_horizon_lies_within_the_margin_and_one_patient_fewer_is_too_few():
    rate, follow_up, horizon = 0.03, 20.0, 24.0
    size = development_size_survival(
        12, rate, mean_follow_up=follow_up, horizon=horizon, r2_cox_snell=0.2, margin=0.04
    )

    def farthest(n: int) -> float:
        half = ndtri(0.975) * sqrt(rate / (n * follow_up))
        risk = 1 - exp(-rate * horizon)
        return risk - (1 - exp(-(rate - half) * horizon))

    needed = size.criteria[2].n
    assert farthest(needed) <= 0.04 < farthest(needed - 1)


@pytest.mark.parametrize("pair", ["0.89_0.174", "0.78_0.2", "0.81_0.77", "0.95_0.02", "0.55_0.5"])
def test_r2_from_c_statistic_is_the_integral(pair, values):
    c, prevalence = map(float, pair.split("_"))
    found = r2_from_c_statistic(c, prevalence)
    assert_allclose(found, values("sample_size", f"c_{pair}", "r2"), rtol=1e-10)
    assert found == pytest.approx(r2_from_c_statistic(c, 1 - prevalence), rel=1e-10)


def test_r2_from_c_statistic_is_what_the_published_simulation_comes_to(values):
    simulated = values("sample_size", "simulated_0.78_0.2", "r2")[0]
    # A million patients leave a standard error of about 0.0007.
    assert r2_from_c_statistic(0.78, 0.2) == pytest.approx(simulated, abs=0.002)


def test_nagelkerke_is_the_share_of_the_maximum():
    by_share = development_size_binary(10, 0.3, r2_nagelkerke=0.15)
    assert by_share.r2_cox_snell == pytest.approx(0.15 * maximum_r2_binary(0.3))
    assert by_share == development_size_binary(10, 0.3, r2_cox_snell=by_share.r2_cox_snell)
    survival = development_size_survival(10, 0.1, mean_follow_up=3, horizon=5, r2_nagelkerke=0.2)
    assert survival.r2_cox_snell == pytest.approx(0.2 * maximum_r2_survival(0.1, 3))


def test_models_of_that_size_need_shrinking_by_a_tenth(rng):
    # The calibration slope in new patients estimates the shrinkage a model would have needed.
    truth = np.full(8, 0.35)
    population = rng.normal(size=(40000, 8))
    risk = expit(population @ truth - 0.5)
    prevalence = risk.mean()
    ll = np.mean(risk * np.log(risk) + (1 - risk) * np.log1p(-risk))
    null = prevalence * np.log(prevalence) + (1 - prevalence) * np.log1p(-prevalence)
    size = development_size_binary(8, prevalence, r2_cox_snell=1 - np.exp(2 * (null - ll)))
    n = size.criteria[0].n
    slopes = []
    for _ in range(200):
        x = rng.normal(size=(n, 8))
        y = rng.random(n) < expit(x @ truth - 0.5)
        coef = newton(np.column_stack([np.ones(n), x]), y)
        linear = population @ coef[1:]
        slopes.append(newton(np.column_stack([np.ones(linear.size), linear])[::20], risk[::20])[1])
    assert np.mean(slopes) == pytest.approx(0.9, abs=0.02)


def newton(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    coef = np.zeros(x.shape[1])
    for _ in range(12):
        p = expit(x @ coef)
        coef += np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x, x.T @ (y - p))
    return coef


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prevalence": 0.0}, "prevalence between 0 and 1"),
        ({"prevalence": 1.0}, "prevalence between 0 and 1"),
        ({"prevalence": 20}, "write 0.05 for 5 %"),
        ({"r2_cox_snell": 0.61}, r"below 0\.6032"),
        ({"r2_cox_snell": 0.0}, "above 0"),
        ({"r2_cox_snell": float("nan")}, "above 0"),
        ({"parameters": 0}, "whole number of candidate parameters"),
        ({"parameters": 2.5}, "whole number of candidate parameters"),
        ({"c_statistic": 0.8}, "exactly one measure"),
        ({"r2_nagelkerke": 0.3}, "exactly one measure"),
        ({"r2_cox_snell": None}, "exactly one measure"),
        ({"shrinkage": 0.2}, "shrinkage above the anticipated R2"),
        ({"shrinkage": 1.0}, "shrinkage between 0 and 1"),
        ({"margin": 5}, "margin between 0 and 1"),
        ({"optimism": 0.0}, "optimism between 0 and 1"),
        ({"level": 95}, r"write 0\.95"),
    ],
    ids=str,
)
def test_impossible_input_is_named(change, message):
    given = {"parameters": 24, "prevalence": 0.174, "r2_cox_snell": 0.288} | change
    with pytest.raises(DataError, match=message):
        development_size_binary(given.pop("parameters"), given.pop("prevalence"), **given)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": 0.0}, "rate above 0"),
        ({"rate": 0.6}, "share of patients with an event, of at most 1; found 1.242"),
        ({"mean_follow_up": -1}, "mean_follow_up above 0"),
        ({"horizon": 0}, "horizon above 0"),
        ({"r2_cox_snell": 0.7}, r"below 0\.5546"),
    ],
    ids=str,
)
def test_impossible_survival_input_is_named(change, message):
    given = {"rate": 0.065, "mean_follow_up": 2.07, "horizon": 2.0, "r2_cox_snell": 0.051} | change
    with pytest.raises(DataError, match=message):
        development_size_survival(30, given.pop("rate"), **given)


@pytest.mark.parametrize("c_statistic", [0.5, 1.0, 0.3, 80])
def test_c_statistics_out_of_range_are_refused(c_statistic):
    with pytest.raises(DataError, match="C-statistic above 0.5 and below 1"):
        r2_from_c_statistic(c_statistic, 0.3)
