from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from radiogenomics.core.errors import DataError, GeometryError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.perturb import (
    noise_level,
    noised,
    redrawn,
    resized,
    rotated,
    translated,
)

SPACING = (2.5, 1.0, 0.8)


@pytest.fixture
def scan(rng: np.random.Generator) -> Volume:
    z, y, x = np.indices((12, 40, 44))
    inside = ((z - 6) * 2.5) ** 2 + (y - 20.0) ** 2 + ((x - 22) * 0.8) ** 2 < 90
    voxels = np.where(inside, 110.0, 60.0) + rng.normal(0, 4, inside.shape)
    return Volume(voxels, {"tumour": inside.astype(np.uint8)}, SPACING)


def test_a_whole_shift_moves_every_voxel(scan: Volume) -> None:
    found = translated(scan, (1.0, -2.0, 3.0))
    inner = (slice(2, 9), slice(4, 36), slice(4, 38))
    for before, after in (
        (scan.voxels, found.voxels),
        (scan.masks["tumour"], found.mask("tumour")),
    ):
        expected = np.roll(before, (-1, 2, -3), axis=(0, 1, 2))
        assert after[inner] == pytest.approx(expected[inner], abs=1e-9)


def test_half_a_voxel_there_and_back_returns_a_smooth_image(scan: Volume) -> None:
    smooth = Volume(ndimage.gaussian_filter(scan.voxels, 2.5), scan.masks, SPACING)
    back = translated(translated(smooth, (0.0, 0.5, 0.5)), (0.0, -0.5, -0.5))
    assert back.voxels[:, 5:-5, 5:-5] == pytest.approx(smooth.voxels[:, 5:-5, 5:-5], abs=0.05)


def test_rotation_keeps_a_round_region_in_place_and_turns_a_long_one(scan: Volume) -> None:
    before, after = (
        v.mask("tumour") > 0 for v in (scan, rotated(scan, "tumour", angle_degrees=30))
    )
    assert (before & after).sum() > 0.97 * before.sum()
    bar = np.zeros(scan.voxels.shape, dtype=np.uint8)
    bar[4:8, 10:31, 22] = 1  # 20 mm along y
    turned = rotated(Volume(scan.voxels, {"bar": bar}, SPACING), "bar", angle_degrees=90).mask(
        "bar"
    )
    extent = [np.ptp(np.nonzero(turned)[axis]) * size for axis, size in ((1, 1.0), (2, 0.8))]
    assert extent[0] <= 1 and extent[1] == pytest.approx(20, abs=1.6)


def test_noise_has_the_level_asked_for_and_is_found_again(
    scan: Volume, rng: np.random.Generator
) -> None:
    assert noise_level(scan) == pytest.approx(4.0, rel=0.05)
    louder = noised(scan, sd=3.0, rng=rng)
    assert np.std(louder.voxels - scan.voxels) == pytest.approx(3.0, rel=0.02)
    assert noise_level(louder) == pytest.approx(5.0, rel=0.05)
    assert noise_level(noised(scan, rng=rng)) == pytest.approx(4 * 2**0.5, rel=0.05)


@pytest.mark.parametrize("change", [-0.5, -0.1, 0.0, 0.15, 1.0])
def test_resizing_meets_the_volume_and_keeps_to_the_border(scan: Volume, change: float) -> None:
    before = scan.mask("tumour") > 0
    after = resized(scan, "tumour", change=change).mask("tumour") > 0
    assert after.sum() == round(before.sum() * (1 + change))
    assert (after <= before).all() if change <= 0 else (after >= before).all()
    distance = ndimage.distance_transform_edt(~before, sampling=SPACING)
    if change > 0:  # no voxel is taken before one that is nearer
        assert distance[after].max() <= distance[~after].min() + 1e-9


def test_a_thin_region_grows_as_far_as_it_must(scan: Volume) -> None:
    line = np.zeros(scan.voxels.shape, dtype=np.uint8)
    line[6, 20, 5:40] = 3
    grown = resized(Volume(scan.voxels, {"line": line}, SPACING), "line", change=4.0).mask("line")
    assert np.count_nonzero(grown) == 175
    assert set(np.unique(grown)) == {0, 3}


def test_redrawn_regions_differ_at_the_border_and_overlap(
    scan: Volume, rng: np.random.Generator
) -> None:
    before = scan.mask("tumour") > 0
    drawn = [redrawn(scan, "tumour", rng=rng).mask("tumour") > 0 for _ in range(3)]
    for after in drawn:
        assert 2 * (before & after).sum() / (before.sum() + after.sum()) > 0.8
    assert len({after.tobytes() for after in drawn}) > 1


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda s: translated(s, (0, np.nan, 0)), DataError),
        (lambda s: rotated(s, "tumour", angle_degrees=np.inf), DataError),
        (lambda s: noised(s, sd=-1.0, rng=np.random.default_rng(0)), DataError),
        (lambda s: resized(s, "tumour", change=-1.0), DataError),
        (lambda s: resized(s, "none", change=0.5), GeometryError),
        (lambda s: rotated(s, "none", angle_degrees=5), GeometryError),
        (lambda s: redrawn(s, "none", rng=np.random.default_rng(0)), GeometryError),
    ],
    ids=["shift", "angle", "noise", "vanish", "resize_empty", "rotate_empty", "redraw_empty"],
)
def test_bad_input_is_named(scan: Volume, act, error: type[Exception]) -> None:
    empty = np.zeros(scan.voxels.shape, dtype=np.uint8)
    with pytest.raises(error, match="expected"):
        act(Volume(scan.voxels, {**scan.masks, "none": empty}, SPACING))
