"""A small neural network for tens of patients."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.method import Method
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.models.learners.entry import SCOPE, Learner
from radiogenomics.models.ordered_classifier import OrderedClassifier


class SmallNetwork(OrderedClassifier, BaseEstimator):
    r"""Two-class network of one hidden layer, standardised inputs and a fixed number of steps.

    Score: :math:`s(x) = v \cdot \tanh(W^\top z + a) + b` with :math:`z` the standardised features.
    Minimises the patients' logistic losses plus :math:`\alpha / 2` times the squared weights
    (:math:`W` and :math:`v`), by at most ``steps`` steps of L-BFGS. No patient is set aside to
    stop early: with tens of patients that part would be too small to say when. Reaching the last
    step is the rule here, not a fault, so it raises no warning.

    The loss has many minima; another ``random_state`` gives another network.

    Parameters
    ----------
    alpha
        Penalty on the weights, above 0; larger is more regularised.
    units
        Hidden units.
    steps
        Largest number of optimiser steps.
    random_state
        Seed of the first weights.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels, sorted; scores are for ``classes_[1]``.
    scaler_ : StandardScaler
        Means and standard deviations of the training part.
    network_ : MLPClassifier
        The fitted network; it knows the classes as 0 and 1.
    n_iter_ : int
        Steps taken.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes.

    Examples
    --------
    >>> X = np.linspace(-1, 1, 20)[:, None]
    >>> SmallNetwork(alpha=0.1).fit(X, np.abs(X[:, 0]) > 0.5).predict([[-0.9], [0.0], [0.9]])
    array([ True, False,  True])
    """

    card: ClassVar[Method] = Method(
        name="mlp",
        title="Neural network of one hidden layer of 8 units, no early stopping",
        scope=SCOPE,
        reference="Rumelhart, Hinton and Williams, Nature 1986;323:533, doi:10.1038/323533a0",
        limits="Not convex: another seed, another network. Beats a linear learner only where the "
        "truth is curved and patients are many.",
        learns=True,
    )

    def __init__(
        self, *, alpha: float = 1.0, units: int = 8, steps: int = 100, random_state: int | None = 0
    ) -> None:
        self.alpha = alpha
        self.units = units
        self.steps = steps
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> SmallNetwork:
        """Standardise and train; ``y`` has two classes."""
        refuse_other_order(X, y)
        values, label = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(label)
        self.classes_, code = two_classes(label)
        self.scaler_ = StandardScaler()
        self.network_ = MLPClassifier(
            (self.units,),
            activation="tanh",
            solver="lbfgs",
            alpha=self.alpha,
            max_iter=self.steps,
            random_state=self.random_state,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.network_.fit(self.scaler_.fit_transform(values), code)
        self.n_iter_ = self.network_.n_iter_
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of ``classes_[1]``, shape (n,), not calibrated."""
        check_is_fitted(self)
        values = self.scaler_.transform(validate_data(self, X, dtype=np.float64, reset=False))
        hidden, output = self.network_.coefs_
        at_hidden, at_output = self.network_.intercepts_
        return np.tanh(values @ hidden + at_hidden) @ output[:, 0] + at_output[0]

    def predict(self, X: Any) -> np.ndarray:
        """Return the class with the higher score."""
        above = self.decision_function(X) > 0
        return self.classes_[above.astype(int)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def small_network(random_state: int | None) -> Learner:
    """Build ``mlp``."""
    return Learner(
        SmallNetwork(random_state=random_state), ({"alpha": (10.0, 1.0)},), SmallNetwork.card
    )
