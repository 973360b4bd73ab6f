"""The virtual biopsy from files to folder: planted pathways are found and foretold elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import radiogenomics as rg
from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingFileError,
    RadiogenomicsWarning,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.omics.scoring import MeanZ, Singscore
from radiogenomics.simulate.links import LinkDesign, PlantedLink, link_world

PLAN = {"comparators": [], "repeats": 1, "permutations": 39, "smallest": 5}
PLANTED = ["PATHWAY_001", "PATHWAY_002"]
LINKS = (PlantedLink(0, 0, 0.85), PlantedLink(1, 1, -0.8))
QUIET = "ignore::radiogenomics.core.errors.RadiogenomicsWarning"
pytestmark = pytest.mark.filterwarnings(QUIET)


@pytest.fixture(scope="module", autouse=True)
def undrawn():
    """Figures take the time, and are not the matter here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("radiogenomics.report.embed.to_svg", lambda ax: "<svg/>")
        yield


@dataclass(frozen=True)
class World:
    """Files of two cohorts of one world, in which genes of pathways are few among all.

    A singscore is relative: among few genes, all others go down as linked ones go up.
    """

    root: Path

    def words(self, *, cohort: str = "first", apply: str | None = None, **more):
        found = {
            "features": self.root / f"{cohort}_ct.csv",
            "expression": self.root / f"{cohort}_rna.csv",
            "gene_sets": self.root / "sets.gmt",
            "plan": self.root / "plan.yaml",
            "jobs": 1,
        }
        if apply is not None:
            found["apply_features"] = self.root / f"{apply}_ct.csv"
            found["apply_expression"] = self.root / f"{apply}_rna.csv"
        return found | more


def write_world(root: Path, links: tuple[PlantedLink, ...], *, seed: int) -> World:
    design = LinkDesign(
        features=40, blocks=5, genes=1000, pathways=6, pathway_genes=20, links=links,
        volume_blocks=(), volume_pathways=(), purity_blocks=(), purity_pathways=(),
        site_on_features=0.1, site_on_genes=0.1, overlapping_sets=0, unrelated_sets=6,
    )  # fmt: skip
    rng = np.random.default_rng([61, seed])
    world = link_world(design, rng=rng)
    for name, n in (("first", 90), ("second", 70)):
        cohort = world.cohort(n, rng=rng, prefix=name.upper())
        cohort.features.rename_axis("patient_id").to_csv(root / f"{name}_ct.csv")
        cohort.genes.rename_axis("patient_id").to_csv(root / f"{name}_rna.csv")
        cohort.covariates.rename_axis("patient_id").to_csv(root / f"{name}_patients.csv")
    lines = ["\t".join([name, "made", *genes]) for name, genes in world.gene_sets.items()]
    (root / "sets.gmt").write_text("\n".join(lines))
    (root / "plan.yaml").write_text(yaml.safe_dump(PLAN))
    return World(root)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return write_world(tmp_path_factory.mktemp("linked"), LINKS, seed=1)


@pytest.fixture(scope="module")
def null_world(tmp_path_factory) -> World:
    return write_world(tmp_path_factory.mktemp("null"), (), seed=2)


@pytest.fixture(scope="module")
def applied(world, tmp_path_factory):
    """A run with a second cohort, with sites as its scanners."""
    folder = tmp_path_factory.mktemp("applied")
    (folder / "plan.yaml").write_text(yaml.safe_dump(PLAN | {"repeats": 2}))
    out = folder / "out"
    return rg.biopsy(
        **world.words(apply="second", plan=folder / "plan.yaml"),
        apply_patients=world.root / "second_patients.csv",
        apply_groups="site",
        genes=["GENE00001", "GENE00990"],
        out=out,
    )


def test_planted_pathways_are_found_and_no_others(applied):
    table = applied.tables["biopsy"].set_index("target")
    found = table.index[table["p_family"] <= 0.05]
    assert set(found) - {"GENE00001"} == set(PLANTED)
    assert table.loc[PLANTED, "r2"].min() > 0.2
    assert "images foretell" in applied.verdict and "PATHWAY_00" in applied.verdict
    (strongest,) = [m for m in applied.metrics if m.name == "strongest_biopsy"]
    assert strongest.value == table["r2"].max() and strongest.p_permutation == 1 / 40
    null = applied.tables["biopsy_null"]
    assert strongest.chance == pytest.approx(null["value"].mean()) and len(null) == 39


def test_planted_pathways_are_foretold_in_a_second_cohort(applied):
    table = applied.tables["transport"]
    everyone = table[table["group"] == "all"].set_index("target")
    assert (everyone.loc[PLANTED, "rho_low"] > 0.3).all()
    assert (everyone["n"] == 70).all()
    others = everyone.drop([*PLANTED, "GENE00001"])
    assert not (others["rho_low"] > 0).sum() > 2
    assert set(table["group"]) == {"all", "site 1", "site 2", "site 3"}
    by_group = table[(table["target"] == PLANTED[0]) & (table["group"] != "all")]
    assert by_group["n"].sum() == 70 and by_group["rho"].min() > 0.2
    differences = applied.tables["transport_differences"]
    assert set(differences["statistic"]) == {"rho", "slope", "auc", "mean error"}
    (metric,) = [m for m in applied.metrics if m.name.startswith("biopsy_rho:")]
    assert metric.split == "external:second_ct" and metric.p_permutation == 0.001


def test_predictions_are_the_targets_scored_one_patient_at_a_time(applied, world):
    table = applied.tables["predictions"]
    genes = pd.read_csv(world.root / "first_rna.csv", index_col=0)
    sets = {line.split("\t")[0]: line.split("\t")[2:] for line in gmt(world)}
    for name in PLANTED:
        own = table[table["target"] == name].set_index("patient_id")["measured"]
        alone = [Singscore({name: sets[name]}).fit_transform(genes.loc[[p]]) for p in own.index[:3]]
        assert own.iloc[:3].tolist() == pytest.approx([float(s.iloc[0, 0]) for s in alone])
    assert own.index.tolist() == genes.index.tolist()


def gmt(world) -> list[str]:
    return (world.root / "sets.gmt").read_text().splitlines()


def test_intervals_and_percentiles_belong_to_the_training_cohort(applied):
    table = applied.tables["applied"]
    targets = applied.tables["targets"].set_index("target")
    half = table["target"].map(targets["half_width"])
    assert (table["high"] - table["predicted"]).to_numpy() == pytest.approx(half.to_numpy())
    assert table["percentile"].between(0, 100).all()
    predictions = applied.tables["predictions"]
    for name in PLANTED:
        measured = predictions.loc[predictions["target"] == name, "measured"].to_numpy()
        own = table[table["target"] == name]
        share = [100 * (measured <= level).mean() for level in own["predicted"]]
        assert own["percentile"].to_numpy() == pytest.approx(share, abs=3)


def test_contributions_and_the_training_mean_add_up(world, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(yaml.safe_dump(PLAN | {"kept": 2}))
    features = pd.read_csv(world.root / "first_ct.csv", index_col=0).iloc[:, :8]
    features.to_csv(tmp_path / "few.csv", index_label="patient_id")
    words = world.words(plan=plan, features=tmp_path / "few.csv")
    results = rg.biopsy(**words, apply_features=world.root / "second_ct.csv", out=tmp_path / "o")
    keys = ["patient_id", "target"]
    sums = results.tables["contributions"].groupby(keys)["contribution"].sum()
    mean = results.tables["targets"].set_index("target")["mean"]
    predicted = results.tables["applied"].set_index(keys)["predicted"].loc[sums.index]
    expected = sums + sums.index.get_level_values("target").map(mean)
    assert predicted.to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-12)
    assert set(results.tables["targets"]["target"]) == set(results.tables["biopsy"]["target"][:2])


def test_in_a_null_world_nothing_is_found(null_world, tmp_path):
    results = rg.biopsy(**null_world.words(apply="second"), out=tmp_path / "o")
    assert (results.tables["biopsy"]["p_family"] > 0.05).all()
    assert results.verdict.startswith("images foretell none of 12 gene sets beyond chance")
    assert (results.tables["transport"]["rho_low"] > 0).sum() <= 1


def test_features_of_held_out_patients_change_no_other_prediction(world, tmp_path, monkeypatch):
    """Each patient of the first test part of a repeat gets other features, some of them missing."""
    from radiogenomics.evaluation.splits import PatientKFold

    plan = tmp_path / "plan.yaml"
    plan.write_text(yaml.safe_dump(PLAN | {"repeats": 1, "permutations": 19}))
    features = pd.read_csv(world.root / "first_ct.csv", index_col=0)
    (split, *_) = PatientKFold(5, n_repeats=1, random_state=0).split(features.index)
    others = features.copy()
    rng = np.random.default_rng(5)
    others.iloc[split.test] = 50 * rng.normal(size=(len(split.test), features.shape[1]))
    others.iloc[split.test[1:], 0] = np.nan
    found = []
    for name, table in (("a", features), ("b", others)):
        table.to_csv(tmp_path / f"{name}.csv", index_label="patient_id")
        words = world.words(plan=plan, features=tmp_path / f"{name}.csv")
        # Its own features foretell a patient of the first part, by what the other parts taught.
        words |= {"apply_features": tmp_path / "a.csv"}
        found.append(rg.biopsy(**words, out=tmp_path / name).tables["applied"])
    first, second = (t.set_index(["patient_id", "target"])["predicted"].unstack() for t in found)
    tested = features.index[split.test]
    assert first.loc[tested].equals(second.loc[tested])
    assert not first.drop(tested).equals(second.drop(tested))


def test_locked_surrogates_from_their_file_are_the_same_to_the_digit(applied, world, tmp_path):
    words = {"apply_features": world.root / "second_ct.csv", "apply_groups": "site"}
    words |= {"apply_expression": world.root / "second_rna.csv"}
    words |= {"apply_patients": world.root / "second_patients.csv"}
    read = rg.biopsy(surrogates=applied.folder / "surrogates.json", out=tmp_path / "o", **words)
    for name in ("applied", "contributions", "transport", "transport_differences", "targets"):
        pd.testing.assert_frame_equal(read.tables[name], applied.tables[name], check_exact=True)
    before, after = ((r.folder / "surrogates.json").read_text() for r in (applied, read))
    assert before == after
    assert read.metrics == applied.metrics[1:]
    assert "nothing was learnt" in read.verdict and read.cohorts == ("first_ct", "second_ct")
    assert not {"biopsy_null", "predictions"} & set(read.tables)


def test_a_cohort_without_expression_is_foretold_all_the_same(applied, world, tmp_path):
    features = pd.read_csv(world.root / "second_ct.csv", index_col=0)
    features.iloc[:5].T.rename_axis("feature").to_csv(tmp_path / "five.csv")
    read = rg.biopsy(
        surrogates=applied.folder / "surrogates.json",
        apply_features=tmp_path / "five.csv",
        out=tmp_path / "o",
    )
    keys = ["patient_id", "target"]
    alone, among = (r.tables["applied"].set_index(keys)["predicted"] for r in (read, applied))
    assert alone.to_numpy() == pytest.approx(among.loc[alone.index].to_numpy(), rel=1e-12)
    assert alone.index.get_level_values(0).nunique() == 5
    assert "transport" not in read.tables and read.metrics == ()
    assert read.verdict.endswith("Nothing was measured to hold them against")


def test_the_same_patients_on_another_scanner_are_foretold_by_folds_without_them(world, tmp_path):
    features = pd.read_csv(world.root / "first_ct.csv", index_col=0)
    again = features.iloc[:50] + 0.1 * np.random.default_rng(3).normal(size=(50, 40))
    for name, table in (("again", again), ("same", features.iloc[:50])):
        table.to_csv(tmp_path / f"{name}.csv", index_label="patient_id")
    results = {}
    for name in ("again", "same"):
        words = world.words() | {"apply_features": tmp_path / f"{name}.csv"}
        results[name] = rg.biopsy(**words, out=tmp_path / f"out_{name}")
    agreement = results["again"].tables["agreement"].set_index("target")
    assert (agreement["n"] == 50).all() and agreement.loc[PLANTED, "ccc"].min() > 0.8
    keys = ["patient_id", "target"]
    same = results["same"].tables
    own = same["predictions"].set_index(keys)["predicted"]
    told = same["applied"].set_index(keys)["predicted"]
    assert told.to_numpy() == pytest.approx(own.loc[told.index].to_numpy(), abs=1e-10)
    assert any("taken for the same patients" in text for _, text in results["again"].findings.notes)


def test_without_a_second_cohort_cards_rest_on_held_out_patients(world, tmp_path):
    results = rg.biopsy(**world.words(), out=tmp_path / "o")
    keys = ["patient_id", "target"]
    own = results.tables["predictions"].set_index(keys)["predicted"]
    told = results.tables["applied"].set_index(keys)["predicted"]
    assert told.to_numpy() == pytest.approx(own.loc[told.index].to_numpy(), abs=1e-10)
    assert set(results.tables["contributions"]["target"]) == set(PLANTED)


def test_mean_z_takes_the_constants_of_the_training_cohort(world, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(yaml.safe_dump(PLAN | {"scorer": "mean_z"}))
    results = rg.biopsy(**world.words(plan=plan, apply="second"), out=tmp_path / "o")
    first, second = (
        pd.read_csv(world.root / f"{name}_rna.csv", index_col=0) for name in ("first", "second")
    )
    sets = {line.split("\t")[0]: line.split("\t")[2:] for line in gmt(world)}
    scorer = MeanZ(sets).fit(first)
    locked = json.loads((tmp_path / "o" / "surrogates.json").read_text())
    assert set(locked["constants"]) == {gene for genes in sets.values() for gene in genes}
    measured = results.tables["predictions"].set_index(["patient_id", "target"])["measured"]
    expected = scorer.transform(first)
    assert measured.unstack()[PLANTED].to_numpy() == pytest.approx(
        expected.loc[measured.unstack().index, PLANTED].to_numpy(), abs=1e-12
    )
    predicted = results.tables["applied"].set_index(["patient_id", "target"])["predicted"].unstack()
    truth = scorer.transform(second).loc[predicted.index]
    table = results.tables["transport"].set_index("target")
    expected_rho = predicted[PLANTED].corrwith(truth[PLANTED], method="spearman")
    assert table.loc[PLANTED, "rho"].to_numpy() == pytest.approx(expected_rho.to_numpy())
    assert any("held out among them" in text for _, text in results.findings.notes)


def test_patients_are_permuted_within_their_sites(world, tmp_path):
    """With a site a patient there is nothing to permute, and nothing can be found."""
    table = pd.read_csv(world.root / "first_patients.csv")
    table.assign(alone=table["patient_id"]).to_csv(tmp_path / "patients.csv", index=False)
    words = world.words() | {"patients": tmp_path / "patients.csv"}
    stuck = rg.biopsy(**words, within="alone", out=tmp_path / "a")
    assert (stuck.tables["biopsy"]["p_family"] == 1).all()
    moved = rg.biopsy(**words, within="site", out=tmp_path / "b")
    assert (moved.tables["biopsy"].head(2)["p_family"] == 1 / 40).all()


def test_every_gene_is_a_target_where_none_was_named(world, tmp_path):
    rna = altered(world, tmp_path, "first_rna.csv", lambda t: t.iloc[:, :150])
    words = world.words(expression=rna) | {"gene_sets": None}
    results = rg.biopsy(**words, out=tmp_path / "o")
    assert len(results.tables["biopsy"]) == 150
    assert results.tables["targets"].shape[0] == 100
    planted = {f"GENE{i:05d}" for i in range(1, 41)}
    assert set(results.tables["biopsy"]["target"].head(20)) <= planted


def test_gaps_are_filled_and_said(world, tmp_path):
    genes = pd.read_csv(world.root / "first_rna.csv", index_col=0)
    genes.iloc[:5, 0] = np.nan
    genes.iloc[:60, 1] = np.nan
    genes.to_csv(tmp_path / "rna.csv", index_label="patient_id")
    second = pd.read_csv(world.root / "second_ct.csv", index_col=0)
    second.iloc[0, :3] = np.nan
    second.iloc[1, :30] = np.nan
    second.to_csv(tmp_path / "ct.csv", index_label="patient_id")
    words = world.words(expression=tmp_path / "rna.csv", apply_features=tmp_path / "ct.csv")
    with pytest.warns(RadiogenomicsWarning, match="1 of 999 genes have missing values"):
        results = rg.biopsy(**words, out=tmp_path / "o")
    assert results.tables["applied"]["patient_id"].nunique() == 69
    notes = " ".join(text for _, text in results.findings.notes)
    assert "1 of 70 patients lack more than 20%" in notes and "3 values of the others" in notes


def test_another_scale_of_features_is_warned_of(world, tmp_path):
    second = pd.read_csv(world.root / "second_ct.csv", index_col=0)
    second["block01_feature01"] += 40
    second.to_csv(tmp_path / "ct.csv", index_label="patient_id")
    words = world.words(apply_features=tmp_path / "ct.csv")
    with pytest.warns(RadiogenomicsWarning, match="1 of 40 features are on average over 3"):
        rg.biopsy(**words, out=tmp_path / "o")


def test_names_of_patients_are_in_no_file(applied, world):
    written = [p for p in applied.folder.rglob("*") if p.is_file()]
    assert {p.name for p in written} >= {"surrogates.json", "report.html", "applied.csv"}
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert "FIRST-00" not in text and "SECOND-00" not in text, path.name


def test_same_seed_same_bytes(world, tmp_path):
    for name in ("a", "b"):
        rg.biopsy(**world.words(), seed=4, out=tmp_path / name)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert [p for p in files if (tmp_path / "a" / p).read_bytes()
            != (tmp_path / "b" / p).read_bytes()] == []  # fmt: skip


@pytest.mark.real
def test_kpna2_and_smg5_are_not_foretold_from_ct(data_root, tmp_path):
    """94 patients, 1316 features: a link of these two genes with CT is not there to be found."""
    plan = tmp_path / "plan.yaml"
    plan.write_text(yaml.safe_dump({"comparators": [], "repeats": 2, "permutations": 99}))
    results = rg.biopsy(
        cohort="nsclc_radiogenomics", data_root=data_root, features="radiomics",
        expression="rna", genes=["KPNA2", "SMG5"], plan=plan, jobs=1, out=tmp_path / "o",
    )  # fmt: skip
    table = results.tables["biopsy"]
    assert set(table["target"]) == {"KPNA2", "SMG5"} and (table["n"] == 94).all()
    assert (table["p"] > 0.05).all() and (table["p_family"] > 0.05).all()
    assert (table["r2"] < 0.1).all()
    assert "none of 2 genes" in results.verdict


def altered(world: World, folder: Path, name: str, change) -> Path:
    table = change(pd.read_csv(world.root / name, index_col=0))
    table.to_csv(folder / name, index_label="patient_id")
    return folder / name


def test_no_shared_patients(world, tmp_path):
    words = world.words(expression=world.root / "second_rna.csv")
    with pytest.raises(AlignmentError, match="patients that all 2 tables have; found none"):
        rg.biopsy(**words, out=tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_few_patients_are_refused_unless_forced(world, tmp_path):
    few = altered(world, tmp_path, "first_ct.csv", lambda t: t.head(16))
    with pytest.raises(DataError, match="at least 20 patients .* found 16"):
        rg.biopsy(**world.words(features=few), out=tmp_path / "o")
    results = rg.biopsy(**world.words(features=few), force=True, out=tmp_path / "o")
    assert results.tables["residuals"]["level"].iloc[0] == 0.94
    assert any("16 patients allow 4 folds" in text for _, text in results.findings.notes)
    fewer = altered(world, tmp_path, "first_ct.csv", lambda t: t.head(7))
    with pytest.raises(DataError, match="at least 8 patients"):
        rg.biopsy(**world.words(features=fewer), force=True, out=tmp_path / "p")


def test_features_that_the_applied_cohort_lacks_are_named(world, tmp_path):
    lost = altered(
        world, tmp_path, "second_ct.csv",
        lambda t: t.drop(columns=["block01_feature02", "block05_feature40"]),
    )  # fmt: skip
    with pytest.raises(AlignmentError, match="found 2 absent .block01_feature02, block05_feat"):
        rg.biopsy(**world.words(), apply_features=lost, out=tmp_path / "o")


def test_gene_sets_without_overlap(world, tmp_path):
    (tmp_path / "sets.gmt").write_text("A\tx\tTP53\tEGFR\nB\tx\tMYC\tKRAS\n")
    words = world.words(gene_sets=tmp_path / "sets.gmt")
    with pytest.raises(DataError, match="found none of 2 among 1000 genes"):
        rg.biopsy(**words, out=tmp_path / "o")


def test_a_misspelt_gene_gets_near_matches(world, tmp_path):
    with pytest.raises(UnknownNameError, match="'GENE0039': did you mean 'GENE0"):
        rg.biopsy(**world.words(), genes="GENE0039", out=tmp_path / "o")


def test_genes_of_the_targets_that_the_applied_cohort_lacks(world, tmp_path):
    rna = altered(world, tmp_path, "second_rna.csv", lambda t: t.drop(columns=list(t)[:20]))
    words = world.words(apply="second") | {"apply_expression": rna}
    with pytest.warns(RadiogenomicsWarning, match="1 of 12 targets are not measured here"):
        results = rg.biopsy(**words, out=tmp_path / "o")
    assert "PATHWAY_001" not in set(results.tables["transport"]["target"])
    assert "PATHWAY_001" in set(results.tables["applied"]["target"])
    rna = altered(world, tmp_path, "second_rna.csv", lambda t: t.add_suffix("x"))
    with pytest.raises(AlignmentError, match="found too few of every one among 1000 genes"):
        rg.biopsy(**words | {"apply_expression": rna}, out=tmp_path / "p")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("not json", "found something else"),
        ("[1, 2]", "found list"),
        ('{"genes": ["KPNA2"]}', "an object of another kind"),
        ('{"kind": "radiogenomics surrogates", "format": 99}', "found format 99"),
        ('{"kind": "radiogenomics surrogates", "format": 1}', "found no cohort"),
    ],
)
def test_surrogates_of_something_else(text, found, world, tmp_path):
    (tmp_path / "s.json").write_text(text)
    words = {"surrogates": tmp_path / "s.json", "apply_features": world.root / "second_ct.csv"}
    with pytest.raises(SchemaError, match=found) as told:
        rg.biopsy(**words, out=tmp_path / "o")
    assert "s.json: expected the surrogates.json that `radiogenomics biopsy` wrote" in str(
        told.value
    )


def test_surrogates_that_were_tampered_with(applied, world, tmp_path):
    record = json.loads((applied.folder / "surrogates.json").read_text())
    words = {"surrogates": tmp_path / "s.json", "apply_features": world.root / "second_ct.csv"}
    for change in (
        {"half_width": record["half_width"][:-1]},
        {"deviation": [0.0] * len(record["deviation"])},
        {"targets": record["targets"][::-1]},
        {"medians": ["x"] * len(record["medians"])},
        {"surrogate": {}},
    ):
        (tmp_path / "s.json").write_text(json.dumps(record | change))
        with pytest.raises(SchemaError, match="s.json: expected the surrogates.json"):
            rg.biopsy(**words, out=tmp_path / "o")
    with pytest.raises(MissingFileError, match="Name the surrogates.json"):
        rg.biopsy(**words | {"surrogates": tmp_path / "no.json"}, out=tmp_path / "o")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({}, "found 0 and 0 tables"),
        ({"features": "a.csv"}, "found 1 and 0 tables"),
        ({"surrogates": "s.json"}, "Give --apply-features"),
        ({"surrogates": "s.json", "genes": "KPNA2", "features": "a"}, "--features, --genes"),
        ({"features": "a", "expression": "b", "apply_groups": "site"}, "Give --apply-features"),
        ({"features": "a", "expression": "b", "cohort": "c", "patients": "p"}, "--patients out"),
    ],
)
def test_words_that_do_not_go_together(words, found, tmp_path):
    with pytest.raises(StudyError, match=found):
        rg.biopsy(**words, out=tmp_path / "o")


def test_a_column_that_is_not_there(world, tmp_path):
    words = world.words() | {"patients": world.root / "first_patients.csv"}
    with pytest.raises(UnknownNameError, match="column of first_patients.csv 'sites'"):
        rg.biopsy(**words, within="sites", out=tmp_path / "o")
    with pytest.raises(StudyError, match="found neither a cohort nor a file"):
        rg.biopsy(**world.words(), within="site", out=tmp_path / "o")
    others = words | {"patients": world.root / "second_patients.csv"}
    with pytest.raises(AlignmentError, match="found none of them among 70 rows"):
        rg.biopsy(**others, within="site", out=tmp_path / "o")
