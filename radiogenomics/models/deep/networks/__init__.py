"""Networks by word: three of the paper and those they are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from radiogenomics.core.errors import SchemaError, UnknownNameError
from radiogenomics.models.deep.networks.autoencoder import ResidualAutoencoder
from radiogenomics.models.deep.networks.comparators import (
    AutoencoderOnly,
    DenseNet121,
    ResNet50,
)
from radiogenomics.models.deep.networks.efficientnet import EfficientNetB1
from radiogenomics.models.deep.networks.heads import Heads, Network, NetworkOutput
from radiogenomics.models.deep.networks.multi_plane_transformer import MultiPlaneTransformer
from radiogenomics.models.deep.networks.transformers import SwinEncoder, VisionTransformer

__all__ = [
    "NETWORKS",
    "AutoencoderOnly",
    "DenseNet121",
    "EfficientNetB1",
    "Heads",
    "MultiPlaneTransformer",
    "Network",
    "NetworkOutput",
    "ResNet50",
    "ResidualAutoencoder",
    "SwinEncoder",
    "VisionTransformer",
    "build_network",
    "network_settings",
    "tiny_settings",
]

NETWORKS: Mapping[str, type[Network]] = MappingProxyType(
    {
        network.word: network
        for network in (
            EfficientNetB1,
            ResidualAutoencoder,
            MultiPlaneTransformer,
            ResNet50,
            DenseNet121,
            VisionTransformer,
            SwinEncoder,
            AutoencoderOnly,
        )
    }
)


def build_network(
    word: str,
    *,
    channels: int,
    shape: Sequence[int],
    heads: Mapping[str, int],
    settings: Any = None,
) -> Network:
    """Return a new network with weights drawn from torch's global generator.

    Parameters
    ----------
    word
        Which, see ``NETWORKS``.
    channels, shape
        Phases of a scan, and its voxels (z, y, x).
    heads
        Name → how many numbers it says.
    settings
        Sizes, of the network's own settings class; the paper's when None.

    Raises
    ------
    UnknownNameError
        There is no such network.
    SchemaError
        The settings are another network's; channels or heads are none.
    GeometryError
        The network cannot read scans of this shape.

    Examples
    --------
    >>> network = build_network(
    ...     "vit", channels=3, shape=(8, 8, 8), heads={"os": 1, "pfs": 1},
    ...     settings=tiny_settings("vit"),
    ... )
    >>> network.word, network.heads.names, network.heads.width
    ('vit', ('os', 'pfs'), 16)
    """
    network = _known(word)
    if settings is not None and type(settings) is not network.settings_class:
        raise SchemaError(
            f"expected {network.settings_class.__name__} for the network {word!r}; found "
            f"{type(settings).__name__}. Make them with network_settings({word!r}, ...)."
        )
    return network(channels=channels, shape=shape, heads=heads, settings=settings)


def network_settings(word: str, values: Mapping[str, Any]) -> Any:
    """Return the settings of a network from a recipe or a card; what is not named is the paper's.

    Raises
    ------
    UnknownNameError
        There is no such network, or it has no such setting.
    SchemaError
        A value is out of range.

    Examples
    --------
    >>> network_settings("resnet50", {"blocks": [1, 1, 1, 1]}).blocks
    (1, 1, 1, 1)
    """
    kind = _known(word).settings_class
    known = [field.name for field in fields(kind)]
    for name in values:
        if name not in known:
            raise UnknownNameError(f"setting of the network {word}", name, known)
    return kind(**{name: _as_tuples(value) for name, value in values.items()})


def tiny_settings(word: str) -> Any:
    """Return sizes at which a network runs in milliseconds, through the same code.

    Raises
    ------
    UnknownNameError
        There is no such network.
    """
    return _known(word).settings_class.tiny()


def _known(word: str) -> type[Network]:
    """Return the network of a word."""
    if word not in NETWORKS:
        raise UnknownNameError("network", word, NETWORKS)
    return NETWORKS[word]


def _as_tuples(value: Any) -> Any:
    """Return lists, as JSON has them, as tuples."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list | tuple) else value
