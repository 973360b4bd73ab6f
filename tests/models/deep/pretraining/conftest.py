"""Backbones of a few weights, and scans in which a lesion's brightness and size can be seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from radiogenomics.core.scan_arrays import ScanArrays


class Tiny(nn.Module):
    """Two convolutions and a batch norm; halves a scan twice."""

    word = "tiny"

    def __init__(self, dims, channels, width):
        super().__init__()
        conv = nn.Conv3d if dims == 3 else nn.Conv2d
        norm = nn.BatchNorm3d if dims == 3 else nn.BatchNorm2d
        self.dims, self.channels, self.width = dims, channels, width
        self.body = nn.Sequential(
            conv(channels, width, 3, stride=2, padding=1),
            norm(width),
            nn.ReLU(),
            conv(width, width, 3, stride=2, padding=1),
            nn.ReLU(),
        )

    def feature_map(self, x):
        return self.body(x)

    def forward(self, x):
        return self.feature_map(x).flatten(2).mean(2)


@pytest.fixture
def tiny():
    def build(dims=3, channels=1, width=8, seed=0):
        torch.manual_seed(seed)
        return Tiny(dims, channels, width)

    return build


@pytest.fixture
def lesions():
    """Scans of a bright cube in noise, and how bright it is."""

    def draw(n, shape=(8, 8, 8), channels=1, seed=0, prefix="P"):
        rng = np.random.default_rng(seed)
        values = rng.normal(0, 0.2, (n, channels, *shape)).astype(np.float32)
        brightness = rng.normal(size=n).astype(np.float32)
        inside = tuple(
            slice(size // 4, size - size // 4) if size > 1 else slice(None) for size in shape
        )
        values[(slice(None), slice(None), *inside)] += brightness[:, None, None, None, None] + 1
        names = tuple(f"{prefix}{row}" for row in range(n))
        return ScanArrays(values, names, tuple(f"phase {c}" for c in range(channels))), brightness

    return draw
