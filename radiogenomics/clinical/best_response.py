"""From responses over time to one answer a patient: best response, benefit, progression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from radiogenomics.clinical.assessment import ResponseCourse
from radiogenomics.core.errors import OutcomeError

WEEK = 7 * 12 / 365.25
"""Months in a week."""
ORDER = ("CR", "PR", "SD", "PD", "NE")
PROGRESSED = ("PD", "iCPD")


class Progression(NamedTuple):
    """Time to progression or death.

    Attributes
    ----------
    time : float
        Months since treatment began.
    event : bool
        True for progression or death, False where follow-up ended without.
    """

    time: float
    event: bool


@dataclass(frozen=True)
class ResponseRules:
    """What a protocol leaves open.

    Parameters
    ----------
    confirm
        Whether CR and PR must be seen again (trials in which response is the endpoint).
    confirm_after
        Least months between the two.
    least_stable
        Months from the start of treatment before which stable disease does not count.
    durable
        Months that response or stable disease must last to be a durable clinical benefit.
    """

    confirm: bool = False
    confirm_after: float = 4 * WEEK
    least_stable: float = 6 * WEEK
    durable: float = 6.0


USUAL_RULES = ResponseRules()


def best_response(course: ResponseCourse, rules: ResponseRules = USUAL_RULES) -> str:
    """Best response until progression: CR, PR, SD, PD or NE.

    Without confirmation the best of all assessments before progression. With it, CR and PR count
    when an assessment at least ``confirm_after`` later says as much or more (others may lie
    between); a response that is not
    confirmed counts as stable disease if that lasted. SD needs an assessment at ``least_stable`` or
    later; stable disease seen only earlier is NE, or PD when progression is what followed.

    Parameters
    ----------
    course
        Of one patient; iRECIST's words are read without their i, and iUPD as no response.
    rules
        What the protocol says.

    References
    ----------
    Eisenhauer et al. 2009, doi:10.1016/j.ejca.2008.10.026 (tables 1 to 3).

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"time": [2.0, 4.0], "overall": ["PR", "PD"]})
    >>> best_response(ResponseCourse("RECIST 1.1", table))
    'PR'
    >>> best_response(ResponseCourse("RECIST 1.1", table), ResponseRules(confirm=True))
    'SD'
    """
    until, progressed = _until_progression(course)
    for wanted in ("CR", "PR"):
        as_good = [t for t, word in until if ORDER.index(word) <= ORDER.index(wanted)]
        lasting = not rules.confirm or as_good and as_good[-1] - as_good[0] >= rules.confirm_after
        if as_good and lasting:
            return wanted
    responding = [t for t, word in until if word in ("CR", "PR", "SD")]
    if responding and responding[-1] >= rules.least_stable:
        return "SD"
    return "PD" if progressed else "NE"


def durable_benefit(course: ResponseCourse, rules: ResponseRules = USUAL_RULES) -> bool | None:
    """True when response or stable disease lasted ``rules.durable`` months.

    False after progression before then; None when follow-up ended earlier without progression, so
    that it is not known.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"time": [3.0, 7.0], "overall": ["SD", "SD"]})
    >>> durable_benefit(ResponseCourse("mRECIST", table))
    True
    """
    until, progressed = _until_progression(course)
    controlled = [t for t, word in until if word in ("CR", "PR", "SD")]
    if controlled and controlled[-1] >= rules.durable:
        return True
    if progressed is None:
        return None
    return bool(controlled) and progressed >= rules.durable


def progression(
    course: ResponseCourse, *, death: float | None = None, last_seen: float | None = None
) -> Progression:
    """Time to progression or death, else to the last assessment that could be read.

    Under iRECIST progression is dated to the unconfirmed progression that was confirmed, or that
    nothing followed. A patient without any assessment that can be read is censored at 0.

    Parameters
    ----------
    course
        Of one patient.
    death
        Months from the start of treatment to death, if the patient died.
    last_seen
        Only to check: assessments must not lie behind it.

    Raises
    ------
    OutcomeError
        An assessment lies behind the death or the last contact.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"time": [2.0, 4.0], "overall": ["SD", "PD"]})
    >>> progression(ResponseCourse("mRECIST", table))
    Progression(time=4.0, event=True)
    """
    times = course.table["time"].to_numpy(dtype=float)
    end = min((t for t in (death, last_seen) if t is not None), default=np.inf)
    if len(times) and times[-1] > end:
        raise OutcomeError(
            f"expected assessments up to the end of follow-up at {end:g}; found one at "
            f"{times[-1]:g}. Correct the dates."
        )
    until, progressed = _until_progression(course)
    if progressed is not None:
        return Progression(progressed, True)
    if death is not None:
        return Progression(float(death), True)
    read = [t for t, word in until if word != "NE"]
    return Progression(read[-1] if read else 0.0, False)


def _until_progression(course: ResponseCourse) -> tuple[list[tuple[float, str]], float | None]:
    """Responses before progression, without iRECIST's i, and when progression was."""
    words = [str(word) for word in course.table["overall"]]
    times = [float(t) for t in course.table["time"]]
    at = _progressed_at(words)
    seen = [
        (t, "NE" if word == "iUPD" else word.removeprefix("i"))
        for t, word in zip(times[:at], words[:at], strict=True)
    ]
    known = [(t, "SD" if word == "non-CR/non-PD" else word) for t, word in seen]
    return known, None if at is None else times[at]


def _progressed_at(words: list[str]) -> int | None:
    """Position of the progression that counts; None when there is none."""
    final = next((k for k, word in enumerate(words) if word in PROGRESSED), None)
    if final is None:
        # Nothing came after an unconfirmed progression, so nothing could take it back.
        final = len(words) - 1 if words and words[-1] == "iUPD" else None
    while final and words[final - 1] == "iUPD":
        final -= 1
    return final
