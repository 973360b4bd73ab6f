"""Transformers that the three networks are compared with: ViT and the encoder of SwinUNETR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from monai.networks.nets.swin_unetr import (
    BasicLayer,
    SwinTransformer,
    compute_mask,
    get_window_size,
)
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from radiogenomics.core.errors import SchemaError
from radiogenomics.models.deep.networks.heads import (
    Heads,
    Network,
    mean_over_space,
    require_axes,
    require_settings,
)
from radiogenomics.models.deep.networks.multi_plane_transformer import (
    SMALL,
    TransformerLayer,
    attention_of_layers,
)

SWIN_PATCH = 2


@dataclass(frozen=True, kw_only=True)
class VisionTransformerSettings:
    """Sizes of a Vision Transformer; the defaults are ViT-Base with patches of 16 voxels.

    Parameters
    ----------
    patch
        Voxels of a patch in each axis.
    width, layers, attention_heads, feed_forward
        Of the Transformer.
    dropout
        In attention, feed-forward layers and after the embedding.

    Raises
    ------
    SchemaError
        A size or probability is out of range, or the width cannot be shared out to the heads.
    """

    patch: int = 16
    width: int = 768
    layers: int = 12
    attention_heads: int = 12
    feed_forward: int = 3072
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no network can have."""
        sizes = (self.patch, self.width, self.layers, self.attention_heads, self.feed_forward)
        require_settings("the Vision Transformer", sizes=sizes, dropout=self.dropout)
        _require_shares(self.width, self.attention_heads)

    @classmethod
    def tiny(cls) -> Self:
        """Return sizes for trying the code: patches of 4 voxels, 2 layers, width 16."""
        return cls(patch=4, width=16, layers=2, attention_heads=2, feed_forward=32, dropout=0.05)


class VisionTransformer(Network):
    """3D Vision Transformer; heads read its class token.

    Parameters
    ----------
    channels, shape
        What scans it reads; axes are multiples of the patch.
    heads
        Name → numbers to say.
    settings
        Sizes; ViT-Base by default.

    Raises
    ------
    GeometryError
        An axis leaves a remainder.
    SchemaError
        Channels or heads are none.

    References
    ----------
    Dosovitskiy et al., ICLR 2021, arXiv:2010.11929.

    Examples
    --------
    >>> network = VisionTransformer(
    ...     channels=1, shape=(8, 8, 8), heads={"os": 1}, settings=VisionTransformerSettings.tiny()
    ... ).eval()
    >>> network.attention_maps(torch.zeros(1, 1, 8, 8, 8))[0].shape
    torch.Size([1, 2, 9, 9])
    """

    word: ClassVar[str] = "vit"
    settings_class: ClassVar[type] = VisionTransformerSettings

    def __init__(
        self,
        *,
        channels: int,
        shape: Sequence[int],
        heads: Mapping[str, int],
        settings: VisionTransformerSettings | None = None,
    ) -> None:
        super().__init__(channels=channels, shape=shape)
        self.settings: VisionTransformerSettings = settings or VisionTransformerSettings()
        sizes = self.settings
        require_axes(self.shape, at_least=sizes.patch, multiple_of=sizes.patch)
        z, y, x = (n // sizes.patch for n in self.shape)
        self.token_grid = (z, y, x)
        self.patches = nn.Conv3d(self.channels, sizes.width, sizes.patch, stride=sizes.patch)
        self.class_token = nn.Parameter(SMALL * torch.randn(sizes.width))
        self.position_embedding = nn.Parameter(SMALL * torch.randn(1 + z * y * x, sizes.width))
        self.dropout = nn.Dropout(sizes.dropout)
        self.layers = nn.ModuleList(
            TransformerLayer(
                sizes.width,
                heads=sizes.attention_heads,
                feed_forward=sizes.feed_forward,
                dropout=sizes.dropout,
            )
            for _ in range(sizes.layers)
        )
        self.norm = nn.LayerNorm(sizes.width)
        self.heads = Heads(sizes.width, heads)

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the class token behind the last layer; there is no reconstruction."""
        tokens = self.sequence(x)
        for layer in self.layers:
            tokens = layer(tokens)
        return self.norm(tokens[:, 0]), None

    def sequence(self, x: Tensor) -> Tensor:
        """Return the tokens that enter the first layer, (n, tokens, width)."""
        patches = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_token.expand(len(x), 1, -1), patches], dim=1)
        return self.dropout(tokens + self.position_embedding)

    def attention_maps(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return who attends to whom in each layer, for attention rollout; use in ``eval`` mode.

        Returns
        -------
        tuple of Tensor
            First layer first, each (n, heads of attention, tokens, tokens), rows sum to 1. The
            class token stands first, then ``token_grid`` patches, x fastest.
        """
        self.refuse_other_scans(x)
        return attention_of_layers(self.layers, self.sequence(x))


@dataclass(frozen=True, kw_only=True)
class SwinSettings:
    """Sizes of the encoder of a SwinUNETR; the defaults are SwinUNETR's with 48 features.

    Parameters
    ----------
    features
        Width of the first stage; each of the four stages doubles it.
    blocks, attention_heads
        Of each stage.
    window
        Voxels of the first stage (patches) in each axis that attend to one another.
    dropout
        After the embedding, in attention and feed-forward layers.

    Raises
    ------
    SchemaError
        A size or probability is out of range, there are not four stages, or the width of a stage
        cannot be shared out to its heads.
    """

    features: int = 48
    blocks: tuple[int, ...] = (2, 2, 2, 2)
    attention_heads: tuple[int, ...] = (3, 6, 12, 24)
    window: int = 7
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no network can have."""
        sizes = (self.features, *self.blocks, *self.attention_heads, self.window)
        require_settings("the Swin Transformer", sizes=sizes, dropout=self.dropout)
        if len(self.blocks) != 4 or len(self.attention_heads) != 4:
            raise SchemaError(
                f"expected settings of 4 stages; found {len(self.blocks)} numbers of blocks and "
                f"{len(self.attention_heads)} numbers of heads. Give 4 of each."
            )
        for stage, heads in enumerate(self.attention_heads):
            _require_shares(self.features * 2**stage, heads)

    @classmethod
    def tiny(cls) -> Self:
        """Return sizes for trying the code: windows of 3 patches, 4 to 32 features."""
        return cls(features=4, blocks=(2, 1, 1, 1), attention_heads=(1, 1, 2, 2), window=3)


class SwinEncoder(Network):
    """Encoder of a 3D SwinUNETR with its 768 last features averaged over the volume.

    Parameters
    ----------
    channels, shape
        What scans it reads; 32 or more voxels in each axis.
    heads
        Name → numbers to say.
    settings
        Sizes; SwinUNETR's by default.

    Raises
    ------
    GeometryError
        An axis is too short.
    SchemaError
        Channels or heads are none.

    References
    ----------
    Hatamizadeh et al., BrainLes 2021, LNCS 12962:272, doi:10.1007/978-3-031-08999-2_22.

    Examples
    --------
    >>> network = SwinEncoder(
    ...     channels=1, shape=(32, 32, 32), heads={"os": 1}, settings=SwinSettings.tiny()
    ... )
    >>> network.eval()(torch.zeros(1, 1, 32, 32, 32)).embedding.shape
    torch.Size([1, 64])
    """

    word: ClassVar[str] = "swin_unetr"
    cam_layer: ClassVar[str | None] = "last_map"
    settings_class: ClassVar[type] = SwinSettings

    def __init__(
        self,
        *,
        channels: int,
        shape: Sequence[int],
        heads: Mapping[str, int],
        settings: SwinSettings | None = None,
    ) -> None:
        super().__init__(channels=channels, shape=shape)
        self.settings: SwinSettings = settings or SwinSettings()
        shrinks = SWIN_PATCH * 2 ** len(self.settings.blocks)
        require_axes(self.shape, at_least=shrinks)
        swin = SwinTransformer(
            in_chans=self.channels,
            embed_dim=self.settings.features,
            window_size=(self.settings.window,) * 3,
            patch_size=(SWIN_PATCH,) * 3,
            depths=self.settings.blocks,
            num_heads=self.settings.attention_heads,
            drop_rate=self.settings.dropout,
            attn_drop_rate=self.settings.dropout,
        )
        self.patches = nn.Sequential(swin.patch_embed, swin.pos_drop)
        self.stages = nn.ModuleList(
            getattr(swin, f"layers{stage}")[0] for stage in range(1, len(self.settings.blocks) + 1)
        )
        self.last_map = nn.Identity()
        self.heads = Heads(self.settings.features * 2 ** len(self.settings.blocks), heads)

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the pooled features of the last stage; there is no reconstruction."""
        features = self.patches(x)
        for stage in self.stages:
            features = _apply_stage(stage, features)
        # Normalised over features at each place, without weights, as SwinUNETR hands its maps on.
        last = layer_norm(features.movedim(1, -1), features.shape[1:2]).movedim(-1, 1)
        return mean_over_space(self.last_map(last)), None


def _apply_stage(stage: BasicLayer, features: Tensor) -> Tensor:
    """Return what a stage makes of a map (n, features, z, y, x): half the axes, twice as deep.

    MONAI's own ``forward`` of a stage and of the whole does the same through einops, for which two
    turns of the axes are no reason.
    """
    axes = features.shape[2:]
    window, shift = get_window_size(axes, stage.window_size, stage.shift_size)
    padded = [-(-n // step) * step for n, step in zip(axes, window, strict=True)]
    mask = compute_mask(padded, window, shift, features.device)
    tokens = features.movedim(1, -1)
    for block in stage.blocks:
        tokens = block(tokens, mask)
    return stage.downsample(tokens).movedim(-1, 1)


def _require_shares(width: int, heads: int) -> None:
    """Raise unless the heads of attention share the width evenly."""
    if width % heads:
        raise SchemaError(
            f"expected a width that is a multiple of the heads of attention; found {width} and "
            f"{heads}. Change one of them."
        )
