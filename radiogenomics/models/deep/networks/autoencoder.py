"""Network 2: a residual auto-encoder whose bottleneck also feeds a survival network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Self

from monai.networks.nets.autoencoder import AutoEncoder
from torch import Tensor, nn

from radiogenomics.core.errors import SchemaError
from radiogenomics.models.deep.networks.heads import (
    Heads,
    Network,
    Shape,
    require_axes,
    require_settings,
)


@dataclass(frozen=True, kw_only=True)
class AutoencoderSettings:
    """Sizes of a residual auto-encoder; the defaults are the paper's.

    Parameters
    ----------
    channels, strides
        Filters and stride of each residual unit of the encoder; the decoder mirrors them.
    convolutions
        Convolutions within a residual unit of the encoder and of the bottleneck.
    bottleneck_units, bottleneck_dilation
        Residual units between encoder and decoder, and the dilation of their convolutions.
    dropout
        After every normalisation.

    Raises
    ------
    SchemaError
        A size or probability is out of range, or there is not one stride for each filter number.
    """

    channels: tuple[int, ...] = (32, 64, 128, 256)
    strides: tuple[int, ...] = (2, 2, 2, 2)
    convolutions: int = 2
    bottleneck_units: int = 2
    bottleneck_dilation: int = 2
    dropout: float = 0.25

    def __post_init__(self) -> None:
        """Refuse what no network can have."""
        sizes = (*self.channels, *self.strides, self.convolutions, self.bottleneck_units)
        sizes = (*sizes, self.bottleneck_dilation)
        require_settings("the auto-encoder", sizes=sizes, dropout=self.dropout)
        _require_same_number("channels", self.channels, self.strides)

    @classmethod
    def tiny(cls) -> Self:
        """Return sizes for trying the code: 2 units, every axis divided by 4."""
        return cls(channels=(4, 8), strides=(2, 2), dropout=0.05)

    @property
    def stride(self) -> int:
        """By how much an axis shrinks up to the bottleneck."""
        return prod(self.strides)

    def build(self, channels: int) -> AutoEncoder:
        """Return the auto-encoder of scans with so many channels; one channel comes out."""
        return AutoEncoder(
            spatial_dims=3,
            in_channels=channels,
            out_channels=1,
            channels=self.channels,
            strides=self.strides,
            num_res_units=self.convolutions,
            inter_channels=[self.channels[-1]] * self.bottleneck_units,
            inter_dilations=[self.bottleneck_dilation] * self.bottleneck_units,
            num_inter_units=self.convolutions,
            dropout=self.dropout,
        )


@dataclass(frozen=True, kw_only=True)
class ResidualAutoencoderSettings(AutoencoderSettings):
    """Sizes of Network 2: the auto-encoder's and those of the survival network behind it.

    Parameters
    ----------
    survival_channels, survival_kernels, survival_strides
        Filters, kernel and stride of each convolution of the survival network.

    Raises
    ------
    SchemaError
        A size is out of range, or convolutions differ in number from kernels or strides.
    """

    survival_channels: tuple[int, ...] = (256, 512, 1024, 1024)
    survival_kernels: tuple[int, ...] = (2, 2, 2, 1)
    survival_strides: tuple[int, ...] = (2, 2, 1, 1)

    def __post_init__(self) -> None:
        """Refuse what no network can have."""
        super().__post_init__()
        sizes = (*self.survival_channels, *self.survival_kernels, *self.survival_strides)
        require_settings("the survival network", sizes=sizes, dropout=self.dropout)
        _require_same_number("survival_channels", self.survival_channels, self.survival_kernels)
        _require_same_number("survival_channels", self.survival_channels, self.survival_strides)

    @classmethod
    def tiny(cls) -> Self:
        """Return sizes for trying the code: 2 units and 2 survival convolutions."""
        return cls(
            channels=(4, 8),
            strides=(2, 2),
            dropout=0.05,
            survival_channels=(8, 16),
            survival_kernels=(2, 1),
            survival_strides=(2, 1),
        )


class ResidualAutoencoder(Network):
    """Network 2: residual auto-encoder 32/64/128/256 with a convolutional DeepSurv behind it.

    Encoder and bottleneck are residual units of two convolutions (3 × 3 × 3), each with instance
    normalisation, dropout and PReLU; a decoder of transposed convolutions and residual units draws
    one channel, to be compared with each of the scan's. The survival network (four convolutions
    with batch normalisation, PReLU and dropout) turns the bottleneck into what the heads read: at
    128 × 128 × 128 its maps have 8, 4, 2, 1 and 1 voxels a side and 1024 numbers remain. Smaller
    scans reach one voxel earlier: an axis of one voxel is left as it is by the convolutions behind
    it, and larger ones leave more than 1024 numbers.

    The text of the paper describes an auto-encoder trained first and a survival network trained on
    it, the released code trains both at once: one forward pass serves either.

    Instance normalisation takes away what the bias of the convolution before it adds, so these
    biases never learn; they stay because the network is MONAI's.

    Parameters
    ----------
    channels, shape
        What scans it reads; axes are multiples of the product of strides (16), at least two of it.
    heads
        Name → numbers to say.
    settings
        Sizes; the paper's by default.

    Raises
    ------
    GeometryError
        An axis is too short or leaves a remainder.
    SchemaError
        Channels or heads are none.

    References
    ----------
    npj Precis Oncol 2025;9:185, supplementary information 2 (Network 2). Katzman et al., BMC Med
    Res Methodol 2018;18:24, doi:10.1186/s12874-018-0482-1 (DeepSurv).

    Examples
    --------
    >>> import torch
    >>> network = ResidualAutoencoder(
    ...     channels=3, shape=(16, 16, 16), heads={"os": 1},
    ...     settings=ResidualAutoencoderSettings.tiny(),
    ... )
    >>> said = network.eval()(torch.zeros(2, 3, 16, 16, 16))
    >>> said.reconstruction.shape, said.embedding.shape
    (torch.Size([2, 1, 16, 16, 16]), torch.Size([2, 128]))
    """

    word: ClassVar[str] = "residual_autoencoder"
    cam_layer: ClassVar[str | None] = "autoencoder.intermediate"
    settings_class: ClassVar[type] = ResidualAutoencoderSettings

    def __init__(
        self,
        *,
        channels: int,
        shape: Sequence[int],
        heads: Mapping[str, int],
        settings: ResidualAutoencoderSettings | None = None,
    ) -> None:
        super().__init__(channels=channels, shape=shape)
        self.settings: ResidualAutoencoderSettings = settings or ResidualAutoencoderSettings()
        # Instance normalisation needs two voxels.
        stride = self.settings.stride
        require_axes(self.shape, at_least=2 * stride, multiple_of=stride)
        self.autoencoder = self.settings.build(self.channels)
        self.survival, left = _survival_network(self.settings, self.shape)
        self.needs_two_to_train = left == 1
        self.heads = Heads(self.settings.survival_channels[-1] * left, heads)

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the flattened last map of the survival network, and the reconstruction."""
        bottleneck = self.autoencoder.intermediate(self.autoencoder.encode(x))
        return self.survival(bottleneck), self.autoencoder.decode(bottleneck)


def _survival_network(
    settings: ResidualAutoencoderSettings, shape: Shape
) -> tuple[nn.Sequential, int]:
    """Return convolutions from bottleneck to embedding, and the voxels that are left."""
    layers: list[nn.Module] = []
    size = [n // settings.stride for n in shape]
    filters = settings.channels[-1]
    for wanted, kernel, stride in zip(
        settings.survival_channels,
        settings.survival_kernels,
        settings.survival_strides,
        strict=True,
    ):
        kernels = tuple(min(kernel, n) for n in size)
        layers += [
            nn.Conv3d(filters, wanted, kernels, stride=stride, bias=False),
            nn.BatchNorm3d(wanted),
            nn.PReLU(),
            nn.Dropout(settings.dropout),
        ]
        size = [(n - k) // stride + 1 for n, k in zip(size, kernels, strict=True)]
        filters = wanted
    return nn.Sequential(*layers, nn.Flatten()), prod(size)


def _require_same_number(name: str, one: Sequence[int], other: Sequence[int]) -> None:
    """Raise unless there is a kernel or stride for each convolution."""
    if len(one) != len(other):
        raise SchemaError(
            f"expected a kernel and a stride for each of {len(one)} {name}; found {len(other)}. "
            "Give one for each."
        )
