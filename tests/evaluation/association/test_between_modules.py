from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, spearmanr

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning
from radiogenomics.evaluation.association.between_modules import module_links
from radiogenomics.evaluation.association.modules import Modules, modules_from_sets, modules_of
from radiogenomics.stats.permutation import permutations
from radiogenomics.stats.ranks import partial_spearman

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "evaluation"
COLUMNS = "feature_module gene_module rho low high p fdr p_family features genes".split()
FEATURES = {"F1": range(5), "F2": range(5, 10)}
GENES = {"G1": [2, *range(10, 15)], "G2": range(15, 20), "G3": range(20, 24)}


@pytest.fixture(scope="module")
def in_r() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "association_module_links.csv")


@pytest.fixture(scope="module")
def covariates() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "association_modules_covariates.csv")


@pytest.fixture(scope="module")
def sides() -> tuple[Modules, Modules]:
    table = pd.read_csv(REFERENCE / "association_modules_input.csv")
    left, right = (
        {name: table.columns[list(places)] for name, places in sets.items()}
        for sets in (FEATURES, GENES)
    )
    return (
        modules_from_sets(table, left, kind="feature", smallest=4),
        modules_from_sets(table, right, kind="gene", smallest=4),
    )


def simulated(
    rng: np.random.Generator, *, n: int = 60, link: float = 0.0, volume: float = 0.0
) -> tuple[Modules, Modules, pd.DataFrame]:
    """Four modules of features and five of genes; the first of each may be linked."""
    third = rng.normal(size=n)
    left, right = rng.normal(size=(n, 4)), rng.normal(size=(n, 5))
    right[:, 0] = link * left[:, 0] + np.sqrt(1 - link**2) * right[:, 0]
    left, right = left + volume * third[:, None], right + volume * third[:, None]
    members = [
        np.repeat(side, 6, axis=1) + rng.normal(size=(n, 6 * side.shape[1]))
        for side in (left, right)
    ]
    tables = [pd.DataFrame(m).rename(columns="c{}".format) for m in members]
    sets = [{f"m{k}": [f"c{6 * k + j}" for j in range(6)] for k in range(size)} for size in (4, 5)]
    return (
        modules_from_sets(tables[0], sets[0], kind="feature"),
        modules_from_sets(tables[1], sets[1], kind="gene"),
        pd.DataFrame({"volume": np.exp(third)}),
    )


@pytest.mark.parametrize("count", [0, 2])
def test_agrees_with_r(count: int, sides, covariates, in_r, rng) -> None:
    beside = covariates if count else None
    orders = permutations(len(covariates), 99, rng)
    found = module_links(*sides, orders=orders, beside=beside)
    keys = ["feature_module", "gene_module"]
    other = found[keys].merge(in_r[in_r["covariates"] == count], on=keys)
    for name in ("rho", "low", "high", "p", "fdr"):
        np.testing.assert_allclose(found[name], other[name], rtol=1e-9, atol=1e-12, err_msg=name)
    assert list(found) == COLUMNS
    assert found["rho"].abs().is_monotonic_decreasing
    sizes = {name: len(list(p)) for name, p in (FEATURES | GENES).items()}
    assert found["features"].tolist() == [sizes[name] for name in found["feature_module"]]
    assert found["genes"].tolist() == [sizes[name] for name in found["gene_module"]]


def test_family_p_is_the_rank_of_the_largest_by_brute_force(sides, rng) -> None:
    orders = permutations(48, 60, rng)
    found = module_links(*sides, orders=orders)
    left, right = sides[0].eigen.to_numpy(), sides[1].eigen.to_numpy()
    largest = np.array([np.abs(spearmanr(left[o], right).statistic[:2, 2:]).max() for o in orders])
    for row in found.itertuples():
        beaten = (largest >= abs(row.rho) - 1e-12).sum()
        assert row.p_family == pytest.approx((1 + beaten) / 61, rel=1e-12)


def test_covariates_are_taken_out_anew_after_each_exchange(sides, covariates, rng) -> None:
    """Against what is left of ranks, exchanged, with the covariates taken out once more."""
    orders = permutations(48, 30, rng)
    found = module_links(*sides, orders=orders, beside=covariates)
    others = np.column_stack([np.ones(48), covariates.rank()])

    def left_of(values: np.ndarray) -> np.ndarray:
        return values - others @ np.linalg.lstsq(others, values, rcond=None)[0]

    f, g = (left_of(side.eigen.rank().to_numpy()) for side in sides)
    largest = [np.abs(np.corrcoef(left_of(f[o]).T, g.T)[:2, 2:]).max() for o in orders]
    for row in found.itertuples():
        rho = partial_spearman(
            sides[0].eigen[row.feature_module], sides[1].eigen[row.gene_module], covariates
        ).rho[0]
        assert row.rho == pytest.approx(rho, rel=1e-10)
        assert row.p_family == pytest.approx((1 + (largest >= abs(rho)).sum()) / 31, rel=1e-12)


@pytest.mark.parametrize("volume", [0.0, 1.0])
def test_without_links_the_family_is_wrong_as_often_as_it_says(volume: float) -> None:
    """Also where a covariate drives every module on both sides."""
    cohorts, wrong, named = 250, 0, 0
    for seed in range(cohorts):
        rng = np.random.default_rng(seed)
        *sides, covariate = simulated(rng, n=40, volume=volume)
        orders = permutations(40, 99, rng)
        table = module_links(*sides, orders=orders, beside=covariate if volume else None)
        wrong += table["p_family"].min() <= 0.05
        named += table["fdr"].min() <= 0.05
    low, high = binom.ppf([0.001, 0.999], cohorts, 0.05)
    assert low <= wrong <= high
    assert named <= high


def test_a_link_by_a_covariate_vanishes_beside_it(rng) -> None:
    *sides, covariate = simulated(rng, n=120, volume=1.0)
    orders = permutations(120, 199, rng)
    assert (module_links(*sides, orders=orders)["p_family"] < 0.05).all()
    assert module_links(*sides, orders=orders, beside=covariate)["p_family"].min() > 0.05


def test_a_planted_link_is_found_and_named() -> None:
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        *sides, _ = simulated(rng, n=80, link=0.6)
        first = module_links(*sides, orders=permutations(80, 99, rng)).iloc[0]
        found += (first["feature_module"], first["gene_module"]) == ("m0", "m0") and (
            first["p_family"] <= 0.05
        )
    assert found >= 18


def test_a_side_without_modules_gives_an_empty_table(rng) -> None:
    noise = pd.DataFrame(rng.normal(size=(60, 20))).rename(columns=str)
    with pytest.warns(RadiogenomicsWarning, match="No module"):
        none = modules_of(noise, kind="gene")
    left, _, _ = simulated(rng)
    table = module_links(left, none, orders=permutations(60, 9, rng))
    assert table.empty and list(table) == COLUMNS


def test_bad_input_says_what_is_expected(rng) -> None:
    left, right, covariate = simulated(rng)
    orders = permutations(60, 9, rng)
    for wrong in (
        orders[:, :-1],
        orders[0],
        orders.astype(float),
        np.zeros_like(orders),
        orders[:0],
    ):
        with pytest.raises(DataError, match=r"expected orders of shape .permutations, 60"):
            module_links(left, right, orders=wrong)
    with pytest.raises(AlignmentError, match="modules of features and of genes"):
        module_links(simulated(rng, n=61)[0], right, orders=orders)
    with pytest.raises(AlignmentError, match="expected covariates"):
        module_links(left, right, orders=orders, beside=covariate.iloc[1:])
    with pytest.raises(DataError, match="covariate 'volume'.* not the same in all"):
        module_links(left, right, orders=orders, beside=covariate * 0)
    with pytest.raises(DataError, match="covariate 'site'.* not the same in all"):
        module_links(left, right, orders=orders, beside=covariate.assign(site="a"))
    with pytest.raises(DataError, match="explain"):
        module_links(left, right, orders=orders, beside=left.eigen[["m0"]])
    with pytest.raises(DataError, match="0.95 for 95"):
        module_links(left, right, orders=orders, level=95)
