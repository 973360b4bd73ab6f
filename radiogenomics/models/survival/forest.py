"""Random survival forest, by scikit-survival."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.method import Method
from radiogenomics.models.survival.model import (
    SurvivalModel,
    check_times,
    missing_survival,
    survival_array,
)


class SurvivalForest(SurvivalModel):
    r"""Random survival forest: trees that split by the log-rank statistic, on bootstrap samples.

    A patient's survival is the mean over trees of the Kaplan-Meier curve of the leaf reached. The
    risk is the expected number of events (mortality): the sum of the mean cumulative hazard over
    the distinct follow-up times of training. It depends on how many such times there are, so risks
    of two fits do not compare. A forest of tens of patients on a few features gains little over a
    Cox model; survival in the tail rests on a few patients a leaf.

    Parameters
    ----------
    n_estimators
        Trees.
    max_depth
        Of a tree; None leaves it to the sizes below.
    min_samples_split, min_samples_leaf
        Fewest patients in a node that is split, and in a leaf; more is more regularised.
    max_features
        Features tried at a split: "sqrt", "log2", a number, a share, or None for all.
    n_jobs
        Threads.
    random_state
        Seed.

    Attributes
    ----------
    forest_ : sksurv.ensemble.RandomSurvivalForest
        As fitted.
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
    Ishwaran et al., Ann Appl Stat 2008;2:841, doi:10.1214/08-AOAS169.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(120, 3))
    >>> time = rng.exponential(20 * np.exp(-2 * X[:, 0]))
    >>> y = np.array([(t < 30, min(t, 30)) for t in time], dtype=[("event", bool), ("time", float)])
    >>> model = SurvivalForest(n_estimators=20).fit(X, y)
    >>> low, high = model.predict([[-2.0, 0, 0], [2.0, 0, 0]])
    >>> bool(low < high)
    True
    """

    card: ClassVar[Method] = Method(
        name="rsf",
        title="Random survival forest, log-rank splitting",
        scope="models: survival",
        reference="Ishwaran et al., Ann Appl Stat 2008;2:841, doi:10.1214/08-AOAS169",
        limits="Little to gain on tens of patients and a few features; risks of two fits do not "
        "compare; slow.",
        learns=True,
    )

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        max_depth: int | None = None,
        min_samples_split: int = 6,
        min_samples_leaf: int = 3,
        max_features: str | int | float | None = "sqrt",
        n_jobs: int | None = None,
        random_state: int | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_split = min_samples_split
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> SurvivalForest:
        """Grow the trees; ``y`` is a survival target."""
        try:
            from sksurv.ensemble import RandomSurvivalForest
        except ImportError:
            raise missing_survival("the random survival forest") from None
        values, time, event = self._training_part(X, y)
        self.forest_ = RandomSurvivalForest(**self.get_params()).fit(
            values, survival_array(time, event)
        )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Expected number of events, shape (n,); higher is worse."""
        values = self._new_patients(X)
        return self.forest_.predict(values)

    def predict_survival(self, X: Any, times: ArrayLike) -> np.ndarray:
        """Probability to live beyond each time.

        Parameters
        ----------
        X
            Patients × features.
        times : array-like of shape (n_times,)
            Months, 0 to ``last_time_``, in any order.

        Returns
        -------
        ndarray of shape (n_patients, n_times)

        Raises
        ------
        DataError
            A time is negative or beyond the follow-up of training.
        """
        values = self._new_patients(X)
        asked = check_times(times, self.last_time_)
        curves = self.forest_.predict_survival_function(values, return_array=True)
        from_start = np.column_stack([np.ones(len(curves)), curves])
        return from_start[:, np.searchsorted(self.forest_.unique_times_, asked, side="right")]
