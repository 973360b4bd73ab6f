import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from radiogenomics.core.errors import DataError
from radiogenomics.omics import FixedCutoff, MedianCutoff


def test_median_is_learnt_once_and_applied_unchanged(rng):
    train, test = pd.Series(rng.normal(size=101)), pd.Series(rng.normal(5, 1, size=40))
    rule = MedianCutoff().fit(train)
    assert rule.cutoff_ == sorted(train)[50]
    assert rule.transform(train).sum() == 50
    assert rule.transform(test).all()


def test_transform_keeps_patients():
    scores = pd.Series([1.0, 3.0], index=["P1", "P2"])
    assert MedianCutoff().fit(scores).transform(scores).to_dict() == {"P1": False, "P2": True}


def test_fixed_value_learns_nothing(rng):
    scores = pd.Series(rng.normal(size=20))
    rule = clone(FixedCutoff(0.3)).fit(scores)
    assert rule.cutoff_ == 0.3
    np.testing.assert_array_equal(rule.transform(scores), scores > 0.3)


@pytest.mark.parametrize("scores", [pd.Series([1.0, np.nan]), pd.Series([], dtype=float)])
def test_missing_scores_are_refused(scores):
    with pytest.raises(DataError, match="finite score"):
        MedianCutoff().fit(scores)


def test_fixed_value_must_be_finite():
    with pytest.raises(DataError, match="nan"):
        FixedCutoff(float("nan")).fit()


def test_cards_say_which_one_learns():
    assert MedianCutoff.card.learns and not FixedCutoff.card.learns
