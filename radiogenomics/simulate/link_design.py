"""How large a simulated image-gene world is, what is linked in it and what drives what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from radiogenomics.core.errors import DataError

Floats = NDArray[np.float64]

FEWEST_BACKGROUND = 200


class PlantedLink(NamedTuple):
    """A block of features and a pathway that share a cause.

    Attributes
    ----------
    block, pathway : int
        Numbers, from 0; a pathway has one link at most.
    rho : float
        Correlation of their factors given the covariates, −1 to 1.
    """

    block: int
    pathway: int
    rho: float


@dataclass(frozen=True)
class LinkDesign:
    """Sizes and strengths; :mod:`~radiogenomics.simulate.links` has the formulas.

    Parameters
    ----------
    features, blocks, block_correlation
        Image features, blocks that they form, correlation (but for its sign) within one.
    genes, pathways, pathway_genes, gene_correlation
        Genes, pathways, genes of each, correlation within one; genes of no pathway are background.
    background_share
        Share of each gene's variance that a few factors of all genes explain.
    links
        What is planted; none for a null world.
    volume_blocks, volume_pathways, volume_on_features, volume_on_genes
        Blocks and pathways that log volume drives, and its correlations with their factors.
    purity_blocks, purity_pathways, purity_on_features, purity_on_genes
        The same of logit purity.
    sites, site_on_features, site_on_genes
        Sites, and correlations of features and genes with their shifts, which each feature and
        gene has of its own.
    overlapping_sets, unrelated_sets
        Gene sets beside the pathways: half of a pathway with as many background genes; background
        genes alone, 10 to 200 of them.

    Raises
    ------
    DataError
        A number is out of its range, or a link names a block or pathway that is not there.
    """

    features: int = 1316
    blocks: int = 40
    block_correlation: float = 0.7
    genes: int = 20_000
    pathways: int = 60
    pathway_genes: int = 50
    gene_correlation: float = 0.4
    background_share: float = 0.1
    links: tuple[PlantedLink, ...] = (
        PlantedLink(0, 0, 0.7),
        PlantedLink(1, 1, 0.6),
        PlantedLink(2, 2, -0.5),
        PlantedLink(3, 3, 0.4),
        PlantedLink(4, 4, 0.6),
    )
    volume_blocks: tuple[int, ...] = (4, 5, 6)
    volume_pathways: tuple[int, ...] = (4, 5, 6, 7)
    volume_on_features: float = 0.9
    volume_on_genes: float = 0.6
    purity_blocks: tuple[int, ...] = (7,)
    purity_pathways: tuple[int, ...] = (8, 9)
    purity_on_features: float = 0.5
    purity_on_genes: float = 0.6
    sites: int = 3
    site_on_features: float = 0.3
    site_on_genes: float = 0.3
    overlapping_sets: int = 20
    unrelated_sets: int = 100

    def __post_init__(self) -> None:
        """Refuse a world that cannot be."""
        self._check_counts()
        self._check_places()
        shares = (self.block_correlation, self.gene_correlation, self.background_share)
        if min(shares) < 0 or shares[0] >= 1 or shares[1] + shares[2] >= 1:
            raise wrong_design("correlations and shares of variance from 0 to below 1", shares)
        driven = max(np.square(each).sum(axis=1).max() for each in self.driven())
        shifts = (self.site_on_features, self.site_on_genes)
        if driven >= 1 or not all(0 <= shift < 1 for shift in shifts):
            raise wrong_design(
                "correlations with covariates whose squares sum to less than 1", (driven, *shifts)
            )
        if self.sites == 1 and max(shifts) > 0:
            raise wrong_design("no shifts of a single site (site_on_... = 0)", shifts)
        linked = [link.pathway for link in self.links]
        if len(set(linked)) < len(linked) or any(abs(link.rho) > 1 for link in self.links):
            raise wrong_design("each pathway in one link at most, with a correlation", self.links)

    def driven(self) -> tuple[Floats, Floats]:
        """Correlations of log volume and logit purity with the factors of blocks and pathways.

        Returns
        -------
        tuple of ndarray
            Blocks × 2, pathways × 2.
        """
        on_blocks, on_pathways = np.zeros((self.blocks, 2)), np.zeros((self.pathways, 2))
        on_blocks[list(self.volume_blocks), 0] = self.volume_on_features
        on_blocks[list(self.purity_blocks), 1] = self.purity_on_features
        on_pathways[list(self.volume_pathways), 0] = self.volume_on_genes
        on_pathways[list(self.purity_pathways), 1] = self.purity_on_genes
        return on_blocks, on_pathways

    def _check_counts(self) -> None:
        least = min(self.blocks, self.pathways, self.pathway_genes, self.sites)
        if least < 1 or self.blocks > self.features:
            raise wrong_design(
                "at least one site, pathway and block, and a feature in each block",
                f"{self.features} features, {self.blocks} blocks, {self.pathways} pathways of "
                f"{self.pathway_genes} genes, {self.sites} sites",
            )
        needed = self.pathways * self.pathway_genes + max(FEWEST_BACKGROUND, self.pathway_genes)
        if self.genes < needed:
            raise wrong_design(f"at least {needed} genes, for pathways and background", self.genes)
        if min(self.overlapping_sets, self.unrelated_sets) < 0:
            raise wrong_design("numbers of gene sets", (self.overlapping_sets, self.unrelated_sets))

    def _check_places(self) -> None:
        blocks = (*self.volume_blocks, *self.purity_blocks, *(x.block for x in self.links))
        pathways = (*self.volume_pathways, *self.purity_pathways, *(x.pathway for x in self.links))
        for what, found, there in (
            ("block", blocks, self.blocks),
            ("pathway", pathways, self.pathways),
        ):
            strange = [number for number in found if not 0 <= number < there]
            if strange:
                raise wrong_design(f"numbers of a {what} from 0 to {there - 1}", strange)


def wrong_design(expected: str, found: Any) -> DataError:
    """What is wrong with a design, in one sentence."""
    return DataError(f"simulated links: expected {expected}; found {found}. Correct the design.")
