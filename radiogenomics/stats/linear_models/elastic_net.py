r"""Elastic-net regularisation paths for numbers, two classes and survival.

For a falling sequence of penalties lambda the coefficients minimise

.. math:: L(\eta) + \lambda \sum_j \left(\alpha |\beta_j| + \frac{1 - \alpha}{2} \beta_j^2\right),
          \qquad \eta_i = \beta_0 + \sum_j \beta_j z_{ij},

where L is the negative log-likelihood over n (``penalised_losses``), z are the variables less their
mean over their standard deviation (1/n), alpha is ``l1_ratio`` and the intercept is not penalised.
The solution at one lambda starts the next (``elastic_net_solver``); variables that the strong rules
pass over are checked at the end.

The usual sequence falls from the smallest penalty at which every coefficient is zero, in even steps
on the log scale, and the path ends early at the first solution that explains more than 99.9 % of
the deviance, as it does where classes are separated. Penalties that are given are all solved.

Definitions are those of R's glmnet, but for two: a path does not end because it hardly improves,
and with numbers as the target the quadratic part is not divided by the target's standard deviation
(scikit-learn's definition; the same for the LASSO).

A LASSO keeps at most n variables, and of near-copies an arbitrary one (of exact copies, the first
column). Coefficients are shrunk, and intervals computed after such a selection as if there had been
none are too narrow.

References
----------
Friedman, Hastie and Tibshirani, J Stat Softw 2010;33(1), doi:10.18637/jss.v033.i01. Simon et al., J
Stat Softw 2011;39(5), doi:10.18637/jss.v039.i05. Strong rules: Tibshirani et al., J R Stat Soc B
2012;74:245, doi:10.1111/j.1467-9868.2011.01004.x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Bools, Floats, as_floats
from radiogenomics.stats.linear_models.elastic_net_solver import Problem
from radiogenomics.stats.linear_models.penalised_losses import build_loss

# A path that explains more of the deviance than this is saturated, and what follows is noise.
SATURATED = 0.999
# A standard deviation this small beside the largest value is rounding.
_CONSTANT = 1e-10


@dataclass(frozen=True)
class ElasticNetPath:
    """Solutions along a sequence of penalties.

    Attributes
    ----------
    lambdas : ndarray of shape (m,)
        Penalties that were solved, falling.
    coef : ndarray of shape (m, p)
        Coefficients per unit of each variable; constant variables have 0.
    intercept : ndarray of shape (m,)
        0 for Cox models, which have none.
    deviance_ratio : ndarray of shape (m,)
        Share of the null deviance explained, 0 to 1.
    scale : ndarray of shape (p,)
        Standard deviation (1/n) of each variable, 1 where it was not used; ``coef * scale`` are
        the coefficients that were penalised.
    """

    lambdas: Floats
    coef: Floats
    intercept: Floats
    deviance_ratio: Floats
    scale: Floats

    def predict(self, x: ArrayLike) -> Floats:
        """Linear predictor at every penalty.

        Parameters
        ----------
        x : array-like of shape (n, p)

        Returns
        -------
        ndarray of shape (n, m)
        """
        return np.asarray(as_floats(x, "variables") @ self.coef.T + self.intercept)

    def entry_order(self) -> Floats:
        """Place in which each variable came onto the path, shape (p,): 1 first, inf never.

        Of variables that came at the same penalty the one with the larger penalised coefficient
        there counts as earlier.
        """
        inside = self.coef != 0
        ever = inside.any(axis=0)
        first = np.argmax(inside, axis=0)
        size = np.abs(self.coef[first, np.arange(len(ever))]) * self.scale
        order = np.lexsort((-size, np.where(ever, first, len(self.lambdas))))
        place = np.full(len(ever), np.inf)
        place[order[: ever.sum()]] = np.arange(1, ever.sum() + 1)
        return place


def penalty_sequence(largest: float, *, n: int, p: int, n_lambdas: int = 100) -> Floats:
    """Penalties from the largest down, evenly spaced on the log scale.

    The smallest is 1 % of the largest where there are more variables than patients, else 0.01 %.

    Parameters
    ----------
    largest : float
        Usually the smallest penalty at which every coefficient is zero.
    n, p : int
        Patients and variables.
    n_lambdas : int
        How many, from 2.

    Returns
    -------
    ndarray of shape (n_lambdas,)

    Raises
    ------
    DataError
        If `largest` is not above zero or `n_lambdas` below 2.

    Examples
    --------
    >>> penalty_sequence(1.0, n=50, p=200, n_lambdas=3)
    array([1.  , 0.1 , 0.01])
    """
    if not largest > 0:
        raise DataError(
            "expected a variable that varies with the outcome; found none, so there is no penalty "
            "to start from; drop constant variables and check the outcome."
        )
    if int(n_lambdas) != n_lambdas or n_lambdas < 2:
        raise DataError(
            f"n_lambdas: expected a whole number from 2; found {n_lambdas}; 100 is usual."
        )
    ratio = 0.01 if n < p else 1e-4
    return np.asarray(largest * ratio ** (np.arange(int(n_lambdas)) / (int(n_lambdas) - 1)))


def elastic_net_path(
    x: ArrayLike,
    y: ArrayLike,
    event: ArrayLike | None = None,
    *,
    family: str,
    strata: ArrayLike | None = None,
    l1_ratio: float = 1.0,
    lambdas: ArrayLike | None = None,
    n_lambdas: int = 100,
    standardise: bool = True,
    max_inside: int | None = None,
) -> ElasticNetPath:
    """Solve the elastic net along a sequence of penalties.

    What is minimised, and when it misleads: top of this module.

    Parameters
    ----------
    x : array-like of shape (n, p)
        Variables, finite. Constant ones get the coefficient 0.
    y, event, strata : array-like of shape (n,)
        Numbers, labels 0 and 1, or times and events; with strata each has a baseline of its own.
    family : {"gaussian", "binomial", "cox"}
    l1_ratio : float
        alpha, above 0, up to 1 (the LASSO).
    lambdas : array-like, optional
        Penalties above 0, in any order; by default `penalty_sequence` with `n_lambdas`.
    standardise : bool
        False penalises coefficients per unit of `x` as it is.
    max_inside : int, optional
        End the path at the first solution with at least so many variables.

    Returns
    -------
    ElasticNetPath

    Raises
    ------
    OutcomeError, DataError
        If one class only or no event is there, labels or times cannot be analysed, a value is
        missing, shapes differ, no variable varies or a parameter is out of range.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0], [2.0, 0.0], [3.0, 1.0], [4.0, 3.0]])
    >>> elastic_net_path(x, [1, 2, 3, 4], family="gaussian", lambdas=[0.5]).coef
    array([[0.5527864, 0.       ]])
    """
    loss = build_loss(family, y, event, strata=strata)
    values = check_variables(x, loss.n)
    z, centre, scale, varies = standardised(values, standardise=standardise)
    problem = Problem(loss, z, _check_share(l1_ratio))
    penalties = _penalties(problem.largest, lambdas, n_lambdas=n_lambdas, size=values.shape)
    coef, intercept, ratio = _follow(problem, penalties, lambdas is None, max_inside=max_inside)
    full = np.zeros((len(coef), values.shape[1]))
    full[:, varies] = coef / scale[varies]
    if loss.intercept is not None:
        intercept = intercept - full @ centre
    return ElasticNetPath(penalties[: len(coef)], full, intercept, ratio, scale)


def _follow(
    problem: Problem, penalties: Floats, may_end: bool, *, max_inside: int | None
) -> tuple[Floats, Floats, Floats]:
    """Solve at each penalty in turn; coefficients, intercepts and deviance ratios."""
    explainable = problem.null - problem.loss.saturated
    state, gradient, last = problem.start(), problem.gradient, problem.largest
    coefs, intercepts, ratios = [], [], []
    for penalty in penalties:
        # A gradient is taken to change no faster than the penalty itself; solve() checks.
        bound = problem.l1_ratio * (2 * penalty - max(last, penalty))
        gradient = problem.solve(state, penalty, np.flatnonzero(np.abs(gradient) >= bound))
        last = penalty
        coef = np.zeros(len(problem.z))
        coef[state.inside] = state.coef
        coefs.append(coef)
        intercepts.append(state.intercept)
        gain = problem.null - problem.loss.value(state.eta)
        ratios.append(gain / explainable if explainable > 0 else 0.0)
        if may_end and ratios[-1] > SATURATED:
            break
        if max_inside is not None and len(state.inside) >= max_inside:
            break
    return np.array(coefs), np.array(intercepts), np.array(ratios)


def check_variables(x: ArrayLike, n: int) -> Floats:
    """Return finite variables, one row a patient, or say what is wrong with them."""
    values = as_floats(x, "variables")
    if values.ndim != 2 or len(values) != n or not np.isfinite(values).all():
        raise DataError(
            f"expected finite variables of shape (patients, variables) for {n} patients; found "
            f"shape {values.shape} with {int((~np.isfinite(values)).sum())} values that are not "
            "finite; align with the outcome, and impute or drop what is missing."
        )
    return values


def _check_share(l1_ratio: float) -> float:
    if not 0 < l1_ratio <= 1:
        raise DataError(
            f"l1_ratio: expected above 0 and at most 1; found {l1_ratio}; 1 is the LASSO, and at 0 "
            "nothing is ever left out."
        )
    return float(l1_ratio)


def _penalties(
    largest: float, lambdas: ArrayLike | None, *, n_lambdas: int, size: tuple[int, ...]
) -> Floats:
    """Penalties given, checked and falling, or the usual ones."""
    if lambdas is None:
        return penalty_sequence(largest, n=size[0], p=size[1], n_lambdas=n_lambdas)
    return check_penalties(lambdas)


def check_penalties(lambdas: ArrayLike) -> Floats:
    """Return penalties above 0, falling, or say what is wrong with them."""
    penalties = np.sort(as_floats(lambdas, "penalties").ravel())[::-1]
    odd = int((~(np.isfinite(penalties) & (penalties > 0))).sum())
    if odd or not penalties.size:
        raise DataError(
            f"lambdas: expected finite penalties above 0; found {penalties.size}, {odd} of them "
            "something else; leave them out for the usual sequence."
        )
    return penalties


def standardised(values: Floats, *, standardise: bool) -> tuple[Floats, Floats, Floats, Bools]:
    """Variables that vary by more than rounding, a row each, centred and scaled; how it was done.

    Returns rows, mean and scale of every variable, and which have a row.
    """
    centre, deviation = values.mean(axis=0), values.std(axis=0)
    varies = deviation > _CONSTANT * np.abs(values).max(axis=0)
    scale = np.where(varies & standardise, deviation, 1.0)
    rows = ((values[:, varies] - centre[varies]) / scale[varies]).T
    return np.ascontiguousarray(rows), centre, scale, varies
