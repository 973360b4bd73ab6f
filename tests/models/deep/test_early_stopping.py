from __future__ import annotations

import math

import numpy as np
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.models.deep.early_stopping import EarlyStopping


def test_best_is_the_first_of_the_highest(rng):
    scores = rng.integers(0, 20, size=200) / 20
    stopping = EarlyStopping(patience=None)
    for epoch, score in enumerate(scores, start=1):
        stopping.update(epoch, float(score))
        assert stopping.best_epoch == np.argmax(scores[:epoch]) + 1
        assert stopping.waited == epoch - stopping.best_epoch
    assert not stopping.exhausted


@pytest.mark.parametrize("patience", [1, 3])
def test_stops_once_patience_is_used_up(patience):
    stopping = EarlyStopping(patience)
    seen = []
    for epoch, score in enumerate([0.5, 0.6, 0.55, 0.6, 0.59, 0.9], start=1):
        stopping.update(epoch, score)
        seen.append(stopping.exhausted)
    # Epoch 2 is the best until the last; three epochs after it are no better.
    assert seen.index(True) + 1 == 2 + patience


def test_small_gains_do_not_count_but_add_up():
    stopping = EarlyStopping(patience=None, minimum_delta=0.05)
    better = [stopping.update(epoch, score) for epoch, score in enumerate([0.5, 0.54, 0.56], 1)]
    assert better == [True, False, True]


def test_goes_on_from_a_state():
    scores = [0.1, 0.4, 0.3, 0.2, 0.35, 0.1]
    whole, first, second = (EarlyStopping(3) for _ in range(3))
    for epoch, score in enumerate(scores, start=1):
        whole.update(epoch, score)
        (first if epoch <= 3 else second).update(epoch, score)
        if epoch == 3:
            second.restore(first.state())
    assert second.state() == whole.state()
    assert second.exhausted


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_score_that_is_no_number_is_refused(score):
    with pytest.raises(DataError, match="epoch 4: expected a score"):
        EarlyStopping(2).update(4, score)
