"""`radiogenomics biopsy` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SMALL = "comparators: []\nrepeats: 1\npermutations: 19\nsmallest: 2\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Forty patients of whom one feature tells two genes, and thirty others without RNA."""
    root, rng = tmp_path_factory.mktemp("brought"), np.random.default_rng(8)
    for name, n in (("ct", 40), ("new", 30)):
        rows = pd.Index([f"{name}-{i}" for i in range(n)], name="patient_id")
        features = pd.DataFrame(rng.normal(size=(n, 6)), rows).add_prefix("original_glcm_F")
        features.to_csv(root / f"{name}.csv")
        genes = pd.DataFrame(rng.normal(size=(n, 30)), rows).add_prefix("GENE")
        genes[["GENE0", "GENE1"]] += 2 * features.to_numpy()[:, :1]
        genes.to_csv(root / f"{name}_rna.csv")
    (root / "sets.gmt").write_text("LINKED\tx\tGENE0\tGENE1\nOTHER\tx\tGENE7\tGENE8\tGENE9\n")
    (root / "plan.yaml").write_text(SMALL)
    return root


def learn(files: Path, out: Path) -> list[object]:
    return [
        "biopsy", "--features", files / "ct.csv", "--expression", files / "ct_rna.csv",
        "--gene-sets", files / "sets.gmt", "--genes", "GENE1", "--genes", "GENE5",
        "--plan", files / "plan.yaml", "--jobs", 1, "--out", out,
    ]  # fmt: skip


@pytest.fixture
def learnt(command, files, tmp_path):
    return command(*learn(files, tmp_path / "out")), tmp_path / "out"


def test_it_says_what_it_found_and_where(learnt):
    answer, out = learnt
    assert answer.code == 0
    assert "6 image features foretell 4 targets in 40 patients, 19 permutations" in answer.err
    assert "verdict: images foretell" in answer.out and "The best is" in answer.out
    assert f"report: {out / 'report.html'}" in answer.out
    assert {p.name for p in out.iterdir()} == {
        "summary.json", "provenance.json", "study.yaml", "report.html", "surrogates.json", "tables",
    }  # fmt: skip


def test_surrogates_are_applied_without_learning(command, files, learnt, tmp_path):
    _, out = learnt
    words = ["biopsy", "--surrogates", out / "surrogates.json", "--out", tmp_path / "new"]
    words += ["--apply-features", files / "new.csv", "--apply-expression", files / "new_rna.csv"]
    answer = command(*words, "--json")
    assert answer.code == 0
    summary = json.loads(answer.out)
    assert summary["cohorts"] == ["ct", "new"]
    assert [m["name"].partition(":")[0] for m in summary["metrics"]] == ["biopsy_rho"]
    assert (tmp_path / "new" / "tables" / "transport.csv").is_file()


def test_the_plan_of_an_earlier_run_is_read_from_its_folder(command, files, learnt, tmp_path):
    _, out = learnt
    words = [out / "study.yaml" if w == files / "plan.yaml" else w for w in learn(files, "x")]
    answer = command(*words[:-1], tmp_path / "again")
    assert answer.code == 0
    tables = [folder / "tables" / "biopsy.csv" for folder in (out, tmp_path / "again")]
    assert tables[0].read_bytes() == tables[1].read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--surrogates", "none.json", "--apply-features", "x.csv"], "expected surrogates at none"),
        (["--features", "x.csv"], "Give --features and --expression, or --surrogates."),
        (["--surrogates", "s.json"], "Give --apply-features."),
    ],
)
def test_what_is_wrong_is_one_message(command, tmp_path, words, said):
    answer = command("biopsy", *words, "--out", tmp_path / "out")
    assert answer.code == 2 and said in answer.err
    assert not (tmp_path / "out").exists()


def test_a_misspelt_field_of_the_plan(command, files, tmp_path):
    (tmp_path / "plan.yaml").write_text("permutation: 19\n")
    words = [tmp_path / "plan.yaml" if w == files / "plan.yaml" else w for w in learn(files, "x")]
    answer = command(*words[:-1], tmp_path / "out")
    assert answer.code == 2 and "permutation: unknown word" in answer.err
    assert "permutations" in answer.err
