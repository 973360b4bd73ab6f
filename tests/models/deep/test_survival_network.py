"""A network as a survival estimator: what it learns, from whom, and what it refuses."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data
from sksurv.metrics import concordance_index_censored

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    GeometryError,
    OutcomeError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import PatientKFold, cross_validate_survival
from radiogenomics.models.deep import survival_network
from radiogenomics.models.deep.networks import NETWORKS, tiny_settings
from radiogenomics.models.deep.survival_network import SurvivalNetwork
from radiogenomics.models.deep.training_settings import Augmentation
from radiogenomics.stats.survival.baseline_hazard import baseline_hazard

from . import network_worlds as worlds

SHAPE_OF = {"resnet50": 32, "swin_unetr": 32}


class OfFeatures(SurvivalNetwork):
    """Takes features for voxels, and the plain y of scikit-learn's checks for a target."""

    def __init__(self, random_state=0):
        super().__init__(
            None,
            "vit",
            network_settings=tiny_settings("vit"),
            training=worlds.training(epochs=2, batch_size=64, validation_share=0.0),
            random_state=random_state,
        )

    def _scans_and_rows(self, X, *, reset=False):
        values = validate_data(self, X, ensure_min_samples=2 if reset else 1, reset=reset)
        voxels = np.stack([np.resize(own, 64) for own in values])
        return worlds.scans_of(voxels.reshape(-1, 1, 4, 4, 4)), np.arange(len(values))

    def _at_once(self):
        # Sums of float32 depend on how many are computed beside.
        return 1

    def fit(self, X, y):
        return super().fit(X, self._target(y))

    def score(self, X, y):
        return super().score(X, self._target(y))

    def _target(self, y):
        if y is None:
            return y
        code = np.unique(np.asarray(y).ravel(), return_inverse=True)[1].astype(float)
        turn = np.arange(len(code))
        return worlds.survival_array(turn % 4 > 0, 1.0 + code + turn % 7)


@parametrize_with_checks([OfFeatures()])
def test_scikit_learn_conformity(estimator, check):
    check(estimator)


@pytest.mark.parametrize("word", NETWORKS)
def test_every_network_takes_a_step(word):
    size = SHAPE_OF.get(word, 16)
    scans, y, _ = worlds.cohort(8, size=size, channels=3)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    model = worlds.network(scans, word, validation_share=0.0).fit(scans.table(), y)
    first = model._built(model.heads_, scans, seed=model._seeded().seed)
    moved = [
        bool((old != new).any())
        for old, new in zip(first.parameters(), model.network_.parameters(), strict=True)
    ]
    assert sum(moved) > 0.5 * len(moved)
    assert model.predict(scans.table()).shape == (8,)
    assert model.embedding(scans.table()).shape == (8, model.network_.heads.width)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("word", "size", "epochs", "rate"),
    [
        ("efficientnet_b1", 8, 40, 0.01),
        ("residual_autoencoder", 16, 40, 0.02),
        ("multi_plane_transformer", 8, 100, 0.005),
    ],
)
def test_learns_eight_patients_by_heart(word, size, epochs, rate):
    scans, _, _ = worlds.cohort(8, size=size, effect=0.0)
    y = worlds.survival_array(np.ones(8, bool), np.arange(1.0, 9.0))
    words = {"epochs": epochs, "learning_rate": rate, "schedule": "none", "validation_share": 0.0}
    model = worlds.network(scans, word, **words).fit(scans.table(), y)
    loss = model.history_["loss"]
    assert loss.iloc[-5:].mean() < 0.25 * loss.iloc[0]
    assert model.score(scans.table(), y) > 0.9


def test_finds_what_was_planted_and_scores_as_scikit_survival():
    scans, y, _ = worlds.cohort(90)
    X = scans.table()
    model = worlds.network(scans, epochs=12).fit(X.iloc[:60], y[:60])
    found = model.score(X.iloc[60:], y[60:])
    risk = model.predict(X.iloc[60:])
    outside = concordance_index_censored(y["event"][60:], y["time"][60:], risk)[0]
    assert found == pytest.approx(outside, abs=1e-12)
    assert found > 0.75


def test_finds_nothing_in_noise():
    found = []
    for seed in range(10):
        scans, y, _ = worlds.cohort(60, seed=seed, effect=0.0)
        X = scans.table()
        model = worlds.network(scans, epochs=4, random_state=seed).fit(X.iloc[:40], y[:40])
        found.append(model.score(X.iloc[40:], y[40:]))
    low, high = stats.t.interval(0.99, 9, np.mean(found), stats.sem(found))
    assert low < 0.5 < high


def test_those_put_aside_are_balanced_and_stop_the_training():
    scans, y, _ = worlds.cohort(60)
    model = worlds.network(scans, epochs=40, patience=3).fit(scans.table(), y)
    aside = np.isin(scans.patient_ids, model.validation_patients_)
    assert aside.sum() == 15
    assert abs(y["event"][aside].mean() - y["event"].mean()) < 0.1
    scores = model.history_["score"]
    assert model.best_epoch_ == model.history_["epoch"][scores.idxmax()]
    assert len(model.history_) == model.best_epoch_ + 3
    part = scans.table()[aside]
    assert model.score(part, y[aside]) == pytest.approx(scores.max(), abs=1e-12)


def test_the_baseline_is_of_those_put_aside():
    scans, y, _ = worlds.cohort(60)
    X = scans.table()
    model = worlds.network(scans, epochs=3).fit(X, y)
    aside = np.isin(scans.patient_ids, model.validation_patients_)
    base = baseline_hazard(model.predict(X[aside]), y["time"][aside], y["event"][aside])
    times = np.linspace(0, y["time"][aside].max(), 5)
    by_hand = np.exp(-np.outer(np.exp(model.predict(X)), base.at(times)))
    np.testing.assert_allclose(model.predict_survival(X, times), by_hand, rtol=1e-6)
    assert model.last_time_ == y["time"][aside].max()
    with pytest.raises(DataError, match="last follow-up"):
        model.predict_survival(X, [model.last_time_ + 1])


def test_the_same_seed_gives_the_same_network():
    scans, y, _ = worlds.cohort(30)
    X = scans.table()
    settings = {"epochs": 2, "augment": Augmentation.everywhere(0.5)}
    model = worlds.network(scans, "efficientnet_b1", **settings).fit(X, y)
    again = clone(model).fit(X, y)
    other = worlds.network(scans, "efficientnet_b1", random_state=1, **settings).fit(X, y)
    assert worlds.same_weights(model, again)
    assert not worlds.same_weights(model, other)
    assert clone(model).scans is scans
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_micro_batches_train_the_same_network():
    scans, y, _ = worlds.cohort(16)
    plain = replace(tiny_settings("vit"), dropout=0.0)
    models = [
        SurvivalNetwork(
            scans,
            "vit",
            network_settings=plain,
            training=worlds.training(epochs=2, micro_batch=micro, validation_share=0.0),
        ).fit(scans.table(), y)
        for micro in (None, 3)
    ]
    whole, parts = (model.predict(scans.table()) for model in models)
    # Nothing in a partial likelihood holds a constant: the last bias goes where rounding takes it.
    np.testing.assert_allclose(whole - whole.mean(), parts - parts.mean(), atol=2e-5)


def auxiliaries(scans, y, score):
    """Three facts, one of them half unknown, and a second endpoint that ends before the first."""
    half = np.where(np.arange(len(y)) % 2, 10.0 * score + 60.0, np.nan)
    pfs = worlds.survival_array(y["event"], 0.5 * y["time"])
    frame = pd.DataFrame({"pvtt": (score > 0).astype(float), "age": half, "noise": 1.0})
    frame.loc[3, "pvtt"] = np.nan
    frame["pfs_event"], frame["pfs_time"] = pfs["event"].astype(float), pfs["time"]
    frame.loc[5, "pfs_time"] = np.nan
    return frame.set_axis(list(scans.patient_ids))


def test_other_heads_are_learnt_where_they_are_known():
    scans, y, score = worlds.cohort(60)
    X = scans.table()
    more = {"auxiliaries": auxiliaries(scans, y, score).iloc[::-1]}
    model = worlds.network(
        scans, epochs=15, loss_learning_rate=0.1, validation_share=0.0, more=more
    ).fit(X, y)
    said = model.predict_heads(X)
    assert said.columns.tolist() == ["survival", "pfs", "pvtt", "noise", "age"]
    assert said.index.tolist() == list(scans.patient_ids)
    np.testing.assert_allclose(said["survival"], model.predict(X), rtol=1e-6)
    assert stats.spearmanr(said["pvtt"], score)[0] > 0.5
    unknown = np.arange(60) % 2 == 0
    assert stats.spearmanr(said["age"][unknown], score[unknown])[0] > 0.5
    assert said["age"].between(20, 100).all()
    assert said["noise"].min() > 0.5
    assert set(model.head_weights_) == {"survival", "pfs", "findings", "numbers"}
    assert all(abs(np.log(weight)) > 0.05 for weight in model.head_weights_.values())


def test_the_released_product_is_minimised_as_released():
    scans, y, score = worlds.cohort(24)
    X, facts = scans.table(), auxiliaries(scans, y, score)
    words = {"epochs": 2, "validation_share": 0.0}
    legacy = {"auxiliaries": facts, "form": "legacy_product"}
    product = worlds.network(scans, more=legacy, **words).fit(X, y)
    additive = worlds.network(scans, more={"auxiliaries": facts}, **words).fit(X, y)
    assert product.head_weights_ == {"pfs": 1.0, "findings": 1.0, "numbers": 1.0}
    assert not worlds.same_weights(product, additive)
    with pytest.raises(SchemaError, match="legacy_product"):
        worlds.network(scans, more={"form": "legacy_product"}).fit(X, y)


def test_a_reconstruction_is_part_of_the_loss():
    scans, y, _ = worlds.cohort(12, size=16)
    model = worlds.network(scans, "autoencoder_only", validation_share=0.0).fit(scans.table(), y)
    assert set(model.head_weights_) == {"survival", "reconstruction"}


def test_nobody_scored_later_has_a_say():
    scans, y, score = worlds.cohort(40)
    facts = auxiliaries(scans, y, score)
    X, later = scans.table().iloc[:30], np.arange(30, 40)
    other_facts = facts.copy()
    other_facts.iloc[later] = 9.0 - 7.0 * other_facts.iloc[later]
    other_facts.loc[other_facts.index[later], "pfs_event"] = 1.0
    first = worlds.network(scans, "efficientnet_b1", epochs=2, more={"auxiliaries": facts})
    second = worlds.network(
        worlds.altered(scans, later), "efficientnet_b1", epochs=2, more={"auxiliaries": other_facts}
    )
    first.fit(X, y[:30])
    assert worlds.same_weights(first, second.fit(X, y[:30]))
    np.testing.assert_array_equal(first.baseline_.cumulative[0], second.baseline_.cumulative[0])


def test_cross_validation_scores_each_by_a_network_that_never_met_them():
    scans, y, _ = worlds.cohort(40)

    def scores(scans, time):
        index = pd.Index(scans.patient_ids, name="patient_id")
        outcome = SurvivalOutcome(
            "OS", pd.Series(time, index=index), pd.Series(y["event"], index=index)
        )
        found = cross_validate_survival(
            worlds.network(scans, epochs=2),
            scans.table(),
            outcome,
            splitter=PatientKFold(2, random_state=0),
            name="network",
        )
        return found.predictions.set_index("patient_id")

    before = scores(scans, y["time"])
    who = before.index[before["fold"] == 0][0]
    place = scans.patient_ids.index(who)
    moved = y["time"].copy()
    moved[place] = 40.0
    after = scores(worlds.altered(scans, [place]), moved)
    assert (before["fold"] == after["fold"]).all()
    unchanged = before["score"] == after["score"]
    same_fold = (before["fold"] == 0) & (before.index != who)
    assert unchanged[same_fold].all()
    assert not unchanged[before["fold"] == 1].any()


def test_goes_on_after_a_kill_bit_by_bit(tmp_path, monkeypatch):
    scans, y, _ = worlds.cohort(30)
    X = scans.table()
    whole = worlds.network(scans, epochs=5).fit(X, y)
    model = worlds.network(scans, epochs=5, more={"checkpoint_folder": tmp_path})
    real, calls = survival_network.concordance_batch, []

    def killed(*given):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(survival_network, "concordance_batch", killed)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    resumed = clone(model).fit(X, y)
    assert len(calls) == 3 + 3
    assert worlds.same_weights(whole, resumed)
    pd.testing.assert_frame_equal(whole.history_, resumed.history_, check_exact=True)
    again = clone(model).fit(X, y)
    assert len(calls) == 6
    assert worlds.same_weights(whole, again)


def test_each_fold_and_recipe_has_a_folder(tmp_path):
    scans, y, _ = worlds.cohort(30)
    X = scans.table()
    more = {"checkpoint_folder": tmp_path}
    worlds.network(scans, more=more).fit(X, y)
    worlds.network(scans, more=more).fit(X.iloc[:25], y[:25])
    moved = y.copy()
    moved["time"][0] += 1
    worlds.network(scans, more=more).fit(X, moved)
    worlds.network(scans, more=more, batch_size=8).fit(X, y)
    folders = list(tmp_path.iterdir())
    assert len(folders) == 4
    assert all((folder / "events.jsonl").is_file() for folder in folders)


def test_other_columns_are_ignored_and_the_row_is_found_by_name():
    scans, y, _ = worlds.cohort(20)
    X = scans.table()
    wide = pd.DataFrame({"clinical|age": np.nan, "ct|row": X["row"]})
    alone = worlds.network(scans).fit(X, y)
    among = worlds.network(scans).fit(wide, y)
    assert worlds.same_weights(alone, among)
    bare = worlds.network(scans).fit(X.to_numpy(), y)
    np.testing.assert_array_equal(bare.predict(X.to_numpy()), alone.predict(X))


def test_a_patient_drawn_twice_is_in_one_part():
    scans, y, _ = worlds.cohort(30)
    drawn = np.random.default_rng(0).integers(30, size=30)
    X = scans.table().iloc[drawn]
    model = worlds.network(scans).fit(X, y[drawn])
    assert len(model.validation_patients_) == round(0.25 * len(np.unique(drawn)))
    wrong = y[drawn].copy()
    wrong["time"][np.flatnonzero(drawn == drawn[0])[0]] += 1
    twice = np.concatenate([drawn, drawn[:1]])
    with pytest.raises(AlignmentError, match="stand more than once"):
        worlds.network(scans).fit(scans.table().iloc[twice], np.append(wrong, y[drawn[:1]]))


def test_no_batch_leaves_a_patient_alone_with_batch_normalisation():
    scans, y, _ = worlds.cohort(9, size=4)
    model = worlds.network(
        scans, "efficientnet_b1", batch_size=2, micro_batch=2, validation_share=0.0
    )
    assert model.fit(scans.table(), y).network_.needs_two_to_train


def changed(y, **fields):
    made = y.copy()
    for name, value in fields.items():
        made[name] = value
    return made


def last_ones(y, events):
    """Events after the end of all other follow-up: whom they outlived is not known."""
    made = changed(y, event=False, time=1.0)
    made["event"][:events], made["time"][:events] = True, 9.0
    return made


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda X, y: (X + 25, y), AlignmentError, "row numbers of 20 scans"),
        (lambda X, y: (X * np.nan, y), AlignmentError, "neither scaled nor imputed"),
        (lambda X, y: (X.rename(columns={"row": "place"}), y), SchemaError, "column 'row'"),
        (lambda X, y: (X.assign(**{"@site": 1.0}), y), SchemaError, "row fact"),
        (lambda X, y: (X, changed(y, event=False)), OutcomeError, "event"),
        (lambda X, y: (X, changed(y, time=-1.0)), OutcomeError, "negative|0 or more|times"),
        (lambda X, y: (X, y["time"]), OutcomeError, "survival target"),
        (lambda X, y: (X.iloc[:-1], y), ValueError, "inconsistent"),
        (lambda X, y: (X, last_ones(y, 8)), OutcomeError, "comparable pair among 5"),
        (lambda X, y: (X, last_ones(y, 1)), DataError, "training and the validation part"),
    ],
)
def test_refuses_what_cannot_be_learnt_from(change, error, words):
    scans, y, _ = worlds.cohort(20)
    y["event"][:2] = True, False
    with pytest.raises(error, match=words):
        worlds.network(scans).fit(*change(scans.table(), y))


def test_refuses_settings_that_do_not_fit():
    scans, y, _ = worlds.cohort(12)
    X = scans.table()
    for model, error, words in (
        (worlds.network(scans, more={"form": "product"}), UnknownNameError, "form"),
        (SurvivalNetwork(scans, "alexnet"), UnknownNameError, "network"),
        (
            SurvivalNetwork(scans, "vit", network_settings=tiny_settings("resnet50")),
            SchemaError,
            "VisionTransformerSettings|vit",
        ),
        (SurvivalNetwork(scans, "vit", network_settings={"wdth": 3}), UnknownNameError, "width"),
        (SurvivalNetwork(scans, "efficientnet_b1"), GeometryError, "32 or more"),
    ):
        with pytest.raises(error, match=words):
            model.fit(X, y)
