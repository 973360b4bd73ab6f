"""Sizes for validating survival models against published and our own simulations, and limits."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.integrate import cumulative_trapezoid, quad
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import DataError
from radiogenomics.stats.design.survival_validation_size import (
    predictor_of_c,
    predictor_of_d,
    survival_precision,
    survival_validation_size,
)
from radiogenomics.stats.design.validation_size import PredictorDistribution

# Censoring of the example of Riley and colleagues: exponential, rate 0.418 a year, for 3 years.
FOLLOWED = float(np.exp(-0.418 * 3))


def pearson(mean: float, variance: float, *, skewness: float, kurtosis: float):
    """Density of the Pearson system with these moments, from its differential equation."""
    first, second = skewness**2, kurtosis
    scale = 10 * second - 12 * first - 18
    c0 = (4 * second - 3 * first) / scale
    c1 = skewness * (second + 3) / scale
    c2 = (2 * second - 3 * first - 6) / scale
    x = np.linspace(-30, 30, 60001)
    density = cumulative_trapezoid(-(x + c1) / (c0 + c1 * x + c2 * x**2), x, initial=0)
    weights = np.exp(density - density.max())
    some = weights > 1e-13
    return PredictorDistribution(
        mean + np.sqrt(variance) * x[some], weights[some] / weights[some].sum()
    )


def share_alive(predictor: PredictorDistribution, rate: float) -> float:
    return float(predictor.weights @ np.exp(-rate * np.exp(predictor.values)))


@pytest.mark.parametrize(
    ("predictor", "rate", "published"),
    [
        (
            pearson(4.60, 0.65, skewness=-0.5, kurtosis=5),
            0.00051 * 3,
            {3600: 0.10292, 5000: 0.08689, 7000: 0.07330, 9000: 0.06482, 12000: 0.05602},
        ),
        (
            PredictorDistribution.normal(0, 0.699),
            0.052 * 3,
            {5000: 0.08738, 4000: 0.09745, 3400: 0.10790},
        ),
    ],
    ids=["skew", "normal"],
)
def test_errors_of_the_slope_are_near_those_published(predictor, rate, published):
    # Mean robust errors over 50 to 200 draws from one simulated population each, as the authors
    # posted them with their program (github.com/gscollins1973/Validation_Survival_Sample_Size).
    # Their predictor was refitted in the population, whose slope is known to 1 or 2 %.
    found = survival_precision(share_alive(predictor, rate), predictor, followed=FOLLOWED)
    for n, se in published.items():
        assert np.sqrt(found.slope_variance / n) == pytest.approx(se, rel=0.035)


def test_c_of_the_published_example():
    predictor = pearson(4.60, 0.65, skewness=-0.5, kurtosis=5)
    found = survival_precision(share_alive(predictor, 0.00153), predictor, followed=FOLLOWED)
    assert np.sqrt(found.c_variance / 3600) == pytest.approx(0.01425576, rel=0.02)
    # "a c-index of about 0.69", and 366 events seen among 3400 of the similar normal predictor.
    assert found.c_statistic == pytest.approx(0.69, abs=0.015)
    normal = PredictorDistribution.normal(0, 0.699)
    share = survival_precision(share_alive(normal, 0.156), normal, followed=FOLLOWED).event_share
    assert 5000 * share == pytest.approx(513, abs=3 * np.sqrt(513))


def test_without_censoring_it_is_a_binary_outcome():
    predictor = PredictorDistribution.normal(0.4, 0.8)
    found = survival_precision(0.7, predictor)
    assert found.log_oe_variance == pytest.approx(0.7 / 0.3, rel=1e-6)
    assert found.event_share == pytest.approx(0.3, rel=1e-6)
    x, w = predictor.values, predictor.weights
    low, high = -10.0, 5.0
    for _ in range(80):
        rate = np.exp((low + high) / 2)
        low, high = (
            ((low + high) / 2, high)
            if share_alive(predictor, rate) > 0.7
            else (low, (low + high) / 2)
        )
    alive = np.exp(-rate * np.exp(x))
    weight = w * (rate * np.exp(x) * alive) ** 2
    gap = x - weight @ x / weight.sum()
    exact = (weight * gap**2) @ (alive * (1 - alive)) / (weight @ gap**2) ** 2
    assert found.slope_variance == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize(
    ("survival", "followed", "shapes"),
    [(0.4, 0.5, (1.0, 1.0)), (0.8, 0.3, (1.0, 1.0)), (0.6, 0.6, (1.6, 0.7))],
    ids=str,
)
def test_greenwood_by_quadrature(survival, followed, shapes):
    # Without spread of the predictor the event times are Weibull.
    tight = PredictorDistribution.normal(0.0, 1e-4)
    found = survival_precision(
        survival, tight, followed=followed, shape=shapes[0], censoring_shape=shapes[1]
    )
    rate, loss = -np.log(survival), -np.log(followed)

    def gain(t: float) -> float:
        alive = np.exp(-rate * t ** shapes[0] - loss * t ** shapes[1])
        return rate * shapes[0] * t ** (shapes[0] - 1) / alive

    gamma = quad(gain, 0, 1)[0]
    expected = survival**2 * gamma / (1 - survival) ** 2
    assert found.log_oe_variance == pytest.approx(expected, rel=1e-4)


def test_c_of_complete_follow_up_is_the_one_asked_for():
    for c in (0.6, 0.75, 0.85):
        found = survival_precision(1e-5, predictor_of_c(c))
        assert found.c_statistic == pytest.approx(c, abs=0.002)
    # All but one cannot be told apart.
    flat = survival_precision(0.3, PredictorDistribution.normal(0.0, 1e-4))
    assert flat.c_statistic == pytest.approx(0.5, abs=1e-4)


def cohort(rng, n, *, sd, survival, followed, shapes):
    """Simulate follow-up to horizon 1."""
    predictor = PredictorDistribution.normal(0.0, sd)
    low, high = -12.0, 12.0
    for _ in range(60):
        middle = (low + high) / 2
        if share_alive(predictor, np.exp(middle)) > survival:
            low = middle
        else:
            high = middle
    x = rng.normal(0, sd, n)
    death = (rng.exponential(size=n) / np.exp(middle + x)) ** (1 / shapes[0])
    end = np.minimum((rng.exponential(size=n) / -np.log(followed)) ** (1 / shapes[1]), 1.0)
    return x, np.minimum(death, end), death <= end


def pseudo_observations(time, event):
    """1 less the Kaplan-Meier curve at the end, and its jackknife over patients."""
    n = time.size
    moments = np.sort(time[event])
    at_risk = n - np.searchsorted(np.sort(time), moments)
    whole = np.prod(1 - 1 / at_risk)
    left = at_risk - (time[:, None] >= moments)
    failing = 1.0 - (event[:, None] & (time[:, None] == moments))
    curve = np.prod(1 - failing / np.maximum(left, 1), axis=1)
    return 1 - whole, 1 - (n * whole - (n - 1) * curve)


def foretold(setting):
    return survival_precision(
        setting["survival"],
        PredictorDistribution.normal(0.0, setting["sd"]),
        followed=setting["followed"],
        shape=setting["shapes"][0],
        censoring_shape=setting["shapes"][1],
    )


def calibration(x, pseudo):
    """Regression of pseudo-observations, with its robust errors."""
    link = sm.families.links.CLogLog()
    family = sm.families.Gaussian(link, check_link=False)
    model = sm.GLM(pseudo, sm.add_constant(x), family=family)
    return model.fit(cov_type="HC0", start_params=[-1.0, 1.0])


SETTINGS = {
    "exponential": {"sd": 0.8, "survival": 0.6, "followed": 0.5, "shapes": (1.0, 1.0)},
    "weibull": {"sd": 1.2, "survival": 0.75, "followed": 0.7, "shapes": (1.5, 0.8)},
}
# statsmodels warns that this link may leave the range of a normal outcome, as it is meant to.
ANY_LINK = pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.DomainWarning")


@ANY_LINK
@pytest.mark.parametrize("key", SETTINGS)
def test_simulated_validations_vary_as_foretold(key, rng):
    n, runs = 1000, 120
    found = {"oe": [], "slope": [], "c": []}
    for _ in range(runs):
        x, time, event = cohort(rng, n, **SETTINGS[key])
        observed, pseudo = pseudo_observations(time, event)
        found["oe"].append(np.log(observed))
        found["c"].append(concordance_index_censored(event, time, x)[0])
        found["slope"].append(calibration(x, pseudo).params[1])
    precision = foretold(SETTINGS[key])
    assert np.mean(found["c"]) == pytest.approx(precision.c_statistic, abs=0.005)
    # The standard deviation of so many runs is known to 6.5 %.
    for name, variance in [
        ("oe", precision.log_oe_variance),
        ("slope", precision.slope_variance),
        ("c", precision.c_variance),
    ]:
        assert np.std(found[name]) == pytest.approx(np.sqrt(variance / n), rel=0.2), name


@ANY_LINK
@pytest.mark.parametrize("key", SETTINGS)
def test_robust_errors_of_large_cohorts_are_those_foretold(key, rng):
    n, errors = 3000, []
    for _ in range(24):
        x, time, event = cohort(rng, n, **SETTINGS[key])
        errors.append(calibration(x, pseudo_observations(time, event)[1]).bse[1])
    limit = np.sqrt(foretold(SETTINGS[key]).slope_variance / n)
    # Cohorts of this size add about 1 %.
    noise = np.std(errors) / np.sqrt(24)
    assert -3 * noise < np.mean(errors) - limit < 3 * noise + 0.02 * limit


def test_sizes_are_variances_over_squared_errors():
    predictor = predictor_of_d(1.3)
    given = {"followed": 0.4, "shape": 1.2}
    found = survival_precision(0.7, predictor, **given)
    size = survival_validation_size(0.7, predictor, **given, oe_width=0.3, c_width=0.08)
    z = 1.959963984540054
    oe, slope, c = size.criteria
    assert slope.n == np.ceil(found.slope_variance * (z / 0.1) ** 2)
    assert c.n == np.ceil(found.c_variance * (z / 0.04) ** 2)
    # With so many, exp(+ z se) - exp(- z se) is no more than asked, and with one fewer it is.
    for n, wide in ((oe.n, False), (oe.n - 1, True)):
        assert (2 * np.sinh(z * np.sqrt(found.log_oe_variance / n)) > 0.3) == wide
    assert size.n == max(oe.n, slope.n, c.n)
    assert size.driver == "calibration slope"
    assert size.events == pytest.approx(size.n * found.event_share)


def test_what_makes_it_harder_asks_for_more():
    def slope_size(survival, d, followed):
        sizes = survival_validation_size(survival, predictor_of_d(d), followed=followed).criteria
        return sizes[1].n

    assert slope_size(0.8, 1.2, 0.9) < slope_size(0.8, 1.2, 0.5) < slope_size(0.8, 1.2, 0.2)
    assert slope_size(0.8, 1.8, 0.5) < slope_size(0.8, 1.2, 0.5) < slope_size(0.8, 0.8, 0.5)
    assert slope_size(0.7, 1.2, 0.5) < slope_size(0.95, 1.2, 0.5)


def test_shifts_and_samples_of_the_predictor(rng):
    near = survival_precision(0.7, PredictorDistribution.normal(0.0, 0.9), followed=0.6)
    far = survival_precision(0.7, PredictorDistribution.normal(25.0, 0.9), followed=0.6)
    drawn = PredictorDistribution.sample(rng.normal(3.0, 0.9, size=100_000))
    sample = survival_precision(0.7, drawn, followed=0.6)
    for name in ("c_statistic", "event_share", "log_oe_variance", "slope_variance", "c_variance"):
        assert getattr(far, name) == pytest.approx(getattr(near, name), rel=1e-6)
        assert getattr(sample, name) == pytest.approx(getattr(near, name), rel=0.02)
    # Twice the predictor with half the slope is the same model, on twice the scale.
    wide = survival_precision(0.7, PredictorDistribution.normal(0.0, 1.8), followed=0.6, slope=0.5)
    assert wide.slope_variance == pytest.approx(near.slope_variance / 4, rel=1e-6)
    assert wide.c_variance == pytest.approx(near.c_variance, rel=1e-6)


def test_two_risk_groups(rng):
    # C with ties counted one half, of a predictor with two values.
    predictor = PredictorDistribution.sample([0.0, 0.0, 1.0])
    found = survival_precision(0.5, predictor, followed=0.8)
    values = [
        concordance_index_censored(event, time, x)[0]
        for x, time, event in (two_groups(rng, 400) for _ in range(300))
    ]
    assert np.mean(values) == pytest.approx(found.c_statistic, abs=0.004)
    assert np.std(values) == pytest.approx(np.sqrt(found.c_variance / 400), rel=0.13)


def two_groups(rng, n):
    x = (rng.uniform(size=n) < 1 / 3).astype(float)
    low, high = 0.0, 3.0
    for _ in range(60):
        rate = (low + high) / 2
        alive = (2 * np.exp(-rate) + np.exp(-rate * np.e)) / 3
        low, high = (rate, high) if alive > 0.5 else (low, rate)
    death = rng.exponential(size=n) / (rate * np.exp(x))
    end = np.minimum(rng.exponential(size=n) / -np.log(0.8), 1.0)
    return x, np.minimum(death, end), death <= end


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: survival_precision(1.0, p), "survival between 0 and 1"),
        (lambda p: survival_precision(83, p), "write 0.83 for 83 %"),
        (lambda p: survival_precision(0.8, p, followed=0.0), "followed above 0"),
        (lambda p: survival_precision(0.8, p, followed=np.nan), "followed above 0"),
        (lambda p: survival_precision(0.8, p, shape=0.0), "shape above 0"),
        (lambda p: survival_precision(0.8, p, censoring_shape=-1.0), "censoring_shape above 0"),
        (lambda p: survival_precision(0.8, p, slope=0.0), "slope above 0"),
        (lambda p: survival_validation_size(0.8, p, oe=0.0), "oe above 0"),
        (lambda p: survival_validation_size(0.8, p, oe_width=0.0), "oe_width above 0"),
        (lambda p: survival_validation_size(0.8, p, slope_width=-1), "slope_width above 0"),
        (lambda p: survival_validation_size(0.8, p, c_width=np.inf), "c_width above 0"),
        (lambda p: survival_validation_size(0.8, p, level=95), r"write 0\.95"),
        (lambda p: predictor_of_d(0.0), "D above 0"),
        (lambda p: predictor_of_c(0.5), "C-statistic above 0.5"),
        (lambda p: predictor_of_c(0.99), "up to 0.95"),
    ],
)
def test_impossible_input_is_named(call, message):
    with pytest.raises(DataError, match=message):
        call(predictor_of_d(1.0))
