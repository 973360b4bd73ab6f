from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.radiomics.gldm import (
    FEATURES,
    gldm_features,
    gldm_ibsi,
    gldm_ibsi_features,
)
from radiogenomics.imaging.radiomics.neighbours import offsets

from .authorities import assert_consensus, assert_same, pyradiomics, random_levels
from .matrices import dependence


@pytest.mark.parametrize("tolerance", [0, 1])
def test_numbers_of_pyradiomics(levels, tolerance):
    counts = dependence(levels.levels, levels.count, offsets((1,)), tolerance)
    assert_same(gldm_features(counts), pyradiomics("gldm", levels.levels, gldm_a=tolerance))


@pytest.mark.parametrize("distances", [(2,), (1, 3)], ids=str)
@pytest.mark.parametrize("flat_axis", [None, 0, 1, 2])
def test_numbers_of_pyradiomics_at_distances_and_in_planes(rng, distances, flat_axis):
    levels = random_levels(rng, shape=(4, 5, 6), count=3, filled=0.8)
    steps = offsets(distances, flat_axis=flat_axis)
    theirs = pyradiomics(
        "gldm",
        levels.levels,
        distances=list(distances),
        force2D=flat_axis is not None,
        force2Ddimension=flat_axis or 0,
    )
    assert_same(gldm_features(dependence(levels.levels, levels.count, steps)), theirs)


def test_a_voxel_alone_depends_on_itself():
    found = gldm_features(np.array([[1, 0, 0]]))
    assert found["SmallDependenceEmphasis"] == found["LargeDependenceEmphasis"] == 1
    assert found["DependenceEntropy"] == pytest.approx(0, abs=1e-15)
    assert found["DependenceVariance"] == found["GrayLevelVariance"] == 0


def test_redundant_features_come_only_by_name():
    """Three voxels of level 1, one of level 2."""
    counts = np.array([[1, 2], [1, 0]])
    found = gldm_features(
        counts, names=["DependencePercentage", "GrayLevelNonUniformityNormalized"]
    )
    assert found == {"DependencePercentage": 1, "GrayLevelNonUniformityNormalized": 10 / 16}
    assert found.keys().isdisjoint(gldm_features(counts))


@pytest.mark.real
@pytest.mark.parametrize("aggregation", ["2D", "2_5D", "3D"])
def test_consensus_of_the_ibsi(phantom, consensus, aggregation):
    found = gldm_ibsi(phantom, aggregation)
    assert_consensus(found, consensus, family="ngldm", suffix=aggregation)


@pytest.mark.real
def test_codes_are_those_of_the_ibsi(consensus):
    table = consensus[consensus["family"] == "ngldm"]
    theirs = set(zip(table["tag"], table["ibsi_code"], strict=True))
    assert {(f.ibsi_name, f.ibsi_code) for f in FEATURES} == theirs


def test_slices_are_averaged_or_joined(rng):
    levels = random_levels(rng, shape=(3, 5, 5), count=2, filled=0.8)
    levels.levels[1] = 0
    steps = offsets((1,), flat_axis=0)
    each = np.stack([dependence(levels.levels[z : z + 1], 2, steps) for z in (0, 2)])
    averaged = gldm_ibsi_features(each)
    assert gldm_ibsi(levels, "2D") == {f"{tag}_2D": v for tag, v in averaged.items()}
    joined = gldm_ibsi_features(each.sum(axis=0, keepdims=True))
    assert gldm_ibsi(levels, "2_5D") == {f"{tag}_2_5D": v for tag, v in joined.items()}
