"""Patients who were never scanned again are scored by their baseline, all others by both scans."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.base import BaseEstimator, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)

from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    SchemaError,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.method import Method
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.models.blocks import MARK, with_absent_blocks
from radiogenomics.models.ordered_classifier import OrderedClassifier
from radiogenomics.models.steps import Rows, checked_rows

REST = "(all others)"
LEAST_PER_CLASS = 2


class BaselineFallback(OrderedClassifier, BaseEstimator):
    """Two models: of all time points for who has them, of the baseline for who was not seen again.

    A patient falls back when every column of the follow-up is NaN; single gaps are left to the
    steps of ``full``. ``full`` is fitted on patients with a follow-up, ``baseline`` on everybody,
    with the columns that are not of the follow-up. New patients whose table has no column of a
    follow-up block lack that block, as in :class:`radiogenomics.models.late_fusion.LateFusion`.

    Both must give calibrated probabilities, as a ``TunedClassifier`` does: the patients of both
    models are then ranked together by them. That misleads when

    - coming back says something itself: those who died or progressed early have no follow-up, so
      ``full`` has learnt the prevalence of those who lived long enough, ``baseline`` of everybody;
    - one model knows much less: its probabilities crowd around the prevalence, and patients change
      places by having been scanned, not by what was seen;
    - one of them was fitted on few: its calibration is a guess. ``fell_back_`` and
      ``falls_back(X)`` say how many, so that the AUC can be reported for either kind alone.

    Parameters
    ----------
    full
        Classifier with ``predict_proba`` for patients with a follow-up; it sees all columns.
    baseline
        The same for patients without; it never sees a column of the follow-up.
    follow_up
        What the follow-up is: blocks, of which the columns are named ``<block>|<feature>``, or
        single columns; positions, negative ones from the end, where columns have no names.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels, sorted; scores are for ``classes_[1]``.
    blocks_ : dict of str to ndarray
        Positions of the columns of each part of the follow-up, and of all others.
    full_, baseline_ : classifier
        Fitted; they know the classes as 0 and 1.
    fell_back_ : int
        How many patients of training lack the follow-up.
    selected_features_ : ndarray of str or None
        Features that either model uses; None when one does not tell.

    Raises
    ------
    OutcomeError
        The label has not two classes, or fewer than 2 patients of one have a follow-up.
    DataError
        Nobody has a follow-up, or all columns are of it.
    UnknownNameError
        There is no such block or column.
    StudyError
        A model gives no probabilities, or takes no weights where some are given.

    References
    ----------
    Saar-Tsechansky and Provost, J Mach Learn Res 2007;8:1623 (a model for each pattern of what is
    missing).

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(rng.normal(size=(60, 2)), columns=["pre|size", "post|size"])
    >>> y = (X["post|size"] > 0).astype(int)
    >>> X.loc[:9, "post|size"] = np.nan
    >>> model = BaselineFallback(LogisticRegression(), LogisticRegression(), ("post",)).fit(X, y)
    >>> model.fell_back_, int(model.falls_back(X).sum())
    (10, 10)
    """

    card: ClassVar[Method] = Method(
        name="baseline_fallback",
        title="Two time points where there are two, a model of the baseline where there is one",
        scope="models: longitudinal",
        reference="Saar-Tsechansky and Provost, J Mach Learn Res 2007;8:1623",
        limits="Patients of both models are ranked together by their probabilities; who was not "
        "scanned again often fared badly, which neither model is told.",
        learns=True,
    )

    def __init__(
        self, full: Any, baseline: Any, follow_up: Sequence[str | int] = ("follow_up",)
    ) -> None:
        self.full = full
        self.baseline = baseline
        self.follow_up = follow_up

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> BaselineFallback:
        """Fit both models; ``y`` has two classes, weights (n,) are 0 or more or None."""
        refuse_other_order(X, y)
        label = validate_data(self, y=y)  # first: it forgets the names of features
        rows = checked_rows(self, X, reset=True)
        check_consistent_length(rows.values, label)
        check_classification_targets(label)
        self.classes_, target = two_classes(label)
        names = getattr(self, "feature_names_in_", None)
        self.blocks_ = _places(self.follow_up, names, n_columns=rows.values.shape[1])
        self._require_models(rows, weighted=sample_weight is not None)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, rows.values)
        back = self._missing(rows)
        _require_both(target[~back], len(target))
        seen = np.flatnonzero(~back)
        seen_weight = None if weight is None else weight[seen]
        table = self._both_scans(self.full, rows.take(seen))
        self.full_ = _fit(clone(self.full), table, target[seen], seen_weight)
        table = self._first_scan(self.baseline, rows)
        self.baseline_ = _fit(clone(self.baseline), table, target, weight)
        self.fell_back_ = int(back.sum())
        self.selected_features_ = _union(self.full_, self.baseline_)
        return self

    def falls_back(self, X: Any) -> np.ndarray:
        """Whether each patient lacks the follow-up and is scored by the baseline, shape (n,)."""
        return self._missing(self._new_patients(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of ``classes_[1]`` by the model that each patient falls to, shape (n,)."""
        return self._scored(self._new_patients(X), _log_odds)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the two classes, shape (n, 2)."""
        positive = self._scored(self._new_patients(X), _probability)
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> np.ndarray:
        """Return the more probable class."""
        above = self._scored(self._new_patients(X), _probability) > 0.5
        return self.classes_[above.astype(int)]

    @property
    def needs_names(self) -> bool:
        """True when blocks or a step of a model are looked up by name."""
        named = any(isinstance(word, str) for word in self.follow_up)
        return named or any(_needs_names(model) for model in (self.full, self.baseline))

    def _scored(self, rows: Rows, score: Callable[[Any, Any], np.ndarray]) -> np.ndarray:
        back = self._missing(rows)
        there, gone = np.flatnonzero(~back), np.flatnonzero(back)
        scores = np.empty(len(back))
        if there.size:
            scores[there] = score(self.full_, self._both_scans(self.full_, rows.take(there)))
        if gone.size:
            scores[gone] = score(self.baseline_, self._first_scan(self.baseline_, rows.take(gone)))
            warnings.warn(
                f"{gone.size} of {len(back)} patients have no follow-up: they are scored by the "
                "baseline model.",
                RadiogenomicsWarning,
                stacklevel=3,
            )
        return scores

    def _new_patients(self, X: Any) -> Rows:
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        return checked_rows(self, with_absent_blocks(X, names, self.blocks_), reset=False)

    def _missing(self, rows: Rows) -> np.ndarray:
        """Whether each patient lacks every column of the follow-up."""
        columns = [places for block, places in self.blocks_.items() if block != REST]
        return np.asarray(np.isnan(rows.values[:, np.concatenate(columns)]).all(axis=1))

    def _both_scans(self, model: Any, rows: Rows) -> Any:
        return self._table(model, rows, np.arange(rows.values.shape[1]))

    def _first_scan(self, model: Any, rows: Rows) -> Any:
        return self._table(model, rows, self.blocks_[REST])

    def _table(self, model: Any, rows: Rows, columns: np.ndarray) -> Any:
        """Columns for one model, and the row facts that its steps use; named where names are."""
        names = getattr(self, "feature_names_in_", None)
        if names is None and rows.facts is None:
            return rows.values[:, columns]
        labels = [f"x{i}" for i in columns] if names is None else names[columns]
        table = pd.DataFrame(rows.values[:, columns], columns=labels)
        facts = () if rows.facts is None else rows.facts.columns
        eaten = [fact for fact in facts if fact in _facts_of(model)]
        return table.assign(**{fact: rows.facts[fact].to_numpy() for fact in eaten})

    def _require_models(self, rows: Rows, *, weighted: bool) -> None:
        for role, model in (("full", self.full), ("baseline", self.baseline)):
            if not hasattr(model, "predict_proba"):
                raise StudyError(
                    f"{role}: expected a classifier with probabilities, which those of the other "
                    f"model can stand beside; found {type(model).__name__}. Wrap it in a "
                    "TunedClassifier, which calibrates."
                )
            if weighted and not has_fit_parameter(model, "sample_weight"):
                raise StudyError(
                    f"{role}: expected a classifier that takes weights of patients; found "
                    f"{type(model).__name__}. Wrap it in a TunedClassifier, or give no weights."
                )
        given = () if rows.facts is None else rows.facts.columns
        left = [f for f in given if f not in _facts_of(self.full) | _facts_of(self.baseline)]
        if left:
            raise SchemaError(
                f"expected a step for each row fact; found none for {short_list(left)} in either "
                "model. Add the step that uses it, or drop the column."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


def _places(
    follow_up: Sequence[str | int], names: Sequence[str] | None, *, n_columns: int
) -> dict[str, np.ndarray]:
    """Positions of the columns of each part of the follow-up, and of all others."""
    words = [follow_up] if isinstance(follow_up, str) else list(follow_up)
    found = {str(word): _columns_of(word, names, n_columns=n_columns) for word in words}
    taken = np.zeros(n_columns, dtype=bool)
    for columns in found.values():
        taken[columns] = True
    if not found or taken.all():
        raise DataError(
            "follow_up: expected some of the columns, the baseline being the others; found "
            f"{int(taken.sum())} of {n_columns} feature(s) named by {short_list(words) or 'none'}. "
            "Name the blocks of the follow-up."
        )
    return found | {REST: np.flatnonzero(~taken)}


def _columns_of(word: str | int, names: Sequence[str] | None, *, n_columns: int) -> np.ndarray:
    """Columns of a block, or the one column of that name or position."""
    if not isinstance(word, str):
        known = range(-n_columns, n_columns)
        if word not in known:
            raise UnknownNameError("position of the follow-up", str(word), map(str, known))
        return np.array([word % n_columns])
    if names is None:
        raise SchemaError(
            f"follow_up: expected a table with columns named block{MARK}feature to find {word!r}; "
            "found no names. Give a DataFrame, or positions."
        )
    blocks = [name.split(MARK, 1)[0] if MARK in name else name for name in names]
    columns = [i for i, name in enumerate(names) if word in (name, blocks[i])]
    if not columns:
        raise UnknownNameError("block of the follow-up", word, dict.fromkeys(blocks))
    return np.array(columns)


def _require_both(target: np.ndarray, n_patients: int) -> None:
    """Refuse follow-up of nobody, or of too few of a class."""
    if not target.size:
        raise DataError(
            f"expected patients with a follow-up; found none of {n_patients}. Use the model of the "
            "baseline alone."
        )
    counts = np.bincount(target, minlength=2)
    if counts.min() < LEAST_PER_CLASS:
        raise OutcomeError(
            f"expected at least {LEAST_PER_CLASS} patients of each class with a follow-up; found "
            f"{counts[0]} and {counts[1]} of {n_patients}. Use the model of the baseline alone, or "
            "more patients."
        )


def _parts(model: Any) -> list[Any]:
    """Return a model and every estimator within it."""
    return [model, *model.get_params(deep=True).values()]


def _facts_of(model: Any) -> set[str]:
    return {fact for part in _parts(model) for fact in getattr(part, "row_facts", ())}


def _needs_names(model: Any) -> bool:
    return bool(_facts_of(model)) or any(getattr(p, "needs_names", False) for p in _parts(model))


def _fit(model: Any, X: Any, target: np.ndarray, weight: np.ndarray | None) -> Any:
    if weight is None:
        return model.fit(X, target)
    return model.fit(X, target, sample_weight=weight)


def _probability(model: Any, X: Any) -> np.ndarray:
    return np.asarray(model.predict_proba(X))[:, 1]


def _log_odds(model: Any, X: Any) -> np.ndarray:
    """Decision function, which calibrated models give in log-odds, else from probabilities."""
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(X))
    least = np.finfo(float).eps
    return logit(np.clip(_probability(model, X), least, 1 - least))


def _union(full: Any, baseline: Any) -> np.ndarray | None:
    both = [getattr(model, "selected_features_", None) for model in (full, baseline)]
    if any(part is None for part in both):
        return None
    return np.array(list(dict.fromkeys(map(str, np.concatenate(both)))), dtype=object)
