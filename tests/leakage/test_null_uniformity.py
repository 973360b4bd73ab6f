"""With nothing to find, p-values are uniform: Kolmogorov-Smirnov over 200 simulated null cohorts.

A p-value that is small too often claims what is not there; one that is large too often hides what
is. The level of each test is 1 %, the seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.evaluation import (
    PatientKFold,
    cross_validate,
    cross_validation_null,
    pooled_auc,
)
from radiogenomics.features import RankSelector
from radiogenomics.models import LinearSVM
from radiogenomics.stats import (
    auc,
    auc_batch,
    concordance,
    concordance_batch,
    delong,
    delong_test,
    delong_test_unpaired,
    permutation_p,
    permutations,
)

COHORTS, LEVEL = 200, 0.01


def uniform(p_values: list[float]) -> bool:
    """Whether 200 p-values pass for uniform draws."""
    assert len(p_values) == COHORTS
    return kstest(p_values, "uniform").pvalue > LEVEL


def rngs(stream: int):
    return (np.random.default_rng([31, stream, cohort]) for cohort in range(COHORTS))


def test_permutation_p_of_an_auc_is_uniform():
    found = []
    for rng in rngs(0):
        scores, labels = rng.normal(size=90), rng.permutation(90) % 3 == 0
        null = auc_batch(scores, labels[permutations(90, 199, rng)])
        found.append(permutation_p(auc(scores, labels), null))
    assert uniform(found)


def test_permutation_p_of_a_concordance_is_uniform():
    found = []
    for rng in rngs(1):
        risk, time, event = rng.normal(size=80), rng.exponential(size=80), rng.random(80) < 0.6
        null = concordance_batch(risk[permutations(80, 199, rng)], time, event)
        found.append(permutation_p(concordance(risk, time, event).value, null))
    assert uniform(found)


@pytest.mark.slow
def test_permutation_p_of_a_whole_cross_validation_is_uniform():
    """Selection and fit are repeated in every permutation, so their optimism cancels."""
    model = make_pipeline(RankSelector(k=3), StandardScaler(), LinearSVM(C=0.1))
    splitter = PatientKFold(2)
    found = []
    for rng in rngs(2):
        ids = pd.Index([f"P{i}" for i in range(36)])
        x = pd.DataFrame(rng.normal(size=(36, 30)), index=ids)
        y = pd.Series(rng.permutation(36) % 2, index=ids)
        given = {"splitter": splitter, "target_rule": None}
        observed = cross_validate(model, x, y, name="null", **given).predictions
        null = cross_validation_null(model, x, y, statistic=pooled_auc, count=19, rng=rng, **given)
        found.append(permutation_p(pooled_auc(observed), null))
    assert uniform(found)


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_p_of_the_paired_delong_test_is_uniform(correlation):
    found = []
    for rng in rngs(3):
        labels = np.arange(150) % 2 == 0
        shared = rng.normal(size=150) + 0.7 * labels
        scores = [
            correlation * shared + (1 - correlation) * (rng.normal(size=150) + 0.7 * labels)
            for _ in range(2)
        ]
        found.append(delong_test(*scores, labels).p)
    assert uniform(found)


def test_p_of_the_unpaired_delong_test_is_uniform():
    found = []
    for rng in rngs(4):
        labels = np.arange(120) % 3 == 0
        first, second = (delong(rng.normal(size=120) + 0.5 * labels, labels) for _ in range(2))
        found.append(delong_test_unpaired(first, second).p)
    assert uniform(found)
