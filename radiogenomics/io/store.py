"""Outputs that appear all at once or not at all."""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError
from radiogenomics.io.layout import data_file

SUMMARY = "summary.json"
SUMMARY_FIELDS = frozenset({"study", "cohorts", "seed", "version", "verdict", "metrics"})
DIGITS = "%.10g"


class OutputWriter:
    """Writes into a folder that nobody sees yet; names are relative to it.

    Parameters
    ----------
    path
        The hidden folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write_text(self, name: str, text: str) -> None:
        """Write UTF-8 text."""
        self._place(name).write_text(text, encoding="utf-8", newline="\n")

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write readable JSON; a number that is not finite becomes null."""
        self.write_text(name, json.dumps(_plain(content), indent=2, ensure_ascii=False) + "\n")

    def write_table(self, name: str, frame: pd.DataFrame) -> None:
        """Write a CSV with ten significant digits; an index that only counts rows is left out."""
        counts = isinstance(frame.index, pd.RangeIndex) and frame.index.name is None
        frame.to_csv(
            self._place(name),
            index=not counts,
            float_format=DIGITS,
            lineterminator="\n",
            encoding="utf-8",
        )

    def _place(self, name: str) -> Path:
        path = data_file(self.path, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


@contextmanager
def output_folder(path: str | Path) -> Iterator[OutputWriter]:
    """Give a writer whose files appear at ``path`` when the block ends without an error.

    Everything is written into a hidden folder beside ``path`` and renamed in one step. On an error
    nothing of it remains and what was at ``path`` stays.

    Parameters
    ----------
    path
        A new or an empty folder, or one of an earlier output, which is replaced as a whole.

    Raises
    ------
    DataError
        ``path`` is a file, or a folder that holds something other than an output of ours.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "result"
    >>> with output_folder(folder) as out:
    ...     out.write_text("note.txt", "done")
    >>> sorted(file.name for file in folder.iterdir())
    ['note.txt']
    """
    target = Path(path).resolve()
    _require_replaceable(target)
    made = _make_parents(target.parent)
    staging = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    staging.mkdir()
    try:
        yield OutputWriter(staging)
        _require_replaceable(target)
        _swap(staging, target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        for folder in reversed(made):
            _remove_if_empty(folder)
        raise


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Give a draft beside ``path`` that takes its place when the block ends without an error.

    The draft has the same ending, as some writers choose their format by it. A reader sees the old
    file or the new one; on an error the old one stays.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with replaced_file(path) as draft:
    ...     _ = draft.write_text("done")
    >>> path.read_text()
    'done'
    """
    draft = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def pseudonym(cohort_id: str, patient_id: str) -> str:
    """Twelve hexadecimal digits that stand for a patient in outputs, the same in every run.

    The first digits of SHA-256 over cohort and identifier. It keeps identifiers out of tables that
    are passed on; it is no protection against someone who holds a list of candidate identifiers.

    Examples
    --------
    >>> pseudonym("tcga_lihc", "TCGA-2Y-A9GS") == pseudonym("tcga_lihc", "TCGA-2Y-A9GT")
    False
    """
    return sha256(f"{cohort_id}\x1f{patient_id}".encode()).hexdigest()[:12]


def _swap(staging: Path, target: Path) -> None:
    """Put ``staging`` in the place of ``target``; if that fails the old content returns."""
    if not target.exists():
        staging.rename(target)
        return
    old = staging.with_suffix(".old")
    target.rename(old)
    try:
        staging.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _require_replaceable(target: Path) -> None:
    if not target.exists():
        return
    found = "a file"
    if target.is_dir():
        if not any(target.iterdir()) or _is_ours(target / SUMMARY):
            return
        found = "a folder with other content"
    raise DataError(
        f"{target}: expected a new or empty folder, or the output of an earlier run; found "
        f"{found}. Choose another output folder; nothing was changed."
    )


def _is_ours(summary: Path) -> bool:
    try:
        content = json.loads(summary.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.keys() >= SUMMARY_FIELDS


def _make_parents(folder: Path) -> list[Path]:
    """Make missing folders and return those made, outermost first."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    nearest = missing[-1].parent if missing else folder
    if not nearest.is_dir():
        raise DataError(
            f"{nearest}: expected a folder to write into; found a file. Choose another folder."
        )
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
    return missing[::-1]


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _plain(value: Any) -> Any:
    """Return the value as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if value is pd.NA:
        return None
    if isinstance(value, Path):
        return str(value)
    raise DataError(
        f"expected plain values for JSON; found {type(value).__name__}. Convert it first."
    )
