from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import combine_pvalues

from radiogenomics.core.errors import DataError
from radiogenomics.stats.p_combination import fisher_combined, stouffer_combined


@pytest.fixture
def genes(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    p = rng.uniform(0, 1, (5, 40)) ** 3
    p[rng.random(p.shape) < 0.2] = np.nan
    p[0, :] = 10.0 ** -np.arange(1, 41)
    return p, rng.normal(size=p.shape)


def test_fisher_agrees_with_scipy(genes) -> None:
    p, _ = genes
    expected = [combine_pvalues(column[~np.isnan(column)]).pvalue for column in p.T]
    np.testing.assert_allclose(fisher_combined(p), expected, rtol=1e-11)


def test_stouffer_agrees_with_scipy(genes) -> None:
    p, direction = genes
    weights = np.array([3.0, 1.0, 2.0, 5.0, 1.5])
    for gene, found in enumerate(stouffer_combined(p, direction, weights=weights)):
        here = ~np.isnan(p[:, gene])
        upper = direction[here, gene] > 0
        # One-sided for either direction, so that scipy loses no digits next to 1.
        tails = [
            combine_pvalues(
                np.where(side, p[here, gene] / 2, 1 - p[here, gene] / 2),
                method="stouffer",
                weights=weights[here],
            ).pvalue
            for side in (upper, ~upper)
        ]
        if p[0, gene] > 1e-8:
            assert found == pytest.approx(2 * min(tails), rel=1e-6)


def test_opposite_effects_cancel_in_stouffer_alone() -> None:
    assert stouffer_combined([0.01, 0.01], [1, -1])[0] == pytest.approx(1)
    assert fisher_combined([0.01, 0.01])[0] < 0.002


def test_a_single_cohort_keeps_its_p() -> None:
    p = [[0.03, 1e-200], [np.nan, np.nan]]
    np.testing.assert_allclose(fisher_combined(p), [0.03, 1e-200], rtol=1e-9)
    np.testing.assert_allclose(stouffer_combined(p, [[1, -1], [1, 1]]), [0.03, 1e-200], rtol=1e-9)


def test_no_cohort_is_nan() -> None:
    assert np.isnan(fisher_combined([np.nan, np.nan])[0])
    assert np.isnan(stouffer_combined([np.nan, np.nan], [1, 1])[0])


@pytest.mark.parametrize("p", [[0.0, 0.5], [0.5, 1.2], [[[0.5]]]])
def test_other_values_are_refused(p) -> None:
    with pytest.raises(DataError, match="above 0 and at most 1"):
        fisher_combined(p)


def test_directions_and_weights_are_checked() -> None:
    with pytest.raises(DataError, match="direction"):
        stouffer_combined([0.1, 0.2], [1.0])
    with pytest.raises(DataError, match="direction"):
        stouffer_combined([0.1, 0.2], [1.0, np.nan])
    with pytest.raises(DataError, match="weight above 0"):
        stouffer_combined([0.1, 0.2], [1, 1], weights=[1, 0])
