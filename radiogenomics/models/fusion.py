"""What the ways of fusing blocks of features share: blocks, their models, and missing blocks."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from radiogenomics.core.errors import (
    DataError,
    OutcomeError,
    RadiogenomicsWarning,
    UnknownNameError,
    short_list,
)
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.core.two_classes import two_classes
from radiogenomics.models.blocks import (
    Blocks,
    absent_blocks,
    block_positions,
    varies,
    with_absent_blocks,
)
from radiogenomics.models.ordered_classifier import OrderedClassifier
from radiogenomics.models.steps import Rows, checked_rows, require_facts_eaten, split_pipeline
from radiogenomics.models.surrogate import surrogate
from radiogenomics.models.tuned import TunedClassifier

SCOPE = "models: fusion"
RIDGE_STRENGTHS = (0.001, 0.01, 0.1, 1.0)


class BlockFusion(OrderedClassifier, BaseEstimator, ABC):
    """Base of two-class models of several blocks of features, some missing for some patients.

    A block is missing for a patient when all its columns are NaN, and for all new patients when
    their table has none of its columns; single gaps are left to the block's own steps. A block that
    does not vary in the training part says nothing: it is left out, with a warning. Rows are
    patients; all is learnt from the training part.

    Parameters
    ----------
    blocks
        See :func:`radiogenomics.models.blocks.block_positions`.
    n_splits
        Inner folds.
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
    block_weights_ : dict of str to float
        Weight of each block in use; its meaning is the subclass's.
    """

    blocks: Blocks
    n_splits: int
    random_state: int
    block_weights_: dict[str, float]

    @abstractmethod
    def decision_function(self, X: Any) -> np.ndarray:
        """Log-odds of ``classes_[1]``, shape (n,)."""

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the two classes, shape (n, 2)."""
        positive = expit(self.decision_function(X))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> np.ndarray:
        """Return the more probable class."""
        above = self.decision_function(X) > 0
        return self.classes_[above.astype(int)]

    def missing_blocks(self, X: Any) -> pd.DataFrame:
        """Which blocks each patient lacks: True where all of a block is NaN.

        Returns
        -------
        DataFrame of bool
            Patients × blocks; the index is that of ``X``.
        """
        rows = self._new_patients(X)
        return pd.DataFrame(
            absent_blocks(rows.values, self.blocks_),
            index=getattr(X, "index", None),
            columns=list(self.blocks_),
        )

    def _begin(self, X: Any, y: Any) -> tuple[Rows, np.ndarray]:
        """Check the input, learn classes and blocks; return rows and 0/1 targets."""
        if self.n_splits < 2:
            raise DataError(f"n_splits: expected at least 2; found {self.n_splits}. Give more.")
        refuse_other_order(X, y)
        label = validate_data(self, y=y)  # first: it forgets the names of features
        rows = checked_rows(self, X, reset=True)
        check_consistent_length(rows.values, label)
        check_classification_targets(label)
        self.classes_, target = two_classes(label)
        names = getattr(self, "feature_names_in_", None)
        self.blocks_ = block_positions(self.blocks, names, n_columns=rows.values.shape[1])
        varying = {
            block: varies(rows.values[:, columns]) for block, columns in self.blocks_.items()
        }
        self.used_blocks_ = tuple(block for block, does in varying.items() if does)
        dull = [block for block, does in varying.items() if not does]
        if not self.used_blocks_:
            raise DataError(
                f"expected a block that varies; found {len(dull)} block(s) without two different "
                f"values in a column: {short_list(dull)}. Check the table."
            )
        if dull:
            warnings.warn(
                f"block(s) {short_list(dull)} do not vary in the training part and are left out.",
                RadiogenomicsWarning,
                stacklevel=3,
            )
        return rows, target

    def _new_patients(self, X: Any) -> Rows:
        """Return the rows of a table like that of training, but for whole blocks."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        return checked_rows(self, with_absent_blocks(X, names, self.blocks_), reset=False)

    def _absent(self, rows: Rows) -> np.ndarray:
        """Return which used blocks patients lack; DataError for patients who lack all of them."""
        used = {block: self.blocks_[block] for block in self.used_blocks_}
        absent = absent_blocks(rows.values, used)
        bare = absent.all(axis=1)
        if bare.any():
            raise DataError(
                f"expected at least one of the block(s) {short_list(used)} for each patient; found "
                f"{int(bare.sum())} of {len(bare)} patients with none, the first in row "
                f"{int(np.flatnonzero(bare)[0])}. Drop these patients."
            )
        return absent

    def _block_table(self, rows: Rows, block: str, model: TunedClassifier) -> pd.DataFrame:
        """Columns of one block, and the row facts that its model uses."""
        columns = self.blocks_[block]
        names = getattr(self, "feature_names_in_", None)
        labels = [f"x{i}" for i in columns] if names is None else names[columns]
        table = pd.DataFrame(rows.values[:, columns], columns=labels)
        for _, step in split_pipeline(model.pipeline)[0]:
            for fact in getattr(step, "row_facts", ()):
                if rows.facts is not None and fact in rows.facts:
                    table[fact] = rows.facts[fact].to_numpy()
        return table

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


def block_models(
    models: Any, blocks: tuple[str, ...], *, n_splits: int, random_state: int
) -> dict[str, TunedClassifier]:
    """Return an unfitted, calibrating model for each block.

    Parameters
    ----------
    models
        One for all blocks, or block → model, where blocks left out get the default. A model is

        - None, the default: medians for gaps, standardisation, ridge logistic regression, tuned;
        - a recipe word of :func:`radiogenomics.models.learner`, behind the same two steps;
        - a TunedClassifier;
        - another classifier or Pipeline, used as it is and calibrated in inner folds.
    blocks
        Names of the blocks.
    n_splits
        Inner folds.
    random_state
        Seed of the inner folds and the learners.

    Raises
    ------
    UnknownNameError
        A model is for a block, or a word for a learner, that is not there.
    DataError
        A model is no classifier.
    """
    by_block = models if isinstance(models, Mapping) else dict.fromkeys(blocks, models)
    for block in by_block:
        if block not in blocks:
            raise UnknownNameError("block", block, blocks)
    return {
        block: _tuned(by_block.get(block), block, n_splits=n_splits, random_state=random_state)
        for block in blocks
    }


def require_block_classes(target: np.ndarray, block: str, *, at_least: int) -> int:
    """Size of the smaller class among patients who have a block; OutcomeError when too small."""
    smaller = int(np.bincount(target, minlength=2).min())
    if smaller < at_least:
        raise OutcomeError(
            f"block {block!r}: expected at least {at_least} patients of each class who have it; "
            f"found {smaller} of one class, among {len(target)}. Drop the block, or use more "
            "patients."
        )
    return smaller


def require_facts_used(models: Mapping[str, TunedClassifier], rows: Rows) -> None:
    """Raise SchemaError for row facts that no block's model uses, or that one lacks."""
    steps = [step for model in models.values() for step in split_pipeline(model.pipeline)[0]]
    require_facts_eaten(steps, rows)


def filled_and_standardised() -> list[tuple[str, Any]]:
    """Steps before a learner where none are given: medians for gaps, mean 0 and variance 1."""
    return [
        ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
        ("standardise", StandardScaler()),
    ]


def _tuned(model: Any, block: str, *, n_splits: int, random_state: int) -> TunedClassifier:
    if model is None:
        ridge = LogisticRegression(max_iter=1000, random_state=random_state)
        return TunedClassifier(
            Pipeline([*filled_and_standardised(), ("lr", ridge)]),
            {"C": RIDGE_STRENGTHS},
            n_splits=n_splits,
            random_state=random_state,
        )
    if isinstance(model, str):
        return surrogate(
            filled_and_standardised(), model, n_splits=n_splits, random_state=random_state
        )
    if isinstance(model, TunedClassifier):
        return clone(model)
    if not is_classifier(model):
        raise DataError(
            f"block {block!r}: expected a classifier, a learner's word or None; found "
            f"{type(model).__name__}. End the pipeline with a classifier."
        )
    steps = clone(model) if isinstance(model, Pipeline) else Pipeline([("model", clone(model))])
    return TunedClassifier(steps, [{}], n_splits=n_splits, random_state=random_state)
