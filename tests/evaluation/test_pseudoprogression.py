"""Progression with a score that says responder: a table counted by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from statsmodels.stats.proportion import proportion_confint

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.evaluation.pseudoprogression import pseudoprogression_table

#        score  category months event
PATIENTS = {
    "a": (0.90, "PD", 30.0, 0),  # survived: last seen alive after 14
    "b": (0.50, "PD", 14.0, 0),  # at the cut-off is high; seen alive at 14
    "c": (0.70, "PD", 14.0, 1),  # died at 14
    "d": (0.80, "PD", 3.0, 0),  # lost
    "e": (0.60, "PD", 20.0, 1),  # died after 14
    "f": (0.49, "PD", 5.0, 1),
    "g": (0.10, "PD", 8.0, 1),
    "h": (0.20, "PD", 16.0, 0),
    "i": (0.95, "PR", 2.0, 1),
    "j": (0.05, "SD", 40.0, 0),
}


def cohort(patients=PATIENTS) -> tuple[pd.Series, ResponseOutcome, SurvivalOutcome]:
    score, category, months, event = (
        pd.Series(values, index=list(patients)) for values in zip(*patients.values(), strict=True)
    )
    return (
        score,
        ResponseOutcome("response", category, "mRECIST"),
        SurvivalOutcome("OS", months, event),
    )


def test_rows_and_counts_by_hand():
    patients, summary = pseudoprogression_table(*cohort(), cutoff=0.5, horizon=14.0)
    assert patients["patient_id"].tolist() == ["a", "d", "c", "e", "b"]
    assert patients["what_happened"].tolist() == [
        "survived beyond",
        "censored before",
        "died before",
        "survived beyond",
        "survived beyond",
    ]
    assert patients["category"].eq("PD").all()
    assert patients["months"].tolist() == [30.0, 3.0, 14.0, 20.0, 14.0]
    assert patients["event"].tolist() == [False, False, True, True, False]
    rows = summary.set_index("score")
    assert rows.loc["high", ["n", "survived", "died", "censored"]].tolist() == [5, 3, 1, 1]
    assert rows.loc["low", ["n", "survived", "died", "censored"]].tolist() == [3, 1, 2, 0]
    assert rows["share"].tolist() == [0.75, 1 / 3]
    assert rows["endpoint"].tolist() == ["OS", "OS"]
    for name, (survived, known) in {"high": (3, 4), "low": (1, 3)}.items():
        low, high = proportion_confint(survived, known, method="wilson")
        np.testing.assert_allclose(rows.loc[name, ["low", "high"]].astype(float), [low, high])


def test_survival_is_that_of_lifelines():
    score, response, outcome = cohort()
    _, summary = pseudoprogression_table(score, response, outcome, cutoff=0.5, horizon=14.0)
    for name, chosen in {"high": list("abcde"), "low": list("fgh")}.items():
        curve = KaplanMeierFitter().fit(outcome.time[chosen], outcome.event[chosen])
        found = summary.set_index("score").loc[name, "km"]
        assert found == pytest.approx(curve.predict(14.0), rel=1e-12)


def test_several_categories_and_level():
    score, _, outcome = cohort()
    category = pd.Series(["iCPD", "iUPD", "PR", *["PR"] * 7], index=score.index)
    response = ResponseOutcome("r", category, "iRECIST", ("CR", "PR", "SD", "iUPD", "iCPD"))
    patients, summary = pseudoprogression_table(
        score, response, outcome, cutoff=0.0, horizon=14.0, progressive=("iUPD", "iCPD"), level=0.9
    )
    assert patients["patient_id"].tolist() == ["a", "b"]
    low, high = proportion_confint(2, 2, alpha=0.1, method="wilson")
    np.testing.assert_allclose(summary.loc[0, ["low", "high"]].astype(float), [low, high])
    assert summary.loc[1, "n"] == 0
    assert np.isnan(summary.loc[1, ["share", "low", "high", "km"]].astype(float)).all()


def test_follow_up_that_ends_before_the_horizon_gives_no_share():
    patients = {"a": (0.9, "PD", 5.0, 0), "b": (0.8, "PD", 6.0, 0)}
    _, summary = pseudoprogression_table(*cohort(patients), cutoff=0.5, horizon=14.0)
    assert summary.loc[0, "censored"] == 2
    assert np.isnan(summary.loc[0, ["share", "km"]].astype(float)).all()


def test_nobody_progressed_is_an_empty_table_with_a_warning():
    score, response, outcome = cohort({"a": (0.9, "PR", 5.0, 1), "b": (0.2, "SD", 6.0, 0)})
    with pytest.warns(RadiogenomicsWarning, match="none of 2 patients has PD by mRECIST"):
        patients, summary = pseudoprogression_table(
            score, response, outcome, cutoff=0.5, horizon=14.0
        )
    assert patients.empty
    assert "patient_id" in patients
    assert summary["n"].tolist() == [0, 0]


def test_score_that_sees_survival_separates_those_who_progressed():
    """Simulated truth: given progression, the score decides; and a score that knows nothing."""
    rng = np.random.default_rng(90)
    n = 4000
    ids = [f"P{i}" for i in range(n)]
    score = pd.Series(rng.random(n), ids)
    time = rng.exponential(np.where(score > 0.5, 30, 8))
    response = ResponseOutcome("r", pd.Series(rng.choice(["PD", "PR"], n), ids), "mRECIST")
    outcome = SurvivalOutcome("OS", pd.Series(time, ids), pd.Series(1, ids))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, summary = pseudoprogression_table(score, response, outcome, cutoff=0.5, horizon=14.0)
    np.testing.assert_allclose(summary["share"], np.exp([-14 / 30, -14 / 8]), atol=0.05)
    np.testing.assert_allclose(summary["km"], summary["share"], rtol=1e-12)
    shuffled = pd.Series(rng.permutation(score.to_numpy()), ids)
    _, null = pseudoprogression_table(shuffled, response, outcome, cutoff=0.5, horizon=14.0)
    assert abs(null.loc[0, "share"] - null.loc[1, "share"]) < 0.06


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"cutoff": np.nan}, DataError, "finite cut-off"),
        ({"horizon": 0.0}, DataError, "horizon: expected months above 0; found 0.0"),
        ({"horizon": np.inf}, DataError, "horizon"),
        ({"progressive": ("PDD",)}, UnknownNameError, "did you mean 'PD'"),
        ({"level": 95}, DataError, "confidence level"),
    ],
)
def test_senseless_parameters_are_named(change, error, message):
    with pytest.raises(error, match=message):
        pseudoprogression_table(*cohort(), **{"cutoff": 0.5, "horizon": 14.0} | change)


def test_other_patients_and_missing_scores_are_refused():
    score, response, outcome = cohort()
    with pytest.raises(AlignmentError, match="score and OS"):
        pseudoprogression_table(score[::-1], response, outcome, cutoff=0.5, horizon=14.0)
    fewer = response.for_patients(list("abc"))
    with pytest.raises(AlignmentError, match="response and OS"):
        pseudoprogression_table(score, fewer, outcome, cutoff=0.5, horizon=14.0)
    score["c"] = np.nan
    with pytest.raises(DataError, match="found 1 scores"):
        pseudoprogression_table(score, response, outcome, cutoff=0.5, horizon=14.0)
