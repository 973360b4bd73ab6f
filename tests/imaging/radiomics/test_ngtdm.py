from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.radiomics.neighbours import offsets
from radiogenomics.imaging.radiomics.ngtdm import (
    FEATURES,
    ngtdm_features,
    ngtdm_ibsi,
    ngtdm_ibsi_features,
)
from radiogenomics.imaging.radiomics.roi import GreyLevels

from .authorities import assert_consensus, assert_same, pyradiomics, random_levels
from .matrices import tone


def test_numbers_of_pyradiomics(levels):
    found = ngtdm_features(*tone(levels.levels, levels.count, offsets((1,))))
    assert_same(found, pyradiomics("ngtdm", levels.levels))


@pytest.mark.parametrize("distances", [(2,), (1, 3)], ids=str)
@pytest.mark.parametrize("flat_axis", [None, 0, 1, 2])
def test_numbers_of_pyradiomics_at_distances_and_in_planes(rng, distances, flat_axis):
    levels = random_levels(rng, shape=(4, 5, 6), count=5, filled=0.8)
    steps = offsets(distances, flat_axis=flat_axis)
    theirs = pyradiomics(
        "ngtdm",
        levels.levels,
        distances=list(distances),
        force2D=flat_axis is not None,
        force2Ddimension=flat_axis or 0,
    )
    assert_same(ngtdm_features(*tone(levels.levels, levels.count, steps)), theirs)


def test_nothing_changes_in_a_flat_region():
    found = ngtdm_features(np.array([0, 8]), np.zeros(2))
    assert found == {
        "Busyness": 0,
        "Coarseness": 1e6,
        "Complexity": 0,
        "Contrast": 0,
        "Strength": 0,
    }


def test_levels_with_equal_weight_are_not_busy():
    """i p_i = 6/11 for levels 1, 2 and 3: pyradiomics may divide by the rounding of 3 (2/11)."""
    found = ngtdm_features(np.array([6, 3, 2]), np.array([1.0, 1.0, 1.0]))
    assert found["Busyness"] == 0


def test_two_levels_by_hand():
    """n = (3, 1), s = (2, 4): p = (3/4, 1/4)."""
    found = ngtdm_features(np.array([3, 1]), np.array([2.0, 4.0]))
    assert found == pytest.approx(
        {
            "Busyness": 2.5 / (2 * 0.25),
            "Coarseness": 1 / 2.5,
            "Complexity": 2 * 2.5 / 4,
            "Contrast": 2 * 3 / 16 / 2 * 6 / 4,
            "Strength": 2 / 6,
        },
        rel=1e-15,
    )


@pytest.mark.real
@pytest.mark.parametrize("aggregation", ["2D", "2_5D", "3D"])
def test_consensus_of_the_ibsi(phantom, consensus, aggregation):
    found = ngtdm_ibsi(phantom, aggregation)
    assert_consensus(found, consensus, family="ngtdm", suffix=aggregation)


@pytest.mark.real
def test_codes_are_those_of_the_ibsi(consensus):
    table = consensus[consensus["family"] == "ngtdm"]
    theirs = set(zip(table["tag"], table["ibsi_code"], strict=True))
    assert {(f.ibsi_name, f.ibsi_code) for f in FEATURES} == theirs


def test_the_ibsi_leaves_out_voxels_without_neighbours(rng):
    """The second slice holds one voxel alone and is left out of the mean."""
    levels = np.zeros((2, 4, 4), dtype=np.uint16)
    levels[0] = random_levels(rng, shape=(1, 4, 4), count=3).levels
    levels[1, 2, 2] = 3
    steps = offsets((1,), flat_axis=0)
    expected = ngtdm_ibsi_features(tone(levels[:1], 3, steps))
    for aggregation in ("2D", "2_5D"):
        found = ngtdm_ibsi(GreyLevels(levels, 3), aggregation)
        by_tag = {f"{tag}_{aggregation}": v for tag, v in expected.items()}
        assert found == pytest.approx(by_tag, rel=1e-14)
