"""Scans from a list of images and masks; pixels are read when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from radiogenomics.core.errors import MissingFileError, SchemaError, UnknownNameError
from radiogenomics.core.provenance import hash_file, hash_text
from radiogenomics.core.scan import Scan, Volume
from radiogenomics.io.identifiers import as_text
from radiogenomics.io.images import (
    check_mask,
    check_phase,
    guess_phase,
    organ_means,
    read_image,
    read_image_head,
    read_mask,
)
from radiogenomics.io.images.archive import split_archive
from radiogenomics.io.images.content import content_files
from radiogenomics.io.images.match import REPAIRS
from radiogenomics.io.layout import data_file
from radiogenomics.io.manifest import ScanTable
from radiogenomics.io.rows import read_rows
from radiogenomics.io.tables import column_of

MASK = "mask_"
CHOICES = ("label_", "roi_", "repair_")


@dataclass(frozen=True)
class MaskFile:
    """Where a region comes from.

    Parameters
    ----------
    region
        Its name.
    path
        What :func:`radiogenomics.io.images.read_mask` takes.
    label, roi
        Value in the mask; name or number in a SEG or RTSTRUCT.
    repair
        What happens to a mask on another grid than the image's.
    """

    region: str
    path: Path
    label: int | None = None
    roi: str | None = None
    repair: str = "error"


@dataclass(frozen=True)
class ImageLoader:
    """Reads one image with its masks; holds paths only, so it can be sent to another process.

    Parameters
    ----------
    image
        What :func:`radiogenomics.io.images.read_image` takes.
    masks
        One a region.
    series
        Key of the series where a folder holds several.
    modality, phase
        As declared; the phase is checked against tags and organs when the image is read.
    """

    image: Path
    masks: tuple[MaskFile, ...] = ()
    series: str | None = None
    modality: str = ""
    phase: str = ""

    def __call__(self) -> Volume:
        """Read voxels and masks.

        Raises
        ------
        GeometryError
            A mask lies elsewhere than the image and is not to be repaired, its labels are no whole
            numbers, or the image is no finite volume.
        DataError
            A file cannot be read or is another than it should be.
        MissingExtraError
            A package of the extra ``imaging`` is not installed.
        """
        image = read_image(self.image, series=self.series)
        masks = {
            mask.region: read_mask(
                mask.path, image=image, label=mask.label, roi=mask.roi, repair=mask.repair
            )
            for mask in self.masks
        }
        if self.phase:
            means = organ_means(image.voxels, masks) if self.modality == "CT" else {}
            check_phase(self.phase, guess_phase(image.header, means), what=self.image.name)
        return replace(image, masks=masks)

    def check_headers(self) -> None:
        """Compare the grids of image and masks from their headers, as far as headers tell.

        Raises
        ------
        GeometryError, DataError, MissingExtraError
            As when loading.
        """
        head = read_image_head(self.image, series=self.series)
        for mask in self.masks:
            check_mask(mask.path, image=head, label=mask.label, roi=mask.roi, repair=mask.repair)

    def files(self) -> tuple[Path, ...]:
        """Files that image and masks are made of.

        Raises
        ------
        MissingFileError
            One of them is gone.
        """
        return tuple(
            file
            for path in (self.image, *(mask.path for mask in self.masks))
            for file in content_files(path)
        )


def read_scans(table: ScanTable, root: Path) -> tuple[Scan, ...]:
    """Read the list of scans; files must exist, but none is opened.

    Raises
    ------
    SchemaError
        A path climbs out of the list's folder, a row has no image, or a label is no number.
    MissingFileError
        An image or mask is absent.
    UnknownNameError
        A column is absent, a column names a region without a mask, or a modality or repair is not
        a word that is known.
    """
    part = table.pieces()[0]
    folder = data_file(root, part.file).parent
    if table.id.column is None and not table.id.row:
        named = table.id.model_copy(update={"column": "patient_id"})
        table = table.model_copy(update={"id": named})
    rows = read_rows(table, root, what="scans")
    texts = {str(name): as_text(rows.frame[name]) for name in rows.frame.columns}
    for needed in ("modality", "image"):
        column_of(rows.frame, needed, what=part.file)
    regions = tuple(name.removeprefix(MASK) for name in texts if name.startswith(MASK))
    for name in texts:
        prefix = next((choice for choice in CHOICES if name.startswith(choice)), None)
        if prefix and name.removeprefix(prefix) not in regions:
            raise UnknownNameError(
                f"region in the column {name} of {part.file}", name.removeprefix(prefix), regions
            )
    scans = []
    for position in rows.frame.index:
        cells = {name: column[position] for name, column in texts.items()}
        scans.append(_scan(cells, rows.patients[position], regions, folder, part.file))
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


def _scan(
    cells: Mapping[str, str | None],
    patient: str,
    regions: tuple[str, ...],
    folder: Path,
    listed_in: str,
) -> Scan:
    image, modality, phase = cells["image"], cells["modality"], cells.get("phase")
    if image is None or modality is None:
        raise SchemaError(
            f"{listed_in}, patient {patient}: expected image and modality; found an empty "
            "cell. Fill it in or remove the row."
        )
    masks = tuple(
        _mask(cells, region, folder, listed_in)
        for region in regions
        if cells[MASK + region] is not None
    )
    loader = ImageLoader(
        _existing(folder, image, listed_in),
        masks,
        series=cells.get("series"),
        modality=modality,
        phase=phase or "",
    )
    return Scan(
        patient_id=patient,
        modality=modality,
        loader=loader,
        phase=phase or "none",
        time_point=cells.get("time_point") or "baseline",
        regions=tuple(mask.region for mask in masks),
    )


def _mask(cells: Mapping[str, str | None], region: str, folder: Path, listed_in: str) -> MaskFile:
    label, roi, repair = (cells.get(choice + region) for choice in CHOICES)
    if label is not None and not label.isdecimal():
        raise SchemaError(
            f"{listed_in}, label_{region}: expected a whole number above 0; found {label!r}. "
            "Correct it, or leave it empty to take all values."
        )
    if repair is not None and repair not in REPAIRS:
        raise UnknownNameError(f"repair in {listed_in}", repair, REPAIRS)
    return MaskFile(
        region,
        _existing(folder, str(cells[MASK + region]), listed_in),
        label=None if label is None else int(label),
        roi=roi,
        repair=repair or "error",
    )


def _existing(folder: Path, relative: str, listed_in: str) -> Path:
    path = data_file(folder, relative)
    # What lies inside an archive is looked for when it is read.
    if not path.exists() and split_archive(path) is None:
        raise MissingFileError(
            f"{listed_in}: expected an image or mask at {path}; found none. "
            "Paths are relative to the list: correct it, or remove the row."
        )
    return path
