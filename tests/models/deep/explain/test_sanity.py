"""The check by random weights: Grad-CAM passes it, an edge detector does not."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity as skimage_similarity
from torch import Tensor, nn

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.models.deep.explain import (
    Target,
    grad_cam,
    occlusion,
    sanity_check,
    structural_similarity,
)
from radiogenomics.models.deep.explain.random_weights import randomise

from .networks_for_maps import Output, WithDecoder, trained


class Two(nn.Module):
    """Two convolutions, pooling and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv3d(1, 8, 3, padding=1)
        self.second = nn.Conv3d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Output:
        inner = torch.relu(self.second(torch.relu(self.first(x))))
        embedding = inner.mean(dim=(2, 3, 4))
        return Output({"os": self.head(embedding)}, None, embedding)


@pytest.fixture(scope="module")
def fitted() -> tuple[Two, Tensor]:
    """A network that has learnt to tell bright lesions from dark ones, and scans with both."""
    torch.manual_seed(0)
    x = 0.1 * torch.randn(12, 1, 10, 10, 10)
    y = torch.rand(12)
    for n in range(12):
        i, j, k = torch.randint(0, 6, (3,)).tolist()
        x[n, 0, i : i + 4, j : j + 4, k : k + 4] += y[n]
        i, j, k = torch.randint(0, 6, (3,)).tolist()
        x[n, 0, i : i + 4, j : j + 4, k : k + 4] -= 0.5
    return trained(Two(), x, y), x[:6]


def cam(network: nn.Module, x: Tensor) -> np.ndarray:
    return grad_cam(network, x, layer="second")


def edges(_network: nn.Module, x: Tensor) -> Tensor:
    """What changes from voxel to voxel, whoever looks at it."""
    return sum(torch.gradient(x[:, 0], dim=axis)[0].square() for axis in (1, 2, 3)).sqrt()


def test_grad_cam_of_a_trained_network_depends_on_its_weights(
    fitted: tuple[Two, Tensor], rng: np.random.Generator
) -> None:
    network, x = fitted
    found = sanity_check(network, x, cam, rng=rng, repeats=5)
    assert found.depends and found.rho < 0.5 and not found.unmoved
    assert found.verdict.startswith("depends on the weights")
    table = found.table
    assert table["layer"].tolist() == 2 * ["head", "second", "first"]
    assert table["weights"].tolist() == [9, 9 + 1736, 9 + 1736 + 224, 9, 1736, 224]
    assert (table["maps"] == 5 * 6).all()
    assert table["similarity"].iloc[2] < 0.6
    # The first row of both is the head alone.
    numbers = ["rho", "rho_abs", "similarity", "flat"]
    assert table.loc[0, numbers].tolist() == table.loc[3, numbers].tolist()


def test_an_edge_detector_fails(fitted: tuple[Two, Tensor], rng: np.random.Generator) -> None:
    network, x = fitted
    found = sanity_check(network, x, edges, rng=rng, repeats=1)
    assert not found.depends and found.verdict.startswith("does not depend on the weights")
    assert found.table[["rho", "rho_abs", "similarity"]].to_numpy() == pytest.approx(1)
    assert found.unmoved == ("head", "second", "first")


def test_occlusion_passes(fitted: tuple[Two, Tensor], rng: np.random.Generator) -> None:
    network, x = fitted

    def painted(network: nn.Module, x: Tensor) -> np.ndarray:
        return occlusion(network, x, size=5, stride=5)

    assert sanity_check(network, x[:3], painted, rng=rng, repeats=6).depends


def test_layers_that_a_map_does_not_see_are_named(
    fitted: tuple[Two, Tensor], rng: np.random.Generator
) -> None:
    network, x = fitted

    def activity(network: nn.Module, x: Tensor) -> Tensor:
        return network.second(torch.relu(network.first(x))).square().mean(dim=1)

    assert sanity_check(network, x, activity, rng=rng).unmoved == ("head",)


def test_a_row_is_what_it_says(fitted: tuple[Two, Tensor]) -> None:
    network, x = fitted
    found = sanity_check(network, x, cam, rng=np.random.default_rng(3), repeats=1).table.loc[4]
    copy = deepcopy(network)
    randomise(copy, ["second"], seed=int(np.random.default_rng(3).integers(2**31)))
    pairs = list(zip(cam(network, x), cam(copy, x), strict=True))
    rho = [spearmanr(a.ravel(), b.ravel()).statistic for a, b in pairs]
    assert found["rho"] == pytest.approx(np.mean(rho), rel=1e-9)
    assert found["rho_abs"] == pytest.approx(np.mean(np.abs(rho)), rel=1e-9)
    spread = [[(m - m.min()) / np.ptp(m) for m in map(np.float64, pair)] for pair in pairs]
    alike = [skimage_similarity(a, b, data_range=1.0) for a, b in spread]
    assert found["similarity"] == pytest.approx(np.mean(alike), rel=1e-9)


def test_same_seed_same_table_and_nothing_is_changed(fitted: tuple[Two, Tensor]) -> None:
    network, x = fitted
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()
    first, again = (
        sanity_check(network, x, cam, rng=np.random.default_rng(7), repeats=1) for _ in range(2)
    )
    assert first.table.equals(again.table)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    other = sanity_check(network, x, cam, rng=np.random.default_rng(8), repeats=1)
    assert not first.table.equals(other.table)


def test_parts_can_be_taken_as_layers_and_decoders_are_left_out(rng: np.random.Generator) -> None:
    torch.manual_seed(1)
    network, x = WithDecoder().requires_grad_(False), torch.rand(2, 1, 8, 8, 8)
    single = sanity_check(network, x, edges, rng=rng, repeats=1)
    wanted = ["head.1", "encoder.3", "encoder.1", "encoder.0"]
    assert single.table["layer"].tolist() == 2 * wanted
    parts = ["decoder", "encoder", "head"]
    whole = sanity_check(network, x, edges, rng=rng, repeats=1, layers=parts)
    assert whole.table["layer"].tolist() == 2 * ["head", "encoder"]
    assert whole.table["weights"].iloc[1] == sum(
        weight.numel() for part in (network.encoder, network.head) for weight in part.parameters()
    )
    assert not any(weight.requires_grad for weight in network.parameters())


def test_weights_that_belong_to_the_network_itself_are_drawn_too(rng: np.random.Generator) -> None:
    class Token(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token = nn.Parameter(torch.zeros(4))
            self.head = nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(x.mean(dim=(2, 3)) * self.token)

    network = Token()
    found = sanity_check(network, torch.rand(2, 4, 5, 5), edges_2d, rng=rng, repeats=1)
    assert found.table["layer"].tolist() == 2 * ["head", "(network)"]
    assert randomise(network, [""], seed=0) == 4
    assert network.token.abs().min() > 0


def edges_2d(_network: nn.Module, x: Tensor) -> Tensor:
    return x[:, 0, None].diff(dim=-1).abs()


def test_maps_without_contrast_are_told_and_left_out(
    fitted: tuple[Two, Tensor], rng: np.random.Generator
) -> None:
    network, x = fitted

    def partly(network: nn.Module, x: Tensor) -> np.ndarray:
        maps = cam(network, x)
        if len(maps) == 6:
            maps[:2] = 0
        return maps

    with pytest.warns(RadiogenomicsWarning, match="maps of 2 of 6 patients have no contrast"):
        found = sanity_check(network, x, partly, rng=rng, repeats=1)
    assert (found.table["maps"] == 4).all()


def test_a_map_that_random_weights_kill_counts_as_another_one(
    fitted: tuple[Two, Tensor], rng: np.random.Generator
) -> None:
    network, x = fitted
    head = network.head.weight.clone()

    def only_if_trained(network: nn.Module, x: Tensor) -> np.ndarray:
        return cam(network, x) * torch.equal(network.head.weight, head)

    row = sanity_check(network, x, only_if_trained, rng=rng, repeats=2).table.loc[0]
    assert (row["rho"], row["flat"], row["maps"]) == (0, 12, 12)


@pytest.mark.parametrize("shape", [(20, 17), (9, 10, 11), (7, 7, 7)])
def test_structural_similarity_is_that_of_skimage(
    rng: np.random.Generator, shape: tuple[int, ...]
) -> None:
    a = rng.uniform(size=shape)
    b = 0.6 * a + 0.4 * rng.uniform(size=shape)
    wanted = skimage_similarity(a, b, data_range=1.0)
    assert structural_similarity(a, b) == pytest.approx(wanted, rel=1e-10)


def test_small_maps_have_smaller_windows(rng: np.random.Generator) -> None:
    a, b = rng.uniform(size=(2, 1, 12, 12))
    assert structural_similarity(a, b) == pytest.approx(structural_similarity(a[0], b[0]))
    a, b = rng.uniform(size=(2, 4, 4, 4))
    wanted = skimage_similarity(a, b, data_range=1.0, win_size=3)
    assert structural_similarity(a, b) == pytest.approx(wanted, rel=1e-10)
    assert structural_similarity(np.ones((2, 2)), np.ones((2, 2))) == pytest.approx(1)


def test_bad_input_is_refused(fitted: tuple[Two, Tensor], rng: np.random.Generator) -> None:
    network, x = fitted
    with pytest.raises(DataError, match="two calls differ"):
        sanity_check(network, x, lambda _, x: rng.uniform(size=x[:, 0].shape), rng=rng)
    with pytest.raises(DataError, match="found none in any patient"):
        sanity_check(network, x, lambda _, x: torch.zeros_like(x[:, 0]), rng=rng)
    with pytest.raises(GeometryError, match=r"shape \(6, 1, 10, 10, 10\)"):
        sanity_check(network, x, lambda _, x: x, rng=rng)
    with pytest.raises(DataError, match="1 repeat or more"):
        sanity_check(network, x, cam, rng=rng, repeats=0)
    with pytest.raises(DataError, match="limit between 0 and 1"):
        sanity_check(network, x, cam, rng=rng, limit=1.0)
    with pytest.raises(UnknownNameError, match="unknown layer 'third'"):
        sanity_check(network, x, cam, rng=rng, layers=["third"])
    with pytest.raises(UnknownNameError, match="unknown head 'pfs'"):
        sanity_check(network, x, cam, rng=rng, target=Target("pfs"))
    with pytest.raises(DataError, match="layers with weights that the score depends on"):
        sanity_check(WithDecoder(), torch.rand(1, 1, 8, 8, 8), edges, rng=rng, layers=["decoder"])
    with pytest.raises(GeometryError, match="two maps of one shape"):
        structural_similarity(np.zeros((2, 2)), np.zeros((2, 3)))
