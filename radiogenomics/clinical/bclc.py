"""BCLC: stage of hepatocellular carcinoma from tumour burden, liver function and performance.

The first rule that holds decides:

1. D: performance status 3 or 4, or end-stage liver function, whatever the tumour;
2. C: macrovascular invasion, or extrahepatic spread, or performance status 1 or 2;
3. 0: one tumour of at most 2 cm;
4. A: one tumour of any size, or 2 to 3 of at most 3 cm each;
5. B: everything else, that is more or larger tumours within the liver.

Where judgement would enter, this is what is done. *Liver function*: Child-Pugh A and B count as
not end-stage, C as end-stage. The publication asks for preserved function in 0 to C, holds
Child-Pugh too coarse to tell it, and leaves candidates for transplantation out of D: say
``preserved`` or ``end-stage`` where you know better. *Performance*: grade 1 leads to C only if
the cancer is its cause; pass 0 otherwise. *Vascular invasion* is seen in a large vessel on
imaging, not under the microscope; portal thrombus without tumour does not count. *Spread*
includes lymph nodes.

What needs a judgement that no rule replaces is not computed: the three groups of stage B, the
migration of treatment to another stage, and the choice of treatment.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from radiogenomics.clinical.measurements import (
    PERFORMANCE_STATUS,
    TUMOUR_NUMBER,
    TUMOUR_SIZE_CM,
    Category,
    Flag,
    Labels,
    decided,
    read_together,
    truth,
)
from radiogenomics.core.method import Method
from radiogenomics.stats.inputs import Floats

STAGES = ("0", "A", "B", "C", "D")
LIVER_FUNCTION = Category("liver function", ("preserved", "A", "B", "C", "end-stage"))
END_STAGE = (3.0, 4.0)  # positions of "C" and "end-stage"

CARD = Method(
    name="bclc",
    title="BCLC stage by the rules of 2022",
    scope="clinical: stage of hepatocellular carcinoma",
    reference="Reig et al. 2022, J Hepatol 76:681, doi:10.1016/j.jhep.2021.11.018",
    limits="Only the stage. The three groups of stage B, the migration of treatment to another "
    "stage, and the choice of treatment need judgement and are not computed. Cohorts staged by "
    "earlier rules differ, above all in single tumours beyond 5 cm.",
    learns=False,
)


def bclc_stage(
    *,
    tumour_number: ArrayLike,
    largest_size_cm: ArrayLike,
    vascular_invasion: ArrayLike,
    extrahepatic_spread: ArrayLike,
    performance_status: ArrayLike,
    liver_function: ArrayLike,
) -> Labels:
    """BCLC stage ``0``, ``A``, ``B``, ``C`` or ``D`` by the rules of 2022; D is worst.

    The rules head this module, and so does what they leave to judgement.

    A missing input makes the stage missing only where it could change it: after portal invasion
    size no longer matters.

    Parameters
    ----------
    tumour_number
        Whole numbers from 1; single value, array or Series.
    largest_size_cm
        Diameter of the largest tumour.
    vascular_invasion, extrahepatic_spread
        True, 1 or False, 0.
    performance_status
        ECOG grade 0 to 4.
    liver_function
        ``preserved``, ``end-stage``, or Child-Pugh class ``A``, ``B``, ``C``.

    Raises
    ------
    DataError
        A value looks like another unit or scale, or lengths differ.
    UnknownNameError
        Liver function is something else.

    Warns
    -----
    RadiogenomicsWarning
        Patients have no stage (None) because inputs are missing.

    Examples
    --------
    >>> bclc_stage(tumour_number=[1, 1, 4, 2], largest_size_cm=[1.8, 7, 4, 3],
    ...            vascular_invasion=[0, 0, 0, 1], extrahepatic_spread=0, performance_status=0,
    ...            liver_function="A").tolist()
    ['0', 'A', 'B', 'C']
    """
    inputs = read_together(
        "BCLC",
        (TUMOUR_NUMBER, tumour_number),
        (TUMOUR_SIZE_CM, largest_size_cm),
        (Flag("vascular invasion"), vascular_invasion),
        (Flag("extrahepatic spread"), extrahepatic_spread),
        (PERFORMANCE_STATUS, performance_status),
        (LIVER_FUNCTION, liver_function),
    )
    codes = _codes(*inputs.arrays)
    inputs.warn_of(np.isnan(codes))
    return inputs.labels(codes, STAGES)


def _codes(
    number: Floats,
    size: Floats,
    invasion: Floats,
    spread: Floats,
    performance: Floats,
    liver: Floats,
) -> Floats:
    single = truth(number == 1, number)
    few_and_small = truth(number <= 3, number) & truth(size <= 3, size)
    terminal = truth(performance >= 3, performance) | truth(np.isin(liver, END_STAGE), liver)
    outside = truth(invasion == 1, invasion) | truth(spread == 1, spread)
    advanced = outside | truth(performance >= 1, performance)
    very_early = single & truth(size <= 2, size)
    return _first_that_holds(
        (terminal, 4), (advanced, 3), (very_early, 0), (single | few_and_small, 1), otherwise=2
    )


def _first_that_holds(*rules: tuple[pd.arrays.BooleanArray, int], otherwise: int) -> Floats:
    """Code of the first rule that holds; NaN where an unknown one could change it."""
    codes = np.full(len(rules[0][0]), float(otherwise))
    for statement, code in reversed(rules):
        holds = decided(statement)
        codes = np.where(
            holds == 1, code, np.where(np.isnan(holds) & (codes != code), np.nan, codes)
        )
    return codes
