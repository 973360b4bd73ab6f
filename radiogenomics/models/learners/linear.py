"""Learners whose score is a weighted sum of the features."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from radiogenomics.core.method import Method
from radiogenomics.models.learners.entry import SCOPE, Learner
from radiogenomics.models.linear_svm import LinearSVM


def squared_hinge_svm(random_state: int | None) -> Learner:
    """Build ``svm``."""
    return Learner(
        LinearSVM(),
        ({"C": (0.01, 0.1, 1.0, 10.0)},),
        Method(
            name="svm",
            title="Linear support vector machine, squared hinge loss",
            scope=SCOPE,
            reference="Cortes and Vapnik, Mach Learn 1995;20:273, doi:10.1007/BF00994018",
            limits="Scores are distances, not probabilities, until calibrated; scale-dependent.",
            learns=True,
        ),
    )


def hinge_svm(random_state: int | None) -> Learner:
    """Build ``svc``."""
    return Learner(
        SVC(kernel="linear"),
        ({"C": (0.01, 0.1, 1.0, 10.0)},),
        Method(
            name="svc",
            title="Linear support vector machine, hinge loss",
            scope=SCOPE,
            reference="Cortes and Vapnik, Mach Learn 1995;20:273, doi:10.1007/BF00994018",
            limits="The loss of SVC(kernel='linear'), for studies that used it; ranks much as svm "
            "does and takes longer. Scores are distances until calibrated; scale-dependent.",
            learns=True,
        ),
    )


def ridge_logistic(random_state: int | None) -> Learner:
    """Build ``lr``."""
    return Learner(
        LogisticRegression(max_iter=1000, random_state=random_state),
        ({"C": (0.01, 0.1, 1.0, 10.0)},),
        Method(
            name="lr",
            title="Ridge logistic regression",
            scope=SCOPE,
            reference="le Cessie and van Houwelingen, Appl Stat 1992;41:191, doi:10.2307/2347628",
            limits="Linear in the log-odds; coefficients are shrunk, so no odds ratios from it.",
            learns=True,
        ),
    )


def lasso_logistic(random_state: int | None) -> Learner:
    """Build ``lasso_lr``."""
    return Learner(
        LogisticRegression(
            l1_ratio=1.0,
            solver="liblinear",
            # liblinear penalises the intercept too; a large constant column makes that negligible.
            intercept_scaling=100.0,
            max_iter=1000,
            random_state=random_state,
        ),
        ({"C": (0.1, 0.3, 1.0, 3.0)},),
        Method(
            name="lasso_lr",
            title="Logistic regression with the lasso penalty",
            scope=SCOPE,
            reference="Tibshirani, J R Stat Soc B 1996;58:267, "
            "doi:10.1111/j.2517-6161.1996.tb02080.x",
            limits="Takes one of several correlated features, which one by chance; at a small C "
            "with few patients it takes none and ranks nobody. Coefficients are shrunk.",
            learns=True,
        ),
    )
