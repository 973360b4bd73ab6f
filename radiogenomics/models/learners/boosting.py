"""Learners that add small trees one after the other."""

from __future__ import annotations

from sklearn.ensemble import GradientBoostingClassifier

from radiogenomics.core.errors import MissingExtraError
from radiogenomics.core.method import Method
from radiogenomics.models.learners.entry import SCOPE, Learner
from radiogenomics.models.learners.stumps import BoostedStumps


def gradient_boosting(random_state: int | None) -> Learner:
    """Build ``gb``."""
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


def extreme_gradient_boosting(random_state: int | None) -> Learner:
    """Build ``xgb``.

    Raises
    ------
    MissingExtraError
        XGBoost is not installed.
    """
    try:
        from xgboost import XGBClassifier
    except ImportError:
        raise MissingExtraError(
            "expected XGBoost for the learner xgb; it is not installed. "
            "Run: pip install 'radiogenomics[boost]', or name another learner."
        ) from None
    return Learner(
        XGBClassifier(
            n_estimators=50,
            max_depth=2,
            tree_method="hist",
            # One thread: sums are added up in one order, so each run gives the same trees.
            n_jobs=1,
            random_state=random_state,
        ),
        ({"learning_rate": (0.03, 0.1)},),
        Method(
            name="xgb",
            title="XGBoost: 50 penalised trees of depth 2",
            scope=SCOPE,
            reference="Chen and Guestrin, KDD 2016:785, doi:10.1145/2939672.2939785",
            limits="Overfits small cohorts. Features are binned, so close values may count as "
            "equal.",
            learns=True,
        ),
    )


def boosted_stumps(random_state: int | None) -> Learner:
    """Build ``adaboost``."""
    return Learner(BoostedStumps(), ({"learning_rate": (0.1, 1.0)},), BoostedStumps.card)
