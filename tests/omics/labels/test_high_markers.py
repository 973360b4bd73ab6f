"""High in every marker: against tables by hand, medians of the training part, what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.evaluation import PatientKFold
from radiogenomics.evaluation.fold import label_splits
from radiogenomics.omics import HighMarkers


@pytest.fixture
def stained() -> pd.DataFrame:
    values = {"CD8": [10, 20, 30, 40, 50], "PDL1": [0, 5, 5, 0, 1], "FAP": [9.0, 1, 9, 1, 9]}
    return pd.DataFrame(values, index=list("ABCDE")).astype(float)


@pytest.mark.parametrize(
    ("markers", "cutoffs", "low", "expected"),
    [
        (("CD8",), ("median",), (), [0, 0, 0, 1, 1]),
        (("CD8",), (30,), (), [0, 0, 0, 1, 1]),
        (("CD8",), (29.9,), (), [0, 0, 1, 1, 1]),
        (("CD8", "PDL1"), (15, 1.0), (), [0, 1, 1, 0, 0]),
        (("PDL1", "CD8"), (1.0, 15), (), [0, 1, 1, 0, 0]),
        (("CD8", "PDL1"), (15, 1.0), ("PDL1",), [0, 0, 0, 1, 1]),
        (("CD8", "PDL1"), ("median", "median"), ("CD8", "PDL1"), [1, 0, 0, 0, 0]),
        (("CD8", "PDL1", "FAP"), (0, 0.5, 5.0), (), [0, 0, 1, 0, 1]),
    ],
)
def test_calls_are_those_by_hand(stained, markers, cutoffs, low, expected):
    """At the cut-off is not above it; what must be low may stand at it."""
    rule = HighMarkers(markers, cutoffs, low=low).fit(stained)
    assert rule.transform(stained).tolist() == expected
    assert rule.transform(stained).dtype == int


def test_medians_are_those_of_the_patients_it_was_fitted_on(stained):
    rule = HighMarkers(("CD8", "PDL1"), ("median", 0.5)).fit(stained.iloc[:3])
    assert rule.cutoffs_ == {"CD8": 20.0, "PDL1": 0.5}
    assert rule.transform(stained).tolist() == [0, 0, 1, 0, 1]
    assert rule.transform(stained[["PDL1", "FAP", "CD8"]]).tolist() == [0, 0, 1, 0, 1]


def test_inside_a_fold_the_cut_off_is_that_of_the_training_part(rng):
    values = pd.DataFrame({"CD8": rng.lognormal(4, 1, 40)}, index=[f"P{i}" for i in range(40)])
    folds = PatientKFold(4, random_state=2)
    rule = HighMarkers(("CD8",), ("median",))
    for part in label_splits(values, values, splitter=folds, target_rule=rule):
        median = np.median(values["CD8"].to_numpy()[part.split.train])
        np.testing.assert_array_equal(part.labels, values["CD8"] > median)
    assert not hasattr(rule, "cutoffs_")
    assert clone(rule).get_params() == rule.get_params()


def test_two_medians_of_independent_markers_call_a_quarter(rng):
    values = pd.DataFrame(rng.normal(size=(4000, 2)), columns=["a", "b"])
    share = HighMarkers(("a", "b"), ("median", "median")).fit(values).transform(values).mean()
    assert share == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 4000))


def test_what_cannot_be_called_is_named(stained):
    with pytest.raises(DataError, match="one cut-off for each marker; found 1 for 2"):
        HighMarkers(("CD8", "PDL1"), ("median",)).fit(stained)
    with pytest.raises(DataError, match="one cut-off for each marker; found 0 for 0"):
        HighMarkers((), ()).fit(stained)
    with pytest.raises(UnknownNameError, match="unknown marker 'CD88': did you mean 'CD8'"):
        HighMarkers(("CD88",), ("median",)).fit(stained)
    with pytest.raises(UnknownNameError, match="marker that must be low 'PDL2'"):
        HighMarkers(("CD8", "PDL1"), (1, 1), low=("PDL2",)).fit(stained)
    rule = HighMarkers(("CD8",), ("median",)).fit(stained)
    stained.loc["C", "CD8"] = np.nan
    for call in (rule.fit, rule.transform):
        with pytest.raises(DataError, match=r"found 1 patients without \(C\)"):
            call(stained)
    with pytest.raises(DataError, match="'middle'"):
        HighMarkers(("CD8",), ("middle",)).fit(stained.dropna())
    with pytest.raises(DataError, match="each marker once"):
        HighMarkers(("CD8", "CD8"), (10, 20)).fit(stained.dropna())
