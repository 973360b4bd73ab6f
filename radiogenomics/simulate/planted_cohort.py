"""SIMULATED patients with scans that show a score, as arrays, as a study's tables, and as files."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.core.scan import Scan
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.simulate.planted_facts import draw_clinical
from radiogenomics.simulate.planted_traits import PlantedDesign, planted_traits
from radiogenomics.simulate.planted_volumes import PlantedPatients, ScanProtocol
from radiogenomics.simulate.staging import complete_or_not
from radiogenomics.simulate.streams import stream
from radiogenomics.simulate.study_cohort import StudyCohort, write_study_cohort
from radiogenomics.simulate.study_design import StudyDesign
from radiogenomics.simulate.write import MANIFEST, write_scans

SITES = ("A", "B", "C")
ORIGIN = "start of treatment"


@dataclass(frozen=True, eq=False, repr=False)
class PlantedCohort:
    """SIMULATED patients whose lesions show a score, and what the score does to them.

    Parameters
    ----------
    id, title
        Of the manifest.
    patients
        Who is scanned where.
    protocol
        How.
    facts
        Patients × facts, as numbers but for the site and a label in words: sex 1 is male,
        up_to_seven 1 beyond it, line_of_therapy 1 second or later, afp in ng/mL.
    truth
        ``score``, ``reading`` (the best linear one of traits that the phases show), traits: never
        for a model.
    strength
        What is foretold × ``score, reading``: true C-index or AUC of the score, and of the best
        linear reading of what the protocol's phases show.
    outcomes
        ``OS`` and ``PFS``, where the score acts on survival.
    jobs
        Processes that make arrays.
    """

    id: str
    title: str
    patients: PlantedPatients
    protocol: ScanProtocol
    facts: pd.DataFrame
    truth: pd.DataFrame
    strength: pd.DataFrame = field(default_factory=pd.DataFrame)
    outcomes: Mapping[str, SurvivalOutcome] = field(default_factory=dict)
    jobs: int = 1

    @cached_property
    def scans(self) -> ScanArrays:
        """Boxes around the livers, phases as channels; made when first asked for, then kept."""
        return self.patients.arrays(self.protocol, jobs=self.jobs)

    @property
    def tables(self) -> StudyCohort:
        """Everything but scans, as the cohort of a simulated study."""
        return StudyCohort(
            id=self.id,
            title=self.title,
            facts=self.facts,
            blocks={},
            markers={},
            outcomes={
                name: outcome.to_frame().rename(columns={"time": "months"})
                for name, outcome in self.outcomes.items()
            },
            responses={},
            orders={},
            truth=self.truth,
        )

    def __repr__(self) -> str:
        """Say that it is simulated, and how large it is."""
        return (
            f"PlantedCohort(SIMULATED {self.id}: {len(self.facts)} patients; "
            f"{self.protocol.modality} {', '.join(self.protocol.phases)})"
        )


def plant_cohort(
    scores: ArrayLike,
    *,
    id: str,
    seed: int,
    protocol: ScanProtocol,
    design: PlantedDesign,
    sites: Sequence[str] = SITES,
    jobs: int = 1,
) -> PlantedCohort:
    """Give patients with the given scores lesions, a site and clinical facts.

    Parameters
    ----------
    scores
        (n,): of at least 4 patients; SD 1, within a class where classes differ.
    id, seed
        Of everything; another id or seed is other patients.
    protocol
        Voxels, modality and phases.
    design
        How strongly lesions show the score, and by which traits. Without effect neither lesions nor
        facts know of it.
    sites
        Hospitals with a device each; the same name is the same device in every cohort.
    jobs
        Processes that make scans.

    Raises
    ------
    DataError
        There are too few patients, a score is not finite, or sites are missing or repeated.
    """
    planted = np.asarray(scores, dtype=float).reshape(-1)
    names = patient_names(id, len(planted), seed=seed)
    traits = planted_traits(planted, list(names), seed=seed, design=design)
    site = deal_sites(names, sites, seed=seed)
    rng = stream(seed, "planted facts", id)
    facts = draw_clinical(planted, traits.looks, linked=design.effect, rng=rng)
    reading = design.reading(traits.latents.to_numpy(), protocol.phases)
    return PlantedCohort(
        id=id,
        title=f"Simulated scans{'' if design.effect else ', nothing linked'}, seed {seed}",
        patients=PlantedPatients(seed, traits.looks, site),
        protocol=protocol,
        facts=facts.assign(site=site),
        truth=traits.looks.assign(score=planted, reading=reading),
        jobs=jobs,
    )


def write_planted_cohort(
    cohort: PlantedCohort, folder: Path | str, *, jobs: int | None = None
) -> Path:
    """Write facts, outcomes, NIfTI scans with masks, and the manifest that describes them.

    The scans are whole ones of 200 × 220 × 280 mm with the protocol's number of voxels, not the
    boxes of ``cohort.scans``; patients and lesions are the same.

    Returns
    -------
    pathlib.Path
        The manifest; its folder is the data root.

    Raises
    ------
    DataError, MissingFileError, MissingExtraError
        As :func:`write_with_scans` raises.
    """
    scans = cohort.patients.scans(cohort.protocol)
    return write_with_scans(cohort.tables, scans, folder, jobs=jobs or cohort.jobs)


def write_with_scans(
    cohort: StudyCohort, scans: tuple[Scan, ...], folder: Path | str, *, jobs: int = 1
) -> Path:
    """Write a simulated study's tables and, beside them, scans of its patients.

    Parameters
    ----------
    cohort
        Tables; blocks that are to be drawn from the scans are left out by the caller.
    scans
        Of patients of the cohort.
    folder
        A new or empty folder; it appears complete or not at all.
    jobs
        Processes that make scans.

    Raises
    ------
    DataError
        The folder holds something already, there is no scan, or one is of a patient of elsewhere.
    MissingFileError
        The folder that should hold it does not exist.
    MissingExtraError
        nibabel is not installed.
    """
    strangers = {scan.patient_id for scan in scans} - set(map(str, cohort.facts.index))
    if strangers or not scans:
        raise DataError(
            f"{cohort.id}: expected scans of its patients; found {len(scans)} scans, "
            f"{len(strangers)} patients of elsewhere. Plant the scans in this cohort."
        )
    folder = Path(folder)
    with complete_or_not(folder) as staging:
        written = write_study_cohort(cohort, staging / "tables")
        for file in sorted(written.parent.iterdir()):
            file.rename(staging / file.name)
        written.parent.rmdir()
        manifest: dict[str, Any] = yaml.safe_load((staging / MANIFEST).read_text("utf-8"))
        manifest["scans"] = write_scans(scans, staging, jobs)
        text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=100)
        (staging / MANIFEST).write_text(text, encoding="utf-8")
    return folder / MANIFEST


def plant_study(
    design: StudyDesign,
    cohort: StudyCohort,
    blocks: Sequence[str],
    *,
    seed: int,
    correlation: float = 0.9,
) -> PlantedPatients:
    """Give the patients of a simulated study lesions that show what some blocks carry.

    The score that is planted is :math:`\\sum_b \\sqrt{w_b}\\,t_b / \\sqrt{\\sum_b w_b}` over the
    blocks, with their shares and scores, so it has the SD 1 within a class. Where they carry
    nothing, lesions show nothing.

    Parameters
    ----------
    design, cohort
        The study, and one part of it.
    blocks
        Blocks of the design that are drawn from scans instead of tables.
    seed
        Of the lesions.
    correlation
        Of the best linear reading of the lesions with the score.

    Raises
    ------
    UnknownNameError
        The design has no such block.
    """
    for block in blocks:
        if block not in design.blocks:
            raise UnknownNameError("block of the design", block, design.blocks)
    carried = np.array([design.carried(block) for block in blocks])
    effect = bool(carried.sum() > 0)
    weights = np.sqrt(carried / carried.sum()) if effect else np.zeros(len(blocks))
    scores = cohort.truth[[f"score_{block}" for block in blocks]].to_numpy() @ weights
    traits = planted_traits(
        scores,
        list(cohort.facts.index),
        seed=seed,
        design=PlantedDesign(correlation=correlation, effect=effect),
    )
    return PlantedPatients(seed, traits.looks, cohort.facts["site"])


def patient_names(id: str, size: int, *, seed: int) -> pd.Index[Any]:
    """Names of simulated patients; others in another cohort, and with another seed.

    Raises
    ------
    DataError
        There are fewer than 4.

    Examples
    --------
    >>> list(patient_names("toy", 4, seed=1))[-1]
    'SIM-364F2-0004'
    """
    if size < 4:
        raise DataError(f"{id}: expected at least 4 patients; found {size}. Ask for more.")
    mark = f"{zlib.crc32(f'{id} {seed}'.encode()):08X}"[:5]
    names = [f"SIM-{mark}-{number:04d}" for number in range(1, size + 1)]
    return pd.Index(names, name="patient_id", dtype=object)


def deal_sites(names: pd.Index[Any], sites: Sequence[str], *, seed: int) -> pd.Series[str]:
    """Deal patients to sites evenly and by lot, whatever their score.

    Raises
    ------
    DataError
        There is no site, or one stands twice.
    """
    if not sites or len(set(sites)) < len(sites):
        raise DataError(
            f"expected one site or more, each once; found {tuple(sites)}. Correct the names."
        )
    dealt = stream(seed, "planted sites", *names[:1]).permutation(
        np.resize(np.array(sites, dtype=object), len(names))
    )
    return pd.Series(dealt, index=names, name="site")
