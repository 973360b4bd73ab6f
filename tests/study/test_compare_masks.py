from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, SchemaError
from radiogenomics.core.scan import Volume
from radiogenomics.io.images.write import write_image
from radiogenomics.study.compare_masks import compare_masks

pytest.importorskip("SimpleITK", reason="needs the extra imaging")

SHAPE = (6, 12, 12)


def box(low, high):
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[1:5, 2:8, low:high] = 1
    return mask


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Three patients: masks that are equal, shifted by two voxels of 2 mm, and one only."""
    folder = tmp_path_factory.mktemp("masks")
    voxels = np.random.default_rng(0).normal(60, 10, SHAPE).astype(np.float32)
    grid = Volume(voxels, {}, (3.0, 1.0, 2.0))
    rows = []
    for patient, shift in (("P1", 0), ("P2", 2), ("P3", None)):
        masks = {"tumour": box(2, 8)}
        if shift is not None:
            masks["found"] = box(2 + shift, 8 + shift)
        row = {
            "patient_id": patient,
            "modality": "CT",
            "phase": "portal",
            "image": f"{patient}.nii",
        }
        write_image(folder / row["image"], voxels, grid=grid)
        for name, mask in masks.items():
            row[f"mask_{name}"] = f"{patient}_{name}.nii.gz"
            write_image(folder / row[f"mask_{name}"], mask, grid=grid)
        rows.append(row)
    pd.DataFrame(rows).to_csv(folder / "scans.csv", index=False)
    pd.DataFrame({"patient_id": ["P1", "P2", "P3"], "age": [50, 60, 70]}).to_csv(
        folder / "patients.csv", index=False
    )
    content = {
        "cohort": "masks",
        "patients": {"file": "patients.csv", "columns": {"age": "age"}},
        "scans": {"file": "scans.csv"},
    }
    (folder / "manifest.yaml").write_text(yaml.safe_dump(content))
    return folder / "manifest.yaml"


def test_masks_agree_as_counted_by_hand(manifest, tmp_path):
    out = tmp_path / "agreement.csv"
    with pytest.warns(RadiogenomicsWarning, match="1 of 3 scans failed and have no two masks"):
        done = compare_masks(
            manifest, found="found", reference="tumour", out=out, tolerance_mm=1.0, jobs=1
        )
    table = pd.read_csv(out).set_index("patient_id")
    assert list(table.index) == ["P1", "P2"]
    # Four of six columns overlap, and the far faces are two voxels of 2 mm apart.
    assert table["dice"].tolist() == pytest.approx([1.0, 2 / 3])
    assert table["hausdorff_mm"].tolist() == pytest.approx([0.0, 4.0])
    assert table["found_ml"].tolist() == pytest.approx([4 * 6 * 6 * 6 / 1000] * 2)
    dice = done.medians.set_index("measure").loc["dice"]
    assert dice["median"] == pytest.approx((1 + 2 / 3) / 2) and dice["measured"] == 2
    assert "dice 0.833" in str(done) and done.summary()["scans"] == 2
    made = json.loads((tmp_path / "agreement.csv.provenance.json").read_text())
    assert made["tolerance_mm"] == 1.0 and str(tmp_path) not in json.dumps(made)


def test_words_make_masks_and_names_are_hidden(manifest, tmp_path):
    out = tmp_path / "agreement.csv"
    with pytest.warns(RadiogenomicsWarning, match="scans failed"):
        done = compare_masks(
            manifest,
            found="found_without_tumour",
            reference="tumour",
            out=out,
            hash_ids="secret",
            jobs=1,
        )
    # What is left of the shifted mask; of the equal one nothing is left.
    assert done.table["dice"].tolist() == [0.0]
    assert not set(done.table["patient_id"]) & {"P1", "P2", "P3"}


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"found": "tumour"}, SchemaError, "expected two masks to compare.*tumour twice"),
        ({"out": "agreement.xlsx"}, SchemaError, r"an output called \*.csv; found the output"),
        ({"found": "fuond"}, DataError, "all 3 scans failed.*did you mean 'found'"),
        ({"phase": ["arterial"]}, DataError, "expected scans .arterial.; found CT portal"),
        ({"modality": "MR"}, DataError, "expected scans .MR.; found CT portal"),
    ],
)
def test_what_cannot_be_compared_is_said(manifest, tmp_path, words, error, message):
    given = {"found": "found", "reference": "tumour", "out": tmp_path / "a.csv", "jobs": 1, **words}
    with pytest.raises(error, match=message):
        compare_masks(manifest, **given)
