"""Tune, calibrate and refit a classifier with one inner cross-validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    has_fit_parameter,
    validate_data,
)
from threadpoolctl import ThreadpoolController

from radiogenomics.core.errors import (
    DataError,
    MissingExtraError,
    OutcomeError,
    StudyError,
    short_list,
)
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.models.learners import learner, learner_names
from radiogenomics.models.ordered_classifier import OrderedClassifier
from radiogenomics.models.out_of_fold import score
from radiogenomics.models.platt import PlattScaling, fit_platt
from radiogenomics.models.steps import (
    Rows,
    any_needs_names,
    apply_steps,
    checked_rows,
    fit_steps,
    names_behind,
    require_facts_eaten,
    split_pipeline,
)

GridLike = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Sequence[Any]]]


class TunedClassifier(OrderedClassifier, BaseEstimator):
    """Binary classifier tuned and calibrated on one set of inner out-of-fold scores.

    In each inner fold the transformers are fitted once, on the inner training part, and the final
    step once for each point of the grid. The point with the best inner AUC wins, ties go to the
    earlier (most regularised) one. Its out-of-fold scores, of patients that neither the selection
    nor the fit had seen, are what the probabilities are calibrated on (Platt, never upside down):
    no second cross-validation, no probability from training scores. Then all is refitted on all.

    The inner AUC counts pairs within folds only: scores of two folds come from two models and have
    no common zero. It is the best of several and so optimistic: report the AUC of outer folds.
    ``decision_function`` gives the calibrated log-odds; where the inner folds rank no better than
    chance everybody gets nearly the prevalence, in the order of the scores.

    Weights of patients (``sample_weight``) reach the final step, the inner AUC, where a pair counts
    by the product of both weights, and the calibration. Transformers are fitted unweighted, those
    that select features among them, and folds are dealt by heads. Who weighs 0 is left out.

    Parameters
    ----------
    pipeline
        scikit-learn Pipeline of transformers and, last, the classifier to tune.
    grid
        Parameter of the final step → values to try, or several such dictionaries; most
        regularised first.
    n_splits
        Inner folds, stratified; fewer when the smaller class has fewer patients.
    random_state
        Seed of the inner folds.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels, sorted; scores and AUC are for ``classes_[1]``.
    best_params_ : dict
        The chosen point of the grid.
    inner_auc_ : float
        Its inner AUC, 0 to 1.
    grid_auc_ : ndarray
        Inner AUC of each point, in the order of the grid.
    calibration_ : PlattScaling
        Slope and intercept.
    n_splits_ : int
        Inner folds used.
    pipeline_ : Pipeline
        Refitted on all; its final step knows the classes as 0 and 1.
    selected_features_ : ndarray of str or None
        Features that reach the final step; None when a transformer does not name its output.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes of two or more patients.
    DataError
        A value is infinite, or missing after the transformers.

    References
    ----------
    Platt, Advances in Large Margin Classifiers 1999:61. Varma and Simon, BMC Bioinformatics
    2006;7:91, doi:10.1186/1471-2105-7-91 (why the inner AUC is not to be reported).

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> steps = Pipeline([("standardise", StandardScaler()), ("svm", SVC(kernel="linear"))])
    >>> model = TunedClassifier(steps, {"C": [0.1, 1.0]}).fit(X, X[:, 0] > 0)
    >>> model.predict_proba(X).shape
    (60, 2)
    """

    def __init__(
        self, pipeline: Pipeline, grid: GridLike, *, n_splits: int = 5, random_state: int = 0
    ) -> None:
        self.pipeline = pipeline
        self.grid = grid
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> TunedClassifier:
        """Tune, calibrate and refit; ``y`` has two classes, weights (n,) are 0 or more or None."""
        if self.n_splits < 2:
            raise DataError(
                f"n_splits: expected at least 2; found {self.n_splits}. Mend the recipe."
            )
        refuse_other_order(X, y)
        label = validate_data(self, y=y)  # first: it forgets the names of features
        rows = checked_rows(self, X, reset=True)
        check_consistent_length(rows.values, label)
        check_classification_targets(label)
        require_facts_eaten(split_pipeline(self.pipeline)[0], rows)
        weight = self._checked_weight(sample_weight, rows)
        if weight is not None:
            used = np.flatnonzero(weight)
            rows, label, weight = rows.take(used), label[used], weight[used]
        self.classes_, target = np.unique(label, return_inverse=True)
        self.n_splits_ = min(self.n_splits, _smaller_class(self.classes_, target))
        points = list(grid_points(self.grid))
        if not points:
            raise DataError("grid: expected at least one point; found none. Mend the grid.")
        with quickly_checked(rows.values):
            scores, wins, pairs = self._inner_scores(rows, target, points, weight=weight)
            self.grid_auc_ = wins / pairs
            best = int(np.argmax(self.grid_auc_))
            self.best_params_ = points[best]
            self.inner_auc_ = float(self.grid_auc_[best])
            self.calibration_: PlattScaling = fit_platt(scores[best], target == 1, weight=weight)
            self._refit(rows, target, weight=weight)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Calibrated log-odds of ``classes_[1]``, shape (n,)."""
        check_is_fitted(self)
        rows = checked_rows(self, X, reset=False)
        require_facts_eaten(self.pipeline_.steps[:-1], rows)
        with quickly_checked(rows.values):
            transformed = apply_steps(self.pipeline_.steps[:-1], rows, names=self._names)
            return self.calibration_.log_odds(score(self.pipeline_[-1], transformed))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Calibrated probabilities of the two classes, shape (n, 2)."""
        positive = expit(self.decision_function(X))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> np.ndarray:
        """Return the more probable class."""
        above = self.decision_function(X) > 0
        return self.classes_[above.astype(int)]

    @property
    def needs_names(self) -> bool:
        """True when a step looks variables up by name, so that bare arrays would not do."""
        return any_needs_names(self.pipeline.steps)

    @property
    def _names(self) -> np.ndarray | None:
        return getattr(self, "feature_names_in_", None)

    def _checked_weight(self, sample_weight: Any, rows: Rows) -> np.ndarray | None:
        """Weights as floats, None where none are given; StudyError when the learner takes none."""
        if sample_weight is None:
            return None
        final = self.pipeline[-1]
        if not has_fit_parameter(final, "sample_weight"):
            raise StudyError(
                f"expected a learner that takes weights of patients; found {type(final).__name__}, "
                f"which takes none. Use one of {', '.join(weighable_learners())}, or no weights."
            )
        weight = _check_sample_weight(
            sample_weight, rows.values, dtype=np.float64, ensure_non_negative=True
        )
        return np.asarray(weight)

    def _inner_scores(
        self,
        rows: Rows,
        target: np.ndarray,
        points: list[dict[str, Any]],
        *,
        weight: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray, float]:
        """Out-of-fold scores (points × patients), concordant pairs of each point, and pairs."""
        steps, (_, final) = split_pipeline(self.pipeline)
        candidates = [clone(final).set_params(**point) for point in points]
        scores = np.empty((len(points), len(target)))
        wins, pairs = np.zeros(len(points)), 0.0
        folds = StratifiedKFold(self.n_splits_, shuffle=True, random_state=self.random_state)
        for train, test in folds.split(rows.values, target):
            transformers, inner = fit_steps(
                steps, rows.take(train), target[train], names=self._names
            )
            held_out = apply_steps(transformers, rows.take(test), names=self._names)
            for row, candidate in enumerate(candidates):
                # A copy of the unfitted candidate: nothing learnt passes from fold to fold.
                model = _fit(copy(candidate), inner, target[train], _taken(weight, train))
                scores[row, test] = score(model, held_out)
            positive = target[test] == 1
            held = _taken(weight, test)
            wins += _concordant(scores[:, test], positive, held)
            pairs += _pairs(positive, held)
        return scores, wins, pairs

    def _refit(self, rows: Rows, target: np.ndarray, *, weight: np.ndarray | None) -> None:
        """Fit transformers and the chosen final step on everybody."""
        steps, (name, final) = split_pipeline(self.pipeline)
        fitted, transformed = fit_steps(steps, rows, target, names=self._names)
        model = _fit(clone(final).set_params(**self.best_params_), transformed, target, weight)
        self.pipeline_ = Pipeline([*fitted, (name, model)])
        self.selected_features_ = names_behind(fitted, self._names, n_features=rows.values.shape[1])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


@contextmanager
def quickly_checked(values: np.ndarray) -> Iterator[None]:
    """Spare small fits what costs more than they do: repeated checks, and threads of the BLAS.

    Values are checked once, here, and again where the transformers hand over.
    """
    finite = bool(np.isfinite(values).all())
    with (
        config_context(assume_finite=finite, skip_parameter_validation=True),
        _thread_pools().limit(limits=1, user_api="blas"),
    ):
        yield


@cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()  # finding the libraries takes longer than a fit


def grid_points(grid: GridLike) -> Iterator[dict[str, Any]]:
    """Every combination of the grid's values, in the order they are written."""
    for part in [grid] if isinstance(grid, Mapping) else grid:
        for values in product(*part.values()):
            yield dict(zip(part, values, strict=True))


def weighable_learners() -> tuple[str, ...]:
    """Recipe words of the learners that take weights of patients.

    Examples
    --------
    >>> "lr" in weighable_learners(), "knn" in weighable_learners()
    (True, False)
    """
    return tuple(name for name in learner_names() if _takes_weights(name))


def _takes_weights(name: str) -> bool:
    try:
        return bool(has_fit_parameter(learner(name).estimator, "sample_weight"))
    except MissingExtraError:
        return False


def _fit(model: Any, X: np.ndarray, target: np.ndarray, weight: np.ndarray | None) -> Any:
    if weight is None:
        return model.fit(X, target)
    return model.fit(X, target, sample_weight=weight)


def _taken(weight: np.ndarray | None, positions: np.ndarray) -> np.ndarray | None:
    return None if weight is None else weight[positions]


def _concordant(scores: np.ndarray, positive: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Pairs in which the positive scores higher, ties half, for each row of ``scores``."""
    difference = scores[:, positive][:, :, None] - scores[:, ~positive][:, None, :]
    if weight is None:
        return (difference > 0).sum(axis=(1, 2)) + (difference == 0).sum(axis=(1, 2)) / 2
    ordered = (difference > 0) + (difference == 0) / 2
    return np.asarray(np.einsum("sij,i,j->s", ordered, weight[positive], weight[~positive]))


def _pairs(positive: np.ndarray, weight: np.ndarray | None) -> float:
    """How many pairs of a positive and a negative there are, each by the product of its weights."""
    count = np.ones(len(positive)) if weight is None else weight
    return float(count[positive].sum() * count[~positive].sum())


def _smaller_class(classes: np.ndarray, target: np.ndarray) -> int:
    """Size of the smaller class; OutcomeError unless there are two of at least two patients."""
    counts = np.bincount(target)
    if len(classes) != 2 or counts.min() < 2:
        found = short_list(f"{name}: {n}" for name, n in zip(classes, counts, strict=True))
        raise OutcomeError(
            "expected two classes of at least 2 patients; found "
            f"{len(classes)} class(es) ({found}). Only binary classification is supported. "
            "Use more patients or another cut-off."
        )
    return int(counts.min())
