from __future__ import annotations

import numpy as np
import pytest

from radiogenomics.imaging.radiomics.neighbours import offset_lengths, offset_weights, offsets

from .authorities import NORMS


@pytest.mark.parametrize("distances", [(1,), (2,), (3,), (1, 2), (3, 1)], ids=str)
@pytest.mark.parametrize("flat_axis", [None, 0, 1, 2])
def test_order_and_half_space_of_pyradiomics(distances, flat_axis):
    pytest.importorskip("radiomics", reason="pyradiomics is not installed")
    from radiomics import cMatrices

    forced = flat_axis is not None
    theirs = cMatrices.generate_angles(
        np.array([9, 9, 9]), np.array(distances), False, forced, flat_axis or 0
    )
    found = offsets(distances, flat_axis=flat_axis)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, theirs)


def test_opposites_complete_the_neighbourhood():
    half = offsets((1, 2))
    both = {tuple(step) for step in (*half, *-half)}
    around = {tuple(step) for step in np.argwhere(np.ones((5, 5, 5))) - 2}
    assert both == around - {(0, 0, 0)}


def test_lengths_by_hand():
    steps = np.array([[1, -2, 0], [0, 1, 1]])
    spacing = (3.0, 2.0, 0.5)
    by_norm = {norm: offset_lengths(steps, spacing, norm).tolist() for norm in NORMS}
    assert by_norm == {
        "manhattan": [7.0, 2.5],
        "euclidean": [5.0, 4.25**0.5],
        "infinity": [4.0, 2.0],
        "no_weighting": [1.0, 1.0],
    }


def test_weights_fall_with_the_square_of_the_length_and_vanish_silently():
    steps = np.array([[0, 0, 1], [0, 0, 2], [1, 0, 0]])
    found = offset_weights(steps, (30.0, 1.0, 1.0), "euclidean")
    np.testing.assert_allclose(found, [np.exp(-1), np.exp(-4), 0], rtol=1e-15)
    assert offset_weights(steps, (30.0, 1.0, 1.0), "no_weighting").tolist() == [1, 1, 1]
