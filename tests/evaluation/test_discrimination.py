import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.metrics import auc as trapezoid
from sklearn.metrics import roc_auc_score, roc_curve

from radiogenomics.core.errors import OutcomeError, SchemaError
from radiogenomics.evaluation import auc_metric, auc_within_folds, pooled_auc, roc_table
from radiogenomics.stats import delong


@pytest.fixture
def predictions(rng) -> pd.DataFrame:
    """Three repeats of 70 patients with learnt labels that move a little, and tied scores."""
    frames = []
    for repeat in range(3):
        label = np.arange(70) < 30 + repeat
        score = np.round(rng.normal(size=70) + label, 1)
        frames.append(
            pd.DataFrame(
                {
                    "patient_id": [f"P{i}" for i in range(70)],
                    "repeat": repeat,
                    "fold": np.arange(70) % 5,
                    "label": label.astype(float),
                    "score": score,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def test_auc_is_the_mean_of_scikit_learns_over_repeats(predictions):
    expected = [roc_auc_score(f["label"], f["score"]) for _, f in predictions.groupby("repeat")]
    assert pooled_auc(predictions) == pytest.approx(np.mean(expected), abs=1e-12)
    assert auc_metric(predictions, split="x").value == pytest.approx(np.mean(expected), abs=1e-12)


def test_interval_uses_the_mean_delong_variance_on_the_logit_scale(predictions):
    variance = np.mean(
        [delong(f["score"], f["label"]).variance for _, f in predictions.groupby("repeat")]
    )
    value = pooled_auc(predictions)
    half = 1.959963984540054 * np.sqrt(variance) / (value * (1 - value))
    found = auc_metric(predictions, split="x")
    assert found.low == pytest.approx(expit(logit(value) - half), rel=1e-12)
    assert found.high == pytest.approx(expit(logit(value) + half), rel=1e-12)


def test_one_repeat_is_delong_itself(predictions):
    one = predictions[predictions["repeat"] == 0]
    expected = delong(one["score"], one["label"])
    found = auc_metric(one, split="external:X")
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert (found.n, found.events, found.split) == (70, 30, "external:X")


def test_repeats_do_not_narrow_the_interval(predictions):
    one = predictions[predictions["repeat"] == 0]
    copies = pd.concat([one.assign(repeat=i) for i in range(10)])
    assert auc_metric(copies, split="x").low == pytest.approx(auc_metric(one, split="x").low)


def test_unlabelled_patients_are_left_out(predictions):
    hidden = predictions.copy()
    hidden.loc[hidden["patient_id"].isin(["P1", "P60"]), "label"] = np.nan
    rest = predictions[~predictions["patient_id"].isin(["P1", "P60"])]
    assert auc_metric(hidden, split="x") == auc_metric(rest, split="x")
    assert auc_metric(hidden, split="x").n == 68


def test_permutation_p_counts_replicates_at_least_as_large(predictions):
    value = pooled_auc(predictions)
    null = [value - 0.1, value, value + 0.1, value - 0.2]
    assert auc_metric(predictions, split="x", null=null).p_permutation == pytest.approx(3 / 5)
    assert auc_metric(predictions, split="x").p_permutation is None


def test_separated_classes_keep_a_cautious_interval():
    frame = pd.DataFrame({"patient_id": range(8), "repeat": 0, "label": [0] * 4 + [1] * 4})
    found = auc_metric(frame.assign(score=range(8)), split="x", name="auc_response")
    assert (found.value, found.high, found.name) == (1.0, 1.0, "auc_response")
    assert found.low < 0.6


def test_one_class_is_refused(predictions):
    with pytest.raises(OutcomeError, match="both classes"):
        pooled_auc(predictions.assign(label=1.0))
    with pytest.raises(OutcomeError, match="labelled patients"):
        pooled_auc(predictions.assign(label=np.nan))


def test_missing_column_is_named(predictions):
    with pytest.raises(SchemaError, match="found no score"):
        pooled_auc(predictions.drop(columns="score"))


def test_roc_of_one_repeat_is_that_of_scikit_learn(predictions):
    one = predictions[predictions["repeat"] == 1]
    fpr, tpr, _ = roc_curve(one["label"], one["score"], drop_intermediate=False)
    found = roc_table(one)
    expected = {(round(x, 12), round(y, 12)) for x, y in zip(fpr, tpr, strict=True)}
    points = {(round(row.fpr, 12), round(row.tpr, 12)) for row in found.itertuples()}
    assert {(0.0, 0.0), (1.0, 1.0)} <= points <= expected


def test_area_under_the_mean_roc_is_the_mean_auc(predictions):
    found = roc_table(predictions)
    assert trapezoid(found["fpr"], found["tpr"]) == pytest.approx(
        pooled_auc(predictions), abs=1e-12
    )
    assert found["fpr"].is_monotonic_increasing and found["tpr"].is_monotonic_increasing
    assert not found.duplicated().any()


def test_auc_within_folds_counts_the_pairs_of_a_fold_only(predictions):
    """By hand, pair by pair; the mean over repeats."""
    expected = []
    for _, repeat in predictions.groupby("repeat"):
        won, pairs = 0.0, 0
        for _, fold in repeat.groupby("fold"):
            high = fold.loc[fold["label"] == 1, "score"].to_numpy()
            low = fold.loc[fold["label"] == 0, "score"].to_numpy()
            ahead = high[:, None] - low[None, :]
            won += (ahead > 0).sum() + 0.5 * (ahead == 0).sum()
            pairs += ahead.size
        expected.append(won / pairs)
    found = auc_within_folds(predictions)
    assert found.value[0] == pytest.approx(np.mean(expected), abs=1e-12)
    assert found.low[0] < found.value[0] < found.high[0]


def test_prevalences_of_training_parts_are_chance_within_folds_and_below_it_pooled(rng):
    """What a learner gives that found nothing; folds are dealt whatever the class."""
    pooled, within = [], []
    for _ in range(200):
        label = rng.permutation(np.arange(60) < 24).astype(float)
        fold = np.arange(60) % 5
        frame = pd.DataFrame({"repeat": 0, "fold": fold, "label": label})
        frame["score"] = [label[fold != f].mean() for f in fold] + 1e-6 * rng.normal(size=60)
        pooled.append(pooled_auc(frame))
        within.append(auc_within_folds(frame).value[0])
    assert np.mean(pooled) < 0.4
    assert np.mean(within) == pytest.approx(0.5, abs=0.02)
