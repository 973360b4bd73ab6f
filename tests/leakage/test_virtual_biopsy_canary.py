"""The virtual biopsy on pure noise: nothing is foretold, and p is what a p has to be.

50 patients and 300 features; cohorts are independent, targets within one are correlated.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin

from radiogenomics.evaluation.splits import PatientKFold
from radiogenomics.evaluation.virtual_biopsy import virtual_biopsy
from radiogenomics.models.many_targets import ManyKernelRidge, ManyPls, ManyRidge
from radiogenomics.stats.permutation import permutations

PATIENTS, FEATURES, TARGETS, REPEATS = 50, 300, 30, 20
LEARNERS = {"ridge": ManyRidge(), "pls": ManyPls(), "kernel": ManyKernelRidge()}


class FixedRidge(RegressorMixin, BaseEstimator):
    """A ridge of one penalty, without the training mean as a way out, so that R² never ties."""

    def prepare(self, X, asked):
        return _Fixed(np.asarray(X), np.asarray(asked))


class _Fixed:
    def __init__(self, rows, asked):
        kernel = rows @ rows.T + 100 * np.eye(len(rows))
        self._matrix = asked @ rows.T @ np.linalg.inv(kernel)

    def foretell(self, targets):
        mean = targets.mean(axis=0)
        return mean + self._matrix @ (targets - mean)


def noise(seed: int, *, targets: int = TARGETS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Features and skewed targets that share factors among themselves and none between them."""
    rng = np.random.default_rng([71, seed])
    X = rng.normal(size=(PATIENTS, 5)) @ rng.normal(size=(5, FEATURES))
    X += rng.normal(size=X.shape)
    Y = rng.gamma(2.0, size=(PATIENTS, targets)) + rng.gamma(2.0, size=(PATIENTS, 1))
    return pd.DataFrame(X), pd.DataFrame(Y).add_prefix("t")


def biopsy(seed: int, learners, *, count: int, targets: int = TARGETS) -> pd.DataFrame:
    orders = permutations(PATIENTS, count, np.random.default_rng([72, seed]))
    folds = PatientKFold(5, random_state=seed)
    X, Y = noise(seed, targets=targets)
    return virtual_biopsy(learners, X, Y, folds=folds, orders=orders).biopsy


def interval(values: pd.Series) -> tuple[float, float]:
    """99 % t-interval of the mean over independent cohorts."""
    low, high = stats.t.interval(
        0.99, len(values) - 1, loc=np.mean(values), scale=stats.sem(values)
    )
    return float(low), float(high)


@pytest.fixture(scope="module")
def means() -> pd.DataFrame:
    """Mean over the targets of each cohort, by learner."""
    found = [
        biopsy(seed, LEARNERS, count=1).groupby("learner")[["r2", "rho", "auc"]].mean()
        for seed in range(REPEATS)
    ]
    return pd.concat(found)


@pytest.mark.parametrize("learner", LEARNERS)
def test_noise_is_not_foretold(learner, means):
    own = means.loc[learner]
    assert interval(own["r2"])[1] < 0.01
    for statistic, chance in (("rho", 0.0), ("auc", 0.5)):
        low, high = interval(own[statistic])
        assert low < chance < high
        assert high - low < 0.15


def test_canary_sings_when_features_were_chosen_beforehand():
    found = []
    for seed in range(8):
        _, Y = noise(seed, targets=1)
        X = pd.DataFrame(np.random.default_rng([74, seed]).normal(size=(PATIENTS, FEATURES)))
        kept = X.corrwith(Y["t0"]).abs().nlargest(10).index
        orders = np.arange(PATIENTS)[None]
        table = virtual_biopsy(
            {"ridge": ManyRidge()}, X[kept], Y, folds=PatientKFold(5), orders=orders
        ).biopsy
        found.append(table.loc[0, ["r2", "rho"]].astype(float))
    table = pd.DataFrame(found)
    assert interval(table["r2"])[0] > 0.05 and interval(table["rho"])[0] > 0.2


def test_p_is_uniform_over_null_cohorts():
    """p falls on steps of 1 / 100, filled in evenly; p_family likewise, at its strongest target."""
    rng = np.random.default_rng(73)
    each, family = [], []
    for seed in range(150):
        table = biopsy(1000 + seed, {"fixed": FixedRidge()}, count=99, targets=5)
        each.append(table.set_index("target").at["t0", "p"])
        family.append(table["p_family"].min())
    for values in (each, family):
        spread = np.array(values) - rng.random(150) / 100
        assert stats.kstest(spread, "uniform").pvalue > 0.01


def test_p_of_a_tuned_learner_is_never_smaller_than_it_may_be():
    """Where many cohorts and permutations keep to the mean p is larger than it would need be."""
    each, family = [], []
    for seed in range(100):
        table = biopsy(2000 + seed, {"ridge": ManyRidge()}, count=39, targets=5)
        each.append(table.set_index("target").at["t0", "p"])
        family.append(table["p_family"].min())
    for values in (each, family):
        assert stats.kstest(values, "uniform", alternative="greater").pvalue > 0.01
        for share in (0.05, 0.1, 0.25):
            hits = int((np.array(values) <= share + 1e-9).sum())
            assert stats.binomtest(hits, 100, share, alternative="greater").pvalue > 0.005
