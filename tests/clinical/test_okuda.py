"""Okuda: every combination of signs, cut-offs, and bounds from a recorded cohort."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

from radiogenomics.clinical.okuda import STAGES, okuda_stage
from radiogenomics.core.errors import RadiogenomicsWarning


def test_every_combination_of_signs() -> None:
    signs = list(itertools.product((0, 1), repeat=4))
    stages = ("I", "II", "II", "III", "III")
    for row in signs:
        found = okuda_stage(
            over_half_of_liver=row[0],
            ascites=row[1],
            albumin_g_dl=2.99 if row[2] else 3.0,
            bilirubin_mg_dl=3.01 if row[3] else 3.0,
        )
        assert found == stages[sum(row)]


def test_missing() -> None:
    with pytest.warns(RadiogenomicsWarning, match="Okuda: 1 of 1"):
        found = okuda_stage(over_half_of_liver=0, ascites=None, albumin_g_dl=4, bilirubin_mg_dl=1)
    assert found is None


@pytest.mark.real
def test_recorded_stages_lie_within_what_tumour_size_allows(hcc_tace: pd.DataFrame) -> None:
    half = hcc_tace["T_involvment"] == ">50%"
    best = okuda_stage(over_half_of_liver=half, ascites=0, albumin_g_dl=4, bilirubin_mg_dl=1)
    worst = okuda_stage(over_half_of_liver=half, ascites=1, albumin_g_dl=2, bilirubin_mg_dl=9)
    recorded = hcc_tace["Okuda"].str.removeprefix("Stage ")
    for low, record, high in zip(best, recorded, worst, strict=True):
        assert STAGES.index(low) <= STAGES.index(record) <= STAGES.index(high)
