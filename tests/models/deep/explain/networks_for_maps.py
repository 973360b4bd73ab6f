"""Tiny networks of the shape that the toolkit's networks have, whose maps can be told by hand."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Output(NamedTuple):
    outputs: dict[str, Tensor]
    reconstruction: Tensor | None
    embedding: Tensor


class Pooled(nn.Module):
    """A convolution, global average pooling and linear heads."""

    def __init__(self, *, dims: int = 3, stride: int = 1, channels: int = 2) -> None:
        super().__init__()
        convolution = nn.Conv3d if dims == 3 else nn.Conv2d
        self.features = convolution(channels, 4, 3, padding=1, stride=stride)
        self.heads = nn.ModuleDict({"os": nn.Linear(4, 1), "sex": nn.Linear(4, 2)})

    def forward(self, x: Tensor) -> Output:
        embedding = self.features(x).flatten(2).mean(dim=2)
        return Output({n: h(embedding) for n, h in self.heads.items()}, None, embedding)


class WithDecoder(nn.Module):
    """A shared encoder, a decoder that no score comes from, and a head of convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv3d(1, 4, 3, stride=2, padding=1),
            nn.BatchNorm3d(4),
            nn.ReLU(inplace=True),
            nn.Conv3d(4, 6, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
        )
        self.head = nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Conv3d(6, 1, 1))
        self.decoder = nn.Conv3d(6, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Output:
        inner = self.encoder(x)
        return Output({"os": self.head(inner).flatten(1)}, self.decoder(inner), inner)


def trained(network: nn.Module, x: Tensor, y: Tensor, *, steps: int = 60) -> nn.Module:
    """The network after some steps of fitting a number to each scan."""
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(steps):
        optimiser.zero_grad()
        ((network(x).outputs["os"][:, 0] - y) ** 2).mean().backward()
        optimiser.step()
    return network
