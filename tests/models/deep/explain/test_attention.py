"""Attention rollout against sums over all paths, and its place among the voxels."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.models.deep.explain import (
    attention_rollout,
    attention_weights,
    patches_to_voxels,
    planes_to_voxels,
)


def softmaxes(rng: np.random.Generator, *, layers: int = 3, tokens: int = 4) -> list[np.ndarray]:
    raw = np.exp(rng.normal(size=(layers, 2, 3, tokens, tokens)))
    return list(raw / raw.sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("residual", [0.0, 0.5, 0.3])
def test_rollout_sums_over_all_paths_through_the_layers(
    rng: np.random.Generator, residual: float
) -> None:
    weights = softmaxes(rng)
    found = attention_rollout(weights, residual=residual)
    step = [(1 - residual) * w.mean(axis=1) + residual * np.eye(4) for w in weights]
    for n, last, first in product(range(2), range(4), range(4)):
        paths = sum(
            step[2][n, last, b] * step[1][n, b, a] * step[0][n, a, first]
            for a, b in product(range(4), repeat=2)
        )
        assert found[n, last, first] == pytest.approx(paths, rel=1e-12)
    assert found.sum(axis=-1) == pytest.approx(1)


def test_a_token_that_looks_at_itself_stays_itself() -> None:
    own = np.tile(np.eye(5), (2, 3, 1, 1))
    assert attention_rollout([own] * 4) == pytest.approx(np.tile(np.eye(5), (2, 1, 1)))


def test_heads_are_joined_as_asked_and_rows_brought_to_one(rng: np.random.Generator) -> None:
    (one,) = softmaxes(rng, layers=1)
    for word, join in (("mean", np.mean), ("max", np.max), ("min", np.min)):
        joined = join(one, axis=1)
        joined = joined / joined.sum(axis=-1, keepdims=True)
        found = attention_rollout([torch.tensor(one)], heads=word, residual=0.0)
        assert found == pytest.approx(joined)
    # The released code of one study divides by the root of the width behind the softmax.
    assert attention_rollout([one / np.sqrt(768)]) == pytest.approx(attention_rollout([one]))


def test_planes_meet_in_their_voxel(rng: np.random.Generator) -> None:
    shape, tokens = (2, 3, 4), rng.uniform(0.1, 1, size=(2, 13))
    planes = {"coronal": slice(1, 4), "sagittal": slice(5, 9), "axial": slice(10, 12)}
    mean = planes_to_voxels(tokens, planes, shape=shape, scale="raw")
    both = planes_to_voxels(tokens, planes, shape=shape, joined="product", scale="raw")
    for n, z, y, x in np.ndindex(2, *shape):
        three = tokens[n, [10 + z, 1 + y, 5 + x]]
        assert mean[n, z, y, x] == pytest.approx(three.mean())
        assert both[n, z, y, x] == pytest.approx(three.prod() ** (1 / 3))
    shown = planes_to_voxels(tokens, planes, shape=shape)
    low, high = mean.min(axis=(1, 2, 3), keepdims=True), mean.max(axis=(1, 2, 3), keepdims=True)
    assert shown == pytest.approx((mean - low) / (high - low), abs=1e-6)


def test_fewer_tokens_than_voxels_are_slabs() -> None:
    found = planes_to_voxels([[1, 2]], {"axial": slice(0, 2)}, shape=(5, 1, 1), scale="raw")
    assert found.ravel().tolist() == [1, 1, 1, 2, 2]


def test_a_slice_without_relevance_has_none_in_a_product() -> None:
    planes = {"axial": slice(0, 2), "coronal": slice(2, 4)}
    found = planes_to_voxels([[0, 4, 1, 9]], planes, shape=(2, 2, 1), joined="product", scale="raw")
    assert found[0, :, :, 0].tolist() == [[0, 0], [2, 6]]


def test_a_hot_token_of_each_plane_is_the_hottest_voxel() -> None:
    tokens = np.full((1, 18), 0.1)
    tokens[0, [2, 6 + 4, 12 + 1]] = 1
    planes = {"axial": slice(0, 6), "coronal": slice(6, 12), "sagittal": slice(12, 18)}
    found = planes_to_voxels(tokens, planes, shape=(6, 6, 6))
    assert np.argwhere(found == 1).tolist() == [[0, 2, 4, 1]]


def test_patches_lie_in_the_order_of_the_grid(rng: np.random.Generator) -> None:
    tokens = rng.uniform(size=(2, 1 + 2 * 3 * 4))
    same = patches_to_voxels(tokens, grid=(2, 3, 4), shape=(2, 3, 4), first=1, scale="raw")
    assert same == pytest.approx(tokens[:, 1:].reshape(2, 2, 3, 4).astype(np.float32))
    wide = patches_to_voxels(tokens, grid=(2, 3, 4), shape=(6, 9, 12), first=1, scale="raw")
    # Middles of patches of three voxels are voxels.
    assert wide[:, 1::3, 1::3, 1::3] == pytest.approx(same)


def test_a_flat_map_is_told() -> None:
    with pytest.warns(RadiogenomicsWarning, match="nowhere above their lowest value"):
        assert not patches_to_voxels([[1, 1]], grid=(1, 1, 2), shape=(1, 1, 2)).any()


class _Looking(nn.Module):
    """Tells its attention, other in training."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def attention_maps(self, x: Tensor) -> tuple[Tensor, ...]:
        rows = self.drop(x.mean(dim=1))
        one = torch.softmax(rows[:, None] * torch.ones(1, 2, 1, 1), dim=-1)
        return one, 0.5 * one + 0.5 * torch.eye(rows.shape[-1])


def test_weights_are_read_at_rest_and_in_batches() -> None:
    network, x = _Looking().train(), torch.rand(5, 1, 4, 4)
    found = attention_weights(network, x, batch=2)
    assert [each.shape for each in found] == [(5, 2, 4, 4)] * 2
    whole = network.eval().attention_maps(x)
    assert all((a == b.numpy()).all() for a, b in zip(found, whole, strict=True))
    with pytest.raises(DataError, match="found none in Linear"):
        attention_weights(nn.Linear(2, 1), x)


@pytest.mark.parametrize(
    "weights, words",
    [
        ([], "found none"),
        ([np.ones((1, 2, 3, 3)), np.ones((1, 2, 4, 4))], r"\(1, 2, 3, 3\), \(1, 2, 4, 4\)"),
        ([np.ones((2, 3, 4))], r"\(2, 3, 4\)"),
        ([np.ones((1, 1, 2, 3))], "tokens"),
        ([-np.ones((1, 1, 2, 2))], "not below 0"),
        ([np.full((1, 1, 2, 2), np.nan)], "finite"),
        ([np.zeros((1, 1, 2, 2))], "a row of zeros"),
    ],
)
def test_weights_that_are_none_are_refused(weights: list[np.ndarray], words: str) -> None:
    with pytest.raises(DataError, match=words):
        attention_rollout(weights)


def test_bad_input_is_refused() -> None:
    one = np.ones((1, 1, 2, 2))
    with pytest.raises(UnknownNameError, match="way to join heads"):
        attention_rollout([one], heads="sum")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="residual"):
        attention_rollout([one], residual=1.0)
    with pytest.raises(UnknownNameError, match="plane of slices 'axail': did you mean 'axial'"):
        planes_to_voxels([[1.0]], {"axail": slice(0, 1)}, shape=(1, 1, 1))
    with pytest.raises(UnknownNameError, match="way to join planes"):
        planes_to_voxels([[1.0]], {}, shape=(1, 1, 1), joined="sum")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="found none"):
        planes_to_voxels([[1.0]], {}, shape=(1, 1, 1))
    for places, size in ((slice(0, 3), 2), (slice(4, 6), 2), (slice(2, 5), 8)):
        with pytest.raises(DataError, match="axial slices: expected tokens of 1 to"):
            planes_to_voxels([[1, 2, 3]], {"axial": places}, shape=(size, 1, 1))
    with pytest.raises(DataError, match="finite and not below 0"):
        planes_to_voxels([[-1.0]], {"axial": slice(0, 1)}, shape=(1, 1, 1))
    with pytest.raises(DataError, match="8 patches behind the first 1 tokens; found 8"):
        patches_to_voxels([[1.0] * 8], grid=(2, 2, 2), shape=(4, 4, 4), first=1)
