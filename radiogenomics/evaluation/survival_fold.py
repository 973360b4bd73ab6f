"""What happens inside one fold of a survival model: fit, score the risk, foretell survival."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from radiogenomics.core.errors import DataError, SchemaError, StudyError, short_list
from radiogenomics.core.evidence import Evidence
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.evaluation.fold import (
    Rows,
    Splitter,
    checked_splits,
    quiet_fallbacks,
    require_one_row_each,
    take_rows,
)
from radiogenomics.evaluation.splits import Split
from radiogenomics.stats.inputs import as_floats, survival_target

RARE = 10
TABLE = "predicted_survival"

Floats = NDArray[np.float64]


def predicted_survival(
    evidence: Evidence, patient_ids: pd.Index, *, repeat: int | None = None
) -> pd.DataFrame:
    """Out-of-fold survival as a table, to be held against what happened.

    Each probability is of a patient whom the model had not seen, so calibration and Brier score are
    those of new patients. The mean over repeats is of several models, and a little better than one.

    Parameters
    ----------
    evidence
        Of :func:`cross_validate_survival` with ``horizons``.
    patient_ids
        Rows of the table in this order, as of ``outcome.patient_ids``; all patients predicted.
    repeat
        Which one, to judge a single model; the mean over all when not given.

    Returns
    -------
    DataFrame
        Probability, 0 to 1, to live beyond each horizon: patients in rows, months in columns, as
        :func:`~radiogenomics.evaluation.survival_calibration.survival_calibration_summary` and
        :func:`~radiogenomics.evaluation.time_dependent.survival_accuracy` take it.

    Raises
    ------
    SchemaError
        The evidence has no such table, or no such repeat.
    AlignmentError
        Other patients were predicted.

    Examples
    --------
    >>> tested = pd.DataFrame({"patient_id": ["P1", "P2"], "repeat": 0, "fold": [0, 1]})
    >>> rows = tested.loc[[0, 0, 1, 1]].assign(horizon=[12, 24] * 2, survival=[0.9, 0.7, 0.8, 0.5])
    >>> scored = tested.assign(label=np.nan, score=[-1.0, 1.0])
    >>> evidence = Evidence("cox", scored, tables={"predicted_survival": rows})
    >>> predicted_survival(evidence, pd.Index(["P2", "P1"])).to_numpy()
    array([[0.8, 0.5],
           [0.9, 0.7]])
    """
    if TABLE not in evidence.tables:
        raise SchemaError(
            f"evidence {evidence.name}: expected a table {TABLE}; found "
            f"{short_list(evidence.tables) or 'none'}. Give horizons to cross_validate_survival."
        )
    rows = evidence.tables[TABLE]
    if repeat is not None:
        known = rows["repeat"].unique().tolist()
        if repeat not in known:
            raise SchemaError(
                f"evidence {evidence.name}: expected a repeat among {short_list(known)}; found "
                f"{repeat}. Leave it out for the mean over repeats."
            )
        rows = rows[rows["repeat"] == repeat]
    table = rows.pivot_table(index="patient_id", columns="horizon", values="survival", sort=False)
    given = pd.Index(patient_ids)
    table = table.reindex([*given[given.isin(table.index)], *table.index.difference(given)])
    require_same_patients(table.index, given, what="predicted survival and patient_ids")
    return table


def deal_patients(
    features: pd.DataFrame, outcome: SurvivalOutcome, *, splitter: Splitter
) -> list[Split]:
    """Deal patients to folds, balanced by event unless those with or without are rare.

    Raises
    ------
    AlignmentError, LeakageError
        As in :func:`cross_validate_survival`.
    """
    require_one_row_each(features, outcome.time)
    rare = min(outcome.n_events, len(outcome.event) - outcome.n_events) < RARE
    strata = None if rare else outcome.event.to_numpy(dtype=int)
    return list(checked_splits(features.index, splitter, strata))


def checked_horizons(
    horizons: ArrayLike | None, estimator: Any, *, target: NDArray[np.void], splits: Sequence[Split]
) -> Floats | None:
    """Return horizons, rising, at which every training part can foretell survival; None for none.

    Raises
    ------
    StudyError
        The estimator gives no survival probabilities.
    DataError
        A horizon is not above 0, is beyond the follow-up of a training part, or there twice.
    """
    if horizons is None:
        return None
    final = _final(estimator)
    if not hasattr(final, "predict_survival"):
        raise StudyError(
            f"expected a model with predict_survival(X, times) for horizons; found "
            f"{type(final).__name__} without. Use one that foretells survival, as a Cox model or a "
            "forest, or leave the horizons out."
        )
    asked = np.sort(np.atleast_1d(as_floats(horizons, "horizons")), axis=None)
    last = min(survival_target(target[split.train])[0].max() for split in splits)
    wrong = ~((asked > 0) & (asked <= last))
    if not asked.size or wrong.any() or (np.diff(asked) == 0).any():
        raise DataError(
            f"expected horizons above 0 and up to {last:g} months, the shortest follow-up of a "
            f"training part, each once; found {short_list(asked.tolist()) or 'none'}. Choose "
            "earlier ones."
        )
    return asked


def fit_part(
    estimator: BaseEstimator, features: Rows, target: NDArray[np.void], *, split: Split
) -> Any:
    """Fit a clone on the training part of a survival target."""
    with quiet_fallbacks():
        return clone(estimator).fit(take_rows(features, split.train), target[split.train])


def score_part(fitted: Any, features: Rows, split: Split) -> Floats:
    """Risk of the test part; 0 is the cut-off where the model learnt one."""
    score = getattr(fitted, "decision_function", fitted.predict)
    return np.asarray(score(take_rows(features, split.test)), dtype=float)


def foretell_part(fitted: Any, features: Rows, split: Split, *, horizons: Floats) -> Floats:
    """Survival of the test part, shape (n_test, horizons).

    Raises
    ------
    DataError
        The model gives something else than one probability a patient and horizon.
    """
    rows: Any = take_rows(features, split.test)
    if isinstance(fitted, Pipeline) and len(fitted) > 1:
        rows = fitted[:-1].transform(rows)
    final = _final(fitted)
    found = np.asarray(final.predict_survival(rows, horizons), dtype=float)
    shape = (len(split.test), horizons.size)
    if found.shape != shape or not ((found >= 0) & (found <= 1)).all():
        raise DataError(
            f"expected survival probabilities of shape {shape}; found shape {found.shape} with "
            f"{int((~((found >= 0) & (found <= 1))).sum())} outside 0 to 1 from "
            f"{type(final).__name__}. Mend its predict_survival."
        )
    return found


def held_out_rows(patient_ids: pd.Index, splits: Sequence[Split]) -> pd.DataFrame:
    """``patient_id, repeat, fold`` of all test parts, one after the other."""
    sizes = [len(split.test) for split in splits]
    return pd.DataFrame(
        {
            "patient_id": patient_ids[np.concatenate([split.test for split in splits])],
            "repeat": np.repeat([split.repeat for split in splits], sizes),
            "fold": np.repeat([split.fold for split in splits], sizes),
        }
    )


def survival_table(
    tested: pd.DataFrame, survival: Sequence[Floats | None], *, horizons: Floats | None
) -> dict[str, pd.DataFrame]:
    """Table ``predicted_survival``: the rows of `tested` at each horizon; none without horizons."""
    if horizons is None:
        return {}
    rows = tested.loc[tested.index.repeat(horizons.size)].reset_index(drop=True)
    values = np.concatenate([part for part in survival if part is not None])
    months = np.tile(horizons, len(tested))
    return {TABLE: rows.assign(horizon=months, survival=values.ravel())}


def _final(estimator: Any) -> Any:
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator
