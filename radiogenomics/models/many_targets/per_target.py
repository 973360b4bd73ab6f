"""The estimator behind the regressions of many targets: checks, inner folds, fit and predict."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, OutcomeError, short_list
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.models.many_targets.prepared import (
    Choice,
    InnerFold,
    Positions,
    PreparedPart,
    Reader,
    Standard,
    choose,
    deal_rows,
)
from radiogenomics.stats.inputs import Floats


class TunedPerTarget(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Regress many targets on the same features, each with the strength that suits it.

    What the features alone decide (standardisation, inner folds, decompositions) is done once for
    all targets, in :meth:`prepare` even once for all permutations of them.
    """

    n_splits: int
    random_state: int

    def fit(self, X: Any, y: Any) -> Any:
        """Tune and learn; ``y`` of shape (n, targets), or (n,) for a single one.

        Raises
        ------
        OutcomeError
            A target does not vary.
        DataError
            There are fewer than four patients, a value is missing, or a parameter is senseless.
        """
        self._check_grid()
        refuse_row_facts(X)
        refuse_other_order(X, y)
        names = _target_names(y)
        rows, learnt = validate_data(
            self, X, y, dtype=np.float64, multi_output=True, y_numeric=True
        )
        self._single = learnt.ndim == 1
        targets = np.asarray(learnt, dtype=float).reshape(len(rows), -1)
        self.target_names_ = names or tuple(f"y{i}" for i in range(targets.shape[1]))
        inner = self._inner(rows, _patients(X, len(rows)))
        _refuse_constant(targets, self.target_names_)
        self.n_patients_, self.n_splits_ = len(rows), len(inner)
        self.standard_ = Standard.of(rows)
        self.centre_, self.scale_ = self.standard_.centre, self.standard_.scale
        self.target_mean_ = targets.mean(axis=0)
        self.target_median_ = np.median(targets, axis=0)
        centred = targets - self.target_mean_
        choice = choose(inner, centred)
        self._keep_choice(choice)
        self._learn(self.standard_.apply(rows), centred, choice.candidate)
        return self

    def predict(self, X: Any) -> Floats:
        """Return what the features foretell, in units of the targets, shape as ``y`` in fit."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        found = self.target_mean_ + self._deviations(self.standard_.apply(rows))
        return found[:, 0] if self._single else found

    def prepare(self, X: Any, asked: Any) -> PreparedPart:
        """Do once what does not depend on targets: for cross-validation and its permutations.

        ``prepare(X, asked).foretell(Y)`` is ``fit(X, Y).predict(asked)``; nothing is learnt by this
        estimator itself.

        Parameters
        ----------
        X, asked
            Training part, shape (n, p), and rows to foretell, shape (rows, p).
        """
        self._check_grid()
        for table in (X, asked):
            refuse_row_facts(table)
        rows, others = (
            check_array(table, dtype=np.float64, estimator=self, input_name="X")
            for table in (X, asked)
        )
        if rows.shape[1] != others.shape[1]:
            raise DataError(
                f"expected the same features in both parts; found {rows.shape[1]} and "
                f"{others.shape[1]}. Split one table."
            )
        return PreparedPart(
            self._inner(rows, _patients(X, len(rows))), self._standard_reader(rows, others)
        )

    @abstractmethod
    def _check_grid(self) -> None:
        """Refuse a senseless grid."""

    @abstractmethod
    def _reader(self, rows: Floats, asked: Floats) -> Reader:
        """From standardised rows of a training part to others."""

    @abstractmethod
    def _keep_choice(self, choice: Choice) -> None:
        """Set ``best_*_`` from the chosen candidates."""

    @abstractmethod
    def _learn(self, rows: Floats, targets: Floats, chosen: Positions) -> None:
        """Learn centred targets from standardised rows, each by its candidate."""

    @abstractmethod
    def _deviations(self, rows: Floats) -> Floats:
        """What is foretold of standardised rows, less the training mean."""

    def _inner(self, rows: Floats, patient: Positions) -> tuple[InnerFold, ...]:
        if self.n_splits < 2:
            raise DataError(f"n_splits: expected at least 2; found {self.n_splits}. Give more.")
        n_patients = int(patient.max()) + 1
        n_splits = min(self.n_splits, n_patients // 2)
        if n_splits < 2:
            raise DataError(
                "expected at least 4 patients, 2 in each of 2 inner folds; found n_samples = "
                f"{len(rows)} of {n_patients} patient(s). Use more patients."
            )
        fold = deal_rows(patient, n_splits, check_random_state(self.random_state))
        inner = []
        for number in range(n_splits):
            train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            inner.append(InnerFold(train, test, self._standard_reader(rows[train], rows[test])))
        return tuple(inner)

    def _standard_reader(self, rows: Floats, asked: Floats) -> Reader:
        standard = Standard.of(rows)
        return self._reader(standard.apply(rows), standard.apply(asked))

    def _keep_r2(self, choice: Choice) -> None:
        self.grid_r2_ = 1 - choice.missed / choice.missed[0]
        self.inner_r2_ = np.take_along_axis(self.grid_r2_, choice.candidate[None], axis=0)[0]


def checked_penalties(values: Any, what: str) -> Floats:
    """Return positive numbers, largest first.

    Raises
    ------
    DataError
        There is none, or one is not positive or not finite.
    """
    numbers = np.unique(np.asarray(values, dtype=float))[::-1]
    if numbers.size == 0 or not (np.isfinite(numbers) & (numbers > 0)).all():
        raise DataError(
            f"{what}: expected one or more positive numbers; found {short_list(np.ravel(values))}. "
            "Give a few on a logarithmic scale; the training mean is among the candidates anyway."
        )
    return numbers


def _target_names(y: Any) -> tuple[str, ...]:
    if isinstance(y, pd.DataFrame):
        return tuple(map(str, y.columns))
    return (str(y.name),) if isinstance(y, pd.Series) and y.name is not None else ()


def _patients(X: Any, n: int) -> Positions:
    """Number of the patient of each row, from 0: rows of a table that share a label are one's."""
    if isinstance(X, pd.DataFrame):
        return np.asarray(pd.factorize(X.index, use_na_sentinel=False)[0])
    return np.arange(n)


def _refuse_constant(targets: Floats, names: tuple[str, ...]) -> None:
    constant = np.ptp(targets, axis=0) <= 0
    if constant.any():
        which = short_list(np.asarray(names, dtype=object)[constant])
        raise OutcomeError(
            f"expected targets that vary; found {int(constant.sum())} of {len(names)} with one "
            f"value for all {len(targets)} rows ({which}). Leave them out."
        )
