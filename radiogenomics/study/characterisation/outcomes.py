"""Scores held against response and survival, in each cohort and pooled over cohorts."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from radiogenomics.core.errors import RadiogenomicsWarning
from radiogenomics.core.outcomes import ResponseOutcome, SurvivalOutcome
from radiogenomics.evaluation import prognosis
from radiogenomics.evaluation.alignment import per_sd
from radiogenomics.evaluation.response import POOLED, ResponseScores, response_auc
from radiogenomics.study.characterisation.scores import NamedScore, SignatureScore
from radiogenomics.study.external import OF_SIGNATURE
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.tumours import Tumours

PERMUTATIONS = 999
FEWEST_EVENTS = 10


@dataclass(frozen=True, eq=False)
class Bench:
    """Cohorts, scores, and what draws the permutations.

    Parameters
    ----------
    parts
        Cohorts.
    scores
        What is held against outcomes.
    seed
        Of random numbers.
    """

    parts: Sequence[Tumours]
    scores: Sequence[NamedScore]
    seed: int

    def rng(self, *what: str) -> np.random.Generator:
        """A stream of its own for each number, whatever else is asked."""
        return np.random.default_rng([self.seed, zlib.crc32("\n".join(what).encode())])

    def score(
        self, score: NamedScore, part: Tumours, patients: pd.Index
    ) -> tuple[pd.Series[float] | None, tuple[tuple[str, str], ...]]:
        """Score patients; where that cannot be, a warning says why."""
        found = score.of(part, patients)
        text = f"{part.cohort.id}, {score.name}: {found.remark}."
        if found.score is None:
            _warn(f"{text} The cohort is left out for this score.")
            return None, ()
        return found.score, (("info", text),) if found.remark else ()


def responses(bench: Bench, *, outcome: str, responders: Sequence[str]) -> Findings:
    """AUC of every score for response, in each cohort that has it, and pooled.

    Gene sets are scored in the patients whose response is known.
    """
    known = {}
    for part in bench.parts:
        seen = part.cohort.outcomes.get(outcome)
        if not isinstance(seen, ResponseOutcome):
            _warn(f"{part.cohort.id}: no response called {outcome}; left out for it.")
            continue
        response = seen.grouped(responders)
        patients = part.values.index[part.values.index.isin(response.index)]
        known[part.cohort.id] = response.loc[patients]
    stages = []
    for score in bench.scores:
        judged: list[ResponseScores] = []
        notes: list[tuple[str, str]] = []
        for part in bench.parts:
            response = known.get(part.cohort.id, pd.Series(dtype=bool))
            if response.nunique() < 2:
                continue
            values, remarks = bench.score(score, part, response.index)
            notes += remarks
            if values is not None:
                judged.append(ResponseScores(part.cohort.id, values, response))
        stages.append(Findings(notes=tuple(notes)))
        if judged:
            metrics, tables = response_auc(
                judged,
                name=score.name,
                permutations=PERMUTATIONS,
                rng=bench.rng("response", score.name),
            )
            stages.append(Findings(metrics=metrics, tables=tables))
    one_class = [name for name, response in known.items() if response.nunique() < 2]
    if one_class:
        _warn(
            f"{', '.join(one_class)}: expected patients with expression, some among "
            f"{', '.join(responders)} of {outcome} and some not; found one kind. Left out for it."
        )
    return merge(stages)


def survivals(
    bench: Bench, *, endpoint: str, calls: Mapping[str, pd.Series[bool]], first: NamedScore
) -> Findings:
    """Hazard ratio per SD and concordance of every score, in each cohort and stratified by it.

    Gene sets are scored in the patients who have the outcome; the hazard ratio of high against low
    is taken of the score that patients were called by.
    """
    stages = []
    for score in bench.scores:
        risks = []
        for part in bench.parts:
            seen = part.cohort.outcomes.get(endpoint)
            if not isinstance(seen, SurvivalOutcome):
                _warn(f"{part.cohort.id}: no {endpoint}; left out for it.")
                continue
            found, notes = _judged(bench, score, part, seen)
            stages.append(Findings(notes=notes))
            if found is None:
                continue
            risks.append(found)
            high = calls.get(part.cohort.id) if score is first else None
            stages.append(_held(bench, score, found, part.cohort.id, high=high))
        if len(risks) > 1:
            stages.append(_held_together(bench, score, risks))
    return merge(stages)


@dataclass(frozen=True, eq=False)
class _Risk:
    """A score and the outcome of the same patients."""

    cohort: str
    risk: pd.Series[float]
    outcome: SurvivalOutcome


def _judged(
    bench: Bench, score: NamedScore, part: Tumours, seen: SurvivalOutcome
) -> tuple[_Risk | None, tuple[tuple[str, str], ...]]:
    """A score beside the outcome, or None where it cannot be judged; and remarks."""
    name = part.cohort.id
    patients = part.values.index[part.values.index.isin(seen.patient_ids)]
    outcome = seen.for_patients(patients)
    if outcome.n_events < FEWEST_EVENTS:
        _warn(
            f"{name}: {outcome.n_events} events of {seen.endpoint}, below {FEWEST_EVENTS}; left "
            "out for it."
        )
        return None, ()
    risk, notes = bench.score(score, part, patients)
    if risk is not None and risk.nunique() < 2:
        _warn(f"{name}, {score.name}: the same score for all patients; left out.")
        risk = None
    return None if risk is None else _Risk(name, risk, outcome), notes


def _held(
    bench: Bench,
    score: NamedScore,
    found: _Risk,
    split: str,
    *,
    high: pd.Series[bool] | None = None,
    strata: pd.Series[str] | None = None,
) -> Findings:
    is_signature = isinstance(score, SignatureScore)
    metrics, tables = prognosis(
        found.risk,
        found.outcome,
        split=f"{OF_SIGNATURE if is_signature else f'{score.name}, '}{split}",
        high=None if high is None else high.loc[found.outcome.patient_ids],
        permutations=PERMUTATIONS,
        rng=bench.rng("survival", score.name, split),
        blocks=strata,
        strata=strata,
        alternative=score.alternative,
        minimum_events=FEWEST_EVENTS,
    )
    return Findings(
        metrics=tuple(replace(m, name=metric_name(score, m.name), split=split) for m in metrics),
        tables=tables,
    )


def _held_together(bench: Bench, score: NamedScore, risks: Sequence[_Risk]) -> Findings:
    """All cohorts in one stratified model, each standardised on its own patients."""
    parts = []
    for each in risks:
        standard = per_sd(each.risk.to_numpy().astype(np.float64))
        table = each.outcome.to_frame().assign(risk=standard, cohort=each.cohort)
        parts.append(table.set_axis([f"{each.cohort}:{p}" for p in table.index], axis=0))
    whole = pd.concat(parts)
    first = risks[0].outcome
    outcome = SurvivalOutcome(first.endpoint, whole["time"], whole["event"], first.origin)
    together = _Risk(POOLED, whole["risk"].rename(score.name), outcome)
    return _held(bench, score, together, POOLED, strata=whole["cohort"])


def metric_name(score: NamedScore, name: str) -> str:
    """Name of a metric of survival: ``signature_c_index``, ``c_index:SET``."""
    return f"signature_{name}" if isinstance(score, SignatureScore) else f"{name}:{score.name}"


def _warn(text: str) -> None:
    warnings.warn(text, RadiogenomicsWarning, stacklevel=3)
