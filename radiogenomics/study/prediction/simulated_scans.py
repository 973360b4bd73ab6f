"""Blocks of a simulated study that are drawn from scans: which, and the scans that show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from radiogenomics.core.errors import StudyError
from radiogenomics.core.scan import Scan
from radiogenomics.simulate.planted_cohort import plant_study, write_with_scans
from radiogenomics.simulate.planted_volumes import ScanProtocol
from radiogenomics.simulate.study_cohort import StudyCohort, write_study_cohort
from radiogenomics.simulate.study_design import ImageDesign, StudyDesign
from radiogenomics.study.prediction.inputs import BASELINE
from radiogenomics.study.prediction.schema import (
    ImageBlock,
    NetworkBlock,
    PredictionStudy,
    SimulatedScans,
)

ScannedBlock = ImageBlock | NetworkBlock

UNREAD = ImageDesign(("planted",))
"""What the design knows of a block that scans show: a score, and no table."""


def scanned_blocks(recipe: PredictionStudy) -> dict[str, ScannedBlock]:
    """Blocks that a simulated cohort has in its scans: none where the recipe simulates no scans.

    Raises
    ------
    StudyError
        A network has no scans to read; a block is of a later scan, in which nothing is planted.
    """
    blocks: dict[str, ScannedBlock] = {
        name: block
        for name, block in recipe.blocks.items()
        if isinstance(block, NetworkBlock)
        or (isinstance(block, ImageBlock) and block.kind == "deep")
    }
    if recipe.simulation.scans is None:
        blind = [name for name, block in blocks.items() if isinstance(block, NetworkBlock)]
        if blind:
            raise StudyError(
                f"{recipe.study}: expected simulation: scans, which networks read; found none for "
                f"{', '.join(blind)}. Say how many voxels they have."
            )
        return {}
    later = [name for name, block in blocks.items() if block.time_point.value != BASELINE]
    if later:
        raise StudyError(
            f"{recipe.study}: expected deep blocks and networks of baseline scans, which can be "
            f"simulated; found later ones of {', '.join(later)}. Leave simulation: scans out."
        )
    return blocks


def write_part(
    recipe: PredictionStudy,
    cohort: StudyCohort,
    folder: Path,
    *,
    design: StudyDesign,
    seed: int,
    jobs: int,
) -> Path:
    """Write one cohort: tables, and scans for the blocks that have no table.

    Parameters
    ----------
    recipe, cohort
        The study, and one part that was drawn from its design.
    folder
        New or empty.
    design
        Of the study.
    seed
        Of the lesions.
    jobs
        Processes that make scans.

    Returns
    -------
    pathlib.Path
        The manifest.
    """
    shown = scanned_blocks(recipe)
    scans = recipe.simulation.scans
    if scans is None or not shown:
        return write_study_cohort(cohort, folder)
    patients = plant_study(
        design, cohort, tuple(shown), seed=seed, correlation=scans.correlation.value
    )
    made: list[Scan] = []
    for protocol in protocols(shown, scans):
        made += patients.scans(protocol)
    tables = {name: table for name, table in cohort.blocks.items() if name not in shown}
    return write_with_scans(replace(cohort, blocks=tables), tuple(made), folder, jobs=jobs)


def protocols(shown: Mapping[str, ScannedBlock], scans: SimulatedScans) -> list[ScanProtocol]:
    """One protocol a modality, with every phase that a block of it reads, in order of appearance.

    Raises
    ------
    UnknownNameError
        No scan of that modality, or no such phase of it, can be simulated.
    """
    phases: dict[str, list[str]] = {}
    for block in shown.values():
        own = block.phases.value if isinstance(block, NetworkBlock) else (block.phase.value,)
        known = phases.setdefault(block.modality.value, [])
        known += [phase for phase in own if phase not in known]
    return [
        ScanProtocol(scans.voxels.value, modality, tuple(own)) for modality, own in phases.items()
    ]
