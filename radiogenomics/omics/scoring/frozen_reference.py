"""The scale of a reference cohort, frozen, so that one patient can be put on it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, SchemaError, short_list
from radiogenomics.core.gene_set import GeneSet
from radiogenomics.core.signature import Signature

Floats = NDArray[np.float64]

FAR = 6.0
"""Standard deviations; a sample whose genes lie further off by half was measured otherwise."""


@dataclass(frozen=True, eq=False)
class FrozenReference:
    """Mean and standard deviation of each gene among reference samples.

    ``z_g = (x_g − centre_g) / scale_g``. The constants hold for one unit and one way of measuring.

    Parameters
    ----------
    genes
        Symbols.
    centre, scale
        One number a gene; scale is the standard deviation with n − 1.
    n_samples
        Reference samples; 0 where values are taken as they are (centre 0, scale 1).

    Raises
    ------
    SchemaError
        There is not one centre and one positive scale a gene.

    Examples
    --------
    >>> values = np.array([[4.0, 1.0], [8.0, 3.0]])
    >>> reference = FrozenReference.of(values, ["KPNA2", "SMG5"])
    >>> reference.standardise(np.array([[6.0, 3.0]])).round(3)
    array([[0.   , 0.707]])
    """

    genes: pd.Index
    centre: Floats
    scale: Floats
    n_samples: int

    def __post_init__(self) -> None:
        """Keep read-only arrays, one number a gene."""
        object.__setattr__(self, "genes", pd.Index(self.genes, dtype=object))
        for name in ("centre", "scale"):
            numbers = np.array(getattr(self, name), dtype=float)
            numbers.flags.writeable = False
            object.__setattr__(self, name, numbers)
        shapes = {self.centre.shape, self.scale.shape}
        if shapes != {(len(self.genes),)} or not (self.scale > 0).all():
            raise SchemaError(
                f"frozen reference: expected a centre and a positive scale for each of "
                f"{len(self.genes)} genes; found shapes {self.centre.shape} and "
                f"{self.scale.shape}, {int((self.scale <= 0).sum())} scales not positive. Leave "
                "out genes that do not vary."
            )

    @classmethod
    def of(cls, values: Floats, genes: Sequence[str] | pd.Index) -> FrozenReference:
        """Learn from samples × genes, at least two samples."""
        if len(values) < 2:
            raise DataError(
                "frozen reference: expected at least 2 samples, as one has no spread; found "
                f"n_samples = {len(values)}. Use a cohort."
            )
        # R's scale() and GSVA divide by n − 1 too.
        return cls(pd.Index(genes), values.mean(axis=0), values.std(axis=0, ddof=1), len(values))

    @classmethod
    def none(cls, genes: Sequence[str] | pd.Index) -> FrozenReference:
        """Values as they are."""
        return cls(pd.Index(genes), np.zeros(len(genes)), np.ones(len(genes)), 0)

    def standardise(self, values: Floats) -> Floats:
        """Put samples × genes on the reference's scale, each sample alone."""
        return values if self.n_samples == 0 else (values - self.centre) / self.scale

    def warn_if_far(self, standard: Floats, samples: pd.Index, *, what: str) -> None:
        """Warn where half of a sample's genes lie more than ``FAR`` standard deviations off."""
        if self.n_samples == 0:
            return
        far = np.median(np.abs(standard), axis=1) > FAR
        if far.any():
            warnings.warn(
                f"{what}: expected samples in the unit of the reference; found "
                f"{int(far.sum())} of {len(far)} with half of their genes more than {FAR:g} "
                f"standard deviations off ({short_list(samples[far])}). Bring them to the same "
                "unit (a logarithm missing?), or use a reference that was measured alike.",
                RadiogenomicsWarning,
                stacklevel=4,
            )

    def signature(self, gene_set: GeneSet, loading: Floats, *, unit: str) -> Signature:
        """A linear score as a signature: genes, loadings and these constants.

        Parameters
        ----------
        gene_set
            Genes, all of them in the reference.
        loading
            What each standardised gene is multiplied by.
        unit
            Unit of expression that the constants belong to.
        """
        place = self.genes.get_indexer(list(gene_set.genes))
        learnt = f"standardised on {self.n_samples} samples" if self.n_samples else "values as are"
        return Signature(
            name=gene_set.name,
            genes=gene_set.genes,
            weights=tuple(map(float, loading)),
            centre=tuple(map(float, self.centre[place])),
            scale=tuple(map(float, self.scale[place])),
            unit=unit,
            source=f"{gene_set.source}; {learnt}",
        )
