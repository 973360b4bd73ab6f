"""Assays: matrices of genes, proteins or image features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from radiogenomics.core.errors import AlignmentError, DataError, UnknownNameError, short_list
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.io.identifiers import as_text, patient_of, tissue_of
from radiogenomics.io.manifest import AssayTable, SampleTable
from radiogenomics.io.rows import PART, read_column, read_rows, unique_rows
from radiogenomics.io.tables import column_of, read_table, to_number


@dataclass(frozen=True, eq=False)
class AssayReading:
    """An assay, and what rules of the manifest resolved.

    Parameters
    ----------
    table
        Samples × variables.
    repeated_variables, repeated_samples
        Surplus columns and rows.
    """

    table: FeatureTable
    repeated_variables: int = 0
    repeated_samples: int = 0


def read_assay(name: str, rule: AssayTable, root: Path) -> AssayReading:
    """Read an assay; every sample is kept, with its patient and its tissue where known.

    ``obs`` holds ``patient_id``, ``sample_type`` (tumour, normal, recurrent, metastatic) where
    barcodes or the sample table say it, ``part`` where files were stacked, and the declared facts.
    ``var`` holds unit, source and, for Ensembl identifiers, ``gene_id`` with its version.

    Raises
    ------
    AlignmentError
        A sample or variable repeats and the manifest states no rule; a sample is not in the sample
        table; an identifier is empty or not of its kind.
    DataError
        A value is text or infinite, or there are no samples or variables.
    UnknownNameError
        A column that the manifest names is absent.
    """
    what = f"assay {name}"
    if rule.orientation == "genes_by_samples":
        values, facts, surplus = _genes_by_samples(rule, root, what)
    else:
        values, facts, surplus = _samples_by_variables(rule, root, what)
    if values.empty:
        raise DataError(
            f"{what}: expected samples and variables; found {values.shape[0]} and "
            f"{values.shape[1]}. Check drop, orientation and the file."
        )
    values, variables, repeated = _named_variables(values, rule, what)
    facts = _linked(facts, rule, root, what)
    table = FeatureTable.from_frame(
        values,
        name=name,
        unit=rule.unit,
        source="; ".join(part.file for part in rule.pieces()),
        patient_id=facts.pop("patient_id"),
        samples=facts,
        variables=variables,
    )
    return AssayReading(table, repeated, surplus)


def _genes_by_samples(
    rule: AssayTable, root: Path, what: str
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    part = rule.pieces()[0]
    frame = read_table(part, rule, root, text_column=rule.variable_column or 0)
    column = rule.variable_column or str(frame.columns[0])
    genes = as_text(column_of(frame, column, what=part.file))
    frame = _without(frame, (column, *rule.drop), part.file)
    values = _numeric(frame, what).T.set_axis(pd.Index(genes.to_numpy(), dtype=object), axis=1)
    values.index = pd.Index(rule.id.completed(as_text(values.index)).to_numpy(), dtype=object)
    return values, pd.DataFrame(index=values.index), 0


def _samples_by_variables(
    rule: AssayTable, root: Path, what: str
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    rows = read_rows(rule, root, what=what)
    names = rows.names
    if rule.parts:
        names = names + ":" + rows.frame[PART]
    cells, surplus = unique_rows(
        rows.frame.assign(**{"@patient": rows.patients}), names, rule.repeated_samples, what=what
    )
    facts = pd.DataFrame({"patient_id": cells.pop("@patient")}, index=cells.index)
    if rule.parts:
        facts[PART] = cells.pop(PART)
    for fact, column in rule.facts.items():
        source = pd.concat([cells, facts], axis=1)
        facts[fact] = read_column(source, column, missing=rule.missing, what=what)
    own = {rows.identifier, *(column.column for column in rule.facts.values())} & set(cells.columns)
    cells = _without(cells, (*(str(column) for column in own), *rule.drop), what)
    return _numeric(cells, what), facts, surplus


def _named_variables(
    values: pd.DataFrame, rule: AssayTable, what: str
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Give variables their names, resolve repeated ones, and say what was cut off."""
    given = as_text(values.columns)
    blank = int(given.isna().sum())
    if blank:
        raise AlignmentError(
            f"{what}: expected a name for each variable; found {blank} without. "
            "Name them in the file or leave these rows out."
        )
    names = given.str.split(".").str[0] if rule.identifiers == "ensembl" else given
    unique, repeated = (
        unique_rows(values.T, names, rule.duplicates, what=f"{what}, variables")
        if names.duplicated().any()
        else (None, 0)
    )
    variables = pd.DataFrame(index=pd.Index(names[~names.duplicated()].to_numpy(), dtype=object))
    if rule.identifiers == "ensembl":
        variables["gene_id"] = given[~names.duplicated()].to_numpy()
    if unique is not None:
        return unique.T, variables, repeated
    return values.set_axis(variables.index, axis=1), variables, 0


def _linked(facts: pd.DataFrame, rule: AssayTable, root: Path, what: str) -> pd.DataFrame:
    """Add the patient, and the tissue where it is known, of each sample."""
    samples = pd.Series(facts.index, index=facts.index, dtype=object)
    if rule.samples is not None:
        looked_up = _from_sample_table(samples, rule.samples, root, what)
        return pd.concat([facts.drop(columns="patient_id", errors="ignore"), looked_up], axis=1)
    if "patient_id" not in facts:
        facts = facts.assign(patient_id=patient_of(samples, rule.id.kind, what=what))
    if rule.id.kind == "tcga_barcode" and "sample_type" not in facts:
        tissues = tissue_of((name.partition(":")[0] for name in samples), what=what)
        facts = facts if tissues is None else facts.assign(sample_type=tissues)
    return facts


def _from_sample_table(
    samples: pd.Series[Any], table: SampleTable, root: Path, what: str
) -> pd.DataFrame:
    where = f"{what}, samples"
    part = table.pieces()[0]
    frame = read_table(part, table, root, text_column=table.sample)
    names = as_text(column_of(frame, table.sample, what=part.file))
    frame, _ = unique_rows(frame[names.notna()], names.dropna(), "error", what=where)
    absent = [name for name in samples if name not in frame.index]
    if absent:
        raise AlignmentError(
            f"{where}: expected each sample in column {table.sample!r} of {part.file}; found "
            f"{len(absent)} of {len(samples)} absent (assay: {short_list(absent, limit=3)}; table: "
            f"{short_list(frame.index, limit=3)}). Correct sample, or drop these samples."
        )
    frame = frame.loc[samples.to_list()]
    patients = as_text(column_of(frame, table.patient, what=part.file))
    linked = pd.DataFrame({"patient_id": patient_of(patients, table.id.kind, what=where)})
    for fact, column in table.facts.items():
        linked[fact] = read_column(frame, column, missing=table.missing, what=where)
    return linked


def _without(frame: pd.DataFrame, columns: tuple[str, ...], what: str) -> pd.DataFrame:
    for column in columns:
        if column not in frame.columns:
            raise UnknownNameError(f"column of {what}", column, map(str, frame.columns))
    return frame.drop(columns=list(columns))


def _numeric(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    text = [name for name, kind in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if not text:
        return frame
    converted: dict[Any, pd.Series[float]] = {}
    found = []
    for name in text:
        converted[name], odd = to_number(frame[name])
        if odd.any():
            found.append(f"{name}: {as_text(frame[name][odd]).iloc[0]!r}")
    if found:
        raise DataError(
            f"{what}: expected numbers; found text in {len(found)} columns ({short_list(found)}). "
            "Declare the words as missing, or drop these columns in the manifest."
        )
    return frame.assign(**converted)
