from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit, ndtr
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError, UnknownNameError
from radiogenomics.stats import (
    auc,
    auc_batch,
    delong,
    delong_test,
    delong_test_unpaired,
    roc_curve,
    youden_threshold,
)

SCORES = ["smooth", "tied", "noise"]


@pytest.fixture(scope="module")
def patients(table):
    return table("classification_input")


@pytest.fixture(scope="module")
def others(table):
    return table("classification_other")


@pytest.mark.parametrize("score", SCORES)
def test_delong_matches_proc(score, patients, values):
    found = delong(patients[score], patients["label"], scale="linear")
    assert found.value == pytest.approx(values("auc", score, "auc")[0], rel=1e-12)
    assert found.variance == pytest.approx(values("auc", score, "variance")[0], rel=1e-10)
    assert found.low == pytest.approx(values("auc", score, "low")[0], rel=1e-10)
    assert found.high == pytest.approx(values("auc", score, "high")[0], rel=1e-10)
    narrow = delong(patients[score], patients["label"], scale="linear", level=0.8)
    assert narrow.low == pytest.approx(values("auc", score, "low80")[0], rel=1e-10)
    assert narrow.high == pytest.approx(values("auc", score, "high80")[0], rel=1e-10)
    assert (found.n_positive, found.n_negative) == (19, 78)


def test_default_interval_is_wald_on_the_logit(patients):
    found = delong(patients["smooth"], patients["label"])
    half = 1.959963984540054 * np.sqrt(found.variance) / (found.value * (1 - found.value))
    assert_allclose([found.low, found.high], expit(logit(found.value) + np.array([-half, half])))


@pytest.mark.parametrize("first", SCORES)
@pytest.mark.parametrize("second", SCORES)
def test_paired_comparison_matches_proc(first, second, patients, values):
    found = delong_test(patients[first], patients[second], patients["label"])
    if first == second:
        assert found == (0.0, 0.0, 1.0, 0.0)
        return
    model = f"{first}_{second}"
    assert found.z == pytest.approx(values("auc", model, "paired_z")[0], rel=1e-10)
    assert found.p == pytest.approx(values("auc", model, "paired_p")[0], rel=1e-10)
    expected = values("auc", first, "auc")[0] - values("auc", second, "auc")[0]
    assert found.difference == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("score", SCORES)
def test_unpaired_comparison_matches_proc(score, patients, others, values):
    found = delong_test_unpaired(
        delong(patients[score], patients["label"]), delong(others[score], others["label"])
    )
    assert found.z == pytest.approx(values("auc", score, "unpaired_t")[0], rel=1e-10)
    assert found.p == pytest.approx(values("auc", score, "unpaired_p")[0], rel=1e-10)


@pytest.mark.parametrize("score", SCORES)
def test_curve_matches_proc_and_scikit_learn(score, patients, values):
    curve = roc_curve(patients[score], patients["label"])
    assert_allclose(curve.tpr, values("auc", score, "sensitivity"), rtol=1e-12)
    assert_allclose(curve.fpr, 1 - values("auc", score, "specificity"), rtol=1e-12, atol=1e-15)
    fpr, tpr, thresholds = sklearn_roc_curve(
        patients["label"], patients[score], drop_intermediate=False
    )
    assert_allclose(curve.fpr, fpr)
    assert_allclose(curve.tpr, tpr)
    assert_array_equal(curve.thresholds, thresholds)
    assert np.trapezoid(curve.tpr, curve.fpr) == pytest.approx(
        auc(patients[score], patients["label"])
    )


def test_batch_of_scores_and_batch_of_labels(patients, rng, monkeypatch):
    monkeypatch.setattr(import_module("radiogenomics.stats.classification.auc"), "_CHUNK", 300)
    scores = patients[SCORES].to_numpy().T
    label = patients["label"].to_numpy()
    shared = auc_batch(scores, label)
    assert_allclose(shared, [roc_auc_score(label, row) for row in scores], rtol=1e-12)
    labels = rng.permuted(np.tile(label, (20, 1)), axis=1)
    expected = [roc_auc_score(row, scores[1]) for row in labels]
    assert_allclose(auc_batch(scores[1], labels), expected, rtol=1e-12)
    assert_allclose(auc_batch(np.tile(scores[1], (20, 1)), labels), expected, rtol=1e-12)


def test_batch_flags_rows_that_have_no_area(patients):
    scores = patients[SCORES].to_numpy().T.copy()
    scores[1, 4] = np.nan
    found = auc_batch(scores, patients["label"])
    assert_array_equal(np.isnan(found), [False, True, False])
    assert np.isnan(auc_batch(scores[1], patients["label"])).all()
    one_class = np.zeros((1, len(patients)))
    assert np.isnan(auc_batch(scores[0], one_class)).all()


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=80, deadline=None)
def test_area_is_mann_whitney_and_bounds_are_bounds(seed, n_positive, n_negative):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, n_positive + n_negative).astype(float)
    labels = np.repeat([1, 0], [n_positive, n_negative])
    u = mannwhitneyu(scores[labels == 1], scores[labels == 0]).statistic
    found = delong(scores, labels)
    assert found.value == pytest.approx(u / (n_positive * n_negative), abs=1e-12)
    for scale in ("logit", "linear"):
        found = delong(scores, labels, scale=scale)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.low < found.high
        turned = delong(-scores, labels, scale=scale)
        assert turned.value == pytest.approx(1 - found.value, abs=1e-12)
        assert turned.low == pytest.approx(1 - found.high, abs=1e-9)
        assert turned.high == pytest.approx(1 - found.low, abs=1e-9)


@pytest.mark.parametrize("scale", ["logit", "linear"])
def test_separated_classes_have_an_exact_one_sided_interval(scale):
    labels = np.repeat([1, 0], [10, 30])
    found = delong(np.arange(40)[::-1], labels, scale=scale)
    assert (found.value, found.high, found.variance) == (1.0, 1.0, 0.0)
    # Ten independent pairs, all won.
    assert found.low == pytest.approx(0.025**0.1)


def test_constant_score_and_single_positive_have_wide_intervals():
    constant = delong(np.zeros(30), np.repeat([1, 0], [10, 20]))
    assert constant.value == 0.5
    assert constant.high - constant.low > 0.5
    single = delong([3, 1, 2, 4, 5], [1, 0, 0, 0, 0])
    assert np.isnan(single.variance)
    assert single.high - single.low > 0.9


def test_intervals_cover_the_truth(rng):
    truth = ndtr(1 / np.sqrt(2))
    covered = {"logit": 0, "linear": 0}
    labels = np.repeat([1, 0], [20, 40])
    for _ in range(300):
        scores = rng.normal(size=60) + labels
        for scale in covered:
            found = delong(scores, labels, scale=scale)
            covered[scale] += found.low <= truth <= found.high
    assert 0.91 <= covered["logit"] / 300 <= 0.985
    assert 0.89 <= covered["linear"] / 300 <= 0.985


def test_paired_p_values_are_uniform_under_the_null(rng):
    labels = np.repeat([1, 0], [40, 60])
    p = []
    for _ in range(400):
        common = rng.normal(size=100) + labels
        a, b = common + rng.normal(size=(2, 100))
        p.append(delong_test(a, b, labels).p)
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.08)


def test_undefined_comparison_says_so():
    labels = [1, 1, 0, 0]
    found = delong_test([4, 3, 2, 1], [1, 1, 1, 1], labels)
    assert found.difference == 0.5
    assert np.isnan([found.z, found.p]).all()
    unpaired = delong_test_unpaired(delong([4, 3, 2, 1], labels), delong([1, 1, 1, 1], labels))
    assert np.isnan([unpaired.z, unpaired.p]).all()


def test_youden_threshold_and_its_tie_rule(patients):
    curve = roc_curve(patients["smooth"], patients["label"])
    best = youden_threshold(patients["smooth"], patients["label"])
    gain = curve.tpr - curve.fpr
    assert gain[curve.thresholds == best][0] == pytest.approx(gain.max())
    # Cutting at 4 or at 2 gives sensitivity + specificity of 1.5 alike: the higher is taken.
    assert youden_threshold([4, 3, 2, 1], [1, 0, 1, 0]) == 4
    # A score that points the wrong way: nothing beats calling everybody positive.
    assert youden_threshold([1, 2, 3, 4], [1, 1, 0, 0]) == 1


def test_impossible_input_says_what_to_do():
    with pytest.raises(OutcomeError, match="expected both classes"):
        auc([1, 2], [1, 1])
    with pytest.raises(OutcomeError, match="recode the classes"):
        auc([1, 2], [1, 2])
    with pytest.raises(DataError, match="1 values that are not finite"):
        auc([1, np.nan], [0, 1])
    with pytest.raises(DataError, match="align the two"):
        auc([1, 2, 3], [0, 1])
    with pytest.raises(DataError, match="one patient a column"):
        auc_batch([[1, 2, 3]], [0, 1])
    with pytest.raises(DataError, match="one batch where both"):
        auc_batch([[1, 2], [2, 3], [3, 4]], [[0, 1], [0, 1]])
    with pytest.raises(UnknownNameError, match="linear"):
        delong([1, 2], [0, 1], scale="liner")
    with pytest.raises(AlignmentError, match="AucEstimate"):
        delong_test_unpaired(0.7, 0.6)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(17)
