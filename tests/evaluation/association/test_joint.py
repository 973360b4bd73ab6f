from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from radiogenomics.core.errors import AlignmentError, DataError, SchemaError
from radiogenomics.evaluation.association.joint import JointLinks, joint_table
from radiogenomics.stats.association.mantel import distance_matrix, mantel
from radiogenomics.stats.association.rv_coefficient import rv_coefficient
from radiogenomics.stats.association.sparse_cca import choose_penalty, sparse_cca
from radiogenomics.stats.association.sparse_cca_validation import cross_validated_cca
from radiogenomics.stats.permutation import permutations

COLUMNS = ["method", "statistic", "value", "low", "high", "chance", "p", "n", "note"]


def tables(rng, *, n=60, link=0.0, cause=0.0) -> tuple[pd.DataFrame, ...]:
    """Features f0 ... and genes g0 ... of which the first few share a factor; one covariate."""
    factor, z = rng.normal(size=(2, n, 1))
    x, y = rng.normal(size=(n, 20)), rng.normal(size=(n, 80))
    x[:, :4] += link * factor
    y[:, :12] += link * factor
    index = [f"P{i}" for i in range(n)]
    return (
        pd.DataFrame(x + cause * z, index, [f"f{i}" for i in range(20)]),
        pd.DataFrame(y - cause * z, index, [f"g{i}" for i in range(80)]),
        pd.DataFrame(z, index, ["volume"]),
    )


@pytest.fixture(scope="module")
def linked() -> JointLinks:
    rng = np.random.default_rng(5)
    features, genes, _ = tables(rng, link=1.5)
    orders = permutations(60, 99, rng)
    return joint_table(features, genes, orders=orders, folds=np.arange(60) % 5, shares=(0.4,))


def test_a_planted_factor_is_found_by_every_row_of_its_pair(linked) -> None:
    table = linked.table.set_index(["method", "statistic"])
    assert list(linked.table.columns) == COLUMNS
    first = table.drop(("sparse CCA", "out-of-sample r, pair 2"))
    assert (first["p"] == 0.01).all()
    assert (first["value"] > first["chance"]).all()
    assert (table["n"] == 60).all()
    learnt = table.loc[["sparse CCA", "PLS"]]
    assert (learnt["low"] < learnt["value"]).all() and (learnt["value"] < learnt["high"]).all()
    assert table.loc[["RV", "adjusted RV", "Mantel"], ["low", "high"]].isna().all(axis=None)
    assert (first.loc[["sparse CCA", "PLS"], "low"] > 0).all()


def test_weights_name_the_planted_columns_strongest_first(linked) -> None:
    assert list(linked.weights.columns) == ["component", "side", "name", "weight"]
    assert (linked.weights["weight"] != 0).all()
    for (component, side), part in linked.weights.groupby(["component", "side"]):
        assert part["weight"].abs().is_monotonic_decreasing
        if component == 1:
            planted = {f"f{i}" for i in range(4)} if side == "feature" else None
            planted = planted or {f"g{i}" for i in range(12)}
            assert set(part["name"].iloc[: len(planted) // 2]) <= planted
            assert len(part) < (20 if side == "feature" else 80)


def test_rows_are_those_of_the_functions(rng) -> None:
    features, genes, z = tables(rng, n=40, link=0.7, cause=1.0)
    orders, folds = permutations(40, 30, rng), np.arange(40) % 4
    found = joint_table(
        features, genes, beside=z, orders=orders, folds=folds, refits=19, components=1
    )
    rows = found.table.set_index("method")
    assert list(rows.index) == [
        "RV",
        "adjusted RV",
        "Mantel",
        "partial Mantel",
        "sparse CCA",
        "PLS",
    ]
    design = np.insert(z.to_numpy(), 0, 1.0, axis=1)
    left = [
        part.to_numpy() - design @ np.linalg.lstsq(design, part.to_numpy(), rcond=None)[0]
        for part in (features, genes)
    ]
    left = [part / part.std(axis=0) for part in left]
    apart = [distance_matrix(part) for part in (features, genes, z)]
    expected = {
        "RV": rv_coefficient(*left, orders=orders, beside=z),
        "adjusted RV": rv_coefficient(*left, orders=orders, beside=z, adjusted=True),
        "Mantel": mantel(*apart[:2], orders=orders),
        "partial Mantel": mantel(*apart[:2], orders=orders, beside=apart[2]),
    }
    for name, single in expected.items():
        assert rows.loc[name, "value"] == pytest.approx(single.value, rel=1e-9)
        assert rows.loc[name, "chance"] == pytest.approx(single.chance, rel=1e-9, abs=1e-12)
        assert rows.loc[name, "p"] == single.p
    for name, share in (("sparse CCA", 0.3), ("PLS", 1.0)):
        part = cross_validated_cca(
            features, genes, orders=orders[:19], folds=folds, shares=(share,), beside=z
        )
        assert rows.loc[name, "value"] == pytest.approx(part.correlations[0])
        assert rows.loc[name, "p"] == part.p[0]
    weights = sparse_cca(features, genes, beside=z).x_weights[:, 0]
    given = found.weights.query("side == 'feature'").set_index("name")["weight"]
    np.testing.assert_allclose(given, weights[[int(name[1:]) for name in given.index]])


def test_a_shared_cause_is_taken_away_beside_it(rng) -> None:
    features, genes, volume = tables(rng, cause=2.0)
    orders, folds = permutations(60, 99, rng), np.arange(60) % 5
    given = {"orders": orders, "folds": folds, "components": 1}
    alone = joint_table(features, genes, **given).table.set_index("method")
    beside = joint_table(features, genes, beside=volume, **given).table.set_index("method")
    assert (alone["p"] == 0.01).all()
    # Distances held constant are not covariates taken out: partial r keeps some of the cause.
    fair = beside.drop(index=["Mantel", "partial Mantel"])
    assert (fair["p"] > 0.05).all()
    assert beside.loc["partial Mantel", "value"] < beside.loc["Mantel", "value"]
    assert "not valid where both" in beside.loc["partial Mantel", "note"]
    assert (fair.loc[["sparse CCA", "PLS"], "low"] < 0).all()


@pytest.mark.parametrize("covariates", [False, True])
def test_p_of_every_row_is_uniform_without_a_link(covariates: bool) -> None:
    found = []
    for seed in range(110):
        rng = np.random.default_rng([seed, 3])
        features, genes, z = tables(rng, n=30, cause=0.3 * covariates)
        links = joint_table(
            features.iloc[:, :8],
            genes.iloc[:, :30],
            beside=z if covariates else None,
            orders=permutations(30, 19, rng),
            folds=np.arange(30) % 3,
        )
        found.append(links.table.assign(p=links.table["p"] - rng.random(len(links.table)) / 20))
    rows = pd.concat(found)
    if covariates:
        # Mantel's r leaves the covariates alone, and so finds the cause that they share.
        rows = rows[rows["method"] != "Mantel"]
    for _, part in rows.groupby(["method", "statistic"]):
        assert kstest(part["p"], "uniform").pvalue > 0.005
    learnt = rows.dropna(subset="low")
    assert ((learnt["low"] < 0) & (learnt["high"] > 0)).mean() > 0.9


def test_of_several_penalties_the_notes_and_weights_say_which(rng) -> None:
    features, genes, _ = tables(rng, link=1.5)
    orders, folds = permutations(60, 5, rng), np.arange(60) % 3
    shares = (0.3, 0.8)
    found = joint_table(features, genes, orders=orders, folds=folds, shares=shares, components=1)
    note = found.table.set_index("method").loc["sparse CCA", "note"]
    assert "share of the bound 0." in note
    best = choose_penalty(features, genes, orders=orders, shares=shares).best
    expected = sparse_cca(features, genes, shares=(best, best)).x_weights
    assert (found.weights["side"] == "feature").sum() == (expected != 0).sum()


def test_bad_input_says_what_is_expected(rng) -> None:
    features, genes, z = tables(rng, n=30)
    given = {"orders": permutations(30, 5, rng), "folds": np.arange(30) % 3}
    for other in (genes.iloc[::-1], genes.iloc[1:]):
        with pytest.raises(AlignmentError, match="features and genes"):
            joint_table(features, other, **given)
    with pytest.raises(AlignmentError, match="features and covariates"):
        joint_table(features, genes, beside=z.iloc[::-1], **given)
    with pytest.raises(SchemaError, match="row fact"):
        joint_table(features.assign(**{"@site": 1.0}), genes, **given)
    with pytest.raises(SchemaError, match="numbers.*site"):
        joint_table(features, genes, beside=z.assign(site="a"), **given)
    with pytest.raises(DataError, match="features: expected columns that vary; .* 1 .*f3"):
        joint_table(features.assign(f3=2.0), genes, **given)
    holes = genes.copy()
    holes.iloc[2, 3] = np.nan
    with pytest.raises(DataError, match="complete"):
        joint_table(features, holes, **given)
    with pytest.raises(DataError, match="at least 1 refit"):
        joint_table(features, genes, refits=0, **given)
    with pytest.raises(DataError, match="confidence level"):
        joint_table(features, genes, level=95, **given)
    with pytest.raises(DataError, match="share"):
        joint_table(features, genes, shares=(), **given)
