"""The two sides of a map: image features and expression of the same patients, and covariates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    AlignmentError,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.provenance import hash_file
from radiogenomics.io.patient_table import PatientTable
from radiogenomics.io.shared_patients import SharedPatients, shared_patients
from radiogenomics.omics import LOG2_UNITS
from radiogenomics.omics.identifiers import GeneNames, rename_genes
from radiogenomics.study.association.side_covariates import (
    of_known_patients,
    require_groups,
    strata_of,
    untaken_sites,
    varying_covariates,
    with_strata,
)
from radiogenomics.study.association.side_files import (
    FileWords,
    Read,
    read_side_files,
    short_names,
)
from radiogenomics.study.cohorts import load_cohorts
from radiogenomics.study.inputs import log2_per_patient

Names = Sequence[str | Path] | str | Path | None

FEATURES, EXPRESSION, COVARIATES = "features", "expression", "covariates"


@dataclass(frozen=True)
class SidesWanted:
    """Where the two sides are to be found.

    Parameters
    ----------
    features, expression
        Files; with ``cohort`` names of its assays. Several are joined by patient.
    covariates
        One file; with ``cohort`` names of columns of its patients.
    within
        Column, of the covariates or the patients, inside whose values patients are alike.
    cohort, data_root
        Manifest by path or shipped name, and the folder its files are relative to.
    words
        Columns of the files: of identifiers, and those that are left out.
    what
        The cohort in words, for messages.
    """

    features: tuple[str, ...]
    expression: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    within: str | None = None
    cohort: str | None = None
    data_root: str | None = None
    words: FileWords = FileWords()
    what: str = "map"

    def __post_init__(self) -> None:
        """Check that there is something to read, and each table once."""
        if not self.features or not self.expression:
            raise StudyError(
                f"{self.what}: expected image features and expression; found "
                f"{len(self.features)} and {len(self.expression)} tables. Give both, as files, or "
                "beside a cohort as names of its assays."
            )
        for tables in (self.features, self.expression):
            twice = sorted({name for name in tables if tables.count(name) > 1})
            if twice:
                raise StudyError(
                    f"{self.what}: expected each table once; found {', '.join(twice)} again. "
                    "Name it once."
                )
        if self.cohort is None and len(self.covariates) > 1:
            raise StudyError(
                f"{self.what}: expected one file of covariates; found "
                f"{', '.join(self.covariates)}. Put them into one, or name a cohort and columns "
                "of its patients."
            )
        if self.cohort is not None and self.words.id is not None:
            raise StudyError(
                f"{self.what}: expected the column of identifiers in the manifest; found "
                f"{self.words.id!r} beside it. Leave it out, or name files."
            )


@dataclass(frozen=True, eq=False)
class Sides:
    """What a map is drawn from, patients in one order.

    Parameters
    ----------
    name
        Of the cohort, or of the first file.
    features, genes
        Patients × columns.
    sources
        Table that each feature comes from.
    covariates
        Patients × numbers or categories; None for none.
    strata
        Of each patient; None where all are alike.
    counts
        ``table, patients, shared``.
    notes
        What was taken for granted or left out.
    hashes
        Logical name → hash of each file.
    cohort
        Where a manifest was named.
    reads
        Which of the words on files each of them had.
    """

    name: str
    features: pd.DataFrame
    genes: pd.DataFrame
    sources: pd.Series[str]
    covariates: pd.DataFrame | None
    strata: pd.Series[str] | None
    counts: pd.DataFrame
    notes: tuple[str, ...]
    hashes: dict[str, str]
    cohort: Cohort | None = None
    reads: tuple[Read, ...] = ()

    @property
    def caution(self) -> str:
        """What could make links and is not taken out; empty for nothing that is known of."""
        return untaken_sites(self.cohort, self.covariates, self.features.index)


class _Tables(NamedTuple):
    """Patients × columns by kind and name, before anything is joined."""

    features: Mapping[str, pd.DataFrame]
    expression: Mapping[str, pd.DataFrame]
    covariates: pd.DataFrame | None

    @property
    def all(self) -> dict[str, pd.DataFrame]:
        found = {f"{FEATURES} {name}": table for name, table in self.features.items()}
        found |= {f"{EXPRESSION} {name}": table for name, table in self.expression.items()}
        return found if self.covariates is None else found | {COVARIATES: self.covariates}

    def cut_to(self, shared: Mapping[str, pd.DataFrame]) -> _Tables:
        """Tables of the patients that all of them have."""
        return _Tables(
            {name: shared[f"{FEATURES} {name}"] for name in self.features},
            {name: shared[f"{EXPRESSION} {name}"] for name in self.expression},
            shared.get(COVARIATES),
        )


def sides_wanted(
    features: Names, expression: Names, covariates: Names = None, *,
    cohort: str | Path | None = None, data_root: str | Path | None = None,
    within: str | None = None, id: str | None = None, drop: Names = None, what: str = "map",
) -> SidesWanted:  # fmt: skip
    """Say where two sides are, from words as a command has them: one name, several or none."""
    return SidesWanted(
        names_given(features),
        names_given(expression),
        names_given(covariates),
        within,
        None if cohort is None else str(cohort),
        None if data_root is None else str(data_root),
        FileWords(id, tuple(dict.fromkeys(names_given(drop)))),
        what,
    )


def read_sides(
    wanted: SidesWanted,
    *,
    known: GeneNames | None = None,
    prefixes: Sequence[str] | None = None,
) -> Sides:
    """Read both sides and keep the patients that are in all tables.

    Parameters
    ----------
    wanted
        Where they are.
    known, prefixes
        Gene names, to bring the genes to their present symbols. What to put before names of
        features that several tables have, table by table; where there are not as many as tables,
        the tables' own names; None refuses such names.

    Raises
    ------
    RadiogenomicsError
        A file, manifest, assay or column is wrong, or no patient is in all tables.
    """
    cohort: Cohort | None = None
    notes: tuple[str, ...] = ()
    if wanted.cohort is None:
        tables, notes, reads = _from_files(wanted)
        named = [*wanted.features, *wanted.expression, *wanted.covariates]
        names = short_names(named)
        hashes = {name: hash_file(Path(path)) for name, path in zip(names, named, strict=True)}
        name = Path(wanted.features[0]).name.partition(".")[0]
    else:
        (cohort,), hashes = load_cohorts([wanted.cohort], wanted.data_root)
        tables, reads = _from_cohort(cohort, wanted)
        name = cohort.id
    tables = tables._replace(covariates=of_known_patients(tables.covariates))
    shared = _shared(tables)
    tables = tables.cut_to(shared.tables)
    features, sources, called = _named_apart(tables.features, prefixes)
    genes = _joined(list(tables.expression.values()), "genes")
    genes, renamed = _named_genes(genes, known)
    covariates, dull = varying_covariates(tables.covariates)
    strata = None
    if wanted.within is not None:
        strata = strata_of(
            wanted.within, covariates=covariates, cohort=cohort, patients=features.index
        )
        covariates = with_strata(covariates, strata, wanted.within)
    return Sides(
        name=name,
        features=features,
        genes=genes,
        sources=sources,
        covariates=covariates,
        strata=strata,
        counts=shared.counts,
        notes=(*notes, shared.note, *called, *renamed, *dull),
        hashes=hashes,
        cohort=cohort,
        reads=reads,
    )


def _from_files(wanted: SidesWanted) -> tuple[_Tables, tuple[str, ...], tuple[Read, ...]]:
    covariates = wanted.covariates[0] if wanted.covariates else None
    files = read_side_files(wanted.features, wanted.expression, covariates, words=wanted.words)
    images, genes = (
        {name: read.table.values for name, read in zip(short_names(paths), reads, strict=True)}
        for paths, reads in (
            (wanted.features, files.features),
            (wanted.expression, files.expression),
        )
    )
    beside = None if files.covariates is None else files.covariates.table.values
    return _Tables(images, genes, beside), files.notes, tuple(files.reads)


def _from_cohort(cohort: Cohort, wanted: SidesWanted) -> tuple[_Tables, tuple[Read, ...]]:
    images = {name: cohort.assay(name).per_patient() for name in wanted.features}
    genes = {name: _tumours(cohort.assay(name)) for name in wanted.expression}
    columns = frozenset(str(name) for table in images.values() for name in table)
    drop = frozenset(wanted.words.drop)
    for name, table in images.items():
        images[name] = table.drop(columns=[column for column in table if str(column) in drop])
    covariates = None
    if wanted.covariates:
        for name in wanted.covariates:
            if name not in cohort.patients:
                raise UnknownNameError(f"column of {cohort.id}", name, cohort.patients.columns)
        covariates = cohort.patients[list(dict.fromkeys(wanted.covariates))]
        require_groups(covariates)
    # Assays have no file of their own here: one record says what all of them had.
    empty = PatientTable(cohort.id, pd.DataFrame())
    return _Tables(images, genes, covariates), (Read(empty, drop & columns, columns),)


def _tumours(table: FeatureTable) -> pd.DataFrame:
    if "sample_type" in table.samples:
        table = table.where("sample_type", "tumour")
    units = set(table.adata.var["unit"])
    return log2_per_patient(table) if units <= set(LOG2_UNITS) else table.per_patient()


def _shared(tables: _Tables) -> SharedPatients:
    """Patients of all tables; where there are none, the error shows what identifiers look like."""
    try:
        return shared_patients(tables.all)
    except AlignmentError as error:
        text = str(error)
        for table in tables.all.values():
            for name in map(str, table.index[:2]):
                form = re.sub("[A-Za-z]", "A", re.sub(r"\d", "0", name))
                # Only where the name stands in a list, as it may be a number like others.
                text = re.sub(rf"(?<=[:,] ){re.escape(name)}(?=[,;)]| and )", form, text)
        raise AlignmentError(text) from None


def _named_apart(
    tables: Mapping[str, pd.DataFrame], prefixes: Sequence[str] | None
) -> tuple[pd.DataFrame, pd.Series[str], list[str]]:
    """Features of all tables, the table of each; names that several have begin with the table."""
    counts = pd.Series([name for table in tables.values() for name in table]).value_counts()
    twice = set(counts.index[counts > 1])
    notes = []
    if twice and prefixes is not None:
        own = prefixes if len(prefixes) == len(tables) else list(tables)
        begins = {
            name: Path(prefix).with_suffix("").as_posix().replace("/", "_")
            for name, prefix in zip(tables, own, strict=True)
        }
        tables = {
            name: table.rename(columns={each: f"{begins[name]}_{each}" for each in twice})
            for name, table in tables.items()
        }
        notes = [
            f"{len(twice)} features are in several tables and called by the table, as "
            f"{next(iter(begins.values()))}_{min(twice)}"
        ]
    joined = _joined(list(tables.values()), "image features")
    sources = [name for name, table in tables.items() for _ in table]
    return joined, pd.Series(sources, joined.columns, dtype=object), notes


def _joined(tables: Sequence[pd.DataFrame], what: str) -> pd.DataFrame:
    joined = pd.concat(tables, axis=1)
    twice = joined.columns[joined.columns.duplicated()]
    if len(twice):
        raise AlignmentError(
            f"expected {what} under different names in all tables; found {short_list(twice)} "
            f"in several. Rename them, or give one of the tables."
        )
    return joined


def _named_genes(genes: pd.DataFrame, known: GeneNames | None) -> tuple[pd.DataFrame, list[str]]:
    """Genes under their present symbols; columns that come to one symbol are averaged."""
    if known is None:
        return genes, []
    named = rename_genes(genes, known=known, repeated="mean")
    other = named.genes["symbol"].notna() & (named.genes["symbol"] != named.genes["given"])
    text = f"{int(other.sum())} of {genes.shape[1]} genes are called by their present symbol"
    merged = genes.shape[1] - named.values.shape[1]
    return named.values, [text + (f", and {merged} averaged with others of it" if merged else "")]


def names_given(names: Names) -> tuple[str, ...]:
    """Names as a tuple: one, several or none.

    Examples
    --------
    >>> names_given("rna.csv"), names_given(None)
    (('rna.csv',), ())
    """
    if names is None:
        return ()
    return (str(names),) if isinstance(names, str | Path) else tuple(map(str, names))
