"""Each block of columns goes through steps of its own before the blocks are joined."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from joblib import Memory
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import (
    _check_feature_names_in,
    check_array,
    check_is_fitted,
    validate_data,
)

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.core.method import Method
from radiogenomics.core.row_facts import refuse_row_facts
from radiogenomics.models.blocks import MARK, PREFIX, block_positions
from radiogenomics.models.steps import (
    Rows,
    Steps,
    apply_steps,
    fit_steps,
    names_behind,
    require_facts_eaten,
)


class PerBlock(TransformerMixin, BaseEstimator):
    """Select and scale each block by itself, then put what is left side by side.

    Columns are named ``<block>|<feature>``. A study that selects features of each image set apart
    gives the small set its share; a selection over all columns together lets the largest crowd the
    others out. What one block says beyond another is left to the learner behind.

    Parameters
    ----------
    steps
        Block → its named, unfitted transformers in order. A block without an entry, or with an
        empty one, is handed on as it is.
    memory
        Folder in which fitted steps are kept, so that models that share blocks, patients and labels
        fit them once. Give a folder of your own that nobody else can write to: what is read back is
        a pickle. None keeps nothing.

    Attributes
    ----------
    steps_ : dict
        Block → fitted transformers, of the blocks there are.
    names_ : ndarray of str
        Columns behind the steps, in the order of the blocks.
    fallbacks_ : list of str
        ``<block>.<step>`` of the selectors that kept nothing and fell back.

    Raises
    ------
    DataError
        The table has no names; a step leaves a value missing.
    SchemaError
        A column has no block; a step needs facts about the rows, which blocks do not have.
    UnknownNameError
        ``steps`` names a block without columns.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> X = pd.DataFrame({"pre|size": [1.0, 3.0], "clinical|afp": [20.0, 400.0]})
    >>> PerBlock({"pre": [("standardise", StandardScaler())]}).fit_transform(X)
    array([[ -1.,  20.],
           [  1., 400.]])
    """

    card: ClassVar[Method] = Method(
        name="per_block",
        title="Steps of its own for each block of columns",
        scope="models: construction",
        reference="as in Xu et al., BMC Cancer 2025;25:602, doi:10.1186/s12885-025-13978-4",
        limits="Blocks do not know of each other: what two of them say alike is selected twice.",
        learns=True,
    )
    # Blocks are read from the names of columns.
    needs_names: ClassVar[bool] = True

    def __init__(self, steps: Mapping[str, Steps], *, memory: str | None = None) -> None:
        self.steps = steps
        self.memory = memory

    def fit(self, X: Any, y: Any = None) -> PerBlock:
        """Fit the steps of every block."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Fit the steps of every block and return what they make of the rows."""
        refuse_row_facts(X)
        values = self._values(X, reset=True)
        if not hasattr(self, "feature_names_in_"):
            raise DataError(
                "PerBlock: expected a table with columns named <block>|<feature>; found "
                f"{type(X).__name__} without names. Pass a DataFrame."
            )
        names = list(self.feature_names_in_)
        self._positions = block_positions(PREFIX, names, n_columns=len(names))
        for block in self.steps:
            if block not in self._positions:
                raise UnknownNameError("block", block, self._positions)
            require_facts_eaten(self.steps[block] or [], Rows(values))
        self.steps_: dict[str, Steps] = {}
        fit = _quiet(Memory(self.memory, verbose=0).cache(_fit_block))
        parts, known = [], []
        for block, columns in self._positions.items():
            own = [str(names[i]) for i in columns]
            found = values[:, columns]
            if self.steps.get(block):
                target = None if y is None else np.asarray(y)
                self.steps_[block], found, own = fit(
                    self.steps[block], np.ascontiguousarray(found), target, own
                )
            parts.append(found)
            known += own
        self.names_ = np.array(known, dtype=object)
        self.fallbacks_ = [
            f"{block}.{name}"
            for block, steps in self.steps_.items()
            for name, step in steps
            if getattr(step, "fell_back_", False)
        ]
        return np.hstack(parts)

    def transform(self, X: Any) -> np.ndarray:
        """Send each block of new patients through its steps; shape (n, number of names_)."""
        check_is_fitted(self)
        values = self._values(X, reset=False)
        return np.hstack([self._block(block, values) for block in self._positions])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Names of the columns behind the steps."""
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return self.names_

    def _values(self, X: Any, *, reset: bool) -> np.ndarray:
        """Check names and values; of thousands of columns one by one it would take longest."""
        plain = X.to_numpy() if isinstance(X, pd.DataFrame) else X
        values: np.ndarray = check_array(plain, dtype=np.float64, ensure_all_finite="allow-nan")
        validate_data(self, X, reset=reset, skip_check_array=True)
        return values

    def _block(self, block: str, values: np.ndarray) -> np.ndarray:
        columns = self._positions[block]
        own = values[:, columns]
        if block not in self.steps_:
            return own
        names = [str(self.feature_names_in_[i]) for i in columns]
        return apply_steps(self.steps_[block], Rows(own), names=names)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = any(map(bool, self.steps.values()))
        return tags


def _quiet(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Keep joblib's remark on slow disks to itself: nothing follows from it."""

    def fitted(*given: Any) -> Any:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Persisting input arguments")
            return fit(*given)

    return fitted


def _fit_block(
    steps: Steps, values: np.ndarray, y: Any, names: list[str]
) -> tuple[Steps, np.ndarray, list[str]]:
    """Fitted steps of one block, what they make of the rows, and its columns' names."""
    fitted, found = fit_steps(steps, Rows(values), y, names=names)
    behind = names_behind(fitted, names, n_features=len(names))
    if behind is None:
        behind = range(1, found.shape[1] + 1)
    prefix = names[0].split(MARK, 1)[0] + MARK
    return fitted, found, [prefix + str(name).removeprefix(prefix) for name in behind]
