"""The imaging surrogate: features stand in for a molecular label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from radiogenomics.models.feature_budget import FeatureBudget
from radiogenomics.models.learners import learner
from radiogenomics.models.tuned import TunedClassifier


def surrogate(
    steps: Sequence[tuple[str, Any]],
    learner_name: str,
    *,
    max_features: int | str | None = None,
    n_splits: int = 5,
    random_state: int = 0,
) -> TunedClassifier:
    """Put a learner behind transformer steps and tune it in inner folds.

    With ``max_features`` at most so many of the features behind the steps go to the learner, those
    that rank the two classes best; without it the budget is the business of the steps: end them
    with a selector of ``k`` variables and a standardisation. All are fitted again inside each inner
    fold, on fewer patients: by the rule the budget there follows from those.

    Parameters
    ----------
    steps
        Named, unfitted transformers, in order; empty for none.
    learner_name
        One of :func:`radiogenomics.models.learner_names`.
    max_features
        Features that the learner may see, at most: a number; ``"one_in_ten"``, one for ten patients
        of the rarer class of the training part, the rule where nothing else speaks for a number; or
        None, where the steps decide. See
        :class:`radiogenomics.models.feature_budget.FeatureBudget`.
    n_splits
        Inner folds.
    random_state
        Seed of the inner folds and of the learner.

    Raises
    ------
    UnknownNameError
        There is no such learner.
    DataError
        In ``fit``: ``max_features`` is neither a whole number of at least 1 nor the rule's word.

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
    budget = [] if max_features is None else [("budget", FeatureBudget(max_features))]
    return TunedClassifier(
        Pipeline([*steps, *budget, (learner_name, chosen.estimator)]),
        chosen.grid,
        n_splits=n_splits,
        random_state=random_state,
    )
