"""How much known defects flatter a model: each of them on the same patients, beside the honest way.

Defects that published models of images have, switched on one by one:

- ``pooled_selection``: imputation, selection and scaling are fitted on all patients with their
  labels, and only the learner is cross-validated on what they left;
- ``test_set_tuning``: the point of the grid is the one with the best AUC of the tested patients;
- ``cv_percentile_interval``: the AUC is the mean of five random splits, and its interval the 2.5
  and 97.5 percentiles of these five. Splits share patients, and five numbers have no such
  percentiles: of features of noise, whose true AUC is one half, it covers that three times in
  four, be they 40 patients or 200;
- ``apparent_percentile_interval``: the same, of the patients each of the five learnt from. A few
  hundredths wide, it hardly ever covers anything.

The table shows what a defect does to these data, not that a paper has it: of most it is not public
how their numbers were made.

References: Ambroise & McLachlan 2002, doi:10.1073/pnas.102102699 (selection); Varma & Simon 2006,
doi:10.1186/1471-2105-7-91 (tuning).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import ParameterGrid, StratifiedShuffleSplit
from sklearn.pipeline import Pipeline

from radiogenomics.core.errors import StudyError, UnknownNameError, short_list
from radiogenomics.evaluation.discrimination import auc_metric
from radiogenomics.evaluation.fold import (
    LabelledSplit,
    Splitter,
    checked_labels,
    label_splits,
    quiet_fallbacks,
    require_one_row_each,
    score_test_part,
)
from radiogenomics.evaluation.resampling import predictions_frame
from radiogenomics.evaluation.splits import Split
from radiogenomics.stats.classification.auc import auc
from radiogenomics.stats.design.chance_ranges import auc_chance_range
from radiogenomics.stats.inputs import Floats
from radiogenomics.stats.intervals import bootstrap_interval
from radiogenomics.stats.permutation import permutations

NESTED = "nested"
POOLED, TUNED = "pooled_selection", "test_set_tuning"
TESTED, APPARENT = "cv_percentile_interval", "apparent_percentile_interval"
DEFECTS = MappingProxyType(
    {
        POOLED: "imputation, selection and scaling saw all patients and their labels",
        TUNED: "tuned by the AUC of the tested patients",
        TESTED: "mean and percentiles of five random splits that share patients",
        APPARENT: "mean and percentiles over five random splits, of patients learnt from",
    }
)
_SOUND = "nothing saw the patients that it was tested on"
_SHUFFLES, _TEST_SHARE = 5, 0.2


def flattery_table(
    estimator: BaseEstimator,
    features: pd.DataFrame,
    labels: pd.Series,
    *,
    splitter: Splitter,
    defects: Sequence[str] = (POOLED, TESTED, TUNED),
    jobs: int = 1,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """AUC and interval by the honest way, by each defect alone, and by them one after the other.

    Parameters
    ----------
    estimator
        A tuned classifier: ``pipeline`` of transformers and a learner, ``grid`` of the learner.
    features, labels
        Patients × variables, and their classes 0 and 1.
    splitter
        Deals patients to folds; not used by the percentile intervals, which split at random (a
        fifth is tested, balanced by class).
    defects
        Words of :data:`DEFECTS`, in the order in which rows of several add them up; the two
        percentile intervals exclude each other there.
    jobs, rng
        Processes; draws the random splits.

    Returns
    -------
    DataFrame
        ``procedure`` (defects joined by ``+``, or :data:`NESTED`), ``auc, low, high, width, n,
        positives``, the range ``chance_low, chance_high`` of worthless scores at this size,
        ``chance_note`` and ``flaw`` in words. DeLong's interval unless the procedure has another.

    Raises
    ------
    UnknownNameError, StudyError, AlignmentError, OutcomeError
        No such defect; no pipeline or grid, or a step that needs row facts; as in cross_validate.

    Examples
    --------
    Patients and labels are strangers; one half is all there is to find:

    >>> from sklearn.feature_selection import SelectKBest
    >>> from radiogenomics.evaluation import PatientKFold
    >>> from radiogenomics.models import surrogate
    >>> rng, ids = np.random.default_rng(0), [f"P{i}" for i in range(60)]
    >>> features = pd.DataFrame(rng.normal(size=(60, 300)), ids).rename(columns=str)
    >>> model, labels = surrogate([("k", SelectKBest(k=5))], "lr"), pd.Series([0, 1] * 30, ids)
    >>> table = flattery_table(model, features, labels, splitter=PatientKFold(5),
    ...                        defects=("pooled_selection",), rng=rng)
    >>> table["procedure"].tolist(), bool(table["auc"].iloc[1] > table["chance_high"].iloc[1])
    (['nested', 'pooled_selection'], True)
    """
    for defect in set(defects) - set(DEFECTS):
        raise UnknownNameError("defect", defect, DEFECTS)
    require_one_row_each(features, labels)
    classes = pd.Series(checked_labels(labels), index=labels.index)
    data = _Data(estimator, features, classes, splitter, int(rng.integers(2**31)), jobs)
    return pd.DataFrame([_row(which, data) for which in _procedures(tuple(defects))])


def flattery_on_noise(
    estimator: BaseEstimator,
    features: pd.DataFrame,
    labels: pd.Series,
    *,
    splitter: Splitter,
    defects: Sequence[str] = (POOLED, TESTED, TUNED),
    count: int = 1,
    jobs: int = 1,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Show what :func:`flattery_table` makes of labels that were shuffled among the patients.

    Parameters
    ----------
    estimator, features, labels, splitter, defects, jobs, rng
        As there.
    count
        How often labels are shuffled.

    Returns
    -------
    DataFrame
        As there, with ``permutation``, from 0, before. What a procedure gives beyond ½ it gives to
        nothing.

    Raises
    ------
    StudyError, UnknownNameError, AlignmentError, OutcomeError
        As there; ``count`` is less than 1.
    """
    if count < 1:
        raise StudyError(f"expected at least 1 permutation; found {count}. Five show the spread.")
    tables = []
    for number, order in enumerate(permutations(len(labels), count, rng)):
        shuffled = pd.Series(labels.to_numpy()[order], index=labels.index)
        table = flattery_table(
            estimator, features, shuffled,
            splitter=splitter, defects=defects, jobs=jobs, rng=rng,
        )  # fmt: skip
        table.insert(0, "permutation", number)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


class _Data(NamedTuple):
    """What all procedures are tried on."""

    estimator: Any
    features: pd.DataFrame
    labels: pd.Series
    splitter: Splitter
    seed: int
    jobs: int


class _Found(NamedTuple):
    """What one procedure claims."""

    auc: float
    low: float
    high: float


def _procedures(defects: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """No defect, each alone, and all so far wherever they can go together."""
    yield ()
    yield from ((defect,) for defect in defects)
    for end in range(2, len(defects) + 1):
        if not {TESTED, APPARENT} <= set(defects[:end]):
            yield defects[:end]


def _row(defects: tuple[str, ...], data: _Data) -> dict[str, Any]:
    if POOLED in defects:
        data = _with_pooled_steps(data)
    estimators = _each_point(data.estimator) if TUNED in defects else [data.estimator]
    judge = _by_shuffles if {TESTED, APPARENT} & set(defects) else _by_folds
    claims = [judge(estimator, data, apparent=APPARENT in defects) for estimator in estimators]
    found = max(claims, key=lambda claim: claim.auc)
    n, positives = len(data.labels), int(data.labels.sum())
    low, high = auc_chance_range(positives, n - positives)
    place = "below" if found.auc < low else "above" if found.auc > high else "within"
    return {
        "procedure": "+".join(defects) or NESTED,
        "auc": found.auc,
        "low": found.low,
        "high": found.high,
        "width": found.high - found.low,
        "n": n,
        "positives": positives,
        "chance_low": low,
        "chance_high": high,
        "chance_note": f"{place} the range of worthless scores at this size",
        "flaw": "; ".join(DEFECTS[defect] for defect in defects) or _SOUND,
    }


def _with_pooled_steps(data: _Data) -> _Data:
    """Fit the transformers on everybody, and leave the learner to be cross-validated."""
    *steps, learner = _pipeline_of(data.estimator).steps
    table: Any = data.features
    for name, step in steps:
        if step in (None, "passthrough"):
            continue
        if getattr(step, "row_facts", ()):
            raise StudyError(
                f"expected steps that need no facts about patients for {POOLED}; found {name!r}, "
                f"which needs {short_list(step.row_facts)}. Leave it out of the demonstration."
            )
        with quiet_fallbacks():
            fitted = clone(step)
            values = np.asarray(fitted.fit_transform(table, data.labels.to_numpy()))
        names = getattr(fitted, "get_feature_names_out", lambda: None)()
        table = pd.DataFrame(values, index=data.features.index, columns=names).rename(columns=str)
    learnt = clone(data.estimator).set_params(pipeline=Pipeline([learner]))
    return data._replace(estimator=learnt, features=table)


def _each_point(estimator: Any) -> list[Any]:
    """The estimator with each point of its grid alone."""
    _pipeline_of(estimator)
    return [
        clone(estimator).set_params(grid={name: [value] for name, value in point.items()})
        for point in ParameterGrid(estimator.grid)
    ]


def _pipeline_of(estimator: Any) -> Pipeline:
    pipeline = getattr(estimator, "pipeline", None)
    if not (isinstance(pipeline, Pipeline) and hasattr(estimator, "grid")):
        raise StudyError(
            "expected a tuned classifier with a pipeline and a grid; found "
            f"{type(estimator).__name__}. Build it with radiogenomics.models.surrogate."
        )
    return pipeline


def _by_folds(estimator: Any, data: _Data, *, apparent: bool) -> _Found:
    parts = label_splits(data.features, data.labels, splitter=data.splitter, target_rule=None)
    scores = _scores(estimator, data, parts)
    predictions = predictions_frame(data.features.index, parts, scores)
    metric = auc_metric(predictions, split="cross-validation")
    return _Found(metric.value, metric.low, metric.high)


def _by_shuffles(estimator: Any, data: _Data, *, apparent: bool) -> _Found:
    labels = data.labels.to_numpy()
    shuffles = StratifiedShuffleSplit(_SHUFFLES, test_size=_TEST_SHARE, random_state=data.seed)
    parts = tuple(
        LabelledSplit(Split(0, fold, train, train if apparent else test), labels, None)
        for fold, (train, test) in enumerate(shuffles.split(labels, labels))
    )
    scores = _scores(estimator, data, parts)
    areas = [auc(found, labels[part.split.test]) for found, part in zip(scores, parts, strict=True)]
    low, high = bootstrap_interval(areas)
    return _Found(float(np.mean(areas)), float(low), float(high))


def _scores(estimator: Any, data: _Data, parts: tuple[LabelledSplit, ...]) -> list[Floats]:
    return list(
        Parallel(n_jobs=data.jobs)(
            delayed(_scores_of)(estimator, data.features, part) for part in parts
        )
    )


def _scores_of(estimator: Any, features: pd.DataFrame, part: LabelledSplit) -> Floats:
    return score_test_part(estimator, features, part)[0]
