from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import ParameterGrid
from sklearn.preprocessing import StandardScaler

from radiogenomics.core.errors import UnknownNameError
from radiogenomics.models import learner, learner_names, surrogate


def test_names_and_near_miss():
    assert learner_names() == ("svm", "lr", "rf", "knn", "nb", "gb")
    with pytest.raises(UnknownNameError, match="did you mean 'svm'"):
        learner("svn", random_state=0)
    with pytest.raises(UnknownNameError):
        surrogate([], "svn")


@pytest.mark.parametrize("name", learner_names())
def test_grid_points_are_parameters_of_a_classifier(name, rng):
    chosen = learner(name, random_state=1)
    assert chosen.card.name == name
    assert is_classifier(chosen.estimator)
    X, y = rng.normal(size=(40, 3)), np.arange(40) % 2
    for point in ParameterGrid(list(chosen.grid)):
        clone(chosen.estimator).set_params(**point).fit(X, y)


@pytest.mark.parametrize("name", learner_names())
def test_each_call_gives_an_estimator_of_its_own(name):
    first = learner(name, random_state=0)
    first.estimator.set_params(**{key: values[0] for key, values in first.grid[0].items()})
    assert learner(name, random_state=0).estimator is not first.estimator


@pytest.mark.parametrize("name", learner_names())
def test_each_learner_finds_a_strong_signal_and_repeats_itself(name, rng):
    y = np.arange(80) % 2
    X = rng.normal(size=(80, 3)) + 1.5 * np.outer(y, [1, 0, 0])
    new_y = np.arange(200) % 2
    new = rng.normal(size=(200, 3)) + 1.5 * np.outer(new_y, [1, 0, 0])
    models = [
        surrogate([("standardise", StandardScaler())], name, random_state=3).fit(X, y)
        for _ in range(2)
    ]
    first, second = (model.predict_proba(new)[:, 1] for model in models)
    assert np.array_equal(first, second)
    assert roc_auc_score(new_y, first) > 0.75  # the best possible is 0.86
    log_loss = -np.log(np.where(new_y == 1, first, 1 - first)).mean()
    assert log_loss < np.log(2)
