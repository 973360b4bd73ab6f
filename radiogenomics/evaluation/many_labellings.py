"""Ridge logistic regression of many labellings of the same patients, all fitted together.

A permutation null fits the same classifier to the same features hundreds of times. Where the
columns of the design are orthogonal, as principal axes are, one step size a column serves all
labellings, and each iteration is two matrix products for all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from radiogenomics.core.errors import RadiogenomicsWarning

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Bools = NDArray[np.bool_]

# Root mean square change of a linear predictor at which a labelling is done.
_TOLERANCE = 1e-7
_MAX_ITERATIONS = 3000
# Finished labellings are put aside this often: each time costs a copy of the others.
_LOOK_EVERY = 8
# Numbers in one array of linear predictors.
_CHUNK = 2**20


def ridge_logistic_many(
    design: Floats, labels: Codes, *, classes: int, penalty: float, used: Bools | None = None
) -> tuple[Floats, Floats]:
    r"""Coefficients of multinomial logistic regressions that differ in their labels.

    Minimises :math:`-\sum_i \log p_{i y_i} + \frac{\lambda}{2} \sum_k |w_k|^2` with
    :math:`p_{ik} \propto \exp(b_k + x_i w_k)` over the used patients of each labelling. Of two
    classes the penalty is that of one weight vector, their difference, as in
    ``sklearn.linear_model.LogisticRegression``, of which these are the estimates. Accelerated
    gradient descent within the bound of the curvature by half the Gram matrix (Böhning), momentum
    dropped whenever it points uphill.

    Parameters
    ----------
    design : ndarray, shape (n, r)
        Orthogonal columns of mean 0, for example principal components.
    labels : ndarray of int, shape (labellings, n)
        From 0 to ``classes - 1``.
    classes, penalty
        Number of classes and :math:`\lambda` above 0; scikit-learn's C is its inverse.
    used : ndarray of bool, shape (labellings, n)
        Whom to learn from; all if not given.

    Returns
    -------
    intercepts : ndarray, shape (labellings, classes)
        Minus infinity for a class of which nobody is used.
    weights : ndarray, shape (labellings, r, classes)

    References
    ----------
    Böhning 1992, Ann Inst Stat Math 44:197 (the bound); O'Donoghue & Candès 2015, Found Comput Math
    15:715 (restarts).

    Examples
    --------
    >>> axis = np.array([[-3.0], [-1.0], [1.0], [3.0]])
    >>> labels = np.array([[0, 0, 1, 1], [1, 0, 0, 1]])
    >>> _, weights = ridge_logistic_many(axis, labels, classes=2, penalty=1.0)
    >>> (weights[:, 0, 1] - weights[:, 0, 0]).round(3) + 0.0
    array([0.923, 0.   ])
    """
    used = np.ones(labels.shape, dtype=bool) if used is None else used
    intercepts = np.full((len(labels), classes), -np.inf)
    weights = np.zeros((len(labels), design.shape[1], classes))
    base = np.column_stack([np.ones(len(design)), design])
    for present, rows in _by_classes_present(labels, used, classes):
        if present.size == 1:
            intercepts[rows, present] = 0.0
            continue
        size = max(1, _CHUNK // (len(design) * present.size))
        for part in np.split(rows, range(size, len(rows), size)):
            truth = (labels[part] == present[:, None, None]).transpose(0, 2, 1)
            share = 2 * penalty if present.size == 2 else penalty
            found = _descend(base, truth, used[part].T, penalty=share)
            intercepts[np.ix_(part, present)] = found[:, 0].T
            weights[part[:, None], :, present] = found[:, 1:].transpose(2, 0, 1)
    return intercepts, weights


def probabilities(intercepts: Floats, weights: Floats, design: Floats) -> Floats:
    """Probability of each class: labellings × patients × classes."""
    predictor = design @ weights + intercepts[:, None, :]
    odds = np.exp(predictor - predictor.max(axis=2, keepdims=True))
    return odds / odds.sum(axis=2, keepdims=True)


def _by_classes_present(
    labels: Codes, used: Bools, classes: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Labellings whose used patients are of the same classes, with these classes."""
    present = np.stack([((labels == k) & used).any(axis=1) for k in range(classes)], axis=1)
    patterns, which = np.unique(present, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        yield np.flatnonzero(pattern), np.flatnonzero(which.ravel() == number)


def _descend(base: Floats, truth: Bools, used: Bools, *, penalty: float) -> Floats:
    """Minimise for labellings of the same classes.

    ``base`` is n × (1 + r) with a column of ones, ``truth`` classes × n × labellings, ``used``
    n × labellings; the result is classes × (1 + r) × labellings.
    """
    ridge = np.full((base.shape[1], 1), penalty)
    ridge[0] = 0.0
    curvature = 0.5 * np.square(base).sum(axis=0)[:, None] + ridge
    done = np.zeros((len(truth), base.shape[1], truth.shape[2]))
    active = np.arange(truth.shape[2])
    here, ahead, age = done.copy(), done.copy(), np.zeros(len(active))
    limit = _TOLERANCE * np.sqrt(len(base))
    for count in range(1, _MAX_ITERATIONS + 1):
        odds = base @ ahead
        np.exp(odds - odds.max(axis=0), out=odds)
        odds /= odds.sum(axis=0)
        slope = base.T @ ((odds - truth) * used) + ridge * ahead
        moved = ahead - slope / curvature
        uphill = np.einsum("krl,krl->l", slope, moved - here) > 0
        age = np.where(uphill, 0.0, age + 1)
        ahead = moved + (moved - here) * (age / (age + 3))
        here = moved
        if count % _LOOK_EVERY:
            continue
        unfinished = np.sqrt((np.square(slope) / curvature).sum(axis=(0, 1))) > limit
        if unfinished.all():
            continue
        done[:, :, active[~unfinished]] = here[:, :, ~unfinished]
        active, age, used = active[unfinished], age[unfinished], used[:, unfinished]
        here, ahead, truth = here[..., unfinished], ahead[..., unfinished], truth[..., unfinished]
        if not active.size:
            return done
    done[:, :, active] = here
    warnings.warn(
        f"{active.size} of {done.shape[2]} logistic regressions stopped after {_MAX_ITERATIONS} "
        "iterations short of their optimum.",
        RadiogenomicsWarning,
        stacklevel=3,
    )
    return done
