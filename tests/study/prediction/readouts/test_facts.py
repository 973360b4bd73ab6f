"""Facts as rivals and subgroups name them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from radiogenomics.study.prediction.readouts.facts import fact_of, term_of


def test_a_response_is_a_fact_and_empty_cells_are_none(make_part):
    part = make_part()
    assert fact_of(part.cohort, "response").index.equals(part.cohort.patient_ids)
    assert fact_of(part.cohort, "OS") is None
    patients = part.cohort.patients.assign(ward="")
    patients.loc[patients.index[0], "ward"] = "north"
    cohort = replace(part.cohort, patients=patients)
    assert fact_of(cohort, "ward").tolist() == ["north"]


def test_groups_are_steps_of_risk(make_study, make_part):
    part = make_part()
    term = term_of(make_study(), part, "mRECIST")
    assert term.levels == ("CR/PR", "SD", "PD")
    wanted = part.cohort.response("response").category.map({"CR": 0, "PR": 0, "SD": 1, "PD": 2})
    pd.testing.assert_series_equal(term.values, wanted, check_names=False, check_dtype=False)


def test_the_score_is_turned_to_risk(make_study, make_part):
    better, worse = make_part(), make_part(meaning="worse")
    found = term_of(make_study(), better, "score")
    assert found.name == "1 - score"
    np.testing.assert_allclose(found.values, 1 - better.score())
    found = term_of(make_study(), worse, "score")
    assert found.name == "score"
    np.testing.assert_allclose(found.values, worse.score())
