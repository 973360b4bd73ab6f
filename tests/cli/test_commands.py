"""What the commands print, for people and for programs, and how they end."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from radiogenomics import simulate
from radiogenomics.core.provenance import version
from radiogenomics.study.registry import find_study, study_names

NAME = "jtm2025_irs_ctmr"


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a recipe and a cohort of 40 patients with RNA and survival, no images."""
    root = tmp_path_factory.mktemp("brought")
    world = simulate.hcc_cohort(40, n_genes=150, id="brought", rng=np.random.default_rng(3))
    simulate.write_cohort(replace(world, cohort=replace(world.cohort, scans=())), root / "cohort")
    fields = yaml.safe_load(find_study(NAME).read_text(encoding="utf-8"))
    for name in ("outcome_permutations", "random_signatures"):
        fields["evaluation"][name]["value"] = 9
    (root / "study.yaml").write_text(yaml.safe_dump(fields), encoding="utf-8")
    return root


@pytest.fixture
def run(command, brought, tmp_path):
    """``radiogenomics run`` on what was brought, with words before and behind."""

    def ran(*behind: object, before: tuple[str, ...] = ()):
        words = ["run", brought / "study.yaml", "--cohort", brought / "cohort" / "manifest.yaml"]
        return command(*before, *words, "--out", tmp_path / "out", "--jobs", 1, *behind)

    return ran


def test_a_run_prints_what_it_found_and_report_draws_it_again(run, command, tmp_path):
    answer = run()
    assert answer.code == 0
    report = tmp_path / "out" / "report.html"
    assert f"report: {report}" in answer.out and report.is_file()
    assert "verdict: the signature is" in answer.out
    assert "SIMULATED cohorts: brought" in answer.out
    assert "signature_c_index 0." in answer.out
    assert "signature on OS" in answer.err
    before = report.read_bytes()
    report.unlink()
    drawn = command("report", tmp_path / "out")
    assert (drawn.code, drawn.out.strip(), drawn.err) == (0, f"report: {report}", "")
    assert report.read_bytes() == before
    drawn = command("report", tmp_path / "out", "--json")
    assert json.loads(drawn.out) == {"report": str(report)}


def test_json_alone_goes_to_standard_output_and_quiet_leaves_warnings(run, tmp_path):
    answer = run("--json", "--seed", 4, before=("--quiet",))
    written = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert answer.code == 0 and json.loads(answer.out) == written and written["seed"] == 4
    assert [x for x in answer.err.splitlines() if not x.startswith("warning: ")] == []


def test_check_ends_with_0_or_2(command, brought, tmp_path):
    manifest = brought / "cohort" / "manifest.yaml"
    good = command("check", manifest)
    assert good.code == 0 and good.out.rstrip().endswith("ok") and "flow" in good.out
    bad = command("check", manifest, "--data-root", tmp_path)
    assert bad.code == 2 and "not ok" in bad.out and "error: patients" in bad.out
    record = json.loads(command("check", manifest, "--data-root", tmp_path, "--json").out)
    assert record["ok"] is False
    assert all(f["expected"] and f["found"] and f["do"] for f in record["findings"])
    flow = json.loads(command("check", manifest, "--json").out)["flow"]
    assert {row["table"]: row["patients"] for row in flow}["rna"] == 40


def test_check_of_a_recipe(command, brought):
    answer = command("check", NAME)
    assert answer.code == 0 and "label.genes" in answer.out and "KPNA2, SMG5" in answer.out
    assert json.loads(command("check", brought / "study.yaml", "--json").out) == {
        "study": NAME,
        "ok": True,
    }


def test_studies_are_listed_and_explained(command):
    listed = command("study", "list")
    assert listed.code == 0 and all(name in listed.out for name in study_names())
    records = json.loads(command("study", "list", "--json").out)
    assert [record["study"] for record in records] == list(study_names())
    shown = command("study", "show", NAME)
    assert "doi: 10.1186/s12967-025-07627-4" in shown.out and "not public" in shown.out
    recipe = json.loads(command("study", "show", NAME, "--json").out)
    assert recipe["label"]["genes"] == {
        "value": ["KPNA2", "SMG5"],
        "source": "abstract",
        "note": "",
    }


def test_version(command):
    answer = command("--version")
    assert (answer.code, answer.out.strip(), answer.err) == (0, version(), "")


def test_no_words_show_the_help(command):
    answer = command()
    assert "Usage: radiogenomics" in answer.out + answer.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("check", "tcga_lich"), "did you mean 'tcga_lihc'"),
        (("study", "show", "jtm2024"), "unknown study 'jtm2024'"),
        (
            ("study", "show", "liu2025"),
            "with which 2 begin: liu2025_itls_swi, liu2025_response_mri",
        ),
        (("report", "."), "expected the output folder of a run"),
        (("run", "jtm2025_irs_mrct", "--cohort", "x", "--out", "y"), f"did you mean '{NAME}'"),
        (("run", NAME, "--cohort", "tcga_lich", "--out", "y"), "did you mean 'tcga_lihc'"),
        (("run", NAME, "--cohort", "x.yaml", "--out", "y"), "expected a manifest at x.yaml"),
        (
            ("run", NAME, "--cohort", "tcga_lihc", "--out", "y", "--data-root", "nowhere"),
            "expected a folder with the data at nowhere",
        ),
    ],
)
def test_what_is_not_there_is_one_line_and_exit_code_2(
    command, words, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    answer = command(*words)
    assert answer.code == 2 and answer.out == ""
    (line,) = answer.err.splitlines()
    assert line.startswith("error: ") and message in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ("run", NAME),
        ("run", NAME, "--cohort", "x", "--out", "y", "--jobs", "0"),
        ("run", NAME, "--cohort", "x", "--out", "y", "--seed", "-1"),
        ("run", NAME, "--chort", "x", "--out", "y"),
        ("demo", "--effect", "-1"),
        ("chek", "x"),
        ("check",),
    ],
)
def test_wrong_usage_ends_with_2(command, words):
    answer = command(*words)
    assert answer.code == 2 and answer.out == "" and "Traceback" not in answer.err


def test_the_installed_command_answers():
    program = Path(sys.executable).with_name("radiogenomics")
    if not program.is_file():
        pytest.skip("the package is imported from the checkout, not installed")
    wrong = subprocess.run([program, "check", "nope"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: unknown manifest or study")
    near = subprocess.run(
        [program, "check", "tcga_lich"], capture_output=True, text=True, check=False
    )
    assert near.returncode == 2 and "did you mean 'tcga_lihc'" in near.stderr


def test_demo_hands_its_words_on(command, monkeypatch, tmp_path):
    asked = {}
    monkeypatch.setattr(
        "radiogenomics.study.demo", lambda out, **words: asked.update(words, out=out)
    )
    answer = command("demo", "--out", tmp_path / "d", "--effect", 0, "--jobs", 3, "--seed", 7)
    assert answer.code == 0
    assert asked == {"out": tmp_path / "d", "effect": 0.0, "jobs": 3, "seed": 7}
