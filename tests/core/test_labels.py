from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import AlignmentError, OutcomeError
from radiogenomics.core.labels import LabelSet


def labels(classes: object = ("high", "low", "low"), ids: object = ("A", "B", "C")) -> LabelSet:
    scores = pd.DataFrame({"IRS": [1.0, -1.0, np.nan]}, index=list(ids))
    return LabelSet("IRS", scores, pd.Series(classes, index=list(ids)), "high above 0")


def test_counts_by_class() -> None:
    assert labels().counts().to_dict() == {"high": 1, "low": 2}
    assert repr(labels()) == "LabelSet('IRS': 1 high, 2 low)"


def test_classes_that_do_not_occur_are_not_counted() -> None:
    kinds = pd.Categorical(["high", "low", "low"], categories=["high", "low", "middle"])
    made = labels(kinds)
    assert made.counts().to_dict() == {"high": 1, "low": 2}
    made.require_classes(1)


@pytest.mark.parametrize(
    ("classes", "minimum", "found"),
    [
        (["high", "low", "low"], 2, "high: 1, low: 2"),
        (["low", "low", "low"], 1, "low: 3"),
    ],
)
def test_too_few_classes_or_patients_are_refused(
    classes: list[str], minimum: int, found: str
) -> None:
    with pytest.raises(
        OutcomeError, match=f"two classes of {minimum} patients; found {found}. Use"
    ):
        labels(classes).require_classes(minimum)


def test_enough_classes_pass() -> None:
    labels().require_classes(1)


def test_a_patient_without_class_is_refused() -> None:
    with pytest.raises(OutcomeError, match="a class for each patient; found 1 without. Leave"):
        labels(["high", None, "low"])


def test_a_patient_twice_is_refused() -> None:
    with pytest.raises(AlignmentError, match=r"one row a patient; found repeated .*\(A\)\. Keep"):
        labels(ids=["A", "A", "B"])


def test_other_patients_in_scores_and_classes_are_refused() -> None:
    scores = pd.DataFrame({"IRS": [1.0, 2.0]}, index=["A", "B"])
    with pytest.raises(AlignmentError, match="scores and classes of the same patients in the same"):
        LabelSet("IRS", scores, pd.Series(["high", "low"], index=["B", "A"]), "rule")


def test_html_escapes_user_text(hostile: str, escaped: str) -> None:
    scores = pd.DataFrame({hostile: [1.0]}, index=[hostile])
    html = LabelSet(hostile, scores, pd.Series([hostile], [hostile]), hostile)._repr_html_()
    assert hostile not in html
    assert html.count(escaped) == 4


def test_html_without_scores() -> None:
    bare = LabelSet("TLS", pd.DataFrame(index=["A"]), pd.Series(["high"], ["A"]), "by eye")
    assert "by eye" in bare._repr_html_()
