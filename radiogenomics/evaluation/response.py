r"""A score held against response to treatment: cohort by cohort, and pooled.

The AUC of a cohort is the probability that a responder scores above a patient who did not respond,
with DeLong's interval on the logit scale (DeLong et al. 1988, doi:10.2307/2531595). Cohorts are
pooled on that scale by random effects (REML, Viechtbauer 2005, doi:10.3102/10769986030003261;
normal test), with :math:`\mathrm{se} = \sqrt v / (A (1 - A))` for AUC A of DeLong variance v. Where
v says nothing (classes separated, or one patient in a class), the cohort is pooled with
:math:`A' = (n_1 n_0 A + 1/2) / (n_1 n_0 + 1)` and the variance of Hanley and McNeil (1982,
doi:10.1148/radiology.143.1.7063747) at A', so that a perfect small cohort neither dominates nor
drops out.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr

from radiogenomics.core.errors import OutcomeError, RadiogenomicsWarning, StudyError
from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.stats.classification.auc import delong
from radiogenomics.stats.inputs import check_scores
from radiogenomics.stats.meta_analysis import MetaAnalysis, meta_analysis
from radiogenomics.stats.permutation import permutation_p
from radiogenomics.stats.permutation import permutations as draw_permutations

Floats = NDArray[np.float64]
Found = tuple[tuple[Metric, ...], dict[str, pd.DataFrame]]

POOLED = "pooled"
POOLED_ROW = "pooled (random effects)"
METRIC = "auc_response"
# A DeLong variance below this is rounding.
_NO_VARIANCE = 1e-20


@dataclass(frozen=True, eq=False)
class ResponseScores:
    """Score and response of the same patients of one cohort.

    Parameters
    ----------
    cohort
        Its id.
    score
        Finite, indexed by patient.
    responder
        True for patients who responded; same index.
    """

    cohort: str
    score: pd.Series[float]
    responder: pd.Series[bool]


def response_auc(
    parts: Sequence[ResponseScores],
    *,
    name: str,
    permutations: int = 999,
    rng: np.random.Generator,
    level: float = 0.95,
) -> Found:
    """Hold a score that was fixed beforehand against response, and pool cohorts.

    Formulas stand at the head of this module. The permutation p is one-sided, a higher score
    speaking for response: responses are permuted within cohorts, and cohorts pooled anew each time.
    Misleads when the score was chosen, or its constants learnt, on these responses; with few
    cohorts, between which heterogeneity is hardly known; and when cohorts share patients.

    Parameters
    ----------
    parts, name
        Cohorts, each once; name of the score.
    permutations, rng, level
        How many (0 for none); what draws them; of the intervals.

    Returns
    -------
    metrics : tuple of Metric
        ``auc_response:NAME`` of each cohort (split: its id) and, of several, ``pooled``.
    tables : dict
        ``response`` (p two-sided, of a logit of 0; the pooled row last) and, of several cohorts,
        ``response_heterogeneity`` (with the AUC expected in a further cohort).

    Raises
    ------
    StudyError, AlignmentError, DataError
        No cohort, one twice or called ``pooled``; other patients in score and response; a score
        missing. A cohort of one class, or of one score for all, is left out with a warning.

    Examples
    --------
    >>> score = pd.Series([0.1, 0.4, 0.35, 0.8, 0.7, 0.2], index=list("abcdef"))
    >>> seen = pd.Series([False, False, True, True, True, False], index=list("abcdef"))
    >>> metrics, tables = response_auc(
    ...     [ResponseScores("one", score, seen)], name="CYT", rng=np.random.default_rng(0))
    >>> tables["response"][["score", "cohort", "auc", "responders"]].round(3)
      score cohort    auc  responders
    0   CYT    one  0.889           3
    """
    _require_distinct([part.cohort for part in parts])
    usable = [part for part in parts if _can_be_judged(part, name)]
    nulls = [_null(part, permutations, rng) for part in usable]
    both = zip(usable, nulls, strict=True)
    judged = [_of_cohort(part, name=name, null=null, level=level) for part, null in both]
    tables = {}
    if len(usable) > 1:
        metric, row, spread = _pooled(usable, nulls, name=name, level=level)
        judged.append((metric, row))
        tables["response_heterogeneity"] = pd.DataFrame([spread])
    if judged:
        tables["response"] = pd.DataFrame([row for _, row in judged])
    return tuple(metric for metric, _ in judged), tables


class _Areas(NamedTuple):
    """Areas of many labellings on the logit scale, with standard errors."""

    value: Floats
    logit: Floats
    error: Floats


def _null(part: ResponseScores, count: int, rng: np.random.Generator) -> _Areas:
    labels = part.responder.to_numpy(dtype=bool)
    orders = np.empty((0, len(labels)), dtype=int)
    if count:
        orders = draw_permutations(len(labels), count, rng)
    return _areas(np.asarray(part.score, dtype=float), labels[orders])


def _of_cohort(
    part: ResponseScores, *, name: str, null: _Areas, level: float
) -> tuple[Metric, dict[str, object]]:
    labels = part.responder.to_numpy(dtype=bool)
    found = delong(part.score, labels, level=level)
    own = _areas(np.asarray(part.score, dtype=float), labels[None, :])
    p = permutation_p(found.value, null.value) if null.value.size else None
    row = {
        "score": name,
        "cohort": part.cohort,
        "auc": found.value,
        "low": found.low,
        "high": found.high,
        "p": float(2 * ndtr(-np.abs(own.logit / own.error))[0]),
        "n": labels.size,
        "responders": int(labels.sum()),
    }
    metric = Metric(
        f"{METRIC}:{name}", found.value, found.low, found.high, 0.5, labels.size, part.cohort,
        p, int(labels.sum()),
    )  # fmt: skip
    return metric, row


def _pooled(
    parts: Sequence[ResponseScores], nulls: Sequence[_Areas], *, name: str, level: float
) -> tuple[Metric, dict[str, object], dict[str, object]]:
    observed = [
        _areas(np.asarray(part.score, dtype=float), part.responder.to_numpy(dtype=bool)[None, :])
        for part in parts
    ]
    found = _pool(observed, level)
    value, low, high = (float(expit(x[0])) for x in (found.estimate, found.low, found.high))
    p = None
    if nulls[0].value.size:
        p = permutation_p(found.estimate[0], _pool(nulls, level).estimate)
    n = sum(len(part.score) for part in parts)
    responders = sum(int(part.responder.sum()) for part in parts)
    metric = Metric(f"{METRIC}:{name}", value, low, high, 0.5, n, POOLED, p, responders)
    row = {
        "score": name,
        "cohort": POOLED_ROW,
        "auc": value,
        "low": low,
        "high": high,
        "p": float(found.p[0]),
        "n": n,
        "responders": responders,
    }
    spread: dict[str, object] = {"score": name, "cohorts": len(parts)}
    for column in ("tau2", "i2", "i2_low", "i2_high", "q", "q_p"):
        spread[column] = float(getattr(found, column)[0])
    for column in ("prediction_low", "prediction_high"):
        spread[column] = float(expit(getattr(found, column)[0]))
    return metric, row, spread


def _pool(areas: Sequence[_Areas], level: float) -> MetaAnalysis:
    """Pool each labelling over cohorts."""
    effects = np.stack([each.logit for each in areas])
    return meta_analysis(effects, np.stack([each.error for each in areas]), level=level)


def _areas(score: Floats, labels: NDArray[np.bool_]) -> _Areas:
    """AUC and DeLong's variance of one score under labellings, shape (count, n), of equal sums."""
    order = np.argsort(score, kind="stable")
    first = np.flatnonzero(np.append(True, np.diff(score[order]) > 0))
    ones = labels[:, order].astype(float)
    if not len(ones):
        return _Areas(*(np.empty(0) for _ in range(3)))
    # Of each distinct value: responders and others that have it, and that lie below it.
    here = np.add.reduceat(ones, first, axis=1)
    others = np.diff(np.append(first, score.size)) - here
    below, others_below = np.cumsum(here, axis=1) - here, np.cumsum(others, axis=1) - others
    n1, n0 = ones[0].sum(), score.size - ones[0].sum()
    wins = (others_below + others / 2) / n0
    losses = 1 - (below + here / 2) / n1
    value = (here * wins).sum(axis=1) / n1
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (here * (wins - value[:, None]) ** 2).sum(axis=1) / ((n1 - 1) * n1)
        variance += (others * (losses - value[:, None]) ** 2).sum(axis=1) / ((n0 - 1) * n0)
    known = variance > _NO_VARIANCE
    shrunk = np.where(known, value, (n1 * n0 * value + 0.5) / (n1 * n0 + 1))
    variance = np.where(known, variance, _hanley_mcneil(shrunk, n1, n0))
    return _Areas(value, logit(shrunk), np.sqrt(variance) / (shrunk * (1 - shrunk)))


def _hanley_mcneil(area: Floats, n1: float, n0: float) -> Floats:
    """Variance of an AUC if scores of both classes were exponential."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (n1 - 1) * (q1 - area**2) + (n0 - 1) * (q2 - area**2)
    return spread / (n1 * n0)


def _can_be_judged(part: ResponseScores, name: str) -> bool:
    require_same_patients(
        part.score.index, part.responder.index, what=f"{part.cohort}: {name} and response"
    )
    try:
        values, _ = check_scores(part.score, part.responder)
    except OutcomeError:
        text = f"response of one kind among {len(part.responder)} patients"
    else:
        if np.ptp(values) > 0:
            return True
        text = f"the same score for all {len(values)} patients"
    warnings.warn(
        f"{part.cohort}, {name}: expected responders, others, and scores that differ; found {text}."
        " The cohort is left out.",
        RadiogenomicsWarning,
        stacklevel=3,
    )
    return False


def _require_distinct(cohorts: Sequence[str]) -> None:
    if not cohorts or len({*cohorts, POOLED, POOLED_ROW}) != len(cohorts) + 2:
        raise StudyError(
            f"response: expected cohorts, each once, none called {POOLED!r}; found "
            f"{', '.join(cohorts) or 'none'}. Name each once."
        )
