"""Which genes exist, on what they load, how much and how noisily they are expressed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from radiogenomics.core.errors import DataError
from radiogenomics.simulate.latents import LATENTS
from radiogenomics.simulate.streams import WORLD, stream

PROLIFERATION = tuple(
    """KPNA2 SMG5 MKI67 TOP2A CDK1 NCAPG CCNB1 CCNB2 BUB1 BUB1B AURKA AURKB BIRC5 PLK1 TTK KIF11
    KIF2C CENPF CENPE TPX2 RRM2 MCM2 MCM4 MCM6 PCNA TYMS FOXM1 DLGAP5 NUSAP1 ASPM UBE2C CDC20 EZH2
    STMN1 HMMR""".split()
)
CHEMOKINES_12 = tuple(
    "CCL2 CCL3 CCL4 CCL5 CCL8 CCL18 CCL19 CCL21 CXCL9 CXCL10 CXCL11 CXCL13".split()
)
IMMUNE = tuple(
    """CD8A CD8B GZMA PRF1 IFNG STAT1 IDO1 HLA-DRA CD3D CD3E CD2 CD247 GZMH GZMK NKG7 TRAF3IP3 PDCD1
    CD274 CTLA4 LAG3 TNFRSF4 CD79A CD79B MS4A1 CD19 LYZ CD68 CD14 ITGAM SIGLEC1 C1QA""".split()
)
HYPOXIA = tuple(
    """ACOT7 ADM AK4 ALDOA ANKRD37 ANLN BNIP3 CA9 CDKN3 CHCHD2 CORO1C CTSV DDIT4 ENO1 ESRP1 GAPDH
    GPI HILPDA HK2 KIF20A KIF4A LDHA LRRC42 MAD2L2 MAP7D1 MCTS1 MIF MRGBP MRPL13 MRPL15 MRPS17 NDRG1
    P4HA1 PFKP PGAM1 PGK1 PNP PSMA7 PSRC1 SEC61G SHCBP1 SLC16A1 SLC25A32 SLC2A1 TPI1 TUBA1B TUBA1C
    TUBB6 UTP11 VEGFA YKT6 HIF1A""".split()
)
STRUCTURE = tuple(
    """ALB APOA1 APOC3 TF TTR SERPINA1 CYP3A4 PECAM1 VWF KDR CDH5 COL1A1 COL1A2 COL3A1 DCN
    PDGFRB ACTA2""".split()
)
"""Genes of hepatocytes, endothelium and fibroblasts: no latent, but markers of their cells."""

NAMED = (*PROLIFERATION, *CHEMOKINES_12, *IMMUNE, *HYPOXIA, *STRUCTURE)
_CYCLING_AMONG_HYPOXIA = frozenset("ANLN CDKN3 KIF20A KIF4A MAD2L2 PSRC1 SHCBP1".split())
_PROGRAMS = (
    # genes, latent, range of the loading, range of the expected count
    (PROLIFERATION, "proliferation", (0.5, 0.9), (200.0, 800.0)),
    (CHEMOKINES_12, "immune", (0.5, 0.9), (40.0, 250.0)),
    (IMMUNE, "immune", (0.4, 0.8), (80.0, 500.0)),
    (HYPOXIA, "hypoxia", (0.3, 0.7), (300.0, 2000.0)),
    (STRUCTURE, "proliferation", (0.0, 0.0), (800.0, 6000.0)),
)


@dataclass(frozen=True)
class GeneConstants:
    """How genes are drawn; loadings are log-fold changes per SD of a latent.

    Parameters
    ----------
    kpna2, smg5
        Loading on proliferation, expected count, dispersion.
    cycling_loading
        Loading on proliferation of the cell-cycle genes among the hypoxia genes.
    background_count, background_spread
        Median and log SD of the expected count of the genes without a program.
    factors, factor_loading
        Number of random factors that all genes share, SD of the loadings of background genes.
    named_factor_loading
        The same of the named genes.
    dispersion, dispersion_spread
        Median and log SD of the negative binomial dispersion.
    """

    kpna2: tuple[float, float, float] = (0.55, 900.0, 0.12)
    smg5: tuple[float, float, float] = (0.32, 700.0, 0.06)
    cycling_loading: float = 0.45
    background_count: float = 200.0
    background_spread: float = 1.4
    factors: int = 5
    factor_loading: float = 0.2
    named_factor_loading: float = 0.05
    dispersion: float = 0.2
    dispersion_spread: float = 0.4


@dataclass(frozen=True, eq=False)
class GeneModel:
    """What is fixed of each gene, the same in every simulated cohort.

    Parameters
    ----------
    names
        Gene symbols; genes without a program are called ``GENE0001``, ...
    loadings
        Genes × latents, log-fold change per SD.
    log_mean
        Log of the expected count at depth 1 in a tumour with average latents.
    dispersion
        Negative binomial dispersion ``φ``: variance ``μ + φ μ²``.
    factor_loadings
        Genes × random factors.
    """

    names: tuple[str, ...]
    loadings: np.ndarray
    log_mean: np.ndarray
    dispersion: np.ndarray
    factor_loadings: np.ndarray


def gene_model(n_genes: int, constants: GeneConstants) -> GeneModel:
    """Return the first ``n_genes`` genes of the simulated genome.

    Every cohort has the same genome, so a signature learnt in one can be tested in another. Named
    genes come first; a longer list begins with the shorter one.

    Raises
    ------
    DataError
        Fewer genes are asked for than have names.
    """
    if n_genes < len(NAMED):
        raise DataError(
            f"expected at least {len(NAMED)} genes, as many as have a role; found {n_genes}. "
            "Ask for more."
        )
    extra = n_genes - len(NAMED)
    names = (*NAMED, *(f"GENE{number:04d}" for number in range(1, extra + 1)))
    loadings, log_mean = _named_genes()
    spread = constants.background_spread
    background = stream(WORLD, "background").normal(
        np.log(constants.background_count), spread, size=extra
    )
    log_mean = np.concatenate([log_mean, background])
    loadings = np.vstack([loadings, np.zeros((extra, len(LATENTS)))])
    dispersion = np.exp(
        stream(WORLD, "dispersion").normal(
            np.log(constants.dispersion), constants.dispersion_spread, size=n_genes
        )
    )
    factors = stream(WORLD, "factors").standard_normal((n_genes, constants.factors))
    factors[: len(NAMED)] *= constants.named_factor_loading
    factors[len(NAMED) :] *= constants.factor_loading
    for gene in _CYCLING_AMONG_HYPOXIA:
        loadings[names.index(gene), 0] = constants.cycling_loading
    for gene, (loading, count, spread) in (("KPNA2", constants.kpna2), ("SMG5", constants.smg5)):
        row = names.index(gene)
        loadings[row, 0], log_mean[row], dispersion[row] = loading, np.log(count), spread
    return GeneModel(names, loadings, log_mean, dispersion, factors)


def _named_genes() -> tuple[np.ndarray, np.ndarray]:
    rng = stream(WORLD, "named")
    loadings, log_means = [], []
    for genes, latent, loading_range, count_range in _PROGRAMS:
        block = np.zeros((len(genes), len(LATENTS)))
        block[:, LATENTS.index(latent)] = rng.uniform(*loading_range, size=len(genes))
        loadings.append(block)
        log_means.append(rng.uniform(*np.log(count_range), size=len(genes)))
    return np.vstack(loadings), np.concatenate(log_means)
