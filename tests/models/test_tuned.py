from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import DataError, OutcomeError, SchemaError, StudyError
from radiogenomics.models import TunedClassifier, fit_platt, surrogate
from radiogenomics.models.tuned import weighable_learners

GRID = {"C": (0.01, 0.1, 1.0)}


def linear(*steps) -> Pipeline:
    return make_pipeline(*steps, StandardScaler(), SVC(kernel="linear"))


def weight_checks(model: TunedClassifier) -> dict[str, str]:
    """Checks of weights that cannot hold."""
    dealt = "folds are dealt by heads: a patient of weight 2 is in one, two patients in two"
    failing = {"check_sample_weight_equivalence_on_dense_data": dealt}
    if isinstance(model.pipeline[-1], KNeighborsClassifier):
        none = "neighbours take no weights, which is refused"
        names = ("s_pandas_series", "s_not_an_array", "s_list", "s_shape", "s_not_overwritten")
        failing |= {f"check_sample_weight{name}": none for name in names}
        failing |= {"check_all_zero_sample_weights_error": none}
        failing |= {"check_classifiers_one_label_sample_weights": none}
    return failing


@parametrize_with_checks(
    [
        TunedClassifier(linear(), GRID),
        TunedClassifier(Pipeline([("knn", KNeighborsClassifier())]), {"n_neighbors": (3, 2)}),
    ],
    expected_failed_checks=weight_checks,
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def cohort(rng) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(90) % 3 == 0
    return rng.normal(size=(90, 12)) + np.outer(y, [1.5, 1.2] + [0] * 10), y.astype(int)


def test_agrees_with_nested_scikit_learn_by_hand(cohort):
    """Selection inside each inner fold, best AUC, calibration on out-of-fold scores."""
    X, y = cohort
    folds = StratifiedKFold(5, shuffle=True, random_state=7)
    aucs, scores = [], []
    for C in GRID["C"]:
        pipeline = make_pipeline(SelectKBest(k=3), StandardScaler(), SVC(kernel="linear", C=C))
        s = cross_val_predict(pipeline, X, y, cv=folds, method="decision_function")
        parts = [roc_auc_score(y[test], s[test]) for _, test in folds.split(X, y)]
        aucs.append(np.mean(parts))  # folds of 6 + 12 patients each: the same number of pairs
        scores.append(s)
    best = int(np.argmax(aucs))
    model = TunedClassifier(linear(SelectKBest(k=3)), GRID, n_splits=5, random_state=7).fit(X, y)
    np.testing.assert_allclose(model.grid_auc_, aucs)
    assert model.best_params_ == {"C": GRID["C"][best]}
    assert model.inner_auc_ == pytest.approx(max(aucs))
    assert model.calibration_ == fit_platt(scores[best], y == 1)
    pipeline = make_pipeline(
        SelectKBest(k=3), StandardScaler(), SVC(kernel="linear", C=GRID["C"][best])
    ).fit(X, y)
    expected = model.calibration_.probability(pipeline.decision_function(X))
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], expected)


class Counting(TransformerMixin, BaseEstimator):
    """Counts its fits in a list that clones share."""

    def __init__(self, log: list):
        self.log = log

    def __sklearn_clone__(self):
        return Counting(self.log)

    def fit(self, X, y=None):
        self.log.append(len(X))
        return self

    def transform(self, X):
        return X


def test_transformers_are_fitted_once_a_fold_whatever_the_grid(cohort):
    log: list[int] = []
    TunedClassifier(linear(Counting(log)), GRID, n_splits=5).fit(*cohort)
    assert sorted(log) == [72] * 5 + [90]


def test_tie_goes_to_the_first_point(rng):
    X = np.r_[rng.normal(-5, 0.1, (20, 1)), rng.normal(5, 0.1, (20, 1))]
    y = np.repeat([0, 1], 20)
    for values in ((0.1, 1.0), (1.0, 0.1)):
        model = TunedClassifier(linear(), {"C": values}).fit(X, y)
        assert model.inner_auc_ == 1.0
        assert model.best_params_ == {"C": values[0]}


def test_grid_is_walked_in_the_order_written(cohort):
    grid = ({"C": (1.0, 0.1)}, {"C": (5.0,), "kernel": ("rbf", "linear")})
    model = TunedClassifier(linear(), grid).fit(*cohort)
    assert len(model.grid_auc_) == 4
    again = TunedClassifier(linear(), {"C": (0.1, 1.0)}).fit(*cohort)
    assert model.grid_auc_[:2].tolist() == again.grid_auc_[::-1].tolist()


def test_probabilities_decisions_and_classes_say_the_same(cohort):
    X, y = cohort
    model = TunedClassifier(linear(), GRID).fit(X, np.where(y == 1, "yes", "no"))
    probability = model.predict_proba(X)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_allclose(
        model.decision_function(X), np.log(probability[:, 1] / probability[:, 0])
    )
    assert np.array_equal(model.predict(X) == "yes", probability[:, 1] > 0.5)
    assert model.classes_.tolist() == ["no", "yes"]


def test_probabilities_are_calibrated_out_of_sample(rng):
    """Large enough to see it: the line through predicted and true log-odds has slope near 1."""
    y = (rng.random(600) < 0.3).astype(int)
    X = rng.normal(size=(600, 5)) + np.outer(y, [0.8, 0, 0, 0, 0])
    new_y = (rng.random(20_000) < 0.3).astype(int)
    new = rng.normal(size=(20_000, 5)) + np.outer(new_y, [0.8, 0, 0, 0, 0])
    log_odds = TunedClassifier(linear(), GRID).fit(X, y).decision_function(new)
    line = LogisticRegression(C=np.inf).fit(log_odds[:, None], new_y)
    assert line.coef_[0, 0] == pytest.approx(1, abs=0.25)
    assert line.intercept_[0] == pytest.approx(0, abs=0.3)


def test_noise_gets_the_prevalence_not_confidence(rng):
    y = np.arange(60) % 2
    model = TunedClassifier(linear(), GRID).fit(rng.normal(size=(60, 200)), y)
    fresh = model.predict_proba(rng.normal(size=(500, 200)))[:, 1]
    assert np.abs(fresh - 0.5).mean() < 0.15


def test_frame_names_reach_the_selected_features(cohort):
    X, y = cohort
    frame = pd.DataFrame(X, columns=[f"f{i}" for i in range(12)])
    model = TunedClassifier(linear(SelectKBest(k=2)), GRID).fit(frame, y)
    assert model.selected_features_.tolist() == ["f0", "f1"]
    assert list(model.feature_names_in_) == list(frame.columns)
    bare = TunedClassifier(linear(SelectKBest(k=2)), GRID).fit(X, y)
    assert bare.selected_features_.tolist() == ["x0", "x1"]
    assert np.array_equal(bare.predict_proba(X), model.predict_proba(frame))


def test_transformer_that_does_not_name_its_output_gives_none(cohort):
    model = TunedClassifier(linear(FunctionTransformer(np.abs)), GRID).fit(*cohort)
    assert model.selected_features_ is None


def test_passthrough_steps_are_left_out(cohort):
    X, y = cohort
    steps = [("none", "passthrough"), ("scale", StandardScaler()), ("svm", SVC(kernel="linear"))]
    plain = TunedClassifier(Pipeline(steps[1:]), GRID).fit(X, y)
    passed = TunedClassifier(Pipeline(steps), GRID).fit(X, y)
    assert np.array_equal(plain.predict_proba(X), passed.predict_proba(X))


def test_missing_values_pass_when_a_step_fills_them(cohort):
    X, y = cohort
    gappy = X.copy()
    gappy[::7, 3] = np.nan
    filled = TunedClassifier(linear(SimpleImputer()), GRID).fit(gappy, y)
    assert np.isfinite(filled.predict_proba(gappy)).all()
    with pytest.raises(DataError, match="Impute missing values"):
        TunedClassifier(linear(), GRID).fit(gappy, y)


def test_infinite_values_made_by_a_step_are_refused(cohort):
    X, y = cohort
    log = FunctionTransformer(np.log)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        pipeline = Pipeline([("log", log), ("svm", SVC(kernel="linear"))])
        with pytest.raises(DataError, match="finite features after the transformers"):
            TunedClassifier(pipeline, GRID).fit(np.abs(X) * (X > 0), y)


def test_small_class_gets_fewer_folds(rng):
    y = np.r_[np.ones(3), np.zeros(30)].astype(int)
    assert TunedClassifier(linear(), GRID).fit(rng.normal(size=(33, 4)), y).n_splits_ == 3


@pytest.mark.parametrize(
    ("y", "found"),
    [(np.zeros(20), "1 class"), (np.r_[1, np.zeros(19)], "1.0: 1"), (np.arange(20) % 3, "3 class")],
    ids=["one class", "one patient in a class", "three classes"],
)
def test_labels_that_cannot_be_learnt_are_refused(rng, y, found):
    with pytest.raises(OutcomeError, match=found):
        TunedClassifier(linear(), GRID).fit(rng.normal(size=(20, 3)), y)


def test_empty_grid_and_single_fold_are_refused(cohort):
    with pytest.raises(DataError, match="grid: expected at least one point"):
        TunedClassifier(linear(), {"C": ()}).fit(*cohort)
    with pytest.raises(DataError, match="n_splits: expected at least 2; found 1"):
        TunedClassifier(linear(), GRID, n_splits=1).fit(*cohort)


def test_left_over_row_fact_fails_loudly(cohort):
    X, y = cohort
    frame = pd.DataFrame(X, columns=[*(f"f{i}" for i in range(11)), "@site"])
    with pytest.raises(SchemaError, match="@site"):
        TunedClassifier(linear(), GRID).fit(frame, y)


def test_fit_leaves_no_trace_outside_itself(cohort):
    before = get_config()
    pipeline = linear()
    TunedClassifier(pipeline, GRID).fit(*cohort)
    assert get_config() == before
    assert not hasattr(pipeline[-1], "support_")
    assert pipeline[-1].C == 1.0


def test_surrogate_fits_its_steps_and_learner(cohort):
    X, y = cohort
    steps = [("select", SelectKBest(k=2)), ("standardise", StandardScaler())]
    model = surrogate(steps, "svm", n_splits=4, random_state=2).fit(X, y)
    assert [name for name, _ in model.pipeline_.steps] == ["select", "standardise", "svm"]
    assert model.n_splits_ == 4
    assert len(model.selected_features_) == 2


def test_weights_of_one_change_nothing(cohort):
    X, y = cohort
    plain = TunedClassifier(linear(), GRID).fit(X, y)
    ones = TunedClassifier(linear(), GRID).fit(X, y, sample_weight=np.ones(90))
    np.testing.assert_allclose(ones.grid_auc_, plain.grid_auc_, rtol=1e-14)
    np.testing.assert_allclose(ones.decision_function(X), plain.decision_function(X), rtol=1e-10)


def test_weights_reach_learner_inner_auc_and_calibration(cohort, rng):
    X, y = cohort
    weight = rng.integers(1, 4, 90).astype(float)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    aucs, scores = [], []
    for C in GRID["C"]:
        wins = pairs = 0.0
        s = np.empty(90)
        for train, test in folds.split(X, y):
            pipeline = make_pipeline(StandardScaler(), SVC(kernel="linear", C=C))
            pipeline.fit(X[train], y[train], svc__sample_weight=weight[train])
            s[test] = pipeline.decision_function(X[test])
            worth = weight[test][y[test] == 1].sum() * weight[test][y[test] == 0].sum()
            wins += worth * roc_auc_score(y[test], s[test], sample_weight=weight[test])
            pairs += worth
        aucs.append(wins / pairs)
        scores.append(s)
    best = int(np.argmax(aucs))
    model = TunedClassifier(linear(), GRID).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.grid_auc_, aucs, rtol=1e-12)
    times = weight.astype(int)
    repeated = fit_platt(np.repeat(scores[best], times), np.repeat(y == 1, times))
    assert model.calibration_.slope == pytest.approx(repeated.slope, rel=1e-9)
    assert model.calibration_.intercept == pytest.approx(repeated.intercept, rel=1e-9)
    whole = make_pipeline(StandardScaler(), SVC(kernel="linear", C=GRID["C"][best]))
    whole.fit(X, y, svc__sample_weight=weight)
    expected = model.calibration_.log_odds(whole.decision_function(X))
    np.testing.assert_allclose(model.decision_function(X), expected, rtol=1e-9)


def test_weights_are_refused_by_learners_that_take_none(cohort):
    X, y = cohort
    model = surrogate([], "knn")
    with pytest.raises(StudyError, match="NearestNeighbours, which takes none.*lr, rf"):
        model.fit(X, y, sample_weight=np.ones(90))
    assert set(weighable_learners()) >= {"lr", "svc", "rf", "nb"}
    with pytest.raises(ValueError, match="[Nn]egative"):
        TunedClassifier(linear(), GRID).fit(X, y, sample_weight=-np.ones(90))


def test_weight_of_zero_leaves_a_patient_out_of_all(cohort, rng):
    X, y = cohort
    weight = np.where(rng.random(90) < 0.3, 0.0, 1.5)
    used = weight > 0
    pipeline = linear(SelectKBest(k=3))
    weighted = TunedClassifier(pipeline, GRID).fit(X, y, sample_weight=weight)
    without = TunedClassifier(pipeline, GRID).fit(X[used], y[used], sample_weight=weight[used])
    assert np.array_equal(weighted.decision_function(X), without.decision_function(X))
    with pytest.raises(OutcomeError, match="1 class"):
        TunedClassifier(linear(), GRID).fit(X, y, sample_weight=y)
