"""Sizes for validation against R, published examples and simulated validations."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, logit, ndtri
from scipy.stats import rankdata

from radiogenomics.core.errors import DataError
from radiogenomics.stats.design.validation_size import (
    NetBenefitTarget,
    PredictorDistribution,
    c_statistic_error,
    validation_size,
)

CASES = {
    "valve": (
        0.018,
        0.8,
        {"predictor": PredictorDistribution.normal(-5, 2.5), "oe_width": 1},
    ),
    "beta": (0.3, 0.7, {"predictor": PredictorDistribution.beta(0.5, 0.5)}),
    "coherent": (
        0.2,
        0.78,
        {
            "predictor": PredictorDistribution.normal(-1.75, 1.22),
            "net_benefit": NetBenefitTarget(0.2, 0.7, 0.72),
        },
    ),
    "off": (
        0.25,
        0.7,
        {
            "predictor": PredictorDistribution.normal(-1, 1),
            "oe": 0.8,
            "intercept": -0.3,
            "slope": 0.85,
            "oe_width": 0.3,
            "slope_width": 0.25,
            "c_width": 0.12,
        },
    ),
    "mixture": (0.018, 0.8, {"oe_width": 1}),
}


@pytest.mark.parametrize("key", CASES)
def test_sizes_are_the_formulas_rounded_up(key, values):
    prevalence, c, more = CASES[key]
    size = validation_size(prevalence, c, **more)
    expected = values("sample_size", key, "n")
    assert [criterion.n for criterion in size.criteria] == np.ceil(expected).tolist()
    assert size.n == np.ceil(expected.max())
    assert size.driver == size.criteria[int(expected.argmax())].name
    assert size.events == pytest.approx(size.n * prevalence)


@pytest.mark.parametrize(
    ("prevalence", "c", "predictor", "oe_width", "published"),
    [
        (0.018, 0.8, PredictorDistribution.normal(-5, 2.5), 1, (905, 4544, 4252)),
        (0.018, 0.8, PredictorDistribution.beta(0.5, 0.5), 1, (905, 1644, 4252)),
        (0.018, 0.8, None, 1, (905, 17080, 4252)),
        (0.2, 0.78, PredictorDistribution.normal(-1.75, 1.22), 0.2, (1538, 2958, 511)),
    ],
    ids=["normal", "beta", "mixture", "coherent"],
)
def test_published_examples(prevalence, c, predictor, oe_width, published):
    size = validation_size(prevalence, c, predictor=predictor, oe_width=oe_width)
    oe, slope, c_statistic = (criterion.n for criterion in size.criteria)
    # They step through standard errors by 0.0001, and simulate the slope's information.
    assert oe == pytest.approx(published[0], rel=0.004)
    assert slope == pytest.approx(published[1], rel=0.004)
    assert c_statistic == published[2]


def test_c_statistic_size_is_the_smallest_that_is_narrow_enough():
    criterion = validation_size(0.3, 0.72, c_width=0.08).criteria[2]
    width = 2 * 1.959963984540054
    assert width * c_statistic_error(0.72, 0.3, n=criterion.n) <= 0.08
    assert width * c_statistic_error(0.72, 0.3, n=criterion.n - 1) > 0.08


def test_a_sample_stands_for_its_distribution(rng):
    drawn = PredictorDistribution.sample(rng.normal(-1.0, 1.3, size=200_000))
    exact = PredictorDistribution.normal(-1.0, 1.3)
    assert drawn.mean_risk == pytest.approx(exact.mean_risk, rel=0.01)
    sizes = [
        validation_size(0.3, 0.75, predictor=spread).criteria[1].n for spread in (drawn, exact)
    ]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.02)


def test_distributions_keep_their_promises():
    assert PredictorDistribution.beta(2.0, 6.0).mean_risk == pytest.approx(0.25, rel=1e-9)
    assert PredictorDistribution.beta(0.05, 40.0).mean_risk == pytest.approx(0.05 / 40.05, rel=1e-6)
    mixture = PredictorDistribution.from_c_statistic(0.83, 0.07)
    risk = expit(mixture.values)
    assert mixture.mean_risk == pytest.approx(0.07, rel=1e-9)
    # C-statistic of a calibrated predictor: share of pairs, weighted by being a case and a control.
    case, control = mixture.weights * risk / 0.07, mixture.weights * (1 - risk) / 0.93
    below = np.cumsum(control) - control / 2
    assert case @ below == pytest.approx(0.83, abs=1e-6)


def test_simulated_validations_are_as_precise_as_asked(rng):
    threshold, prevalence, c = 0.3, 0.3, 0.75
    spread = PredictorDistribution.from_c_statistic(c, prevalence)
    risk = expit(spread.values)
    above = spread.values > np.log(threshold / (1 - threshold))
    target = NetBenefitTarget(
        threshold,
        sensitivity=float(spread.weights[above] @ risk[above] / prevalence),
        specificity=float(spread.weights[~above] @ (1 - risk[~above]) / (1 - prevalence)),
    )
    size = validation_size(prevalence, c, net_benefit=target)
    found = {criterion.name: [] for criterion in size.criteria}
    mean, sd = spread_of_classes(c, prevalence)
    for _ in range(300):
        for criterion in size.criteria:
            y = rng.random(criterion.n) < prevalence
            x = rng.normal(np.where(y, mean + sd**2, mean), sd)
            found[criterion.name].append(measure(criterion.name, x, y, threshold=threshold))
    for criterion in size.criteria:
        assert np.std(found[criterion.name]) == pytest.approx(criterion.se, rel=0.15)


def spread_of_classes(c: float, prevalence: float) -> tuple[float, float]:
    sd = np.sqrt(2) * ndtri(c)
    return float(logit(prevalence) - sd**2 / 2), float(sd)


def measure(name: str, x: np.ndarray, y: np.ndarray, *, threshold: float) -> float:
    if name == "O/E":
        # The expected count is taken as known, as the formula does.
        return float(np.log(y.mean() / 0.3))
    if name == "C-statistic":
        ranks = rankdata(x)
        cases = y.sum()
        return float((ranks[y].sum() - cases * (cases + 1) / 2) / (cases * (len(y) - cases)))
    if name == "standardised net benefit":
        positive = expit(x) > threshold
        odds = threshold / (1 - threshold)
        return float((np.mean(positive & y) - odds * np.mean(positive & ~y)) / y.mean())
    design = np.column_stack([np.ones(x.size), x])
    coef = np.array([0.0, 1.0])
    for _ in range(6):
        p = expit(design @ coef)
        coef += np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design, design.T @ (y - p))
    return float(coef[1])


def test_level_moves_all_sizes(values):
    wide, narrow = (validation_size(0.3, 0.75, level=level) for level in (0.99, 0.8))
    assert all(a.n > b.n for a, b in zip(wide.criteria, narrow.criteria, strict=True))
    assert_allclose([a.width for a in wide.criteria], [b.width for b in narrow.criteria])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prevalence": 0.0}, "prevalence between 0 and 1"),
        ({"prevalence": 30}, "write 0.05 for 5 %"),
        ({"c_statistic": 0.5}, "C-statistic above 0.5"),
        ({"c_statistic": 1.0}, "C-statistic above 0.5"),
        ({"oe": 0.0}, "oe above 0"),
        ({"oe_width": 0.0}, "oe_width above 0"),
        ({"slope_width": -1.0}, "slope_width above 0"),
        ({"c_width": np.nan}, "c_width above 0"),
        ({"slope": 0.0}, "slope above 0"),
        ({"intercept": np.inf}, "finite intercept"),
        ({"net_benefit": NetBenefitTarget(1.0, 0.5, 0.5)}, "threshold between 0 and 1"),
        ({"net_benefit": NetBenefitTarget(0.2, 50, 0.5)}, "sensitivity between 0 and 1"),
        ({"net_benefit": NetBenefitTarget(0.2, 0.5, 0.5, width=0)}, "net benefit width above 0"),
        ({"level": 95}, r"write 0\.95"),
    ],
    ids=str,
)
def test_impossible_input_is_named(change, message):
    given = {"prevalence": 0.2, "c_statistic": 0.75} | change
    with pytest.raises(DataError, match=message):
        validation_size(given.pop("prevalence"), given.pop("c_statistic"), **given)


@pytest.mark.parametrize(
    "make",
    [
        lambda: PredictorDistribution.sample([1.0, 1.0]),
        lambda: PredictorDistribution.sample([1.0, np.nan]),
        lambda: PredictorDistribution.normal(0.0, 0.0),
        lambda: PredictorDistribution.normal(np.nan, 1.0),
        lambda: PredictorDistribution.beta(0.0, 1.0),
        lambda: PredictorDistribution.from_c_statistic(0.4, 0.2),
        lambda: c_statistic_error(0.8, 0.2, n=1),
    ],
)
def test_impossible_distributions_are_refused(make):
    with pytest.raises(DataError, match="expected"):
        make()
