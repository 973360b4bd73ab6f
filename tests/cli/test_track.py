"""`radiogenomics track` on simulated scans: categories as simulated, and refusals as one line."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from radiogenomics import simulate
from radiogenomics.cli.main import EXIT_BAD_INPUT

PATIENTS = 20


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    points = ("baseline", "follow-up")
    world = simulate.hcc_cohort(
        PATIENTS, n_genes=150, time_points=points, rng=np.random.default_rng(1)
    )
    return simulate.write_cohort(world, tmp_path_factory.mktemp("track") / "cohort")


def test_files_to_responses_in_one_command(command, manifest, tmp_path):
    words = ("track", manifest, "--months", "follow-up=2", "--organ", "liver")
    words += ("--registration", "none", "--viable-sd", 2, "--jobs", 1)
    answer = command(*words, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    assert f"in {PATIENTS} of {PATIENTS} with scans: CR " in answer.out
    assert "SIMULATED cohort: simulated_hcc" in answer.out
    simulated = pd.read_csv(manifest.with_name("patients.csv"), index_col="patient_id")["response"]
    found = pd.read_csv(tmp_path / "out" / "response.csv", index_col="patient_id")["best_response"]
    assert (found == simulated[found.index]).sum() >= PATIENTS - 1
    assert (simulated == "CR").any() and found[simulated == "CR"].eq("CR").all()
    program = command(*words, "--out", tmp_path / "out", "--json")
    assert json.loads(program.out)["best_response"] == found.value_counts().to_dict()


def test_whole_lesions_are_not_called_mrecist(command, manifest, tmp_path):
    words = ("track", manifest, "--months", "follow-up=2", "--out", tmp_path / "out")
    refused = command(*words)
    assert refused.code == EXIT_BAD_INPUT
    (line,) = refused.err.splitlines()
    assert line.startswith("error: mRECIST: expected the mask of what enhances")
    undated = command("track", manifest, "--out", tmp_path / "out", "--criterion", "recist")
    assert undated.code == EXIT_BAD_INPUT
    assert "Say --months follow-up=2" in undated.err
    assert not (tmp_path / "out").exists()
