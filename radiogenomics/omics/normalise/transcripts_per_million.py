"""Transcripts per million of the sample (TPM)."""

from __future__ import annotations

import pandas as pd

from radiogenomics.core.errors import AlignmentError, DataError, short_list
from radiogenomics.omics.normalise.counts import Floats, check_counts


def transcripts_per_million(
    counts: pd.DataFrame, gene_length: pd.Series[float], *, fractional: bool = False
) -> pd.DataFrame:
    """Divide counts by the length of their gene, then by their sum in the sample, in millions.

    ``TPM_g = 10⁶ · (c_g / l_g) / Σ_h (c_h / l_h)``; each sample on its own. Comparable between
    genes of a sample. Between samples it is a share of all transcripts: it moves when other genes
    do, and with the genes that the table holds, so the sum must run over all of them.

    Parameters
    ----------
    counts
        Samples × genes, raw.
    gene_length
        Effective length of each gene in any one unit, by the names of the columns; more genes than
        the table has do no harm.
    fractional
        Whether counts may have fractions.

    Returns
    -------
    DataFrame
        Samples × genes; each sample sums to one million.

    Raises
    ------
    DataError
        The table does not hold counts, or a length is missing or not above 0.
    AlignmentError
        Genes have no length, or several.

    References
    ----------
    Li et al. 2010, doi:10.1093/bioinformatics/btp692; Wagner, Kin & Lynch 2012,
    doi:10.1007/s12064-012-0162-3.

    Examples
    --------
    >>> counts = pd.DataFrame({"KPNA2": [30], "SMG5": [10]}, index=["P1"])
    >>> transcripts_per_million(counts, pd.Series({"KPNA2": 1.0, "SMG5": 0.5}))
           KPNA2      SMG5
    P1  600000.0  400000.0
    """
    values = check_counts(counts, fractional=fractional)
    absent = counts.columns.difference(gene_length.index)
    if len(absent) or gene_length.index.has_duplicates:
        twice = gene_length.index[gene_length.index.duplicated()].unique()
        raise AlignmentError(
            f"expected one length of every gene; found none of {len(absent)} "
            f"({short_list(absent)}) and several of {len(twice)} ({short_list(twice)}). Use the "
            "annotation that the reads were counted with."
        )
    rate = values / _lengths(gene_length.loc[counts.columns])
    return pd.DataFrame(1e6 * rate / rate.sum(axis=1, keepdims=True), counts.index, counts.columns)


def _lengths(of_genes: pd.Series[float]) -> Floats:
    lengths = of_genes.to_numpy(dtype=float)
    wrong = ~(lengths > 0)
    if wrong.any():
        raise DataError(
            f"expected gene lengths above 0; found {int(wrong.sum())} others "
            f"({short_list(of_genes.index[wrong])}). Drop these genes or complete the lengths."
        )
    return lengths
