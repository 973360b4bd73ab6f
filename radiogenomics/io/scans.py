"""Scans from a list of NIfTI images and masks; pixels are read when asked for, by SimpleITK."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from radiogenomics.core.errors import (
    DataError,
    GeometryError,
    MissingExtraError,
    MissingFileError,
    SchemaError,
)
from radiogenomics.core.provenance import hash_file, hash_text
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.io.identifiers import as_text
from radiogenomics.io.layout import data_file
from radiogenomics.io.manifest import ScanTable
from radiogenomics.io.rows import read_rows
from radiogenomics.io.tables import column_of

MASK = "mask_"
ALLOWED_SHIFT = 0.01  # of the smallest voxel side, at the corner that differs most


@dataclass(frozen=True)
class ImageLoader:
    """Reads one image with its masks; holds paths only, so it can be sent to another process.

    Parameters
    ----------
    image
        File that SimpleITK reads as a volume.
    masks
        Region and file of each mask.
    """

    image: Path
    masks: tuple[tuple[str, Path], ...] = ()

    def __call__(self) -> Volume:
        """Read voxels and masks.

        The NIfTI reader of SimpleITK turns NaN into 0; other formats keep it, and it is refused.

        Raises
        ------
        GeometryError
            A mask lies elsewhere than the image (a corner of the grid is shifted by more than 1 %
            of a voxel side), its labels are no whole numbers, or the image is no finite volume.
        DataError
            A file cannot be read.
        MissingExtraError
            SimpleITK is not installed.
        """
        sitk = _simpleitk()
        image = _read(sitk, self.image)
        masks = {}
        for region, path in self.masks:
            mask = _read(sitk, path)
            _require_same_grid(image, mask, image_name=self.image.name, mask_name=path.name)
            masks[region] = _labels(sitk.GetArrayFromImage(mask), path.name)
        try:
            return Volume(
                voxels=sitk.GetArrayFromImage(image),
                masks=masks,
                spacing_mm=tuple(reversed(image.GetSpacing())),
                origin_mm=image.GetOrigin(),
                direction=image.GetDirection(),
            )
        except GeometryError as error:
            raise GeometryError(f"{self.image.name}: {error}") from None

    def check_headers(self) -> None:
        """Compare the grids of image and masks from their headers, without reading voxels.

        Raises
        ------
        GeometryError, DataError, MissingExtraError
            As when loading.
        """
        sitk = _simpleitk()
        image = _header(sitk, self.image)
        for _, path in self.masks:
            mask = _header(sitk, path)
            _require_same_grid(image, mask, image_name=self.image.name, mask_name=path.name)

    def files(self) -> tuple[Path, ...]:
        """Image and masks."""
        return (self.image, *(path for _, path in self.masks))


def read_scans(table: ScanTable, root: Path) -> tuple[Scan, ...]:
    """Read the list of scans; files must exist, but none is opened.

    Raises
    ------
    SchemaError
        A path climbs out of the list's folder, or a row has no image.
    MissingFileError
        An image or mask is absent.
    UnknownNameError
        A column is absent or a modality is not a DICOM word.
    """
    part = table.pieces()[0]
    folder = data_file(root, part.file).parent
    if table.id.column is None and not table.id.row:
        named = table.id.model_copy(update={"column": "patient_id"})
        table = table.model_copy(update={"id": named})
    rows = read_rows(table, root, what="scans")
    texts = {name: as_text(rows.frame[name]) for name in rows.frame.columns}
    for needed in ("modality", "image"):
        column_of(rows.frame, needed, what=part.file)
    regions = [str(name) for name in rows.frame.columns if str(name).startswith(MASK)]
    scans = []
    for position in rows.frame.index:
        cell = {name: column[position] for name, column in texts.items()}
        patient = rows.patients[position]
        if cell["image"] is None or cell["modality"] is None:
            raise SchemaError(
                f"{part.file}, patient {patient}: expected image and modality; found an empty "
                "cell. Fill it in or remove the row."
            )
        masks = tuple(
            (region.removeprefix(MASK), _existing(folder, str(cell[region]), part.file))
            for region in regions
            if cell[region] is not None
        )
        scans.append(
            Scan(
                patient_id=patient,
                modality=cell["modality"],
                loader=ImageLoader(_existing(folder, cell["image"], part.file), masks),
                phase=cell.get("phase") or "none",
                time_point=cell.get("time_point") or "baseline",
                regions=tuple(region for region, _ in masks),
            )
        )
    return tuple(scans)


def hash_scans(scans: tuple[Scan, ...]) -> str:
    """One SHA-256 over the content of all images and masks, whatever their order."""
    files = {
        file
        for scan in scans
        if isinstance(scan.loader, ImageLoader)
        for file in scan.loader.files()
    }
    return hash_text("\n".join(sorted(hash_file(file) for file in files)))


def _existing(folder: Path, relative: str, listed_in: str) -> Path:
    path = data_file(folder, relative)
    if not path.is_file():
        raise MissingFileError(
            f"{listed_in}: expected an image or mask at {path}; found none. "
            "Paths are relative to the list: correct it, or remove the row."
        )
    return path


def _simpleitk() -> Any:
    try:
        import SimpleITK
    except ImportError:
        raise MissingExtraError(
            "expected the package SimpleITK to read images; found none. "
            "Install it: pip install 'radiogenomics[imaging]'."
        ) from None
    return SimpleITK


def _read(sitk: Any, path: Path) -> Any:
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError:
        raise _unreadable(path) from None
    return _volume(image, path)


def _header(sitk: Any, path: Path) -> Any:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        raise _unreadable(path) from None
    return _volume(reader, path)


def _unreadable(path: Path) -> DataError:
    return DataError(
        f"{path.name}: expected an image that SimpleITK can read; found a broken file or another "
        "format. Convert it to NIfTI again."
    )


def _volume(image: Any, path: Path) -> Any:
    if len(image.GetSize()) != 3:
        raise GeometryError(
            f"{path.name}: expected three axes; found {len(image.GetSize())}. "
            "Save each time point or channel as a volume of its own."
        )
    return image


def _require_same_grid(image: Any, mask: Any, *, image_name: str, mask_name: str) -> None:
    if tuple(image.GetSize()) != tuple(mask.GetSize()):
        raise GeometryError(
            f"{mask_name}: expected the size of {image_name}, {tuple(image.GetSize())} (x, y, z); "
            f"found {tuple(mask.GetSize())}. Resample the mask onto the image."
        )
    shift = np.linalg.norm(_corners(image) - _corners(mask), axis=1).max()
    if shift > ALLOWED_SHIFT * min(image.GetSpacing()):
        raise GeometryError(
            f"{mask_name}: expected the grid of {image_name}; found one whose corners lie up to "
            f"{shift:.3g} mm elsewhere (spacing, origin or direction differ). "
            "Resample the mask onto the image, or correct its header."
        )


def _corners(image: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Physical position (x, y, z) of the eight corner voxels, in mm."""
    indices = np.array(list(product(*((0, size - 1) for size in image.GetSize()))), dtype=float)
    axes = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    corners: np.ndarray[Any, np.dtype[np.float64]] = indices @ axes.T + np.array(image.GetOrigin())
    return corners


def _labels(values: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    if values.dtype.kind in "biu":
        return values
    whole = np.rint(values)
    if not np.isfinite(values).all() or not np.array_equal(whole, values):
        raise GeometryError(
            f"{name}: expected whole numbers as labels; found fractions. "
            "Cut the mask at a half, or export labels."
        )
    labels: np.ndarray[Any, Any] = whole.astype(np.int32)
    return labels
