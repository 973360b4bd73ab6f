from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.models.explain.explanation import Explanation

FOUND = Explanation(
    values=np.array([[0.5, -0.2, 0.0], [-1.5, 0.1, 0.0]]),
    base=1.0,
    output=np.array([1.3, -0.4]),
    data=np.array([[2.0, 7.0, 1.0], [0.5, 6.0, 1.0]]),
    features=("rim", "size", "noise"),
    patients=pd.Index(["P1", "P2"]),
    scale="risk",
    method="linear",
)


def test_table_holds_every_contribution():
    table = FOUND.table()
    assert list(table) == ["patient", "feature", "value", "contribution", "base", "output", "scale"]
    assert table.pivot(index="patient", columns="feature", values="contribution").loc[
        "P2", "rim"
    ] == pytest.approx(-1.5)
    total = table.groupby("patient")["contribution"].sum() + 1.0
    assert total.tolist() == pytest.approx([1.3, -0.4])


def test_importance_is_the_mean_absolute_contribution():
    found = FOUND.global_importance()
    assert found["feature"].tolist() == ["rim", "size", "noise"]
    assert found["importance"].tolist() == pytest.approx([1.0, 0.15, 0.0])
    assert found["share"].sum() == pytest.approx(1)


def test_one_patient_comes_largest_first():
    assert FOUND.patient("P2")["feature"].tolist() == ["rim", "size", "noise"]
    with pytest.raises(UnknownNameError, match="P1"):
        FOUND.patient("P3")


def test_data_can_be_shown_in_their_own_units():
    raw = pd.DataFrame({"size": [62.0, 30.0], "other": [0, 1]}, index=["P1", "P2"])
    shown = FOUND.with_units_of(raw)
    assert shown.data[:, 1].tolist() == [62.0, 30.0]
    assert shown.data[:, 0].tolist() == FOUND.data[:, 0].tolist()
    assert FOUND.data[0, 1] == 7.0
    with pytest.raises(DataError, match="in their order"):
        FOUND.with_units_of(raw.iloc[::-1])


def test_what_does_not_add_up_is_refused():
    with pytest.raises(DataError, match="gap of 0.1"):
        replace(FOUND, output=FOUND.output + [0.0, 0.1])
    with pytest.raises(DataError, match="shape"):
        replace(FOUND, features=("rim", "size"))
    with pytest.raises(DataError, match="finite"):
        replace(FOUND, values=np.full((2, 3), np.nan))
