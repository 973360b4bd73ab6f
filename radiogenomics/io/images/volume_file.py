"""Volumes in one file: NIfTI, NRRD, MetaImage (MHA, MHD) and what else SimpleITK reads."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from radiogenomics.core.errors import DataError, GeometryError, MissingExtraError
from radiogenomics.io.images.grid import Grid
from radiogenomics.io.images.image import Array, ImageHead
from radiogenomics.io.images.limits import require_bytes

NIFTI = (".nii", ".nii.gz", ".hdr", ".img", ".img.gz")
WITH_TEXT_HEADER = (".nrrd", ".nhdr", ".mha", ".mhd")
HEADER_BYTES = 65536
DATA_FILE = re.compile(rb"^\s*(?:ElementDataFile\s*=|data ?file:)\s*(.*?)\s*$", re.I | re.M)


def read_head(path: Path) -> ImageHead:
    """Read where a volume lies, without its voxels.

    Raises
    ------
    DataError
        The file cannot be read, or refers to another folder.
    GeometryError
        It does not have three axes and one value a voxel.
    MissingExtraError
        SimpleITK is not installed.
    """
    return _head(_header(path), path)


def read_voxels(path: Path) -> tuple[ImageHead, Array]:
    """Read a volume; axis order (z, y, x).

    SimpleITK reads NaN, infinity and missing voxels of a NIfTI file as 0 without a word. They are
    looked for in the file itself, by nibabel.

    Raises
    ------
    DataError, GeometryError, MissingExtraError
        As for the head; also when voxels are missing, or a NIfTI file holds NaN or infinity.
    """
    sitk = simpleitk()
    reader = _header(path)
    try:
        image = reader.Execute()
    except (RuntimeError, MemoryError):
        raise _unreadable(path) from None
    if path.name.lower().endswith(NIFTI):
        _require_whole(path)
    return _head(reader, path), sitk.GetArrayFromImage(image)


def _header(path: Path) -> Any:
    if path.name.lower().endswith(WITH_TEXT_HEADER):
        _require_own_data(path)
    reader = simpleitk().ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        raise _unreadable(path) from None
    if len(reader.GetSize()) != 3 or reader.GetNumberOfComponents() != 1:
        raise GeometryError(
            f"{path.name}: expected three axes and one value a voxel; found "
            f"{len(reader.GetSize())} axes and {reader.GetNumberOfComponents()} values. "
            "Save each time point or channel as a volume of its own."
        )
    require_bytes(reader.GetSize(), 8, name=path.name)
    return reader


def _head(reader: Any, path: Path) -> ImageHead:
    x, y, z = reader.GetSize()
    dx, dy, dz = reader.GetSpacing()
    grid = Grid((z, y, x), (dz, dy, dx), reader.GetOrigin(), reader.GetDirection())
    numbers = np.array([*grid.spacing_mm, *grid.origin_mm, *grid.direction])
    if not np.isfinite(numbers).all() or min(grid.spacing_mm) <= 0:
        raise GeometryError(
            f"{path.name}: expected a header with finite positions and positive voxel sizes; "
            "found others. Correct the header."
        )
    if abs(np.linalg.det(np.array(grid.direction).reshape(3, 3))) < 1e-3:
        raise GeometryError(
            f"{path.name}: expected three independent axes; found axes that lie in one plane. "
            "Correct the header."
        )
    return ImageHead(path.name, grid)


def _require_own_data(path: Path) -> None:
    """Refuse a header whose voxels lie in several files or in another folder."""
    try:
        with path.open("rb") as file:
            found = DATA_FILE.search(file.read(HEADER_BYTES))
    except OSError:
        raise _unreadable(path) from None
    name = found.group(1).decode("latin-1") if found else "LOCAL"
    if name.upper() != "LOCAL" and (name.upper().startswith("LIST") or re.search(r"[/\\%:]", name)):
        raise DataError(
            f"{path.name}: expected voxels in the file itself or beside it; found a header that "
            "points elsewhere. Save the volume as one file."
        )


def _require_whole(path: Path) -> None:
    """Refuse a NIfTI file that is cut off or holds voxels that are not finite."""
    try:
        import nibabel
    except ImportError:
        raise MissingExtraError(
            "expected the package nibabel to check NIfTI files; found none. "
            "Install it: pip install 'radiogenomics[imaging]'."
        ) from None
    try:
        stored: Any = nibabel.load(path)
        values = stored.dataobj.get_unscaled()
    except (
        OSError,
        ValueError,
        EOFError,
        ArithmeticError,
        MemoryError,
        zlib.error,
        nibabel.filebasedimages.ImageFileError,
        nibabel.spatialimages.HeaderDataError,
    ):
        raise _unreadable(path) from None
    odd = int(values.size - np.isfinite(values).sum()) if values.dtype.kind == "f" else 0
    if odd:
        raise GeometryError(
            f"{path.name}: expected finite voxels; found {odd} NaN or infinite ones. "
            "Repair the image."
        )


def simpleitk() -> Any:
    """Import SimpleITK, which is optional and slow to load; MissingExtraError without it."""
    try:
        import SimpleITK
    except ImportError:
        raise MissingExtraError(
            "expected the package SimpleITK for images; found none. "
            "Install it: pip install 'radiogenomics[imaging]'."
        ) from None
    return SimpleITK


def _unreadable(path: Path) -> DataError:
    return DataError(
        f"{path.name}: expected an image that SimpleITK can read; found a broken file or another "
        "format. Convert it to NIfTI again."
    )
