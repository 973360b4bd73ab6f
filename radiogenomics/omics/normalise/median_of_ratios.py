"""Relative log expression: size factors by the median ratio to a pseudo-reference (DESeq2)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.core.method import Method
from radiogenomics.omics.normalise.counts import Floats, read_counts


class MedianOfRatios(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    r"""Divide counts by size factors, the median ratio to the training samples' geometric mean.

    With :math:`\log m_g` the mean of log counts of gene g over the training samples, over genes
    that all of these express, the size factor of a sample is
    :math:`\exp\,\mathrm{median}_g(\log c_g - \log m_g)` over its genes above 0. The
    pseudo-reference m is kept with the model: a new sample gets the same factor whoever else is in
    its file. On the training samples factors are those of DESeq2's ``estimateSizeFactors``. edgeR's
    RLE factors are these over library sizes, scaled to a geometric mean of 1; with an even number
    of genes edgeR takes the arithmetic mean of the middle two ratios, where this takes the
    geometric.

    It assumes that the median gene does not differ. Misleads when most genes change in one
    direction, and with many sparse samples, where few genes are left.

    Parameters
    ----------
    log
        Return log2(normalised count + 1); else the normalised count.
    fractional
        Whether counts may have fractions, as those of RSEM or Salmon.

    Attributes
    ----------
    log_means_ : ndarray, shape (n_features_in_,)
        Natural logarithm of the pseudo-reference; -inf where a training sample lacks the gene.

    Raises
    ------
    DataError
        The table does not hold counts, no gene is expressed in all training samples, or a sample
        expresses none of those.

    References
    ----------
    Anders & Huber 2010, doi:10.1186/gb-2010-11-10-r106; Love, Huber & Anders 2014,
    doi:10.1186/s13059-014-0550-8.

    Examples
    --------
    >>> counts = np.array([[10, 20, 30], [40, 80, 120]])
    >>> MedianOfRatios().fit(counts).size_factors(counts)
    array([0.5, 2. ])
    """

    card: ClassVar[Method] = Method(
        name="median_of_ratios",
        title="Size factors by the median ratio to the training samples' geometric mean",
        scope="omics: normalisation",
        reference="Anders and Huber, Genome Biol 2010;11:R106, doi:10.1186/gb-2010-11-10-r106",
        limits="Assumes that the median gene does not differ; uses only genes that every training "
        "sample expresses.",
        learns=True,
    )

    def __init__(self, *, log: bool = True, fractional: bool = False) -> None:
        self.log = log
        self.fractional = fractional

    def fit(self, X: Any, y: Any = None) -> MedianOfRatios:
        """Learn the pseudo-reference; ``y`` is not used."""
        self.log_means_ = log_means(read_counts(self, X, fractional=self.fractional, reset=True))
        return self

    def size_factors(self, X: Any) -> Floats:
        """Size factor of each sample.

        Returns
        -------
        ndarray, shape (samples,)
            Above 0; 1 is the depth of the pseudo-reference.
        """
        check_is_fitted(self)
        return size_factors(read_counts(self, X, fractional=self.fractional), self.log_means_)

    def transform(self, X: Any) -> Floats:
        """Return normalised counts, each sample on its own."""
        check_is_fitted(self)
        counts = read_counts(self, X, fractional=self.fractional)
        scaled = counts / size_factors(counts, self.log_means_)[:, None]
        return np.log2(scaled + 1) if self.log else scaled

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags


def log_means(counts: Floats) -> Floats:
    """Mean log count of each gene; -inf where a sample lacks it.

    Raises
    ------
    DataError
        No gene is expressed in all samples.
    """
    with np.errstate(divide="ignore"):
        means = np.log(counts).mean(axis=0)
    if not np.isfinite(means).any():
        raise DataError(
            f"expected a gene that all {len(counts)} training samples express; found none among "
            f"n_features={counts.shape[1]}. Drop the sparsest samples, or use TMM."
        )
    return means


def size_factors(counts: Floats, means: Floats) -> Floats:
    """Median ratio of each sample's counts above 0 to the pseudo-reference.

    Raises
    ------
    DataError
        A sample expresses none of its genes.
    """
    told = np.isfinite(means)
    own = counts[:, told]
    logs = np.log(np.where(own > 0, own, np.nan)) - means[told]
    empty = np.flatnonzero(np.isnan(logs).all(axis=1))
    if len(empty):
        raise DataError(
            "expected samples that express genes of the pseudo-reference; found none of its "
            f"{int(told.sum())} in {len(empty)} (rows {short_list(empty)}). Check that columns "
            "are the genes of the training table, or drop these samples."
        )
    return np.exp(np.nanmedian(logs, axis=1))
