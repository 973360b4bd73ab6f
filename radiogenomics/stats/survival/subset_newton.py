"""Newton's method for many small subsets of candidates, given up as soon as they cannot win.

The log partial likelihood l is minus a sum of logarithms of sums of exponentials. Along a direction
v each of them loses curvature at a rate of at most r(v), the largest difference of x'v between two
subjects of one risk set, so that l is self-concordant in the generalised sense (Bach 2010):

    l(b + v) <= l(b) + U'v - v'Iv (exp(-r) + r - 1) / r^2

with gradient U and information I at b. Let D^2 = U' I^-1 U and k >= r(v) / sqrt(v'Iv) for every v;
then for k D < 1 no point of the model has a likelihood above

    l(b) + (k D + (1 - k D) log(1 - k D)) / k^2,

which is l(b) + D^2 / 2 when k D is small. That is a proof and no approximation: a model whose bound
lies below the likelihood of the models to be kept is dropped without loss.

References
----------
Bach 2010, Self-concordant analysis for logistic regression, doi:10.1214/09-EJS521.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radiogenomics.stats.inputs import Bools, Floats
from radiogenomics.stats.survival.cox_newton import Searching, derivatives, invert
from radiogenomics.stats.survival.subset_field import SubsetField

_EVALUATIONS = 30
# Of the squared length of a step in standard errors: what one more step would still add to the
# likelihood is then below its rounding.
_CONVERGED = 1e-8
_ROUNDING = 1e-12
# What a bound must fall short by, of the likelihood's size: rounding of both, with room to spare.
_SLACK = 1e-10


@dataclass(frozen=True)
class SubsetFits:
    """Models that were fitted to the end.

    Attributes
    ----------
    subsets : ndarray of int, shape (fitted, p)
    coef : ndarray of shape (p, fitted)
        On the scale of the field.
    value : ndarray of shape (fitted,)
        Log partial likelihood at its maximum.
    endless : int
        Models without a finite maximum, which are not among them.
    """

    subsets: NDArray[np.intp]
    coef: Floats
    value: Floats
    endless: int


@dataclass
class _Search(Searching):
    position: NDArray[np.intp]
    x: Floats
    total: Floats
    reach: Floats
    base: Floats
    base_value: Floats
    step: Floats


def gain_bound(decrement: Floats, reach: Floats) -> Floats:
    """Most that the likelihood can rise above where it stands; top of this module.

    Parameters
    ----------
    decrement : ndarray
        D, the length of the Newton step in standard errors.
    reach : ndarray
        k, of the same shape.

    Returns
    -------
    ndarray
        Infinite where k D is 1 or more.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        u = decrement * reach
        # The series where the closed form would subtract like from like.
        small = decrement**2 * (0.5 + u / 6 + u**2 / 12 + u**3 / 20 + u**4 / 30)
        closed = (u + (1 - u) * np.log1p(-u)) / reach**2
        return np.where(u < 0.02, small, np.where(u < 1, closed, np.inf))


def fit_subsets(
    field: SubsetField,
    subsets: NDArray[np.intp],
    start: tuple[Floats, Floats, Floats],
    *,
    floor: float,
    enough: float = np.inf,
) -> SubsetFits:
    """Maximise the likelihood of each subset that can reach `floor`.

    Parameters
    ----------
    field : SubsetField
    subsets : ndarray of int, shape (batch, p)
    start : tuple of ndarray
        Coefficients that are known, shape (p, batch), their log-likelihood, shape (batch,), and the
        first step from there, shape (p, batch).
    floor : float
        Models that provably stay below it are dropped.
    enough : float
        Models are taken as they stand once their likelihood exceeds it.

    Returns
    -------
    SubsetFits
    """
    batch, p = subsets.shape
    x = field.x[:, subsets.T.ravel()].reshape(-1, p, batch)
    search = _Search(np.arange(batch), x, field.total[subsets].T, field.reach[subsets].T, *start)
    coef, value = np.full((p, batch), np.nan), np.full(batch, np.nan)
    floor -= _SLACK * abs(floor) if np.isfinite(floor) else 0.0
    with np.errstate(all="ignore"):
        for _ in range(_EVALUATIONS):
            going = _advance(search, field, (coef, value), floor=floor, enough=enough)
            if not going.all():
                search.keep(going)
            if not search.position.size:
                break
    done = np.isfinite(value)
    return SubsetFits(subsets[done], coef[:, done], value[done], int(search.position.size))


def _advance(
    search: _Search,
    field: SubsetField,
    found: tuple[Floats, Floats],
    *,
    floor: float,
    enough: float,
) -> Bools:
    """Try one step in every model, write down those that are done, return those that go on."""
    trial = search.base + search.step
    value, gradient, information, moment = derivatives(
        search.x, trial, total=search.total, sets=field.sets
    )
    covariance, singular = invert(information, moment * _ROUNDING)
    better = np.isfinite(value) & ~singular
    better &= value >= search.base_value - 1e-11 * np.abs(value)
    step = np.einsum("pqb,qb->pb", covariance, gradient)
    squared = np.einsum("pb,pb->b", step, gradient)
    k = np.sqrt(np.einsum("pqb,pb,qb->b", np.abs(covariance), search.reach, search.reach))
    hopeless = better & (value + gain_bound(np.sqrt(squared), k) < floor)
    done = better & ((squared <= _CONVERGED) | (value > enough)) & ~hopeless
    at = search.position[done]
    found[0][:, at] = (trial + step)[:, done]
    found[1][at] = (value + squared / 2)[done]
    search.base = np.where(better, trial, search.base)
    search.base_value = np.where(better, value, search.base_value)
    search.step = np.where(better, step, search.step / 2)
    return np.asarray(~(done | hopeless))
