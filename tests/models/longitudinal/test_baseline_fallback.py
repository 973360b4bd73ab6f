"""Two models by whether there is a follow-up: who is scored by which, and that it pays."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.core.method import Method
from radiogenomics.features import LongitudinalChange
from radiogenomics.models import TunedClassifier
from radiogenomics.models.longitudinal import BaselineFallback
from radiogenomics.models.surrogate import surrogate


def ridge(*steps) -> TunedClassifier:
    pipeline = make_pipeline(*steps, StandardScaler(), LogisticRegression())
    return TunedClassifier(pipeline, {"C": (0.01, 0.1, 1.0)}, n_splits=3)


def weight_checks(model):
    return {"check_sample_weight_equivalence_on_dense_data": "inner folds are dealt by heads"}


@parametrize_with_checks(
    [BaselineFallback(ridge(SimpleImputer()), ridge(SimpleImputer()), (-1,))],
    expected_failed_checks=weight_checks,
)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def cohort(rng, n=240, *, signal=(0.5, 1.0), lacking=0.25):
    """Two scans of two features; the first of either knows the label, the later one more of it."""
    y = (np.arange(n) % 5 < 2).astype(int)
    X = pd.DataFrame(
        rng.normal(size=(n, 5)),
        columns=["pre|size", "pre|rim", "post|size", "post|rim", "clinical|AFP"],
        index=[f"P{i}" for i in range(n)],
    )
    X["pre|size"] += signal[0] * y
    X["post|size"] += signal[1] * y
    gone = rng.random(n) < lacking
    X.loc[gone, ["post|size", "post|rim"]] = np.nan
    return X, y, gone


def silently(function, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RadiogenomicsWarning)
        return function(*arguments)


BEFORE = ["pre|size", "pre|rim", "clinical|AFP"]


def test_who_lacks_the_follow_up_gets_exactly_the_score_of_the_baseline_model(rng):
    X, y, gone = cohort(rng)
    model = BaselineFallback(ridge(), ridge(), ("post",)).fit(X, y)
    first = ridge().fit(X[BEFORE], y)
    both = ridge().fit(X[~gone], y[~gone])
    assert model.fell_back_ == gone.sum()
    assert np.array_equal(model.falls_back(X), gone)
    for method in ("decision_function", "predict_proba", "predict"):
        with pytest.warns(RadiogenomicsWarning, match=f"{gone.sum()} of 240 patients have no"):
            found = getattr(model, method)(X)
        assert np.array_equal(found[gone], getattr(first, method)(X.loc[gone, BEFORE]))
        assert np.array_equal(found[~gone], getattr(both, method)(X[~gone]))


def test_warning_counts_and_names_nobody_and_is_absent_without_need(rng):
    X, y, gone = cohort(rng)
    model = BaselineFallback(ridge(), ridge(), ("post",)).fit(X, y)
    with pytest.warns(RadiogenomicsWarning) as caught:
        model.predict(X)
    assert not any(patient in str(caught[0].message) for patient in X.index[gone])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(X[~gone])


def test_classes_scores_and_probabilities_say_the_same(rng):
    X, y, _ = cohort(rng)
    model = BaselineFallback(ridge(), ridge(), ("post",))
    model.fit(X, np.where(y == 1, "alive", "a dead"))
    assert model.classes_.tolist() == ["a dead", "alive"]
    probability = silently(model.predict_proba, X)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_allclose(probability[:, 1], expit(silently(model.decision_function, X)))
    assert np.array_equal(silently(model.predict, X) == "alive", probability[:, 1] > 0.5)
    trees = clone(model).set_params(full=GaussianNB(), baseline=GaussianNB()).fit(X, y)
    np.testing.assert_allclose(
        expit(silently(trees.decision_function, X)), silently(trees.predict_proba, X)[:, 1]
    )


def test_table_without_columns_of_the_follow_up_is_scored_by_the_baseline(rng):
    X, y, _ = cohort(rng)
    model = BaselineFallback(ridge(), ridge(), ("post",)).fit(X, y)
    with pytest.warns(RadiogenomicsWarning) as caught:
        found = model.decision_function(X[BEFORE])
    said = [str(warning.message) for warning in caught]
    assert len(said) == 2
    assert "no column of the block(s) post" in said[0]
    assert "240 of 240 patients have no follow-up" in said[1]
    assert np.array_equal(found, model.baseline_.decision_function(X[BEFORE]))
    with pytest.raises(SchemaError, match="all of its 2 columns"):
        model.predict(X.drop(columns="post|rim"))


def test_single_gaps_are_no_missing_follow_up(rng):
    X, y, gone = cohort(rng)
    X.iloc[np.flatnonzero(~gone)[:5], 2] = np.nan
    model = BaselineFallback(ridge(SimpleImputer()), ridge(), ("post",)).fit(X, y)
    assert np.array_equal(model.falls_back(X), gone)
    assert np.isfinite(silently(model.predict_proba, X)).all()


def test_two_follow_ups_fall_back_only_when_both_are_gone(rng):
    X, y, gone = cohort(rng)
    X["late|size"] = rng.normal(size=len(X))
    X.loc[X.index[:60], "late|size"] = np.nan
    model = BaselineFallback(ridge(SimpleImputer()), ridge(), ("post", "late")).fit(X, y)
    assert np.array_equal(model.falls_back(X), gone & (np.arange(len(X)) < 60))


def test_blocks_columns_and_positions_name_the_same(rng):
    X, y, gone = cohort(rng)
    expected = silently(BaselineFallback(ridge(), ridge(), ("post",)).fit(X, y).predict_proba, X)
    for words, table in (
        (("post|size", "post|rim"), X),
        ("post", X),
        ((2, 3), X.to_numpy()),
        ((-3, -2), X.to_numpy()),
    ):
        model = BaselineFallback(ridge(), ridge(), words).fit(table, y)
        assert np.array_equal(silently(model.predict_proba, table), expected)
        assert np.array_equal(model.falls_back(table), gone)
    assert BaselineFallback(ridge(), ridge(), ("post",)).needs_names
    assert not BaselineFallback(ridge(), ridge(), (2, 3)).needs_names
    assert BaselineFallback(ridge(LongitudinalChange()), ridge(), (2,)).needs_names


def test_change_is_rated_by_weeks_that_only_the_full_model_sees(rng):
    X, y, gone = cohort(rng)
    X = X.drop(columns="clinical|AFP")
    weeks = rng.uniform(4, 12, len(X))
    weeks[gone] = np.nan
    timed = X.assign(**{"@weeks": weeks})
    full = ridge(LongitudinalChange("rate", ("pre", "post")))
    model = BaselineFallback(full, ridge(), ("post",)).fit(timed, y)
    expected = clone(full).fit(timed[~gone], y[~gone]).predict_proba(timed[~gone])
    assert np.array_equal(silently(model.predict_proba, timed)[~gone], expected)
    assert list(model.selected_features_) == ["rate|size", "rate|rim", "pre|size", "pre|rim"]
    with pytest.raises(SchemaError, match="@weeks"):
        BaselineFallback(ridge(), ridge(), ("post",)).fit(timed, y)
    with pytest.raises(SchemaError, match="@weeks"):
        model.predict(X)


class Centred(TransformerMixin, BaseEstimator):
    """Takes the mean of each site off, and eats the column that says which."""

    row_facts = ("@site",)

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        features = X.drop(columns="@site")
        return (features - features.groupby(X["@site"]).transform("mean")).to_numpy()


def test_row_facts_reach_both_models(rng):
    X, y, gone = cohort(rng)
    table = X.assign(**{"@site": np.array(["A", "B"])[np.arange(len(X)) // 120]})
    model = BaselineFallback(ridge(Centred()), ridge(Centred()), ("post",)).fit(table, y)
    first = ridge(Centred()).fit(table[[*BEFORE, "@site"]], y)
    found = silently(model.decision_function, table)
    expected = first.decision_function(table.loc[gone, [*BEFORE, "@site"]])
    assert np.array_equal(found[gone], expected)
    assert model.selected_features_ is None  # the step does not name its output


def test_features_of_either_model_are_told_once(rng):
    X, y, _ = cohort(rng, signal=(2.0, 2.0))
    model = BaselineFallback(ridge(SelectKBest(k=2)), ridge(SelectKBest(k=1)), ("post",))
    assert set(model.fit(X, y).selected_features_) == {"pre|size", "post|size"}


def test_weights_reach_both_models(rng):
    X, y, gone = cohort(rng)
    weight = rng.uniform(0.5, 3, len(X))
    model = BaselineFallback(ridge(), ridge(), ("post",)).fit(X, y, sample_weight=weight)
    first = ridge().fit(X[BEFORE], y, sample_weight=weight)
    both = ridge().fit(X[~gone], y[~gone], sample_weight=weight[~gone])
    found = silently(model.decision_function, X)
    assert np.array_equal(found[gone], first.decision_function(X.loc[gone, BEFORE]))
    assert np.array_equal(found[~gone], both.decision_function(X[~gone]))
    unweighable = BaselineFallback(ridge(), KNeighborsClassifier(), ("post",))
    with pytest.raises(StudyError, match="baseline: expected a classifier that takes weights"):
        unweighable.fit(X, y, sample_weight=weight)


def test_fallback_beats_leaving_the_follow_up_out_and_filling_it_in():
    """Half lack a follow-up that knows most: those who have it gain, the others lose nothing."""
    kept, mean_filled, first_only = [], [], []
    for seed in range(6):
        rng = np.random.default_rng([70, seed])
        X, y, _ = cohort(rng, 300, signal=(0.8, 1.6), lacking=0.5)
        new, new_y, _ = cohort(rng, 3000, signal=(0.8, 1.6), lacking=0.5)
        model = BaselineFallback(ridge(), ridge(), ("post",)).fit(X, y)
        kept.append(roc_auc_score(new_y, silently(model.decision_function, new)))
        filled = ridge(SimpleImputer()).fit(X, y)
        mean_filled.append(roc_auc_score(new_y, filled.decision_function(new)))
        first = ridge().fit(X[BEFORE], y)
        first_only.append(roc_auc_score(new_y, first.decision_function(new[BEFORE])))
    gain = np.subtract(kept, first_only)
    assert gain.min() > 0.03
    # Filling with the mean shrinks to nothing what the baseline says of those without.
    assert np.mean(np.subtract(kept, mean_filled)) > -0.005


def test_without_signal_everybody_gets_about_the_prevalence():
    aucs, far = [], []
    for seed in range(6):
        rng = np.random.default_rng([71, seed])
        X, y, _ = cohort(rng, 120, signal=(0, 0))
        new, new_y, _ = cohort(rng, 2000, signal=(0, 0))
        model = BaselineFallback(ridge(), ridge(), ("post",)).fit(X, y)
        probability = silently(model.predict_proba, new)[:, 1]
        aucs.append(roc_auc_score(new_y, probability))
        far.append(np.abs(probability - 0.4).mean())
    assert abs(np.mean(aucs) - 0.5) < 3 * 0.013 / np.sqrt(6) + 0.01
    assert np.mean(far) < 0.1


def test_absence_that_says_something_spoils_the_common_ranking():
    """Who died early has no scan: within each kind the models rank, together they rank falsely."""
    rng = np.random.default_rng(72)
    X, y, _ = cohort(rng, 3000, signal=(0.0, 0.0), lacking=0.0)
    gone = (y == 0) & (rng.random(3000) < 0.5)
    X.loc[gone, ["post|size", "post|rim"]] = np.nan
    model = BaselineFallback(ridge(), ridge(), ("post",)).fit(X, y)
    probability = silently(model.predict_proba, X)[:, 1]
    # The docstring's warning, in numbers: prevalence among those seen again, and among all.
    assert probability[~gone].mean() == pytest.approx(y[~gone].mean(), abs=0.02)
    assert probability[gone].mean() == pytest.approx(y.mean(), abs=0.02)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ("nobody", DataError, "found none of 240"),
        ("one class", OutcomeError, "found 96 and 0 of 240|found 0 and 96 of 240"),
        ("one label", OutcomeError, "two classes; found 1 class"),
        ("three labels", OutcomeError, "two classes; found 3 class"),
        ("order", AlignmentError, "one order of rows"),
        ("length", ValueError, "inconsistent numbers of samples"),
        ("infinite", ValueError, "infinity"),
    ],
)
def test_patients_that_cannot_be_learnt_from_are_refused(rng, change, error, message):
    X, y, _ = cohort(rng, lacking=0.0)
    y = pd.Series(y, index=X.index)
    if change == "nobody":
        X[["post|size", "post|rim"]] = np.nan
    elif change == "one class":
        X.loc[y == 0, ["post|size", "post|rim"]] = np.nan
    elif change == "one label":
        y[:] = 1
    elif change == "three labels":
        y[:] = np.arange(240) % 3
    elif change == "order":
        y = y[::-1]
    elif change == "length":
        y = y[:-1]
    else:
        X.iloc[0, 0] = np.inf
    with pytest.raises(error, match=message):
        BaselineFallback(ridge(), ridge(), ("post",)).fit(X, y)


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("pots",), UnknownNameError, "did you mean 'post'"),
        (("post|rin",), UnknownNameError, "unknown block of the follow-up"),
        ((7,), UnknownNameError, "unknown position of the follow-up '7'"),
        (("pre", "post", "clinical"), DataError, "found 5 of 5 feature"),
        ((), DataError, "found 0 of 5 feature"),
    ],
)
def test_follow_up_that_is_not_there_or_is_everything_is_refused(rng, words, error, message):
    X, y, _ = cohort(rng)
    with pytest.raises(error, match=message):
        BaselineFallback(ridge(), ridge(), words).fit(X, y)


def test_models_without_probabilities_and_tables_without_names_are_refused(rng):
    X, y, _ = cohort(rng)
    with pytest.raises(StudyError, match="full: expected a classifier with probabilities"):
        BaselineFallback(SVC(), ridge(), ("post",)).fit(X, y)
    with pytest.raises(SchemaError, match="found no names"):
        BaselineFallback(ridge(), ridge(), ("post",)).fit(X.to_numpy(), y)
    fitted = BaselineFallback(ridge(), ridge(), ("post",)).fit(X, y)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(X.iloc[:, ::-1])


def test_models_handed_in_stay_unfitted_and_the_card_is_filled(rng):
    X, y, _ = cohort(rng)
    steps = [("fill", SimpleImputer()), ("standardise", StandardScaler())]
    full, first = surrogate(steps, "svm"), Pipeline([("nb", GaussianNB())])
    model = BaselineFallback(full, first, ("post",)).fit(X, y)
    assert not hasattr(full, "pipeline_")
    assert not hasattr(first[-1], "theta_")
    assert isinstance(model.card, Method)
    assert model.card.learns
