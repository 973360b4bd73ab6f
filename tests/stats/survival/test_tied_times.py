"""Times that differ by rounding only are ties, to every statistic, as to R's survival."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from radiogenomics.stats import concordance, fit_cox, kaplan_meier, logrank
from radiogenomics.stats.survival.baseline_hazard import baseline_hazard

INPUT = Path(__file__).parents[2] / "reference" / "stats" / "tied_times_input.csv"


@pytest.fixture(scope="module")
def rounded() -> pd.DataFrame:
    """Months reached by adding, multiplying and dividing; every digit is read."""
    return pd.read_csv(INPUT, float_precision="round_trip")


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_matches_r_coxph(ties, rounded, values):
    fit = fit_cox(rounded[["x1", "x2"]], rounded["time"], rounded["event"], ties=ties)
    for name in ("coef", "se", "log_likelihood"):
        assert_allclose(getattr(fit, name), np.squeeze(values("tied_times", ties, name)), rtol=1e-9)
    unmended = values("tied_times", f"{ties}_unmended", "coef")
    assert (abs(fit.coef / unmended - 1) > 1e-3).all()


def test_kaplan_meier_matches_r_survfit(rounded, values):
    curve = kaplan_meier(rounded["time"], rounded["event"])
    assert_allclose(curve.time, values("tied_times", "curve", "time"), rtol=1e-15)
    assert_array_equal(curve.at_risk, values("tied_times", "curve", "at_risk"))
    assert_array_equal(curve.events, values("tied_times", "curve", "events"))
    assert_allclose(curve.survival, values("tied_times", "curve", "survival"), rtol=1e-12)
    assert values("tied_times", "curve_unmended", "time").size > 1.3 * curve.time.size


def test_logrank_and_concordance_match_r(rounded, values):
    found = logrank(rounded["time"], rounded["event"], rounded["group"])
    statistic = values("tied_times", "logrank", "statistic")[0]
    assert found.statistic == pytest.approx(statistic, rel=1e-10)
    c = concordance(rounded["x1"], rounded["time"], rounded["event"])
    assert c.value == pytest.approx(values("tied_times", "concordance", "value")[0], rel=1e-12)
    assert c.se**2 == pytest.approx(values("tied_times", "concordance", "variance")[0], rel=1e-10)


def test_rounding_changes_nothing(rounded):
    """As if the times had been written down in whole steps."""
    whole = (rounded["time"] / 0.7).round()
    given = rounded[["x1", "x2"]].to_numpy() @ [0.4, -0.3], rounded["event"]
    steps = baseline_hazard(given[0], rounded["time"], given[1])
    assert_allclose(steps.cumulative[0], baseline_hazard(given[0], whole, given[1]).cumulative[0])
