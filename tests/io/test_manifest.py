from __future__ import annotations

import pytest
import yaml

from radiogenomics.core.errors import SchemaError
from radiogenomics.io import read_manifest


def change(world, place: str, value: object) -> None:
    *path, last = place.split("/")
    target = world.manifest
    for word in path:
        target = target[word]
    target[last] = value


def test_reads_what_was_written(world) -> None:
    manifest = read_manifest(world.write())
    assert manifest.cohort == "small"
    assert manifest.patients.columns["age"].column == "age"
    assert manifest.outcomes["response"].categories() == ("CR", "PR", "SD", "PD")
    assert list(manifest.tables()) == ["patients", "assays.rna"]
    assert not manifest.simulated


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("assays/rna/orientatoin", "x", "did you mean orientation"),
        ("outcomes/OS/time_unti", "days", "did you mean time_unit"),
        ("patients/fiel", "x", "did you mean file"),
        ("pateints", {}, "did you mean patients"),
        ("assays/rna/unit", "log2", "log2\\(TPM\\+1\\)"),
        ("assays/rna/file", "/etc/passwd", "below the data root"),
        ("assays/rna/file", "data/../../x.csv", "below the data root"),
        ("assays/rna/file", "..\\x.csv", "below the data root"),
        ("assays/rna/file", "C:\\x.csv", "below the data root"),
        ("assays/rna/names_file", "../x.csv", "below the data root"),
        ("assays/rna/sha256", "abc", "sha256"),
        ("cohort", "a/b", "cohort"),
        ("cohort", "<script>", "cohort"),
        ("outcomes/OS/time_unit", None, "expected days, weeks, months or years"),
        ("outcomes/OS/kind", "surviving", "survival"),
        ("patients/id", {"column": "id", "row": True}, "row: true"),
        ("patients/id", {"kind": "tcga_barcode", "prefix": "x"}, "needs no prefix"),
        ("patients/file", None, "expected file"),
        ("patients/parts", [{"name": "a", "file": "a.csv"}], "not both"),
        ("assays/rna/variable_column", 3, "variable_column"),
        ("assays/rna/id", {"row": True}, "need samples_by_variables"),
        ("patients/columns/sex/map", {True: "male"}, "quote it"),
        ("patients/header_row", -1, "header_row"),
    ],
)
def test_a_wrong_word_is_named(world, place: str, value: object, message: str) -> None:
    change(world, place, value)
    with pytest.raises(SchemaError, match=message):
        read_manifest(world.write())


def test_every_problem_is_listed_at_once(world) -> None:
    change(world, "assays/rna/unit", "TMP")
    change(world, "licens", "CC0")
    with pytest.raises(SchemaError, match="2 problem") as caught:
        read_manifest(world.write())
    assert "did you mean licence" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "cohort: !!python/object/apply:os.system [echo hi]\n",
        "cohort: [unclosed\n",
        "- a list\n",
        "",
    ],
)
def test_yaml_that_is_not_plain_data(tmp_path, text: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(SchemaError, match="expected"):
        read_manifest(path)


def test_numbers_as_map_keys_and_missing_words(world) -> None:
    change(world, "patients/missing", [-999, 1.0, "."])
    change(world, "patients/columns/stage", {"column": "age", "map": {1: "I", 2.0: "II"}})
    manifest = read_manifest(world.write())
    assert manifest.patients.missing == ("-999", "1", ".")
    assert manifest.patients.columns["stage"].map == {"1": "I", "2": "II"}


def test_time_of_dates_needs_no_unit_and_takes_only_days(world) -> None:
    rule = {"kind": "survival", "time": {"until": "a", "since": "b"}, "event": "dead"}
    change(world, "outcomes/OS", rule)
    assert read_manifest(world.write()).outcomes["OS"].time.until == "a"
    rule["time_unit"] = "weeks"
    with pytest.raises(SchemaError, match="in days"):
        read_manifest(world.write())


def test_anchors_are_plain_yaml(tmp_path, world) -> None:
    text = yaml.safe_dump(world.manifest, sort_keys=False)
    text += "note: &word shared\ntitle: *word\n"
    path = tmp_path / "m.yaml"
    path.write_text(text)
    assert read_manifest(path).title == "shared"
