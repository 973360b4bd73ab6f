"""Learners that compare patients through a kernel."""

from __future__ import annotations

from sklearn.svm import SVC

from radiogenomics.core.method import Method
from radiogenomics.models.learners.entry import SCOPE, Learner


def rbf_svm(random_state: int | None) -> Learner:
    """Build ``svm_rbf``."""
    return Learner(
        SVC(kernel="rbf", gamma="scale"),
        ({"C": (0.1, 1.0, 10.0), "gamma": (0.01, "scale")},),
        Method(
            name="svm_rbf",
            title="Support vector machine with a radial kernel",
            scope=SCOPE,
            reference="Boser, Guyon and Vapnik, COLT 1992:144, doi:10.1145/130385.130401",
            limits="Remembers patients when gamma and C are large; no weights to read. Scores are "
            "distances until calibrated; scale-dependent.",
            learns=True,
        ),
    )
