"""Run a prediction study: cohorts → blocks → models side by side → evidence, read-outs, claims."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import AlignmentError, StudyError, short_list
from radiogenomics.models.blocks import MARK
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.prediction.bench import Bench, Machine, locked_model, threshold_of
from radiogenomics.study.prediction.design import described
from radiogenomics.study.prediction.inputs import PredictionInputs, read_prediction_inputs
from radiogenomics.study.prediction.readouts.gather import read_out
from radiogenomics.study.prediction.schema import PredictionStudy


@dataclass(frozen=True)
class Options:
    """What a run may be asked beside its recipe.

    Parameters
    ----------
    complete_cases
        Leave out patients who lack a baseline block instead of refusing them.
    legacy
        Show how much the recipe's known defects flatter.
    permutations
        Of the whole cross-validation, instead of the recipe's number.
    """

    complete_cases: bool = False
    legacy: bool = False
    permutations: int | None = None


def run_prediction(
    study: PredictionStudy, cohorts: Sequence[Cohort], *, options: Options, seed: int, jobs: int
) -> Findings:
    """Run a recipe on cohorts already in memory; the first is learnt from.

    Raises
    ------
    StudyError
        The recipe requires what is not there yet; a cohort lacks what it needs; permutations are
        below 0.
    """
    if options.permutations is not None and options.permutations < 0:
        raise StudyError(
            f"expected at least 0 permutations; found {options.permutations}. Take 199 or more."
        )
    if study.requires:
        raise StudyError(
            f"{study.study}: expected a recipe that the library can run; found that it requires "
            f"{', '.join(study.requires)}, which is not there yet. Choose another recipe."
        )
    inputs = [
        read_prediction_inputs(cohort, study, complete=options.complete_cases, jobs=jobs)
        for cohort in cohorts
    ]
    for other in inputs[1:]:
        _require_features(study, inputs[0], other)
    with tempfile.TemporaryDirectory(prefix="radiogenomics-") as memory:
        machine = Machine(memory, seed, jobs, options.permutations)
        bench = Bench(study, inputs[0], machine, others=inputs[1:])
        inside, evidences = bench.inside()
        threshold = threshold_of(study, evidences[0])
        scored, found = [bench.scored(evidences, threshold)], [inside]
        for position, other in enumerate(inputs[1:]):
            outside, seen = bench.outside(other, evidences, threshold, rng=[seed, 2, position])
            found.append(outside)
            scored.append(seen)
        if options.legacy:
            found.append(bench.flattery(evidences[0]))
    everyone = pd.concat([part.everyone() for part in scored], ignore_index=True)
    model = locked_model(evidences[0])
    features = {entry.cohort.id: entry.features for entry in [bench.inputs, *inputs[1:]]}
    return merge(
        [
            described(study, [bench.inputs, *inputs[1:]], scored, threshold=threshold),
            *found,
            Findings(tables={"model_scores": everyone}),
            read_out(study, scored, model=model, features=features, seed=seed),
        ]
    )


def _require_features(
    study: PredictionStudy, training: PredictionInputs, other: PredictionInputs
) -> None:
    """Raise AlignmentError for a cohort that lacks features, before hours are spent on training."""
    there = set(other.features.columns)
    used = {block for model in study.models for block in model.blocks.value}
    wanted = [name for name in training.features.columns if name.split(MARK, 1)[0] in used]
    missing = [name for name in wanted if name not in there]
    if missing:
        raise AlignmentError(
            f"{other.cohort.id}: expected the {len(wanted)} features of "
            f"{training.cohort.id}; found {len(missing)} missing ({short_list(missing)}). Extract "
            "them with the same settings."
        )
