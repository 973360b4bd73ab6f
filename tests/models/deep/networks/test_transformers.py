"""ViT against counts by hand; the encoder of SwinUNETR against MONAI's own forward pass."""

from __future__ import annotations

import pytest
import torch
from monai.networks.nets import swin_unetr
from torch import Tensor

from radiogenomics.core.errors import GeometryError, SchemaError
from radiogenomics.models.deep.networks.transformers import (
    SwinEncoder,
    SwinSettings,
    VisionTransformer,
    VisionTransformerSettings,
)

HEADS = {"os": 1, "pfs": 1, "age": 1, "clinical": 9}


def weights(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_vit_base_has_512_patches_and_the_weights_counted_by_hand() -> None:
    patches, width, inner = 8**3, 768, 3072
    layer = 4 * width + 4 * width * (width + 1) + inner * (width + 1) + width * (inner + 1)
    embeddings = (1 + 1 + patches) * width + width * (3 * 16**3 + 1)
    expected = embeddings + 12 * layer + 2 * width + (width + 1) * 12
    with torch.device("meta"):
        network = VisionTransformer(channels=3, shape=(128, 128, 128), heads=HEADS).eval()
        x = torch.zeros(1, 3, 128, 128, 128)
        assert network.sequence(x).shape == (1, patches + 1, width)
        assert network.attention_maps(x)[11].shape == (1, 12, 513, 513)
    assert network.token_grid == (8, 8, 8)
    assert weights(network) == expected


def test_patches_stand_in_the_order_of_the_grid_x_fastest() -> None:
    torch.manual_seed(0)
    network = VisionTransformer(
        channels=1, shape=(4, 8, 12), heads={"os": 1}, settings=VisionTransformerSettings.tiny()
    ).eval()
    x = torch.randn(1, 1, 4, 8, 12)
    changed = x.clone()
    changed[..., 4:, 8:] += 1.0
    with torch.no_grad():
        differs = (network.sequence(x) - network.sequence(changed)).abs().amax((0, 2)) > 1e-6
    # Grid 1 × 2 × 3 behind the class token; y = 1, x = 2.
    assert differs.nonzero().ravel().tolist() == [1 + 1 * 3 + 2]


def test_vit_attention_sums_to_one() -> None:
    torch.manual_seed(0)
    network = VisionTransformer(
        channels=1, shape=(8, 8, 8), heads={"os": 1}, settings=VisionTransformerSettings.tiny()
    ).eval()
    for weights_of_layer in network.attention_maps(torch.randn(2, 1, 8, 8, 8)):
        torch.testing.assert_close(weights_of_layer.sum(-1), torch.ones(2, 2, 9))


def swin_weights(features: int, heads: tuple[int, ...], window: int) -> int:
    """Two blocks a stage, then eight neighbours joined into twice the width."""
    total = features * (3 * 2**3 + 1)
    for stage, of_stage in enumerate(heads):
        d = features * 2**stage
        bias_table = (2 * window - 1) ** 3 * of_stage
        block = 4 * d + 3 * d * (d + 1) + d * (d + 1) + bias_table + 8 * d * d + 5 * d
        total += 2 * block + 2 * 8 * d + 8 * d * 2 * d
    return total


def test_the_swin_encoder_has_the_weights_counted_by_hand() -> None:
    network = SwinEncoder(channels=3, shape=(128, 128, 128), heads=HEADS)
    assert network.heads.width == 768
    assert weights(network) == swin_weights(48, (3, 6, 12, 24), 7) + (768 + 1) * 12


def turn(x: Tensor, pattern: str) -> Tensor:
    """Do what einops does for patterns that only turn axes."""
    before, after = (side.split() for side in pattern.split("->"))
    return x.permute([before.index(axis) for axis in after])


@pytest.mark.parametrize("shape", [(32, 32, 32), (34, 40, 50)])
def test_the_swin_encoder_gives_the_last_map_of_monai(
    shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swin_unetr, "rearrange", turn)
    torch.manual_seed(0)
    settings = SwinSettings.tiny()
    ours = SwinEncoder(channels=2, shape=shape, heads={"os": 1}, settings=settings).eval()
    theirs = swin_unetr.SwinTransformer(
        in_chans=2,
        embed_dim=settings.features,
        window_size=(settings.window,) * 3,
        patch_size=(2, 2, 2),
        depths=settings.blocks,
        num_heads=settings.attention_heads,
    ).eval()
    renamed = {}
    for name, value in ours.state_dict().items():
        part, number, rest = name.split(".", 2)
        if part == "stages":
            renamed[f"layers{int(number) + 1}.0.{rest}"] = value
        elif part == "patches":
            renamed[f"patch_embed.{rest}"] = value
    theirs.load_state_dict(renamed)
    x = torch.randn(2, 2, *shape)
    with torch.no_grad():
        last = theirs(x)[-1]
        embedding = ours(x).embedding
    torch.testing.assert_close(embedding, last.mean(dim=(2, 3, 4)), rtol=1e-5, atol=1e-6)


def test_impossible_settings_and_shapes_are_refused() -> None:
    with pytest.raises(SchemaError, match="found 768 and 7"):
        VisionTransformerSettings(attention_heads=7)
    with pytest.raises(SchemaError, match="expected settings of 4 stages; found 3"):
        SwinSettings(blocks=(2, 2, 2))
    with pytest.raises(SchemaError, match="found 48 and 5"):
        SwinSettings(attention_heads=(5, 6, 12, 24))
    with pytest.raises(GeometryError, match="multiple of 16 in each axis"):
        VisionTransformer(channels=1, shape=(32, 32, 24), heads=HEADS)
    with pytest.raises(GeometryError, match="expected 32 or more voxels"):
        SwinEncoder(channels=1, shape=(32, 32, 24), heads=HEADS)
