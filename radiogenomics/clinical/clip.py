"""CLIP: prognosis of hepatocellular carcinoma with cirrhosis.

======================  ==========  ============  ==========================
points                  0           1             2
======================  ==========  ============  ==========================
Child-Pugh class        A           B             C
morphology              uninodular  multinodular  massive, or of any kind on
                                                  over half of the liver
AFP                     < 400       >= 400
portal vein thrombosis  no          yes
======================  ==========  ============  ==========================
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import (
    AFP_NG_ML,
    CHILD_PUGH_CLASS,
    Category,
    Flag,
    Numbers,
    read_together,
)
from radiogenomics.core.method import Method

MORPHOLOGY = Category("morphology", ("uninodular", "multinodular", "massive"))
AFP_CUT_NG_ML = 400.0

CARD = Method(
    name="clip",
    title="CLIP score",
    scope="clinical: stage of hepatocellular carcinoma",
    reference="CLIP investigators 1998, Hepatology 28:751, doi:10.1002/hep.510280322",
    limits="Derived in cirrhosis before systemic treatment worked. Half of the liver is a coarse "
    "measure of burden, so early tumours are not told apart.",
    learns=False,
)


def clip_score(
    *,
    child_pugh_class: ArrayLike,
    morphology: ArrayLike,
    over_half_of_liver: ArrayLike,
    afp_ng_ml: ArrayLike,
    portal_vein_thrombosis: ArrayLike,
) -> Numbers:
    """CLIP score, 0 (best) to 6, by the table of points that heads this module.

    Parameters
    ----------
    child_pugh_class
        ``A``, ``B`` or ``C``; single value, array or Series.
    morphology
        ``uninodular``, ``multinodular`` or ``massive``.
    over_half_of_liver, portal_vein_thrombosis
        True, 1 or False, 0.
    afp_ng_ml
        In ng/ml.

    Raises
    ------
    DataError
        A value is senseless, or lengths differ.
    UnknownNameError
        A class or morphology is something else.

    Warns
    -----
    RadiogenomicsWarning
        Patients lack an input, and so the score (NaN).

    Examples
    --------
    >>> clip_score(child_pugh_class=["A", "B"], morphology="multinodular",
    ...            over_half_of_liver=[False, True], afp_ng_ml=[12, 400],
    ...            portal_vein_thrombosis=0)
    array([1., 4.])
    """
    inputs = read_together(
        "CLIP",
        (CHILD_PUGH_CLASS, child_pugh_class),
        (MORPHOLOGY, morphology),
        (Flag("over half of the liver"), over_half_of_liver),
        (AFP_NG_ML, afp_ng_ml),
        (Flag("portal vein thrombosis"), portal_vein_thrombosis),
    )
    liver, shape, half, afp, thrombosis = inputs.arrays
    burden = np.where(half == 1, 2, shape)
    score = liver + burden + (afp >= AFP_CUT_NG_ML) + thrombosis
    score = np.where(inputs.missing, np.nan, score)
    inputs.warn_of(inputs.missing)
    return inputs.numbers(score)
