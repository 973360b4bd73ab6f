"""What a simulated image-gene world holds true, in closed form, pair by pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.simulate.link_design import LinkDesign

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_KINDS = ("planted", "volume_driven", "purity_driven")


@dataclass(frozen=True, eq=False)
class LinkStructure:
    """What is fixed of each feature and gene.

    Parameters
    ----------
    design
        Sizes and strengths.
    feature_names, gene_names
        In order.
    block, sign
        Block of each feature, and 1 or −1 with which it loads on it.
    feature_shift, gene_shift
        Features × sites and genes × sites: what a site adds; mean square over sites is the squared
        correlation of the design.
    """

    design: LinkDesign
    feature_names: pd.Index
    gene_names: pd.Index
    block: Places
    sign: Floats
    feature_shift: Floats
    gene_shift: Floats

    def pathway_genes(self, pathway: int) -> Places:
        """Positions of the genes of a pathway; pathways come first and do not overlap."""
        size = self.design.pathway_genes
        return np.arange(pathway * size, (pathway + 1) * size)


def factor_truth(design: LinkDesign) -> pd.DataFrame:
    """Blocks and pathways whose factors correlate.

    Returns
    -------
    DataFrame
        ``block, pathway, rho`` (marginal), ``own`` (the part of it that covariates do not explain),
        ``planted, volume_driven, purity_driven``.
    """
    d = design
    planted = {(link.block, link.pathway): link.rho for link in d.links}
    volume = {(b, s) for b in d.volume_blocks for s in d.volume_pathways}
    purity = {(b, s) for b in d.purity_blocks for s in d.purity_pathways}
    on_blocks, on_pathways = d.driven()
    rows = []
    for place in sorted({*planted, *volume, *purity}):
        block, pathway = on_blocks[place[0]], on_pathways[place[1]]
        own = planted.get(place, 0.0) * float(unexplained(block) * unexplained(pathway))
        kinds = (place in planted, place in volume, place in purity)
        rows.append((*place, own + block @ pathway, own, *kinds))
    return pd.DataFrame(rows, columns=["block", "pathway", "rho", "own", *_KINDS])


def pair_truth(structure: LinkStructure) -> pd.DataFrame:
    """Pairs of features and genes that are linked or driven; see ``LinkCohort.pairs``."""
    tables = []
    for row in factor_truth(structure.design).itertuples():
        members = np.flatnonzero(structure.block == row.block)
        genes = structure.pathway_genes(row.pathway)
        f, g = np.repeat(members, len(genes)), np.tile(genes, len(members))
        found = {
            "feature": structure.feature_names[f],
            "gene": structure.gene_names[g],
            **_correlations(structure, f, structure.gene_shift[g], row),
        }
        tables.append(_with_kinds(found, row))
    columns = ["feature", "gene", "rho", "partial_rho", *_KINDS, "spurious"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def set_truth(
    structure: LinkStructure, shares: Mapping[str, tuple[int, float]], sets: Mapping[str, Places]
) -> pd.DataFrame:
    """Pairs of features and gene sets; see ``LinkCohort.sets``.

    Parameters
    ----------
    structure
        What is fixed.
    shares
        Set → the pathway it takes genes of, and their share of the set.
    sets
        Set → positions of its genes.
    """
    tables = []
    for row in factor_truth(structure.design).itertuples():
        f = np.flatnonzero(structure.block == row.block)
        for name, (pathway, share) in shares.items():
            if pathway != row.pathway:
                continue
            shift = structure.gene_shift[sets[name]].mean(axis=0)
            found = {
                "feature": structure.feature_names[f],
                "set": name,
                "share": share,
                **_correlations(structure, f, shift, row, share=share),
            }
            tables.append(_with_kinds(found, row))
    columns = ["feature", "set", "share", "rho", "partial_rho", *_KINDS, "spurious"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def unexplained(on_factors: Floats) -> Floats:
    """Standard deviation that covariates leave of factors, from their correlations with them."""
    return np.sqrt(1 - np.square(on_factors).sum(axis=-1))


def _correlations(
    structure: LinkStructure, features: Places, gene_shift: Floats, row: Any, *, share: float = 1.0
) -> dict[str, Floats]:
    """Marginal correlation and that given the covariates; of sets, the mean over their genes."""
    d = structure.design
    on_blocks, on_pathways = d.driven()
    size = structure.sign[features] * np.sqrt(d.block_correlation * d.gene_correlation) * share
    without_site = np.sqrt((1 - d.site_on_features**2) * (1 - d.site_on_genes**2))
    by_site = (structure.feature_shift[features] * gene_shift).mean(axis=1)
    left = np.sqrt(
        (1 - d.block_correlation * np.square(on_blocks[row.block]).sum())
        * (1 - d.gene_correlation * np.square(on_pathways[row.pathway]).sum())
    )
    return {"rho": size * without_site * row.rho + by_site, "partial_rho": size * row.own / left}


def _with_kinds(found: dict[str, Any], row: Any) -> pd.DataFrame:
    kinds = {kind: getattr(row, kind) for kind in _KINDS}
    return pd.DataFrame({**found, **kinds, "spurious": not row.planted})
