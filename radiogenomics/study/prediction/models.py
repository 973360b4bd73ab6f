"""The models of a prediction study: blocks, each through its own steps, then a tuned learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator

from radiogenomics.models import surrogate
from radiogenomics.models.blocks import MARK
from radiogenomics.models.longitudinal import BaselineFallback
from radiogenomics.models.per_block import PerBlock
from radiogenomics.models.prognostic_model import prognostic_model
from radiogenomics.study.prediction.deep_blocks import share_aside
from radiogenomics.study.prediction.inputs import PredictionInputs
from radiogenomics.study.prediction.labels import TimeLabel
from radiogenomics.study.prediction.schema import Model, NetworkBlock, PredictionStudy
from radiogenomics.study.recipe import Step
from radiogenomics.study.words import ICC_FILTER, STEPS, agreement_of, takes_seed

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
        own = {
            name: [*self._network(name), *self._built(self.study.blocks[name].steps, block=name)]
            for name in blocks
        }
        joint = self._built(model.steps, block=None)
        return [("blocks", PerBlock(own, memory=self.memory)), *joint]

    def _network(self, name: str) -> Steps:
        """The step that makes a number of scans, where the block is a network."""
        block = self.study.blocks[name]
        if not isinstance(block, NetworkBlock):
            return []
        # Needs torch, which only recipes with networks do.
        from radiogenomics.study.prediction.networks import network_risk

        scans, of_time = self.inputs.scans[name], isinstance(self.study.label, TimeLabel)
        aside = share_aside(self.study, block, len(self.inputs.features))
        risk = network_risk(
            block, scans, of_time=of_time, random_state=self.random_state, aside=aside
        )
        return [(risk.card.name, risk)]

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
