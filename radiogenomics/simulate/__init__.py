"""Cohorts with known truth from one documented generative model (docs/simulation.md)."""

from __future__ import annotations

from radiogenomics.simulate.cohort import HCCModel, SimulatedHCC, hcc_cohort
from radiogenomics.simulate.study_cohort import StudyCohort, draw_study_cohort, write_study_cohort
from radiogenomics.simulate.study_design import StudyDesign
from radiogenomics.simulate.study_truth import StudyTruth, calibrate
from radiogenomics.simulate.write import write_cohort

__all__ = [
    "HCCModel",
    "SimulatedHCC",
    "StudyCohort",
    "StudyDesign",
    "StudyTruth",
    "calibrate",
    "draw_study_cohort",
    "hcc_cohort",
    "write_cohort",
    "write_study_cohort",
]
