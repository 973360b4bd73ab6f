"""Links that are there without covariates and not beside them: what volume, purity or site make."""

from __future__ import annotations

import numpy as np
import pandas as pd

from radiogenomics.evaluation.association.inputs import MapInputs
from radiogenomics.evaluation.association.links import Tail, found_by_rate, tail_of
from radiogenomics.stats.association.null_pass import NullPass
from radiogenomics.stats.association.set_contrast import set_contrasts
from radiogenomics.stats.association.units import correlation_p
from radiogenomics.stats.inputs import Floats

COLUMNS = ("kind", "feature", "target", "rho_unadjusted", "fdr_unadjusted", "rho", "p")
MOST = 2000


def vanished_table(inputs: MapInputs, null: NullPass, *, alpha: float = 0.05) -> pd.DataFrame:
    """Links with genes and sets that are found without covariates, and are nothing beside them.

    Found is a false discovery rate up to ``alpha`` over all pairs (Benjamini–Hochberg); nothing is
    an adjusted p above ``alpha``, of that link alone. A link that is not here may still have lost
    most of its strength: compare ``rho`` and ``rho_unadjusted`` of the tables of links.

    Parameters
    ----------
    inputs, null
        The map's.
    alpha
        False discovery rate, and p.

    Returns
    -------
    DataFrame
        ``kind`` (gene or set), ``feature, target, rho_unadjusted, fdr_unadjusted, rho, p``; the
        strongest 2000 without covariates. No row where there were no covariates.
    """
    features, genes = inputs.plain_features, inputs.plain_genes
    if features is None or genes is None:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
    parts: list[tuple[str, Floats, Floats, pd.Index, Tail]] = [
        ("gene", features.T @ genes, null.r, inputs.gene_names, tail_of(inputs))
    ]
    if null.sets is not None:
        before = features.T @ set_contrasts(genes, inputs.sets).units
        names = pd.Index(inputs.set_names)
        parts.append(("set", before, null.sets.contrast, names, correlation_p))
    tables = []
    for kind, plain, partial, names, tail in parts:
        at, rate = found_by_rate(np.abs(plain), inputs.n - 2, alpha, tail=tail)
        feature, target = np.unravel_index(at, plain.shape)
        p = correlation_p(partial[feature, target], inputs.freedom)
        gone = np.flatnonzero(p > alpha)[:MOST]
        feature, target = feature[gone], target[gone]
        tables.append(
            pd.DataFrame(
                {
                    "kind": kind,
                    "feature": inputs.feature_names[feature],
                    "target": names[target],
                    "rho_unadjusted": plain[feature, target],
                    "fdr_unadjusted": rate[gone],
                    "rho": partial[feature, target],
                    "p": p[gone],
                }
            )
        )
    return pd.concat(tables, ignore_index=True)
