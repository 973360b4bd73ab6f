"""Scores that are weighted sums of standardised genes."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.signature import SignatureSet
from radiogenomics.omics.scoring.expression import constant_columns
from radiogenomics.omics.scoring.frozen_reference import FrozenReference
from radiogenomics.omics.scoring.scorer import GeneSetScorer

Floats = NDArray[np.float64]


class LinearScorer(GeneSetScorer):
    """Base of the scores ``Σ_g loading_g · z_g`` with ``z`` on the scale of the reference.

    Mean z, weighted sums and principal components differ in their loadings alone, which a subclass
    gives by ``_loading``. Genes that do not vary among the reference samples have no ``z`` and
    count as missing. A fitted score is a :class:`~radiogenomics.core.signature.SignatureSet`, so
    it can be kept as JSON and applied to one patient without this class.

    Attributes
    ----------
    reference_ : FrozenReference
        Centre and scale of each gene.
    loadings_ : tuple of ndarray
        Loadings of each set's genes, in the order of ``gene_sets_``.
    """

    _least_samples = 2

    def signatures(self, *, unit: str = "not stated") -> SignatureSet:
        """The fitted scores as signatures, all but the cut-off fixed.

        Parameters
        ----------
        unit
            Unit of the expression that was fitted.
        """
        return SignatureSet(
            {
                each.name: self.reference_.signature(each, loading, unit=unit)
                for each, loading in zip(self.gene_sets_, self.loadings_, strict=True)
            }
        )

    def _useless(self, values: Floats) -> NDArray[np.bool_]:
        return constant_columns(values)

    def _make_reference(self, values: Floats) -> FrozenReference:
        return FrozenReference.of(values, self.genes_)

    def _learn(self, values: Floats) -> None:
        self.reference_ = self._make_reference(values)
        standard = self.reference_.standardise(values)
        self.loadings_ = tuple(
            self._loading(standard[:, members], each)
            for members, each in zip(self._members(), self.gene_sets_, strict=True)
        )

    def _score(self, values: Floats, samples: pd.Index) -> Floats:
        standard = self.reference_.standardise(values)
        self.reference_.warn_if_far(standard, samples, what=self.card.name)
        scores = np.empty((len(values), len(self.gene_sets_)))
        for column, (members, loading) in enumerate(
            zip(self._members(), self.loadings_, strict=True)
        ):
            # Summed row by row: a matrix product may round differently for one row than for many.
            scores[:, column] = (np.take(standard, members, axis=1) * loading).sum(axis=1)
        return scores

    @abstractmethod
    def _loading(self, standard: Floats, gene_set: GeneSet) -> Floats:
        """Loadings of a set's genes, from reference samples × those genes, standardised."""
