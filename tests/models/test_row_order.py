"""No model learns from, or is judged by, labels in another order than the rows of its table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline

from radiogenomics.core.errors import AlignmentError
from radiogenomics.models import (
    BlockScaler,
    EarlyFusion,
    LateFusion,
    LinearSVM,
    StackedFusion,
    TunedClassifier,
)
from radiogenomics.models.explain.permutation_importance import permutation_importance
from radiogenomics.models.learners.bayes import NaiveBayes
from radiogenomics.models.learners.network import SmallNetwork
from radiogenomics.models.learners.stack import LearnerStack
from radiogenomics.models.learners.stumps import BoostedStumps

RIDGE = Pipeline([("lr", LogisticRegression())])
MODELS = [
    TunedClassifier(RIDGE, {"C": (1.0,)}, n_splits=3),
    EarlyFusion("prefix", estimator=LogisticRegression(), n_splits=3),
    LateFusion("prefix", models=RIDGE, n_splits=3),
    StackedFusion("prefix", models=RIDGE, n_splits=3),
    LinearSVM(),
    NaiveBayes(),
    SmallNetwork(),
    LearnerStack(n_splits=3),
    BoostedStumps(),
]


@pytest.fixture(scope="module")
def cohort() -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Table, its label, and the label in another order."""
    rng = np.random.default_rng(5)
    rows = [f"P{i}" for i in range(40)]
    label = pd.Series(np.arange(40) % 2, index=rows)
    X = pd.DataFrame(rng.normal(size=(40, 3)), index=rows, columns=["ct|a", "ct|b", "rna|c"])
    X["ct|a"] += 2 * label
    return X, label, label.iloc[rng.permutation(40)]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_labels_in_another_order_are_refused(model, cohort):
    X, label, turned = cohort
    with pytest.raises(AlignmentError, match=r"Do: y\.loc\[X\.index\]"):
        model.fit(X, turned)
    model.fit(X, label)
    assert model.score(X, label) > 0.7
    with pytest.raises(AlignmentError):
        model.score(X, turned)


def test_orders_are_compared_within_folds_too(cohort):
    X, label, turned = cohort
    model = TunedClassifier(RIDGE, {"C": (1.0,)}, n_splits=3)
    with pytest.raises(AlignmentError, match="Give both the same rows"):
        cross_val_predict(model, X, turned, cv=4)
    assert cross_val_score(model, X, label, cv=4).mean() > 0.7


def test_importance_of_labels_in_another_order_is_refused(cohort, rng):
    X, label, turned = cohort
    model = LinearSVM().fit(X, label)
    with pytest.raises(AlignmentError):
        permutation_importance(model, X, turned, rng=rng)
    found = permutation_importance(model, X, turned.loc[X.index], rng=rng)
    assert found.table()["feature"][0] == "ct|a"


def test_block_scaler_hands_no_label_in_another_order_on(cohort):
    X, _, turned = cohort
    with pytest.raises(AlignmentError):
        BlockScaler("prefix").fit(X, turned)
