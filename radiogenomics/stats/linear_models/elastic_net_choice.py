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

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_groups
from radiogenomics.stats.linear_models.elastic_net import ElasticNetPath, elastic_net_path
from radiogenomics.stats.linear_models.penalised_losses import CoxLoss

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
    l1_ratio: float = 1.0,
    lambdas: ArrayLike | None = None,
    n_lambdas: int = 100,
    standardise: bool = True,
) -> PenaltyChoice:
    """Cross-validate the elastic net along its path; how, and when it misleads: top of module.

    Parameters
    ----------
    x, y, event, family, l1_ratio, lambdas, n_lambdas, standardise : as in `elastic_net_path`
    folds : array-like of shape (n,)
        Which fold each patient is in; any labels, at least two.

    Returns
    -------
    PenaltyChoice

    Raises
    ------
    OutcomeError
        If one class only is outside a fold, or no event outside or inside.
    DataError
        If there are fewer than two folds, and as `elastic_net_path`.

    Examples
    --------
    >>> x = np.arange(12.0)[:, None]
    >>> choice = choose_penalty(x, x[:, 0] ** 2, family="gaussian", folds=np.arange(12) % 3)
    >>> bool(choice.path.lambdas[choice.at_min] < choice.path.lambdas[choice.at_1se])
    True
    """
    solve = partial(elastic_net_path, family=family, l1_ratio=l1_ratio, standardise=standardise)
    path = solve(x, y, event, lambdas=lambdas, n_lambdas=n_lambdas)
    values, target = as_floats(x, "variables"), as_floats(y, "target values")
    died = None if event is None else as_floats(event, "event indicators")
    losses, weights = [], []
    for inside in _folds(folds, len(values)):
        if died is None:
            fitted = solve(values[~inside], target[~inside], lambdas=path.lambdas)
            losses.append(_patient_losses(fitted, values[inside], target[inside], family=family))
        else:
            fitted = solve(values[~inside], target[~inside], died[~inside], lambdas=path.lambdas)
            losses.append(_partial_deviance(fitted, values, target, event=died, inside=inside))
        weights.append(
            np.ones(len(losses[-1])) if died is None else died[inside].sum(keepdims=True)
        )
    if died is None and len(values) / len(losses) >= _FEW:
        losses = [loss.mean(axis=0, keepdims=True) for loss in losses]
        weights = [weight.sum(keepdims=True) for weight in weights]
    mean, se = _weighted_mean(np.concatenate(losses), np.concatenate(weights))
    lowest = int(np.argmin(mean))
    return PenaltyChoice(path, mean, se, lowest, int(np.argmax(mean <= (mean + se)[lowest])))


def _folds(folds: ArrayLike, n: int) -> list[Bools]:
    """Who is in each fold."""
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


def _partial_deviance(
    fitted: ElasticNetPath, x: Floats, time: Floats, *, event: Floats, inside: Bools
) -> Floats:
    """What the patients in a fold add to the Cox deviance, per event; shape (1, penalties)."""
    events = event[inside].sum()
    if not events:
        raise OutcomeError(
            f"expected an event in every fold; found a fold of {np.count_nonzero(inside)} patients "
            "without one; use fewer folds or spread the events over them."
        )
    everyone, others = CoxLoss(time, event), CoxLoss(time[~inside], event[~inside])
    eta = fitted.predict(x).T
    whole = [everyone.n * (everyone.value(row) - everyone.saturated) for row in eta]
    without = [others.n * (others.value(row[~inside]) - others.saturated) for row in eta]
    return np.asarray(2 * (np.array(whole) - np.array(without))[None, :] / events)
