"""The learners a recipe can name, each with a small grid from most to least regularised.

The grids are small on purpose: with tens of patients the inner folds cannot tell fine steps apart,
and the comparison of learners must not be a comparison of how long each was tuned. Features are
expected to be standardised before the learner; trees do not mind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.models.linear_svm import LinearSVM

Grid = tuple[dict[str, tuple[Any, ...]], ...]

SCOPE = "models: binary response"


@dataclass(frozen=True)
class Learner:
    """An unfitted classifier, what is tuned in it, and its card.

    Parameters
    ----------
    estimator
        Unfitted scikit-learn classifier.
    grid
        Dictionaries of parameter → values, most regularised first: a tie goes to the earlier.
    card
        What it is for and when it misleads.
    """

    estimator: BaseEstimator
    grid: Grid
    card: Method


def _svm(random_state: int | None) -> Learner:
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


def _lr(random_state: int | None) -> Learner:
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


def _rf(random_state: int | None) -> Learner:
    return Learner(
        RandomForestClassifier(n_estimators=100, random_state=random_state),
        ({"min_samples_leaf": (5,)},),
        Method(
            name="rf",
            title="Random forest of 100 trees with at least 5 patients a leaf",
            scope=SCOPE,
            reference="Breiman, Mach Learn 2001;45:5, doi:10.1023/A:1010933404324",
            limits="Little to gain from a forest on four features and tens of patients. One grid "
            "point: forests need little tuning, and it is the slowest learner here.",
            learns=True,
        ),
    )


def _knn(random_state: int | None) -> Learner:
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


def _nb(random_state: int | None) -> Learner:
    return Learner(
        GaussianNB(),
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


def _gb(random_state: int | None) -> Learner:
    return Learner(
        GradientBoostingClassifier(n_estimators=50, max_depth=2, random_state=random_state),
        ({"learning_rate": (0.03, 0.1)},),
        Method(
            name="gb",
            title="Gradient boosting of 50 trees of depth 2",
            scope=SCOPE,
            reference="Friedman, Ann Stat 2001;29:1189, doi:10.1214/aos/1013203451",
            limits="Overfits small cohorts; slow with thousands of features.",
            learns=True,
        ),
    )


_LEARNERS: Mapping[str, Callable[[int | None], Learner]] = MappingProxyType(
    {"svm": _svm, "lr": _lr, "rf": _rf, "knn": _knn, "nb": _nb, "gb": _gb}
)


def learner_names() -> tuple[str, ...]:
    """Names that :func:`learner` knows."""
    return tuple(_LEARNERS)


def learner(name: str, *, random_state: int | None = 0) -> Learner:
    """Return an unfitted classifier by its recipe word, with its grid and card.

    Parameters
    ----------
    name
        One of :func:`learner_names`: ``svm``, ``lr``, ``rf``, ``knn``, ``nb``, ``gb``.
    random_state
        Seed of the learners that draw random numbers (``rf``, ``gb``).

    Raises
    ------
    UnknownNameError
        There is no such learner.

    Examples
    --------
    >>> learner("svm").card.title
    'Linear support vector machine, squared hinge loss'
    """
    if name not in _LEARNERS:
        raise UnknownNameError("learner", name, _LEARNERS)
    return _LEARNERS[name](random_state)
