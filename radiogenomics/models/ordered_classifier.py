"""Accuracy of a classifier on rows that are paired with their labels."""

from __future__ import annotations

from typing import Any

from sklearn.base import ClassifierMixin

from radiogenomics.core.row_order import refuse_other_order


class OrderedClassifier(ClassifierMixin):
    """Base of the classifiers: scikit-learn's, but labels in another order are refused."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of patients whose class is predicted, 0 to 1.

        Parameters
        ----------
        X
            Patients × features.
        y
            Labels, shape (n,), in the order of `X`.
        sample_weight
            Weight of each patient, shape (n,).

        Raises
        ------
        AlignmentError
            The rows of `X` and `y` are named, and in different orders.
        """
        refuse_other_order(X, y)
        return float(super().score(X, y, sample_weight))
