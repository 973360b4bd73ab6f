from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kstest, spearmanr

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.association.mantel import distance_matrix, mantel
from radiogenomics.stats.permutation import permutation_p, permutations


@pytest.fixture(scope="module")
def blocks(table) -> dict[str, np.ndarray]:
    values = table("joint_links_input")
    return {name: values.filter(regex=f"^{name}").to_numpy() for name in "xyz"}


@pytest.fixture(scope="module")
def orders(table) -> np.ndarray:
    return table("joint_links_orders").to_numpy()


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@pytest.mark.parametrize("partial", [False, True])
def test_matches_r(blocks, orders, table, method: str, partial: bool) -> None:
    expected = table("joint_links")[f"{'partial' if partial else 'mantel'}_{method}"]
    apart = {name: distance_matrix(values) for name, values in blocks.items()}
    beside = apart["z"] if partial else None
    found = mantel(apart["x"], apart["y"], orders=orders, method=method, beside=beside)
    np.testing.assert_allclose([found.value, *found.null], expected, rtol=1e-9, atol=1e-14)
    assert found.p == permutation_p(expected[0], expected[1:])
    assert found.partial is partial


def test_distances_by_rank_correlation_match_r(blocks, orders, table) -> None:
    apart = [distance_matrix(blocks[name], kind="correlation") for name in "xy"]
    found = mantel(*apart, orders=orders)
    expected = table("joint_links")["mantel_rank_distance"]
    np.testing.assert_allclose([found.value, *found.null], expected, rtol=1e-9, atol=1e-14)


def test_distances_equal_those_of_scipy(rng) -> None:
    values = rng.normal(5, 3, size=(12, 7))
    scaled = (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)
    np.testing.assert_allclose(distance_matrix(values), squareform(pdist(scaled)), atol=1e-12)
    rho = spearmanr(scaled, axis=1).statistic
    np.testing.assert_allclose(distance_matrix(values, kind="correlation"), 1 - rho, atol=1e-12)


def test_relabelled_tables_are_found_again(rng) -> None:
    apart = distance_matrix(rng.normal(size=(15, 3)))
    order = rng.permutation(15)
    moved = apart[order][:, order]
    found = mantel(apart, moved, orders=np.vstack([order, permutations(15, 18, rng)]))
    assert found.null[0] == pytest.approx(1, abs=1e-12)
    assert found.value < 0.9


@pytest.mark.parametrize("partial", [False, True])
def test_p_is_uniform_without_a_link(partial: bool) -> None:
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        tables = [rng.exponential(size=(20, columns)) for columns in (3, 30, 2)]
        x, y, z = (distance_matrix(values) for values in tables)
        orders = permutations(20, 39, rng)
        p = mantel(x, y, orders=orders, beside=z if partial else None).p
        found.append(p - rng.random() / 40)
    assert kstest(found, "uniform").pvalue > 0.01


def test_partial_takes_a_shared_cause_away(rng) -> None:
    z = rng.normal(size=(40, 1))
    x, y = (z + 0.3 * rng.normal(size=(40, 3)) for _ in range(2))
    apart = [distance_matrix(values) for values in (x, y, z)]
    orders = permutations(40, 99, rng)
    assert mantel(*apart[:2], orders=orders).p == pytest.approx(0.01)
    assert abs(mantel(*apart[:2], orders=orders, beside=apart[2]).value) < 0.2


def test_bad_input_says_what_is_expected(rng) -> None:
    apart, orders = distance_matrix(rng.normal(size=(8, 3))), permutations(8, 3, rng)
    crooked, holes = apart.copy(), apart.copy()
    crooked[0, 1] += 1
    holes[0, 1] = holes[1, 0] = np.nan
    equal = 1 - np.eye(8)
    for bad in (apart[:7, :7], apart[:7], crooked, holes, equal, apart + np.eye(8), apart[:2, :2]):
        for pair in ((bad, apart), (apart, bad)):
            with pytest.raises(DataError, match="expected"):
                mantel(*pair, orders=orders)
        with pytest.raises(DataError, match="expected"):
            mantel(apart, apart, orders=orders, beside=bad)
    with pytest.raises(DataError, match="a line of it"):
        mantel(apart, 3 * apart, orders=orders, beside=2 * apart)
    with pytest.raises(UnknownNameError, match="pearson"):
        mantel(apart, apart, orders=orders, method="kendall")
    with pytest.raises(UnknownNameError, match="euclidean"):
        distance_matrix(rng.normal(size=(8, 3)), kind="cosine")
    with pytest.raises(DataError, match="at least 3 columns"):
        distance_matrix(rng.normal(size=(8, 2)), kind="correlation")
    with pytest.raises(DataError, match="do not vary"):
        distance_matrix(np.ones((8, 2)))
