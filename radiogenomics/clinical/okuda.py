"""Okuda: stage of hepatocellular carcinoma from four signs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import (
    ALBUMIN_G_DL,
    BILIRUBIN_MG_DL,
    Flag,
    Labels,
    read_together,
)
from radiogenomics.core.method import Method

STAGES = ("I", "II", "III")

CARD = Method(
    name="okuda",
    title="Okuda stage",
    scope="clinical: stage of hepatocellular carcinoma",
    reference="Okuda et al. 1985, Cancer 56:918",
    limits="Made when most tumours were found late: it does not part small from middling tumours, "
    "and knows neither vascular invasion nor spread.",
    learns=False,
)


def okuda_stage(
    *,
    over_half_of_liver: ArrayLike,
    ascites: ArrayLike,
    albumin_g_dl: ArrayLike,
    bilirubin_mg_dl: ArrayLike,
) -> Labels:
    """Okuda stage ``I`` (no sign), ``II`` (1 to 2 signs) or ``III`` (3 to 4); III is worst.

    Signs: tumour in more than half of the liver, ascites, albumin below 3 g/dl, bilirubin above
    3 mg/dl.

    Parameters
    ----------
    over_half_of_liver, ascites
        True, 1 or False, 0; single values, arrays or Series.
    albumin_g_dl, bilirubin_mg_dl
        Numbers.

    Raises
    ------
    DataError
        A value looks like another unit, or lengths differ.

    Warns
    -----
    RadiogenomicsWarning
        Patients lack an input, and so the stage (None).

    Examples
    --------
    >>> okuda_stage(over_half_of_liver=[0, 0, 1], ascites=[0, 1, 1], albumin_g_dl=[4, 3, 2.9],
    ...             bilirubin_mg_dl=1).tolist()
    ['I', 'II', 'III']
    """
    inputs = read_together(
        "Okuda",
        (Flag("over half of the liver"), over_half_of_liver),
        (Flag("ascites"), ascites),
        (ALBUMIN_G_DL, albumin_g_dl),
        (BILIRUBIN_MG_DL, bilirubin_mg_dl),
    )
    half, fluid, albumin, bilirubin = inputs.arrays
    signs = half + fluid + (albumin < 3) + (bilirubin > 3)
    stage = np.where(inputs.missing, np.nan, 0.0 + (signs >= 1) + (signs >= 3))
    inputs.warn_of(inputs.missing)
    return inputs.labels(stage, STAGES)
