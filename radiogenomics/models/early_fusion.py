"""Early fusion: blocks are brought to one size, set side by side and given to one learner."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from sklearn.base import is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from radiogenomics.core.errors import DataError, RadiogenomicsWarning, UnknownNameError, short_list
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.models.block_scaler import VARIANCE, BlockScaler
from radiogenomics.models.blocks import Blocks
from radiogenomics.models.fusion import SCOPE, BlockFusion
from radiogenomics.models.learners import learner
from radiogenomics.models.steps import Rows
from radiogenomics.models.tuned import GridLike, TunedClassifier

# A whole block has the variance of one standardised feature, so weights are larger than elsewhere.
STRENGTHS = (0.1, 1.0, 10.0, 100.0)


class EarlyFusion(BlockFusion):
    """One learner on all blocks side by side, each scaled so that large ones drown no small one.

    The blocks go through a :class:`radiogenomics.models.block_scaler.BlockScaler` and the learner
    behind it is tuned and calibrated in inner folds, as everywhere; both are fitted on the training
    part only. A patient's missing block is filled with the training means, with a warning: the
    learner then scores the patient as average in that block, with the confidence of one whose
    block was measured. Late and stacked fusion score such a patient by the other blocks.

    Scaling matters to penalised and distance-based learners; trees do not see it.

    Parameters
    ----------
    blocks
        Block → columns, ``"prefix"``, or None for one block of everything; see
        :func:`radiogenomics.models.blocks.block_positions`.
    transformers
        One transformer for all blocks or block → transformer; see ``BlockScaler``.
    estimator
        A recipe word of :func:`radiogenomics.models.learner`, a classifier, or None for ridge
        logistic regression.
    grid
        Parameter of a classifier handed in → values, most regularised first; None tunes nothing.
        Words and None bring their own.
    scaling
        ``"variance"``, ``"singular"`` or ``"none"``; see ``BlockScaler``.
    n_splits
        Inner folds.
    random_state
        Seed of the inner folds and the learner.

    Attributes
    ----------
    classes_ : ndarray, shape (2,)
        Labels, sorted; scores are for ``classes_[1]``.
    blocks_ : dict of str to ndarray
        Positions of the columns of each block.
    used_blocks_ : tuple of str
        Blocks that vary in the training part.
    model_ : TunedClassifier
        Scaler and learner, fitted; it knows the classes as 0 and 1.
    block_weights_ : dict of str to float
        What each block's transformed columns are multiplied by.

    Raises
    ------
    OutcomeError
        The label has not exactly two classes of two or more patients.
    DataError
        A patient has none of the blocks.
    UnknownNameError
        A transformer is for a block that is not there.

    References
    ----------
    Escofier and Pagès, Comput Stat Data Anal 1994;18:121 (weights of blocks).

    Examples
    --------
    >>> X = np.random.default_rng(1).normal(size=(80, 4))
    >>> model = EarlyFusion({"ct": [0, 1, 2], "clinical": [3]}).fit(X, X[:, 0] + X[:, 3] > 0)
    >>> {block: round(weight, 2) for block, weight in model.block_weights_.items()}
    {'ct': 0.58, 'clinical': 1.0}
    """

    card: ClassVar[Method] = Method(
        name="early_fusion",
        title="Blocks scaled to one size, side by side, one learner",
        scope=SCOPE,
        reference="Escofier and Pagès, Comput Stat Data Anal 1994;18:121",
        limits="A missing block is filled with means, so such a patient looks average in it and "
        "the score too sure. Needs a learner that stands many features.",
        learns=True,
    )

    def __init__(
        self,
        blocks: Blocks = None,
        *,
        transformers: Any = None,
        estimator: Any = None,
        grid: GridLike | None = None,
        scaling: str = VARIANCE,
        n_splits: int = 5,
        random_state: int = 0,
    ) -> None:
        self.blocks = blocks
        self.transformers = transformers
        self.estimator = estimator
        self.grid = grid
        self.scaling = scaling
        self.n_splits = n_splits
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> EarlyFusion:
        """Scale the blocks, tune, calibrate and refit; ``y`` has two classes."""
        refuse_row_facts(X)
        rows, target = self._begin(X, y)
        self._say_what_is_filled(self._absent(rows))
        estimator, grid = self._learner()
        scaler = BlockScaler(
            self._places(), transformers=self._used_transformers(), scaling=self.scaling
        )
        self.model_ = TunedClassifier(
            Pipeline([("blocks", scaler), ("learner", estimator)]),
            grid,
            n_splits=self.n_splits,
            random_state=self.random_state,
        ).fit(self._used_columns(rows), target)
        self.block_weights_ = dict(self.model_.pipeline_["blocks"].block_weights_)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Calibrated log-odds of ``classes_[1]``, shape (n,)."""
        refuse_row_facts(X)
        rows = self._new_patients(X)
        self._say_what_is_filled(self._absent(rows))
        return self.model_.decision_function(self._used_columns(rows))

    def _learner(self) -> tuple[Any, GridLike]:
        if self.estimator is None:
            ridge = LogisticRegression(max_iter=1000, random_state=self.random_state)
            return ridge, {"C": STRENGTHS}
        if isinstance(self.estimator, str):
            chosen = learner(self.estimator, random_state=self.random_state)
            return chosen.estimator, chosen.grid
        if not is_classifier(self.estimator):
            raise DataError(
                "estimator: expected a classifier, a learner's word or None; found "
                f"{type(self.estimator).__name__}. Give a classifier."
            )
        return self.estimator, [{}] if self.grid is None else self.grid

    def _used_columns(self, rows: Rows) -> np.ndarray:
        """Columns of the blocks in use, one block after the other."""
        columns = [self.blocks_[block] for block in self.used_blocks_]
        return rows.values[:, np.concatenate(columns)]

    def _used_transformers(self) -> Any:
        if not isinstance(self.transformers, Mapping):
            return self.transformers
        for block in self.transformers:
            if block not in self.blocks_:
                raise UnknownNameError("block", block, self.blocks_)
        return {b: step for b, step in self.transformers.items() if b in self.used_blocks_}

    def _places(self) -> dict[str, list[int]]:
        """Where the used blocks stand in :meth:`_used_columns`."""
        places, start = {}, 0
        for block in self.used_blocks_:
            size = len(self.blocks_[block])
            places[block] = list(range(start, start + size))
            start += size
        return places

    def _say_what_is_filled(self, absent: np.ndarray) -> None:
        counts = absent.sum(axis=0)
        filled = [f"{b} ({n})" for b, n in zip(self.used_blocks_, counts, strict=True) if n]
        if filled:
            warnings.warn(
                f"{int(absent.any(axis=1).sum())} of {len(absent)} patients lack a block: "
                f"{short_list(filled)}. It is filled with the training means.",
                RadiogenomicsWarning,
                stacklevel=3,
            )
