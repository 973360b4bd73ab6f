"""Bulk RNA: negative binomial counts of tumours and of normal tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from radiogenomics.simulate.genes import GeneModel
from radiogenomics.simulate.latents import LATENTS
from radiogenomics.simulate.streams import WORLD, stream


@dataclass(frozen=True)
class RNAConstants:
    """Technical and biological noise of bulk RNA.

    Parameters
    ----------
    depth_spread
        Log SD of the sequencing depth.
    batch_spread
        SD of a laboratory's additive batch effect on the log mean of a gene.
    transcriptome, unlisted_count, unlisted_spread
        Genes there are in all; mean count of one that is not in the table, and log SD of their sum.
    normal_latents, normal_spread
        Mean and SD of the latents in normal tissue.
    """

    depth_spread: float = 0.25
    batch_spread: float = 0.15
    transcriptome: int = 20_000
    unlisted_count: float = 530.0
    unlisted_spread: float = 0.02
    normal_latents: tuple[float, float, float] = (-2.2, -0.4, -1.0)
    normal_spread: float = 0.3


def simulate_counts(
    latents: np.ndarray,
    laboratories: np.ndarray,
    genes: GeneModel,
    *,
    constants: RNAConstants,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw read counts and library sizes.

    ``y_ig ~ NB(μ_ig, φ_g)`` with variance ``μ + φ μ²`` and
    ``log μ_ig = d_i + m_g + Σ_k λ_gk z_ik + Σ_f a_gf u_if + b_{l(i)g}``: depth ``d``, gene mean
    ``m``, latents ``z`` with loadings ``λ``, random factors ``u ~ N(0, 1)`` with loadings ``a`` and
    the batch effect ``b`` of the laboratory ``l``. The library also holds the reads of all genes
    that are not in the table, so that counts per million do not depend on how many are.

    Parameters
    ----------
    latents
        Samples × latents.
    laboratories
        Where each sample was sequenced. A laboratory's batch effect depends on its name only.
    genes
        The genome.
    constants
        Spread of depth and batch.
    rng
        Source of randomness.

    Returns
    -------
    counts, library_size
        Samples × genes, integers of at least 0; reads of each sample.
    """
    n_samples, n_genes = len(latents), len(genes.names)
    depth = rng.normal(0.0, constants.depth_spread, size=n_samples)
    factors = rng.standard_normal((n_samples, genes.factor_loadings.shape[1]))
    log_mean = genes.log_mean + depth[:, None]
    log_mean += latents @ genes.loadings.T + factors @ genes.factor_loadings.T
    for name in np.unique(laboratories):
        shift = stream(WORLD, "batch", str(name)).normal(0.0, constants.batch_spread, size=n_genes)
        log_mean[laboratories == name] += shift
    size = 1.0 / genes.dispersion
    counts = rng.negative_binomial(size, size / (size + np.exp(log_mean)))
    unlisted = max(constants.transcriptome - n_genes, 0) * constants.unlisted_count
    spread = constants.unlisted_spread * rng.standard_normal(n_samples)
    rest = np.rint(unlisted * np.exp(depth + spread)).astype(int)
    return counts, counts.sum(axis=1) + rest


def normal_latents(n_samples: int, constants: RNAConstants, rng: np.random.Generator) -> np.ndarray:
    """Draw latents of normal liver: little proliferation, so its genes are expressed less."""
    mean = np.array(constants.normal_latents)
    return mean + constants.normal_spread * rng.standard_normal((n_samples, len(LATENTS)))


def log_cpm(counts: pd.DataFrame, library_size: pd.Series) -> pd.DataFrame:
    """Return ``log2(CPM + 1)`` with counts per million reads of the sample's library."""
    return np.log2(counts.div(library_size, axis=0) * 1e6 + 1.0)
