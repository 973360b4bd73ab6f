from __future__ import annotations

import json
import os
import stat
import sys

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import (
    DataError,
    MissingExtraError,
    MissingFileError,
    RadiogenomicsWarning,
    SchemaError,
    StudyError,
    UnknownNameError,
)
from radiogenomics.io import load_cohort
from radiogenomics.io.segmenters import MonaiBundle, NnUNet, TotalSegmentator
from radiogenomics.simulate import draw_labelled_scans, write_planted_cohort
from radiogenomics.study.compare_masks import compare_masks
from radiogenomics.study.segment import segment, segmenter_of

pytest.importorskip("SimpleITK", reason="needs the extra imaging")

BRIGHT = 90
# Calls bright what is above a value; fails for a scan whose first voxel is the given one.
FAKE = """#!{python}
import sys
from pathlib import Path
import SimpleITK as sitk

words = sys.argv[1:]
image = sitk.ReadImage(words[words.index("-i") + 1])
made = Path(words[words.index("-o") + 1])
if image.GetPixel(0, 0, 0) == {broken!r}:
    sys.exit("no lung in it")
sitk.WriteImage(sitk.Cast(image > {bright}, sitk.sitkUInt8), str(made / "tumour.nii.gz"))
sitk.WriteImage(sitk.Cast(image > 30000, sitk.sitkUInt8), str(made / "spleen.nii.gz"))
"""


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    planted = draw_labelled_scans(4, shape=(8, 16, 16), seed=3, modality="CT")
    return write_planted_cohort(planted, tmp_path_factory.mktemp("scans") / "cohort")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a TotalSegmentator on the PATH that knows one scan it cannot read."""
    if os.name != "posix":
        pytest.skip("programs are faked by scripts")
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(broken=None):
        program = folder / "TotalSegmentator"
        program.write_text(FAKE.format(python=sys.executable, bright=BRIGHT, broken=broken))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    return put


def scans_of(manifest, phase):
    cohort = load_cohort(manifest, data_root=manifest.parent)
    return cohort, {s.patient_id: s for s in cohort.scans if s.phase == phase}


def test_a_cohort_gets_masks_and_stays_one(manifest, install, tmp_path):
    install()
    out = tmp_path / "out"
    done = segment(
        manifest, tool="totalsegmentator", out=out, phase=["portal"], suffix="_auto", device="cpu"
    )
    before, old = scans_of(manifest, "portal")
    after, new = scans_of(done.manifest, "portal")
    assert after.id == before.id and len(after.scans) == len(before.scans)
    pd.testing.assert_frame_equal(after.patients, before.patients)
    for patient, scan in new.items():
        volume, own = scan.load(), old[patient].load()
        np.testing.assert_array_equal(volume.voxels, own.voxels)
        np.testing.assert_array_equal(volume.mask("tumour") > 0, own.mask("tumour") > 0)
        np.testing.assert_array_equal(volume.mask("tumour_auto") > 0, own.voxels > BRIGHT)
        assert volume.spacing_mm == pytest.approx(own.spacing_mm)
        assert volume.origin_mm == pytest.approx(own.origin_mm)
    _, others = scans_of(done.manifest, "arterial")
    assert not any("tumour_auto" in scan.regions for scan in others.values())
    table = pd.read_csv(out / "tables/segmented.csv", keep_default_na=False)
    assert set(table["region"]) == {"tumour_auto", "spleen_auto"} and len(table) == 8
    assert not set(table["patient"]) & set(before.patient_ids)
    assert "4 scans segmented" in done.verdict and "4 masks are empty" in done.verdict
    summary = json.loads((out / "summary.json").read_text())
    assert summary["command"].startswith("TotalSegmentator") and "--device cpu" in done.command
    # The new manifest is a cohort like any other.
    agreement = compare_masks(
        done.manifest, found="tumour_auto", reference="tumour", out=tmp_path / "a.csv",
        phase=["portal"], jobs=1,
    )  # fmt: skip
    volume = new[agreement.table["patient_id"][0]].load()
    found, drawn = volume.voxels > BRIGHT, volume.mask("tumour") > 0
    dice = 2 * (found & drawn).sum() / (found.sum() + drawn.sum())
    assert agreement.table["dice"][0] == pytest.approx(dice)


def test_a_scan_that_fails_is_kept_and_counted(manifest, install, tmp_path):
    _, old = scans_of(manifest, "portal")
    first = next(iter(old.values())).load()
    install(broken=first.voxels[0, 0, 0].item())
    with pytest.warns(RadiogenomicsWarning, match="1 of 4 scans failed.*no lung in it"):
        done = segment(
            manifest, tool="totalsegmentator", out=tmp_path / "out", phase=["portal"], suffix="_b"
        )
    _, new = scans_of(done.manifest, "portal")
    assert sum("tumour_b" in scan.regions for scan in new.values()) == 3
    assert done.summary()["failed"] == 1


def test_regions_are_named_by_the_user(manifest, install, tmp_path):
    install()
    names = tmp_path / "regions.yaml"
    names.write_text("regions: {lesion: tumour}\n")
    done = segment(
        manifest, tool="totalsegmentator", out=tmp_path / "out", phase=["portal"], regions=names
    )
    assert set(done.table["region"]) == {"lesion"}


def test_a_folder_of_others_and_a_tool_that_is_not_there_are_refused(manifest, install, tmp_path):
    with pytest.raises(MissingExtraError, match="expected TotalSegmentator as the program"):
        segment(manifest, tool="totalsegmentator", out=tmp_path / "out")
    install()
    with pytest.raises(DataError, match="found a folder with other content"):
        segment(manifest, tool="totalsegmentator", out=tmp_path)
    with pytest.raises(DataError, match="expected scans .venous."):
        segment(manifest, tool="totalsegmentator", out=tmp_path / "out", phase=["venous"])
    assert not (tmp_path / "out").exists()


def test_tools_by_their_words(tmp_path):
    words = {"device": "cpu", "roi": ["liver"], "fast": True, "program": None}
    expected = TotalSegmentator("total_mr", ("liver",), fast=True, device="cpu")
    assert segmenter_of("totalsegmentator", "total_mr", words) == expected
    assert segmenter_of("nnunet", "Dataset003_Liver", {"fast": False}) == NnUNet("Dataset003_Liver")
    assert segmenter_of("monai", str(tmp_path), {}) == MonaiBundle(tmp_path)


@pytest.mark.parametrize(
    ("tool", "model", "words", "error", "message"),
    [
        ("totalsegmentor", None, {}, UnknownNameError, "did you mean 'totalsegmentator'"),
        ("nnunet", None, {}, StudyError, "expected the dataset of nnU-Net as --model"),
        ("monai", None, {}, StudyError, "expected the folder of the bundle"),
        ("nnunet", "3", {"fast": True}, StudyError, "found --fast, which would do nothing"),
        ("totalsegmentator", "-o", {}, SchemaError, "expected words of letters"),
    ],
)
def test_words_that_no_tool_knows(tool, model, words, error, message):
    with pytest.raises(error, match=message):
        segmenter_of(tool, model, words)


def test_a_bundle_that_is_not_there(manifest, tmp_path):
    with pytest.raises((MissingFileError, MissingExtraError), match="expected"):
        segment(manifest, tool="monai", model=str(tmp_path / "none"), out=tmp_path / "out")
