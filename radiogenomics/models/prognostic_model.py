"""The prognostic model: features foretell how soon an event comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from radiogenomics.models.survival import TunedSurvival, survival_learner


def prognostic_model(
    steps: Sequence[tuple[str, Any]],
    learner_name: str,
    *,
    n_splits: int = 5,
    random_state: int = 0,
) -> TunedSurvival:
    """Put a survival learner behind transformer steps and tune it in inner folds.

    The counterpart of :func:`radiogenomics.models.surrogate` for a time to an event: how many
    features reach the learner is the business of the steps and of its penalty.

    Parameters
    ----------
    steps
        Named, unfitted transformers, in order; empty for none.
    learner_name
        One of :func:`radiogenomics.models.survival.survival_learner_names`.
    n_splits
        Inner folds.
    random_state
        Seed of the inner folds and of the learner.

    Raises
    ------
    UnknownNameError
        There is no such learner.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 2))
    >>> time = rng.exponential(20 * np.exp(-2 * X[:, 0]))
    >>> y = np.array([(True, t) for t in time], dtype=[("event", bool), ("time", float)])
    >>> bool(prognostic_model([], "ridge_cox").fit(X, y).score(X, y) > 0.7)
    True
    """
    chosen = survival_learner(learner_name, random_state=random_state)
    return TunedSurvival(
        Pipeline([*steps, (learner_name, chosen.estimator)]),
        chosen.grid,
        n_splits=n_splits,
        random_state=random_state,
    )
