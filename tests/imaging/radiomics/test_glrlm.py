from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.radiomics.glrlm import (
    FEATURES,
    glrlm_features,
    glrlm_ibsi,
    glrlm_ibsi_features,
)
from radiogenomics.imaging.radiomics.neighbours import offset_lengths, offsets

from .authorities import NORMS, SPACING, assert_consensus, assert_same, pyradiomics, random_levels
from .matrices import lone_lines, runs


def runs_of_pyradiomics(levels: np.ndarray, count: int, steps: np.ndarray) -> np.ndarray:
    """pyradiomics leaves out directions along which no line holds two voxels of the region."""
    counts = runs(levels, count, steps)
    counts[[lone_lines(levels, step) for step in steps]] = 0
    return counts


@pytest.mark.parametrize("norm", [None, *NORMS])
def test_numbers_of_pyradiomics(levels, norm):
    steps = offsets((1,))
    weights = None if norm is None else offset_lengths(steps, SPACING, norm)
    counts = runs_of_pyradiomics(levels.levels, levels.count, steps)
    found = glrlm_features(counts, weights=weights)
    assert_same(found, pyradiomics("glrlm", levels.levels, weightingNorm=norm))


@pytest.mark.parametrize("flat_axis", [0, 1, 2])
def test_numbers_of_pyradiomics_in_planes(rng, flat_axis):
    levels = random_levels(rng, shape=(4, 5, 6), count=3, filled=0.8)
    counts = runs(levels.levels, levels.count, offsets((1,), flat_axis=flat_axis))
    theirs = pyradiomics("glrlm", levels.levels, force2D=True, force2Ddimension=flat_axis)
    assert_same(glrlm_features(counts), theirs)


def test_runs_by_hand():
    """One run of three at level 1, two of one at level 2, in five voxels."""
    found = glrlm_features(np.array([[[0, 0, 1], [2, 0, 0]]]))
    by_hand = {
        "GrayLevelNonUniformity": (1 + 4) / 3,
        "GrayLevelVariance": 2 / 9,
        "LongRunHighGrayLevelEmphasis": (9 + 4 + 4) / 3,
        "LowGrayLevelRunEmphasis": (1 + 2 / 4) / 3,
        "RunEntropy": np.log2(3) - 2 / 3,
        "RunPercentage": 3 / 5,
        "RunVariance": 8 / 9,
        "ShortRunEmphasis": (1 / 9 + 2) / 3,
    }
    assert {name: found[name] for name in by_hand} == pytest.approx(by_hand, rel=1e-14)


def test_percentage_of_merged_directions_counts_each_voxel_once_a_direction():
    counts = np.array([[[4]], [[4]]])
    assert glrlm_features(counts, weights=np.array([0.3, 2.0]))["RunPercentage"] == 1


def test_no_direction_no_value():
    """pyradiomics stops at a single voxel: "Error getting angle count"."""
    found = glrlm_features(np.zeros((13, 2, 3), dtype=np.int64))
    assert np.isnan(list(found.values())).all()


@pytest.mark.real
@pytest.mark.parametrize(
    "aggregation", ["2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"]
)
def test_consensus_of_the_ibsi(phantom, consensus, aggregation):
    found = glrlm_ibsi(phantom, aggregation)
    assert_consensus(found, consensus, family="glrlm", suffix=aggregation)


@pytest.mark.real
def test_codes_are_those_of_the_ibsi(consensus):
    table = consensus[consensus["family"] == "glrlm"]
    theirs = set(zip(table["tag"], table["ibsi_code"], strict=True))
    assert {(f.ibsi_name, f.ibsi_code) for f in FEATURES} == theirs


def test_the_ibsi_counts_runs_across_a_flat_region(rng):
    levels = random_levels(rng, shape=(1, 4, 5), count=3)
    counts = runs(levels.levels, levels.count, offsets((1,)))
    assert (counts[0, :, 0].sum(), counts[0, :, 1:].sum()) == (20, 0)
    found = glrlm_ibsi(levels, "3D_avg")
    assert found == {f"{tag}_3D_avg": v for tag, v in glrlm_ibsi_features(counts).items()}
