from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.features.empirical_bayes import (
    SiteEffect,
    shrink_nonparametric,
    shrink_parametric,
    shrink_shift,
)


def test_iterations_to_the_end_solve_the_equations(rng):
    effect = SiteEffect(rng.normal(0.5, 1, 50), rng.gamma(4, 0.3, 50))
    n, t2 = np.full(50, 7.0), effect.shift.var(ddof=1)
    m, s2 = effect.variance.mean(), effect.variance.var(ddof=1)
    gamma, delta = shrink_parametric(effect, n, tolerance=1e-14)
    right = (n * t2 * effect.shift + delta * effect.shift.mean()) / (n * t2 + delta)
    np.testing.assert_allclose(gamma, right, rtol=1e-10)
    squares = 6 * effect.variance + 7 * (effect.shift - gamma) ** 2
    right = ((m**3 + m * s2) / s2 + squares / 2) / ((m**2 + 2 * s2) / s2 + 3.5 - 1)
    np.testing.assert_allclose(delta, right, rtol=1e-10)


@pytest.mark.parametrize("alike", ["shift", "variance", "both"])
def test_effects_that_are_all_alike_stay(rng, alike):
    shift = np.full(9, 0.4) if alike != "variance" else rng.normal(size=9)
    variance = np.full(9, 1.3) if alike != "shift" else rng.gamma(4, 0.3, 9)
    found = shrink_parametric(SiteEffect(shift, variance), np.full(9, 6.0), tolerance=1e-10)
    assert np.isfinite(found).all()
    if alike != "variance":
        np.testing.assert_allclose(found.shift, 0.4, rtol=1e-12)
    if alike == "both":
        np.testing.assert_allclose(found.variance, 1.3, rtol=1e-12)


def test_nonparametric_prior_is_the_definition(rng, monkeypatch):
    monkeypatch.setattr("radiogenomics.features.empirical_bayes._BLOCK", 60)
    values = rng.normal(0.3, 1.5, (6, 23))
    values[0, 3] = np.nan
    count = (~np.isnan(values)).sum(axis=0).astype(float)
    effect = SiteEffect(np.nanmean(values, axis=0), np.nanvar(values, axis=0, ddof=1))
    found = shrink_nonparametric(effect, effect.variance * (count - 1), count)
    for g in range(23):
        others = np.arange(23) != g
        gamma, delta = effect.shift[others], effect.variance[others]
        z = values[~np.isnan(values[:, g]), g]
        weight = np.prod(
            np.exp(-((z[:, None] - gamma) ** 2) / (2 * delta)) / np.sqrt(2 * np.pi * delta), axis=0
        )
        assert found.shift[g] == pytest.approx(np.average(gamma, weights=weight), rel=1e-11)
        assert found.variance[g] == pytest.approx(np.average(delta, weights=weight), rel=1e-11)


def test_iterations_that_do_not_end_are_said(rng, monkeypatch):
    monkeypatch.setattr("radiogenomics.features.empirical_bayes._MAX_ITERATIONS", 1)
    effect = SiteEffect(rng.normal(size=5), rng.gamma(4, 0.3, 5))
    with pytest.warns(RadiogenomicsWarning, match="still move"):
        shrink_parametric(effect, np.full(5, 4.0), tolerance=1e-12)


def test_shift_alone_is_the_precision_weighted_mean():
    effect = SiteEffect(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    # Prior mean 2 and variance 2 against an observation of variance 1.
    assert shrink_shift(effect).shift == pytest.approx([(2 * 1 + 2) / 3, (2 * 3 + 2) / 3])
