"""What each feature adds to the headline's score of a patient, and whom to draw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from radiogenomics.core.errors import DataError, MissingExtraError, OutcomeError
from radiogenomics.evaluation import LockedModel
from radiogenomics.models.explain import Explanation
from radiogenomics.models.explain.explain import explain
from radiogenomics.models.longitudinal import BaselineFallback
from radiogenomics.study.findings import Findings
from radiogenomics.study.prediction.readouts.facts import fact_of
from radiogenomics.study.prediction.readouts.remarks import Notes, as_notes, warning
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.scored import Scored

BACKGROUND = 100
"""Training patients that a model without weights is held against; a linear one takes all."""


def explanation_readout(
    study: PredictionStudy,
    scored: Sequence[Scored],
    model: LockedModel,
    *,
    features_by_cohort: Mapping[str, pd.DataFrame],
    patients: int,
    seed: int = 0,
) -> Findings:
    """Shapley values of the locked headline in the first external cohort that has features.

    Exact for a linear learner and for trees; else estimated (:mod:`radiogenomics.models.explain`),
    against training patients. Without an external cohort training patients are explained, by a
    model that saw them. Patients without a follow-up, whose score is of a baseline model, are left
    out. Contributions explain the model, not the disease.

    Parameters
    ----------
    features_by_cohort
        Cohort → patients × features as the model takes them; the training cohort's are the
        background.
    patients
        How many are marked for drawings, see ``why``.

    Returns
    -------
    Findings
        Table ``explanation``, a row a patient and feature that reaches the learner: ``cohort,
        patient_id, feature, value`` (as measured, NaN where it was not; of a feature that a step
        made, as it reaches the learner), ``contribution, score`` (the model's), ``base, output,
        scale`` (contributions and base sum to the output), ``shown, why``.
    """
    background = features_by_cohort.get(scored[0].cohort.id)
    if background is None or background.empty:
        return warning(f"{scored[0].split}: no features of the training cohort; no explanation.")
    part, notes = _explained_part(scored, features_by_cohort)
    every = _of_scored(features_by_cohort[part.cohort.id], part)
    estimator, features = _with_follow_up(model, every)
    notes = (*notes, *_left_out(len(every) - len(features), len(every), part))
    _, rows = _with_follow_up(model, _of_scored(background, scored[0]))
    if features.empty or rows.empty:
        text = f"{part.split}: no patients to explain, or to hold them against; no explanation."
        return Findings(notes=(*notes, ("warning", text)))
    scores = model.predict(features)
    try:
        with as_notes() as said:
            found = _shapley(estimator, features, rows, seed=seed)
    except (DataError, MissingExtraError, OutcomeError) as error:
        text = f"{part.split}: the headline is not explained: {error}"
        return Findings(notes=(*notes, ("warning", text)))
    chosen = choose_patients(study, part, scores, patients=patients)
    table = _table(found.with_units_of(features), scores, chosen=chosen)
    about = f"{part.split}: Shapley values of {part.headline} ({found.method}), {found.scale}."
    return Findings(
        tables={"explanation": table.assign(cohort=part.cohort.id)[list(_COLUMNS)]},
        notes=(*notes, *said, ("info", about)),
    )


_COLUMNS = (
    "cohort",
    "patient_id",
    "feature",
    "value",
    "contribution",
    "score",
    "base",
    "output",
    "scale",
    "shown",
    "why",
)


def _explained_part(
    scored: Sequence[Scored], features_by_cohort: Mapping[str, pd.DataFrame]
) -> tuple[Scored, Notes]:
    """First external cohort with features, else the training cohort with a caution."""
    for part in scored[1:]:
        if len(features_by_cohort.get(part.cohort.id, ())):
            return part, ()
    text = (
        f"{scored[0].split}: no external cohort with features, so that training patients are "
        "explained, by a model that saw them."
    )
    return scored[0], (("warning", text),)


def _of_scored(features: pd.DataFrame, part: Scored) -> pd.DataFrame:
    return features[features.index.isin(part.score().index)]


def _with_follow_up(model: LockedModel, features: pd.DataFrame) -> tuple[Any, pd.DataFrame]:
    """Return the model of all time points, where there are two, and the patients it scores."""
    table = features[list(model.feature_names)]
    if not isinstance(model.estimator, BaselineFallback):
        return model.estimator, table
    return model.estimator.full_, table[~model.estimator.falls_back(table)]


def _left_out(count: int, of: int, part: Scored) -> Notes:
    if not count:
        return ()
    text = f"{part.split}: {count} of {of} patients have no follow-up and are not explained"
    return (("warning", f"{text}: their score is of the baseline model."),)


def _shapley(
    estimator: Any, features: pd.DataFrame, background: pd.DataFrame, *, seed: int
) -> Explanation:
    """Exact where the learner is linear; else what applies, against fewer training patients."""
    rng = np.random.default_rng(seed)
    try:
        return explain(estimator, features, background=background, rng=rng, method="linear")
    except DataError:
        some = background
        if len(background) > BACKGROUND:
            some = background.iloc[np.sort(rng.permutation(len(background))[:BACKGROUND])]
        return explain(estimator, features, background=some, rng=rng)


def choose_patients(
    study: PredictionStudy, part: Scored, scores: pd.Series[float], *, patients: int
) -> dict[str, str]:
    """Patients to draw, and why: the most certain first, then where score and response disagree.

    In turns: highest and lowest score; where the recipe asks for pseudoprogression, the highest
    score with progression and the lowest without; then the next highest and lowest. High is at or
    above the locked threshold.

    Returns
    -------
    dict
        Patient → reason, at most ``patients`` of them.
    """
    high = scores[scores >= part.threshold].sort_values(ascending=False, kind="stable")
    low = scores[scores < part.threshold].sort_values(kind="stable")
    wanted = [("most certain high", high.index[:1]), ("most certain low", low.index[:1])]
    for reason, candidates in _disagreeing(study, part, high, low):
        taken = {patient for _, some in wanted for patient in some}
        wanted.append((reason, candidates[~candidates.isin(taken)][:1]))
    for rank in range(1, patients):
        wanted += [("next highest", high.index[rank : rank + 1])]
        wanted += [("next lowest", low.index[rank : rank + 1])]
    chosen: dict[str, str] = {}
    for reason, some in wanted:
        for patient in some:
            if len(chosen) < patients:
                chosen.setdefault(patient, reason)
    return chosen


def _disagreeing(
    study: PredictionStudy, part: Scored, high: pd.Series[float], low: pd.Series[float]
) -> Iterator[tuple[str, pd.Index]]:
    asked = study.readouts.pseudoprogression
    if asked is None or (known := fact_of(part.cohort, asked.outcome.value)) is None:
        return
    progressed = known.isin(asked.progressive.value)
    for reason, called, wanted in (
        ("high with progression", high, True),
        ("low without progression", low, False),
    ):
        those = progressed.reindex(called.index)
        yield reason, called.index[(those == wanted).to_numpy(dtype=bool)]


def _table(
    found: Explanation, scores: pd.Series[float], *, chosen: Mapping[str, str]
) -> pd.DataFrame:
    table = found.table().rename(columns={"patient": "patient_id"})
    patient = table["patient_id"]
    return table.assign(
        score=patient.map(scores),
        shown=patient.isin(list(chosen)),
        why=patient.map(lambda name: chosen.get(name, "")),
    )
