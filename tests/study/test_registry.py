"""Recipes and manifests are found by path or by shipped name, and a wrong name by its like."""

from __future__ import annotations

from pathlib import Path

import pytest

import radiogenomics as rg
from radiogenomics.core.errors import MissingFileError, UnknownNameError
from radiogenomics.study import registry

NAME = "jtm2025_irs_ctmr"


def copy_of(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    text = registry.find_study(NAME).read_text(encoding="utf-8").replace(NAME, "mine", 1)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return folder


def test_shipped_name_folder_and_file_lead_to_one_recipe(tmp_path, monkeypatch):
    folder = copy_of(tmp_path)
    shipped = registry.find_study(NAME)
    assert shipped.parent.name == NAME and shipped.name == "study.yaml"
    assert registry.find_study(folder) == registry.find_study(folder / "study.yaml")
    assert rg.study.show(str(folder)).study == "mine"
    monkeypatch.chdir(tmp_path)
    assert registry.find_study(f"analyses/{NAME}") == shipped
    assert rg.study.show("mine").study == "mine"


def test_a_path_goes_before_a_shipped_name(tmp_path, monkeypatch):
    copy_of(tmp_path).rename(tmp_path / NAME)
    monkeypatch.chdir(tmp_path)
    assert rg.study.show(NAME).study == "mine"


@pytest.mark.parametrize("name", ["jtm2025_irs_ct", "JTM2025-irs-ctmr"])
def test_unknown_study_names_what_is_near(name):
    with pytest.raises(UnknownNameError, match=f"did you mean '{NAME}'"):
        registry.find_study(name)


def test_a_wrong_folder_is_not_taken_for_the_shipped_recipe(tmp_path):
    with pytest.raises(UnknownNameError, match="unknown study"):
        registry.find_study(tmp_path / "elsewhere" / NAME)


def test_manifest_by_path_and_by_name(tmp_path, monkeypatch):
    shipped = registry.find_manifest("tcga_lihc")
    assert shipped.name == "tcga_lihc.yaml" and shipped.is_file()
    mine = tmp_path / "my.manifest"
    mine.write_text("cohort: mine\n")
    assert registry.find_manifest(mine) == mine
    monkeypatch.chdir(tmp_path)
    assert registry.find_manifest("data_manifests/tcga_lihc.yaml") == shipped


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("tcga_lich", UnknownNameError, "did you mean 'tcga_lihc'"),
        ("tcga_lihc.csv", UnknownNameError, "did you mean 'tcga_lihc'"),
        ("somewhere/tcga_lihc.yaml", MissingFileError, "somewhere/tcga_lihc.yaml; found none"),
        ("mine.yaml", MissingFileError, "tcga_lihc"),
    ],
)
def test_a_manifest_that_is_not_there(name, error, message):
    with pytest.raises(error, match=message):
        registry.find_manifest(name)


def test_every_shipped_recipe_is_listed_and_can_be_shown():
    table = rg.study.list()
    assert tuple(table.index) == registry.study_names()
    row = table.loc[NAME]
    assert (row["label"], row["learner"]) == ("IRS", "svm")
    assert "genes in the signature 2" in row["claim"] and "0.720-0.829" in row["claim"]
    for name in table.index:
        assert rg.study.show(name).study == name


def test_claims_are_the_published_numbers():
    claims = registry.study_claims(NAME)
    assert list(claims.columns) == ["metric", "value", "low", "high", "where"]
    assert set(claims["where"]) == {"abstract"}
    published = dict(zip(claims["metric"], claims["value"], strict=True))
    assert published["hazard ratio of the surrogate (range over cohorts)"] == "1.415-1.890"
    assert published["imaging patients"] == "754"


def test_claims_that_are_not_there(tmp_path):
    with pytest.raises(MissingFileError, match=r"Add claims\.csv"):
        registry.study_claims(copy_of(tmp_path))
