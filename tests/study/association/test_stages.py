"""Stages beside a map: each works, or says why not, and none loses the map."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from radiogenomics import simulate
from radiogenomics.core.errors import StudyError
from radiogenomics.study.association.draw import draw_map
from radiogenomics.study.association.replicate import require_second
from radiogenomics.study.association.sides import read_sides, sides_wanted

VOLUME = "original_shape_MeshVolume"


@pytest.fixture
def drawn(asked, monkeypatch):
    """Draw a small map without its page; its results and the warnings among its notes."""
    monkeypatch.setattr("radiogenomics.study.results.render", lambda folder: None)

    def draw(**words):
        found = draw_map(**asked(**words))
        assert "links" in found.tables
        return found, [text for level, text in found.findings.notes if level == "warning"]

    return draw


@pytest.fixture
def inputs(tmp_path):
    """Write a table of patients beside the output."""
    (tmp_path / "in").mkdir()

    def write(table, name="table.csv"):
        table.rename_axis("patient_id").to_csv(tmp_path / "in" / name)
        return tmp_path / "in" / name

    return write


@pytest.fixture
def quick(linked):
    return linked.plan("stage.yaml", permutations=59, modules=False, negative_controls=False)


class TestModules:
    @pytest.mark.parametrize(("side", "columns"), [("features", 1), ("features", 2), ("genes", 1)])
    def test_too_few_columns_are_said(self, linked, drawn, inputs, side, columns):
        table = linked.features if side == "features" else linked.first.genes
        path = inputs(table.iloc[:, 3 : 3 + columns])
        word = {"features": "features", "genes": "expression"}[side]
        found, warned = drawn(**{word: path, "gene_sets": None})
        kind = side.removesuffix("s")
        assert f"Modules: none are sought among {columns} {kind}s" in warned
        kinds = found.tables["modules"]["kind"].unique() if "modules" in found.tables else []
        assert kind not in kinds and "module_links" not in found.tables

    @pytest.mark.filterwarnings("ignore:No module of")
    def test_none_may_be_found(self, linked, drawn, inputs, rng):
        noise = pd.DataFrame(rng.normal(size=(80, 12)), linked.features.index)
        found, warned = drawn(features=inputs(noise.add_prefix("feature_")))
        assert "No module of 5 features or more among 12." in warned
        assert found.tables["modules"]["kind"].unique().tolist() == ["gene"]


class TestJoint:
    @pytest.mark.parametrize("columns", [1, 2])
    def test_few_features_have_few_pairs(self, linked, drawn, inputs, columns):
        plan = linked.plan("joint.yaml", permutations=59, modules=False, joint=True,
                           negative_controls=False)  # fmt: skip
        genes = inputs(linked.first.genes.iloc[:, :60], "genes.csv")
        features = inputs(linked.features.iloc[:, 1 : 1 + columns])
        found, warned = drawn(features=features, expression=genes, gene_sets=None, plan=plan)
        assert (found.tables["joint"]["method"] == "sparse CCA").sum() == columns and not warned

    @pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")
    def test_a_handful_of_patients_loses_no_map(self, linked, drawn, inputs):
        plan = linked.plan("joint.yaml", permutations=59, modules=False, joint=True,
                           negative_controls=False)  # fmt: skip
        few = inputs(linked.features.iloc[:11])
        words = {"covariates": linked / "clinical.csv", "volume": VOLUME, "force": True}
        _, warned = drawn(features=few, plan=plan, gene_sets=None, **words)
        assert any(text.startswith("Both tables as wholes: not computed. ") for text in warned)


class TestActivities:
    def test_they_are_a_kind_of_their_own(self, linked, drawn, quick):
        pytest.importorskip("decoupler")
        found, _ = drawn(network=linked / "network.csv", plan=quick)
        summary = found.tables["map_summary"].set_index("kind")
        assert summary.at["activities", "targets"] == 4
        own = summary.loc["activities"]
        assert own["p_map"] == min(1.0, 4 * own["p_family"])
        null = found.tables["map_null"]
        assert (null["kind"] == "activities").sum() == 59

    def test_sources_with_few_targets_are_said(self, linked, drawn, quick, tmp_path):
        pytest.importorskip("decoupler")
        edges = pd.DataFrame({"tf": ["A", "A", "B"], "gene": linked.first.genes.columns[:3]})
        edges.assign(mor=1).to_csv(tmp_path / "edges.csv", index=False)
        found, warned = drawn(network=tmp_path / "edges.csv", plan=quick)
        assert "activity_links" not in found.tables
        assert any("Activities: not computed. " in text and "5 targets" in text for text in warned)


class TestLikeness:
    def test_a_copy_is_most_similar_to_its_original(self, linked, drawn, inputs, quick):
        copy = linked.features.iloc[:, 5:8].set_axis(["deep_0", "deep_1", "deep_2"], axis=1)
        tables = [linked / "radiomics.csv", inputs(-copy, "copies.csv")]
        found, _ = drawn(features=tables, explain="copies", plan=quick)
        best = found.tables["likeness"].query("rank == 1")
        assert best["similar"].tolist() == linked.features.columns[5:8].tolist()
        np.testing.assert_allclose(best["rho"], -1)
        assert (best["source"] == "radiomics.csv").all() and best["set"].notna().all()

    @pytest.mark.filterwarnings("ignore:.* features are not in the map")
    def test_features_that_do_not_vary_cannot_be_explained(self, linked, drawn, inputs, quick):
        dull = linked.features.iloc[:, 5:8].mul(0).set_axis(["deep_0", "deep_1", "deep_2"], axis=1)
        tables = [linked / "radiomics.csv", inputs(dull, "dull.csv")]
        found, warned = drawn(features=tables, explain="dull.csv", plan=quick)
        assert "likeness" not in found.tables
        assert "Features explained: not computed, as no feature of dull.csv is in the map" in warned


def test_controls_that_do_not_vary_are_left_out_alone(linked, drawn, inputs):
    plan = linked.plan("controls.yaml", permutations=59, modules=False)
    dull = inputs(linked.features * 0, "dull.csv")
    found, warned = drawn(controls=[dull, linked / "control.csv"], plan=plan)
    assert "Negative controls: no feature of dull.csv varies, so that it is left out" in warned
    assert found.tables["controls"]["control"].iloc[-1] == "control.csv"


class TestReplication:
    @pytest.fixture
    def again(self, linked, drawn, quick):
        def draw(**words):
            usual = {
                "second_features": linked / "second_radiomics.csv",
                "second_expression": linked / "second_rna.csv",
                "plan": quick,
            }
            return drawn(**(usual | words))

        return draw

    @pytest.mark.filterwarnings("ignore:.* features are not in the map")
    def test_links_are_measured_as_in_the_first(self, linked, again):
        words = {"covariates": linked / "clinical.csv", "volume": VOLUME}
        found, _ = again(**words, second_covariates=linked / "second_clinical.csv")
        rows = found.tables["replication"]
        cohort = linked.second
        sites = pd.get_dummies(cohort.covariates["site"], dtype=float).iloc[:, 1:]
        ranked = stats.rankdata(cohort.covariates[["volume", "purity"]], axis=0)
        design = np.column_stack([np.ones(60), ranked, sites])
        hat = design @ np.linalg.pinv(design)

        def units(table):
            ranks = stats.rankdata(table, axis=0)
            left = ranks - hat @ ranks
            return pd.DataFrame(left / np.sqrt((left**2).sum(axis=0)), columns=table.columns)

        features = units(cohort.features.add_prefix("original_glcm_"))
        genes = units(cohort.genes)
        for row in rows.groupby("kind").head(8).itertuples():
            own = genes[row.target] if row.kind == "gene" else None
            if own is None:
                inside = genes.columns.isin(linked.second.gene_sets[row.target])
                own = genes.loc[:, inside].mean(axis=1) - genes.loc[:, ~inside].mean(axis=1)
            expected = stats.pearsonr(features[row.feature], own).statistic
            assert row.r_second == pytest.approx(expected, rel=1e-8)
            k = design.shape[1] - 1
            t = expected * np.sign(row.r_first) * np.sqrt((58 - k) / (1 - expected**2))
            assert row.p_second == pytest.approx(stats.t.sf(t, 58 - k), rel=1e-8)

    def test_what_it_lacks_is_said(self, linked, again, inputs):
        features = inputs(pd.read_csv(linked / "second_radiomics.csv", index_col=0).iloc[:, :6])
        genes = inputs(linked.second.genes.iloc[:, :90], "genes.csv")
        with pytest.warns(Warning, match="The second cohort lacks"):
            found, _ = again(second_features=features, second_expression=genes)
        row = found.tables["replication_summary"].iloc[0]
        assert 0 < row["tried"] < row["links"]
        assert (found.tables["replication"]["n_second"] > 0).sum() == row["tried"]

    @pytest.mark.filterwarnings("ignore:The second cohort lacks")
    @pytest.mark.parametrize("side", ["features", "expression"])
    def test_without_a_shared_name_nothing_is_tried(self, linked, again, inputs, side):
        name = {"features": "second_radiomics.csv", "expression": "second_rna.csv"}[side]
        table = pd.read_csv(linked / name, index_col=0).add_suffix("_other")
        found, warned = again(**{f"second_{side}": inputs(table)})
        assert "replication" not in found.tables and "set_links" in found.tables
        assert any(text.startswith("Replication: not computed. ") for text in warned)

    @pytest.mark.filterwarnings("ignore:The second cohort lacks")
    def test_columns_that_do_not_vary_there_are_not_tried(self, linked, again, inputs):
        flat = linked.second.genes.copy()
        flat.iloc[:, :25] = 1.0
        found, _ = again(second_expression=inputs(flat))
        rows = found.tables["replication"].set_index("target")
        lost = rows[rows.index.isin(flat.columns[:25])]
        assert len(lost) and (lost["n_second"] == 0).all()

    @pytest.mark.filterwarnings("ignore:.* features are not in the map")
    def test_other_covariates_are_said_and_explained_features_left_out(self, linked, again, inputs):
        own = inputs(linked.second.covariates[["volume"]], "own.csv")
        with pytest.warns(Warning, match="The second cohort lacks 1 of"):
            found, _ = again(second_covariates=own)
        said = [text for level, text in found.findings.notes if level == "info"]
        assert "what is taken out of both sides in second_radiomics: volume" in said
        lost = found.tables["replication"].query("feature == @VOLUME")
        assert (lost["n_second"] == 0).all()

    @pytest.mark.filterwarnings("ignore:.* features are not in the map")
    def test_a_second_cohort_without_volume_or_strata_says_so(self, linked, again, inputs):
        bare = pd.read_csv(linked / "second_radiomics.csv", index_col=0).drop(columns=VOLUME)
        words = {"covariates": linked / "clinical.csv", "volume": VOLUME, "within": "site"}
        _, warned = again(second_features=inputs(bare), **words)
        assert f"table has no {VOLUME}: volume is not taken out there" in warned
        assert "table has no site to permute within: all its patients are alike" in warned

    def test_shared_names_of_patients_are_warned_of(self, linked, again, inputs):
        named = pd.read_csv(linked / "second_radiomics.csv", index_col=0)
        named.index = linked.features.index[: len(named)]
        genes = linked.second.genes.set_axis(named.index, axis=0)
        with pytest.warns(Warning, match="60 of 60 patients of the second cohort have names of"):
            again(second_features=inputs(named), second_expression=inputs(genes, "genes.csv"))


def test_one_manifest_has_one_set_of_patients(tmp_path):
    world = simulate.hcc_cohort(30, n_genes=150, id="brought", rng=np.random.default_rng(3))
    manifest = simulate.write_cohort(world, tmp_path)
    first = read_sides(sides_wanted("rna", "rna", cohort=manifest))
    second = replace(first, features=first.features * 2 + 1)
    with pytest.raises(
        StudyError, match="found 30 of 30 with the same names and the same manifest"
    ):
        require_second(first, second, fewest=20)


def test_sets_of_two_genes_are_tested(linked, drawn, tmp_path):
    genes = linked.first.genes.columns
    lines = [f"S{at}\t-\t{genes[2 * at]}\t{genes[2 * at + 1]}" for at in range(6)]
    (tmp_path / "pairs.gmt").write_text("\n".join(lines) + "\n")
    plan = linked.plan("pairs.yaml", permutations=59, smallest=2, modules=False)
    found, _ = drawn(gene_sets=tmp_path / "pairs.gmt", plan=plan)
    assert found.tables["pathway_links"]["size"].tolist() == [2] * 6
    assert "random gene sets of like correlation" in found.tables["controls"]["control"].tolist()
