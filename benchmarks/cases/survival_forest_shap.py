"""Explaining a random survival forest: its own leaves beside asking it many times."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from case import Agreement, Arrays, Case
from numpy.typing import NDArray
from outcomes import monthly_survival

TRAINING, FEATURES, TREES, EVENTS = 100, 20, 100, 60


def inputs(items: int) -> Arrays:
    """Patients to explain."""
    return {"patients": np.random.default_rng(8).standard_normal((items, FEATURES))}


@cache
def fitted() -> tuple[Any, NDArray[np.float64]]:
    """The forest and its training patients; called by both sides while they warm up."""
    from sksurv.ensemble import RandomSurvivalForest
    from sksurv.util import Surv

    rng = np.random.default_rng(9)
    train = rng.standard_normal((TRAINING, FEATURES))
    time, event = monthly_survival(train[:, 0] + train[:, 1], events=EVENTS, rng=rng)
    forest = RandomSurvivalForest(TREES, min_samples_leaf=3, low_memory=True, random_state=0)
    return forest.fit(train, Surv.from_arrays(event, time)), train


def ours(given: Arrays, count: int) -> Arrays:
    """Exact, against the whole background."""
    from radiogenomics.models.explain.explain import explain

    forest, train = fitted()
    rng = np.random.default_rng(0)
    found = explain(forest, given["patients"][:count], background=train, rng=rng)
    return {"contributions": found.values}


def theirs(given: Arrays, count: int) -> Arrays:
    """Ten random orders of the features, forwards and backwards, for each patient."""
    import shap

    forest, train = fitted()
    masker = shap.maskers.Independent(train, max_samples=TRAINING)
    explainer = shap.PermutationExplainer(forest.predict, masker, seed=0)
    found = explainer(given["patients"][:count], max_evals=10 * (2 * FEATURES + 1), silent=True)
    return {"contributions": found.values}


def compare(found: Arrays, reference: Arrays) -> Agreement:
    """The peer draws orders, so it comes near and no more."""
    theirs = reference["contributions"]
    gap = np.abs(found["contributions"][: len(theirs)] - theirs).max()
    return Agreement(
        None,
        f"ours is exact, the peer draws: largest difference {gap / np.abs(theirs).max():.1%} of "
        "the largest contribution",
    )


CASE = Case(
    name="survival_forest_shap",
    job=f"SHAP values of {{items}} patients, random survival forest of {TREES} trees on "
    f"{FEATURES} features, background of {TRAINING} training patients",
    unit="patients",
    items=300,
    sample=3,
    warm_up=1,
    package="shap",
    peer="PermutationExplainer, 10 orders",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
    compare=compare,
    remark="the forest is fitted before the clock starts; shap's tree explainer does not take it",
    most_rounds=3,
)
