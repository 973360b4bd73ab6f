"""Splits by site, date and list: whose patients stand where, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut

from radiogenomics.core.errors import AlignmentError, LeakageError, OutcomeError, StudyError
from radiogenomics.evaluation.declared_splits import FixedSplit, LeaveOneSiteOut, TemporalSplit
from radiogenomics.evaluation.resampling import cross_validate

ROWS = ["P1", "P1", "P2", "P3", "P4", "P4"]
SITES = pd.Series({"P1": "c", "P2": "a", "P3": "b", "P4": "a"})


def sides(splitter, rows=ROWS) -> list[tuple[list[int], list[int]]]:
    return [(split.train.tolist(), split.test.tolist()) for split in splitter.split(rows)]


def test_sites_are_left_out_as_scikit_learn_leaves_groups_out():
    groups = SITES.loc[ROWS].to_numpy()
    reference = LeaveOneGroupOut().split(np.zeros((6, 1)), groups=groups)
    assert sides(LeaveOneSiteOut(SITES)) == [(a.tolist(), b.tolist()) for a, b in reference]


def test_dates_part_earlier_from_later_with_the_boundary_later():
    dates = pd.to_datetime(
        pd.Series({"P1": "2019-05-01", "P2": "2020-01-01", "P3": "2018-01-01", "P4": "2021-01-01"})
    )
    assert sides(TemporalSplit(dates, pd.Timestamp("2020-01-01"))) == [([0, 1, 3], [2, 4, 5])]


def test_lists_are_taken_as_they_are_and_others_left_alone():
    assert sides(FixedSplit(["P4", "P1"], ["P3"])) == [([0, 1, 4, 5], [3])]


def test_what_the_lists_must_not_do():
    with pytest.raises(LeakageError, match=r"both sides.*found 1 \(P2\)"):
        FixedSplit(["P1", "P2"], ["P2", "P3"])
    with pytest.raises(OutcomeError, match="found 2 to train on and 0"):
        FixedSplit(["P1", "P2"], [])
    with pytest.raises(AlignmentError, match=r"1 absent \(P9\)"):
        sides(FixedSplit(["P1"], ["P9"]))


def test_a_patient_of_two_sites_is_refused():
    with pytest.raises(AlignmentError, match=r"1 with several \(P1\)"):
        LeaveOneSiteOut(pd.Series(["a", "b", "a"], index=["P1", "P1", "P2"]))
    assert LeaveOneSiteOut(pd.Series(["a", "a", "b"], index=["P1", "P1", "P2"])).sites.size == 2


def test_missing_facts_are_refused():
    with pytest.raises(AlignmentError, match=r"1 patients without \(P2\)"):
        TemporalSplit(pd.Series({"P1": 2019.0, "P2": np.nan}), 2019)
    with pytest.raises(AlignmentError, match=r"1 without \(P5\)"):
        sides(LeaveOneSiteOut(SITES), ["P1", "P5"])


def test_one_site_and_one_sided_dates_are_refused():
    with pytest.raises(StudyError, match="at least two sites"):
        sides(LeaveOneSiteOut(SITES), ["P2", "P4"])
    with pytest.raises(StudyError, match="all 2 before"):
        sides(TemporalSplit(pd.Series({"P1": 1, "P2": 2}), 3), ["P1", "P2"])


def test_cross_validation_by_site_trains_on_the_others(rng):
    ids = [f"P{i}" for i in range(60)]
    x = pd.DataFrame(rng.normal(size=(60, 2)), index=ids, columns=["a", "b"])
    y = pd.Series((x["a"] > 0).astype(int), index=ids)
    sites = pd.Series(np.repeat(["north", "south", "west"], 20), index=ids)
    found = cross_validate(
        LogisticRegression(), x, y, splitter=LeaveOneSiteOut(sites), name="lr"
    ).predictions
    for fold, site in enumerate(["north", "south", "west"]):
        rows = found[found["fold"] == fold].set_index("patient_id")["score"]
        here = sites == site
        direct = LogisticRegression().fit(x[~here], y[~here]).predict_proba(x[here])[:, 1]
        np.testing.assert_allclose(rows.loc[here[here].index], direct, rtol=1e-12)


def test_a_training_part_of_one_class_is_refused(rng):
    ids = [f"P{i}" for i in range(20)]
    x = pd.DataFrame(rng.normal(size=(20, 1)), index=ids)
    y = pd.Series(np.repeat([0, 1], 10), index=ids)
    sites = pd.Series(np.repeat(["north", "south"], 10), index=ids)
    with pytest.raises(OutcomeError, match="both classes among 10"):
        cross_validate(LogisticRegression(), x, y, splitter=LeaveOneSiteOut(sites), name="lr")
