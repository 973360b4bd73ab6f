from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import CoxPHFitter, KaplanMeierFitter
from sksurv.nonparametric import kaplan_meier_estimator
from sksurv.util import check_array_survival

from radiogenomics.core.errors import AlignmentError, OutcomeError, UnknownNameError
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome

IDS = ["A", "B", "C", "D"]


def survival(time: object = (1.0, 2.0, 3.0, 4.0), event: object = (1, 0, 1, 0)) -> SurvivalOutcome:
    return SurvivalOutcome("OS", pd.Series(time, index=IDS), pd.Series(event, index=IDS))


@pytest.mark.parametrize(
    ("unit", "factor"),
    # Gregorian means: 365.25 days a year, twelve months a year, seven days a week.
    [("days", 12 / 365.25), ("weeks", 84 / 365.25), ("months", 1.0), ("years", 12.0)],
)
def test_times_are_kept_in_months(unit: str, factor: float) -> None:
    time = pd.Series([0.0, 10.0, 365.25], index=IDS[:3])
    outcome = SurvivalOutcome.from_unit("OS", time, pd.Series([0, 1, 1], index=IDS[:3]), unit=unit)
    np.testing.assert_allclose(outcome.time, time * factor, rtol=1e-15)


def test_units_agree_on_one_year() -> None:
    event = pd.Series([1], index=["A"])
    lengths = {"days": 365.25, "weeks": 365.25 / 7, "months": 12, "years": 1}
    for unit, length in lengths.items():
        time = pd.Series([length], index=["A"])
        outcome = SurvivalOutcome.from_unit("OS", time, event, unit=unit)
        assert outcome.time["A"] == pytest.approx(12, rel=1e-14)


def test_unknown_unit_names_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match="unknown time unit 'day': did you mean 'days'"):
        SurvivalOutcome.from_unit("OS", survival().time, survival().event, unit="day")


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf, None])
def test_impossible_time_is_refused_with_the_patient(bad: float | None) -> None:
    with pytest.raises(
        OutcomeError, match=r"OS: expected finite times .* found 1 .*patients B\)\. Correct them"
    ):
        survival(time=[1.0, bad, 3.0, 4.0])


def test_time_that_is_text_is_refused_as_an_outcome_error() -> None:
    with pytest.raises(OutcomeError, match="expected times as numbers; found .*six"):
        survival(time=["1", "six", "3", "4"])
    with pytest.raises(OutcomeError, match="expected times as numbers; found .*six"):
        SurvivalOutcome.from_unit(
            "OS", pd.Series(["six"], index=["A"]), pd.Series([1], index=["A"]), unit="days"
        )


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ([1, 0, 2, 0], r"0 missing and 1 other codes \(2\)"),
        ([1, 0, np.nan, 0], "1 missing and 0 other codes"),
        (["dead", "alive", "dead", "alive"], r"0 missing and 2 other codes \(dead, alive\)"),
        (["1", "0", "1", "0"], r"0 missing and 2 other codes \(1, 0\)"),
        (pd.array([True, None, False, True], dtype="boolean"), "1 missing"),
    ],
)
def test_event_that_is_not_0_or_1_is_refused(event: object, found: str) -> None:
    with pytest.raises(OutcomeError, match=f"expected events coded 0/1; found {found}.*manifest"):
        survival(event=event)


@pytest.mark.parametrize(
    "event",
    [
        [True, False, True, False],
        [1.0, 0.0, 1.0, 0.0],
        pd.array([1, 0, 1, 0], dtype="Int64"),
        pd.array([True, False, True, False], dtype="boolean"),
    ],
)
def test_every_coding_of_0_and_1_becomes_bool(event: object) -> None:
    outcome = survival(event=event)
    assert outcome.event.dtype == bool
    assert outcome.event.tolist() == [True, False, True, False]
    assert outcome.n_events == 2


def test_time_and_event_of_different_patients_are_refused() -> None:
    time = pd.Series([1.0, 2.0], index=["A", "B"])
    with pytest.raises(OutcomeError, match="same patients in the same order"):
        SurvivalOutcome("OS", time, pd.Series([1, 0], index=["B", "A"]))


@pytest.mark.parametrize(
    ("ids", "found"), [(["A", "A"], r"1 repeated identifiers \(A\)"), (["A", None], "1 empty")]
)
def test_repeated_or_empty_patient_is_refused(ids: list[str | None], found: str) -> None:
    index = pd.Index(ids, dtype=object)
    with pytest.raises(AlignmentError, match=found):
        SurvivalOutcome("OS", pd.Series([1.0, 2.0], index=index), pd.Series([1, 0], index=index))
    with pytest.raises(AlignmentError, match=found):
        ResponseOutcome("r", pd.Series(["CR", "PD"], index=index), "RECIST 1.1")


def test_numeric_identifiers_become_text_as_in_assays() -> None:
    outcome = SurvivalOutcome("OS", pd.Series([1.0], index=[17]), pd.Series([1], index=[17]))
    assert outcome.patient_ids.tolist() == ["17"]
    assert ResponseOutcome("r", pd.Series(["CR"], index=[17]), "x").patient_ids.tolist() == ["17"]


def test_later_changes_of_the_input_do_not_reach_the_outcome() -> None:
    time, event = (
        pd.Series([1.0, 2.0], index=["A", "B"]),
        pd.Series([True, False], index=["A", "B"]),
    )
    outcome = SurvivalOutcome("OS", time, event)
    time.iloc[0], event.iloc[0] = -5.0, False
    assert outcome.time["A"] == 1.0
    assert outcome.event["A"]


def test_require_events_counts_events_not_patients() -> None:
    survival().require_events(2)
    with pytest.raises(OutcomeError, match="at least 3 events; found 2 in 4 patients. Use"):
        survival().require_events(3)


def test_restriction_keeps_the_order_asked_for() -> None:
    outcome = survival().for_patients(["D", "A"])
    assert outcome.time.to_dict() == {"D": 4.0, "A": 1.0}
    assert list(outcome.time.index) == ["D", "A"]
    with pytest.raises(AlignmentError, match=r"found 1 without \(Z\)\. Intersect"):
        survival().for_patients(["A", "Z"])


def test_structured_array_passes_the_check_of_scikit_survival() -> None:
    outcome = survival(time=[5.0, 0.5, 3.0, 4.0])
    event, time = check_array_survival(np.zeros((4, 1)), outcome.to_structured())
    assert event.tolist() == [True, False, True, False]
    assert time.tolist() == [5.0, 0.5, 3.0, 4.0]


times = st.integers(0, 400_000).map(lambda n: n / 1000)


@given(st.lists(st.tuples(times, st.booleans()), min_size=1, max_size=30))
def test_scikit_survival_and_lifelines_see_the_same_outcome(
    pairs: list[tuple[float, bool]],
) -> None:
    ids = [f"P{n}" for n in range(len(pairs))]
    outcome = SurvivalOutcome(
        "OS",
        pd.Series([time for time, _ in pairs], index=ids),
        pd.Series([event for _, event in pairs], index=ids),
    )
    structured, frame = outcome.to_structured(), outcome.to_frame()
    at, survived = kaplan_meier_estimator(structured["event"], structured["time"])
    fitted = KaplanMeierFitter().fit(frame["time"], frame["event"])
    np.testing.assert_allclose(fitted.predict(at), survived, atol=1e-12)


def test_lifelines_takes_the_frame_as_it_is() -> None:
    outcome = survival(time=[5.0, 8.0, 3.0, 9.0])
    frame = outcome.to_frame().assign(age=[60.0, 50.0, 71.0, 64.0])
    fitted = CoxPHFitter(penalizer=0.1).fit(frame, "time", "event")
    assert int(fitted.event_observed.sum()) == outcome.n_events


@given(
    st.lists(st.integers(0, 10**8).map(lambda n: n / 1000), min_size=1, max_size=20),
    st.sampled_from([("days", 365.25), ("weeks", 365.25 / 7), ("months", 12.0), ("years", 1.0)]),
)
def test_conversion_is_undone_by_its_inverse(times: list[float], unit: tuple[str, float]) -> None:
    word, per_year = unit
    time = pd.Series(times, index=[str(n) for n in range(len(times))])
    outcome = SurvivalOutcome.from_unit("OS", time, time * 0, unit=word)
    np.testing.assert_allclose(outcome.time / 12 * per_year, time, rtol=1e-12)
    assert outcome.n_events == 0


def response(categories: object = ("CR", "PR", "SD", "PD")) -> ResponseOutcome:
    return ResponseOutcome("response", pd.Series(categories, index=IDS), "mRECIST")


def test_grouping_splits_responders_from_the_rest() -> None:
    assert response().grouped(["CR", "PR"]).to_dict() == {"A": 1, "B": 1, "C": 0, "D": 0}
    assert response().grouped(["CR", "PR", "SD"]).sum() == 3
    assert response().grouped(["CR"]).dtype == bool


def test_grouping_by_an_unknown_category_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown mRECIST category 'PRR': did you mean 'PR'"):
        response().grouped(["CR", "PRR"])


@pytest.mark.parametrize(
    ("categories", "found"),
    [
        (["CR", "PR", "SD", "NE"], r"0 missing and 1 others \(NE\)"),
        (["CR", "PR", "SD", None], "1 missing and 0 others"),
    ],
)
def test_category_outside_the_order_is_refused(categories: list[str | None], found: str) -> None:
    with pytest.raises(OutcomeError, match=f"expected categories CR, PR, SD, PD; found {found}"):
        response(categories)


@pytest.mark.parametrize("order", [(), ("CR", "CR")])
def test_order_must_hold_distinct_categories(order: tuple[str, ...]) -> None:
    with pytest.raises(OutcomeError, match="expected distinct categories from best to worst"):
        ResponseOutcome("r", pd.Series([], dtype=object), "own", order)


def test_numeric_grades_work_as_categories() -> None:
    outcome = ResponseOutcome(
        "regression", pd.Series([1, 3], index=["A", "B"]), "pathological", ("1", "2", "3")
    )
    assert outcome.grouped(["1", "2"]).to_dict() == {"A": True, "B": False}


def test_response_restriction_keeps_criterion_and_order() -> None:
    part = response().for_patients(["D"])
    assert (part.criterion, part.order) == ("mRECIST", ("CR", "PR", "SD", "PD"))
    assert part.category.to_dict() == {"D": "PD"}
    with pytest.raises(AlignmentError, match="Z"):
        response().for_patients(["Z"])


def test_outcomes_escape_user_text(hostile: str, escaped: str) -> None:
    ids = [hostile]
    os = SurvivalOutcome(
        hostile, pd.Series([1.0], index=ids), pd.Series([1], index=ids), hostile
    )._repr_html_()
    own = ResponseOutcome(hostile, pd.Series([hostile], index=ids), hostile, (hostile,))
    for html in (os, own._repr_html_()):
        assert hostile not in html
        assert html.count(escaped) >= 2


def test_an_outcome_of_nobody_still_prints() -> None:
    nobody = pd.Series([], dtype=float)
    outcome = SurvivalOutcome("OS", nobody, nobody)
    assert outcome.n_events == 0
    assert "–" in outcome._repr_html_()
    assert repr(outcome) == "SurvivalOutcome('OS': 0 patients, 0 events)"
