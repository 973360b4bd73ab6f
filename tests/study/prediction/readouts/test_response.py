"""Responders among high and low: scipy and statsmodels as authorities."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from radiogenomics.core.errors import StudyError
from radiogenomics.core.outcomes import ResponseOutcome
from radiogenomics.study.prediction.readouts.response import response_readouts

ASKED = {
    "outcome": {"value": "response", "source": "paper"},
    "responders": {"value": ["CR", "PR"], "source": "paper"},
}


@pytest.fixture(scope="module")
def asked(make_study):
    return make_study(response=ASKED)


def counted(part) -> tuple[int, int, int, int]:
    """Responders and patients, high and low."""
    responded = part.cohort.response("response").grouped(["CR", "PR"])
    high = part.high()
    return (
        int((responded & high).sum()),
        int(high.sum()),
        int((responded & ~high).sum()),
        int((~high).sum()),
    )


def test_shares_p_and_difference(asked, make_part):
    part = make_part("far", 60, seed=5)
    found = response_readouts(asked, [part]).tables["response_by_score"].set_index("group")
    a, n, b, m = counted(part)
    assert 0 < b < m and 0 < a < n
    assert found.loc["high", ["responders", "n"]].tolist() == [a, n]
    assert found.loc["low", ["responders", "n"]].tolist() == [b, m]
    for group, (k, size) in {"high": (a, n), "low": (b, m)}.items():
        row = found.loc[group]
        assert row["rate"] == k / size
        low, high = proportion_confint(k, size, method="wilson")
        assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    p = fisher_exact([[a, n - a], [b, m - b]]).pvalue
    assert found["p"].tolist() == pytest.approx([p, p], rel=1e-9)
    low, high = confint_proportions_2indep(a, n, b, m, method="newcomb", compare="diff")
    row = found.loc["low"]
    assert row["difference"] == pytest.approx(a / n - b / m)
    assert row["difference_low"] == pytest.approx(low, rel=1e-9)
    assert row["difference_high"] == pytest.approx(high, rel=1e-9)


def test_every_cohort_has_two_rows(asked, make_part):
    found = response_readouts(asked, [make_part(), make_part("far", 60, seed=5)])
    table = found.tables["response_by_score"]
    assert table[["split", "group"]].to_numpy().tolist() == [
        ["cross-validation", "high"],
        ["cross-validation", "low"],
        ["external:far", "high"],
        ["external:far", "low"],
    ]
    assert set(table["outcome"]) == {"response"}


@pytest.mark.parametrize("category", ["CR", "PD"])
def test_one_kind_of_response_says_nothing_of_a_link(asked, make_part, with_outcomes, category):
    part = make_part()
    seen = ResponseOutcome("response", pd.Series(category, part.cohort.patient_ids), "mRECIST")
    table = response_readouts(asked, [with_outcomes(part, response=seen)]).tables
    assert table["response_by_score"]["p"].tolist() == [1.0, 1.0]
    assert table["response_by_score"]["difference"].tolist() == [0.0, 0.0]


def test_patients_without_response_or_score_do_not_count(asked, make_part, with_outcomes):
    part = make_part()
    outcome = part.cohort.response("response")
    fewer = with_outcomes(part, response=outcome.for_patients(outcome.patient_ids[10:]))
    fewer = replace(fewer, predictions={"M": part.predictions["M"].iloc[:100]})
    assert response_readouts(asked, [fewer]).tables["response_by_score"]["n"].sum() == 90


@pytest.mark.parametrize(("threshold", "side"), [(-1.0, "everybody high"), (2.0, "everybody low")])
def test_a_threshold_that_parts_nobody_is_a_note(asked, make_part, threshold, side):
    found = response_readouts(asked, [replace(make_part(), threshold=threshold)])
    assert not found.tables
    assert side in found.notes[0][1]


def test_no_response_is_a_note_and_a_wrong_one_an_error(
    asked, make_study, make_part, with_outcomes
):
    part = make_part()
    found = response_readouts(asked, [with_outcomes(part, response=None)])
    assert found.notes == (("warning", "cross-validation: no response called response; left out."),)
    os = {**ASKED, "outcome": {"value": "OS", "source": "paper"}}
    with pytest.raises(StudyError, match="is a time to an event"):
        response_readouts(make_study(response=os), [part])
    good = {**ASKED, "responders": {"value": ["good"], "source": "paper"}}
    with pytest.raises(StudyError, match="found good in the recipe"):
        response_readouts(make_study(response=good), [part])


def test_a_label_of_the_same_response_is_said(make_study, make_part):
    label = {
        "rule": "response",
        "name": "ORR",
        "meaning": {"value": "better", "source": "paper"},
        "outcome": ASKED["outcome"],
        "positive": ASKED["responders"],
        "among": {"value": None, "source": "default"},
    }
    found = response_readouts(make_study(label=label, response=ASKED), [make_part()])
    assert "made from this very response" in found.notes[0][1]


def test_nothing_asked_nothing_found(make_study, make_part):
    assert not response_readouts(make_study(), [make_part()]).tables
