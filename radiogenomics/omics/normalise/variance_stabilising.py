"""Counts on a scale where genes vary alike whatever their mean (DESeq2's VST)."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import trim_mean
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import DataError, FallbackWarning
from radiogenomics.core.method import Method
from radiogenomics.omics.normalise.counts import Floats, read_counts
from radiogenomics.omics.normalise.dispersion import (
    SMALLEST_DISPERSION,
    DispersionTrend,
    fit_trend,
    gene_dispersions,
)
from radiogenomics.omics.normalise.median_of_ratios import log_means, size_factors

# As DESeq2's vst(): genes with a lower mean are not drawn for the trend.
_LOWEST_MEAN = 5.0
# As DESeq2's fitType="mean".
_TRIM = 0.001


def variance_stabilised(
    normalised: ArrayLike, *, asymptotic: float, extra_poisson: float
) -> Floats:
    r"""Transform normalised counts so that their variance does not depend on their mean.

    For the dispersion trend :math:`\alpha(m) = a + b / m` and a normalised count q

    .. math:: \log_2 \frac{1 + b + 2 a q + 2\sqrt{a q (1 + b + a q)}}{4 a},

    which is nearly :math:`\log_2 q` for large counts and flattens towards small ones.

    Parameters
    ----------
    normalised : array-like
        Counts over size factors, at least 0.
    asymptotic
        a, above 0.
    extra_poisson
        b, at least 0.

    Raises
    ------
    DataError
        A parameter or value is out of range.

    References
    ----------
    Anders & Huber 2010, doi:10.1186/gb-2010-11-10-r106.

    Examples
    --------
    >>> variance_stabilised([0, 10, 1000], asymptotic=0.1, extra_poisson=2.0).round(3)
    array([2.907, 4.492, 9.987])
    """
    q = np.asarray(normalised, dtype=float)
    if not (asymptotic > 0 and extra_poisson >= 0 and (q >= 0).all()):
        raise DataError(
            "expected normalised counts and an extra-Poisson noise of at least 0 with an "
            f"asymptotic dispersion above 0; found {extra_poisson} and {asymptotic}, or counts "
            "below 0 or missing. Learn both with VarianceStabilising."
        )
    a, b = asymptotic, extra_poisson
    return np.log2((1 + b + 2 * a * q + 2 * np.sqrt(a * q * (1 + b + a * q))) / (4 * a))


class VarianceStabilising(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Variance-stabilised counts; size factors and dispersion trend learnt on training samples.

    Size factors are medians of ratios (:class:`MedianOfRatios`). Dispersions of ``genes`` genes,
    evenly spaced among those with a mean of 5 or more, give the trend
    (:mod:`~radiogenomics.omics.normalise.dispersion`), and the trend the transformation
    (:func:`variance_stabilised`). Pseudo-reference and trend are kept with the model: a new sample
    gets the same values whoever else is in its file. Groups of samples are not told to it, so
    dispersion includes what differs between them.

    Given the same trend, values equal DESeq2's. The trend differs a little: here each dispersion
    has the highest likelihood, where DESeq2 stops early and, for strongly expressed genes, keeps
    its first guess by moments. On 100 liver samples and 5,183 genes values differ by at most 0.03,
    in the median by 0.003 (with ``genes=None``: 0.007 and 0.0006).

    Misleads for samples of other composition or depth than the training samples: low counts of a
    shallow sample stay more variable.

    Parameters
    ----------
    genes
        How many genes the trend is learnt from; None for all with a count.
    fractional
        Whether counts may have fractions, as those of RSEM or Salmon.

    Attributes
    ----------
    log_means_ : ndarray, shape (n_features_in_,)
        Natural logarithm of the pseudo-reference.
    asymptotic_, extra_poisson_ : float
        The trend. Where dispersions have none, their trimmed mean and 0, with a warning.

    Raises
    ------
    DataError
        The table does not hold counts, there is one sample, or size factors have no gene.

    References
    ----------
    Anders & Huber 2010, doi:10.1186/gb-2010-11-10-r106; Love, Huber & Anders 2014,
    doi:10.1186/s13059-014-0550-8.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> mean = rng.uniform(20, 2000, 200)
    >>> counts = rng.negative_binomial(5, 5 / (5 + mean), size=(12, 200))
    >>> round(VarianceStabilising().fit(counts).asymptotic_, 1)
    0.2
    """

    card: ClassVar[Method] = Method(
        name="variance_stabilising",
        title="Counts transformed so that their variance does not depend on their mean",
        scope="omics: normalisation",
        reference="Love et al., Genome Biol 2014;15:550, doi:10.1186/s13059-014-0550-8",
        limits="Assumes that the median gene does not differ and that new samples have the depth "
        "of the training samples, within a factor of a few.",
        learns=True,
    )

    def __init__(self, *, genes: int | None = 1000, fractional: bool = False) -> None:
        self.genes = genes
        self.fractional = fractional

    def fit(self, X: Any, y: Any = None) -> VarianceStabilising:
        """Learn pseudo-reference and trend; ``y`` is not used."""
        if self.genes is not None and (self.genes < 2 or int(self.genes) != self.genes):
            raise DataError(
                f"genes: expected a whole number from 2, or None; found {self.genes}. "
                "1000 is usual."
            )
        counts = read_counts(self, X, fractional=self.fractional, reset=True)
        if len(counts) < 2:
            raise DataError(
                "expected at least 2 training samples, since one has no variance; found "
                "n_samples=1. Fit on the training cohort."
            )
        self.log_means_ = log_means(counts)
        factors = size_factors(counts, self.log_means_)
        means = (counts / factors[:, None]).mean(axis=0)
        chosen = _spaced(means, self.genes)
        dispersions = gene_dispersions(counts[:, chosen], factors)
        trend = fit_trend(means[chosen], dispersions) or _flat(dispersions)
        self.asymptotic_, self.extra_poisson_ = trend
        return self

    def size_factors(self, X: Any) -> Floats:
        """Size factor of each sample, shape (samples,)."""
        check_is_fitted(self)
        return size_factors(read_counts(self, X, fractional=self.fractional), self.log_means_)

    def transform(self, X: Any) -> Floats:
        """Return values on a log2-like scale, each sample on its own."""
        check_is_fitted(self)
        counts = read_counts(self, X, fractional=self.fractional)
        return variance_stabilised(
            counts / size_factors(counts, self.log_means_)[:, None],
            asymptotic=self.asymptotic_,
            extra_poisson=self.extra_poisson_,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags


def _spaced(means: Floats, genes: int | None) -> np.ndarray:
    """Genes for the trend: all with a count, or some evenly spaced by their mean."""
    if genes is None:
        return np.flatnonzero(means > 0)
    order = np.argsort(means, kind="stable")
    order = order[means[order] > _LOWEST_MEAN]
    if len(order) <= genes:
        return order if len(order) else np.flatnonzero(means > 0)
    return order[np.rint(np.linspace(0, len(order) - 1, genes)).astype(int)]


def _flat(dispersions: Floats) -> DispersionTrend:
    used = dispersions[dispersions > 10 * SMALLEST_DISPERSION]
    level = float(trim_mean(used, _TRIM)) if len(used) else SMALLEST_DISPERSION
    warnings.warn(
        f"dispersions of {len(dispersions)} genes do not fall with their mean; their mean "
        f"{level:.3g} is used for all. Look at these counts before trusting the transformation.",
        FallbackWarning,
        stacklevel=3,
    )
    return DispersionTrend(level, 0.0)
