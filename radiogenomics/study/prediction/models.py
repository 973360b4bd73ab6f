"""The models of a prediction study: blocks, each through its own steps, then a tuned learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator

from radiogenomics.core.errors import StudyError, UnknownNameError, short_list
from radiogenomics.imaging import settings_preset
from radiogenomics.models import surrogate
from radiogenomics.models.blocks import MARK
from radiogenomics.models.longitudinal import BaselineFallback
from radiogenomics.models.per_block import PerBlock
from radiogenomics.models.prognostic_model import prognostic_model
from radiogenomics.models.survival import survival_learner
from radiogenomics.study.prediction.inputs import (
    BASELINE,
    PredictionInputs,
    follow_up_blocks,
)
from radiogenomics.study.prediction.labels import MarkersLabel, SurvivalLabel, TimeLabel
from radiogenomics.study.prediction.schema import ChangeBlock, ImageBlock, Model, PredictionStudy
from radiogenomics.study.recipe import Step
from radiogenomics.study.words import (
    ICC_FILTER,
    STEPS,
    agreement_of,
    check_learner,
    check_step,
    takes_seed,
)

Steps = list[tuple[str, Any]]


class ModelBuilder:
    """Builds the unfitted models of a recipe for one training cohort.

    Parameters
    ----------
    study, inputs
        The recipe, and its training cohort: readings for the ICC filter come from there.
    memory
        Folder in which fitted steps of a block are kept for the other models of the same fold; None
        where no two models see the same patients.
    random_state
        Seed of every step, fold and learner.
    """

    def __init__(
        self,
        study: PredictionStudy,
        inputs: PredictionInputs,
        *,
        memory: str | None,
        random_state: int,
    ) -> None:
        self.study = study
        self.inputs = inputs
        self.memory = memory
        self.random_state = random_state

    def columns(self, model: Model) -> list[str]:
        """Columns of the model's blocks."""
        wanted = model.blocks.value
        names = self.inputs.features.columns
        return [name for name in names if name.split(MARK, 1)[0] in wanted]

    def build(self, model: Model, *, scanned_once: bool) -> BaseEstimator:
        """Return the model; with ``scanned_once`` patients without a later scan get a baseline."""
        later = tuple(b for b in model.blocks.value if b in self.inputs.follow_up)
        first = tuple(b for b in model.blocks.value if b not in later)
        full = self._tuned(model, model.blocks.value)
        if not (scanned_once and later and first):
            return full
        return BaselineFallback(full, self._tuned(model, first), later)

    def steps(self, model: Model) -> Steps:
        """Transformers of all the model's blocks and those behind, unfitted."""
        return self._steps_of(model, model.blocks.value)

    def _tuned(self, model: Model, blocks: Sequence[str]) -> BaseEstimator:
        of_time = isinstance(self.study.label, TimeLabel)
        made: BaseEstimator = (prognostic_model if of_time else surrogate)(
            self._steps_of(model, blocks),
            model.learner.value,
            n_splits=self.study.evaluation.inner_folds.value,
            random_state=self.random_state,
        )
        return made

    def _steps_of(self, model: Model, blocks: Sequence[str]) -> Steps:
        own = {name: self._built(self.study.blocks[name].steps, block=name) for name in blocks}
        joint = self._built(model.steps, block=None)
        return [("blocks", PerBlock(own, memory=self.memory)), *joint]

    def _built(self, steps: Sequence[Step], *, block: str | None) -> Steps:
        built = []
        for step in steps:
            given: dict[str, Any] = {name: p.value for name, p in step.parameters.items()}
            if step.step == ICC_FILTER:
                if block is None or block not in self.inputs.readings:
                    continue
                given["agreement"] = agreement_of(self.inputs.readings[block], given)
            if takes_seed(step.step):
                given.setdefault("random_state", self.random_state)
            built.append((step.step, STEPS[step.step](**given)))
        return built


def check_prediction_words(study: PredictionStudy) -> None:
    """Raise unless every word of the recipe builds something and its parts name each other.

    Raises
    ------
    UnknownNameError
        A step, parameter, learner, preset, block, model or rival is not known; near matches are
        named.
    StudyError
        Time points stand in the wrong order, a name is given twice, shares do not sum to 1.
    """
    of_time = isinstance(study.label, TimeLabel)
    for name, block in study.blocks.items():
        if MARK in name:
            raise StudyError(f"blocks: expected names without {MARK!r}; found {name!r}. Rename it.")
        images = isinstance(block, ImageBlock)
        _check_steps(block.steps, section=f"blocks.{name}", images=images, of_time=of_time)
        if isinstance(block, ImageBlock) and block.kind == "radiomics":
            settings_preset(block.settings.value)
        if isinstance(block, ChangeBlock):
            _check_change(study, name, block)
    rivals = [rival.name for rival in study.rivals]
    models = [model.name for model in study.models]
    _check_once([*models, *rivals])
    for model in study.models:
        for name in model.blocks.value:
            _known(f"block of model {model.name}", name, study.blocks)
        section = f"models.{model.name}"
        _check_steps(model.steps, section=section, images=False, of_time=of_time)
        if of_time:
            survival_learner(model.learner.value)
        else:
            check_learner(model.learner.value)
    _check_time(study)
    _check_readouts(study, rivals)
    _check_simulation(study, rivals)


def _check_steps(steps: Sequence[Step], *, section: str, images: bool, of_time: bool) -> None:
    for step in steps:
        given = {name: p.value for name, p in step.parameters.items()}
        check_step(step.step, given, section=section, of_time=of_time)
        if step.step == ICC_FILTER and not images:
            raise StudyError(
                f"{section}: expected {ICC_FILTER} among the steps of an image block, which may "
                "have a second reading; found it elsewhere, where it would do nothing. Move it."
            )
        if facts := getattr(STEPS[step.step](**given), "row_facts", ()):
            raise StudyError(
                f"{section}: expected steps that need the block's features alone; found "
                f"{step.step}, which needs {short_list(facts)}. Leave it out, or use a plan of "
                "`radiogenomics validate`."
            )


def _known(what: str, name: str, known: Any) -> None:
    if name not in known:
        raise UnknownNameError(what, name, known)


def _check_once(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StudyError(
            f"expected a name of its own for each model and rival; found {short_list(twice)} "
            "twice. Rename one."
        )


def _check_change(study: PredictionStudy, name: str, block: ChangeBlock) -> None:
    for point in block.of.value:
        _known(f"block that {name} is the change of", point, study.blocks)
        if not isinstance(study.blocks[point], ImageBlock):
            raise StudyError(
                f"blocks.{name}: expected the change of image blocks; found {point!r}, which is "
                "none. Name blocks of images."
            )
    images = [part for p in block.of.value if isinstance(part := study.blocks[p], ImageBlock)]
    points = [image.time_point.value for image in images]
    if len(set(points)) < len(points) or BASELINE in points[1:]:
        raise StudyError(
            f"blocks.{name}: expected time points earliest first, each once; found "
            f"{short_list(points)}. Put the baseline first."
        )
    if block.mode.value == "rate" and block.interval.value is None:
        raise StudyError(
            f"blocks.{name}: expected the fact with the weeks between time points for a rate; "
            "found none. Name it in interval."
        )


def _check_time(study: PredictionStudy) -> None:
    """Raise where a recipe of a time to an event asks for what only classes have."""
    classes_only = {
        "blocks of later scans": bool(follow_up_blocks(study)),
        "readouts.explained_patients": study.readouts.explained_patients is not None,
        "legacy": bool(study.legacy.value),
        "evaluation.threshold": study.evaluation.threshold.value == "youden",
    }
    if not isinstance(study.label, TimeLabel):
        return
    if found := [what for what, there in classes_only.items() if there]:
        raise StudyError(
            "a time to an event: expected baseline scans, no defects or single patients to explain "
            f"and a threshold of median or a number; found {short_list(found)}. These need two "
            "classes: change them, or take the rule survival_beyond."
        )


def _check_readouts(study: PredictionStudy, rivals: list[str]) -> None:
    cox = [model.name for model in study.readouts.cox]
    for model in study.readouts.cox:
        for term in model.terms.value:
            _known(f"term of the Cox model {model.name}", term, ["score", *rivals])
    if study.readouts.nomogram is not None:
        _known("Cox model of the nomogram", study.readouts.nomogram.value, cox)


def _check_simulation(study: PredictionStudy, rivals: list[str]) -> None:
    simulation = study.simulation
    for name in simulation.shares:
        _known("block of simulation.shares", name, study.blocks)
    for name in simulation.rivals:
        _known("rival of simulation.rivals", name, rivals)
    total = sum(share.value for share in simulation.shares.values())
    if abs(total - 1) > 1e-6:
        raise StudyError(
            f"simulation.shares: expected shares that sum to 1; found {total:g}. Correct them."
        )
    label, survival = study.label, [s.endpoint.value for s in simulation.survival]
    if isinstance(label, SurvivalLabel | TimeLabel):
        _known("endpoint of the label in simulation.survival", label.endpoint.value, survival)
    if not isinstance(label, MarkersLabel):
        return
    if len(label.cutoffs.value) != len(label.markers.value):
        raise StudyError(
            f"label: expected one cut-off for each marker; found {len(label.cutoffs.value)} for "
            f"{len(label.markers.value)}. List them in the same order."
        )
    for name in label.low.value:
        _known("marker of the label that must be low", name, label.markers.value)
