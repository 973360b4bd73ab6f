"""A network as a classifier of two classes."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit
from sklearn.base import clone
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import AlignmentError, OutcomeError
from radiogenomics.models.deep.network_classifier import NetworkClassifier
from radiogenomics.models.deep.networks import tiny_settings

from . import network_worlds as worlds


class OfFeatures(NetworkClassifier):
    """Takes features for voxels, so that general checks can be run."""

    def __init__(self, random_state=0):
        super().__init__(
            None,
            "vit",
            network_settings=tiny_settings("vit"),
            training=worlds.training(epochs=10, batch_size=64, validation_share=0.0),
            random_state=random_state,
        )

    def _scans_and_rows(self, X, *, reset=False):
        values = validate_data(self, X, ensure_min_samples=2 if reset else 1, reset=reset)
        voxels = np.stack([np.resize(own, 64) for own in values])
        return worlds.scans_of(voxels.reshape(-1, 1, 4, 4, 4)), np.arange(len(values))

    def _at_once(self):
        # Sums of float32 depend on how many are computed beside.
        return 1


@parametrize_with_checks([OfFeatures()])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


def labelled(n, *, seed=0, known=True):
    scans, _, score = worlds.cohort(n, seed=seed)
    label = score > 0 if known else np.random.default_rng(seed).permutation(n) % 2 > 0
    return scans, np.where(label, "yes", "no")


def test_finds_what_was_planted_out_of_fold():
    scans, y = labelled(60)
    model = worlds.classifier(scans, epochs=8)
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    found = cross_val_predict(model, scans.table(), y, cv=folds, method="decision_function")
    assert roc_auc_score(y, found) > 0.85


def test_finds_nothing_in_noise():
    found = []
    for seed in range(10):
        scans, y = labelled(60, seed=seed, known=False)
        X = scans.table()
        model = worlds.classifier(scans, epochs=4, random_state=seed).fit(X.iloc[:40], y[:40])
        found.append(roc_auc_score(y[40:], model.decision_function(X.iloc[40:])))
    low, high = stats.t.interval(0.99, 9, np.mean(found), stats.sem(found))
    assert low < 0.5 < high


def test_keeps_the_epoch_of_the_smallest_logistic_loss():
    scans, y = labelled(40)
    X = scans.table()
    model = worlds.classifier(scans, epochs=6).fit(X, y)
    aside = np.isin(scans.patient_ids, model.validation_patients_)
    assert abs((y[aside] == "yes").mean() - (y == "yes").mean()) <= 0.1
    loss = log_loss(y[aside] == "yes", model.predict_proba(X[aside])[:, 1])
    assert -loss == pytest.approx(model.history_["score"].max(), rel=1e-6)
    np.testing.assert_allclose(
        model.predict_proba(X)[:, 1], expit(model.decision_function(X)), rtol=1e-12
    )
    assert model.predict_heads(X)["label"].to_numpy() == pytest.approx(model.predict_proba(X)[:, 1])


def test_clones_and_pickles():
    scans, y = labelled(24)
    X = scans.table()
    model = worlds.classifier(scans).fit(X, y)
    assert worlds.same_weights(model, clone(model).fit(X, y))
    assert (pickle.loads(pickle.dumps(model)).predict(X) == model.predict(X)).all()


def test_nobody_scored_later_has_a_say():
    scans, y = labelled(40)
    X, later = scans.table().iloc[:30], np.arange(30, 40)
    first = worlds.classifier(scans, epochs=2).fit(X, y[:30])
    second = worlds.classifier(worlds.altered(scans, later), epochs=2).fit(X, y[:30])
    assert worlds.same_weights(first, second)


def test_survival_can_be_an_auxiliary():
    scans, outcome, score = worlds.cohort(30)
    more = {"auxiliaries": {"os": outcome}}
    model = worlds.classifier(scans, epochs=10, more=more).fit(scans.table(), score > 0)
    said = model.predict_heads(scans.table())
    assert said.columns.tolist() == ["label", "os"]
    assert stats.spearmanr(said["os"], score)[0] > 0.5


def test_refuses_labels_it_cannot_learn():
    scans, y = labelled(20)
    X = scans.table()
    with pytest.raises(OutcomeError, match="found 1 class"):
        worlds.classifier(scans).fit(X, np.zeros(20))
    with pytest.raises(OutcomeError, match="found 3 class"):
        worlds.classifier(scans).fit(X, np.arange(20) % 3)
    with pytest.raises(OutcomeError, match="both classes among the patients"):
        worlds.classifier(scans).fit(X, np.arange(20) == 0)
    with pytest.raises(AlignmentError, match="one order"):
        worlds.classifier(scans).fit(X, pd.Series(y, index=X.index).iloc[::-1])
