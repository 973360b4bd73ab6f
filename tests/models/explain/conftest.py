"""A small cohort, and Shapley values by their definition: every subset, one patient at a time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Worth = Callable[[frozenset[int]], float]
Cohort = tuple[pd.DataFrame, NDArray[np.int64], NDArray[np.void]]


def shapley_values(p: int, worth: Worth) -> Floats:
    """Value of each of p players of a game."""
    phi = np.zeros(p)
    for j in range(p):
        others = [i for i in range(p) if i != j]
        for size in range(p):
            weight = factorial(size) * factorial(p - size - 1) / factorial(p)
            for chosen in combinations(others, size):
                without = frozenset(chosen)
                phi[j] += weight * (worth(without | {j}) - worth(without))
    return phi


def interventional_values(
    score: Callable[[Floats], Floats], values: Floats, background: Floats
) -> Floats:
    """Shapley values of the mean score over the background, shape (n, p)."""
    p = values.shape[1]

    def play(x: Floats) -> Floats:
        known: dict[frozenset[int], float] = {}

        def worth(subset: frozenset[int]) -> float:
            if subset not in known:
                rows = background.copy()
                rows[:, sorted(subset)] = x[sorted(subset)]
                known[subset] = float(np.mean(score(rows)))
            return known[subset]

        return shapley_values(p, worth)

    return np.array([play(x) for x in values])


@pytest.fixture(scope="session")
def shapley() -> Callable[[int, Worth], Floats]:
    return shapley_values


@pytest.fixture(scope="session")
def brute_force() -> Callable[[Callable[[Floats], Floats], Floats, Floats], Floats]:
    return interventional_values


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    """Features, label and survival target of 90 patients; both hang on an interaction."""
    rng = np.random.default_rng(20)
    names = ["size", "rim", "entropy", "age", "noise"]
    X = pd.DataFrame(rng.normal(size=(90, 5)), columns=names, index=[f"P{i}" for i in range(90)])
    X["size"] = 40 + 15 * X["size"]
    drive = ((X["size"] - 40) / 15 + X["rim"] * X["entropy"]).to_numpy()
    label = (drive + 0.5 * rng.normal(size=90) > 0).astype(int)
    time = np.round(rng.exponential(20 * np.exp(-0.7 * drive)), 1) + 0.1
    y = np.array([(t < 40, min(t, 40.0)) for t in time], dtype=[("event", bool), ("time", float)])
    return X, label, y
