import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    FallbackWarning,
    LeakageError,
    OutcomeError,
    StudyError,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import (
    PatientKFold,
    Split,
    cross_validate,
    cross_validate_survival,
    pooled_auc,
)
from radiogenomics.features import ComBat
from radiogenomics.features.selector import FeatureSelector
from radiogenomics.models import surrogate
from radiogenomics.omics import CoxSignature, SignatureLabel

FOLDS = PatientKFold(4, n_repeats=2, random_state=3)


def patients(n: int) -> pd.Index:
    return pd.Index([f"P{i}" for i in range(n)], name="patient_id")


@pytest.fixture
def labelled(rng) -> tuple[pd.DataFrame, pd.Series]:
    y = pd.Series(np.arange(60) % 2, index=patients(60))
    x = pd.DataFrame(rng.normal(size=(60, 5)), index=y.index, columns=list("abcde"))
    x["a"] += 1.5 * y
    return x, y


@pytest.fixture
def molecular(rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Images that show a gene which drives survival; six patients have no outcome."""
    n = 90
    gene = rng.normal(size=n)
    death, censoring = rng.exponential(20 * np.exp(-gene)), rng.uniform(5, 60, size=n)
    target = pd.DataFrame(
        {"G": gene, "time": np.minimum(death, censoring), "event": (death <= censoring) * 1.0},
        index=patients(n),
    )
    target.iloc[:6, 1:] = np.nan
    images = pd.DataFrame(rng.normal(size=(n, 4)), index=target.index, columns=list("wxyz"))
    images["w"] += gene
    return images, target


RULE = SignatureLabel(CoxSignature(["G"]))


class Remembers(ClassifierMixin, BaseEstimator):
    """Scores by whether it has met a patient: any leak would show as a score of 1."""

    def fit(self, x: pd.DataFrame, y):
        self.classes_ = np.unique(y)
        self.met_ = set(x.index)
        self.labels_ = np.asarray(y)
        return self

    def predict_proba(self, x: pd.DataFrame):
        met = np.array([float(patient in self.met_) for patient in x.index])
        return np.column_stack([1 - met, met])


class RemembersRule(BaseEstimator):
    """Labels patients it was fitted on 1 and others by parity, and tells who was met."""

    def fit(self, target: pd.DataFrame):
        self.met_ = set(target.index)
        return self

    def transform(self, target: pd.DataFrame):
        return target["parity"].to_numpy()

    def scores(self, target: pd.DataFrame):
        return np.array([float(patient in self.met_) for patient in target.index])


def test_predictions_are_those_of_scikit_learn(labelled):
    x, y = labelled
    splits = [s for s in FOLDS.split(x.index, y) if s.repeat == 0]
    expected = cross_val_predict(
        LogisticRegression(), x, y, cv=[(s.train, s.test) for s in splits], method="predict_proba"
    )[:, 1]
    found = cross_validate(LogisticRegression(), x, y, splitter=FOLDS, name="lr").predictions
    first = found[found["repeat"] == 0].set_index("patient_id").loc[x.index]
    np.testing.assert_array_equal(first["score"], expected)
    np.testing.assert_array_equal(first["label"], y)
    second = found[found["repeat"] == 1]
    assert pooled_auc(found) == pytest.approx(
        np.mean([roc_auc_score(f["label"], f["score"]) for f in (first, second)]), abs=1e-12
    )


def test_no_test_patient_was_met_in_training(labelled):
    x, y = labelled
    found = cross_validate(Remembers(), x, y, splitter=FOLDS, name="memory")
    assert (found.predictions["score"] == 0).all()
    assert len(found.predictions) == 120
    assert found.model.estimator.met_ == set(x.index)


def test_target_rule_meets_training_patients_only(labelled):
    x, y = labelled
    found = cross_validate(
        Remembers(),
        x,
        pd.DataFrame({"parity": y}),
        splitter=FOLDS,
        target_rule=RemembersRule(),
        name="memory",
    )
    assert (found.predictions["label_score"] == 0).all()


def test_labels_come_from_the_training_part_alone(molecular):
    """A patient's outcome moves neither this patient's label score nor this patient's score."""
    images, target = molecular
    outcomes = []
    for time in (target.loc["P50", "time"], 500.0):
        target.loc["P50", "time"] = time
        predictions = cross_validate(
            LogisticRegression(), images, target, splitter=FOLDS, target_rule=RULE, name="lr"
        ).predictions
        outcomes.append(predictions.set_index("patient_id"))
    before, after = (frame.loc["P50", ["score", "label_score"]] for frame in outcomes)
    pd.testing.assert_frame_equal(before, after)
    assert not outcomes[0]["label_score"].equals(outcomes[1]["label_score"])


def test_learnt_label_is_predicted_from_images_that_show_it(molecular):
    images, target = molecular
    found = cross_validate(
        LogisticRegression(), images, target, splitter=FOLDS, target_rule=RULE, name="lr"
    )
    assert pooled_auc(found.predictions) > 0.7
    high = found.predictions["label_score"] > found.predictions["label_score"].median()
    assert (high == found.predictions["label"]).mean() > 0.9


def test_locked_model_is_the_refit_on_all(molecular):
    images, target = molecular
    model = cross_validate(
        LogisticRegression(), images, target, splitter=FOLDS, target_rule=RULE, name="lr"
    ).model
    labels = SignatureLabel(CoxSignature(["G"])).fit(target).transform(target)
    np.testing.assert_array_equal(model.rule.transform(target), labels)
    expected = LogisticRegression().fit(images, labels).predict_proba(images)[:, 1]
    mixed = images.assign(extra=1.0)[["extra", *reversed(images.columns)]]
    np.testing.assert_allclose(model.predict(mixed), expected, rtol=1e-12)
    assert model.predict(images.iloc[[3]]).to_dict() == {"P3": pytest.approx(expected[3])}
    with pytest.raises(AlignmentError, match="1 missing .w."):
        model.predict(images.drop(columns="w"))


def test_jobs_do_not_change_results(molecular):
    images, target = molecular
    one, two = (
        cross_validate(
            LogisticRegression(),
            images,
            target,
            splitter=FOLDS,
            target_rule=RULE,
            name="lr",
            jobs=jobs,
        ).predictions
        for jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(one, two)


def test_selected_features_are_kept_by_fold(labelled):
    class Chooses(LogisticRegression):
        def fit(self, x, y):
            self.selected_features_ = ["a", "b"] if "P0" in x.index else ["a"]
            return super().fit(x, y)

    found = cross_validate(Chooses(), *labelled, splitter=FOLDS, name="chooses")
    frequency = found.selection_frequency()
    assert frequency.to_dict() == {"a": 1.0, "b": 0.75}


def test_decision_function_stands_in_for_probabilities(labelled):
    found = cross_validate(LinearSVC(), *labelled, splitter=FOLDS, name="svm").predictions
    assert found["score"].min() < 0
    assert pooled_auc(found) > 0.7


def test_selection_inside_the_fold_finds_nothing_in_noise(rng):
    """80 patients × 1000 noise features, 10 selected: outside the fold this gives about 0.89."""
    aucs = []
    for _ in range(20):
        x = pd.DataFrame(rng.normal(size=(80, 1000)), index=patients(80))
        y = pd.Series(rng.permutation(80) % 2, index=x.index)
        pipeline = make_pipeline(SelectKBest(k=10), GaussianNB())
        found = cross_validate(pipeline, x, y, splitter=PatientKFold(5), name="noise")
        aucs.append(pooled_auc(found.predictions))
    assert abs(np.mean(aucs) - 0.5) < 3 * np.std(aucs, ddof=1) / np.sqrt(20)


def test_survival_model_is_scored_out_of_fold(molecular):
    _, target = molecular
    target = target.dropna()
    outcome = SurvivalOutcome("OS", target["time"], target["event"])
    found = cross_validate_survival(
        CoxSignature(["G"]), target[["G"]], outcome, splitter=FOLDS, name="IRS"
    )
    for split in FOLDS.split(target.index, target["event"]):
        train = target.iloc[split.train]
        fitted = CoxSignature(["G"]).fit(train, outcome.to_structured()[split.train])
        rows = found.predictions.query("repeat == @split.repeat and fold == @split.fold")
        rows = rows.set_index("patient_id")
        test = target.iloc[split.test]
        margin = fitted.predict(test) - fitted.signature_.cutoff
        np.testing.assert_array_equal(rows["score"], margin)
        np.testing.assert_array_equal(rows["score"] > 0, fitted.classify(test))
    assert found.model.signature_.locked


def test_other_order_of_patients_is_refused(labelled):
    x, y = labelled
    with pytest.raises(AlignmentError, match="another order"):
        cross_validate(LogisticRegression(), x, y.iloc[::-1], splitter=FOLDS, name="lr")
    with pytest.raises(AlignmentError, match=r"1 on one side only \(P59\)"):
        cross_validate(LogisticRegression(), x, y.iloc[:-1], splitter=FOLDS, name="lr")


def test_several_rows_of_a_patient_are_refused(labelled):
    x, y = labelled
    twice = [*x.index[:-1], "P0"]
    with pytest.raises(AlignmentError, match="one row of features a patient.*P0"):
        cross_validate(
            LogisticRegression(), x.set_axis(twice), y.set_axis(twice), splitter=FOLDS, name="lr"
        )


@pytest.mark.parametrize("wrong", [2.0, float("nan")])
def test_labels_other_than_0_and_1_are_refused(labelled, wrong):
    x, y = labelled
    y = y.astype(float)
    y.iloc[4] = wrong
    with pytest.raises(OutcomeError, match="labels 0 and 1"):
        cross_validate(LogisticRegression(), x, y, splitter=FOLDS, name="lr")


def test_frame_of_labels_without_a_rule_is_refused(labelled):
    x, y = labelled
    with pytest.raises(StudyError, match="target_rule"):
        cross_validate(LogisticRegression(), x, y.to_frame(), splitter=FOLDS, name="lr")


def test_one_class_in_training_is_refused_with_advice(labelled):
    x, y = labelled

    class Halves:
        def split(self, patient_ids, stratify=None):
            positive = np.flatnonzero(np.asarray(stratify) == 1)
            yield Split(0, 0, positive, np.flatnonzero(np.asarray(stratify) == 0))

    with pytest.raises(OutcomeError, match="fold 0: expected both classes.*Balance"):
        cross_validate(LogisticRegression(), x, y, splitter=Halves(), name="lr")


def test_leaking_splitter_is_refused(labelled):
    x, y = labelled

    class Leaks:
        def split(self, patient_ids, stratify=None):
            yield Split(0, 0, np.arange(50), np.arange(45, 60))

    with pytest.raises(LeakageError, match="found 5 .P45"):
        cross_validate(LogisticRegression(), x, y, splitter=Leaks(), name="lr")


class _Choosy(FeatureSelector):
    """Keeps what exceeds a threshold of |mean difference|; else the best one."""

    def __init__(self, threshold: float = 1.0, fallback: int = 1) -> None:
        self.threshold = threshold
        self.fallback = fallback

    def fit(self, X, y):
        values, y = validate_data(self, X, y)
        gap = np.abs(values[y == 1].mean(axis=0) - values[y == 0].mean(axis=0))
        self._settle(gap > self.threshold, gap)
        return self


def test_fallbacks_of_selectors_are_counted_over_folds(labelled):
    x, y = labelled
    pipeline = make_pipeline(_Choosy(threshold=100.0), LogisticRegression())
    with pytest.warns(FallbackWarning, match=r"of 8 fits, nothing passed _choosy in 8") as caught:
        found = cross_validate(pipeline, x, y, splitter=FOLDS, name="lr")
    assert len(caught) == 1
    assert len(found.tables["fallbacks"]) == 8
    assert set(found.tables["fallbacks"]["step"]) == {"_choosy"}
    free = make_pipeline(_Choosy(threshold=0.0), LogisticRegression())
    assert "fallbacks" not in cross_validate(free, x, y, splitter=FOLDS, name="lr").tables
    strict = make_pipeline(_Choosy(threshold=100.0, fallback=0), LogisticRegression())
    with pytest.raises(DataError, match="found none of"):
        cross_validate(strict, x, y, splitter=FOLDS, name="lr")


def test_a_step_that_cannot_learn_says_in_which_fold(labelled):
    x, y = labelled
    sites = x.assign(**{"@site": ["Rare", *["A", "B"] * 29, "A"]})
    model = surrogate([("combat", ComBat())], "nb", n_splits=2)
    with pytest.raises(DataError, match=r"^repeat 0, fold \d: .*Rare \(1 patients\)"):
        cross_validate(model, sites, y, splitter=FOLDS, name="nb")
