from __future__ import annotations

import pandas as pd
import pytest

from radiogenomics.core.errors import SchemaError
from radiogenomics.evaluation.repeats import by_repeat


@pytest.fixture
def predictions() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "patient_id": list("abcabc"),
            "repeat": [0, 0, 0, 1, 1, 1],
            "label": [0, 1, None, 0, 1, None],
            "score": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        }
    )


def test_repeats_come_one_by_one_without_the_unlabelled(predictions) -> None:
    found = [(scores.tolist(), labels.tolist()) for scores, labels in by_repeat(predictions)]
    assert found == [([0.1, 0.2], [0, 1]), ([0.4, 0.5], [0, 1])]


def test_a_patient_twice_in_a_repeat_is_refused(predictions) -> None:
    with pytest.raises(SchemaError, match=r"found 2 patients more than once \(a, b\)"):
        list(by_repeat(predictions.assign(repeat=0)))


def test_an_unlabelled_patient_may_be_there_twice(predictions) -> None:
    more = pd.concat([predictions, predictions.iloc[2:3]])
    assert len(list(by_repeat(more))) == 2


def test_predictions_without_patients_are_taken_as_they_are(predictions) -> None:
    anonymous = predictions.assign(repeat=0).drop(columns="patient_id")
    assert [scores.size for scores, _ in by_repeat(anonymous)] == [4]
