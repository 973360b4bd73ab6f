"""Archives of scans: zip and tar, unpacked for the time of reading, and only inwards."""

from __future__ import annotations

import lzma
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from radiogenomics.core.errors import DataError, MissingFileError, RadiogenomicsError, near_matches
from radiogenomics.io.images.limits import MAX_BYTES, MAX_MEMBERS

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
# What a damaged, encrypted or foreign archive makes the readers raise.
FAULTS = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    KeyError,
    OverflowError,
    MemoryError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
)


def split_archive(path: Path) -> tuple[Path, PurePosixPath] | None:
    """Archive and place inside it, for a path that leads into one; None for an ordinary path.

    The archive is written like a folder: ``/data/MASKS_DICOM.zip/MASKS_DICOM/liver``.

    Examples
    --------
    >>> split_archive(Path("/data/scan.nii.gz")) is None
    True
    """
    for place in (path, *path.parents):
        if place.name.lower().endswith(SUFFIXES) and place.is_file():
            return place, PurePosixPath(path.relative_to(place).as_posix())
    return None


@contextmanager
def opened(path: Path, *, limit_bytes: int = MAX_BYTES) -> Iterator[Path]:
    """Give a file or folder to read: the path itself, or what an archive holds there.

    An archive is unpacked into a temporary folder, which is removed when the block ends. Only what
    lies below the named place is written. A folder that holds nothing but one file or folder stands
    for that one.

    Parameters
    ----------
    path
        File, folder, archive, or a place inside an archive.
    limit_bytes
        Most that an archive may unpack to.

    Raises
    ------
    MissingFileError
        There is no such file or folder.
    DataError
        The archive is damaged or encrypted, holds links or members that climb out of it, or would
        unpack to more than the limit; nothing of it is kept.
    """
    parts = split_archive(path)
    if parts is None:
        if not path.exists():
            raise MissingFileError(
                f"expected an image or mask at {path.name}; found none. Check the path."
            )
        yield _only_entry(path)
        return
    archive, inner = parts
    with tempfile.TemporaryDirectory(prefix="radiogenomics-") as folder:
        _unpack(archive, inner, Path(folder), limit_bytes)
        yield _only_entry(Path(folder, *inner.parts))


def _only_entry(path: Path) -> Path:
    while path.is_dir():
        content = [entry for entry in path.iterdir() if not entry.name.startswith((".", "__"))]
        if len(content) != 1:
            break
        path = content[0]
    return path


def _unpack(archive: Path, inner: PurePosixPath, folder: Path, limit_bytes: int) -> None:
    read = _zip_members if archive.name.lower().endswith(".zip") else _tar_members
    seen: set[PurePosixPath] = set()
    total = 0
    try:
        for number, (name, size, content) in enumerate(read(archive), start=1):
            total += size
            _require_within(archive.name, number, total, limit_bytes)
            place = _inwards(name, archive.name)
            seen.update((place, *place.parents))
            if content is not None and place.parts[: len(inner.parts)] == inner.parts:
                target = folder.joinpath(*place.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with content() as packed, target.open("xb") as out:
                    shutil.copyfileobj(packed, out)
    except RadiogenomicsError:
        raise
    except FAULTS:
        raise DataError(
            f"{archive.name}: expected a sound zip or tar archive without a password; found one "
            "that cannot be unpacked. Fetch it again, or unpack it yourself and give the folder."
        ) from None
    if not seen:
        raise DataError(f"{archive.name}: expected files in it; found none. Pack it again.")
    if inner not in seen:
        near = near_matches(str(inner), map(str, seen))
        hint = f"did you mean {', '.join(near)}?" if near else "list the archive to see its folders"
        raise MissingFileError(
            f"{archive.name}: expected {inner.name!r} inside it; found none. Check the path: {hint}"
        )


Member = tuple[str, int, Callable[[], IO[bytes]] | None]  # name, bytes, how to open a file


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if (info.external_attr >> 16) & 0o170000 == 0o120000:
                raise _link(path.name)
            opener = None if info.is_dir() else partial(archive.open, info)
            yield info.filename, info.file_size, opener


def _tar_members(path: Path) -> Iterator[Member]:
    with tarfile.open(path) as archive:
        for info in archive:
            if not (info.isfile() or info.isdir()):
                raise _link(path.name)
            opener = partial(_extracted, archive, info) if info.isfile() else None
            yield info.name, info.size, opener


def _extracted(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(info)
    if content is None:
        raise tarfile.TarError
    return content


def _require_within(name: str, members: int, total: int, limit_bytes: int) -> None:
    if total > limit_bytes or members > MAX_MEMBERS:
        raise DataError(
            f"{name}: expected an archive that unpacks to at most {limit_bytes / 2**30:.3g} GiB in "
            f"{MAX_MEMBERS} members; found more. Unpack it yourself and give the folder, if you "
            "trust it."
        )


def _inwards(member: str, archive: str) -> PurePosixPath:
    """Path of a member, which must lie below the archive's root whatever the system."""
    place = PurePosixPath(member.replace("\\", "/"))
    outside = place.is_absolute() or ".." in place.parts or "\0" in member
    if outside or PureWindowsPath(member).drive:
        raise DataError(
            f"{archive}: expected members below the archive's own root; found one that climbs out "
            "of it. Do not unpack it: ask where it comes from."
        )
    return place


def _link(name: str) -> DataError:
    return DataError(
        f"{name}: expected files and folders in the archive; found a link or a device. "
        "Pack it again with the files themselves."
    )
