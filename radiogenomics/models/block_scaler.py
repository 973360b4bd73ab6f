"""Bring blocks of features to one size before they are set side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted, validate_data

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.core.row_order import refuse_other_order
from radiogenomics.models.blocks import Blocks, absent_blocks, block_positions, with_absent_blocks
from radiogenomics.models.fusion import SCOPE, filled_and_standardised

VARIANCE, SINGULAR, NONE = "variance", "singular", "none"
SCALINGS = (VARIANCE, SINGULAR, NONE)


@dataclass(frozen=True, eq=False)
class FittedBlock:
    """What was learnt of one block.

    Parameters
    ----------
    columns
        Its positions in the table.
    transformer
        Fitted on the patients who have the block.
    means
        Of its transformed columns; they stand in where the block is missing.
    weight
        What the transformed columns are multiplied by.
    """

    columns: np.ndarray
    transformer: Any
    means: np.ndarray
    weight: float


class BlockScaler(TransformerMixin, BaseEstimator):
    r"""Transform each block by itself, then divide it by its size.

    A penalised or distance-based learner on a thousand radiomic features beside five clinical ones
    hears the thousand. With :math:`Z_b` the transformed, centred columns of block :math:`b` and
    :math:`n` training patients, the block is multiplied by

    - ``"variance"``: :math:`1 / \sqrt{\operatorname{tr} Z_b^\top Z_b / n}`, so that each block has
      a total variance of 1 (:math:`1/\sqrt{p_b}` for :math:`p_b` standardised features);
    - ``"singular"``: :math:`\sqrt n / \sigma_1(Z_b)`, so that the strongest direction of each block
      has a variance of 1, as in multiple factor analysis: many copies of one feature count as one;
    - ``"none"``: 1.

    A block that does not vary is multiplied by 0. Where all of a patient's block is NaN, or a new
    table has none of its columns, the means of the training part stand in.

    Parameters
    ----------
    blocks
        Block → columns, ``"prefix"``, or None for one block of everything; see
        :func:`radiogenomics.models.blocks.block_positions`.
    transformers
        One unfitted transformer for all blocks, or block → transformer, where blocks left out get
        the default: medians for gaps, then standardisation.
    scaling
        One of the three above.

    Attributes
    ----------
    blocks_ : dict of str to FittedBlock
        What was learnt, in the order of the output's columns.
    block_weights_ : dict of str to float
        What each block is multiplied by.

    Raises
    ------
    DataError
        No training patient has a block.
    UnknownNameError
        A transformer is for a block that is not there, or the scaling is none of the three.

    References
    ----------
    Escofier and Pagès, Comput Stat Data Anal 1994;18:121.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 5))
    >>> scaled = BlockScaler({"ct": [0, 1, 2, 3], "age": [4]}).fit_transform(X)
    >>> scaled.var(axis=0)
    array([0.25, 0.25, 0.25, 0.25, 1.  ])
    """

    card: ClassVar[Method] = Method(
        name="block_scaler",
        title="Blocks of features scaled to one total variance",
        scope=SCOPE,
        reference="Escofier and Pagès, Comput Stat Data Anal 1994;18:121",
        limits="Takes blocks for equally telling before seeing the label. Means stand in for a "
        "missing block.",
        learns=True,
    )

    def __init__(
        self, blocks: Blocks = None, *, transformers: Any = None, scaling: str = VARIANCE
    ) -> None:
        self.blocks = blocks
        self.transformers = transformers
        self.scaling = scaling

    def fit(self, X: Any, y: Any = None) -> BlockScaler:
        """Fit each block's transformer and weight; ``y`` goes to the transformers."""
        if self.scaling not in SCALINGS:
            raise UnknownNameError("block scaling", self.scaling, SCALINGS)
        refuse_row_facts(X)
        refuse_other_order(X, y)
        values = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan")
        names = getattr(self, "feature_names_in_", None)
        positions = block_positions(self.blocks, names, n_columns=values.shape[1])
        transformers = self._transformers(positions)
        absent = absent_blocks(values, positions)
        self.blocks_: dict[str, FittedBlock] = {}
        for place, (block, columns) in enumerate(positions.items()):
            have = ~absent[:, place]
            if not have.any():
                raise DataError(
                    f"block {block!r}: expected a training patient who has it; found none among "
                    f"{len(have)}. Drop the block."
                )
            transformer = clone(transformers[block])
            target = None if y is None else np.asarray(y)[have]
            made = np.asarray(transformer.fit_transform(values[np.ix_(have, columns)], target))
            self.blocks_[block] = FittedBlock(
                columns, transformer, made.mean(axis=0), _weight(made, self.scaling)
            )
        self.block_weights_ = {block: learnt.weight for block, learnt in self.blocks_.items()}
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Blocks side by side, each transformed and scaled, shape (n, sum of their columns)."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        positions = {block: learnt.columns for block, learnt in self.blocks_.items()}
        values = validate_data(
            self,
            with_absent_blocks(X, names, positions),
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            reset=False,
        )
        parts = []
        for learnt in self.blocks_.values():
            block = values[:, learnt.columns]
            have = ~np.isnan(block).all(axis=1)
            part = np.tile(learnt.means, (len(values), 1))
            if have.any():
                part[have] = learnt.transformer.transform(block[have])
            parts.append(learnt.weight * part)
        return np.hstack(parts)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the output's columns: what the transformers call them, block by block."""
        check_is_fitted(self)
        names = (
            getattr(self, "feature_names_in_", None)
            if input_features is None
            else (np.asarray(input_features, dtype=object))
        )
        if names is None:
            names = np.array([f"x{i}" for i in range(self.n_features_in_)], dtype=object)
        parts = [
            learnt.transformer.get_feature_names_out(names[learnt.columns])
            for learnt in self.blocks_.values()
        ]
        return np.concatenate(parts).astype(object)

    def _transformers(self, positions: Mapping[str, np.ndarray]) -> dict[str, Any]:
        default = Pipeline(filled_and_standardised())
        if not isinstance(self.transformers, Mapping):
            one = default if self.transformers is None else self.transformers
            return dict.fromkeys(positions, one)
        for block in self.transformers:
            if block not in positions:
                raise UnknownNameError("block", block, positions)
        return {block: self.transformers.get(block, default) for block in positions}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _weight(made: np.ndarray, scaling: str) -> float:
    """One over the size of a block; 0 where it does not vary."""
    if scaling == NONE:
        return 1.0
    centred = made - made.mean(axis=0)
    if scaling == VARIANCE:
        size = np.sqrt((centred**2).sum() / len(made))
    else:
        size = np.linalg.norm(centred, 2) / np.sqrt(len(made))
    rounding = np.finfo(float).eps * (1 + np.abs(made).max(initial=0)) * made.size
    return float(1 / size) if size > rounding else 0.0
