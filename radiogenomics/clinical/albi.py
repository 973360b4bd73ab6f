"""ALBI: liver function from albumin and bilirubin alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import (
    ALBUMIN_G_L,
    BILIRUBIN_UMOL_L,
    Labels,
    Numbers,
    read_together,
)
from radiogenomics.core.method import Method
from radiogenomics.stats.inputs import Floats

GRADE_CUTS = (-2.60, -1.39)
GRADE_2_CUT = -2.270
GRADES = ("1", "2", "3")
MODIFIED_GRADES = ("1", "2a", "2b", "3")

CARD = Method(
    name="albi",
    title="ALBI score and grade, modified ALBI grade",
    scope="clinical: liver function",
    reference="Johnson et al. 2015, J Clin Oncol 33:550, doi:10.1200/JCO.2014.57.9151; modified "
    "grade: Hiraoka et al. 2017, Liver Cancer 6:325, doi:10.1159/000479984",
    limits="Albumin falls with inflammation, malnutrition and loss, and rises with infusions; "
    "bilirubin rises with an obstructed duct and in Gilbert's syndrome. Derived in hepatocellular "
    "carcinoma.",
    learns=False,
)


class Albi(NamedTuple):
    """ALBI of each patient.

    Parameters
    ----------
    score
        Higher is worse liver function; about -5 to 0.5. NaN where an input is missing.
    grade
        ``1`` (best), ``2``, ``3``; None where missing.
    modified_grade
        ``1``, ``2a``, ``2b``, ``3``; None where missing.
    """

    score: Numbers
    grade: Labels
    modified_grade: Labels


def albi_score(*, bilirubin_umol_l: ArrayLike, albumin_g_l: ArrayLike) -> Albi:
    r"""ALBI score, grade and modified grade.

    .. math:: 0.66 \log_{10}(\mathrm{bilirubin}) - 0.085\,\mathrm{albumin}

    with bilirubin in µmol/l and albumin in g/l. Grade 1 is a score of at most -2.60, grade 3 one
    above -1.39, grade 2 between them; the modified grade splits grade 2 at -2.270, 2a up to it and
    2b above. Higher is worse.

    It needs no clinical judgement, unlike Child-Pugh, and parts patients within Child-Pugh A. It
    misleads where albumin or bilirubin tell something other than liver function.

    Parameters
    ----------
    bilirubin_umol_l
        Total bilirubin in µmol/l; single value, array or Series.
    albumin_g_l
        Albumin in g/l.

    Raises
    ------
    DataError
        A value looks like another unit, or lengths differ.

    Warns
    -----
    RadiogenomicsWarning
        Patients lack an input, and so the score.

    References
    ----------
    Johnson et al. 2015, J Clin Oncol 33:550, doi:10.1200/JCO.2014.57.9151; Hiraoka et al. 2017,
    Liver Cancer 6:325, doi:10.1159/000479984.

    Examples
    --------
    >>> found = albi_score(bilirubin_umol_l=10.0, albumin_g_l=36.0)
    >>> round(found.score, 2), found.grade, found.modified_grade
    (-2.4, '2', '2a')
    """
    inputs = read_together("ALBI", (BILIRUBIN_UMOL_L, bilirubin_umol_l), (ALBUMIN_G_L, albumin_g_l))
    bilirubin, albumin = inputs.arrays
    score = albi_formula(bilirubin, albumin)
    inputs.warn_of(inputs.missing)
    low, high = GRADE_CUTS
    grade = np.where(inputs.missing, np.nan, 0.0 + (score > low) + (score > high))
    modified = grade + (score > GRADE_2_CUT)
    return Albi(
        score=inputs.numbers(score),
        grade=inputs.labels(grade, GRADES),
        modified_grade=inputs.labels(modified, MODIFIED_GRADES),
    )


def albi_formula(bilirubin_umol_l: Floats, albumin_g_l: Floats) -> Floats:
    """Return the formula of :func:`albi_score` alone, for scores that build on it; no checks."""
    return 0.66 * np.log10(bilirubin_umol_l) - 0.085 * albumin_g_l
