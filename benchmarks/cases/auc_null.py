"""AUC under permutation of the labels: the null of every classifier's headline number."""

from __future__ import annotations

import numpy as np
from case import Arrays, Case

PATIENTS, POSITIVES = 400, 160


def inputs(items: int) -> Arrays:
    """One score with ties, and its labels permuted."""
    rng = np.random.default_rng(3)
    label = (np.arange(PATIENTS) < POSITIVES).astype(int)
    score = np.round(rng.standard_normal(PATIENTS) + 0.5 * label, 2)
    orders = rng.permuted(np.tile(np.arange(PATIENTS), (items, 1)), axis=1)
    return {"score": score, "labels": label[orders]}


def ours(given: Arrays, count: int) -> Arrays:
    """The score is ranked once; the rest is one matrix product."""
    from radiogenomics.stats import auc_batch

    return {"auc": auc_batch(given["score"], given["labels"][:count])}


def theirs(given: Arrays, count: int) -> Arrays:
    """One call a permutation."""
    from sklearn.metrics import roc_auc_score

    score = given["score"]
    return {"auc": np.array([roc_auc_score(label, score) for label in given["labels"][:count]])}


CASE = Case(
    name="auc_null",
    job=f"AUC of {{items}} permutations of the labels, {PATIENTS} patients, {POSITIVES} positive, "
    "tied scores",
    unit="permutations",
    items=10_000,
    sample=2_000,
    warm_up=2,
    package="scikit-learn",
    peer="roc_auc_score, one call a permutation",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
)
