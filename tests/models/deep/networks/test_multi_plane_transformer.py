"""Network 3 against counts by hand, brute force and torch's own attention."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from radiogenomics.core.errors import GeometryError, SchemaError, UnknownNameError
from radiogenomics.models.deep.networks.multi_plane_transformer import (
    MultiPlaneTransformer,
    MultiPlaneTransformerSettings,
    SelfAttention,
    TransformerLayer,
)

HEADS = {"os": 1, "pfs": 1, "age": 1, "clinical": 9}
PAPER = (128, 128, 128)
# Axis of (z, y, x) along which the slices of a plane lie.
ALONG = {"axial": 0, "coronal": 1, "sagittal": 2}


def layer_weights(width: int, feed_forward: int) -> int:
    """Two normalisations, queries/keys/values, their joint, two linear layers."""
    attention = 3 * width * (width + 1) + width * (width + 1)
    return 4 * width + attention + feed_forward * (width + 1) + width * (feed_forward + 1)


def all_weights(tokens: int, feed_forward: int) -> int:
    convolutions = (3 * 32 * 125 + 2 * 32) + (32 * 32 * 125 + 2 * 32)
    projection = 1536 * (32 + 1) + 768 * (1536 + 1)
    # Class token, three separators, three planes, positions.
    embeddings = (1 + 3 + 3 + tokens) * 768
    heads = 12 * (768 + 1)
    layers = 12 * layer_weights(768, feed_forward)
    return convolutions + projection + embeddings + layers + 2 * 768 + heads


@pytest.mark.parametrize(
    ("settings", "feed_forward"),
    [
        (MultiPlaneTransformerSettings(), 768),
        (MultiPlaneTransformerSettings.released_code(), 3072),
    ],
)
def test_the_papers_size_has_388_tokens_and_the_weights_counted_by_hand(
    settings: MultiPlaneTransformerSettings, feed_forward: int
) -> None:
    with torch.device("meta"):
        network = MultiPlaneTransformer(
            channels=3, shape=PAPER, heads=HEADS, settings=settings
        ).eval()
        x = torch.zeros(2, 3, *PAPER)
        sequence = network.sequence(x)
        said = network(x)
    assert network.tokens == 3 * 128 + 4 == 388
    assert sequence.shape == (2, 388, 768)
    assert said.embedding.shape == (2, 768)
    expected = all_weights(388, feed_forward)
    assert sum(p.numel() for p in network.parameters()) == expected
    assert {m.p for m in network.modules() if isinstance(m, nn.Dropout)} == {0.15}


def test_attention_of_the_papers_size_has_12_layers_of_8_heads() -> None:
    with torch.device("meta"):
        network = MultiPlaneTransformer(channels=3, shape=PAPER, heads=HEADS).eval()
        maps = network.attention_maps(torch.zeros(1, 3, *PAPER))
    assert [tuple(each.shape) for each in maps] == [(1, 8, 388, 388)] * 12


def bare(shape: tuple[int, int, int], slice_product: str) -> MultiPlaneTransformer:
    """Return a network whose tokens are the averages of slices of the scan itself."""
    settings = replace(
        MultiPlaneTransformerSettings.tiny(), filters=2, width=2, slice_product=slice_product
    )
    network = MultiPlaneTransformer(channels=2, shape=shape, heads={"os": 1}, settings=settings)
    network.convolutions = nn.Identity()
    network.project = nn.Identity()
    for learnt in ("class_token", "separators", "plane_embedding", "position_embedding"):
        nn.init.zeros_(getattr(network, learnt))
    return network.eval()


def brute_force(volume: np.ndarray, along: int, slice_product: str) -> np.ndarray:
    """Multiply each slice with every slice of the volume (or with itself), average everything."""
    slices = np.moveaxis(volume, along, 0)
    whole = slice_product == "volume"
    return np.array(
        [np.mean([one * other for other in (slices if whole else [one])]) for one in slices]
    )


@pytest.mark.parametrize("slice_product", ["volume", "itself"])
def test_tokens_are_the_products_of_slices_with_the_volume(
    slice_product: str, rng: np.random.Generator
) -> None:
    shape = (5, 6, 7)
    network = bare(shape, slice_product)
    volume = rng.normal(size=(1, 2, *shape))
    with torch.no_grad():
        tokens = network.double().sequence(torch.as_tensor(volume)).numpy()
    places = network.token_places()
    assert tokens.shape == (1, 5 + 6 + 7 + 4, 2)
    for plane, along in ALONG.items():
        for feature in (0, 1):
            expected = brute_force(volume[0, feature], along, slice_product)
            np.testing.assert_allclose(tokens[0, places[plane], feature], expected, rtol=1e-12)
    rest = np.ones(tokens.shape[1], bool)
    for place in places.values():
        rest[place] = False
    assert rest.nonzero()[0].tolist() == [0, 7, 15, 21]
    assert (tokens[0, rest] == 0).all()


def test_a_slice_is_told_by_its_token_and_a_plane_by_its_embedding() -> None:
    torch.manual_seed(0)
    network = bare((5, 6, 7), "itself")
    x = torch.randn(1, 2, 5, 6, 7)
    changed = x.clone()
    changed[:, :, 3] *= 2.0
    nn.init.constant_(network.plane_embedding[1], 1.0)
    with torch.no_grad():
        before, after = network.sequence(x)[0, :, 0], network.sequence(changed)[0, :, 0]
    places = network.token_places()
    differs = (before - after).abs() > 1e-6
    assert differs[places["axial"]].nonzero().ravel().tolist() == [3]
    # The separator behind the sagittal slices belongs to them; nothing marks the others.
    assert before[places["sagittal"].stop] == 1.0
    assert before[places["coronal"].stop] == 0.0


def test_attention_is_that_of_torch() -> None:
    torch.manual_seed(0)
    ours = SelfAttention(12, heads=3, dropout=0.0, scaling="before_softmax").double()
    theirs = nn.MultiheadAttention(12, 3, batch_first=True).double()
    copy_attention(ours, theirs)
    tokens = torch.randn(2, 7, 12, dtype=torch.float64)
    expected, weights = theirs(tokens, tokens, tokens, average_attn_weights=False)
    torch.testing.assert_close(ours(tokens), expected, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(ours.weights(tokens), weights, rtol=1e-10, atol=1e-12)


def test_a_layer_is_that_of_torch_normalised_first() -> None:
    torch.manual_seed(0)
    ours = TransformerLayer(12, heads=3, feed_forward=20, dropout=0.0).double()
    theirs = nn.TransformerEncoderLayer(
        12, 3, 20, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    copy_attention(ours.attention, theirs.self_attn)
    theirs.linear1.load_state_dict(ours.feed_forward[0].state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward[3].state_dict())
    tokens = torch.randn(2, 7, 12, dtype=torch.float64)
    torch.testing.assert_close(ours(tokens), theirs(tokens), rtol=1e-10, atol=1e-12)


def copy_attention(ours: SelfAttention, theirs: nn.MultiheadAttention) -> None:
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.queries_keys_values.weight)
        theirs.in_proj_bias.copy_(ours.queries_keys_values.bias)
    theirs.out_proj.load_state_dict(ours.join.state_dict())


def test_the_released_code_divides_attention_that_already_sums_to_one() -> None:
    torch.manual_seed(0)
    attention = SelfAttention(12, heads=3, dropout=0.0, scaling="after_softmax").double()
    tokens = torch.randn(2, 7, 12, dtype=torch.float64)
    queries, keys, values = attention.queries_keys_values(tokens).chunk(3, dim=-1)
    mixed = torch.empty_like(tokens)
    for head in range(3):
        own = slice(4 * head, 4 * head + 4)
        energy = queries[..., own] @ keys[..., own].transpose(1, 2)
        mixed[..., own] = torch.softmax(energy, dim=-1) / 12**0.5 @ values[..., own]
    expected = attention.join(mixed)
    torch.testing.assert_close(attention(tokens), expected, rtol=1e-10, atol=1e-12)
    # What each token attends to is still told as shares.
    shares = attention.weights(tokens).sum(-1)
    torch.testing.assert_close(shares, torch.ones_like(shares))


def test_attention_maps_are_those_of_the_forward_pass() -> None:
    torch.manual_seed(0)
    network = MultiPlaneTransformer(
        channels=1,
        shape=(4, 5, 6),
        heads={"os": 1},
        settings=MultiPlaneTransformerSettings.tiny(),
    ).eval()
    x = torch.randn(2, 1, 4, 5, 6)
    with torch.no_grad():
        maps = network.attention_maps(x)
        tokens = network.sequence(x)
        for layer, weights in zip(network.layers, maps, strict=True):
            torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 19))
            _, _, values = layer.attention._split(layer.norm_attention(tokens))
            mixed = (weights @ values).transpose(1, 2).flatten(2)
            tokens = tokens + layer.attention.join(mixed)
            tokens = tokens + layer.feed_forward(layer.norm_feed_forward(tokens))
        embedding = network(x).embedding
    torch.testing.assert_close(network.norm(tokens[:, 0]), embedding, rtol=1e-5, atol=1e-5)


def test_without_batch_normalisation_convolutions_have_a_bias() -> None:
    settings = replace(MultiPlaneTransformerSettings.tiny(), batch_norm=False)
    network = MultiPlaneTransformer(channels=1, shape=(4, 4, 4), heads={"os": 1}, settings=settings)
    kinds = [type(module) for module in network.convolutions]
    assert kinds == [nn.Conv3d, nn.ReLU, nn.Conv3d, nn.ReLU]
    assert network.convolutions[0].bias is not None
    # Then a patient is read alone in training too, dropout apart.
    x = torch.randn(2, 1, 4, 4, 4)
    features: Tensor = network.train().convolutions(x)
    torch.testing.assert_close(features[:1], network.convolutions(x[:1]))


def test_impossible_settings_and_shapes_are_refused() -> None:
    with pytest.raises(SchemaError, match="found kernel 4"):
        MultiPlaneTransformerSettings(kernel=4)
    with pytest.raises(SchemaError, match="width 768, heads 7"):
        MultiPlaneTransformerSettings(attention_heads=7)
    with pytest.raises(UnknownNameError, match="slice product 'self'"):
        MultiPlaneTransformerSettings(slice_product="self")
    with pytest.raises(UnknownNameError, match="attention scaling"):
        MultiPlaneTransformerSettings(attention_scaling="none")
    with torch.device("meta"), pytest.raises(GeometryError, match="expected 5 or more voxels"):
        MultiPlaneTransformer(channels=1, shape=(4, 32, 32), heads=HEADS)
