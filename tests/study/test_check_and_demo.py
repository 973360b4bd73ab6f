"""Looking before computing, and the demonstration that touches nothing of the user's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

import radiogenomics as rg
from radiogenomics.core.errors import DataError, SchemaError, UnknownNameError
from radiogenomics.io import Audit, load_cohort
from radiogenomics.study.demo import write_demo_data

# The function `demo` hides its module from dotted paths.
DEMO = sys.modules["radiogenomics.study.demo"]


def test_a_manifest_is_audited_beside_its_files(files):
    found = rg.check(files.near)
    assert isinstance(found, Audit) and found.ok
    assert found.flow.loc["radiomics", "patients"] == 50
    assert rg.check(str(files.near), data_root=files.near.parent).ok


def test_files_that_are_not_there_are_findings(files, tmp_path):
    found = rg.check(files.near, data_root=tmp_path)
    assert not found.ok and len(found.findings) >= 5
    assert "patients.csv" in found.findings[0].found + found.findings[0].expected
    assert not rg.check("tcga_lihc", data_root=tmp_path).ok


def test_a_recipe_is_checked_by_its_words(files, tmp_path):
    assert rg.check(files.recipe).study == "small"
    assert rg.check("jtm2025_irs_ctmr").study == "jtm2025_irs_ctmr"
    fields = yaml.safe_load(files.recipe.read_text(encoding="utf-8"))
    fields["model"]["learner"]["value"] = "swm"
    wrong = tmp_path / "study.yaml"
    wrong.write_text(yaml.safe_dump(fields), encoding="utf-8")
    for target in (wrong, tmp_path):
        with pytest.raises(UnknownNameError, match="did you mean 'svm'"):
            rg.check(target)


def test_a_name_of_neither_names_what_is_near(tmp_path):
    with pytest.raises(UnknownNameError, match="manifest or study 'tcga_lich'.*'tcga_lihc'"):
        rg.check("tcga_lich")
    with pytest.raises(UnknownNameError, match="manifest or study"):
        rg.check(tmp_path / "absent.yaml")
    (tmp_path / "empty.yaml").touch()
    with pytest.raises(SchemaError, match="found nothing"):
        rg.check(tmp_path / "empty.yaml")


@pytest.fixture
def tiny(monkeypatch) -> None:
    monkeypatch.setattr(DEMO, "DISCOVERY_PATIENTS", 20)
    monkeypatch.setattr(DEMO, "EXTERNAL_PATIENTS", 3)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_demo_data_are_two_cohorts_that_read_like_any_other(tiny, tmp_path):
    pytest.importorskip("nibabel", reason="nibabel is not installed")
    discovery, external = write_demo_data(tmp_path / "data", effect=1.0, jobs=1, seed=0)
    first, second = (load_cohort(path, data_root=path.parent) for path in (discovery, external))
    assert first.simulated and second.simulated
    assert {scan.modality for scan in first.scans} == {"CT"}
    assert {scan.modality for scan in second.scans} == {"MR"}
    assert set(first.patients["site"]) == {"north", "south"}
    assert set(second.patients["site"]) == {"west"}
    assert not set(first.patient_ids) & set(second.patient_ids)
    kept = tmp_path / "data" / "notes.txt"
    kept.write_text("mine")
    before = tree(tmp_path / "data")
    write_demo_data(tmp_path / "data", effect=1.0, jobs=1, seed=0)
    assert tree(tmp_path / "data") == before
    write_demo_data(tmp_path / "data", effect=1.0, jobs=1, seed=1)
    assert tree(tmp_path / "data") != before and kept.read_text() == "mine"


@pytest.mark.parametrize("manifest", [None, "cohort: mine\n"])
def test_a_folder_of_the_users_is_kept(tiny, tmp_path, manifest):
    mine = tmp_path / "data" / "simulated_ct"
    mine.mkdir(parents=True)
    (mine / "thesis.txt").write_text("years of work")
    if manifest is not None:
        (mine / "manifest.yaml").write_text(manifest)
    before = tree(tmp_path)
    with pytest.raises(DataError, match="new or empty folder"):
        write_demo_data(tmp_path / "data", effect=1.0, jobs=1, seed=0)
    assert tree(tmp_path) == before


def test_a_result_folder_of_the_users_is_refused(tiny, tmp_path):
    mine = tmp_path / "out" / "result"
    mine.mkdir(parents=True)
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="folder with other content"):
        rg.demo(tmp_path / "out", jobs=1)
    assert tree(mine) == {"thesis.txt": b"years of work"}


def test_demo_hands_its_data_to_run(tiny, tmp_path, monkeypatch):
    called = {}
    monkeypatch.setattr(DEMO, "run", lambda study, **words: called.update(words, study=study))
    rg.demo(tmp_path / "out", effect=0, jobs=1, seed=5)
    assert called["study"] == "jtm2025_irs_ctmr"
    assert called["out"] == tmp_path / "out" / "result" and called["seed"] == 5
    assert [path.parent.name for path in called["cohort"]] == ["simulated_ct", "simulated_mr"]
