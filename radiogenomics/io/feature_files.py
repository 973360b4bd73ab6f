"""Image features, expression and covariates of patients, each a file on its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from radiogenomics.core.errors import DataError, UnknownNameError, short_list
from radiogenomics.io.identifiers import as_text
from radiogenomics.io.patient_table import (
    PatientTable,
    Source,
    Where,
    as_numbers,
    read_patients,
)
from radiogenomics.io.tables import to_number

DIAGNOSTICS = "diagnostics_"
"""Begin of the names of what pyradiomics writes of image, mask and itself beside the features."""
BOOKKEEPING = frozenset(
    "lesions lesion image mask image_path mask_path modality phase time_point region control "
    "control_part".split()
)
"""Columns of feature tables, ours and pyradiomics', that are no features."""
CATEGORIES = frozenset(
    "site centre center hospital institution scanner vendor manufacturer batch".split()
)
"""Covariates whose numbers, if they are numbers, are names."""
MOST_LEVELS = 20

_FEATURE = re.compile(
    r"diagnostics_.*"
    r"|(.*_)?(firstorder|glcm|gldm|gldzm|glrlm|glszm|ngtdm|shape|shape2D)_\w+"
    r"|(.*_)?(morph|loc|stat|ih|ivh|cm|rlm|szm|dzm|ngt|ngl)_\w+"
    r"|(.*_)?(deep|embedding|emb|feature|feat|dim)[ _.-]?\d+",
    re.IGNORECASE,
)
_ENSEMBL = re.compile(r"ENSG\d{11}(\.\d+)?")
_KNOWN_GENES = frozenset(
    """ACTB ALB AXIN1 B2M BRAF CD274 CD3E CD4 CD68 CD8A CDK1 CTNNB1 CXCL9 EGFR EPCAM ERBB2 GAPDH
    GZMB HIF1A IDO1 IFNG KPNA2 KRAS MKI67 MYC PDCD1 PTEN RB1 SMG5 STAT1 TERT TOP2A TP53 VEGFA
    VIM""".split()
)


def read_feature_file(
    path: str | Path,
    *,
    id: str | None = None,
    patients_in: Where | None = None,
    among: Iterable[str] = (),
    drop: Sequence[str] = (),
) -> PatientTable:
    """Read image features: radiomic (pyradiomics', ours, IBSI names), deep or any others.

    Columns of pyradiomics' diagnostics and of bookkeeping (image, mask, lesions, phase, ...) are
    left out, which a note says, and so are features without any value. Numeric columns that are
    not called like the others are kept, and named by a note.

    Parameters
    ----------
    path
        csv, tsv, parquet, xlsx or xls; text also packed (``.gz``).
    id
        Column of identifiers; found by its name, or the first column, where not given.
    patients_in
        ``"rows"`` or ``"columns"``. Where not given, identifiers shared with ``among`` tell, then
        names of variables; a note says where nothing told and rows were taken.
    among
        Identifiers of another table of these patients.
    drop
        Columns to leave out (rows, where patients are columns).

    Returns
    -------
    PatientTable
        Patients × features, NaN where a cell is empty.

    Raises
    ------
    MissingFileError, DataError
        There is no such file, it cannot be read, a cell is text or infinite, or nothing is left.
    UnknownNameError
        ``id``, a name of ``drop`` or ``patients_in`` is not known.
    AlignmentError
        No column can be one of identifiers, one is empty, or a patient or variable stands twice.
    """
    source = Source(Path(path), id, patients_in, frozenset(among), tuple(drop))
    table = as_numbers(read_patients(source, known=_like_feature, skip=_no_feature))
    strangers = [name for name in table.values if not _like_feature(str(name))]
    if not 0 < len(strangers) < table.values.shape[1] / 2:
        return table
    note = (
        f"{table.name}: {len(strangers)} columns of numbers are not called like the other image "
        f"features and were read as such ({short_list(strangers)}); drop them if they are none"
    )
    return replace(table, notes=(*table.notes, note))


def read_expression_file(
    path: str | Path,
    *,
    id: str | None = None,
    patients_in: Where | None = None,
    among: Iterable[str] = (),
    drop: Sequence[str] = (),
) -> PatientTable:
    """Read expression, patients × genes, whichever way it lies.

    Parameters and errors are those of :func:`read_feature_file`; Ensembl identifiers and some
    well-known symbols tell where genes are. The unit is not judged here.
    """
    source = Source(Path(path), id, patients_in, frozenset(among), tuple(drop))
    return as_numbers(read_patients(source, known=_like_gene, skip=_nothing))


def read_covariate_file(
    path: str | Path,
    *,
    id: str | None = None,
    drop: Sequence[str] = (),
    words: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> PatientTable:
    """Read covariates, a row a patient, as columns of numbers.

    Numbers stay. Words become columns of 0 and 1 called ``site=B``, one a level but for the
    commonest, and empty where the word is missing; columns called like a site or a scanner are
    words even if they are numbers. A covariate that does not vary is left out. Notes say all of
    that.

    Parameters
    ----------
    path, id, drop
        As in :func:`read_feature_file`.
    words
        Further columns whose numbers are names.
    missing
        Words that mean "not known" beside blank, NA and NaN.

    Returns
    -------
    PatientTable
        Patients × columns.

    Raises
    ------
    MissingFileError, UnknownNameError, AlignmentError
        As in :func:`read_feature_file`.
    DataError
        A column mixes numbers and words, has more than 20 levels or as many as patients, or no
        covariate varies.
    """
    source = Source(Path(path), id, "rows", frozenset(), tuple(drop), tuple(missing))
    table = read_patients(source, known=_nothing, skip=_nothing)
    for word in words:
        if word not in table.values:
            raise UnknownNameError(f"column of {table.name}", word, map(str, table.values))
    columns, notes = [], list(table.notes)
    for name, values in table.values.items():
        named = name in words or str(name).strip().casefold() in CATEGORIES
        coded, note = _covariate(values, str(name), table.name, word=named)
        columns.append(coded)
        notes += note
    if not any(coded.shape[1] for coded in columns):
        raise DataError(
            f"{table.name}: expected a covariate that varies; found none among "
            f"{table.values.shape[1]}. Check the columns."
        )
    return as_numbers(PatientTable(table.name, pd.concat(columns, axis=1), tuple(notes)))


def _covariate(
    values: pd.Series[Any], name: str, file: str, *, word: bool
) -> tuple[pd.DataFrame, list[str]]:
    """One covariate as columns of numbers, none where it does not vary."""
    if values.nunique() < 2:
        return pd.DataFrame(index=values.index), [f"{file}: {name} does not vary and is left out"]
    numbers, odd = to_number(values)
    if not odd.any() and not word:
        return numbers.to_frame(name), []
    text = as_text(values)
    known = int(text.notna().sum())
    if not word and int(odd.sum()) < known:
        raise DataError(
            f"{file}, {name}: expected numbers or words; found {known - int(odd.sum())} numbers "
            f"and {int(odd.sum())} words ({short_list(pd.unique(text[odd]), limit=3)}). Say that "
            "the words mean missing, that all of the column are words, or drop it."
        )
    counts = text.value_counts()
    if len(counts) > MOST_LEVELS or len(counts) == known:
        raise DataError(
            f"{file}, {name}: expected words that several patients share, {MOST_LEVELS} at most; "
            f"found {len(counts)} for {known} patients. Drop the column, or name the one that "
            "identifies patients (id)."
        )
    levels = sorted(counts.index)
    common = max(levels, key=lambda level: counts[level])
    coded = {
        f"{name}={level}": text.eq(level).astype(float).where(text.notna())
        for level in levels
        if level != common
    }
    note = f"{file}: {name} has {len(levels)} levels, each against {common} ({counts[common]})"
    return pd.DataFrame(coded), [note]


def _like_feature(name: str) -> bool:
    return _FEATURE.fullmatch(name) is not None


def _like_gene(name: str) -> bool:
    return name in _KNOWN_GENES or _ENSEMBL.fullmatch(name) is not None


def _no_feature(name: str) -> bool:
    return name.startswith(DIAGNOSTICS) or name.casefold() in BOOKKEEPING


def _nothing(name: str) -> bool:
    return False
