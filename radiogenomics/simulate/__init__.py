"""Cohorts with known truth from one documented generative model (docs/simulation.md)."""

from __future__ import annotations

from radiogenomics.simulate.cohort import HCCModel, SimulatedHCC, hcc_cohort
from radiogenomics.simulate.planted_cohort import (
    PlantedCohort,
    plant_study,
    write_planted_cohort,
    write_with_scans,
)
from radiogenomics.simulate.planted_labels import draw_labelled_scans, draw_source_scans
from radiogenomics.simulate.planted_survival import draw_survival_scans
from radiogenomics.simulate.planted_traits import PlantedDesign
from radiogenomics.simulate.planted_volumes import PlantedPatients, ScanProtocol, planted_volume
from radiogenomics.simulate.study_cohort import StudyCohort, draw_study_cohort, write_study_cohort
from radiogenomics.simulate.study_design import StudyDesign
from radiogenomics.simulate.study_truth import StudyTruth, calibrate
from radiogenomics.simulate.write import write_cohort

__all__ = [
    "HCCModel",
    "PlantedCohort",
    "PlantedDesign",
    "PlantedPatients",
    "ScanProtocol",
    "SimulatedHCC",
    "StudyCohort",
    "StudyDesign",
    "StudyTruth",
    "calibrate",
    "draw_labelled_scans",
    "draw_source_scans",
    "draw_study_cohort",
    "draw_survival_scans",
    "hcc_cohort",
    "plant_study",
    "planted_volume",
    "write_cohort",
    "write_planted_cohort",
    "write_study_cohort",
    "write_with_scans",
]
