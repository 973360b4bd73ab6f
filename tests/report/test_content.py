"""What an output folder may hold, what it may lack, and what it must not be."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pandas as pd
import pytest

from radiogenomics.core.errors import MissingFileError, SchemaError
from radiogenomics.report import read_content, render

SUMMARY = {
    "study": "s",
    "cohorts": ["a"],
    "seed": 0,
    "version": "0.1.0",
    "verdict": "nothing was tested",
    "metrics": [],
}
METRIC = {
    "name": "auc",
    "value": 0.71,
    "low": 0.6,
    "high": 0.8,
    "chance": 0.5,
    "n": 90,
    "split": "cross-validation",
    "p_permutation": 0.005,
    "events": 45,
}


def bare(folder: Path, **fields: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "summary.json").write_text(json.dumps(SUMMARY | fields))
    return folder


@pytest.mark.parametrize("kind", ["absent", "empty", "other"])
def test_folder_without_summary_says_what_was_expected(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "out"
    if kind != "absent":
        folder.mkdir()
    if kind == "other":
        (folder / "notes.txt").write_text("x")
    found = {"absent": "nothing", "empty": "an empty folder", "other": "a folder with notes.txt"}
    with pytest.raises(MissingFileError, match=rf"summary\.json.*found {found[kind]}"):
        render(folder)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("summary.json", "{", "expected JSON"),
        ("summary.json", "[]", "expected an object"),
        ("summary.json", json.dumps({k: v for k, v in SUMMARY.items() if k != "seed"}), "seed"),
        ("summary.json", json.dumps(SUMMARY | {"metrics": [{"name": "auc"}]}), "metrics.0.value"),
        ("provenance.json", "no", "expected JSON"),
        ("signature.json", "{}", "signature"),
        ("study.yaml", "!!python/object:os.system {}", "plain YAML"),
        ("tables/roc.csv", "split,fpr\na,0\n", "found no learner, tpr"),
        ("tables/roc.csv", 'a,b\n"1,2\n', "expected a table as CSV"),
    ],
)
def test_broken_file_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    folder = bare(tmp_path)
    (folder / "tables").mkdir()
    (folder / name).write_text(text)
    with pytest.raises(SchemaError, match=message) as caught:
        render(folder)
    assert name in str(caught.value) or "signature" in str(caught.value)
    assert not (folder / "report.html").exists()


def test_summary_alone_makes_a_page_that_names_what_is_missing(tmp_path: Path) -> None:
    page = render(bare(tmp_path)).read_text(encoding="utf-8")
    assert "Not tested" in page
    assert "Not part of this run: cohort flow, the genes and the signature, label" in page
    assert "The remarks above say why" not in page
    assert "<img" not in page


def test_reason_of_missing_parts_is_told_where_the_run_gave_one(tmp_path: Path) -> None:
    folder = bare(tmp_path)
    (folder / "tables").mkdir()
    why = "a has no images: the imaging half of the recipe was not run."
    pd.DataFrame({"level": ["info"], "text": [why]}).to_csv(
        folder / "tables/notes.csv", index=False
    )
    page = render(folder).read_text(encoding="utf-8")
    assert page.index(why) < page.index("The remarks above say why")


@pytest.mark.parametrize(
    "gone", ["roc", "calibration", "survival_curves", "hazard_ratios", "null", "learners", "genes"]
)
def test_one_missing_table_takes_only_its_figures(
    finished_run: Path, tmp_path: Path, gone: str, undrawn: None
) -> None:
    folder = Path(shutil.copytree(finished_run, tmp_path / "out"))
    (folder / "tables" / f"{gone}.csv").unlink()
    page = render(folder).read_text(encoding="utf-8")
    assert f"tables/{gone}.csv" not in page
    assert "tables/cohort_flow.csv" in page


def test_empty_table_counts_as_absent(tmp_path: Path) -> None:
    folder = bare(tmp_path)
    (folder / "tables").mkdir()
    (folder / "tables/selection.csv").write_text("feature,frequency\n")
    (folder / "tables/genes.csv").write_text("")
    content = read_content(folder)
    assert content.table("selection") is None
    assert content.table("genes") is None


def test_names_stay_text_and_numbers_numbers(tmp_path: Path) -> None:
    folder = bare(tmp_path)
    (folder / "tables").mkdir()
    (folder / "tables/selection.csv").write_text("feature,frequency\nNAN,0.5\n1e5,0.25\n007,0.1\n")
    (folder / "tables/null.csv").write_text("metric,split,value\nauc,cross-validation,0.5\n")
    (folder / "tables/settings.csv").write_text("setting,value,provenance,note\nk,004,paper,\n")
    content = read_content(folder)
    assert content.tables["selection"]["feature"].tolist() == ["NAN", "1e5", "007"]
    assert content.tables["selection"]["frequency"].tolist() == [0.5, 0.25, 0.1]
    assert content.tables["null"]["value"].tolist() == [0.5]
    assert content.tables["settings"]["value"].tolist() == ["004"]
    assert content.tables["settings"]["note"].tolist() == [""]


def test_metrics_come_back_with_nan_for_what_was_not_finite(tmp_path: Path) -> None:
    folder = bare(tmp_path, metrics=[METRIC | {"high": None}], later_field=1)
    (metric,) = read_content(folder).metrics
    assert (metric.value, metric.low, metric.p_permutation) == (0.71, 0.6, 0.005)
    assert math.isnan(metric.high)
    assert "0.71 (no finite interval)" in render(folder).read_text(encoding="utf-8")
