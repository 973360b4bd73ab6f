"""Networks on disk: the same answers when read back, and refusals that name what is other."""

from __future__ import annotations

import json

import numpy as np
import pytest

from radiogenomics.core.errors import ChecksumError, GeometryError, SchemaError
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.core.weight_file import read_card, read_weights, write_weights
from radiogenomics.models.deep.checkpoints import module_arrays
from radiogenomics.models.deep.network_classifier import NetworkClassifier
from radiogenomics.models.deep.networks import build_network, tiny_settings
from radiogenomics.models.deep.starting_weights import load_starting_weights
from radiogenomics.models.deep.survival_network import SurvivalNetwork
from radiogenomics.models.deep.training_settings import Augmentation

from . import network_worlds as worlds


@pytest.fixture(scope="module")
def fitted():
    scans, y, score = worlds.cohort(24)
    more = {"auxiliaries": {"pvtt": (score > 0).astype(float), "age": 50 + 9 * score}}
    model = worlds.network(
        scans, "efficientnet_b1", more=more, augment=Augmentation.everywhere(0.5), batch_size=7
    )
    return scans, model.fit(scans.table(), y)


def test_reads_back_what_it_wrote(fitted, tmp_path):
    scans, model = fitted
    path = model.save(tmp_path / "one.safetensors")
    again = SurvivalNetwork.load(path, scans=scans, network="efficientnet_b1")
    X = scans.table()
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.embedding(X), model.embedding(X))
    assert again.predict_heads(X).equals(model.predict_heads(X))
    times = [0.0, model.last_time_ / 2, model.last_time_]
    np.testing.assert_array_equal(
        again.predict_survival(X, times), model.predict_survival(X, times)
    )
    assert again.training.augment == model.training.augment
    assert (again.best_epoch_, again.form) == (model.best_epoch_, "additive")


def test_the_card_names_nobody(fitted, tmp_path):
    scans, model = fitted
    card = read_card(model.save(tmp_path / "one.safetensors"))
    assert not any(f'"{patient}"' in json.dumps(card) for patient in scans.patient_ids)


def test_risk_alone_is_saved_without_a_baseline(tmp_path):
    scans, y, _ = worlds.cohort(20)
    model = worlds.network(scans).fit_risk(scans.table(), y)
    again = SurvivalNetwork.load(model.save(tmp_path / "r.safetensors"), scans=scans)
    np.testing.assert_array_equal(again.predict(scans.table()), model.predict(scans.table()))
    assert not hasattr(again, "baseline_")


def test_a_classifier_knows_its_classes(tmp_path):
    scans, _, score = worlds.cohort(24)
    label = np.where(score > 0, "yes", "no")
    model = worlds.classifier(scans).fit(scans.table(), label)
    path = model.save(tmp_path / "c.safetensors")
    again = NetworkClassifier.load(path, scans=scans)
    assert (again.predict(scans.table()) == model.predict(scans.table())).all()
    with pytest.raises(SchemaError, match="survival_network.*network_classifier"):
        SurvivalNetwork.load(path, scans=scans)


def test_refuses_another_recipe(fitted, tmp_path):
    scans, model = fitted
    path = model.save(tmp_path / "one.safetensors")
    with pytest.raises(SchemaError, match="expected the network 'vit'; found 'efficientnet_b1'"):
        SurvivalNetwork.load(path, scans=scans, network="vit")
    phase = ScanArrays(scans.values, scans.patient_ids, ("delayed",))
    with pytest.raises(SchemaError, match="phase0, as it learnt from; found delayed"):
        SurvivalNetwork.load(path, scans=phase)
    small = worlds.scans_of(scans.values[:, :, :4])
    with pytest.raises(GeometryError, match=r"\(8, 8, 8\) voxels"):
        SurvivalNetwork.load(path, scans=small)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"architecture": "alexnet"}, "alexnet"),
        ({"settings": {"depth": 3}}, "depth"),
        ({"kind": "checkpoint"}, "found checkpoint"),
        ({"plan": {"main": "survival"}}, "kind"),
        ({"settings": {"stages": [[1, 3, 1, 1, 8]]}}, "expected weights of the architecture"),
        ({"training": {"augment": None, "epoch": 3}}, "epoch"),
    ],
)
def test_refuses_a_card_that_does_not_fit(fitted, tmp_path, change, words):
    scans, model = fitted
    arrays, card = read_weights(model.save(tmp_path / "one.safetensors"))
    path = write_weights(tmp_path / "two.safetensors", arrays, card | change)
    with pytest.raises(SchemaError, match=words):
        SurvivalNetwork.load(path, scans=scans)


def test_refuses_weights_that_were_changed(fitted, tmp_path):
    scans, model = fitted
    path = model.save(tmp_path / "one.safetensors")
    other = worlds.network(scans, random_state=3)
    other.network_ = model.network_
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    with pytest.raises(ChecksumError):
        SurvivalNetwork.load(path, scans=scans)


def built(word="efficientnet_b1", heads=None, channels=1):
    return build_network(
        word,
        channels=channels,
        shape=(8, 8, 8),
        heads=heads or {"survival": 1},
        settings=tiny_settings(word),
    )


def same(module, arrays):
    return [np.array_equal(array, arrays[name]) for name, array in module_arrays(module).items()]


def test_starts_from_a_whole_network_with_its_heads_if_they_are_the_same(fitted, tmp_path):
    _, model = fitted
    path = model.save(tmp_path / "one.safetensors")
    theirs = module_arrays(model.network_)
    alike = built(heads={"survival": 1, "findings": 1, "numbers": 1})
    load_starting_weights(alike, path)
    assert all(same(alike, theirs))
    other = built()
    load_starting_weights(other, path)
    assert all(same(other.backbone, module_arrays(model.network_.backbone)))
    assert not np.array_equal(
        other.heads.layers[0].weight.detach(), theirs["heads.layers.0.weight"]
    )


def test_starts_from_a_backbone(fitted, tmp_path):
    scans, model = fitted
    arrays = module_arrays(model.network_.backbone)
    path = write_weights(tmp_path / "b.safetensors", arrays, {"kind": "encoder"})
    other = worlds.network(scans, "efficientnet_b1", random_state=5, more={"weights": path})
    found = other.set_params(training=worlds.training(learning_rate=1e-12, validation_share=0.0))
    y = worlds.cohort(24)[1]
    found.fit(scans.table(), y)
    for ours, theirs in zip(
        found.network_.backbone.parameters(), model.network_.backbone.parameters(), strict=True
    ):
        np.testing.assert_allclose(ours.detach(), theirs.detach(), atol=1e-9)


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (lambda: built("vit"), "'vit'.*'efficientnet_b1'.*missing"),
        (lambda: built(channels=2), r"_conv_stem.*not \(8, 2, 3, 3, 3\)"),
    ],
)
def test_names_what_does_not_fit(fitted, tmp_path, network, words):
    _, model = fitted
    path = model.save(tmp_path / "one.safetensors")
    with pytest.raises(SchemaError, match=words):
        load_starting_weights(network(), path)
