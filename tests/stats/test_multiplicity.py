from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from statsmodels.stats.multitest import multipletests

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats import adjust

METHODS = {"bh": "fdr_bh", "by": "fdr_by", "holm": "holm", "bonferroni": "bonferroni"}


@pytest.mark.parametrize("method", list(METHODS))
def test_matches_r_p_adjust_and_statsmodels(method, table):
    rows = table("multiplicity")
    found = adjust(rows["p"], method=method)
    assert_allclose(found, rows[method], rtol=1e-12)
    known = rows["p"].notna().to_numpy()
    assert np.isnan(found[~known]).all()
    expected = multipletests(rows["p"][known], method=METHODS[method])[1]
    assert_allclose(found[known], expected, rtol=1e-12)


def test_nothing_to_adjust():
    assert adjust([]).shape == (0,)
    assert np.isnan(adjust([np.nan, np.nan])).all()
    assert adjust([0.02], method="holm").tolist() == [0.02]


def test_false_discoveries_stay_below_the_level():
    rng = np.random.default_rng(31)
    shares = []
    for _ in range(200):
        p = rng.random(200)
        p[:40] = p[:40] * 1e-3
        hits = adjust(p) <= 0.1
        shares.append(hits[40:].sum() / max(1, hits.sum()))
    assert np.mean(shares) <= 0.1


def test_impossible_input_says_what_to_do():
    with pytest.raises(DataError, match="not statistics"):
        adjust([0.2, 1.7])
    with pytest.raises(UnknownNameError, match="holm"):
        adjust([0.2], method="hom")
