r"""Contributions for models of any kind, from their scores alone: kernel SHAP.

The value of a coalition S of features is the mean score over the background with the features in S
set to the patient's: :math:`v(S) = \frac1m \sum_i f(x_S, z_{i, \bar S})`. Up to ``EXACT_FEATURES``
features all coalitions are tried and the Shapley values are exact. Above, they are the weighted
least-squares fit of an additive game to some coalitions, weighted
:math:`(p - 1) / \left(\binom{p}{s} s (p - s)\right)` by their size s: the smallest and the largest
in full, as far as the budget allows, the rest drawn in pairs with their opposites. All patients
share the coalitions, and the values add up to the score either way.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import comb

import numpy as np

from radiogenomics.core.errors import DataError
from radiogenomics.models.explain.explanation import Contributions
from radiogenomics.stats.inputs import Bools, Floats

EXACT_FEATURES = 11
"""Up to here every coalition is tried, and nothing is drawn."""
MOST_FEATURES = 30
COALITIONS = 2048
_CELLS = 2**22


def kernel_shap(
    values: Floats,
    background: Floats,
    *,
    score: Callable[[Floats], Floats],
    rng: np.random.Generator,
    coalitions: int = COALITIONS,
) -> Contributions:
    """SHAP values of a score that can only be asked, not looked into.

    Exact up to ``EXACT_FEATURES`` features, an estimate above; the formula is at the head of this
    module. Asks the model for patients × coalitions × background rows: use it where nothing else
    applies, with 50 to 100 background patients, who have to come from training. Mixing two
    patients makes some that do not exist, and a model asked about them may say anything.

    Parameters
    ----------
    values, background : ndarray of shape (n, p) and (m, p)
        Patients to explain, and training patients.
    score
        Features (k, p) → score (k,); in its unit are the values, and positive ones raise it.
    rng
        For the coalitions drawn; not used while all are tried.
    coalitions
        To try, where not all are; at least twice the features.

    Raises
    ------
    DataError
        The background is empty, there are more than ``MOST_FEATURES`` features, or too few
        coalitions for them.

    References
    ----------
    Lundberg and Lee, NIPS 2017. Covert and Lee, AISTATS 2021 (drawing in pairs).

    Examples
    --------
    >>> found = kernel_shap(np.array([[2.0, 3.0]]), np.zeros((1, 2)),
    ...                     score=lambda x: x[:, 0] * x[:, 1], rng=np.random.default_rng(0))
    >>> found.values, found.base
    (array([[3., 3.]]), 0.0)
    """
    p = values.shape[1]
    _check(background, p, coalitions)
    if p <= EXACT_FEATURES:
        masks = _every_coalition(p)
        worth = _worths(values, background, masks, score)
        return Contributions((_shapley_weights(masks) @ worth).T, float(worth[0, 0]))
    masks, weights = _some_coalitions(p, coalitions, rng)
    ends = np.array([np.zeros(p, dtype=bool), np.ones(p, dtype=bool)])
    worth = _worths(values, background, np.concatenate([ends, masks]), score)
    return Contributions(_additive_fit(masks, weights, worth), float(worth[0, 0]))


def _check(background: Floats, p: int, coalitions: int) -> None:
    if len(background) == 0 or background.shape[1] != p:
        raise DataError(
            f"expected a background of at least one training patient with {p} features; found "
            f"shape {background.shape}. Pass the training patients."
        )
    if p > MOST_FEATURES:
        raise DataError(
            f"expected at most {MOST_FEATURES} features for kernel SHAP; found {p}. Explain the "
            "selected features only: put the selection before the learner, in one pipeline."
        )
    if p > EXACT_FEATURES and coalitions < 2 * p:
        raise DataError(
            f"expected at least {2 * p} coalitions for {p} features; found {coalitions}. Try more."
        )


def _every_coalition(p: int) -> Bools:
    """All subsets, the empty one first, shape (2^p, p)."""
    return (np.arange(2**p)[:, None] >> np.arange(p)) & 1 > 0


def _shapley_weights(masks: Bools) -> Floats:
    """Weight of the worth of each coalition in the value of each feature, shape (p, 2^p)."""
    p = masks.shape[1]
    joined = np.array([1 / (p * comb(p - 1, s)) for s in range(p)])
    size = masks.sum(axis=1)
    inside = joined[np.maximum(size - 1, 0)]
    outside = joined[np.minimum(size, p - 1)]
    return np.where(masks, inside[:, None], -outside[:, None]).T


def _worths(
    values: Floats, background: Floats, masks: Bools, score: Callable[[Floats], Floats]
) -> Floats:
    """Mean score over the background of each coalition and patient, shape (coalitions, n)."""
    m, p = background.shape
    worth = np.empty((len(masks), len(values)))
    width = max(1, _CELLS // (m * p))
    for start in range(0, len(masks), width):
        part = masks[start : start + width, None, :]
        for column, patient in enumerate(values):
            rows = np.where(part, patient, background).reshape(-1, p)
            worth[start : start + width, column] = score(rows).reshape(-1, m).mean(axis=1)
    return worth


def _some_coalitions(p: int, budget: int, rng: np.random.Generator) -> tuple[Bools, Floats]:
    """Coalitions neither empty nor full, and their weights: sizes in full from both ends inwards.

    What a size weighs as a whole goes to its coalitions; the sizes left over are drawn.
    """
    rows: list[Bools] = []
    weights: list[Floats] = []
    left, size = budget, 1
    while size <= p // 2 and (count := _opposed(p, size) * comb(p, size)) <= left:
        chosen = np.zeros((comb(p, size), p), dtype=bool)
        places = np.array(list(combinations(range(p), size)))
        np.put_along_axis(chosen, places, True, axis=1)
        rows += [chosen, ~chosen][: _opposed(p, size)]
        weights.append(np.full(count, _weight(p, size) / comb(p, size)))
        left, size = left - count, size + 1
    if size <= p // 2 and left >= 2:
        sizes = np.arange(size, p // 2 + 1)
        total = np.array([_opposed(p, s) * _weight(p, s) for s in sizes])
        drawn = rng.choice(sizes, size=left // 2, p=total / total.sum())
        # The places of the smallest of p random numbers are a random subset.
        chosen = rng.random((len(drawn), p)).argsort(axis=1).argsort(axis=1) < drawn[:, None]
        chosen, counts = np.unique(np.concatenate([chosen, ~chosen]), axis=0, return_counts=True)
        rows.append(chosen)
        weights.append(total.sum() * counts / counts.sum())
    return np.concatenate(rows), np.concatenate(weights)


def _opposed(p: int, size: int) -> int:
    """Sizes that belong together: a size and that of the opposites, which may be the same."""
    return 1 if 2 * size == p else 2


def _weight(p: int, size: int) -> float:
    """Kernel weight of all coalitions of a size together."""
    return (p - 1) / (size * (p - size))


def _additive_fit(masks: Bools, weights: Floats, worth: Floats) -> Floats:
    """Weighted least squares under the condition that the values add up; shape (n, p).

    `worth` begins with the empty and the full coalition.
    """
    design = masks.astype(float)
    moments = (design * weights[:, None]).T
    gram = moments @ design
    free = np.linalg.solve(gram, moments @ (worth[2:] - worth[0]))
    ones = np.linalg.solve(gram, np.ones(masks.shape[1]))
    excess = free.sum(axis=0) - (worth[1] - worth[0])
    return (free - np.outer(ones, excess / ones.sum())).T
