"""SIMULATED bulk transcriptomes of several cohorts in which two genes carry the risk, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.simulate.genes import CHEMOKINES_12, IMMUNE, PROLIFERATION
from radiogenomics.simulate.streams import WORLD, stream

RISK_GENES = ("KPNA2", "SMG5")
PROGRAMMES = ("proliferation", "amplification", "immune", "stroma", "liver")
PROGRAMME_CORRELATION = (
    (1.0, 0.5, 0.1, 0.1, -0.4),
    (0.5, 1.0, 0.0, 0.0, -0.2),
    (0.1, 0.0, 1.0, 0.5, 0.0),
    (0.1, 0.0, 0.5, 1.0, -0.2),
    (-0.4, -0.2, 0.0, -0.2, 1.0),
)
REFERENCE_LOADING = (0.93, 0.80)
"""Of KPNA2 on proliferation and of SMG5 on the amplified block."""
RANK_CORRELATIONS = (
    ("TOP2A", "KPNA2", 0.84),
    ("CDK1", "KPNA2", 0.85),
    ("NCAPG", "KPNA2", 0.88),
    ("SCAMP3", "SMG5", 0.68),
)
"""Published Spearman correlations that the world has exactly, but for the floor of expression."""

_STROMA = ("COL1A1", "COL1A2", "COL3A1", "DCN", "PDGFRB", "ACTA2", "PECAM1", "VWF", "KDR", "CDH5")
_LIVER = ("ALB", "APOA1", "APOC3", "TF", "TTR", "SERPINA1", "CYP3A4")
_MEMBERS = (
    # named genes, how the others are called, how many in all, range of the loading
    (tuple(g for g in PROLIFERATION if g != "SMG5"), "CYCLE", 200, (0.60, 0.95)),
    (("SMG5", "SCAMP3"), "AMP", 80, (0.40, 0.84)),
    ((*CHEMOKINES_12, *IMMUNE), "IMMUNE", 600, (0.40, 0.85)),
    (_STROMA, "STROMA", 400, (0.40, 0.85)),
    (_LIVER, "LIVER", 500, (0.40, 0.85)),
)
_BACKGROUND_LOADING = ((0.17, 0.20), (0.05, 0.20), (0.0, 0.20), (0.0, 0.20), (0.0, 0.20))
_ANONYMOUS = (0.35, 0.25, 0.20, 0.15, 0.15)
_LARGEST_SHARE = 0.9
"""Of a gene's variance that it may share."""

FEWEST_GENES = sum(count for _, _, count, _ in _MEMBERS)


@dataclass(frozen=True)
class Platform:
    """How a cohort's expression was measured, in log2 units.

    Parameters
    ----------
    floor
        What an unexpressed gene reads; nothing reads less.
    slope
        Units per unit of biology: below 1 where intensities are compressed.
    gene_shift, gene_scale
        SD of the shift, and log SD of the scale, that each gene has of its own.
    """

    floor: float = 0.0
    slope: float = 1.0
    gene_shift: float = 0.3
    gene_scale: float = 0.1


@dataclass(frozen=True)
class CohortDesign:
    """Size, platform and follow-up of one cohort.

    Parameters
    ----------
    name
        Also decides what the platform does to each gene, so that a name is one laboratory.
    patients
        At least 2.
    platform
        How expression was measured.
    event_rate
        Expected share of events; the Weibull scale is solved for it.
    shape
        Of the Weibull baseline.
    follow_up
        Shortest and longest months between entry and the end of the study.
    dropout
        Monthly rate of loss.

    Raises
    ------
    DataError
        A number is out of its range.
    """

    name: str
    patients: int
    platform: Platform = Platform()
    event_rate: float = 0.35
    shape: float = 1.0
    follow_up: tuple[float, float] = (12.0, 84.0)
    dropout: float = 0.005

    def __post_init__(self) -> None:
        if self.patients < 2:
            raise DataError(
                f"{self.name}: expected at least 2 patients; found {self.patients}. Ask for more."
            )
        positive = self.shape > 0 and self.dropout > 0 and 0 < self.follow_up[0]
        if not (0 < self.event_rate < 1 and positive and self.follow_up[0] < self.follow_up[1]):
            raise DataError(
                f"{self.name}: expected an event rate between 0 and 1, a positive shape and rate "
                f"of loss, and a rising follow-up; found {self.event_rate}, {self.shape}, "
                f"{self.dropout} and {self.follow_up}. Correct them."
            )


HCC_SIZES = (
    CohortDesign("TCGA-like", 365, shape=1.1, follow_up=(6.0, 90.0), dropout=0.02),
    CohortDesign("LIRI-like", 232, shape=1.3, follow_up=(12.0, 60.0)),
    CohortDesign(
        "GSE14520-like", 221, Platform(floor=4.0, slope=0.8), shape=0.9, follow_up=(40.0, 67.0)
    ),
)
"""Three cohorts of the sizes of public ones; the last on a microarray."""


@dataclass(frozen=True, eq=False)
class TranscriptomeModel:
    """What is fixed of each gene, the same in every simulated cohort; loadings are in SD.

    Parameters
    ----------
    names
        Genes; those without a role are called ``GENE00001``, ...
    loadings
        Genes × ``PROGRAMMES``.
    anonymous
        Genes × factors that stand for whatever else genes share.
    own
        SD of what a gene shares with none.
    mean, sd
        Of log2 expression, before platform and floor.
    """

    names: tuple[str, ...]
    loadings: np.ndarray
    anonymous: np.ndarray
    own: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def correlation(self, gene: str) -> pd.Series[float]:
        """Pearson correlation of each gene with ``gene`` in an endless cohort without floor.

        Raises
        ------
        UnknownNameError
            There is no such gene.

        Examples
        --------
        >>> transcriptome_model(2000).correlation("KPNA2")[["NCAPG", "SMG5"]].round(3).tolist()
        [0.89, 0.37]
        """
        if gene not in self.names:
            raise UnknownNameError("gene of the simulated transcriptome", gene, self.names)
        row = self.names.index(gene)
        shared = self.loadings @ (np.array(PROGRAMME_CORRELATION) @ self.loadings[row])
        shared += self.anonymous @ self.anonymous[row]
        shared[row] = 1.0
        return pd.Series(shared, index=list(self.names), name=gene)


@dataclass(frozen=True, eq=False)
class SimulatedTranscriptome:
    """One SIMULATED cohort; no patient of it exists.

    Parameters
    ----------
    design
        What was asked for.
    expression
        Patients × genes, log2, float32.
    outcome
        Overall survival in months.
    truth
        Log hazard of each patient relative to one with average genes. Never for a model.
    """

    design: CohortDesign
    expression: pd.DataFrame
    outcome: SurvivalOutcome
    truth: pd.Series[float]


def simulate_transcriptomes(
    designs: Sequence[CohortDesign] = HCC_SIZES,
    *,
    rng: np.random.Generator,
    n_genes: int = 15_000,
    hazard_ratios: tuple[float, float] = (1.65, 1.65),
    null: bool = False,
) -> tuple[SimulatedTranscriptome, ...]:
    """Draw cohorts whose survival depends on KPNA2 and SMG5 alone.

    Biology is ``z_g = λ_g·u + a_g·f + s_g ε`` with SD 1: correlated programmes ``u``, anonymous
    factors ``f``, noise of the gene's own. A platform reads
    ``max(floor + slope (m_g + shift_cg + sd_g scale_cg z_g), floor)``. The log hazard is
    ``η = β₁ z_KPNA2 + β₂ z_SMG5``, death ``T = λ_c (E / exp η)^(1/k_c)`` with ``E ~ Exp(1)``;
    censoring is the earlier of the end of the study and of loss, and depends on nothing. Genes and
    platforms are fixed by name; patients are drawn. What is assumed: docs/simulated_truth.md.

    Parameters
    ----------
    designs
        Cohorts. Another one more changes none of the others.
    rng
        Source of randomness.
    n_genes
        Genes; those with a role come first.
    hazard_ratios
        Of KPNA2 and SMG5, each per SD with the other held.
    null
        Whether no gene carries risk; expression is the same.

    Raises
    ------
    DataError
        Too few genes, a hazard ratio that is not positive, or cohorts of one name.

    Examples
    --------
    >>> first, *_ = simulate_transcriptomes(n_genes=2000, rng=np.random.default_rng(1))
    >>> first.expression.shape, first.outcome.n_events
    ((365, 2000), 137)
    """
    ratios = np.asarray(hazard_ratios, dtype=float)
    if ratios.shape != (2,) or not (np.isfinite(ratios) & (ratios > 0)).all():
        raise DataError(
            f"expected two positive hazard ratios, of {' and '.join(RISK_GENES)}; found "
            f"{hazard_ratios}. Use null=True for a world without risk."
        )
    names = [design.name for design in designs]
    if len(set(names)) != len(names):
        raise DataError(f"expected every cohort once; found {names}. Rename one.")
    model, seed = transcriptome_model(n_genes), int(rng.integers(2**32))
    slopes = np.zeros(2) if null else np.log(ratios)
    return tuple(_cohort(design, model, slopes, seed=seed) for design in designs)


def transcriptome_model(n_genes: int = 15_000) -> TranscriptomeModel:
    """Return the first ``n_genes`` genes of the simulated genome.

    Raises
    ------
    DataError
        Fewer genes are asked for than have a programme.
    """
    if n_genes < FEWEST_GENES:
        raise DataError(
            f"expected at least {FEWEST_GENES} genes, as many as have a programme; found "
            f"{n_genes}. Ask for more."
        )
    names, loadings = _programme_genes()
    extra = n_genes - len(names)
    names += [f"GENE{number:05d}" for number in range(1, extra + 1)]
    centre, spread = np.transpose(_BACKGROUND_LOADING)
    drawn = stream(WORLD, "transcriptome", "loadings").standard_normal((extra, len(PROGRAMMES)))
    drawn = centre + spread * drawn
    drawn *= np.minimum(1.0, np.sqrt(_LARGEST_SHARE / _shared(drawn)))[:, None]
    loadings = np.vstack([loadings, drawn])
    left = 1.0 - _shared(loadings)
    draw = stream(WORLD, "transcriptome", "anonymous").standard_normal((n_genes, len(_ANONYMOUS)))
    for gene in (*RISK_GENES, *(gene for gene, _, _ in RANK_CORRELATIONS)):
        draw[names.index(gene)] = 0.0
    anonymous = draw * _ANONYMOUS
    excess = np.maximum(1.0, (anonymous**2).sum(axis=1) / _LARGEST_SHARE)
    anonymous *= np.sqrt(left / excess)[:, None]
    own = np.sqrt(left - (anonymous**2).sum(axis=1))
    mean, sd = _marginals(names)
    return TranscriptomeModel(tuple(names), loadings, anonymous, own, mean, sd)


def _shared(loadings: np.ndarray) -> np.ndarray:
    """Variance that each gene owes to the programmes."""
    correlation = np.array(PROGRAMME_CORRELATION)
    return np.asarray(np.einsum("gp,pq,gq->g", loadings, correlation, loadings))


def _programme_genes() -> tuple[list[str], np.ndarray]:
    rng = stream(WORLD, "transcriptome", "programmes")
    names: list[str] = []
    blocks = []
    for at, (named, word, count, limits) in enumerate(_MEMBERS):
        names += [*named, *(f"{word}{n:03d}" for n in range(1, count - len(named) + 1))]
        block = np.zeros((count, len(PROGRAMMES)))
        block[:, at] = rng.uniform(*limits, size=count)
        blocks.append(block)
    loadings = np.vstack(blocks)
    for at, (gene, loading) in enumerate(zip(RISK_GENES, REFERENCE_LOADING, strict=True)):
        loadings[names.index(gene), at] = loading
    for gene, partner, rank_correlation in RANK_CORRELATIONS:
        at = RISK_GENES.index(partner)
        pearson = 2.0 * np.sin(np.pi * rank_correlation / 6.0)
        loadings[names.index(gene), at] = pearson / REFERENCE_LOADING[at]
    return names, loadings


def _marginals(names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and SD of log2 expression; genes with a programme are well expressed."""
    n = len(names)
    mean = stream(WORLD, "transcriptome", "mean").gamma(1.8, 1.2, size=n)
    spread = stream(WORLD, "transcriptome", "sd").normal(0.0, 0.4, size=n)
    mean[:FEWEST_GENES] += 2.0
    sd = 0.55 * np.exp(spread) * (mean / 1.9) ** 0.25
    for gene, own_mean, own_sd in (("KPNA2", 4.0, 1.0), ("SMG5", 4.5, 0.7)):
        mean[names.index(gene)], sd[names.index(gene)] = own_mean, own_sd
    return mean, sd


def _cohort(
    design: CohortDesign, model: TranscriptomeModel, slopes: np.ndarray, *, seed: int
) -> SimulatedTranscriptome:
    ids = [f"SIM-{design.name}-{number:04d}" for number in range(1, design.patients + 1)]
    values = _biology(design, model, stream(seed, "biology", design.name))
    carriers = [model.names.index(gene) for gene in RISK_GENES]
    hazard = values[:, carriers].astype(float) @ slopes
    shift, scale = _platform(design, model)
    values *= (design.platform.slope * model.sd * scale).astype(np.float32)
    values += (design.platform.floor + design.platform.slope * (model.mean + shift)).astype(
        np.float32
    )
    np.maximum(values, np.float32(design.platform.floor), out=values)
    time, event = _survival(design, hazard, stream(seed, "survival", design.name))
    return SimulatedTranscriptome(
        design,
        pd.DataFrame(values, index=ids, columns=list(model.names)),
        SurvivalOutcome("OS", pd.Series(time, ids), pd.Series(event, ids), "simulated entry"),
        pd.Series(hazard, index=ids, name="log_hazard"),
    )


def _biology(
    design: CohortDesign, model: TranscriptomeModel, rng: np.random.Generator
) -> np.ndarray:
    n, single = design.patients, np.float32
    root = np.linalg.cholesky(np.array(PROGRAMME_CORRELATION))
    programmes = (rng.standard_normal((n, len(PROGRAMMES))) @ root.T).astype(single)
    factors = rng.standard_normal((n, model.anonymous.shape[1])).astype(single)
    values = rng.standard_normal((n, len(model.names)), dtype=single)
    values *= model.own.astype(single)
    values += programmes @ model.loadings.T.astype(single)
    values += factors @ model.anonymous.T.astype(single)
    return values


def _platform(design: CohortDesign, model: TranscriptomeModel) -> tuple[np.ndarray, np.ndarray]:
    """Shift and scale of each gene; what is hardly expressed is hardly shifted."""
    rng = stream(WORLD, "transcriptome", "platform", design.name)
    draws = rng.standard_normal((len(model.names), 2))
    shift = design.platform.gene_shift * draws[:, 0] * np.minimum(model.mean, 1.0)
    return shift, np.exp(design.platform.gene_scale * draws[:, 1])


def _survival(
    design: CohortDesign, hazard: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    n = design.patients
    closing = rng.uniform(*design.follow_up, size=n)
    censoring = np.minimum(closing, rng.exponential(1.0 / design.dropout, size=n))
    relative = np.exp(hazard)

    def excess(log_scale: float) -> float:
        cumulative = relative * (censoring / np.exp(log_scale)) ** design.shape
        return float(-np.expm1(-cumulative).mean() - design.event_rate)

    scale = np.exp(brentq(excess, np.log(1e-3), np.log(1e9)))
    death = scale * (rng.standard_exponential(n) / relative) ** (1.0 / design.shape)
    months = np.round(np.minimum(death, censoring), 2)
    # Nobody dies on the day of entry.
    return np.maximum(months, 0.03), death <= censoring
