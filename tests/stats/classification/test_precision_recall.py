"""Precision and recall against scikit-learn; ties included."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from sklearn.metrics import precision_recall_curve as sklearn_curve

from radiogenomics.core.errors import OutcomeError
from radiogenomics.stats.classification.precision_recall import (
    average_precision,
    precision_recall_curve,
)


@pytest.mark.parametrize("decimals", [1, 8])
def test_curve_and_area_are_those_of_scikit_learn(rng, decimals):
    labels = rng.random(150) < 0.2
    scores = np.round(labels + rng.normal(size=150), decimals)
    precision, recall, thresholds = sklearn_curve(labels, scores)
    found = precision_recall_curve(scores, labels)
    # scikit-learn runs from the loosest threshold and adds the point (0, 1).
    np.testing.assert_allclose(found.precision, precision[:-1][::-1], rtol=1e-12)
    np.testing.assert_allclose(found.recall, recall[:-1][::-1], rtol=1e-12)
    np.testing.assert_array_equal(found.thresholds, thresholds[::-1])
    reference = average_precision_score(labels, scores)
    assert average_precision(scores, labels) == pytest.approx(reference, rel=1e-12)


def test_constant_scores_give_the_prevalence():
    assert average_precision(np.ones(10), [1] * 3 + [0] * 7) == pytest.approx(0.3)


def test_one_class_is_refused():
    with pytest.raises(OutcomeError, match="both classes"):
        average_precision([0.1, 0.2], [0, 0])
