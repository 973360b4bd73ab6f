"""How alike features are in real scans before and after treatment, which the simulation assumes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from radiogenomics.io import load_cohort
from radiogenomics.study.registry import find_manifest


@pytest.mark.real
@pytest.mark.parametrize(("modality", "median"), [("ct", 0.12), ("pet", 0.13)])
def test_features_after_radiotherapy_hardly_follow_those_before(
    data_root, modality, median, record_property
):
    """224 head and neck tumours; Spearman's rho of each of 257 features with itself."""
    cohort = load_cohort(find_manifest("hnc_delta"), data_root=data_root)
    before, after = (cohort.assay(f"{modality}_{point}").values for point in ("pre", "post"))
    after = after.loc[before.index, before.columns]
    assert before.shape == (224, 257)
    known = before.nunique().gt(1) & after.nunique().gt(1)
    ranks = [rankdata(table.loc[:, known], axis=0) for table in (before, after)]
    first, second = ((r - r.mean(axis=0)) / r.std(axis=0) for r in ranks)
    rho = (first * second).mean(axis=0)
    record_property("median rank correlation", round(float(np.median(rho)), 4))
    record_property("features", int(known.sum()))
    assert np.median(rho) == pytest.approx(median, abs=0.005)
