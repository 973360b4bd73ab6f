"""Run a prediction study: cohorts → blocks → models side by side → evidence, read-outs, claims."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from radiogenomics.core.cohort import Cohort
from radiogenomics.core.errors import AlignmentError, StudyError, short_list
from radiogenomics.models.blocks import MARK
from radiogenomics.study.findings import Findings, merge
from radiogenomics.study.prediction.bench import Bench, Machine, locked_model, threshold_of
from radiogenomics.study.prediction.deep_blocks import (
    check_deep,
    deep_notes,
    require_readable_views,
    stopping_notes,
)
from radiogenomics.study.prediction.design import described
from radiogenomics.study.prediction.inputs import PredictionInputs, read_prediction_inputs
from radiogenomics.study.prediction.left_out_sites import left_out_sites
from radiogenomics.study.prediction.reading import Reading
from radiogenomics.study.prediction.readouts.gather import read_out
from radiogenomics.study.prediction.scans import as_simulated, joined_views
from radiogenomics.study.prediction.schema import PredictionStudy, Voxels
from radiogenomics.study.prediction.time_task import require_events_for_cox


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
    simulated
        The scans are those of a simulated study: networks and views are as small as its recipe says
        in ``simulation.scans``.
    weights
        Encoder preset → file of its weights; random ones where none is given.
    """

    complete_cases: bool = False
    legacy: bool = False
    permutations: int | None = None
    simulated: bool = False
    weights: Mapping[str, str | Path] = field(default_factory=dict)


def run_prediction(
    study: PredictionStudy, cohorts: Sequence[Cohort], *, options: Options, seed: int, jobs: int
) -> Findings:
    """Run a recipe on cohorts already in memory; the first is learnt from.

    Raises
    ------
    StudyError
        The recipe requires what is not there yet; a cohort lacks what it needs; permutations are
        below 0; weights that nothing reads; a network that cannot read its scans.
    UnknownNameError, MissingExtraError
        Weights of no encoder; torch is missing, and a block needs it.
    """
    if options.permutations is not None and options.permutations < 0:
        raise StudyError(
            f"expected at least 0 permutations; found {options.permutations}. Take 199 or more."
        )
    study.require_nothing()
    simulated, weights = options.simulated, options.weights
    check_deep(study, cohorts, simulated=simulated, weights=weights)
    told = deep_notes(study, cohorts, simulated=simulated, weights=weights)
    study = as_simulated(study) if simulated else study
    with tempfile.TemporaryDirectory(prefix="radiogenomics-", ignore_cleanup_errors=True) as folder:
        memory = Path(folder)
        reading = Reading(
            jobs, seed, _view(study, simulated=simulated), weights, _inside(memory, "scans")
        )
        inputs = [
            read_prediction_inputs(
                cohort, study, complete=options.complete_cases, jobs=jobs, reading=reading
            )
            for cohort in cohorts
        ]
        for other in inputs[1:]:
            _require_features(study, inputs[0], other)
        inputs = joined_views(inputs, _inside(memory, "joined"))
        require_readable_views(study, inputs[0])
        require_events_for_cox(study, inputs[0])
        machine = Machine(str(_inside(memory, "fitted")), seed, jobs, options.permutations)
        found = _findings(study, inputs, machine, legacy=options.legacy)
    return merge([*found, Findings(notes=told)])


def _view(study: PredictionStudy, *, simulated: bool) -> Voxels | None:
    """What encoders see of simulated scans; None where their presets say."""
    scans = study.simulation.scans
    return scans.view.value if simulated and scans is not None else None


def _inside(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def _findings(
    study: PredictionStudy, inputs: list[PredictionInputs], machine: Machine, *, legacy: bool
) -> list[Findings]:
    """All that is found in cohorts that are read; scans stand in files as long as this lasts."""
    seed = machine.seed
    bench = Bench(study, inputs[0], machine, others=inputs[1:])
    inside, evidences = bench.inside()
    threshold = threshold_of(study, evidences[0])
    scored, found = [bench.scored(evidences, threshold)], [inside]
    for position, other in enumerate(inputs[1:]):
        outside, seen = bench.outside(other, evidences, threshold, rng=[seed, 2, position])
        found.append(outside)
        scored.append(seen)
    found.append(left_out_sites(bench, threshold=threshold))
    if legacy:
        found.append(bench.flattery(evidences[0]))
    everyone = pd.concat([part.everyone() for part in scored], ignore_index=True)
    model = locked_model(evidences[0])
    features = {entry.cohort.id: entry.features for entry in [bench.inputs, *inputs[1:]]}
    return [
        described(study, inputs, scored, threshold=threshold, rule=model.rule),
        *found,
        Findings(
            tables={"model_scores": everyone},
            notes=stopping_notes(study, len(bench.inputs.features)),
        ),
        read_out(study, scored, model=model, features=features, seed=seed),
    ]


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
