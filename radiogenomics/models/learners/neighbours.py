"""Learners that ask the most similar patients."""

from __future__ import annotations

from typing import Any, Self

from sklearn.neighbors import KNeighborsClassifier

from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.models.learners.entry import SCOPE, Learner


class NearestNeighbours(KNeighborsClassifier):
    """scikit-learn's k nearest neighbours, which says so where there are fewer than k."""

    def fit(self, X: Any, y: Any) -> Self:
        """Keep the patients to ask.

        Raises
        ------
        DataError
            There are fewer than k.
        """
        super().fit(X, y)
        if self.n_samples_fit_ < self.n_neighbors:
            raise DataError(
                f"knn: expected at least {self.n_neighbors} patients in every (inner) training "
                f"part; found n_samples = {self.n_samples_fit_}. Use more patients, fewer folds "
                "or another learner."
            )
        return self


def nearest_neighbours(random_state: int | None) -> Learner:
    """Build ``knn``."""
    return Learner(
        NearestNeighbours(),
        ({"n_neighbors": (11, 7, 5)},),
        Method(
            name="knn",
            title="k nearest neighbours",
            scope=SCOPE,
            reference="Cover and Hart, IEEE Trans Inf Theory 1967;13:21, "
            "doi:10.1109/TIT.1967.1053964",
            limits="Coarse scores (shares of k) with many ties; needs 11 patients in each inner "
            "training part; scale-dependent.",
            learns=True,
        ),
    )
