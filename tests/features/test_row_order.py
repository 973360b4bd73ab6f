"""No step learns from a label whose rows stand in another order than those of the table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from radiogenomics.core.errors import AlignmentError
from radiogenomics.features import (
    MRMR,
    Boruta,
    CorrelationClusters,
    GeneticSelector,
    LassoSelector,
    LinearSVMRFECV,
    RankSelector,
    StabilitySelection,
    UnivariateFilter,
)

STEPS = [
    Boruta(30, max_iter=15),
    CorrelationClusters(representative="label"),
    GeneticSelector(1, 8, 3, n_splits=2),
    LassoSelector(n_splits=3),
    LassoSelector("gaussian", n_splits=3),
    LinearSVMRFECV(n_splits=2),
    MRMR(k=2),
    RankSelector(k=2),
    StabilitySelection(n_resamples=2),
    StabilitySelection(family="gaussian", n_resamples=2),
    UnivariateFilter(),
]


@pytest.mark.parametrize(
    "step", STEPS, ids=lambda s: f"{type(s).__name__}-{getattr(s, 'family', '')}"
)
def test_labels_in_another_order_are_refused(step):
    rng = np.random.default_rng(3)
    rows = [f"P{i}" for i in range(40)]
    label = pd.Series(np.arange(40) % 2, index=rows)
    X = pd.DataFrame(rng.normal(size=(40, 4)), index=rows, columns=list("abcd"))
    X["a"] += 3 * label
    kept = clone(step).fit(X, label).get_support()
    assert kept[0]
    turned = label.iloc[rng.permutation(40)]
    with pytest.raises(AlignmentError, match=r"Do: y\.loc\[X\.index\]"):
        clone(step).fit(X, turned)
    np.testing.assert_array_equal(clone(step).fit(X, turned.loc[X.index]).get_support(), kept)
