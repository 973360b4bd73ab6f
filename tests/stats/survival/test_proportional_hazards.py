from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.stats.survival.cox import fit_cox
from radiogenomics.stats.survival.proportional_hazards import TRANSFORMS, proportional_hazards

COLUMNS = {
    "one": ["x1"],
    "three": ["x1", "x2", "x3"],
    "strata": ["x1", "x2", "x3"],
    "flat": ["x1", "flat"],
}
RESIDUALS = [("three", "efron"), ("one", "breslow"), ("flat", "efron")]


def model(key: str, patients: pd.DataFrame, **chosen):
    # Constant within one stratum, where it then has no residual.
    data = patients.assign(flat=np.where(patients["stratum"] == "c", 0, patients["x1"] ** 2))
    strata = data["stratum"] if key in ("strata", "flat") else None
    return proportional_hazards(
        data[COLUMNS[key]], data["time"], data["event"], strata=strata, **chosen
    )


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("key", list(COLUMNS))
def test_matches_r_cox_zph(key, ties, transform, patients, values):
    found = model(key, patients, ties=ties, transform=transform)
    name = f"{key}_{ties}_{transform}"
    statistic = np.append(found.statistic, found.overall.statistic)
    p = np.append(found.p, found.overall.p)
    assert_allclose(statistic, values("proportional_hazards", name, "statistic"), rtol=1e-8)
    assert_allclose(p, values("proportional_hazards", name, "p"), rtol=1e-8)


@pytest.mark.parametrize(("key", "ties"), RESIDUALS)
def test_scaled_residuals_match_r_cox_zph(key, ties, patients, values):
    found = model(key, patients, ties=ties)
    name = f"{key}_{ties}_km"
    assert_allclose(found.time, values("proportional_hazards", name, "time"))
    assert_allclose(
        found.transformed, values("proportional_hazards", name, "transformed"), rtol=1e-12
    )
    expected = values("proportional_hazards", name, "residuals")
    assert_allclose(found.residuals.ravel(), expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_columns_of_one_term_are_tested_together_as_in_r(ties, patients, values):
    levels = pd.get_dummies(patients["group"].astype(str), drop_first=True, dtype=float)
    found = proportional_hazards(
        levels.assign(x1=patients["x1"]),
        patients["time"],
        patients["event"],
        ties=ties,
        terms=["kind"] * 3 + ["x1"],
    )
    assert found.terms == ("kind", "x1")
    statistic = np.append(found.statistic, found.overall.statistic)
    df = np.append(found.df, found.overall.df)
    expected = values("proportional_hazards", f"terms_{ties}", "statistic")
    assert_allclose(statistic, expected, rtol=1e-6)
    assert_array_equal(df, values("proportional_hazards", f"terms_{ties}", "df"))


def test_residuals_average_to_the_coefficient(patients):
    x = patients[["x1", "x2"]]
    found = proportional_hazards(x, patients["time"], patients["event"])
    coef = fit_cox(x, patients["time"], patients["event"]).coef
    assert_allclose(found.residuals.mean(axis=0), coef, rtol=1e-8)


def test_scale_and_origin_of_covariates_do_not_matter(patients):
    data = patients["time"], patients["event"]
    plain = proportional_hazards(patients[["x1", "x2"]], *data)
    moved = proportional_hazards(patients[["x1", "x2"]] * [1e-6, 1e5] + [3, 1e6], *data)
    assert_allclose(moved.statistic, plain.statistic, rtol=1e-6)
    assert_allclose(moved.residuals * [1e-6, 1e5], plain.residuals, rtol=1e-5, atol=1e-8)


def test_size_under_proportional_hazards_and_power_against_a_vanishing_effect():
    rng = np.random.default_rng(8)
    p, vanishing = [], []
    for _ in range(300):
        x = rng.normal(size=150)
        time, end = rng.exponential(np.exp(-0.5 * x)), rng.uniform(0.3, 3, 150)
        p.append(proportional_hazards(x, np.minimum(time, end), time <= end).p[0])
    for _ in range(40):
        x = np.repeat([0.0, 1.0], 150)
        early = rng.exponential(np.where(x == 1, 0.2, 1.0))
        time = np.where(early < 0.3, early, 0.3 + rng.exponential(1, 300))
        vanishing.append(proportional_hazards(x, time, np.ones(300)).p[0])
    assert abs(np.mean(np.array(p) < 0.1) - 0.1) < 0.052
    assert np.mean(np.array(vanishing) < 0.05) > 0.9


def test_a_stratum_of_one_adds_nothing(patients):
    data = [patients[name].to_numpy() for name in ("x1", "time", "event")]
    plain = proportional_hazards(*data, transform="identity")
    alone = [np.append(column, value) for column, value in zip(data, (0.3, 2, 0), strict=True)]
    strata = np.append(np.zeros(len(patients)), 1)
    found = proportional_hazards(*alone, transform="identity", strata=strata)
    assert_allclose(found.statistic, plain.statistic, rtol=1e-9)


def test_bad_input_says_what_is_expected(patients):
    data = patients["x1"], patients["time"], patients["event"]
    with pytest.raises(UnknownNameError, match="identity"):
        proportional_hazards(*data, transform="identiy")
    with pytest.raises(DataError, match="one term per column"):
        proportional_hazards(*data, terms=["a", "b"])
    with pytest.raises(OutcomeError, match="finite maximum"):
        proportional_hazards([0, 0, 1, 1], [5, 6, 1, 2], [1, 1, 1, 1])
    with pytest.raises(OutcomeError, match="events at two times"):
        proportional_hazards([0, 1, 1, 0, 1], [5, 5, 5, 9, 9], [1, 1, 1, 0, 0])
    with pytest.raises(OutcomeError, match="logarithm of time; found 1"):
        proportional_hazards(
            [0, 1, 0, 1, 1, 0], [0, 3, 8, 2, 6, 9], [1, 1, 0, 1, 1, 1], transform="log"
        )


def test_a_term_with_information_at_one_time_only_is_nan_and_said(patients):
    # The carriers are at risk at the first event time only.
    time = np.concatenate([[1, 1, 1, 1], np.arange(2, 12)])
    carrier = np.array([1, 1, 0, 0] + [0] * 10)
    event = np.array([1, 0, 1, 1] + [1] * 10)
    other = np.tile([0.0, 1.0, 0.5], 5)[:14]
    with pytest.warns(RadiogenomicsWarning, match="tested for carrier"):
        found = proportional_hazards(
            np.column_stack([carrier, other]), time, event, terms=["carrier", "other"]
        )
    assert np.isnan(found.statistic[0]) and np.isfinite(found.statistic[1])
