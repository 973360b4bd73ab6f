from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from radiogenomics.core.errors import DataError
from radiogenomics.io.journal import open_journal

WORK = {"settings": {"bin_width": 25.0, "distances": (1, 2)}, "version": "1"}
ROWS = {f"P{n}": {"mean": n / 7, "missing": None, "text": "é\n"} for n in range(6)}


def write(path: Path) -> None:
    with open_journal(path, work=WORK) as journal:
        for key, row in ROWS.items():
            journal.add(key, row)


def rows_of(path: Path) -> dict:
    with open_journal(path, work=WORK) as journal:
        return dict(journal.rows)


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    write(tmp_path / "j")
    assert rows_of(tmp_path / "j") == ROWS


def test_a_cut_at_any_byte_costs_at_most_the_row_it_cuts(tmp_path: Path) -> None:
    write(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    ends = [n + 1 for n, byte in enumerate(content) if byte == ord("\n")]
    for size in range(len(content)):
        path = tmp_path / "cut"
        path.write_bytes(content[:size])
        complete = max(0, sum(end <= size for end in ends) - 1)
        assert rows_of(path) == dict(list(ROWS.items())[:complete])
        with open_journal(path, work=WORK) as journal:
            journal.add("new", {"x": 1})
        assert "new" in rows_of(path), "a row written after a cut is whole"
        path.unlink()


def test_a_damaged_line_is_not_a_row(tmp_path: Path) -> None:
    write(tmp_path / "j")
    lines = (tmp_path / "j").read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"mean", b"meen")
    (tmp_path / "j").write_bytes(b"".join(lines))
    assert rows_of(tmp_path / "j") == {k: v for k, v in ROWS.items() if k != "P2"}


def test_the_last_of_two_rows_of_a_key_counts(tmp_path: Path) -> None:
    write(tmp_path / "j")
    with open_journal(tmp_path / "j", work=WORK) as journal:
        journal.add("P1", {"mean": 9.0})
    assert rows_of(tmp_path / "j")["P1"] == {"mean": 9.0}


def test_other_work_is_refused_and_named(tmp_path: Path) -> None:
    write(tmp_path / "j")
    other = {**WORK, "version": "2"}
    with pytest.raises(DataError, match="other version"), open_journal(tmp_path / "j", work=other):
        pass
    assert rows_of(tmp_path / "j") == ROWS


def test_another_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    for text in ("my notes\nsecond line\n", "one line without an end"):
        path.write_text(text)
        with pytest.raises(DataError, match="another file"), open_journal(path, work=WORK):
            pass
        assert path.read_text() == text


def test_not_a_number_is_refused_before_it_is_written(tmp_path: Path) -> None:
    with (
        open_journal(tmp_path / "j", work=WORK) as journal,
        pytest.raises(ValueError, match="JSON"),
    ):
        journal.add("P1", {"mean": math.nan})
    assert rows_of(tmp_path / "j") == {}


def test_two_runs_do_not_write_at_once(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom radiogenomics.io.journal import open_journal\n"
        f"work = {json.dumps(WORK)}\n"
        "try:\n    with open_journal(__import__('pathlib').Path(sys.argv[1]), work=work): pass\n"
        "except ValueError as error:\n    sys.exit(str(error))\n"
    )
    with open_journal(tmp_path / "j", work=WORK):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "j")],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "another at work" in done.stderr
