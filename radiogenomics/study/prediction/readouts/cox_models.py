"""Cox models of the score and of rivals, fitted once and applied locked, and one as a nomogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, OutcomeError, StudyError, UnknownNameError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation import concordance_metric
from radiogenomics.models import CoxModel, Nomogram
from radiogenomics.stats import fit_cox
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.prediction.readouts.facts import Term, term_of
from radiogenomics.study.prediction.readouts.held import areas_over_time, hold
from radiogenomics.study.prediction.readouts.remarks import Notes, warning
from radiogenomics.study.prediction.schema import CoxModel as Planned
from radiogenomics.study.prediction.schema import PredictionStudy, SurvivalReadout
from radiogenomics.study.prediction.scored import Scored
from radiogenomics.study.prognosis import SPLIT


@dataclass(frozen=True, eq=False)
class _Covariates:
    """Outcome and terms of the patients who have them all."""

    outcome: SurvivalOutcome
    table: pd.DataFrame
    terms: tuple[Term, ...]


@dataclass(frozen=True, eq=False)
class _Locked:
    """A Cox model, and what it was fitted on."""

    plan: Planned
    model: CoxModel
    training: _Covariates


def cox_readouts(study: PredictionStudy, scored: Sequence[Scored]) -> Findings:
    """Fit the recipe's Cox models of each endpoint on the training cohort, apply them elsewhere.

    They are fitted on out-of-fold scores. Scores that a model gives its own training patients are
    too good: the score would get too large a coefficient and a rival beside it too small a one, in
    patients for whom the score is then worth less. The coefficients themselves are fitted on the
    training cohort, so that concordance there flatters models of several terms; other cohorts are
    scored with everything locked. Each model takes the patients who have all its terms, so models
    may differ in ``n``.

    Returns
    -------
    Findings
        Tables ``cox_models``, ``time_dependent_auc`` (``model`` is the Cox model's name),
        ``hazard_ratios`` (numbers per standard deviation in training, groups per step of risk) and,
        of the recipe's nomogram at the first endpoint, ``nomogram_points`` and ``nomogram_totals``.

    Raises
    ------
    StudyError, UnknownNameError
        The first cohort was not cross-validated; a term, or the nomogram's model, is not in the
        recipe; a rival's groups are not in the data.
    """
    if not study.readouts.cox:
        return Findings()
    training, *others = scored
    if training.split != SPLIT:
        raise StudyError(
            f"expected out-of-fold scores of the training cohort first; found {training.split!r}. "
            "Put the cross-validated cohort first."
        )
    _require_nomogram(study)
    found = [_endpoint(study, readout, training, others) for readout in study.readouts.survival]
    text = (
        f"Cox models were fitted on the out-of-fold scores of {training.cohort.id}: what they "
        "reach there has their own coefficients in it; in other cohorts they are locked."
    )
    return merge([*found, Findings(notes=(("info", text),))])


def _require_nomogram(study: PredictionStudy) -> None:
    asked = None if study.readouts.nomogram is None else study.readouts.nomogram.value
    names = [plan.name for plan in study.readouts.cox]
    if asked is not None and asked not in names:
        raise UnknownNameError("Cox model to draw as a nomogram", asked, names)


def _endpoint(
    study: PredictionStudy, readout: SurvivalReadout, training: Scored, others: Sequence[Scored]
) -> Findings:
    stages = []
    for plan in study.readouts.cox:
        locked, notes = _fit(study, plan, training, endpoint=readout.endpoint.value)
        stages.append(Findings(notes=notes))
        if locked is None:
            continue
        first = readout is study.readouts.survival[0]
        stages.append(_hazard_ratios(locked, first=first))
        for part in (training, *others):
            stages.append(_applied(study, locked, part, readout=readout))
        asked = study.readouts.nomogram
        if first and asked is not None and asked.value == plan.name:
            stages.append(_nomogram(locked, readout))
    return merge(stages)


def _covariates(
    study: PredictionStudy, plan: Planned, part: Scored, *, endpoint: str
) -> tuple[_Covariates | None, Notes]:
    """Terms beside the outcome; None, and why, where a cohort lacks one or has few events."""
    held, notes = hold(study, part, endpoint)
    if held is None:
        return None, notes
    where, terms = f"{part.split}, {endpoint}, {plan.name}", []
    for name in plan.terms.value:
        term = term_of(study, part, name)
        if term is None:
            text = f"{where}: {name} is not known of this cohort; the Cox model is left out."
            return None, (*notes, ("warning", text))
        terms.append(term)
    table = pd.DataFrame({t.name: t.values.reindex(held.risk.index) for t in terms})
    complete = table.dropna()
    if lacking := len(table) - len(complete):
        text = f"{where}: {lacking} of {len(table)} patients lack a term; left out."
        notes = (*notes, ("warning", text))
    outcome = held.outcome.for_patients(complete.index)
    if outcome.n_events < study.evaluation.minimum_events.value:
        text = f"{where}: {outcome.n_events} events among patients with all terms; left out."
        return None, (*notes, ("warning", text))
    return _Covariates(outcome, complete, tuple(terms)), notes


def _fit(
    study: PredictionStudy, plan: Planned, training: Scored, *, endpoint: str
) -> tuple[_Locked | None, Notes]:
    found, notes = _covariates(study, plan, training, endpoint=endpoint)
    if found is None:
        return None, notes
    try:
        model = CoxModel().fit(found.table, found.outcome.to_structured())
    except DataError as error:
        text = f"{endpoint}, {plan.name}: the Cox model could not be fitted: {error}"
        return None, (*notes, ("warning", text))
    return _Locked(plan, model, found), notes


def _hazard_ratios(locked: _Locked, *, first: bool) -> Findings:
    """One row a term of the model as it was fitted."""
    training, outcome = locked.training, locked.training.outcome
    scale = np.array([1.0 if t.levels else training.table[t.name].std() for t in training.terms])
    fit = fit_cox(training.table / scale, outcome.time, outcome.event)
    low, high = fit.interval().T
    table = pd.DataFrame(
        {
            "split": SPLIT if first else f"{SPLIT}, {outcome.endpoint}",
            "endpoint": outcome.endpoint,
            "model": locked.plan.name,
            "term": [_words(term) for term in training.terms],
            "hazard_ratio": fit.hazard_ratio,
            "low": low,
            "high": high,
            "p": fit.p,
            "n": fit.n,
            "events": fit.events,
        }
    )
    return Findings(tables={"hazard_ratios": table})


def _words(term: Term) -> str:
    if not term.levels:
        return f"{term.name} (per SD)"
    if len(term.levels) == 2:
        return f"{term.name}: {term.levels[1]} vs {term.levels[0]}"
    return f"{term.name} (per step, {' < '.join(term.levels)})"


def _applied(
    study: PredictionStudy, locked: _Locked, part: Scored, *, readout: SurvivalReadout
) -> Findings:
    """Concordance and time-dependent AUC of the locked model in one cohort."""
    plan, endpoint = locked.plan, readout.endpoint.value
    found, notes = _covariates(study, plan, part, endpoint=endpoint)
    if found is None:
        return Findings(notes=notes)
    risk = locked.model.predict(found.table)
    if np.ptp(risk) == 0:
        text = f"{part.split}, {endpoint}, {plan.name}: the same risk for all; left out."
        return Findings(notes=(*notes, ("warning", text)))
    frame = pd.DataFrame({"patient_id": found.table.index, "repeat": 0, "score": risk})
    try:
        c = concordance_metric(frame, found.outcome, split=part.split)
    except OutcomeError as error:
        return Findings(notes=(*notes, ("warning", f"{plan.name}: {error}")))
    row = {
        "split": part.split,
        "endpoint": endpoint,
        "model": plan.name,
        "terms": " + ".join(plan.terms.value),
        "c_index": c.value,
        "low": c.low,
        "high": c.high,
        "n": c.n,
        "events": c.events,
    }
    areas = areas_over_time(
        frame, found.outcome, split=part.split, model=plan.name, horizons=readout.horizons.value
    )
    tables = {**areas.tables, "cox_models": pd.DataFrame([row])}
    return Findings(tables=tables, notes=(*notes, *areas.notes))


def _nomogram(locked: _Locked, readout: SurvivalReadout) -> Findings:
    """Write a Cox model as points; horizons beyond the follow-up of training are left out."""
    plan, training = locked.plan, locked.training
    try:
        drawn = Nomogram.from_cox(locked.model, training.table)
    except DataError as error:
        return warning(f"{plan.name}: no nomogram: {error}")
    parts, notes = [], []
    for horizon in readout.horizons.value:
        try:
            axis = drawn.probability_axes([horizon])
        except DataError as error:
            text = f"{plan.name}: the nomogram has no axis at {horizon:g} months: {error}"
            notes.append(("warning", text))
            continue
        parts.append(axis.assign(horizon=horizon))
    if not parts:
        return merge([Findings(notes=tuple(notes)), warning(f"{plan.name}: no nomogram is drawn.")])
    points = drawn.points_table()
    points["value"] = _shown(points, training.terms)
    names = {"variable": "term", "total_points": "points", "probability": "survival"}
    totals = pd.concat(parts, ignore_index=True).rename(columns=names)
    about = {"model": plan.name, "endpoint": readout.endpoint.value}
    tables = {
        "nomogram_points": points.rename(columns=names).assign(**about),
        "nomogram_totals": totals.assign(**about),
    }
    return Findings(
        tables={
            "nomogram_points": tables["nomogram_points"][
                ["model", "endpoint", "term", "value", "points"]
            ],
            "nomogram_totals": tables["nomogram_totals"][
                ["model", "endpoint", "horizon", "points", "survival"]
            ],
        },
        notes=tuple(notes),
    )


def _shown(points: pd.DataFrame, terms: Sequence[Term]) -> pd.Series[Any]:
    """Values on the axes, with the words of groups in place of their codes."""
    levels = {term.name: term.levels for term in terms}
    shown = [
        levels[name][int(value)] if levels[name] else value
        for name, value in zip(points["variable"], points["value"], strict=True)
    ]
    return pd.Series(shown, index=points.index, dtype=object)
