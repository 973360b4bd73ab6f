"""Recursive feature elimination with a linear support vector machine, cross-validated."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Arrays, Case

PATIENTS, FACTORS, FOLDS, SEED = 250, 60, 5, 0


def inputs(items: int) -> Arrays:
    """Standardised features that share factors, as those of images do, and a label of a few."""
    rng = np.random.default_rng(12)
    factors = rng.standard_normal((PATIENTS, FACTORS))
    features = factors @ rng.standard_normal((FACTORS, items)) / np.sqrt(FACTORS)
    features += rng.standard_normal((PATIENTS, items))
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    score = factors[:, :3].sum(axis=1) + rng.standard_normal(PATIENTS)
    return {"features": features, "label": (score > np.median(score)).astype(int)}


def ours(given: Arrays, count: int) -> Arrays:
    """The dual followed as features leave."""
    from radiogenomics.features.rfecv import LinearSVMRFECV

    fitted = LinearSVMRFECV(n_splits=FOLDS, random_state=SEED)
    fitted.fit(given["features"][:, :count], given["label"])
    return {"ranking": fitted.ranking_, "auc": fitted.cv_mean_}


def theirs(given: Arrays, count: int) -> Arrays:
    """A machine fitted from nothing for every number of features in every fold."""
    return _eliminated(given, count, tol=1e-3)


def exact(given: Arrays, count: int) -> Arrays:
    """The same, each machine to the end."""
    return _eliminated(given, count, tol=1e-8)


def _eliminated(given: Arrays, count: int, *, tol: float) -> dict[str, Any]:
    from sklearn.feature_selection import RFECV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import SVC

    fitted = RFECV(
        SVC(kernel="linear", tol=tol),
        step=1,
        cv=StratifiedKFold(FOLDS, shuffle=True, random_state=SEED),
        scoring="roc_auc",
    )
    fitted.fit(given["features"][:, :count], given["label"])
    return {"ranking": fitted.ranking_, "auc": fitted.cv_results_["mean_test_score"]}


CASE = Case(
    name="rfecv",
    job=f"recursive feature elimination from {{items}} features, one at a time, by a linear SVM in "
    f"{FOLDS} folds and once on all, {PATIENTS} patients",
    unit="features",
    items=1300,
    sample=1300,
    warm_up=10,
    package="scikit-learn",
    peer='feature_selection.RFECV(SVC(kernel="linear")), n_jobs=1',
    inputs=inputs,
    ours=ours,
    theirs=theirs,
    reference=exact,
    remark="ranking and AUC of every size are compared with the peer at tol=1e-8; timed is its "
    "default, 1e-3; ours is exact",
    most_rounds=1,
)
