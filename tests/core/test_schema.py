from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, ValidationError, field_validator

from radiogenomics.core.errors import MissingFileError, SchemaError
from radiogenomics.core.schema import Record, parse, read_yaml


class Column(Record):
    column: str
    kind: str = "text"


class Assay(Record):
    file: str
    orientation: str = "samples_by_variables"
    columns: dict[str, str | Column] = Field(default_factory=dict)
    drop: tuple[Column, ...] = ()


class Manifest(Record):
    cohort: str
    size: int = 0
    main: Assay | None = None
    assays: dict[str, Assay] = Field(default_factory=dict)

    @field_validator("cohort")
    @classmethod
    def lower_case(cls, value: str) -> str:
        if value != value.lower():
            raise ValueError("expected lower case")
        return value


def problems(content: dict[str, object]) -> str:
    with pytest.raises(SchemaError) as caught:
        parse(Manifest, content, where="toy.yaml")
    return str(caught.value)


def test_good_content_becomes_a_frozen_record() -> None:
    made = parse(Manifest, {"cohort": "toy", "assays": {"rna": {"file": "x.csv"}}}, where="m")
    assert made.assays["rna"].file == "x.csv"
    with pytest.raises(ValidationError):
        made.cohort = "other"  # type: ignore[misc]


def test_unknown_word_names_near_ones() -> None:
    text = problems({"cohort": "toy", "asays": {}})
    assert text == "toy.yaml: 1 problem(s)\n  asays: unknown word; did you mean assays?"


def test_unknown_word_without_near_ones_lists_what_is_known() -> None:
    assert "zzz: unknown word; known here: assays, cohort, main, size." in problems(
        {"cohort": "toy", "zzz": 1}
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            {"assays": {"rna": {"file": "x", "orientatoin": "rows"}}},
            "assays.rna.orientatoin: unknown word; did you mean orientation?",
        ),
        (
            {"main": {"file": "x", "fiel": "rows"}},
            "main.fiel: unknown word; did you mean file?",
        ),
        (
            {"main": {"file": "x", "drop": [{"column": "a", "kin": "b"}]}},
            "main.drop.0.kin: unknown word; did you mean kind?",
        ),
        (
            {"main": {"file": "x", "columns": {"age": {"colum": "a", "column": "a"}}}},
            "main.columns.age.colum: unknown word; did you mean column?",
        ),
    ],
)
def test_unknown_nested_word_names_the_words_of_its_own_level(
    content: dict[str, object], line: str
) -> None:
    assert line in problems({"cohort": "toy"} | content).splitlines()[-1]


class Scan(Record):
    kind: Literal["ct", "mr"]
    phase: str
    level: float | Literal["auto"] = "auto"
    window: Annotated[float, Field(ge=0)] | None = None


class Fact(Record):
    kind: Literal["fact"]
    # Called as a tag is: a place must not take one for the other.
    fact: Column


Source = Annotated[Scan | Fact, Field(discriminator="kind")]


class Mixed(Record):
    main: Source
    blocks: dict[str, Source] = Field(default_factory=dict)
    more: tuple[Source, ...] = ()
    spare: Source | None = None


SCAN = {"kind": "ct", "phase": "late"}


@pytest.mark.parametrize(
    ("block", "line"),
    [
        (SCAN | {"phse": "late"}, "phse: unknown word; did you mean phase?"),
        (SCAN | {"zzz": 1}, "zzz: unknown word; known here: kind, level, phase, window."),
        ({"kind": "mr"}, "phase: expected a value; found none. Add it."),
        (SCAN | {"phase": 3}, "phase: expected text; found 3."),
        (SCAN | {"window": -1}, "window: expected at least 0.0; found -1."),
        ({"kind": "fact", "fact": {"column": "a", "kin": "b"}}, "fact.kin: unknown word; did you"),
        ({"kind": "fact", "fact": {}}, "fact.column: expected a value; found none. Add it."),
        ({"kind": "fact"}, "fact: expected a value; found none. Add it."),
        (SCAN | {"kind": "mri"}, "kind: unknown word 'mri'; did you mean mr?"),
        (SCAN | {"kind": "xyz"}, "kind: unknown word 'xyz'; known here: ct, fact, mr."),
        ({"phase": "late"}, "kind: expected one of ct, fact, mr; found none. Add it."),
        (
            {"knd": "ct"},
            "kind: expected one of ct, fact, mr; found 'knd', which may be it misspelt.",
        ),
    ],
)
@pytest.mark.parametrize(
    ("place", "wrapped"),
    [
        ("main", lambda block: {"main": block}),
        ("blocks.pre", lambda block: {"main": SCAN, "blocks": {"pre": block}}),
        ("blocks.fact", lambda block: {"main": SCAN, "blocks": {"fact": block}}),
        ("more.1", lambda block: {"main": SCAN, "more": [SCAN, block]}),
        ("spare", lambda block: {"main": SCAN, "spare": block}),
    ],
)
def test_a_record_of_several_kinds_is_told_in_the_words_of_the_file(
    place: str, wrapped: Callable[[object], dict[str, object]], block: object, line: str
) -> None:
    with pytest.raises(SchemaError) as caught:
        parse(Mixed, wrapped(block), where="toy.yaml")
    (said,) = str(caught.value).splitlines()[1:]
    assert said.startswith(f"  {place}.{line}")


def test_alternatives_of_a_value_are_one_problem() -> None:
    with pytest.raises(SchemaError) as caught:
        parse(Mixed, {"main": SCAN | {"level": "atuo"}}, where="toy.yaml")
    assert str(caught.value) == (
        "toy.yaml: 1 problem(s)\n  main.level: expected a number or 'auto'; found 'atuo'."
    )


def test_every_problem_is_listed_with_its_place() -> None:
    text = problems({"size": "many", "assays": {"rna": {}}})
    assert text.startswith("toy.yaml: 3 problem(s)")
    assert "  cohort: expected a value; found none. Add it." in text
    assert "  assays.rna.file: expected a value; found none. Add it." in text
    assert text.splitlines()[2] == "  size: expected a whole number; found 'many'."


def test_a_rule_of_our_own_speaks_in_its_own_words() -> None:
    assert "cohort: expected lower case; found 'TOY'" in problems({"cohort": "TOY"})


def test_a_number_found_is_not_shown_as_text() -> None:
    assert "cohort: expected text; found 5." in problems({"cohort": 5})


def written(folder: Path, text: str) -> Path:
    path = folder / "toy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_is_read_as_plain_data(tmp_path: Path) -> None:
    path = written(tmp_path, "cohort: toy\nassays:\n  rna: {file: x.csv}\nmissing: ['', NA]\n")
    assert read_yaml(path) == {
        "cohort": "toy",
        "assays": {"rna": {"file": "x.csv"}},
        "missing": ["", "NA"],
    }


@pytest.mark.parametrize(
    "text",
    [
        "cohort: !!python/object/apply:os.getcwd []\n",
        "cohort: !!python/name:os.system\n",
        "cohort: !own {a: 1}\n",
        "cohort: [1, 2\n",
        "a: b: c\n",
    ],
)
def test_object_tags_and_broken_yaml_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SchemaError, match=r"toy\.yaml: expected plain YAML data; found"):
        read_yaml(written(tmp_path, text))


def test_binary_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(SchemaError, match="expected plain YAML data"):
        read_yaml(path)


@pytest.mark.parametrize(("text", "found"), [("", "nothing"), ("- a\n", "list"), ("a\n", "str")])
def test_anything_but_a_mapping_is_refused(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(SchemaError, match=f"expected a mapping of fields; found {found}"):
        read_yaml(written(tmp_path, text))


def test_a_word_said_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    text = "cohort: toy\nassays:\n  rna: {file: x}\n  protein: {file: y}\n  rna: {file: z}\n"
    with pytest.raises(
        SchemaError, match=r"each word once .*found again: rna \(line 5\)\. Keep one"
    ):
        read_yaml(written(tmp_path, text))


def test_the_same_word_in_two_mappings_and_anchors_are_fine(tmp_path: Path) -> None:
    text = "a: &one {file: x}\nb: {file: y}\nc: *one\nd: [{file: z}, {file: z}]\n"
    assert read_yaml(written(tmp_path, text))["c"] == {"file": "x"}


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        MissingFileError, match=r"expected a YAML file at .*absent\.yaml; found none"
    ):
        read_yaml(tmp_path / "absent.yaml")
