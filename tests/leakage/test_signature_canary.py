"""Genes that know nothing of survival, through every way to choose them: C off one half is a leak.

Pairs of patients are compared within folds only, as across folds the risks come from other models.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.model_selection import KFold

from radiogenomics.omics.signature.derivation import COHORT, SignatureDerivation
from radiogenomics.omics.signature.screen import SurvivalScreen
from radiogenomics.omics.signature.search import SubsetSearch
from radiogenomics.omics.signature.stepwise import StepwiseCox
from radiogenomics.stats.survival.concordance import concordance

PATIENTS, GENES, REPEATS = 90, 200, 24
SCREEN = SurvivalScreen(alpha=1, k=15)
SEARCHES = {
    "size given": SubsetSearch(2, size=2),
    "size by inner folds": SubsetSearch(2, splitter=KFold(3)),
    "stepwise": StepwiseCox(criterion="aic", max_genes=2),
}
pytestmark = pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.FallbackWarning")


def noise(repeat: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Two cohorts with baselines of their own; genes that have nothing to do with survival."""
    rng = np.random.default_rng([44, repeat])
    genes = pd.DataFrame(rng.normal(size=(PATIENTS, GENES))).add_prefix("G")
    second = np.arange(PATIENTS) % 2 == 1
    death, end = rng.exponential(np.where(second, 40, 10)), rng.uniform(5, 60, PATIENTS)
    y = np.empty(PATIENTS, dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = death <= end, np.minimum(death, end)
    return genes.assign(**{COHORT: np.where(second, "b", "a")}), y


def held_out(rule: SignatureDerivation, X: pd.DataFrame, y: np.ndarray, *, seed: int) -> float:
    found = []
    for train, test in KFold(3, shuffle=True, random_state=seed).split(X):
        risk = clone(rule).fit(X.iloc[train], y[train]).predict(X.iloc[test])
        strata = X[COHORT].iloc[test]
        found.append(concordance(risk, y["time"][test], y["event"][test], strata=strata).value)
    return float(np.mean(found))


def interval(values: list[float]) -> tuple[float, float]:
    low, high = stats.t.interval(
        0.99, len(values) - 1, loc=np.mean(values), scale=stats.sem(values)
    )
    return float(low), float(high)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_derivation_inside_the_fold_finds_nothing_in_noise(name):
    rule = SignatureDerivation(SCREEN, SEARCHES[name])
    low, high = interval([held_out(rule, *noise(k), seed=k) for k in range(REPEATS)])
    assert low < 0.5 < high
    assert high - low < 0.1


def test_canary_sings_when_the_genes_were_chosen_on_the_test_part_too():
    found = []
    for repeat in range(10):
        X, y = noise(repeat)
        rule = SignatureDerivation(SCREEN, SEARCHES["size given"])
        chosen = clone(rule).fit(X, y).signature_.genes
        found.append(held_out(rule.set_params(candidates=chosen), X, y, seed=repeat))
    assert interval(found)[0] > 0.55
