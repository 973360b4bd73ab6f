from __future__ import annotations

import numpy as np
import pytest
from lifelines import CoxPHFitter, NelsonAalenFitter
from numpy.testing import assert_allclose

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.survival.baseline_hazard import baseline_hazard
from radiogenomics.stats.survival.cox import fit_cox

COLUMNS = {"one": ["x1"], "three": ["x1", "x2", "x3"]}


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("key", list(COLUMNS))
def test_matches_r_basehaz(key, ties, patients, values):
    x = patients[COLUMNS[key]].to_numpy()
    fit = fit_cox(x, patients["time"], patients["event"], ties=ties)
    base = baseline_hazard(x @ fit.coef, patients["time"], patients["event"], ties=ties)
    model = f"{key}_{ties}"
    found = base.at(values("baseline_hazard", model, "time"))
    assert_allclose(found, values("baseline_hazard", model, "hazard"), rtol=1e-8)


@pytest.mark.parametrize("stratum", ["a", "b", "c"])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_matches_r_basehaz_in_strata(ties, stratum, patients, values):
    x = patients[COLUMNS["three"]].to_numpy()
    outcome = patients["time"], patients["event"]
    fit = fit_cox(x, *outcome, ties=ties, strata=patients["stratum"])
    base = baseline_hazard(x @ fit.coef, *outcome, ties=ties, strata=patients["stratum"])
    times = values("baseline_hazard", f"strata_{ties}", f"time_{stratum}")
    expected = values("baseline_hazard", f"strata_{ties}", f"hazard_{stratum}")
    assert_allclose(base.at(times, stratum=stratum), expected, rtol=1e-8)


def test_agrees_with_lifelines(patients):
    columns = ["time", "event", "x1", "x2", "x3"]
    theirs = CoxPHFitter().fit(patients[columns], "time", "event", fit_options={"precision": 1e-12})
    # Theirs is Breslow's sum at the coefficients of Efron's likelihood.
    x = patients[columns[2:]]
    base = baseline_hazard(
        x.to_numpy() @ theirs.params_.to_numpy(),
        patients["time"],
        patients["event"],
        ties="breslow",
    )
    expected = theirs.predict_survival_function(x[:9], times=[2, 5, 8]).to_numpy().T
    found = base.survival(x[:9].to_numpy() @ theirs.params_.to_numpy(), [2, 5, 8])
    assert_allclose(found, expected, rtol=1e-8)


def test_equal_predictors_give_the_nelson_aalen_sum(patients):
    data = patients["time"], patients["event"]
    base = baseline_hazard(np.zeros(len(patients)), *data, ties="breslow")
    theirs = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(*data)
    expected = theirs.cumulative_hazard_at_times([1, 4, 9]).to_numpy()
    assert_allclose(base.at([1, 4, 9]), expected, rtol=1e-12)


def test_a_constant_in_the_predictor_moves_into_the_baseline(patients):
    data = patients["time"], patients["event"]
    plain = baseline_hazard(patients["x1"], *data)
    moved = baseline_hazard(patients["x1"] + 3, *data)
    assert_allclose(
        moved.survival(patients["x1"] + 3, [2, 6]), plain.survival(patients["x1"], [2, 6])
    )


def test_survival_is_one_before_the_first_event_and_known_up_to_the_last_follow_up():
    base = baseline_hazard([0, 1, 0.5], [2, 4, 9], [1, 1, 0])
    assert_allclose(base.survival([5.0, -5.0], [0, 1.9]), 1)
    assert base.survival([0.0], [9.0]).shape == (1, 1)
    with pytest.raises(DataError, match="from 0 to 9 months"):
        base.survival([0.0], [9.5])
    with pytest.raises(DataError, match="from 0 to 9 months"):
        base.at([-1])


def test_strata_without_events_or_of_one_patient():
    predictor, strata = [0.0, 1.0, 0.5, 0.2, 0.1], ["a", "a", "b", "c", "c"]
    base = baseline_hazard(predictor, [2, 4, 9, 3, 5], [1, 1, 1, 0, 0], strata=strata)
    assert base.strata.tolist() == ["a", "b"] and base.last.tolist() == [4, 9]
    # One patient who dies takes the whole hazard on: 1 / exp(0.5).
    assert base.at([9], stratum="b")[0] == pytest.approx(np.exp(-0.5))
    for stratum in ("c", "d", None):
        with pytest.raises(DataError, match="strata that had events"):
            base.at([1], stratum=stratum)
    with pytest.raises(DataError, match="one stratum per patient"):
        base.survival([0.0], [1.0])


def test_bad_input_says_what_is_expected():
    with pytest.raises(OutcomeError, match="at least one event"):
        baseline_hazard([0, 1], [2, 4], [0, 0])
    with pytest.raises(DataError, match="one finite linear predictor"):
        baseline_hazard([0, np.nan], [2, 4], [1, 0])
    with pytest.raises(DataError, match="one finite linear predictor"):
        baseline_hazard([0, 1, 2], [2, 4], [1, 0])
    with pytest.raises(DataError, match="breslow"):
        baseline_hazard([0, 1], [2, 4], [1, 0], ties="exact")
