"""Late fusion: each block has its own model; their log-odds are averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from radiogenomics.core.errors import DataError, UnknownNameError, short_list
from radiogenomics.core.method import Method
from radiogenomics.models.blocks import Blocks
from radiogenomics.models.fusion import (
    SCOPE,
    BlockFusion,
    block_models,
    require_block_classes,
    require_facts_used,
)
from radiogenomics.models.tuned import TunedClassifier

EQUAL, BY_AUC = "equal", "auc"


class LateFusion(BlockFusion):
    r"""Weighted mean of the calibrated log-odds of one model per block.

    For a patient with the blocks :math:`B`, log-odds are
    :math:`\eta = \sum_{b \in B} w_b \eta_b / \sum_{b \in B} w_b`, where :math:`\eta_b` are the
    log-odds of block :math:`b`'s model, calibrated on inner out-of-fold scores. So the weights of
    missing blocks go to the others, and a patient with one block gets exactly what that block's
    model says. Where the blocks that are there weigh 0, they count alike. Each model is fitted on
    the training patients who have its block.

    The mean is cautious: two blocks that say the same independently should say it louder together,
    and the mean does not. Ranks are not harmed, probabilities are too near the prevalence;
    :class:`radiogenomics.models.stacked_fusion.StackedFusion` learns how loud.

    Parameters
    ----------
    blocks
        Block → columns, ``"prefix"``, or None for one block of everything; see
        :func:`radiogenomics.models.blocks.block_positions`.
    models
        One model for all blocks or block → model; see
        :func:`radiogenomics.models.fusion.block_models`.
    weights
        ``"equal"``; ``"auc"``, the inner AUC above one half (equal where none is above); or
        block → weight, 0 or above.
    n_splits
        Inner folds of each block's model.
    random_state
        Seed of the inner folds.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels, sorted; scores are for ``classes_[1]``.
    blocks_ : dict of str to ndarray
        Positions of the columns of each block.
    used_blocks_ : tuple of str
        Blocks that vary in the training part.
    models_ : dict of str to TunedClassifier
        Fitted model of each block in use; they know the classes as 0 and 1.
    block_weights_ : dict of str to float
        Weights :math:`w_b`; they sum to 1.

    Raises
    ------
    OutcomeError
        The label has not two classes, or a block has fewer than two patients of one.
    DataError
        A patient has none of the blocks, or a weight is negative.
    UnknownNameError
        A model or a weight is for a block that is not there.

    References
    ----------
    Genest and Zidek, Stat Sci 1986;1:114 (the logarithmic opinion pool).

    Examples
    --------
    >>> X = np.random.default_rng(1).normal(size=(80, 4))
    >>> model = LateFusion({"ct": [0, 1], "rna": [2, 3]}).fit(X, X[:, 0] + X[:, 2] > 0)
    >>> model.block_weights_
    {'ct': 0.5, 'rna': 0.5}
    >>> X[0, :2] = np.nan
    >>> model.predict_proba(X).shape
    (80, 2)
    """

    card: ClassVar[Method] = Method(
        name="late_fusion",
        title="One calibrated model per block; weighted mean of their log-odds",
        scope=SCOPE,
        reference="Genest and Zidek, Stat Sci 1986;1:114",
        limits="Sees no interaction between blocks; probabilities are too near the prevalence "
        "when blocks are independent. Weights by inner AUC are noisy with tens of patients.",
        learns=True,
    )

    def __init__(
        self,
        blocks: Blocks = None,
        *,
        models: Any = None,
        weights: str | Mapping[str, float] = EQUAL,
        n_splits: int = 5,
        random_state: int = 0,
    ) -> None:
        self.blocks = blocks
        self.models = models
        self.weights = weights
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> LateFusion:
        """Fit a model on each block; ``y`` has two classes."""
        rows, target = self._begin(X, y)
        absent = self._absent(rows)
        models = block_models(
            self.models,
            tuple(self.blocks_),
            n_splits=self.n_splits,
            random_state=self.random_state,
        )
        require_facts_used(models, rows)
        self.models_: dict[str, TunedClassifier] = {}
        for column, block in enumerate(self.used_blocks_):
            have = np.flatnonzero(~absent[:, column])
            require_block_classes(target[have], block, at_least=2)
            table = self._block_table(rows.take(have), block, models[block])
            self.models_[block] = models[block].fit(table, target[have])
        self.block_weights_ = self._weights()
        return self

    def _weights(self) -> dict[str, float]:
        """Weights of the blocks in use, summing to 1."""
        if isinstance(self.weights, Mapping):
            given = self._given_weights(self.weights)
        elif self.weights == BY_AUC:
            given = {b: max(0.0, model.inner_auc_ - 0.5) for b, model in self.models_.items()}
        elif self.weights == EQUAL:
            given = {}
        else:
            raise UnknownNameError("way to weigh blocks", self.weights, (EQUAL, BY_AUC))
        total = sum(given.values())
        if not total > 0:
            return dict.fromkeys(self.used_blocks_, 1 / len(self.used_blocks_))
        return {block: weight / total for block, weight in given.items()}

    def _given_weights(self, weights: Mapping[str, float]) -> dict[str, float]:
        for block in weights:
            if block not in self.blocks_:
                raise UnknownNameError("block", block, self.blocks_)
        unnamed = [block for block in self.blocks_ if block not in weights]
        bad = [block for block, weight in weights.items() if not 0 <= weight < np.inf]
        if unnamed or bad or not any(weights[block] for block in self.used_blocks_):
            raise DataError(
                "weights: expected a number of 0 or more for each block, not 0 for all; found "
                f"{short_list(f'{block}: {weight}' for block, weight in weights.items())}. "
                "Mend the weights."
            )
        return {block: float(weights[block]) for block in self.used_blocks_}

    def block_log_odds(self, X: Any) -> np.ndarray:
        """Calibrated log-odds of each used block's model, shape (n, used blocks).

        NaN where a patient lacks the block.
        """
        rows = self._new_patients(X)
        absent = self._absent(rows)
        log_odds = np.full(absent.shape, np.nan)
        for column, (block, model) in enumerate(self.models_.items()):
            have = np.flatnonzero(~absent[:, column])
            if len(have):
                table = self._block_table(rows.take(have), block, model)
                log_odds[have, column] = model.decision_function(table)
        return log_odds

    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of ``classes_[1]``, shape (n,)."""
        log_odds = self.block_log_odds(X)
        there = ~np.isnan(log_odds)
        weights = there * np.array([self.block_weights_[block] for block in self.used_blocks_])
        weights = np.where(weights.sum(axis=1, keepdims=True) > 0, weights, there)
        return (weights * np.where(there, log_odds, 0.0)).sum(axis=1) / weights.sum(axis=1)
