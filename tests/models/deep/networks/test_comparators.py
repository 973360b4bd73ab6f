"""ResNet50 and DenseNet121 in three dimensions against counts by hand."""

from __future__ import annotations

import pytest
import torch

from radiogenomics.core.errors import GeometryError, SchemaError
from radiogenomics.models.deep.networks.comparators import DenseNet121, ResNet50, ResNetSettings

HEADS = {"os": 1, "pfs": 1, "age": 1, "clinical": 9}


def weights(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_resnet50_has_the_weights_counted_by_hand() -> None:
    expected, taken = 3 * 64 * 343 + 2 * 64, 64
    for inner, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        outer = 4 * inner
        # Each stage's first block brings its input to the outer width.
        expected += taken * outer + 2 * outer
        for _ in range(blocks):
            expected += taken * inner + 27 * inner * inner + inner * outer
            expected += 2 * inner + 2 * inner + 2 * outer
            taken = outer
    with torch.device("meta"):
        network = ResNet50(channels=3, shape=(128, 128, 128), heads=HEADS).eval()
        said = network(torch.zeros(1, 3, 128, 128, 128))
    assert said.embedding.shape == (1, 2048)
    assert weights(network) == expected + (2048 + 1) * 12


def test_densenet121_has_the_weights_counted_by_hand() -> None:
    expected, features = 3 * 64 * 343 + 2 * 64, 64
    for block, layers in enumerate((6, 12, 24, 16)):
        for _ in range(layers):
            expected += 2 * features + features * 128 + 2 * 128 + 128 * 32 * 27
            features += 32
        if block < 3:
            expected += 2 * features + features * (features // 2)
            features //= 2
    expected += 2 * features
    with torch.device("meta"):
        network = DenseNet121(channels=3, shape=(128, 128, 128), heads=HEADS).eval()
        said = network(torch.zeros(1, 3, 128, 128, 128))
    assert features == 1024
    assert said.embedding.shape == (1, 1024)
    assert weights(network) == expected + (1024 + 1) * 12


@pytest.mark.parametrize("network", [ResNet50, DenseNet121])
def test_both_divide_every_axis_by_32(network: type[ResNet50] | type[DenseNet121]) -> None:
    maps = []
    with torch.device("meta"):
        built = network(channels=1, shape=(32, 64, 96), heads={"os": 1}).eval()
        built.get_submodule(built.cam_layer).register_forward_hook(
            lambda module, taken, given: maps.append(tuple(given.shape[2:]))
        )
        built(torch.zeros(1, 1, 32, 64, 96))
        with pytest.raises(GeometryError, match="expected 32 or more voxels in each axis"):
            network(channels=1, shape=(31, 64, 96), heads={"os": 1})
    assert maps == [(1, 2, 3)]


def test_a_resnet_of_other_than_four_stages_is_refused() -> None:
    with pytest.raises(SchemaError, match="expected settings of 4 stages; found 3 numbers"):
        ResNetSettings(blocks=(1, 1, 1))
