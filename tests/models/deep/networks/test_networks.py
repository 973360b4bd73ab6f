"""What every network must do: shapes, gradients, patients apart, over-fitting, refusals."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from radiogenomics.core.errors import DataError, GeometryError, SchemaError, UnknownNameError
from radiogenomics.models.deep.networks import (
    NETWORKS,
    Heads,
    Network,
    build_network,
    network_settings,
    tiny_settings,
)

HEADS = {"os": 1, "pfs": 1, "clinical": 9}
# Tiny networks still halve: what each can read, no two axes alike where it can.
SHAPES = {
    "efficientnet_b1": (8, 10, 12),
    "residual_autoencoder": (8, 12, 16),
    "multi_plane_transformer": (6, 8, 10),
    "resnet50": (32, 33, 36),
    "densenet121": (16, 18, 20),
    "vit": (4, 8, 12),
    "swin_unetr": (32, 34, 36),
    "autoencoder_only": (8, 12, 16),
}
WORDS = tuple(SHAPES)
DECODERS = ("residual_autoencoder", "autoencoder_only")


def tiny(word: str, *, seed: int = 0, channels: int = 3) -> Network:
    torch.manual_seed(seed)
    return build_network(
        word, channels=channels, shape=SHAPES[word], heads=HEADS, settings=tiny_settings(word)
    )


def scans(word: str, n: int, *, seed: int = 7) -> Tensor:
    """Smooth volumes, alike in their three phases, that differ between patients."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(n, 1, 2, 2, 2, generator=generator)
    shared = interpolate(coarse, SHAPES[word], mode="trilinear")
    return shared + 0.1 * torch.randn(n, 3, *SHAPES[word], generator=generator)


def cox_loss(risk: Tensor) -> Tensor:
    """Negative log partial likelihood per event, all died, in the order of the rows."""
    at_risk = torch.logcumsumexp(risk.flip(0), dim=0).flip(0)
    return (at_risk - risk).mean()


def cancelled(word: str, name: str) -> bool:
    """Say whether a later normalisation takes away what this bias adds."""
    if word == "efficientnet_b1":
        # Between blocks only a 1 × 1 × 1 convolution stands before the next normalisation.
        return name.endswith("_bn2.bias")
    joins = (".residual.bias", "decode_1.resunit.conv.unit0.conv.bias")
    return (
        name.startswith("autoencoder.")
        and name.endswith("conv.bias")
        and not any(name.endswith(end) for end in joins)
    )


def test_every_word_has_a_network_that_bears_it() -> None:
    assert set(NETWORKS) == set(WORDS)
    assert all(network.word == word for word, network in NETWORKS.items())


@pytest.mark.parametrize("word", WORDS)
def test_heads_say_what_was_asked_and_decoders_draw_one_channel(word: str) -> None:
    network = tiny(word).eval()
    with torch.no_grad():
        said = network(scans(word, 2))
    assert {name: tuple(out.shape) for name, out in said.outputs.items()} == {
        "os": (2, 1),
        "pfs": (2, 1),
        "clinical": (2, 9),
    }
    assert said.embedding.shape == (2, network.heads.width)
    if word in DECODERS:
        assert said.reconstruction.shape == (2, 1, *SHAPES[word])
    else:
        assert said.reconstruction is None


@pytest.mark.parametrize("word", WORDS)
def test_gradient_reaches_every_parameter(word: str) -> None:
    network = tiny(word).train()
    for module in network.modules():
        # A block that some patients skip does not add the same to all.
        if hasattr(module, "drop_connect_rate"):
            module.drop_connect_rate = 0.0
    x = scans(word, 3)
    said = network(x)
    loss = sum((out * torch.randn_like(out)).sum() for out in said.outputs.values())
    if said.reconstruction is not None:
        loss = loss + (said.reconstruction - x).square().mean()
    loss.backward()
    sizes = {
        name: 0.0 if p.grad is None else float(p.grad.abs().max())
        for name, p in network.named_parameters()
    }
    assert not [name for name, p in network.named_parameters() if p.grad is None]
    assert not [name for name, s in sizes.items() if not cancelled(word, name) and s < 1e-6]
    largest = max(sizes.values())
    assert not [name for name, s in sizes.items() if cancelled(word, name) and s > 1e-4 * largest]


@pytest.mark.parametrize("word", WORDS)
def test_in_eval_mode_a_patient_is_read_alone_and_always_alike(word: str) -> None:
    network = tiny(word)
    x = scans(word, 3)
    network.train()
    with torch.no_grad():
        # Leaves running averages behind that are no longer those of the start.
        network(x)
        network.eval()
        both, again = network(x[:2]), network(x[:2])
        alone = [network(x[[row]]) for row in (0, 1)]
    assert torch.equal(both.embedding, again.embedding)
    for name, out in both.outputs.items():
        each = torch.cat([said.outputs[name] for said in alone])
        torch.testing.assert_close(out, each, rtol=1e-5, atol=1e-6)
    if both.reconstruction is not None:
        each = torch.cat([said.reconstruction for said in alone])
        torch.testing.assert_close(both.reconstruction, each, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("word", "steps"),
    [
        ("efficientnet_b1", 30),
        ("residual_autoencoder", 30),
        ("multi_plane_transformer", 70),
        ("resnet50", 25),
        ("densenet121", 35),
        ("vit", 50),
        ("swin_unetr", 20),
    ],
)
def test_eight_patients_are_learnt_by_heart(word: str, steps: int) -> None:
    network = tiny(word, seed=1).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    x = scans(word, 8)
    losses = []
    for _ in range(steps):
        loss = cox_loss(network(x).outputs["os"][:, 0])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    # Equal risks give log(8!) / 8 = 1.33.
    assert losses[0] > 1.0
    assert losses[-1] < losses[0] / 3


@pytest.mark.parametrize("word", DECODERS)
def test_decoders_learn_to_draw_eight_patients(word: str) -> None:
    network = tiny(word, seed=1).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    x = scans(word, 8)
    losses = []
    for _ in range(40):
        loss = (network(x).reconstruction - x).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


@pytest.mark.parametrize("word", WORDS)
def test_last_feature_map_is_where_the_network_says(word: str) -> None:
    network = tiny(word).eval()
    if network.cam_layer is None:
        assert word == "vit"
        return
    seen: list[Tensor] = []
    layer = network.get_submodule(network.cam_layer)
    layer.register_forward_hook(lambda module, taken, given: seen.append(given))
    risk = network(scans(word, 2)).outputs["os"].sum()
    (feature_map,) = seen
    assert feature_map.ndim == 5
    (gradient,) = torch.autograd.grad(risk, feature_map)
    assert gradient.abs().max() > 0


@pytest.mark.parametrize("word", WORDS)
def test_half_precision_says_nearly_the_same(word: str) -> None:
    network = tiny(word).eval()
    x = scans(word, 2)
    with torch.no_grad():
        full = network(x).embedding
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = network(x).embedding.float()
    # bfloat16 keeps 8 bits; errors add up over the layers.
    assert (half - full).norm() < 0.1 * full.norm()


@pytest.mark.parametrize("word", WORDS)
def test_settings_survive_a_card_and_weights_fit_their_twin(word: str) -> None:
    settings = tiny_settings(word)
    read = network_settings(word, json.loads(json.dumps(asdict(settings))))
    assert read == settings
    network = tiny(word, seed=2).eval()
    twin = build_network(word, channels=3, shape=SHAPES[word], heads=HEADS, settings=read).eval()
    twin.load_state_dict(network.state_dict())
    x = scans(word, 1)
    with torch.no_grad():
        assert torch.equal(network(x).embedding, twin(x).embedding)


@pytest.mark.parametrize("word", WORDS)
def test_a_seed_makes_the_weights(word: str) -> None:
    one, same, other = tiny(word, seed=3), tiny(word, seed=3), tiny(word, seed=4)
    weights = [nn.utils.parameters_to_vector(network.parameters()) for network in (one, same)]
    assert torch.equal(*weights)
    assert not torch.equal(weights[0], nn.utils.parameters_to_vector(other.parameters()))


@pytest.mark.parametrize("word", WORDS)
def test_other_scans_are_refused(word: str) -> None:
    network = tiny(word).eval()
    x = scans(word, 2)
    with pytest.raises(SchemaError, match="expected scans of 3 channels; found 2"):
        network(x[:, :2])
    with pytest.raises(GeometryError, match="Crop and resample"):
        network(x[..., :-1])
    with pytest.raises(GeometryError, match="expected scans"):
        network(x[0])
    with pytest.raises(DataError, match="expected 1 or more patients in a batch; found 0"):
        network(x[:0])


@pytest.mark.parametrize("word", WORDS)
def test_volumes_too_small_are_refused_when_built(word: str) -> None:
    with pytest.raises(GeometryError, match=r"voxels.* in each axis.*found \(2, 2, 2\)"):
        build_network(word, channels=3, shape=(2, 2, 2), heads=HEADS, settings=tiny_settings(word))


@pytest.mark.parametrize(
    ("word", "shape"),
    [("resnet50", (32, 32, 32)), ("densenet121", (8, 8, 8)), ("efficientnet_b1", (4, 4, 4)),
     ("residual_autoencoder", (8, 8, 8))],
)  # fmt: skip
def test_one_patient_whose_last_map_is_one_voxel_is_not_trained_on(
    word: str, shape: tuple[int, int, int]
) -> None:
    network = build_network(
        word, channels=1, shape=shape, heads=HEADS, settings=tiny_settings(word)
    )
    with pytest.raises(DataError, match="expected 2 or more patients in a batch; found 1"):
        network.train()(torch.randn(1, 1, *shape))
    assert torch.isfinite(network.train()(torch.randn(2, 1, *shape)).embedding).all()
    assert torch.isfinite(network.eval()(torch.randn(1, 1, *shape)).embedding).all()


def test_unknown_words_and_settings_are_refused() -> None:
    asked = {"channels": 3, "shape": (16, 16, 16), "heads": HEADS}
    with pytest.raises(UnknownNameError, match="did you mean 'resnet50'"):
        build_network("resnet_50", **asked)
    with pytest.raises(SchemaError, match="expected ResNetSettings .* found DenseNetSettings"):
        build_network("resnet50", settings=tiny_settings("densenet121"), **asked)
    with pytest.raises(UnknownNameError, match="setting of the network vit 'patches'"):
        network_settings("vit", {"patches": 8})
    with pytest.raises(UnknownNameError, match="unknown network 'vit3'"):
        tiny_settings("vit3")


def test_scans_without_channels_or_axes_are_refused() -> None:
    with pytest.raises(SchemaError, match="1 or more channels; found 0"):
        build_network("vit", channels=0, shape=(16, 16, 16), heads=HEADS)
    with pytest.raises(GeometryError, match=r"three numbers \(z, y, x\); found \(16, 16\)"):
        build_network("vit", channels=1, shape=(16, 16), heads=HEADS)


@pytest.mark.parametrize("heads", [{}, {"os": 0}, {"": 1}])
def test_heads_that_say_nothing_are_refused(heads: dict[str, int]) -> None:
    with pytest.raises(SchemaError, match="expected named heads"):
        Heads(4, heads)


def test_heads_may_bear_names_that_torch_uses_itself() -> None:
    said = Heads(4, {"type": 1, "forward": 2, "a.b": 3})(torch.zeros(5, 4))
    assert {name: tuple(out.shape) for name, out in said.items()} == {
        "type": (5, 1),
        "forward": (5, 2),
        "a.b": (5, 3),
    }


@pytest.mark.parametrize("word", WORDS)
def test_settings_out_of_range_are_refused(word: str) -> None:
    settings = tiny_settings(word)
    for name, value in asdict(settings).items():
        if isinstance(value, tuple):
            with pytest.raises(SchemaError, match="expected"):
                replace(settings, **{name: ()})
        elif isinstance(value, int) and not isinstance(value, bool):
            with pytest.raises(SchemaError, match="expected sizes of 1 or more"):
                replace(settings, **{name: 0})
        elif "drop" in name:
            with pytest.raises(SchemaError, match="dropout from 0 to below 1"):
                replace(settings, **{name: 1.0})
