"""The page of manifest keys, held against the schema that reads manifests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import yaml

from radiogenomics.core.schema import parse
from radiogenomics.io.layout import Identifier, Part, Table
from radiogenomics.io.manifest import (
    AssayTable,
    ColumnRule,
    Dates,
    Manifest,
    PatientTable,
    ResponseRule,
    SampleTable,
    ScanTable,
    SurvivalRule,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")
SECTIONS = {
    "The manifest": Manifest,
    "Any table": Table,
    "id": Identifier,
    "parts": Part,
    "columns": ColumnRule,
    "patients": PatientTable,
    "assays": AssayTable,
    "samples": SampleTable,
    "outcomes, kind survival": SurvivalRule,
    "dates": Dates,
    "outcomes, kind response": ResponseRule,
    "scans": ScanTable,
}


def rows(section: str) -> dict[str, list[str]]:
    """Cells of each key in a section's table."""
    part = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    if "| column of the list |" in part:
        return {}
    lines = re.findall(r"^\| `(\w+)` \|(.*)\|$", part, re.MULTILINE)
    return {key: [cell.strip() for cell in cells.split(" | ")] for key, cells in lines}


def records(annotation: object) -> set[type]:
    """Records that may stand under an annotation, and under their own fields."""
    if isinstance(annotation, type) and hasattr(annotation, "model_fields"):
        inner = [records(field.annotation) for field in annotation.model_fields.values()]
        return {annotation}.union(*inner)
    return set().union(*(records(each) for each in get_args(annotation)))


def words(annotation: object) -> set[str]:
    if get_origin(annotation) is Literal:
        return set(map(str, get_args(annotation)))
    return set().union(*(words(each) for each in get_args(annotation)))


def test_every_record_of_the_schema_has_a_section():
    assert records(Manifest) <= set(SECTIONS.values())


@pytest.mark.parametrize(("section", "record"), SECTIONS.items(), ids=str)
def test_every_key_and_no_other_stands_in_its_section(section, record):
    inherited = set(Table.model_fields) if record is not Table and issubclass(record, Table) else ()
    assert set(rows(section)) == set(record.model_fields) - set(inherited)


@pytest.mark.parametrize(("section", "record"), SECTIONS.items(), ids=str)
def test_words_and_needed_keys_are_said(section, record):
    for key, (takes, default, says, *_) in rows(section).items():
        field = record.model_fields[key]
        assert {f"`{word}`" for word in words(field.annotation)} <= set(
            re.findall(r"`[^`]+`", takes)
        )
        assert says
        needed = default.startswith("needed") and default != "needed of a column"
        assert needed == field.is_required()
        if isinstance(field.default, bool | str) and field.default:
            assert f"`{field.default}".lower() in default.lower()


def test_the_shortest_manifest_is_one():
    text = PAGE.split("```yaml\n")[1].split("```")[0]
    manifest = parse(Manifest, yaml.safe_load(text), where="docs/manifest.md")
    assert list(manifest.outcomes) == ["OS", "response"]


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_page_is_linked(page):
    assert "manifest.md)" in (ROOT / page).read_text(encoding="utf-8")
