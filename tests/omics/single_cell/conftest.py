"""Simulated cells whose types and cycle are known, and the bulk of the same world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from radiogenomics.simulate.cohort import SimulatedHCC, hcc_cohort

REFERENCE = Path(__file__).resolve().parents[2] / "reference" / "omics"


@pytest.fixture(scope="session")
def world() -> Callable[[int], SimulatedHCC]:
    """A cohort of 150 bulk samples, and 4 patients with 150 cells each, of a seed."""
    made: dict[int, SimulatedHCC] = {}

    def make(seed: int) -> SimulatedHCC:
        if seed not in made:
            rng = np.random.default_rng(seed)
            made[seed] = hcc_cohort(150, n_genes=1000, single_cell_patients=4, rng=rng)
        return made[seed]

    return make


@pytest.fixture
def counted(world: Callable[[int], SimulatedHCC]) -> anndata.AnnData:
    """Raw counts of 600 cells × 1000 genes."""
    return world(0).cohort.assay("scrna").adata.copy()


@pytest.fixture(scope="session")
def normal(world: Callable[[int], SimulatedHCC]) -> anndata.AnnData:
    """The same, normalised; not to be changed."""
    pytest.importorskip("scanpy")
    from radiogenomics.omics.single_cell.normalise import normalise_cells

    return normalise_cells(world(0).cohort.assay("scrna").adata)


@pytest.fixture(scope="session")
def embedded(normal: anndata.AnnData) -> anndata.AnnData:
    """With graph and clusters; not to be changed."""
    from radiogenomics.omics.single_cell.embed import EmbeddingSettings, embed_cells

    settings = EmbeddingSettings(variable_genes=500, components=20)
    return embed_cells(normal, settings, until="clusters")


@pytest.fixture(scope="session")
def reference() -> Callable[[str], pd.DataFrame]:
    """A table that R made (tests/reference/omics/single_cell.R)."""
    return lambda name: pd.read_csv(REFERENCE / f"single_cell_{name}.csv")
