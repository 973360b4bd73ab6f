"""The map through its one function: statistics by others' programs, nulls written out."""

from __future__ import annotations

import gseapy
import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr
from statsmodels.stats.multitest import multipletests

from radiogenomics.core.errors import (
    RadiogenomicsWarning,
)
from radiogenomics.evaluation.association.links import Kept
from radiogenomics.evaluation.association.map import MapSettings, RadiogenomicMap, associate
from radiogenomics.evaluation.association.set_limits import SetLimits
from radiogenomics.stats.association.rank_tail import rank_correlation_p
from radiogenomics.stats.permutation import permutations

N, FEATURES, GENES, DEALS = 48, 6, 60, 39
# Every pair is kept, so that tables hold what is compared.
ALL = MapSettings(permutations=DEALS, kept=Kept(fewest=10_000, most=10_000), seed=3)
SETS = {f"SET{k}": [f"G{g}" for g in range(4 * k, 4 * k + 12)] for k in range(8)}


def patients(n: int = N) -> pd.Index:
    return pd.Index([f"P{i:03d}" for i in range(n)])


def beside(values: np.ndarray, design: np.ndarray | None = None) -> np.ndarray:
    """What least squares leaves of columns beside a constant and a design."""
    ones = np.ones((len(values), 1))
    full = ones if design is None else np.column_stack([ones, design])
    return values - full @ np.linalg.lstsq(full, values, rcond=None)[0]


def correlations(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    scaled = [each / np.linalg.norm(each, axis=0) for each in (left, right)]
    return scaled[0].T @ scaled[1]


def wide(table: pd.DataFrame, value: str, columns: str = "gene") -> pd.DataFrame:
    return table.pivot(index="feature", columns=columns, values=value)


@pytest.mark.parametrize(("method", "theirs"), [("spearman", spearmanr), ("pearson", pearsonr)])
def test_links_are_scipys(features, genes, method: str, theirs) -> None:
    settings = MapSettings(permutations=19, method=method, kept=ALL.kept)
    table = associate(features, genes, settings=settings).tables["links"]
    assert len(table) == FEATURES * GENES
    rows = zip(table["feature"], table["gene"], strict=True)
    expected = np.array([theirs(features[f], genes[g]) for f, g in rows])
    np.testing.assert_allclose(table["rho"], expected[:, 0], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(table["p"], expected[:, 1], rtol=1e-9)
    assert table["rho"].abs().is_monotonic_decreasing
    np.testing.assert_allclose(table["rho"], table["rho_unadjusted"], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_false_discovery_rates_are_statsmodels(features, genes, method: str) -> None:
    settings = MapSettings(permutations=19, method=method, kept=ALL.kept, limits=SetLimits(1))
    tables = associate(features, genes, gene_sets=SETS, settings=settings).tables
    links, sets = tables["links"], tables["set_links"]
    p = links["p"] if method == "pearson" else rank_correlation_p(links["rho"], N - 2)
    np.testing.assert_allclose(links["fdr"], multipletests(p, method="fdr_bh")[1], rtol=1e-10)
    rate = multipletests(sets["p_contrast"], method="fdr_bh")[1]
    np.testing.assert_allclose(sets["fdr_contrast"], rate, rtol=1e-10)
    few = MapSettings(permutations=19, method=method, kept=Kept(fewest=5))
    part = associate(features, genes, settings=few).tables["links"]
    assert 5 <= len(part) < len(links)
    pd.testing.assert_series_equal(part["fdr"], links["fdr"][: len(part)])


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_partial_links_are_pingouins(features, genes, covariates, method: str, rng) -> None:
    known = covariates[["volume"]].assign(purity=rng.random(N))
    settings = MapSettings(permutations=19, method=method, kept=ALL.kept)
    table = associate(features, genes, covariates=known, settings=settings).tables["links"]
    data = pd.concat([features, genes, known], axis=1)
    for row in table.iloc[::37].itertuples():
        theirs = pingouin.partial_corr(
            data, x=row.feature, y=row.gene, covar=["volume", "purity"], method=method
        )
        assert row.rho == pytest.approx(theirs["r"].item(), rel=1e-9)
        p = theirs.filter(like="p").drop(columns="r", errors="ignore").iloc[:, -1].item()
        assert row.p == pytest.approx(p, rel=1e-8)


def test_family_wise_p_are_counted_from_dealt_patients(features, genes) -> None:
    found = associate(features, genes, gene_sets=SETS, settings=ALL).tables
    f, g = (rankdata(each, axis=0) for each in (features, genes))
    orders = permutations(N, DEALS, np.random.default_rng(3))
    null = np.abs([correlations(beside(f[order]), beside(g)) for order in orders])
    check_links(found, null)
    contrast = correlations(beside(f), contrasts(g))
    dealt = np.abs([correlations(beside(f[order]), contrasts(g)) for order in orders])
    table = found["set_links"]
    rho = wide(table, "contrast_rho", "set")
    np.testing.assert_allclose(rho, contrast, rtol=1e-9)
    p = wide(table, "p_contrast_family", "set")
    np.testing.assert_allclose(p, share(np.abs(contrast), dealt.max(axis=(1, 2))[:, None, None]))
    pathway = found["pathway_links"].set_index("set").loc[list(SETS)]
    best = np.abs(contrast).max(axis=0)
    np.testing.assert_allclose(pathway["p_set"], share(best, dealt.max(axis=1)))
    assert (pathway["feature"].to_numpy() == rho.index[np.abs(contrast).argmax(axis=0)]).all()


def contrasts(values: np.ndarray) -> np.ndarray:
    """Mean of each set's unit columns less that of all others."""
    unit = beside(values) / np.linalg.norm(beside(values), axis=0)
    names = [f"G{i}" for i in range(GENES)]
    inside = np.array([[name in members for name in names] for members in SETS.values()])
    return np.stack([unit[:, i].mean(axis=1) - unit[:, ~i].mean(axis=1) for i in inside], axis=1)


def share(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    return (1 + (null >= observed * (1 - 1e-6)).sum(axis=0)) / (1 + len(null))


def check_links(found: dict[str, pd.DataFrame], null: np.ndarray) -> None:
    """p of links against null of shape (deals, features, genes)."""
    table = found["links"]
    rho = np.abs(wide(table, "rho")[[f"G{i}" for i in range(GENES)]].to_numpy())
    for name, largest in (
        ("p_family", null.max(axis=(1, 2), keepdims=True)),
        ("p_feature", null.max(axis=2, keepdims=True)),
        ("p_gene", null.max(axis=1, keepdims=True)),
    ):
        p = wide(table, name)[[f"G{i}" for i in range(GENES)]]
        np.testing.assert_allclose(p, share(rho, largest))
    by_gene = found["gene_links"].set_index("gene").loc[[f"G{i}" for i in range(GENES)]]
    np.testing.assert_allclose(by_gene["p_gene"], share(rho.max(axis=0), null.max(axis=1)))
    by_feature = found["feature_links"].set_index("feature").loc[[f"F{i}" for i in range(FEATURES)]]
    np.testing.assert_allclose(by_feature["p_feature"], share(rho.max(axis=1), null.max(axis=2)))
    top = share(rho.max(), null.max(axis=(1, 2)))
    assert found["map_summary"].loc[0, "p_family"] == pytest.approx(top)


def test_beside_covariates_what_they_leave_is_dealt(features, genes, covariates) -> None:
    found = associate(features, genes, covariates=covariates, settings=ALL)
    design = np.column_stack(
        [rankdata(covariates["volume"])]
        + [(covariates["site"] == site).astype(float) for site in "BC"]
    )
    f, g = (beside(rankdata(each, axis=0), design) for each in (features, genes))
    np.testing.assert_allclose(found.rho, correlations(f, g), rtol=1e-9, atol=1e-13)
    f /= np.linalg.norm(f, axis=0)
    orders = permutations(N, DEALS, np.random.default_rng(3))
    null = np.abs([correlations(beside(f[order], design), g) for order in orders])
    check_links(dict(found.tables), null)
    first = found.tables["links"].iloc[0]
    assert first["rho_unadjusted"] == pytest.approx(
        spearmanr(features[first["feature"]], genes[first["gene"]]).statistic
    )
    assert found.inputs.freedom == N - 5


def test_strata_keep_patients_among_their_like(features, genes, covariates) -> None:
    found = associate(features, genes, strata=covariates["site"], settings=ALL)
    rng = np.random.default_rng(3)
    orders = permutations(N, DEALS, rng, blocks=covariates["site"])
    site = covariates["site"].to_numpy()
    assert (site[orders] == site).all()
    f, g = (beside(rankdata(each, axis=0)) for each in (features, genes))
    check_links(dict(found.tables), np.abs([correlations(f[order], g) for order in orders]))


def test_running_sums_are_gseapys(features, genes) -> None:
    found = associate(features, genes, gene_sets=SETS, settings=ALL)
    table = found.tables["set_links"].set_index(["feature", "set"])
    for feature in ("F0", "F3"):
        theirs = gseapy.prerank(
            rnk=found.rho.loc[feature].sort_values(ascending=False),
            gene_sets=SETS, permutation_num=2, min_size=1, max_size=GENES, no_plot=True,
            outdir=None, threads=1, seed=0,
        ).res2d.set_index("Term")  # fmt: skip
        own = table.loc[feature].loc[theirs.index]
        np.testing.assert_allclose(own["es"], theirs["ES"].astype(float), atol=1e-10)
        for name in theirs.index:
            edge = set(own.loc[name, "leading_edge"].split(", "))
            assert edge == set(theirs.loc[name, "Lead_genes"].split(";"))


def test_the_planted_set_is_found_and_nothing_beside_it(features, genes) -> None:
    found = associate(features, genes, gene_sets=SETS, settings=ALL)
    assert found.tables["pathway_links"].loc[0, "set"] == "SET0"
    assert found.tables["pathway_links"].loc[0, "feature"] == "F0"
    first = found.tables["set_links"].iloc[0]
    assert first["p_contrast_family"] == 1 / (1 + DEALS)
    assert first["es"] > 0.9 and first["p"] <= 0.1 and first["size"] == 12
    links = found.tables["links"]
    assert (links.loc[links["p_family"] <= 0.05, "feature"] == "F0").all()
    summary = found.tables["map_summary"].set_index("kind")
    assert summary.loc["genes", "found_family"] == (links["p_family"] <= 0.05).sum()
    strongest = next(metric for metric in found.metrics if metric.name == "strongest_link")
    assert strongest.value == links["rho"].abs().max() and strongest.n == N
    assert "Radiogenomic map" in found._repr_html_()


def test_a_set_that_is_found_family_wise_is_among_the_rows(features, genes) -> None:
    few = MapSettings(permutations=DEALS, kept=Kept(alpha=1e-12, fewest=1), seed=3)
    table = associate(features, genes, gene_sets=SETS, settings=few).tables["set_links"]
    full = associate(features, genes, gene_sets=SETS, settings=ALL).tables["set_links"]
    assert (table["p_family"] <= 0.05).sum() == (full["p_family"] <= 0.05).sum() > 0


def test_threads_change_nothing_and_the_seed_only_the_null(features, genes, covariates) -> None:
    def drawn(**words: int) -> RadiogenomicMap:
        settings = MapSettings(permutations=DEALS, **words)
        return associate(features, genes, gene_sets=SETS, covariates=covariates, settings=settings)

    one, three, other = drawn(), drawn(threads=3), drawn(seed=1)
    assert list(one.tables) == list(three.tables)
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, three.tables[name], check_exact=True)
    pd.testing.assert_frame_equal(one.rho, other.rho, check_exact=True)
    assert not one.tables["map_null"]["value"].equals(other.tables["map_null"]["value"])


def test_volume_by_name_is_taken_out_and_held_beside(features, genes, covariates) -> None:
    table = features.assign(volume_ml=covariates["volume"])
    table["near"] = table["volume_ml"].rank() + np.tile([0.0, 8.0], N // 2)
    with pytest.warns(RadiogenomicsWarning, match="explained by the covariates"):
        named = associate(table, genes, volume="volume_ml", settings=ALL)
    given = associate(
        table.drop(columns="volume_ml"), genes, volume=covariates["volume"], settings=ALL
    )
    pd.testing.assert_frame_equal(named.rho, given.rho)
    column = named.tables["feature_links"].set_index("feature")
    for feature in ("F1", "near"):
        theirs = spearmanr(table[feature], table["volume_ml"]).statistic
        assert column.loc[feature, "volume_rho"] == pytest.approx(theirs)
    assert column["volume_confounded"].equals(column["volume_rho"].abs() >= 0.6)
    assert column.loc["near", "volume_confounded"]
    both = associate(features, genes, covariates=covariates, volume=covariates["volume"])
    once = associate(features, genes, covariates=covariates)
    pd.testing.assert_frame_equal(both.rho, once.rho)


def test_a_covariate_called_volume_that_is_another_is_taken_out_too(
    features, genes, covariates, rng
) -> None:
    other = pd.Series(rng.normal(size=N), features.index)
    found = associate(features, genes, covariates=covariates, volume=other, settings=ALL)
    assert list(found.covariates) == ["volume (covariate)", "site", "volume"]
    by_hand = covariates.assign(other=other)
    pd.testing.assert_frame_equal(
        found.rho, associate(features, genes, covariates=by_hand, settings=ALL).rho
    )


def test_what_covariates_take_away_is_listed(rng) -> None:
    volume = rng.normal(size=N)
    f = pd.DataFrame(rng.normal(size=(N, 4)), patients(), list("abcd"))
    g = pd.DataFrame(rng.normal(size=(N, 30)), patients()).rename(columns="G{}".format)
    f["a"] += 2 * volume
    g.iloc[:, :12] += 1.5 * volume[:, None]
    g.iloc[:, 20] += 2 * f["b"]
    sets = {"DRIVEN": list(g.columns[:12]), "OTHER": list(g.columns[12:24])}
    size = pd.Series(volume, patients())
    found = associate(f, g, gene_sets=sets, volume=size, settings=ALL)
    plain = associate(f, g, gene_sets=sets, settings=ALL)
    assert "vanished" not in plain.tables
    before = plain.tables["links"].set_index(["feature", "gene"])
    after = found.tables["links"].set_index(["feature", "gene"]).loc[before.index]
    expected = before[(before["fdr"] <= 0.05) & (after["p"] > 0.05)]
    gone = found.tables["vanished"].query("kind == 'gene'").set_index(["feature", "target"])
    assert set(gone.index) == set(expected.index) and len(gone) >= 10
    ours = gone.loc[expected.index]
    np.testing.assert_allclose(ours["rho_unadjusted"], expected["rho"])
    np.testing.assert_allclose(ours["fdr_unadjusted"], expected["fdr"])
    np.testing.assert_allclose(ours["p"], after.loc[expected.index, "p"])
    sets_gone = found.tables["vanished"].query("kind == 'set'")
    assert ("a", "DRIVEN") in set(zip(sets_gone["feature"], sets_gone["target"], strict=True))
    assert ("b", "G20") not in gone.index
