"""What normalisers by library factors share: effective library sizes and their log-CPM."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from radiogenomics.core.errors import DataError
from radiogenomics.omics.normalise.counts import Floats, read_counts


class LibraryNormaliser(OneToOneFeatureMixin, TransformerMixin, BaseEstimator, ABC):
    r"""Scale each sample by its library size times a factor.

    With :math:`N` the library size, :math:`f` the factor and :math:`L = N f`, counts become
    :math:`10^6 c / L`, or with ``log`` as in edgeR

    .. math:: \log_2 \frac{10^6 (c + p L / \bar L)}{L + 2 p L / \bar L}

    with prior count :math:`p` and :math:`\bar L` the mean of the training samples. Factors are
    divided by their geometric mean over the training samples. Both means stay as they were learnt.
    """

    def __init__(
        self, *, log: bool = True, prior_count: float = 2.0, fractional: bool = False
    ) -> None:
        self.log = log
        self.prior_count = prior_count
        self.fractional = fractional

    def fit(self, X: Any, y: Any = None) -> LibraryNormaliser:
        """Learn what factors are relative to; ``y`` is not used."""
        if not 0 <= self.prior_count < np.inf:
            raise DataError(
                f"prior_count: expected at least 0; found {self.prior_count}. 2 is usual."
            )
        counts = read_counts(self, X, fractional=self.fractional, reset=True)
        # Genes that no training sample expresses would drag quantiles down.
        self.expressed_ = counts.any(axis=0)
        size = counts.sum(axis=1)
        self._learn(counts[:, self.expressed_], size)
        raw = self._raw_factors(counts[:, self.expressed_], size)
        self.centre_ = float(np.exp(np.log(raw).mean()))
        self.mean_library_size_ = float((size * raw / self.centre_).mean())
        return self

    def factors(self, X: Any) -> Floats:
        """Normalisation factor of each sample, to multiply its library size with.

        Returns
        -------
        ndarray, shape (samples,)
            Above 0, around 1.
        """
        check_is_fitted(self)
        return self._factors(read_counts(self, X, fractional=self.fractional))

    def transform(self, X: Any) -> Floats:
        """Return normalised expression, each sample on its own."""
        check_is_fitted(self)
        counts = read_counts(self, X, fractional=self.fractional)
        size = (counts.sum(axis=1) * self._factors(counts))[:, None]
        if not self.log:
            return 1e6 * counts / size
        prior = self.prior_count * size / self.mean_library_size_
        with np.errstate(divide="ignore"):
            return np.log2(1e6 * (counts + prior) / (size + 2 * prior))

    def _factors(self, counts: Floats) -> Floats:
        raw = self._raw_factors(counts[:, self.expressed_], counts.sum(axis=1))
        return raw / self.centre_

    @abstractmethod
    def _learn(self, counts: Floats, size: Floats) -> None:
        """Keep what factors need of the training samples, given expressed genes only."""

    @abstractmethod
    def _raw_factors(self, counts: Floats, size: Floats) -> Floats:
        """Factor of each sample, before division by the training samples' mean."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags
