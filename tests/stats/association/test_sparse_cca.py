from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from sklearn.cross_decomposition import PLSSVD, PLSCanonical

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.association import sparse_cca as module
from radiogenomics.stats.association import sparse_pairs
from radiogenomics.stats.association.sparse_cca import choose_penalty, sparse_cca
from radiogenomics.stats.association.sparse_pairs import EXACT, Effort, shrink_to_bound
from radiogenomics.stats.permutation import permutations


@pytest.fixture(scope="module")
def blocks(table) -> dict[str, np.ndarray]:
    values = table("joint_links_input")
    return {name: values.filter(regex=f"^{name}").to_numpy() for name in "xyz"}


@pytest.mark.parametrize("case", ["plain", "loose", "free", "beside"])
def test_matches_the_dense_decomposition_of_r(blocks, table, case: str) -> None:
    rows = table("joint_links_pairs").query("case == @case")
    share = float(rows["share"].iloc[0])
    beside = blocks["z"] if case == "beside" else None
    found = sparse_cca(blocks["x"], blocks["y"], shares=(share, share), components=2, beside=beside)
    for component, part in rows.groupby("component"):
        weights = np.append(found.x_weights[:, component - 1], found.y_weights[:, component - 1])
        np.testing.assert_allclose(weights, part["weight"], rtol=0, atol=1e-7)
        expected = part["correlation"].iloc[0]
        assert found.correlations[component - 1] == pytest.approx(expected, rel=1e-7)


def test_without_a_bound_it_is_partial_least_squares(rng) -> None:
    x, y = rng.normal(3, 2, size=(25, 40)), rng.normal(size=(25, 60))
    found = sparse_cca(x, y, shares=(1, 1), components=3)
    first = PLSCanonical(1, algorithm="svd").fit(x, y)
    assert abs(found.x_weights[:, 0] @ first.x_weights_[:, 0]) == pytest.approx(1, abs=1e-12)
    assert abs(found.y_weights[:, 0] @ first.y_weights_[:, 0]) == pytest.approx(1, abs=1e-12)
    every = PLSSVD(3).fit(x, y)
    np.testing.assert_allclose(np.abs(found.x_weights.T @ every.x_weights_), np.eye(3), atol=1e-9)
    scores = [
        np.corrcoef(a, b)[0, 1] for a, b in zip(*(s.T for s in every.transform(x, y)), strict=True)
    ]
    np.testing.assert_allclose(found.correlations, scores, rtol=1e-9)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_weights_keep_to_their_bounds(rng, share: float) -> None:
    x, y = rng.normal(size=(30, 50)), rng.normal(size=(30, 400))
    found = sparse_cca(x, y, shares=(share, share))
    for weights in (found.x_weights, found.y_weights):
        assert (weights**2).sum() == pytest.approx(1)
        assert np.abs(weights).sum() == pytest.approx(share * np.sqrt(len(weights)), rel=1e-9)


def test_threshold_is_the_root_that_a_solver_finds(rng) -> None:
    values = rng.standard_cauchy(size=(40, 60))
    bounds = rng.uniform(1.01, 7, 40)
    found = shrink_to_bound(values, bounds)
    for row, bound, unit in zip(values, bounds, found, strict=True):
        size = np.abs(row)

        def beyond(threshold, size=size, bound=bound):
            left = np.maximum(size - threshold, 0)
            return left.sum() - bound * np.sqrt((left**2).sum())

        threshold = brentq(beyond, 0, np.sort(size)[-2], xtol=1e-15) if beyond(0) > 0 else 0.0
        left = np.sign(row) * np.maximum(size - threshold, 0)
        np.testing.assert_allclose(unit, left / np.sqrt((left**2).sum()), atol=1e-9)


def test_threshold_of_ties_and_of_nothing() -> None:
    values = np.array([[2.0, -2.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0], [0.0, -5.0, 0.0, 0.0]])
    found = shrink_to_bound(values, np.ones(3))
    np.testing.assert_allclose(found[0], np.array([1, -1, 1, 0]) / np.sqrt(3))
    np.testing.assert_allclose(found[1:], [[0, 0, 0, 0], [0, -1, 0, 0]])


def test_the_planted_columns_are_found(rng) -> None:
    factor = rng.normal(size=(80, 1))
    x, y = rng.normal(size=(80, 60)), rng.normal(size=(80, 500))
    x[:, 10:14] += 1.5 * factor
    y[:, :25] += factor
    found = sparse_cca(x, y, shares=(0.25, 0.2))
    assert set(np.argsort(-np.abs(found.x_weights[:, 0]))[:4]) == {10, 11, 12, 13}
    heavy = np.argsort(-np.abs(found.y_weights[:, 0]))[:20]
    assert (heavy < 25).all()
    assert (found.x_weights[10:14, 0] > 0).all() and (found.y_weights[heavy, 0] > 0).all()


def test_scales_and_shifts_of_columns_do_not_matter(rng) -> None:
    x, y = rng.normal(size=(30, 6)), rng.normal(size=(30, 9))
    first = sparse_cca(x, y, shares=(0.6, 0.6))
    second = sparse_cca(1e6 * x + 5, y * np.arange(1, 10), shares=(0.6, 0.6))
    np.testing.assert_allclose(second.x_weights, first.x_weights, atol=1e-7)


def test_choice_is_by_z_of_pairs_found_one_cohort_at_a_time(rng, monkeypatch) -> None:
    monkeypatch.setattr(sparse_pairs, "BRIEF", EXACT)
    factor = rng.normal(size=(60, 1))
    x, y = rng.normal(size=(60, 30)), rng.normal(size=(60, 30))
    x[:, :5] += 2 * factor
    y[:, :5] += 2 * factor
    orders = permutations(60, 20, rng)
    shares = (0.2, 0.4, 1.0)
    found = choose_penalty(x, y, orders=orders, shares=shares)
    for share, correlation, z, p in zip(shares, found.correlations, found.z, found.p, strict=True):
        each = [
            sparse_cca(part, y, shares=(share, share)).correlations[0]
            for part in (x, *(x[order] for order in orders))
        ]
        fisher = np.arctanh(each)
        assert correlation == pytest.approx(each[0], rel=1e-7)
        assert z == pytest.approx(
            (fisher[0] - fisher[1:].mean()) / fisher[1:].std(ddof=1), rel=1e-4
        )
        assert p == pytest.approx(1 / 21)
    assert found.best == shares[int(np.argmax(found.z))]


def test_pairs_that_do_not_stand_are_warned_of(rng, monkeypatch) -> None:
    monkeypatch.setattr(module, "EXACT", Effort(1, 0.0))
    real = module.sparse_pairs
    monkeypatch.setattr(
        module, "sparse_pairs", lambda x, y, **given: real(x, y, effort=Effort(1, 0.0), **given)
    )
    with pytest.warns(RadiogenomicsWarning, match="still moved after 1 turns"):
        sparse_cca(rng.normal(size=(20, 5)), rng.normal(size=(20, 5)))


def test_bad_input_says_what_is_expected(rng) -> None:
    x, y = rng.normal(size=(12, 4)), rng.normal(size=(12, 5))
    for shares in ((0.0, 0.5), (0.5, 1.5), (0.5,), (np.nan, 0.5), (0.3, 0.3, 0.3)):
        with pytest.raises(DataError, match="share"):
            sparse_cca(x, y, shares=shares)
    for components in (0, 5):
        with pytest.raises(DataError, match="1 to 4 components"):
            sparse_cca(x, y, components=components)
    for bad in (y[:11], np.ones((12, 5)), np.where(y > 1, np.nan, np.inf), y[:, 0]):
        with pytest.raises(DataError, match="expected"):
            sparse_cca(x, bad)
    with pytest.raises(DataError, match="at least 2 orders"):
        choose_penalty(x, y, orders=[np.arange(12)])
