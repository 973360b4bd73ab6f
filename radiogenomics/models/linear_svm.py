"""Linear support vector machine with squared hinge loss, solved exactly by a finite Newton method.

The surrogate's learner is fitted thousands of times, in inner folds of outer folds of permutations,
on tens of patients and a few features; there general solvers spend most of their time on set-up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.models.ordered_classifier import OrderedClassifier

MAX_STEPS = 200
SMALLEST_STEP = 2.0**-40


@dataclass(frozen=True)
class Hyperplane:
    """A separating hyperplane ``x · weights + intercept = 0``.

    Parameters
    ----------
    weights
        Shape (p,).
    intercept
        Offset.
    scores
        Values at the training patients, shape (n,).
    steps
        Newton steps taken.
    """

    weights: np.ndarray
    intercept: float
    scores: np.ndarray
    steps: int


class LinearSVM(OrderedClassifier, BaseEstimator):
    r"""Two-class linear support vector machine, :math:`L_2`-regularised, squared hinge loss.

    Minimises :math:`\frac12 \lVert w \rVert^2 + C \sum_i \max(0, 1 - y_i (w \cdot x_i + b))^2`
    with :math:`y_i = \pm 1`; the intercept :math:`b` is not penalised. The solution is unique in
    :math:`w` and needs no random numbers. Depends on the scale of the features: standardise first.

    Parameters
    ----------
    C
        Weight of the losses beside the margin, above 0; smaller is more regularised.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels, sorted; scores are for ``classes_[1]``.
    coef_ : ndarray, shape (1, n_features_in_)
        Weights :math:`w`.
    intercept_ : ndarray, shape (1,)
        Intercept :math:`b`.
    n_iter_ : int
        Newton steps.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes.

    References
    ----------
    Cortes and Vapnik, Mach Learn 1995;20:273, doi:10.1007/BF00994018. Keerthi and DeCoste, J Mach
    Learn Res 2005;6:341 (finite Newton method).

    Examples
    --------
    >>> LinearSVM().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).predict([[0.2], [2.9]])
    array([0, 1])
    """

    def __init__(self, C: float = 1.0) -> None:
        self.C = C

    def fit(self, X: Any, y: Any) -> LinearSVM:
        """Find the hyperplane; ``y`` has two classes."""
        if not self.C > 0:
            raise DataError(f"C: expected a number above 0; found {self.C}. Mend the grid.")
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(label)
        self.classes_, code = two_classes(label)
        plane = separate(values, 2.0 * code - 1, C=self.C)
        self.coef_, self.intercept_ = plane.weights[None, :], np.array([plane.intercept])
        self.n_iter_ = plane.steps
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Score of ``classes_[1]``, shape (n,): 0 on the hyperplane, ±1 on the margins."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        return values @ self.coef_[0] + self.intercept_[0]

    def predict(self, X: Any) -> np.ndarray:
        """Side of the hyperplane."""
        above = self.decision_function(X) > 0
        return self.classes_[above.astype(int)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def separate(values: np.ndarray, sign: np.ndarray, *, C: float) -> Hyperplane:
    """Find the hyperplane of :class:`LinearSVM` for ``values`` (n, p) and ``sign`` (n,) of ±1.

    Between two changes of the set of patients inside the margin the loss is a ridge regression, so
    each step solves one, on these patients alone, and goes towards its solution as far as the loss
    falls. It ends, exactly, when the set no longer changes.
    """
    gram = values @ values.T if values.shape[1] > values.shape[0] else None
    plane = Hyperplane(np.zeros(values.shape[1]), 0.0, np.zeros(len(sign)), 0)
    loss = _loss(plane, sign, C)
    for _ in range(MAX_STEPS):
        inside = sign * plane.scores < 1
        target = _ridge(values, sign, inside, C=C, gram=gram)
        size, trial = 1.0, target
        while (trial_loss := _loss(trial, sign, C)) > loss and size > SMALLEST_STEP:
            size /= 2
            trial = _between(plane, target, size)
        if trial_loss > loss:
            break
        small = loss - trial_loss <= np.finfo(float).eps * loss
        plane, loss = replace(trial, steps=plane.steps + 1), trial_loss
        if small or (size == 1 and np.array_equal(sign * plane.scores < 1, inside)):
            break
    return plane


def _ridge(
    values: np.ndarray, sign: np.ndarray, inside: np.ndarray, *, C: float, gram: np.ndarray | None
) -> Hyperplane:
    """Ridge regression of ``sign`` on the patients inside the margin, intercept free."""
    y = sign[inside]
    if len(y) == 0:
        return Hyperplane(np.zeros(values.shape[1]), 0.0, np.zeros(len(sign)), 0)
    x = values[inside]
    if gram is None:
        # Centring takes the free intercept out of the equations.
        mean, level = x.mean(axis=0), y.mean()
        centred = x - mean
        normal = centred.T @ centred
        normal.flat[:: len(normal) + 1] += 1 / (2 * C)
        weights = np.linalg.solve(normal, centred.T @ (y - level))
        intercept = float(level - mean @ weights)
        return Hyperplane(weights, intercept, values @ weights + intercept, 0)
    size = len(y)
    system = np.ones((size + 1, size + 1))
    system[:size, :size] = gram[np.ix_(inside, inside)]
    system.flat[:: size + 2] += 1 / (2 * C)
    system[size, size] = 0
    solution = np.linalg.solve(system, np.append(y, 0.0))
    dual, intercept = solution[:-1], float(solution[-1])
    return Hyperplane(x.T @ dual, intercept, gram[:, inside] @ dual + intercept, 0)


def _between(start: Hyperplane, end: Hyperplane, share: float) -> Hyperplane:
    def mix(a: Any, b: Any) -> Any:
        return (1 - share) * a + share * b

    return Hyperplane(
        mix(start.weights, end.weights),
        mix(start.intercept, end.intercept),
        mix(start.scores, end.scores),
        0,
    )


def _loss(plane: Hyperplane, sign: np.ndarray, C: float) -> float:
    short = np.maximum(0, 1 - sign * plane.scores)
    return float(plane.weights @ plane.weights / 2 + C * (short @ short))
