"""Learn factors of blocks until the bound stands still, and choose how many there are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from radiogenomics.models.factors.em import (
    Factors,
    Loadings,
    Observed,
    factors_step,
    first_factors,
    loadings_step,
    observed,
    turned,
)
from radiogenomics.models.factors.projection import (
    NOTHING,
    FactorModel,
    independence,
    mean_squares,
)
from radiogenomics.stats.inputs import Floats

STAGE, ROUGHLY, FAR_BELOW = 20, 100, 0.1
REWEIGHED = 2


@dataclass(frozen=True)
class Search:
    """How factors are searched.

    Parameters
    ----------
    with_prior
        Whether loadings are shrunk, each block's on each factor by itself.
    least_noise
        Of a standardised variable.
    max_iter
        Rounds at most.
    tol
        Smallest gain of the bound per patient that is worth another round.
    """

    with_prior: bool
    least_noise: float
    max_iter: int
    tol: float


@dataclass(frozen=True, eq=False)
class Learnt:
    """What a search came to.

    Parameters
    ----------
    model
        Factors of the columns in their own order.
    bounds
        After each round.
    converged
        Whether the last round gained less than the tolerance.
    """

    model: FactorModel
    bounds: Floats
    converged: bool


@dataclass(frozen=True, eq=False)
class _State:
    factors: Factors
    loadings: Loadings
    bounds: Floats
    converged: bool


def learn_factors(
    values: Floats, block: np.ndarray, weight: Floats, *, n_factors: int, search: Search
) -> Learnt:
    """Learn this many factors of standardised ``values``, NaN where missing."""
    data, order = observed(values, block=block, weight=weight)
    return _learnt(_climb(data, first_factors(data, n_factors), search), data, order)


def learn_relevant(
    values: Floats,
    block: np.ndarray,
    weight: Floats,
    *,
    most: int,
    search: Search,
    least_share: float,
) -> Learnt:
    """Start with ``most`` factors, and go on with those that matter to a block; at least one.

    A factor matters where the mean squared loading of a block, its share of the variance of the
    block's standardised variables, reaches ``least_share``. Factors are dropped while the search
    is rough, which saves most of the time; what is far below goes at once.
    """
    data, order = observed(values, block=block, weight=weight)
    rough = replace(search, max_iter=min(STAGE, search.max_iter), tol=search.tol * ROUGHLY)
    state = _climb(data, first_factors(data, most), rough)
    rounds = len(state.bounds)
    while True:
        settled = state.converged or rounds >= search.max_iter
        factors, before = _relevant(data, state, least_share * (1 if settled else FAR_BELOW))
        if settled and factors is state.factors:
            break
        state = _climb(data, factors, rough, before=before)
        rounds += len(state.bounds)
    while True:
        state = _climb(data, factors, search, before=before)
        factors, before = _relevant(data, state, least_share)
        if factors is state.factors:
            return _learnt(state, data, order)


def learn_by_bic(
    values: Floats, block: np.ndarray, weight: Floats, *, most: int, search: Search
) -> Learnt:
    r"""Learn 1, 2, … factors and return those of the lowest Bayesian information criterion.

    :math:`-2 \ell + d \log n`, with :math:`\ell` the log-likelihood of what was observed of n
    patients, and d two for each variable and one for each loading but for the
    :math:`K (K - 1) / 2` that turning the factors takes back. Loadings that the prior shrank to
    nothing, of a block that a factor does not reach, are not counted; where it leaves a factor
    without any block, more are not tried.
    """
    size, n = np.bincount(block), len(values)
    tried: list[Learnt] = []
    criteria: list[float] = []
    for n_factors in range(1, most + 1):
        learnt = learn_factors(values, block, weight, n_factors=n_factors, search=search)
        reached = mean_squares(learnt.model.loadings, block) >= NOTHING * search.with_prior
        if tried and not reached.any(axis=0).all():
            break
        free = 2 * len(block) + (size @ reached).sum() - n_factors * (n_factors - 1) / 2
        tried.append(learnt)
        criteria.append(free * np.log(n) - 2 * learnt.model.log_likelihood(values).sum())
    return tried[int(np.argmin(criteria))]


def effective_weights(
    values: Floats, block: np.ndarray, weight: Floats, *, most: int, search: Search, share: float
) -> Floats:
    """Learn factors roughly, weigh blocks by what noise they leave, and do so once more."""
    rough = replace(search, with_prior=True, tol=search.tol * ROUGHLY)
    for _ in range(REWEIGHED):
        learnt = learn_relevant(values, block, weight, most=most, search=rough, least_share=share)
        weight = independence(values, learnt.model, block=block)
    return weight


def _climb(
    data: Observed, factors: Factors, search: Search, *, before: Loadings | None = None
) -> _State:
    """Alternate the two steps, with noise and prior as ``before``; the bound never falls."""
    if before is None:
        noise = np.ones(data.values.shape[1])
        precision = np.full((len(data.weight), factors.mean.shape[1]), float(search.with_prior))
    else:
        noise, precision = before.noise, before.precision
    worth = search.tol * len(data.values)
    bounds: list[float] = []
    while True:
        loadings = loadings_step(
            data, factors, noise=noise, precision=precision, least_noise=search.least_noise
        )
        factors, bound = factors_step(data, loadings)
        bounds.append(bound)
        converged = len(bounds) > 1 and bound - bounds[-2] < worth
        if converged or len(bounds) >= search.max_iter:
            return _State(factors, loadings, np.array(bounds), converged)
        noise = loadings.noise
        factors, precision = turned(data, factors, loadings)


def _relevant(data: Observed, state: _State, least_share: float) -> tuple[Factors, Loadings]:
    """Return factors that matter, at least one, and what is known of the variables with them."""
    share = mean_squares(state.loadings.mean, data.of_column).max(axis=0)
    kept = share >= least_share
    kept[np.argmax(share)] = True
    if kept.all():
        return state.factors, state.loadings
    covariance = state.factors.covariance[:, kept][:, :, kept]
    few = Factors(state.factors.mean[:, kept], covariance)
    return few, replace(state.loadings, precision=state.loadings.precision[:, kept])


def _learnt(state: _State, data: Observed, order: np.ndarray) -> Learnt:
    """Return loadings in the order that the columns came in."""
    own = np.argsort(order)
    loadings = state.loadings
    model = FactorModel(
        loadings.mean[own],
        loadings.centre[own],
        loadings.noise[own],
        data.weight[data.of_column][own],
    )
    return Learnt(model, state.bounds, state.converged)
