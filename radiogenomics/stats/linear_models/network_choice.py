r"""Choose the penalty of a network-regularised regression by cross-validation.

Each fold k is predicted by a model fitted to the others. Its loss is that of all patients less that
of the others, both at the coefficients fitted without it,

.. math:: m = \frac{1}{n} \sum_k \big[n\, \ell(\eta^{(-k)}) - n_{-k}\, \ell_{-k}(\eta^{(-k)})\big],

which is half the squared error, minus the log-likelihood of the class, or minus the cross-validated
log partial likelihood. All fits go down the penalties in step, and stop where `max_inside`
variables are in, or where the loss has not improved for a while.

The lowest loss is optimistic: compare it with what permuted outcomes give when the penalty is
chosen for each in the same way.

References
----------
Verweij and van Houwelingen, Stat Med 1993;12:2305.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.stats.inputs import Bools, Floats, as_floats
from radiogenomics.stats.linear_models.elastic_net_choice import fold_members
from radiogenomics.stats.linear_models.network_penalty import NetworkFit, NetworkPath, as_path
from radiogenomics.stats.linear_models.penalised_losses import Loss, build_loss


@dataclass(frozen=True)
class NetworkChoice:
    """Cross-validated loss along a path fitted to all patients.

    Attributes
    ----------
    path : NetworkPath
        Fitted to all patients.
    mean : ndarray of shape (m,)
        Loss per patient at each penalty, lower is better.
    without : float
        The same of models without variables.
    at_min : int
        Position of the lowest mean.
    """

    path: NetworkPath
    mean: Floats
    without: float
    at_min: int

    def gain(self, at: int) -> float:
        """What the variables save of the loss at a penalty, as a share; 0 or less is nothing."""
        return float((self.without - self.mean[at]) / abs(self.without))


def choose_network_penalty(
    x: ArrayLike,
    y: ArrayLike,
    event: ArrayLike | None = None,
    *,
    family: str,
    laplacian: Any,
    l1_ratio: float,
    folds: ArrayLike,
    lambdas: ArrayLike | None = None,
    n_lambdas: int = 50,
    max_inside: int | None = None,
    patience: int | None = None,
) -> NetworkChoice:
    """Cross-validate along the path of `network_path`; how, and when it misleads: top of module.

    Parameters
    ----------
    x, y, event, family, laplacian, l1_ratio, lambdas, n_lambdas, max_inside : as in `network_path`
    folds : array-like of shape (n,)
        Fold of each patient; any labels, at least two.
    patience : int, optional
        End the path after so many penalties in a row without a lower loss.

    Raises
    ------
    OutcomeError, DataError
        As `network_path`, also of the patients outside a fold; or there are fewer than two folds.

    Examples
    --------
    >>> x = np.arange(12.0)[:, None] * [1.0, -1.0] + np.array([[0.0, 0.5], [0.5, 0.0]] * 6)
    >>> choice = choose_network_penalty(x, x[:, 0], family="gaussian", laplacian=np.eye(2),
    ...                                 l1_ratio=0.5, folds=np.arange(12) % 3)
    >>> choice.gain(choice.at_min) > 0.99
    True
    """
    values, target = as_floats(x, "variables"), as_floats(y, "target values")
    died = None if event is None else as_floats(event, "events")
    everyone = build_loss(family, target, died)
    whole = NetworkFit(values, everyone, laplacian=laplacian, l1_ratio=l1_ratio)
    parts = []
    for inside in fold_members(folds, everyone.n):
        others = build_loss(family, target[~inside], None if died is None else died[~inside])
        fit = NetworkFit(values[~inside], others, laplacian=laplacian, l1_ratio=l1_ratio)
        parts.append((inside, fit))
    without = sum(_fold_loss(everyone, fit, inside) for inside, fit in parts) / everyone.n
    solved, mean = [], []
    for penalty in whole.penalties(lambdas, n_lambdas=n_lambdas):
        solved.append(whole.at(penalty))
        lost = [_fold_loss(everyone, fit, inside, values, penalty) for inside, fit in parts]
        mean.append(sum(lost) / everyone.n)
        full = max_inside is not None and np.count_nonzero(solved[-1].coef) >= max_inside
        if full or (patience is not None and len(mean) - 1 - int(np.argmin(mean)) >= patience):
            break
    lost = np.array(mean)
    return NetworkChoice(as_path(solved, whole.scale), lost, without, int(np.argmin(lost)))


def _fold_loss(
    everyone: Loss,
    fit: NetworkFit,
    inside: Bools,
    values: Floats | None = None,
    penalty: float = 0.0,
) -> float:
    """Loss that the patients of a fold add, at a model of the others."""
    if values is None:
        eta = np.full(everyone.n, fit.loss.intercept or 0.0)
    else:
        solution = fit.at(penalty)
        eta = values @ solution.coef + solution.intercept
    return everyone.n * everyone.value(eta) - fit.loss.n * fit.loss.value(eta[~inside])
