"""The headline learnt without each site in turn: against fits by hand, and where it cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from radiogenomics.study.prediction.inputs import read_prediction_inputs
from radiogenomics.study.prediction.left_out_sites import SPLIT
from radiogenomics.study.prediction.models import ModelBuilder
from radiogenomics.study.prediction.run import Options
from radiogenomics.study.run import run_cohorts

ASKED = {"evaluation.leave_out_sites": {"value": True, "source": "default"}}
QUICK = Options(permutations=0)


@pytest.fixture(scope="module")
def small(study_of):
    """The recipe with its headline alone."""

    def small(changes):
        study = study_of(changes)
        return study.model_copy(update={"models": study.models[:1], "rivals": ()})

    return small


def tables(study, cohort, provenance):
    return run_cohorts(study, [cohort], provenance=provenance, seed=0, jobs=1, options=QUICK).tables


def test_each_site_is_scored_by_what_was_learnt_at_the_others(small, cohort_of, provenance):
    cohort, study = cohort_of(sites=("north", "south", "east")), small(ASKED)
    found = tables(study, cohort, provenance)
    inputs = read_prediction_inputs(cohort, study, complete=False, jobs=1)
    builder = ModelBuilder(study, inputs, memory=None, random_state=0)
    model, site = study.models[0], cohort.patients["site"].loc[inputs.features.index]
    label = cohort.response("response").grouped(("CR", "PR")).loc[site.index].astype(int)
    columns = builder.columns(model)
    scores = pd.Series(np.nan, index=site.index)
    for name in site.unique():
        there = inputs.features.loc[site == name, columns]
        fitted = builder.build(model, scanned_once=False)
        fitted.fit(inputs.features.loc[site != name, columns], label[site != name])
        scores[there.index] = fitted.predict_proba(there)[:, 1]
    each = found["subgroup_auc"].query("split == @SPLIT").set_index("level")
    assert set(each.index) == {"north", "south", "east"}
    for name in site.unique():
        expected = roc_auc_score(label[site == name], scores[site == name])
        assert each.loc[name, "auc"] == pytest.approx(expected, abs=1e-12)
        assert each.loc[name, "n"] == (site == name).sum()
    whole = found["learners"].query("split == @SPLIT")
    assert whole["auc"].tolist() == [pytest.approx(roc_auc_score(label, scores), abs=1e-12)]


def test_nothing_is_left_out_unless_asked(small, cohort_of, provenance):
    assert SPLIT not in set(tables(small({}), cohort_of(), provenance)["learners"]["split"])


def test_one_site_is_told(small, cohort_of, provenance):
    found = run_cohorts(
        small(ASKED),
        [cohort_of(sites=("north",))],
        provenance=provenance,
        seed=0,
        jobs=1,
        options=QUICK,
    )
    assert any(f"{SPLIT}: near has no two sites" in text for _, text in found.findings.notes)
