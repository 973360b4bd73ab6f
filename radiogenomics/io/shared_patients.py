"""Which patients several tables have in common, and how many of each that is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pandas as pd

from radiogenomics.core.errors import AlignmentError, DataError, short_list
from radiogenomics.io.identifiers import BARCODE, patient_of, tissue_of

TUMOUR = "tumour"


@dataclass(frozen=True, eq=False)
class SharedPatients:
    """Tables cut to the patients that all of them have.

    Parameters
    ----------
    tables
        Name → patients × variables, rows in one order: that of the first table.
    counts
        ``table, patients, shared``.
    note
        The counts in a sentence.
    """

    tables: Mapping[str, pd.DataFrame]
    counts: pd.DataFrame
    note: str

    def __len__(self) -> int:
        """Count the shared patients."""
        return len(next(iter(self.tables.values())))


def shared_patients(tables: Mapping[str, pd.DataFrame]) -> SharedPatients:
    """Keep the patients that all tables have.

    Identifiers are compared as they are. Where more would be shared if case and separators did not
    count, or if TCGA barcodes were cut to the patient (:func:`tcga_patients`), the note or the
    error says so; it is not done.

    Parameters
    ----------
    tables
        Name → patients × variables, at least one, each patient once.

    Raises
    ------
    DataError
        There is no table.
    AlignmentError
        A table has a patient twice, or no patient is in all tables.

    Examples
    --------
    >>> ct = pd.DataFrame({"original_shape_MeshVolume": [9.0, 4.0, 7.0]}, index=["P1", "P2", "P3"])
    >>> rna = pd.DataFrame({"KPNA2": [5.0, 6.0]}, index=["P3", "P1"])
    >>> found = shared_patients({"features": ct, "expression": rna})
    >>> found.note
    '2 patients are in all tables: 2 of 3 of features, 2 of 2 of expression'
    >>> found.tables["expression"].index.tolist()
    ['P1', 'P3']
    """
    if not tables:
        raise DataError("expected tables of patients; found none. Name at least one.")
    for name, table in tables.items():
        repeated = table.index[table.index.duplicated(keep=False)]
        if len(repeated):
            raise AlignmentError(
                f"{name}: expected one row a patient; found {repeated.nunique()} patients with "
                f"several ({len(repeated)} rows). Choose or aggregate rows first."
            )
    indexes = [table.index for table in tables.values()]
    shared = reduce(lambda left, right: left[left.isin(right)], indexes)
    parts = [f"{len(shared)} of {len(index)} of {name}" for name, index in _named(tables)]
    hint = _hint(tables, len(shared))
    if shared.empty:
        examples = "; ".join(f"{name}: {short_list(i, limit=2)}" for name, i in _named(tables))
        raise AlignmentError(
            f"expected patients that all {len(tables)} tables have; found none ({examples}). "
            f"Check the columns of identifiers, and whether a table is turned.{hint}"
        )
    counts = pd.DataFrame(
        {
            "table": list(tables),
            "patients": [len(index) for index in indexes],
            "shared": len(shared),
        }
    )
    note = f"{len(shared)} patients are in all tables: {', '.join(parts)}"
    kept = {name: table.loc[shared] for name, table in tables.items()}
    return SharedPatients(kept, counts, note + (f".{hint}" if hint else ""))


def tcga_patients(table: pd.DataFrame, *, what: str) -> tuple[pd.DataFrame, str]:
    """Name rows by TCGA patient instead of TCGA sample; samples other than tumours are left out.

    Parameters
    ----------
    table
        Samples × variables, named by barcodes (``TCGA-XX-XXXX-01A-...``) with points or hyphens.
    what
        The table in words, for messages.

    Returns
    -------
    DataFrame, str
        Patients × variables; what was cut and left out, in a sentence.

    Raises
    ------
    AlignmentError
        A name is no barcode, or a patient has several tumour samples.

    Examples
    --------
    >>> rna = pd.DataFrame({"KPNA2": [5.0, 6.0]}, index=["TCGA-A1-A0SB-01A", "TCGA-A1-A0SB-11A"])
    >>> tcga_patients(rna, what="expression")[0].index.tolist()
    ['TCGA-A1-A0SB']
    """
    names = _with_hyphens(table.index)
    patients = patient_of(pd.Series(names, dtype=object), "tcga_barcode", what=what)
    tissues = tissue_of(names, what=what) or [TUMOUR] * len(names)
    kept = pd.Series(tissues, dtype=object).eq(TUMOUR)
    cut = table[kept.to_numpy()].set_axis(pd.Index(patients[kept].to_list()), axis=0)
    repeated = cut.index[cut.index.duplicated(keep=False)]
    if len(repeated):
        raise AlignmentError(
            f"{what}: expected one tumour sample a patient; found {repeated.nunique()} patients "
            f"with several ({len(repeated)} samples). Choose or average samples first."
        )
    return cut, (
        f"{what}: TCGA barcodes cut to the patient, {int((~kept).sum())} of {len(table)} samples "
        "that are no primary tumours left out"
    )


def _named(tables: Mapping[str, pd.DataFrame]) -> list[tuple[str, pd.Index[Any]]]:
    return [(name, table.index) for name, table in tables.items()]


def _hint(tables: Mapping[str, pd.DataFrame], shared: int) -> str:
    """What would share more patients, as advice."""
    folded = [{re.sub(r"[^a-z0-9]", "", str(n).casefold()) for n in i} for _, i in _named(tables)]
    alike = len(set.intersection(*folded))
    if alike > shared:
        return f" {alike} would be shared if case and separators did not count: write them alike."
    barcodes = [
        {name[:12] for name in _with_hyphens(index) if BARCODE.fullmatch(name)}
        for _, index in _named(tables)
    ]
    cut = len(set.intersection(*barcodes))
    if cut > shared:
        return f" {cut} would be shared if TCGA barcodes were cut to the patient."
    return ""


def _with_hyphens(names: pd.Index[Any]) -> list[str]:
    """Barcodes as TCGA writes them; R turns their hyphens into points."""
    return [n.replace(".", "-") if n.startswith("TCGA.") else n for n in map(str, names)]
