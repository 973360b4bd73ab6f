"""Stacked fusion: a regression on top learns what each block's model is worth."""

from __future__ import annotations

from itertools import combinations
from typing import Any, ClassVar

import numpy as np

from radiogenomics.core.errors import DataError, short_list
from radiogenomics.core.method import Method
from radiogenomics.models.blend import Blend, fit_blend
from radiogenomics.models.blocks import Blocks
from radiogenomics.models.fusion import (
    SCOPE,
    BlockFusion,
    block_models,
    require_block_classes,
    require_facts_used,
)
from radiogenomics.models.out_of_fold import out_of_fold_scores
from radiogenomics.models.steps import Rows
from radiogenomics.models.tuned import TunedClassifier

# One regression is fitted for each combination of blocks: 255 for eight.
MAX_BLOCKS = 8
# A block's model needs two patients of a class outside each fold: three are left out one by one.
SMALLEST_CLASS = 3


class StackedFusion(BlockFusion):
    r"""Ridge logistic regression on the out-of-fold log-odds of one model per block.

    Each block's model scores the training patients who have the block, out of fold. On these
    log-odds :math:`\eta_{ib}` the weights :math:`w_b` and the intercept are fitted
    (:func:`radiogenomics.models.blend.fit_blend`); by default no weight is negative. Then the
    block's models are fitted again on all who have the block.

    A regression is fitted for each combination of blocks, on the training patients who have at
    least these, and a patient is scored by the one for the blocks that are there: a block that
    stands in for a missing one gets the weight it deserves alone. The intercept is then the one of
    patients who have these blocks; where blocks are missing for a reason, it misleads.

    Parameters
    ----------
    blocks
        Block → columns, ``"prefix"``, or None for one block of everything; see
        :func:`radiogenomics.models.blocks.block_positions`. At most 8.
    models
        One model for all blocks or block → model; see
        :func:`radiogenomics.models.fusion.block_models`.
    C
        Weight of the likelihood beside the penalty on the weights, above 0.
    non_negative
        Whether weights are kept at 0 or above.
    n_splits
        Folds for the out-of-fold scores, and inner folds of each block's model.
    random_state
        Seed of the folds.

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
    combiners_ : dict of tuple of str to Blend
        The regression for each combination of blocks that enough training patients have.
    block_weights_ : dict of str to float
        Weights :math:`w_b` where all blocks are there; they need not sum to 1.

    Raises
    ------
    OutcomeError
        The label has not two classes, or a block has fewer than three patients of one.
    DataError
        A patient has none of the blocks, or a combination of them that too few training patients
        have; fewer than two patients of a class have all blocks; more than 8 blocks.

    References
    ----------
    Wolpert, Neural Netw 1992;5:241, doi:10.1016/S0893-6080(05)80023-1. Breiman, Mach Learn
    1996;24:49, doi:10.1007/BF00117832.

    Examples
    --------
    >>> X = np.random.default_rng(1).normal(size=(80, 4))
    >>> model = StackedFusion({"ct": [0, 1], "rna": [2, 3]}).fit(X, X[:, 0] > 0)
    >>> model.block_weights_["ct"] > model.block_weights_["rna"]
    True
    >>> list(model.combiners_)
    [('ct',), ('rna',), ('ct', 'rna')]
    """

    card: ClassVar[Method] = Method(
        name="stacked_fusion",
        title="One model per block; ridge logistic regression on their out-of-fold log-odds",
        scope=SCOPE,
        reference="Wolpert, Neural Netw 1992;5:241, doi:10.1016/S0893-6080(05)80023-1",
        limits="Weights are noisy with tens of patients. Sees no interaction between blocks. "
        "Patients lacking a block are scored by those who have it: misleads when blocks are "
        "missing for a reason.",
        learns=True,
    )

    def __init__(
        self,
        blocks: Blocks = None,
        *,
        models: Any = None,
        C: float = 1.0,
        non_negative: bool = True,
        n_splits: int = 5,
        random_state: int = 0,
    ) -> None:
        self.blocks = blocks
        self.models = models
        self.C = C
        self.non_negative = non_negative
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> StackedFusion:
        """Score out of fold, weigh, and fit the blocks' models on all; ``y`` has two classes."""
        rows, target = self._begin(X, y)
        if len(self.used_blocks_) > MAX_BLOCKS:
            raise DataError(
                f"expected at most {MAX_BLOCKS} blocks; found {len(self.used_blocks_)}. Join some "
                "of them, or use LateFusion."
            )
        absent = self._absent(rows)
        models = block_models(
            self.models,
            tuple(self.blocks_),
            n_splits=self.n_splits,
            random_state=self.random_state,
        )
        require_facts_used(models, rows)
        self.models_: dict[str, TunedClassifier] = {}
        log_odds = np.full(absent.shape, np.nan)
        for column, block in enumerate(self.used_blocks_):
            have = np.flatnonzero(~absent[:, column])
            log_odds[have, column] = self._block(rows.take(have), target[have], block, models)
        self.combiners_ = self._combine(log_odds, target)
        full = self.combiners_[self.used_blocks_].weights
        self.block_weights_ = dict(zip(self.used_blocks_, full.tolist(), strict=True))
        return self

    def _block(
        self, rows: Rows, target: np.ndarray, block: str, models: dict[str, TunedClassifier]
    ) -> np.ndarray:
        """Fit one block's model; return its out-of-fold log-odds."""
        smaller = require_block_classes(target, block, at_least=SMALLEST_CLASS)
        model = models[block]
        table = self._block_table(rows, block, model)
        folds = smaller if smaller == SMALLEST_CLASS else min(self.n_splits, smaller)
        scores = out_of_fold_scores(
            model,
            table,
            target,
            n_splits=folds,
            random_state=self.random_state,
        )
        self.models_[block] = model.fit(table, target)
        return scores

    def _combine(self, log_odds: np.ndarray, target: np.ndarray) -> dict[tuple[str, ...], Blend]:
        """Fit a regression for each combination of blocks that enough patients have."""
        used = self.used_blocks_
        combiners: dict[tuple[str, ...], Blend] = {}
        for size in range(1, len(used) + 1):
            for columns in map(list, combinations(range(len(used)), size)):
                have = ~np.isnan(log_odds[:, columns]).any(axis=1)
                if np.bincount(target[have], minlength=2).min() >= 2:
                    combiners[tuple(used[column] for column in columns)] = fit_blend(
                        log_odds[np.ix_(have, columns)],
                        target[have] == 1,
                        C=self.C,
                        non_negative=self.non_negative,
                    )
        if used not in combiners:
            complete = np.bincount(target[~np.isnan(log_odds).any(axis=1)], minlength=2)
            raise DataError(
                f"expected at least 2 patients of each class with all {len(used)} blocks; found "
                f"{complete[0]} and {complete[1]}. Drop a block, or use LateFusion."
            )
        return combiners

    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of ``classes_[1]``, shape (n,)."""
        rows = self._new_patients(X)
        absent = self._absent(rows)
        result = np.empty(len(absent))
        for pattern in np.unique(absent, axis=0):
            alike = np.flatnonzero((absent == pattern).all(axis=1))
            result[alike] = self._scored(rows.take(alike), ~pattern)
        return result

    def _scored(self, rows: Rows, there: np.ndarray) -> np.ndarray:
        """Log-odds of patients who have the same blocks."""
        blocks = tuple(b for b, is_there in zip(self.used_blocks_, there, strict=True) if is_there)
        if blocks not in self.combiners_:
            raise DataError(
                f"expected patients with a combination of blocks seen in training; found "
                f"{len(rows.values)} with {short_list(blocks)} only. Drop them, or use LateFusion."
            )
        columns = [
            self.models_[block].decision_function(
                self._block_table(rows, block, self.models_[block])
            )
            for block in blocks
        ]
        return self.combiners_[blocks].log_odds(np.column_stack(columns))
