"""How files are laid out: where they lie, what their columns are called, who their rows are."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal, TypeVar

import pandas as pd
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from radiogenomics.core.errors import SchemaError
from radiogenomics.core.schema import Record


def _inside(path: str) -> str:
    parts = PurePosixPath(path.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or PureWindowsPath(path).drive:
        raise ValueError("expected a path below the data root, without '..' and without a root")
    return path


def _word(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("YAML reads an unquoted yes, no, on or off as true or false: quote it")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) else value


DataPath = Annotated[str, AfterValidator(_inside)]
Word = Annotated[str, BeforeValidator(_word)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")]


class Identifier(Record):
    """How a table names its patients.

    Parameters
    ----------
    column
        Column that holds the identifiers; the first one (or the index of a parquet file) when not
        given. Not used where samples are columns.
    kind
        ``tcga_barcode`` is cut to the 12 characters of the patient; characters 14-15 say which
        tissue the sample is.
    row
        True when rows have no identifiers: they are numbered from 1 in file order, and tables are
        aligned by that order.
    width
        Identifiers of digits are filled with zeros from the left to this width, for files that lost
        them (``11`` for ``011``).
    prefix
        Put before each plain identifier, for example to keep two sets apart.
    linked
        False when these patients are not to be found in the patients' table, and are known not to
        be; True demands that some are.
    """

    column: str | None = None
    kind: Literal["plain", "tcga_barcode"] = "plain"
    row: bool = False
    width: Annotated[int, Field(ge=1, le=32)] | None = None
    prefix: str = ""
    linked: bool = True

    @model_validator(mode="after")
    def _one_way(self) -> Identifier:
        if self.row and self.column is not None:
            raise ValueError("give column (rows have identifiers) or row: true (they have none)")
        if self.kind == "tcga_barcode" and (self.prefix or self.row):
            raise ValueError("a TCGA barcode needs no prefix and no row numbers")
        return self

    def completed(self, names: pd.Series[Any], *, prefix: str | None = None) -> pd.Series[Any]:
        """Identifiers with their leading zeros and their prefix; missing ones stay missing."""
        before = self.prefix if prefix is None else prefix
        filled = names.map(
            lambda name: name.zfill(self.width) if self.width and name and name.isdigit() else name
        )
        return filled.map(lambda name: name and before + name)


class Layout(Record):
    """How a file is laid out.

    Parameters
    ----------
    format
        From the file name when not given; ``.gz`` may follow csv and tsv.
    sheet
        Sheet of a workbook; the first when not given.
    header_row
        Row that holds the column names, counted from 0; ``null`` when there is none.
    skip_rows
        Rows below or above it that hold no data, counted from 0.
    names_file, names_sha256
        File whose first row holds the column names.
    names_without_gaps
        An empty cell among those names stands for no column: the names behind it move up, and as
        many of the last columns have none.
    missing
        Words that mean "not known" beside blank, NA and NaN.
    encoding
        Of text files.
    """

    format: Literal["csv", "tsv", "parquet", "xlsx", "xls"] | None = None
    sheet: str | None = None
    header_row: Annotated[int, Field(ge=0)] | None = 0
    skip_rows: tuple[int, ...] = ()
    names_file: DataPath | None = None
    names_sha256: Sha256 | None = None
    names_without_gaps: bool = False
    missing: tuple[Word, ...] = ()
    encoding: Literal["utf-8", "latin-1"] = "utf-8"


class Part(Record):
    """One of several files that are stacked; its name becomes the column ``part``."""

    name: str
    file: DataPath
    source: str = "not stated"
    sha256: Sha256 | None = None
    prefix: str | None = None


class Table(Layout):
    """A table in one file, or in several with the same columns.

    Parameters
    ----------
    file, sha256
        Relative to the data root; content checked when the checksum is given.
    source
        Public address, for the reader; nothing is fetched.
    parts
        Files to stack instead of ``file``.
    id
        How patients are named.
    keep
        Column → the values whose rows are read; others are left out.
    """

    file: DataPath | None = None
    source: str = "not stated"
    sha256: Sha256 | None = None
    parts: tuple[Part, ...] = ()
    id: Identifier = Identifier()
    keep: dict[str, tuple[Word, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _file_or_parts(self) -> Table:
        if self.file is not None and self.parts:
            raise ValueError("give file or parts, not both")
        names = [part.name for part in self.parts]
        if len(set(names)) < len(names):
            raise ValueError("each part needs a name of its own")
        return self

    def pieces(self) -> tuple[Part, ...]:
        """Files in the order they are stacked."""
        if self.file is None:
            return self.parts
        return (Part(name="", file=self.file, source=self.source, sha256=self.sha256),)


TableT = TypeVar("TableT", bound=Table)


def require_file(table: TableT) -> TableT:
    """Refuse a table without a file, in the way a schema does."""
    if not table.pieces():
        raise ValueError("expected file (or parts); found neither")
    return table


def data_file(root: Path, relative: str) -> Path:
    """Path of a file below ``root``; one that climbs out of it raises SchemaError."""
    try:
        return Path(root) / _inside(relative)
    except ValueError as error:
        raise SchemaError(f"{relative}: {error}. Move the file below it.") from None
