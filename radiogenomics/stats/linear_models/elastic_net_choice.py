r"""Choose the penalty of an elastic net by cross-validation.

Each fold is predicted by a path fitted to the others, at the penalties of the path fitted to all.
The loss is

- gaussian: the squared error;
- binomial: the deviance -2 log p of the observed class, p kept within 1e-5 and 1 - 1e-5;
- cox: the deviance of all patients less that of those outside the fold, both at the coefficients
  fitted outside (cross-validated partial likelihood), per event in the fold.

Means of the folds, l_k, are weighted by their patients (events for cox), w_k summing to 1:

.. math:: m = \sum_k w_k l_k, \qquad se = \sqrt{\tfrac{1}{K - 1} \sum_k w_k (l_k - m)^2}.

Patients take the place of folds where there are fewer than three patients a fold. R's cv.glmnet
does the same when it is given the penalties; left to itself it fits each fold at penalties of its
own and interpolates coefficients between them.

The lowest loss is optimistic, and which variables are in at the minimum depends much on the folds;
at one standard error fewer are.

References
----------
Verweij and van Houwelingen, Stat Med 1993;12:2305. Simon et al., J Stat Softw 2011;39(5),
doi:10.18637/jss.v039.i05.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_groups
from radiogenomics.stats.linear_models.elastic_net import ElasticNetPath, elastic_net_path
from radiogenomics.stats.linear_models.penalised_losses import build_loss

# Probabilities are kept this far from 0 and 1, so that one patient's deviance stays below 24.
_FLOOR = 1e-5
# With fewer patients a fold than this, the spread is taken over patients and not over folds.
_FEW = 3


@dataclass(frozen=True)
class PenaltyChoice:
    """Cross-validated loss along a path fitted to all patients.

    Attributes
    ----------
    path : ElasticNetPath
        Fitted to all patients.
    mean, se : ndarray of shape (m,)
        Loss at each penalty of the path, lower is better, and its standard error.
    at_min : int
        Position of the lowest mean.
    at_1se : int
        Position of the largest penalty whose mean is at most one standard error (that at the
        minimum) above the lowest.
    """

    path: ElasticNetPath
    mean: Floats
    se: Floats
    at_min: int
    at_1se: int


def choose_penalty(
    x: ArrayLike,
    y: ArrayLike,
    event: ArrayLike | None = None,
    *,
    family: str,
    folds: ArrayLike,
    strata: ArrayLike | None = None,
    l1_ratio: float = 1.0,
    lambdas: ArrayLike | None = None,
    n_lambdas: int = 100,
    standardise: bool = True,
) -> PenaltyChoice:
    """Cross-validate the elastic net along its path; how, and when it misleads: top of module.

    Parameters
    ----------
    x, y, event, family, strata, l1_ratio, lambdas, n_lambdas, standardise : `elastic_net_path`
    folds : array-like of shape (n,)
        Which fold each patient is in; any labels, at least two.

    Returns
    -------
    PenaltyChoice

    Raises
    ------
    OutcomeError, DataError
        If one class or no event is outside a fold, or no event inside; or there is but one fold.

    Examples
    --------
    >>> x = np.arange(12.0)[:, None]
    >>> choice = choose_penalty(x, x[:, 0] ** 2, family="gaussian", folds=np.arange(12) % 3)
    >>> bool(choice.path.lambdas[choice.at_min] < choice.path.lambdas[choice.at_1se])
    True
    """
    solve = partial(elastic_net_path, family=family, l1_ratio=l1_ratio, standardise=standardise)
    path = solve(x, y, event, strata=strata, lambdas=lambdas, n_lambdas=n_lambdas)
    values, target = as_floats(x, "variables"), as_floats(y, "target values")
    died = None if event is None else as_floats(event, "event indicators")
    apart = None if strata is None else np.asarray(strata)
    losses, weights = [], []
    for inside in fold_members(folds, len(values)):
        rest = [None if part is None else part[~inside] for part in (target, died, apart)]
        fitted = solve(values[~inside], *rest[:2], strata=rest[2], lambdas=path.lambdas)
        if died is None:
            losses.append(_patient_losses(fitted, values[inside], target[inside], family=family))
            weights.append(np.ones(len(losses[-1])))
        else:
            weights.append(_events(died, inside))
            eta = fitted.predict(values).T
            without = _deviance(eta[:, ~inside], *rest[:2], strata=rest[2])
            losses.append((_deviance(eta, target, died, strata=apart) - without) / weights[-1])
    if died is None and len(values) / len(losses) >= _FEW:
        losses = [loss.mean(axis=0, keepdims=True) for loss in losses]
        weights = [weight.sum(keepdims=True) for weight in weights]
    mean, se = _weighted_mean(np.concatenate(losses), np.concatenate(weights))
    lowest = int(np.argmin(mean))
    return PenaltyChoice(path, mean, se, lowest, int(np.argmax(mean <= (mean + se)[lowest])))


def fold_members(folds: ArrayLike, n: int) -> list[Bools]:
    """Return who is in each fold, or say that there are fewer than two."""
    fold = check_groups(folds, n, what="fold")
    names = np.unique(fold)
    if len(names) < 2:
        raise DataError(f"folds: expected at least two; found {len(names)}; use more folds.")
    return [fold == name for name in names]


def _weighted_mean(losses: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Mean of the rows and its standard error."""
    share = weights / weights.sum()
    mean = share @ losses
    return mean, np.sqrt(share @ (losses - mean) ** 2 / (len(losses) - 1))


def _patient_losses(fitted: ElasticNetPath, x: Floats, y: Floats, *, family: str) -> Floats:
    """Squared errors or deviances, one row a patient, one column a penalty."""
    eta = fitted.predict(x)
    if family == "gaussian":
        return np.asarray((y[:, None] - eta) ** 2)
    right = expit(np.where(y[:, None] == 1, eta, -eta))
    return np.asarray(-2 * np.log(np.clip(right, _FLOOR, 1 - _FLOOR)))


def _events(died: Floats, inside: Bools) -> Floats:
    """Number of events in a fold, shape (1,), or say that it has none."""
    events = died[inside].sum(keepdims=True)
    if not events[0]:
        raise OutcomeError(
            f"expected an event in every fold; found a fold of {np.count_nonzero(inside)} patients "
            "without one; use fewer folds or spread the events over them."
        )
    return events


def _deviance(eta: Floats, time: Floats, event: Floats, *, strata: Any) -> Floats:
    """Cox deviance of each row of linear predictors, shape (1, rows)."""
    loss = build_loss("cox", time, event, strata=strata)
    return 2 * loss.n * (np.array([[loss.value(row) for row in eta]]) - loss.saturated)
