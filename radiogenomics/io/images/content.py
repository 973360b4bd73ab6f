"""Which files an image or mask is made of: what a hash of its content has to read."""

from __future__ import annotations

from pathlib import Path

from radiogenomics.core.errors import MissingFileError
from radiogenomics.io.images.archive import split_archive
from radiogenomics.io.images.volume_file import DATA_FILE, HEADER_BYTES

DETACHED = (".mhd", ".nhdr", ".hdr")


def content_files(path: Path) -> tuple[Path, ...]:
    """Files of a path: of a folder those in it, of a header also those that hold its voxels.

    A place inside an archive is the archive.

    Raises
    ------
    MissingFileError
        There is nothing at that path.
    """
    archived = split_archive(path)
    if archived is not None:
        return (archived[0],)
    if path.is_dir():
        return tuple(sorted(file for file in path.rglob("*") if file.is_file()))
    if not path.is_file():
        raise MissingFileError(
            f"expected an image or mask called {path.name!r}; found none in that folder. Paths are "
            "relative to the list: correct it, or remove the row."
        )
    return (path, *_detached(path))


def _detached(header: Path) -> list[Path]:
    """Files that hold the voxels of a header: those it names, and those of its own name."""
    if header.suffix.lower() not in DETACHED:
        return []
    named = {
        header.parent / name.decode(errors="replace")
        for name in DATA_FILE.findall(header.read_bytes()[:HEADER_BYTES])
    }
    siblings = {file for file in header.parent.glob("*") if file.stem == header.stem}
    return sorted(file for file in (named | siblings) - {header} if file.is_file())
