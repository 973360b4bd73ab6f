"""Cohorts with known truth from one documented generative model (docs/simulation.md)."""

from __future__ import annotations

from radiogenomics.simulate.cohort import HCCModel, SimulatedHCC, hcc_cohort
from radiogenomics.simulate.write import write_cohort

__all__ = ["HCCModel", "SimulatedHCC", "hcc_cohort", "write_cohort"]
