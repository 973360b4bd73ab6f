"""CLIP: every combination by the published table, and the scores recorded in a cohort."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from radiogenomics.clinical.clip import clip_score
from radiogenomics.core.errors import RadiogenomicsWarning, UnknownNameError


def test_every_combination() -> None:
    shapes = {
        ("uninodular", False): 0,
        ("multinodular", False): 1,
        ("massive", False): 2,
        ("uninodular", True): 2,
        ("multinodular", True): 2,
        ("massive", True): 2,
    }
    combinations = list(itertools.product("ABC", shapes, (399.9, 400.0), (0, 1)))
    found = clip_score(
        child_pugh_class=[row[0] for row in combinations],
        morphology=[row[1][0] for row in combinations],
        over_half_of_liver=[row[1][1] for row in combinations],
        afp_ng_ml=[row[2] for row in combinations],
        portal_vein_thrombosis=[row[3] for row in combinations],
    )
    expected = [
        "ABC".index(liver) + shapes[shape] + (afp >= 400) + thrombosis
        for liver, shape, afp, thrombosis in combinations
    ]
    assert found.tolist() == expected
    assert (min(expected), max(expected)) == (0, 6)


def test_missing_and_unknown() -> None:
    rest = {"over_half_of_liver": 0, "afp_ng_ml": 3.0, "portal_vein_thrombosis": 0}
    with pytest.warns(RadiogenomicsWarning, match="Child-Pugh class 1"):
        found = clip_score(child_pugh_class=["A", None], morphology="massive", **rest)
    np.testing.assert_array_equal(found, [2, np.nan])
    with pytest.raises(UnknownNameError, match="did you mean 'multinodular'"):
        clip_score(child_pugh_class="A", morphology="multi-nodular", **rest)


@pytest.mark.real
def test_recorded_scores_are_met(hcc_tace: pd.DataFrame) -> None:
    found = clip_score(
        child_pugh_class=hcc_tace["CPS"],
        morphology=hcc_tace["tumor_nodul"],
        over_half_of_liver=hcc_tace["T_involvment"] == ">50%",
        afp_ng_ml=hcc_tace["AFP"],
        portal_vein_thrombosis=hcc_tace["Portal Vein Thrombosis"],
    )
    assert found.tolist() == hcc_tace["CLIP_Score"].str[-1].astype(float).tolist()
