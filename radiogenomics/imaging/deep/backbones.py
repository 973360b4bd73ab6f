r"""Backbones: networks without their last layer, which turn a picture or a volume into features.

The networks are MONAI's. What differs between worlds is set here: weights of torchvision and of
MedicalNet were trained in networks that pad, stride or dilate otherwise, and give other features in
MONAI's although their names and shapes fit; :meth:`Backbone.follow` makes the network theirs.

References
----------
He et al., CVPR 2016, doi:10.1109/CVPR.2016.90 (ResNet).
Huang et al., CVPR 2017, doi:10.1109/CVPR.2017.243 (DenseNet).
Tan & Le, ICML 2019, arXiv:1905.11946 (EfficientNet).
Chen et al. 2019, arXiv:1904.00625 (MedicalNet).
Hatamizadeh et al. 2022, arXiv:2201.01266 (Swin UNETR).
Dosovitskiy et al., ICLR 2021, arXiv:2010.11929 (ViT).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import torch
from monai.networks.nets.densenet import DenseNet121
from monai.networks.nets.efficientnet import EfficientNetBN
from monai.networks.nets.resnet import ResNet
from monai.networks.nets.swin_unetr import SwinTransformer
from monai.networks.nets.vit import ViT
from torch import nn

from radiogenomics.core.errors import MissingExtraError, SchemaError, UnknownNameError
from radiogenomics.imaging.deep.presets import BACKBONE_WORDS, ONLY_3D

Convention = Literal["monai", "torchvision", "medicalnet"]
Builder = Callable[[str, int, int, "tuple[int, ...]"], "Backbone"]

RESNETS: Mapping[str, tuple[str, tuple[int, ...]]] = MappingProxyType(
    {
        "resnet18": ("basic", (2, 2, 2, 2)),
        "resnet34": ("basic", (3, 4, 6, 3)),
        "resnet50": ("bottleneck", (3, 4, 6, 3)),
        "resnet101": ("bottleneck", (3, 4, 23, 3)),
    }
)
# torchvision's B5 to B7 keep TensorFlow's epsilon, the smaller ones have its own.
TENSORFLOW_EPSILON = frozenset({"efficientnet_b5", "efficientnet_b6", "efficientnet_b7"})
PATCH = 16
SWIN_WIDTH = 48
DILATED = (("layer3", 2), ("layer4", 4))


class Backbone(nn.Module):
    """A network that ends in its last feature map.

    Attributes
    ----------
    word, dims, channels
        Architecture; 2 or 3; channels it reads.
    width
        Channels of the last feature map, and length of the pooled features.
    convention
        Whose padding, strides and dilations it follows.
    network
        The network of MONAI.
    """

    network: Any

    def __init__(self, network: nn.Module, *, word: str, dims: int, channels: int, width: int):
        super().__init__()
        self.network = network
        self.word, self.dims, self.channels, self.width = word, dims, channels, width
        self.convention: Convention = "monai"

    def feature_map(self, x: torch.Tensor) -> torch.Tensor:
        """Return the last feature map (n, width, [z,] y, x) of inputs (n, channels, [z,] y, x)."""
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the mean of the last feature map over its places, (n, width)."""
        return self.feature_map(x).flatten(2).mean(dim=2)

    def follow(self, convention: Convention) -> None:
        """Pad, stride and dilate as those do whose weights are loaded; before training.

        Raises
        ------
        SchemaError
            They have no such network.
        """
        if convention not in self.conventions():
            raise SchemaError(
                f"expected a convention of {self.word} in {self.dims}D: "
                f"{', '.join(self.conventions())}; found {convention}. Choose another backbone."
            )
        if self.convention != "monai" and convention != self.convention:
            raise SchemaError(
                f"expected a network without a convention; found that it follows "
                f"{self.convention}. Build a fresh one."
            )
        if convention != self.convention:
            self._rebuild(convention)
            self.convention = convention

    def conventions(self) -> tuple[Convention, ...]:
        """Return the conventions that the network can follow."""
        return ("monai", "torchvision") if self.dims == 2 else ("monai",)

    def _rebuild(self, convention: Convention) -> None:
        """Change what the convention has otherwise; nothing unless a subclass says so."""


class ResNetBackbone(Backbone):
    """ResNet; in 3D with the shortcuts of MedicalNet: padded with zeros in 18 and 34 layers."""

    def feature_map(self, x: torch.Tensor) -> torch.Tensor:
        """Return what leaves the fourth stage."""
        net = self.network
        x = net.maxpool(net.act(net.bn1(net.conv1(x))))
        return net.layer4(net.layer3(net.layer2(net.layer1(x))))

    def conventions(self) -> tuple[Convention, ...]:
        """Return the conventions that the network can follow."""
        return ("monai", "torchvision") if self.dims == 2 else ("monai", "medicalnet")

    def _rebuild(self, convention: Convention) -> None:
        """MedicalNet keeps the size of the second stage: it dilates where others take strides."""
        if convention != "medicalnet":
            return
        for name, dilation in DILATED:
            for module in getattr(self.network, name).modules():
                if isinstance(module, PaddedShortcut):
                    module.stride = 1
                elif isinstance(module, nn.Conv3d):
                    module.stride = (1, 1, 1)
                    if module.kernel_size == (3, 3, 3):
                        module.dilation = module.padding = (dilation,) * 3


class DenseNetBackbone(Backbone):
    """DenseNet."""

    def feature_map(self, x: torch.Tensor) -> torch.Tensor:
        """Return the rectified features."""
        return nn.functional.relu(self.network.features(x))


class EfficientNetBackbone(Backbone):
    """EfficientNet; MONAI pads as TensorFlow for the published image size, torchvision evenly."""

    def feature_map(self, x: torch.Tensor) -> torch.Tensor:
        """Return what leaves the last convolution."""
        net = self.network
        x = net._swish(net._bn0(net._conv_stem(net._conv_stem_padding(x))))
        x = net._conv_head(net._conv_head_padding(net._blocks(x)))
        return net._swish(net._bn1(x))

    def _rebuild(self, convention: Convention) -> None:
        epsilon = 1e-3 if self.word in TENSORFLOW_EPSILON else 1e-5
        for owner in list(self.network.modules()):
            for name in [n for n, _ in owner.named_children() if n.endswith("_padding")]:
                conv = getattr(owner, name.removesuffix("_padding"))
                setattr(owner, name, nn.Identity())
                if isinstance(conv, nn.Conv2d):
                    conv.padding = tuple((size - 1) // 2 for size in conv.kernel_size)
            if isinstance(owner, nn.BatchNorm2d):
                owner.eps = epsilon


class SwinBackbone(Backbone):
    """Encoder of Swin UNETR."""

    def feature_map(self, x: torch.Tensor) -> torch.Tensor:
        """Return the deepest of its hidden states, normalised over channels."""
        return self.network(x, normalize=True)[-1]

    def conventions(self) -> tuple[Convention, ...]:
        """Return the conventions that the network can follow."""
        return ("monai",)


class VitBackbone(Backbone):
    """Vision transformer on patches of 16 voxels; without a class token, whose place pooling takes.

    Attributes
    ----------
    grid
        Patches (z, y, x).
    """

    grid: tuple[int, ...]

    def feature_map(self, x: torch.Tensor) -> torch.Tensor:
        """Return the tokens at the places of their patches."""
        tokens, _ = self.network(x)
        return tokens.transpose(1, 2).unflatten(2, self.grid)

    def conventions(self) -> tuple[Convention, ...]:
        """Return the conventions that the network can follow."""
        return ("monai",)


class PaddedShortcut(nn.Module):
    """Shortcut without weights: takes every ``stride``-th voxel and adds channels of zeros.

    MONAI's cuts the gradient there (as MedicalNet's did), which would starve what lies before it
    when the network is fine-tuned.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels, self.stride = channels, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return every ``stride``-th voxel of ``x`` with the channels wanted."""
        steps = (slice(None), slice(None), *[slice(None, None, self.stride)] * (x.ndim - 2))
        kept = x[steps]
        room = kept.new_zeros(len(kept), self.channels - kept.shape[1], *kept.shape[2:])
        return torch.cat([kept, room], dim=1)


def build_backbone(
    word: str, *, dims: int, channels: int, shape: Sequence[int] | None = None
) -> Backbone:
    """Build a backbone with random weights, drawn from torch's generator.

    Parameters
    ----------
    word
        ``resnet18``, ``resnet34``, ``resnet50``, ``resnet101``, ``densenet121``,
        ``efficientnet_b0`` ... ``efficientnet_b7``; in 3D also ``swin_unetr`` and ``vit``.
    dims
        2 or 3.
    channels
        Channels it reads.
    shape
        Size ([z,] y, x) of what it reads; ``vit`` needs it, others refuse what is too small.

    Raises
    ------
    UnknownNameError
        There is no such backbone.
    SchemaError
        It does not exist in so many dimensions, or cannot read such a size.
    MissingExtraError
        A transformer needs einops, which is not installed.

    Examples
    --------
    >>> net = build_backbone("resnet18", dims=3, channels=1).eval()
    >>> with torch.no_grad():
    ...     found = net(torch.zeros(2, 1, 16, 16, 16))
    >>> tuple(found.shape), net.width
    ((2, 512), 512)
    """
    if word not in BACKBONES:
        raise UnknownNameError("backbone", word, BACKBONES)
    if dims not in (2, 3) or (dims == 2 and word in ONLY_3D) or channels < 1:
        raise SchemaError(
            f"expected {word} in {'3' if word in ONLY_3D else '2 or 3'} dimensions with at least 1 "
            f"channel; found {dims} and {channels}. Choose another backbone or view."
        )
    if shape is not None:
        _require_readable(word, tuple(shape), dims)
    return BACKBONES[word](word, dims, channels, tuple(shape or ()))


def _require_readable(word: str, shape: tuple[int, ...], dims: int) -> None:
    """Raise SchemaError for a size that the network cannot read."""
    least, whole = 1, 1
    if word == "densenet121" or word.startswith("efficientnet"):
        least = 32  # they halve five times, and their last windows must fit into what is left
    elif word == "swin_unetr":
        whole = 32
    elif word == "vit":
        whole = PATCH
    if len(shape) != dims or any(n < least or n < whole or n % whole for n in shape):
        wanted = f"multiples of {whole}" if whole > 1 else f"sizes of at least {least}"
        raise SchemaError(
            f"expected {dims} {wanted} for {word}; found {' × '.join(map(str, shape))}. "
            "Change the size of the view."
        )


def _resnet(word: str, dims: int, channels: int, shape: tuple[int, ...]) -> Backbone:
    block, layers = RESNETS[word]
    padded = dims == 3 and block == "basic"
    network: Any = ResNet(
        block,
        list(layers),
        [64, 128, 256, 512],
        spatial_dims=dims,
        n_input_channels=channels,
        conv1_t_stride=2,
        shortcut_type="A" if padded else "B",
        feed_forward=False,
        bias_downsample=False,
    )
    if padded:
        for stage, width in ((network.layer2, 128), (network.layer3, 256), (network.layer4, 512)):
            stage[0].downsample = PaddedShortcut(width, 2)
    width = 512 if block == "basic" else 2048
    return ResNetBackbone(network, word=word, dims=dims, channels=channels, width=width)


def _densenet(word: str, dims: int, channels: int, shape: tuple[int, ...]) -> Backbone:
    network: Any = DenseNet121(spatial_dims=dims, in_channels=channels, out_channels=1)
    width = network.class_layers.out.in_features
    network.class_layers = nn.Identity()
    return DenseNetBackbone(network, word=word, dims=dims, channels=channels, width=width)


def _efficientnet(word: str, dims: int, channels: int, shape: tuple[int, ...]) -> Backbone:
    network: Any = EfficientNetBN(
        word.replace("_", "-"),
        pretrained=False,
        spatial_dims=dims,
        in_channels=channels,
        num_classes=1,
    )
    width = network._fc.in_features
    network._fc = nn.Identity()
    return EfficientNetBackbone(network, word=word, dims=dims, channels=channels, width=width)


def _swin(word: str, dims: int, channels: int, shape: tuple[int, ...]) -> Backbone:
    _require_einops(word)
    network = SwinTransformer(
        in_chans=channels,
        embed_dim=SWIN_WIDTH,
        window_size=(7, 7, 7),
        patch_size=(2, 2, 2),
        depths=(2, 2, 2, 2),
        num_heads=(3, 6, 12, 24),
        spatial_dims=dims,
    )
    width = SWIN_WIDTH * 16
    return SwinBackbone(network, word=word, dims=dims, channels=channels, width=width)


def _vit(word: str, dims: int, channels: int, shape: tuple[int, ...]) -> Backbone:
    _require_einops(word)
    if not shape:
        raise SchemaError("expected the size that vit reads; found none. Pass shape.")
    network: Any = ViT(channels, shape, PATCH, spatial_dims=dims)
    width = network.norm.normalized_shape[0]
    backbone = VitBackbone(network, word=word, dims=dims, channels=channels, width=width)
    backbone.grid = tuple(n // PATCH for n in shape)
    return backbone


def _require_einops(word: str) -> None:
    try:
        import einops  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f"expected einops, which {word} of MONAI needs; found: {error}. Install it: "
            "pip install 'radiogenomics[deep]'."
        ) from None


def _builder(word: str) -> Builder:
    if word in RESNETS:
        return _resnet
    if word.startswith("efficientnet"):
        return _efficientnet
    return {"densenet121": _densenet, "swin_unetr": _swin, "vit": _vit}[word]


BACKBONES: Mapping[str, Builder] = MappingProxyType({w: _builder(w) for w in BACKBONE_WORDS})
