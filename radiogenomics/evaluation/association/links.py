"""Tables of a map: features × genes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from radiogenomics.evaluation.association.inputs import MapInputs
from radiogenomics.stats.association.null_pass import NullPass
from radiogenomics.stats.association.rank_tail import rank_correlation_p
from radiogenomics.stats.association.units import correlation_interval, correlation_p
from radiogenomics.stats.inputs import Floats

# Single precision of the null: a deal that gives the same again differs by rounding.
_ROUNDING = 1e-6
_BLOCK = 4096

Tail = Callable[[Floats, int], Floats]
"""Two-sided p of correlations with so many degrees of freedom."""


class Kept(NamedTuple):
    """Which rows of a table of all pairs are kept.

    Attributes
    ----------
    alpha : float
        Pairs with a false discovery rate or a family-wise p up to this are kept,
    fewest, most : int
        but so many of the strongest at least and at most.
    """

    alpha: float = 0.05
    fewest: int = 200
    most: int = 20_000


def link_table(
    inputs: MapInputs, null: NullPass, *, kept: Kept, level: float = 0.95
) -> pd.DataFrame:
    """Strongest links of features with genes.

    Returns
    -------
    DataFrame
        ``feature, gene, rho`` (partial beside covariates), ``low, high`` (Fisher; the choice of
        the strongest is not in them), ``p`` (t), ``fdr`` (Benjamini–Hochberg over all pairs, of p
        by :func:`tail_of`: far out, that of t is too small for ranks),
        ``p_family, p_feature, p_gene`` (largest |rho| under permuted patients: of all pairs, of the
        feature's, of the gene's), ``rho_unadjusted``, ``p_unadjusted`` and ``n``; the strongest
        first.
    """
    strength, tail = np.abs(null.r), tail_of(inputs)
    sorted_p = tail(np.sort(strength, axis=None)[::-1], inputs.freedom)
    chosen = _strongest(strength, sorted_p, kept)
    feature, gene = np.unravel_index(chosen, strength.shape)
    rho, size = null.r[feature, gene], strength[feature, gene]
    low, high = correlation_interval(rho, inputs.freedom, level=level, method=inputs.method)
    plain = unadjusted(inputs, feature, gene)
    return pd.DataFrame(
        {
            "feature": inputs.feature_names[feature],
            "gene": inputs.gene_names[gene],
            "rho": rho,
            "low": low,
            "high": high,
            "p": correlation_p(rho, inputs.freedom),
            "fdr": benjamini_hochberg_of(tail(rho, inputs.freedom), sorted_p),
            "p_family": family_p(size, null.largest_by_feature.max(axis=1)),
            "p_feature": family_p_each(size, null.largest_by_feature, feature),
            "p_gene": family_p_each(size, null.largest_by_gene, gene),
            "rho_unadjusted": plain,
            "p_unadjusted": correlation_p(plain, inputs.n - 2),
            "n": inputs.n,
        }
    )


def gene_table(inputs: MapInputs, null: NullPass) -> pd.DataFrame:
    """Strongest feature of each gene: ``gene, feature, rho, p_gene, p_family``, strongest first.

    ``p_gene`` is family-wise over the features of this gene: for a gene that was asked for
    beforehand it is the p of the question whether any feature goes with it.
    """
    return _best(inputs, null, axis=0)


def feature_table(inputs: MapInputs, null: NullPass) -> pd.DataFrame:
    """Strongest gene of each feature: ``feature, gene, rho, p_feature, p_family``."""
    return _best(inputs, null, axis=1)


def unadjusted(inputs: MapInputs, feature: NDArray[np.intp], gene: NDArray[np.intp]) -> Floats:
    """Correlation of named pairs without covariates."""
    features, genes = inputs.plain_features, inputs.plain_genes
    if features is None or genes is None:
        features, genes = inputs.features, inputs.genes
    return np.asarray(np.einsum("np,np->p", features[:, feature], genes[:, gene]))


def tail_of(inputs: MapInputs) -> Tail:
    """p of a link that holds far out too: by four moments for ranks, by t for values."""
    return rank_correlation_p if inputs.method == "spearman" else correlation_p


def family_p(strength: Floats, largest: NDArray[np.float32]) -> Floats:
    """Share of deals, this one counted, whose largest statistic is as large.

    Examples
    --------
    >>> family_p(np.array([0.5, 0.2]), np.array([0.3, 0.4, 0.1], dtype=np.float32))
    array([0.25, 0.75])
    """
    below = np.searchsorted(np.sort(largest), strength * (1 - _ROUNDING), side="left")
    return np.asarray((1 + len(largest) - below) / (1 + len(largest)))


def family_p_each(
    strength: Floats, largest: NDArray[np.float32], column: NDArray[np.intp]
) -> Floats:
    """As `family_p`, each value against a column of its own of ``largest`` (deals, columns)."""
    reached = np.empty(len(strength), dtype=np.intp)
    for start in range(0, len(strength), _BLOCK):
        block = slice(start, start + _BLOCK)
        least = strength[block] * (1 - _ROUNDING)
        reached[block] = (largest[:, column[block]] >= least).sum(axis=0)
    return np.asarray((1 + reached) / (1 + len(largest)))


def benjamini_hochberg_of(p: Floats, sorted_p: Floats) -> Floats:
    """False discovery rate of some p-values, all of which stand in ``sorted_p``, rising.

    Examples
    --------
    >>> benjamini_hochberg_of(np.array([0.01, 0.5]), np.array([0.01, 0.5, 0.9]))
    array([0.03, 0.75])
    """
    count = len(sorted_p)
    rate = sorted_p * count / np.arange(1, count + 1)
    rate = np.minimum(np.minimum.accumulate(rate[::-1])[::-1], 1.0)
    # Rounding of a p computed twice must not carry it past itself.
    at = np.searchsorted(sorted_p, p * (1 - 1e-12), side="left")
    return np.asarray(rate[np.minimum(at, count - 1)])


def found_by_rate(
    strength: Floats, freedom: int, alpha: float, *, tail: Tail = correlation_p
) -> tuple[NDArray[np.intp], Floats]:
    """Pairs of a false discovery rate up to ``alpha``: flat positions, strongest first, and rates.

    Examples
    --------
    >>> found_by_rate(np.array([[0.9, 0.1], [0.2, 0.95]]), 18, 0.05)[0]
    array([3, 0])
    """
    flat = strength.ravel()
    # Only pairs whose own p is as small can be among them; twice as large leaves room for `tail`.
    t = stdtrit(freedom, 1 - min(alpha, 0.5))
    likely = np.flatnonzero(flat >= t / np.sqrt(freedom + t**2))
    likely = likely[np.argsort(-flat[likely], kind="stable")]
    p = tail(flat[likely], freedom)
    rate = p * flat.size / np.arange(1, len(likely) + 1)
    rate = np.minimum.accumulate(rate[::-1])[::-1]
    found = rate <= alpha
    return likely[found], rate[found]


def _strongest(strength: Floats, sorted_p: Floats, kept: Kept) -> NDArray[np.intp]:
    """Flat positions of the pairs that are kept, strongest first."""
    rate = sorted_p * len(sorted_p) / np.arange(1, len(sorted_p) + 1)
    found = np.flatnonzero(rate <= kept.alpha)
    wanted = min(max(int(found[-1]) + 1 if len(found) else 0, kept.fewest), kept.most)
    wanted = min(wanted, strength.size)
    flat = strength.ravel()
    top = np.argpartition(-flat, wanted - 1)[:wanted]
    return top[np.lexsort((top, -flat[top]))]


def _best(inputs: MapInputs, null: NullPass, *, axis: int) -> pd.DataFrame:
    strength = np.abs(null.r)
    partner = strength.argmax(axis=axis)
    own = np.arange(strength.shape[1 - axis])
    feature, gene = (partner, own) if axis == 0 else (own, partner)
    size = strength[feature, gene]
    largest = null.largest_by_gene if axis == 0 else null.largest_by_feature
    first, second = ("gene", "feature") if axis == 0 else ("feature", "gene")
    names = {"feature": inputs.feature_names[feature], "gene": inputs.gene_names[gene]}
    table = pd.DataFrame(
        {
            first: names[first],
            second: names[second],
            "rho": null.r[feature, gene],
            f"p_{first}": family_p_each(size, largest, own),
            "p_family": family_p(size, null.largest_by_feature.max(axis=1)),
        }
    )
    return table.iloc[np.argsort(-size, kind="stable")].reset_index(drop=True)
