"""Learners that ask the most similar patients."""

from __future__ import annotations

from sklearn.neighbors import KNeighborsClassifier

from radiogenomics.core.method import Method
from radiogenomics.models.learners.entry import SCOPE, Learner


def nearest_neighbours(random_state: int | None) -> Learner:
    """Build ``knn``."""
    return Learner(
        KNeighborsClassifier(),
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
