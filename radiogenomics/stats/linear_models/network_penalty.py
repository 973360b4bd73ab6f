r"""Sparse regression whose coefficients are alike where their variables are neighbours in a graph.

For a falling sequence of penalties lambda the coefficients minimise

.. math:: F(\beta) = \ell(\eta) + \lambda \Big(\alpha \sum_j |\beta_j|
          + \frac{1 - \alpha}{2}\, \beta^T L \beta\Big),
          \qquad \eta_i = \beta_0 + \sum_j \beta_j z_{ij},

where the loss is the negative log-likelihood over n (``penalised_losses``), z are the variables
less their mean over their standard deviation (1/n), alpha is ``l1_ratio``, L is symmetric with no
negative eigenvalue, usually the normalised Laplacian of a graph (`normalised_laplacian`), and the
intercept is not penalised. With L the identity this is the elastic net, with L = 0 or alpha = 1 the
LASSO, with alpha = 0 a ridge.

F is convex. Its minimum is where, with g the derivative of its smooth part, g_j = -lambda alpha
sign(beta_j) for variables that are in and \|g_j\| <= lambda alpha for those that are out;
``violation`` says how far each solution is from that. Variables that are in are solved for together
by Newton's method in the orthant of their signs: what would change sign becomes 0. Then all others
are checked and the worst come in.

A neighbour that is alike shares the coefficient, so groups come in where the LASSO takes one of
them at random. It misleads where neighbours in the graph have opposite effects, which are pulled
together. Newton's method holds a matrix of the variables that are in: some thousands are the limit.

References
----------
Li and Li, Bioinformatics 2008;24:1175, doi:10.1093/bioinformatics/btn081 (linear). Sun, Lin, Feng
and Li, Stat Sin 2014;24:1433, doi:10.5705/ss.2012.317 (Cox).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.linear_models.elastic_net import (
    SATURATED,
    ElasticNetPath,
    check_penalties,
    check_variables,
    penalty_sequence,
    standardised,
)
from radiogenomics.stats.linear_models.network_solver import NetworkProblem
from radiogenomics.stats.linear_models.penalised_losses import Loss, build_loss

# Eigenvalues below zero by less than this beside the largest entry are rounding.
_ROUNDING = 1e-8


@dataclass(frozen=True)
class NetworkPath(ElasticNetPath):
    """Solutions along a sequence of penalties, and how far each is from a minimum.

    Attributes
    ----------
    lambdas, coef, intercept, deviance_ratio, scale
        As in `ElasticNetPath`.
    violation : ndarray of shape (m,)
        Largest breach of the conditions for a minimum, over the largest derivative of the loss at
        the model without variables.
    """

    violation: Floats


class Solution(NamedTuple):
    """The minimum at one penalty; the fields are those of `NetworkPath`."""

    penalty: float
    coef: Floats
    intercept: float
    deviance_ratio: float
    violation: float


def normalised_laplacian(graph: Any) -> sparse.csr_matrix:
    """Return I - D^(-1/2) A D^(-1/2) of a graph, D holding the summed weights of each node.

    ``b' L b`` sums (b_i / sqrt(d_i) - b_j / sqrt(d_j))^2 over the edges, times their weights: what
    neighbours differ by. A node without neighbours has a row of zeros, and is not penalised.

    Parameters
    ----------
    graph : sparse matrix or array of shape (p, p)
        Weights A of the edges, at least 0 and symmetric; the diagonal is left out.

    Returns
    -------
    csr_matrix of shape (p, p)

    Raises
    ------
    DataError
        If a weight is negative or not finite, or the graph is not symmetric.

    Examples
    --------
    >>> normalised_laplacian([[0, 1, 0], [1, 0, 1], [0, 1, 0]]).toarray().round(3)
    array([[ 1.   , -0.707,  0.   ],
           [-0.707,  1.   , -0.707],
           [ 0.   , -0.707,  1.   ]])
    """
    weights = sparse.csr_matrix(graph, dtype=float)
    if weights.shape[0] != weights.shape[1]:
        raise DataError(
            f"graph: expected a square matrix of weights; found shape {weights.shape}; give the "
            "weight of each pair."
        )
    weights = sparse.csr_matrix(weights - sparse.diags(weights.diagonal()))
    weights.eliminate_zeros()
    odd = int((~(np.isfinite(weights.data) & (weights.data >= 0))).sum())
    skew = abs(weights - weights.T)
    if odd or (skew.nnz and skew.max() > _ROUNDING * weights.max()):
        raise DataError(
            f"graph: expected symmetric finite weights of at least 0; found {odd} of "
            f"{weights.nnz} that are not, and {skew.nnz} entries that differ from their mirror "
            "image; take the larger or the mean of each pair."
        )
    degree = np.asarray(weights.sum(axis=1)).ravel()
    root = np.zeros(len(degree))
    root[degree > 0] = degree[degree > 0] ** -0.5
    scaled = sparse.diags(root) @ weights @ sparse.diags(root)
    return sparse.csr_matrix(sparse.diags((degree > 0).astype(float)) - scaled)


def network_path(
    x: ArrayLike,
    y: ArrayLike,
    event: ArrayLike | None = None,
    *,
    family: str,
    laplacian: Any,
    l1_ratio: float,
    lambdas: ArrayLike | None = None,
    n_lambdas: int = 100,
    standardise: bool = True,
    max_inside: int | None = None,
) -> NetworkPath:
    """Solve the network-regularised regression along a sequence of penalties.

    What is minimised, and when it misleads: top of this module.

    Parameters
    ----------
    x, y, event, family, lambdas, n_lambdas, standardise, max_inside : as in `elastic_net_path`
    laplacian : sparse matrix or array of shape (p, p)
        L: symmetric, without negative eigenvalues.
    l1_ratio : float
        alpha, 0 to 1; at 0 `lambdas` must be given.

    Returns
    -------
    NetworkPath

    Raises
    ------
    OutcomeError, DataError
        As `elastic_net_path`; or L has another shape or is not symmetric.

    Examples
    --------
    >>> x = np.array([[1.0, 1.5], [2.0, 1.0], [3.0, 3.5], [4.0, 4.0]])
    >>> pair = normalised_laplacian([[0, 1], [1, 0]])
    >>> network_path(x, [1, 2, 3, 4], family="gaussian", laplacian=pair, l1_ratio=0.1,
    ...              lambdas=[0.5]).coef.round(3)
    array([[0.536, 0.365]])
    """
    fit = NetworkFit(
        x,
        build_loss(family, y, event),
        laplacian=laplacian,
        l1_ratio=l1_ratio,
        standardise=standardise,
    )
    solved = []
    for penalty in fit.penalties(lambdas, n_lambdas=n_lambdas):
        solved.append(fit.at(penalty))
        inside, ratio = np.count_nonzero(solved[-1].coef), solved[-1].deviance_ratio
        if lambdas is None and ratio > SATURATED:
            break
        if max_inside is not None and inside >= max_inside:
            break
    return as_path(solved, fit.scale)


class NetworkFit:
    """One regression at penalties that are asked for one by one, each solved from the last.

    Parameters
    ----------
    x : array-like of shape (n, p)
    loss : Loss
    laplacian, l1_ratio, standardise : as in `network_path`

    Attributes
    ----------
    loss : Loss
    scale : ndarray of shape (p,)
        Standard deviation (1/n) of each variable, 1 where it was not used.
    """

    def __init__(
        self, x: ArrayLike, loss: Loss, *, laplacian: Any, l1_ratio: float, standardise: bool = True
    ) -> None:
        values = check_variables(x, loss.n)
        z, self._centre, self.scale, used = standardised(values, standardise=standardise)
        network = sparse.csr_matrix(_check_laplacian(laplacian, values.shape[1])[used][:, used])
        self.loss, self._shape, self._varies = loss, values.shape, used
        self._problem = NetworkProblem(loss, z, laplacian=network, l1_ratio=_check_share(l1_ratio))
        self._explainable = self._problem.null - loss.saturated

    def penalties(self, lambdas: ArrayLike | None, *, n_lambdas: int) -> Floats:
        """Penalties that are given, checked and falling, or the usual ones."""
        if lambdas is not None:
            return check_penalties(lambdas)
        if self._problem.l1_ratio == 0:
            raise DataError(
                "lambdas: expected penalties where l1_ratio is 0, as no penalty sets all "
                "coefficients to zero then; found none; name them."
            )
        largest = self._problem.steepest / self._problem.l1_ratio
        n, p = self._shape
        return penalty_sequence(largest, n=n, p=p, n_lambdas=n_lambdas)

    def at(self, penalty: float) -> Solution:
        """Solve at a penalty."""
        problem = self._problem
        violation = problem.solve(penalty)
        coef = np.zeros(self._shape[1])
        coef[self._varies] = problem.coef / self.scale[self._varies]
        intercept = problem.intercept - coef @ self._centre if problem.free else 0.0
        gain = problem.null - self.loss.value(problem.eta)
        ratio = gain / self._explainable if self._explainable > 0 else 0.0
        return Solution(float(penalty), coef, float(intercept), ratio, violation)


def as_path(solved: list[Solution], scale: Floats) -> NetworkPath:
    """Solutions, one a penalty, as arrays."""
    lambdas, coef, intercept, ratio, violation = map(np.array, zip(*solved, strict=True))
    return NetworkPath(lambdas, coef, intercept, ratio, scale, violation)


def _check_laplacian(laplacian: Any, p: int) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix(laplacian, dtype=float)
    if matrix.shape != (p, p) or not np.isfinite(matrix.data).all():
        raise DataError(
            f"laplacian: expected a finite matrix of {p} × {p} variables; found shape "
            f"{matrix.shape} with {int((~np.isfinite(matrix.data)).sum())} values that are not "
            "finite; make it of the graph of these variables."
        )
    largest = float(abs(matrix).max()) if matrix.nnz else 0.0
    skew = abs(matrix - matrix.T)
    if (skew.nnz and skew.max() > _ROUNDING * largest) or matrix.diagonal().min() < 0:
        raise DataError(
            "laplacian: expected a symmetric matrix without negative eigenvalues; found "
            f"{skew.nnz} entries that differ from their mirror image and a least diagonal of "
            f"{matrix.diagonal().min():.3g}; normalised_laplacian makes one of a graph."
        )
    return matrix


def _check_share(l1_ratio: float) -> float:
    if not 0 <= l1_ratio <= 1:
        raise DataError(
            f"l1_ratio: expected 0 to 1; found {l1_ratio}; 1 is the LASSO, 0 a ridge on the graph."
        )
    return float(l1_ratio)
