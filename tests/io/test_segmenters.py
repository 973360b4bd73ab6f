from __future__ import annotations

import ast
import json
import logging
import os
import shlex
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    MissingExtraError,
    MissingFileError,
    SchemaError,
    StudyError,
)
from radiogenomics.core.scan import Volume
from radiogenomics.io.images import read_image, write_image
from radiogenomics.io.segment_scan import segment
from radiogenomics.io.segmentations import RegionMapping
from radiogenomics.io.segmenters import MonaiBundle, NnUNet, TotalSegmentator, command_line

pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
pytest.importorskip("nibabel", reason="needs the extra imaging")

TILTED = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
BRIGHT, BRIGHTER = 100, 200

# What all fakes can do: note how they were called, and write bright voxels as labels.
FAKE = """#!{python}
import json, os, sys
from pathlib import Path
import SimpleITK as sitk

words = sys.argv[1:]
note = {{"words": words, "folder": os.getcwd(), "stdin": sys.stdin.read()}}

def option(name):
    return words[words.index(name) + 1]

def labels(path):
    image = sitk.ReadImage(str(path))
    note["given"] = sorted(p.name for p in Path(path).parent.iterdir())
    note["header"] = [image.GetMetaData(key) for key in image.GetMetaDataKeys()]
    return sitk.Cast((image >= {bright}) + (image >= {brighter}), sitk.sitkUInt8)

{body}
Path({notes!r}).write_text(json.dumps(note))
"""

TOTAL = """
made = Path(option("-o"))
found = labels(option("-i"))
for value, name in ((1, "liver"), (2, "liver_tumor"), (3, "spleen")):
    sitk.WriteImage(found == value, str(made / (name + ".nii.gz")))
"""

NNUNET = """
given, made = Path(option("-i")), Path(option("-o"))
found = labels(given / "scan_0000.nii.gz")
sitk.WriteImage(found, str(made / "scan.nii.gz"))
names = {"background": 0, "liver": [1, 2], "tumour": 2}
(made / "dataset.json").write_text(json.dumps({"labels": names}))
"""


class Bench:
    """A folder on the PATH that fakes are put into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "notes.json"

    def put(self, name: str, body: str) -> Path:
        program = self.folder / name
        text = FAKE.format(
            python=sys.executable,
            bright=BRIGHT,
            brighter=BRIGHTER,
            body=body,
            notes=str(self.notes),
        )
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    def note(self) -> dict[str, object]:
        return json.loads(self.notes.read_text())


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    if os.name != "posix":
        pytest.skip("programs are faked by scripts")
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("nnUNet_results", str(tmp_path))
    return Bench(folder)


@pytest.fixture
def scan(tmp_path: Path) -> Volume:
    """A patient's scan from a file that names the patient."""
    voxels = np.zeros((5, 6, 7), dtype=np.int16)
    voxels[1:4, 1:5, 1:6] = BRIGHT
    voxels[2, 2:4, 2:4] = BRIGHTER
    grid = Volume(voxels, {}, (3.0, 0.8, 0.7), (-10.0, 20.0, 5.0), TILTED)
    write_image(tmp_path / "Meier_Hans_19500101.nii.gz", voxels, grid=grid)
    return read_image(tmp_path / "Meier_Hans_19500101.nii.gz")


def test_totalsegmentator_is_called_and_its_classes_come_back(
    bench: Bench, scan: Volume, caplog: pytest.LogCaptureFixture
) -> None:
    bench.put("TotalSegmentator", TOTAL)
    mapping = RegionMapping(regions={"liver": ["liver", "liver_tumor"], "tumour": "liver_tumor"})
    with caplog.at_level(logging.INFO, logger="radiogenomics"):
        result = segment([scan], TotalSegmentator(rois=("liver",), fast=True), mapping=mapping)
    assert np.array_equal(result.segmentation.masks["liver"], scan.voxels >= BRIGHT)
    assert np.array_equal(result.segmentation.masks["tumour"], scan.voxels >= BRIGHTER)
    words = bench.note()["words"]
    assert words[4:] == ["--task", "total", "--device", "gpu", "--roi_subset", "liver", "--fast"]
    assert shlex.split(result.command)[1:] == words
    assert result.command in caplog.text
    assert segment([scan], TotalSegmentator()).segmentation.empty == ("spleen",)


def test_nothing_says_whose_scan_it_is_and_nothing_is_left(bench: Bench, scan: Volume) -> None:
    bench.put("TotalSegmentator", TOTAL)
    segment([scan], TotalSegmentator())
    note = bench.note()
    assert note["given"] == ["scan.nii.gz"]
    for word in ("Meier", "Hans", "1950"):
        assert word not in json.dumps(note)
    assert note["stdin"] == ""
    assert not Path(str(note["folder"])).exists()


def test_nnunet_takes_channels_and_its_labels_may_overlap(bench: Bench, scan: Volume) -> None:
    bench.put("nnUNetv2_predict", NNUNET)
    model = NnUNet("Dataset003_Liver", folds=("0", "1"), mirrored=False, device="cpu")
    result = segment([scan, scan], model).segmentation
    assert np.array_equal(result.masks["liver"], scan.voxels >= BRIGHT)
    assert np.array_equal(result.masks["tumour"], scan.voxels >= BRIGHTER)
    note = bench.note()
    assert note["given"] == ["scan_0000.nii.gz", "scan_0001.nii.gz"]
    line = shlex.join(note["words"][4:])
    assert line == (
        "-d Dataset003_Liver -c 3d_fullres -tr nnUNetTrainer -p nnUNetPlans "
        "-chk checkpoint_final.pth -device cpu -f 0 1 --disable_tta"
    )


def test_channels_in_different_places_are_refused(bench: Bench, scan: Volume) -> None:
    bench.put("nnUNetv2_predict", NNUNET)
    moved = Volume(scan.voxels, {}, scan.spacing_mm, (0.0, 20.0, 5.0), TILTED)
    with pytest.raises(GeometryError, match="channel 2"):
        segment([scan, moved], NnUNet("3"))
    for volumes in ([], [scan, scan]):
        with pytest.raises(DataError, match="expected 1 scan"):
            segment(volumes, TotalSegmentator())
    assert not bench.notes.exists()


def test_tools_that_are_missing_are_named_with_their_installation(
    bench: Bench, scan: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingExtraError, match="pip install TotalSegmentator"):
        segment([scan], TotalSegmentator())
    with pytest.raises(MissingExtraError, match="pip install nnunetv2"):
        segment([scan], NnUNet("3"))
    with pytest.raises(MissingExtraError, match="fire"):
        segment([scan], MonaiBundle(tmp_path, python="no-such-python"))
    bench.put("nnUNetv2_predict", NNUNET)
    monkeypatch.delenv("nnUNet_results")
    with pytest.raises(StudyError, match="nnUNet_results"):
        segment([scan], NnUNet("3"))


@pytest.mark.parametrize(
    "word", ["", "-h", "--ml", "total; rm -rf /", "$(id)", "a b", "../x", "a\nb"]
)
def test_words_that_could_be_options_are_refused(word: str) -> None:
    with pytest.raises(SchemaError, match="letters, digits"):
        TotalSegmentator(task=word)
    with pytest.raises(SchemaError, match="letters, digits"):
        NnUNet(word)
    with pytest.raises(SchemaError, match="letters, digits"):
        MonaiBundle(Path(), output=word)


def test_no_shell_reads_what_is_handed_over(
    bench: Bench, scan: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a folder; touch $(HOME) && 'x'"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    bench.put("TotalSegmentator", TOTAL)
    segment([scan], TotalSegmentator())
    assert str(bench.note()["words"][1]).startswith(str(folder))
    assert not list(folder.iterdir())


def test_an_error_of_the_tool_comes_back_in_its_words(bench: Bench, scan: Volume) -> None:
    bench.put("TotalSegmentator", "sys.exit('no CUDA device is available')")
    with pytest.raises(DataError, match="exit status 1(.|\n)*no CUDA device"):
        segment([scan], TotalSegmentator())


def test_no_result_and_too_many_are_refused(bench: Bench, scan: Volume) -> None:
    bench.put("nnUNetv2_predict", "Path(option('-o'), 'other.txt').write_text('x')")
    with pytest.raises(MissingFileError, match=r"found 0 among other.txt"):
        segment([scan], NnUNet("3"))
    bench.put("TotalSegmentator", "pass")
    with pytest.raises(MissingFileError, match="expected masks"):
        segment([scan], TotalSegmentator())


def test_a_result_on_another_grid_is_refused(bench: Bench, scan: Volume) -> None:
    body = "sitk.WriteImage(sitk.Image([3, 3, 3], 1), str(Path(option('-o')) / 'liver.nii.gz'))"
    bench.put("TotalSegmentator", body)
    with pytest.raises(GeometryError, match="size"):
        segment([scan], TotalSegmentator())


def test_a_tool_that_does_not_end_is_stopped_with_its_workers(
    bench: Bench, scan: Volume, tmp_path: Path
) -> None:
    beat = tmp_path / "beat"
    worker = (
        "import time\nfor n in range(9999):\n"
        f"    open({str(beat)!r}, 'w').write(str(n))\n    time.sleep(0.05)"
    )
    program = bench.put("TotalSegmentator", "")
    program.write_text(
        f"#!{sys.executable} -S\nimport subprocess, time\n"
        f"subprocess.Popen([{sys.executable!r}, '-S', '-c', {worker!r}])\ntime.sleep(600)\n"
    )
    with pytest.raises(DataError, match="stopped it"):
        segment([scan], TotalSegmentator(), timeout_s=3)
    last = beat.read_text()
    time.sleep(0.3)
    assert beat.read_text() == last


BUNDLE = {
    "bundle_root": ".",
    "dataset_dir": "/nowhere",
    "datalist": "$list(sorted(glob.glob(@dataset_dir + '/imagesTs/*.nii.gz')))",
    "imports": ["$import glob"],
    "output_dir": "$@bundle_root + '/eval'",
    "chain": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "image", "ensure_channel_first": True},
            {"_target_": "Lambdad", "keys": "image", "func": f"$lambda x: x >= {BRIGHTER}"},
            {
                "_target_": "SaveImaged",
                "keys": "image",
                "output_dir": "@output_dir",
                "output_postfix": "trans",
                "print_log": False,
            },
        ],
    },
    "run": ["$[@chain({'image': path}) for path in @datalist]"],
}


def bundle_at(folder: Path) -> Path:
    (folder / "configs").mkdir(parents=True)
    (folder / "configs" / "inference.json").write_text(json.dumps(BUNDLE))
    channels = {"0": "background", "1": "tumour"}
    outputs = {"outputs": {"pred": {"channel_def": channels}}}
    (folder / "configs" / "metadata.json").write_text(json.dumps({"network_data_format": outputs}))
    return folder


def test_a_bundle_is_called_by_its_python(bench: Bench, scan: Volume, tmp_path: Path) -> None:
    body = (
        "if words[0] == '-c': sys.exit(0)\n"
        "import ast\n"
        "options = dict(word[2:].split('=', 1) for word in words[3:])\n"
        "options = {name: ast.literal_eval(value) for name, value in options.items()}\n"
        "place = Path(options['output_dir']) / 'scan'\n"
        "place.mkdir()\n"
        "found = labels(options['datalist'][0]) == 2\n"
        "sitk.WriteImage(found, str(place / 'scan_trans.nii.gz'))\n"
    )
    python = bench.put("python-of-the-bundle", body)
    bundle = MonaiBundle(bundle_at(tmp_path / "my bundle"), python=python.name)
    result = segment([scan], bundle).segmentation
    assert np.array_equal(result.masks["tumour"], scan.voxels >= BRIGHTER)
    words = bench.note()["words"]
    assert words[:3] == ["-m", "monai.bundle", "run"]
    assert words[4] == f"--bundle_root='{(tmp_path / 'my bundle').resolve()}'"
    with pytest.raises(MissingFileError, match="configs/evaluate.json"):
        segment(
            [scan], MonaiBundle(bundle.root, config="configs/evaluate.json", python=python.name)
        )
    bench.put("python-without", "sys.exit(1)")
    with pytest.raises(MissingExtraError, match="monai and fire"):
        segment([scan], MonaiBundle(bundle.root, python="python-without"))


def test_monai_understands_the_call(tmp_path: Path, scan: Volume) -> None:
    pytest.importorskip("torch", reason="needs the extra deep")
    bundle = pytest.importorskip("monai.bundle", reason="needs the extra deep")
    tool = MonaiBundle(bundle_at(tmp_path / "bundle"))
    given, made = tmp_path / "given", tmp_path / "made"
    given.mkdir()
    write_image(given / "scan.nii.gz", scan.voxels, grid=scan)
    # python-fire reads --name=VALUE as a literal; the rest is MONAI's own.
    words = (word[2:].split("=", 1) for word in tool.command(given, made)[4:])
    bundle.run(**{name: ast.literal_eval(value) for name, value in words})
    path, labels = tool.found(made)
    assert labels == {"tumour": (1,)}
    assert np.array_equal(read_image(path).voxels, scan.voxels >= BRIGHTER)


def test_the_command_line_can_be_looked_at_before() -> None:
    assert command_line(NnUNet("3", device="cpu")).startswith("nnUNetv2_predict -i GIVEN -o MADE")
    line = command_line(MonaiBundle(Path("/b"), python="python"))
    assert shlex.split(line)[:4] == ["python", "-m", "monai.bundle", "run"]
    assert "--datalist=['GIVEN/scan.nii.gz']" in shlex.split(line)
