"""Every read-out that a recipe asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from radiogenomics.evaluation import LockedModel
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.prediction.readouts.cox_models import cox_readouts
from radiogenomics.study.prediction.readouts.explanation import explanation_readout
from radiogenomics.study.prediction.readouts.pseudoprogression import pseudoprogression_readout
from radiogenomics.study.prediction.readouts.remarks import warning
from radiogenomics.study.prediction.readouts.response import response_readouts
from radiogenomics.study.prediction.readouts.subgroups import subgroup_auc, subgroup_hazards
from radiogenomics.study.prediction.readouts.survival import survival_readouts
from radiogenomics.study.prediction.schema import PredictionStudy
from radiogenomics.study.prediction.scored import Scored


def read_out(
    study: PredictionStudy,
    scored: Sequence[Scored],
    *,
    model: LockedModel | None,
    features: Mapping[str, pd.DataFrame],
    seed: int,
) -> Findings:
    """Read the headline's score out as the recipe asks; what a cohort lacks is a note.

    Parameters
    ----------
    scored
        The cross-validated training cohort first.
    model
        The locked headline; None where it cannot be explained.
    features
        Cohort → patients × features as ``model`` takes them.
    seed
        Of random numbers.

    Raises
    ------
    StudyError, UnknownNameError
        The recipe contradicts itself or the data: an endpoint that is a response, categories or
        groups that are not there, a Cox model of unknown terms.
    """
    found = merge(_asked(study, scored, model=model, features=features, seed=seed))
    # Models of the same patients lack the same horizons: one note is enough.
    return replace(found, notes=tuple(dict.fromkeys(found.notes)))


def _asked(
    study: PredictionStudy,
    scored: Sequence[Scored],
    *,
    model: LockedModel | None,
    features: Mapping[str, pd.DataFrame],
    seed: int,
) -> Iterator[Findings]:
    yield survival_readouts(study, scored, seed=seed)
    yield cox_readouts(study, scored)
    yield response_readouts(study, scored)
    yield subgroup_auc(study, scored)
    yield subgroup_hazards(study, scored)
    yield pseudoprogression_readout(study, scored)
    explained = study.readouts.explained_patients
    if explained is None:
        return
    if model is None:
        yield warning("explanation: no locked headline model; its score is not explained.")
        return
    yield explanation_readout(
        study,
        scored,
        model,
        features_by_cohort=features,
        patients=explained.value,
        seed=seed,
    )
