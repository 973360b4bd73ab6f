"""What the three networks are compared with: convolutional ones, and Network 2 unsupervised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from monai.networks.nets.densenet import DenseNet
from monai.networks.nets.resnet import ResNet
from torch import Tensor, nn

from radiogenomics.core.errors import SchemaError
from radiogenomics.models.deep.networks.autoencoder import AutoencoderSettings
from radiogenomics.models.deep.networks.heads import (
    Heads,
    Network,
    mean_over_space,
    require_axes,
    require_settings,
    shrunk,
)

# Both first layers halve, and so does every stage but the first.
ENTRY_STRIDE = 4


@dataclass(frozen=True, kw_only=True)
class ResNetSettings:
    """Sizes of a bottleneck ResNet; the defaults are ResNet50.

    Parameters
    ----------
    blocks, filters
        Bottlenecks of each of the four stages, and their inner filters (a quarter of the outer).

    Raises
    ------
    SchemaError
        A size is out of range, or there are not four stages.
    """

    blocks: tuple[int, ...] = (3, 4, 6, 3)
    filters: tuple[int, ...] = (64, 128, 256, 512)

    def __post_init__(self) -> None:
        """Refuse what no network can have."""
        require_settings("the ResNet", sizes=(*self.blocks, *self.filters), dropout=0.0)
        _require_four_stages(self.blocks, self.filters)

    @classmethod
    def tiny(cls) -> Self:
        """Return sizes for trying the code: one bottleneck a stage, 2 to 8 filters."""
        return cls(blocks=(1, 1, 1, 1), filters=(2, 4, 4, 8))


class ResNet50(Network):
    """3D ResNet50 with its 2048 features averaged over the volume.

    The first convolution (7 × 7 × 7) has stride 2 in all axes, as in two dimensions.

    Parameters
    ----------
    channels, shape
        What scans it reads; 32 or more voxels in each axis.
    heads
        Name → numbers to say.
    settings
        Sizes; ResNet50 by default.

    Raises
    ------
    GeometryError
        An axis is too short.
    SchemaError
        Channels or heads are none.

    References
    ----------
    He et al., CVPR 2016:770, doi:10.1109/CVPR.2016.90.

    Examples
    --------
    >>> import torch
    >>> network = ResNet50(
    ...     channels=1, shape=(32, 32, 32), heads={"os": 1}, settings=ResNetSettings.tiny()
    ... )
    >>> network.eval()(torch.zeros(1, 1, 32, 32, 32)).embedding.shape
    torch.Size([1, 32])
    """

    word: ClassVar[str] = "resnet50"
    cam_layer: ClassVar[str | None] = "backbone.layer4"
    settings_class: ClassVar[type] = ResNetSettings

    def __init__(
        self,
        *,
        channels: int,
        shape: Sequence[int],
        heads: Mapping[str, int],
        settings: ResNetSettings | None = None,
    ) -> None:
        super().__init__(channels=channels, shape=shape)
        self.settings: ResNetSettings = settings or ResNetSettings()
        stride = ENTRY_STRIDE * 2 ** (len(self.settings.blocks) - 1)
        require_axes(self.shape, at_least=stride)
        self.backbone = ResNet(
            "bottleneck",
            list(self.settings.blocks),
            list(self.settings.filters),
            spatial_dims=3,
            n_input_channels=self.channels,
            conv1_t_stride=2,
            feed_forward=False,
            bias_downsample=False,
        )
        self.needs_two_to_train = shrunk(self.shape, stride) == 1
        self.heads = Heads(self.backbone.in_planes, heads)

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the pooled features; there is no reconstruction."""
        return self.backbone(x), None


@dataclass(frozen=True, kw_only=True)
class DenseNetSettings:
    """Sizes of a DenseNet; the defaults are DenseNet121.

    Parameters
    ----------
    blocks
        Layers of each dense block.
    filters, growth
        Features of the first convolution, and how many each layer adds.
    dropout
        After each layer.

    Raises
    ------
    SchemaError
        A size or probability is out of range.
    """

    blocks: tuple[int, ...] = (6, 12, 24, 16)
    filters: int = 64
    growth: int = 32
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no network can have."""
        sizes = (len(self.blocks), *self.blocks, self.filters, self.growth)
        require_settings("the DenseNet", sizes=sizes, dropout=self.dropout)

    @classmethod
    def tiny(cls) -> Self:
        """Return sizes for trying the code: two blocks of two layers, every axis divided by 8."""
        return cls(blocks=(2, 2), filters=8, growth=4)


class DenseNet121(Network):
    """3D DenseNet121 with its 1024 features averaged over the volume.

    Parameters
    ----------
    channels, shape
        What scans it reads; 32 or more voxels in each axis.
    heads
        Name → numbers to say.
    settings
        Sizes; DenseNet121 by default.

    Raises
    ------
    GeometryError
        An axis is too short.
    SchemaError
        Channels or heads are none.

    References
    ----------
    Huang et al., CVPR 2017:2261, doi:10.1109/CVPR.2017.243.

    Examples
    --------
    >>> import torch
    >>> network = DenseNet121(
    ...     channels=1, shape=(16, 16, 16), heads={"os": 1}, settings=DenseNetSettings.tiny()
    ... )
    >>> network.eval()(torch.zeros(1, 1, 16, 16, 16)).embedding.shape
    torch.Size([1, 16])
    """

    word: ClassVar[str] = "densenet121"
    cam_layer: ClassVar[str | None] = "backbone.class_layers.relu"
    settings_class: ClassVar[type] = DenseNetSettings

    def __init__(
        self,
        *,
        channels: int,
        shape: Sequence[int],
        heads: Mapping[str, int],
        settings: DenseNetSettings | None = None,
    ) -> None:
        super().__init__(channels=channels, shape=shape)
        self.settings: DenseNetSettings = settings or DenseNetSettings()
        halvings = len(self.settings.blocks) - 1
        require_axes(self.shape, at_least=ENTRY_STRIDE * 2**halvings)
        self.backbone = DenseNet(
            spatial_dims=3,
            in_channels=self.channels,
            out_channels=1,
            init_features=self.settings.filters,
            growth_rate=self.settings.growth,
            block_config=self.settings.blocks,
            dropout_prob=self.settings.dropout,
        )
        width = self.backbone.class_layers.out.in_features
        self.backbone.class_layers.out = nn.Identity()
        # The pools between blocks round down: an axis is 1 at the end below twice the first map's.
        self.needs_two_to_train = all(
            -(-n // ENTRY_STRIDE) < 2 ** (halvings + 1) for n in self.shape
        )
        self.heads = Heads(width, heads)

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the pooled features; there is no reconstruction."""
        return self.backbone(x), None


class AutoencoderOnly(Network):
    """Network 2 without supervision: heads read the auto-encoder's bottleneck and do not shape it.

    In training the heads' gradients stop at the embedding, the 256 averages of the bottleneck: the
    reconstruction alone teaches the auto-encoder, and the heads are linear models of what it
    learnt. In ``eval`` mode gradients pass, so that Grad-CAM can ask what the heads look at.

    Parameters
    ----------
    channels, shape
        What scans it reads; axes are multiples of the product of strides (16), at least two of it.
    heads
        Name → numbers to say.
    settings
        Sizes; those of Network 2 by default.

    Raises
    ------
    GeometryError
        An axis is too short or leaves a remainder.
    SchemaError
        Channels or heads are none.

    Examples
    --------
    >>> import torch
    >>> network = AutoencoderOnly(
    ...     channels=1, shape=(8, 8, 8), heads={"os": 1}, settings=AutoencoderSettings.tiny()
    ... )
    >>> network(torch.zeros(1, 1, 8, 8, 8)).embedding.requires_grad
    False
    """

    word: ClassVar[str] = "autoencoder_only"
    cam_layer: ClassVar[str | None] = "autoencoder.intermediate"
    settings_class: ClassVar[type] = AutoencoderSettings

    def __init__(
        self,
        *,
        channels: int,
        shape: Sequence[int],
        heads: Mapping[str, int],
        settings: AutoencoderSettings | None = None,
    ) -> None:
        super().__init__(channels=channels, shape=shape)
        self.settings: AutoencoderSettings = settings or AutoencoderSettings()
        stride = self.settings.stride
        require_axes(self.shape, at_least=2 * stride, multiple_of=stride)
        self.autoencoder = self.settings.build(self.channels)
        self.heads = Heads(self.settings.channels[-1], heads)

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the averages of the bottleneck, and the reconstruction."""
        bottleneck = self.autoencoder.intermediate(self.autoencoder.encode(x))
        learnt = bottleneck.detach() if self.training else bottleneck
        return mean_over_space(learnt), self.autoencoder.decode(bottleneck)


def _require_four_stages(blocks: Sequence[int], sizes: Sequence[int]) -> None:
    """Raise unless both say something of four stages."""
    if len(blocks) != 4 or len(sizes) != 4:
        raise SchemaError(
            f"expected settings of 4 stages; found {len(blocks)} numbers of blocks and "
            f"{len(sizes)} sizes. Give 4 of each."
        )
