"""Operations against MONAI's; draws against what the settings say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from radiogenomics.core.errors import GeometryError
from radiogenomics.models.deep.augmentation import adjust_contrast, augmented, rotate90, zoomed
from radiogenomics.models.deep.training_settings import Augmentation

SHAPES = [(2, 8, 8, 8), (1, 5, 8, 7), (3, 1, 9, 6)]
ALL = Augmentation.everywhere(1.0)


def scan(rng, shape):
    return torch.tensor(rng.normal(size=shape), dtype=torch.float32)


@pytest.fixture(scope="module")
def monai():
    """Plain tensors in, plain tensors out."""
    from monai.data import set_track_meta
    from monai.transforms import AdjustContrast, Rotate90, Zoom

    set_track_meta(False)
    yield {"contrast": AdjustContrast, "rotate90": Rotate90, "zoom": Zoom}
    set_track_meta(True)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("gamma", [0.5, 1.0, 4.5])
def test_contrast_is_that_of_monai(rng, monai, shape, gamma):
    image = scan(rng, shape)
    assert torch.allclose(
        adjust_contrast(image, gamma), monai["contrast"](gamma)(image), rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("zoom", [0.81, 0.9, 0.97, 1.0, 1.04, 1.1, 1.37])
@pytest.mark.parametrize("shape", SHAPES[:2], ids=str)
def test_zoom_is_that_of_monai(rng, monai, shape, zoom):
    image = scan(rng, shape)
    expected = monai["zoom"](zoom, mode="area", padding_mode="edge")(image)
    assert zoomed(image, zoom).shape == image.shape
    assert torch.equal(zoomed(image, zoom), torch.as_tensor(expected))


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("plane", [(0, 1), (0, 2), (1, 2)], ids=str)
def test_turns_are_those_of_monai(rng, monai, times, plane):
    image = scan(rng, SHAPES[0])
    expected = torch.as_tensor(monai["rotate90"](times, plane)(image))
    assert torch.equal(rotate90(image, times, plane), expected)


def test_a_plane_that_is_not_square_is_turned_by_a_half(rng):
    image = scan(rng, (1, 4, 6, 6))
    for times in (1, 2, 3):
        assert torch.equal(rotate90(image, times, (0, 2)), torch.flip(image, (1, 3)))
    assert torch.equal(rotate90(image, 0, (0, 2)), image)


@pytest.mark.parametrize("zoom", [0.9, 1.1])
def test_a_single_slice_stays_one(rng, zoom):
    assert zoomed(scan(rng, (2, 1, 10, 10)), zoom).shape == (2, 1, 10, 10)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_draws_depend_on_seed_epoch_and_row_alone(rng, shape):
    scans = torch.stack([scan(rng, shape) for _ in range(6)])
    kept = scans.clone()
    rows = np.array([4, 9, 2, 0, 7, 31])
    whole = augmented(scans, rows, augmentation=ALL, seed=3, epoch=5)
    order = [5, 2, 0]
    some = augmented(scans[order], rows[order], augmentation=ALL, seed=3, epoch=5)
    assert torch.equal(some, whole[order])
    assert torch.equal(scans, kept)
    assert torch.isfinite(whole).all()
    for seed, epoch in ((4, 5), (3, 6)):
        other = augmented(scans, rows, augmentation=ALL, seed=seed, epoch=epoch)
        assert (other != whole).flatten(1).any(dim=1).all()


@pytest.mark.parametrize("name", ["contrast", "rotate90", "flip", "zoom"])
def test_each_change_is_made_as_often_as_asked(rng, name):
    # Distinct shapes of edges would hide quarter turns: a cube, and no symmetry in the values.
    image = scan(rng, (1, 4, 4, 4)).abs()
    many = image.expand(600, -1, -1, -1, -1)
    wanted = Augmentation(**{name: 0.55}, zooms=(1.3, 1.5))
    made = augmented(many, range(600), augmentation=wanted, seed=1, epoch=1)
    share = float((made != many).flatten(1).any(dim=1).float().mean())
    # Turns in two planes: one at least; two that undo each other are rare but there are none.
    expected = 1 - 0.45**2 if name == "rotate90" else 0.55
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 600)
    nothing = augmented(many, range(600), augmentation=Augmentation(), seed=1, epoch=1)
    assert torch.equal(nothing, many)


def test_turns_and_mirrors_move_voxels_and_change_none(rng):
    image = scan(rng, (2, 4, 4, 4))[None]
    wanted = Augmentation(rotate90=1.0, flip=1.0)
    made = augmented(image, [0], augmentation=wanted, seed=0, epoch=1)
    assert torch.equal(made.flatten(2).sort().values, image.flatten(2).sort().values)
    assert not torch.equal(made, image)


def test_channels_are_changed_alike(rng):
    one = scan(rng, (1, 6, 6, 6))
    both = torch.cat([one, one])[None]
    made = augmented(both, [0], augmentation=ALL, seed=0, epoch=1)
    # Powers differ in the last place between the lanes of a vector and what is left of it.
    assert torch.allclose(made[:, 0], made[:, 1], rtol=1e-5, atol=1e-6)


def test_what_is_no_scan_is_refused():
    with pytest.raises(GeometryError, match=r"found the shape \(4, 3\)"):
        augmented(torch.zeros(4, 3), range(4), augmentation=ALL, seed=0, epoch=1)
