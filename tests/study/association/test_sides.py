"""The tables that a map is drawn from, as users have them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from radiogenomics import simulate
from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    RadiogenomicsError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.io import load_cohort
from radiogenomics.study.association.side_covariates import beside_volume, require_independent
from radiogenomics.study.association.side_files import FileWords, require_used
from radiogenomics.study.association.sides import read_sides, sides_wanted


def sides(features, expression, covariates=None, prefixes=None, **words):
    return read_sides(sides_wanted(features, expression, covariates, **words), prefixes=prefixes)


@pytest.mark.parametrize("expression", ["rna.csv", "rna_turned.csv"])
def test_tables_may_lie_either_way(linked, expression):
    found = sides(linked / "radiomics.csv", linked / expression)
    pd.testing.assert_frame_equal(found.genes, linked.first.genes, check_names=False)
    pd.testing.assert_frame_equal(found.features, linked.features, check_names=False)
    assert not any("no name in the file tells" in note for note in found.notes)


def test_two_turned_tables_of_odd_names_are_told_by_their_patients(linked, tmp_path):
    odd = linked.features.set_axis([f"f {at}" for at in range(linked.features.shape[1])], axis=1)
    odd.T.rename_axis("name").to_csv(tmp_path / "odd.csv")
    found = sides(tmp_path / "odd.csv", linked / "rna_turned.csv")
    assert found.features.shape == odd.shape and len(found.genes) == len(odd)
    np.testing.assert_allclose(found.features, odd)


def test_parquet_and_text_are_one(linked, tmp_path):
    linked.first.genes.T.rename_axis("symbol").reset_index().to_parquet(tmp_path / "rna.parquet")
    found = sides(linked / "radiomics.csv", tmp_path / "rna.parquet")
    np.testing.assert_allclose(found.genes, linked.first.genes)


def test_patients_of_all_tables_are_kept_and_counted(linked, tmp_path):
    few = linked.features.iloc[::2]
    few.rename_axis("patient_id").to_csv(tmp_path / "few.csv")
    found = sides(tmp_path / "few.csv", linked / "rna.csv", linked / "clinical.csv")
    assert found.counts["patients"].tolist() == [40, 80, 80]
    assert (found.counts["shared"] == 40).all() and found.features.index.equals(few.index)
    assert any("40 patients are in all tables: 40 of 40 of features" in n for n in found.notes)


class TestSeveralTables:
    @pytest.fixture
    def phases(self, linked, tmp_path):
        paths = []
        for phase in ("arterial", "venous"):
            (tmp_path / phase).mkdir()
            path = tmp_path / phase / "radiomics.csv"
            (linked.features + (phase == "venous")).rename_axis("patient_id").to_csv(path)
            paths.append(path)
        return paths

    def test_sources_are_told(self, linked):
        found = sides([linked / "radiomics.csv", linked / "deep.csv"], linked / "rna.csv")
        counts = found.sources.value_counts()
        assert counts.to_dict() == {"radiomics.csv": 25, "deep.csv": 5}

    def test_names_that_both_have_begin_with_the_table(self, linked, phases):
        found = sides(phases, linked / "rna.csv", prefixes=())
        own = "original_shape_MeshVolume"
        arterial, venous = (found.features[f"{each}_radiomics_{own}"] for each in
                            ("arterial", "venous"))  # fmt: skip
        np.testing.assert_allclose(venous - arterial, 1)
        assert set(found.sources) == {"arterial/radiomics.csv", "venous/radiomics.csv"}
        assert len(found.hashes) == 3
        assert any("25 features are in several tables" in note for note in found.notes)

    def test_a_second_cohort_takes_the_names_of_the_first(self, linked, phases):
        own = sides(phases, linked / "rna.csv", prefixes=("ct/early.csv", "ct/late.csv"))
        assert own.features.columns[0] == "ct_early_original_shape_MeshVolume"

    def test_unless_told_they_are_refused(self, linked, phases):
        with pytest.raises(AlignmentError, match="image features under different names"):
            sides(phases, linked / "rna.csv")

    def test_genes_of_two_tables_are_refused(self, linked, tmp_path):
        linked.first.genes.iloc[:, :9].rename_axis("patient_id").to_csv(tmp_path / "more.csv")
        with pytest.raises(AlignmentError, match="genes under different names"):
            sides(linked / "radiomics.csv", [linked / "rna.csv", tmp_path / "more.csv"])

    def test_a_table_named_twice_is_refused(self, linked):
        with pytest.raises(StudyError, match=r"each table once; found .*rna\.csv again"):
            sides(linked / "radiomics.csv", [linked / "rna.csv"] * 2)


class TestColumnsOfFiles:
    @pytest.fixture
    def messy(self, linked, tmp_path):
        table = linked.features.assign(Sex="m", Age=np.arange(80.0))
        table.rename_axis("Case number").to_csv(tmp_path / "messy.csv")
        return tmp_path / "messy.csv"

    def test_what_is_no_feature_is_dropped(self, linked, messy):
        words = {"id": "Case number", "drop": ["Sex", "Age"]}
        found = sides(messy, linked / "rna.csv", **words)
        np.testing.assert_allclose(found.features, linked.features)
        require_used(FileWords("Case number", ("Sex", "Age")), found.reads)

    def test_it_may_still_be_a_covariate(self, linked, messy, tmp_path):
        ages = pd.DataFrame({"Age": np.arange(80.0) ** 2}, linked.features.index)
        ages.rename_axis("patient_id").to_csv(tmp_path / "ages.csv")
        found = sides(messy, linked / "rna.csv", tmp_path / "ages.csv", drop=["Sex", "Age"])
        assert found.covariates is not None and found.covariates["Age"].iloc[2] == 4

    def test_a_covariate_is_dropped_too(self, linked):
        covariates = linked / "clinical.csv"
        found = sides(linked / "radiomics.csv", linked / "rna.csv", covariates, drop="purity")
        assert list(found.covariates) == ["volume", "site=site 1", "site=site 3"]

    def test_a_name_that_no_file_has_is_refused(self, linked):
        words = FileWords(None, ("original_glcm_block1_feature01",))
        found = sides(linked / "radiomics.csv", linked / "rna.csv", drop=words.drop)
        with pytest.raises(UnknownNameError, match="column to drop .*did you mean 'original_glcm"):
            require_used(words, found.reads)

    def test_so_is_a_column_of_identifiers(self, linked):
        found = sides(linked / "radiomics.csv", linked / "rna.csv", id="patient")
        with pytest.raises(UnknownNameError, match="column of identifiers 'patient'"):
            require_used(FileWords("patient"), found.reads)


class TestCovariates:
    def test_words_are_indicators(self, linked):
        found = sides(linked / "radiomics.csv", linked / "rna.csv", linked / "clinical.csv")
        site = linked.first.covariates["site"]
        assert {name.partition("=")[0] for name in found.covariates} == {"volume", "purity", "site"}
        for name in found.covariates.filter(like="site="):
            np.testing.assert_array_equal(found.covariates[name], site == name.partition("=")[2])

    def test_patients_without_one_are_left_out(self, linked, tmp_path):
        known = linked.first.covariates.copy()
        known.iloc[:7, 0] = np.nan
        known.rename_axis("patient_id").to_csv(tmp_path / "known.csv")
        with pytest.warns(RadiogenomicsWarning, match="7 of 80 patients lack a covariate"):
            found = sides(linked / "radiomics.csv", linked / "rna.csv", tmp_path / "known.csv")
        assert len(found.features) == 73

    def test_one_that_does_not_vary_in_shared_patients_is_left_out(self, linked, tmp_path):
        site = linked.first.covariates["site"]
        one = linked.features[site == site.iloc[0]]
        one.rename_axis("patient_id").to_csv(tmp_path / "one.csv")
        found = sides(tmp_path / "one.csv", linked / "rna.csv", linked / "clinical.csv")
        assert list(found.covariates) == ["volume", "purity"]
        assert any("is the same in all these patients" in note for note in found.notes)

    def test_volume_is_a_feature_or_a_covariate_and_counted_once(self, linked):
        table = linked.first.covariates[["volume", "purity"]]
        others, volume = beside_volume(linked.features, table, "original_shape_MeshVolume")
        assert list(others) == ["purity"] and volume.name == "original_shape_MeshVolume"
        others, volume = beside_volume(linked.features, table, "volume")
        assert list(others) == ["purity"] and volume.name == "volume"
        with pytest.raises(UnknownNameError, match="holds the volume 'volum': did you mean 'volum"):
            beside_volume(linked.features, table, "volum")

    def test_covariates_that_say_the_same_are_named(self, linked):
        table = linked.first.covariates[["volume", "purity"]]
        require_independent(table, None, method="spearman")
        twice = table.assign(diameter=table["volume"] ** (1 / 3))
        with pytest.raises(DataError, match="found diameter explained by the others"):
            require_independent(twice, None, method="spearman")
        require_independent(twice, None, method="pearson")


class TestStrata:
    def test_they_are_the_column(self, linked):
        found = sides(
            linked / "radiomics.csv", linked / "rna.csv", linked / "clinical.csv", within="site"
        )
        codes = pd.factorize(found.strata)[0]
        np.testing.assert_array_equal(codes, pd.factorize(linked.first.covariates["site"])[0])

    @pytest.mark.parametrize(
        ("covariates", "within", "error", "message"),
        [
            ("clinical.csv", "sit", UnknownNameError, "did you mean 'site'"),
            ("clinical.csv", "volume", StudyError, "80 values for 80 patients, 80 of them of one"),
            (None, "site", StudyError, "Name a file of covariates that has it"),
        ],
    )
    def test_what_they_cannot_be_is_refused(self, linked, covariates, within, error, message):
        with pytest.raises(error, match=message):
            sides(
                linked / "radiomics.csv",
                linked / "rna.csv",
                covariates and linked / covariates,
                within=within,
            )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"features": []}, "expected image features and expression; found 0 and 1"),
        ({"covariates": ["a.csv", "b.csv"]}, r"one file of covariates; found a\.csv, b\.csv"),
        ({"cohort": "some", "id": "pid"}, "column of identifiers in the manifest"),
    ],
)
def test_words_that_do_not_fit_are_refused(words, message):
    given = {"features": "f.csv", "expression": "e.csv"} | words
    with pytest.raises(StudyError, match=message):
        sides_wanted(**given)


@pytest.mark.parametrize("turned", [False, True])
def test_no_error_names_a_patient(linked, tmp_path, turned):
    other = linked.features.set_axis([f"PATIENTZ-{at:03d}" for at in range(80)], axis=0)
    (other.T.rename_axis("x") if turned else other).to_csv(tmp_path / "other.csv")
    with pytest.raises(RadiogenomicsError) as caught:
        sides(tmp_path / "other.csv", linked / "rna.csv")
    assert "found none" in str(caught.value) and "AAAAAAAA-0" in str(caught.value)
    assert "PATIENT" not in str(caught.value) and caught.value.__suppress_context__


def test_numbers_as_identifiers_leave_the_counts_readable(linked, tmp_path):
    other = linked.features.set_axis(np.arange(2, 82), axis=0)
    other.rename_axis("patient_id").to_csv(tmp_path / "other.csv")
    with pytest.raises(AlignmentError, match=r"that all 2 tables have.*: 0, 0 and 78 more"):
        sides(tmp_path / "other.csv", linked / "rna.csv")


class TestManifest:
    @pytest.fixture(scope="class")
    def manifest(self, tmp_path_factory):
        world = simulate.hcc_cohort(40, n_genes=150, id="brought", rng=np.random.default_rng(3))
        return simulate.write_cohort(world, tmp_path_factory.mktemp("brought"))

    @pytest.fixture(scope="class")
    def names(self, manifest):
        return load_cohort(manifest, data_root=manifest.parent)

    def test_assays_and_columns_are_found_by_name(self, manifest, names):
        assays = list(names.assays)
        found = sides(assays[:1], assays[:1], ["age", "sex"], cohort=manifest)
        assert found.name == "brought" and list(found.covariates) == ["age", "sex"]
        assert all(name.startswith("brought/") for name in found.hashes)

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ({"expression": "rnaa"}, "did you mean 'rna'"),
            ({"covariates": ["agee"]}, "did you mean 'age'"),
            ({"within": "sexx"}, "did you mean 'sex'"),
        ],
    )
    def test_a_misspelt_name_has_near_matches(self, manifest, words, message):
        given = {"features": "rna", "expression": "rna", "cohort": manifest} | words
        with pytest.raises(UnknownNameError, match=message):
            read_sides(sides_wanted(**given))
