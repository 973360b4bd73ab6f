"""Arrays in files: as large as scans are, and still cheap to hold, to compare and to send."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from radiogenomics.core.errors import MissingFileError

NAME_LENGTH = 32
CHUNK = 64
"""Rows that are written at once."""


@dataclass(frozen=True)
class KeptArray:
    """Where an array is kept, and what it holds.

    Parameters
    ----------
    path
        ``.npy`` file, named by its content.
    sha256
        Of type, shape of a row and values.
    """

    path: str
    sha256: str

    def open(self) -> NDArray[Any]:
        """Return the array, read-only; what is not looked at is not read.

        Raises
        ------
        MissingFileError
            The file is not there any more.
        """
        try:
            found: NDArray[Any] = np.load(self.path, mmap_mode="r")
        except FileNotFoundError:
            raise MissingFileError(
                f"expected the kept array {Path(self.path).name} in {Path(self.path).parent}; "
                "found none. Keep the folder as long as what was made from it is in use."
            ) from None
        return found


class RowWriter:
    """Writes an array row by row, so that it need not fit into memory.

    Parameters
    ----------
    folder
        Which holds the file.
    row_shape, dtype
        Of a row.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with RowWriter(folder, (2,), np.float32) as writer:
    ...         writer.add(np.ones((3, 2)))
    ...         kept = writer.finish()
    ...     np.array(kept.open()).shape
    (3, 2)
    """

    def __init__(self, folder: Path | str, row_shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.folder = Path(folder)
        self.row_shape = row_shape
        self.dtype = np.dtype(dtype)
        self.rows = 0
        self._hash = hashlib.sha256(f"{self.dtype.str} {row_shape}".encode())
        self._file = NamedTemporaryFile(dir=folder, suffix=".npy", delete=False)
        self._begin()

    def add(self, rows: NDArray[Any]) -> None:
        """Write rows behind those that are there, shape (k, ...)."""
        part = np.ascontiguousarray(rows, dtype=self.dtype).reshape(-1, *self.row_shape)
        content = part.tobytes()
        self._hash.update(content)
        self._file.write(content)
        self.rows += len(part)

    def finish(self) -> KeptArray:
        """Close the file, which then has its final name, and say where it is."""
        self._begin()
        self._file.close()
        digest = self._hash.hexdigest()
        target = self.folder / f"{digest[:NAME_LENGTH]}.npy"
        if target.exists():
            # Somebody may be reading it, and it holds the same.
            Path(self._file.name).unlink()
        else:
            Path(self._file.name).rename(target)
        return KeptArray(str(target), digest)

    def _begin(self) -> None:
        """Write the header, whose length does not depend on the number of rows."""
        self._file.seek(0)
        shape = (self.rows, *self.row_shape)
        words = {"descr": self.dtype.str, "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._file, words)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not finished."""
        if not self._file.closed:
            self._file.close()
            Path(self._file.name).unlink()


def keep(parts: Iterable[NDArray[Any]], folder: Path | str) -> KeptArray:
    """Write arrays of one row shape and type, one at least, behind each other into one file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     np.array(keep([np.zeros((2, 3)), np.ones((1, 3))], folder).open()).sum()
    np.float64(3.0)
    """
    parts = iter(parts)
    first = next(parts)
    with RowWriter(folder, first.shape[1:], first.dtype) as writer:
        for part in chain([first], parts):
            for start in range(0, len(part), CHUNK):
                writer.add(part[start : start + CHUNK])
        return writer.finish()


class InFile:
    """Base of frozen dataclasses that hold one large array, which may stand in a file.

    What stands in a file is sent to other processes, and compared, by the file's name and hash.

    Attributes
    ----------
    large
        Field of the array.
    kept
        Its file; None where it is in memory.
    """

    large: ClassVar[str]
    kept: KeptArray | None = None

    def kept_in(self, folder: Path | str) -> Self:
        """Return the same with its large array in a file, which has to outlive it."""
        return self.of_file(keep([getattr(self, self.large)], folder), self._others())

    @classmethod
    def of_file(cls, kept: KeptArray, others: Mapping[str, Any]) -> Self:
        """Return one whose large array stands in a file, checked once."""
        made = cls(**{**others, cls.large: kept.open()})
        object.__setattr__(made, "kept", kept)
        return made

    def _others(self) -> dict[str, Any]:
        """Fields beside the large array."""
        names = [field.name for field in fields(self)]  # type: ignore[arg-type]
        return {name: getattr(self, name) for name in names if name != self.large}

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the name of the file instead of what stands in it."""
        if self.kept is None:
            plain = np.asarray(getattr(self, self.large))
            return _made, (type(self), {**self._others(), self.large: plain})
        return _arrived, (type(self), self.kept, self._others())

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return itself: nothing in it can change, and estimators are cloned often."""
        return self


def _made(kind: type[InFile], given: dict[str, Any]) -> InFile:
    return kind(**given)


def _arrived(kind: type[InFile], kept: KeptArray, others: dict[str, Any]) -> InFile:
    """What stands in a file, in another process, without reading and checking all of it again."""
    found = object.__new__(kind)
    for name, value in {**others, kind.large: kept.open(), "kept": kept}.items():
        object.__setattr__(found, name, value)
    return found
