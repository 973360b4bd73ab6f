"""CRAFITY: prognosis of hepatocellular carcinoma under immunotherapy from CRP and AFP."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import (
    AFP_NG_ML,
    CRP_MG_DL,
    Labels,
    Numbers,
    read_together,
)
from radiogenomics.core.method import Method

CRP_CUT_MG_DL = 1.0
AFP_CUT_NG_ML = 100.0
GROUPS = ("low", "intermediate", "high")

CARD = Method(
    name="crafity",
    title="CRAFITY points and risk group",
    scope="clinical: prognosis under immunotherapy",
    reference="Scheiner et al. 2022, J Hepatol 76:353, doi:10.1016/j.jhep.2021.09.035",
    limits="CRP rises with any inflammation, so it should be measured without infection. Derived "
    "under PD-1 or PD-L1 blockade; a prognosis, not a proof of benefit.",
    learns=False,
)


class Crafity(NamedTuple):
    """CRAFITY of each patient.

    Parameters
    ----------
    points
        0 (best) to 2; NaN where an input is missing.
    group
        ``low``, ``intermediate`` or ``high`` risk; None where missing.
    """

    points: Numbers
    group: Labels


def crafity_score(*, crp_mg_dl: ArrayLike, afp_ng_ml: ArrayLike) -> Crafity:
    """CRAFITY: one point for CRP of at least 1 mg/dl, one for AFP of at least 100 ng/ml.

    Higher is worse: 0 points are low, 1 intermediate and 2 high risk.

    Parameters
    ----------
    crp_mg_dl
        C-reactive protein in mg/dl (10 mg/l are 1 mg/dl); single value, array or Series.
    afp_ng_ml
        α-fetoprotein in ng/ml, the same number in µg/l.

    Raises
    ------
    DataError
        A value looks like another unit, or lengths differ.

    Warns
    -----
    RadiogenomicsWarning
        Patients lack an input, and so the points; or no CRP of ten or more is below 1 mg/dl, as in
        mg/l.

    References
    ----------
    Scheiner et al. 2022, J Hepatol 76:353, doi:10.1016/j.jhep.2021.09.035.

    Examples
    --------
    >>> crafity_score(crp_mg_dl=[0.4, 1.0], afp_ng_ml=[99, 100]).group.tolist()
    ['low', 'high']
    """
    inputs = read_together("CRAFITY", (CRP_MG_DL, crp_mg_dl), (AFP_NG_ML, afp_ng_ml))
    crp, afp = inputs.arrays
    points = np.where(inputs.missing, np.nan, 0.0 + (crp >= CRP_CUT_MG_DL) + (afp >= AFP_CUT_NG_ML))
    inputs.warn_of(inputs.missing)
    return Crafity(inputs.numbers(points), inputs.labels(points, GROUPS))
