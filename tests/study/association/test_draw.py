"""A map from files to folder: what is found, what is not, and what a folder holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from radiogenomics.core.errors import DataError, RadiogenomicsError, StudyError, UnknownNameError
from radiogenomics.core.provenance import hash_file
from radiogenomics.study.association.draw import draw_map

LEFT_OUT = "ignore:1 of .* features are not in the map"
VOLUME = "original_shape_MeshVolume"


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "tables" / f"{name}.csv")


def notes(folder: Path, level: str) -> list[str]:
    every = table(folder, "notes")
    return every.loc[every["level"] == level, "text"].tolist()


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


class TestEverything:
    def test_no_stage_is_missing(self, everything):
        names = {path.stem for path in (everything / "tables").iterdir()}
        assert names >= {
            "links", "set_links", "pathway_links", "gene_links", "feature_links", "feature_genes",
            "feature_sets", "vanished", "modules", "module_links", "controls", "activity_links",
            "likeness", "replication", "replication_summary", "map_summary", "map_null",
            "left_out", "cohort_flow", "settings", "notes",
        }  # fmt: skip
        assert not [text for text in notes(everything, "warning") if "not computed" in text]

    def test_planted_links_stand_first_and_the_verdict_names_the_strongest(
        self, linked, everything
    ):
        best = table(everything, "set_links").iloc[0]
        planted = linked.first.sets.query("planted")
        pairs = set(zip("original_glcm_" + planted["feature"], planted["set"], strict=True))
        deep = {f"deep_{at}": linked.features.columns[1 + at] for at in range(5)}
        assert (deep.get(best["feature"], best["feature"]), best["set"]) in pairs
        verdict = json.loads((everything / "summary.json").read_text())["verdict"]
        assert verdict.startswith("some of 29 image features go with genes or gene sets in 80")
        assert f"({best['feature']} with {best['set']})" in verdict
        assert "could be tried in second_radiomics" in verdict

    def test_links_of_volume_alone_vanish(self, linked, everything):
        spurious = linked.first.pairs.query("spurious")
        driven = set(zip("original_glcm_" + spurious["feature"], spurious["gene"], strict=True))
        gone = table(everything, "vanished").query("kind == 'gene'")
        assert len(driven & set(zip(gone["feature"], gone["target"], strict=True))) > 20
        left = table(everything, "set_links").query("fdr_contrast <= 0.05")
        assert len(left) > 10
        sets = linked.first.sets.query("spurious")
        driven = set(zip("original_glcm_" + sets["feature"], sets["set"], strict=True))
        assert driven and not driven & set(zip(left["feature"], left["set"], strict=True))

    def test_features_say_their_table_and_how_much_of_them_is_volume(self, linked, everything):
        best = table(everything, "feature_links").set_index("feature")
        assert best["source"].value_counts().to_dict() == {"radiomics.csv": 24, "deep.csv": 5}
        rho = stats.spearmanr(linked.features[VOLUME], linked.features[best.index[3]]).statistic
        own = best.index[3]
        if not own.startswith("deep"):
            assert best.at[own, "volume_rho"] == pytest.approx(rho, rel=1e-6)

    def test_the_second_cohort_repeats_what_was_planted(self, linked, everything):
        summary = table(everything, "replication_summary").iloc[0]
        assert summary["tried"] == summary["links"] and summary["n"] == 60
        assert 0 < summary["found_again"] <= summary["found_first"]
        assert summary["p_direction"] == 0.01
        sets = linked.first.sets.query("planted")
        planted = set(zip("original_glcm_" + sets["feature"], sets["set"], strict=True))
        rows = table(everything, "replication").query("kind == 'set'")
        true = [pair in planted for pair in zip(rows["feature"], rows["target"], strict=True)]
        assert sum(true) > 5
        small = (rows["p_second"] < 0.05).to_numpy()
        assert small[true].mean() > 0.6 > 0.3 > small[~np.array(true)].mean()

    def test_controls_find_less(self, everything):
        found = table(everything, "controls").set_index("control")["sets_found"]
        assert found["as they are"] > 5
        assert found["patients of the features shuffled"] <= 1 >= found["control.csv"]

    def test_no_file_names_a_patient_or_a_folder(self, linked, everything):
        for name, text in content(everything).items():
            assert b"PATIENT" not in text, name
            assert str(linked.folder).encode() not in text, name

    def test_the_record_says_what_was_read(self, linked, everything):
        record = json.loads((everything / "provenance.json").read_text())["inputs"]
        assert record["radiomics.csv"] == hash_file(linked / "radiomics.csv")
        assert {"deep.csv", "rna_turned.csv", "clinical.csv", "sets.gmt", "network.csv",
                "control.csv", "second_rna.csv"} <= set(record)  # fmt: skip
        recipe = yaml.safe_load((everything / "study.yaml").read_text())
        assert recipe["first"]["features"] == ["radiomics.csv", "deep.csv"]
        assert recipe["volume"] == VOLUME and recipe["second"]["covariates"]

    @pytest.mark.filterwarnings(LEFT_OUT)
    def test_the_same_seed_gives_the_same_bytes_by_any_number_of_threads(
        self, linked, draw_all, everything, tmp_path
    ):
        assert content(draw_all(linked, tmp_path / "again", jobs=2)) == content(everything)


def test_the_strongest_feature_is_shown_with_all_genes_and_sets(linked, everything):
    rows = table(everything, "feature_genes")
    assert len(rows) == 500 and rows["feature"].nunique() == 1
    # Partial rank correlations by regression, patient by patient.
    ranks = lambda values: stats.rankdata(values, axis=0)  # noqa: E731
    beside = linked.first.covariates
    sites = pd.get_dummies(beside["site"], dtype=float).iloc[:, 1:]
    design = np.column_stack([np.ones(80), ranks(beside[["volume", "purity"]]), sites])
    files = [pd.read_csv(linked / name, index_col=0) for name in ("radiomics.csv", "deep.csv")]
    feature = pd.concat(files, axis=1)[rows["feature"].iloc[0]]
    hat = design @ np.linalg.pinv(design)
    left = ranks(feature) - hat @ ranks(feature)
    genes = ranks(linked.first.genes) - hat @ ranks(linked.first.genes)
    rho = [stats.pearsonr(left, gene).statistic for gene in genes.T]
    expected = pd.Series(rho, linked.first.genes.columns)[rows["gene"]]
    np.testing.assert_allclose(rows["rho"], expected, rtol=1e-7, atol=1e-9)
    kept = table(everything, "links").query("feature == @rows.feature.iloc[0]")
    merged = kept.merge(rows, on="gene")
    np.testing.assert_allclose(merged["p_family_x"], merged["p_family_y"])
    np.testing.assert_allclose(merged["fdr_x"], merged["fdr_y"])
    assert len(table(everything, "feature_sets")) == len(linked.first.gene_sets)


@pytest.mark.filterwarnings(LEFT_OUT)
def test_nothing_is_found_where_nothing_was_planted(unlinked, tmp_path):
    found = draw_map(
        features=unlinked / "radiomics.csv",
        expression=unlinked / "rna.csv",
        gene_sets=unlinked / "sets.gmt",
        covariates=unlinked / "clinical.csv",
        plan=unlinked.plan("null.yaml", modules=False),
        out=tmp_path / "out",
        jobs=1,
        seed=4,
    )
    assert found.verdict.startswith("no link of 24 image features with genes or gene sets in 80")
    assert "3 kinds of link" in found.verdict
    assert all(metric.p_permutation > 0.05 for metric in found.metrics)


def test_links_of_volume_are_found_where_it_is_not_taken_out(unlinked, tmp_path):
    found = draw_map(
        features=unlinked / "radiomics.csv",
        expression=unlinked / "rna.csv",
        plan=unlinked.plan("plain.yaml", modules=False, negative_controls=False),
        out=tmp_path / "out",
        jobs=1,
    )
    assert found.verdict.startswith("some of 25 image features go with genes in 80 patients")
    assert "kinds of link" not in found.verdict and "only a second cohort tells" in found.verdict


def test_too_few_permutations_to_find_anything_are_said(linked, asked, tmp_path):
    plan = linked.plan("few.yaml", permutations=19, modules=False, negative_controls=False)
    draw_map(**asked(plan=plan))
    assert any("p cannot go below 0.15 over 3 kinds of link" in text and "59 or more" in text
               for text in notes(tmp_path / "out", "warning"))  # fmt: skip


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"explain": "dep", "features": ["radiomics.csv", "deep.csv"]}, UnknownNameError,
         "table of features to explain 'dep': did you mean 'deep'"),
        ({"explain": "radiomics"}, StudyError, "another table of features beside radiomics"),
        ({"volume": "original_shape_MeshVolum"}, UnknownNameError, "did you mean 'original_shape_"),
        ({"drop": ["original_shape_Mesh"]}, UnknownNameError, "column to drop"),
        ({"second_features": "second_radiomics.csv"}, StudyError,
         "second cohort: expected image features and expression; found 1 and 0"),
        ({"second_features": "radiomics.csv", "second_expression": "rna.csv"}, StudyError,
         "other patients than in the first; found 80 of 80 with the same names and the same"),
        ({"controls": ["second_control.csv"]}, StudyError,
         "control features of all 80 patients of the map; found 80 without"),
        ({"network": "sets.gmt"}, RadiogenomicsError, r"sets\.gmt"),
        ({"gene_sets": "nowhere.gmt"}, RadiogenomicsError, r"nowhere\.gmt"),
        ({"plan": "clinical.csv"}, RadiogenomicsError, r"clinical\.csv"),
        ({"within": "site"}, StudyError, "Name a file of covariates"),
        ({"settings": "ct"}, StudyError, "Give both --settings and --region"),
    ],
)  # fmt: skip
def test_a_wrong_word_costs_no_time_and_leaves_nothing(
    linked, asked, tmp_path, monkeypatch, words, error, message
):
    monkeypatch.setattr("radiogenomics.study.association.draw.associate", None)
    files = {path.name for path in linked.folder.iterdir()} | {"nowhere.gmt"}
    given = {
        word: [linked / each if each in files else each for each in value]
        if isinstance(value, list)
        else (linked / value if value in files else value)
        for word, value in words.items()
    }
    with pytest.raises(error, match=message) as caught:
        draw_map(**asked(**given))
    assert "PATIENT" not in str(caught.value)
    assert not list(tmp_path.iterdir())


class TestFewPatients:
    @pytest.fixture
    def few(self, linked, tmp_path):
        path = tmp_path / "in" / "few.csv"
        path.parent.mkdir()
        linked.features.iloc[:15].rename_axis("patient_id").to_csv(path)
        return path

    def test_they_are_refused(self, few, asked, tmp_path):
        with pytest.raises(DataError, match="at least 20 patients.*found 15"):
            draw_map(**asked(features=few))
        assert not (tmp_path / "out").exists()

    @pytest.mark.filterwarnings("ignore:No module of")
    def test_unless_forced(self, few, asked):
        assert draw_map(**asked(features=few, force=True)).metrics[0].n == 15

    def test_a_second_cohort_of_few_is_refused_too(self, linked, few, asked):
        other = few.with_name("other.csv")
        pd.read_csv(linked / "second_radiomics.csv").head(9).to_csv(other, index=False)
        again = {"second_features": other, "second_expression": linked / "second_rna.csv"}
        with pytest.raises(DataError, match="second cohort: expected at least 20.*found 9"):
            draw_map(**asked(**again))


def test_an_interruption_leaves_what_was_there(linked, asked, tmp_path, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("radiogenomics.study.association.draw.associate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw_map(**asked(out=tmp_path / "deep" / "er" / "out"))
    assert not list(tmp_path.iterdir())


def test_former_symbols_are_brought_together_on_all_sides(linked, asked, tmp_path):
    pytest.importorskip("decoupler")
    names = linked.first.genes.columns
    head = "symbol\tprev_symbol\talias_symbol\tensembl_gene_id\tentrez_id\tstatus\thgnc_id\tname"
    rows = [f"NEW{at}\t{gene}\t\t\t\tApproved\tHGNC:{at}\tn" for at, gene in enumerate(names[:300])]
    columns = "locus_group\tlocation"
    text = "\n".join([f"{head}\t{columns}", *(f"{row}\tx\t1p1" for row in rows)])
    (tmp_path / "hgnc.txt").write_text(text + "\n")
    # Half of the sets and of the network know the present symbols already.
    lines = (linked / "sets.gmt").read_text().splitlines()
    present = {gene: f"NEW{at}" for at, gene in enumerate(names[:300])}
    for at in range(0, len(lines), 2):
        lines[at] = "\t".join(present.get(word, word) for word in lines[at].split("\t"))
    (tmp_path / "sets.gmt").write_text("\n".join(lines) + "\n")
    plan = linked.plan("names.yaml", permutations=59, modules=False, negative_controls=False)
    words = {"gene_sets": tmp_path / "sets.gmt", "hgnc": tmp_path / "hgnc.txt", "plan": plan}
    found = draw_map(**asked(**words, network=linked / "network.csv"))
    plain = draw_map(**asked(plan=plan, network=linked / "network.csv"))
    assert "NEW3" in set(found.tables["gene_links"]["gene"])
    columns = ["feature", "set", "contrast_rho", "p_contrast_family"]
    pd.testing.assert_frame_equal(
        found.tables["set_links"][columns], plain.tables["set_links"][columns]
    )
    pd.testing.assert_frame_equal(found.tables["activity_links"], plain.tables["activity_links"])
    notes = [text for _, text in found.findings.notes]
    assert "300 of 500 genes are called by their present symbol" in notes


def test_files_of_one_name_are_hashed_apart(linked, asked, tmp_path):
    (tmp_path / "in").mkdir()
    shuffled = tmp_path / "in" / "radiomics.csv"
    shuffled.write_bytes((linked / "control.csv").read_bytes())
    plan = linked.plan("quick.yaml", permutations=59, modules=False)
    found = draw_map(**asked(controls=[shuffled], plan=plan, gene_sets=None))
    inputs = found.provenance.inputs
    assert inputs["radiomics.csv"] == hash_file(linked / "radiomics.csv")
    assert inputs["radiomics.csv (2)"] == hash_file(shuffled)
    assert "radiomics.csv" in found.tables["controls"]["control"].tolist()


@pytest.mark.real
@pytest.mark.parametrize(("assay", "n"), [("radiomics", 94), ("radiomics_60", 60)])
@pytest.mark.parametrize("volume", [None, VOLUME])
def test_kpna2_and_smg5_are_null_in_real_patients(data_root, tmp_path, assay, n, volume):
    plan = tmp_path / "plan.yaml"
    words = {"permutations": 499, "modules": False, "joint": False, "negative_controls": False}
    plan.write_text(yaml.safe_dump(words))
    found = draw_map(
        features=assay,
        expression="rna",
        cohort="nsclc_radiogenomics",
        volume=volume,
        plan=plan,
        data_root=data_root,
        out=tmp_path / "out",
        jobs=1,
    )
    p = found.tables["gene_links"].set_index("gene")["p_gene"]
    assert set(p.index) == {"KPNA2", "SMG5"} and found.metrics[0].n == n
    assert p.between(0.15, 0.9).all()
    assert found.verdict.startswith("no link of")
    text = "".join(each.decode(errors="ignore") for each in content(tmp_path / "out").values())
    assert "R01-0" not in text and "AMC-0" not in text


@pytest.mark.real
def test_real_pathways_are_null_beside_the_site_which_is_asked_for(data_root, tmp_path):
    plan = tmp_path / "plan.yaml"
    words = {"permutations": 199, "min_coverage": 0, "smallest": 8, "joint": False}
    plan.write_text(yaml.safe_dump(words))
    with pytest.warns(Warning, match="gene sets are not in the map"):
        found = draw_map(
            features="radiomics",
            expression=["rna", "rna_1000"],
            cohort="nsclc_radiogenomics",
            covariates="site",
            gene_sets=Path(data_root) / "omics/genesets/all_signatures.gmt",
            plan=plan,
            data_root=data_root,
            out=tmp_path / "out",
            jobs=2,
        )
    summary = found.tables["map_summary"].set_index("kind")
    assert summary.loc["genes", ["features", "targets"]].tolist() == [1316, 991]
    assert (summary["found_family"] == 0).all() and (summary["p_map"] > 0.2).all()
    controls = found.tables["controls"].set_index("control")
    assert controls.at["patients of the features shuffled", "sets_found"] < 2
    assert found.verdict.startswith("no link of 1316 image features")
    assert not any("sites, which are not taken out" in text for _, text in found.findings.notes)
