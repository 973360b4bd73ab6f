"""Network 3: a 3D convolution block whose slices in three planes are tokens of a Transformer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from radiogenomics.core.errors import SchemaError, UnknownNameError
from radiogenomics.models.deep.networks.heads import (
    Heads,
    Network,
    require_axes,
    require_settings,
)

SliceProduct = Literal["volume", "itself"]
Scaling = Literal["before_softmax", "after_softmax"]

# Axis of (n, features, z, y, x) along which the slices of a plane lie, in the order of the tokens.
PLANES = (("coronal", 3), ("sagittal", 4), ("axial", 2))
SMALL = 0.02


@dataclass(frozen=True, kw_only=True)
class MultiPlaneTransformerSettings:
    """Sizes of Network 3; the defaults are the paper's, ``released_code`` gives its code's.

    Parameters
    ----------
    filters, kernel
        Of the two 3D convolutions; the volume keeps its shape.
    batch_norm
        Batch normalisation after each of them, as in the released code; the paper does not say.
    slice_product
        What a slice is multiplied with before it is averaged: ``"volume"`` or ``"itself"``.
    hidden
        Between the two layers that turn a slice's averages into a token.
    width, layers, attention_heads, feed_forward
        Of the Transformer. The paper has a feed-forward width of 768, the released code of 3072.
    attention_scaling
        ``"before_softmax"``: products of queries and keys are divided by the root of a head's
        width. ``"after_softmax"``, as in the released code: they are not, and the weights are
        divided by the root of the whole width when they already sum to 1.
    dropout
        In attention, feed-forward layers and after the embedding.

    Raises
    ------
    SchemaError
        A size or probability is out of range, the kernel is even, or the width cannot be shared
        out to the heads of attention.
    UnknownNameError
        A word is not known.
    """

    filters: int = 32
    kernel: int = 5
    batch_norm: bool = True
    slice_product: SliceProduct = "volume"
    hidden: int = 1536
    width: int = 768
    layers: int = 12
    attention_heads: int = 8
    feed_forward: int = 768
    attention_scaling: Scaling = "before_softmax"
    dropout: float = 0.15

    def __post_init__(self) -> None:
        """Refuse what no network can have."""
        sizes = (self.filters, self.kernel, self.hidden, self.width, self.layers)
        sizes = (*sizes, self.attention_heads, self.feed_forward)
        require_settings("the Transformer", sizes=sizes, dropout=self.dropout)
        if self.kernel % 2 == 0 or self.width % self.attention_heads:
            raise SchemaError(
                "expected an odd kernel and a width that is a multiple of the heads of attention; "
                f"found kernel {self.kernel}, width {self.width}, heads {self.attention_heads}. "
                "Correct the settings."
            )
        if self.slice_product not in ("volume", "itself"):
            raise UnknownNameError("slice product", self.slice_product, ("volume", "itself"))
        if self.attention_scaling not in ("before_softmax", "after_softmax"):
            known = ("before_softmax", "after_softmax")
            raise UnknownNameError("attention scaling", self.attention_scaling, known)

    @classmethod
    def tiny(cls) -> Self:
        """Return sizes for trying the code: 4 filters, 2 layers, width 16."""
        return cls(
            filters=4,
            kernel=3,
            hidden=16,
            width=16,
            layers=2,
            attention_heads=2,
            feed_forward=16,
            dropout=0.05,
        )

    @classmethod
    def released_code(cls) -> Self:
        """Return the sizes and readings of the authors' code where it departs from the paper."""
        return cls(slice_product="itself", feed_forward=4 * 768, attention_scaling="after_softmax")


class MultiPlaneTransformer(Network):
    r"""Network 3: two 3D convolutions, a token for each slice of three planes, a Transformer.

    Two convolutions (5 × 5 × 5, 32 filters) give features :math:`X` of the scan's own shape. Each
    coronal, sagittal and axial slice of :math:`X` becomes 32 numbers, two linear layers (1536,
    768) a token. The sequence is a class token, then coronal, sagittal and axial slices, a
    separator behind each plane; so :math:`128^3` voxels make :math:`3 \cdot 128 + 4 = 388` tokens.
    Every token has an embedding of its position, slices and separators also of their plane.
    Twelve layers (normalised before attention and feed-forward, GELU) follow; heads read the class
    token.

    *The product of slice and volume.* The paper lets each slice interact with its position in the
    entire volume by element-wise multiplication, then averages globally. Read here as: slice
    :math:`s` is multiplied with the volume at the same place in the plane, in every slice, and
    averaged over all voxels,

    .. math:: t_s = \frac1{S P} \sum_{s'=1}^{S} \sum_{p=1}^{P} X_{s,p} X_{s',p}
                  = \frac1P \sum_p X_{s,p} \bar X_p,

    how much the slice is like the scan's projection onto its plane (:math:`P` places in a slice,
    :math:`S` slices). The released code splits the volume into slices and joins them again, which
    changes nothing, and multiplies the volume with itself: :math:`t_s = \frac1P \sum_p X_{s,p}^2`
    (``slice_product="itself"``). The text's pre-trained 2D ResNet50 serves for global average
    pooling only, which has no weights.

    Parameters
    ----------
    channels, shape
        What scans it reads; no axis shorter than the kernel. The number of tokens follows.
    heads
        Name → numbers to say.
    settings
        Sizes; the paper's by default.

    Raises
    ------
    GeometryError
        An axis is too short.
    SchemaError
        Channels or heads are none.

    References
    ----------
    npj Precis Oncol 2025;9:185, supplementary information 2 (Network 3). Jang and Hwang, CVPR
    2022:20718 (multi-plane and multi-slice Transformer; width 256, 8 layers).

    Examples
    --------
    >>> network = MultiPlaneTransformer(
    ...     channels=3, shape=(8, 10, 12), heads={"os": 1},
    ...     settings=MultiPlaneTransformerSettings.tiny(),
    ... ).eval()
    >>> network.tokens
    34
    >>> network.token_places()["axial"]
    slice(25, 33, None)
    >>> scan = torch.zeros(2, 3, 8, 10, 12)
    >>> network(scan).embedding.shape, network.attention_maps(scan)[0].shape
    (torch.Size([2, 16]), torch.Size([2, 2, 34, 34]))
    """

    word: ClassVar[str] = "multi_plane_transformer"
    cam_layer: ClassVar[str | None] = "convolutions"
    settings_class: ClassVar[type] = MultiPlaneTransformerSettings

    def __init__(
        self,
        *,
        channels: int,
        shape: Sequence[int],
        heads: Mapping[str, int],
        settings: MultiPlaneTransformerSettings | None = None,
    ) -> None:
        super().__init__(channels=channels, shape=shape)
        self.settings: MultiPlaneTransformerSettings = settings or MultiPlaneTransformerSettings()
        sizes = self.settings
        require_axes(self.shape, at_least=sizes.kernel)
        self.tokens = sum(self.shape) + len(PLANES) + 1
        self.convolutions = nn.Sequential(
            *_convolution(self.channels, sizes), *_convolution(sizes.filters, sizes)
        )
        self.project = nn.Sequential(
            nn.Linear(sizes.filters, sizes.hidden),
            nn.ReLU(),
            nn.Linear(sizes.hidden, sizes.width),
        )
        self.class_token = nn.Parameter(SMALL * torch.randn(sizes.width))
        self.separators = nn.Parameter(SMALL * torch.randn(len(PLANES), sizes.width))
        self.plane_embedding = nn.Parameter(SMALL * torch.randn(len(PLANES), sizes.width))
        self.position_embedding = nn.Parameter(SMALL * torch.randn(self.tokens, sizes.width))
        self.dropout = nn.Dropout(sizes.dropout)
        self.layers = nn.ModuleList(
            TransformerLayer(
                sizes.width,
                heads=sizes.attention_heads,
                feed_forward=sizes.feed_forward,
                dropout=sizes.dropout,
                scaling=sizes.attention_scaling,
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
        features = self.convolutions(x)
        sequence = [self.class_token.expand(len(x), 1, -1)]
        for plane, (_, axis) in enumerate(PLANES):
            slices = self.project(self._slice_averages(features, axis))
            separator = self.separators[plane].expand(len(x), 1, -1)
            with_separator = torch.cat([slices, separator], dim=1)
            sequence.append(with_separator + self.plane_embedding[plane])
        return self.dropout(torch.cat(sequence, dim=1) + self.position_embedding)

    def _slice_averages(self, features: Tensor, axis: int) -> Tensor:
        """Return each slice times its partner, averaged over the slice: (n, slices, filters)."""
        if self.settings.slice_product == "volume":
            # The mean over all slices of a product with one of them: average first, multiply once.
            product = features * features.mean(dim=axis, keepdim=True)
        else:
            product = features.square()
        in_plane = [other for other in (2, 3, 4) if other != axis]
        return product.mean(dim=in_plane).transpose(1, 2)

    def attention_maps(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return who attends to whom in each layer, for attention rollout; use in ``eval`` mode.

        Returns
        -------
        tuple of Tensor
            First layer first, each (n, heads of attention, tokens, tokens); a row says how a token
            shares out its attention, 0 to 1, and sums to 1.
        """
        self.refuse_other_scans(x)
        return attention_of_layers(self.layers, self.sequence(x))

    def token_places(self) -> dict[str, slice]:
        """Return plane → which tokens are its slices, in the order of the scan's voxels."""
        places, start = {}, 1
        for plane, axis in PLANES:
            stop = start + self.shape[axis - 2]
            places[plane] = slice(start, stop)
            start = stop + 1
        return places


class TransformerLayer(nn.Module):
    """Attention, then a feed-forward network, each added to what came in and normalised before.

    Parameters
    ----------
    width
        Of a token.
    heads, feed_forward, dropout, scaling
        See :class:`MultiPlaneTransformerSettings`.
    """

    def __init__(
        self,
        width: int,
        *,
        heads: int,
        feed_forward: int,
        dropout: float,
        scaling: Scaling = "before_softmax",
    ) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads=heads, dropout=dropout, scaling=scaling)
        self.norm_feed_forward = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, feed_forward),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(feed_forward, width),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (n, tokens, width)."""
        tokens = tokens + self.dropout(self.attention(self.norm_attention(tokens)))
        return tokens + self.dropout(self.feed_forward(self.norm_feed_forward(tokens)))


class SelfAttention(nn.Module):
    """Multi-head self-attention that can also say its weights.

    Parameters
    ----------
    width
        Of a token.
    heads, dropout, scaling
        See :class:`MultiPlaneTransformerSettings`.
    """

    def __init__(self, width: int, *, heads: int, dropout: float, scaling: Scaling) -> None:
        super().__init__()
        before = scaling == "before_softmax"
        self.heads = heads
        self.dropout = dropout
        self.scale = 1.0 / sqrt(width // heads) if before else 1.0
        self.scale_after = 1.0 if before else 1.0 / sqrt(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)

    def _split(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values, each (n, heads, tokens, width of a head)."""
        n, length, _ = tokens.shape
        parts = self.queries_keys_values(tokens).view(n, length, 3, self.heads, -1)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        return queries, keys, values

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (n, tokens, width)."""
        queries, keys, values = self._split(tokens)
        dropout = self.dropout if self.training else 0.0
        mixed = scaled_dot_product_attention(
            queries, keys, values, dropout_p=dropout, scale=self.scale
        )
        return self.join(self.scale_after * mixed.transpose(1, 2).flatten(2))

    def weights(self, tokens: Tensor) -> Tensor:
        """Return attention (n, heads, tokens, tokens) without dropout; rows sum to 1."""
        queries, keys, _ = self._split(tokens)
        return torch.softmax(self.scale * queries @ keys.transpose(-2, -1), dim=-1)


def attention_of_layers(layers: nn.ModuleList, tokens: Tensor) -> tuple[Tensor, ...]:
    """Return the attention of each Transformer layer, (n, heads, tokens, tokens)."""
    maps = []
    for layer in layers:
        maps.append(layer.attention.weights(layer.norm_attention(tokens)))
        tokens = layer(tokens)
    return tuple(maps)


def _convolution(channels: int, sizes: MultiPlaneTransformerSettings) -> list[nn.Module]:
    """Return one convolution that keeps the shape, with what follows it."""
    layers: list[nn.Module] = [
        nn.Conv3d(
            channels,
            sizes.filters,
            sizes.kernel,
            padding=sizes.kernel // 2,
            # A normalisation takes away what a bias adds.
            bias=not sizes.batch_norm,
        )
    ]
    if sizes.batch_norm:
        layers.append(nn.BatchNorm3d(sizes.filters))
    return [*layers, nn.ReLU()]
