"""With nothing to find, the p-value of a cross-validated survival model is uniform.

As tests/leakage/test_null_uniformity.py: Kolmogorov-Smirnov over simulated null cohorts, level 1 %,
fixed seeds. Where sites differ both in features and in survival, there is something to find; with
sites as blocks there is not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import kstest
from sklearn.base import BaseEstimator

from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import PatientKFold, concordance_metric, cross_validate_survival
from radiogenomics.evaluation.nulls import cross_validation_survival_null

COHORTS, PATIENTS, LEVEL = 160, 40, 0.01


class LogRankScore(BaseEstimator):
    """Selects two features by their score test and weighs them by it: selection and fit, quick."""

    needs_names = False

    def fit(self, X, y):
        values, order = np.asarray(X), np.argsort(y["time"])
        event = y["event"][order].astype(float)
        hazard = np.cumsum(event / np.arange(len(order), 0, -1))
        score = (event - hazard) @ (values[order] - values.mean(axis=0))
        kept = np.argsort(-np.abs(score))[:2]
        self.weights_ = np.zeros(values.shape[1])
        self.weights_[kept] = score[kept]
        return self

    def predict(self, X):
        return np.asarray(X) @ self.weights_


def p_values(cohorts: int, *, stream: int, site_effect: float, blocked: bool) -> list[float]:
    """Permutation p of null cohorts of two sites that may differ in all features and in hazard."""
    found = []
    for cohort in range(cohorts):
        rng = np.random.default_rng([32, stream, cohort])
        ids = pd.Index([f"P{i}" for i in range(PATIENTS)])
        site = pd.Series(np.arange(PATIENTS) % 2, ids)
        x = pd.DataFrame(rng.normal(size=(PATIENTS, 20)), ids).add(site_effect * site, axis=0)
        death = rng.exponential(20 * np.exp(-site_effect * site))
        end = rng.uniform(5, 50, PATIENTS)
        outcome = SurvivalOutcome(
            "OS", pd.Series(np.minimum(death, end), ids), pd.Series(death <= end, ids)
        )
        splitter = PatientKFold(2, random_state=cohort)
        model = LogRankScore()
        evidence = cross_validate_survival(model, x, outcome, splitter=splitter, name="null")
        null = cross_validation_survival_null(
            model,
            x,
            outcome,
            splitter=splitter,
            count=19,
            rng=rng,
            blocks=site if blocked else None,
        )
        metric = concordance_metric(evidence.predictions, outcome, split="null", null=null)
        found.append(metric.p_permutation)
    return found


def ks(p_values: list[float]) -> float:
    """P of a Kolmogorov-Smirnov test; p is 1/20, 2/20, ...: spread over its step it is uniform."""
    steps = np.random.default_rng(33).uniform(0, 1 / 20, len(p_values))
    return float(kstest(np.array(p_values) - steps, "uniform").pvalue)


def test_p_of_a_cross_validated_survival_model_is_uniform():
    assert ks(p_values(COHORTS, stream=0, site_effect=0.0, blocked=False)) > LEVEL


def test_p_is_uniform_within_sites_that_differ_and_small_without_blocks():
    assert ks(p_values(COHORTS // 2, stream=1, site_effect=1.5, blocked=True)) > LEVEL
    found = p_values(COHORTS // 5, stream=2, site_effect=1.5, blocked=False)
    assert ks(found) < LEVEL
    assert np.mean(np.array(found) <= 0.05) > 0.2
