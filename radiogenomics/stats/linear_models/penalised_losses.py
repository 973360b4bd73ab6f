"""What a penalised regression minimises, seen from the linear predictor: three losses.

Each loss is the negative log-likelihood divided by the number of patients n, as a function of the
linear predictor eta (one number a patient), with its first derivative and its second derivative
along chosen variables. ``elastic_net_solver`` and ``network_solver`` need nothing else.

- gaussian: sum_i (y_i - eta_i)^2 / (2 n), half the mean squared error;
- binomial: sum_i [log(1 + exp(eta_i)) - y_i eta_i] / n, for labels y of 0 and 1;
- cox: minus the log partial likelihood over n, Breslow's convention for tied events; with strata
  the sum of those of the strata, each with risk sets, and so a baseline hazard, of its own.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.stats.inputs import (
    Floats,
    as_floats,
    check_groups,
    check_labels,
    check_survival,
)

FAMILIES = ("gaussian", "binomial", "cox")

# Sums of hazards (the largest hazard is 1) below this have lost digits or all of them.
_UNDERFLOW = 1e-280


class Loss(Protocol):
    """What the solver asks of a loss; rows of `variables` are variables, columns patients.

    Attributes
    ----------
    n : int
        Patients.
    intercept : float or None
        The intercept of the model without variables; None where there is none to fit.
    saturated : float
        The loss of a model that fits every patient.
    """

    n: int
    intercept: float | None
    saturated: float

    def value(self, eta: Floats) -> float:
        """Loss at the linear predictor `eta`, shape (n,)."""
        ...

    def slope(self, eta: Floats) -> Floats:
        """Derivative with respect to each entry of `eta`, shape (n,)."""
        ...

    def curvature(self, eta: Floats, variables: Floats) -> Floats:
        """Second derivative along `variables`, shape (k, n); returns shape (k, k)."""
        ...


class GaussianLoss:
    """Half the mean squared error.

    Parameters
    ----------
    y : array-like of shape (n,)
        Finite numbers.

    Raises
    ------
    DataError
        If they are not.

    Examples
    --------
    >>> GaussianLoss([0.0, 1.0]).value(np.array([0.0, 0.0]))
    0.25
    """

    def __init__(self, y: ArrayLike) -> None:
        self.y = as_floats(y, "target values")
        if self.y.ndim != 1 or not self.y.size or not np.isfinite(self.y).all():
            raise DataError(
                "expected a one-dimensional target of finite values; found shape "
                f"{self.y.shape} with {int((~np.isfinite(self.y)).sum())} values that are not "
                "finite; drop these patients."
            )
        self.n = self.y.size
        # Exact where all are the same, so that nothing is left to explain.
        self.intercept: float | None = float(self.y[0] + (self.y - self.y[0]).mean())
        self.saturated = 0.0

    def value(self, eta: Floats) -> float:
        """Half the mean squared residual."""
        residual = self.y - eta
        return float(residual @ residual) / (2 * self.n)

    def slope(self, eta: Floats) -> Floats:
        """Minus the residual over n."""
        return np.asarray((eta - self.y) / self.n)

    def curvature(self, eta: Floats, variables: Floats) -> Floats:
        """Gram matrix over n, whatever `eta` is."""
        return np.asarray(variables @ variables.T) / self.n


class BinomialLoss:
    """Mean negative log-likelihood of logistic regression.

    Parameters
    ----------
    y : array-like of shape (n,)
        Labels 0 and 1, both present.

    Raises
    ------
    OutcomeError
        If they are something else.

    Examples
    --------
    >>> BinomialLoss([0, 1]).value(np.array([0.0, 0.0]))
    0.69314718
    """

    def __init__(self, y: ArrayLike) -> None:
        labels = check_labels(y)
        if labels.all() or not labels.any():
            raise OutcomeError(
                f"expected both classes; found only {int(labels[0])} among {labels.size} labels; "
                "use other patients or another cut-off."
            )
        self.y = labels.astype(float)
        self.n = self.y.size
        share = self.y.mean()
        self.intercept: float | None = float(np.log(share / (1 - share)))
        self.saturated = 0.0
        self._side = 1 - 2 * self.y

    def value(self, eta: Floats) -> float:
        """Mean of log(1 + exp(-eta)) in the positive and log(1 + exp(eta)) in the other class."""
        return float(np.logaddexp(0, self._side * eta).sum()) / self.n

    def slope(self, eta: Floats) -> Floats:
        """Probability less label, over n, without cancellation where the two are close."""
        return np.asarray(self._side * expit(self._side * eta) / self.n)

    def curvature(self, eta: Floats, variables: Floats) -> Floats:
        """Gram matrix of the variables weighted by p (1 - p), over n."""
        root = variables * np.sqrt(expit(eta) * expit(-eta) / self.n)
        return np.asarray(root @ root.T)


class CoxLoss:
    """Negative log partial likelihood over n, tied events by Breslow's convention.

    Parameters
    ----------
    time, event : array-like of shape (n,)
        Follow-up in months; 1 where the event was seen, 0 where censored.

    Raises
    ------
    OutcomeError
        If they cannot be analysed, or there is no event.

    Examples
    --------
    >>> CoxLoss([1.0, 2.0], [1, 1]).value(np.array([0.0, 0.0]))
    0.34657359
    """

    def __init__(self, time: ArrayLike, event: ArrayLike) -> None:
        times, events = check_survival(time, event)
        self.n = times.size
        self.intercept: float | None = None
        # From the last time to the first, so that risk sets are the beginnings of running sums.
        order = np.argsort(-times, kind="stable")
        late, died = times[order], events[order]
        event_times, deaths = np.unique(-late[died], return_counts=True)
        # Where the risk set of each event time ends; who is censored before all is in none.
        self._end = np.searchsorted(-late, event_times, side="right") - 1
        size = int(self._end[-1]) + 1
        self._order, self._event = order[:size], died[:size].astype(float)
        # The latest event time at which each is at risk.
        self._first = np.searchsorted(event_times, -late[:size], side="left")
        self._deaths = deaths.astype(float)
        self.saturated = float(self._deaths @ np.log(self._deaths)) / self.n

    def _risk(self, eta: Floats) -> tuple[Floats, Floats, float]:
        """Hazard of those ever at risk and its sum at each event time, both times exp(-shift)."""
        linear = eta[self._order]
        shift = float(linear.max())
        risk = np.exp(linear - shift)
        return risk, np.cumsum(risk)[self._end], shift

    def _log_at_risk(self, eta: Floats) -> Floats:
        """Logarithm of the summed hazard at each event time."""
        _, at_risk, shift = self._risk(eta)
        # Sums grow with the risk set: where the first is sound, all are.
        if at_risk[0] > _UNDERFLOW:
            return np.asarray(np.log(at_risk) + shift)
        return np.asarray(np.logaddexp.accumulate(eta[self._order])[self._end])

    def _shares(self, eta: Floats) -> Floats:
        """Share of each of those ever at risk in the hazard at each event time (rows)."""
        exponent = eta[self._order] - self._log_at_risk(eta)[:, None]
        within = np.arange(len(self._order)) <= self._end[:, None]
        return np.exp(np.where(within, exponent, -np.inf))

    def _exposure(self, eta: Floats) -> Floats:
        """Cumulated hazard of each of those ever at risk."""
        risk, at_risk, _ = self._risk(eta)
        if at_risk[0] <= _UNDERFLOW:
            return np.asarray(self._deaths @ self._shares(eta))
        increments = self._deaths / at_risk
        return np.asarray(risk * np.cumsum(increments[::-1])[::-1][self._first])

    def value(self, eta: Floats) -> float:
        """Mean over patients of the log risk-set sum less the linear predictor at each event."""
        total = self._deaths @ self._log_at_risk(eta)
        return float(total - self._event @ eta[self._order]) / self.n

    def slope(self, eta: Floats) -> Floats:
        """Minus the martingale residuals over n."""
        slope = np.zeros(self.n)
        slope[self._order] = (self._exposure(eta) - self._event) / self.n
        return slope

    def curvature(self, eta: Floats, variables: Floats) -> Floats:
        """Sum over events of the variables' covariance in the risk set, over n."""
        within = variables[:, self._order]
        root = within * np.sqrt(self._exposure(eta))
        risk, at_risk, _ = self._risk(eta)
        if at_risk[0] > _UNDERFLOW:
            means = np.cumsum(within * risk, axis=1)[:, self._end] / at_risk
        else:
            means = within @ self._shares(eta).T
        means *= np.sqrt(self._deaths)
        return np.asarray(root @ root.T - means @ means.T) / self.n


class StratifiedCoxLoss:
    """Negative log partial likelihood over n, patients compared within strata only.

    A stratum without events, or of one patient, says nothing of the coefficients. R's glmnet does
    the same for a ``stratifySurv`` target.

    Parameters
    ----------
    time, event : array-like of shape (n,)
        As in `CoxLoss`.
    strata : array-like of shape (n,)
        Stratum of each, numbers or text.

    Raises
    ------
    OutcomeError, DataError
        If outcomes cannot be analysed, or there is not one stratum a patient.

    Examples
    --------
    >>> apart = StratifiedCoxLoss([1.0, 2.0, 1.0, 2.0], [1, 1, 1, 1], ["a", "a", "b", "b"])
    >>> apart.value(np.zeros(4))
    0.34657359
    """

    def __init__(self, time: ArrayLike, event: ArrayLike, strata: ArrayLike) -> None:
        times, events = check_survival(time, event)
        labels = check_groups(strata, times.size, what="stratum")
        self.n = times.size
        self.intercept: float | None = None
        members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        # Each with its share of the patients, as every loss is a mean.
        self._parts = [
            (member, CoxLoss(times[member], events[member]), member.size / self.n)
            for member in members
            if events[member].any()
        ]
        self.saturated = float(sum(share * part.saturated for _, part, share in self._parts))

    def value(self, eta: Floats) -> float:
        """Sum of the strata's losses."""
        return float(sum(share * part.value(eta[at]) for at, part, share in self._parts))

    def slope(self, eta: Floats) -> Floats:
        """Minus the martingale residuals over n; 0 where a stratum has no event."""
        slope = np.zeros(self.n)
        for at, part, share in self._parts:
            slope[at] = share * part.slope(eta[at])
        return slope

    def curvature(self, eta: Floats, variables: Floats) -> Floats:
        """Sum of the strata's curvatures."""
        total = np.zeros((len(variables), len(variables)))
        for at, part, share in self._parts:
            total += share * part.curvature(eta[at], variables[:, at])
        return total


def build_loss(
    family: str, y: ArrayLike, event: ArrayLike | None = None, *, strata: ArrayLike | None = None
) -> Loss:
    """Return the loss of a family.

    Parameters
    ----------
    family : {"gaussian", "binomial", "cox"}
    y : array-like of shape (n,)
        Target, labels, or times.
    event : array-like of shape (n,), optional
        Needed by "cox" and by nothing else.
    strata : array-like of shape (n,), optional
        Stratum of each patient, for "cox" only.

    Returns
    -------
    Loss

    Raises
    ------
    UnknownNameError
        If there is no such family.
    DataError
        If events are missing or too many, or strata are not for this family.

    Examples
    --------
    >>> build_loss("binomial", [0, 1]).intercept
    0.0
    """
    if family not in FAMILIES:
        raise UnknownNameError("family", family, FAMILIES)
    if (event is None) is (family == "cox"):
        raise DataError(
            f"expected events for family 'cox' and for no other; found family {family!r} "
            f"{'without' if event is None else 'with'} events; mend the call."
        )
    if event is not None:
        return CoxLoss(y, event) if strata is None else StratifiedCoxLoss(y, event, strata)
    if strata is not None:
        raise DataError(
            f"expected strata for family 'cox' only; found family {family!r} with strata; "
            "mend the call."
        )
    return GaussianLoss(y) if family == "gaussian" else BinomialLoss(y)
