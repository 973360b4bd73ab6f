"""Realised error rates and power of the map in simulated worlds whose truth is known.

Error rates are held against what the map states, whatever was found. The last test writes the
tables of docs/map_error_rates.md into the folder of ``--basetemp``.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from scipy.stats import binom, kstest, t

from radiogenomics.evaluation.association.links import Kept
from radiogenomics.evaluation.association.map import (
    RUNNING_SUMS,
    MapSettings,
    RadiogenomicMap,
    associate,
)
from radiogenomics.simulate.links import LinkCohort, LinkDesign, PlantedLink, link_world
from radiogenomics.stats.association.null_pass import null_pass
from radiogenomics.stats.association.units import unit_columns
from radiogenomics.stats.permutation import permutations

WORLDS = int(os.environ.get("RADIOGENOMICS_TEST_WORLDS", "50"))
DEALS, ALPHA = 99, 0.05
ALL = Kept(fewest=10**6, most=10**6)
STRENGTHS = (0.3, 0.4, 0.5, 0.6, 0.7)
PATIENTS = (60, 100, 150)
# Nothing drives anything here, and there is one site.
NULL = LinkDesign(
    features=60,
    blocks=10,
    genes=400,
    pathways=10,
    pathway_genes=20,
    links=(),
    volume_blocks=(),
    volume_pathways=(),
    purity_blocks=(),
    purity_pathways=(),
    sites=1,
    site_on_features=0,
    site_on_genes=0,
    overlapping_sets=10,
    unrelated_sets=20,
)
# Both sides follow site.
SITES = replace(NULL, sites=3, site_on_features=0.4, site_on_genes=0.4)
# Both sides follow volume, purity and site; nothing is left beside these.
DRIVEN = replace(
    SITES,
    volume_blocks=(5, 6, 7),
    volume_pathways=(5, 6, 7),
    purity_blocks=(8,),
    purity_pathways=(8,),
)
PLANTED = replace(
    DRIVEN, links=tuple(PlantedLink(k, k, (-1) ** k * rho) for k, rho in enumerate(STRENGTHS))
)
DESIGNS = {"nothing": NULL, "covariates": DRIVEN, "strata": SITES, "both": DRIVEN}
NOTHING = pd.DataFrame(columns=["kind", "feature", "target"])
# Looked at together: each fails by chance in 1 of 1000.
DOUBT = 0.001


def drawn(design: LinkDesign, n: int, world: int) -> LinkCohort:
    fixed = link_world(design, rng=np.random.default_rng([61, world]))
    return fixed.cohort(n, rng=np.random.default_rng([62, n, world]))


def acting(cohort: LinkCohort) -> pd.DataFrame:
    """Covariates on the scale on which they act."""
    known = cohort.covariates
    return known.assign(volume=np.log(known["volume"]), purity=logit(known["purity"]))


def mapped(cohort: LinkCohort, beside: str, seed: int, *, deals: int = DEALS) -> RadiogenomicMap:
    return associate(
        cohort.features,
        cohort.genes,
        gene_sets=cohort.gene_sets,
        covariates=acting(cohort) if beside in ("covariates", "both") else None,
        strata=cohort.covariates["site"] if beside in ("strata", "both") else None,
        settings=MapSettings(permutations=deals, seed=seed, kept=ALL),
    )


def null_facts(beside: str, n: int, world: int) -> dict[str, float]:
    """What a null world gave: p of the strongest of each kind, p of one of each, and findings."""
    found = mapped(drawn(DESIGNS[beside], n, world), beside, world)
    tables, rng = found.tables, np.random.default_rng([63, world])
    summary = tables["map_summary"]
    one = {
        f"{table}, {column}": tables[table].set_index(key).sort_index()[column].sample(
            1, random_state=rng
        ).item()
        for table, key, column in (
            ("gene_links", "gene", "p_gene"),
            ("feature_links", "feature", "p_feature"),
            ("feature_links", "feature", "p_contrast_feature"),
            ("pathway_links", "set", "p_set"),
        )
    }  # fmt: skip
    family = dict(zip(summary["kind"] + ", p_family", summary["p_family"], strict=True))
    rate = dict(zip(summary["kind"] + ", found", summary["found"], strict=True))
    return family | one | rate | {"world": world, "n": n, "beside": beside}


@pytest.fixture(scope="module")
def null_worlds() -> pd.DataFrame:
    return pd.DataFrame([null_facts(beside, 100, w) for beside in DESIGNS for w in range(WORLDS)])


@pytest.mark.slow
@pytest.mark.parametrize("beside", DESIGNS)
def test_without_links_p_is_uniform_and_findings_as_rare_as_stated(null_worlds, beside) -> None:
    table = null_worlds[null_worlds["beside"] == beside]
    for name in table.columns[table.columns.str.contains("p_")]:
        p = table[name].to_numpy()
        # p is one of 1, 2, ... of 100; spread evenly below itself it is uniform if it is right.
        spread = p - np.random.default_rng(64).random(len(p)) / (1 + DEALS)
        assert kstest(spread, "uniform").pvalue > DOUBT, name
        assert within(int((p <= ALPHA + 1e-9).sum()), len(p), ALPHA), name
    for name in table.columns[table.columns.str.endswith("found")]:
        if beside == "strata" and name != f"{RUNNING_SUMS}, found":
            # p of a single link knows nothing of strata: sites make links, which are found.
            continue
        # Without links a false discovery rate is the chance of any finding, ALPHA at most.
        assert (table[name] > 0).sum() <= binom.ppf(1 - DOUBT, len(table), ALPHA), name


def within(count: int, of: int, share: float) -> bool:
    low, high = binom.ppf([DOUBT / 2, 1 - DOUBT / 2], of, share)
    return bool(low <= count <= high)


def test_what_was_observed_is_one_deal_among_many(rng) -> None:
    """Each deal in turn as the observed one: of 40, exactly 2 have a family-wise p up to 0.05."""
    cohort = drawn(NULL, 40, 0)
    f = unit_columns(cohort.features.iloc[:, ::10].to_numpy())
    g = unit_columns(cohort.genes.to_numpy())
    position = {gene: at for at, gene in enumerate(cohort.genes)}
    sets = [np.array([position[x] for x in each]) for each in cohort.gene_sets.values()]
    orders = np.vstack([np.arange(40), permutations(40, 39, rng)])
    found: dict[str, list[float]] = {"genes": [], "running sum": [], "contrast": []}
    for at, order in enumerate(orders):
        back = np.argsort(order)
        others = back[np.delete(orders, at, axis=0)]
        null = null_pass(f[order], g, orders=others, sets=sets)
        assert null.sets is not None
        for name, value, largest in (
            ("genes", null.r, null.largest_by_feature),
            ("running sum", null.sets.nes, null.sets.largest_by_feature),
            ("contrast", null.sets.contrast, null.sets.contrast_by_feature),
        ):
            reached = largest.max(axis=1) >= np.abs(value).max() * (1 - 1e-5)
            found[name].append((1 + reached.sum()) / 40)
    for name, p in found.items():
        # Two that rounding makes one both have the larger p.
        np.testing.assert_allclose(sorted(p), np.arange(1, 41) / 40, atol=0.026, err_msg=name)
        assert sum(each <= 0.05 + 1e-9 for each in p) == 2, name


def planted_facts(n: int, world: int, design: LinkDesign = PLANTED) -> list[dict[str, object]]:
    """False discovery proportions of all kinds, and the share of planted pairs that was found."""
    cohort = drawn(design, n, world)
    tables = mapped(cohort, "covariates", world).tables
    linked = cohort.pairs.query("planted")
    rows: list[dict[str, object]] = []
    kinds = (
        ("links", "links", "gene", linked, "fdr", "p_family"),
        ("contrasts", "set_links", "set", cohort.sets.query("planted"), "fdr_contrast",
         "p_contrast_family"),
        ("running sums", "set_links", "set", cohort.sets.query("planted"), "fdr", "p_family"),
    )  # fmt: skip
    for kind, name, target, truth, rate, family in kinds:
        table = tables[name].merge(
            truth[["feature", target, "planted"]], how="left", on=["feature", target]
        )
        true = table["planted"].notna()
        # A set is compared with all other genes, so that a feature linked to any has no null set.
        some = table["feature"].isin(linked["feature"]) if target == "set" else true
        strength = table["feature"].str[5:7].astype(int).sub(1).map(dict(enumerate(STRENGTHS)))
        if target == "set":
            true &= table["set"].str.startswith("PATHWAY")
        for by, column in (("rate", rate), ("family-wise", family)):
            found = table[column] <= ALPHA
            row = {"world": world, "n": n, "kind": kind, "by": by, "found": int(found.sum())}
            row["false"] = int((found & ~some).sum())
            row["false, any set not linked"] = int((found & table["planted"].isna()).sum())
            power = found[true].groupby(strength[true]).mean()
            rows.append(row | {f"power {rho}": share for rho, share in power.items()})
    return rows


@pytest.fixture(scope="module")
def planted_worlds() -> pd.DataFrame:
    rows = [row for n in PATIENTS for w in range(WORLDS) for row in planted_facts(n, w)]
    table = pd.DataFrame(rows)
    for name in ("false", "false, any set not linked"):
        table[name.replace("false", "fdp")] = table[name] / table["found"].clip(lower=1)
    return table


def lower_bound(values: pd.Series) -> float:
    """Of the mean, one-sided 99.5 % by t; 0 spread has no bound."""
    spread = values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - t.ppf(0.995, len(values) - 1) * spread)


@pytest.mark.slow
@pytest.mark.parametrize("n", PATIENTS)
def test_false_discovery_proportions_are_as_stated(planted_worlds, n: int) -> None:
    table = planted_worlds.query("n == @n")
    for (kind, by), part in table.groupby(["kind", "by"]):
        assert lower_bound(part["fdp"]) <= ALPHA, (kind, by)
        if by == "family-wise":
            any_false = int((part["false"] > 0).sum())
            assert any_false <= binom.ppf(1 - DOUBT, len(part), ALPHA), kind


@pytest.mark.slow
def test_power_grows_with_strength_and_patients(planted_worlds) -> None:
    power = [f"power {rho}" for rho in STRENGTHS]
    means = planted_worlds.query("by == 'rate'").groupby(["kind", "n"])[power].mean()
    for _, part in means.groupby("kind"):
        values = part.to_numpy()
        assert (values[:, -1] > values[:, 0]).all() and (values[-1] >= values[0]).all()
    assert means.loc[("contrasts", 150), "power 0.7"] > 0.8
    assert means.loc[("links", 150), "power 0.7"] > 0.5


def volume_facts(n: int, world: int) -> dict[str, float]:
    """Shares of spurious pairs that are found without and beside volume, and that are listed."""
    design = replace(PLANTED, sites=1, site_on_features=0, site_on_genes=0, purity_blocks=(),
                     purity_pathways=())  # fmt: skip
    cohort = drawn(design, n, world)
    features = cohort.features.assign(volume_ml=cohort.covariates["volume"])
    settings = MapSettings(permutations=19, kept=ALL)
    plain = associate(cohort.features, cohort.genes, settings=settings).tables
    with pytest.warns(match="explained by the covariates"):
        beside = associate(features, cohort.genes, volume="volume_ml", settings=settings).tables
    spurious = pd.MultiIndex.from_frame(cohort.pairs.query("spurious")[["feature", "gene"]])
    planted = pd.MultiIndex.from_frame(cohort.pairs.query("planted")[["feature", "gene"]])
    before, after = (
        each["links"].set_index(["feature", "gene"])["fdr"] <= ALPHA for each in (plain, beside)
    )
    gone = beside.get("vanished", NOTHING).query("kind == 'gene'")
    listed = pd.MultiIndex.from_frame(gone[["feature", "target"]], names=["feature", "gene"])
    was = before.index[before].intersection(spurious)
    return {
        "n": n,
        "world": world,
        "found without volume": before[spurious].mean(),
        "found beside volume": after[spurious].mean(),
        "of those found, listed as vanished": was.isin(listed).mean() if len(was) else np.nan,
        "planted, found without volume": before[planted].mean(),
        "planted, found beside volume": after[planted].mean(),
        "planted pairs listed as vanished": planted.isin(listed).mean(),
    }


@pytest.fixture(scope="module")
def volume_worlds() -> pd.DataFrame:
    return pd.DataFrame([volume_facts(n, w) for n in PATIENTS for w in range(WORLDS)])


@pytest.mark.slow
def test_links_that_volume_drives_vanish_beside_it(volume_worlds) -> None:
    means = volume_worlds.groupby("n").mean()
    assert means.loc[100, "found without volume"] > 0.2
    assert (means["found without volume"] > 20 * means["found beside volume"]).all()
    # Pairs that are null given volume are found as seldom as any other null pair.
    assert (means["found beside volume"] < 0.01).all()
    # Those found by few patients were strong by chance as well, and chance is not taken out.
    assert means.loc[150, "of those found, listed as vanished"] > 0.9
    assert (means["planted pairs listed as vanished"] < 0.01).all()


@pytest.mark.slow
def test_tables_of_the_page(
    null_worlds, planted_worlds, volume_worlds, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    names = null_worlds.columns[null_worlds.columns.str.contains("p_|found")]
    shares = null_worlds.copy()
    for name in names:
        found = shares[name] > 0 if name.endswith("found") else shares[name] <= ALPHA + 1e-9
        shares[name] = found.astype(float)
    written(shares.groupby("beside")[list(names)].mean().T, folder / "null.csv")
    groups = planted_worlds.drop(columns="world").groupby(["kind", "by", "n"])
    means = groups.mean()
    for name in ("fdp", "fdp, any set not linked"):
        means[f"{name}, half width"] = (
            groups[name].std() / np.sqrt(WORLDS) * t.ppf(0.975, WORLDS - 1)
        )
    means["worlds with a false one"] = groups["false"].apply(lambda x: (x > 0).mean())
    written(means, folder / "planted.csv")
    written(volume_worlds.groupby("n").mean().drop(columns="world"), folder / "volume.csv")


def written(table: pd.DataFrame, path: Path) -> None:
    table.round(4).to_csv(path)
    assert len(pd.read_csv(path)) == len(table)
