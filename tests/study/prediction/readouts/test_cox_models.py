"""Cox models on out-of-fold scores, locked elsewhere: lifelines as authority."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.utils import concordance_index
from matplotlib.figure import Figure

from radiogenomics.core.errors import StudyError, UnknownNameError
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.plots.nomogram import draw_nomogram
from radiogenomics.study.prediction.readouts.cox_models import cox_readouts

ENDPOINTS = (("OS", [12, 24]), ("PFS", [6, 12]))
MODELS = {"Rad-score": ["score"], "mRECIST": ["mRECIST"], "Rad-Nomo": ["score", "mRECIST"]}
CODES = {"CR": 0.0, "PR": 0.0, "SD": 1.0, "PD": 2.0}
OUTSIDE = "external:far"


@pytest.fixture(scope="module")
def parts(make_part):
    return make_part(), make_part("far", 90, seed=2)


@pytest.fixture(scope="module")
def asked(make_study):
    nomogram = {"value": "Rad-Nomo", "source": "paper"}
    return make_study(endpoints=ENDPOINTS, cox=MODELS, nomogram=nomogram)


@pytest.fixture(scope="module")
def found(asked, parts):
    return cox_readouts(asked, parts)


def texts(found) -> str:
    return "\n".join(text for _, text in found.notes)


def frame_of(part, endpoint: str = "OS") -> pd.DataFrame:
    """Outcome, risk and the steps of response, worst last."""
    codes = part.cohort.response("response").category.map(CODES)
    frame = part.cohort.survival(endpoint).to_frame()
    return frame.assign(risk=1 - part.score(), code=codes)


@pytest.mark.parametrize("endpoint", ["OS", "PFS"])
def test_locked_concordance_agrees_with_lifelines(found, parts, endpoint):
    near, far = (frame_of(part, endpoint) for part in parts)
    fit = CoxPHFitter().fit(near, "time", "event")
    rows = found.tables["cox_models"].set_index(["split", "endpoint", "model"])
    for split, frame in (("cross-validation", near), (OUTSIDE, far)):
        risk = fit.predict_log_partial_hazard(frame)
        c = concordance_index(frame["time"], -risk, frame["event"])
        row = rows.loc[(split, endpoint, "Rad-Nomo")]
        assert row["c_index"] == pytest.approx(c, rel=1e-9)
        assert row["low"] < row["c_index"] < row["high"]
        assert (row["terms"], row["n"]) == ("score + mRECIST", len(frame))
        assert row["events"] == frame["event"].sum()


def test_hazard_ratios_agree_with_lifelines(found, parts):
    near = frame_of(parts[0])
    fit = CoxPHFitter().fit(near.assign(risk=near["risk"] / near["risk"].std()), "time", "event")
    table = found.tables["hazard_ratios"]
    rows = table[(table["endpoint"] == "OS") & (table["model"] == "Rad-Nomo")]
    assert rows["term"].tolist() == ["1 - score (per SD)", "mRECIST (per step, CR/PR < SD < PD)"]
    assert set(rows["split"]) == {"cross-validation"}
    wanted = fit.summary[["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%", "p"]]
    np.testing.assert_allclose(rows[["hazard_ratio", "low", "high", "p"]], wanted, rtol=2e-5)


def test_external_outcomes_change_what_is_measured_and_nothing_that_is_locked(
    asked, parts, found, with_outcomes
):
    near, far = parts
    os = far.cohort.survival("OS")
    order = np.random.default_rng(3).permutation(len(os.time))
    ids = os.patient_ids
    mixed = SurvivalOutcome(
        "OS", os.time.iloc[order].set_axis(ids), os.event.iloc[order].set_axis(ids)
    )
    other = cox_readouts(asked, [near, with_outcomes(far, OS=mixed)])
    for name in ("hazard_ratios", "nomogram_points", "nomogram_totals"):
        pd.testing.assert_frame_equal(other.tables[name], found.tables[name])
    inside = "split == 'cross-validation'"
    for name in ("cox_models", "time_dependent_auc"):
        one, two = (tables.tables[name].query(inside) for tables in (other, found))
        pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))
    # The locked risk is the same, so its concordance with the mixed outcome is known.
    risk = (
        CoxPHFitter().fit(frame_of(near), "time", "event").predict_log_partial_hazard(frame_of(far))
    )
    row = other.tables["cox_models"].set_index(["split", "endpoint", "model"])
    wanted = concordance_index(mixed.time, -risk, mixed.event)
    assert row.loc[(OUTSIDE, "OS", "Rad-Nomo"), "c_index"] == pytest.approx(wanted, rel=1e-9)


def test_training_outcomes_move_the_locked_model(asked, parts, found, with_outcomes):
    near, far = parts
    os = near.cohort.survival("OS")
    turned = SurvivalOutcome("OS", os.time.max() + 1 - os.time, os.event)
    other = cox_readouts(asked, [with_outcomes(near, OS=turned), far])
    one, two = (
        tables.tables["cox_models"].query("split == @OUTSIDE and endpoint == 'OS'")["c_index"]
        for tables in (other, found)
    )
    assert (one < 0.5).any()
    assert (two > 0.5).all()


def test_models_have_rows_of_time_dependent_auc(found):
    table = found.tables["time_dependent_auc"]
    assert set(table["model"]) == set(MODELS)
    assert table.notna().all(axis=None)
    assert set(table.loc[table["endpoint"] == "PFS", "horizon"]) == {6, 12}


def test_nomogram_tables_give_the_survival_that_the_model_gives(found, parts):
    """Read off by hand: points of one patient, added up, against lifelines' curve."""
    near = frame_of(parts[0])
    fit = CoxPHFitter().fit(near, "time", "event")
    points = found.tables["nomogram_points"]
    assert points["points"].max() == pytest.approx(100)
    score = points[points["term"] == "1 - score"].astype({"value": float, "points": float})
    grade = points[points["term"] == "mRECIST"].set_index("value")["points"]
    assert grade.index.tolist() == ["CR/PR", "SD", "PD"]
    total = np.interp(0.4, score["value"], score["points"]) + grade["SD"]
    curve = fit.predict_survival_function(pd.DataFrame({"risk": [0.4], "code": [1.0]}))
    for horizon, rows in found.tables["nomogram_totals"].groupby("horizon"):
        # Totals are linear in log(-log S).
        bent = np.log(-np.log(rows["survival"]))
        slope, constant = np.polyfit(rows["points"], bent, 1)
        read = np.exp(-np.exp(slope * total + constant))
        wanted = curve[curve.index <= horizon].iloc[-1, 0]
        assert read == pytest.approx(wanted, rel=2e-4)


def test_the_nomogram_can_be_drawn_from_its_tables_alone(found):
    points = found.tables["nomogram_points"].rename(columns={"term": "variable"})
    totals = found.tables["nomogram_totals"]
    chances = totals.assign(outcome=[f"{h:g}-month survival" for h in totals["horizon"]]).rename(
        columns={"points": "total_points", "survival": "probability"}
    )
    ax = Figure().add_subplot()
    labels = [each.get_text() for each in draw_nomogram(points, chances, ax).get_yticklabels()]
    assert labels[-2:] == ["12-month survival", "24-month survival"]
    assert set(found.tables["nomogram_points"]["endpoint"]) == {"OS"}


def test_numbers_keep_their_units_and_a_rare_gap_leaves_patients_out(make_study, parts):
    near, far = parts
    patients = near.cohort.patients.copy()
    patients.loc[patients.index[:7], "afp"] = np.nan
    gappy = replace(near, cohort=replace(near.cohort, patients=patients))
    found = cox_readouts(make_study(endpoints=ENDPOINTS[:1], cox={"AFP": ["AFP"]}), [gappy, far])
    rows = found.tables["cox_models"].set_index("split")
    assert rows.loc["cross-validation", "n"] == 113
    assert "7 of 120 patients lack a term" in texts(found)
    frame = near.cohort.survival("OS").to_frame().assign(afp=patients["afp"]).dropna()
    fit = CoxPHFitter().fit(frame.assign(afp=frame["afp"] / frame["afp"].std()), "time", "event")
    ratio = found.tables["hazard_ratios"]["hazard_ratio"].iloc[0]
    assert ratio == pytest.approx(fit.hazard_ratios_["afp"], rel=1e-5)


def test_a_class_that_is_worse_turns_the_groups(make_study, make_part):
    part = make_part(meaning="worse")
    study = make_study(endpoints=ENDPOINTS[:1], cox={"mRECIST": ["mRECIST"]})
    found = cox_readouts(study, [part])
    assert found.tables["hazard_ratios"]["term"].tolist() == ["mRECIST (per step, PD < SD < CR/PR)"]


def test_a_cohort_without_the_rival_keeps_the_other_models(asked, parts, with_outcomes):
    near, far = parts
    found = cox_readouts(asked, [near, with_outcomes(far, response=None)])
    outside = found.tables["cox_models"].query("split == @OUTSIDE")
    assert set(outside["model"]) == {"Rad-score"}
    assert f"{OUTSIDE}, OS, Rad-Nomo: mRECIST is not known of this cohort" in texts(found)
    lacking = cox_readouts(asked, [with_outcomes(near, response=None), far])
    assert set(lacking.tables["cox_models"]["model"]) == {"Rad-score"}
    assert "nomogram_points" not in lacking.tables


def test_a_rival_that_separates_or_never_varies_is_a_note(make_study, parts, with_outcomes):
    near, far = parts
    ids = near.cohort.response("response").patient_ids
    flat = ResponseOutcome("response", pd.Series("SD", ids), "mRECIST")
    study = make_study(endpoints=ENDPOINTS[:1], cox={"mRECIST": ["mRECIST"]})
    found = cox_readouts(study, [with_outcomes(near, response=flat), far])
    assert "cox_models" not in found.tables
    assert "OS, mRECIST: the Cox model could not be fitted: expected features that vary" in texts(
        found
    )
    ids = far.cohort.response("response").patient_ids
    flat = ResponseOutcome("response", pd.Series("SD", ids), "mRECIST")
    found = cox_readouts(study, [near, with_outcomes(far, response=flat)])
    assert set(found.tables["cox_models"]["split"]) == {"cross-validation"}
    assert "the same risk for all" in texts(found)


def test_a_horizon_beyond_the_training_follow_up_has_no_axis(make_study, parts):
    study = make_study(
        endpoints=(("OS", [12, 500]),),
        cox={"Rad-score": ["score"]},
        nomogram={"value": "Rad-score", "source": "paper"},
    )
    found = cox_readouts(study, parts)
    assert set(found.tables["nomogram_totals"]["horizon"]) == {12}
    assert "the nomogram has no axis at 500 months" in texts(found)


def test_contradictions_of_the_recipe_are_refused(make_study, parts, with_outcomes):
    near, far = parts
    with pytest.raises(UnknownNameError, match="term of a Cox model"):
        cox_readouts(make_study(endpoints=ENDPOINTS, cox={"A": ["mRECISTS"]}), parts)
    wrong = make_study(
        endpoints=ENDPOINTS,
        cox={"A": ["score"]},
        nomogram={"value": "B", "source": "paper"},
    )
    with pytest.raises(UnknownNameError, match="nomogram"):
        cox_readouts(wrong, parts)
    study = make_study(endpoints=ENDPOINTS, cox=MODELS)
    with pytest.raises(StudyError, match="out-of-fold"):
        cox_readouts(study, [far, near])
    ids = near.cohort.response("response").patient_ids
    strange = ResponseOutcome("response", pd.Series("NE", ids), "mRECIST", ("CR", "NE"))
    with pytest.raises(StudyError, match="as the recipe groups it"):
        cox_readouts(study, [with_outcomes(near, response=strange), far])
    patients = near.cohort.patients.assign(afp="much")
    words = replace(near, cohort=replace(near.cohort, patients=patients))
    with pytest.raises(StudyError, match="expected afp as numbers"):
        cox_readouts(make_study(endpoints=ENDPOINTS, cox={"AFP": ["AFP"]}), [words, far])


def test_no_cox_model_no_findings(make_study, parts):
    found = cox_readouts(make_study(endpoints=ENDPOINTS), parts)
    assert (found.notes, dict(found.tables)) == ((), {})
