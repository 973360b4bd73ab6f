from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from radiogenomics.core.errors import (
    ChecksumError,
    DataError,
    GeometryError,
    MissingFileError,
    SchemaError,
    UnknownNameError,
)
from radiogenomics.core.weight_file import read_card, write_weights
from radiogenomics.imaging.deep.encoder import Encoder, load_encoder
from radiogenomics.imaging.deep.presets import EncoderSettings

from . import worlds

FLAT = EncoderSettings("resnet18", window=(-100, 250), size=(32, 40), repeat=3)
DEEP = EncoderSettings("resnet18", dims=3, view="box", size=(16, 16, 16), normalise="image")


@pytest.fixture
def views(rng) -> np.ndarray:
    return rng.random((3, 1, 1, 32, 40)).astype(np.float32)


@pytest.fixture
def torchvision(tmp_path: Path) -> tuple[Path, worlds.State]:
    state = worlds.random_state(worlds.resnet_shapes(18))
    torch.save(state, tmp_path / "resnet18.pth")
    return tmp_path / "resnet18.pth", state


def test_random_weights_come_from_the_seed_alone(views: np.ndarray):
    before = torch.random.get_rng_state()
    first, again, other = Encoder(FLAT, seed=1), Encoder(FLAT, seed=1), Encoder(FLAT, seed=2)
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.weight_hash == again.weight_hash != other.weight_hash
    np.testing.assert_array_equal(first.features(views), again.features(views))
    assert "random weights, seed 1" in first.origin and first.weight_hash[:12] in first.origin


def test_an_encoder_is_frozen(views: np.ndarray):
    encoder = Encoder(FLAT)
    before = encoder.features(views)
    assert not encoder.backbone.training
    assert not any(p.requires_grad for p in encoder.backbone.parameters())
    encoder.features(5 * views)
    np.testing.assert_array_equal(encoder.features(views), before)
    assert encoder.weight_hash == Encoder(FLAT).weight_hash


def test_features_of_a_patient_do_not_depend_on_company(views: np.ndarray):
    encoder = Encoder(FLAT)
    together = encoder.features(views)
    for batch in (1, 2, 16):
        np.testing.assert_array_equal(encoder.features(views, batch=batch), together)
    np.testing.assert_array_equal(encoder.features(views[1:2])[0], together[1])
    np.testing.assert_array_equal(encoder.features(views[::-1])[::-1], together)
    assert encoder.features(views[:0]).shape == (0, 512)


def test_torchvisions_weights_see_the_colours_of_imagenet(torchvision, views: np.ndarray):
    path, state = torchvision
    encoder = Encoder(FLAT, path)
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    sd = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    x = (torch.from_numpy(views[:, :, 0]).repeat(1, 3, 1, 1) - mean) / sd
    one_by_one = [worlds.resnet(each[None], state) for each in x]
    np.testing.assert_array_equal(encoder.features(views), torch.cat(one_by_one).numpy())
    assert encoder.trained == "torchvision weights resnet18.pth"
    assert encoder.notes == ("left out 2 arrays of the last layer",)


def test_adapted_weights_say_so(torchvision, views: np.ndarray):
    path, _ = torchvision
    grey = replace(FLAT, repeat=1)
    with pytest.raises(SchemaError, match="adapt_channels"):
        Encoder(grey, path)
    encoder = Encoder(grey, path, adapt_channels=True)
    assert "mean over channels" in " ".join(encoder.card()["notes"])
    assert encoder.features(views).shape == (3, 512)


@pytest.mark.parametrize("foreign", [False, True])
def test_saved_encoders_come_back_bit_by_bit(tmp_path, torchvision, views, foreign: bool):
    encoder = Encoder(FLAT, torchvision[0] if foreign else None, seed=5)
    path = encoder.save(tmp_path / "mine" / "encoder.safetensors")
    card = read_card(path)
    assert (card["kind"], card["architecture"]) == ("encoder", "resnet18")
    for back in (load_encoder(path), Encoder(FLAT, path)):
        assert back.settings == FLAT
        assert back.weight_hash == encoder.weight_hash
        assert (back.trained, back.notes) == (encoder.trained, encoder.notes)
        np.testing.assert_array_equal(back.features(views), encoder.features(views))


def test_conventions_come_back_with_the_weights(tmp_path: Path, rng):
    shapes = worlds.resnet_shapes(18, dims=3, channels=1, shortcuts=False, head=False)
    state = {f"module.{k}": v for k, v in worlds.random_state(shapes).items()}
    torch.save(state, tmp_path / "resnet_18.pth")
    encoder = Encoder(DEEP, tmp_path / "resnet_18.pth")
    assert encoder.backbone.convention == "medicalnet"
    back = load_encoder(encoder.save(tmp_path / "own.safetensors"))
    x = rng.normal(size=(1, 1, 16, 16, 16)).astype(np.float32)
    np.testing.assert_array_equal(back.features(x), encoder.features(x))


def test_weights_of_something_else_are_refused(tmp_path: Path):
    path = Encoder(FLAT).save(tmp_path / "encoder.safetensors")
    with pytest.raises(SchemaError, match="encoder resnet34; found those of encoder resnet18"):
        Encoder(replace(FLAT, backbone="resnet34"), path)
    with pytest.raises(SchemaError, match="missing|of another shape"):
        Encoder(DEEP, path)
    arrays = {"a": np.zeros(3, np.float32)}
    with pytest.raises(SchemaError, match="found those of network efficientnet_b1"):
        card = {"kind": "network", "architecture": "efficientnet_b1"}
        Encoder(FLAT, write_weights(tmp_path / "network.safetensors", arrays, card))
    with pytest.raises(SchemaError, match="a card with the settings"):
        load_encoder(tmp_path / "network.safetensors")
    with pytest.raises(MissingFileError):
        Encoder(FLAT, tmp_path / "nothing.pth")
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(card | {"sha256": "0" * 64}))
    with pytest.raises(ChecksumError):
        Encoder(FLAT, path)


def test_slices_are_read_one_by_one_and_pooled(rng):
    settings = replace(FLAT, view="slices", slices=4, pooling="each")
    x = rng.random((2, 1, 4, 32, 40)).astype(np.float32)
    encoder = Encoder(settings, seed=3)
    each = encoder.instances(x)
    assert each.shape == (2, 4, 512)
    single = Encoder(FLAT, seed=3)
    for z in range(4):
        np.testing.assert_array_equal(each[:, z], single.features(x[:, :, z : z + 1]))
    with pytest.raises(DataError, match="Use instances"):
        encoder.features(x)
    mean = Encoder(replace(settings, pooling="mean"), seed=3).features(x)
    np.testing.assert_array_equal(mean, each.mean(axis=1))


def test_max_pooling_takes_the_strongest_place_of_all_slices(rng):
    settings = replace(FLAT, view="slices", slices=2, pooling="max")
    x = rng.random((1, 1, 2, 32, 40)).astype(np.float32)
    encoder = Encoder(settings, seed=3)
    slices = torch.from_numpy(x[0].swapaxes(0, 1)).repeat(1, 3, 1, 1)
    with torch.inference_mode():
        last = torch.cat([encoder.backbone.feature_map(each[None]) for each in slices])
    np.testing.assert_array_equal(encoder.features(x)[0], last.amax((0, 2, 3)).numpy())


def test_volumes_and_phases_are_read_as_channels(rng):
    settings = replace(DEEP, phases=("arterial", "portal"))
    x = rng.normal(size=(2, 2, 16, 16, 16)).astype(np.float32)
    found = Encoder(settings).features(x)
    assert found.shape == (2, 512) and found.dtype == np.float32
    swapped = Encoder(settings).features(x[:, ::-1])
    assert not np.allclose(found, swapped)


def test_bad_input_is_refused(views: np.ndarray):
    encoder = Encoder(FLAT)
    with pytest.raises(GeometryError, match="1 × 1 × 32 × 40; found 3 × 1 × 1 × 32 × 39"):
        encoder.features(views[..., 1:])
    with pytest.raises(GeometryError, match="expected views"):
        encoder.features(views[:, 0])
    with pytest.raises(DataError, match="batches of at least 1"):
        encoder.features(views, batch=0)
    with pytest.raises(DataError, match="found others in 1 of 3 views"):
        encoder.features(np.where(np.arange(3)[:, None, None, None, None] == 1, np.inf, views))
    with pytest.raises(UnknownNameError, match="gpu"):
        Encoder(FLAT, device="gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_is_taken_only_where_there_is_one(views: np.ndarray):
    with pytest.raises(DataError, match="found none"):
        Encoder(FLAT, device="cuda")
    auto = Encoder(FLAT, device="auto")
    np.testing.assert_array_equal(auto.features(views), Encoder(FLAT).features(views))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_features_of_the_cpu(views: np.ndarray):
    found = Encoder(FLAT, device="cuda").features(views, batch=2)
    np.testing.assert_allclose(found, Encoder(FLAT).features(views), rtol=1e-4, atol=1e-5)
