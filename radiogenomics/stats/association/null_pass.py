r"""Every feature against every gene and gene set, under the same permutations of patients.

Patients of the features are dealt anew and all is computed again: genes stay together, and so do
features, since every feature meets the same deals. With covariates what they leave of the features
is permuted, and the covariates are taken out once more (Freedman & Lane). Single precision serves
for the null, double for what was observed.

The largest |r| of each deal, over the genes of a feature, over the features of a gene or over all,
is what a family-wise p is counted from (Westfall & Young). For gene sets it is the largest |NES|,
the enrichment score by the mean of all scores of its sign, the observed one among them: the
observed patients are one deal more, and treated otherwise their NES would be the largest too often
(with 99 deals in twice as many null cohorts as it may).

References: Westfall & Young 1993, Resampling-Based Multiple Testing; Freedman & Lane 1983,
doi:10.1080/07350015.1983.10509354; Winkler et al. 2014, doi:10.1016/j.neuroimage.2014.01.060
(permutation beside covariates); Subramanian et al. 2005, doi:10.1073/pnas.0506580102.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from radiogenomics.core.errors import DataError
from radiogenomics.core.log import progress
from radiogenomics.stats.association import _kernels
from radiogenomics.stats.association.running_sum import SetMembers, enrichment_scores, set_members
from radiogenomics.stats.association.set_contrast import set_contrasts
from radiogenomics.stats.inputs import Floats

Singles = NDArray[np.float32]
Places = NDArray[np.intp]

# Deals at a time: a table of deals × genes that leaves the last cache to others.
_CHUNK = 128
# The null is of single precision, and genes nearly equal in r may change places there.
_ROUNDING = 1e-4
# Left of a unit column beside the covariates, in a deal: below it is rounding.
_NOTHING = 1e-10
# Width of a bin of |NES|, and how many there are.
NES_BIN = 0.001
_BINS = 20_000


class SetNulls(NamedTuple):
    """Gene sets against features.

    Attributes
    ----------
    es, nes, p : ndarray of shape (features, sets)
        Running sum; by the mean of the scores of its sign, null and observed; share of null scores
        of that sign as far from 0.
    largest_by_feature : ndarray of shape (deals, features)
        Largest null |NES| over the sets.
    largest_by_set : ndarray of shape (deals, sets)
        Largest null |NES| over the features.
    counts : ndarray of int, shape (bins,)
        How many null |NES| lie in each bin of width ``NES_BIN``, over all deals.
    contrast : ndarray of shape (features, sets)
        Correlation with the contrast of the set.
    difference : ndarray of shape (features, sets)
        Mean correlation with the genes of the set, less that with all others.
    contrast_by_feature, contrast_by_set : ndarray
        Largest null |correlation| with the contrasts, as above.
    coherence : ndarray of shape (sets,)
        Mean correlation of two genes of the set.
    """

    es: Floats
    nes: Floats
    p: Floats
    largest_by_feature: Singles
    largest_by_set: Singles
    counts: NDArray[np.int64]
    contrast: Floats
    difference: Floats
    contrast_by_feature: Singles
    contrast_by_set: Singles
    coherence: Floats


class NullPass(NamedTuple):
    """What was observed, and the largest that permuted patients gave.

    Attributes
    ----------
    r : ndarray of shape (features, genes)
        (Partial) correlation.
    largest_by_feature : ndarray of shape (deals, features)
        Largest null |r| over the genes.
    largest_by_gene : ndarray of shape (deals, genes)
        Largest null |r| over the features.
    sets : SetNulls or None
        None without gene sets.
    """

    r: Floats
    largest_by_feature: Singles
    largest_by_gene: Singles
    sets: SetNulls | None


def null_pass(
    features: Floats,
    genes: Floats,
    *,
    orders: Places,
    sets: Sequence[Places] = (),
    basis: Floats | None = None,
    weight: float = 1.0,
    threads: int = 1,
) -> NullPass:
    """Correlate all with all, observed and under each permutation of the patients.

    No table of features × genes × deals is held. The result does not depend on ``threads``.

    Parameters
    ----------
    features, genes, orders
        Unit columns (``unit_columns``) of the same patients, shapes (n, features) and (n, genes);
        permutations of these, shape (deals, n).
    sets, weight
        Positions of the genes of each set, none for no tests of sets; exponent of the running sum.
    basis, threads
        Orthonormal columns of the covariates that were taken out, shape (n, k); of this process.

    Raises
    ------
    DataError
        Shapes or a set do not fit.

    Examples
    --------
    >>> from radiogenomics.stats.association.units import unit_columns
    >>> from radiogenomics.stats.permutation import permutations
    >>> rng = np.random.default_rng(0)
    >>> g = rng.normal(size=(40, 30))
    >>> f = np.column_stack([g[:, 0] + 0.5 * rng.normal(size=40), rng.normal(size=40)])
    >>> found = null_pass(unit_columns(f), unit_columns(g), orders=permutations(40, 99, rng))
    >>> strongest = np.abs(found.r).max(axis=1)
    >>> (found.largest_by_feature >= strongest).sum(axis=0)
    array([ 0, 81])
    """
    own = _basis(basis, features, genes, orders)
    work = _Work(features, genes, orders, tuple(sets), own, weight)
    everyone = [_Space.of(work) for _ in range(max(threads, 1))]
    spaces: SimpleQueue[_Space] = SimpleQueue()
    for space in everyone:
        spaces.put(space)

    def one(feature: int) -> None:
        space = spaces.get()
        try:
            work.run(feature, space)
        finally:
            spaces.put(space)

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(len(everyone)) as pool:
        done = pool.map(one, range(features.shape[1]))
        for _ in progress(done, "features against permuted patients", total=features.shape[1]):
            pass
    return work.found(everyone)


def _basis(basis: Floats | None, features: Floats, genes: Floats, orders: Places) -> Floats:
    """Columns of the covariates, none without any; all tables must be of the same patients."""
    n = len(features)
    own = np.empty((n, 0)) if basis is None else basis
    if genes.shape[0] != n or orders.shape[1:] != (n,) or own.shape[0] != n or not len(orders):
        raise DataError(
            f"expected features, genes, covariates and orders of the same patients; found "
            f"{features.shape}, {genes.shape}, {own.shape} and {orders.shape}. Align them."
        )
    return own


class _Space(NamedTuple):
    """What one thread writes to."""

    r: Singles
    es: Singles
    by_gene: Singles
    by_set: Singles
    contrast_by_set: Singles
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, work: _Work) -> _Space:
        deals, genes, sets = len(work.orders), work.genes32.shape[1], len(work.sets)
        return cls(
            np.empty((min(_CHUNK, deals), genes), dtype=np.float32),
            np.empty((deals, sets), dtype=np.float32),
            np.zeros((deals, genes), dtype=np.float32),
            np.zeros((deals, sets), dtype=np.float32),
            np.zeros((deals, sets), dtype=np.float32),
            np.zeros(_BINS, dtype=np.int64),
        )


class _Work:
    """All features in turn; results by feature are written in place, those over features apart."""

    def __init__(
        self,
        features: Floats,
        genes: Floats,
        orders: Places,
        sets: tuple[Places, ...],
        basis: Floats,
        weight: float,
    ) -> None:
        self.features, self.orders, self.basis, self.weight = features, orders, basis, weight
        self.sets = sets
        self.genes32 = np.ascontiguousarray(genes, dtype=np.float32)
        self.r = features.T @ genes
        many, deals = features.shape[1], len(orders)
        self.by_feature = np.zeros((deals, many), dtype=np.float32)
        if sets:
            self.members: SetMembers = set_members(sets, genes.shape[1])
            self.contrasts = set_contrasts(genes, sets)
            self.contrasts32 = self.contrasts.units.astype(np.float32)
            self.es, self.nes, self.p = (np.empty((many, len(sets))) for _ in range(3))
            self.nes_by_feature = np.zeros((deals, many), dtype=np.float32)
            self.contrast_by_feature = np.zeros((deals, many), dtype=np.float32)

    def run(self, feature: int, space: _Space) -> None:
        """One feature against all genes and sets, in every deal."""
        dealt = self._dealt(self.features[:, feature])
        for start in range(0, len(dealt), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            r = np.matmul(dealt[chunk], self.genes32, out=space.r[: len(dealt[chunk])])
            self.by_feature[chunk, feature] = _kernels.raise_to(r, space.by_gene[chunk])
            if self.sets:
                space.es[chunk] = enrichment_scores(r, self.members, weight=self.weight)
        if self.sets:
            self._normalise(feature, space)
            r = np.abs(dealt @ self.contrasts32)
            np.maximum(space.contrast_by_set, r, out=space.contrast_by_set)
            self.contrast_by_feature[:, feature] = r.max(axis=1)

    def found(self, spaces: Sequence[_Space]) -> NullPass:
        """Join what the threads wrote."""
        by_gene = np.maximum.reduce([space.by_gene for space in spaces])
        if not self.sets:
            return NullPass(self.r, self.by_feature, by_gene, None)
        contrast = self.features.T @ self.contrasts.units
        sets = SetNulls(
            self.es,
            self.nes,
            self.p,
            self.nes_by_feature,
            np.maximum.reduce([space.by_set for space in spaces]),
            np.sum([space.counts for space in spaces], axis=0),
            contrast,
            contrast * self.contrasts.lengths,
            self.contrast_by_feature,
            np.maximum.reduce([space.contrast_by_set for space in spaces]),
            self.contrasts.coherence,
        )
        return NullPass(self.r, self.by_feature, by_gene, sets)

    def _dealt(self, unit: Floats) -> Singles:
        """The feature in every deal, of length 1 beside the covariates."""
        dealt = unit[self.orders]
        if self.basis.shape[1]:
            dealt -= (dealt @ self.basis) @ self.basis.T
            length = np.sqrt(np.einsum("dn,dn->d", dealt, dealt))[:, None]
            # Of a feature that covariates explain wholly in a deal nothing is left to correlate.
            dealt /= np.where(length > _NOTHING, length, np.inf)
        return dealt.astype(np.float32)

    def _normalise(self, feature: int, space: _Space) -> None:
        """NES and p of a feature's sets, and the largest null |NES|."""
        es = enrichment_scores(self.r[[feature]], self.members, weight=self.weight)[0]
        null, deals = space.es, len(self.orders)
        up, side = null > 0, es > 0
        rises = up.sum(axis=0)
        sizes = np.abs(null)
        above = np.where(up, null, 0).sum(axis=0, dtype=float)
        below = sizes.sum(axis=0, dtype=float) - above
        # The observed score counts as any other: only so is it one of the deals.
        high = (above + np.where(side, es, 0)) / np.maximum(rises + side, 1)
        low = (below - np.where(side, 0, es)) / np.maximum(deals - rises + ~side, 1)
        high, low = (np.maximum(each, np.finfo(np.float32).tiny) for each in (high, low))
        as_far = (sizes >= np.abs(es) * (1 - _ROUNDING)) & (up == side)
        same = np.where(side, rises, deals - rises)
        self.es[feature], self.nes[feature] = es, es / np.where(side, high, low)
        self.p[feature] = (1 + as_far.sum(axis=0)) / (1 + same)
        sizes /= np.where(up, high, low).astype(np.float32)
        np.maximum(space.by_set, sizes, out=space.by_set)
        self.nes_by_feature[:, feature] = sizes.max(axis=1)
        bins = np.minimum((sizes / np.float32(NES_BIN)).astype(np.int32), _BINS - 1)
        np.add(space.counts, np.bincount(bins.ravel(), minlength=_BINS), out=space.counts)
