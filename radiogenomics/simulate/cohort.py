"""A whole simulated cohort of hepatocellular carcinoma, with the truth beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.feature_table import FeatureTable
from radiogenomics.core.html import card
from radiogenomics.core.outcomes import Outcome, ResponseOutcome, SurvivalOutcome
from radiogenomics.core.scan import Scan
from radiogenomics.simulate.anatomy import AnatomyConstants
from radiogenomics.simulate.appearance import AppearanceConstants, appearances, draw_appearance
from radiogenomics.simulate.clinical import (
    RESPONSES,
    ClinicalConstants,
    draw_patients,
    draw_response,
    draw_survival,
    itls_probability,
    log_hazard,
    response_probability,
)
from radiogenomics.simulate.design import Design
from radiogenomics.simulate.genes import GeneConstants, GeneModel, gene_model
from radiogenomics.simulate.latents import LatentModel, draw_latents
from radiogenomics.simulate.molecules import (
    RNAConstants,
    log_cpm,
    normal_latents,
    simulate_counts,
)
from radiogenomics.simulate.proteome import ProteomeConstants, simulate_proteome
from radiogenomics.simulate.scanner import ScannerConstants, site_scanner
from radiogenomics.simulate.single_cell import SingleCellConstants, simulate_cells
from radiogenomics.simulate.streams import stream
from radiogenomics.simulate.volumes import REGIONS, VolumeLoader

LICENCE = "simulated, no patient"
CITATION = "Simulated cohort; generative model in docs/simulation.md. No patient of it exists."
ORIGIN = "start of treatment"


@dataclass(frozen=True)
class HCCModel:
    """All constants of the generative model; docs/simulation.md gives the equations.

    Parameters
    ----------
    latents, genes, rna, proteome, single_cell, clinical, appearance, anatomy, scanner
        Constants of each part.
    """

    latents: LatentModel = field(default_factory=LatentModel)
    genes: GeneConstants = field(default_factory=GeneConstants)
    rna: RNAConstants = field(default_factory=RNAConstants)
    proteome: ProteomeConstants = field(default_factory=ProteomeConstants)
    single_cell: SingleCellConstants = field(default_factory=SingleCellConstants)
    clinical: ClinicalConstants = field(default_factory=ClinicalConstants)
    appearance: AppearanceConstants = field(default_factory=AppearanceConstants)
    anatomy: AnatomyConstants = field(default_factory=AnatomyConstants)
    scanner: ScannerConstants = field(default_factory=ScannerConstants)


@dataclass(frozen=True, eq=False)
class SimulatedHCC:
    """A cohort and what made it.

    The cohort has the assays ``rna`` (log2(CPM + 1)), ``rna_counts``, ``protein`` and, if asked
    for, ``scrna``; the outcomes ``OS``, ``PFS`` and ``response`` (mRECIST); and iTLS
    (``"present"``, ``"absent"``) as a fact of the patient, since it is a label and no outcome.

    Parameters
    ----------
    cohort
        What an analyst would see.
    truth
        Patients × latents, log_hazard, response_probability, itls_probability and the traits of
        the lesions (HU and mm, before any scanner). Never give it to a model.
    model
        The constants.
    effect
        Strength of the links from latents to images and outcomes.
    seed
        Seed from which every part was drawn.
    """

    cohort: Cohort
    truth: pd.DataFrame
    model: HCCModel
    effect: float
    seed: int

    def _repr_html_(self) -> str:
        facts = {"effect": self.effect, "seed": self.seed, "patients": len(self.truth)}
        return card(f"SimulatedHCC {self.cohort.id}", facts, self.cohort.flow())


def hcc_cohort(
    n_patients: int = 120,
    *,
    effect: float = 1.0,
    sites: Sequence[str] = ("A", "B"),
    modality: str = "CT",
    n_genes: int = 1000,
    n_normals: int = 0,
    phases: Sequence[str] = ("arterial",),
    time_points: Sequence[str] = ("baseline",),
    single_cell_patients: int = 0,
    id: str = "simulated_hcc",
    rng: np.random.Generator | None = None,
) -> SimulatedHCC:
    """Simulate molecules, scans and outcomes that share three hidden traits of the tumour.

    Scans are made when loaded. The same ``rng`` state gives the same patients: only devices differ
    between modalities, and more phases, normals or cells change nothing else. Equations:
    docs/simulation.md.

    Parameters
    ----------
    n_patients, n_genes
        Size; the genes that have a role come first.
    effect
        Multiplies every link from latents to images and outcomes; 0 is a null world. RNA, protein,
        cells and iTLS keep their structure.
    sites
        Patients are dealt evenly. A name is the same scanner and laboratory in every cohort.
    modality, phases, time_points
        ``CT`` or ``MR``; ``arterial``, ``portal``; ``baseline``, ``follow-up``.
    n_normals, single_cell_patients
        How many of the first patients have normal liver RNA, and single cells.
    id
        Name of the cohort; patients of another name have other identifiers.
    rng
        Source of randomness; a fresh one when not given.

    Raises
    ------
    DataError, SchemaError, UnknownNameError
        A number out of range, an id no manifest takes, an unknown modality, phase or time point.

    Examples
    --------
    >>> hcc_cohort(20, rng=np.random.default_rng(7)).cohort.scans[0].load().voxels.shape
    (40, 56, 56)
    """
    words = (tuple(sites), modality, n_genes, n_normals, tuple(phases), tuple(time_points))
    design = Design(n_patients, effect, *words, single_cell_patients, id)
    seed = int((np.random.default_rng() if rng is None else rng).integers(2**32))
    return _simulate(design, HCCModel(), seed)


def _simulate(design: Design, model: HCCModel, seed: int) -> SimulatedHCC:
    effect = design.effect
    latents = draw_latents(design.patient_ids, model.latents, stream(seed, "latents"))
    patients = draw_patients(
        latents,
        design.deal(stream(seed, "sites")),
        constants=model.clinical,
        effect=effect,
        rng=stream(seed, "patients"),
    )
    hazard = log_hazard(latents, patients, model.clinical, effect=effect)
    category = draw_response(latents, model.clinical, effect=effect, rng=stream(seed, "response"))
    response = ResponseOutcome("response", category, "mRECIST", RESPONSES)
    look = draw_appearance(
        latents,
        category,
        constants=model.appearance,
        effect=effect,
        rng=stream(seed, "appearance"),
    )
    truth = [
        hazard,
        response_probability(latents, model.clinical, effect=effect),
        itls_probability(latents, model.clinical),
        look,
    ]
    cohort = Cohort(
        design.id,
        patients,
        assays=_assays(design, latents, response, model=model, seed=seed),
        scans=_scans(design, patients["site"], look, model=model, seed=seed),
        outcomes={**_survival(hazard, model.clinical, seed), "response": response},
        citation=CITATION,
        licence=LICENCE,
        simulated=True,
    )
    return SimulatedHCC(cohort, latents.join(truth), model, effect, seed)


def _survival(hazard: pd.Series, constants: ClinicalConstants, seed: int) -> dict[str, Outcome]:
    drawn = draw_survival(hazard, constants, stream(seed, "survival"))
    return {
        endpoint: SurvivalOutcome(endpoint, drawn[f"{endpoint}_months"], drawn[endpoint], ORIGIN)
        for endpoint in ("OS", "PFS")
    }


def _scans(
    design: Design, sites: pd.Series, look: pd.DataFrame, *, model: HCCModel, seed: int
) -> tuple[Scan, ...]:
    scanners = {site: site_scanner(site, design.modality, model.scanner) for site in design.sites}
    patients = zip(look.index, sites, appearances(look), strict=True)
    return tuple(
        Scan(
            patient,
            design.modality,
            VolumeLoader(seed, number, lesions, scanners[site], model.anatomy, phase, time_point),
            phase,
            time_point,
            REGIONS,
        )
        for number, (patient, site, lesions) in enumerate(patients)
        for time_point in design.time_points
        for phase in design.phases
    )


def _assays(
    design: Design,
    latents: pd.DataFrame,
    response: ResponseOutcome,
    *,
    model: HCCModel,
    seed: int,
) -> dict[str, FeatureTable]:
    genes = gene_model(design.n_genes, model.genes)
    samples, counts = _bulk(design, latents, genes, model=model, seed=seed)
    rna = log_cpm(counts, samples["library_size"])
    protein = simulate_proteome(rna.iloc[: len(latents)], model.proteome, stream(seed, "protein"))

    def table(values: pd.DataFrame, name: str, unit: str, source: str) -> FeatureTable:
        rows = samples.loc[values.index]
        return FeatureTable.from_frame(
            values,
            name=name,
            unit=unit,
            source=source,
            samples=rows.drop(columns="patient_id"),
            patient_id=rows["patient_id"],
        )

    assays = {
        "rna": table(rna, "rna", "log2(x+1)", "simulated RNA, x counts per million"),
        "rna_counts": table(counts, "rna_counts", "counts", "simulated RNA, reads"),
        "protein": table(protein, "protein", "log intensity", "simulated proteome, log2"),
    }
    if design.single_cell_patients:
        assays["scrna"] = simulate_cells(
            latents.iloc[: design.single_cell_patients],
            response.grouped(("CR", "PR")),
            genes,
            constants=model.single_cell,
            rng=stream(seed, "cells"),
        )
    return assays


def _bulk(
    design: Design, latents: pd.DataFrame, genes: GeneModel, *, model: HCCModel, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Facts of the samples and their counts: all tumours, then normals of the first patients.

    Tissue goes to a laboratory by lot. If it stayed where the scan was made, the site would tie
    images to molecules even in a null world.
    """
    normals, size = design.n_normals, len(latents)
    laboratory = design.deal(stream(seed, "laboratories"))
    patient = np.array([*latents.index, *latents.index[:normals]], dtype=object)
    samples = pd.DataFrame(
        {
            "patient_id": patient,
            "sample_type": np.repeat(["tumour", "normal"], [size, normals]),
            "batch": [*laboratory, *laboratory[:normals]],
        },
        index=[
            *(f"{name}-T" for name in patient[:size]),
            *(f"{name}-N" for name in patient[size:]),
        ],
    )
    rng = stream(seed, "normal rna")
    states = normal_latents(normals, model.rna, rng)
    blocks = (
        simulate_counts(
            latents.to_numpy(), laboratory, genes, constants=model.rna, rng=stream(seed, "rna")
        ),
        simulate_counts(states, laboratory[:normals], genes, constants=model.rna, rng=rng),
    )
    counts, library = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    samples["library_size"] = library.astype(float)
    return samples, pd.DataFrame(counts, index=samples.index, columns=list(genes.names))
