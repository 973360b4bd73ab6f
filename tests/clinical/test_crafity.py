"""CRAFITY."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.clinical.crafity import crafity_score
from radiogenomics.core.errors import RadiogenomicsWarning


def test_points_on_both_sides_of_the_cut_offs() -> None:
    found = crafity_score(crp_mg_dl=[0.99, 1.0, 0.99, 1.0], afp_ng_ml=[99.9, 99.9, 100, 100])
    assert found.points.tolist() == [0, 1, 1, 2]
    assert found.group.tolist() == ["low", "intermediate", "intermediate", "high"]


def test_one_known_point_is_no_score() -> None:
    with pytest.warns(RadiogenomicsWarning, match=r"CRAFITY: 1 of 2 .*CRP 1"):
        found = crafity_score(crp_mg_dl=[np.nan, 2], afp_ng_ml=[500, 500])
    np.testing.assert_array_equal(found.points, [np.nan, 2])
    assert found.group.tolist() == [None, "high"]
