r"""SIMULATED image-gene cohorts of which it is known what is linked, and what only seems to be.

For a patient with log volume v, logit purity u (both standard normal) and site t, the factors of a
block of image features and of a pathway are

.. math::

    B_b = \beta_b v + \beta'_b u + \sqrt{1 - \beta_b^2 - \beta_b'^2}\; U_b, \qquad
    P_s = \gamma_s v + \gamma'_s u + \sqrt{1 - \gamma_s^2 - \gamma_s'^2}\; W_s

with standard normal U and W, independent but for planted links, where
:math:`W_s = \rho\,U_b + \sqrt{1 - \rho^2}\,\varepsilon`. Features and genes are

.. math::

    x_f = \sqrt{1 - d^2}\,(\pm\sqrt{c}\,B_{b(f)} + \sqrt{1 - c}\,\varepsilon) + d\,D_{f,t}, \qquad
    y_g = \sqrt{1 - d'^2}\,(\sqrt{c'}\,P_{s(g)} + \sqrt{h}\,Q_g + \sqrt{1 - c' - h}\,\varepsilon)
    + d'\,D'_{g,t}

with c and c' the correlations within a block and within a pathway, Q_g a mixture of a few factors
that all genes share (so that genes without a link correlate, too; a background gene has no P), and
D the shifts of the sites. Mean 0 and variance 1 throughout, so correlations have a closed form.
What volume or purity drives on both sides correlates without a link, and given the covariates it
does not. Genes are put on a log2 scale at the end, which changes no correlation.

Correlations are Pearson's, and partial ones are given log volume, logit purity and site. Spearman's
is :math:`(6/\pi) \arcsin(r/2)` of a normal pair. Ranks are not adjusted to the last: a partial
Spearman correlation of a pair that volume drives strongly on both sides keeps a remainder of the
order of 0.01, and one of raw instead of log volume by Pearson keeps far more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from radiogenomics.simulate.link_design import LinkDesign, PlantedLink, wrong_design
from radiogenomics.simulate.link_truth import LinkStructure, pair_truth, set_truth, unexplained

__all__ = ["LinkCohort", "LinkDesign", "LinkWorld", "PlantedLink", "link_world"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

MEDIAN_VOLUME_ML, VOLUME_LOG_SD = 40.0, 1.2
PURITY_LOGIT, PURITY_LOGIT_SD = 0.6, 0.8
BACKGROUND_FACTORS = 5
LOG2_LEVELS, LOG2_SD = (5.0, 11.0), 0.8
SMALLEST_SET, LARGEST_SET = 10, 200


@dataclass(frozen=True, eq=False, repr=False)
class LinkCohort:
    """SIMULATED patients with image features, genes, covariates and the truth about them.

    Parameters
    ----------
    features
        Patients × image features, standard normal.
    genes
        Patients × genes, log2.
    covariates
        ``volume`` (ml), ``purity`` (0 to 1) and ``site`` (text) of each patient.
    gene_sets
        Name → symbols.
    pairs
        What is linked or driven: ``feature, gene, rho`` (in the population), ``partial_rho``
        (given the covariates), ``planted, volume_driven, purity_driven`` and ``spurious`` (driven,
        not planted). Pairs that are not listed are null given the covariates; without them a pair
        still has what site adds to both.
    sets
        The same of ``feature, set``, with ``share`` of the set's genes that are listed with the
        feature; correlations are means over all genes of the set.
    """

    features: pd.DataFrame
    genes: pd.DataFrame
    covariates: pd.DataFrame
    gene_sets: Mapping[str, tuple[str, ...]]
    pairs: pd.DataFrame
    sets: pd.DataFrame

    def __repr__(self) -> str:
        """Say that it is simulated, and how large it is."""
        return (
            f"LinkCohort(SIMULATED: {len(self.features)} patients, {self.features.shape[1]} "
            f"features, {self.genes.shape[1]} genes; {int(self.pairs['planted'].sum())} pairs "
            f"linked, {int(self.pairs['spurious'].sum())} spurious)"
        )


@dataclass(frozen=True, eq=False, repr=False)
class LinkWorld:
    """What all cohorts of one world share; made by :func:`link_world`.

    Parameters
    ----------
    structure
        Blocks, signs and site shifts.
    background
        Genes × background factors, rows of length 1.
    level
        Mean log2 expression of each gene.
    gene_sets, pairs, sets
        As in :class:`LinkCohort`.
    """

    structure: LinkStructure
    background: Floats
    level: Floats
    gene_sets: Mapping[str, tuple[str, ...]]
    pairs: pd.DataFrame
    sets: pd.DataFrame

    def cohort(self, patients: int, *, rng: np.random.Generator, prefix: str = "SIM") -> LinkCohort:
        """Draw patients; another ``rng`` gives another cohort with the same truth.

        Parameters
        ----------
        patients
            At least 2.
        rng
            Source of all that differs between cohorts.
        prefix
            Of the patients' identifiers.

        Raises
        ------
        DataError
            Fewer than two patients are asked for.
        """
        if patients < 2:
            raise wrong_design("at least 2 patients", patients)
        names = pd.Index([f"{prefix}-{number + 1:04d}" for number in range(patients)])
        drivers = rng.standard_normal((patients, 2))
        site = rng.integers(self.structure.design.sites, size=patients)
        blocks, pathways = self._factors(drivers, rng)
        features = self._features(blocks, site, rng)
        genes = self.level + LOG2_SD * self._genes(pathways, site, rng)
        covariates = {
            "volume": MEDIAN_VOLUME_ML * np.exp(VOLUME_LOG_SD * drivers[:, 0]),
            "purity": expit(PURITY_LOGIT + PURITY_LOGIT_SD * drivers[:, 1]),
            "site": [f"site {number + 1}" for number in site],
        }
        return LinkCohort(
            pd.DataFrame(features, index=names, columns=self.structure.feature_names),
            pd.DataFrame(genes, index=names, columns=self.structure.gene_names),
            pd.DataFrame(covariates, index=names),
            self.gene_sets,
            self.pairs,
            self.sets,
        )

    def _factors(self, drivers: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
        design = self.structure.design
        own = rng.standard_normal((len(drivers), design.blocks))
        theirs = rng.standard_normal((len(drivers), design.pathways))
        for block, pathway, rho in design.links:
            theirs[:, pathway] *= np.sqrt(1 - rho**2)
            theirs[:, pathway] += rho * own[:, block]
        on_blocks, on_pathways = design.driven()
        return (
            drivers @ on_blocks.T + own * unexplained(on_blocks),
            drivers @ on_pathways.T + theirs * unexplained(on_pathways),
        )

    def _features(self, blocks: Floats, site: Places, rng: np.random.Generator) -> Floats:
        fixed, design = self.structure, self.structure.design
        values = rng.standard_normal((len(blocks), design.features))
        values *= np.sqrt(1 - design.block_correlation)
        values += blocks[:, fixed.block] * (fixed.sign * np.sqrt(design.block_correlation))
        values *= np.sqrt(1 - design.site_on_features**2)
        return values + fixed.feature_shift[:, site].T

    def _genes(self, pathways: Floats, site: Places, rng: np.random.Generator) -> Floats:
        fixed, design = self.structure, self.structure.design
        in_pathways = design.pathways * design.pathway_genes
        own = np.full(design.genes, 1 - design.background_share)
        own[:in_pathways] -= design.gene_correlation
        values = rng.standard_normal((len(pathways), design.genes))
        values *= np.sqrt(own)
        factors = rng.standard_normal((len(pathways), self.background.shape[1]))
        values += np.sqrt(design.background_share) * (factors @ self.background.T)
        shared = np.repeat(pathways, design.pathway_genes, axis=1)
        values[:, :in_pathways] += np.sqrt(design.gene_correlation) * shared
        values *= np.sqrt(1 - design.site_on_genes**2)
        return values + fixed.gene_shift[:, site].T


def link_world(design: LinkDesign, *, rng: np.random.Generator) -> LinkWorld:
    """Fix what all cohorts of one world share: signs, site shifts, background and gene sets.

    Parameters
    ----------
    design
        Sizes and strengths.
    rng
        Source of what is fixed.

    Examples
    --------
    >>> design = LinkDesign(features=80, blocks=10, genes=700, pathways=10, pathway_genes=20)
    >>> world = link_world(design, rng=np.random.default_rng(0))
    >>> first = world.cohort(60, rng=np.random.default_rng(1))
    >>> first
    LinkCohort(SIMULATED: 60 patients, 80 features, 700 genes; 800 pairs linked, 2080 spurious)
    >>> second = world.cohort(40, rng=np.random.default_rng(2))
    >>> second.pairs is first.pairs
    True
    """
    # Features of a block stand together, as families of features do.
    block = np.sort(np.arange(design.features) % design.blocks)
    width = len(str(design.features))
    structure = LinkStructure(
        design=design,
        feature_names=pd.Index(
            [f"block{b + 1:02d}_feature{f + 1:0{width}d}" for f, b in enumerate(block)]
        ),
        gene_names=pd.Index([f"GENE{g + 1:05d}" for g in range(design.genes)]),
        block=block,
        sign=rng.choice((-1.0, 1.0), design.features),
        feature_shift=_site_shifts(design.features, design.sites, rng) * design.site_on_features,
        gene_shift=_site_shifts(design.genes, design.sites, rng) * design.site_on_genes,
    )
    background = rng.standard_normal((design.genes, BACKGROUND_FACTORS))
    background /= np.linalg.norm(background, axis=1, keepdims=True)
    level = rng.uniform(*LOG2_LEVELS, design.genes)
    shares, sets = _gene_sets(structure, rng)
    symbols = {name: tuple(structure.gene_names[genes]) for name, genes in sets.items()}
    return LinkWorld(
        structure,
        background,
        level,
        symbols,
        pair_truth(structure),
        set_truth(structure, shares, sets),
    )


def _site_shifts(count: int, sites: int, rng: np.random.Generator) -> Floats:
    """Shifts of each variable over equally likely sites: mean 0, mean square 1."""
    if sites == 1:
        return np.zeros((count, 1))
    shifts = rng.standard_normal((count, sites))
    shifts -= shifts.mean(axis=1, keepdims=True)
    return shifts / np.sqrt(np.square(shifts).mean(axis=1, keepdims=True))


def _gene_sets(
    structure: LinkStructure, rng: np.random.Generator
) -> tuple[dict[str, tuple[int, float]], dict[str, Places]]:
    """Pathway and share of it of each set that has one, and positions of the genes of all sets."""
    design = structure.design
    background = np.arange(design.pathways * design.pathway_genes, design.genes)
    shares: dict[str, tuple[int, float]] = {}
    sets: dict[str, Places] = {}
    for number in range(design.pathways):
        name = f"PATHWAY_{number + 1:03d}"
        shares[name], sets[name] = (number, 1.0), structure.pathway_genes(number)
    half = -(-design.pathway_genes // 2)
    for number in range(design.overlapping_sets):
        name, pathway = f"OVERLAPPING_{number + 1:03d}", number % design.pathways
        inside = rng.choice(structure.pathway_genes(pathway), half, replace=False)
        outside = rng.choice(background, half, replace=False)
        shares[name], sets[name] = (pathway, 0.5), np.concatenate([inside, outside])
    for number in range(design.unrelated_sets):
        size = rng.integers(SMALLEST_SET, LARGEST_SET + 1)
        sets[f"UNRELATED_{number + 1:03d}"] = rng.choice(background, size, replace=False)
    return shares, sets
