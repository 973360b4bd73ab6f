r"""SIMULATED scans whose planted score tells two classes apart, and scans without a label.

The score is :math:`S \mid y \sim N(\pm\Delta/2, 1)` with :math:`\Delta = \sqrt2\,\Phi^{-1}(AUC)`,
so S has the given AUC; the best linear reading of what the scans show, which has the correlation r
with S within a class, has :math:`\Phi(r\Delta/\sqrt2)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from radiogenomics.core.errors import DataError
from radiogenomics.core.scan_arrays import ScanArrays
from radiogenomics.simulate.phase_volumes import PHASES_OF
from radiogenomics.simulate.planted_cohort import (
    SITES,
    PlantedCohort,
    deal_sites,
    patient_names,
    plant_cohort,
)
from radiogenomics.simulate.planted_traits import (
    GROWTH_SCALE,
    MEAN_GROWTH,
    PlantedDesign,
    planted_traits,
)
from radiogenomics.simulate.planted_volumes import SMALL, PlantedPatients, ScanProtocol, Shape
from radiogenomics.simulate.streams import stream
from radiogenomics.simulate.study_design import HIGHEST
from radiogenomics.simulate.study_truth import separation_of

PRESENT, ABSENT = "present", "absent"


@dataclass(frozen=True, eq=False, repr=False)
class SourceScans:
    """SIMULATED patients to pre-train on: scans, and what can be asked of them without an outcome.

    Parameters
    ----------
    scans
        Boxes around the livers.
    tasks
        Patients × tasks, each of SD about 1: the six traits (satellites as their number) and
        ``growth`` at follow-up, which heterogeneity and irregularity foretell in part.
    patients
        Who they are, for whole scans with masks.
    """

    scans: ScanArrays
    tasks: pd.DataFrame
    patients: PlantedPatients

    def __repr__(self) -> str:
        """Say that it is simulated, and how large it is."""
        return (
            f"SourceScans(SIMULATED {len(self.tasks)} patients; {', '.join(map(str, self.tasks))})"
        )


def draw_labelled_scans(
    patients: int,
    *,
    shape: Shape = SMALL,
    auc: float = 0.9,
    positives: float = 0.4,
    seed: int,
    effect: bool = True,
    label: str = "itls",
    sites: Sequence[str] = SITES,
    modality: str = "MR",
    phases: tuple[str, ...] = PHASES_OF["CT"],
    design: PlantedDesign | None = None,
    id: str = "planted-label",
    jobs: int = 1,
) -> PlantedCohort:
    """Draw patients of two classes that scans tell apart; ``strength`` has the true AUCs.

    Parameters
    ----------
    patients, shape, seed, effect, sites, modality, phases, design, id, jobs
        As in :func:`radiogenomics.simulate.planted_cohort.plant_cohort`.
    auc
        Of the score itself; ½ without effect.
    positives
        Share of patients of the class ``"present"``; met to a patient.
    label
        The fact that holds ``"present"`` or ``"absent"``.

    Raises
    ------
    DataError, UnknownNameError
        A number is out of its range, a class empty; the modality has no such phase.

    Examples
    --------
    >>> cohort = draw_labelled_scans(10, auc=0.85, seed=1)
    >>> cohort.facts["itls"].value_counts().to_dict()
    {'absent': 6, 'present': 4}
    >>> cohort.strength.loc["itls"].round(3).tolist()
    [0.85, 0.825]
    """
    positive = _classes(patients, positives, auc, rng=stream(seed, "planted classes", id))
    apart = separation_of(auc) if effect else 0.0
    plan = replace(design or PlantedDesign(), effect=effect)
    cohort = plant_cohort(
        (positive - 0.5) * apart + stream(seed, "planted scores", id).standard_normal(patients),
        id=id,
        seed=seed,
        protocol=ScanProtocol(shape, modality, phases),
        design=plan,
        sites=sites,
        jobs=jobs,
    )
    seen = np.array([[1.0, plan.visible(phases)]])
    return replace(
        cohort,
        facts=cohort.facts.assign(**{label: np.where(positive, PRESENT, ABSENT)}),
        strength=pd.DataFrame(ndtr(seen * apart / np.sqrt(2)), [label], ["score", "reading"]),
    )


def draw_source_scans(
    patients: int,
    *,
    shape: Shape = SMALL,
    seed: int,
    effect: bool = True,
    sites: Sequence[str] = SITES,
    modality: str = "CT",
    phases: tuple[str, ...] = PHASES_OF["CT"],
    design: PlantedDesign | None = None,
    id: str = "planted-source",
    jobs: int = 1,
) -> SourceScans:
    """Draw other patients, of whom nobody knows the outcome, to pre-train a network on.

    Parameters
    ----------
    patients, shape, seed, effect, sites, modality, phases, design, id, jobs
        As in :func:`radiogenomics.simulate.planted_cohort.plant_cohort`. Without effect the traits
        have no common cause; the tasks can be learnt all the same.

    Raises
    ------
    DataError
        A number is out of its range.
    UnknownNameError
        The modality has no such phase.

    Examples
    --------
    >>> draw_source_scans(5, shape=(16, 16, 16), seed=1)
    SourceScans(SIMULATED 5 patients; rim, heterogeneity, washout, size, irregularity, satellites,
    growth)
    """
    plan = replace(design or PlantedDesign(), effect=effect)
    names = patient_names(id, patients, seed=seed)
    scores = stream(seed, "planted scores", id).standard_normal(patients)
    traits = planted_traits(scores, list(names), seed=seed, design=plan)
    people = PlantedPatients(seed, traits.looks, deal_sites(names, sites, seed=seed))
    growth = (traits.looks["growth"] - MEAN_GROWTH) / GROWTH_SCALE
    scans = people.arrays(ScanProtocol(shape, modality, phases), jobs=jobs)
    return SourceScans(scans, traits.latents.assign(growth=growth), people)


def _classes(
    patients: int, share: float, auc: float, *, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Who is positive."""
    count = round(share * patients)
    if not 0.5 <= auc <= HIGHEST or not 0 < count < patients:
        raise DataError(
            f"planted label: expected an AUC from 0.5 to {HIGHEST} and patients of both classes; "
            f"found {auc:g} and {count} positives of {patients}. Correct them."
        )
    found: NDArray[np.bool_] = rng.permutation(np.arange(patients) < count)
    return found
