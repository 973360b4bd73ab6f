"""Thresholds are locked on training predictions and do to others what the counts say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.metrics import roc_curve

from radiogenomics.core.errors import RadiogenomicsWarning, UnknownNameError
from radiogenomics.evaluation.precision_recall import (
    average_precision_metric,
    precision_recall_table,
)
from radiogenomics.evaluation.thresholds import lock_threshold, operating_point_table
from radiogenomics.stats.classification.confusion import confusion
from radiogenomics.stats.classification.precision_recall import average_precision


@pytest.fixture
def predictions(rng) -> pd.DataFrame:
    label = np.tile(np.arange(60) % 3 == 0, 2).astype(float)
    score = 1 / (1 + np.exp(-(label + rng.normal(size=120))))
    ids = [f"P{i}" for i in range(60)]
    return pd.DataFrame(
        {"patient_id": ids * 2, "repeat": np.repeat([0, 1], 60), "label": label, "score": score}
    )


def test_youden_on_mean_scores_is_that_of_the_roc_curve(predictions):
    mean = predictions.groupby("patient_id", sort=False)[["label", "score"]].mean()
    fpr, tpr, thresholds = roc_curve(mean["label"], mean["score"], drop_intermediate=False)
    assert lock_threshold(predictions) == thresholds[np.argmax(tpr - fpr)]


def test_tie_rules_take_the_two_ends():
    frame = pd.DataFrame(
        {"patient_id": range(4), "repeat": 0, "label": [0, 1, 0, 1], "score": [1.0, 2.0, 3.0, 4.0]}
    )
    assert lock_threshold(frame) == 4.0
    assert lock_threshold(frame, ties="lowest") == 2.0
    with pytest.raises(UnknownNameError, match="tie rule"):
        lock_threshold(frame, ties="highset")
    with pytest.raises(UnknownNameError, match="threshold rule"):
        lock_threshold(frame, rule="yuoden")


def test_one_repeat_gives_the_shares_of_its_counts(predictions):
    single = predictions[predictions["repeat"] == 0]
    table, metrics = operating_point_table(single, 0.6, split="external:x")
    counts = confusion(single["score"], single["label"], 0.6)
    rows = table.set_index("metric")
    for name, share in counts.shares().items():
        assert tuple(rows.loc[name, ["value", "low", "high", "n"]]) == pytest.approx(share)
    assert rows.loc["tp", "value"] == counts.tp
    assert [m.name for m in metrics] == ["sensitivity", "specificity", "balanced_accuracy"]
    assert metrics[2].chance == 0.5


def test_repeats_are_averaged(predictions):
    table, _ = operating_point_table(predictions, 0.6, split="cross-validation")
    parts = [
        operating_point_table(part, 0.6, split="s")[0].set_index("metric")["value"]
        for _, part in predictions.groupby("repeat")
    ]
    averaged = table.set_index("metric")["value"]
    assert averaged["sensitivity"] == pytest.approx(np.mean([p["sensitivity"] for p in parts]))
    assert (table["n"] <= 60).all()


def test_threshold_that_parts_no_patients_is_said_and_keeps_what_is_defined(predictions):
    with pytest.warns(RadiogenomicsWarning, match="calls nobody positive"):
        table, metrics = operating_point_table(predictions, 2.0, split="external:x")
    rows = table.set_index("metric")["value"]
    assert (rows["sensitivity"], rows["specificity"]) == (0.0, 1.0)
    assert "ppv" not in rows
    assert {m.name: m.value for m in metrics}["balanced_accuracy"] == 0.5
    with pytest.warns(RadiogenomicsWarning, match="calls everybody positive"):
        operating_point_table(predictions, -1.0, split="external:x")


def test_share_without_meaning_is_left_out(predictions):
    flipped = predictions.assign(label=1.0 - (predictions["score"] > 0.2))
    table, _ = operating_point_table(flipped, 0.9, split="s")
    assert "ppv" in set(table["metric"])
    assert table["value"].notna().all()


def test_chance_of_average_precision_is_the_mean_over_random_orders(rng):
    labels = np.arange(30) % 3 == 0
    drawn = [average_precision(rng.random(30), labels) for _ in range(4000)]
    frame = pd.DataFrame({"patient_id": range(30), "repeat": 0, "label": labels, "score": labels})
    chance = average_precision_metric(frame, split="s").chance
    assert abs(np.mean(drawn) - chance) < 3 * np.std(drawn) / np.sqrt(4000)


def test_average_precision_and_its_curves(predictions):
    found = average_precision_metric(predictions, split="s")
    parts = [average_precision(p["score"], p["label"]) for _, p in predictions.groupby("repeat")]
    assert found.value == pytest.approx(np.mean(parts))
    # One repeat by hand: logit(value) -+ 1.96 / sqrt(P value (1 - value)) with 20 positives.
    single = average_precision_metric(predictions[predictions["repeat"] == 0], split="s")
    half = norm.ppf(0.975) / np.sqrt(20 * single.value * (1 - single.value))
    bounds = expit(logit(single.value) + np.array([-half, half]))
    assert (single.low, single.high) == pytest.approx(tuple(bounds), rel=1e-9)
    curves = precision_recall_table(predictions)
    assert curves.groupby("repeat")["recall"].max().eq(1).all()
