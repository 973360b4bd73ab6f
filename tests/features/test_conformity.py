"""scikit-learn's own checks on every transformer, and what all of them must do with tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from radiogenomics.core.errors import SchemaError
from radiogenomics.core.method import Method
from radiogenomics.features import (
    DropConstant,
    MedianImputer,
    RankSelector,
)

TRANSFORMERS = [DropConstant(), MedianImputer(), RankSelector(k=2)]


@parametrize_with_checks(TRANSFORMERS)
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.fixture
def table(rng) -> tuple[pd.DataFrame, pd.Series]:
    names = [f"feature {i}" for i in range(6)]
    rows = [f"P{i}" for i in range(30)]
    frame = pd.DataFrame(rng.normal(size=(30, 6)), index=rows, columns=names)
    return frame, pd.Series(np.arange(30) % 2, index=rows)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__name__)
def test_frames_keep_patients_and_names(transformer, table):
    frame, label = table
    fitted = clone(transformer).set_output(transform="pandas").fit(frame, label)
    out = fitted.transform(frame)
    assert out.index.equals(frame.index)
    assert list(out.columns) == list(fitted.get_feature_names_out())
    pd.testing.assert_frame_equal(out, frame[out.columns])
    plain = clone(transformer).fit(frame.to_numpy(), label.to_numpy())
    assert np.array_equal(plain.transform(frame.to_numpy()), out.to_numpy())


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__name__)
def test_left_over_row_fact_fails_loudly(transformer, table):
    frame, label = table
    with pytest.raises(SchemaError, match="row fact.*@site"):
        clone(transformer).fit(frame.assign(**{"@site": 1.0}), label)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__name__)
def test_each_method_carries_its_card(transformer):
    assert isinstance(transformer.card, Method)
    assert transformer.card.learns
