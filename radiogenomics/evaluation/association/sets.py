"""Tables of a map: features × gene sets."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.evaluation.association.inputs import MapInputs
from radiogenomics.evaluation.association.links import (
    Kept,
    benjamini_hochberg_of,
    family_p,
    family_p_each,
)
from radiogenomics.stats.association.null_pass import NES_BIN, SetNulls
from radiogenomics.stats.association.running_sum import leading_edge
from radiogenomics.stats.association.set_contrast import set_contrasts
from radiogenomics.stats.association.units import correlation_interval, correlation_p
from radiogenomics.stats.inputs import Floats

SEPARATOR = ", "
# Features and sets whose pairs are all kept, for a heat map without holes.
_BLOCK = 30
# Genes of a leading edge that a table names.
_EDGE = 15


def set_link_table(
    inputs: MapInputs, null: SetNulls, r: Floats, *, kept: Kept, level: float = 0.95
) -> pd.DataFrame:
    """Strongest links of features with gene sets, by two competitive tests.

    Parameters
    ----------
    inputs, null, r
        The map's; its sets under permuted patients; correlations of all features with all genes.
    kept, level
        Which rows; of the interval.

    Returns
    -------
    DataFrame
        ``feature, set, size``. Running sum: ``es, nes, p`` (share of deals of that sign as far from
        0; not below 1 by their number), ``fdr`` (null |NES| of all features and sets as far, by
        those observed), ``p_family, p_feature, p_set`` (largest |NES| of all, of the feature, of
        the set). Mean correlation: ``mean_rho`` (of the set's genes less all others),
        ``contrast_rho, low, high, p_contrast`` (its correlation and t), ``fdr_contrast``
        (Benjamini–Hochberg), ``p_contrast_family``, ``contrast_unadjusted`` and
        ``p_contrast_unadjusted`` (without covariates). ``leading_edge``: genes from the end of the
        ranking inwards. The largest |contrast_rho| first.
    """
    strength = np.abs(null.contrast)
    p_all = correlation_p(strength, inputs.freedom)
    sorted_p = np.sort(p_all, axis=None)
    rate_of_nes = nes_rate(np.abs(null.nes), null.counts, len(null.largest_by_feature))
    rate = benjamini_hochberg_of(p_all.ravel(), sorted_p).reshape(p_all.shape)
    family = family_p(np.abs(null.nes), null.largest_by_feature.max(axis=1))
    feature, at = _strongest(strength, np.minimum.reduce([rate, rate_of_nes, family]), kept)
    nes, rho = null.nes[feature, at], null.contrast[feature, at]
    low, high = correlation_interval(rho, inputs.freedom, level=level, method=inputs.method)
    plain = _unadjusted(inputs, feature, at)
    return pd.DataFrame(
        {
            "feature": inputs.feature_names[feature],
            "set": np.array(inputs.set_names, dtype=object)[at],
            "size": np.array([len(each) for each in inputs.sets])[at],
            "es": null.es[feature, at],
            "nes": nes,
            "p": null.p[feature, at],
            "fdr": rate_of_nes[feature, at],
            "p_family": family[feature, at],
            "p_feature": family_p_each(np.abs(nes), null.largest_by_feature, feature),
            "p_set": family_p_each(np.abs(nes), null.largest_by_set, at),
            "mean_rho": null.difference[feature, at],
            "contrast_rho": rho,
            "low": low,
            "high": high,
            "p_contrast": p_all[feature, at],
            "fdr_contrast": rate[feature, at],
            "p_contrast_family": family_p(np.abs(rho), null.contrast_by_feature.max(axis=1)),
            "contrast_unadjusted": plain,
            "p_contrast_unadjusted": correlation_p(plain, inputs.n - 2),
            "leading_edge": _edges(inputs, r, feature, at),
        }
    )


def pathway_table(inputs: MapInputs, null: SetNulls) -> pd.DataFrame:
    """Each gene set and the feature that goes best with it, strongest first.

    Returns
    -------
    DataFrame
        ``set, size, coherence`` (mean correlation of two of its genes), ``feature,
        contrast_rho, p_set`` (family-wise over the features, by the contrast), ``p_family``.
    """
    strength = np.abs(null.contrast)
    best, own = strength.argmax(axis=0), np.arange(strength.shape[1])
    size = strength[best, own]
    table = pd.DataFrame(
        {
            "set": inputs.set_names,
            "size": [len(each) for each in inputs.sets],
            "coherence": null.coherence,
            "feature": inputs.feature_names[best],
            "contrast_rho": null.contrast[best, own],
            "p_set": family_p_each(size, null.contrast_by_set, own),
            "p_family": family_p(size, null.contrast_by_feature.max(axis=1)),
        }
    )
    return table.iloc[np.argsort(-size, kind="stable")].reset_index(drop=True)


def nes_rate(strength: Floats, counts: NDArray[np.int64], deals: int) -> Floats:
    """False discovery rate of |NES|: null scores as large in a mean deal, by those observed.

    Parameters
    ----------
    strength
        Observed |NES|, all features × sets.
    counts
        Null |NES| in bins of width ``NES_BIN``, over all deals; a score counts as large as the
        lower end of its bin says, which errs on the safe side by less than a bin.
    deals
        How many deals were counted.

    References
    ----------
    Subramanian et al. 2005, doi:10.1073/pnas.0506580102 (there by sign); Storey & Tibshirani 2003,
    doi:10.1073/pnas.1530509100.

    Examples
    --------
    >>> counts = np.zeros(20_000, dtype=int)
    >>> counts[1000], counts[3000] = 18, 2
    >>> nes_rate(np.array([0.9, 2.0, 2.5, 3.1]), counts, 10).round(3)
    array([0.477, 0.091, 0.091, 0.091])
    """
    observed = np.sort(strength, axis=None)
    bins = np.minimum((observed / NES_BIN).astype(np.intp), len(counts) - 1)
    # One more deal, with one score as large as any: no rate is 0.
    as_large = (1 + np.cumsum(counts[::-1])[::-1][bins]) / (1 + deals)
    rate = as_large / np.arange(len(observed), 0, -1)
    # A larger score is not given a larger rate than a smaller one.
    rate = np.minimum(np.minimum.accumulate(rate), 1.0)
    return np.asarray(rate[np.searchsorted(observed, strength)])


def _strongest(
    strength: Floats, rate: Floats, kept: Kept
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs found by either test, filled up with the strongest and with a block for a picture."""
    order = np.argsort(-strength, axis=None, kind="stable")
    wanted = rate <= kept.alpha
    features, sets = (np.argsort(-strength.max(axis=axis))[:_BLOCK] for axis in (1, 0))
    wanted[np.ix_(features, sets)] = True
    wanted = wanted.ravel()[order] | (np.arange(len(order)) < kept.fewest)
    chosen = order[wanted][: kept.most]
    feature, at = np.unravel_index(chosen, strength.shape)
    return feature, at


def _unadjusted(inputs: MapInputs, feature: NDArray[np.intp], at: NDArray[np.intp]) -> Floats:
    features, genes = inputs.plain_features, inputs.plain_genes
    if features is None or genes is None:
        features, genes = inputs.features, inputs.genes
    contrasts = set_contrasts(genes, inputs.sets).units
    return np.asarray(np.einsum("np,np->p", features[:, feature], contrasts[:, at]))


def _edges(
    inputs: MapInputs, r: Floats, feature: NDArray[np.intp], at: NDArray[np.intp]
) -> list[str]:
    found = []
    for row, column in zip(feature, at, strict=True):
        edge = leading_edge(r[row], inputs.sets[column])
        named = list(inputs.gene_names[edge[:_EDGE]])
        more = [f"{len(edge) - _EDGE} more"] if len(edge) > _EDGE else []
        found.append(SEPARATOR.join([*named, *more]))
    return found
