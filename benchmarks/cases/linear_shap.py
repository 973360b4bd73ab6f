"""Explaining a linear support vector machine: the closed form beside kernel SHAP."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from case import Arrays, Case
from numpy.typing import NDArray

TRAINING, FEATURES = 100, 10


def inputs(items: int) -> Arrays:
    """Patients to explain."""
    return {"patients": np.random.default_rng(7).standard_normal((items, FEATURES))}


@cache
def fitted() -> tuple[Any, NDArray[np.float64]]:
    """The model and its training patients; called by both sides while they warm up."""
    from radiogenomics.models.linear_svm import LinearSVM

    rng = np.random.default_rng(8)
    train = rng.standard_normal((TRAINING, FEATURES))
    score = train @ np.linspace(1, 0.1, FEATURES) + rng.standard_normal(TRAINING)
    return LinearSVM().fit(train, score > 0), train


def ours(given: Arrays, count: int) -> Arrays:
    """The model is recognised as linear, its weights tried on the data, and the sum checked."""
    from radiogenomics.models.explain.explain import explain

    model, train = fitted()
    rng = np.random.default_rng(0)
    found = explain(model, given["patients"][:count], background=train, rng=rng)
    return {"contributions": found.values}


def theirs(given: Arrays, count: int) -> Arrays:
    """All coalitions, as there are few features, so the values are exact but for rounding."""
    import shap

    model, train = fitted()
    explainer = shap.KernelExplainer(model.decision_function, train)
    patients = given["patients"][:count]
    return {"contributions": explainer.shap_values(patients, l1_reg=0, silent=True)}


CASE = Case(
    name="linear_shap",
    job=f"SHAP values of {{items}} patients, linear SVM on {FEATURES} features, background of "
    f"{TRAINING} training patients",
    unit="patients",
    items=300,
    sample=20,
    warm_up=1,
    package="shap",
    peer="KernelExplainer, all coalitions",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
    remark="the model is fitted before the clock starts",
)
