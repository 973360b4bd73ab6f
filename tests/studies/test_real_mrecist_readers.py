"""What three readers make of the change after chemoembolisation, held against others' software.

Agreement on sums and categories is held in ``tests/evaluation/test_real_agreement.py``; here it is
the change and what it foretells, as ``notebooks/longitudinal.ipynb`` and ``docs/real_runs.md`` say.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import pytest
from lifelines.utils import concordance_index
from statsmodels.duration.hazard_regression import PHReg

from radiogenomics.clinical.response_rates import response_courses
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.agreement import ALL_READERS, reader_agreement
from radiogenomics.evaluation.cox_table import univariable_cox_table
from radiogenomics.stats.survival.concordance import concordance

pytestmark = pytest.mark.real

READERS = (1, 2, 3)
CRITERIA = ("mRECIST", "RECIST")
EVENTS = {"OS": "Death_1_StillAliveorLostToFU_0", "TTP": "Censored_0_progressed_1"}


@pytest.fixture(scope="module")
def tace(data_root: Path) -> pd.DataFrame:
    (file,) = (data_root / "tables" / "hcc-tace-seg_clinical").glob("*.csv")
    return pd.read_csv(file, encoding="utf-8-sig", index_col="TCIA_ID")


@pytest.fixture(scope="module")
def changes(tace: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Criterion to percent change, one column a reader."""
    return {
        criterion: pd.DataFrame(
            {
                r: 100 * (tace[f"{r}_{criterion}_FU"] / tace[f"{r}_{criterion}_BL"] - 1)
                for r in READERS
            }
        )
        for criterion in CRITERIA
    }


@pytest.fixture(scope="module")
def complete(tace: pd.DataFrame, changes: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Patients with all readings, with the days from their follow-up scan on."""
    scan = (7 * tace["Interval_FU"]).round()
    known = pd.concat(changes, axis=1).notna().all(axis=1) & (scan > 0)
    days = {endpoint: (7 * tace[endpoint]).round() - scan for endpoint in EVENTS}
    return tace[known].assign(
        **{f"{endpoint} days": left[known] for endpoint, left in days.items()}
    )


def from_scan(complete: pd.DataFrame, endpoint: str) -> SurvivalOutcome:
    seen = complete[complete[f"{endpoint} days"] > 0]
    return SurvivalOutcome.from_unit(
        endpoint, seen[f"{endpoint} days"], seen[EVENTS[endpoint]], unit="days", origin="scan"
    )


@pytest.mark.parametrize("cut", [np.inf, 100.0], ids=["as measured", "rises cut"])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_agreement_on_the_change_is_that_of_pingouin(changes, criterion, cut):
    change = changes[criterion].clip(upper=cut).dropna()
    table = reader_agreement(change)
    chosen = (table["first"] == ALL_READERS) & (table["statistic"] == "ICC(2,1)")
    found = table[chosen].iloc[0]
    long = change.rename_axis("patient").reset_index().melt("patient")
    theirs = pingouin.intraclass_corr(long, "patient", "variable", "value").iloc[1]
    assert len(change) == 93
    assert found["value"] == pytest.approx(theirs["ICC"], rel=1e-9)
    interval = theirs[next(name for name in theirs.index if name.startswith("CI95"))]
    # They round the bounds to two digits.
    assert (found["low"], found["high"]) == pytest.approx(tuple(interval), abs=0.00501)


@pytest.mark.parametrize(("criterion", "least_growth"), [("mRECIST", 0.0), ("RECIST", 5.0)])
def test_categories_and_how_many_change_them_counted_by_hand(tace, criterion, least_growth):
    by_hand: dict[str, dict[int, str]] = {}
    for reader in READERS:
        sums = tace[[f"{reader}_{criterion}_BL", f"{reader}_{criterion}_FU"]].dropna()
        rows = []
        for patient, before, after in sums.itertuples():
            category = "SD"
            if after == 0:
                category = "CR"
            elif after - before >= 0.2 * before and after - before >= least_growth:
                category = "PD"
            elif before - after >= 0.3 * before:
                category = "PR"
            by_hand.setdefault(patient, {})[reader] = category
            rows += [(patient, 0, "sum", before), (patient, 1, "sum", after)]
        lesions = pd.DataFrame(rows, columns=["patient_id", "time", "lesion", "diameter_mm"])
        courses = response_courses(lesions, criterion=criterion.lower())
        for patient, course in courses.items():
            assert course.table["overall"].tolist() == [by_hand[patient][reader]], patient
            code = {"CR": 1, "PR": 2, "SD": 3, "PD": 4}[by_hand[patient][reader]]
            assert tace.loc[patient, f"{reader}_{criterion}"] == code, patient
    read = [found for found in by_hand.values() if len(found) == 3]
    kinds = Counter(len(set(found.values())) for found in read)
    response = Counter(len({c in ("CR", "PR") for c in found.values()}) for found in read)
    changing = (len(read) - kinds[1], response[2])
    assert (len(read), *changing) == {"mRECIST": (93, 50, 37), "RECIST": (93, 26, 16)}[criterion]


@pytest.mark.parametrize(("endpoint", "patients", "events"), [("OS", 88, 79), ("TTP", 64, 27)])
def test_concordance_is_that_of_lifelines_and_hazard_that_of_statsmodels(
    changes, complete, endpoint, patients, events
):
    outcome = from_scan(complete, endpoint)
    assert (len(outcome.patient_ids), outcome.n_events) == (patients, events)
    for criterion in CRITERIA:
        for reader in READERS:
            change = changes[criterion].loc[outcome.patient_ids, reader]
            found = concordance(change, outcome.time, outcome.event)
            theirs = concordance_index(outcome.time, -change, outcome.event)
            assert found.value == pytest.approx(theirs, rel=1e-12)

            tens = (change / 10).rename("change")
            table = univariable_cox_table(tens.to_frame(), outcome).iloc[0]
            fit = PHReg(outcome.time, tens, status=outcome.event, ties="efron").fit(tol=1e-14)
            ours = np.log(table[["hazard_ratio", "low", "high"]].to_numpy(dtype=float))
            assert ours == pytest.approx([fit.params[0], *fit.conf_int()[0]], rel=1e-9)


def test_the_change_foretells_progression_only_from_a_clock_that_knows_it(changes, complete, tace):
    # Of 88 with a dated scan, 24 had progressed or were lost by then; counted from the treatment
    # they are what makes the change look as if it foretold.
    assert len(complete) == 88
    assert (complete["TTP days"] <= 0).sum() == 24
    assert (complete["OS days"] <= 0).sum() == 0
    everyone = tace.loc[pd.concat(changes, axis=1).notna().all(axis=1)]
    late = from_scan(complete, "TTP")
    for criterion in CRITERIA:
        for reader in READERS:
            change = changes[criterion][reader]
            early = concordance(
                change.loc[everyone.index], everyone["TTP"], everyone[EVENTS["TTP"]] == 1
            )
            honest = concordance(change.loc[late.patient_ids], late.time, late.event)
            assert early.low > 0.5
            assert honest.low < 0.5 < honest.high
