"""A recipe on simulated cohorts of its design: the folder, the truth, and what is left alone."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

import radiogenomics as rg
from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
)
from radiogenomics.study import Results
from radiogenomics.study.registry import find_study

pytestmark = pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")

NAME = "qi2024_prsd_ct"
SIZE = {"scale": 0.05, "features": 25, "permutations": 0, "jobs": 1}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shipped recipe of two parts, with fewer folds and one model."""
    source = find_study(NAME)
    folder = tmp_path_factory.mktemp("recipes") / NAME
    folder.mkdir()
    fields = yaml.safe_load(source.read_text(encoding="utf-8"))
    for word, value in {"folds": 3, "inner_folds": 2, "outcome_permutations": 19}.items():
        fields["evaluation"][word]["value"] = value
    fields["models"] = fields["models"][:1]
    (folder / "study.yaml").write_text(yaml.safe_dump(fields, sort_keys=False), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ran(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    return rg.run_simulated(small, out=tmp_path_factory.mktemp("ran") / "sim", **SIZE)


def test_data_and_result_lie_side_by_side(ran):
    folder = ran.folder.parent
    assert ran.folder.name == "result"
    assert sorted(path.name for path in folder.iterdir()) == ["data", "result"]
    parts = sorted(path.name for path in (folder / "data").iterdir())
    assert parts == ["external", "training"]
    assert ran.cohorts == ran.simulated == (f"{NAME}-training", f"{NAME}-external")


def test_the_same_command_on_the_same_files_gives_the_same(ran, small, tmp_path):
    data = ran.folder.parent / "data"
    manifests = [data / part / "manifest.yaml" for part in ("training", "external")]
    by_hand = rg.run(small, cohort=manifests, out=tmp_path / "r", permutations=0, jobs=1)
    assert by_hand.summary() == ran.summary()


def test_another_seed_is_another_world_and_replaces_the_first(ran, small, tmp_path):
    out = Path(shutil.copytree(ran.folder.parent, tmp_path / "sim"))
    before = (out / "data" / "training" / "patients.csv").read_bytes()
    other = rg.run_simulated(small, out=out, seed=1, **SIZE)
    assert (out / "data" / "training" / "patients.csv").read_bytes() != before
    assert other.summary()["seed"] == 1
    assert other.summary()["metrics"] != ran.summary()["metrics"]


def test_patients_are_those_of_the_scale(ran):
    design = ran.tables["study_design"].set_index("part")
    published = design[design["cohort"] == "published"]["patients"]
    # Never fewer than 40 and 24 where the study has as many.
    assert design.loc["cross-validation", "patients"] <= 40 <= published["training"]
    assert design.loc[f"external:{NAME}-external", "patients"] == 24


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.01, float("nan")])
@pytest.mark.parametrize("name", [NAME, "jtm2025_irs_ctmr"])
def test_a_scale_out_of_range_is_refused_before_anything_is_removed(name, scale, ran):
    data = ran.folder.parent / "data"
    before = sorted(data.rglob("*"))
    with pytest.raises(DataError, match="a scale above 0, to 1"):
        rg.run_simulated(name, out=ran.folder.parent, scale=scale)
    assert sorted(data.rglob("*")) == before


def test_a_surrogate_study_says_that_its_size_is_fixed(tmp_path, monkeypatch):
    module = sys.modules["radiogenomics.study.simulated_run"]
    monkeypatch.setattr(module, "write_demo_data", lambda data, **_: ())
    with (
        pytest.warns(RadiogenomicsWarning, match="scale and features change nothing"),
        pytest.raises(StudyError, match="at least one cohort"),
    ):
        rg.run_simulated("jtm2025_irs_ctmr", out=tmp_path, scale=0.5)


def test_patients_of_somebody_are_never_removed(ran, small, tmp_path):
    out = Path(shutil.copytree(ran.folder.parent, tmp_path / "sim"))
    mine = out / "data" / "zurich"
    mine.mkdir()
    (mine / "manifest.yaml").write_text("cohort: zurich\nsimulated: false\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"only simulated cohorts in .*found zurich"):
        rg.run_simulated(small, out=out, **SIZE)
    assert {path.name for path in (out / "data").iterdir()} == {"external", "training", "zurich"}
    assert (out / "data" / "training" / "manifest.yaml").is_file()
    shutil.rmtree(mine)
    (out / "data" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match=r"found notes\.txt"):
        rg.run_simulated(small, out=out, **SIZE)


def test_what_cannot_be_run_is_refused_before_it_is_drawn(tmp_path):
    (tmp_path / "study.yaml").write_text(
        f"{find_study(NAME).read_text(encoding='utf-8')}requires: [sonar]\n", encoding="utf-8"
    )
    with pytest.raises(StudyError, match="requires sonar, which is not there yet"):
        rg.run_simulated(tmp_path, out=tmp_path / "sim")
    with pytest.raises(UnknownNameError, match=f"did you mean '{NAME}'"):
        rg.run_simulated("qi2024_prsd_mr", out=tmp_path / "sim")
    assert [path.name for path in tmp_path.iterdir()] == ["study.yaml"]


def test_truth_is_kept_from_the_run_and_beside_the_data(ran):
    data = ran.folder.parent / "data" / "training"
    truth = pd.read_csv(data / "truth.csv")
    assert len(truth) == len(pd.read_csv(data / "patients.csv"))
    manifest = (data / "manifest.yaml").read_text(encoding="utf-8")
    assert "truth" not in manifest and "simulated: true" in manifest
