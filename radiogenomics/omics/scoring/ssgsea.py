"""Single-sample gene set enrichment."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError, UnknownNameError, short_list
from radiogenomics.core.method import Method
from radiogenomics.omics.scoring.expression import refuse_flat
from radiogenomics.omics.scoring.ranks import rank_ranges, ranks_in_order
from radiogenomics.omics.scoring.scorer import GeneSets, GeneSetScorer

Floats = NDArray[np.float64]

_TIES = ("average", "order")


class SsGsea(GeneSetScorer):
    r"""Area between two cumulative distributions over a sample's ranking: members and the rest.

    Genes are ranked within the sample, r = 1 for the least expressed of n. Going down the ranking,
    the weighted share of members met, less the share of other genes met, is summed over all places:

    .. math::

        ES = \frac{\sum_{g \in S} r_g^{\alpha} r_g}{\sum_{g \in S} r_g^{\alpha}}
             - \frac{n(n+1)/2 - \sum_{g \in S} r_g}{n - k}

    for a set S of k genes. A gene at rank r is counted at r places, hence this closed form: only
    the ranks of members are needed. Each patient is scored alone. The value depends on n, so that
    scores from tables with other genes do not compare; fit on the genes shared by all.

    ``normalise`` divides by the range of all scores, of all sets, of the **reference samples**:
    learnt once and frozen, where other programs take the range of whatever was handed in, which
    changes a patient's score with the company. On its own reference it is GSVA's
    ``ssgsea.norm = TRUE`` (and gseapy's NES).

    Zeros tie. By default they share their mean rank, which is the mean of the score over all orders
    of the tied genes, but for their weights, taken at the mean rank. ``ties="order"`` does as GSVA:
    the earlier column ranks higher, and weights are of mean ranks rounded down.

    Parameters
    ----------
    gene_sets
        One GeneSet, several, or name → GeneSet or list of symbols. Weights are not used.
    alpha
        Exponent of the weights, 0 or more; with 0 all members count alike.
    normalise
        Whether to divide by the range of the reference's scores.
    ties
        ``"average"`` or ``"order"``.
    min_coverage, warn_coverage
        See :class:`~radiogenomics.omics.scoring.scorer.GeneSetScorer`.

    Attributes
    ----------
    range_ : float
        What scores are divided by; 1 without ``normalise``.

    Raises
    ------
    DataError
        A set holds all genes of the table, a sample has one value for all genes, or all scores of
        the reference are the same where ``normalise`` is asked for.
    SchemaError
        A set has genes that are down.

    References
    ----------
    Barbie et al. 2009, doi:10.1038/nature08460.

    Examples
    --------
    >>> rna = pd.DataFrame([[1.0, 4.0, 2.0, 3.0]], columns=list("abcd"), index=["P1"])
    >>> SsGsea({"high": ["b", "d"], "low": ["a", "c"]}).fit_transform(rna).round(4)
          high     low
    P1  2.0179 -1.9568
    """

    card: ClassVar[Method] = Method(
        name="ssgsea",
        title="Single-sample gene set enrichment: area between members and the rest",
        scope="omics: scoring",
        reference="Barbie et al., Nature 2009;462:108, doi:10.1038/nature08460",
        limits="Depends on which other genes were measured. Needs other patients only where it "
        "normalises, and then by the reference's range.",
        learns=True,
    )
    _ranks_all_genes = True

    def __init__(
        self,
        gene_sets: GeneSets,
        *,
        alpha: float = 0.25,
        normalise: bool = False,
        ties: str = "average",
        min_coverage: float = 0.5,
        warn_coverage: float = 0.8,
    ) -> None:
        super().__init__(gene_sets, min_coverage=min_coverage, warn_coverage=warn_coverage)
        self.alpha = alpha
        self.normalise = normalise
        self.ties = ties

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.ties not in _TIES:
            raise UnknownNameError("way with ties", str(self.ties), _TIES)
        if not self.alpha >= 0:
            raise DataError(f"alpha: expected 0 or more; found {self.alpha!r}. Mend the recipe.")

    def _learn(self, values: Floats) -> None:
        self._refuse_directions()
        n = len(self.genes_)
        whole = [each.name for each in self.gene_sets_ if len(each) == n]
        if whole:
            raise DataError(
                f"{self.card.name}: expected genes outside the set to compare with; found none in "
                f"{short_list(whole)} (n_features = {n}, 1 feature(s) more at least). Hand in all "
                "genes that were measured."
            )
        self.range_ = 1.0
        if self.normalise:
            scores = self._enrichment(values, pd.RangeIndex(len(values)))
            self.range_ = float(scores.max() - scores.min())
            if self.range_ <= 0:
                raise DataError(
                    f"{self.card.name}: expected scores that differ, to divide by their range; "
                    f"found one for all {len(values)} samples. Use normalise=False."
                )

    def _score(self, values: Floats, samples: pd.Index) -> Floats:
        return self._enrichment(values, samples) / self.range_

    def _enrichment(self, values: Floats, samples: pd.Index) -> Floats:
        refuse_flat(values, samples, what=self.card.name)
        n = values.shape[1]
        members = self._members()
        asked, places = np.unique(np.concatenate(members), return_inverse=True)
        twice, rank = self._ranks(values, asked)
        # Weights of all mean ranks there can be, halves too: far fewer powers than members.
        weight = (np.arange(2 * n + 1) / 2) ** self.alpha
        weights = weight[twice]
        weighted = weights * rank
        scores = np.empty((len(values), len(members)))
        ends = np.cumsum([len(each) for each in members])
        for column, (end, each) in enumerate(zip(ends, members, strict=True)):
            k = len(each)
            chosen = places[end - k : end]
            inside = _row_sums(weighted, chosen) / _row_sums(weights, chosen)
            outside = (n * (n + 1) / 2 - _row_sums(rank, chosen)) / (n - k)
            scores[:, column] = inside - outside
        return scores

    def _ranks(self, values: Floats, asked: NDArray[np.intp]) -> tuple[NDArray[np.int32], Floats]:
        """Twice the rank that weighs, and the rank that counts."""
        lowest, highest = rank_ranges(values, asked)
        twice = lowest + highest
        if self.ties == "average":
            return twice, twice / 2
        return twice // 2 * 2, ranks_in_order(values, asked).astype(float)


def _row_sums(values: Floats, columns: NDArray[np.intp]) -> Floats:
    # Taken, not indexed: rows stay contiguous, so that one sample is summed as it is among many.
    return np.take(values, columns, axis=1).sum(axis=1)
