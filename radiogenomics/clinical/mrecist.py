"""mRECIST: response of hepatocellular carcinoma by what still enhances."""

from __future__ import annotations

from collections.abc import Sequence

from radiogenomics.clinical.assessment import Assessment, ResponseCourse
from radiogenomics.clinical.recist import course_table
from radiogenomics.core.method import Method

CARD = Method(
    name="mrecist",
    title="mRECIST from diameters of the viable (arterially enhancing) part of target lesions",
    scope="clinical: response",
    reference="Lencioni and Llovet, Semin Liver Dis 2010;30:52, doi:10.1055/s-0030-1247132",
    limits="Needs a good arterial phase and typical enhancement; infiltrative and treated lesions "
    "are read with little agreement.",
    learns=False,
)


def mrecist(assessments: Sequence[Assessment], *, least_growth_mm: float = 0.0) -> ResponseCourse:
    """Response at each follow-up by mRECIST.

    The diameters are those of the viable tumour: the part that enhances in the arterial phase. CR
    when no target enhances any more; PR when the sum is at least 30 % below the baseline; PD when
    it is at least 20 % above the smallest sum so far; else SD. The publication of 2010 names no
    least growth in millimetres.

    Parameters
    ----------
    assessments
        Of one patient, with viable diameters.
    least_growth_mm
        Growth below which progression is not called, for those who add RECIST's 5 mm.

    Raises
    ------
    OutcomeError, DataError
        No baseline, or follow-up with other targets.

    References
    ----------
    Lencioni & Llovet 2010, doi:10.1055/s-0030-1247132.

    Examples
    --------
    >>> mrecist([Assessment(0, {"a": 45}), Assessment(2, {"a": 0.0})]).table["overall"].tolist()
    ['CR']
    """
    return ResponseCourse("mRECIST", course_table(assessments, grows_mm=least_growth_mm))
