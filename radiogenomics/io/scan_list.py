"""A list of scans to measure: one row an image with its mask."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from radiogenomics.core.errors import MissingFileError, SchemaError, short_list
from radiogenomics.core.provenance import hash_file, hash_text
from radiogenomics.io.identifiers import as_text
from radiogenomics.io.images.content import content_files
from radiogenomics.io.layout import Layout, Part
from radiogenomics.io.tables import column_of, read_table

NEEDED = ("patient_id", "image_path", "mask_path")
PREFIXES = ("time_point", "phase", "roi")


@dataclass(frozen=True)
class ScanRow:
    """One image with its mask.

    Parameters
    ----------
    patient_id
        Whose scan it is.
    image, mask
        What :func:`radiogenomics.io.images.read_image` and ``read_mask`` take.
    label
        Value in the mask; None: all above 0.
    structure
        Name in the mask, where that is a DICOM segmentation or structure set; empty: its only one.
    series
        Key of the DICOM series, where the image holds several; empty: its only one.
    time_point, phase, roi
        Become the prefix of the features; empty where the list does not say.
    listed
        Image and mask as the list has them; the row is known by them wherever the list lies.
    """

    patient_id: str
    image: Path
    mask: Path
    label: int | None = None
    structure: str = ""
    series: str = ""
    time_point: str = ""
    phase: str = ""
    roi: str = ""
    listed: tuple[str, str] = ("", "")

    @property
    def prefix(self) -> str:
        """What stands before the names of its features.

        Examples
        --------
        >>> ScanRow("P1", Path("i"), Path("m"), time_point="Pre", phase="A", roi="liver").prefix
        'Pre_A_liver_'
        """
        return "".join(f"{word}_" for word in (self.time_point, self.phase, self.roi) if word)

    @property
    def key(self) -> str:
        """Name of the row that does not change when the list is sorted otherwise."""
        what = (self.label, self.structure, self.series, self.prefix)
        parts = (self.patient_id, *self.listed, *what)
        return hash_text("\x1f".join(map(str, parts)))[:24]


def read_scan_list(path: str | Path) -> tuple[ScanRow, ...]:
    """Read a table with the columns patient_id, image_path and mask_path.

    Columns label, series, phase, time_point and roi are optional; others are not read. ``roi`` is
    also the structure looked for in a DICOM segmentation or structure set. Paths are relative to
    the table's folder.

    Raises
    ------
    MissingFileError
        The table is absent.
    UnknownNameError
        One of the three columns is absent.
    DataError
        There is no row.
    SchemaError
        A cell is empty, a label is no whole number above 0, or two rows of a
        patient would give the same columns.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingFileError(f"expected a list of scans at {file}; found none. Check the path.")
    part = Part(file=file.name, name="scans")
    frame = read_table(part, Layout(), file.parent, text_column="patient_id")
    columns = {name: as_text(column_of(frame, name, what=file.name)) for name in NEEDED}
    optional = {"label", "series", *PREFIXES} & {str(name) for name in frame.columns}
    columns |= {name: as_text(frame[name]) for name in optional}
    texts = pd.DataFrame(columns)
    rows = tuple(_row(cells, file, number) for number, cells in enumerate(_records(texts), start=2))
    _require_distinct(rows, file)
    return rows


def _records(texts: pd.DataFrame) -> list[dict[str, str | None]]:
    return [{str(k): v for k, v in record.items()} for record in texts.to_dict("records")]


def _row(cells: dict[str, str | None], file: Path, number: int) -> ScanRow:
    empty = [name for name in NEEDED if not cells[name]]
    if empty:
        raise SchemaError(
            f"{file.name}, line {number}: expected {short_list(empty)}; found an empty cell. "
            "Fill it in, or remove the row."
        )
    return ScanRow(
        patient_id=str(cells["patient_id"]),
        image=file.parent / str(cells["image_path"]),
        mask=file.parent / str(cells["mask_path"]),
        label=_label(cells.get("label"), file, number),
        structure=cells.get("roi") or "",
        series=cells.get("series") or "",
        time_point=cells.get("time_point") or "",
        phase=cells.get("phase") or "",
        roi=cells.get("roi") or "",
        listed=(str(cells["image_path"]), str(cells["mask_path"])),
    )


def _label(text: str | None, file: Path, number: int) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise SchemaError(
            f"{file.name}, line {number}: expected a whole number above 0 as label; found "
            f"{text!r}. Correct it, or leave it empty to measure all that is above 0."
        )
    return int(text)


def _require_distinct(rows: tuple[ScanRow, ...], file: Path) -> None:
    counts = Counter((row.patient_id, row.prefix) for row in rows)
    lines = [n for n, row in enumerate(rows, 2) if counts[row.patient_id, row.prefix] > 1]
    if lines:
        raise SchemaError(
            f"{file.name}: expected one row a patient, time point, phase and roi; found several in "
            f"lines {short_list(lines, limit=8)}. Tell them apart in those columns."
        )


def content_hash(row: ScanRow) -> str:
    """SHA-256 over the content of image and mask.

    Raises
    ------
    MissingFileError
        One of them is absent.
    """
    files = [file for path in (row.image, row.mask) for file in content_files(path)]
    return hash_text("\n".join(map(hash_file, files)))
