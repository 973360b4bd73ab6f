"""Gene set variation analysis against a frozen reference."""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, pdtr

from radiogenomics.core.errors import (
    DataError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.expression import constant_columns
from radiogenomics.omics.scoring.scorer import GeneSets, GeneSetScorer

Floats = NDArray[np.float64]

_KERNELS = ("gaussian", "poisson")
# Steps per standard deviation, and end, of the table that GSVA reads the normal distribution from.
_STEPS, _END = 1000, 10
# Samples compared with the reference at a time: the temporaries are this many × genes.
_BLOCK = 32
# A sample with more of its genes outside what the reference has seen was measured otherwise.
_OUTSIDE = 0.5


class Gsva(GeneSetScorer):
    r"""Random walk over genes ranked by how high they are *for that gene* among the reference.

    1. A gene's place among the n reference samples, smoothed by a kernel: with ``"gaussian"``
       :math:`F_g(x) = \frac1n \sum_j \Phi((x - x_{gj}) / h_g)`, :math:`h_g` a quarter of the gene's
       standard deviation; with ``"poisson"``, for counts, the mean over j of
       :math:`P(Y \le x)`, Y Poisson of mean :math:`x_{gj} + 1/2`.
    2. Genes are ranked by F within the sample, the highest first; place i of p weighs
       :math:`|p - i + 1 - p/2|^\tau`.
    3. Down the ranking a sum rises by the weight's share at a member of the set and falls by
       :math:`1 / (p - k)` at another gene. The score is its greatest value above 0 plus its least
       below 0 (``difference``), or the one of the two that is farther from 0.

    The kernel uses reference samples only, so a patient scores the same alone and in any company,
    where other programs estimate it from whatever is handed in. Fitted and applied to the same
    samples it is GSVA (1.46), whose table of Φ in steps of 0.001 is used so that the ranks are the
    same; genes that tie rank in the order of the reference's columns, as there. Genes that do not
    vary in the reference are left out.

    Scores say how a patient compares with the reference: another reference, another score. The
    reference itself is the model, and large; keep it as a table and fit again to restore it.

    Parameters
    ----------
    gene_sets
        One GeneSet, several, or name → GeneSet or list of symbols. Weights are not used.
    kernel
        ``"gaussian"`` for logarithmic values, ``"poisson"`` for counts.
    tau
        Exponent of the weights, 0 or more.
    difference
        Whether the two extremes are added.
    min_coverage, warn_coverage
        See :class:`~radiogenomics.omics.scoring.scorer.GeneSetScorer`.

    Attributes
    ----------
    values_ : ndarray, shape (n_reference, n_genes)
        The reference.

    Raises
    ------
    DataError
        Fewer than two reference samples, a set that holds all genes, or values below 0 where counts
        are declared.
    SchemaError
        A set has genes that are down.

    References
    ----------
    Hänzelmann, Castelo & Guinney 2013, doi:10.1186/1471-2105-14-7.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rna = pd.DataFrame(rng.normal(size=(6, 5)), columns=list("abcde"))
    >>> score = Gsva({"ab": ["a", "b"]}).fit(rna)
    >>> bool((score.transform(rna.iloc[[2]]) == score.transform(rna).iloc[[2]]).all(axis=None))
    True
    """

    card: ClassVar[Method] = Method(
        name="gsva",
        title="Gene set variation analysis against a frozen reference",
        scope="omics: scoring",
        reference="Hänzelmann et al., BMC Bioinformatics 2013;14:7, doi:10.1186/1471-2105-14-7",
        limits="Relative to the reference: another one, another score. Needs a few dozen reference "
        "samples measured alike.",
        learns=True,
    )
    _ranks_all_genes = True
    _least_samples = 2

    def __init__(
        self,
        gene_sets: GeneSets,
        *,
        kernel: str = "gaussian",
        tau: float = 1.0,
        difference: bool = True,
        min_coverage: float = 0.5,
        warn_coverage: float = 0.8,
    ) -> None:
        super().__init__(gene_sets, min_coverage=min_coverage, warn_coverage=warn_coverage)
        self.kernel = kernel
        self.tau = tau
        self.difference = difference

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.kernel not in _KERNELS:
            raise UnknownNameError("kernel", str(self.kernel), _KERNELS)
        if not self.tau >= 0:
            raise DataError(f"tau: expected 0 or more; found {self.tau!r}. Mend the recipe.")

    def _useless(self, values: Floats) -> NDArray[np.bool_]:
        return constant_columns(values)

    def _learn(self, values: Floats) -> None:
        self._refuse_directions()
        self._refuse_negative(values)
        p = len(self.genes_)
        whole = [each.name for each in self.gene_sets_ if len(each) == p]
        if whole:
            raise DataError(
                f"{self.card.name}: expected varying genes outside the set to compare with; found "
                f"none in {short_list(whole)} (n_features = {p}, 1 feature(s) more at least). Hand "
                "in all genes that were measured."
            )
        # A copy: what the caller does to the table later must not move the reference.
        self.values_ = values.copy()

    def _score(self, values: Floats, samples: pd.Index) -> Floats:
        self._refuse_negative(values)
        self._warn_if_outside(values, samples)
        members = self._members()
        scores = np.empty((len(values), len(members)))
        for start in range(0, len(values), _BLOCK):
            block = slice(start, start + _BLOCK)
            place = _places(self._distribution(values[block]))
            for column, each in enumerate(members):
                scores[block, column] = self._walk(np.take(place, each, axis=1))
        return scores

    def _distribution(self, values: Floats) -> Floats:
        """Sum over the reference of the kernel's distribution at each value."""
        total = np.zeros(values.shape)
        if self.kernel == "poisson":
            counts = np.floor(values)
            for reference in self.values_:
                total += pdtr(counts, reference + 0.5)
            return total
        table = ndtr(np.arange(-_END * _STEPS, _END * _STEPS + 1) / _STEPS)
        width = self.values_.std(axis=0, ddof=1) / 4
        work, step = np.empty(values.shape), np.empty(values.shape, dtype=np.intp)
        for reference in self.values_:
            np.subtract(values, reference, out=work)
            work /= width
            np.clip(work, -_END, _END, out=work)
            # In GSVA's order, which decides how a value at the edge of a step is rounded.
            work /= _END
            work *= _END * _STEPS
            np.copyto(step, work, casting="unsafe")
            step += _END * _STEPS
            np.take(table, step, out=work)
            total += work
        return total

    def _walk(self, place: NDArray[np.int32]) -> Floats:
        """Score of a set from the places of its genes, 1 the highest, a row a sample."""
        p, k = len(self.genes_), place.shape[1]
        met = np.sort(place, axis=1)
        weight = np.abs(p - met + 1 - p / 2) ** self.tau
        total = weight.sum(axis=1, keepdims=True)
        # A lone gene right in the middle weighs nothing: then members count alike.
        share = np.where(total > 0, weight / np.where(total > 0, total, 1), 1 / k)
        risen = np.cumsum(share, axis=1)
        fallen = (met - 1 - np.arange(k)) / (p - k)
        # The sum peaks right at a member and is lowest right before one, or it stays at 0.
        highest = np.maximum((risen - fallen).max(axis=1), 0)
        lowest = np.minimum((risen - share - fallen).min(axis=1), 0)
        if self.difference:
            return highest + lowest
        return np.where(highest > -lowest, highest, lowest)

    def _refuse_negative(self, values: Floats) -> None:
        if self.kernel == "poisson" and values.min() < 0:
            raise DataError(
                f"{self.card.name}: expected counts for the Poisson kernel; found values down to "
                f'{values.min():.3g}. Use kernel="gaussian" for logarithmic values.'
            )

    def _warn_if_outside(self, values: Floats, samples: pd.Index) -> None:
        low, high = self.values_.min(axis=0), self.values_.max(axis=0)
        outside = ((values < low) | (values > high)).mean(axis=1) > _OUTSIDE
        # Two or three reference samples span little: most genes of any new one lie outside.
        if len(self.values_) >= 10 and outside.any():
            warnings.warn(
                f"{self.card.name}: expected samples in the unit of the reference; found "
                f"{int(outside.sum())} of {len(values)} with more than {_OUTSIDE:.0%} of their "
                f"genes outside its range ({short_list(samples[outside])}). Bring them to the same "
                "unit, or use a reference that was measured alike.",
                RadiogenomicsWarning,
                stacklevel=3,
            )


def _places(distribution: Floats) -> NDArray[np.int32]:
    """Place of each gene within its sample, 1 for the highest; ties in the order of columns."""
    counting = np.arange(1, distribution.shape[1] + 1, dtype=np.int32)
    place = np.empty(distribution.shape, dtype=np.int32)
    for row, sample in enumerate(distribution):
        place[row, np.argsort(-sample, kind="stable")] = counting
    return place
