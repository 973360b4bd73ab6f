from __future__ import annotations

import math

import numpy as np
import pytest

from radiogenomics.core.errors import DataError, GeometryError, UnknownNameError
from radiogenomics.core.scan import Volume
from radiogenomics.imaging.regions import habitats, ring, viable, with_region, without

SPACING = (3.0, 0.8, 1.1)


@pytest.fixture
def scan(rng: np.random.Generator) -> Volume:
    liver = np.zeros((14, 40, 40), dtype=np.uint8)
    liver[1:13, 3:37, 3:37] = 1
    tumour = np.zeros_like(liver)
    tumour[5:8, 15:24, 18:25] = 1
    return Volume(rng.normal(size=liver.shape), {"liver": liver, "tumour": tumour}, SPACING)


def test_ring_is_every_voxel_within_reach_by_brute_force(scan: Volume) -> None:
    found = ring(scan, "tumour", width_mm=4.0)
    size = np.array(SPACING)
    tumour = np.argwhere(scan.mask("tumour") > 0) * size
    expected = np.zeros(found.shape, dtype=bool)
    for place in np.ndindex(found.shape):
        distance = np.sqrt(((tumour - np.array(place) * size) ** 2).sum(axis=1)).min()
        expected[place] = 0 < distance <= 4.0 + 1e-9
    assert np.array_equal(found, expected)


def test_ring_is_clipped_to_the_organ(scan: Volume) -> None:
    wide = ring(scan, "tumour", width_mm=30.0)
    clipped = ring(scan, "tumour", width_mm=30.0, organ="liver")
    assert np.array_equal(clipped, wide & (scan.mask("liver") > 0))
    assert clipped.sum() < wide.sum()


def test_organ_without_lesion(scan: Volume) -> None:
    rest = without(scan, "liver", "tumour")
    assert rest.sum() == (scan.mask("liver") > 0).sum() - (scan.mask("tumour") > 0).sum()
    assert not (rest & (scan.mask("tumour") > 0)).any()


def test_viable_part_is_what_enhances(scan: Volume) -> None:
    found = viable(scan, "tumour", minimum=0.3)
    assert np.array_equal(found, (scan.mask("tumour") > 0) & (scan.voxels >= 0.3))
    with pytest.raises(GeometryError, match="at least 100"):
        viable(scan, "tumour", minimum=100)


@pytest.mark.parametrize(
    ("word", "voxels"),
    [
        ("tumour_ring_4mm", lambda s: ring(s, "tumour", width_mm=4)),
        ("tumour_ring_2.5mm_in_liver", lambda s: ring(s, "tumour", width_mm=2.5, organ="liver")),
        ("liver_without_tumour", lambda s: without(s, "liver", "tumour")),
        ("tumour", lambda s: s.mask("tumour")),
    ],
    ids=["ring", "ring_in_organ", "without", "mask"],
)
def test_words_name_regions(scan: Volume, word: str, voxels) -> None:
    assert np.array_equal(with_region(scan, word).mask(word), voxels(scan))


def test_habitats_find_planted_ones_and_are_ordered(rng: np.random.Generator) -> None:
    planted = rng.integers(1, 4, (6, 12, 12))
    inside = np.zeros(planted.shape, dtype=np.uint8)
    inside[1:5, 2:10, 2:10] = 1
    first = np.array([0.0, 50.0, 120.0, 200.0])[planted] + rng.normal(0, 2, planted.shape)
    second = np.array([0.0, 3.0, 1.0, 2.0])[planted] + rng.normal(0, 0.05, planted.shape)
    scan = Volume(first, {"tumour": inside}, (1, 1, 1))
    found = habitats(scan, "tumour", count=3, maps={"arterial": first, "washout": second})
    assert np.array_equal(found, np.where(inside > 0, planted, 0))


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda s: ring(s, "tumour", width_mm=0.0), DataError),
        (lambda s: ring(s, "tumour", width_mm=math.nan), DataError),
        (lambda s: ring(s, "tumour", width_mm=0.1), GeometryError),
        (lambda s: ring(s, "spleen", width_mm=5.0), UnknownNameError),
        (lambda s: without(s, "tumour", "liver"), GeometryError),
        (lambda s: with_region(s, "tumuor"), UnknownNameError),
        (lambda s: habitats(s, "tumour", count=1), DataError),
        (lambda s: habitats(s, "tumour", count=10**6), GeometryError),
        (lambda s: habitats(s, "tumour", count=2, maps={"a": np.zeros((1, 1, 1))}), DataError),
    ],
    ids=["zero", "nan", "thin", "absent", "swapped", "misspelt", "one", "many", "shape"],
)
def test_bad_input_is_named(scan: Volume, act, error: type[Exception]) -> None:
    with pytest.raises(error):
        act(scan)
