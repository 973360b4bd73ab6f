"""GSEA, held against Subramanian's sum written out by hand, gseapy and labels dealt one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.omics.differential_moderated import moderated_t_table
from radiogenomics.omics.meaning.enrichment import enrichment_table, gene_ranking

GENES = [f"gene{i}" for i in range(600)]


def running_sum(ranking: pd.Series, genes: list[str]) -> list[float]:
    """The sum of Subramanian et al. 2005 after each gene, one gene at a time."""
    members = set(genes)
    total = sum(abs(value) for gene, value in ranking.items() if gene in members)
    sums, height = [], 0.0
    for gene, value in ranking.items():
        inside = gene in members
        height += abs(value) / total if inside else -1 / (len(ranking) - len(genes))
        sums.append(height)
    return sums


def score_of(ranking: pd.Series, genes: list[str]) -> tuple[float, list[str]]:
    """Enrichment score and leading edge, from the end of the ranking inwards."""
    sums = running_sum(ranking, genes)
    if max(sums) >= -min(sums):
        before = ranking.index[: int(np.argmax(sums)) + 1]
        return max(sums), [gene for gene in before if gene in set(genes)]
    behind = ranking.index[int(np.argmin(sums)) + 1 :]
    return min(sums), [gene for gene in behind[::-1] if gene in set(genes)]


def world(seed: int, *, patients: int = 24, signal: float = 0.0) -> pd.DataFrame:
    """Genes in blocks of fifty that go together; the first twelve patients differ in some."""
    rng = np.random.default_rng(seed)
    shared = np.repeat(rng.normal(0, 0.5, size=(patients, 12)), 50, axis=1)
    values = 6 + shared + rng.normal(size=(patients, 600))
    values[:12, :30] += signal
    values[:12, 300:330] -= signal
    return pd.DataFrame(values, columns=GENES)


@pytest.fixture(scope="module")
def values() -> pd.DataFrame:
    return world(5, signal=0.9)


@pytest.fixture(scope="module")
def high() -> pd.Series:
    return pd.Series(np.arange(24) < 12)


@pytest.fixture(scope="module")
def sets() -> dict[str, list[str]]:
    rng = np.random.default_rng(6)
    return {
        "up": GENES[:30],
        "down": GENES[300:330],
        "weak__down": GENES[315:340],
        "none": list(rng.choice(GENES[100:280], 40, replace=False)),
        "large": list(rng.choice(GENES, 200, replace=False)),
    }


@pytest.fixture(scope="module")
def found(values, high, sets) -> pd.DataFrame:
    return enrichment_table(values, high, sets, seed=3).set_index("set")


def test_score_and_leading_edge_are_those_of_the_sum_by_hand(values, high, sets, found):
    ranking = gene_ranking(values, high)
    for name, genes in sets.items():
        es, edge = score_of(ranking, genes)
        assert found.loc[name, "es"] == pytest.approx(es, abs=1e-12)
        assert found.loc[name, "leading_edge"].split(", ") == edge
        assert found.loc[name, "size"] == len(genes)


def test_gseapy_finds_the_same_score_and_edge(values, high, sets, found):
    gseapy = pytest.importorskip("gseapy")
    ranking = gene_ranking(values, high)
    run = gseapy.prerank(
        rnk=ranking, gene_sets={name.replace("__", ""): genes for name, genes in sets.items()},
        outdir=None, min_size=1, max_size=500, permutation_num=10, threads=1, no_plot=True,
    )  # fmt: skip
    theirs = run.res2d.set_index("Term")
    for name in sets:
        other = theirs.loc[name.replace("__", "")]
        assert found.loc[name, "es"] == pytest.approx(float(other["ES"]), abs=1e-12)
        assert set(found.loc[name, "leading_edge"].split(", ")) == {*other["Lead_genes"].split(";")}


def test_p_and_nes_are_those_of_labels_dealt_one_by_one(values, high, sets, found):
    """Other labels than the table's, ranked by the moderated t and summed by hand."""
    rng = np.random.default_rng(9)
    null: dict[str, list[float]] = {name: [] for name in sets}
    for _ in range(300):
        ranking = gene_ranking(values, pd.Series(rng.permutation(high.to_numpy())))
        places = pd.Series(np.arange(600), index=ranking.index)
        for name, genes in sets.items():
            inside = np.zeros(600, dtype=bool)
            inside[places[genes]] = True
            weight = np.abs(ranking.to_numpy()) * inside
            sums = np.cumsum(weight / weight.sum() - ~inside / (~inside).sum())
            null[name].append(sums.max() if sums.max() >= -sums.min() else sums.min())
    for name, drawn in null.items():
        es = found.loc[name, "es"]
        same = np.abs([x for x in drawn if (x >= 0) == (es >= 0)])
        share = (1 + (same >= abs(es)).sum()) / (1 + same.size)
        assert found.loc[name, "nes"] == pytest.approx(es / same.mean(), rel=0.12)
        assert found.loc[name, "p"] == pytest.approx(share, abs=0.1)


def test_planted_sets_are_found_and_others_are_not(found):
    assert found.index[0] == "up" and found.loc["up", "fdr"] < 0.05
    assert found.loc["down", "nes"] < -1.3 and found.loc["down", "fdr"] < 0.05
    assert found.loc[["none", "large"], "p"].min() > 0.05
    assert found["nes"].is_monotonic_decreasing


def test_a_label_dealt_at_random_gives_uniform_p():
    """Genes of a set go together; a null of random genes would find most labels."""
    values = world(11, patients=20)
    sets = {"block": GENES[50:100], "mixed": GENES[::20]}
    rng = np.random.default_rng(12)
    found = []
    for k in range(150):
        high = pd.Series(rng.permutation(np.arange(20) < 9))
        table = enrichment_table(values, high, sets, seed=k, permutations=60)
        found.append(table.set_index("set")["p"][list(sets)].to_numpy())
    for p in np.array(found).T:
        assert kstest(p, "uniform").pvalue > 0.001
        assert (p <= 0.1).mean() < 0.2


def test_the_seed_fixes_the_numbers(values, high, sets, found):
    again = enrichment_table(values, high, dict(reversed(sets.items())), seed=3)
    pd.testing.assert_frame_equal(again.set_index("set"), found)
    other = enrichment_table(values, high, sets, seed=4).set_index("set")
    assert (other.loc[found.index, "es"] == found["es"]).all()
    assert (other.loc[found.index, "nes"] != found["nes"]).all()


def test_fdr_is_over_the_sets_tested(found):
    ordered = found["p"].sort_values(kind="stable")
    steps = ordered * len(ordered) / np.arange(1, len(ordered) + 1)
    expected = steps[::-1].cummin()[::-1].clip(upper=1)
    pd.testing.assert_series_equal(found.loc[expected.index, "fdr"], expected, check_names=False)


def test_sets_that_are_too_small_large_or_little_measured_are_left_out(values, high, sets):
    unfit = {
        "few": GENES[:9],
        "foreign": [*GENES[:12], *(f"other{i}" for i in range(13))],
        "all": GENES,
    }
    with pytest.warns(RadiogenomicsWarning) as caught:
        table = enrichment_table(values, high, {**unfit, "up": sets["up"]}, seed=0)
    assert table["set"].tolist() == ["up"]
    (text,) = [str(each.message) for each in caught]
    assert all(word in text for word in ("few (9 of 9)", "foreign (12 of 25)", "all (600 of 600)"))
    with pytest.warns(RadiogenomicsWarning, match="left out: few"):
        empty = enrichment_table(values, high, {"few": unfit["few"]}, seed=0)
    assert empty.empty and list(empty.columns) == list(table.columns)


def test_genes_that_do_not_vary_are_not_ranked(values, high, sets):
    flat = values.assign(gene599=3.0, gene598=0.0)
    table = enrichment_table(flat, high, {"up": sets["up"], "end": GENES[580:]}, seed=0)
    assert table.set_index("set").loc["end", "size"] == 18


def test_equal_genes_and_a_shift_common_to_all_do_no_harm(high):
    values = world(21).round(0)
    values[GENES[100:]] = np.tile(values[GENES[100]].to_numpy()[:, None], (1, 500))
    values += 2.0 * high.to_numpy()[:, None]
    sets = {"a": GENES[:20], "b": GENES[100:140]}
    table = enrichment_table(values, high, sets, seed=0, permutations=50).set_index("set")
    ranking = gene_ranking(values, high)
    assert table.loc["a", "es"] == pytest.approx(score_of(ranking, sets["a"])[0], abs=1e-9)
    assert np.isfinite(table[["es", "nes", "p"]].to_numpy(dtype=float)).all()


def test_the_ranking_is_the_moderated_t_less_what_all_genes_share(rng):
    names = [f"g{i}" for i in range(50)]
    values = pd.DataFrame(rng.normal(6, 1, size=(20, 50)), columns=names)
    high = pd.Series(np.arange(20) < 8)
    values += 0.9 * high.to_numpy()[:, None]
    t = moderated_t_table(values, high).set_index("gene")["t"]
    found = gene_ranking(values, high)
    assert found.is_monotonic_decreasing
    pd.testing.assert_series_equal(found, (t - t.median()).loc[found.index])
    assert t.median() > 1 and abs(found.median()) < 1e-12


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda v, h: (v.assign(gene3=np.nan), h), DataError, "24 values missing"),
        (lambda v, h: (v.iloc[:, :3], h), DataError, "3 genes that vary"),
        (lambda v, h: (v.iloc[:3], h.iloc[[0, 1, 2]]), DataError, "two samples in each group"),
        (lambda v, h: (v, h.iloc[::-1]), AlignmentError, "another index"),
        (lambda v, h: (v.rename(columns={"gene3": "gene4"}), h), AlignmentError, "found gene4"),
    ],
)
def test_unfit_input_is_named(values, high, sets, change, error, message):
    frame, group = change(values, high)
    with pytest.raises(error, match=message):
        enrichment_table(frame, group, sets, seed=0)


def test_limits_that_cannot_be_are_named(values, high):
    one = GeneSet("s", ("gene1",))
    with pytest.raises(DataError, match="smallest ≤ largest"):
        enrichment_table(values, high, one, seed=0, smallest=20, largest=10)
