from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, SchemaError, UnknownNameError
from radiogenomics.imaging import ExtractionSettings, features_of_volume
from radiogenomics.io.feature_files import read_feature_file
from radiogenomics.io.images import read_image, read_mask
from radiogenomics.study.extract import extract

sitk = pytest.importorskip("SimpleITK", reason="needs the extra imaging")

SETTINGS = ExtractionSettings(bin_width=10, families=("shape", "firstorder", "glcm"))


def write_scan(folder: Path, number: int, *, side: int = 16) -> None:
    """A noisy ball in two phases; label 1 is the organ, 2 the lesion in it."""
    rng = np.random.default_rng(number)
    z, y, x = np.indices((side,) * 3) - side / 2
    distance = np.sqrt(z**2 + y**2 + x**2)
    mask = np.where(distance < side / 5, 2, (distance < side / 2.5).astype(int)).astype(np.uint8)
    for phase in ("A", "V"):
        voxels = rng.normal(60 + 10 * number, 20, mask.shape).astype(np.int16)
        sitk.WriteImage(sitk.GetImageFromArray(voxels), str(folder / f"{number}{phase}.nii.gz"))
    sitk.WriteImage(sitk.GetImageFromArray(mask), str(folder / f"{number}m.nii.gz"))


def write_list(folder: Path, patients: int) -> Path:
    lines = ["patient_id,image_path,mask_path,label,phase,roi"]
    for number in range(patients):
        write_scan(folder, number)
        for phase in ("A", "V"):
            for label, roi in ((1, "liver"), (2, "tumour")):
                paths = f"{number}{phase}.nii.gz,{number}m.nii.gz"
                lines.append(f"secret-{number},{paths},{label},{phase},{roi}")
    path = folder / "scans.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    return write_list(tmp_path, 2)


def test_the_table_has_a_row_a_patient_and_prefixed_columns(scans: Path, tmp_path: Path) -> None:
    found = extract(scans=scans, settings=SETTINGS, out=tmp_path / "f.csv", jobs=1)
    assert found.ok
    table = pd.read_csv(tmp_path / "f.csv", float_precision="round_trip")
    assert table["patient_id"].tolist() == ["secret-0", "secret-1"]
    assert set(table["lesions"]) == {"largest"}
    image = read_image(tmp_path / "1V.nii.gz")
    mask = read_mask(tmp_path / "1m.nii.gz", image=image, label=2)
    volume = type(image)(image.voxels, {"tumour": mask}, image.spacing_mm)
    for name, value in features_of_volume(volume, SETTINGS).items():
        assert table[f"V_tumour_{name}"][1] == value, "exact to the last digit"
    prefixes = {column.split("_original_")[0] for column in table.columns[2:]}
    assert prefixes == {"A_liver", "A_tumour", "V_liver", "V_tumour"}
    made = json.loads((tmp_path / "f.csv.provenance.json").read_text())
    assert made["settings"]["bin_width"] == 10
    assert not (tmp_path / "f.csv.failures.csv").exists()


def test_processes_and_parquet_give_the_same(scans: Path, tmp_path: Path) -> None:
    one = extract(scans=scans, settings=SETTINGS, out=tmp_path / "one.csv", jobs=1).table
    two = extract(scans=scans, settings=SETTINGS, out=tmp_path / "two.parquet", jobs=2).table
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    stored = pd.read_parquet(tmp_path / "two.parquet")
    pd.testing.assert_frame_equal(stored, two, check_exact=True)


def test_a_bad_scan_costs_itself_and_is_tried_again(scans: Path, tmp_path: Path) -> None:
    broken, whole = tmp_path / "0A.nii.gz", (tmp_path / "0A.nii.gz").read_bytes()
    broken.write_bytes(whole[: len(whole) // 3])
    found = extract(scans=scans, settings=SETTINGS, out=tmp_path / "f.csv", jobs=2)
    failures = pd.read_csv(tmp_path / "f.csv.failures.csv")
    assert failures["scan"].tolist() == [1, 2]
    assert failures[["phase", "error"]].to_numpy().tolist() == [["A", "DataError"]] * 2
    assert failures["reason"].str.contains("expected").all()
    assert failures["mend"].str.len().gt(10).all()
    assert found.table["A_liver_original_firstorder_Mean"].isna().tolist() == [True, False]
    assert found.table["V_liver_original_firstorder_Mean"].notna().all()

    broken.write_bytes(whole)
    again = extract(scans=scans, settings=SETTINGS, out=tmp_path / "f.csv", jobs=2)
    assert (again.ok, again.resumed) == (True, 6)
    assert not (tmp_path / "f.csv.failures.csv").exists()
    fresh = extract(scans=scans, settings=SETTINGS, out=tmp_path / "fresh.csv", jobs=1)
    assert (tmp_path / "f.csv").read_bytes() == (tmp_path / "fresh.csv").read_bytes()
    assert fresh.resumed == 0


def test_a_scan_that_fails_now_leaves_no_old_numbers(scans: Path, tmp_path: Path) -> None:
    extract(scans=scans, settings=SETTINGS, out=tmp_path / "f.csv", jobs=1)
    (tmp_path / "0A.nii.gz").write_bytes(b"broken")
    again = extract(scans=scans, settings=SETTINGS, out=tmp_path / "f.csv", jobs=1)
    fresh = extract(scans=scans, settings=SETTINGS, out=tmp_path / "fresh.csv", jobs=1)
    assert len(again.failures) == 2
    assert again.table["A_liver_original_firstorder_Mean"].isna().tolist() == [True, False]
    pd.testing.assert_frame_equal(again.table[fresh.table.columns], fresh.table, check_exact=True)


def test_a_table_without_any_row_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "scans.csv").write_text("patient_id,image_path,mask_path\nP,a.nii,m.nii\n")
    found = extract(scans=tmp_path / "scans.csv", settings=SETTINGS, out=tmp_path / "f.csv", jobs=1)
    assert len(found.failures) == 1
    assert pd.read_csv(tmp_path / "f.csv").columns.tolist() == ["patient_id", "lesions"]


def test_a_parameter_file_says_which_labels_it_leaves_out(tmp_path: Path) -> None:
    write_scan(tmp_path, 0)
    (tmp_path / "scans.csv").write_text("patient_id,image_path,mask_path\nP,0A.nii.gz,0m.nii.gz\n")
    settings = SETTINGS.model_copy(update={"label": 2, "minimum_voxels": 1})
    words = {"scans": tmp_path / "scans.csv", "settings": settings, "jobs": 1}
    found = extract(out=tmp_path / "f.csv", **words)
    assert "labels 1 of the mask were left out" in found.notes["note"][0]
    (tmp_path / "scans.csv").write_text(
        "patient_id,image_path,mask_path,label\nP,0A.nii.gz,0m.nii.gz,2\n"
    )
    chosen = extract(out=tmp_path / "g.csv", **words)
    assert chosen.notes.empty
    assert chosen.table.equals(found.table)


def test_the_output_may_not_lie_among_the_slices(tmp_path: Path) -> None:
    (tmp_path / "scans.csv").write_text("patient_id,image_path,mask_path\nP,.,m.nii\n")
    with pytest.raises(DataError, match="outside the scans' folders"):
        extract(scans=tmp_path / "scans.csv", settings=SETTINGS, out=tmp_path / "f.csv")


def test_a_changed_image_is_measured_again(scans: Path, tmp_path: Path) -> None:
    before = extract(scans=scans, settings=SETTINGS, out=tmp_path / "f.csv", jobs=1).table
    (tmp_path / "0A.nii.gz").write_bytes((tmp_path / "1A.nii.gz").read_bytes())
    after = extract(scans=scans, settings=SETTINGS, out=tmp_path / "f.csv", jobs=1)
    assert after.resumed == 6
    name = "A_liver_original_firstorder_Mean"
    assert after.table[name][0] == before[name][1]


def test_other_settings_do_not_mix(scans: Path, tmp_path: Path) -> None:
    extract(scans=scans, settings=SETTINGS, out=tmp_path / "f.csv", jobs=1)
    before = (tmp_path / "f.csv").read_bytes()
    with pytest.raises(DataError, match="other settings"):
        extract(scans=scans, settings="ct", out=tmp_path / "f.csv", jobs=1)
    assert (tmp_path / "f.csv").read_bytes() == before


def test_identifiers_are_hashed_on_request(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "0A.nii.gz").write_bytes(b"broken")
    extract(scans=scans, settings=SETTINGS, out=tmp_path / "f.csv", jobs=1, hash_ids="salt")
    written = [p for p in tmp_path.iterdir() if p.name.startswith("f.csv")]
    assert len(written) == 4
    assert all(b"secret" not in path.read_bytes() for path in written)
    assert all(b"0A.nii" not in path.read_bytes() for path in written), "nor names of files"
    assert pd.read_csv(tmp_path / "f.csv")["patient_id"].nunique() == 2


def test_each_lesion_is_a_row(tmp_path: Path) -> None:
    write_scan(tmp_path, 0)
    (tmp_path / "scans.csv").write_text("patient_id,image_path,mask_path\nP,0A.nii.gz,0m.nii.gz\n")
    table = extract(
        scans=tmp_path / "scans.csv",
        settings=SETTINGS,
        out=tmp_path / "f.csv",
        lesions="per_lesion",
    ).table
    assert table["lesion"].tolist() == ["1", "2"]
    assert set(table["lesions"]) == {"per_lesion"}
    volumes = table["original_shape_VoxelVolume"].tolist()
    assert volumes == sorted(volumes, reverse=True)


def test_a_control_keeps_shape_and_histogram_and_says_what_it_is(
    scans: Path, tmp_path: Path
) -> None:
    words = {"scans": scans, "settings": SETTINGS}
    real = extract(out=tmp_path / "f.csv", jobs=1, **words).table
    found = extract(out=tmp_path / "c.csv", jobs=2, control="shuffled", control_seed=3, **words)
    table = pd.read_csv(tmp_path / "c.csv", float_precision="round_trip")
    assert set(zip(table["control"], table["control_part"], strict=True)) == {
        ("shuffled", "inside")
    }
    assert [c for c in table if not c.startswith("control")] == list(real)
    kept = [c for c in real if "_shape_" in c or "_firstorder_" in c]
    np.testing.assert_allclose(table[kept], real[kept], rtol=1e-12)
    texture = [c for c in real if c.endswith("_glcm_JointEntropy")]
    assert (table[texture] != real[texture]).all(axis=None)
    made = json.loads((tmp_path / "c.csv.provenance.json").read_text())
    assert made["control"] == {"control": "shuffled", "part": "inside", "seed": 3}
    values = read_feature_file(tmp_path / "c.csv").values
    assert list(values) == list(real.columns[2:]), "what says that it is a control is no feature"

    turned = pd.read_csv(scans, dtype=str).iloc[::-1]
    turned.to_csv(tmp_path / "turned.csv", index=False)
    again = extract(
        scans=tmp_path / "turned.csv", settings=SETTINGS, out=tmp_path / "d.csv", jobs=1,
        control="shuffled", control_seed=3,
    ).table  # fmt: skip
    pd.testing.assert_frame_equal(
        again.set_index("patient_id").loc[found.table["patient_id"], found.table.columns[1:]],
        found.table.set_index("patient_id"),
        check_exact=True,
    )
    other = extract(out=tmp_path / "e.csv", jobs=1, control="shuffled", control_seed=4, **words)
    assert (other.table[texture] != found.table[texture]).any(axis=None)


def test_a_control_keeps_to_the_label_of_the_row(tmp_path: Path) -> None:
    write_scan(tmp_path, 0)
    one = {"image": tmp_path / "0A.nii.gz", "mask": tmp_path / "0m.nii.gz", "label": 2, "jobs": 1}
    settings = SETTINGS.model_copy(update={"label": 1, "minimum_voxels": 1})
    real = extract(out=tmp_path / "f.csv", settings=settings, **one).table
    inside, outside = (
        extract(
            out=tmp_path / f"{part}.csv",
            settings=settings,
            control="uniform",
            control_part=part,
            **one,
        ).table  # fmt: skip
        for part in ("inside", "outside")
    )
    features = list(real.columns[2:])
    pd.testing.assert_frame_equal(outside[features], real[features], check_exact=True)
    changed = [c for c in features if "_shape_" not in c]
    assert (inside[changed] != real[changed]).mean(axis=None) > 0.5
    rest = [c for c in features if "_shape_" in c]
    pd.testing.assert_frame_equal(inside[rest], real[rest], check_exact=True)


def test_a_control_and_the_scans_as_they_are_do_not_share_a_journal(
    scans: Path, tmp_path: Path
) -> None:
    words = {"scans": scans, "settings": SETTINGS, "out": tmp_path / "f.csv", "jobs": 1}
    extract(**words)
    assert "control" not in json.loads((tmp_path / "f.csv.provenance.json").read_text())
    with pytest.raises(DataError, match="other control"):
        extract(control="shuffled", **words)
    assert extract(**words).resumed == 8


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"out": "f.xlsx"}, SchemaError),
        ({"settings": "lwcrt"}, UnknownNameError),
        ({"backend": "natve"}, UnknownNameError),
        ({"repair": "resmple"}, UnknownNameError),
        ({"lesions": "biggest"}, DataError),
        ({"dask": "tcp://127.0.0.1:9"}, DataError),
        ({"control": "shufled"}, UnknownNameError),
        ({"control": "shuffled", "control_part": "insied"}, UnknownNameError),
        ({"control": "shuffled", "control_seed": -1}, SchemaError),
        ({"control_part": "outside"}, SchemaError),
        ({"control_seed": 1}, SchemaError),
    ],
    ids=[
        *("format", "preset", "backend", "repair", "lesions", "dask"),
        *("control", "part", "seed", "part alone", "seed alone"),
    ],
)
def test_wrong_words_stop_before_anything_is_written(
    scans: Path, tmp_path: Path, change: dict[str, object], error: type[Exception]
) -> None:
    words = {"settings": SETTINGS, "out": "f.csv", "backend": "native", "repair": "error"}
    words |= {"lesions": None, "dask": None} | change
    out = tmp_path / str(words.pop("out"))
    with pytest.raises(error):
        extract(scans=scans, out=out, jobs=1, **words)
    assert not out.exists()


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_with_the_same_table(tmp_path: Path) -> None:
    scans = write_list(tmp_path, 6)
    whole = tmp_path / "whole.csv"
    extract(scans=scans, settings=SETTINGS, out=whole, jobs=1)
    out = tmp_path / "f.csv"
    code = (
        "import sys; from radiogenomics.study.extract import extract; "
        "from radiogenomics.imaging import ExtractionSettings; "
        "extract(scans=sys.argv[1], out=sys.argv[3], jobs=2, "
        "settings=ExtractionSettings.model_validate_json(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(scans), SETTINGS.model_dump_json(), str(out)]
    journal = out.with_name("f.csv.journal")
    for rows in (1, 5, 11, 18):
        run = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        while run.poll() is None and _lines(journal) <= rows:
            time.sleep(0.005)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert not out.exists()
    left = _lines(journal) - 1
    found = extract(scans=scans, settings=SETTINGS, out=out, jobs=1)
    assert found.resumed >= min(left, 19) - 1
    assert out.read_bytes() == whole.read_bytes()


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0
