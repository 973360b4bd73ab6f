from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.survival.d_calibration import d_calibration, survival_at_own_time


def test_by_hand_in_fractions() -> None:
    # Five bins. Events at 0, 0.2 (lower edge), 0.55 and 1; censored at 0.3, 0.4 (edge), 1 and 0.
    found = d_calibration(
        [0.0, 0.2, 0.55, 1.0, 0.3, 0.4, 1.0, 0.0],
        np.ones(8),
        [1, 1, 1, 1, 0, 0, 0, 0],
        bins=5,
    )
    third, half, fifth = Fraction(2, 3), Fraction(1, 2), Fraction(1, 5)
    expected = [
        1 + third + half + fifth + 1,
        1 + Fraction(1, 3) + half + fifth,
        1 + fifth,
        fifth,
        1 + fifth,
    ]
    assert sum(expected) == 8
    np.testing.assert_allclose(found.observed, [float(v) for v in expected], rtol=1e-14)
    mean = Fraction(8, 5)
    statistic = sum((v - mean) ** 2 / mean for v in expected)
    assert found.statistic == pytest.approx(float(statistic), rel=1e-13)
    assert (found.expected, found.df, found.n, found.events) == (1.6, 4, 8, 4)


def test_without_censoring_it_is_pearson_on_a_histogram(rng: np.random.Generator) -> None:
    values = rng.beta(1.2, 1, 200)
    found = d_calibration(values, np.ones(200), np.ones(200))
    counts, _ = np.histogram(values, bins=10, range=(0, 1))
    assert found.observed.tolist() == counts.tolist()
    expected = chisquare(counts)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-12)


def test_those_censored_are_spread_uniformly_below(rng: np.random.Generator) -> None:
    values = rng.random(30)
    event = rng.random(30) < 0.5
    found = d_calibration(values, np.ones(30), event, bins=7)
    draws = np.arange(0.5, 20_000) / 20_000
    shares = [np.histogram([v], 7, (0, 1))[0] for v in values[event]]
    shares += [np.histogram(v * draws, 7, (0, 1))[0] / 20_000 for v in values[~event]]
    np.testing.assert_allclose(found.observed, np.sum(shares, axis=0), atol=30 / 20_000)
    assert found.observed.sum() == pytest.approx(30, rel=1e-13)


def drawn(rng: np.random.Generator, n: int, *, censored: bool, wrong: float = 1.0) -> float:
    x = rng.normal(size=n)
    rate = 0.05 * np.exp(x)
    death = rng.exponential(1 / rate)
    end = rng.uniform(2, 60, n) if censored else np.inf
    time = np.minimum(death, end)
    return d_calibration(np.exp(-wrong * rate * time), time, death <= end).p


def test_p_is_uniform_under_the_truth_and_conservative_with_censoring(
    rng: np.random.Generator,
) -> None:
    full = [drawn(rng, 300, censored=False) for _ in range(800)]
    assert kstest(full, "uniform").pvalue > 0.001
    cut = np.array([drawn(rng, 300, censored=True) for _ in range(800)])
    assert (cut < 0.05).mean() < 0.05
    assert cut.mean() > 0.55


def test_wrong_curves_are_found(rng: np.random.Generator) -> None:
    p = [drawn(rng, 300, censored=True, wrong=1.8) for _ in range(50)]
    assert np.mean(np.array(p) < 0.05) > 0.9


def test_own_time_is_read_off_steps() -> None:
    table = np.array([[0.9, 0.5, 0.1]] * 5)
    found = survival_at_own_time(table[:, [2, 0, 1]], [3, 1, 2], [0.0, 1.0, 1.99, 2.0, 50.0])
    assert found.tolist() == [1.0, 0.9, 0.9, 0.5, 0.1]


@pytest.mark.parametrize("value", [np.nan, -0.2, 1.5])
def test_no_probabilities_are_refused(value: float) -> None:
    with pytest.raises(DataError, match="in 1 of 2 patients"):
        d_calibration([0.5, value], [1, 2], [1, 0])


def test_other_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match="at least 2 bins"):
        d_calibration([0.5, 0.4], [1, 2], [1, 0], bins=1)
    with pytest.raises(DataError, match="shape"):
        d_calibration([0.5], [1, 2], [1, 0])
    with pytest.raises(OutcomeError, match="at least one event"):
        d_calibration([0.5, 0.4], [1, 2], [0, 0])
    with pytest.raises(DataError, match="each time once"):
        survival_at_own_time([[0.9, 0.8]], [1, 1], [3])
    with pytest.raises(DataError, match="never rise"):
        survival_at_own_time([[0.8, 0.9]], [1, 2], [3])
