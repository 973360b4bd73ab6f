"""Strata of α-fetoprotein, and those recorded in a cohort."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics.clinical.afp_strata import afp_stratum
from radiogenomics.core.errors import DataError, RadiogenomicsWarning


def test_both_sides_of_each_cut_off() -> None:
    found = afp_stratum([0, 19.9, 20, 199.9, 200, 399.9, 400, 1e6])
    assert found.rank.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert found.label.tolist()[1::2] == ["<20", "20-<200", "200-<400", ">=400"]


def test_own_cut_off_and_missing() -> None:
    with pytest.warns(RadiogenomicsWarning, match="AFP stratum: 1 of 3"):
        found = afp_stratum([10, None, 1000], cuts_ng_ml=[1000])
    assert found.label.tolist() == ["<1000", None, ">=1000"]
    np.testing.assert_array_equal(found.rank, [0, np.nan, 1])


@pytest.mark.parametrize("cuts", [[], [400, 20], [20, 20], [0, 400], [[20, 400]]])
def test_senseless_cut_offs(cuts: list) -> None:
    with pytest.raises(DataError, match="cuts_ng_ml"):
        afp_stratum([3.0], cuts_ng_ml=cuts)


@pytest.mark.real
def test_recorded_groups_are_met(hcc_tace: pd.DataFrame) -> None:
    found = afp_stratum(hcc_tace["AFP"], cuts_ng_ml=[400])
    assert found.label.tolist() == hcc_tace["AFP_group"].tolist()
