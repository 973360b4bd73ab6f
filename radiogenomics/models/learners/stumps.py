"""AdaBoost of decision stumps, one batch of cuts a round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.models.learners.entry import SCOPE
from radiogenomics.models.ordered_classifier import OrderedClassifier


@dataclass(frozen=True)
class Stump:
    """One cut of one feature, and the class (±1) it calls on either side.

    Parameters
    ----------
    feature
        Column.
    threshold
        Values up to it are on the left.
    left, right
        Class called on the left and on the right, -1 or 1.
    error
        Weighted share of the training part that it calls wrongly, 0 to 1.
    """

    feature: int
    threshold: float
    left: float
    right: float
    error: float


class BoostedStumps(OrderedClassifier, BaseEstimator):
    r"""Two-class AdaBoost: stumps in turn, each on the patients the ones before called wrongly.

    Score: :math:`s(x) = \sum_m a_m h_m(x) / \sum_m a_m`, between -1 and 1, with stumps
    :math:`h_m = \pm 1` and :math:`a_m = \nu \log((1 - e_m) / e_m)`, where :math:`\nu` is
    `learning_rate` and :math:`e_m` the weighted error; patients called wrongly have their weight
    multiplied by :math:`e^{a_m}`. A stump is the cut with the purest sides (Gini), halfway between
    two neighbouring values; ties go to the earlier feature and the lower cut. Boosting ends early
    when a stump calls everybody right, or is no better than chance. Where not even the first is
    (constant features), every score is 0. Needs no random numbers.

    Misleads with wrong labels: patients that cannot be called right draw all the weight.

    Parameters
    ----------
    learning_rate
        Share of each stump's weight that counts, above 0; smaller is more regularised.
    n_estimators
        Largest number of stumps.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels, sorted; scores are for ``classes_[1]``.
    stumps_ : list of Stump
        In the order they were found; may be empty.
    stump_weights_ : ndarray, shape (n_stumps,)
        Weights :math:`a_m`.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes.

    References
    ----------
    Freund and Schapire, J Comput Syst Sci 1997;55:119, doi:10.1006/jcss.1997.1504.

    Examples
    --------
    >>> X = [[0.0], [1.0], [2.0], [3.0], [4.0]]
    >>> BoostedStumps().fit(X, [0, 0, 1, 1, 0]).predict(X)
    array([0, 0, 1, 1, 0])
    """

    card: ClassVar[Method] = Method(
        name="adaboost",
        title="AdaBoost of 50 decision stumps",
        scope=SCOPE,
        reference="Freund and Schapire, J Comput Syst Sci 1997;55:119, doi:10.1006/jcss.1997.1504",
        limits="Drawn to patients whose label is wrong or cannot be told; no interactions, as "
        "each stump cuts one feature.",
        learns=True,
    )

    def __init__(self, *, learning_rate: float = 1.0, n_estimators: int = 50) -> None:
        self.learning_rate = learning_rate
        self.n_estimators = n_estimators

    def fit(self, X: Any, y: Any) -> BoostedStumps:
        """Find the stumps; ``y`` has two classes."""
        if not self.learning_rate > 0:
            raise DataError(
                f"learning_rate: expected a number above 0; found {self.learning_rate}. "
                "Mend the grid."
            )
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(label)
        self.classes_, code = two_classes(label)
        self._boost(values, code)
        return self

    def _boost(self, values: np.ndarray, code: np.ndarray) -> None:
        cuts = _Cuts(values, code)
        sign = 2.0 * code - 1
        share = np.full(len(code), 1 / len(code))
        self.stumps_: list[Stump] = []
        weights: list[float] = []
        while len(weights) < self.n_estimators:
            stump = cuts.best(share)
            if stump is None or stump.error >= 0.5:
                break
            self.stumps_.append(stump)
            if stump.error <= 0:
                weights.append(1.0)
                break
            weights.append(self.learning_rate * float(np.log((1 - stump.error) / stump.error)))
            wrong = _calls(values, [stump])[:, 0] != sign
            share = share * np.exp(weights[-1] * wrong)
            share /= share.sum()
        self.stump_weights_ = np.array(weights)

    def decision_function(self, X: Any) -> np.ndarray:
        """Score of ``classes_[1]``, shape (n,), -1 to 1."""
        check_is_fitted(self)
        values = validate_data(self, X, dtype=np.float64, reset=False)
        if not self.stumps_:
            return np.zeros(len(values))
        return _calls(values, self.stumps_) @ (self.stump_weights_ / self.stump_weights_.sum())

    def predict(self, X: Any) -> np.ndarray:
        """Class that the weighted majority of the stumps calls."""
        above = self.decision_function(X) > 0
        return self.classes_[above.astype(int)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


class _Cuts:
    """All cuts of all features, sorted once for every round."""

    def __init__(self, values: np.ndarray, code: np.ndarray) -> None:
        self._order = np.argsort(values, axis=0, kind="stable")
        self._sorted = np.take_along_axis(values, self._order, axis=0)
        self._possible = self._sorted[1:] > self._sorted[:-1]
        self._positive = (code == 1)[self._order]

    def best(self, share: np.ndarray) -> Stump | None:
        """Cut with the purest sides for patients of weight ``share``; None where none is."""
        if not self._possible.any():
            return None
        weight = share[self._order]
        positive = np.cumsum(weight * self._positive, axis=0)
        negative = np.cumsum(weight * ~self._positive, axis=0)
        left = positive[:-1], negative[:-1]
        right = positive[-1] - left[0], negative[-1] - left[1]
        purity = np.where(self._possible, _purity(*left) + _purity(*right), -np.inf)
        # Down each feature, one feature after the other: ties go to the earlier one.
        feature, row = divmod(int(np.argmax(purity.T)), purity.shape[0])
        sides = [(side[0][row, feature], side[1][row, feature]) for side in (left, right)]
        low, high = self._sorted[row, feature], self._sorted[row + 1, feature]
        middle = low + (high - low) / 2
        return Stump(
            feature=feature,
            threshold=float(middle if middle < high else low),
            left=1.0 if sides[0][0] > sides[0][1] else -1.0,
            right=1.0 if sides[1][0] > sides[1][1] else -1.0,
            error=float(max(min(sides[0]), 0.0) + max(min(sides[1]), 0.0)),
        )


def _purity(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Weight of a side times the chance that two of it are of one class; 0 for no weight."""
    total = positive + negative
    squares = positive**2 + negative**2
    return np.divide(squares, total, out=np.zeros_like(total), where=total > 0)


def _calls(values: np.ndarray, stumps: list[Stump]) -> np.ndarray:
    """What each stump calls each patient, ±1, shape (n, stumps)."""
    columns = values[:, [stump.feature for stump in stumps]]
    below = columns <= np.array([stump.threshold for stump in stumps])
    left = np.array([stump.left for stump in stumps])
    return np.where(below, left, np.array([stump.right for stump in stumps]))
