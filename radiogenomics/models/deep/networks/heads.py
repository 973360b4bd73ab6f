"""What all networks share: their output, their linear heads and what they refuse to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from radiogenomics.core.errors import DataError, GeometryError, SchemaError, short_list

Shape = tuple[int, int, int]


class NetworkOutput(NamedTuple):
    """What a network says of a batch of n patients.

    Attributes
    ----------
    outputs
        Head → tensor (n, k), unbounded: a log hazard, a logit or a value before its loss.
    reconstruction
        The scan as the decoder draws it, (n, 1, z, y, x); None for networks without a decoder.
    embedding
        What the heads read, (n, width).
    """

    outputs: dict[str, Tensor]
    reconstruction: Tensor | None
    embedding: Tensor


class Heads(nn.Module):
    """One linear layer for each thing to be said, all from the same embedding.

    Parameters
    ----------
    width
        Numbers in the embedding.
    heads
        Name → how many numbers it says; in the order in which they are to come out.

    Raises
    ------
    SchemaError
        There is no head, or one has no name or says nothing.

    Examples
    --------
    >>> heads = Heads(4, {"os": 1, "clinical": 9})
    >>> {name: tuple(said.shape) for name, said in heads(torch.zeros(2, 4)).items()}
    {'os': (2, 1), 'clinical': (2, 9)}
    """

    def __init__(self, width: int, heads: Mapping[str, int]) -> None:
        super().__init__()
        wrong = [name for name, size in heads.items() if not name or size < 1]
        if wrong or not heads:
            raise SchemaError(
                "expected named heads with 1 or more outputs each; found "
                f"{short_list(map(repr, wrong)) or 'none'}. Name what the network is to say."
            )
        self.width = width
        self.names = tuple(heads)
        self.layers = nn.ModuleList(nn.Linear(width, size) for size in heads.values())

    def forward(self, embedding: Tensor) -> dict[str, Tensor]:
        """Return head → (n, k)."""
        return {name: layer(embedding) for name, layer in zip(self.names, self.layers, strict=True)}


class Network(nn.Module):
    """Base of the networks: scans in, :class:`NetworkOutput` out, and specific refusals.

    A subclass builds what it needs, sets ``heads`` and ``settings`` and says how a batch becomes
    an embedding (``embed``). Weights are drawn from torch's global generator: seed it before.

    Parameters
    ----------
    channels
        Phases or sequences of a scan.
    shape
        Voxels (z, y, x) of every scan it will read.

    Attributes
    ----------
    word : str
        Name in recipes and on cards.
    cam_layer : str or None
        Module whose output is the last feature map (n, features, z', y', x'), for Grad-CAM; None
        where there is no map.
    settings : frozen dataclass
        Its sizes.

    Raises
    ------
    GeometryError
        The shape has not three axes, or scans of another shape come in.
    SchemaError
        No channel is left, or scans with another number of channels come in.
    DataError
        A batch is empty, or has one patient where batch normalisation would see one number.
    """

    word: ClassVar[str]
    cam_layer: ClassVar[str | None] = None
    settings_class: ClassVar[type]

    heads: Heads
    settings: Any

    def __init__(self, *, channels: int, shape: Sequence[int]) -> None:
        super().__init__()
        if channels < 1:
            raise SchemaError(
                f"expected scans of 1 or more channels; found {channels}. Choose a phase."
            )
        if len(shape) != 3 or min(shape) < 1:
            raise GeometryError(
                f"expected the shape of a volume as three numbers (z, y, x); found {tuple(shape)}. "
                "Use ScanArrays.shape."
            )
        self.channels = int(channels)
        z, y, x = map(int, shape)
        self.shape: Shape = (z, y, x)
        # Batch normalisation of one patient's single voxel would be 0 whatever the scan.
        self.needs_two_to_train = False

    def embed(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return embedding (n, width) and reconstruction, if any, of scans that were checked."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> NetworkOutput:
        """Return what the network says of scans (n, channels, z, y, x)."""
        self.refuse_other_scans(x)
        embedding, reconstruction = self.embed(x)
        return NetworkOutput(self.heads(embedding), reconstruction, embedding)

    def refuse_other_scans(self, x: Tensor) -> None:
        """Raise unless scans have the channels and the shape that the network was built for."""
        if x.ndim != 5 or tuple(x.shape[2:]) != self.shape:
            raise GeometryError(
                f"expected scans (patients, {self.channels}, "
                f"{', '.join(map(str, self.shape))}); found {tuple(x.shape)}. "
                "Crop and resample all scans to the shape the network was built for."
            )
        if x.shape[1] != self.channels:
            raise SchemaError(
                f"expected scans of {self.channels} channels; found {x.shape[1]}. "
                "Give the phases the network was built for, in the same order."
            )
        fewest = 2 if self.training and self.needs_two_to_train else 1
        if len(x) < fewest:
            raise DataError(
                f"expected {fewest} or more patients in a batch; found {len(x)}. At the shape "
                f"{self.shape} its batch normalisation sees one number a patient: leave an odd "
                "last batch out, or crop larger."
            )


def require_axes(shape: Shape, *, at_least: int = 1, multiple_of: int = 1) -> None:
    """Raise unless every axis is long enough for a network and divisible by what it halves.

    Raises
    ------
    GeometryError
        An axis is too short or leaves a remainder.
    """
    if min(shape) < at_least or any(n % multiple_of for n in shape):
        whole = f" and a multiple of {multiple_of}" if multiple_of > 1 else ""
        raise GeometryError(
            f"expected {at_least} or more voxels{whole} in each axis, as this network shrinks "
            f"scans on its way; found {shape}. Resample to finer voxels, crop with a larger "
            "margin, or take a network with fewer stages."
        )


def require_settings(where: str, *, sizes: Sequence[int], dropout: float) -> None:
    """Raise unless sizes are 1 or more and the dropout is a probability below 1.

    Raises
    ------
    SchemaError
        A setting is out of range.
    """
    if not sizes or min(sizes) < 1 or not 0.0 <= dropout < 1.0:
        raise SchemaError(
            f"expected sizes of 1 or more and a dropout from 0 to below 1 in {where}; found "
            f"sizes {tuple(sizes)} and dropout {dropout}. Correct the settings."
        )


def shrunk(shape: Shape, stride: int) -> int:
    """Voxels left of a volume after strides of this product, each rounding up."""
    return prod(-(-n // stride) for n in shape)


def mean_over_space(feature_map: Tensor) -> Tensor:
    """Return the average of each feature over a volume, (n, features)."""
    return torch.mean(feature_map, dim=(2, 3, 4))
