"""Survival models a recipe can name, each with a small grid from most to least regularised.

All are scikit-learn estimators of a structured survival target (event, time in months); `predict`
gives the risk, higher is worse, and `predict_survival`, where there is one, the probability to live
beyond given times. The grids are small on purpose: with tens of events the inner folds cannot tell
fine steps apart. Features are expected to be standardised before the model; trees do not mind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.models.survival.boosting import BoostedCox
from radiogenomics.models.survival.cox import CoxModel
from radiogenomics.models.survival.fine_gray import FineGrayModel, competing_target
from radiogenomics.models.survival.forest import SurvivalForest
from radiogenomics.models.survival.lasso_cox import LassoCox
from radiogenomics.models.survival.model import SurvivalModel
from radiogenomics.models.survival.svm import SurvivalSVM
from radiogenomics.models.survival.tuned import TunedSurvival

__all__ = [
    "BoostedCox",
    "CoxModel",
    "FineGrayModel",
    "LassoCox",
    "SurvivalForest",
    "SurvivalLearner",
    "SurvivalModel",
    "SurvivalSVM",
    "TunedSurvival",
    "competing_target",
    "survival_learner",
    "survival_learner_names",
]

Grid = tuple[dict[str, tuple[Any, ...]], ...]


@dataclass(frozen=True)
class SurvivalLearner:
    """An unfitted survival model, what is tuned in it, and its card.

    Parameters
    ----------
    estimator
        Unfitted.
    grid
        Dictionaries of parameter → values, most regularised first: a tie goes to the earlier.
    card
        What it is for and when it misleads.
    """

    estimator: SurvivalModel
    grid: Grid
    card: Method


def _cox(random_state: int | None) -> SurvivalLearner:
    card = replace(
        CoxModel.card,
        title="Cox proportional hazards regression",
        limits="Linear in the log hazard, hazards proportional; wants about ten events a feature "
        "and fails with fewer events than features or features that separate.",
    )
    return SurvivalLearner(CoxModel(), ({},), card)


def _ridge_cox(random_state: int | None) -> SurvivalLearner:
    card = replace(
        CoxModel.card,
        name="ridge_cox",
        title="Ridge Cox regression",
        reference="Verweij and van Houwelingen, Stat Med 1994;13:2427, doi:10.1002/sim.4780132307",
        limits="Linear in the log hazard, hazards proportional; coefficients are shrunk and no "
        "hazard ratios; keeps all features.",
    )
    grid = ({"penalty": (1000.0, 100.0, 10.0, 1.0)},)
    return SurvivalLearner(CoxModel(penalty=10.0), grid, card)


def _lasso_cox(random_state: int | None) -> SurvivalLearner:
    card = replace(LassoCox.card, title="LASSO Cox regression")
    return SurvivalLearner(LassoCox(), ({"share": (0.8, 0.6, 0.4, 0.2, 0.1)},), card)


def _elastic_net_cox(random_state: int | None) -> SurvivalLearner:
    card = replace(
        LassoCox.card,
        name="elastic_net_cox",
        title="Elastic-net Cox regression, half LASSO and half ridge",
        limits="Coefficients are shrunk and no hazard ratios; keeps groups of features that go "
        "together, so more of them than LASSO; scale-dependent.",
    )
    grid = ({"share": (0.8, 0.6, 0.4, 0.2, 0.1)},)
    return SurvivalLearner(LassoCox(l1_ratio=0.5), grid, card)


def _rsf(random_state: int | None) -> SurvivalLearner:
    model = SurvivalForest(random_state=random_state)
    return SurvivalLearner(model, ({"min_samples_leaf": (15, 5)},), SurvivalForest.card)


def _boosted_cox(random_state: int | None) -> SurvivalLearner:
    model = BoostedCox(random_state=random_state)
    return SurvivalLearner(model, ({"learning_rate": (0.03, 0.1)},), BoostedCox.card)


def _survival_svm(random_state: int | None) -> SurvivalLearner:
    model = SurvivalSVM(random_state=random_state)
    return SurvivalLearner(model, ({"alpha": (0.0001, 0.001, 0.01, 0.1)},), SurvivalSVM.card)


_LEARNERS: Mapping[str, Callable[[int | None], SurvivalLearner]] = MappingProxyType(
    {
        "cox": _cox,
        "ridge_cox": _ridge_cox,
        "lasso_cox": _lasso_cox,
        "elastic_net_cox": _elastic_net_cox,
        "rsf": _rsf,
        "boosted_cox": _boosted_cox,
        "survival_svm": _survival_svm,
    }
)


def survival_learner_names() -> tuple[str, ...]:
    """Names that :func:`survival_learner` knows."""
    return tuple(_LEARNERS)


def survival_learner(name: str, *, random_state: int | None = 0) -> SurvivalLearner:
    """Return an unfitted survival model by its recipe word, with its grid and card.

    Parameters
    ----------
    name
        One of :func:`survival_learner_names`: ``cox``, ``ridge_cox``, ``lasso_cox``,
        ``elastic_net_cox``, ``rsf``, ``boosted_cox``, ``survival_svm``.
    random_state
        Seed of the models that draw random numbers.

    Raises
    ------
    UnknownNameError
        There is no such model.

    Examples
    --------
    >>> survival_learner("rsf").card.title
    'Random survival forest, log-rank splitting'
    """
    if name not in _LEARNERS:
        raise UnknownNameError("survival learner", name, _LEARNERS)
    return _LEARNERS[name](random_state)
