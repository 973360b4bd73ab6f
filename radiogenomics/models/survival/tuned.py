"""Tune a survival model by the concordance of one inner cross-validation, and refit it."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from radiogenomics.core.errors import DataError, OutcomeError
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
from radiogenomics.models.survival.model import (
    SurvivalModel,
    deal_folds,
    require_target,
    survival_array,
    usable_splits,
)
from radiogenomics.models.tuned import GridLike, grid_points, quickly_checked
from radiogenomics.stats.inputs import Bools, Floats, survival_target
from radiogenomics.stats.survival.concordance import comparable_pairs, concordance_batch


def _foretells(model: TunedSurvival) -> bool:
    """Whether the model at the end of the pipeline gives survival probabilities."""
    return hasattr(model.pipeline[-1], "predict_survival")


def _fit_to_rank(model: Any, X: np.ndarray, y: np.ndarray) -> Any:
    return getattr(model, "fit_risk", model.fit)(X, y)


class TunedSurvival(SurvivalModel):
    """Survival model whose parameters are chosen by inner cross-validation.

    In each inner fold the transformers are fitted once, on the inner training part, and the final
    step once for each point of the grid. The point of the highest inner concordance wins, ties go
    to the earlier (most regularised) one, and all is refitted on all.

    A final step with ``fit_risk(X, y)``, which learns what ``predict`` needs and no survival curve,
    is fitted by that in the inner folds, and by ``fit`` on all.

    The concordance counts pairs within folds only, as risks of two folds come from two models and
    have no common zero. Folds share out the events evenly. The inner concordance is the best of
    several and so optimistic: report that of outer folds.

    Parameters
    ----------
    pipeline
        scikit-learn Pipeline of transformers and, last, the survival model to tune.
    grid
        Parameter of the final step → values to try, or several such dictionaries; most
        regularised first. ``{}`` is a single point: nothing is tuned.
    n_splits
        Inner folds; fewer when there are fewer events.
    random_state
        Seed of the inner folds.

    Attributes
    ----------
    best_params_ : dict
        The chosen point of the grid.
    inner_concordance_ : float
        Its inner concordance, 0 to 1.
    grid_concordance_ : ndarray
        Inner concordance of each point, in the order of the grid.
    n_splits_ : int
        Inner folds used.
    pipeline_ : Pipeline
        Refitted on all.
    selected_features_ : ndarray of str or None
        Features that reach the final step; None when a transformer does not name its output.
    event_times_ : ndarray, shape (n_times,)
        Distinct times of the events in training.
    last_time_ : float
        Longest follow-up in training, months.

    Raises
    ------
    OutcomeError
        There are fewer than two events, or no pair of a fold can be compared.
    DataError
        The grid is empty, or a value is infinite, or missing after the transformers.

    References
    ----------
    Harrell et al., Stat Med 1996;15:361. Varma and Simon, BMC Bioinformatics 2006;7:91,
    doi:10.1186/1471-2105-7-91 (why the inner concordance is not to be reported).

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from radiogenomics.models.survival.cox import CoxModel
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> time = rng.exponential(20 * np.exp(-X[:, 0]))
    >>> y = np.array([(t < 30, min(t, 30)) for t in time], dtype=[("event", bool), ("time", float)])
    >>> steps = Pipeline([("standardise", StandardScaler()), ("cox", CoxModel())])
    >>> model = TunedSurvival(steps, {"penalty": [100.0, 1.0]}).fit(X, y)
    >>> model.predict_survival(X, [6, 12, 24]).shape
    (100, 3)
    """

    def __init__(
        self, pipeline: Pipeline, grid: GridLike, *, n_splits: int = 5, random_state: int = 0
    ) -> None:
        self.pipeline = pipeline
        self.grid = grid
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> TunedSurvival:
        """Tune and refit; ``y`` is a survival target."""
        points = list(grid_points(self.grid))
        if not points:
            raise DataError("grid: expected at least one point; found none. Mend the grid.")
        rows = checked_rows(self, X, reset=True)
        if len(rows.values) < 4:
            raise DataError(
                "expected at least 4 patients, 2 in each of 2 folds; found n_samples = "
                f"{len(rows.values)}. Fit the model untuned."
            )
        time, event = survival_target(require_target(y))
        check_consistent_length(rows.values, time)
        require_facts_eaten(split_pipeline(self.pipeline)[0], rows)
        self.event_times_, self.last_time_ = np.unique(time[event]), float(time.max())
        self.n_splits_ = usable_splits(event, self.n_splits)
        with quickly_checked(rows.values):
            self.grid_concordance_ = self._inner_concordance(rows, time, event, points=points)
            best = int(np.argmax(self.grid_concordance_))
            self.best_params_ = points[best]
            self.inner_concordance_ = float(self.grid_concordance_[best])
            self._refit(rows, survival_array(time, event))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Risk of the chosen model, shape (n,); higher is worse."""
        rows = self._checked(X)
        with quickly_checked(rows.values):
            return self.pipeline_[-1].predict(self._transformed(rows))

    @available_if(_foretells)
    def predict_survival(self, X: Any, times: ArrayLike) -> np.ndarray:
        """Probability to live beyond each time (months), shape (n_patients, n_times)."""
        rows = self._checked(X)
        with quickly_checked(rows.values):
            return self.pipeline_[-1].predict_survival(self._transformed(rows), times)

    @property
    def needs_names(self) -> bool:
        """True when a step looks variables up by name, so that bare arrays would not do."""
        return any_needs_names(self.pipeline.steps)

    @property
    def _names(self) -> np.ndarray | None:
        return getattr(self, "feature_names_in_", None)

    def _checked(self, X: Any) -> Rows:
        check_is_fitted(self)
        return checked_rows(self, X, reset=False)

    def _transformed(self, rows: Rows) -> np.ndarray:
        return apply_steps(self.pipeline_.steps[:-1], rows, names=self._names)

    def _inner_concordance(
        self, rows: Rows, time: Floats, event: Bools, *, points: list[dict[str, Any]]
    ) -> np.ndarray:
        """Concordance of each point over the pairs of all folds, shape (points,)."""
        steps, (_, final) = split_pipeline(self.pipeline)
        candidates = [clone(final).set_params(**point) for point in points]
        y = survival_array(time, event)
        fold = deal_folds(event, self.n_splits_, random_state=self.random_state)
        wins, pairs = np.zeros(len(points)), 0
        for number in range(self.n_splits_):
            train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            comparable = comparable_pairs(time[test], event[test])
            if not comparable:
                continue
            transformers, inner = fit_steps(steps, rows.take(train), y[train], names=self._names)
            held_out = apply_steps(transformers, rows.take(test), names=self._names)
            # Copies of the unfitted candidates: nothing learnt passes from fold to fold.
            fits = [_fit_to_rank(copy(model), inner, y[train]) for model in candidates]
            risks = [model.predict(held_out) for model in fits]
            wins += comparable * concordance_batch(np.array(risks), time[test], event[test])
            pairs += comparable
        if not pairs:
            raise OutcomeError(
                "expected patients of one inner fold who outlived an event of another; found no "
                f"comparable pair in {self.n_splits_} folds of {len(time)} patients. Use fewer "
                "folds or more patients."
            )
        return wins / pairs

    def _refit(self, rows: Rows, y: np.ndarray) -> None:
        """Fit transformers and the chosen final step on everybody."""
        steps, (name, final) = split_pipeline(self.pipeline)
        fitted, transformed = fit_steps(steps, rows, y, names=self._names)
        model = clone(final).set_params(**self.best_params_).fit(transformed, y)
        self.pipeline_ = Pipeline([*fitted, (name, model)])
        self.selected_features_ = names_behind(fitted, self._names, n_features=rows.values.shape[1])
