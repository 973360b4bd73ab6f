"""The texture kernels: every matrix is that of pyradiomics' C code, for any number of threads."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage
from skimage import measure

from radiogenomics.imaging.radiomics import _kernels

HALF = np.array([step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0)])


def region(rng: np.random.Generator, *, levels: int) -> np.ndarray:
    """A small volume of odd shape with holes, borders and levels that may be missing."""
    shape = tuple(rng.integers(1, 8, 3))
    volume = rng.integers(0, levels + 1, shape).astype(np.uint16)
    volume[rng.random(shape) < rng.choice([0.0, 0.3, 0.9])] = 0
    volume.flat[rng.integers(volume.size)] = levels
    return volume


def regions(rng: np.random.Generator, *, number: int) -> list[np.ndarray]:
    return [region(rng, levels=int(rng.choice([1, 2, 7, 300]))) for _ in range(number)]


def by_direction(matrices: np.ndarray) -> np.ndarray:
    """pyradiomics' (1, level, j, direction) as (direction, level, j)."""
    return np.moveaxis(matrices[0], -1, 0)


class Authority:
    """pyradiomics' own matrices of one volume."""

    def __init__(self, levels: np.ndarray, *, flat_axis: int | None, distances: list[int]) -> None:
        self.matrices = pytest.importorskip("radiomics", reason="needs pyradiomics").cMatrices
        self.image, self.mask = levels.astype(int), levels > 0
        self.count = int(levels.max())
        self.distances = np.array(distances)
        self.plane = (flat_axis is not None, flat_axis or 0)

    def steps(self, distances: list[int]) -> np.ndarray | None:
        """Half of the neighbours; None where pyradiomics finds none and raises."""
        try:
            return self.matrices.generate_angles(
                np.array(self.image.shape), np.array(distances), False, *self.plane
            )
        except RuntimeError:
            return None

    def glcm(self) -> np.ndarray:
        arguments = (self.image, self.mask, self.distances, self.count, *self.plane)
        return by_direction(self.matrices.calculate_glcm(*arguments)[0])

    def glrlm(self) -> np.ndarray:
        longest = max(self.image.shape)
        arguments = (self.image, self.mask, self.count, longest, *self.plane)
        return by_direction(self.matrices.calculate_glrlm(*arguments)[0])

    def glszm(self) -> np.ndarray:
        arguments = (self.image, self.mask, self.count, int(self.mask.sum()), *self.plane)
        return self.matrices.calculate_glszm(*arguments)[0]

    def gldm(self, tolerance: int) -> np.ndarray:
        arguments = (self.image, self.mask, self.distances, self.count, tolerance, *self.plane)
        return self.matrices.calculate_gldm(*arguments)[0]

    def ngtdm(self) -> np.ndarray:
        arguments = (self.image, self.mask, self.distances, self.count, *self.plane)
        return self.matrices.calculate_ngtdm(*arguments)[0]


@pytest.mark.parametrize("flat_axis", [None, 0, 1, 2])
@pytest.mark.parametrize("distances", [[1], [2], [1, 2], [1, 3]])
def test_matrices_are_those_of_pyradiomics(
    rng: np.random.Generator, flat_axis: int | None, distances: list[int]
) -> None:
    compared = 0
    for levels in regions(rng, number=25):
        theirs = Authority(levels, flat_axis=flat_axis, distances=distances)
        far, near, count = theirs.steps(distances), theirs.steps([1]), theirs.count
        if far is None or near is None:
            continue
        compared += 1
        threads, tolerance = int(rng.integers(1, 4)), int(rng.integers(0, 3))
        np.testing.assert_array_equal(
            _kernels.cooccurrence(levels, count, far, threads), theirs.glcm()
        )
        pairs, runs = _kernels.cooccurrence_and_runs(levels, count, near, threads)
        np.testing.assert_array_equal(runs, theirs.glrlm())
        np.testing.assert_array_equal(_kernels.runs(levels, count, near, threads), runs)
        np.testing.assert_array_equal(_kernels.cooccurrence(levels, count, near), pairs)
        dependence, voxels, difference = _kernels.dependence_and_tone(
            levels, count, far, tolerance, threads
        )
        # pyradiomics leaves room for twice the neighbours there are.
        used = dependence.shape[1]
        np.testing.assert_array_equal(dependence, theirs.gldm(tolerance)[:, :used])
        assert not theirs.gldm(tolerance)[:, used:].any()
        np.testing.assert_array_equal(voxels, theirs.ngtdm()[:, 0])
        np.testing.assert_allclose(difference, theirs.ngtdm()[:, 1], rtol=1e-12, atol=0)
        np.testing.assert_array_equal(as_matrix(levels, near), theirs.glszm())
    assert compared > 10


def as_matrix(levels: np.ndarray, steps: np.ndarray) -> np.ndarray:
    zones = _kernels.zones(levels, int(levels.max()), steps)
    matrix = np.zeros((levels.max(), zones[:, 1].max()))
    np.add.at(matrix, (zones[:, 0] - 1, zones[:, 1] - 1), 1)
    return matrix


@pytest.mark.parametrize("levels", [1, 254, 255, 256, 65535])
def test_any_number_of_levels(levels: int) -> None:
    """The width of the integers changes with the number of levels; what is counted does not."""
    volume = np.zeros((2, 3, 5), dtype=np.uint16)
    volume[0, 1, 1:4] = levels
    dependence, voxels, difference = _kernels.dependence_and_tone(volume, levels, HALF)
    assert dependence[levels - 1, 1:3].tolist() == [2, 1]
    assert voxels[levels - 1] == 3
    assert not difference.any()
    assert _kernels.zones(volume, levels, HALF).tolist() == [[levels, 3]]
    if levels < 65535:
        pairs, runs = _kernels.cooccurrence_and_runs(volume, levels, [[0, 0, 1]])
        assert pairs[0, levels - 1, levels - 1] == pairs.sum() == 2
        assert runs[0, levels - 1, 2] == runs.sum() == 1


@pytest.mark.parametrize("length", [253, 254, 255, 256, 70000])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_runs_of_any_length(length: int, axis: int) -> None:
    shape = [1, 1, 1]
    shape[axis] = length
    step = np.zeros((1, 3), dtype=int)
    step[0, axis] = 1
    runs = _kernels.runs(np.ones(shape, dtype=np.uint16), 1, step)
    assert runs[0, 0, length - 1] == runs.sum() == 1


def test_result_does_not_depend_on_threads(rng: np.random.Generator) -> None:
    levels = rng.integers(0, 9, (17, 12, 14)).astype(np.uint16)
    for threads in (2, 3, 5, 100):
        for kernel in (_kernels.cooccurrence_and_runs, _kernels.dependence_and_tone):
            alone = kernel(levels, 8, HALF)
            for one, many in zip(alone, kernel(levels, 8, HALF, threads=threads), strict=True):
                np.testing.assert_array_equal(one, many)


def test_opposite_steps_swap_the_pair_and_keep_the_runs(rng: np.random.Generator) -> None:
    levels = region(rng, levels=5)
    pairs, runs = _kernels.cooccurrence_and_runs(levels, 5, HALF)
    back, runs_back = _kernels.cooccurrence_and_runs(levels, 5, -HALF)
    np.testing.assert_array_equal(back, pairs.transpose(0, 2, 1))
    np.testing.assert_array_equal(runs_back, runs)


def test_direction_of_lone_voxels_has_runs_only_when_asked_for() -> None:
    levels = np.array([[[1, 0], [0, 2]]], dtype=np.uint16)
    across, along = [[0, 1, -1]], [[0, 1, 1]]
    assert not _kernels.runs(levels, 2, across).any()
    assert _kernels.runs(levels, 2, across, lone_lines=True)[0, :, 0].tolist() == [1, 1]
    assert _kernels.runs(levels, 2, along)[0, :, 0].tolist() == [1, 1]


def test_isolated_voxels_are_counted_only_when_asked_for() -> None:
    levels = np.array([[[1, 0, 2, 2]]], dtype=np.uint16)
    assert _kernels.dependence_and_tone(levels, 2, HALF)[1].tolist() == [1, 2]
    assert _kernels.dependence_and_tone(levels, 2, HALF, isolated=False)[1].tolist() == [0, 2]


@pytest.mark.parametrize("connectivity", [1, 2, 3])
def test_zones_are_connected_components(rng: np.random.Generator, connectivity: int) -> None:
    """Against skimage, for 6, 18 and 26 neighbours, with the smallest distance of each zone."""
    levels = rng.integers(0, 4, (9, 14, 11)).astype(np.uint16)
    distance = ndimage.distance_transform_cdt(levels > 0, metric="taxicab").astype(np.int64)
    steps = HALF[np.abs(HALF).sum(axis=1) <= connectivity]
    label = measure.label(levels, background=0, connectivity=connectivity)
    expected = [
        (levels[label == zone][0], (label == zone).sum(), distance[label == zone].min())
        for zone in range(1, label.max() + 1)
    ]
    found = _kernels.zone_distances(levels, 3, steps, distance)
    assert sorted(map(tuple, found.tolist())) == sorted(expected)
    np.testing.assert_array_equal(
        found[:, :2], _kernels.zones(levels, 3, np.vstack([steps, -steps]))
    )


@pytest.mark.parametrize("edges", ["even", "uneven", "repeated", "one", "infinite"])
def test_bins_are_those_of_digitize(rng: np.random.Generator, edges: str) -> None:
    even = np.arange(-1050, 300, 0.1 * 3)
    limits = {
        "even": even,
        "uneven": np.sort(rng.normal(scale=400, size=900)),
        "repeated": np.sort(rng.integers(-20, 20, 60)).astype(float),
        "one": np.array([3.5]),
        "infinite": np.array([-np.inf, -5.0, 0.0, 7.0, np.inf]),
    }[edges]
    around = np.concatenate([limits, np.nextafter(limits, np.inf), np.nextafter(limits, -np.inf)])
    far = [np.inf, -np.inf, 1e300, -1e300, 0.0, -0.0, 5e-324]
    values = np.concatenate([around, rng.normal(scale=500, size=5000), far])
    np.testing.assert_array_equal(_kernels.bin_levels(values, limits), np.digitize(values, limits))


def test_number_of_histogram_edges_is_found_exactly(rng: np.random.Generator) -> None:
    for bins in (1, 3, 32, 1000):
        values = rng.normal(size=2000) * 10.0 ** rng.integers(-8, 9)
        edges = np.histogram_bin_edges(values, bins)
        found = _kernels.bin_levels(values, edges)
        np.testing.assert_array_equal(found, np.digitize(values, edges))


LEVELS = np.ones((2, 2, 2), dtype=np.uint16)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("three axes", lambda: _kernels.zones(LEVELS[0], 1, HALF)),
        ("0 to count", lambda: _kernels.zones(2 * LEVELS, 1, HALF)),
        ("1 to 65535", lambda: _kernels.zones(LEVELS, 0, HALF)),
        ("1 to 65535", lambda: _kernels.zones(LEVELS, 65536, HALF)),
        ("directions, 3", lambda: _kernels.zones(LEVELS, 1, HALF[0])),
        ("another voxel", lambda: _kernels.zones(LEVELS, 1, [[0, 0, 0]])),
        ("adjacent", lambda: _kernels.zones(LEVELS, 1, [[0, 0, 2]])),
        ("adjacent", lambda: _kernels.runs(LEVELS, 1, [[0, 2, 0]])),
        ("at least 1", lambda: _kernels.runs(LEVELS, 1, HALF, 0)),
        ("2.28 cells", lambda: _kernels.cooccurrence(LEVELS, 60000, HALF)),
        ("at least 0", lambda: _kernels.dependence_and_tone(LEVELS, 1, HALF, -1)),
        ("shape of levels", lambda: _kernels.zone_distances(LEVELS, 1, HALF, HALF[None])),
        ("NaN", lambda: _kernels.bin_levels(np.array([np.nan]), np.arange(3.0))),
        ("ascending", lambda: _kernels.bin_levels(np.zeros(1), np.array([1.0, 0.0]))),
        ("ascending", lambda: _kernels.bin_levels(np.zeros(1), np.array([np.nan, 0.0]))),
        ("one axis", lambda: _kernels.bin_levels(np.zeros((1, 1)), np.arange(3.0))),
        ("65535 edges", lambda: _kernels.bin_levels(np.zeros(1), np.arange(65536.0))),
    ],
)
def test_refusals_say_what_was_expected(message: str, call) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_long_steps_meet_nothing() -> None:
    huge = np.array([[0, 0, 2], [2**62, 0, 1], [-(2**63), 0, 0]])
    assert not _kernels.cooccurrence(LEVELS, 1, huge).any()
    dependence, voxels, difference = _kernels.dependence_and_tone(LEVELS, 1, huge)
    assert dependence.tolist() == [[8, 0, 0, 0, 0, 0, 0]]
    assert (voxels[0], difference[0]) == (8, 0.0)
