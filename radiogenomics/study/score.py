"""A locked signature and a file of expression → scores, each patient on their own."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    StudyError,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.signature import Signature
from radiogenomics.io.expression_table import read_expression_table
from radiogenomics.io.hgnc import read_hgnc
from radiogenomics.io.signatures import read_signature
from radiogenomics.io.store import replaced_file
from radiogenomics.omics.checks import check_expression
from radiogenomics.omics.identifiers import GeneNames, rename_genes
from radiogenomics.omics.scoring.frozen_reference import FrozenReference
from radiogenomics.omics.units import LOG2_UNITS, to_log2

HIGH, LOW = "high", "low"
FEWEST_REFERENCE = 10
FAR = 8


@dataclass(frozen=True, eq=False)
class Scores:
    """What :func:`score` found.

    Parameters
    ----------
    table
        ``sample, score, label``; label is empty where the signature has no cut-off.
    signature
        The signature as it was applied, with the reference's constants where one was given.
    genes
        Which name of the file was taken for each gene: ``given, symbol, status, others``.
    """

    table: pd.DataFrame
    signature: Signature
    genes: pd.DataFrame


def score(
    *,
    signature: str | Path | Signature,
    expression: str | Path | pd.DataFrame,
    unit: str | None = None,
    reference: str | Path | pd.DataFrame | None = None,
    genes_in_rows: bool = False,
    hgnc: str | Path | None = None,
    out: str | Path | None = None,
) -> Scores:
    """Score samples by a locked signature; nothing is learnt from them.

    A sample's score is the same alone and in any file. Constants hold for the way of measuring they
    were learnt in; for another give ``reference``, whose means and deviations then replace them.

    Parameters
    ----------
    signature
        JSON file, or the noun.
    expression
        Samples × genes: csv, tsv, parquet or Excel, or a frame.
    unit
        Unit of ``expression`` and of ``reference``; that of the signature if not given.
    reference
        Samples × genes of a cohort measured alike, at least 10 samples.
    genes_in_rows, hgnc
        Rows of the files are genes; HGNC complete set, for former symbols and aliases.
    out
        CSV to write.

    Raises
    ------
    StudyError
        The signature is not locked enough to score; no unit is known.
    DataError, AlignmentError, UnknownNameError
        The table is turned, in another unit, lacks a gene or a value, or names a gene twice.

    Examples
    --------
    >>> two = Signature("IRS", ("KPNA2", "SMG5"), weights=(1.0, 1.0), centre=(5.0, 4.0),
    ...                 scale=(1.0, 0.5), cutoff=0.0, unit="log2(TPM+1)")
    >>> one = pd.DataFrame({"KPNA2": [6.5], "SMG5": [4.0]}, index=["P1"])
    >>> score(signature=two, expression=one).table
      sample  score label
    0     P1    1.5  high
    """
    locked = signature if isinstance(signature, Signature) else read_signature(signature)
    stated = _unit(unit, locked)
    known = None if hgnc is None else GeneNames(read_hgnc(hgnc), Path(hgnc).name)
    values, genes = _read(expression, locked, unit=stated, rows=genes_in_rows, known=known)
    if reference is not None:
        cohort, _ = _read(reference, locked, unit=stated, rows=genes_in_rows, known=known)
        locked = restandardised(locked, cohort, unit=LOG2_UNITS[stated])
    _require_same_unit(locked, LOG2_UNITS[stated])
    table = _table(locked, values)
    if out is not None:
        with replaced_file(Path(out)) as staging:
            table.to_csv(staging, index=False, lineterminator="\n")
    return Scores(table, locked, genes)


def _unit(unit: str | None, signature: Signature) -> str:
    stated = unit or signature.unit
    if stated not in LOG2_UNITS:
        raise StudyError(
            f"{signature.name}: expected the unit of the expression; found {stated!r}. Say unit, "
            f"one of {', '.join(LOG2_UNITS)}."
        )
    return stated


def _table(signature: Signature, values: pd.DataFrame) -> pd.DataFrame:
    _warn_of_strangers(signature, values)
    scores = signature.score(values)
    labels = pd.Series("", index=scores.index, dtype=object)
    if signature.cutoff is not None:
        labels = signature.classify(scores).map({True: HIGH, False: LOW})
    return pd.DataFrame(
        {"sample": scores.index, "score": scores.to_numpy(), "label": labels.to_numpy()}
    )


def _warn_of_strangers(signature: Signature, values: pd.DataFrame) -> None:
    """Few genes do not betray their unit; values far from those learnt from do."""
    away = (values - list(signature.centre or ())).abs() / list(signature.scale or ())
    far = [str(gene) for gene in values.columns[(away > FAR).any()]]
    if far:
        warnings.warn(
            f"{signature.name}: expected genes within {FAR} standard deviations of the patients "
            f"that it was derived from; found {short_list(far)} beyond, in "
            f"{int((away > FAR).any(axis=1).sum())} of {len(values)} samples. Check the unit, or "
            "give a reference cohort measured like them.",
            RadiogenomicsWarning,
            stacklevel=4,
        )


def _read(
    source: str | Path | pd.DataFrame,
    signature: Signature,
    *,
    unit: str,
    rows: bool,
    known: GeneNames | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Samples × the signature's genes on the logarithmic scale, and how genes were found."""
    if isinstance(source, pd.DataFrame):
        values, what = (source.T if rows else source), "expression"
    else:
        values, what = read_expression_table(source, genes_in_rows=rows), Path(source).name
    check_expression(values, unit, known=known, what=what)
    # Counts are scaled by the whole library, so genes are only picked after it.
    named = rename_genes(to_log2(values, unit), known=known)
    absent = [gene for gene in signature.genes if gene not in named.values]
    if absent:
        raise UnknownNameError(f"gene of {what}", absent[0], named.values.columns)
    wanted = named.genes[named.genes["symbol"].isin(signature.genes)]
    return named.values[list(signature.genes)], wanted.reset_index(drop=True)


def restandardised(signature: Signature, cohort: pd.DataFrame, *, unit: str) -> Signature:
    """The same weights on genes standardised by a cohort measured alike; outcomes are not seen.

    Raises
    ------
    DataError
        The cohort has fewer than ten samples.
    """
    if len(cohort) < FEWEST_REFERENCE:
        raise DataError(
            f"reference: expected at least {FEWEST_REFERENCE} samples to standardise on; found "
            f"{len(cohort)}. Use a cohort measured like the samples."
        )
    found = FrozenReference.of(cohort.to_numpy(dtype=float), list(signature.genes))
    return replace(
        signature,
        centre=tuple(map(float, found.centre)),
        scale=tuple(map(float, found.scale)),
        unit=unit,
        source=f"{signature.source}; standardised anew on {len(cohort)} reference samples",
    )


def _require_same_unit(signature: Signature, unit: str) -> None:
    if signature.unit not in (unit, "not stated"):
        raise DataError(
            f"{signature.name}: expected expression in {signature.unit}, which its constants "
            f"belong to; found {unit}. Bring the samples to that unit, or give a reference cohort "
            "measured like them."
        )
