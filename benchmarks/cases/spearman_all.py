"""Rank correlation of every image feature with every gene, and its p."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from case import Agreement, Arrays, Case, relative_agreement

PATIENTS, GENES, SAMPLE = 130, 20_000, 1
WARM_UP_GENES = 2


def inputs(items: int) -> Arrays:
    """Genes with ties, where nothing was measured; features without."""
    rng = np.random.default_rng(17)
    return {
        "genes": np.maximum(rng.standard_normal((PATIENTS, GENES)), -1.0),
        "features": rng.standard_normal((PATIENTS, items)),
    }


def ours(given: Arrays, count: int) -> Arrays:
    """Ranks of all columns, one matrix product, and Student's t; a sample is handed back."""
    from radiogenomics.stats.association.units import correlation_p, unit_columns

    features, genes = _part(given, count)
    rho = unit_columns(features).T @ unit_columns(genes)
    p = correlation_p(rho, PATIENTS - 2)
    return {"rho": rho[:SAMPLE], "p": p[:SAMPLE]}


def theirs(given: Arrays, count: int) -> Arrays:
    """One call a pair."""
    from scipy.stats import spearmanr

    features, genes = _part(given, count)
    pairs = [[spearmanr(feature, gene) for gene in genes.T] for feature in features.T]
    found = np.array([[(pair.statistic, pair.pvalue) for pair in row] for row in pairs])
    return {"rho": found[:, :, 0], "p": found[:, :, 1]}


def agreement(found: Arrays, peer: Arrays) -> Agreement:
    """Relative for p; not for rank correlations, many of which are 0 but for rounding."""
    apart = np.abs(found["rho"] - peer["rho"]).max()
    return replace(
        relative_agreement(found, {"p": peer["p"]}),
        remark=f"max rel diff is that of p; largest absolute difference of rho {apart:.0e}",
    )


def _part(given: Arrays, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first features and all genes; of no feature, the first and a few genes."""
    genes = given["genes"] if count else given["genes"][:, :WARM_UP_GENES]
    return given["features"][:, : max(count, 1)], genes


CASE = Case(
    name="spearman_all",
    job=f"rank correlation and its p of {{items}} features × {GENES:,} genes, {PATIENTS} patients, "
    "genes with ties",
    unit="feature",
    items=1_316,
    sample=SAMPLE,
    warm_up=0,
    package="scipy",
    peer="spearmanr, one call a pair",
    inputs=inputs,
    ours=ours,
    theirs=theirs,
    compare=agreement,
    most_rounds=3,
)
