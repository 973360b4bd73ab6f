"""Gradient boosting of the Cox partial likelihood, by scikit-survival."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from radiogenomics.core.method import Method
from radiogenomics.models.survival.model import HazardModel, missing_survival, survival_array
from radiogenomics.stats.inputs import Bools, Floats


class BoostedCox(HazardModel):
    """Gradient boosting of regression trees on the Cox partial likelihood (Breslow ties).

    Each tree is fitted to the martingale residuals of those before it and added, ``learning_rate``
    times, to the log hazard ratio. The baseline hazard is Breslow's on the training predictions;
    as these are overfitted, survival comes out too extreme for new patients: recalibrate before
    probabilities are read.

    Parameters
    ----------
    n_estimators
        Trees.
    learning_rate
        Share of each tree that is added, above 0; smaller is more regularised.
    max_depth
        Of a tree; 1 allows no interactions.
    min_samples_leaf
        Fewest patients a leaf.
    subsample
        Share of the patients drawn for each tree.
    random_state
        Seed.

    Attributes
    ----------
    boosting_ : sksurv.ensemble.GradientBoostingSurvivalAnalysis
        As fitted.
    baseline_ : BaselineHazard
        Cumulative hazard at risk 0.
    event_times_ : ndarray, shape (n_times,)
        Distinct times of the events in training.
    last_time_ : float
        Longest follow-up in training, months.

    Raises
    ------
    OutcomeError
        There is no event.
    MissingExtraError
        scikit-survival is not installed.

    References
    ----------
    Ridgeway, Comput Sci Stat 1999;31:172. Friedman, Ann Stat 2001;29:1189,
    doi:10.1214/aos/1013203451.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(120, 3))
    >>> time = rng.exponential(20 * np.exp(-2 * X[:, 0]))
    >>> y = np.array([(t < 30, min(t, 30)) for t in time], dtype=[("event", bool), ("time", float)])
    >>> model = BoostedCox(n_estimators=20).fit(X, y)
    >>> low, high = model.predict([[-2.0, 0, 0], [2.0, 0, 0]])
    >>> bool(low < high)
    True
    """

    card: ClassVar[Method] = Method(
        name="boosted_cox",
        title="Gradient boosting of trees on the Cox partial likelihood",
        scope="models: survival",
        reference="Friedman, Ann Stat 2001;29:1189, doi:10.1214/aos/1013203451",
        limits="Overfits small cohorts; survival too extreme until recalibrated; slow with "
        "thousands of features.",
        learns=True,
    )

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        learning_rate: float = 0.1,
        max_depth: int = 2,
        min_samples_leaf: int = 5,
        subsample: float = 1.0,
        random_state: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.subsample = subsample
        self.random_state = random_state

    def _learn(self, X: Any, y: Any) -> tuple[Callable[[], Floats], Floats, Bools]:
        try:
            from sksurv.ensemble import GradientBoostingSurvivalAnalysis
        except ImportError:
            raise missing_survival("gradient boosting") from None
        values, time, event = self._training_part(X, y)
        boosting = GradientBoostingSurvivalAnalysis(loss="coxph", **self.get_params()).fit(
            values, survival_array(time, event)
        )
        self.boosting_ = boosting
        return lambda: boosting.predict(values), time, event

    def predict(self, X: Any) -> np.ndarray:
        """Log hazard ratio, shape (n,); higher is worse."""
        values = self._new_patients(X)
        return self.boosting_.predict(values)
