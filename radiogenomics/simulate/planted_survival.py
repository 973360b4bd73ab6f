r"""SIMULATED scans whose planted score drives survival.

Times to death are Weibull with proportional hazards in the score S,
:math:`P(T > t \mid S) = \exp(-H_0\,(t/m)^k\,e^{\beta S})`, with :math:`e^\beta` the hazard ratio
per SD and m the median of all patients. Progression has 0.8 of the log hazard ratio and goes with
death; PFS ends at whichever is first. Follow-up is uniform up to a span that censors the asked
share of OS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_ndtr

from radiogenomics.core.errors import DataError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.simulate.phase_volumes import PHASES_OF
from radiogenomics.simulate.planted_cohort import ORIGIN, SITES, PlantedCohort, plant_cohort
from radiogenomics.simulate.planted_traits import PlantedDesign
from radiogenomics.simulate.planted_volumes import SMALL, ScanProtocol, Shape
from radiogenomics.simulate.streams import WORLD, stream
from radiogenomics.simulate.study_people import rounded
from radiogenomics.simulate.study_truth import (
    SHAPE,
    SHORTEST_FOLLOW_UP,
    StudyTruth,
    follow_up_span,
    hazard_at_median,
    marginal_survival,
)
from radiogenomics.stats.survival.concordance import concordance_batch

Floats = NDArray[np.float64]

MEDIAN_OS, MEDIAN_PROGRESSION, PROGRESSION_SHARE = 14.0, 8.0, 0.8
SHARED_LUCK = 0.8
LARGEST_RATIO, MOST_CENSORED = 50.0, 0.95
PATIENTS_OF_TRUTH = 4000


def draw_survival_scans(
    patients: int,
    *,
    shape: Shape = SMALL,
    hazard_ratio_per_sd: float = 2.5,
    censored: float = 0.3,
    seed: int,
    effect: bool = True,
    sites: Sequence[str] = SITES,
    modality: str = "CT",
    phases: tuple[str, ...] = PHASES_OF["CT"],
    design: PlantedDesign | None = None,
    id: str = "planted-survival",
    jobs: int = 1,
) -> PlantedCohort:
    """Draw patients whose scans foretell OS and PFS; ``strength`` has the true C-indices.

    Parameters
    ----------
    patients, shape, seed, effect, sites, modality, phases, design, id, jobs
        As in :func:`radiogenomics.simulate.planted_cohort.plant_cohort`.
    hazard_ratio_per_sd
        Of death, per SD of the planted score; at least 1.
    censored
        Share of patients alive at the end of their follow-up.

    Raises
    ------
    DataError, UnknownNameError
        A number is out of its range; the modality has no such phase.

    Examples
    --------
    >>> cohort = draw_survival_scans(6, shape=(16, 16, 16), seed=1)
    >>> cohort.scans
    ScanArrays(6 patients; arterial, portal, delayed; 16 × 16 × 16 voxels)
    >>> cohort.outcomes["OS"]
    SurvivalOutcome('OS': 6 patients, 4 events)
    """
    _check(hazard_ratio_per_sd, censored)
    plan = replace(design or PlantedDesign(), effect=effect)
    cohort = plant_cohort(
        stream(seed, "planted scores", id).standard_normal(patients),
        id=id,
        seed=seed,
        protocol=ScanProtocol(shape, modality, phases),
        design=plan,
        sites=sites,
        jobs=jobs,
    )
    slope = float(np.log(hazard_ratio_per_sd)) if effect else 0.0
    scores = cohort.truth["score"].to_numpy()
    courses = _courses(scores, slope, censored, rng=stream(seed, "planted survival", id))
    names = cohort.facts.index
    return replace(
        cohort,
        outcomes={name: _outcome(name, course, names) for name, course in courses.items()},
        strength=true_concordance(slope=slope, censored=censored, correlation=plan.visible(phases)),
    )


def true_concordance(*, slope: float, censored: float, correlation: float) -> pd.DataFrame:
    """C-index of the score, and of a normal reading with a correlation with it, by simulation.

    Parameters
    ----------
    slope
        Log hazard ratio of death per SD of the score.
    censored
        Share of OS.
    correlation
        Of the reading with the score.

    Returns
    -------
    pandas.DataFrame
        OS and PFS × ``score, reading``; the standard error is below 0.01. Exactly ½ where the
        score does nothing.
    """
    if slope == 0:
        return pd.DataFrame(0.5, index=["OS", "PFS"], columns=["score", "reading"])
    rng = stream(WORLD, "planted concordance")
    score, own = rng.standard_normal((2, PATIENTS_OF_TRUTH))
    reading = correlation * score + np.sqrt(1 - correlation**2) * own
    rows = {
        name: concordance_batch(np.stack([score, reading]), course["months"], course["event"])
        for name, course in _courses(score, slope, censored, rng=rng).items()
    }
    return pd.DataFrame(rows, index=["score", "reading"]).T


def _courses(
    scores: Floats, slope: float, censored: float, *, rng: np.random.Generator
) -> dict[str, dict[str, NDArray[Any]]]:
    """Months and events of OS and PFS."""
    truth = StudyTruth(0.0, slope, hazard_at_median(slope), 0.5, 0.5)
    span = MEDIAN_OS * follow_up_span(lambda ratio: marginal_survival(truth, ratio), censored)
    luck, own = rng.standard_normal((2, len(scores)))
    luck_of_progression = SHARED_LUCK * luck + np.sqrt(1 - SHARED_LUCK**2) * own
    until = span * rng.uniform(SHORTEST_FOLLOW_UP, 1.0, len(scores))
    death = MEDIAN_OS * _times(scores, slope, luck)
    progression = MEDIAN_PROGRESSION * _times(
        scores, PROGRESSION_SHARE * slope, luck_of_progression
    )
    first = np.minimum(death, progression)
    return {
        name: {"months": rounded(np.minimum(time, until)), "event": time <= until}
        for name, time in (("OS", death), ("PFS", first))
    }


def _times(scores: Floats, slope: float, luck: Floats) -> Floats:
    """Times in medians of all patients, later with more luck."""
    hazard = hazard_at_median(slope) * np.exp(slope * scores)
    found: Floats = (-log_ndtr(-luck) / hazard) ** (1 / SHAPE)
    return found


def _outcome(name: str, course: dict[str, NDArray[Any]], names: pd.Index[Any]) -> SurvivalOutcome:
    months, event = (pd.Series(course[part], names) for part in ("months", "event"))
    return SurvivalOutcome(name, months, event, ORIGIN)


def _check(ratio: float, censored: float) -> None:
    if not 1 <= ratio <= LARGEST_RATIO:
        raise DataError(
            f"planted survival: expected a hazard ratio per SD from 1 to {LARGEST_RATIO:g}; found "
            f"{ratio:g}. A higher score is worse; choose another ratio."
        )
    if not 0 <= censored < MOST_CENSORED:
        raise DataError(
            f"planted survival: expected a censored share from 0 to below {MOST_CENSORED:g}; "
            f"found {censored:g}. Choose another one."
        )
