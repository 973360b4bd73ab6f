"""A cohort for the regressions of many targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import GridSearchCV, PredefinedSplit, cross_val_score

from radiogenomics.models.many_targets.prepared import deal_rows

SCORING = "neg_mean_squared_error"


class ManyTargets(NamedTuple):
    X: pd.DataFrame
    Y: pd.DataFrame
    new: pd.DataFrame


@pytest.fixture
def cohort(rng) -> ManyTargets:
    """60 patients, 90 features of very different units, one constant, 12 targets: three are noise.

    60 patients make five inner folds of one size, in which scikit-learn's mean over folds is our
    sum over patients.
    """
    latent = rng.normal(size=(80, 6))
    values = latent @ rng.normal(size=(6, 90)) + rng.normal(size=(80, 90))
    values = values * np.logspace(-3, 6, 90) + rng.normal(size=90) * np.logspace(-3, 7, 90)
    values[:, 7] = 3.25
    rows = [f"P{i}" for i in range(80)]
    X = pd.DataFrame(values, index=rows, columns=[f"f{i}" for i in range(90)])
    size = np.linspace(0.2, 3, 12) * (np.arange(12) >= 3)
    signal = latent @ rng.normal(size=(6, 12)) + (latent[:, :1] ** 2 - 1)
    Y = pd.DataFrame(
        50 + 8 * (signal * size + 2 * rng.normal(size=(80, 12))),
        index=rows,
        columns=[f"t{i}" for i in range(12)],
    )
    return ManyTargets(X.iloc[:60], Y.iloc[:60], X.iloc[60:])


@pytest.fixture
def search() -> Callable:
    """scikit-learn's search over the same inner folds, for one target.

    Gives the inner R² of each point, and the best of them refitted; None where the mean is better.
    """

    def _search(model, grid, X, y):
        fold = deal_rows(np.arange(len(X)), 5, np.random.RandomState(0))
        folds = PredefinedSplit(fold)
        found = GridSearchCV(model, grid, scoring=SCORING, cv=folds).fit(X, y)
        mean = cross_val_score(DummyRegressor(), X, y, scoring=SCORING, cv=folds).mean()
        r2 = 1 - found.cv_results_["mean_test_score"] / mean
        return r2, found if r2.max() > 0 else None

    return _search
