"""What every survival model shares: checked input, survival curves and a concordance as score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, MissingExtraError, OutcomeError
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.stats.inputs import Bools, Floats, as_floats, survival_target
from radiogenomics.stats.survival.baseline_hazard import BaselineHazard, baseline_hazard
from radiogenomics.stats.survival.concordance import concordance_batch


class SurvivalModel(BaseEstimator, ABC):
    """Base of the survival models.

    A subclass learns in ``fit(X, y)`` from a structured survival target (event, time in months);
    its ``predict`` gives the risk, higher is worse.

    Attributes
    ----------
    event_times_ : ndarray, shape (n_times,)
        Distinct times of the events in training, ascending.
    last_time_ : float
        Longest follow-up in training; no survival is foretold beyond it.
    """

    event_times_: Floats
    last_time_: float

    @abstractmethod
    def fit(self, X: Any, y: Any) -> Self:
        """Learn the risk; ``y`` is a survival target."""

    @abstractmethod
    def predict(self, X: Any) -> np.ndarray:
        """Risk, shape (n,); higher is worse."""

    def score(self, X: Any, y: Any) -> float:
        """Concordance of the risk with survival, 0 to 1; 1/2 is chance.

        Raises
        ------
        OutcomeError
            No two patients can be compared.
        """
        time, event = survival_target(y)
        value = float(concordance_batch(self.predict(X)[None, :], time, event)[0])
        if np.isnan(value):
            raise OutcomeError(
                "expected patients who outlived an event of another; found no comparable pair "
                f"among {time.size}. Score on more patients."
            )
        return value

    def _training_part(self, X: Any, y: Any) -> tuple[Floats, Floats, Bools]:
        """Values, time and event, checked; sets what every model knows of its training part."""
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        time, event = survival_target(require_target(y))
        check_consistent_length(values, time)
        self.event_times_ = np.unique(time[event])
        self.last_time_ = float(time.max())
        return values, time, event

    def _new_patients(self, X: Any) -> Floats:
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, reset=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


class HazardModel(SurvivalModel):
    r"""Base of the models whose risk is a log hazard ratio.

    The survival of a patient of risk :math:`\eta` is :math:`\exp(-H_0(t) e^\eta)`, a step function;
    :math:`H_0`, the cumulative hazard at risk 0, is that of the training part.

    Attributes
    ----------
    baseline_ : BaselineHazard
        Cumulative hazard :math:`H_0` of a patient of risk 0.
    """

    baseline_: BaselineHazard
    ties: str = "breslow"

    def fit(self, X: Any, y: Any) -> Self:
        """Learn the risk and estimate the baseline hazard; ``y`` is a survival target."""
        risk, time, event = self._learn(X, y)
        self.baseline_ = baseline_hazard(risk(), time, event, ties=self.ties)
        return self

    def fit_risk(self, X: Any, y: Any) -> Self:
        """Learn the risk only: enough for ``predict``, not for ``predict_survival``."""
        self._learn(X, y)
        return self

    @abstractmethod
    def _learn(self, X: Any, y: Any) -> tuple[Callable[[], Floats], Floats, Bools]:
        """Learn the risk; return what gives that of the training part, its time and event."""

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
        return self.baseline_.survival(self.predict(X), times)


class LinearHazardModel(HazardModel):
    """Base of the models whose risk is linear in the features.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features_in_,)
        Log hazard ratio per unit of each feature.
    center_ : ndarray, shape (n_features_in_,)
        Means of the features in training: a patient there has risk 0.
    """

    coef_: Floats
    center_: Floats

    def predict(self, X: Any) -> np.ndarray:
        """Log hazard ratio against the mean patient of training, shape (n,); higher is worse."""
        return (self._new_patients(X) - self.center_) @ self.coef_


def require_target(y: Any) -> Any:
    """Return `y`, or raise OutcomeError, in words that scikit-learn looks for, when it is None."""
    if y is None:
        raise OutcomeError(
            "expected a survival target; this estimator requires y to be passed, but the target y "
            "is None. Use SurvivalOutcome.to_structured()."
        )
    return y


def check_times(times: ArrayLike, last: float) -> Floats:
    """Return times at which survival is known, or say which are not.

    Parameters
    ----------
    times : array-like of shape (n_times,)
        Months.
    last : float
        Longest follow-up in training.

    Raises
    ------
    DataError
        A time is negative, missing or beyond `last`.

    Examples
    --------
    >>> check_times([12, 24], 60.0)
    array([12., 24.])
    """
    asked = np.atleast_1d(as_floats(times, "times"))
    outside = ~((asked >= 0) & (asked <= last))
    if outside.any():
        raise DataError(
            f"expected times from 0 to {last:g} months, the longest follow-up in training; found "
            f"{asked[outside][0]:g}; choose earlier times."
        )
    return asked


def survival_array(time: Floats, event: Bools) -> np.ndarray:
    """Structured target of (event, time), shape (n,), as scikit-survival takes it."""
    y = np.empty(len(time), dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


def usable_splits(event: Bools, n_splits: int) -> int:
    """Number of inner folds of which each has an event, at most `n_splits`.

    Raises
    ------
    OutcomeError
        There are fewer than two events.
    DataError
        `n_splits` is below 2.
    """
    if n_splits < 2:
        raise DataError(f"n_splits: expected at least 2; found {n_splits}. Mend the recipe.")
    n_events = int(event.sum())
    if n_events < 2:
        raise OutcomeError(
            f"expected at least 2 events to tune on; found {n_events} among {len(event)} "
            "patients. Use a longer follow-up, or a model without tuning."
        )
    return min(n_splits, n_events)


def deal_folds(event: Bools, n_splits: int, *, random_state: int | None) -> np.ndarray:
    """Number of the fold of each patient, shape (n,); folds share out patients and events evenly.

    Patients are shuffled, then those with an event and the others dealt out in one turn.
    """
    order = check_random_state(random_state).permutation(len(event))
    order = order[np.argsort(~event[order], kind="stable")]
    fold = np.empty(len(event), dtype=int)
    fold[order] = np.arange(len(event)) % n_splits
    return fold


def missing_survival(what: str) -> MissingExtraError:
    """Error to raise where scikit-survival is needed for `what` and not installed."""
    return MissingExtraError(
        f"expected scikit-survival for {what}; found none. "
        "Install it: pip install 'radiogenomics[survival]'."
    )
