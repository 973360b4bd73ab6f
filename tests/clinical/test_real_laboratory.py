"""Laboratory values of a real multicentre table, in which centres used different units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.clinical import measurements
from radiogenomics.clinical.albi import albi_score
from radiogenomics.clinical.child_pugh import child_pugh_score
from radiogenomics.clinical.measurements import Quantity
from radiogenomics.clinical.units import albumin_to_g_l, bilirubin_to_umol_l
from radiogenomics.core.errors import DataError

pytestmark = pytest.mark.real

COLUMNS = {
    "bcr_serum_albumin_preresection": (measurements.ALBUMIN_G_DL, "g/l or mg/dl"),
    "bcr_prothrombin_time_INR_at_procurement": (measurements.INR, "seconds"),
    "bcr_platelet_count_preresection": (measurements.PLATELETS_10E9_L, "per µl"),
    "bcr_creatinine_level_preresection": (measurements.CREATININE_MG_DL, "µmol/l"),
}


@pytest.fixture(scope="module")
def tcga(data_root: Path) -> pd.DataFrame:
    path = data_root / "omics" / "lihc" / "clinical_tcga_lihc.csv.gz"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return pd.read_csv(path)


def within(values: pd.Series, quantity: Quantity) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    return numbers.where(numbers.between(quantity.low, quantity.high))


@pytest.mark.parametrize("column", COLUMNS)
def test_mixed_units_are_refused(tcga: pd.DataFrame, column: str) -> None:
    quantity, look = COLUMNS[column]
    with pytest.raises(DataError, match=look):
        quantity.read(pd.to_numeric(tcga[column], errors="coerce"))


def test_unit_of_a_centre_shows_in_its_normal_range(tcga: pd.DataFrame) -> None:
    """What is refused as INR comes from centres whose normal range is one of seconds."""
    value = pd.to_numeric(tcga["bcr_prothrombin_time_INR_at_procurement"], errors="coerce")
    lower = pd.to_numeric(tcga["bcr_prothrom_time_INR_norm_range_lower"], errors="coerce")
    refused = (value > measurements.INR.high) & lower.notna()
    kept = (value <= measurements.INR.high) & lower.notna()
    assert (lower[refused] > 5).mean() > 0.95
    assert (lower[kept] < 5).mean() > 0.95


@pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")
def test_scores_of_plausible_values(tcga: pd.DataFrame) -> None:
    bilirubin = within(tcga["bcr_bilirubin_total"], measurements.BILIRUBIN_MG_DL)
    albumin = within(tcga["bcr_serum_albumin_preresection"], measurements.ALBUMIN_G_DL)
    inr = within(tcga["bcr_prothrombin_time_INR_at_procurement"], measurements.INR)
    albi = albi_score(
        bilirubin_umol_l=bilirubin_to_umol_l(bilirubin), albumin_g_l=albumin_to_g_l(albumin)
    )
    assert -3.2 < np.nanmedian(albi.score) < -2.2  # livers that were fit for surgery
    least = child_pugh_score(
        bilirubin_mg_dl=bilirubin,
        albumin_g_dl=albumin,
        inr=inr,
        ascites="none",
        encephalopathy_grade=0,
    )
    recorded = tcga["bcr_child_pugh_classification"]
    known = pd.notna(least.grade) & recorded.isin(["A", "B", "C"]).to_numpy()
    assert known.sum() > 100
    # Without ascites and encephalopathy the class is at least this; records disagree for a few.
    assert (least.grade[known] <= recorded[known]).mean() > 0.95
