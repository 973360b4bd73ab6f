"""The gallery: every recipe once, kept between calls; one that fails loses no other."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, StudyError, UnknownNameError
from radiogenomics.study import gallery
from radiogenomics.study.registry import shipped

pytestmark = pytest.mark.filterwarnings("ignore::radiogenomics.core.errors.RadiogenomicsWarning")

# The two quickest.
FIRST, SECOND = "peng2024_myeloid_ct", "song2024_hin_mri"
SIZE = {"scale": 0.05, "features": 25, "permutations": 2}
# The function `gallery` hides its module from dotted paths.
MODULE = sys.modules["radiogenomics.study.gallery"]
Gallery = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("galleries") / "new" / "one"
    return folder, gallery(folder, studies=[SECOND, FIRST, FIRST], **SIZE)


@pytest.fixture
def kept(made: tuple[Path, pd.DataFrame], tmp_path: Path) -> Path:
    """A copy of a finished gallery, to be spoilt."""
    return Path(shutil.copytree(made[0], tmp_path / "kept"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Studies that were run again, without the time that it takes."""
    names: list[str] = []

    def refuse(study: str, **_: object) -> None:
        names.append(study)
        raise StudyError(f"expected nothing; found {study}. Wait.")

    monkeypatch.setattr(MODULE, "run_simulated", refuse)
    return names


def test_one_row_a_study_also_as_a_file(made):
    folder, table = made
    assert list(table["study"]) == [FIRST, SECOND]
    assert list(table["status"]) == ["ran", "ran"]
    ran = table.set_index("study").loc[[FIRST, SECOND]]
    assert ((ran["low"] < ran["auc"]) & (ran["auc"] < ran["high"])).all()
    assert ran["p"].isin([1 / 3, 2 / 3, 1.0]).all() and (ran["seconds"] > 0).all()
    written = pd.read_csv(folder / "gallery.csv")
    assert list(written.columns) == list(table.columns)
    pd.testing.assert_frame_equal(written, table, check_dtype=False)


def test_numbers_are_those_of_the_run(made):
    folder, table = made
    for row in table.itertuples():
        text = (folder / row.study / "result" / "summary.json").read_text(encoding="utf-8")
        summary = json.loads(text)
        (auc,) = [
            metric
            for metric in summary["metrics"]
            if metric["name"] == "auc" and metric["split"] == "cross-validation"
        ]
        assert (row.auc, row.low, row.high) == (auc["value"], auc["low"], auc["high"])
        assert row.verdict == summary["verdict"]
        assert (folder / row.study / "result" / "report.html").is_file()


def test_a_second_call_keeps_what_is_there(made, kept, asked):
    again = gallery(kept, studies=[FIRST, SECOND], **SIZE)
    assert asked == []
    assert list(again["status"]) == ["kept", "kept"]
    pd.testing.assert_frame_equal(again.drop(columns="status"), made[1].drop(columns="status"))


def test_a_study_that_requires_what_is_not_there_waits(kept, asked, tmp_path, monkeypatch):
    recipes = shutil.copytree(shipped("analyses"), tmp_path / "analyses")
    registry = sys.modules["radiogenomics.study.registry"]
    monkeypatch.setattr(registry, "shipped", lambda folder: tmp_path / folder)
    with (recipes / SECOND / "study.yaml").open("a", encoding="utf-8") as stream:
        stream.write("requires: [ultrasound in 4D]\n")
    shutil.rmtree(kept / SECOND)
    table = gallery(kept, studies=[FIRST, SECOND], **SIZE)
    assert list(table["status"]) == ["kept", "requires: ultrasound in 4D"]
    assert asked == [] and not (kept / SECOND).exists()


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"scale": 0.06}, {"features": 26}, {"permutations": 3}]
)
def test_another_size_or_seed_is_another_run(kept, asked, other):
    gallery(kept, studies=[FIRST], **{**SIZE, **other})
    assert asked == [FIRST]


@pytest.mark.parametrize("name", ["study.yaml", "claims.csv"])
def test_a_changed_recipe_or_claim_is_run_again(kept, asked, name, tmp_path, monkeypatch):
    recipes = shutil.copytree(shipped("analyses"), tmp_path / "analyses")
    registry = sys.modules["radiogenomics.study.registry"]
    monkeypatch.setattr(registry, "shipped", lambda folder: tmp_path / folder)
    gallery(kept, studies=[FIRST], **SIZE)
    assert asked == []
    with (recipes / FIRST / name).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    gallery(kept, studies=[FIRST, SECOND], **SIZE)
    assert asked == [FIRST]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "gallery.json").unlink(),
        lambda folder: (folder / "gallery.json").write_text('{"key": "12', encoding="utf-8"),
        lambda folder: (folder / "gallery.json").write_text("[]", encoding="utf-8"),
        lambda folder: shutil.rmtree(folder / "result"),
    ],
    ids=["no stamp", "half a stamp", "another stamp", "no result"],
)
def test_what_is_not_whole_is_run_again(kept, asked, spoil):
    spoil(kept / FIRST)
    gallery(kept, studies=[FIRST, SECOND], **SIZE)
    assert asked == [FIRST]


def test_a_run_that_was_killed_while_it_simulated_goes_on(made, kept):
    cut_off = kept / FIRST
    (cut_off / "gallery.json").unlink()
    shutil.rmtree(cut_off / "result")
    (part,) = (cut_off / "data").iterdir()
    (part / "manifest.yaml").unlink()
    part.rename(part.with_name(f".{part.name}.partial"))
    again = gallery(kept, studies=[FIRST], **SIZE)
    assert list(again["status"]) == ["ran"]
    assert again.loc[0, "auc"] == made[1].set_index("study").loc[FIRST, "auc"]
    assert [path.name for path in (cut_off / "data").iterdir()] == [part.name]


def test_one_that_fails_loses_no_other(made, kept, tmp_path):
    for name in (FIRST, SECOND):
        (kept / name / "gallery.json").unlink()
    mine = kept / FIRST / "data" / "mine"
    mine.mkdir()
    table = gallery(kept, studies=[FIRST, SECOND], **SIZE).set_index("study")
    assert table.loc[FIRST, "status"].startswith("failed: DataError: expected only simulated")
    assert np.isnan(table.loc[FIRST, "auc"]) and mine.is_dir()
    assert table.loc[SECOND, "status"] == "ran"
    written = pd.read_csv(kept / "gallery.csv").set_index("study")
    assert written.loc[FIRST, "status"] == table.loc[FIRST, "status"]
    mine.rmdir()
    after = gallery(kept, studies=[FIRST, SECOND], **SIZE)
    assert list(after["status"]) == ["ran", "kept"]


def test_two_at_a_time_give_the_same_numbers(made, tmp_path):
    table = gallery(tmp_path, studies=[FIRST, SECOND], jobs=2, **SIZE)
    passing = ["seconds"]
    pd.testing.assert_frame_equal(
        table.drop(columns=passing), made[1].drop(columns=passing), check_exact=True
    )
    for name in (FIRST, SECOND):
        folders = [folder / name / "result" / "tables" for folder in (made[0], tmp_path)]
        for path in sorted(folders[0].glob("*.csv")):
            assert path.read_bytes() == (folders[1] / path.name).read_bytes(), path.name


def test_a_study_that_is_not_there_names_its_like_and_runs_nothing(asked, tmp_path):
    with pytest.raises(UnknownNameError, match=f"did you mean '{FIRST}'"):
        gallery(tmp_path / "g", studies=[SECOND, "peng2024_mieloid_ct"], **SIZE)
    assert asked == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scale", [0.0, -0.1, 1.5, float("nan")])
def test_a_scale_that_is_none_is_refused_once(asked, scale, tmp_path):
    with pytest.raises(DataError, match="a scale above 0, to 1"):
        gallery(tmp_path / "g", scale=scale)
    assert asked == [] and list(tmp_path.iterdir()) == []
