"""Running sums of many sets down many rankings, against gseapy and a sum written out."""

from __future__ import annotations

import gseapy
import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association.running_sum import (
    enrichment_scores,
    leading_edge,
    set_members,
)

GENES = 500


@pytest.fixture
def sets(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.choice(GENES, size, replace=False) for size in (1, 2, 7, 8, 9, 40, 300, 499)]


def written_out(ranking: np.ndarray, positions: np.ndarray, weight: float) -> float:
    """The sum gene by gene, as Subramanian et al. define it."""
    order = np.argsort(-ranking, kind="stable")
    hit = np.isin(order, positions)
    size = np.abs(ranking[order]) ** weight * hit
    steps = np.where(hit, size / size.sum(), -1 / (len(ranking) - hit.sum()))
    path = np.cumsum(steps)
    return float(path.max() if path.max() >= -path.min() else path.min())


@pytest.mark.parametrize("weight", [0.0, 1.0, 1.5])
def test_scores_are_the_sum_written_out(weight, sets, rng) -> None:
    rankings = rng.normal(size=(6, GENES))
    found = enrichment_scores(rankings, set_members(sets, GENES), weight=weight)
    expected = [[written_out(row, each, weight) for each in sets] for row in rankings]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_scores_are_gseapys(sets, rng) -> None:
    names = [f"G{at}" for at in range(GENES)]
    ranking = rng.normal(size=GENES)
    given = {f"S{at}": [names[gene] for gene in each] for at, each in enumerate(sets[2:7])}
    table = gseapy.prerank(
        rnk=pd.Series(ranking, names).sort_values(ascending=False),
        gene_sets=given, permutation_num=2, min_size=1, max_size=GENES, no_plot=True, outdir=None,
        threads=1, seed=0,
    ).res2d.set_index("Term")  # fmt: skip
    found = enrichment_scores(ranking[None], set_members(sets[2:7], GENES))[0]
    expected = table.loc[list(given), "ES"].to_numpy(dtype=float)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_single_precision_differs_by_rounding_only(sets, rng) -> None:
    rankings = rng.normal(size=(20, GENES))
    members = set_members(sets, GENES)
    single = enrichment_scores(rankings.astype(np.float32), members)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, enrichment_scores(rankings, members), atol=1e-5)


def test_equal_values_stand_in_the_order_of_the_genes(sets, rng) -> None:
    ranking = rng.integers(-2, 3, GENES).astype(float)
    ranking[:50] = np.where(np.arange(50) % 2, 0.0, -0.0)
    members = set_members(sets, GENES)
    expected = [written_out(ranking, each, 1.0) for each in sets[1:]]
    np.testing.assert_allclose(
        enrichment_scores(ranking[None], members)[0, 1:], expected, atol=1e-12
    )
    single = enrichment_scores(ranking[None].astype(np.float32), members)[0, 1:]
    np.testing.assert_allclose(single, expected, atol=1e-5)


def test_genes_without_weight_count_alike() -> None:
    ranking = np.array([3.0, 0.0, 0.0, -1.0])
    found = enrichment_scores(ranking[None], set_members([[1, 2]], 4))
    assert found.item() == pytest.approx(0.5)


def test_leading_edge_ends_where_the_sum_is_farthest() -> None:
    ranking = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 0.0, -1.0, -2.0])
    assert leading_edge(ranking, [0, 1, 6]).tolist() == [0, 1]
    assert leading_edge(ranking, [1, 6, 7]).tolist() == [7, 6]
    for each in ([0, 1, 6], [1, 6, 7]):
        turned = leading_edge(-ranking, each)
        assert set(turned) == set(leading_edge(ranking, each))


@pytest.mark.parametrize("bad", [[], [[]], [[0, 0]], [[0, 9]], [[-1]], [list(range(8))]], ids=str)
def test_unfit_sets_are_refused(bad) -> None:
    with pytest.raises(DataError, match="expected sets of 1 to 7 of 8 genes"):
        set_members(bad, 8)


def test_unfit_rankings_are_refused() -> None:
    members = set_members([[0, 1]], 4)
    with pytest.raises(DataError, match="rankings of 4 genes"):
        enrichment_scores(np.zeros((1, 5)), members)
    with pytest.raises(DataError, match="1 missing"):
        enrichment_scores([[1.0, np.nan, 2.0, 3.0]], members)
    for weight in (-1.0, np.inf, np.nan):
        with pytest.raises(DataError, match="weight"):
            enrichment_scores([[1.0, 0.0, 2.0, 3.0]], members, weight=weight)
    with pytest.raises(DataError, match="that can be added up"):
        enrichment_scores([[1e300, 0.0, 2.0, 3.0]], members, weight=2.0)
