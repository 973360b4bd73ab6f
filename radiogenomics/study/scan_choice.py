"""Which scans of a cohort a command works on."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import DataError, RadiogenomicsWarning, short_list
from radiogenomics.core.scan import Scan


def scans_of(
    cohort: Cohort,
    *,
    modality: str | None = None,
    phases: Sequence[str] | None = None,
    time_point: str | None = None,
) -> list[Scan]:
    """Scans of a cohort by modality, phase and time point; None takes all.

    Raises
    ------
    DataError
        There is no such scan, or none of one of the phases.
    """
    wanted = {"modality": modality, "time_point": time_point}
    there = [
        scan
        for scan in cohort.scans
        if all(value is None or getattr(scan, name) == value for name, value in wanted.items())
    ]
    known = {scan.phase for scan in there}
    lacking = [phase for phase in phases or () if phase not in known]
    if lacking or not there:
        asked = [value for value in (modality, *(phases or ()), time_point) if value is not None]
        kinds = sorted({f"{s.modality} {s.phase} {s.time_point}" for s in cohort.scans})
        raise DataError(
            f"{cohort.id}: expected scans ({short_list(asked) or 'of any kind'}); found "
            f"{short_list(kinds) or 'none'}. Choose others, or add them to the manifest."
        )
    return [scan for scan in there if not phases or scan.phase in phases]


def warn_of_failures(reasons: Sequence[str], *, what: str) -> None:
    """Warn of scans that failed, by reason; raise DataError where none is left.

    Parameters
    ----------
    reasons
        One a scan; empty where it did not fail.
    what
        What the others have.
    """
    counts = Counter(reason for reason in reasons if reason)
    if not counts:
        return
    text = "; ".join(f"{count} × {reason}" for reason, count in counts.most_common(5))
    if len(counts) > 5:
        text += f"; and {len(counts) - 5} more reasons"
    if counts.total() == len(reasons):
        raise DataError(f"expected {what}; found that all {len(reasons)} scans failed: {text}")
    warnings.warn(
        f"{counts.total()} of {len(reasons)} scans failed and have no {what}: {text}",
        RadiogenomicsWarning,
        stacklevel=3,
    )
