"""Networks joined by out-of-fold risks: what joins them learns from these and no more."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sksurv.ensemble import RandomSurvivalForest
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import (
    AlignmentError,
    FallbackWarning,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.models.deep.deep_ensemble import DeepEnsemble
from radiogenomics.models.deep.network_risk import NetworkRisk
from radiogenomics.models.survival.cox import CoxModel
from radiogenomics.stats.survival.concordance import concordance

from . import network_worlds as worlds


def members(scans, **words):
    return {
        "net1": worlds.network(scans, "vit", **words),
        "net3": worlds.network(scans, "multi_plane_transformer", **words),
    }


@pytest.fixture(scope="module")
def world():
    scans, y, _ = worlds.cohort(66)
    X = scans.table()
    fitted = {
        combine: DeepEnsemble(members(scans, epochs=8), combine, n_splits=2, n_estimators=60).fit(
            X.iloc[:44], y[:44]
        )
        for combine in ("rsf", "weighted_vote", "mean")
    }
    return X, y, fitted


def test_out_of_fold_risks_are_those_of_each_member(world):
    X, y, fitted = world
    risk = NetworkRisk(fitted["mean"].members["net3"], n_splits=2)
    by_hand = risk.fit_transform(X.iloc[:44], y[:44])[:, 0]
    np.testing.assert_array_equal(fitted["mean"].out_of_fold_["net3"], by_hand)
    np.testing.assert_array_equal(fitted["rsf"].member_risks(X)["net3"], risk.transform(X)[:, 0])
    assert fitted["mean"].out_of_fold_.index.tolist() == X.index[:44].tolist()


def test_the_forest_is_that_of_the_released_code(world):
    X, y, fitted = world
    forest = RandomSurvivalForest(
        60,
        max_depth=2,
        min_samples_split=5,
        min_samples_leaf=2,
        max_features="sqrt",
        random_state=0,
    ).fit(fitted["rsf"].out_of_fold_.to_numpy(), y[:44])
    risks = fitted["rsf"].member_risks(X.iloc[44:])
    np.testing.assert_allclose(
        fitted["rsf"].predict(X.iloc[44:]), forest.predict(risks.to_numpy()), rtol=1e-12
    )
    assert not hasattr(fitted["rsf"], "weights_")


def test_votes_are_weighted_by_concordance_within_folds(world):
    X, y, fitted = world
    model = fitted["weighted_vote"]
    for name, risks in model.out_of_fold_.items():
        pairs = wins = 0
        for number in range(2):
            part = model.fold_ == number
            found = concordance_index_censored(
                y["event"][:44][part], y["time"][:44][part], risks.to_numpy()[part]
            )
            pairs += found[1] + found[2] + found[3]
            wins += found[1] + found[3] / 2
        assert model.concordance_[name] == pytest.approx(wins / pairs, abs=1e-12)
    above = model.concordance_ - 0.5
    pd.testing.assert_series_equal(model.weights_, above / above.sum())
    risks = model.member_risks(X)
    np.testing.assert_allclose(model.predict(X), risks @ model.weights_, rtol=1e-12)
    np.testing.assert_allclose(fitted["mean"].predict(X), risks.mean(axis=1), rtol=1e-12)


def test_survival_is_that_of_a_cox_model_of_the_out_of_fold_risk(world):
    X, y, fitted = world
    model = fitted["mean"]
    cox = CoxModel(1.0).fit(model.out_of_fold_.mean(axis=1).to_numpy()[:, None], y[:44])
    times = [0.0, 0.5, model.last_time_]
    risk = model.member_risks(X).mean(axis=1).to_numpy()[:, None]
    np.testing.assert_allclose(
        model.predict_survival(X, times), cox.predict_survival(risk, times), rtol=1e-9
    )
    curves = fitted["rsf"].predict_survival(X, times)
    assert (curves[:, 0] == 1).all()
    assert (np.diff(curves, axis=1) <= 0).all()


@pytest.mark.parametrize("combine", ["rsf", "weighted_vote", "mean"])
def test_finds_what_was_planted(world, combine):
    X, y, fitted = world
    assert fitted[combine].score(X.iloc[44:], y[44:]) > 0.7


def test_ablation_judges_every_set_of_members(world):
    X, y, fitted = world
    for model in fitted.values():
        table = model.ablation_(X.iloc[44:], y[44:])
        assert table["members"].tolist() == ["net1", "net3", "net1 + net3"]
        whole = concordance(model.predict(X.iloc[44:]), y["time"][44:], y["event"][44:])
        last = table.iloc[-1]
        assert (last["concordance"], last["low"], last["high"]) == (
            whole.value,
            whole.low,
            whole.high,
        )
    alone = fitted["mean"].member_risks(X.iloc[44:])["net1"]
    single = concordance(alone, y["time"][44:], y["event"][44:]).value
    assert fitted["mean"].ablation_(X.iloc[44:], y[44:])["concordance"][0] == single


def test_phases_can_be_left_out_as_members():
    scans, y, _ = worlds.cohort(24, channels=2)
    one = worlds.scans_of(scans.values[:, :1])
    both = {"one": worlds.network(one), "two": worlds.network(scans)}
    model = DeepEnsemble(both, "mean", n_splits=2).fit(scans.table(), y)
    assert len(model.ablation_(scans.table(), y)) == 3
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict(scans.table()), model.predict(scans.table()))
    again = clone(model).fit(scans.table(), y)
    np.testing.assert_array_equal(again.predict(scans.table()), model.predict(scans.table()))


def test_nobody_above_chance_is_said(monkeypatch):
    scans, y, _ = worlds.cohort(24)
    real = NetworkRisk.fit_transform

    def backwards(self, X, y):
        real(self, X, y)
        return y["time"][:, None]

    monkeypatch.setattr(NetworkRisk, "fit_transform", backwards)
    model = DeepEnsemble({"net": worlds.network(scans)}, "weighted_vote", n_splits=2)
    with pytest.warns(FallbackWarning, match="nothing found"):
        model.fit(scans.table(), y)
    assert model.weights_.tolist() == [1.0]
    assert model.fell_back_


def test_refuses_members_that_do_not_fit():
    scans, y, _ = worlds.cohort(12)
    X = scans.table()
    other = worlds.scans_of(scans.values, prefix="Q")
    for given, error, words in (
        ({}, SchemaError, "found none"),
        ({"cox": CoxModel()}, SchemaError, "found CoxModel"),
        ({"a": worlds.network(scans), "b": worlds.network(other)}, AlignmentError, "same patients"),
    ):
        with pytest.raises(error, match=words):
            DeepEnsemble(given).fit(X, y)
    with pytest.raises(UnknownNameError, match="mean"):
        DeepEnsemble(members(scans), "means").fit(X, y)
