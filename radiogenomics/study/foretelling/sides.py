"""Who is asked about: patients to learn from, patients to apply surrogates to, and their groups."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import (
    AlignmentError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.provenance import hash_file
from radiogenomics.io.feature_files import read_feature_file
from radiogenomics.io.patient_table import Source, read_patients
from radiogenomics.omics.identifiers import GeneNames
from radiogenomics.study.association.sides import Sides, read_sides, sides_wanted
from radiogenomics.study.cohorts import load_cohorts

NOT_STATED = "not stated"


@dataclass(frozen=True)
class AppliedWanted:
    """Where the patients are whom a surrogate is applied to.

    Parameters
    ----------
    features, expression
        Files; with ``cohort`` names of its assays. Without expression nothing is compared.
    data_root
        Folder that the manifest's files are relative to.
    cohort
        Manifest.
    patients
        Table of patients, where there is no cohort.
    groups
        Column of it, or of the cohort's patients: scanner, modality, site.
    """

    features: tuple[str, ...]
    expression: tuple[str, ...] = ()
    data_root: str | None = None
    cohort: str | None = None
    patients: str | None = None
    groups: str | None = None

    def __post_init__(self) -> None:
        """Check that there are features, and one place where groups stand."""
        if not self.features:
            raise StudyError(
                "biopsy: expected features of the patients that surrogates are applied to; found "
                "none beside what else was said of them. Give --apply-features."
            )
        _require_one_place(self.cohort, self.patients, "--apply-patients")

    @classmethod
    def of(
        cls,
        features: tuple[str, ...],
        expression: tuple[str, ...],
        data_root: str | None,
        *,
        cohort: str | None,
        patients: str | None,
        groups: str | None,
    ) -> AppliedWanted | None:
        """Say where they are, from words as a command has them; None where there is no word."""
        if not any((features, expression, cohort, patients, groups)):
            return None
        return cls(features, expression, data_root, cohort, patients, groups)

    def recorded(self) -> dict[str, object]:
        """What was asked, without the folders of this machine."""
        return _recorded(self.cohort, self.features, self.expression) | {"groups": self.groups}


@dataclass(frozen=True)
class BiopsyWanted:
    """What is foretold from what, and to whom it is applied.

    Parameters
    ----------
    features, expression
        To learn from: files; with ``cohort`` names of its assays.
    cohort, patients, within
        Manifest, or a table of patients; column of either inside whose values they are permuted.
    data_root
        Folder that the manifest's files are relative to.
    surrogates
        Locked before, in place of what is to be learnt from.
    gene_sets, genes, hgnc
        GMT, single genes, HGNC complete set.
    applied
        Patients that they are applied to.
    """

    features: tuple[str, ...] = ()
    expression: tuple[str, ...] = ()
    cohort: str | None = None
    patients: str | None = None
    within: str | None = None
    data_root: str | None = None
    surrogates: Path | None = None
    gene_sets: Path | None = None
    genes: tuple[str, ...] = ()
    hgnc: Path | None = None
    applied: AppliedWanted | None = None

    def __post_init__(self) -> None:
        """Check that something can be foretold, in one way."""
        _require_one_place(self.cohort, self.patients, "--patients")
        if self.surrogates is None:
            if not self.features or not self.expression:
                raise StudyError(
                    "biopsy: expected image features and expression to learn from, or surrogates "
                    f"that were locked before; found {len(self.features)} and "
                    f"{len(self.expression)} tables. Give --features and --expression, or "
                    "--surrogates."
                )
            return
        learnt = {
            "--features": self.features, "--expression": self.expression, "--cohort": self.cohort,
            "--patients": self.patients, "--within": self.within, "--gene-sets": self.gene_sets,
            "--genes": self.genes,
        }  # fmt: skip
        given = [option for option, value in learnt.items() if value]
        if given:
            raise StudyError(
                f"biopsy: expected nothing to learn from beside {self.surrogates.name}, whose "
                f"targets are locked; found {', '.join(given)}. Leave one or the other out."
            )
        if self.applied is None:
            raise StudyError(
                f"biopsy: expected patients that {self.surrogates.name} is applied to; found none. "
                "Give --apply-features."
            )

    @property
    def files(self) -> tuple[Path, ...]:
        """Files beside features and expression."""
        beside = [self.patients, None if self.applied is None else self.applied.patients]
        tables = (Path(each) for each in beside if each is not None)
        single = (self.surrogates, self.gene_sets, self.hgnc)
        return (*(path for path in single if path is not None), *tables)

    def recorded(self) -> dict[str, object]:
        """What was asked, without the folders of this machine."""
        return {
            "training": _recorded(self.cohort, self.features, self.expression)
            | {"within": self.within},
            "genes": list(self.genes),
            "files": [path.name for path in self.files],
            "applied": None if self.applied is None else self.applied.recorded(),
        }


@dataclass(frozen=True, eq=False)
class Applied:
    """Patients that a surrogate is applied to.

    Parameters
    ----------
    name
        Of the cohort, or of the first file.
    features
        Patients × features.
    genes
        Patients × genes of those of them who have expression; None for none.
    groups
        Of each patient; None where none were asked for.
    counts, notes, hashes, cohort
        As of :class:`~radiogenomics.study.association.sides.Sides`.
    """

    name: str
    features: pd.DataFrame
    genes: pd.DataFrame | None
    groups: pd.Series[str] | None
    counts: pd.DataFrame
    notes: tuple[str, ...]
    hashes: dict[str, str]
    cohort: Cohort | None = None


def read_training(wanted: BiopsyWanted, *, known: GeneNames | None = None) -> Sides:
    """Read both sides of the patients to learn from, and the groups they are permuted within.

    Raises
    ------
    RadiogenomicsError
        A file, manifest, assay or column is wrong, or no patient is in all tables.
    """
    own = wanted.within if wanted.cohort is not None else None
    asked = sides_wanted(
        wanted.features, wanted.expression, cohort=wanted.cohort, data_root=wanted.data_root,
        within=own,
    )  # fmt: skip
    sides = read_sides(asked, known=known)
    if wanted.within is not None and wanted.cohort is None:
        groups = read_groups(wanted.within, sides.features.index, cohort=None, file=wanted.patients)
        sides = replace(sides, strata=groups)
    return sides


def read_applied(wanted: AppliedWanted, *, known: GeneNames | None = None) -> Applied:
    """Read the features of all patients, and the expression of those who have it.

    Raises
    ------
    RadiogenomicsError
        A file, manifest, assay or column is wrong, or no patient has features and expression.
    """
    sides, cohort, notes = None, None, []
    if wanted.expression:
        asked = sides_wanted(
            wanted.features, wanted.expression, cohort=wanted.cohort, data_root=wanted.data_root
        )
        sides = read_sides(asked, known=known)
    if wanted.cohort is None:
        # Patients with expression tell whether patients are rows of a file.
        among = [] if sides is None else list(map(str, sides.features.index))
        tables = [read_feature_file(path, among=among) for path in wanted.features]
        notes = [note for table in tables for note in table.notes]
        features = _joined([table.values for table in tables])
        named = (*wanted.features, *wanted.expression)
        hashes = {Path(path).name: hash_file(Path(path)) for path in named}
        name = Path(wanted.features[0]).name.partition(".")[0]
    else:
        (cohort,), hashes = load_cohorts([wanted.cohort], wanted.data_root)
        features = _joined([cohort.assay(each).per_patient() for each in wanted.features])
        name = cohort.id
    counts = pd.DataFrame({"table": ["features"], "patients": [len(features)]})
    if sides is not None:
        counts, notes = sides.counts, [*notes, *sides.notes]
    groups = None
    if wanted.groups is not None:
        groups = read_groups(wanted.groups, features.index, cohort=cohort, file=wanted.patients)
    genes, remarks = None if sides is None else sides.genes, tuple(dict.fromkeys(notes))
    return Applied(name, features, genes, groups, counts, remarks, hashes, cohort)


def read_groups(
    column: str, patients: pd.Index, *, cohort: Cohort | None, file: str | None
) -> pd.Series[str]:
    """Return the group of each patient: a column of the cohort's patients, or of a file.

    Raises
    ------
    StudyError
        There is neither a cohort nor a file.
    UnknownNameError
        There is no such column.
    AlignmentError
        The file has none of the patients.
    """
    if cohort is not None:
        table, where = cohort.patients, cohort.id
    elif file is None:
        raise StudyError(
            f"{column}: expected a table of patients with this column; found neither a cohort nor "
            "a file. Give --patients, or for those that surrogates are applied to "
            "--apply-patients."
        )
    else:
        source = Source(Path(file), patients_in="rows")
        table, where = read_patients(source, known=_no, skip=_no).values, Path(file).name
    if column not in table:
        raise UnknownNameError(f"column of {where}", column, map(str, table.columns))
    if not patients.isin(table.index).any():
        raise AlignmentError(
            f"{where}: expected patients of the features; found none of them among "
            f"{len(table)} rows. Check the column of identifiers."
        )
    named = table[column].reindex(patients)
    unknown = int(named.isna().sum())
    if unknown:
        warnings.warn(
            f"{column} is not stated of {unknown} of {len(named)} patients: they are a group of "
            "their own.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    return named.astype(object).fillna(NOT_STATED).astype(str)


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Features of the patients that all tables have."""
    joined = pd.concat(tables, axis=1, join="inner")
    twice = joined.columns[joined.columns.duplicated()]
    if len(twice) or joined.empty:
        raise AlignmentError(
            "expected tables of features with the same patients and different names; found "
            f"{len(joined)} patients in all of them, and {short_list(twice) or 'no name'} in "
            "several. Give tables of the same patients."
        )
    return joined


def _require_one_place(cohort: str | None, patients: str | None, option: str) -> None:
    if cohort is not None and patients is not None:
        raise StudyError(
            f"biopsy: expected patients of {cohort} or a table of patients; found both. Leave "
            f"{option} out: columns of a cohort's patients are in its manifest."
        )


def _recorded(
    cohort: str | None, features: Sequence[str], expression: Sequence[str]
) -> dict[str, object]:
    return {
        "cohort": cohort and Path(cohort).name,
        "features": [Path(name).name for name in features],
        "expression": [Path(name).name for name in expression],
    }


def _no(name: str) -> bool:
    return False
