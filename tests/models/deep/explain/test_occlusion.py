"""Occlusion against what a linear score loses, box by box."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from radiogenomics.core.errors import DataError, GeometryError, UnknownNameError
from radiogenomics.models.deep.explain import Target, occlusion

from .networks_for_maps import Output, Pooled, trained

SHAPE = (5, 6, 4)


class Linear(nn.Module):
    """A score that is linear in the voxels of two channels; counts the scans it was given."""

    def __init__(self, shape: tuple[int, ...] = SHAPE) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(2, *shape, dtype=torch.float64))
        self.batches: list[int] = []

    def forward(self, x: Tensor) -> Output:
        self.batches.append(len(x))
        score = (x.double() * self.weight).flatten(1).sum(dim=1, keepdim=True) + 7
        return Output({"os": score}, None, score)


def by_hand(
    network: Linear, x: Tensor, size: tuple[int, ...], starts: list[list[int]], *, baseline: float
) -> np.ndarray:
    """Mean over the boxes that cover a voxel of what the weights say of the box."""
    gains = (network.weight * (x.double() - baseline)).sum(dim=1).detach().numpy()
    found, covered = np.zeros(gains.shape), np.zeros(gains.shape[1:])
    for corner in product(*starts):
        box = tuple(slice(a, a + length) for a, length in zip(corner, size, strict=True))
        found[(slice(None), *box)] += gains[(slice(None), *box)].sum(axis=(1, 2, 3))[
            :, None, None, None
        ]
        covered[box] += 1
    return found / covered


@pytest.fixture
def linear() -> tuple[Linear, Tensor]:
    torch.manual_seed(0)
    return Linear(), torch.rand(3, 2, *SHAPE)


def test_single_voxels_of_a_linear_score_are_exact(linear: tuple[Linear, Tensor]) -> None:
    network, x = linear
    found = occlusion(network, x, size=1, baseline=0.25)
    wanted = (network.weight * (x.double() - 0.25)).sum(dim=1).detach().numpy()
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    "size, stride, starts",
    [
        ((2, 3, 2), (2, 3, 2), [[0, 2, 3], [0, 3], [0, 2]]),
        ((3, 2, 4), (1, 1, 1), [[0, 1, 2], [0, 1, 2, 3, 4], [0]]),
        ((4, 4, 4), None, [[0, 1], [0, 2], [0]]),
        ((9, 9, 9), None, [[0], [0], [0]]),
    ],
)
def test_boxes_of_a_linear_score_are_exact(
    linear: tuple[Linear, Tensor],
    size: tuple[int, int, int],
    stride: tuple[int, int, int] | None,
    starts: list[list[int]],
) -> None:
    network, x = linear
    wide = tuple(min(a, b) for a, b in zip(size, SHAPE, strict=True))
    found = occlusion(network, x, size=size, stride=stride, baseline=-1.0)
    wanted = by_hand(network, x, wide, starts, baseline=-1.0)
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_lengths_in_mm_are_turned_into_voxels(linear: tuple[Linear, Tensor]) -> None:
    network, x = linear
    in_mm = occlusion(network, x, size=6.0, stride=3.2, spacing_mm=(3.0, 2.0, 1.5))
    assert (in_mm == occlusion(network, x, size=(2, 3, 4), stride=(1, 2, 2))).all()
    fine = occlusion(network, x, size=0.1, spacing_mm=(3.0, 2.0, 1.5))
    assert (fine == occlusion(network, x, size=1)).all()


def test_channels_can_be_painted_apart_and_add_up(linear: tuple[Linear, Tensor]) -> None:
    network, x = linear
    apart = [occlusion(network, x, size=2, channels=[channel]) for channel in (0, 1)]
    assert apart[0] + apart[1] == pytest.approx(occlusion(network, x, size=2), abs=1e-5)
    network.weight.data[1] = 0
    assert not occlusion(network, x, size=2, channels=[1]).any()


def test_batches_are_no_larger_than_asked_and_do_not_matter(
    linear: tuple[Linear, Tensor],
) -> None:
    network, x = linear
    network.batches.clear()
    small = occlusion(network, x, size=2, batch=7)
    # 4 × 5 × 3 boxes in batches of seven, and the scan itself, of each of three patients.
    assert network.batches == 3 * [1, *8 * [7], 4]
    assert (small == occlusion(network, x, size=2, batch=64)).all()


def test_scans_and_network_are_left_as_they_were(linear: tuple[Linear, Tensor]) -> None:
    network, x = linear
    before, weight = x.clone(), network.weight.clone()
    network.train()
    occlusion(network, x, size=2)
    assert torch.equal(x, before) and torch.equal(network.weight, weight) and network.training


def test_slices_are_painted_in_their_plane() -> None:
    torch.manual_seed(1)
    network, x = Linear((6, 4)), torch.rand(2, 2, 6, 4)
    found = occlusion(network, x, size=1)
    wanted = (network.weight * x.double()).sum(dim=1).detach().numpy()
    assert found.shape == (2, 1, 6, 4)
    assert found[:, 0] == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_scale_shows_what_raises_the_score(linear: tuple[Linear, Tensor]) -> None:
    network, x = linear
    raw, shown = (occlusion(network, x, size=2, scale=scale) for scale in ("raw", "patient"))
    assert raw.min() < 0
    top = raw.max(axis=(1, 2, 3), keepdims=True)
    assert shown == pytest.approx(np.maximum(raw, 0) / top)


def test_the_planted_lesion_is_what_the_score_is_lost_by() -> None:
    torch.manual_seed(2)
    x = 0.2 * torch.rand(16, 2, 10, 10, 10)
    y = (torch.arange(16) % 2).float()
    x[:, 0, 2:6, 3:7, 4:8] += y[:, None, None, None]
    network = trained(Pooled(), x, y)
    heat = occlusion(network, x[y == 1][:3], size=2, stride=2, target=Target("os"))
    inside = np.zeros((10, 10, 10), dtype=bool)
    inside[2:6, 3:7, 4:8] = True
    assert heat[:, inside].mean() > 5 * np.abs(heat[:, ~inside]).mean()


def test_bad_input_is_refused(linear: tuple[Linear, Tensor]) -> None:
    network, x = linear
    with pytest.raises(DataError, match=r"size of the box, \(2, 2, 2\) voxels; found \(3, 3, 3\)"):
        occlusion(network, x, size=2, stride=3)
    for size in (0, -1, np.nan, (1, 2), (1, 0, 1)):
        with pytest.raises(DataError, match="one size above 0 or three"):
            occlusion(network, x, size=size)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="one stride above 0"):
        occlusion(network, x, stride=0)
    with pytest.raises(DataError, match=r"channels from 0 to 1; found \[2\]"):
        occlusion(network, x, channels=[2])
    with pytest.raises(DataError, match="found none"):
        occlusion(network, x, channels=[])
    with pytest.raises(DataError, match="batch: expected 1 or more"):
        occlusion(network, x, batch=0)
    with pytest.raises(GeometryError, match="three voxel sizes above 0 mm"):
        occlusion(network, x, spacing_mm=(1.0, 0.0, 1.0))
    with pytest.raises(UnknownNameError, match="unknown head 'pfs'"):
        occlusion(network, x, target=Target("pfs"))
    with pytest.raises(UnknownNameError, match="scale of heat maps"):
        occlusion(network, x, scale="box")  # type: ignore[arg-type]
