"""Reading one table: csv, tsv, parquet, xlsx or xls, as plain data and nothing else."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, BinaryIO

import pandas as pd
import pyarrow
import pyarrow.parquet
import xlrd
from openpyxl.utils.exceptions import InvalidFileException

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    MissingFileError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.provenance import check_file
from radiogenomics.io.identifiers import as_text
from radiogenomics.io.layout import Layout, Part, data_file

BLANK = ("", "NA", "NaN", "nan", "N/A", "<NA>", "#N/A", "NULL", "null")
"""Cells that are missing without being declared; "None" and "none" are words and are kept."""

_FORMATS = MappingProxyType(
    {
        ".csv": "csv",
        ".tsv": "tsv",
        ".txt": "tsv",
        ".parquet": "parquet",
        ".xlsx": "xlsx",
        ".xls": "xls",
    }
)
_BROKEN = (
    EOFError,
    KeyError,
    OSError,
    UnicodeError,
    ValueError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    pyarrow.ArrowException,
    xlrd.XLRDError,
    xlrd.compdoc.CompDocError,
    InvalidFileException,
)


def read_table(
    part: Part, layout: Layout, root: Path, *, text_column: str | int | None = None
) -> pd.DataFrame:
    """Read a file below ``root`` into a frame with a plain row number as index.

    Parameters
    ----------
    part
        The file and, if recorded, its checksum.
    layout
        How it is laid out.
    text_column
        Column, by name or position, that is kept as text so that leading zeros survive. The index
        of a parquet file, if it has one, is column 0.

    Returns
    -------
    DataFrame
        Columns in file order; one without a name is called ``unnamed_<position>``.

    Raises
    ------
    MissingFileError, ChecksumError
        The file is absent, or another than the one recorded.
    DataError
        The file is empty, broken, or not of its format.
    AlignmentError
        Two columns have the same name.
    """
    path = checked_file(root, part.file, part.sha256)
    names = _names_of_file(layout, root)
    kind = file_format(part.file, layout.format)
    try:
        if kind == "parquet":
            frame = _read_parquet(path)
        elif kind in ("xlsx", "xls"):
            frame = _read_workbook(path, kind, layout)
        else:
            frame = _read_text(
                path, layout, separator="," if kind == "csv" else "\t", text_column=text_column
            )
    except pd.errors.EmptyDataError:
        raise _no_rows(part.file) from None
    except _BROKEN as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{part.file}: expected {kind} that can be read; found a broken file or another format "
            f"({_first_line(error)}). Fetch it again, or correct format, encoding or skip_rows."
        ) from None
    if names is not None:
        frame = _rename(frame, names, part.file)
    frame.columns = _unique_names(frame.columns, part.file)
    if frame.empty:
        raise _no_rows(part.file)
    return frame if kind in ("csv", "tsv") else _without_declared_missing(frame, layout.missing)


def _no_rows(file: str) -> DataError:
    return DataError(
        f"{file}: expected rows of data; found none. Check the file, header_row and skip_rows."
    )


def checked_file(root: Path, relative: str, sha256: str | None) -> Path:
    """Path of a file that exists, is not empty and has the recorded checksum.

    Raises
    ------
    SchemaError, MissingFileError, ChecksumError, DataError
        The path climbs out of ``root``, there is no file, it is another one, or it is empty.
    """
    path = data_file(root, relative)
    if not path.is_file():
        raise MissingFileError(
            f"expected a file at {path}; found none. Check the data root ({root}) and the manifest."
        )
    if sha256 is not None:
        check_file(path, sha256)
    if path.stat().st_size == 0:
        raise DataError(f"{relative}: expected a table; found an empty file. Fetch it again.")
    return path


def file_format(name: str, declared: str | None = None) -> str:
    """Format of a file: what was declared, or what its name says."""
    if declared is not None:
        return declared
    suffix = PurePosixPath(name.lower().removesuffix(".gz")).suffix
    if suffix not in _FORMATS:
        raise DataError(
            f"{name}: expected a name ending in {', '.join(_FORMATS)}; found "
            f"{suffix or 'no ending'}. Give format in the manifest."
        )
    return _FORMATS[suffix]


def column_of(frame: pd.DataFrame, name: str, *, what: str) -> pd.Series[Any]:
    """Return a column by name; UnknownNameError lists near matches."""
    if name not in frame.columns:
        raise UnknownNameError(f"column of {what}", name, map(str, frame.columns))
    return frame[name]


def to_number(values: pd.Series[Any]) -> tuple[pd.Series[float], pd.Series[bool]]:
    """Numbers, and where text stands that is none."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype(float), pd.Series(False, index=values.index)
    numbers = pd.to_numeric(as_text(values), errors="coerce").astype(float)
    return numbers, numbers.isna() & values.notna()


def _read_text(
    path: Path, layout: Layout, *, separator: str, text_column: str | int | None
) -> pd.DataFrame:
    header = layout.header_row
    above = range(header) if header is not None else ()
    with _open(path) as stream:
        # The parser would end a cell at a zero byte and call it missing.
        if any(b"\0" in piece for piece in iter(partial(stream.read, 1 << 20), b"")):
            raise ValueError("zero bytes, as in binary or UTF-16 files")
    encoding = "utf-8-sig" if layout.encoding == "utf-8" else layout.encoding
    names: list[Any] | None = None
    if header is not None:
        with _open(path) as stream:
            head = pd.read_csv(
                stream,
                sep=separator,
                header=None,
                nrows=1,
                dtype=str,
                keep_default_na=False,
                skiprows=list(above),
                encoding=encoding,
                skip_blank_lines=False,
            )
        names = head.iloc[0].tolist()
    skipped = sorted({*above, *layout.skip_rows} | (set() if header is None else {header}))
    with _open(path) as stream:
        frame = pd.read_csv(
            stream,
            sep=separator,
            header=None,
            skiprows=skipped,
            encoding=encoding,
            keep_default_na=False,
            na_values=[*BLANK, *layout.missing],
            low_memory=False,
            float_precision="round_trip",
            dtype=_text_dtype(names, text_column),
        )
    if names is not None:
        # R writes one name fewer than columns when rows have names.
        names = ["", *names] if len(names) == frame.shape[1] - 1 else names
        frame = _rename(frame, names, path.name)
    return frame


def _text_dtype(names: list[Any] | None, column: str | int | None) -> dict[int, type[str]]:
    if isinstance(column, int):
        return {column: str}
    if column is None or names is None or column not in names:
        return {}
    return {names.index(column): str}


def _read_parquet(path: Path) -> pd.DataFrame:
    frame: pd.DataFrame = pyarrow.parquet.read_table(path).to_pandas()
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(names=str(frame.index.name or "unnamed_0"))
    return frame


def _read_workbook(path: Path, kind: str, layout: Layout) -> pd.DataFrame:
    raw = pd.read_excel(
        path,
        sheet_name=layout.sheet or 0,
        header=None,
        dtype=object,
        keep_default_na=False,
        na_values=list(BLANK),
        engine="openpyxl" if kind == "xlsx" else "xlrd",
    )
    if raw.empty:
        raise DataError(f"{path.name}: expected rows of data; found an empty sheet. Check sheet.")
    header = layout.header_row
    skipped = {*layout.skip_rows} | (set() if header is None else set(range(header + 1)))
    frame = raw.loc[~raw.index.isin(skipped)].reset_index(drop=True).infer_objects()
    if header is None:
        return frame
    if header >= len(raw):
        raise DataError(
            f"{path.name}: expected column names in row {header}; found {len(raw)} rows."
        )
    return _rename(frame, as_text(pd.Series(raw.loc[header])).tolist(), path.name)


def _names_of_file(layout: Layout, root: Path) -> list[Any] | None:
    """Names that lie in a file of their own; None where there is none."""
    if layout.names_file is None:
        return None
    named = Part(name="", file=layout.names_file, sha256=layout.names_sha256)
    first = read_table(named, Layout(header_row=None, encoding=layout.encoding), root)
    names: list[Any] = as_text(first.iloc[0]).tolist()
    if layout.names_without_gaps:
        names.sort(key=_is_blank)  # stable: the names keep their order, the gaps go last
    return names


def _rename(frame: pd.DataFrame, names: list[Any], file: str) -> pd.DataFrame:
    if len(names) != frame.shape[1]:
        raise DataError(
            f"{file}: expected one name a column; found {len(names)} names and {frame.shape[1]} "
            "columns. Check header_row, skip_rows, names_file and the separator."
        )
    return frame.set_axis(names, axis=1)


def _is_blank(name: Any) -> bool:
    return bool(pd.isna(name)) or str(name).strip() == ""


def _unique_names(names: Iterable[Any], file: str) -> pd.Index[Any]:
    named = pd.Index(
        [
            f"unnamed_{position}" if _is_blank(name) else str(name)
            for position, name in enumerate(names)
        ],
        dtype=object,
    )
    if named.has_duplicates:
        doubled = named[named.duplicated()].unique()
        raise AlignmentError(
            f"{file}: expected columns with distinct names; found {len(doubled)} repeated "
            f"({short_list(doubled)}). Rename or remove them in the file."
        )
    return named


def _without_declared_missing(frame: pd.DataFrame, missing: tuple[str, ...]) -> pd.DataFrame:
    if not missing:
        return frame
    cleaned = {
        str(name): values.mask(as_text(values).isin(missing)) for name, values in frame.items()
    }
    return pd.DataFrame(cleaned, index=frame.index).infer_objects()


def _open(path: Path) -> BinaryIO:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]
