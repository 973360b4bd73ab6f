from __future__ import annotations

from itertools import permutations as every_order

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association.rv_coefficient import rv_coefficient
from radiogenomics.stats.permutation import permutation_p, permutations


@pytest.fixture(scope="module")
def blocks(table) -> dict[str, np.ndarray]:
    values = table("joint_links_input")
    return {name: values.filter(regex=f"^{name}").to_numpy() for name in "xyz"}


@pytest.fixture(scope="module")
def expected(table) -> pd.DataFrame:
    return table("joint_links")


@pytest.fixture(scope="module")
def orders(table) -> np.ndarray:
    return table("joint_links_orders").to_numpy()


def standardised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / values.std(axis=0, ddof=1)


def test_matches_r_by_covariances(blocks, orders, expected) -> None:
    found = rv_coefficient(blocks["x"], blocks["y"], orders=orders)
    np.testing.assert_allclose([found.value, *found.null], expected["rv"], rtol=1e-12)
    assert found.p == permutation_p(expected["rv"][0], expected["rv"][1:])
    assert found.chance == pytest.approx(expected["rv"][1:].mean(), rel=1e-12)


def test_adjusted_matches_r_by_adjusted_squared_correlations(blocks, orders, expected) -> None:
    x, y = standardised(blocks["x"]), standardised(blocks["y"])
    found = rv_coefficient(x, y, orders=orders, adjusted=True)
    np.testing.assert_allclose([found.value, *found.null], expected["mayer"], rtol=1e-10)


def test_beside_covariates_matches_r_by_residuals_of_relabelled_residuals(
    blocks, orders, expected
) -> None:
    x, y, z = blocks.values()
    fair = rv_coefficient(x, y, orders=orders, beside=z, adjusted=True)
    np.testing.assert_allclose([fair.value, *fair.null], expected["adjusted_beside"], rtol=1e-10)
    plain = rv_coefficient(x, y, orders=orders, beside=z)
    assert plain.value == pytest.approx(expected["rv_beside"][0], rel=1e-12)
    # One line maps adjusted to plain values, so that both have one p.
    line = np.polyfit(fair.null, plain.null, 1)
    np.testing.assert_allclose(np.polyval(line, fair.null), plain.null, rtol=1e-12)
    assert np.polyval(line, fair.value) == pytest.approx(plain.value, rel=1e-12)
    assert plain.p == fair.p


def test_adjusted_beside_covariates_matches_r(blocks, orders, expected) -> None:
    design = np.insert(blocks["z"], 0, 1.0, axis=1)
    left = [
        standardised(blocks[name] - design @ np.linalg.lstsq(design, blocks[name], rcond=None)[0])
        for name in "xy"
    ]
    found = rv_coefficient(*left, orders=orders, adjusted=True, beside=blocks["z"])
    assert found.value == pytest.approx(expected["mayer_beside"][0], rel=1e-10)


def test_of_single_columns_it_is_the_squared_correlation(rng) -> None:
    x, y = rng.normal(size=(2, 30))
    found = rv_coefficient(x[:, None], y[:, None], orders=permutations(30, 5, rng))
    assert found.value == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, rel=1e-12)


def test_all_orders_of_few_patients_leave_the_adjusted_mean_at_zero(rng) -> None:
    x, y = rng.normal(size=(6, 4)), rng.normal(size=(6, 9))
    orders = np.array(list(every_order(range(6))))
    found = rv_coefficient(x, y, orders=orders, adjusted=True)
    plain = rv_coefficient(x, y, orders=orders)
    assert abs(found.chance) < 1e-14
    assert plain.chance > 0.5
    assert found.p == pytest.approx(plain.p)


def test_turning_and_scaling_a_table_changes_nothing(rng) -> None:
    x, y = rng.normal(size=(20, 5)), rng.normal(size=(20, 7))
    turned = 1e-9 * x @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + 4e-9
    orders = permutations(20, 9, rng)
    for adjusted in (False, True):
        first = rv_coefficient(x, y, orders=orders, adjusted=adjusted)
        second = rv_coefficient(turned, 1e9 * y, orders=orders, adjusted=adjusted)
        np.testing.assert_allclose(second.null, first.null, rtol=1e-6)
        assert second.value == pytest.approx(first.value, rel=1e-6)


@pytest.mark.parametrize("case", ["plain", "beside", "within sites"])
@pytest.mark.parametrize("adjusted", [False, True])
def test_p_is_uniform_without_a_link(case: str, adjusted: bool) -> None:
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        z, site = rng.normal(size=(25, 4)), rng.integers(0, 3, 25)
        x, y = rng.normal(size=(25, 40)), rng.exponential(size=(25, 60))
        if case == "beside":
            x, y = x + z @ rng.normal(size=(4, 40)), y + z @ rng.normal(size=(4, 60))
        if case == "within sites":
            x, y = x + rng.normal(size=(3, 40))[site], y + rng.normal(size=(3, 60))[site]
        orders = permutations(25, 39, rng, blocks=site if case == "within sites" else None)
        beside = z if case == "beside" else None
        p = rv_coefficient(x, y, orders=orders, adjusted=adjusted, beside=beside).p
        found.append(p - rng.random() / 40)
    assert kstest(found, "uniform").pvalue > 0.01


def test_bad_input_says_what_is_expected(rng) -> None:
    x, orders = rng.normal(size=(8, 3)), permutations(8, 3, rng)
    holes = np.where(x > 1, np.nan, x)
    holes[0, 0] = np.inf
    for bad in (x[:7], x[:, 0], holes, np.ones((8, 2)), x[:, :0], x[:2]):
        for pair in ((x, bad), (bad, x)):
            with pytest.raises(DataError, match="expected"):
                rv_coefficient(*pair, orders=orders)
    with pytest.raises(DataError, match="equally far apart"):
        rv_coefficient(x, np.eye(8), orders=orders)
    for wrong in (orders[:, :7], orders[0], orders + 1, orders[:0], orders.astype(float)):
        with pytest.raises(DataError, match="each row a permutation"):
            rv_coefficient(x, x, orders=wrong)
    with pytest.raises(DataError, match="vary beside the covariates"):
        rv_coefficient(x, x[:, :1] * 2 + 1, orders=orders, beside=x[:, :1])
