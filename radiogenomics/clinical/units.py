"""Between the units of laboratories, by name and on purpose; calculators never convert.

Each converter refuses values that cannot be in the unit it converts from, keeps missing values
missing, and returns a float for a single value, otherwise an array in the order given. There is
none for α-fetoprotein in IU/ml: the factor to ng/ml depends on the assay.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import (
    ALBUMIN_G_DL,
    ALBUMIN_G_L,
    BILIRUBIN_MG_DL,
    BILIRUBIN_UMOL_L,
    CREATININE_MG_DL,
    CREATININE_UMOL_L,
    CRP_MG_DL,
    CRP_MG_L,
    Numbers,
    Quantity,
    read_together,
)

BILIRUBIN_UMOL_L_PER_MG_DL = 17.104  # 10 000 / 584.66 g/mol
CREATININE_UMOL_L_PER_MG_DL = 88.4  # 10 000 / 113.12 g/mol


def bilirubin_to_umol_l(bilirubin_mg_dl: ArrayLike) -> Numbers:
    """Bilirubin from mg/dl to µmol/l.

    Examples
    --------
    >>> bilirubin_to_umol_l([1.0, 2.0])
    array([17.104, 34.208])
    """
    return _scaled(BILIRUBIN_MG_DL, bilirubin_mg_dl, times=BILIRUBIN_UMOL_L_PER_MG_DL)


def bilirubin_to_mg_dl(bilirubin_umol_l: ArrayLike) -> Numbers:
    """Bilirubin from µmol/l to mg/dl.

    Examples
    --------
    >>> bilirubin_to_mg_dl(17.104)
    1.0
    """
    return _scaled(BILIRUBIN_UMOL_L, bilirubin_umol_l, by=BILIRUBIN_UMOL_L_PER_MG_DL)


def albumin_to_g_l(albumin_g_dl: ArrayLike) -> Numbers:
    """Albumin from g/dl to g/l.

    Examples
    --------
    >>> albumin_to_g_l(4.2)
    42.0
    """
    return _scaled(ALBUMIN_G_DL, albumin_g_dl, times=10)


def albumin_to_g_dl(albumin_g_l: ArrayLike) -> Numbers:
    """Albumin from g/l to g/dl.

    Examples
    --------
    >>> albumin_to_g_dl(42)
    4.2
    """
    return _scaled(ALBUMIN_G_L, albumin_g_l, by=10)


def creatinine_to_mg_dl(creatinine_umol_l: ArrayLike) -> Numbers:
    """Creatinine from µmol/l to mg/dl.

    Examples
    --------
    >>> creatinine_to_mg_dl(88.4)
    1.0
    """
    return _scaled(CREATININE_UMOL_L, creatinine_umol_l, by=CREATININE_UMOL_L_PER_MG_DL)


def creatinine_to_umol_l(creatinine_mg_dl: ArrayLike) -> Numbers:
    """Creatinine from mg/dl to µmol/l.

    Examples
    --------
    >>> creatinine_to_umol_l(2.0)
    176.8
    """
    return _scaled(CREATININE_MG_DL, creatinine_mg_dl, times=CREATININE_UMOL_L_PER_MG_DL)


def crp_to_mg_dl(crp_mg_l: ArrayLike) -> Numbers:
    """C-reactive protein from mg/l to mg/dl.

    Examples
    --------
    >>> crp_to_mg_dl(10)
    1.0
    """
    return _scaled(CRP_MG_L, crp_mg_l, by=10)


def crp_to_mg_l(crp_mg_dl: ArrayLike) -> Numbers:
    """C-reactive protein from mg/dl to mg/l.

    Examples
    --------
    >>> crp_to_mg_l(1.5)
    15.0
    """
    return _scaled(CRP_MG_DL, crp_mg_dl, times=10)


def _scaled(source: Quantity, values: ArrayLike, *, times: float = 1, by: float = 1) -> Numbers:
    inputs = read_together(source.name, (source, values))
    # Division, not a product with the inverse: 28 g/l must become 2.8 g/dl, on the cut-off.
    return inputs.numbers(inputs.arrays[0] * times / by)
