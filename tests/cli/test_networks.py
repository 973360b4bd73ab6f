"""Commands around networks as a user meets them: help in Python's words, errors in one line."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics.core.scan import Volume
from radiogenomics.io.images.write import write_image

pytest.importorskip("SimpleITK", reason="needs the extra imaging")


@pytest.fixture
def manifest(tmp_path):
    """One patient with two masks."""
    folder = tmp_path / "cohort"
    folder.mkdir()
    voxels = np.arange(4 * 6 * 6, dtype=np.float32).reshape(4, 6, 6)
    inside = np.zeros(voxels.shape, dtype=np.uint8)
    inside[1:3, 1:4, 1:4] = 1
    grid = Volume(voxels, {}, (1.0, 1.0, 1.0))
    row = {"patient_id": "P1", "modality": "CT", "phase": "portal", "image": "image.nii.gz"}
    write_image(folder / "image.nii.gz", voxels, grid=grid)
    for name, mask in (("tumour", inside), ("found", np.roll(inside, 1, axis=2))):
        row[f"mask_{name}"] = f"{name}.nii.gz"
        write_image(folder / f"{name}.nii.gz", mask, grid=grid)
    pd.DataFrame([row]).to_csv(folder / "scans.csv", index=False)
    pd.DataFrame({"patient_id": ["P1"], "age": [50]}).to_csv(folder / "patients.csv", index=False)
    content = {
        "cohort": "one",
        "patients": {"file": "patients.csv", "columns": {"age": "age"}},
        "scans": {"file": "scans.csv"},
    }
    (folder / "manifest.yaml").write_text(yaml.safe_dump(content))
    return folder / "manifest.yaml"


def test_masks_are_compared(command, manifest, tmp_path):
    words = ("compare-masks", manifest, "--found", "found", "--reference", "tumour", "--jobs", 1)
    answer = command(*words, "--out", tmp_path / "a.csv")
    assert answer.code == 0 and "dice 0.667" in answer.out and "0 missed" in answer.out
    record = json.loads(command(*words, "--out", tmp_path / "b.csv", "--json").out)
    (dice,) = [row for row in record["measures"] if row["measure"] == "dice"]
    assert dice["median"] == pytest.approx(2 / 3) and record["scans"] == 1


def test_a_tool_that_is_not_installed_is_named(command, manifest, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = command(
        "segment", manifest, "--tool", "totalsegmentator", "--out", tmp_path / "segmented"
    )
    assert answer.code == 2 and "pip install TotalSegmentator" in answer.err
    answer = command("segment", manifest, "--tool", "nnunet", "--out", tmp_path / "segmented")
    assert answer.code == 2 and "expected the dataset of nnU-Net as --model" in answer.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            (
                "pretrain",
                "--settings",
                "resnet18_slice",
                "--method",
                "contrastive",
                "--out",
                "own.pt",
            ),
            "safetensors; found",
        ),
        (
            ("pretrain", "--settings", "resnet18_slice", "--method", "contrastive")
            + ("--out", "a.safetensors", "--fact", "age"),
            "found contrastive with age",
        ),
        (
            ("train", "lwctr2025_os12_ct", "--out", "networks"),
            "expected blocks of kind network; found",
        ),
        (
            ("train", "lwctr2025_os12_ct", "--out", "networks", "--weights", "resnet18_slice"),
            "expected weights as PRESET=FILE",
        ),
    ],
)
def test_errors_are_one_line(command, manifest, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    answer = command(*words, "--cohort", manifest)
    assert answer.code == 2 and message in answer.err and answer.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cohort"]
