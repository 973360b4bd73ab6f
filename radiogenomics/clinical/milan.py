"""Milan criteria: tumour burden within which transplantation does well."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import (
    TUMOUR_NUMBER,
    TUMOUR_SIZE_CM,
    Flag,
    Numbers,
    decided,
    read_together,
    truth,
)
from radiogenomics.core.method import Method

CARD = Method(
    name="milan",
    title="Milan criteria",
    scope="clinical: burden of hepatocellular carcinoma",
    reference="Mazzaferro et al. 1996, N Engl J Med 334:693, doi:10.1056/NEJM199603143341104",
    limits="A cut-off of burden, not a prognosis: biology (AFP, response) is left out, and imaging "
    "understages about the edge.",
    learns=False,
)


def milan_criteria(
    *,
    tumour_number: ArrayLike,
    largest_size_cm: ArrayLike,
    vascular_invasion: ArrayLike,
    extrahepatic_spread: ArrayLike,
) -> Numbers:
    """Return 1 within the Milan criteria, 0 beyond, NaN where it cannot be told.

    Within: one tumour of at most 5 cm, or 2 to 3 of at most 3 cm each, without macrovascular
    invasion and extrahepatic spread. A missing input makes the result missing only where it could
    change it.

    Parameters
    ----------
    tumour_number
        Whole numbers from 1; single value, array or Series.
    largest_size_cm
        Diameter of the largest tumour.
    vascular_invasion, extrahepatic_spread
        True, 1 or False, 0.

    Raises
    ------
    DataError
        A size looks like mm, a number is not whole, or lengths differ.

    Warns
    -----
    RadiogenomicsWarning
        Patients have no result because inputs are missing.

    Examples
    --------
    >>> milan_criteria(tumour_number=[1, 3, 3], largest_size_cm=[5, 3, 3.1],
    ...                vascular_invasion=0, extrahepatic_spread=0)
    array([1., 1., 0.])
    """
    inputs = read_together(
        "Milan criteria",
        (TUMOUR_NUMBER, tumour_number),
        (TUMOUR_SIZE_CM, largest_size_cm),
        (Flag("vascular invasion"), vascular_invasion),
        (Flag("extrahepatic spread"), extrahepatic_spread),
    )
    number, size, invasion, spread = inputs.arrays
    single = truth(number == 1, number) & truth(size <= 5, size)
    few = truth(number <= 3, number) & truth(size <= 3, size)
    confined = truth(invasion == 0, invasion) & truth(spread == 0, spread)
    result = decided((single | few) & confined)
    inputs.warn_of(np.isnan(result))
    return inputs.numbers(result)
