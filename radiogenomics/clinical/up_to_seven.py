"""Up-to-seven: size plus number of tumours as a criterion of burden."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import (
    TUMOUR_NUMBER,
    TUMOUR_SIZE_CM,
    Numbers,
    read_together,
)
from radiogenomics.core.method import Method

LIMIT = 7.0
# Sums of decimals such as 5.1 + 1.9 end a rounding error beyond 7.
ROUNDING = 1e-9

CARD = Method(
    name="up_to_seven",
    title="Up-to-seven criterion",
    scope="clinical: burden of hepatocellular carcinoma",
    reference="Mazzaferro et al. 2009, Lancet Oncol 10:35, doi:10.1016/S1470-2045(08)70284-5",
    limits="Derived on explanted livers for tumours without microvascular invasion; before surgery "
    "imaging misses small tumours and cannot see that invasion. One size stands for all tumours.",
    learns=False,
)


class UpToSeven(NamedTuple):
    """Up-to-seven of each patient.

    Parameters
    ----------
    total
        Largest size in cm plus number of tumours; higher is more burden. NaN where missing.
    within
        1 where the total is at most 7, 0 beyond; NaN where missing.
    """

    total: Numbers
    within: Numbers


def up_to_seven(*, tumour_number: ArrayLike, largest_size_cm: ArrayLike) -> UpToSeven:
    """Size of the largest tumour in cm plus number of tumours, and whether it is at most 7.

    Published for transplantation, where patients within it and *without microvascular invasion*
    survived like patients within the Milan criteria; that invasion is known only from the
    specimen. As a measure of burden on imaging (for TACE or systemic treatment) it is used without,
    and so it is here.

    Parameters
    ----------
    tumour_number
        Whole numbers from 1; single value, array or Series.
    largest_size_cm
        Diameter of the largest tumour.

    Raises
    ------
    DataError
        A size looks like mm, a number is not whole, or lengths differ.

    Warns
    -----
    RadiogenomicsWarning
        Patients lack an input, and so the result.

    Examples
    --------
    >>> up_to_seven(tumour_number=[1, 4], largest_size_cm=[6.0, 3.5])
    UpToSeven(total=array([7. , 7.5]), within=array([1., 0.]))
    """
    inputs = read_together(
        "up-to-seven", (TUMOUR_NUMBER, tumour_number), (TUMOUR_SIZE_CM, largest_size_cm)
    )
    number, size = inputs.arrays
    total = number + size
    within = np.where(inputs.missing, np.nan, total <= LIMIT + ROUNDING)
    inputs.warn_of(inputs.missing)
    return UpToSeven(inputs.numbers(total), inputs.numbers(within))
