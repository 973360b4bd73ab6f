"""Fine-Gray regression as an estimator: the share who fail of one cause, when there are several."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, OutcomeError, short_list
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.models.survival.model import check_times, require_target
from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.survival.competing_risks import Codes, check_causes, require_cause
from radiogenomics.stats.survival.fine_gray import FineGrayFit, fit_fine_gray


def competing_target(y: Any) -> tuple[Floats, Codes]:
    """Return time and cause of a structured target with competing risks.

    Parameters
    ----------
    y : structured ndarray of shape (n,)
        One field of whole numbers, the cause (0 censored, 1, 2, ... what happened), and one numeric
        field, the time in months, in this order.

    Returns
    -------
    time : ndarray of float, shape (n,)
    cause : ndarray of int, shape (n,)

    Raises
    ------
    OutcomeError
        If `y` is something else, or times and causes cannot be analysed.

    Examples
    --------
    >>> y = np.array([(1, 3.0), (0, 5.0), (2, 6.0)], dtype=[("cause", int), ("time", float)])
    >>> competing_target(y)
    (array([3., 5., 6.]), array([1, 0, 2]))
    """
    target = np.asarray(y)
    fields = target.dtype.names or ()
    if len(fields) != 2 or target.dtype[0].kind not in "iu" or target.ndim != 1:
        raise OutcomeError(
            "expected a target with competing risks: a structured array of cause (whole numbers, 0 "
            f"is censored) and time, one a patient; found {target.dtype} of shape {target.shape}; "
            'make it with dtype=[("cause", int), ("time", float)].'
        )
    return check_causes(target[fields[1]], target[fields[0]])


class FineGrayModel(BaseEstimator):
    r"""Proportional subdistribution hazards model of one cause among competing risks.

    The cumulative incidence of the cause of interest is
    :math:`F(t) = 1 - \exp(-H_0(t) \exp((x - \bar x) \cdot \beta))`; see
    `radiogenomics.stats.survival.fine_gray` for how :math:`\beta` is found. Use it where patients
    can die of something else before what is to be foretold: a Cox model with the other deaths
    censored foretells too many. It is not penalised: it wants about ten events of interest a
    feature, and refuses fewer events than features, redundant features, and features that separate
    the patients. A coefficient mixes the effects on all causes; read no biology from it.

    Parameters
    ----------
    interest
        Code of the cause foretold; all others but 0 (censored) compete.

    Attributes
    ----------
    fit_ : FineGrayFit
        The fitted model with covariance and p-values.
    coef_ : ndarray, shape (n_features_in_,)
        Log subdistribution hazard ratio per unit of each feature.
    center_ : ndarray, shape (n_features_in_,)
        Means :math:`\bar x` in training.
    event_times_ : ndarray, shape (n_times,)
        Distinct times of the cause of interest in training, ascending.
    last_time_ : float
        Longest follow-up in training, months.

    Raises
    ------
    OutcomeError
        Nobody failed of the cause of interest, or fewer than there are features.
    DataError
        A feature is constant or redundant, or the likelihood rises for ever.

    References
    ----------
    Fine and Gray 1999, doi:10.1080/01621459.1999.10474144.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> cause = np.where(rng.random(300) < 0.4, 2, 1)
    >>> time = rng.exponential(20 * np.exp(-X[:, 0] * (cause == 1)))
    >>> y = np.array(
    ...     [(c if t < 30 else 0, min(t, 30)) for c, t in zip(cause, time)],
    ...     dtype=[("cause", int), ("time", float)],
    ... )
    >>> model = FineGrayModel().fit(X, y)
    >>> model.coef_.round(1)
    array([0.5, 0.2])
    >>> model.predict_cumulative_incidence([[0.0, 0.0], [2.0, 0.0]], [6, 24]).round(1)
    array([[0.2, 0.4],
           [0.4, 0.8]])
    """

    card: ClassVar[Method] = Method(
        name="fine_gray",
        title="Fine-Gray regression of the cumulative incidence of one cause",
        scope="models: survival",
        reference="Fine and Gray, J Am Stat Assoc 1999;94:496, doi:10.1080/01621459.1999.10474144",
        limits="Linear in the log subdistribution hazard, those hazards proportional, censoring "
        "apart from the features; about ten events of interest a feature; coefficients mix the "
        "effects on all causes.",
        learns=True,
    )

    def __init__(self, interest: int = 1) -> None:
        self.interest = interest

    def fit(self, X: Any, y: Any) -> FineGrayModel:
        """Estimate coefficients and baseline; ``y`` is a target as of `competing_target`."""
        refuse_row_facts(X)
        values = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        time, cause = competing_target(require_target(y))
        check_consistent_length(values, time)
        self._require_information(values, cause)
        found = fit_fine_gray(values, time, cause, interest=self.interest)
        self._require_maximum(found)
        self.fit_ = found
        self.coef_, self.center_ = found.coef, found.center
        self.event_times_, self.last_time_ = found.time, found.last
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Log subdistribution hazard ratio against the mean patient, (n,); higher is worse."""
        return (self._new_patients(X) - self.center_) @ self.coef_

    def predict_cumulative_incidence(self, X: Any, times: ArrayLike) -> np.ndarray:
        """Probability to fail of the cause of interest up to each time.

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
        return self.fit_.incidence(values, check_times(times, self.last_time_))

    def _new_patients(self, X: Any) -> Floats:
        check_is_fitted(self)
        values: Floats = validate_data(self, X, dtype=np.float64, reset=False)
        return values

    def _require_information(self, values: Floats, cause: Codes) -> None:
        flat = np.ptp(values, axis=0) == 0
        if flat.any():
            raise DataError(
                f"expected features that vary; found constant {self._names(flat)}. Put a step that "
                "drops constant features first."
            )
        n_events = int((cause == require_cause(cause, self.interest)).sum())
        if n_events < values.shape[1]:
            raise OutcomeError(
                f"expected at least as many failures of cause {self.interest} as features; found "
                f"{n_events} and {values.shape[1]} features. Select fewer features first."
            )

    def _require_maximum(self, found: FineGrayFit) -> None:
        if found.converged:
            return
        away = np.isinf(found.coef)
        if away.any():
            raise DataError(
                "expected patients with and without a failure of interest to overlap; found that "
                f"{self._names(away)} separate(s) them, so that the likelihood rises for ever. "
                "Leave the feature(s) out, or merge rare levels."
            )
        raise DataError(
            "expected features that each add information; found one that is a combination of "
            "others, or constant among those at risk. Drop redundant features first."
        )

    def _names(self, which: Bools) -> str:
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(len(which))])
        return short_list(np.asarray(names, dtype=object)[which])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
