"""Scores of patients by models that were fitted without them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold


def score(model: Any, X: Any) -> np.ndarray:
    """Score of the second class, shape (n,): decision function, else probability less one half."""
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(X))
    return np.asarray(model.predict_proba(X))[:, 1] - 0.5


def out_of_fold_scores(
    model: Any, X: Any, target: np.ndarray, *, n_splits: int, random_state: int | None
) -> np.ndarray:
    """Score each patient by a clone of ``model`` fitted on the folds without that patient.

    Rows are patients: rows of one patient under two names would stand on both sides of a fold.

    Parameters
    ----------
    model
        Unfitted classifier.
    X
        Array or frame, shape (n, p).
    target
        0 or 1, shape (n,).
    n_splits
        Folds, stratified by the target.
    random_state
        Seed of the folds.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> X, y = np.arange(20.0)[:, None], np.repeat([0, 1], 10)
    >>> scores = out_of_fold_scores(LogisticRegression(), X, y, n_splits=5, random_state=0)
    >>> bool(scores[:9].max() < scores[11:].min())
    True
    """
    rows = X.iloc if hasattr(X, "iloc") else X
    scores = np.empty(len(target))
    folds = StratifiedKFold(n_splits, shuffle=True, random_state=random_state)
    for train, test in folds.split(np.zeros(len(target)), target):
        fitted = clone(model).fit(rows[train], target[train])
        scores[test] = score(fitted, rows[test])
    return scores
