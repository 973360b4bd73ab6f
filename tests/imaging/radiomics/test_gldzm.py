from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.radiomics.gldzm import (
    FEATURES,
    border_distances,
    gldzm_ibsi,
    gldzm_ibsi_features,
)
from radiogenomics.imaging.radiomics.neighbours import offsets

from . import matrices
from .authorities import assert_consensus, random_levels


@pytest.mark.real
@pytest.mark.parametrize("aggregation", ["2D", "2_5D", "3D"])
def test_consensus_of_the_ibsi(phantom, consensus, aggregation):
    found = gldzm_ibsi(phantom, phantom.levels > 0, aggregation)
    assert_consensus(found, consensus, family="gldzm", suffix=aggregation)


@pytest.mark.real
def test_codes_are_those_of_the_ibsi(consensus):
    table = consensus[consensus["family"] == "gldzm"]
    theirs = set(zip(table["tag"], table["ibsi_code"], strict=True))
    assert {(f.ibsi_name, f.ibsi_code) for f in FEATURES} == theirs


@pytest.mark.parametrize("within_slices", [True, False], ids=["slices", "space"])
def test_distances_peel_the_mask_in_layers(rng, within_slices):
    mask = rng.random((6, 9, 9)) < 0.95
    steps = offsets((1,), flat_axis=0 if within_slices else None)
    found = border_distances(mask, within_slices=within_slices)
    assert found.max() > 1
    np.testing.assert_array_equal(found, matrices.border_distances(mask, steps))


def test_distances_count_from_the_morphological_mask(rng):
    """A hole that re-segmentation made is no border."""
    levels = random_levels(rng, shape=(5, 6, 7), count=3)
    mask = levels.levels > 0
    levels.levels[2, 3, 3] = 0
    steps = offsets((1,))
    depth = matrices.border_distances(mask, steps)
    assert depth.max() == 3
    expected = gldzm_ibsi_features(matrices.zones(levels.levels, steps, depth))
    found = gldzm_ibsi(levels, mask, "3D")
    assert found == pytest.approx({f"{tag}_3D": v for tag, v in expected.items()}, rel=1e-14)


def test_percentage_counts_voxels_not_distances():
    """Two zones of 6 and 2 voxels at distances 2 and 1."""
    found = gldzm_ibsi_features(np.array([[1, 6, 2], [3, 2, 1]]))
    by_hand = {"dzm_z_perc": 2 / 8, "dzm_lde": (4 + 1) / 2, "dzm_sdlge": (1 / 4 + 1 / 9) / 2}
    assert {tag: found[tag] for tag in by_hand} == pytest.approx(by_hand, rel=1e-15)
