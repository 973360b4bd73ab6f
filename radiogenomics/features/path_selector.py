"""What the penalised selectors share: folds, the choice of the penalty, what it keeps."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.linear_models.elastic_net import ElasticNetPath
from radiogenomics.stats.linear_models.elastic_net_choice import choose_penalty

Rule = Literal["min", "1se"]


class PathSelector(FeatureSelector):
    """Base of selectors that keep the non-zero coefficients at a cross-validated penalty.

    A subclass has the parameters below and ends its ``fit`` with :meth:`_choose` and
    :meth:`_settle`.

    Parameters
    ----------
    l1_ratio, rule, n_splits, n_lambdas, lambdas, standardise, shuffle, fallback, random_state
        See :class:`~radiogenomics.features.lasso.LassoSelector`.

    Attributes
    ----------
    lambda_ : float
        The chosen penalty.
    coef_ : ndarray, shape (n_features_in_,)
        Coefficients there, per unit of each variable; all zero after a fallback.
    lambdas_, cv_mean_, cv_se_ : ndarray, shape (n_penalties,)
        Penalties, falling; cross-validated loss at each, lower is better; its standard error.
    n_splits_ : int
        Folds used.
    support_, scores_, fell_back_
        As in :class:`FeatureSelector`; scores are minus the place in which variables came onto the
        path, 1 first, so a fallback keeps those that a larger penalty lets in first.
    """

    l1_ratio: float
    rule: Rule
    n_splits: int
    n_lambdas: int
    lambdas: Sequence[float] | None
    standardise: bool
    shuffle: bool
    random_state: int | None

    def _choose(
        self, values: Floats, y: Floats, event: Floats | None = None, *, family: str, strata: Any
    ) -> tuple[ElasticNetPath, int]:
        """Learn everything but what :meth:`_settle` sets; the path and the place chosen on it."""
        if self.rule not in get_args(Rule):
            raise DataError(
                f"rule: expected 'min' or '1se'; found {self.rule!r}. 'min' is the lowest "
                "cross-validated loss, '1se' the largest penalty within one standard error of it."
            )
        choice = choose_penalty(
            values,
            y,
            event,
            family=family,
            folds=self._folds(len(values), strata, rarest=_rarest(y, event, family=family)),
            l1_ratio=self.l1_ratio,
            lambdas=self.lambdas,
            n_lambdas=self.n_lambdas,
            standardise=self.standardise,
        )
        at = choice.at_min if self.rule == "min" else choice.at_1se
        self.lambdas_, self.lambda_ = choice.path.lambdas, float(choice.path.lambdas[at])
        self.cv_mean_, self.cv_se_ = choice.mean, choice.se
        self.coef_ = choice.path.coef[at].copy()
        return choice.path, at

    def _folds(self, n: int, strata: Any, *, rarest: int) -> NDArray[np.intp]:
        """Fold of each patient; strata are dealt evenly over the folds."""
        if int(self.n_splits) != self.n_splits or self.n_splits < 2:
            raise DataError(
                f"n_splits: expected a whole number from 2; found {self.n_splits}. 10 is usual."
            )
        self.n_splits_ = min(int(self.n_splits), rarest)
        if self.n_splits_ < 2:
            raise OutcomeError(
                "expected at least 2 patients of each class (2 events) to cross-validate; found "
                f"{rarest}. Use other patients, or a filter without folds."
            )
        if self.n_splits_ < self.n_splits:
            warnings.warn(
                f"{type(self).__name__}: {self.n_splits_} folds instead of {self.n_splits}, as "
                f"there are only {rarest} patients of a class (or events).",
                RadiogenomicsWarning,
                stacklevel=4,
            )
        fold = np.empty(n, dtype=int)
        order = np.arange(n)
        if self.shuffle:
            check_random_state(self.random_state).shuffle(order)
        dealt = np.arange(n) % self.n_splits_
        if strata is None:
            fold[order] = np.sort(dealt)
        else:
            fold[order[np.argsort(strata[order], kind="stable")]] = dealt
        return fold


def _rarest(y: Floats, event: Floats | None, *, family: str) -> int:
    """How many folds there can be: events, patients of the smaller class, or patients."""
    if event is not None:
        return int(event.sum())
    return int(min(y.sum(), len(y) - y.sum())) if family == "binomial" else len(y)
