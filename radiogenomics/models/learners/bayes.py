"""Learners that model the features of each class."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.naive_bayes import GaussianNB

from radiogenomics.core.method import Method
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.models.learners.entry import SCOPE, Learner
from radiogenomics.models.ordered_classifier import OrderedClassifier


class NaiveBayes(OrderedClassifier, GaussianNB):
    """Gaussian naive Bayes that gives the prevalence where no feature varies.

    scikit-learn smooths variances by a share of the largest one; where that is 0 too, scores would
    be missing.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> NaiveBayes:
        """Fit means and variances of each class."""
        refuse_other_order(X, y)
        super().fit(X, y, sample_weight)
        if self.epsilon_ == 0:
            self.var_ = np.ones_like(self.var_)
        return self


def naive_bayes(random_state: int | None) -> Learner:
    """Build ``nb``."""
    return Learner(
        NaiveBayes(),
        ({"var_smoothing": (0.1, 1e-9)},),
        Method(
            name="nb",
            title="Gaussian naive Bayes",
            scope=SCOPE,
            reference="Hand and Yu, Int Stat Rev 2001;69:385, doi:10.2307/1403452",
            limits="Takes features for independent and normal: overconfident when they are not, "
            "which calibration mends in scale only.",
            learns=True,
        ),
    )
