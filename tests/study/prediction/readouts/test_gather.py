"""All read-outs that a recipe asks for, at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from radiogenomics.evaluation import LockedModel
from radiogenomics.study.prediction.readouts.gather import read_out

PAPER = {"source": "paper"}
EVERYTHING = {
    "endpoints": (("OS", [12, 240], ("age",)), ("PFS", [6])),
    "cox": {"Rad-score": ["score"], "Rad-Nomo": ["score", "mRECIST"]},
    "nomogram": {"value": "Rad-Nomo", **PAPER},
    "response": {
        "outcome": {"value": "response", **PAPER},
        "responders": {"value": ["CR", "PR"], **PAPER},
    },
    "subgroups": {"value": ["regimen"], **PAPER},
    "pseudoprogression": {
        "outcome": {"value": "response", **PAPER},
        "progressive": {"value": ["PD"], **PAPER},
    },
    "explained_patients": {"value": 4, **PAPER},
}
TABLES = {
    "hazard_ratios",
    "survival_curves",
    "time_dependent_auc",
    "cox_models",
    "nomogram_points",
    "nomogram_totals",
    "response_by_score",
    "subgroup_auc",
    "pseudoprogression",
    "pseudoprogression_summary",
    "explanation",
}


@pytest.fixture(scope="module")
def world(make_part):
    parts = make_part(), make_part("far", 90, seed=2)
    rng = np.random.default_rng(0)
    tables = {
        p.cohort.id: pd.DataFrame(
            rng.normal(size=(len(p.cohort.patients), 2)), p.cohort.patient_ids, ["a|x", "a|y"]
        )
        for p in parts
    }
    label = parts[0].predictions["M"]["label"].astype(int).to_numpy()
    model = LockedModel(LogisticRegression().fit(tables["near"], label), None, ("a|x", "a|y"))
    return parts, tables, model


def test_everything_that_is_asked_is_there(make_study, world):
    parts, tables, model = world
    found = read_out(make_study(**EVERYTHING), parts, model=model, features=tables, seed=0)
    assert set(found.tables) == TABLES
    assert len(found.notes) == len(set(found.notes))
    models = set(found.tables["time_dependent_auc"]["model"])
    assert models == {"score", "Rad-score", "Rad-Nomo"}


def test_patients_stand_beside_their_cohort_and_nowhere_else(make_study, world):
    parts, tables, model = world
    found = read_out(make_study(**EVERYTHING), parts, model=model, features=tables, seed=0)
    ids = {str(p) for part in parts for p in part.cohort.patient_ids}
    for table in found.tables.values():
        for column in table.select_dtypes(include=["object", "string"]):
            if ids & set(map(str, table[column])):
                assert column == "patient_id"
                assert "cohort" in table
    assert not any(name in text for name in ids for _, text in found.notes)


def test_a_cohort_that_has_nothing_gives_notes_only(make_study, world, with_outcomes):
    (near, _), tables, _ = world
    bare = with_outcomes(near, OS=None, PFS=None, response=None)
    found = read_out(make_study(**EVERYTHING), [bare], model=None, features=tables, seed=0)
    assert set(found.tables) == {"subgroup_auc"}
    assert found.metrics == ()
    assert sum(level == "warning" for level, _ in found.notes) >= 4
    assert any("no locked headline model" in text for _, text in found.notes)


def test_nothing_asked_nothing_found(make_study, world):
    parts, tables, model = world
    found = read_out(make_study(), parts, model=model, features=tables, seed=0)
    assert (found.metrics, dict(found.tables), found.notes) == ((), {}, ())


def test_the_seed_makes_it_the_same_again(make_study, world):
    parts, tables, model = world
    study = make_study(**EVERYTHING)
    one, two = (read_out(study, parts, model=model, features=tables, seed=7) for _ in range(2))
    assert one.metrics == two.metrics
    for name in TABLES:
        pd.testing.assert_frame_equal(one.tables[name], two.tables[name])
