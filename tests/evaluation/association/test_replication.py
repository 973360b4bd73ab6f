from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, binomtest, kstest

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
)
from radiogenomics.evaluation.association.replication import (
    SecondCohort,
    direction_agreement,
    replication_table,
)
from radiogenomics.stats.permutation import permutations

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "evaluation"
COLUMNS = (
    "kind feature target r_first r_second n_first n_second same_direction p_second fdr_second "
    "pooled low high p i2"
).split()


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "association_replication_input.csv")


@pytest.fixture(scope="module")
def in_r() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "association_replication.csv")


@pytest.fixture
def links() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "feature": ["f1", "f2", "f3"],
            "target": ["g1", "g3", "g4"],
            "kind": "gene",
            "r_first": [0.5, 0.4, -0.3],
            "n_first": [80, 80, 80],
        }
    )


def second_of(table: pd.DataFrame, *, count: int = 0, method: str = "spearman") -> SecondCohort:
    covariates = table[["volume", "site"]] if count else None
    genes = table.filter(regex="^g")
    return SecondCohort(table.filter(regex="^f"), {"gene": genes}, covariates, method)


def null_cohort(rng: np.random.Generator, *, n: int = 50) -> tuple[pd.DataFrame, SecondCohort]:
    """Ten features that are nearly one and ten genes that are nearly one, without any link."""
    f = rng.normal(size=(n, 1)) + 0.5 * rng.normal(size=(n, 10))
    g = rng.normal(size=(n, 1)) + 0.5 * rng.normal(size=(n, 10))
    features = pd.DataFrame(f).rename(columns="f{}".format)
    genes = pd.DataFrame(g).rename(columns="g{}".format)
    pairs = [(a, b) for a in features for b in genes]
    links = pd.DataFrame(pairs, columns=["feature", "target"])
    return links.assign(kind="gene", r_first=0.3, n_first=60), SecondCohort(
        features, {"gene": genes}
    )


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("method", ["spearman", "pearson"])
@pytest.mark.parametrize(("pooling", "word"), [("reml", "reml"), ("dersimonian_laird", "dl")])
def test_agrees_with_metafor(count, method: str, pooling: str, word: str, table, in_r) -> None:
    rows = in_r[(in_r["covariates"] == count) & (in_r["correlation"] == method)]
    rows = rows.reset_index(drop=True)
    links = rows[["feature", "target", "r_first", "n_first"]].assign(kind="gene")
    second = second_of(table, count=count, method=method)
    found = replication_table(links, second, first_covariates=count, pooling=pooling)
    assert list(found) == COLUMNS
    for name in ("r_second", "p_second", "fdr_second"):
        np.testing.assert_allclose(found[name], rows[name], rtol=1e-9, err_msg=name)
    for name in ("pooled", "low", "high", "p", "i2"):
        np.testing.assert_allclose(
            found[name], rows[f"{word}_{name}"], rtol=1e-9, atol=1e-13, err_msg=name
        )
    same = np.sign(rows["r_first"]) == np.sign(rows["r_second"])
    assert found["same_direction"].tolist() == same.tolist()
    assert (found["n_second"] == len(table)).all()


def test_what_the_second_cohort_lacks_keeps_its_row(table, links) -> None:
    more = pd.concat(
        [
            links,
            links.iloc[:1].assign(feature="f9"),
            links.iloc[:1].assign(target="TP53"),
            links.iloc[:1].assign(target="g2"),
        ]
    )
    flat = table.assign(g2=1.0)
    with (
        pytest.warns(RadiogenomicsWarning, match=r"lacks 1 of 4 features \(f9\)"),
        pytest.warns(RadiogenomicsWarning, match=r"1 of 5 genes \(TP53\), and 1 do .* \(g2\)"),
    ):
        found = replication_table(more, second_of(flat))
    pd.testing.assert_frame_equal(found.iloc[:3], replication_table(links, second_of(table)))
    lost = found.iloc[3:]
    assert lost["target"].tolist() == ["g1", "TP53", "g2"] and (lost["n_second"] == 0).all()
    assert lost["same_direction"].isna().all()
    assert lost[["r_second", "p_second", "fdr_second", "pooled", "p", "i2"]].isna().all(axis=None)


def test_where_nothing_is_measured_nothing_is_made_up(table, links, rng) -> None:
    genes = {"gene": table[["g5"]]}
    second = SecondCohort(table.filter(regex="^f"), genes)
    with pytest.warns(RadiogenomicsWarning, match="lacks 3 of 3 genes"):
        found = replication_table(links, second)
    assert found["r_second"].isna().all() and len(found) == 3
    orders = permutations(len(table), 9, rng)
    with (
        pytest.warns(RadiogenomicsWarning, match="lacks 3 of 3 genes"),
        pytest.raises(DataError, match="found none of 3"),
    ):
        direction_agreement(links, second, orders=orders)


def test_genes_and_sets_of_one_name_are_told_apart(table, links) -> None:
    both = pd.concat([links, links.assign(kind="set")])
    features = table.filter(regex="^f")
    genes = table.filter(regex="^g")
    second = SecondCohort(features, {"gene": genes, "set": -genes})
    found = replication_table(both, second)
    np.testing.assert_allclose(found["r_second"][:3], -found["r_second"][3:], atol=1e-15)
    np.testing.assert_allclose(found["p_second"][:3], 1 - found["p_second"][3:], atol=1e-12)


def test_direction_p_by_brute_force(table, links, rng) -> None:
    orders = permutations(len(table), 99, rng)
    found = direction_agreement(links, second_of(table), orders=orders)

    def agreeing(order: np.ndarray) -> int:
        moved = table.filter(regex="^f").iloc[order].reset_index(drop=True)
        return sum(
            row.r_first * moved[row.feature].corr(table[row.target], method="spearman") > 0
            for row in links.itertuples()
        )

    seen = agreeing(np.arange(len(table)))
    null = [agreeing(order) for order in orders]
    assert (found.pairs, found.agreeing) == (3, seen)
    assert found.p == (1 + sum(value >= seen for value in null)) / 100
    sign = binomtest(seen, 3, alternative="greater").pvalue
    assert found.p_if_independent == pytest.approx(sign, rel=1e-12)


def test_links_that_are_one_link_fool_the_sign_test_and_not_the_permutation() -> None:
    cohorts, by_sign, by_order = 300, 0, 0
    for seed in range(cohorts):
        rng = np.random.default_rng(seed)
        links, second = null_cohort(rng)
        found = direction_agreement(links, second, orders=permutations(50, 99, rng))
        by_sign += found.p_if_independent <= 0.05
        by_order += found.p <= 0.05
    assert by_sign > 0.3 * cohorts
    # Many cohorts have all 100 signs alike, so that p is coarse and cannot exceed its level.
    assert by_order <= binom.ppf(0.999, cohorts, 0.05)


def test_p_of_the_second_cohort_is_uniform_without_a_link() -> None:
    p, named = [], 0
    for seed in range(250):
        rng = np.random.default_rng(seed)
        links, second = null_cohort(rng)
        found = replication_table(links.iloc[[7, 55]], second)
        p.append(found["p_second"].iloc[0])
        named += found["fdr_second"].min() <= 0.05
    assert kstest(p, "uniform").pvalue > 0.01
    assert named <= binom.ppf(0.999, 250, 0.05)


def test_chosen_links_are_weaker_in_the_second_cohort() -> None:
    """Winner's curse: why the pooled correlation is too large."""
    rng = np.random.default_rng(5)
    true, n = 0.2, 50
    first = np.tanh(np.arctanh(true) + rng.normal(size=4000) / np.sqrt(n - 3))
    kept = first[first > 0.35][:200]
    f = rng.normal(size=(n, kept.size))
    g = true * f + np.sqrt(1 - true**2) * rng.normal(size=f.shape)
    second = SecondCohort(
        pd.DataFrame(f).rename(columns=str),
        {"gene": pd.DataFrame(g).rename(columns=str)},
        None,
        "pearson",
    )
    names = second.features.columns
    links = pd.DataFrame(
        {"feature": names, "target": names, "kind": "gene", "r_first": kept, "n_first": n}
    )
    found = replication_table(links, second)
    assert abs(found["r_second"].mean() - true) < 0.04
    assert found["pooled"].mean() > true + 0.06


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"r_first": 1.0}, "found 3 others, the first 1.0 of 80"),
        ({"r_first": 0.0}, "cannot be repeated"),
        ({"r_first": np.nan}, "found 3 others"),
        ({"n_first": 3}, "of at least 4 patients"),
        ({"feature": "f1", "target": "g1"}, "found 2 again, the first f1 with g1"),
    ],
)
def test_links_that_cannot_be_repeated(change, message: str, table, links) -> None:
    with pytest.raises(DataError, match=message):
        replication_table(links.assign(**change), second_of(table))


def test_other_bad_input_says_what_is_expected(table, links, rng) -> None:
    second = second_of(table)
    with pytest.raises(DataError, match="found 3 rows without kind"):
        replication_table(links.drop(columns="kind"), second)
    with pytest.raises(DataError, match="found 0 rows without any link"):
        replication_table(links.iloc[:0], second)
    with pytest.raises(UnknownNameError, match="kind of target in the second cohort"):
        replication_table(links.assign(kind="set"), second)
    with pytest.raises(AlignmentError, match="features and genes"):
        SecondCohort(second.features.iloc[1:], second.targets)
    with pytest.raises(DataError, match="features of the second cohort.* gaps in 1 .f1"):
        replication_table(links, second_of(table.assign(f1=table["f1"].where(table.index > 3))))
    with pytest.raises(DataError, match="of at least 6 patients"):
        replication_table(links.assign(n_first=5), second, first_covariates=2)
    with pytest.raises(DataError, match="at least 4 patients; found 3"):
        replication_table(links, second_of(table.iloc[:3]))
    with pytest.raises(DataError, match="expected orders of shape"):
        direction_agreement(links, second, orders=permutations(5, 9, rng))
