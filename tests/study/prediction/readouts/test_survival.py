"""The headline's risk held against survival: lifelines and scikit-survival as authorities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.utils import concordance_index
from sksurv.metrics import cumulative_dynamic_auc

from radiogenomics.core.errors import StudyError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.study.prediction.readouts.survival import survival_readouts

BOTH = (("OS", [12, 24, 36], ("age",)), ("PFS", [6, 12]))
OUTSIDE = "external:far"


@pytest.fixture(scope="module")
def parts(make_part):
    return make_part(), make_part("far", 90, seed=2)


@pytest.fixture(scope="module")
def found(make_study, parts):
    return survival_readouts(make_study(endpoints=BOTH), parts, seed=0)


def texts(found) -> str:
    return "\n".join(text for _, text in found.notes)


def frame_of(part, endpoint: str) -> pd.DataFrame:
    return part.cohort.survival(endpoint).to_frame().assign(risk=1 - part.score())


@pytest.mark.parametrize("endpoint", ["OS", "PFS"])
def test_hazard_ratio_and_concordance_agree_with_lifelines(found, parts, endpoint):
    behind = "" if endpoint == "OS" else ":PFS"
    for part in parts:
        frame = frame_of(part, endpoint)
        c = concordance_index(frame["time"], -frame["risk"], frame["event"])
        metric = found.metric(f"c_index{behind}", split=part.split)
        assert metric.value == pytest.approx(c, rel=1e-9)
        standard = frame.assign(risk=(frame["risk"] - frame["risk"].mean()) / frame["risk"].std())
        fit = CoxPHFitter().fit(standard, "time", "event")
        ratio = found.metric(f"hr_per_sd{behind}", split=part.split)
        low, high = np.exp(fit.confidence_intervals_.to_numpy()[0])
        np.testing.assert_allclose(
            [ratio.value, ratio.low, ratio.high], [fit.hazard_ratios_["risk"], low, high], rtol=1e-5
        )
        assert ratio.events == frame["event"].sum()


def test_high_risk_is_a_score_below_the_locked_threshold(found, parts):
    part = parts[1]
    frame = frame_of(part, "OS").assign(risk=(part.score() < part.threshold).astype(float))
    fit = CoxPHFitter().fit(frame, "time", "event")
    metric = found.metric("hr_high_vs_low", split=OUTSIDE)
    assert metric.value == pytest.approx(fit.hazard_ratios_["risk"], rel=1e-5)
    assert metric.value > 1
    curves = found.tables["survival_curves"]
    high = curves[(curves["split"] == OUTSIDE) & (curves["group"] == "predicted high")]
    worse = frame[frame["risk"] == 1]
    km = KaplanMeierFitter().fit(worse["time"], worse["event"])
    np.testing.assert_allclose(high["survival"], km.predict(high["time"]), rtol=1e-9)


def test_where_class_1_is_worse_high_scores_are_the_risk(make_study, make_part):
    part = make_part("far", 90, seed=2, meaning="worse")
    found = survival_readouts(make_study(endpoints=BOTH[:1]), [make_part(), part], seed=0)
    os = part.cohort.survival("OS")
    c = concordance_index(os.time, -part.score(), os.event)
    assert found.metric("c_index", split=OUTSIDE).value == pytest.approx(c)
    start = found.tables["survival_curves"].query("split == @OUTSIDE and time == 0")
    at_risk = start.set_index("group")["at_risk"]
    assert at_risk["predicted high"] == (part.score() >= part.threshold).sum()


def test_adjusted_row_agrees_with_lifelines(found, parts):
    part = parts[1]
    frame = frame_of(part, "OS").assign(age=part.cohort.patients["age"])
    frame["risk"] = (frame["risk"] - frame["risk"].mean()) / frame["risk"].std()
    fit = CoxPHFitter().fit(frame, "time", "event")
    table = found.tables["hazard_ratios"]
    rows = table[(table["split"] == OUTSIDE) & (table["model"] == "adjusted")]
    np.testing.assert_allclose(rows["hazard_ratio"], fit.hazard_ratios_[["risk", "age"]], rtol=1e-5)


def test_splits_of_tables_name_all_endpoints_but_the_first(found):
    for name in ("hazard_ratios", "survival_curves"):
        assert set(found.tables[name]["split"]) == {
            "cross-validation",
            "cross-validation, PFS",
            OUTSIDE,
            f"{OUTSIDE}, PFS",
        }
    assert {m.split for m in found.metrics} == {"cross-validation", OUTSIDE}


def test_time_dependent_auc_agrees_with_scikit_survival(found, parts):
    part = parts[1]
    frame = frame_of(part, "OS")
    y = part.cohort.survival("OS").to_structured()
    areas, _ = cumulative_dynamic_auc(y, y, frame["risk"], [12.0, 24.0])
    table = found.tables["time_dependent_auc"]
    rows = table[(table["split"] == OUTSIDE) & (table["endpoint"] == "OS")].set_index("horizon")
    np.testing.assert_allclose(rows.loc[[12, 24], "auc"], areas, rtol=1e-9)
    assert rows.loc[12, "events"] == ((frame["time"] <= 12) & frame["event"]).sum()
    assert (rows["n"] == 90).all()
    metric = found.metric("auc_at_12_months", split=OUTSIDE)
    assert metric.value == pytest.approx(areas[0])
    assert found.metric("auc_at_6_months:PFS", split=OUTSIDE) is not None


def test_horizons_beyond_follow_up_are_dropped_with_the_reason(make_study, parts):
    study = make_study(endpoints=(("OS", [12, 240]), ("PFS", [600])))
    found = survival_readouts(study, parts, seed=0)
    table = found.tables["time_dependent_auc"]
    assert set(table["horizon"]) == {12}
    assert table.notna().all(axis=None)
    assert "OS: time-dependent AUC is left out at 240 months (not before the last" in texts(found)
    assert "PFS: time-dependent AUC is left out: " in texts(found)


def test_concordance_of_repeats_is_averaged(make_study, make_part):
    part = make_part(repeats=3)
    found = survival_readouts(make_study(endpoints=BOTH[:1]), [part], seed=0)
    os = part.cohort.survival("OS")
    each = [
        concordance_index(os.time, rows.set_index("patient_id")["score"], os.event)
        for _, rows in part.predictions["M"].groupby("repeat")
    ]
    metric = found.metric("c_index", split="cross-validation")
    assert metric.value == pytest.approx(np.mean(each), rel=1e-9)
    assert metric.p_permutation == pytest.approx(1 / 50)


def test_permutations_stay_within_sites(make_study, make_part):
    """A risk that knows nothing but the site is not beyond chance."""
    part = make_part("far", 120, seed=4)
    north = part.cohort.patients["site"] == "north"
    rng = np.random.default_rng(0)
    time = pd.Series(rng.exponential(np.where(north, 5, 50)), north.index)
    event = pd.Series(True, north.index)
    score = np.where(north, 0.3, 0.7) + rng.uniform(0, 0.01, 120)
    frame = part.predictions["M"].assign(score=score)
    cohort = replace(part.cohort, outcomes={"OS": SurvivalOutcome("OS", time, event)})
    known = replace(part, cohort=cohort, predictions={"M": frame})
    study = make_study(endpoints=(("OS", []),), permutations=199)
    blocked = survival_readouts(study, [known], seed=0).metric("c_index", split=OUTSIDE)
    named = replace(cohort, patients=cohort.patients.rename(columns={"site": "ward"}))
    free = survival_readouts(study, [replace(known, cohort=named)], seed=0)
    assert blocked.value > 0.65
    assert blocked.p_permutation > 0.05
    assert free.metric("c_index", split=OUTSIDE).p_permutation == 1 / 200


def test_a_label_made_from_the_endpoint_is_said_and_its_training_has_no_p(
    make_study, parts, os_label
):
    found = survival_readouts(make_study(label=os_label, endpoints=BOTH), parts, seed=0)
    assert "OS: the label is made from this very endpoint" in texts(found)
    assert "cross-validation: no permutation p" in texts(found)
    assert found.metric("c_index", split="cross-validation").p_permutation is None
    assert found.metric("c_index", split=OUTSIDE).p_permutation is not None


def test_a_label_of_something_else_is_not_cautioned(found):
    assert "made from this very endpoint" not in texts(found)


def test_a_landmark_leaves_out_who_had_not_lived_to_it(make_study, parts, os_label):
    label = {**os_label, "landmark": {"value": 3.0, "source": "default"}}
    found = survival_readouts(make_study(label=label, endpoints=BOTH[:1]), parts, seed=0)
    frame = frame_of(parts[1], "OS").query("time > 3")
    c = concordance_index(frame["time"], -frame["risk"], frame["event"])
    metric = found.metric("c_index", split=OUTSIDE)
    assert (metric.n, metric.value) == (len(frame), pytest.approx(c))
    assert f"{90 - len(frame)} patients not followed beyond 3 months" in texts(found)


def test_what_a_cohort_lacks_is_a_note(make_study, parts, with_outcomes):
    near, far = parts
    os = far.cohort.survival("OS")
    rare = SurvivalOutcome("OS", os.time, os.event & (os.time < os.time.sort_values().iloc[8]))
    poor = with_outcomes(far, OS=rare, PFS=None)
    study = make_study(endpoints=(("OS", [12], ("age", "stage")), ("PFS", [6])))
    found = survival_readouts(study, [near, poor], seed=0)
    assert f"{OUTSIDE}, OS: {rare.n_events} events, below 10; left out." in texts(found)
    assert f"{OUTSIDE}, PFS: the cohort does not have it" in texts(found)
    assert "stage not known of this cohort; not adjusted for" in texts(found)
    assert {m.split for m in found.metrics} == {"cross-validation"}


def test_the_same_score_for_all_is_a_note(make_study, make_part):
    part = make_part()
    flat = replace(part, predictions={"M": part.predictions["M"].assign(score=0.5)})
    found = survival_readouts(make_study(endpoints=BOTH), [flat], seed=0)
    assert not found.metrics
    assert "the prediction is the same for all" in texts(found)


def test_patients_without_a_score_are_counted(make_study, make_part):
    part = make_part()
    fewer = replace(part, predictions={"M": part.predictions["M"].iloc[20:]})
    found = survival_readouts(make_study(endpoints=BOTH[:1]), [fewer], seed=0)
    assert found.metric("c_index", split="cross-validation").n == 100
    assert "20 of 120 patients have no score" in texts(found)


def test_a_threshold_that_parts_nobody_leaves_the_groups_out(make_study, make_part):
    part = replace(make_part(), threshold=2.0)
    found = survival_readouts(make_study(endpoints=BOTH[:1]), [part], seed=0)
    assert found.metric("hr_high_vs_low", split="cross-validation") is None
    assert "calls all of 120 patients high" in texts(found)


def test_an_endpoint_that_is_a_response_contradicts_the_recipe(make_study, parts):
    with pytest.raises(StudyError, match="is a response"):
        survival_readouts(make_study(endpoints=(("response", [12]),)), parts, seed=0)


def test_the_seed_decides_and_nothing_else_does(make_study, parts, found):
    again = survival_readouts(make_study(endpoints=BOTH), parts, seed=0)
    assert again.metrics == found.metrics
    alone = survival_readouts(make_study(endpoints=BOTH), parts[1:], seed=0)
    assert alone.metrics == tuple(m for m in found.metrics if m.split == OUTSIDE)


def test_no_endpoint_no_findings(make_study, parts):
    found = survival_readouts(make_study(), parts, seed=0)
    assert (found.metrics, found.notes, dict(found.tables)) == ((), (), {})
