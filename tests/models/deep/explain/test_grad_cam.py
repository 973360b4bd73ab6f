"""Grad-CAM against class activation maps by hand, and against MONAI's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.visualize.class_activation_maps import GradCAM
from torch import Tensor, nn

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.models.deep.explain import Target, grad_cam, last_convolution

from .networks_for_maps import Output, Pooled, WithDecoder, trained

OS = Target("os")


def scans(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def by_hand(network: Pooled, x: Tensor, *, head: str, column: int) -> np.ndarray:
    """Class activation map: channels by the head's weights, over the number of cells."""
    with torch.no_grad():
        channels = network.features(x).double().numpy()
        weights = network.heads[head].weight[column].double().numpy()
    found = np.maximum(np.einsum("k,nk...->n...", weights, channels), 0)
    return found / found[0].size


@pytest.mark.parametrize("head, column", [("os", 0), ("sex", 1)])
@pytest.mark.parametrize("dims", [2, 3])
def test_it_is_the_class_activation_map_where_that_exists(
    dims: int, head: str, column: int
) -> None:
    torch.manual_seed(dims)
    network, x = Pooled(dims=dims), scans(5, 2, *(7, 6, 5)[:dims])
    found = grad_cam(network, x, target=Target(head, column), layer="features", scale="raw")
    wanted = by_hand(network, x, head=head, column=column).reshape(found.shape)
    assert wanted.max() > 0
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6 * float(wanted.max()))


def test_cells_are_spread_linearly_between_their_middles() -> None:
    torch.manual_seed(0)
    network, x = Pooled(stride=2, channels=1), scans(2, 1, 8, 8, 8)
    found = grad_cam(network, x, target=OS, scale="raw")
    cells = by_hand(network, x, head="os", column=0)
    assert cells.shape == (2, 4, 4, 4)
    # Voxel 1 lies a quarter of a cell beyond the middle of cell 0, voxel 0 before it.
    share = np.zeros((8, 4))
    for voxel in range(8):
        place = np.clip((voxel + 0.5) / 2 - 0.5, 0, 3)
        low = min(int(place), 2)
        share[voxel, low : low + 2] = 1 - (place - low), place - low
    wanted = np.einsum("az,by,cx,nzyx->nabc", share, share, share, cells)
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6 * float(wanted.max()))


class _Scores(nn.Module):
    """The scores alone, as MONAI reads them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x).outputs["os"]


@pytest.mark.parametrize("layer", ["encoder.0", "encoder.3"])
def test_it_agrees_with_monai(layer: str) -> None:
    torch.manual_seed(3)
    network, x = WithDecoder().eval(), scans(1, 1, 8, 6, 4)
    for part in network.modules():
        # MONAI reads what a layer gave after the next one has written into it.
        part.inplace = False
    cam = GradCAM(_Scores(network), f"network.{layer}", upsampler=lambda *_: lambda m: m)
    cells = cam.compute_map(x, class_idx=0).detach()
    wanted = nn.functional.interpolate(
        cells, size=(8, 6, 4), mode="trilinear", align_corners=False
    ).numpy()[:, 0]
    found = grad_cam(network, x, layer=layer, scale="raw")
    assert wanted.max() > 0
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6 * float(wanted.max()))


def test_a_layer_that_is_written_into_is_seen_as_it_was() -> None:
    torch.manual_seed(4)
    network, x = WithDecoder(), scans(3, 1, 8, 8, 8)
    found = grad_cam(network, x, layer="encoder.3", scale="raw")
    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    assert (found == grad_cam(network, x, layer="encoder.3", scale="raw")).all()


def test_network_is_left_as_it_was_and_batches_do_not_matter() -> None:
    torch.manual_seed(5)
    network, x = WithDecoder().train(), scans(5, 1, 8, 8, 8).requires_grad_(True)
    network.encoder[1].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    alone = grad_cam(network, x, batch=1, scale="raw")
    together = grad_cam(network, x, batch=5, scale="raw")
    assert alone == pytest.approx(together, rel=1e-5, abs=1e-6 * float(together.max()))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters()) and x.grad is None
    assert network.training and not network.encoder[1].training
    assert not any(part._forward_hooks for part in network.modules())


def test_frozen_networks_and_calls_without_gradients_give_the_same_map() -> None:
    torch.manual_seed(6)
    network, x = WithDecoder(), scans(2, 1, 8, 8, 8)
    wanted = grad_cam(network, x)
    network.requires_grad_(False)
    with torch.no_grad():
        assert (grad_cam(network, x.numpy()) == wanted).all()


def test_what_lowers_a_score_is_what_raises_its_negative() -> None:
    torch.manual_seed(7)
    network, x = Pooled(), scans(3, 2, 6, 6, 6)
    lowers = grad_cam(network, x, target=OS, raises=False, scale="raw")
    raises = grad_cam(network, x, target=OS, scale="raw")
    with torch.no_grad():
        network.heads["os"].weight.neg_()
    assert (grad_cam(network, x, target=OS, scale="raw") == lowers).all()
    assert lowers.max() > 0 and ((lowers == 0) | (raises == 0)).all()


def test_last_convolution_is_neither_of_the_decoder_nor_behind_the_pooling() -> None:
    torch.manual_seed(3)
    network, x = WithDecoder(), scans(1, 1, 8, 8, 8)
    assert last_convolution(network, x) == "encoder.3"
    assert (grad_cam(network, x) == grad_cam(network, x, layer="encoder.3")).all()


def test_layer_that_the_network_names_comes_first() -> None:
    torch.manual_seed(3)
    network, x = WithDecoder(), scans(2, 1, 8, 8, 8)
    network.cam_layer = "encoder.0"
    assert (grad_cam(network, x) == grad_cam(network, x, layer="encoder.0")).all()
    network.cam_layer = None
    with pytest.raises(DataError, match="WithDecoder, which says it has none"):
        grad_cam(network, x)


def test_maps_go_from_0_to_1_and_a_map_of_nothing_is_told() -> None:
    torch.manual_seed(8)
    network, x = Pooled(), scans(3, 2, 6, 6, 6)
    found = grad_cam(network, x, target=OS)
    raw = grad_cam(network, x, target=OS, scale="raw")
    assert found.max(axis=(1, 2, 3)) == pytest.approx(1) and found.min() >= 0
    assert found == pytest.approx(raw / raw.max(axis=(1, 2, 3), keepdims=True))
    with torch.no_grad():
        network.features.weight.zero_()
        network.features.bias.zero_()
    with pytest.warns(RadiogenomicsWarning, match="heat maps of 3 of 3 patients"):
        assert not grad_cam(network, x, target=OS, layer="features").any()


def test_slices_with_an_axis_of_one_are_read_as_slices() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = Pooled(dims=2)

        def forward(self, x: Tensor) -> Output:
            return self.network(x[:, :, 0])

    torch.manual_seed(1)
    network, x = Flat(), scans(2, 2, 1, 6, 5)
    found = grad_cam(network, x, target=OS)
    assert found.shape == (2, 1, 6, 5) and found.any()
    assert (found == grad_cam(network.network, x[:, :, 0], target=OS)).all()


def test_heat_lies_where_the_planted_lesion_is() -> None:
    torch.manual_seed(10)
    x = 0.3 * scans(12, 1, 10, 10, 10, seed=1)
    corner = torch.randint(0, 6, (12, 3), generator=torch.Generator().manual_seed(2))
    y = (torch.arange(12) % 2).float()
    inside = torch.zeros(12, 10, 10, 10, dtype=torch.bool)
    for n, (i, j, k) in enumerate(corner.tolist()):
        inside[n, i : i + 4, j : j + 4, k : k + 4] = True
    x[:, 0] += y[:, None, None, None] * inside
    network = trained(Pooled(channels=1), x, y)
    heat = grad_cam(network, x[y == 1], target=OS, scale="raw")
    where = inside[y == 1].numpy()
    assert heat[where].mean() > 5 * heat[~where].mean()


class _Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shared = nn.Conv2d(1, 2, 3)
        self.unused = nn.Conv2d(1, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        self.unused(x)
        return (self.shared(x) + self.shared(x.flip(-1))).mean(dim=(2, 3))


@pytest.mark.parametrize(
    "layer, words",
    [
        ("shared", "found 2 calls"),
        ("unused", "the score to depend on it"),
        (None, "found none among 2"),
    ],
)
def test_layers_that_no_map_comes_from_are_refused(layer: str | None, words: str) -> None:
    with pytest.raises(DataError, match=words):
        grad_cam(_Twice(), scans(2, 1, 6, 6), layer=layer)


def test_bad_input_is_refused() -> None:
    network, x = Pooled(), scans(2, 2, 6, 6, 6)
    with pytest.raises(UnknownNameError, match="unknown layer 'feature': did you mean 'features'"):
        grad_cam(network, x, target=OS, layer="feature")
    with pytest.raises(UnknownNameError, match="unknown head 'oss'"):
        grad_cam(network, x, target=Target("oss"))
    with pytest.raises(UnknownNameError, match="not named"):
        grad_cam(network, x)
    with pytest.raises(DataError, match=r"2 or more.*shape \(1, 1\)"):
        grad_cam(network, x, target=Target("os", 1))
    with pytest.raises(UnknownNameError, match="scale of heat maps"):
        grad_cam(network, x, target=OS, scale="cohort")  # type: ignore[arg-type]
    with pytest.raises(GeometryError, match="found the shape \\(6, 6\\)"):
        grad_cam(network, x[0, 0, 0], target=OS)
    with pytest.raises(GeometryError, match="NaN"):
        grad_cam(network, torch.full_like(x, torch.nan), target=OS)
    with pytest.raises(DataError, match="expected 1 or more; found 0"):
        grad_cam(network, x, target=OS, batch=0)
    with pytest.raises(DataError, match=r"cells along each axis.*\(2, 1\)"):
        grad_cam(network, x, target=OS, layer="heads.os")
    with torch.no_grad():
        network.heads["os"].bias.fill_(torch.inf)
    with pytest.raises(DataError, match="1 NaN or infinite ones of 1"):
        grad_cam(network, x, target=OS)
