"""aMAP: risk of hepatocellular carcinoma in chronic hepatitis."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.clinical.albi import albi_formula
from radiogenomics.clinical.measurements import (
    AGE_YEARS,
    ALBUMIN_G_L,
    BILIRUBIN_UMOL_L,
    PLATELETS_10E9_L,
    SEX,
    Labels,
    Numbers,
    read_together,
)
from radiogenomics.core.method import Method

CUTS = (50.0, 60.0)
GROUPS = ("low", "medium", "high")

CARD = Method(
    name="amap",
    title="aMAP score and risk group",
    scope="clinical: risk of hepatocellular carcinoma",
    reference="Fan et al. 2020, J Hepatol 73:1368, doi:10.1016/j.jhep.2020.07.025",
    limits="Risk of a first carcinoma within years in chronic hepatitis, derived under antiviral "
    "treatment; in patients who have one it is only a mark of the liver. Age weighs most.",
    learns=False,
)


class Amap(NamedTuple):
    """aMAP of each patient.

    Parameters
    ----------
    score
        Higher is more risk. The constants bring the derivation cohort to 0 to 100; patients beyond
        it may leave that range, and are not clipped. NaN where an input is missing.
    group
        ``low`` (below 50), ``medium`` (50 to 60) or ``high`` (above 60), made from the score as it
        is: calculators that round first differ at the edges. None where missing.
    """

    score: Numbers
    group: Labels


def amap_score(
    *,
    age_years: ArrayLike,
    sex: ArrayLike,
    albumin_g_l: ArrayLike,
    bilirubin_umol_l: ArrayLike,
    platelets_10e9_l: ArrayLike,
) -> Amap:
    r"""aMAP score and risk group.

    .. math:: 100\,\frac{0.06\,\mathrm{age} + 0.89\,[\mathrm{male}] + 0.48\,\mathrm{ALBI}
        - 0.01\,\mathrm{platelets} + 7.4}{14.77}

    with age in years, platelets in 10⁹/l and :func:`~radiogenomics.clinical.albi.albi_score`.

    Parameters
    ----------
    age_years, albumin_g_l, bilirubin_umol_l, platelets_10e9_l
        Single values, arrays or Series.
    sex
        ``male`` or ``female``.

    Raises
    ------
    DataError
        A value looks like another unit, or lengths differ.
    UnknownNameError
        Sex is something else.

    Warns
    -----
    RadiogenomicsWarning
        Patients lack an input, and so the score.

    References
    ----------
    Fan et al. 2020, doi:10.1016/j.jhep.2020.07.025.

    Examples
    --------
    >>> found = amap_score(age_years=50, sex="male", albumin_g_l=42, bilirubin_umol_l=15,
    ...                    platelets_10e9_l=200)
    >>> round(found.score, 2), found.group
    (53.82, 'medium')
    """
    inputs = read_together(
        "aMAP",
        (AGE_YEARS, age_years),
        (SEX, sex),
        (ALBUMIN_G_L, albumin_g_l),
        (BILIRUBIN_UMOL_L, bilirubin_umol_l),
        (PLATELETS_10E9_L, platelets_10e9_l),
    )
    age, female, albumin, bilirubin, platelets = inputs.arrays
    albi = albi_formula(bilirubin, albumin)
    predictor = 0.06 * age + 0.89 * (1 - female) + 0.48 * albi - 0.01 * platelets
    score = 100 * (predictor + 7.4) / 14.77
    inputs.warn_of(inputs.missing)
    group = np.where(inputs.missing, np.nan, 0.0 + (score >= CUTS[0]) + (score > CUTS[1]))
    return Amap(inputs.numbers(score), inputs.labels(group, GROUPS))
