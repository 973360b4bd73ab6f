"""Network 2 against counts by hand, and what reaches its survival network."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from radiogenomics.core.errors import GeometryError, SchemaError
from radiogenomics.models.deep.networks.autoencoder import (
    AutoencoderSettings,
    ResidualAutoencoder,
    ResidualAutoencoderSettings,
)
from radiogenomics.models.deep.networks.comparators import AutoencoderOnly

FILTERS = (32, 64, 128, 256)
HEADS = {"os": 1, "pfs": 1, "age": 1, "clinical": 9}


def convolution(taken: int, given: int, *, kernel: int = 3) -> int:
    return taken * given * kernel**3 + given


def autoencoder_weights(channels: int) -> int:
    """Two convolutions and a residual one a unit, one PReLU behind each but the residual one."""
    encoder, taken = 0, channels
    for given in FILTERS:
        encoder += convolution(taken, given) + 1 + convolution(given, given) + 1
        encoder += convolution(taken, given)
        taken = given
    bottleneck = 2 * 2 * (convolution(256, 256) + 1)
    decoder = 0
    for given in (128, 64, 32, 1):
        transposed = convolution(taken, given) + 1
        # Nothing follows the very last convolution.
        decoder += transposed + convolution(given, given) + (given > 1)
        taken = given
    return encoder + bottleneck + decoder


def survival_weights() -> int:
    """Convolutions without bias, batch normalisation (two weights a map), one PReLU each."""
    total = 0
    for taken, given, kernel in ((256, 256, 2), (256, 512, 2), (512, 1024, 2), (1024, 1024, 1)):
        total += taken * given * kernel**3 + 2 * given + 1
    return total


def test_at_the_papers_size_maps_and_weights_are_those_counted_by_hand() -> None:
    with torch.device("meta"):
        network = ResidualAutoencoder(channels=3, shape=(128, 128, 128), heads=HEADS).eval()
        x = torch.zeros(2, 3, 128, 128, 128)
        sizes, maps = [], x
        for unit in network.autoencoder.encode:
            maps = unit(maps)
            sizes.append(tuple(maps.shape[1:]))
        maps = network.autoencoder.intermediate(maps)
        sizes.append(tuple(maps.shape[1:]))
        for layer in network.survival:
            maps = layer(maps)
            if isinstance(layer, nn.Conv3d):
                sizes.append(tuple(maps.shape[1:]))
        said = network(x)
    assert [(filters, side) for filters, side, *_ in sizes] == [
        (32, 64),
        (64, 32),
        (128, 16),
        (256, 8),
        (256, 8),
        (256, 4),
        (512, 2),
        (1024, 1),
        (1024, 1),
    ]
    assert said.embedding.shape == (2, 1024)
    assert said.reconstruction.shape == (2, 1, 128, 128, 128)
    expected = autoencoder_weights(3) + survival_weights() + (1024 + 1) * 12
    assert sum(p.numel() for p in network.parameters()) == expected


def test_the_bottleneck_keeps_its_size_and_is_dilated() -> None:
    with torch.device("meta"):
        network = ResidualAutoencoder(channels=1, shape=(64, 64, 64), heads=HEADS)
    dilations = {
        module.dilation
        for module in network.autoencoder.intermediate.modules()
        if isinstance(module, nn.Conv3d)
    }
    assert dilations == {(2, 2, 2)}
    rates = {module.p for module in network.modules() if isinstance(module, nn.Dropout)}
    assert rates == {0.25}


@pytest.mark.parametrize(
    ("shape", "width"),
    [((32, 32, 32), 1024), ((64, 64, 64), 1024), ((32, 64, 128), 1024), ((192, 128, 128), 2048)],
)
def test_the_embedding_follows_the_shape(shape: tuple[int, int, int], width: int) -> None:
    # An axis of 192 has 12, 6, 3 and 2 voxels in the bottleneck and behind three convolutions.
    with torch.device("meta"):
        network = ResidualAutoencoder(channels=1, shape=shape, heads=HEADS).eval()
        assert network(torch.zeros(1, 1, *shape)).embedding.shape == (1, width)


@pytest.mark.parametrize("shape", [(16, 32, 32), (32, 32, 40)])
def test_shapes_that_the_decoder_could_not_mirror_are_refused(
    shape: tuple[int, int, int],
) -> None:
    message = "expected 32 or more voxels and a multiple of 16 in each axis"
    with torch.device("meta"), pytest.raises(GeometryError, match=message):
        ResidualAutoencoder(channels=1, shape=shape, heads=HEADS)


def test_unequal_numbers_of_sizes_are_refused() -> None:
    with pytest.raises(SchemaError, match="a stride for each of 4 channels; found 3"):
        AutoencoderSettings(strides=(2, 2, 2))
    with pytest.raises(SchemaError, match="each of 4 survival_channels; found 1"):
        ResidualAutoencoderSettings(survival_kernels=(2,))


def test_without_supervision_heads_do_not_shape_the_autoencoder() -> None:
    torch.manual_seed(0)
    network = AutoencoderOnly(
        channels=1, shape=(8, 8, 8), heads={"os": 1}, settings=AutoencoderSettings.tiny()
    )
    x = torch.randn(2, 1, 8, 8, 8)
    network.train()(x).outputs["os"].sum().backward()
    taught = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert taught == {"heads"}
    network.zero_grad()
    network.eval()(x).outputs["os"].sum().backward()
    assert network.autoencoder.encode[0].residual.weight.grad.abs().max() > 0


def test_supervision_shapes_encoder_and_bottleneck_but_not_the_decoder() -> None:
    torch.manual_seed(0)
    settings = ResidualAutoencoderSettings.tiny()
    network = ResidualAutoencoder(channels=1, shape=(8, 8, 8), heads={"os": 1}, settings=settings)
    network.train()(torch.randn(3, 1, 8, 8, 8)).outputs["os"].square().sum().backward()
    taught = {
        ".".join(name.split(".")[:2])
        for name, p in network.named_parameters()
        if p.grad is not None and name.startswith("autoencoder")
    }
    assert taught == {"autoencoder.encode", "autoencoder.intermediate"}


def test_the_unsupervised_comparator_has_the_same_autoencoder() -> None:
    with torch.device("meta"):
        network = AutoencoderOnly(channels=3, shape=(128, 128, 128), heads=HEADS)
    expected = autoencoder_weights(3) + (256 + 1) * 12
    assert sum(p.numel() for p in network.parameters()) == expected
