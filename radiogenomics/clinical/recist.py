"""RECIST 1.1: response of solid tumours by diameters."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from radiogenomics.clinical.assessment import Assessment, ResponseCourse, ordered
from radiogenomics.core.method import Method

SHRINKS = 0.30
GROWS = 0.20
GROWS_MM = 5.0
# Diameters are read to a tenth of a millimetre at best; this forgives binary fractions only.
ROUNDING = 1e-9

CARD = Method(
    name="recist",
    title="RECIST 1.1 from diameters of target lesions, non-target lesions and new lesions",
    scope="clinical: response",
    reference="Eisenhauer et al., Eur J Cancer 2009;45:228, doi:10.1016/j.ejca.2008.10.026",
    limits="Blind to necrosis: hepatocellular carcinoma may die without shrinking. Choice of "
    "targets (at most five, two an organ) is the reader's and is not checked.",
    learns=False,
)


def recist(assessments: Sequence[Assessment]) -> ResponseCourse:
    """Response at each follow-up by RECIST 1.1.

    Targets, by the sum of diameters: CR when all have gone (nodes: short axis below 10 mm); PD when
    the sum is at least 20 % and at least 5 mm above the smallest sum so far, the baseline
    included, or when a target is there again after all had gone; PR when the sum is at least 30 %
    below the baseline; else SD. When a target was not measured: PD if those measured suffice for
    it, else NE. Progression goes before response. With
    non-target lesions and new ones the overall response follows the tables of the guideline.

    Parameters
    ----------
    assessments
        Of one patient, baseline included.

    Raises
    ------
    OutcomeError, DataError
        No baseline, or follow-up with other targets.

    References
    ----------
    Eisenhauer et al. 2009, doi:10.1016/j.ejca.2008.10.026.

    Examples
    --------
    >>> course = recist([Assessment(0, {"a": 50, "b": 30}), Assessment(2, {"a": 30, "b": 20}),
    ...                  Assessment(4, {"a": 36, "b": 26})])
    >>> course.table["overall"].tolist()
    ['PR', 'PD']
    """
    return ResponseCourse("RECIST 1.1", course_table(assessments, grows_mm=GROWS_MM))


def course_table(assessments: Sequence[Assessment], *, grows_mm: float) -> pd.DataFrame:
    """One row a follow-up; ``grows_mm`` is the least growth that counts as progression."""
    baseline, later = ordered(assessments)
    nadir, vanished = baseline.sum_mm, False
    rows = []
    for each in later:
        target = target_response(each, baseline.sum_mm, nadir, grows_mm=grows_mm)
        if vanished and each.targets and each.present:
            target = "PD"  # what comes back after a complete response is a relapse, however small
        vanished = vanished or target == "CR"
        rows.append(
            {
                "time": each.time,
                "sum_mm": each.sum_mm if each.complete else math.nan,
                "change_from_baseline": _change(each, baseline.sum_mm),
                "change_from_nadir": _change(each, nadir),
                "target": target,
                "non_target": each.non_target,
                "new_lesions": each.new_lesions,
                "overall": overall_response(target, each),
            }
        )
        if each.complete:
            nadir = min(nadir, each.sum_mm)
    columns = ["time", "sum_mm", "change_from_baseline", "change_from_nadir"]
    columns += ["target", "non_target", "new_lesions", "overall"]
    return pd.DataFrame(rows, columns=columns)


def target_response(
    assessment: Assessment, baseline_mm: float, nadir_mm: float, *, grows_mm: float
) -> str:
    """Response of the target lesions; ``"none"`` when there are none."""
    if not assessment.targets:
        return "none"
    if assessment.gone:
        return "CR"
    grown = assessment.sum_mm - nadir_mm
    slack = ROUNDING * max(nadir_mm, 1.0)
    if grown > 0 and grown >= GROWS * nadir_mm - slack and grown >= grows_mm - slack:
        return "PD"
    if not assessment.complete:
        return "NE"
    return "PR" if assessment.sum_mm <= (1 - SHRINKS) * baseline_mm + slack else "SD"


def overall_response(target: str, assessment: Assessment) -> str:
    """Put targets, non-target lesions and new lesions together."""
    others = assessment.non_target
    if "PD" in (target, others) or assessment.new_lesions:
        return "PD"
    if target == "none":
        return "NE" if others == "none" else others
    if target == "CR" and others not in ("none", "CR"):
        return "PR"
    return target


def _change(assessment: Assessment, before_mm: float) -> float:
    if not assessment.complete or before_mm == 0:
        return math.nan
    return assessment.sum_mm / before_mm - 1
