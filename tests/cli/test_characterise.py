"""`radiogenomics characterise` as a user meets it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from radiogenomics import simulate


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory):
    """A cohort of 40 patients with RNA, survival and response, no images."""
    root = tmp_path_factory.mktemp("brought")
    world = simulate.hcc_cohort(40, n_genes=150, id="brought", rng=np.random.default_rng(3))
    return simulate.write_cohort(replace(world, cohort=replace(world.cohort, scans=())), root)


def test_it_says_what_it_found(command, manifest, tmp_path):
    words = [
        "--quiet", "characterise", "--cohort", manifest, "--out", tmp_path / "out",
        "--scores", "cytolytic", "--contrasts", "tls_chemokines_12", "--contrasts", "checkpoints",
        "--response", "response", "--responders", "CR", "--responders", "PR", "--endpoint", "OS",
    ]  # fmt: skip
    answer = command(*words)
    assert answer.code == 0
    assert "verdict: that a high cytolytic goes with CR or PR in response is" in answer.out
    assert f"report: {tmp_path / 'out' / 'report.html'}" in answer.out
    assert "auc_response:cytolytic 0." in answer.out and "c_index:cytolytic 0." in answer.out
    assert "SIMULATED cohorts: brought" in answer.out


def test_json_is_the_summary(command, manifest, tmp_path):
    answer = command(
        "--quiet", "characterise", "--cohort", manifest, "--out", tmp_path / "out",
        "--scores", "tls_chemokines_12:pc1", "--contrasts", "cytolytic", "--json",
    )  # fmt: skip
    summary = json.loads(answer.out)
    assert summary == json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["metrics"] == [] and "nothing was tested" in summary["verdict"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scores", "cytolitic"], "did you mean 'cytolytic'"),
        (["--scores", "cytolytic:pca"], "did you mean 'pc1'"),
        ([], "Give --signature, --scores or both"),
        (["--scores", "cytolytic", "--response", "response"], "Name both"),
        (["--scores", "cytolytic", "--endpoint", "EFS"], "found 'EFS'"),
        (["--signature", "nowhere.json"], "expected a signature at nowhere.json"),
    ],
)
def test_a_wrong_word_is_one_message_and_no_folder(command, manifest, tmp_path, words, message):
    answer = command(
        "--quiet", "characterise", "--cohort", manifest, "--out", tmp_path / "out", *words
    )
    assert answer.code == 2 and answer.err.startswith("error: ") and message in answer.err
    assert not (tmp_path / "out").exists()
