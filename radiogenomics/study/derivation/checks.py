"""Samples that may not be what they are taken for: odd profiles, and the sex of someone else."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.omics import ExpressionOutliers, check_sex
from radiogenomics.omics.checks.outliers import STATISTICS
from radiogenomics.study.derivation.cohorts import Molecules
from radiogenomics.study.findings import Findings, merge

SEX = "sex"
STANDARDISED = "z-score"
COLUMNS = ("patient_id", "cohort", "what", "value")


def sample_checks(parts: Sequence[Molecules]) -> Findings:
    """Look for outlying tumours and contradicted sexes, cohort by cohort; nobody is left out.

    Each cohort is its own yardstick
    (:class:`~radiogenomics.omics.checks.outliers.ExpressionOutliers`), which hides a cohort that is
    odd as a whole. Recorded sex (the patients' column ``sex``) is held against XIST and the genes
    of Y (:func:`~radiogenomics.omics.checks.sex.check_sex`). What cannot be done in a cohort is
    said in a note, never an error.

    Returns
    -------
    Findings
        A note a cohort and check with the counts; table ``sample_checks``, where there is something
        to report: ``patient_id, cohort, what`` (``outlying correlation``, ``level`` or ``spread``
        of the profile; ``sex contradicted`` or ``doubtful``) and ``value``: the distance in robust
        standard deviations, or XIST − Y in log2 (Y where XIST was not measured).
    """
    return merge([check(part) for part in parts for check in (_outliers, _sexes)])


def _outliers(part: Molecules) -> Findings:
    what = f"{part.cohort.id}: outlying samples"
    if part.unit == STANDARDISED:
        return _impossible(what, "genes are standardised, which takes away the profile")
    rule = ExpressionOutliers()
    try:
        found = rule.fit(part.tumour).table(part.tumour)
    except (DataError, UnknownNameError) as error:
        return _impossible(what, str(error))
    odd = found[found["outlier"]]
    text = f"{what}: {len(odd)} of {len(found)}"
    if not len(odd):
        return Findings(notes=(("info", f"{text}."),))
    # Only a correlation below that of the others speaks against a sample.
    z = odd[[f"z_{name}" for name in STATISTICS]].to_numpy(copy=True)
    far = np.column_stack([-z[:, 0], np.abs(z[:, 1:])]).argmax(axis=1)
    reasons = [f"outlying {STATISTICS[place]}" for place in far]
    text = f"{text}, up to {odd['distance'].max():.3g} robust SD from the others. They were kept."
    return _reported(part, odd["distance"], reasons, text)


def _sexes(part: Molecules) -> Findings:
    what = f"{part.cohort.id}: recorded sex against XIST and Y"
    if SEX not in part.cohort.patients:
        return _impossible(what, "the patients have no column sex")
    recorded = part.cohort.patients[SEX].loc[part.tumour.index]
    try:
        with warnings.catch_warnings():
            # Its warning names samples; the note below counts them.
            warnings.simplefilter("ignore", RadiogenomicsWarning)
            found = check_sex(part.tumour, recorded, unit=part.unit)
    except (DataError, UnknownNameError) as error:
        return _impossible(what, str(error))
    if not found.compared:
        return _impossible(what, "no patient has a recorded sex")
    text = (
        f"{what}: {found.agree} of {found.compared} agree, {found.contradict} contradict, "
        f"{found.doubtful} are doubtful"
    )
    odd = found.table[found.table["verdict"].isin(["contradicts", "doubtful"])]
    if not len(odd):
        return Findings(notes=(("info", f"{text}."),))
    reasons = odd["verdict"].map({"contradicts": "sex contradicted", "doubtful": "sex doubtful"})
    if found.contradict:
        text += "; a contradiction may be a swapped sample"
    value = odd["difference"].fillna(odd["y"])
    level = "warning" if found.contradict else "info"
    return _reported(part, value, list(reasons), f"{text}. They were kept.", level=level)


def _reported(
    part: Molecules, value: pd.Series[float], what: list[str], text: str, *, level: str = "warning"
) -> Findings:
    columns = (value.index.astype(str), part.cohort.id, what, value.to_numpy(dtype=float))
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    return Findings(tables={"sample_checks": table}, notes=((level, text),))


def _impossible(what: str, why: str) -> Findings:
    return Findings(notes=(("info", f"{what}: not possible: {why}"),))
