from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from radiogenomics.core.errors import DataError, OutcomeError, RadiogenomicsWarning
from radiogenomics.features.folds import stratified_folds


@pytest.mark.parametrize("shuffle", [True, False])
def test_folds_are_those_of_scikit_learn(rng, shuffle):
    code = rng.integers(0, 2, 37)
    ours = stratified_folds(code, 4, owner=None, seed=5, shuffle=shuffle)
    theirs = StratifiedKFold(4, shuffle=shuffle, random_state=5 if shuffle else None)
    for (train, test), (their_train, their_test) in zip(
        ours, theirs.split(code, code), strict=True
    ):
        np.testing.assert_array_equal(train, their_train)
        np.testing.assert_array_equal(test, their_test)


def test_every_fold_has_both_classes_however_rare_one_is():
    code = (np.arange(40) < 3).astype(int)
    with pytest.warns(RadiogenomicsWarning, match="int: 3 folds instead of 10"):
        folds = stratified_folds(code, 10, owner=1, seed=0)
    assert [code[test].sum() for _, test in folds] == [1, 1, 1]


def test_what_cannot_be_is_refused():
    with pytest.raises(OutcomeError, match="at least 2 patients of each class.*found 1"):
        stratified_folds((np.arange(9) < 1).astype(int), 5, owner=None, seed=0)
    with pytest.raises(DataError, match="n_splits: expected a whole number from 2; found 1"):
        stratified_folds(np.arange(9) % 2, 1, owner=None, seed=0)
