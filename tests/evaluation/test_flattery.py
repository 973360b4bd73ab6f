"""Defects of published models on noise, where the truth is one half, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import AlignmentError, OutcomeError, StudyError, UnknownNameError
from radiogenomics.evaluation import PatientKFold, auc_metric, cross_validate, flattery
from radiogenomics.evaluation.flattery import DEFECTS, flattery_on_noise, flattery_table
from radiogenomics.models.tuned import TunedClassifier

POOLED, TUNED, TESTED, APPARENT = DEFECTS
FOLDS = PatientKFold(5, random_state=1)


def tuned(k: int | str = 10, grid=(0.1,)) -> TunedClassifier:
    steps = [
        ("standardise", StandardScaler()),
        ("select", SelectKBest(f_classif, k=k)),
        ("lr", LogisticRegression()),
    ]
    return TunedClassifier(Pipeline(steps), {"C": list(grid)}, n_splits=2)


def noise(rng, *, n: int = 80, p: int = 500) -> tuple[pd.DataFrame, pd.Series]:
    index = pd.Index([f"P{i}" for i in range(n)])
    features = pd.DataFrame(rng.normal(size=(n, p)), index, [f"f{i}" for i in range(p)])
    return features, pd.Series(np.arange(n) % 2, index=index)


def by_name(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index("procedure")


def test_selection_on_all_patients_finds_what_is_not_there(rng):
    found = []
    for _ in range(8):
        features, labels = noise(rng)
        table = flattery_table(
            tuned(), features, labels, splitter=FOLDS, defects=(POOLED,), rng=rng
        )
        found.append(by_name(table))
    pooled = np.array([table.loc[POOLED, "auc"] for table in found])
    nested = np.array([table.loc["nested", "auc"] for table in found])
    assert pooled.min() > 0.7
    assert pooled.mean() > 0.8
    assert abs(nested.mean() - 0.5) < 3 * 0.065 / np.sqrt(8)
    assert all(t.loc[POOLED, "chance_note"].startswith("above the range") for t in found)


def test_percentiles_of_five_splits_do_not_cover(rng):
    """The true AUC of any model of noise is one half; 95 % of 40 cohorts would be 38."""
    covered = {"nested": 0, TESTED: 0, APPARENT: 0}
    for _ in range(40):
        features, labels = noise(rng, n=60, p=6)
        table = flattery_table(
            tuned("all"), features, labels, splitter=FOLDS, defects=(TESTED, APPARENT), rng=rng
        )
        for name, row in by_name(table).iterrows():
            covered[name] += row["low"] <= 0.5 <= row["high"]
    assert covered[TESTED] < 34  # a binomial of 40 at 0.95 is so low once in 300
    assert covered[APPARENT] < 4
    assert covered["nested"] > covered[TESTED]


@pytest.mark.slow
@pytest.mark.parametrize("n", [40, 200])
def test_percentiles_of_five_splits_cover_three_times_in_four(rng, n, record_property):
    """A binomial of 100 at three quarters lies within 0.12 of it but once in 200 times."""
    covered = 0
    for _ in range(100):
        features, labels = noise(rng, n=n, p=6)
        table = flattery_table(
            tuned("all"), features, labels, splitter=FOLDS, defects=(TESTED,), rng=rng
        )
        row = by_name(table).loc[TESTED]
        covered += row["low"] <= 0.5 <= row["high"]
    record_property("covered", f"{covered / 100:g}")
    assert covered / 100 == pytest.approx(0.75, abs=0.12)


def test_tuning_on_the_tested_is_the_best_point_of_the_grid(rng):
    features, labels = noise(rng, p=40)
    grid = (0.001, 0.1, 10.0)
    found = by_name(
        flattery_table(
            tuned(grid=grid), features, labels, splitter=FOLDS, defects=(TUNED,), rng=rng
        )
    )
    each = [
        auc_metric(
            cross_validate(
                tuned(grid=(c,)), features, labels, splitter=FOLDS, name="x"
            ).predictions,
            split="x",
        ).value
        for c in grid
    ]
    assert found.loc[TUNED, "auc"] == max(each)


def test_nested_row_is_cross_validation(rng):
    features, labels = noise(rng, p=40)
    table = by_name(flattery_table(tuned(), features, labels, splitter=FOLDS, defects=(), rng=rng))
    evidence = cross_validate(tuned(), features, labels, splitter=FOLDS, name="x")
    metric = auc_metric(evidence.predictions, split="cross-validation")
    assert list(table.index) == ["nested"]
    row = table.loc["nested"]
    assert (row["auc"], row["low"], row["high"]) == (metric.value, metric.low, metric.high)
    assert (row["n"], row["positives"]) == (80, 40)


def test_pooled_percentiles_by_hand(rng):
    """scikit-learn alone: scale and select on all, then five random splits."""
    features, labels = noise(rng, p=60)
    seed = np.random.default_rng(3)
    table = flattery_table(
        tuned(), features, labels,
        splitter=FOLDS, defects=(POOLED, TESTED), rng=np.random.default_rng(3),
    )  # fmt: skip
    X, y = StandardScaler().fit_transform(features), labels.to_numpy()
    X = SelectKBest(f_classif, k=10).fit_transform(X, y)
    shuffles = StratifiedShuffleSplit(5, test_size=0.2, random_state=int(seed.integers(2**31)))
    # Calibration keeps the order, and the AUC of one test part is its order.
    areas = [
        roc_auc_score(y[b], LogisticRegression(C=0.1).fit(X[a], y[a]).decision_function(X[b]))
        for a, b in shuffles.split(X, y)
    ]
    row = by_name(table).loc[f"{POOLED}+{TESTED}"]
    assert row["auc"] == pytest.approx(np.mean(areas), rel=1e-12)
    assert [row["low"], row["high"]] == pytest.approx(list(np.percentile(areas, [2.5, 97.5])))


def test_rows_are_each_defect_and_all_so_far(rng):
    features, labels = noise(rng, n=40, p=12)
    table = flattery_table(
        tuned(5), features, labels,
        splitter=FOLDS, defects=(POOLED, TUNED, TESTED, APPARENT), rng=rng,
    )  # fmt: skip
    assert table["procedure"].tolist() == [
        *("nested", POOLED, TUNED, TESTED, APPARENT),
        *(f"{POOLED}+{TUNED}", f"{POOLED}+{TUNED}+{TESTED}"),
    ]
    assert (table["width"] == table["high"] - table["low"]).all()
    assert table["flaw"].is_unique


def test_jobs_and_seed_change_nothing(rng):
    features, labels = noise(rng, n=40, p=12)
    tables = [
        flattery_table(
            tuned(5), features, labels,
            splitter=FOLDS, jobs=jobs, rng=np.random.default_rng(5),
        )
        for jobs in (1, 2)
    ]  # fmt: skip
    pd.testing.assert_frame_equal(*tables)


def test_noise_of_a_strong_link_is_chance(rng):
    features, labels = noise(rng, n=60, p=30)
    features["f0"] += 3 * labels
    settings = {"splitter": FOLDS, "defects": (POOLED,)}
    real = by_name(flattery_table(tuned(3), features, labels, rng=rng, **settings))
    none = flattery_on_noise(tuned(3), features, labels, count=4, rng=rng, **settings)
    assert real.loc["nested", "auc"] > 0.9
    assert none["permutation"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    means = none.groupby("procedure")["auc"].mean()
    assert means["nested"] < 0.65
    assert means[POOLED] > means["nested"]


def test_steps_are_handed_names(rng):
    class Named(SelectKBest):
        needs_names = True

        def fit(self, X, y=None):
            assert list(X.columns[:2]) == ["f0", "f1"]
            return super().fit(X, y)

    features, labels = noise(rng, n=40, p=8)
    model = TunedClassifier(
        Pipeline([("first", Named(f_classif, k=4)), ("lr", LogisticRegression())]), {"C": [1.0]}
    )
    table = flattery_table(model, features, labels, splitter=FOLDS, defects=(POOLED,), rng=rng)
    assert len(table) == 2


def test_what_cannot_be_shown_is_refused(rng):
    features, labels = noise(rng, n=40, p=8)
    given = {"splitter": FOLDS, "rng": rng}
    with pytest.raises(UnknownNameError, match="did you mean 'pooled_selection'"):
        flattery_table(tuned(2), features, labels, defects=("pooled_selektion",), **given)
    with pytest.raises(StudyError, match="a pipeline and a grid; found LogisticRegression"):
        flattery_table(LogisticRegression(), features, labels, defects=(POOLED,), **given)
    with pytest.raises(StudyError, match="at least 1 permutation"):
        flattery_on_noise(tuned(2), features, labels, count=0, **given)
    with pytest.raises(OutcomeError, match="expected labels 0 and 1"):
        flattery_table(tuned(2), features, labels + 1, **given)
    with pytest.raises(AlignmentError):
        flattery_table(tuned(2), features, labels.iloc[::-1], **given)
    with pytest.raises(OutcomeError):
        flattery_table(tuned(2), features, labels * 0, **given)


def test_steps_that_need_facts_are_refused(rng):
    class Eater(StandardScaler):
        row_facts = ("@site",)

    features, labels = noise(rng, n=40, p=8)
    model = TunedClassifier(
        Pipeline([("eater", Eater()), ("lr", LogisticRegression())]), {"C": [1.0]}
    )
    held = flattery._Data(model, features.assign(**{"@site": "a"}), labels, FOLDS, 0, 1)
    with pytest.raises(StudyError, match=r"'eater', which needs @site"):
        flattery._with_pooled_steps(held)
