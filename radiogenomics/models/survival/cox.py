"""Cox regression as an estimator: unpenalised or ridge, with survival curves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from radiogenomics.core.errors import DataError, OutcomeError, short_list
from radiogenomics.core.method import Method
from radiogenomics.models.survival.model import LinearHazardModel
from radiogenomics.models.survival.ridge import fit_ridge_cox
from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.survival.cox import fit_cox
from radiogenomics.stats.survival.risk_sets import build_risk_sets


class CoxModel(LinearHazardModel):
    r"""Cox proportional hazards model, unpenalised or with a ridge penalty.

    The hazard is :math:`h_0(t) \exp((x - \bar x) \cdot \beta)`. The coefficients maximise
    :math:`\ell(\beta) - \frac{\lambda}{2} \lVert \beta \rVert^2` with :math:`\ell` the log partial
    likelihood and :math:`\lambda` the ``penalty``. This is the :math:`\theta` of ``ridge(x, theta =
    λ, scale = FALSE)`` in R's survival, and ``n`` times the ``lambda`` of R's glmnet with ``alpha =
    0``, ``standardize = FALSE`` (Breslow ties). The penalty depends on the scale of the features:
    standardise first. The cumulative baseline hazard adds, at each event time, Breslow's or Efron's
    increment, as R's ``survfit`` does for the same ties.

    Unpenalised, it wants about ten events a feature and refuses fewer events than features,
    redundant features, and features that separate early events from all others. Coefficients of
    a ridge model are shrunk on purpose: read no hazard ratio from them. Survival is misled where
    hazards are not proportional.

    Parameters
    ----------
    penalty
        Ridge penalty, 0 (none) or more; larger is more regularised.
    ties : {"efron", "breslow"}
        What is done where several events share a time.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features_in_,)
        Log hazard ratio per unit of each feature.
    center_ : ndarray, shape (n_features_in_,)
        Means :math:`\bar x` in training.
    baseline_ : BaselineHazard
        Cumulative hazard at risk 0, that is of a patient at ``center_``.
    event_times_ : ndarray, shape (n_times,)
        Distinct times of the events in training.
    last_time_ : float
        Longest follow-up in training, months.

    Raises
    ------
    OutcomeError
        There is no event, or there are fewer events than features and no penalty.
    DataError
        Without a penalty: a feature is redundant, or the likelihood rises for ever.

    References
    ----------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x. Verweij and van Houwelingen, Stat Med
    1994;13:2427, doi:10.1002/sim.4780132307 (ridge penalty).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> time = rng.exponential(20 * np.exp(-X[:, 0]))
    >>> y = np.array([(t < 30, min(t, 30)) for t in time], dtype=[("event", bool), ("time", float)])
    >>> model = CoxModel().fit(X, y)
    >>> model.coef_.round(1)
    array([ 1. , -0.1])
    >>> model.predict_survival([[0.0, 0.0], [2.0, 0.0]], [6, 24]).round(1)
    array([[0.8, 0.3],
           [0.1, 0. ]])
    """

    card: ClassVar[Method] = Method(
        name="cox",
        title="Cox proportional hazards regression, unpenalised or ridge",
        scope="models: survival",
        reference="Cox, J R Stat Soc B 1972;34:187, doi:10.1111/j.2517-6161.1972.tb00899.x",
        limits="Linear in the log hazard, hazards proportional; about ten events a feature without "
        "a penalty; with one, coefficients are shrunk and no hazard ratios.",
        learns=True,
    )

    def __init__(self, penalty: float = 0.0, ties: str = "efron") -> None:
        self.penalty = penalty
        self.ties = ties

    def _learn(self, X: Any, y: Any) -> tuple[Callable[[], Floats], Floats, Bools]:
        if not 0 <= self.penalty < np.inf:
            raise DataError(
                f"penalty: expected a finite number of at least 0; found {self.penalty}. "
                "Mend the grid."
            )
        if self.ties not in ("efron", "breslow"):
            raise DataError(f"ties: expected 'efron' or 'breslow'; found {self.ties!r}.")
        values, time, event = self._training_part(X, y)
        self.center_ = values.mean(axis=0)
        centred = values - self.center_
        self.coef_ = (
            self._ridge(centred, time, event)
            if self.penalty > 0
            else self._unpenalised(centred, time, event)
        )
        return lambda: centred @ self.coef_, time, event

    def _ridge(self, centred: Floats, time: Floats, event: Bools) -> Floats:
        sets = build_risk_sets(time, event, ties=self.ties, strata=np.zeros(len(time), dtype=int))
        return fit_ridge_cox(centred, sets, penalty=self.penalty)

    def _unpenalised(self, centred: Floats, time: Floats, event: Bools) -> Floats:
        n_events, n_features = int(event.sum()), centred.shape[1]
        flat = np.ptp(centred, axis=0) == 0
        if flat.any():
            raise DataError(
                f"expected features that vary; found constant {self._names(flat)}. Put a step that "
                "drops constant features first, or give a penalty above 0."
            )
        if n_events < n_features:
            raise OutcomeError(
                f"expected at least as many events as features; found {n_events} events and "
                f"{n_features} features. Select fewer features, or give a penalty above 0."
            )
        found = fit_cox(centred, time, event, ties=self.ties)
        if found.converged:
            return found.coef
        if np.isinf(found.coef).any():
            raise DataError(
                "expected patients of high and low risk to overlap; found that "
                f"{self._names(np.isinf(found.coef))} separate(s) those who failed from those who "
                "outlived them, so that the likelihood rises for ever. Give a penalty above 0, or "
                "leave the feature(s) out."
            )
        raise DataError(
            "expected features that each add information; found one that is a combination of "
            "others, or constant among those at risk. Drop redundant features first, or give a "
            "penalty above 0."
        )

    def _names(self, which: Bools) -> str:
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(len(which))])
        return short_list(np.asarray(names, dtype=object)[which])
