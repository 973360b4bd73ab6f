from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.radiomics.glszm import (
    FEATURES,
    glszm_features,
    glszm_ibsi,
    glszm_ibsi_features,
)
from radiogenomics.imaging.radiomics.neighbours import offsets

from .authorities import assert_consensus, assert_same, pyradiomics, random_levels
from .matrices import zones


def test_numbers_of_pyradiomics(levels):
    found = glszm_features(zones(levels.levels, offsets((1,))))
    assert_same(found, pyradiomics("glszm", levels.levels))


@pytest.mark.parametrize("flat_axis", [0, 1, 2])
def test_numbers_of_pyradiomics_in_planes(rng, flat_axis):
    levels = random_levels(rng, shape=(4, 5, 6), count=3, filled=0.8)
    found = glszm_features(zones(levels.levels, offsets((1,), flat_axis=flat_axis)))
    theirs = pyradiomics("glszm", levels.levels, force2D=True, force2Ddimension=flat_axis)
    assert_same(found, theirs)


def test_one_zone_by_hand():
    found = glszm_features(np.array([[4, 10]]))
    by_hand = {
        "GrayLevelNonUniformityNormalized": 1,
        "GrayLevelVariance": 0,
        "LargeAreaHighGrayLevelEmphasis": 1600,
        "SmallAreaLowGrayLevelEmphasis": 1 / 1600,
        "ZoneEntropy": 0,
        "ZonePercentage": 0.1,
        "ZoneVariance": 0,
    }
    assert {name: found[name] for name in by_hand} == pytest.approx(by_hand, abs=1e-15)


def test_a_zone_of_a_million_voxels_needs_no_million_columns():
    found = glszm_features(np.array([[1, 10**6], [2, 1], [2, 1]]))
    assert found["LargeAreaEmphasis"] == pytest.approx((10**12 + 2) / 3, rel=1e-15)
    assert found["ZoneVariance"] == pytest.approx(2 / 9 * (10**6 - 1) ** 2, rel=1e-12)


@pytest.mark.real
@pytest.mark.parametrize("aggregation", ["2D", "2_5D", "3D"])
def test_consensus_of_the_ibsi(phantom, consensus, aggregation):
    found = glszm_ibsi(phantom, aggregation)
    assert_consensus(found, consensus, family="glszm", suffix=aggregation)


@pytest.mark.real
def test_codes_are_those_of_the_ibsi(consensus):
    table = consensus[consensus["family"] == "glszm"]
    theirs = set(zip(table["tag"], table["ibsi_code"], strict=True))
    assert {(f.ibsi_name, f.ibsi_code) for f in FEATURES} == theirs


def test_slices_are_averaged_or_joined(rng):
    levels = random_levels(rng, shape=(3, 5, 5), count=2, filled=0.8)
    levels.levels[1] = 0
    steps = offsets((1,), flat_axis=0)
    each = [zones(levels.levels[z : z + 1], steps) for z in (0, 2)]
    joined = {f"{tag}_2_5D": v for tag, v in glszm_ibsi_features(np.concatenate(each)).items()}
    assert glszm_ibsi(levels, "2_5D") == joined
    first, second = (glszm_ibsi_features(found) for found in each)
    averaged = {f"{tag}_2D": (first[tag] + second[tag]) / 2 for tag in first}
    assert glszm_ibsi(levels, "2D") == pytest.approx(averaged, rel=1e-14)
