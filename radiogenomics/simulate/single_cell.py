"""Single cells of some patients: types, cycling tumour cells and sparse counts."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import anndata
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import expit

from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.simulate.genes import HYPOXIA, PROLIFERATION, GeneModel
from radiogenomics.simulate.latents import LATENTS

MARKERS = MappingProxyType(
    {
        "tumour": ("ALB", "APOA1", "APOC3", "TF", "TTR", "SERPINA1", "CYP3A4"),
        "T": tuple(
            """CD3D CD3E CD2 CD247 CD8A CD8B GZMA GZMH GZMK PRF1 NKG7 IFNG PDCD1 CTLA4 LAG3 TNFRSF4
            TRAF3IP3 CXCL13 CCL5 CCL4""".split()
        ),
        "B": ("MS4A1", "CD19", "CD79A", "CD79B"),
        "myeloid": tuple(
            """LYZ CD68 CD14 ITGAM SIGLEC1 C1QA CD274 IDO1 CXCL9 CXCL10 CXCL11 CCL2 CCL3 CCL8
            CCL18""".split()
        ),
        "endothelial": ("PECAM1", "VWF", "KDR", "CDH5"),
        "fibroblast": tuple("COL1A1 COL1A2 COL3A1 DCN PDGFRB ACTA2 CCL19 CCL21".split()),
    }
)
CELL_TYPES = tuple(MARKERS)


@dataclass(frozen=True)
class SingleCellConstants:
    """Composition and depth of the simulated cells.

    Parameters
    ----------
    cells
        Cells a patient.
    composition
        Average share of each of ``CELL_TYPES``.
    immune_loading
        Change of the log share of T, B and myeloid cells per SD of immune infiltration.
    composition_noise
        SD of the log shares between patients.
    depth_per_gene, depth_spread
        Molecules counted in a cell per gene of the table: median, and log SD between cells.
    marker_fold
        How much more a marker is expressed in its own cells; as much less in others.
    cycling_intercept, cycling_loading
        Logit of the share of cycling tumour cells: intercept, and change per SD of proliferation.
    cycling_fold
        Fold change of proliferation genes in a cycling cell.
    dispersion
        Negative binomial dispersion.
    """

    cells: int = 150
    composition: tuple[float, ...] = (0.45, 0.2, 0.06, 0.15, 0.07, 0.07)
    immune_loading: float = 0.5
    composition_noise: float = 0.3
    depth_per_gene: float = 0.8
    depth_spread: float = 0.3
    marker_fold: float = 8.0
    cycling_intercept: float = -1.5
    cycling_loading: float = 0.9
    cycling_fold: float = 6.0
    dispersion: float = 0.3


def simulate_cells(
    latents: pd.DataFrame,
    responder: pd.Series,
    genes: GeneModel,
    *,
    constants: SingleCellConstants,
    rng: np.random.Generator,
) -> FeatureTable:
    """Draw cells × genes counts.

    Immune infiltration shifts the shares of T, B and myeloid cells; proliferation sets how many
    tumour cells cycle; tumour cells carry the patient's hypoxia. Counts are negative binomial
    around depth × profile of the cell's type.

    Parameters
    ----------
    latents
        Patients × latents.
    responder
        True for responders, same index.
    genes
        The genome.
    constants
        Composition, depth and noise.
    rng
        Source of randomness.

    Returns
    -------
    FeatureTable
        Assay ``scrna``; ``obs`` has patient_id, cell_type, cycling, responder; ``X`` is sparse.
    """
    profiles = _profiles(genes, constants)
    counts, facts = [], []
    for patient in latents.index:
        state = latents.loc[patient]
        types = _draw_types(state, constants, rng)
        tumour = types == CELL_TYPES.index("tumour")
        odds = constants.cycling_intercept + constants.cycling_loading * state["proliferation"]
        cycling = tumour & (rng.uniform(size=len(types)) < expit(odds))
        counts.append(
            _draw_counts(
                state, types, cycling, genes=genes, profiles=profiles, constants=constants, rng=rng
            )
        )
        facts.append(_facts(patient, types, cycling, bool(responder[patient])))
    variables = pd.DataFrame(
        {"unit": "counts", "source": "simulated single-cell RNA"}, index=list(genes.names)
    )
    matrix = sparse.vstack(counts, format="csr")
    return FeatureTable("scrna", anndata.AnnData(matrix, obs=pd.concat(facts), var=variables))


def _facts(patient: str, types: np.ndarray, cycling: np.ndarray, responder: bool) -> pd.DataFrame:
    facts = {
        "patient_id": patient,
        "cell_type": np.array(CELL_TYPES)[types],
        "cycling": cycling,
        "responder": responder,
    }
    return pd.DataFrame(facts, index=[f"{patient}_{cell:04d}" for cell in range(len(types))])


def _profiles(genes: GeneModel, constants: SingleCellConstants) -> np.ndarray:
    """Relative expression of each gene in each cell type."""
    profiles = np.tile(np.exp(genes.log_mean), (len(CELL_TYPES), 1))
    position = {name: column for column, name in enumerate(genes.names)}
    for row, markers in enumerate(MARKERS.values()):
        columns = [position[marker] for marker in markers]
        own = profiles[row, columns] * constants.marker_fold
        profiles[:, columns] /= constants.marker_fold
        profiles[row, columns] = own
    return profiles


def _draw_types(
    state: pd.Series, constants: SingleCellConstants, rng: np.random.Generator
) -> np.ndarray:
    log_share = np.log(constants.composition)
    log_share += constants.composition_noise * rng.standard_normal(len(CELL_TYPES))
    for cell_type in ("T", "B", "myeloid"):
        log_share[CELL_TYPES.index(cell_type)] += constants.immune_loading * state["immune"]
    share = np.exp(log_share)
    return rng.choice(len(CELL_TYPES), size=constants.cells, p=share / share.sum())


def _draw_counts(
    state: pd.Series,
    types: np.ndarray,
    cycling: np.ndarray,
    *,
    genes: GeneModel,
    profiles: np.ndarray,
    constants: SingleCellConstants,
    rng: np.random.Generator,
) -> sparse.csr_matrix:
    rate = profiles[types]
    names = np.array(genes.names)
    hypoxia = np.exp(genes.loadings[:, LATENTS.index("hypoxia")] * state["hypoxia"])
    tumour = types == CELL_TYPES.index("tumour")
    in_hypoxia, in_cycle = np.isin(names, HYPOXIA), np.isin(names, PROLIFERATION)
    rate[np.ix_(tumour, in_hypoxia)] *= hypoxia[in_hypoxia]
    rate[np.ix_(cycling, in_cycle)] *= constants.cycling_fold
    rate /= rate.sum(axis=1, keepdims=True)
    depth = constants.depth_per_gene * len(names)
    depth = depth * np.exp(constants.depth_spread * rng.standard_normal(len(types)))
    size = 1.0 / constants.dispersion
    mean = depth[:, None] * rate
    return sparse.csr_matrix(rng.negative_binomial(size, size / (size + mean)).astype(np.float32))
