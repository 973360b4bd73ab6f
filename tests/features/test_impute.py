from __future__ import annotations

import numpy as np
import pytest
from sklearn.impute import SimpleImputer

from radiogenomics.core.errors import DataError
from radiogenomics.features import MedianImputer


@pytest.fixture
def gappy(rng) -> np.ndarray:
    X = rng.normal(size=(40, 5))
    X[rng.random(X.shape) < 0.1] = np.nan
    X[:20, 3] = np.nan
    X[:, 4] = np.nan
    return X


def test_agrees_with_scikit_learn_on_kept_variables(gappy):
    new = gappy[::-1][:7]
    ours = MedianImputer(max_missing=0.3).fit(gappy)
    theirs = SimpleImputer(strategy="median").fit(gappy[:, :3])
    assert np.array_equal(ours.transform(new), theirs.transform(new[:, :3]))


def test_cap_decides_which_variables_stay(gappy):
    keeps = {cap: MedianImputer(max_missing=cap).fit(gappy).support_.sum() for cap in (0.3, 0.9, 1)}
    assert keeps == {0.3: 3, 0.9: 4, 1: 4}


def test_new_patients_do_not_move_the_medians(gappy):
    fitted = MedianImputer(max_missing=0.3).fit(gappy)
    alone = fitted.transform(np.full((1, 5), np.nan))
    assert np.array_equal(alone[0], fitted.medians_)
    many = fitted.transform(np.vstack([np.full((1, 5), np.nan), np.full((9, 5), 1e6)]))
    assert np.array_equal(many[0], alone[0])


def test_nothing_left_says_what_to_do():
    with pytest.raises(DataError, match="at most 20% missing.*Raise max_missing"):
        MedianImputer().fit(np.array([[np.nan, 1.0], [2.0, np.nan]]))


def test_percentage_instead_of_share_is_refused():
    with pytest.raises(DataError, match="Write 0.2 for 20 %"):
        MedianImputer(max_missing=20).fit(np.eye(3))
