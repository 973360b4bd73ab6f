"""Child-Pugh: liver function in cirrhosis as points and class.

============================  ======  ==========  ==================
points                        1       2           3
============================  ======  ==========  ==================
bilirubin (mg/dl)             < 2     2 to 3      > 3
albumin (g/dl)                > 3.5   2.8 to 3.5  < 2.8
INR                           < 1.7   1.7 to 2.3  > 2.3
or prothrombin time (s more)  < 4     4 to 6      > 6
ascites                       none    mild        moderate or severe
encephalopathy (West Haven)   0       1 to 2      3 to 4
============================  ======  ==========  ==================

The published cut-offs of bilirubin are in mg/dl; tables in µmol/l round them (34 and 50), which
moves patients at the edge. INR replaced the prothrombin time of the publication later.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import (
    ALBUMIN_G_DL,
    BILIRUBIN_MG_DL,
    CHILD_PUGH_CLASS,
    ENCEPHALOPATHY_GRADE,
    INR,
    PROTHROMBIN_PROLONGATION_S,
    Category,
    Labels,
    Numbers,
    Quantity,
    read_together,
)
from radiogenomics.core.errors import DataError
from radiogenomics.core.method import Method
from radiogenomics.stats.inputs import Floats

ASCITES = Category("ascites", ("none", "mild", "moderate", "severe"))

CARD = Method(
    name="child_pugh",
    title="Child-Pugh points and class",
    scope="clinical: liver function",
    reference="Pugh et al. 1973, Br J Surg 60:646, doi:10.1002/bjs.1800600817",
    limits="Ascites and encephalopathy are judged, and change with treatment. Cut-offs are steps: "
    "class A holds livers of very different function. Not the variant for cholestatic disease. "
    "INR is lengthened by anticoagulants.",
    learns=False,
)


class ChildPugh(NamedTuple):
    """Child-Pugh of each patient.

    Parameters
    ----------
    points
        5 (best) to 15; NaN where an input is missing.
    grade
        Class ``A`` (5 to 6 points), ``B`` (7 to 9) or ``C`` (10 to 15); None where missing.
    """

    points: Numbers
    grade: Labels


def child_pugh_score(
    *,
    bilirubin_mg_dl: ArrayLike,
    albumin_g_dl: ArrayLike,
    ascites: ArrayLike,
    encephalopathy_grade: ArrayLike,
    inr: ArrayLike | None = None,
    prothrombin_prolongation_s: ArrayLike | None = None,
) -> ChildPugh:
    """Child-Pugh points and class from five facts, 1 to 3 points each. Higher is worse.

    The table of points heads this module.

    Parameters
    ----------
    bilirubin_mg_dl, albumin_g_dl
        Single values, arrays or Series.
    ascites
        ``none``, ``mild``, ``moderate`` or ``severe``. Ascites under control counts as mild.
    encephalopathy_grade
        West Haven grade 0 (none) to 4.
    inr, prothrombin_prolongation_s
        Exactly one: INR, or seconds beyond the control.

    Raises
    ------
    DataError
        A value looks like another unit, lengths differ, or not exactly one of INR and prothrombin
        time is given.
    UnknownNameError
        Ascites is something else.

    Warns
    -----
    RadiogenomicsWarning
        Patients lack an input, and so the points: they are never summed over what is known.

    Examples
    --------
    >>> child_pugh_score(bilirubin_mg_dl=2.4, albumin_g_dl=3.1, inr=1.3, ascites="mild",
    ...                  encephalopathy_grade=0)
    ChildPugh(points=8.0, grade='B')
    """
    clotting = _clotting(inr, prothrombin_prolongation_s)
    inputs = read_together(
        "Child-Pugh",
        (BILIRUBIN_MG_DL, bilirubin_mg_dl),
        (ALBUMIN_G_DL, albumin_g_dl),
        (ASCITES, ascites),
        (ENCEPHALOPATHY_GRADE, encephalopathy_grade),
        clotting,
    )
    points = _points(inputs.arrays, clot_cuts=(1.7, 2.3) if clotting[0] is INR else (4, 6))
    points[inputs.missing] = np.nan
    inputs.warn_of(inputs.missing)
    grade = np.where(inputs.missing, np.nan, 0.0 + (points >= 7) + (points >= 10))
    return ChildPugh(
        points=inputs.numbers(points), grade=inputs.labels(grade, CHILD_PUGH_CLASS.known)
    )


def _points(facts: tuple[Floats, ...], *, clot_cuts: tuple[float, float]) -> Floats:
    bilirubin, albumin, ascites, mind, clot = facts
    low, high = clot_cuts
    beyond_one = (
        (bilirubin >= 2, bilirubin > 3),
        (albumin <= 3.5, albumin < 2.8),
        (ascites >= 1, ascites >= 2),
        (mind >= 1, mind >= 3),
        (clot >= low, clot > high),
    )
    return np.asarray(5.0 + np.sum(beyond_one, axis=(0, 1)))


def _clotting(inr: ArrayLike | None, prolongation: ArrayLike | None) -> tuple[Quantity, ArrayLike]:
    if inr is not None and prolongation is None:
        return INR, inr
    if prolongation is not None and inr is None:
        return PROTHROMBIN_PROLONGATION_S, prolongation
    raise DataError(
        "Child-Pugh: expected either inr or prothrombin_prolongation_s; found "
        f"{'neither' if inr is None else 'both'}. Pass the one that was measured."
    )
