from __future__ import annotations

import os
import pickle
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from radiogenomics.core.errors import (
    ChecksumError,
    MissingExtraError,
    MissingFileError,
    SchemaError,
)
from radiogenomics.core.provenance import hash_file
from radiogenomics.imaging.deep.backbones import build_backbone
from radiogenomics.imaging.deep.foreign_weights import hub_weights, load_weights, read_foreign

from . import worlds


def features(network, x: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return network.eval()(x)


def test_names_written_by_hand_are_torchvisions():
    # Parameters that torchvision publishes for these networks.
    assert worlds.parameters(worlds.resnet_shapes(18)) == 11_689_512
    assert worlds.parameters(worlds.resnet_shapes(50)) == 25_557_032
    assert worlds.parameters(worlds.densenet_shapes()) == 7_978_856
    assert worlds.parameters(worlds.efficientnet_shapes()) == 5_288_548


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_resnet_18_of_torchvision_computes_what_torchvision_computes(tmp_path: Path, suffix: str):
    state = worlds.random_state(worlds.resnet_shapes(18))
    path = tmp_path / f"resnet18{suffix}"
    if suffix == ".pth":
        torch.save(state, path)
    else:
        save_file(state, path)
    network = build_backbone("resnet18", dims=2, channels=3)
    loaded = load_weights(network, read_foreign(path))
    assert (loaded.convention, loaded.notes) == (
        "torchvision",
        ("left out 2 arrays of the last layer",),
    )
    x = torch.randn(2, 3, 65, 50, generator=torch.Generator().manual_seed(1))
    assert torch.equal(features(network, x), worlds.resnet(x, state))


@pytest.mark.parametrize(
    ("word", "shapes", "forward"),
    [
        ("resnet50", worlds.resnet_shapes(50), worlds.resnet),
        ("densenet121", worlds.densenet_shapes(), worlds.densenet),
        ("efficientnet_b0", worlds.efficientnet_shapes(), worlds.efficientnet),
    ],
)
def test_other_networks_of_torchvision_compute_what_it_computes(word, shapes, forward):
    state = worlds.random_state(shapes)
    network = build_backbone(word, dims=2, channels=3)
    assert load_weights(network, state).convention == "torchvision"
    x = torch.randn(1, 3, 67, 70, generator=torch.Generator().manual_seed(1))
    found, expected = features(network, x), forward(x, state)
    assert expected.std() > 1e-3
    torch.testing.assert_close(found, expected, rtol=2e-5, atol=2e-5 * float(expected.abs().max()))


def test_efficientnet_of_torchvision_in_monais_padding_would_be_another_network():
    state = worlds.random_state(worlds.efficientnet_shapes())
    network, other = (build_backbone("efficientnet_b0", dims=2, channels=3) for _ in range(2))
    load_weights(network, state)
    load_weights(other, network.state_dict())
    assert (network.convention, other.convention) == ("torchvision", "monai")
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    theirs, ours = features(network, x), features(other, x)
    assert (theirs - ours).abs().max() > 0.05 * theirs.abs().max()


def test_first_densenets_of_torchvision_write_norm_1():
    shapes = worlds.densenet_shapes()
    state = worlds.random_state(shapes)
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name): tensor
        for name, tensor in state.items()
        if not name.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    networks = [build_backbone("densenet121", dims=2, channels=3) for _ in range(2)]
    for network, tensors in zip(networks, (old, state), strict=True):
        load_weights(network, tensors)
    new, plain = (n.state_dict() for n in networks)
    assert all(torch.equal(new[k], plain[k]) for k in new if "tracked" not in k)


@pytest.mark.parametrize("depth", [18, 50])
def test_medicalnet_computes_what_medicalnet_computes(tmp_path: Path, depth: int):
    shapes = worlds.resnet_shapes(depth, dims=3, channels=1, shortcuts=depth >= 50, head=False)
    state = worlds.random_state(shapes)
    path = tmp_path / f"resnet_{depth}.pth"
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3}, path)
    network = build_backbone(f"resnet{depth}", dims=3, channels=1)
    assert load_weights(network, read_foreign(path)).convention == "medicalnet"
    x = torch.randn(1, 1, 20, 17, 16, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert network.eval().feature_map(x).shape[2:] == (3, 3, 2)  # not halved after stage two
    expected = worlds.resnet(x, state, dilated=True)
    torch.testing.assert_close(
        features(network, x), expected, rtol=1e-5, atol=1e-5 * float(expected.abs().max())
    )
    plain = build_backbone(f"resnet{depth}", dims=3, channels=1)
    assert load_weights(plain, state).convention == "monai"
    assert not torch.allclose(features(plain, x), expected, rtol=1e-2)


def test_weights_of_another_architecture_name_what_does_not_fit():
    network = build_backbone("resnet18", dims=2, channels=3)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    state = worlds.random_state(worlds.resnet_shapes(34))
    with pytest.raises(
        SchemaError, match=r"of resnet18 in 2D .* found 96 unknown \(layer1\.2\.conv1"
    ):
        load_weights(network, state)
    del state["conv1.weight"], state["bn1.bias"]
    with pytest.raises(SchemaError, match=r"2 missing \(conv1\.weight, bn1\.bias\)"):
        load_weights(network, state)
    state = worlds.random_state(worlds.resnet_shapes(18)) | {"bn1.weight": torch.ones(32)}
    with pytest.raises(SchemaError, match=r"1 of another shape \(bn1\.weight 32 for 64\)"):
        load_weights(network, state)
    with pytest.raises(SchemaError, match="missing"):
        load_weights(network, worlds.random_state(worlds.densenet_shapes()))
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())


@pytest.mark.parametrize("channels", [1, 2])
def test_first_convolution_is_adapted_only_when_asked(channels: int):
    state = worlds.random_state(worlds.resnet_shapes(18))
    network = build_backbone("resnet18", dims=2, channels=channels)
    wrong = rf"conv1\.weight 64 × 3 × 7 × 7 for 64 × {channels} × 7 × 7.*adapt_channels"
    with pytest.raises(SchemaError, match=wrong):
        load_weights(network, state)
    loaded = load_weights(network, state, adapt_channels=True)
    assert loaded.notes[-1] == (
        f"first convolution of 3 channels adapted to {channels}: mean over channels"
    )
    grey = torch.randn(2, 1, 48, 48, generator=torch.Generator().manual_seed(1))
    expected = worlds.resnet(grey.repeat(1, 3, 1, 1), state)
    found = features(network, grey.repeat(1, channels, 1, 1))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


class Intruder:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("how", ["pickle", "zip", "old", "module"])
def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, how: str):
    marker, path = tmp_path / "was_run", tmp_path / "weights.pth"
    content = {"conv1.weight": torch.zeros(2), "x": Intruder(marker)}
    if how == "pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))
    elif how == "module":
        torch.save(torch.nn.Linear(2, 2), path)
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "zip")
    with pytest.raises(SchemaError, match=r"weights\.pth: expected a state dict of nothing but"):
        read_foreign(path)
    assert not marker.exists()
    if how == "pickle":
        pickle.loads(path.read_bytes())
        assert marker.exists()  # the trap works where it is not refused


@pytest.mark.parametrize(
    "content", [b"", b"weights", b"\x80\x02}q\x00.", b"PK\x03\x04broken", bytes(range(256)) * 9]
)
@pytest.mark.parametrize("suffix", [".pth", ".pt", ".safetensors"])
def test_damaged_files_are_refused(tmp_path: Path, content: bytes, suffix: str):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(SchemaError, match="weights"):
        read_foreign(path)
    with pytest.raises(MissingFileError, match="none"):
        read_foreign(tmp_path / f"other{suffix}")


def test_a_truncated_file_is_refused(tmp_path: Path):
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(SchemaError, match="It was not run"):
        read_foreign(path)


@pytest.mark.parametrize(
    "content", [[torch.zeros(2)], {}, {"epoch": 3}, {"a": torch.ones(1), "b": 1}]
)
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content):
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    with pytest.raises(SchemaError, match="expected names with tensors"):
        read_foreign(path)


def test_hub_needs_its_package_and_the_right_hash(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match="huggingface_hub"):
        hub_weights("someone/network", "weights.pth", sha256="0" * 64)
    path = tmp_path / "weights.pth"
    path.write_bytes(b"content")
    asked = []

    def fetch(repo_id, filename, revision):
        asked.append((repo_id, filename, revision))
        return str(path)

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(hf_hub_download=fetch))
    with pytest.raises(ChecksumError):
        hub_weights("someone/network", "weights.pth", sha256="0" * 64)
    found = hub_weights("someone/network", "weights.pth", sha256=hash_file(path), revision="abc")
    assert (found, asked[-1]) == (path, ("someone/network", "weights.pth", "abc"))
