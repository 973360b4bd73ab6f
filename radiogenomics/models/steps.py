"""Transformer steps before a learner, fitted once a fold; row facts reach the steps that eat them.

Inside a fold plain arrays are passed from step to step, as checking names costs more than most
fits. Frames are made for the two kinds of steps that need them: those that name facts about the
rows (``@site``, ``@weeks``) in ``row_facts``, which the others never see, and those that say
``needs_names`` because they look variables up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import validate_data

from radiogenomics.core.errors import DataError, SchemaError, short_list
from radiogenomics.core.row_facts import MARK

Steps = list[tuple[str, Any]]


@dataclass(frozen=True, eq=False)
class Rows:
    """Features of some patients and the facts that travel beside them.

    Parameters
    ----------
    values
        Shape (n, p); NaN where missing.
    facts
        Columns whose names start with ``@``, same rows; None when there are none.
    """

    values: np.ndarray
    facts: pd.DataFrame | None = None

    def take(self, positions: np.ndarray) -> Rows:
        """Return the rows at these positions."""
        facts = None if self.facts is None else self.facts.iloc[positions]
        return Rows(self.values[positions], facts)


def checked_rows(estimator: BaseEstimator, X: Any, *, reset: bool) -> Rows:
    """Part features from row facts and check the features; ``reset`` learns their names.

    Raises
    ------
    ValueError
        As scikit-learn's ``validate_data``: infinite values, other columns than in ``fit``.
    """
    names = [name for name in getattr(X, "columns", ()) if str(name).startswith(MARK)]
    facts = X[names].reset_index(drop=True) if names else None
    values = validate_data(
        estimator,
        X.drop(columns=names) if names else X,
        dtype=np.float64,
        ensure_all_finite="allow-nan",
        reset=reset,
    )
    return Rows(values, facts)


def split_pipeline(pipeline: Pipeline) -> tuple[Steps, tuple[str, Any]]:
    """Return the transformers that do something, and the final step.

    Steps of a Pipeline within are written out, each named after both, as ``outer.inner``: row facts
    and names reach them there as anywhere.

    Raises
    ------
    SchemaError
        The last step is itself a Pipeline with a step that needs row facts or names: its
        parameters are tuned under its own names, so it is not written out.
    """
    *steps, (name, final) = pipeline.steps
    needing = [inner for inner, step in written_out([(name, final)]) if _framed(step)]
    if isinstance(final, Pipeline) and needing:
        raise SchemaError(
            f"expected the steps that need row facts or names before the last step; found "
            f"{short_list(needing)} within it, as {name!r} is itself a Pipeline. Write its "
            "steps into the outer one."
        )
    return written_out(steps), (name, final)


def any_needs_names(steps: Steps) -> bool:
    """True when a step, or one of a Pipeline within, has to see names or row facts."""
    return any(_framed(step) for _, step in written_out(steps))


def written_out(steps: Steps) -> Steps:
    """Steps that do something, those of a Pipeline within in its place, as ``outer.inner``."""
    found: Steps = []
    for name, step in steps:
        if isinstance(step, Pipeline):
            found += [(f"{name}.{inner}", own) for inner, own in written_out(step.steps)]
        elif step not in (None, "passthrough"):
            found.append((name, step))
    return found


def require_facts_eaten(steps: Steps, rows: Rows) -> None:
    """Raise SchemaError for a row fact that no step uses, or that a step needs and is not there."""
    given = set() if rows.facts is None else set(rows.facts.columns)
    eaten = {fact for _, step in steps for fact in _facts_of(step)}
    if given - eaten:
        raise SchemaError(
            f"expected a step for each row fact; found none for {short_list(sorted(given - eaten))}"
            ". Add the step that uses it (ComBat for @site), or drop the column."
        )
    if eaten - given:
        raise SchemaError(
            f"expected the row fact(s) {short_list(sorted(eaten - given))} as columns of the "
            f"feature table; found {short_list(sorted(given)) or 'none'}. Add the column(s), or "
            "take out the step that needs them."
        )


def fit_steps(
    steps: Steps, rows: Rows, target: np.ndarray, *, names: Sequence[str] | None = None
) -> tuple[Steps, np.ndarray]:
    """Fit clones of the transformers one after the other; the originals stay unfitted.

    Returns
    -------
    fitted : list of (name, transformer)
    values : ndarray
        What the last one makes of the rows, finite.

    Raises
    ------
    DataError
        A value behind the last step is missing or infinite.
    """
    fitted = [(name, clone(step)) for name, step in steps]
    transformed: Any = rows.values
    known, framed = _names(rows.values.shape[1], names), any(_framed(step) for _, step in steps)
    for _, step in fitted:
        given = _as_needed(transformed, rows, step, names=known)
        transformed = step.fit_transform(given, target)
        if framed:
            known = _names_behind(step, known, n_out=np.shape(transformed)[1])
    return fitted, _finite(transformed)


def apply_steps(fitted: Steps, rows: Rows, *, names: Sequence[str] | None = None) -> np.ndarray:
    """Send rows through fitted transformers.

    Raises
    ------
    DataError
        A value behind the last step is missing or infinite.
    """
    transformed: Any = rows.values
    known, framed = _names(rows.values.shape[1], names), any(_framed(step) for _, step in fitted)
    for _, step in fitted:
        transformed = step.transform(_as_needed(transformed, rows, step, names=known))
        if framed:
            known = _names_behind(step, known, n_out=np.shape(transformed)[1])
    return _finite(transformed)


def names_behind(fitted: Steps, names: Sequence[str] | None, *, n_features: int) -> Any:
    """Feature names behind the transformers, or None when one does not name its output."""
    known: Any = np.asarray(_names(n_features, names), dtype=object)
    for _, step in fitted:
        if not hasattr(step, "get_feature_names_out"):
            return None
        known = step.get_feature_names_out(_with_fact_names(known, step))
    return np.asarray(known, dtype=object)


def _facts_of(step: Any) -> tuple[str, ...]:
    return tuple(getattr(step, "row_facts", ()))


def _framed(step: Any) -> bool:
    return bool(_facts_of(step)) or getattr(step, "needs_names", False)


def _as_needed(values: Any, rows: Rows, step: Any, *, names: np.ndarray) -> Any:
    if not _framed(step):
        return values
    frame = pd.DataFrame(np.asarray(values), columns=names)
    facts = {} if rows.facts is None else rows.facts
    return frame.assign(**{fact: facts[fact].to_numpy() for fact in _facts_of(step)})


def _with_fact_names(names: np.ndarray, step: Any) -> np.ndarray:
    """Names as the step saw them in ``fit``: an eater of facts saw these as well."""
    seen = getattr(step, "feature_names_in_", ())
    eaten = [fact for fact in _facts_of(step) if fact in set(seen)]
    return np.append(names, eaten) if eaten else names


def _names(n_features: int, names: Sequence[str] | None) -> np.ndarray:
    if names is None:
        return np.array([f"x{i}" for i in range(n_features)], dtype=object)
    return np.asarray(names, dtype=object)


def _names_behind(step: Any, names: np.ndarray, *, n_out: int) -> np.ndarray:
    if not hasattr(step, "get_feature_names_out"):
        return _names(n_out, None)
    return np.asarray(step.get_feature_names_out(_with_fact_names(names, step)), dtype=object)


def _finite(transformed: Any) -> np.ndarray:
    """Refuse what an unchecked final step would take without a word."""
    array = np.asarray(transformed)
    if not np.isfinite(array).all():
        raise DataError(
            "expected finite features after the transformers; found NaN or infinite values. "
            "Impute missing values in a step before the learner."
        )
    return array
