from __future__ import annotations

import copy
import json
import math
import pickle

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, LeakageError, SchemaError, UnknownNameError
from radiogenomics.core.evidence import Evidence, Metric


def metric(**changes: object) -> Metric:
    values: dict[str, object] = {
        "name": "auc",
        "value": 0.7,
        "low": 0.6,
        "high": 0.8,
        "chance": 0.5,
        "n": 40,
        "split": "cross-validation",
    }
    return Metric(**(values | changes))  # type: ignore[arg-type]


def predictions() -> pd.DataFrame:
    """Three patients, two repeats, two folds each."""
    return pd.DataFrame(
        {
            "patient_id": ["A", "B", "C", "A", "B", "C"],
            "repeat": [0, 0, 0, 1, 1, 1],
            "fold": [0, 0, 1, 0, 1, 1],
            "label": [1, 0, 1, 1, 1, np.nan],
            "score": [0.9, 0.2, 0.4, 0.7, 0.4, 0.6],
        }
    )


def test_record_is_json_with_none_for_what_is_not_a_number() -> None:
    record = metric(low=math.nan, high=math.inf, events=7, p_permutation=0.02).to_record()
    assert json.loads(json.dumps(record, allow_nan=False)) == {
        "name": "auc",
        "value": 0.7,
        "low": None,
        "high": None,
        "chance": 0.5,
        "n": 40,
        "split": "cross-validation",
        "p_permutation": 0.02,
        "events": 7,
    }


def test_array_scalars_become_python_numbers() -> None:
    made = metric(
        value=np.float32(0.5), low=np.float64(0.25), high=1, n=np.int64(3), events=np.int32(2)
    )
    assert json.dumps(made.to_record(), allow_nan=False)
    assert [type(x) for x in (made.value, made.low, made.high, made.n, made.events)] == [
        float,
        float,
        float,
        int,
        int,
    ]


@pytest.mark.parametrize(
    ("low", "high", "chance", "excludes"),
    [
        (0.6, 0.8, 0.5, True),
        (0.5, 0.8, 0.5, False),
        (0.3, 0.4, 0.5, True),
        (1.2, math.inf, 1.0, True),
        (math.nan, math.nan, 0.5, False),
        (0.6, math.nan, 0.5, False),
        (math.nan, 0.4, 0.5, False),
        (0.6, 0.8, None, False),
    ],
)
def test_chance_is_excluded_only_by_a_known_interval(
    low: float, high: float, chance: float | None, excludes: bool
) -> None:
    assert metric(low=low, high=high, chance=chance).excludes_chance is excludes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"low": 0.9}, "expected low ≤ high; found an interval upside down"),
        ({"low": math.inf, "high": -math.inf}, "expected low ≤ high"),
        ({"p_permutation": 1.2}, "expected a p-value between 0 and 1; found 1.2"),
        ({"p_permutation": math.nan}, "expected a p-value between 0 and 1; found nan"),
        ({"n": -1}, "expected counts of at least 0; found n -1"),
        ({"events": -1}, "expected counts of at least 0; .*events -1"),
    ],
)
def test_impossible_metrics_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SchemaError, match=f"metric auc: {message}"):
        metric(**changes)


def test_metric_reads_as_a_sentence() -> None:
    assert str(metric(p_permutation=0.04)) == (
        "auc 0.700 (0.600–0.800, permutation p 0.04; cross-validation, n 40)"
    )


def test_a_patient_predicted_twice_in_a_repeat_is_leakage() -> None:
    twice = pd.concat([predictions(), predictions().iloc[[1]].assign(fold=1)])
    with pytest.raises(
        LeakageError, match=r"one prediction a patient and repeat; found 1 more \(B\)\. Split by"
    ):
        Evidence("model", twice)


@pytest.mark.parametrize("column", ["patient_id", "repeat", "fold", "label", "score"])
def test_missing_column_is_named(column: str) -> None:
    with pytest.raises(SchemaError, match=f"expected predictions with .*; found no {column}. Add"):
        Evidence("model", predictions().drop(columns=column))


def test_selected_needs_its_columns() -> None:
    with pytest.raises(SchemaError, match="expected selected with repeat, fold, feature; found no"):
        Evidence("model", predictions(), selected=pd.DataFrame({"feature": ["a"]}))


@pytest.mark.parametrize(
    ("column", "found"),
    [("patient_id", "1 rows without patient and 0"), ("score", "0 rows .* and 1 without score")],
)
def test_prediction_of_nobody_or_of_nothing_is_refused(column: str, found: str) -> None:
    holed = predictions().astype({"patient_id": object})
    holed.loc[0, column] = None
    with pytest.raises(DataError, match=f"found {found}"):
        Evidence("model", holed)


def selected(*rows: tuple[int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["repeat", "fold", "feature"])


def test_selection_frequency_by_hand() -> None:
    # Four fits; b in three, d and a in one each, and the fit (1, 1) chose nothing.
    chosen = selected((0, 0, "b"), (0, 0, "d"), (0, 1, "b"), (1, 0, "b"), (1, 0, "a"))
    frequency = Evidence("model", predictions(), selected=chosen).selection_frequency()
    assert list(frequency.items()) == [("b", 0.75), ("a", 0.25), ("d", 0.25)]
    assert (frequency.name, frequency.index.name) == ("frequency", "feature")


def test_a_feature_listed_twice_in_a_fit_counts_once() -> None:
    chosen = selected(*[(repeat, fold, "b") for repeat in (0, 1) for fold in (0, 1)] * 2)
    assert Evidence("m", predictions(), selected=chosen).selection_frequency()["b"] == 1.0


def test_no_selection_gives_an_empty_frequency() -> None:
    assert Evidence("model", predictions()).selection_frequency().empty


def test_mean_predictions_by_hand() -> None:
    mean = Evidence("model", predictions()).mean_predictions()
    assert mean.index.tolist() == ["A", "B", "C"]
    np.testing.assert_allclose(mean["score"], [0.8, 0.3, 0.5])
    assert mean["label"].tolist() == [1.0, 0.0, 1.0]  # B is a tie, C is known once


def test_mean_label_stays_unknown_where_it_is_never_known() -> None:
    unknown = predictions().assign(label=[True, False, None, True, False, None])
    mean = Evidence("model", unknown).mean_predictions()
    assert mean["label"].tolist()[:2] == [1.0, 0.0]
    assert math.isnan(mean["label"]["C"])


def test_metric_by_name_and_split() -> None:
    inner, outer = metric(), metric(value=0.65, split="external:toy")
    evidence = Evidence("model", predictions(), (inner, outer))
    assert evidence.metric("auc") is inner
    assert evidence.metric("auc", split="external:toy") is outer
    with pytest.raises(UnknownNameError, match="unknown metric 'acu': did you mean 'auc'"):
        evidence.metric("acu")
    with pytest.raises(UnknownNameError, match="split of metric auc 'external:toys': .*toy'"):
        evidence.metric("auc", split="external:toys")


def test_with_metrics_and_tables_leave_the_original_alone() -> None:
    bare = Evidence("model", predictions())
    roc = pd.DataFrame({"fpr": [0, 1]})
    more = bare.with_metrics(metric()).with_tables({"roc": roc}).with_metrics(metric(name="brier"))
    assert [m.name for m in more.metrics] == ["auc", "brier"]
    assert more.tables["roc"] is roc
    assert (bare.metrics, dict(bare.tables)) == ((), {})
    with pytest.raises(TypeError):
        more.tables["roc"] = roc  # type: ignore[index]


def test_metric_table_has_its_columns_even_when_empty() -> None:
    empty = Evidence("model", predictions()).metric_table()
    full = Evidence("model", predictions(), (metric(),)).metric_table()
    assert empty.empty
    assert empty.columns.tolist() == full.columns.tolist()
    assert full.loc[0, "value"] == 0.7


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_evidence_can_be_sent_to_another_process(copied) -> None:
    evidence = Evidence("model", predictions(), (metric(),), tables={"t": pd.DataFrame({"a": [1]})})
    arrived = copied(evidence)
    pd.testing.assert_frame_equal(arrived.predictions, evidence.predictions)
    assert arrived.metrics == evidence.metrics
    assert arrived.tables["t"]["a"].tolist() == [1]


def test_repr_gives_patients_and_numbers() -> None:
    assert repr(Evidence("surrogate", predictions(), (metric(),))) == (
        "Evidence('surrogate': 3 patients; auc 0.700 (0.600–0.800; cross-validation, n 40))"
    )
    assert repr(Evidence("bare", predictions())) == "Evidence('bare': 3 patients; no metrics)"


def test_html_escapes_user_text(hostile: str, escaped: str) -> None:
    evidence = Evidence(hostile, predictions(), (metric(name=hostile, split=hostile),))
    html = evidence._repr_html_()
    assert hostile not in html
    assert html.count(escaped) == 3
