from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.radiomics import glcm
from radiogenomics.imaging.radiomics.glcm import (
    FEATURES,
    glcm_features,
    glcm_ibsi,
    glcm_ibsi_features,
)
from radiogenomics.imaging.radiomics.neighbours import offset_weights, offsets
from radiogenomics.imaging.radiomics.roi import GreyLevels

from .authorities import (
    NORMS,
    SPACING,
    assert_consensus,
    assert_same,
    pyradiomics,
    random_levels,
)
from .matrices import cooccurrence


def pairs(levels: GreyLevels, steps: np.ndarray) -> np.ndarray:
    return cooccurrence(levels.levels, levels.count, steps)


def occupied(levels: GreyLevels) -> int:
    return len(np.unique(levels.levels[levels.levels > 0]))


@pytest.mark.parametrize("symmetric", [True, False], ids=["symmetric", "one-way"])
@pytest.mark.parametrize("norm", [None, *NORMS])
def test_numbers_of_pyradiomics(levels, norm, symmetric):
    steps = offsets((1,))
    weights = None if norm is None else offset_weights(steps, SPACING, norm)
    found = glcm_features(
        pairs(levels, steps), weights=weights, symmetric=symmetric, occupied=occupied(levels)
    )
    theirs = pyradiomics("glcm", levels.levels, weightingNorm=norm, symmetricalGLCM=symmetric)
    assert_same(found, theirs)


@pytest.mark.parametrize("distances", [(2,), (1, 3)], ids=str)
@pytest.mark.parametrize("flat_axis", [None, 0, 1, 2])
def test_numbers_of_pyradiomics_at_distances_and_in_planes(rng, distances, flat_axis):
    levels = random_levels(rng, shape=(4, 5, 6), count=5, filled=0.8)
    found = glcm_features(pairs(levels, offsets(distances, flat_axis=flat_axis)))
    theirs = pyradiomics(
        "glcm",
        levels.levels,
        distances=list(distances),
        force2D=flat_axis is not None,
        force2Ddimension=flat_axis or 0,
    )
    assert_same(found, theirs)


def test_numbers_of_pyradiomics_with_hundreds_of_levels(rng):
    levels = random_levels(rng, shape=(12, 12, 12), count=300)
    found = glcm_features(pairs(levels, offsets((1,))))
    assert_same(found, pyradiomics("glcm", levels.levels))


def test_rare_levels_keep_the_epsilon_of_pyradiomics(rng):
    """A level of one voxel in 10^5 has p_x p_y near the epsilon below the fraction of MCC."""
    counts = np.diag(rng.integers(10**6, 10**7, 8)) + rng.integers(0, 10**6, (8, 8))
    counts[:, 2:4] //= 10**6
    counts[2:4] //= 10**6
    counts[3, 3] = 1
    p = (counts + counts.T) / (2 * counts.sum())
    marginal = p.sum(axis=1)
    q = np.einsum("ik,jk,ik->ij", p, p, 1 / (np.outer(marginal, marginal) + np.spacing(1)))
    second = np.sort(np.linalg.eigvals(q).real)[-2]
    assert glcm_features(counts[None])["MCC"] == pytest.approx(np.sqrt(second), rel=1e-9)


def test_directions_in_turns_give_the_same_mean(rng, monkeypatch):
    levels = random_levels(rng, shape=(5, 5, 5), count=6)
    counts = pairs(levels, offsets((1,)))
    at_once = glcm_features(counts)
    monkeypatch.setattr(glcm, "CELLS_AT_ONCE", 100)
    assert_same(glcm_features(counts), at_once)


def test_directions_without_pairs_do_not_count():
    counts = np.zeros((3, 2, 2), dtype=np.int64)
    counts[1] = [[2, 1], [0, 1]]
    assert_same(glcm_features(counts), glcm_features(counts[1:2]))


def test_a_flat_region_has_its_conventional_values():
    found = glcm_features(np.full((13, 1, 1), 5))
    assert found["MCC"] == found["Correlation"] == found["JointEnergy"] == found["Id"] == 1
    assert found["Contrast"] == found["Imc1"] == found["Imc2"] == found["InverseVariance"] == 0


def test_a_single_voxel_has_no_pairs():
    """pyradiomics stops here: "Error getting angle count"."""
    found = glcm_features(np.zeros((13, 1, 1), dtype=np.int64), occupied=1)
    assert found.pop("MCC") == 1
    assert np.isnan(list(found.values())).all()


def test_a_level_without_neighbours_makes_a_region_uneven():
    """Levels 1 and 3, but only 1 beside 1: a second eigenvalue exists and is 0."""
    levels = np.zeros((1, 1, 5), dtype=np.uint16)
    levels[0, 0, [0, 1, 4]] = 1, 1, 3
    counts = cooccurrence(levels, 3, offsets((1,)))
    assert glcm_features(counts, occupied=2)["MCC"] == 0
    assert_same(glcm_features(counts, occupied=2), pyradiomics("glcm", levels))


def test_weights_that_vanish_leave_nothing():
    counts = np.ones((2, 2, 2), dtype=np.int64)
    assert np.isnan(list(glcm_features(counts, weights=np.zeros(2)).values())).all()


def test_a_constant_first_voxel_correlates_by_convention_whatever_the_weights():
    """pyradiomics divides rounding by rounding here."""
    counts = np.array([[[0, 0], [1, 2]], [[0, 0], [4, 1]]])
    weights = np.exp([-0.3, -1.1])
    found = glcm_features(counts, weights=weights, symmetric=False)
    assert found["Correlation"] == 1


def test_independent_levels_share_no_information():
    """p = (0.2, 0.8) x (0.2, 0.8), where rounding has either sign."""
    found = glcm_features(np.array([[[1, 4], [4, 16]]]))
    np.testing.assert_allclose(
        [found["Imc1"], found["Imc2"], found["Correlation"], found["MCC"]], 0, atol=1e-7
    )


def test_redundant_features_come_only_by_name():
    """p = (0.3, 0.15; 0.15, 0.4): i + j is 2, 3, 4 in shares of 0.3, 0.3, 0.4."""
    counts = np.array([[[3, 2], [1, 4]]])
    redundant = {"SumVariance": 0.3 * 1.1**2 + 0.3 * 0.1**2 + 0.4 * 0.9**2, "Dissimilarity": 0.3}
    assert glcm_features(counts, names=list(redundant)) == pytest.approx(redundant, rel=1e-14)
    found = glcm_features(counts)
    assert redundant.keys().isdisjoint(found)
    assert found["ClusterTendency"] == pytest.approx(redundant["SumVariance"], rel=1e-14)


@pytest.mark.real
@pytest.mark.parametrize(
    "aggregation", ["2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb"]
)
def test_consensus_of_the_ibsi(phantom, consensus, aggregation):
    found = glcm_ibsi(phantom, aggregation)
    assert_consensus(found, consensus, family="glcm", suffix=aggregation)


@pytest.mark.real
def test_codes_are_those_of_the_ibsi(consensus):
    table = consensus[consensus["family"] == "glcm"]
    theirs = set(zip(table["tag"], table["ibsi_code"], strict=True))
    assert {(f.ibsi_name, f.ibsi_code) for f in FEATURES if f.ibsi_name} == theirs


def test_merging_adds_the_matrices_of_slices_and_directions(rng):
    levels = random_levels(rng, shape=(3, 4, 5), count=4)
    levels.levels[1] = 0
    steps = offsets((1,), flat_axis=0)
    merged = pairs(levels, steps).sum(axis=0, keepdims=True)
    found = glcm_ibsi(levels, "2_5D_comb")
    assert found == {f"{tag}_2_5D_comb": v for tag, v in glcm_ibsi_features(merged).items()}
    each = np.concatenate([cooccurrence(levels.levels[z : z + 1], 4, steps) for z in (0, 2)])
    found = glcm_ibsi(levels, "2D_avg")
    assert found == {f"{tag}_2D_avg": v for tag, v in glcm_ibsi_features(each).items()}
