"""A folder that appears complete or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from radiogenomics.core.errors import DataError, MissingFileError


@contextmanager
def complete_or_not(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes the other's place when all is well, and else goes away.

    Raises
    ------
    DataError
        ``folder`` holds something already.
    MissingFileError
        The folder that should hold it does not exist.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(
            f"expected a new or empty folder; found {folder} with content. Choose another one."
        )
    if not folder.parent.is_dir():
        raise MissingFileError(
            f"expected the folder {folder.parent} to write into; found none. Make it first."
        )
    staging = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    try:
        yield staging
        if folder.exists():
            folder.rmdir()
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
