"""The imaging surrogate: features stand in for a molecular label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from radiogenomics.models.learners import learner
from radiogenomics.models.tuned import TunedClassifier


def surrogate(
    steps: Sequence[tuple[str, Any]],
    learner_name: str,
    *,
    n_splits: int = 5,
    random_state: int = 0,
) -> TunedClassifier:
    """Put a learner behind transformer steps and tune it in inner folds.

    The feature budget is the business of the steps: end them with a selector of ``k`` variables
    and a standardisation. All are fitted again inside each inner fold.

    Parameters
    ----------
    steps
        Named, unfitted transformers, in order; empty for none.
    learner_name
        One of :func:`radiogenomics.models.learner_names`.
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
    >>> from sklearn.preprocessing import StandardScaler
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = surrogate([("standardise", StandardScaler())], "svm").fit(X, X[:, 0] > 0)
    >>> bool(model.inner_auc_ > 0.9)
    True
    """
    chosen = learner(learner_name, random_state=random_state)
    return TunedClassifier(
        Pipeline([*steps, (learner_name, chosen.estimator)]),
        chosen.grid,
        n_splits=n_splits,
        random_state=random_state,
    )
