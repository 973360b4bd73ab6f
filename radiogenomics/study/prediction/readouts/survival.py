"""The headline's risk held against every endpoint of the recipe, in every cohort."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from radiogenomics.core.errors import OutcomeError
from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation import adjusted_hazard_ratio, concordance_metric, prognosis
from radiogenomics.stats import concordance_batch, permutations
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.inputs import sites_of
from radiogenomics.study.prediction.labels import SurvivalLabel, TimeLabel
from radiogenomics.study.prediction.readouts.held import Held, areas_over_time, hold
from radiogenomics.study.prediction.readouts.remarks import as_notes, warning
from radiogenomics.study.prediction.schema import PredictionStudy, SurvivalReadout
from radiogenomics.study.prediction.scored import Scored
from radiogenomics.study.prognosis import SPLIT

MODEL = "score"
PROGRESSED = "PD"
# Endpoints whose event a scan may show.
PROGRESSION = frozenset({"PFS", "TTP", "DFS", "RFS", "TTR"})


def survival_readouts(study: PredictionStudy, scored: Sequence[Scored], *, seed: int) -> Findings:
    """Hold the headline's risk against each endpoint: hazard ratios, concordance, curves, AUC.

    High is what the locked threshold calls so, turned to risk: where class 1 is better, patients
    whose score is below it. Concordance is that of each repeat, averaged; hazard ratios are of the
    mean over repeats. Permutations put risks to other patients of the same site. A cohort that the
    model was cross-validated on with a label made of survival gets no such p: each permutation
    would have to repeat the fits.

    Returns
    -------
    Findings
        Metrics ``hr_per_sd, hr_high_vs_low, c_index, auc_at_T_months``, with ``:ENDPOINT`` behind
        the name for all endpoints but the first. Tables ``hazard_ratios`` (alone and adjusted) and
        ``survival_curves``, whose ``split`` names all endpoints but the first, and
        ``time_dependent_auc``.

    Raises
    ------
    StudyError
        A cohort has a response under the name of an endpoint.
    """
    cells = [(part, readout) for part in scored for readout in study.readouts.survival]
    found = [_endpoint(study, part, readout, seed=seed) for part, readout in cells]
    return merge([_caution(study, scored), *found])


def _caution(study: PredictionStudy, scored: Sequence[Scored]) -> Findings:
    notes = []
    endpoints = [readout.endpoint.value for readout in study.readouts.survival]
    label = study.label
    if isinstance(label, SurvivalLabel | TimeLabel) and label.endpoint.value in endpoints:
        text = (
            f"{label.endpoint.value}: the label is made from this very endpoint, so that hazard "
            "ratios, curves and concordance repeat what the label's own measures say; they are no "
            "second finding."
        )
        notes.append(("info", text))
    if endpoints and isinstance(study.evaluation.threshold.value, str):
        text = (
            f"{SPLIT}: the threshold of high and low was learnt on these patients' own scores and "
            "outcomes, so hazard ratios of the two groups there are too good; those of other "
            "cohorts are not."
        )
        notes.append(("info", text))
    notes += _foretold_by_itself(study)
    if endpoints and any(part.meaning == "better" for part in scored):
        text = "survival: class 1 is better, so the high risk is that of scores below the threshold"
        notes.append(("info", f"{text}; the risk is 1 - score."))
    return Findings(notes=tuple(notes))


def _foretold_by_itself(study: PredictionStudy) -> list[tuple[str, str]]:
    """Warn of Cox terms that are a response, where progression is among the endpoints."""
    responses = {
        rival.name
        for rival in study.rivals
        if rival.groups.value and any(PROGRESSED in group for group in rival.groups.value)
    }
    terms = {term for cox in study.readouts.cox for term in cox.terms.value} & responses
    endpoints = [r.endpoint.value for r in study.readouts.survival]
    of_progression = [name for name in endpoints if name.upper() in PROGRESSION]
    if not (terms and of_progression):
        return []
    text = (
        f"{', '.join(of_progression)}: progression on the scan that {', '.join(sorted(terms))} is "
        "read from is the event itself; of those who progressed by then a model of it foretells "
        "what it has seen. Only a landmark after that scan leaves them out."
    )
    return [("warning" if _landmark(study) == 0 else "info", text)]


def _landmark(study: PredictionStudy) -> float:
    return study.label.landmark.value if isinstance(study.label, SurvivalLabel) else 0.0


def _endpoint(
    study: PredictionStudy, part: Scored, readout: SurvivalReadout, *, seed: int
) -> Findings:
    endpoint = readout.endpoint.value
    found, notes = hold(study, part, endpoint)
    if found is None:
        return Findings(notes=notes)
    first = readout is study.readouts.survival[0]
    where = part.split if first else f"{part.split}, {endpoint}"
    rng = np.random.default_rng([seed, zlib.crc32(f"{part.split} {endpoint}".encode())])
    stages = [
        _prognosis(study, part, found, where=where, rng=rng),
        _adjusted(study, part, found, where=where, facts=readout.adjust_for.value),
        areas_over_time(
            found.repeats(part),
            found.outcome,
            split=part.split,
            model=MODEL,
            horizons=readout.horizons.value,
        ),
    ]
    whole = merge([Findings(notes=notes), *stages])
    behind = "" if first else f":{endpoint}"
    own = isinstance(study.label, TimeLabel) and study.label.endpoint.value == endpoint
    named = (
        replace(metric, name=f"{metric.name}{behind}", split=part.split)
        for metric in whole.metrics
        # What is foretold has its concordance, with its null, from the judge of the models.
        if not (own and metric.name == "c_index")
    )
    return replace(whole, metrics=tuple(named))


def _prognosis(
    study: PredictionStudy, part: Scored, found: Held, *, where: str, rng: np.random.Generator
) -> Findings:
    count, before = study.evaluation.outcome_permutations.value, Findings()
    if part.split == SPLIT and isinstance(study.label, SurvivalLabel | TimeLabel):
        text = f"{where}: no permutation p, as the model learnt from survival of these patients"
        count, before = 0, Findings(notes=(("info", f"{text}; see the null of its label."),))
    high = part.high().loc[found.risk.index]
    with as_notes() as said:
        metrics, tables = prognosis(
            found.risk,
            found.outcome,
            split=where,
            high=~high if part.meaning == "better" else high,
            permutations=count,
            rng=rng,
            blocks=sites_of(part.cohort, found.risk.index),
            minimum_events=study.evaluation.minimum_events.value,
        )
        repeats = found.repeats(part)
        if repeats["repeat"].nunique() > 1:
            c_index = _concordance(repeats, found, part, count=count, rng=rng)
            metrics = (*(m for m in metrics if m.name != "c_index"), c_index)
    return merge([before, Findings(metrics=metrics, tables=tables, notes=tuple(said))])


def _concordance(
    repeats: pd.DataFrame, found: Held, part: Scored, *, count: int, rng: np.random.Generator
) -> Metric:
    """Mean concordance over repeats; every repeat is permuted alike."""
    outcome, null = found.outcome, None
    wide = repeats.pivot(index="patient_id", columns="repeat", values="score")
    wide = wide.loc[found.risk.index]
    if count and wide.notna().all(axis=None):
        sites = sites_of(part.cohort, found.risk.index)
        orders = permutations(len(wide), count, rng, blocks=sites)
        shuffled = [risk.to_numpy()[orders] for _, risk in wide.items()]
        each = [concordance_batch(risks, outcome.time, outcome.event) for risks in shuffled]
        null = np.mean(each, axis=0)
    return concordance_metric(repeats, outcome, split=part.split, null=null)


def _adjusted(
    study: PredictionStudy, part: Scored, found: Held, *, where: str, facts: tuple[str, ...]
) -> Findings:
    """Risk beside the recipe's facts that the cohort has."""
    patients = part.cohort.patients
    known = [name for name in facts if name in patients]
    lacking = [name for name in facts if name not in patients]
    notes = []
    if lacking:
        text = f"{where}: {', '.join(lacking)} not known of this cohort; not adjusted for."
        notes.append(("warning", text))
    if not known:
        return Findings(notes=tuple(notes))
    try:
        with as_notes() as said:
            table = adjusted_hazard_ratio(
                found.risk,
                found.outcome,
                patients.loc[found.risk.index, known],
                split=where,
                minimum_events=study.evaluation.minimum_events.value,
            )
    except OutcomeError as error:
        left_out = warning(f"{where}: the adjusted model is left out: {error}")
        return merge([Findings(notes=tuple(notes)), left_out])
    return Findings(tables={"hazard_ratios": table}, notes=(*notes, *said))
