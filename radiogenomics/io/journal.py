"""A journal of finished rows: what is in it survives a kill at any moment."""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from radiogenomics.core.errors import DataError

Record = Mapping[str, Any]
HEADER = "work"


class Journal:
    """Finished rows by key, in a file that only grows; made by :func:`open_journal`.

    Parameters
    ----------
    stream
        The open file.
    rows
        What it held when it was opened.
    """

    def __init__(self, stream: BinaryIO, rows: Mapping[str, Record]) -> None:
        self._stream = stream
        self.rows = dict(rows)

    def add(self, key: str, record: Record) -> None:
        """Append a row; when this returns, the row is on the disk."""
        self._stream.write(_line({"key": key, "record": dict(record)}))
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self.rows[key] = record


@contextmanager
def open_journal(path: Path, *, work: Record) -> Iterator[Journal]:
    """Open a journal for this work, with the rows that earlier, perhaps killed, runs left in it.

    Each line carries a checksum. A line that a crash cut short, or that was damaged since, is not a
    row: it is dropped, and the row is computed again.

    Parameters
    ----------
    path
        Journal file; made when absent.
    work
        All that decides the values of a row, as plain data. Rows of other work are never mixed in.

    Raises
    ------
    DataError
        The journal belongs to other work, is in use by another run, or is no journal.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rows.journal"
    >>> with open_journal(path, work={"bin_width": 25}) as journal:
    ...     journal.add("P1", {"mean": 1.5})
    >>> with open_journal(path, work={"bin_width": 25}) as journal:
    ...     journal.rows
    {'P1': {'mean': 1.5}}
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as stream:
        _lock(stream, path)
        stream.seek(0)
        content = stream.read()
        whole = content[: content.rfind(b"\n") + 1]
        first = _line({HEADER: dict(work)})
        if not whole and not first.startswith(content):
            raise _foreign(path)
        rows = _rows_of(whole.splitlines(keepends=True), work, path)
        # What follows the last line break was cut short by a kill; the next row must not touch it.
        stream.truncate(len(whole))
        if not whole:
            stream.write(first)
            stream.flush()
            os.fsync(stream.fileno())
        yield Journal(stream, rows)


def _lock(stream: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DataError(
            f"{path.name}: expected to be the only run that writes here; found another at work. "
            "Wait for it, or choose another output."
        ) from None


def _rows_of(lines: list[bytes], work: Record, path: Path) -> dict[str, Record]:
    """Rows behind the header; DataError unless they are of this work."""
    if not lines:
        return {}
    header, *entries = map(_entry, lines)
    # The comparison is of JSON with JSON: a tuple has become a list, a float its shortest text.
    expected = json.loads(json.dumps(dict(work)))
    found = None if header is None else header.get(HEADER)
    if found is None:
        raise _foreign(path)
    if found != expected:
        differ = sorted(key for key in {*found, *expected} if found.get(key) != expected.get(key))
        raise DataError(
            f"{path.name}: expected rows made by the same work; found other {', '.join(differ)}. "
            "Choose another output, or delete this journal to start anew."
        )
    return {entry["key"]: entry["record"] for entry in entries if entry is not None}


def _foreign(path: Path) -> DataError:
    return DataError(
        f"{path.name}: expected a journal of an earlier run; found another file, or one with a "
        "damaged first line. Move it away, or choose another output."
    )


def _line(entry: Mapping[str, Any]) -> bytes:
    text = json.dumps(entry, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _entry(line: bytes) -> dict[str, Any] | None:
    """Content of a line, or None when it is not whole."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
        return None
    entry = json.loads(text)
    return entry if isinstance(entry, dict) else None
