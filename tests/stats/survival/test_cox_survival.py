from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from radiogenomics.core.errors import DataError, OutcomeError
from radiogenomics.stats.survival.cox_survival import cox_survival

PATIENTS = np.array([[-1, 0.5, 0], [0.3, -1.5, 1], [2, 0, 1]])
TIMES = [1, 3.5, 6, 9]
COLUMNS = ["x1", "x2", "x3"]


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize(("key", "width"), [("one", 1), ("three", 3)])
def test_matches_r_survfit_coxph(key, width, ties, patients, values):
    found = cox_survival(
        patients[COLUMNS[:width]],
        patients["time"],
        patients["event"],
        patients=PATIENTS[:, :width],
        times=TIMES,
        ties=ties,
    )
    for i in range(3):
        for name in ("survival", "low", "high"):
            expected = values("baseline_hazard", f"{key}_{ties}_{i + 1}", name)
            assert_allclose(getattr(found, name)[i], expected, rtol=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_matches_r_survfit_coxph_in_strata(ties, patients, values):
    found = cox_survival(
        patients[COLUMNS],
        patients["time"],
        patients["event"],
        patients=np.tile(PATIENTS, (3, 1)),
        times=TIMES,
        ties=ties,
        strata=patients["stratum"],
        patient_strata=np.repeat(["c", "a", "b"], 3),
    )
    for row, (stratum, i) in enumerate((s, i) for s in "cab" for i in (1, 2, 3)):
        for name in ("survival", "low", "high"):
            expected = values("baseline_hazard", f"strata_{ties}_{stratum}_{i}", name)
            assert_allclose(getattr(found, name)[row], expected, rtol=1e-8)


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    truth = np.exp(-0.05 * 12 * np.exp(0.7))
    covered = 0
    for _ in range(300):
        x = rng.normal(size=150)
        time, end = rng.exponential(20 * np.exp(-0.7 * x)), rng.uniform(12, 40, 150)
        curve = cox_survival(x, np.minimum(time, end), time <= end, patients=[1.0], times=[12])
        covered += curve.low[0, 0] <= truth <= curve.high[0, 0]
    assert 0.91 <= covered / 300 <= 0.98


def test_bad_input_says_what_is_expected(patients):
    data = patients[COLUMNS], patients["time"], patients["event"]
    with pytest.raises(DataError, match=r"shape \(patients, 3\)"):
        cox_survival(*data, patients=[[1, 2]], times=[1])
    with pytest.raises(DataError, match="1 not finite"):
        cox_survival(*data, patients=[[1, 2, np.nan]], times=[1])
    with pytest.raises(DataError, match="expected times from 0"):
        cox_survival(*data, patients=PATIENTS, times=[1e3])
    with pytest.raises(DataError, match="level between 0 and 1"):
        cox_survival(*data, patients=PATIENTS, times=[1], level=95)
    with pytest.raises(OutcomeError, match="finite maximum"):
        cox_survival([0, 0, 1, 1], [5, 6, 1, 2], [1, 1, 1, 1], patients=[0], times=[1])
