import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from radiogenomics.core.errors import AlignmentError, OutcomeError, RadiogenomicsWarning
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import adjusted_hazard_ratio


@pytest.fixture
def cohort(rng) -> tuple[pd.Series, SurvivalOutcome, pd.DataFrame]:
    n = 200
    index = pd.Index([f"P{i}" for i in range(n)])
    covariates = pd.DataFrame(
        {
            "age": rng.normal(60, 10, size=n),
            "stage": rng.choice(["I", "II", "III"], size=n, p=[0.5, 0.3, 0.2]),
            "cirrhosis": rng.random(n) < 0.4,
        },
        index=index,
    )
    confounder = (covariates["stage"] == "III") * 1.0
    risk = pd.Series(rng.normal(size=n) + confounder, index=index)
    death = rng.exponential(20 * np.exp(-0.5 * risk - confounder - 0.02 * covariates["age"] + 1.2))
    censoring = rng.uniform(5, 60, size=n)
    time = pd.Series(np.minimum(death, censoring), index=index)
    outcome = SurvivalOutcome("OS", time, pd.Series(death <= censoring, index=index))
    return risk, outcome, covariates


def reference(risk, outcome, covariates) -> pd.DataFrame:
    frame = outcome.to_frame().assign(
        risk=(risk - risk.mean()) / risk.std(ddof=1),
        age=covariates["age"],
        cirrhosis=covariates["cirrhosis"].astype(float),
    )
    for level in ("II", "III"):
        frame[level] = (covariates["stage"] == level).astype(float)
    options = {"precision": 1e-14, "r_precision": 1e-14}
    return CoxPHFitter().fit(frame.dropna(), "time", "event", fit_options=options).summary


NAMES = {
    "risk (per SD)": "risk",
    "age": "age",
    "stage: II vs I": "II",
    "stage: III vs I": "III",
    "cirrhosis": "cirrhosis",
}


def test_hazard_ratios_are_those_of_lifelines(cohort):
    found = adjusted_hazard_ratio(*cohort, split="x").set_index("term")
    expected = reference(*cohort)
    assert list(found.index) == list(NAMES)
    for term, name in NAMES.items():
        row = expected.loc[name]
        assert found.loc[term, ["hazard_ratio", "low", "high", "p"]].tolist() == pytest.approx(
            row[["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%", "p"]].tolist(), rel=1e-6
        )
    assert set(found["model"]) == {"adjusted"} and set(found["n"]) == {200}


def test_patients_without_a_covariate_are_left_out_and_counted(cohort):
    risk, outcome, covariates = cohort
    covariates.loc["P3", "age"] = np.nan
    covariates.loc["P4", "stage"] = None
    covariates.loc["P5", "stage"] = " "
    with pytest.warns(RadiogenomicsWarning, match=r"3 of 200 .*\(age: 1, stage: 2\)"):
        found = adjusted_hazard_ratio(risk, outcome, covariates, split="x").set_index("term")
    assert set(found["n"]) == {197} and set(found["left_out"]) == {3}
    complete = covariates.drop(["P3", "P4", "P5"]).reindex(covariates.index)
    complete["cirrhosis"] = complete["cirrhosis"].astype(float)
    expected = reference(risk, outcome, complete).loc["risk", "exp(coef)"]
    assert found.loc["risk (per SD)", "hazard_ratio"] == pytest.approx(expected, rel=1e-6)


def test_constant_covariate_is_dropped_and_said(cohort):
    risk, outcome, covariates = cohort
    with pytest.warns(RadiogenomicsWarning, match="sex is the same for all 200"):
        found = adjusted_hazard_ratio(risk, outcome, covariates.assign(sex="male"), split="x")
    pd.testing.assert_frame_equal(found, adjusted_hazard_ratio(*cohort, split="x"))


def test_level_without_events_is_left_out_which_is_its_limit(cohort):
    """The other estimates are those that a runaway coefficient tends to."""
    risk, outcome, covariates = cohort
    covariates["stage"] = covariates["stage"].where(np.arange(200) >= 6, "IV")
    outcome = SurvivalOutcome("OS", outcome.time, outcome.event & (covariates["stage"] != "IV"))
    with pytest.warns(RadiogenomicsWarning, match="stage IV has no event among 6"):
        found = adjusted_hazard_ratio(risk, outcome, covariates, split="x").set_index("term")
    assert set(found["left_out"]) == {6}
    frame = outcome.to_frame().assign(
        risk=(risk - risk.mean()) / risk.std(ddof=1), age=covariates["age"] - 60,
        cirrhosis=covariates["cirrhosis"] * 1.0,
        II=(covariates["stage"] == "II") * 1.0, III=(covariates["stage"] == "III") * 1.0,
        IV=(covariates["stage"] == "IV") * 1.0,
    )  # fmt: skip
    # A faint ridge on everything keeps the sixth coefficient finite, and the others all but free.
    limit = CoxPHFitter(penalizer=1e-7).fit(frame, "time", "event").summary["exp(coef)"]
    assert limit["IV"] < 1e-3
    assert found.loc["risk (per SD)", "hazard_ratio"] == pytest.approx(limit["risk"], rel=1e-3)


def test_adjusting_removes_what_the_confounder_added(cohort):
    risk, outcome, covariates = cohort
    alone = adjusted_hazard_ratio(risk, outcome, covariates[["age"]], split="x")
    full = adjusted_hazard_ratio(risk, outcome, covariates, split="x")
    assert full["hazard_ratio"][0] < alone["hazard_ratio"][0]


def test_few_events_a_term_are_said(cohort):
    risk, outcome, covariates = cohort
    outcome = SurvivalOutcome("OS", outcome.time, outcome.event & (outcome.event.cumsum() <= 20))
    with pytest.warns(RadiogenomicsWarning, match="20 events for 5 terms"):
        adjusted_hazard_ratio(risk, outcome, covariates, split="x")


def test_no_more_events_than_terms_is_refused(cohort, rng):
    risk, outcome, covariates = cohort
    wide = pd.DataFrame(rng.normal(size=(200, 12)), index=covariates.index)
    few = SurvivalOutcome("OS", outcome.time, outcome.event & (outcome.event.cumsum() <= 12))
    with pytest.raises(OutcomeError, match="more events than the 13 terms"):
        adjusted_hazard_ratio(risk, few, wide, split="x")


def test_covariate_that_repeats_the_risk_is_refused(cohort):
    risk, outcome, covariates = cohort
    with pytest.raises(OutcomeError, match="repeat each other"):
        adjusted_hazard_ratio(risk, outcome, covariates.assign(twin=3 * risk + 1), split="x")


def test_patients_without_covariates_are_named(cohort):
    risk, outcome, covariates = cohort
    with pytest.raises(AlignmentError, match="P7"):
        adjusted_hazard_ratio(risk, outcome, covariates.drop("P7"), split="x")
