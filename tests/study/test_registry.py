"""Recipes and manifests are found by path or by shipped name, and a wrong name by its like."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

import radiogenomics as rg
from radiogenomics.core.errors import (
    MissingFileError,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.study import registry
from radiogenomics.study.prediction.claims import COLUMNS
from radiogenomics.study.studies_page import studies_page

NAME, LWCTR = "jtm2025_irs_ctmr", "lwctr2025_os12_ct"


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


@pytest.mark.parametrize("name", ["jtm2025_irs_mrct", "JTM2025-irs-ctmr"])
def test_unknown_study_names_what_is_near(name):
    with pytest.raises(UnknownNameError, match=f"did you mean '{NAME}'"):
        registry.find_study(name)


def test_the_beginning_of_a_name_is_enough_where_no_other_begins_so():
    assert registry.find_study("hua2024").parent.name == "hua2024_response_ct"
    assert rg.study.show("jtm2025_irs_ct").study == NAME
    assert rg.check("hua2024").study == "hua2024_response_ct"
    several = [name for name in registry.study_names() if name.startswith("liu2025")]
    assert len(several) == 2
    with pytest.raises(StudyError, match=f"with which 2 begin: {', '.join(several)}. Write more"):
        rg.study.show("liu2025")
    for name in ("", "ua2024", "elsewhere/hua2024"):
        with pytest.raises(UnknownNameError, match="unknown study"):
            registry.find_study(name)


def test_a_number_of_patients_set_aside_is_no_cross_validation():
    line = rg.study.list().loc["hua2024_response_ct", "claim"]
    assert line == "auc 0.893-0.9" and "cross-validation" not in line


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
    assert list(table.columns) == ["modality", "label", "model", "claim", "status"]
    assert (table != "").all(axis=None)
    for name in table.index:
        assert rg.study.show(name).study == name


@pytest.mark.parametrize(
    ("name", "row"),
    [
        (NAME, ("any", "IRS", "svm", "auc-response 0.72-0.829", "runs, fixed size")),
        ("vithayathil2025_os12_ct", ("CT", "OS12", "rf", "auc >0.8", "runs")),
        ("song2024_hin_mri", ("MR", "HIN", "lr", "auc >0.8", "runs")),
        (LWCTR, ("CT", "OS12", "svc", "auc 0.875 (external)", "runs")),
        ("wang2022_recurrence_ctpet", ("CT, PT", "recurrence", "svm", "none public", "runs")),
        ("xu2025_os_ct", ("CT", "OS", "cox", "c-index 0.74 (external)", "runs")),
        (
            "lin2025_dcb_ct",
            ("CT", "durable clinical benefit", "lr", "auc 0.88 (test)", "runs"),
        ),
    ],
)
def test_a_line_of_the_list(name, row):
    assert tuple(rg.study.list().loc[name]) == row


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([], "none public"),
        ([("patients", "", "", 80)], "none public"),
        (
            [("auc", "Fusion", "training", 0.9), ("auc", "Fusion", "external", 0.7)],
            "0.7 (external)",
        ),
        (
            [("auc", "Fusion", "training", 0.9), ("auc", "Baseline", "external", 0.7)],
            "0.9 (training)",
        ),
        ([("auc", "Fusion", "", 0.9), ("auc", "Fusion", "", 0.7), ("auc", "", "", 0.8)], "0.7-0.9"),
        ([("auc", "Baseline", "training", 0.9)], "none public"),
    ],
)
def test_the_headline_of_claims_is_the_furthest_outside(rows, line):
    lwctr = rg.study.show(LWCTR)
    headline = lwctr.models[0].model_copy(update={"name": "Fusion"})
    study = lwctr.model_copy(update={"models": (headline,)})
    claims = pd.DataFrame(rows, columns=["metric", "model", "split", "value"]).assign(bound="")
    found = registry.headline_claim(study, claims)
    assert found == (line if line == "none public" else f"auc {line}")


def test_claims_are_the_published_numbers():
    claims = registry.study_claims(NAME)
    assert list(claims.columns) == list(COLUMNS)
    assert claims["where"].str.startswith("abstract").all()
    ratios = claims.loc[claims["metric"] == "hazard_ratio", "value"]
    assert list(ratios) == [1.415, 1.890]
    assert 754 in set(claims.loc[claims["metric"] == "patients", "value"])


def changed(tmp_path: Path, *, recipe: tuple[str, str] = ("", ""), claim: str = "") -> Path:
    """A copy of the longitudinal recipe with some of its text changed, and a claim more."""
    folder = tmp_path / "mine"
    shutil.copytree(registry.find_study(LWCTR).parent, folder)
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    assert recipe[0] in text
    (folder / "study.yaml").write_text(text.replace(*recipe, 1), encoding="utf-8")
    with (folder / "claims.csv").open("a", encoding="utf-8") as stream:
        stream.write(claim)
    return folder


@pytest.mark.parametrize(
    ("claim", "error", "said"),
    [
        ("auc,LWCTRR,external,,0.8,,,,,x\n", UnknownNameError, "did you mean 'LWCTR'"),
        ("auc,LWCTR,externl,,0.8,,,,,x\n", UnknownNameError, "did you mean 'external'"),
        ("acu,LWCTR,external,,0.8,,,,,x\n", UnknownNameError, "did you mean 'auc'"),
        ("accuracy,LWCTR,external,,0.8,,,90,,x\n", StudyError, "has 90 patients, the recipe 80"),
        ("accuracy,LWCTR,external,,80,,,,,x\n", SchemaError, "from 0 to 1, 0.8 for 80 %"),
        ("patients,,,,999,,,,,x\n", StudyError, "999 patients, the recipe 395"),
        ("sites,,internal,,7,,,,,x\n", StudyError, "internal with 7 sites, the recipe 1"),
        ("features,Clinical,,,9999,,,,,x\n", StudyError, "9999 features .* the recipe at most 12"),
        ("td_auc@12:ZZ,LWCTR,external,,0.8,,,,,x\n", UnknownNameError, "endpoint of the .*'ZZ'"),
    ],
)
def test_claims_that_contradict_the_recipe(tmp_path, claim, error, said):
    folder = changed(tmp_path, claim=claim)
    for read in (rg.check, rg.study.show):
        with pytest.raises(error, match=said):
            read(folder)


def test_a_simulated_truth_that_nothing_claims(tmp_path):
    folder = changed(tmp_path)
    claims = folder / "claims.csv"
    text = claims.read_text(encoding="utf-8")
    other = text.replace("auc,LWCTR,external,,0.875,0.860,0.887", "auc,LWCTR,external,,0.600,,")
    assert other != text
    claims.write_text(other, encoding="utf-8")
    with pytest.raises(StudyError, match=r"simulation.auc of 0.875 beside a claimed auc of .* 0.6"):
        rg.check(folder)


@pytest.mark.parametrize(
    ("claim", "error", "said"),
    [
        ("auc,NOSUCH,,,0.8,,,,,x\n", UnknownNameError, "model or rival of the recipe 'NOSUCH'"),
        ("auc,svn,,,0.8,,,,,x\n", UnknownNameError, "did you mean 'svm'"),
        ("auc,svm,nowhere,,0.8,,,,,x\n", UnknownNameError, "design 'nowhere': known: cross-val"),
        ("c_index:PSF,IRS,,,0.6,,,,,x\n", UnknownNameError, "endpoint of the recipe 'PSF'"),
        ("genes,,,,77,,,,,x\n", StudyError, "77 genes, the recipe 2"),
        ("features,svm,,,77,,,,,x\n", StudyError, "77 features of svm, the recipe at most 4"),
    ],
)
def test_claims_of_a_surrogate_are_checked_too(tmp_path, claim, error, said):
    folder = copy_of(tmp_path)
    shutil.copy(registry.find_study(NAME).with_name("claims.csv"), folder)
    rg.check(folder)
    with (folder / "claims.csv").open("a", encoding="utf-8") as stream:
        stream.write(claim)
    with pytest.raises(error, match=said):
        rg.check(folder)


def test_a_bound_is_listed_as_one():
    claims = registry.study_claims("vithayathil2025_os12_ct")
    (auc,) = claims[claims["metric"] == "auc"].to_dict("records")
    assert (auc["bound"], auc["value"], auc["model"], auc["split"]) == (">", 0.8, "", "")


@pytest.mark.parametrize(
    ("recipe", "error", "said"),
    [
        (("kind: prediction", "kind: predicton"), UnknownNameError, "did you mean 'prediction'"),
        (
            ("rule: survival_beyond", "rule: survival_byond"),
            SchemaError,
            "label.rule: unknown word",
        ),
        (("  landmark:", "  landmrk:"), SchemaError, "label.landmrk: .* did you mean landmark"),
        (("value: exclude", "value: exlude"), SchemaError, "label.censored.value: expected 'excl"),
        (("kind: radiomics", "kind: radiomic"), SchemaError, "pre_a.kind: unknown word 'radiomic'"),
        (("    phase:", "    phse:"), SchemaError, "blocks.pre_a.phse: .* did you mean phase"),
        (("value: lwctr", "value: lwctrr"), UnknownNameError, "did you mean 'lwctr'"),
        (("step: svm_rfecv", "step: svm_rfevc"), UnknownNameError, "did you mean 'svm_rfecv'"),
        (("threshold: {value: 0.75", "treshold: {value: 0.75"), UnknownNameError, "'threshold'"),
        (("learner: {value: svc", "learner: {value: svcc"), UnknownNameError, "did you mean 'svc'"),
        (("[pre_a, pre_v,", "[pre_aa, pre_v,"), UnknownNameError, "did you mean 'pre_a'"),
    ],
)
def test_a_misspelt_word_of_a_recipe_names_its_like(tmp_path, recipe, error, said):
    folder = changed(tmp_path, recipe=recipe)
    with pytest.raises(error, match=said) as caught:
        rg.check(folder)
    assert not re.search("tag|constrained|discriminator|literal", str(caught.value))


def test_the_page_is_that_of_the_recipes():
    """Write it anew with ``python -c "..." > analyses/README.md`` when this fails."""
    page = registry.shipped("analyses") / "README.md"
    assert page.read_text(encoding="utf-8") == studies_page()


def test_the_page_leads_to_the_notes_of_each():
    targets = re.findall(r"\]\(([^)]+/NOTES\.md)\)", studies_page())
    assert targets == [f"{name}/NOTES.md" for name in registry.study_names()]
    for target in targets:
        assert (registry.shipped("analyses") / target).is_file(), target


def test_claims_that_are_not_there(tmp_path):
    with pytest.raises(MissingFileError, match=r"Add claims\.csv"):
        registry.study_claims(copy_of(tmp_path))
