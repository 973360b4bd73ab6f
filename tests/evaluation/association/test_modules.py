from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import ClusterNode, linkage, to_tree
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.evaluation.association.module_tree import average_tree, lasting_groups
from radiogenomics.evaluation.association.modules import Modules, modules_from_sets, modules_of
from radiogenomics.stats.association.units import unit_columns

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "evaluation"


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "association_modules_input.csv")


@pytest.fixture(scope="module")
def in_r() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "association_modules.csv")


def planted(rng: np.random.Generator, *, n: int = 100) -> tuple[pd.DataFrame, np.ndarray]:
    """Three modules of columns that have a correlation of 0.6 or -0.6, and 40 loose columns."""
    label = np.r_[np.repeat([0, 1, 2], [20, 15, 10]), np.full(40, -1)]
    common = rng.normal(size=(n, 3))
    values = rng.normal(size=(n, label.size))
    inside = label >= 0
    turned = np.where(np.arange(label.size) % 3, 1.0, -1.0)[inside]
    values[:, inside] = turned * (
        np.sqrt(0.6) * common[:, label[inside]] + np.sqrt(0.4) * values[:, inside]
    )
    return pd.DataFrame(values, columns=[f"c{i}" for i in range(label.size)]), label


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("cut", [0.35, 0.6, 0.75])
def test_agrees_with_hclust_and_prcomp(cut: float, signed: bool, table, in_r) -> None:
    found = modules_of(table, kind="feature", cut=cut, smallest=3, signed=signed)
    rows = in_r[(in_r["height"] == cut) & (in_r["tree"] == ("signed" if signed else "plain"))]
    parts = {frozenset(part["variable"]): part for _, part in rows.groupby("label")}
    ours = {name: part for name, part in found.members.groupby("module")}
    assert {frozenset(part["member"]) for part in ours.values()} == set(parts)
    for name, part in ours.items():
        other = parts[frozenset(part["member"])].set_index("variable").loc[part["member"]]
        for column in ("weight", "membership"):
            np.testing.assert_allclose(part[column], other[column], rtol=1e-9, err_msg=column)
        np.testing.assert_allclose(found.shares[name], other["share"].iloc[0], rtol=1e-10)
        np.testing.assert_allclose(
            found.eigen[name].iloc[[0, -1]], other[["first", "last"]].iloc[0], rtol=1e-9
        )


def test_trees_are_those_of_hclust(table) -> None:
    heights = pd.read_csv(REFERENCE / "association_modules_heights.csv")
    units = unit_columns(table)
    for name, signed in (("plain", False), ("signed", True)):
        theirs = heights.loc[heights["tree"] == name, "height"]
        tree = average_tree(units, signed=signed)
        np.testing.assert_allclose(tree[:, 2], np.sort(theirs), rtol=1e-10)


@pytest.mark.parametrize("seed", range(6))
def test_lasting_groups_are_worth_most(seed: int) -> None:
    """Against a search from the top of the tree down."""
    rng = np.random.default_rng(seed)
    tree = linkage(rng.normal(size=(60, 2)), "average")
    height, smallest = float(np.quantile(tree[:, 2], 0.9)), 3

    def large(node: ClusterNode) -> bool:
        return node.count >= smallest

    def best(node: ClusterNode, top: float) -> tuple[float, list[frozenset[int]]]:
        whole, worth = frozenset(node.pre_order()), 0.0
        while large(node):
            worth += node.count * (top - node.dist)
            top, parts = node.dist, [p for p in (node.left, node.right) if large(p)]
            if len(parts) != 1:
                break
            node = parts[0]
        below = [best(part, top) for part in parts]
        within = sum(value for value, _ in below)
        if within > worth:
            return within, [group for _, groups in below for group in groups]
        return worth, [whole]

    def tops(node: ClusterNode) -> list[ClusterNode]:
        return [node] if node.dist <= height else tops(node.left) + tops(node.right)

    expected = [g for node in tops(to_tree(tree)) if large(node) for g in best(node, height)[1]]
    found = lasting_groups(tree, height, smallest=smallest)
    assert {frozenset(group.tolist()) for group in found} == set(expected)
    assert len(expected) > 1


def test_no_lasting_group_where_all_merges_are_too_high() -> None:
    assert lasting_groups(np.array([[0, 1, 0.9, 2]]), 0.5, smallest=2) == []


def test_the_eigen_column_goes_with_the_mean_of_its_members(rng) -> None:
    values, _ = planted(rng)
    found = modules_of(values, kind="feature", method="pearson")
    for name, part in found.members.groupby("module"):
        members = values[part["member"]]
        standard = (members - members.mean()) / members.std()
        assert np.corrcoef(standard.mean(axis=1), found.eigen[name])[0, 1] > 0
        np.testing.assert_allclose(
            part["membership"], [np.corrcoef(members[m], found.eigen[name])[0, 1] for m in members]
        )
        pca = PCA(1).fit(standard)
        assert found.shares[name] == pytest.approx(pca.explained_variance_ratio_[0])
    np.testing.assert_allclose(found.eigen.mean(), 0, atol=1e-12)
    np.testing.assert_allclose(found.eigen.std(), 1)


def test_members_that_balance_take_the_sign_of_the_largest_weight(rng) -> None:
    common = rng.normal(size=30)
    values = pd.DataFrame({"a": common, "b": -common})
    found = modules_from_sets(values, {"both": ["a", "b"]}, kind="feature", smallest=2)
    np.testing.assert_allclose(sorted(found.members["membership"]), [-1, 1])


def test_signed_trees_keep_opposites_apart(rng) -> None:
    values, label = planted(rng)
    found = modules_of(values, kind="gene", cut=0.65, smallest=3, signed=True)
    for _, part in found.members.groupby("module"):
        assert (part["membership"] > 0).all()
    together = modules_of(values, kind="gene", cut=0.65, smallest=3)
    assert (together.members["membership"] < 0).any()
    assert found.names[0] == "G1" and together.sizes.tolist() == [20, 15, 10]


@pytest.mark.parametrize(("n", "least", "average"), [(130, 1.0, 1.0), (80, 0.8, 0.98)])
def test_planted_modules_are_found_over_seeds(n: int, least: float, average: float) -> None:
    likeness, loose = [], []
    for seed in range(40):
        values, label = planted(np.random.default_rng(seed), n=n)
        found = modules_of(values, kind="feature")
        ours = found.members.set_index("member")["module"].reindex(values.columns)
        inside = label >= 0
        likeness.append(adjusted_rand_score(label[inside], ours[inside].fillna("none")))
        loose.append(ours[~inside].notna().mean())
    assert np.mean(likeness) >= average and np.min(likeness) >= least
    assert np.mean(loose) < 0.01


def test_columns_that_do_not_go_together_give_no_module_and_a_warning() -> None:
    for seed in range(5):
        noise = pd.DataFrame(np.random.default_rng(seed).normal(size=(60, 300))).rename(columns=str)
        with pytest.warns(RadiogenomicsWarning, match="No module of 5 genes or more among 300"):
            found = modules_of(noise, kind="gene")
        assert found.names == () and found.eigen.shape == (60, 0) and found.table.empty
        assert list(found.table) == ["kind", "module", "member", "membership"]
        assert len(found.left_out) == 300


def test_of_many_genes_the_most_variable_are_looked_at(rng) -> None:
    values, _ = planted(rng)
    scaled = values * np.where(np.arange(values.shape[1]) < 45, 3.0, 1.0)
    found = modules_of(scaled, kind="gene", most=45)
    assert found.looked_at.tolist() == [f"c{i}" for i in range(45)] and len(found.names) == 3
    with pytest.raises(DataError, match="up to 45 features; found 85"):
        modules_of(scaled, kind="feature", most=45)


def test_a_column_may_be_as_large_as_image_features_are(table) -> None:
    large = table * 1e12
    plain, scaled = (modules_of(t, kind="feature") for t in (table, large))
    pd.testing.assert_frame_equal(plain.table, scaled.table)
    pd.testing.assert_frame_equal(plain.eigen, scaled.eigen)


def test_projection_repeats_the_eigen_columns_and_takes_other_patients(rng) -> None:
    values, _ = planted(rng)
    found = modules_of(values.iloc[:70], kind="feature")
    pd.testing.assert_frame_equal(found.project(values.iloc[:70]), found.eigen, rtol=1e-9)
    new = found.project(values.iloc[70:])
    pd.testing.assert_frame_equal(new, found.project(values).iloc[70:])
    part = found.members[found.members["module"] == "F1"].set_index("member")
    first = values.iloc[:70][part.index]
    by_hand = ((values.iloc[75][part.index] - first.mean()) / first.std() * part["weight"]).sum()
    assert new.loc[75, "F1"] == pytest.approx(by_hand, rel=1e-10)


def test_absent_members_are_named_or_allowed(rng) -> None:
    values, _ = planted(rng)
    found = modules_of(values, kind="feature")
    gone = found.members.loc[found.members["module"] == "F1", "member"].iloc[:3].tolist()
    fewer = values.drop(columns=gone)
    with pytest.raises(DataError, match=f"found more in F1: {', '.join(gone)}"):
        found.project(fewer)
    near = found.project(fewer, most_missing=0.2)
    np.testing.assert_array_equal(near["F2"], found.project(values)["F2"])
    assert np.corrcoef(near["F1"], found.eigen["F1"])[0, 1] > 0.98
    assert near["F1"].std() == pytest.approx(1, abs=0.05)
    with pytest.raises(DataError, match="at most 10%"):
        found.project(fewer, most_missing=0.1)
    with pytest.raises(DataError, match="0 to below 1"):
        found.project(values, most_missing=1.0)


def test_projection_refuses_gaps_and_names_again(rng) -> None:
    values, _ = planted(rng)
    found = modules_of(values, kind="feature")
    member = found.members["member"].iloc[0]
    gap = values.copy()
    gap.loc[3, member] = np.nan
    with pytest.raises(DataError, match=f"gaps in 1 .{member}"):
        found.project(gap)
    with pytest.raises(DataError, match=f"1 names again .{member}"):
        found.project(pd.concat([values, values[[member]]], axis=1))


def test_given_sets_may_share_members_and_lack_some(rng) -> None:
    values, _ = planted(rng)
    sets = {"one": ["c0", "c1", "c2", "TP53"], "two": ["c2", "c3", "c4"], "none": ["TP53", "c0"]}
    found = modules_from_sets(values, sets, kind="gene", smallest=3)
    assert found.names == ("one", "two") and found.sizes.tolist() == [3, 3]
    assert np.isnan(found.height) and "c5" in found.left_out and "c0" not in found.left_out
    pd.testing.assert_frame_equal(found.project(values), found.eigen, rtol=1e-9)
    with pytest.raises(DataError, match="found none among 1 .none"):
        modules_from_sets(values, {"none": ["TP53"]}, kind="gene")


def test_the_order_of_columns_changes_no_module(rng) -> None:
    values, _ = planted(rng)
    mixed = values[rng.permutation(values.columns)]

    def parts(found: Modules) -> set[frozenset[str]]:
        return {frozenset(part["member"]) for _, part in found.members.groupby("module")}

    assert parts(modules_of(values, kind="feature")) == parts(modules_of(mixed, kind="feature"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"c1": np.nan}, "gaps in 1 .c1"),
        ({"c1": 1.0}, "that vary over the 100 patients; found 1 that do not .c1"),
        ({"c1": "high"}, "1 of another kind .c1"),
        ({"c1": np.inf}, "gaps in 1"),
    ],
)
def test_columns_that_will_not_do_are_named(change, message: str, rng) -> None:
    values, _ = planted(rng)
    with pytest.raises(DataError, match=message):
        modules_of(values.assign(**change), kind="feature")


def test_other_bad_input_says_what_is_expected(rng) -> None:
    values, _ = planted(rng)
    with pytest.raises(UnknownNameError, match="did you mean 'gene'"):
        modules_of(values, kind="genes")
    with pytest.raises(UnknownNameError, match="spearman"):
        modules_of(values, kind="gene", method="kendall")
    for options in ({"smallest": 1}, {"cut": 0.0}, {"cut": 1.0}, {"cut": 2.0, "signed": True}):
        with pytest.raises(DataError, match="a cut between 0 and"):
            modules_of(values, kind="gene", **options)
    with pytest.raises(DataError, match="2 columns or more"):
        modules_of(values[["c0"]], kind="gene")
    with pytest.raises(DataError, match="4 patients or more"):
        modules_of(values.iloc[:3], kind="gene")
    with pytest.raises(DataError, match="1 names again .c0"):
        modules_of(pd.concat([values, values[["c0"]]], axis=1), kind="gene")
