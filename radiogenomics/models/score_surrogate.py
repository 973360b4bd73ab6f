"""The imaging surrogate of a molecular score: features stand in for a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.models.feature_budget import ONE_IN_TEN, SCORE, FeatureBudget, checked_budget
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
from radiogenomics.models.tuned import grid_points, quickly_checked
from radiogenomics.stats.inputs import Floats

Tunable = tuple[BaseEstimator, Mapping[str, tuple[float, ...]]]


def _ridge() -> Tunable:
    return Ridge(), {"alpha": (1000.0, 100.0, 10.0, 1.0, 0.1)}


def _svr() -> Tunable:
    return SVR(epsilon=0.1), {"C": (0.01, 0.1, 1.0, 10.0)}


_LEARNERS: Mapping[str, Callable[[], Tunable]] = MappingProxyType({"ridge": _ridge, "svr": _svr})


def score_learner_names() -> tuple[str, ...]:
    """Names of the learners that :class:`ScoreSurrogate` knows."""
    return tuple(_LEARNERS)


class ScoreSurrogate(RegressorMixin, BaseEstimator):
    r"""Predict a continuous molecular score from image features.

    Features go through the ``steps``, are standardised, the ``max_features`` that go best with the
    score are kept, and a ridge regression or a support vector regression learns from these. In each
    inner fold all is fitted on the inner training part, once for each strength of the learner; the
    strength of the largest inner :math:`R^2` wins, ties go to the more regularised. Then all is
    fitted again on everybody. The score is standardised by the training part before it is learnt,
    and predictions are in its own units.

    .. math:: R^2 = 1 - \sum_i (y_i - \hat y_i)^2 / \sum_i (y_i - \bar y_{(i)})^2

    with :math:`\hat y_i` the prediction and :math:`\bar y_{(i)}` the mean of the score by the inner
    training part that patient i is not in: 0 is no better than to foretell the mean, and below 0 is
    worse. It is the best of several and so optimistic: report that of outer folds, and a rank
    correlation, as predictions are drawn towards the mean. Neither says that the score itself is
    measured without error.

    Rows are patients. Where the index of a table repeats a label, its rows (lesions, scans) are one
    patient's, stay in one inner fold, and count once for the budget.

    Parameters
    ----------
    learner : {"ridge", "svr"}
        Straight, or bent (radial basis functions).
    max_features : int or "one_in_ten"
        Features that the learner may see, at most; by the rule one for ten patients, at least one.
        See :class:`radiogenomics.models.feature_budget.FeatureBudget`.
    steps : sequence of (name, transformer), optional
        Unfitted; before the standardisation, such as an imputation or a batch correction. Row facts
        (``@site``) reach the steps that use them.
    n_splits
        Inner folds of patients; fewer when there are fewer patients.
    random_state
        Seed of the inner folds.

    Attributes
    ----------
    best_params_ : dict
        The chosen strength.
    inner_r2_ : float
        Its inner :math:`R^2`, at most 1.
    grid_r2_ : ndarray
        Inner :math:`R^2` of each strength, most regularised first.
    max_features_ : int
        The budget.
    n_patients_ : int
        Patients in training.
    n_splits_ : int
        Inner folds used.
    pipeline_ : Pipeline
        Steps and learner, fitted on all; the learner knows the standardised score.
    centre_, scale_ : float
        Mean and standard deviation of the score in training.
    selected_features_ : ndarray of str or None
        Features that reach the learner; None when a step does not name its output.

    Raises
    ------
    OutcomeError
        The score does not vary.
    DataError
        There are fewer than four patients, a value is infinite, or missing behind the steps, or a
        parameter is senseless.

    References
    ----------
    Hoerl and Kennard, Technometrics 1970;12:55, doi:10.1080/00401706.1970.10488634. Smola and
    Schölkopf, Stat Comput 2004;14:199, doi:10.1023/B:STCO.0000035301.49549.88.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 30))
    >>> model = ScoreSurrogate().fit(X, X[:, 4] + 0.5 * rng.normal(size=80))
    >>> model.max_features_, bool(model.inner_r2_ > 0.6), "x4" in model.selected_features_
    (8, True, True)
    """

    card: ClassVar[Method] = Method(
        name="score_surrogate",
        title="Image features that stand in for a continuous molecular score",
        scope="models: molecular score",
        reference="Hoerl and Kennard, Technometrics 1970;12:55, doi:10.1080/00401706.1970.10488634",
        limits="Predictions are drawn towards the mean; R2 in a cohort of narrower scores is lower "
        "for the same model; features are chosen one by one.",
        learns=True,
    )

    def __init__(
        self,
        learner: str = "ridge",
        max_features: int | str = ONE_IN_TEN,
        steps: Sequence[tuple[str, Any]] | None = None,
        *,
        n_splits: int = 5,
        random_state: int = 0,
    ) -> None:
        self.learner = learner
        self.max_features = max_features
        self.steps = steps
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> ScoreSurrogate:
        """Tune and refit; ``y`` holds the score of each row."""
        if self.learner not in _LEARNERS:
            raise UnknownNameError("learner of a score", self.learner, _LEARNERS)
        if self.n_splits < 2:
            raise DataError(f"n_splits: expected at least 2; found {self.n_splits}. Give more.")
        refuse_other_order(X, y)
        # First: it forgets the names of features.
        target = np.asarray(validate_data(self, y=y, y_numeric=True), dtype=float)
        rows = checked_rows(self, X, reset=True)
        check_consistent_length(rows.values, target)
        patient = _patients(X, len(target))
        self._check_patients(patient, target)
        self.max_features_ = checked_budget(self.max_features, self.n_patients_)
        pipeline, points = self._built()
        require_facts_eaten(split_pipeline(pipeline)[0], rows)
        with quickly_checked(rows.values):
            self.grid_r2_ = self._inner_r2(rows, target, points, fold=self._folds(patient))
            best = int(np.argmax(self.grid_r2_))
            self.best_params_, self.inner_r2_ = points[best], float(self.grid_r2_[best])
            self._refit(rows, target)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the score that the features foretell, in its own units, shape (n,)."""
        check_is_fitted(self)
        rows = checked_rows(self, X, reset=False)
        steps = self.pipeline_.steps[:-1]
        require_facts_eaten(steps, rows)
        with quickly_checked(rows.values):
            values = apply_steps(steps, rows, names=self._names)
            return np.asarray(self.pipeline_[-1].predict(values) * self.scale_ + self.centre_)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R² as scikit-learn has it, against the mean of these patients; at most 1.

        Raises
        ------
        AlignmentError
            The rows of `X` and `y` are named, and in different orders.
        """
        refuse_other_order(X, y)
        return float(super().score(X, y, sample_weight))

    @property
    def needs_names(self) -> bool:
        """True when a step looks variables up by name, so that bare arrays would not do."""
        return any_needs_names(list(self.steps or ()))

    @property
    def _names(self) -> np.ndarray | None:
        return getattr(self, "feature_names_in_", None)

    def _built(self) -> tuple[Pipeline, list[dict[str, Any]]]:
        """Unfitted pipeline, and the strengths of its last step."""
        estimator, grid = _LEARNERS[self.learner]()
        own = [
            ("standardise", StandardScaler()),
            ("budget", FeatureBudget(self.max_features_, target=SCORE)),
            (self.learner, estimator),
        ]
        return Pipeline([*(self.steps or ()), *own]), list(grid_points(grid))

    def _check_patients(self, patient: np.ndarray, target: Floats) -> None:
        self.n_patients_ = int(patient.max()) + 1
        self.n_splits_ = min(self.n_splits, self.n_patients_ // 2)
        if self.n_splits_ < 2:
            raise DataError(
                "expected at least 4 patients, 2 in each of 2 inner folds; found n_samples = "
                f"{len(target)} of {self.n_patients_} patient(s). Use more patients."
            )
        if not np.ptp(target) > 0:
            raise OutcomeError(
                f"expected a score that varies; found {target[0]:g} for all {len(target)} rows. "
                "Use other patients or another score."
            )

    def _folds(self, patient: np.ndarray) -> np.ndarray:
        """Inner fold of each row; patients are shuffled and dealt out evenly."""
        order = check_random_state(self.random_state).permutation(self.n_patients_)
        fold = np.empty(self.n_patients_, dtype=int)
        fold[order] = np.arange(self.n_patients_) % self.n_splits_
        return fold[patient]

    def _inner_r2(
        self, rows: Rows, target: Floats, points: list[dict[str, Any]], *, fold: np.ndarray
    ) -> Floats:
        """Share of the score's spread that out-of-fold predictions of each strength explain."""
        pipeline, _ = self._built()
        steps, (_, final) = split_pipeline(pipeline)
        candidates = [clone(final).set_params(**point) for point in points]
        missed, spread = np.zeros(len(points)), 0.0
        for number in range(self.n_splits_):
            train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            centre, scale = _standard(target[train])
            learnt = (target[train] - centre) / scale
            fitted, inner = fit_steps(steps, rows.take(train), learnt, names=self._names)
            held_out = apply_steps(fitted, rows.take(test), names=self._names)
            asked = (target[test] - centre) / scale
            for row, candidate in enumerate(candidates):
                # A copy of the unfitted candidate: nothing learnt passes from fold to fold.
                found = copy(candidate).fit(inner, learnt).predict(held_out)
                missed[row] += scale**2 * np.square(asked - found).sum()
            spread += scale**2 * np.square(asked).sum()
        return 1 - missed / spread

    def _refit(self, rows: Rows, target: Floats) -> None:
        """Fit steps and the chosen strength on everybody."""
        steps, (name, final) = split_pipeline(self._built()[0])
        self.centre_, self.scale_ = _standard(target)
        learnt = (target - self.centre_) / self.scale_
        fitted, values = fit_steps(steps, rows, learnt, names=self._names)
        model = clone(final).set_params(**self.best_params_).fit(values, learnt)
        self.pipeline_ = Pipeline([*fitted, (name, model)])
        self.selected_features_ = names_behind(fitted, self._names, n_features=rows.values.shape[1])


def _patients(X: Any, n: int) -> np.ndarray:
    """Number of the patient of each row, from 0: rows of a table that share a label are one's."""
    if isinstance(X, pd.DataFrame):
        return np.asarray(pd.factorize(X.index, use_na_sentinel=False)[0])
    return np.arange(n)


def _standard(target: Floats) -> tuple[float, float]:
    """Mean and standard deviation; 1 for the latter where nothing varies."""
    return float(target.mean()), float(target.std()) or 1.0
