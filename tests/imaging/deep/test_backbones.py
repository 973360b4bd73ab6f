from __future__ import annotations

import importlib.util

import pytest
import torch
from torch import nn

from radiogenomics.core.errors import MissingExtraError, SchemaError, UnknownNameError
from radiogenomics.imaging.deep.backbones import (
    BACKBONES,
    Backbone,
    PaddedShortcut,
    build_backbone,
)
from radiogenomics.imaging.deep.presets import BACKBONE_WORDS

HAS_EINOPS = importlib.util.find_spec("einops") is not None
needs_einops = pytest.mark.skipif(not HAS_EINOPS, reason="einops is not installed")

# Parameters that torchvision publishes for 1000 classes, and length of the pooled features.
PUBLISHED_2D = {
    "resnet18": (11_689_512, 512),
    "resnet34": (21_797_672, 512),
    "resnet50": (25_557_032, 2048),
    "resnet101": (44_549_160, 2048),
    "densenet121": (7_978_856, 1024),
    "efficientnet_b0": (5_288_548, 1280),
    "efficientnet_b1": (7_794_184, 1280),
    "efficientnet_b2": (9_109_994, 1408),
    "efficientnet_b3": (12_233_232, 1536),
    "efficientnet_b4": (19_341_616, 1792),
    "efficientnet_b5": (30_389_784, 2048),
    "efficientnet_b6": (43_040_704, 2304),
    "efficientnet_b7": (66_347_960, 2560),
}
# Size in MB of MedicalNet's files on the Hugging Face hub.
MEDICALNET_MB = {"resnet18": 132, "resnet34": 253, "resnet50": 185}


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def on_paper(word: str, *, dims: int, channels: int, shape: tuple[int, ...] | None = None):
    with torch.device("meta"):
        return build_backbone(word, dims=dims, channels=channels, shape=shape)


@pytest.mark.parametrize("word", PUBLISHED_2D)
def test_parameters_are_the_published_ones_without_the_last_layer(word: str):
    published, width = PUBLISHED_2D[word]
    network = on_paper(word, dims=2, channels=3)
    assert network.width == width
    assert parameters(network) == published - 1000 * (width + 1)


def test_resnets_and_efficientnet_b0_have_the_counts_everyone_quotes():
    found = [parameters(on_paper(w, dims=2, channels=3)) for w in ("resnet18", "resnet50")]
    assert found == [11_176_512, 23_508_032]
    assert parameters(on_paper("efficientnet_b0", dims=2, channels=3)) == 4_007_548


@pytest.mark.parametrize("word", MEDICALNET_MB)
def test_volume_resnets_are_as_large_as_medicalnets_files(word: str):
    state = on_paper(word, dims=3, channels=1).state_dict()
    assert round(sum(t.nbytes for t in state.values()) / 1e6) == MEDICALNET_MB[word]


def test_convolutions_of_volumes_count_a_third_axis():
    flat, deep = (on_paper("resnet50", dims=dims, channels=1) for dims in (2, 3))
    more = sum(
        p.numel() // (k := p.shape[-1]) ** 2 * (k**3 - k**2)
        for p in flat.parameters()
        if p.ndim == 4
    )
    assert parameters(deep) == parameters(flat) + more


@needs_einops
def test_transformers_count_as_on_paper():
    norms = 3 * 2 * 768  # the third is of a cross-attention that is not there
    block = 4 * 768**2 + 768 + 2 * 768 * 3072 + 3072 + 768 + norms
    patches = 16**3 * 2 * 768 + 768 + 8 * 768
    vit = build_backbone("vit", dims=3, channels=2, shape=(32, 32, 32))
    assert parameters(vit) == 12 * block + patches + 2 * 768
    swin = 2**3 * 1 * 48 + 48
    for stage, heads in enumerate((3, 6, 12, 24)):
        c = 48 * 2**stage
        swin += 2 * (12 * c**2 + 13 * c + 13**3 * heads) + 16 * c**2 + 16 * c
    assert swin == 8_062_002  # the 8.06 M of its authors
    assert parameters(build_backbone("swin_unetr", dims=3, channels=1)) == swin


@pytest.mark.skipif(HAS_EINOPS, reason="einops is installed")
@pytest.mark.parametrize("word", ["vit", "swin_unetr"])
def test_transformers_name_what_they_lack(word: str):
    with pytest.raises(MissingExtraError, match="einops"):
        build_backbone(word, dims=3, channels=1, shape=(32, 32, 32))


@pytest.mark.parametrize(
    ("word", "dims", "shape", "ends"),
    [
        ("resnet18", 2, (65, 64), (3, 2)),
        ("resnet34", 3, (16, 16, 33), (1, 1, 2)),
        ("densenet121", 2, (64, 33), (2, 1)),
        ("efficientnet_b0", 3, (32, 32, 33), (1, 1, 1)),
        pytest.param("vit", 3, (16, 32, 32), (1, 2, 2), marks=needs_einops),
        pytest.param("swin_unetr", 3, (32, 32, 32), (1, 1, 1), marks=needs_einops),
    ],
)
def test_features_are_the_mean_of_the_last_map(word, dims, shape, ends):
    torch.manual_seed(0)
    network = build_backbone(word, dims=dims, channels=2, shape=shape).eval()
    x = torch.randn(2, 2, *shape)
    with torch.no_grad():
        last, features = network.feature_map(x), network(x)
    assert (network.word, network.dims, network.channels) == (word, dims, 2)
    assert last.shape == (2, network.width, *ends)
    expected = last.mean(dim=tuple(range(2, dims + 2)))
    torch.testing.assert_close(features, expected, rtol=1e-6, atol=1e-7)
    assert features.std() > 0


def test_every_word_has_a_builder_and_another_does_not():
    assert tuple(BACKBONES) == BACKBONE_WORDS
    with pytest.raises(UnknownNameError, match="resnet18"):
        build_backbone("resnet_18", dims=2, channels=1)


@pytest.mark.parametrize(
    ("word", "dims", "channels", "shape", "words"),
    [
        ("vit", 2, 1, (32, 32), "vit in 3 dimensions"),
        ("resnet18", 4, 1, None, "2 or 3 dimensions"),
        ("resnet18", 2, 0, None, "at least 1 channel"),
        ("densenet121", 2, 1, (31, 64), "2 sizes of at least 32 for densenet121; found 31 × 64"),
        ("swin_unetr", 3, 1, (32, 32, 48), "3 multiples of 32 for swin_unetr"),
        ("vit", 3, 1, (8, 16, 16), "multiples of 16"),
        ("resnet18", 3, 1, (32, 32), "3 sizes of at least 1"),
    ],
)
def test_what_no_network_could_read_is_refused(word, dims, channels, shape, words):
    with pytest.raises(SchemaError, match=words):
        build_backbone(word, dims=dims, channels=channels, shape=shape)


def test_gradient_passes_a_shortcut_without_weights():
    x = torch.randn(1, 2, 4, 4, 4, requires_grad=True)
    found = PaddedShortcut(5, 2)(x)
    pooled = nn.functional.avg_pool3d(x, 1, 2)
    torch.testing.assert_close(found[:, :2], pooled)
    assert not found[:, 2:].any()
    found.sum().backward()
    expected = torch.zeros(4, 4, 4)
    expected[::2, ::2, ::2] = 1
    torch.testing.assert_close(x.grad[0, 0], expected)


def test_volume_resnet_has_no_shortcut_that_cuts_the_gradient():
    network = on_paper("resnet18", dims=3, channels=1)
    blocks = [m for m in network.modules() if hasattr(m, "downsample")]
    found = [b.downsample for b in blocks if b.downsample is not None]
    assert [s.channels for s in found] == [128, 256, 512]
    assert all(isinstance(s, PaddedShortcut) for s in found)


@pytest.mark.parametrize(("word", "dims"), [("resnet18", 2), ("densenet121", 3)])
def test_a_convention_that_does_not_exist_is_refused(word: str, dims: int):
    with pytest.raises(SchemaError, match="found medicalnet"):
        on_paper(word, dims=dims, channels=1).follow("medicalnet")


def test_a_convention_is_kept():
    network: Backbone = on_paper("efficientnet_b0", dims=2, channels=1)
    network.follow("torchvision")
    network.follow("torchvision")
    with pytest.raises(SchemaError, match="follows torchvision"):
        network.follow("monai")
