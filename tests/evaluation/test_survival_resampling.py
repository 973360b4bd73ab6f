"""Cross-validated survival models: out-of-fold risk and survival against R, and without a leak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError, StudyError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import (
    PatientKFold,
    Split,
    concordance_metric,
    cross_validate_survival,
)
from radiogenomics.evaluation.survival_calibration import survival_calibration_summary
from radiogenomics.evaluation.survival_fold import predicted_survival
from radiogenomics.evaluation.time_dependent import survival_accuracy
from radiogenomics.models import CoxModel, SurvivalSVM, TunedSurvival

FOLDER = Path(__file__).parents[1] / "reference" / "evaluation"
MONTHS = [6, 12.5, 24]


class Declared:
    """Folds as written down."""

    def __init__(self, folds: pd.DataFrame):
        self.folds = folds

    def split(self, patient_ids, stratify=None):
        for repeat, column in enumerate(self.folds):
            for fold in range(3):
                held = self.folds[column].to_numpy() == fold
                yield Split(repeat, fold, np.flatnonzero(~held), np.flatnonzero(held))


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "survival_folds_input.csv", index_col="patient")


@pytest.fixture(scope="module")
def outcome(cohort) -> SurvivalOutcome:
    return SurvivalOutcome("OS", cohort["time"], cohort["event"])


@pytest.fixture(scope="module")
def folds(cohort) -> Declared:
    return Declared(cohort[["fold0", "fold1"]])


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "survival_folds.csv")


@pytest.fixture(scope="module")
def evidence(cohort, outcome, folds):
    return cross_validate_survival(
        CoxModel(), cohort[["x1", "x2"]], outcome, splitter=folds, name="cox", horizons=MONTHS[::-1]
    )


def test_risk_and_survival_match_r(evidence, reference, cohort):
    for repeat in (0, 1):
        expected = reference[reference["repeat_"] == repeat].pivot_table(
            index="patient", columns="kind", values="value"
        )
        expected = expected.loc[cohort.index]
        rows = evidence.predictions.query("repeat == @repeat").set_index("patient_id")
        np.testing.assert_allclose(rows["score"].loc[cohort.index], expected["risk"], rtol=1e-8)
        table = predicted_survival(evidence, cohort.index, repeat=repeat)
        assert table.columns.tolist() == MONTHS
        for month in MONTHS:
            np.testing.assert_allclose(table[month], expected[f"survival_{month:g}"], rtol=1e-9)


@pytest.mark.parametrize("who", ["all", "within"])
def test_concordance_matches_r(who, evidence, reference, cohort, outcome):
    found = reference.query("kind == 'c_index' and patient == @who")["value"].to_numpy()
    value, variance = found.reshape(2, 2).mean(axis=0)
    strata = cohort["site"].sample(frac=1, random_state=0) if who == "within" else None
    metric = concordance_metric(evidence.predictions, outcome, split="x", strata=strata)
    assert metric.value == pytest.approx(value, rel=1e-12)
    half = 1.959963984540054 * np.sqrt(variance) / (value * (1 - value))
    assert np.log(metric.high / (1 - metric.high)) == pytest.approx(
        np.log(value / (1 - value)) + half, rel=1e-9
    )


def test_table_is_tidy_and_its_mean_is_that_of_the_repeats(evidence, cohort):
    rows = evidence.tables["predicted_survival"]
    assert list(rows) == ["patient_id", "repeat", "fold", "horizon", "survival"]
    assert len(rows) == 90 * 2 * 3
    mean = predicted_survival(evidence, cohort.index)
    each = [predicted_survival(evidence, cohort.index, repeat=r) for r in (0, 1)]
    pd.testing.assert_frame_equal(mean, (each[0] + each[1]) / 2)
    assert mean.index.equals(cohort.index)


def test_jobs_change_nothing(evidence, cohort, outcome, folds):
    x = cohort[["x1", "x2"]]
    given = {"splitter": folds, "name": "cox", "horizons": MONTHS}
    two = cross_validate_survival(CoxModel(), x, outcome, jobs=2, **given)
    pd.testing.assert_frame_equal(two.predictions, evidence.predictions)
    name = "predicted_survival"
    pd.testing.assert_frame_equal(two.tables[name], evidence.tables[name])


def test_without_horizons_there_is_no_table(cohort, outcome, folds):
    found = cross_validate_survival(CoxModel(), cohort[["x1"]], outcome, splitter=folds, name="cox")
    assert not found.tables
    with pytest.raises(SchemaError, match="found none. Give horizons"):
        predicted_survival(found, cohort.index)


def test_pipelines_and_tuned_models_foretell_too(cohort, outcome, folds, evidence):
    x = cohort[["x1", "x2"]]
    given = {"splitter": folds, "name": "x", "horizons": MONTHS}
    steps = make_pipeline(StandardScaler(), CoxModel())
    for model in (steps, Pipeline([("cox", CoxModel())]), TunedSurvival(steps, {}, n_splits=3)):
        found = cross_validate_survival(model, x, outcome, **given)
        np.testing.assert_allclose(
            predicted_survival(found, cohort.index),
            predicted_survival(evidence, cohort.index),
            rtol=1e-9,
        )


@pytest.mark.parametrize("model", [SurvivalSVM(), make_pipeline(StandardScaler(), SurvivalSVM())])
def test_a_model_that_only_ranks_is_named_before_it_is_fitted(model, cohort, outcome, folds):
    given = {"splitter": folds, "name": "svm", "horizons": MONTHS}
    with pytest.raises(StudyError, match="found SurvivalSVM without"):
        cross_validate_survival(model, cohort[["x1"]], outcome, **given)
    tuned = TunedSurvival(Pipeline([("svm", SurvivalSVM())]), {})
    with pytest.raises(StudyError, match="found TunedSurvival without"):
        cross_validate_survival(tuned, cohort[["x1"]], outcome, **given)


@pytest.mark.parametrize("horizons", [[0, 6], [6, 6], [6, 99], [np.nan], []])
def test_horizons_that_cannot_be_foretold_are_named(horizons, cohort, outcome, folds):
    with pytest.raises(DataError, match="horizons above 0 and up to 3[0-9.]+ months"):
        cross_validate_survival(
            CoxModel(), cohort[["x1"]], outcome, splitter=folds, name="x", horizons=horizons
        )


class Odd(BaseEstimator):
    """Foretells what is no probability."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X))

    def predict_survival(self, X, times):
        return np.full((len(X), len(times)), 1.2)


def test_what_is_no_probability_is_named(cohort, outcome, folds):
    with pytest.raises(DataError, match=r"shape \(30, 3\) with 90 outside 0 to 1 from Odd"):
        cross_validate_survival(
            Odd(), cohort[["x1"]], outcome, splitter=folds, name="odd", horizons=MONTHS
        )


def test_other_patients_or_repeats_are_named(evidence, cohort):
    with pytest.raises(AlignmentError, match=r"1 on one side only \(P1\)"):
        predicted_survival(evidence, cohort.index[1:])
    with pytest.raises(SchemaError, match="a repeat among 0, 1; found 2"):
        predicted_survival(evidence, cohort.index, repeat=2)


def test_an_overfitted_model_looks_good_only_where_it_was_fitted(rng):
    """25 features of noise: apparent survival foretells, out-of-fold survival does not."""
    gain, slope = [], []
    for cohort in range(8):
        ids = pd.Index([f"P{i}" for i in range(120)])
        x = pd.DataFrame(rng.normal(size=(120, 25)), index=ids)
        death, end = rng.exponential(20, 120), rng.uniform(10, 60, 120)
        outcome = SurvivalOutcome(
            "OS", pd.Series(np.minimum(death, end), ids), pd.Series(death <= end, ids)
        )
        model = CoxModel(penalty=5.0)
        found = cross_validate_survival(
            model,
            x,
            outcome,
            splitter=PatientKFold(5, random_state=cohort),
            name="x",
            horizons=[12],
        )
        fitted = model.fit(x, outcome.to_structured()).predict_survival(x, [12])
        tables = [
            pd.DataFrame(fitted, index=ids, columns=[12.0]),
            predicted_survival(found, outcome.patient_ids),
        ]
        brier = [survival_accuracy(t, outcome, split="x")[0][1].value for t in tables]
        cal = [survival_calibration_summary(t, outcome, split="x")["slope"][0] for t in tables]
        gain.append(brier)
        slope.append(cal)
    (apparent, held_out), (own, new) = np.mean(gain, axis=0), np.mean(slope, axis=0)
    error = np.std(slope, axis=0, ddof=1)[1] / np.sqrt(len(slope))
    assert apparent > 0.1 and held_out < 0
    assert own > 1 and abs(new) < 3 * error < 0.5
