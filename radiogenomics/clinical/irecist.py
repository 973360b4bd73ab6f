"""iRECIST: progression under immunotherapy counts once it is confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from radiogenomics.clinical.assessment import Assessment, ResponseCourse, ordered
from radiogenomics.clinical.recist import GROWS_MM, ROUNDING, course_table
from radiogenomics.core.method import Method

CARD = Method(
    name="irecist",
    title="iRECIST: RECIST 1.1 with unconfirmed and confirmed progression",
    scope="clinical: response",
    reference="Seymour et al., Lancet Oncol 2017;18:e143, doi:10.1016/S1470-2045(17)30074-8",
    limits="The growth of non-target lesions has no number: a second unequivocal progression is "
    "taken for further growth. Clinical stability, which decides on treatment, is not seen.",
    learns=False,
)


@dataclass(frozen=True)
class _Pending:
    """The assessment of an unconfirmed progression, and whether its targets progressed."""

    seen: Assessment
    target: bool

    def confirmed_by(self, each: Assessment, target: str) -> bool:
        """Whether what progressed grew further, or something else progressed."""
        now, then = each.sum_beside(self.seen)
        more_target = now - then >= GROWS_MM - ROUNDING if self.target else target == "PD"
        grown_new = each.new_lesion_sum_mm - self.seen.new_lesion_sum_mm
        more_new = each.new_lesions > self.seen.new_lesions or grown_new >= GROWS_MM - ROUNDING
        return more_target or more_new or each.non_target == "PD"


def irecist(assessments: Sequence[Assessment]) -> ResponseCourse:
    """Response at each follow-up by iRECIST.

    The first progression by RECIST 1.1 is unconfirmed (iUPD). At the next assessment it is
    confirmed (iCPD) by further growth of what progressed: the targets' sum by at least 5 mm, the
    non-target lesions again, another new lesion, or measured new lesions by at least 5 mm; or by
    progression of something that had not progressed. Where nothing progresses any more and the new
    lesions have gone, the response is read anew (iCR, iPR, iSD) and the next progression is
    unconfirmed again. Else it stays iUPD. After iCPD nothing is read.

    Parameters
    ----------
    assessments
        Of one patient, baseline included. Whether confirmation came 4 to 8 weeks later is for the
        reader to see from the times.

    Raises
    ------
    OutcomeError, DataError
        No baseline, or follow-up with other targets.

    References
    ----------
    Seymour et al. 2017, doi:10.1016/S1470-2045(17)30074-8.

    Examples
    --------
    >>> seen = [Assessment(0, {"a": 50}), Assessment(2, {"a": 62}), Assessment(3, {"a": 30})]
    >>> irecist(seen).table["overall"].tolist()
    ['iUPD', 'iPR']
    """
    _, later = ordered(assessments)
    table = course_table(assessments, grows_mm=GROWS_MM)
    found: list[str] = []
    pending: _Pending | None = None
    for each, target, read in zip(later, table["target"], table["overall"], strict=True):
        if found and found[-1] == "iCPD":
            found.append("iCPD")
        elif pending is None:
            found.append("iUPD" if read == "PD" else _word(read))
            pending = _Pending(each, target == "PD") if read == "PD" else None
        elif pending.confirmed_by(each, target):
            found.append("iCPD")
        elif read in ("PD", "NE"):
            found.append("iUPD")
        else:
            found.append(_word(read))
            pending = None
    return ResponseCourse("iRECIST", table.assign(overall=found))


def _word(read: str) -> str:
    """RECIST's word in iRECIST; what cannot be evaluated has none of its own."""
    return read if read == "NE" else f"i{read}"
