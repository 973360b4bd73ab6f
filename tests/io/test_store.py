from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.io import output_folder, pseudonym

SUMMARY = {
    "study": "s",
    "cohorts": ["c"],
    "seed": 0,
    "version": "1",
    "verdict": "",
    "metrics": [],
}


def write(path: Path, word: str) -> None:
    with output_folder(path) as out:
        out.write_json("summary.json", SUMMARY)
        out.write_text("note.txt", word)


def contents(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_files_appear_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "run"
    with output_folder(target) as out:
        out.write_table("tables/x.csv", pd.DataFrame({"p": [1.0]}))
        assert not target.exists() and out.path.is_dir()
    assert contents(tmp_path / "a") == ["b", "b/run", "b/run/tables", "b/run/tables/x.csv"]


def test_nothing_remains_of_a_failure(tmp_path: Path) -> None:
    for error in (RuntimeError, KeyboardInterrupt):
        with pytest.raises(error), output_folder(tmp_path / "a" / "run") as out:
            out.write_text("note.txt", "half")
            raise error
    assert contents(tmp_path) == []


def test_earlier_output_is_replaced_whole_and_kept_on_failure(tmp_path: Path) -> None:
    target = tmp_path / "run"
    write(target, "old")
    (target / "stale.csv").write_text("old")
    with pytest.raises(RuntimeError), output_folder(target) as out:
        out.write_text("note.txt", "new")
        raise RuntimeError
    assert (target / "note.txt").read_text() == "old" and (target / "stale.csv").exists()
    write(target, "new")
    assert contents(tmp_path) == ["run", "run/note.txt", "run/summary.json"]
    assert (target / "note.txt").read_text() == "new"


@pytest.mark.parametrize("summary", [None, "{}", "[]", "not json", '{"study": "x"}'])
def test_what_is_not_ours_is_left_alone(tmp_path: Path, summary: str | None) -> None:
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "chapter.txt").write_text("years of work")
    if summary is not None:
        (target / "summary.json").write_text(summary)
    with pytest.raises(DataError, match="nothing was changed"):
        write(target, "new")
    assert (target / "chapter.txt").read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]


def test_files_and_empty_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="found a file"):
        write(tmp_path / "file", "new")
    for below in ("below", "far/below"):
        with pytest.raises(DataError, match="found a file"):
            write(tmp_path / "file" / below, "new")
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", "new")
    assert (tmp_path / "empty" / "note.txt").read_text() == "new"


def test_somebody_else_was_faster(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with pytest.raises(DataError, match="other content"), output_folder(target) as out:
        out.write_text("note.txt", "ours")
        target.mkdir()
        (target / "theirs.txt").write_text("theirs")
    assert contents(tmp_path) == ["run", "run/theirs.txt"]


def test_names_stay_inside(tmp_path: Path) -> None:
    for name in ("../x.txt", "/x.txt", "a/../../x.txt"):
        with pytest.raises(SchemaError), output_folder(tmp_path / "run") as out:
            out.write_text(name, "x")


def test_tables_keep_ten_digits(tmp_path: Path, rng: np.random.Generator) -> None:
    values = pd.DataFrame({"x": rng.normal(size=200) * 10.0 ** rng.integers(-9, 9, 200)})
    indexed = values.set_axis([f"P{n}" for n in range(200)]).rename_axis("patient")
    with output_folder(tmp_path / "run") as out:
        out.write_table("plain.csv", values)
        out.write_table("indexed.csv", indexed)
    read = pd.read_csv(tmp_path / "run" / "plain.csv")
    assert list(read.columns) == ["x"]
    np.testing.assert_allclose(read["x"], values["x"], rtol=1e-9)
    assert list(pd.read_csv(tmp_path / "run" / "indexed.csv").columns) == ["patient", "x"]


def test_json_is_strict(tmp_path: Path) -> None:
    content = {
        "a": np.float64("nan"),
        "b": float("inf"),
        "c": np.int64(3),
        "d": (1, None),
        "e": pd.NA,
    }
    with output_folder(tmp_path / "run") as out:
        out.write_json("x.json", content)
        with pytest.raises(DataError, match="plain values"):
            out.write_json("y.json", {"a": object()})
    text = (tmp_path / "run" / "x.json").read_text()
    assert json.loads(text) == {"a": None, "b": None, "c": 3, "d": [1, None], "e": None}
    assert "NaN" not in text and "Infinity" not in text


def test_pseudonym_is_the_documented_hash() -> None:
    found = pseudonym("tcga_lihc", "TCGA-2Y-A9GS")
    assert found == hashlib.sha256(b"tcga_lihc\x1fTCGA-2Y-A9GS").hexdigest()[:12]
    assert pseudonym("a", "bc") != pseudonym("ab", "c")
