from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.models.survival import CoxModel, LassoCox, TunedSurvival
from radiogenomics.models.survival.model import SurvivalModel, survival_array

GRID = {"penalty": (100.0, 10.0, 0.1)}


def cox(*steps) -> Pipeline:
    return make_pipeline(*steps, StandardScaler(), CoxModel())


@pytest.fixture
def cohort(rng) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(90, 30))
    time = rng.exponential(20 * np.exp(-X[:, 0] + 0.7 * X[:, 1]))
    return X, survival_array(np.minimum(time, 25).round(1), time <= 25)


class Recording(TransformerMixin, BaseEstimator):
    """Writes down, in a list that clones share, which patients it was fitted on."""

    def __init__(self, log: list):
        self.log = log

    def __sklearn_clone__(self):
        return Recording(self.log)

    def fit(self, X, y):
        self.log.append((X.copy(), y.copy()))
        return self

    def transform(self, X):
        return X


def folds_of(X: np.ndarray, log: list) -> list[np.ndarray]:
    """Positions of the patients that each inner fit did not see."""
    where = {row.tobytes(): i for i, row in enumerate(X)}
    seen = [{where[row.tobytes()] for row in part} for part, _ in log[:-1]]
    return [np.array(sorted(set(range(len(X))) - s)) for s in seen]


def test_agrees_with_nested_cross_validation_by_hand(cohort):
    X, y = cohort
    log: list = []
    model = TunedSurvival(cox(Recording(log)), GRID, n_splits=4, random_state=5).fit(X, y)
    folds = folds_of(X, log)
    assert sorted(np.concatenate(folds).tolist()) == list(range(90))
    values = []
    for penalty in GRID["penalty"]:
        wins = pairs = 0.0
        for test in folds:
            train = np.setdiff1d(np.arange(90), test)
            fitted = make_pipeline(StandardScaler(), CoxModel(penalty)).fit(X[train], y[train])
            found = concordance_index_censored(
                y["event"][test], y["time"][test], fitted.predict(X[test])
            )
            wins += found[1] + found[3] / 2
            pairs += found[1] + found[2] + found[3]
        values.append(wins / pairs)
    np.testing.assert_allclose(model.grid_concordance_, values, rtol=1e-12)
    best = int(np.argmax(values))
    assert model.best_params_ == {"penalty": GRID["penalty"][best]}
    assert model.inner_concordance_ == pytest.approx(max(values))
    whole = make_pipeline(StandardScaler(), CoxModel(GRID["penalty"][best])).fit(X, y)
    np.testing.assert_allclose(model.predict(X), whole.predict(X), rtol=1e-12)
    np.testing.assert_allclose(
        model.predict_survival(X, [5, 20]),
        whole[-1].predict_survival(whole[0].transform(X), [5, 20]),
    )


def test_folds_share_out_events_and_sizes_and_are_fitted_once_whatever_the_grid(cohort):
    X, y = cohort
    log: list = []
    TunedSurvival(cox(Recording(log)), GRID, n_splits=5).fit(X, y)
    assert len(log) == 6
    folds = folds_of(X, log)
    assert [len(test) for test in folds] == [18] * 5
    events = [int(y["event"][test].sum()) for test in folds]
    assert max(events) - min(events) <= 1
    assert all(part.dtype == y.dtype for _, part in log)  # selectors get the survival target


class Constant(SurvivalModel):
    """Tells nothing, whatever its parameter: every point of a grid ties."""

    def __init__(self, size: float = 1.0):
        self.size = size

    def fit(self, X, y):
        self._training_part(X, y)
        return self

    def predict(self, X):
        return np.zeros(len(X))


class Costly(Constant):
    """Counts, in a list that clones share, how it was fitted."""

    def __init__(self, log: list, size: float = 1.0):
        self.log = log
        self.size = size

    def __sklearn_clone__(self):
        return Costly(self.log, self.size)

    def fit(self, X, y):
        self.log.append("whole")
        return super().fit(X, y)

    def fit_risk(self, X, y):
        self.log.append("risk")
        return super().fit(X, y)


def test_inner_fits_learn_no_more_than_the_risk(cohort):
    log: list = []
    pipeline = Pipeline([("costly", Costly(log))])
    TunedSurvival(pipeline, {"size": (1.0, 2.0)}, n_splits=3).fit(*cohort)
    assert log == ["risk"] * 6 + ["whole"]


def test_says_whether_a_step_needs_names():
    assert not TunedSurvival(cox(), GRID).needs_names
    named = FunctionTransformer()
    named.needs_names = True
    assert TunedSurvival(cox(named), GRID).needs_names


@pytest.mark.parametrize("sizes", [(3.0, 1.0), (1.0, 3.0)])
def test_tie_goes_to_the_first_point(sizes, cohort):
    model = TunedSurvival(Pipeline([("none", Constant())]), {"size": sizes}).fit(*cohort)
    assert model.grid_concordance_.tolist() == [0.5, 0.5]
    assert model.best_params_ == {"size": sizes[0]}


def test_frame_names_reach_the_selected_features(cohort):
    X, y = cohort
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(30)])
    model = TunedSurvival(cox(), GRID).fit(frame, y)
    assert model.selected_features_.tolist() == list(frame.columns)
    assert np.array_equal(TunedSurvival(cox(), GRID).fit(X, y).predict(X), model.predict(frame))
    silent = TunedSurvival(cox(FunctionTransformer(np.abs)), GRID).fit(X, y)
    assert silent.selected_features_ is None


def test_clone_and_repeat_give_the_same(cohort):
    X, y = cohort
    steps = make_pipeline(StandardScaler(), LassoCox())
    model = TunedSurvival(steps, {"share": (0.5, 0.1)}, random_state=3)
    first, second = clone(model).fit(X, y), clone(model).fit(X, y)
    assert np.array_equal(first.predict(X), second.predict(X))
    assert not hasattr(steps[-1], "coef_")
    other = TunedSurvival(steps, {"share": (0.5, 0.1)}, random_state=4).fit(X, y)
    assert not np.array_equal(other.grid_concordance_, first.grid_concordance_)


def test_missing_values_pass_when_a_step_fills_them(cohort):
    X, y = cohort
    gappy = X.copy()
    gappy[::7, 3] = np.nan
    filled = TunedSurvival(cox(SimpleImputer()), GRID).fit(gappy, y)
    assert np.isfinite(filled.predict(gappy)).all()
    with pytest.raises(DataError, match="Impute missing values"):
        TunedSurvival(cox(), GRID).fit(gappy, y)


def test_few_events_get_fewer_folds_and_one_is_refused(cohort):
    X, y = cohort
    y["event"] = np.isin(np.arange(90), np.argsort(y["time"])[:3])
    assert TunedSurvival(cox(), GRID).fit(X, y).n_splits_ == 3
    y["event"] = np.arange(90) == 4
    with pytest.raises(OutcomeError, match="at least 2 events to tune on; found 1"):
        TunedSurvival(cox(), GRID).fit(X, y)


def test_folds_without_a_pair_are_refused(cohort):
    X, y = cohort
    y["time"], y["event"] = 7.0, True
    with pytest.raises(OutcomeError, match="no comparable pair in 5 folds"):
        TunedSurvival(cox(), GRID).fit(X, y)
