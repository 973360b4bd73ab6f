"""The learners a recipe can name, each with a small grid from most to least regularised.

The grids are small on purpose: with tens of patients the inner folds cannot tell fine steps apart,
and the comparison of learners must not be a comparison of how long each was tuned. Features are
expected to be standardised before the learner; trees do not mind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.models.learners.bayes import naive_bayes
from radiogenomics.models.learners.boosting import (
    boosted_stumps,
    extreme_gradient_boosting,
    gradient_boosting,
)
from radiogenomics.models.learners.entry import SCOPE, Grid, Learner
from radiogenomics.models.learners.kernel import rbf_svm
from radiogenomics.models.learners.linear import (
    hinge_svm,
    lasso_logistic,
    ridge_logistic,
    squared_hinge_svm,
)
from radiogenomics.models.learners.neighbours import nearest_neighbours
from radiogenomics.models.learners.network import small_network
from radiogenomics.models.learners.stack import learner_stack
from radiogenomics.models.learners.trees import (
    bagged_trees,
    extra_trees,
    pruned_tree,
    random_forest,
)

__all__ = ["SCOPE", "Grid", "Learner", "learner", "learner_names"]

_LEARNERS: Mapping[str, Callable[[int | None], Learner]] = MappingProxyType(
    {
        "svm": squared_hinge_svm,
        "lr": ridge_logistic,
        "rf": random_forest,
        "knn": nearest_neighbours,
        "nb": naive_bayes,
        "gb": gradient_boosting,
        "svc": hinge_svm,
        "svm_rbf": rbf_svm,
        "lasso_lr": lasso_logistic,
        "tree": pruned_tree,
        "et": extra_trees,
        "bagging": bagged_trees,
        "adaboost": boosted_stumps,
        "xgb": extreme_gradient_boosting,
        "mlp": small_network,
        "stacking": learner_stack,
    }
)


def learner_names() -> tuple[str, ...]:
    """Names that :func:`learner` knows, those of optional extras among them."""
    return tuple(_LEARNERS)


def learner(name: str, *, random_state: int | None = 0) -> Learner:
    """Return an unfitted classifier by its recipe word, with its grid and card.

    Parameters
    ----------
    name
        One of :func:`learner_names`. Linear: ``svm``, ``svc``, ``lr``, ``lasso_lr``; curved:
        ``svm_rbf``, ``knn``, ``nb``, ``mlp``; trees: ``tree``, ``rf``, ``et``, ``bagging``,
        ``gb``, ``adaboost``, ``xgb`` (extra ``boost``); several of these: ``stacking``.
    random_state
        Seed of the learners that draw random numbers.

    Raises
    ------
    UnknownNameError
        There is no such learner.
    MissingExtraError
        The learner needs an optional package that is not installed.

    Examples
    --------
    >>> learner("svm").card.title
    'Linear support vector machine, squared hinge loss'
    """
    if name not in _LEARNERS:
        raise UnknownNameError("learner", name, _LEARNERS)
    return _LEARNERS[name](random_state)
