"""MELD: short-term risk of death in end-stage liver disease, in three editions.

All are scores of allocation, whole numbers up to 40, and clip laboratory values before use:

- bilirubin, creatinine (mg/dl) and INR below 1 become 1, so no logarithm is negative;
- creatinine above 4 mg/dl becomes 4, in MELD 3.0 above 3 becomes 3; on dialysis it is that top;
- sodium is clipped to 125 to 137 mmol/l, albumin to 1.5 to 3.5 g/dl.

The top of 40 is the rule of allocation; the publication of MELD 3.0 sets none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import (
    ALBUMIN_G_DL,
    BILIRUBIN_MG_DL,
    CREATININE_MG_DL,
    INR,
    SEX,
    SODIUM_MMOL_L,
    Flag,
    Inputs,
    Numbers,
    read_together,
)
from radiogenomics.core.method import Method
from radiogenomics.stats.inputs import Floats

DIALYSIS = Flag("dialysis")
HIGHEST = 40.0
SODIUM_RANGE = (125.0, 137.0)
ALBUMIN_RANGE = (1.5, 3.5)
CREATININE_TOP, CREATININE_TOP_3 = 4.0, 3.0
SODIUM_COUNTS_ABOVE = 11.0

MELD_CARD = Method(
    name="meld",
    title="MELD as used for allocation (UNOS)",
    scope="clinical: liver function",
    reference="Kamath et al. 2001, Hepatology 33:464, doi:10.1053/jhep.2001.22172; Wiesner et al. "
    "2003, Gastroenterology 124:91, doi:10.1053/gast.2003.50016",
    limits="Creatinine tells muscle as well as kidney, so women score too low. INR is lengthened "
    "by anticoagulants. Not a prognosis of cancer.",
    learns=False,
)
MELD_NA_CARD = Method(
    name="meld_na",
    title="MELD with sodium as used for allocation from 2016",
    scope="clinical: liver function",
    reference="OPTN policy 9.1, January 2016; after Kim et al. 2008, N Engl J Med 359:1018, "
    "doi:10.1056/NEJMoa0801209",
    limits="As MELD; sodium also moves with diuretics and infusions. The formula of the 2008 paper "
    "is another one (sodium to 140, product term 0.025) and gives other numbers.",
    learns=False,
)
MELD_3_CARD = Method(
    name="meld_3",
    title="MELD 3.0 for adults",
    scope="clinical: liver function",
    reference="Kim et al. 2021, Gastroenterology 161:1887, doi:10.1053/j.gastro.2021.08.050",
    limits="Derived on the waiting list of the United States. Albumin moves with infusions. Points "
    "for sex are for adults; the policy treats adolescents apart.",
    learns=False,
)


def meld_score(
    *,
    bilirubin_mg_dl: ArrayLike,
    creatinine_mg_dl: ArrayLike,
    inr: ArrayLike,
    dialysis: ArrayLike = False,
) -> Numbers:
    r"""MELD as used for allocation, 6 to 40. Higher is worse.

    .. math:: 10\,(0.957 \ln \mathrm{creatinine} + 0.378 \ln \mathrm{bilirubin}
        + 1.120 \ln \mathrm{INR} + 0.643)

    rounded, after clipping (see the top of this module), at most 40. The term for the cause of the
    disease in the 2001 publication is left out, as the allocation rules do.

    Parameters
    ----------
    bilirubin_mg_dl, creatinine_mg_dl, inr
        Single values, arrays or Series.
    dialysis
        At least two sessions, or 24 hours of continuous haemodialysis, within a week.

    Raises
    ------
    DataError
        A value looks like another unit, or lengths differ.

    Warns
    -----
    RadiogenomicsWarning
        Patients lack an input, and so the score (NaN).

    References
    ----------
    Kamath et al. 2001, doi:10.1053/jhep.2001.22172; Wiesner et al. 2003,
    doi:10.1053/gast.2003.50016.

    Examples
    --------
    >>> meld_score(bilirubin_mg_dl=4.2, creatinine_mg_dl=1.9, inr=1.2)
    20.0
    """
    inputs = read_together(
        "MELD",
        (BILIRUBIN_MG_DL, bilirubin_mg_dl),
        (CREATININE_MG_DL, creatinine_mg_dl),
        (INR, inr),
        (DIALYSIS, dialysis),
    )
    return _finish(inputs, _initial(*inputs.arrays))


def meld_na_score(
    *,
    bilirubin_mg_dl: ArrayLike,
    creatinine_mg_dl: ArrayLike,
    inr: ArrayLike,
    sodium_mmol_l: ArrayLike,
    dialysis: ArrayLike = False,
) -> Numbers:
    r"""MELD with sodium as used for allocation from 2016, 6 to 40. Higher is worse.

    With :math:`M` the rounded score of :func:`meld_score` and :math:`d = 137 - \mathrm{sodium}`
    after clipping: :math:`M + 1.32\,d - 0.033\,M\,d` where :math:`M > 11`, else :math:`M`; rounded,
    at most 40. At :math:`M = 40` sodium no longer counts.

    Parameters
    ----------
    bilirubin_mg_dl, creatinine_mg_dl, inr, sodium_mmol_l
        Single values, arrays or Series.
    dialysis
        As in :func:`meld_score`.

    Raises
    ------
    DataError
        A value looks like another unit, or lengths differ.

    Warns
    -----
    RadiogenomicsWarning
        Patients lack an input, and so the score (NaN), even where sodium would not have counted.

    References
    ----------
    OPTN policy 9.1, January 2016; after Kim et al. 2008, doi:10.1056/NEJMoa0801209, whose own
    formula differs.

    Examples
    --------
    >>> meld_na_score(bilirubin_mg_dl=4.2, creatinine_mg_dl=1.9, inr=1.2, sodium_mmol_l=125)
    28.0
    """
    inputs = read_together(
        "MELD-Na",
        (BILIRUBIN_MG_DL, bilirubin_mg_dl),
        (CREATININE_MG_DL, creatinine_mg_dl),
        (INR, inr),
        (DIALYSIS, dialysis),
        (SODIUM_MMOL_L, sodium_mmol_l),
    )
    *others, sodium = inputs.arrays
    initial = _rounded(_initial(*others))
    deficit = 137 - np.clip(sodium, *SODIUM_RANGE)
    added = np.where(initial > SODIUM_COUNTS_ABOVE, 1.32 * deficit - 0.033 * initial * deficit, 0)
    return _finish(inputs, initial + added)


def meld_3_score(
    *,
    bilirubin_mg_dl: ArrayLike,
    creatinine_mg_dl: ArrayLike,
    inr: ArrayLike,
    sodium_mmol_l: ArrayLike,
    albumin_g_dl: ArrayLike,
    sex: ArrayLike,
    dialysis: ArrayLike = False,
) -> Numbers:
    r"""MELD 3.0 of adults, 6 to 40. Higher is worse.

    With :math:`b, c, i` the logarithms of bilirubin, creatinine (mg/dl) and INR,
    :math:`d = 137 - \mathrm{sodium}` and :math:`a = 3.5 - \mathrm{albumin}`:

    .. math:: 1.33\,[\mathrm{female}] + 4.56\,b + 0.82\,d - 0.24\,d\,b + 9.09\,i + 11.14\,c
        + 1.85\,a - 1.83\,a\,c + 6

    rounded, after clipping (see the top of this module), at most 40.

    Parameters
    ----------
    bilirubin_mg_dl, creatinine_mg_dl, inr, sodium_mmol_l, albumin_g_dl
        Single values, arrays or Series.
    sex
        ``male`` or ``female``.
    dialysis
        As in :func:`meld_score`.

    Raises
    ------
    DataError
        A value looks like another unit, or lengths differ.
    UnknownNameError
        Sex is something else.

    Warns
    -----
    RadiogenomicsWarning
        Patients lack an input, and so the score (NaN).

    Examples
    --------
    >>> meld_3_score(bilirubin_mg_dl=1, creatinine_mg_dl=1, inr=1, sodium_mmol_l=137,
    ...              albumin_g_dl=3.5, sex=["male", "female"])
    array([6., 7.])
    """
    inputs = read_together(
        "MELD 3.0",
        (BILIRUBIN_MG_DL, bilirubin_mg_dl),
        (CREATININE_MG_DL, creatinine_mg_dl),
        (INR, inr),
        (DIALYSIS, dialysis),
        (SODIUM_MMOL_L, sodium_mmol_l),
        (ALBUMIN_G_DL, albumin_g_dl),
        (SEX, sex),
    )
    *others, sodium, albumin, female = inputs.arrays
    logarithms = _logarithms(*others, top=CREATININE_TOP_3)
    return _finish(inputs, _formula_3(*logarithms, sodium, albumin, female))


def _logarithms(
    bilirubin: Floats, creatinine: Floats, inr: Floats, dialysis: Floats, *, top: float
) -> tuple[Floats, Floats, Floats]:
    used = np.where(dialysis == 1, top, np.clip(creatinine, 1, top))
    return np.log(np.maximum(bilirubin, 1)), np.log(used), np.log(np.maximum(inr, 1))


def _initial(bilirubin: Floats, creatinine: Floats, inr: Floats, dialysis: Floats) -> Floats:
    b, c, i = _logarithms(bilirubin, creatinine, inr, dialysis, top=CREATININE_TOP)
    return 10 * (0.957 * c + 0.378 * b + 1.120 * i + 0.643)


def _formula_3(
    b: Floats, c: Floats, i: Floats, sodium: Floats, albumin: Floats, female: Floats
) -> Floats:
    d = 137 - np.clip(sodium, *SODIUM_RANGE)
    a = 3.5 - np.clip(albumin, *ALBUMIN_RANGE)
    score = 1.33 * female + 4.56 * b + 0.82 * d - 0.24 * d * b
    return score + 9.09 * i + 11.14 * c + 1.85 * a - 1.83 * a * c + 6


def _rounded(score: Floats) -> Floats:
    return np.floor(score + 0.5)  # halves go up; numpy would send them to the even number


def _finish(inputs: Inputs, score: Floats) -> Numbers:
    whole = np.where(inputs.missing, np.nan, np.minimum(_rounded(score), HIGHEST))
    inputs.warn_of(inputs.missing)
    return inputs.numbers(whole)
