from __future__ import annotations

import numpy as np
import pytest
from sksurv.metrics import brier_score, cumulative_dynamic_auc

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.survival.ipcw import censoring_curve
from radiogenomics.stats.survival.time_grid import grid_of, valid_times


def simulated(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    risk = rng.normal(size=n)
    death, end = rng.exponential(20 * np.exp(-0.5 * risk)), rng.uniform(3, 40, n)
    time = np.minimum(death, end)
    return risk, (np.ceil(time) if rng.random() < 0.5 else time), death <= end


def structured(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    y = np.empty(time.size, dtype=[("event", bool), ("time", float)])
    y["event"], y["time"] = event, time
    return y


@pytest.mark.parametrize("n", [25, 60, 200])
def test_every_time_is_judged_by_the_definition(rng: np.random.Generator, n: int) -> None:
    for _ in range(20):
        _, time, event = simulated(rng, n)
        asked = np.unique(np.concatenate([time, time + 0.5, [0.0]]))
        limits = {"minimum_cases": 4, "minimum_at_risk": 3, "minimum_followed": 0.2}
        followed = censoring_curve(time, event).at(asked)
        cases = np.array([(event & (time <= t)).sum() for t in asked])
        controls = np.array([(time > t).sum() for t in asked])
        expected = asked[(cases >= 4) & (controls >= 3) & (followed >= 0.2)]
        grid = valid_times(time, event, times=asked[::-1], **limits)
        assert grid.times.tolist() == expected.tolist()
        assert asked[::-1][grid.positions].tolist() == expected.tolist()
        kept = np.isin(asked, expected)
        assert grid.n_cases.tolist() == cases[kept].tolist()
        assert grid.n_controls.tolist() == controls[kept].tolist()
        assert grid.followed.tolist() == followed[kept].tolist()
        assert sorted(d.time for d in grid.dropped) == asked[~kept].tolist()
        stretch = (asked >= grid.valid_from) & (asked < grid.valid_before)
        assert stretch.tolist() == kept.tolist()


def test_scikit_survival_takes_every_grid_that_is_chosen(rng: np.random.Generator) -> None:
    for _ in range(40):
        risk, time, event = simulated(rng, 120)
        train, test = np.arange(80), np.arange(80, 120)
        grid = valid_times(
            time[test],
            event[test],
            train_time=time[train],
            train_event=event[train],
            minimum_cases=2,
            minimum_at_risk=2,
        )
        # It also weighs patients beyond the grid, so these are cut off where training ends.
        last = time[train].max()
        seen = structured(np.minimum(time[test], last - 1e-6), event[test] & (time[test] < last))
        y = structured(time[train], event[train])
        area, mean = cumulative_dynamic_auc(y, seen, risk[test], grid.times)
        assert np.isfinite([*area, mean]).all()
        flat = np.full((test.size, grid.times.size), 0.5)
        assert np.isfinite(brier_score(y, seen, flat, grid.times)[1]).all()


def test_chosen_times_are_event_times_from_the_first_valid_to_the_last(
    rng: np.random.Generator,
) -> None:
    _, time, event = simulated(rng, 300)
    grid = valid_times(time, event, points=7)
    inside = time[event & (time >= grid.valid_from) & (time < grid.valid_before)]
    assert grid.times.size <= 7
    assert set(grid.times) <= set(inside)
    assert (grid.times[0], grid.times[-1]) == (inside.min(), inside.max())
    assert not grid.dropped
    few = valid_times(time, event, points=1000)
    assert few.times.tolist() == np.unique(inside).tolist()


TIME = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20]
EVENT = [0, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("asked", "limits", "reason"),
    [
        (0, {}, "before the first event, at 3"),
        (2.9, {}, "before the first event, at 3"),
        (20, {}, "not before the last follow-up, at 20"),
        (99, {}, "not before the last follow-up, at 20"),
        (3.5, {"minimum_cases": 2}, "cases (event up to then): 1, fewer than 2"),
        (11.5, {"minimum_at_risk": 3}, "controls (followed beyond): 2, fewer than 3"),
        (12, {"minimum_followed": 0.5}, "the censoring curve is 0.17, below 0.5"),
    ],
)
def test_reasons_are_in_words(asked: float, limits: dict[str, float], reason: str) -> None:
    settings = {"minimum_cases": 1, "minimum_at_risk": 1} | limits
    grid = valid_times(TIME, EVENT, times=[asked, 6.5], **settings)
    assert grid.times.tolist() == [6.5]
    assert [(d.time, d.reason) for d in grid.dropped] == [(asked, reason)]


def test_training_patients_decide_where_the_weights_end() -> None:
    def reasons(train_time: list[float], train_event: list[int]) -> list[str]:
        grid = valid_times(
            TIME,
            EVENT,
            times=[6.5, 9.5],
            train_time=train_time,
            train_event=train_event,
            minimum_cases=1,
            minimum_at_risk=1,
        )
        assert grid.times.tolist() == [6.5]
        return [d.reason for d in grid.dropped]

    assert reasons([1, 5, 8], [0, 1, 1]) == [
        "after the last follow-up of the training patients, at 8"
    ]
    assert reasons([1, 9, 9.5], [1, 0, 0]) == [
        "the censoring curve is 0: nobody is left to stand for those censored"
    ]


@pytest.mark.parametrize(
    ("time", "event", "found"),
    [
        ([5.0], [1], "1 patients and 1 events"),
        ([2, 2, 2, 2], [1, 1, 1, 1], "not before the last follow-up, at 2"),
        (list(range(1, 9)), [0, 0, 0, 0, 0, 0, 0, 1], "not before the last follow-up, at 8"),
        (list(range(1, 9)), [1] * 4 + [0] * 4, "cases"),
    ],
    ids=["one patient", "one time", "event after all censored", "too few"],
)
def test_nothing_left_says_what_was_needed(time: list[float], event: list[int], found: str) -> None:
    with pytest.raises(OutcomeError, match="expected times with 5 cases") as error:
        valid_times(time, event)
    assert found in str(error.value)


def test_asked_in_vain_is_told_what_can_be_used(rng: np.random.Generator) -> None:
    _, time, event = simulated(rng, 100)
    grid = valid_times(time, event)
    with pytest.raises(OutcomeError, match=f"times from {grid.valid_from:g} to just below"):
        valid_times(time, event, times=[1000.0, 0.0])


def test_events_and_censoring_at_time_zero_are_no_obstacle() -> None:
    time = [0, 0, 0, 1, 2, 3, 4, 5]
    event = [1, 0, 1, 1, 0, 1, 0, 0]
    grid = valid_times(time, event, minimum_cases=2, minimum_at_risk=2)
    # At time 0 nobody has been followed, so nothing is judged there.
    assert grid.times.tolist() == [1.0, 3.0]
    assert grid.n_cases.tolist() == [3, 4]


@pytest.mark.parametrize(
    "wrong",
    [
        {"times": [np.nan, 5]},
        {"times": []},
        {"times": ["later"]},
        {"minimum_cases": 0},
        {"minimum_at_risk": 0},
        {"minimum_followed": 0.0},
        {"points": 0},
        {"train_time": [1, 2]},
    ],
    ids=str,
)
def test_bad_requests_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(DataError, match="expected"):
        valid_times(TIME, EVENT, **wrong)


@pytest.mark.parametrize("event", [[0] * 12, [np.nan] * 12, [1] * 3])
def test_bad_outcomes_are_refused(event: list[float]) -> None:
    with pytest.raises(OutcomeError, match="expected"):
        valid_times(TIME, event)


def test_a_grid_keeps_its_limits_and_drops_only_what_has_no_weight() -> None:
    grid = valid_times(TIME, EVENT, times=[3.5, 6.5, 12], minimum_cases=1, minimum_at_risk=1)
    again = grid_of(grid, TIME[:8], EVENT[:8])
    assert again.times.tolist() == [3.5, 6.5]
    assert [d.time for d in again.dropped] == [12.0]
    assert again.n_controls.tolist() == [6, 3]


def test_leaving_out_keeps_the_rest_in_step() -> None:
    grid = valid_times(TIME, EVENT, times=[3.5, 6.5, 12], minimum_cases=1, minimum_at_risk=1)
    rest = grid.without(np.array([False, True, False]), "for a test")
    assert rest.times.tolist() == [3.5, 12.0]
    assert rest.positions.tolist() == [0, 2]
    assert rest.dropped[-1] == (6.5, "for a test")
    with pytest.raises(OutcomeError, match="for a test"):
        grid.without(np.ones(3, dtype=bool), "for a test")
