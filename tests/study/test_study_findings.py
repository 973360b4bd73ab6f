"""Stages are joined in order and lose nothing."""

from __future__ import annotations

import pandas as pd

from radiogenomics.core.evidence import Evidence, Metric
from radiogenomics.core.signature import Signature
from radiogenomics.study.findings import Findings, merge


def metric(name: str, split: str = "cross-validation") -> Metric:
    return Metric(name, 0.6, 0.5, 0.7, chance=0.5, n=20, split=split)


def test_metrics_notes_and_tables_keep_their_order():
    first = Findings(
        metrics=(metric("auc"),),
        tables={"roc": pd.DataFrame({"fpr": [0.0]}), "alone": pd.DataFrame({"a": [1]})},
        notes=(("info", "one"),),
    )
    second = Findings(
        metrics=(metric("auc", "external:x"), metric("brier")),
        tables={"roc": pd.DataFrame({"fpr": [1.0], "split": ["external:x"]})},
        notes=(("warning", "two"), ("info", "one")),
    )
    both = merge(iter([first, second]))
    assert [(m.name, m.split) for m in both.metrics] == [
        ("auc", "cross-validation"),
        ("auc", "external:x"),
        ("brier", "cross-validation"),
    ]
    assert both.notes == (("info", "one"), ("warning", "two"), ("info", "one"))
    assert both.tables["roc"]["fpr"].tolist() == [0.0, 1.0]
    assert both.tables["roc"].index.tolist() == [0, 1]
    assert both.tables["roc"]["split"].isna().tolist() == [True, False]
    assert list(both.tables) == ["roc", "alone"]


def test_empty_tables_keep_their_columns_and_change_no_type():
    empty = pd.DataFrame({"feature": pd.Series(dtype=object), "frequency": pd.Series(dtype=float)})
    full = pd.DataFrame({"feature": ["a"], "frequency": [1]})
    assert merge([Findings(tables={"s": empty})]).tables["s"].columns.tolist() == [
        "feature",
        "frequency",
    ]
    joined = merge([Findings(tables={"s": empty}), Findings(tables={"s": full})]).tables["s"]
    assert joined["frequency"].dtype.kind == "i" and len(joined) == 1


def test_the_first_signature_and_evidence_stay():
    signature = Signature("IRS", ("KPNA2",))
    predictions = pd.DataFrame(
        {"patient_id": ["P1"], "repeat": [0], "fold": [0], "label": [1.0], "score": [0.2]}
    )
    evidence = Evidence("svm", predictions)
    joined = merge(
        [
            Findings(),
            Findings(signature=signature),
            Findings(signature=Signature("other", ("SMG5",)), evidence=evidence),
        ]
    )
    assert joined.signature is signature
    assert joined.evidence is evidence


def test_nothing_joined_is_nothing():
    nothing = merge([])
    assert nothing.metrics == () and nothing.notes == () and not nothing.tables
    assert nothing.signature is None and nothing.evidence is None


def test_a_metric_is_found_by_name_and_split():
    found = Findings(metrics=(metric("auc"), metric("auc", "external:x")))
    assert found.metric("auc", split="external:x") is found.metrics[1]
    assert found.metric("auc", split="external:y") is None
