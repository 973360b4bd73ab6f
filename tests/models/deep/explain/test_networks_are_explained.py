"""Each network of the toolkit can be explained, by its own layer or its attention."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from radiogenomics.core.errors import DataError
from radiogenomics.models.deep.explain import (
    Target,
    attention_rollout,
    attention_weights,
    grad_cam,
    patches_to_voxels,
    planes_to_voxels,
)
from radiogenomics.models.deep.networks import NETWORKS, build_network, tiny_settings

SHAPE = (32, 32, 32)


def network_of(word: str) -> torch.nn.Module:
    torch.manual_seed(0)
    heads = {"os": 1, "sex": 1}
    return build_network(word, channels=2, shape=SHAPE, heads=heads, settings=tiny_settings(word))


@pytest.mark.filterwarnings("ignore:the heat maps of")
@pytest.mark.parametrize("word", [word for word, kind in NETWORKS.items() if kind.cam_layer])
def test_grad_cam_reads_the_layer_that_a_network_names(word: str) -> None:
    found = grad_cam(network_of(word), torch.rand(1, 2, *SHAPE), target=Target("os"))
    assert found.shape == (1, *SHAPE) and np.isfinite(found).all() and 0 <= found.min()


def test_tokens_of_three_planes_go_back_to_their_voxels() -> None:
    network = network_of("multi_plane_transformer")
    rolled = attention_rollout(attention_weights(network, torch.rand(2, 2, *SHAPE)))
    assert rolled.shape == (2, network.tokens, network.tokens)
    found = planes_to_voxels(rolled[:, 0], network.token_places(), shape=SHAPE, scale="raw")
    axial = rolled[:, 0, network.token_places()["axial"]]
    # What is left when two planes are averaged out is the third, but for a constant.
    along = 3 * (found - found.mean(axis=1, keepdims=True)).mean(axis=(2, 3))
    assert along == pytest.approx(axial - axial.mean(axis=1, keepdims=True), abs=1e-6)


def test_patches_of_a_vision_transformer_go_back_to_their_voxels() -> None:
    network = network_of("vit")
    rolled = attention_rollout(attention_weights(network, torch.rand(1, 2, *SHAPE)))
    cells = tuple(length // network.settings.patch for length in SHAPE)
    found = patches_to_voxels(rolled[:, 0], grid=cells, shape=SHAPE, first=1)
    assert found.shape == (1, *SHAPE) and (found.min(), found.max()) == (0, 1)
    with pytest.raises(DataError, match="says it has none"):
        grad_cam(network, torch.rand(1, 2, *SHAPE), target=Target("os"))
