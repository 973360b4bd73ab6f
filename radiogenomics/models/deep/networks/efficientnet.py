"""Network 1: 3D EfficientNet-B1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Self

from monai.networks.nets.efficientnet import EfficientNet
from torch import Tensor, nn

from radiogenomics.models.deep.networks.heads import (
    Heads,
    Network,
    require_axes,
    require_settings,
    shrunk,
)

# (blocks, kernel, stride, expansion, filters) of B0; B1 has its blocks times the depth factor.
Stage = tuple[int, int, int, int, int]
STAGES: tuple[Stage, ...] = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM_FILTERS = 32
STEM_STRIDE = 2
SQUEEZE = 0.25


@dataclass(frozen=True)
class EfficientNetSettings:
    """Sizes of an EfficientNet; the defaults are B1.

    Parameters
    ----------
    stages
        (blocks, kernel, stride, expansion, filters) of each stage before scaling.
    width_factor, depth_factor
        Filters and blocks are multiplied by these; filters are rounded to multiples of 8, blocks
        upwards.
    dropout
        Before the heads.
    drop_connect
        Probability that the last block is skipped for a patient in training, growing from 0 at
        the first block.

    Raises
    ------
    SchemaError
        A size or probability is out of range.
    """

    stages: tuple[Stage, ...] = STAGES
    width_factor: float = 1.0
    depth_factor: float = 1.1
    dropout: float = 0.2
    drop_connect: float = 0.2

    def __post_init__(self) -> None:
        """Refuse what no network can have."""
        sizes = [size for stage in self.stages for size in stage]
        require_settings("the EfficientNet", sizes=sizes, dropout=self.dropout)
        require_settings("the EfficientNet", sizes=sizes, dropout=self.drop_connect)

    @classmethod
    def tiny(cls) -> Self:
        """Return sizes for trying the code: 2 stages, every axis divided by 4."""
        return cls(stages=((1, 3, 1, 1, 16), (2, 3, 2, 2, 24)), width_factor=0.25, depth_factor=1.0)

    @property
    def stride(self) -> int:
        """By how much an axis shrinks."""
        return STEM_STRIDE * prod(stage[2] for stage in self.stages)


class EfficientNetB1(Network):
    """Network 1: 3D EfficientNet-B1 with a 1280-wide embedding and linear heads.

    A stem of 32 filters (3 × 3 × 3, stride 2), seven stages of 2, 3, 3, 4, 4, 5 and 2 inverted
    bottlenecks with squeeze-and-excitation, 1280 features averaged over the volume, dropout, heads.
    Batch normalisation (momentum 0.01 of the new batch) makes training depend on the batch: a
    patient's output does not, once in ``eval`` mode, but the running averages need some hundred
    steps to become those of the cohort. What the last bias of a block adds, the next normalisation
    takes away in training: those biases learn from skipped blocks only.

    Parameters
    ----------
    channels, shape
        What scans it reads; every axis must have as many voxels as the network divides it by (32).
    heads
        Name → numbers to say.
    settings
        Sizes; B1 by default.

    Raises
    ------
    GeometryError
        An axis is too short.
    SchemaError
        Channels or heads are none.

    References
    ----------
    Tan and Le, ICML 2019, PMLR 97:6105 (EfficientNet). npj Precis Oncol 2025;9:185, supplementary
    information 2 (Network 1).

    Examples
    --------
    >>> import torch
    >>> network = EfficientNetB1(
    ...     channels=3, shape=(16, 16, 16), heads={"os": 1}, settings=EfficientNetSettings.tiny()
    ... )
    >>> said = network.eval()(torch.zeros(2, 3, 16, 16, 16))
    >>> said.outputs["os"].shape, said.embedding.shape
    (torch.Size([2, 1]), torch.Size([2, 320]))
    """

    word: ClassVar[str] = "efficientnet_b1"
    cam_layer: ClassVar[str | None] = "backbone._avg_pooling.0"
    settings_class: ClassVar[type] = EfficientNetSettings

    def __init__(
        self,
        *,
        channels: int,
        shape: Sequence[int],
        heads: Mapping[str, int],
        settings: EfficientNetSettings | None = None,
    ) -> None:
        super().__init__(channels=channels, shape=shape)
        self.settings: EfficientNetSettings = settings or EfficientNetSettings()
        require_axes(self.shape, at_least=self.settings.stride)
        self.backbone = EfficientNet(
            _block_words(self.settings.stages),
            spatial_dims=3,
            in_channels=self.channels,
            width_coefficient=self.settings.width_factor,
            depth_coefficient=self.settings.depth_factor,
            dropout_rate=self.settings.dropout,
            # "Same" padding is worked out for one length of axis.
            image_size=max(self.shape),
            drop_connect_rate=self.settings.drop_connect,
        )
        width = self.backbone._fc.in_features
        self.backbone._fc = nn.Identity()
        # The activation before the pooling is also the stem's: give the last map a name of its own.
        self.backbone._avg_pooling = nn.Sequential(nn.Identity(), nn.AdaptiveAvgPool3d(1))
        self.needs_two_to_train = shrunk(self.shape, self.settings.stride) == 1
        self.heads = Heads(width, heads)

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the pooled features (n, 1280); there is no reconstruction."""
        return self.backbone(x), None


def _block_words(stages: Sequence[Stage]) -> list[str]:
    """Write stages as MONAI reads them; each takes in what the one before gave."""
    inputs = (STEM_FILTERS, *(stage[-1] for stage in stages))
    return [
        f"r{blocks}_k{kernel}_s{stride}{stride}_e{expansion}_i{taken}_o{filters}_se{SQUEEZE}"
        for taken, (blocks, kernel, stride, expansion, filters) in zip(inputs, stages, strict=False)
    ]
