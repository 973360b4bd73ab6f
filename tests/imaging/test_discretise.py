"""Grey levels: pyradiomics' own binning, the IBSI's definitions, refusals before memory fills."""

from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.imaging.discretise import grey_levels, ibsi_grey_levels
from radiogenomics.imaging.radiomics.roi import Roi

SPACING = (1.0, 1.0, 1.0)


def roi_of(values: list[float]) -> Roi:
    voxels = np.array(values, dtype=float).reshape(1, 1, -1)
    return Roi(voxels, np.ones(voxels.shape, dtype=bool), SPACING)


def random_roi(rng: np.random.Generator, *, scale: float, whole: bool) -> Roi:
    values = rng.normal(loc=rng.normal(scale=scale), scale=scale, size=(5, 6, 7))
    inside = rng.random(values.shape) < 0.6
    inside[2, 3, 3] = True
    return Roi(np.rint(values) if whole else values, inside, SPACING)


def as_pyradiomics(roi: Roi, **parameters: float) -> np.ndarray:
    operations = pytest.importorskip("radiomics", reason="needs pyradiomics").imageoperations
    return operations.binImage(roi.values, np.nonzero(roi.inside), **parameters)[0]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("bins", [0.1, 0.3, 1, 3, 5, 25])
def test_width_as_pyradiomics(rng: np.random.Generator, bins: float, whole: bool) -> None:
    for _ in range(20):
        roi = random_roi(rng, scale=20 * bins, whole=whole)
        found = grey_levels(roi, bin_width=bins, bin_count=None, maximum_bins=1000)
        expected = as_pyradiomics(roi, binWidth=bins)
        np.testing.assert_array_equal(found.levels, expected)
        assert found.count == expected.max()
        assert found.levels.dtype == np.uint16


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("bins", [1, 2, 32, 256])
def test_count_as_pyradiomics(rng: np.random.Generator, bins: int, whole: bool) -> None:
    for _ in range(20):
        roi = random_roi(rng, scale=10.0 ** rng.integers(-3, 4), whole=whole)
        found = grey_levels(roi, bin_width=None, bin_count=bins, maximum_bins=256)
        np.testing.assert_array_equal(found.levels, as_pyradiomics(roi, binCount=bins))


@pytest.mark.parametrize("value", [0.0, -25.0, 37.5, 1e15, 1e-300, -3.0])
def test_flat_region_as_pyradiomics(value: float) -> None:
    roi = roi_of([value, value, value])
    by_width = grey_levels(roi, bin_width=25, bin_count=None, maximum_bins=10)
    by_count = grey_levels(roi, bin_width=None, bin_count=8, maximum_bins=10)
    np.testing.assert_array_equal(by_width.levels, as_pyradiomics(roi, binWidth=25))
    np.testing.assert_array_equal(by_count.levels, as_pyradiomics(roi, binCount=8))
    assert by_width.count == 1


def test_width_that_vanishes_beside_the_intensities_leaves_one_level() -> None:
    flat = grey_levels(roi_of([1e300, 1e300]), bin_width=25, bin_count=None, maximum_bins=10)
    assert flat.levels.tolist() == [[[1, 1]]]


def test_example_of_pyradiomics_documentation() -> None:
    """Values from 54 to 166 and a width of 25 give the edges 50, 75, ..., 175."""
    roi = roi_of([54, 74.9, 75, 166])
    found = grey_levels(roi, bin_width=25, bin_count=None, maximum_bins=10)
    assert found.levels.ravel().tolist() == [1, 1, 2, 5]


@pytest.mark.parametrize(
    ("lowest", "expected"), [(None, [1, 1, 2, 5]), (-20.0, [2, 2, 3, 6]), (0.0, [1, 1, 2, 5])]
)
def test_ibsi_width_starts_at_the_lower_bound(lowest: float | None, expected: list[int]) -> None:
    """floor((v - a) / w) + 1 by hand, with a = 5 where there is no bound."""
    found = ibsi_grey_levels(
        roi_of([5, 20.5, 30, 105]), bin_width=25, bin_count=None, lowest=lowest, maximum_bins=9
    )
    assert found.levels.ravel().tolist() == expected
    assert found.count == expected[-1]


def test_ibsi_count_by_hand() -> None:
    """floor(4 (v - 2) / 8) + 1, and the maximum in level 4."""
    found = ibsi_grey_levels(
        roi_of([2, 3.9, 4, 8, 10]), bin_width=None, bin_count=4, lowest=None, maximum_bins=9
    )
    assert found.levels.ravel().tolist() == [1, 1, 2, 4, 4]


def test_outside_is_level_0() -> None:
    roi = Roi(np.array([[[1.0, np.nan, 30.0]]]), np.array([[[True, False, True]]]), SPACING)
    found = grey_levels(roi, bin_width=25, bin_count=None, maximum_bins=9)
    assert found.levels.tolist() == [[[1, 0, 2]]]


def refused(function, values: list[float], **parameters) -> str:
    with pytest.raises(DataError) as raised:
        function(roi_of(values), **{"bin_width": None, "bin_count": None, **parameters})
    return str(raised.value)


@pytest.mark.parametrize("width", [1.0, 1e-9, 1e-320])
def test_forgotten_width_is_refused_before_memory_is_filled(width: float) -> None:
    message = refused(grey_levels, [0.0, 6400.0], bin_width=width, maximum_bins=2000)
    assert "at most 2000 grey levels" in message
    assert "bin_width of 100 gives about 64 levels, 25 about 256" in message
    parameters = {"bin_width": width, "lowest": None, "maximum_bins": 2000}
    assert "2000" in refused(ibsi_grey_levels, [0.0, 6400.0], **parameters)


def test_as_many_levels_as_allowed_are_given() -> None:
    values = [0.0, 1.0, 99.0]
    allowed = {"bin_width": 1, "bin_count": None, "maximum_bins": 100}
    assert grey_levels(roi_of(values), **allowed).count == 100
    assert ibsi_grey_levels(roi_of(values), lowest=None, **allowed).count == 100
    assert "found 101" in refused(grey_levels, [0.0, 100.0], bin_width=1, maximum_bins=100)


def test_more_bins_than_can_be_stored_are_refused_whatever_is_allowed() -> None:
    parameters = {"bin_count": 70_000, "maximum_bins": 100_000}
    assert "65000" in refused(grey_levels, [0.0, 1.0], **parameters)
    assert "65000" in refused(ibsi_grey_levels, [0.0, 1.0], lowest=None, **parameters)


def test_neither_width_nor_count_is_refused() -> None:
    assert "found neither" in refused(grey_levels, [0.0, 1.0], maximum_bins=9)


def test_intensity_below_the_range_is_refused() -> None:
    message = refused(ibsi_grey_levels, [-1.0, 1.0], bin_width=1, lowest=0.0, maximum_bins=9)
    assert "Re-segment" in message


@pytest.mark.parametrize("width", [0.1, 0.7, 1.65, 2.2, 12.3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_edges_have_the_precision_of_the_response(rng, width, dtype):
    """pyradiomics leaves a filter's response in single precision, and so its first edge."""
    operations = pytest.importorskip("radiomics.imageoperations")
    values = rng.normal(-3, 40, (12, 12, 12)).astype(dtype)
    inside = rng.random(values.shape) < 0.7
    expected, _ = operations.binImage(values, inside, binWidth=width)
    found = grey_levels(
        Roi(values, inside, (1.0, 1.0, 1.0)), bin_width=width, bin_count=None, maximum_bins=10_000
    )
    np.testing.assert_array_equal(found.levels, expected)
