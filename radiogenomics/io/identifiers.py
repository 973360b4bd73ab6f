"""Patient, sample and gene identifiers as text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import AlignmentError, short_list

BARCODE = re.compile(r"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}(-(?P<sample>\d{2})[A-Z]?(-.*)?)?")
SAMPLE_TYPES = MappingProxyType(
    {"01": "tumour", "02": "recurrent", "06": "metastatic", "10": "normal", "11": "normal"}
)
"""TCGA sample code → tissue; code 10 is blood."""


def as_text(values: pd.Series[Any] | pd.Index[Any]) -> pd.Series[Any]:
    """Cells as stripped text, missing and empty ones as None; whole numbers lose their decimals.

    Examples
    --------
    >>> as_text(pd.Series([7.0, None, " P1 "])).tolist()
    ['7', None, 'P1']
    """
    series = pd.Series(values)
    if pd.api.types.is_float_dtype(series.dtype):
        whole = series.notna() & (series == np.floor(series)) & np.isfinite(series)
        text = series.astype(object).map(lambda cell: str(cell))
        text[whole] = [str(int(cell)) for cell in series[whole]]
    else:
        text = series.astype(object).map(_cell)
    return text.where(series.notna() & text.ne(""), None)


def patient_of(samples: pd.Series[Any], kind: str, *, what: str) -> pd.Series[Any]:
    """Patient of each sample name: the name itself, or the first 12 characters of a TCGA barcode.

    Raises
    ------
    AlignmentError
        A name is empty, or is no TCGA barcode where one was declared.
    """
    if samples.isna().any():
        raise AlignmentError(
            f"{what}: expected an identifier in each row; found {int(samples.isna().sum())} of "
            f"{len(samples)} empty. Fill them in, or declare id: {{row: true}} when there are none."
        )
    if kind == "plain":
        return samples
    strange = [name for name in samples if BARCODE.fullmatch(name) is None]
    if strange:
        raise AlignmentError(
            f"{what}: expected TCGA barcodes (TCGA-XX-XXXX...); found {len(strange)} other "
            f"identifiers ({short_list(strange)}). Say id: {{kind: plain}} or drop these columns."
        )
    return samples.str[:12]


def tissue_of(samples: Iterable[str], *, what: str) -> list[str] | None:
    """Tissue of each TCGA sample from its code, or None when the barcodes end at the patient.

    Raises
    ------
    AlignmentError
        Some barcodes name a sample and others do not, or a code is not known.
    """
    codes = []
    for name in samples:
        found = BARCODE.fullmatch(name)
        codes.append(found.group("sample") if found else None)
    if not any(codes):
        return None
    unknown = sorted({str(code) for code in codes if code not in SAMPLE_TYPES})
    if unknown:
        raise AlignmentError(
            f"{what}: expected sample codes {', '.join(SAMPLE_TYPES)} at characters 14-15 of the "
            f"barcode; found {short_list(unknown)}. Drop these samples."
        )
    return [SAMPLE_TYPES[str(code)] for code in codes]


def share_matching(pattern: str, names: Iterable[str]) -> float:
    """Share of ``names`` that match a regular expression from start to end; 0 of none."""
    found = [re.fullmatch(pattern, name) is not None for name in names]
    return sum(found) / max(len(found), 1)


def require_overlap(found: Iterable[str], known: Iterable[str], *, what: str, cohort: str) -> None:
    """Raise AlignmentError, with examples from both sides, when no identifier is shared."""
    ours, theirs = list(dict.fromkeys(found)), list(dict.fromkeys(known))
    if ours and theirs and not set(ours) & set(theirs):
        raise AlignmentError(
            f"{cohort}, {what}: expected identifiers of the patients' table; found none of "
            f"{len(ours)} there ({what}: {short_list(ours, limit=3)}; patients: "
            f"{short_list(theirs, limit=3)}). Check id (column, kind, prefix), or say "
            "id: {linked: false} when these are other patients."
        )


def require_same_rows(found: Iterable[str], known: Iterable[str], *, what: str) -> None:
    """Raise AlignmentError unless rows aligned by their order are those of the patients' table."""
    ours, theirs = set(found), set(known)
    if ours != theirs:
        raise AlignmentError(
            f"{what}: expected one row for each of the {len(theirs)} patients, as rows without "
            f"identifiers are aligned by their order; found {len(ours)} rows, {len(ours & theirs)} "
            "of them with the number of a patient. Complete the file, or give identifiers."
        )


def _cell(cell: Any) -> Any:
    if isinstance(cell, bool | np.bool_):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.strip() if isinstance(cell, str) else str(cell)
