"""Can the site still be read from the features? Asked of patients harmonisation has not seen.

In each split a harmoniser is fitted on the training part and applied to both parts. A multinomial
ridge logistic regression on standardised features then tells the sites of the held-out patients,
having been learnt

- on the ``training`` part: does what is left of the sites carry over? After ComBat this often lies
  *below* chance, since the training part has been made too equal: held-out patients are pushed away
  from their site's training mean. That is site, too, read in reverse.
- on the ``held_out`` patients, by cross-validation among them: is there any site in the features of
  patients whom the harmoniser has not seen? Parameters learnt from few patients bring their noise
  into all new patients of a site, so this can be *above* chance, and above raw, where sites do not
  differ at all. This answers whether harmonisation has worked.

On noise (200 features, sites that do not differ, halves of 90 patients of three sites) ComBat takes
the AUC from one half to 0.14 and 0.69; with 300 patients to 0.28 and 0.60.

Site differences that ComBat induces in held-out patients were reported in
https://github.com/Jfortin1/ComBatHarmonization/issues/13.

Examples
--------
>>> rng = np.random.default_rng(0)
>>> sites = pd.Series(["A", "B"] * 15)
>>> table = pd.DataFrame(rng.normal(size=(30, 4))).add_prefix("f")
>>> table["f0"] += 4 * (sites == "A")
>>> found = site_probe(table, sites, count=0, rng=rng)
>>> found.query("metric == 'auc'")[["variant", "learnt_on", "value"]].round(1)
  variant learnt_on  value
0     raw  training    1.0
2     raw  held_out    1.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.core.row_facts import MARK
from radiogenomics.evaluation.fold import Splitter, checked_splits, require_one_row_each
from radiogenomics.evaluation.splits import PatientKFold, Split
from radiogenomics.stats.classification.auc import auc
from radiogenomics.stats.inputs import as_floats
from radiogenomics.stats.intervals import bootstrap_interval
from radiogenomics.stats.permutation import permutation_p, permutations

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

RAW = "raw"
_SITE = f"{MARK}site"
_WAYS = ("training", "held_out")
_METRICS = ("auc", "balanced_accuracy")
_INNER_FOLDS = 5
# Prior standard deviation of the linear predictor when all features are standardised: the penalty
# then means the same whatever the number of features.
_PRIOR_SD = 3.0
_NO_SPREAD = 1e-10


class _Part(NamedTuple):
    """One split of one variant, ready for the classifier: nothing in it depends on labels."""

    split: Split
    train: Floats
    test: Floats
    alone: Floats
    inner_folds: int


def site_probe(
    features: pd.DataFrame,
    sites: pd.Series[Any],
    *,
    harmonisers: Mapping[str, BaseEstimator] | None = None,
    splitter: Splitter | None = None,
    learnt_on: Sequence[str] = _WAYS,
    count: int = 99,
    rng: np.random.Generator,
    jobs: int = 1,
) -> pd.DataFrame:
    """Tell the site of patients from their features, before and after harmonisation.

    See the module for what the rows mean. Sites that differ in biology can be told for that.

    Parameters
    ----------
    features
        Patients × variables. ``@`` columns go to the harmonisers that name them in ``row_facts``.
    sites
        Site of each patient, same index; handed on as ``@site`` unless there is such a column.
    harmonisers
        Name → transformer, for example ``{"ComBat": ComBat()}``; ``"raw"`` is always there.
    splitter
        Deals patients, balanced by site; default halves, five times.
    learnt_on, count, rng
        What to learn on; permutations of sites against harmonised features, for a two-sided p.
    jobs
        Processes; results do not depend on it.

    Returns
    -------
    DataFrame
        ``variant, learnt_on, metric, value, low, high, chance, p, patients, sites, repeats``.
        Metrics: ``auc`` (:func:`pairwise_auc`; chance ½) and ``balanced_accuracy`` (chance
        1 / sites). ``value`` is the mean over repeats, ``low`` and ``high`` their 2.5 and 97.5 %
        quantiles: the luck of splits, not of the choice of patients. No permutations: p is NaN.

    Raises
    ------
    DataError, AlignmentError, LeakageError, OutcomeError, UnknownNameError
        Features infinite, a patient without site, one site, too few held-out patients of a site.
    """
    if RAW in (harmonisers or {}):
        raise DataError(f"harmonisers: expected other names than {RAW!r}; found it. Rename it.")
    code, names = _checked(features, sites, learnt_on, count)
    splits = list(checked_splits(features.index, splitter or PatientKFold(2, n_repeats=5), code))
    variants = {RAW: None, **(harmonisers or {})}
    # Shared by all variants, so that they are compared on the same permutations.
    labels = np.vstack([code, code[permutations(len(code), count, rng)]])
    rows = []
    for variant, harmoniser in variants.items():
        parts = [_prepare(features, sites, code, split, harmoniser) for split in splits]
        # The fits are so small that threads would only get in one another's way.
        with threadpool_limits(1):
            work = Parallel(n_jobs=jobs)(
                delayed(_probe)(parts, label, len(names), tuple(learnt_on)) for label in labels
            )
        rows += _rows(variant, np.array(work), tuple(learnt_on), sites=len(names), n=len(code))
    return pd.DataFrame(rows)


def _checked(
    features: pd.DataFrame, sites: pd.Series[Any], learnt_on: Sequence[str], count: int
) -> tuple[Codes, pd.Index]:
    """Sites as numbers, and their names."""
    require_one_row_each(features, sites)
    for word in learnt_on:
        if word not in _WAYS:
            raise UnknownNameError("part to learn on", word, _WAYS)
    if count < 0 or not len(learnt_on):
        raise DataError(
            f"expected a count of at least 0 and a part to learn on; found {count} and "
            f"{list(learnt_on)}. 99 permutations give p-values down to 0.02."
        )
    values = as_floats(_plain(features), "features")
    if not values.size:
        raise DataError("expected features; found none but row facts. Check the table.")
    if np.isinf(values).any():
        raise DataError(
            f"expected finite or missing values; found {int(np.isinf(values).sum())} infinite. "
            "Mend or drop them."
        )
    if sites.isna().any():
        raise DataError(
            f"expected a site for every patient; found {int(sites.isna().sum())} without. "
            "Leave these patients out."
        )
    code, names = pd.factorize(sites.astype(object), sort=True)
    if len(names) < 2:
        raise OutcomeError(
            f"expected at least 2 sites; found {len(names)}. There is nothing to tell apart."
        )
    return code.astype(np.intp), names


def _plain(features: pd.DataFrame) -> pd.DataFrame:
    return features[[name for name in features.columns if not str(name).startswith(MARK)]]


def _prepare(
    features: pd.DataFrame,
    sites: pd.Series[Any],
    code: Codes,
    split: Split,
    harmoniser: BaseEstimator | None,
) -> _Part:
    """Harmonise by the training part; standardise and rotate both parts."""
    smallest = np.bincount(code[split.test], minlength=code.max() + 1).min()
    if smallest < 2:
        raise OutcomeError(
            f"repeat {split.repeat}, fold {split.fold}: expected at least 2 held-out patients of "
            f"each site; found {smallest} of one. Use fewer folds, or leave small sites out."
        )
    table = _plain(features)
    if harmoniser is not None:
        known = features if _SITE in features else features.assign(**{_SITE: sites})
        table = _with_facts(table, known, harmoniser)
        fitted = clone(harmoniser).fit(table.iloc[split.train])
        train, test = (
            np.asarray(fitted.transform(table.iloc[rows]), dtype=float)
            for rows in (split.train, split.test)
        )
    else:
        values = table.to_numpy(dtype=float)
        train, test = values[split.train], values[split.test]
    return _Part(
        split,
        *_rotated(train, test),
        _rotated(test, test)[0],
        min(_INNER_FOLDS, int(smallest)),
    )


def _with_facts(
    table: pd.DataFrame, features: pd.DataFrame, harmoniser: BaseEstimator
) -> pd.DataFrame:
    """Add the row facts that the harmoniser, or a step of it, says it needs."""
    steps = [step for _, step in getattr(harmoniser, "steps", ())]
    asked = [fact for step in (harmoniser, *steps) for fact in getattr(step, "row_facts", ())]
    return table.join(features[[fact for fact in dict.fromkeys(asked) if fact in features]])


def _rotated(reference: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Standardise by the reference and turn to its principal axes.

    Ridge penalties do not see rotations, and a ridge solution lies in the span of its patients: the
    classifier is the same as on the features and has fewer coefficients. Missing values are put at
    the mean; features without spread are left out.
    """
    present = ~np.isnan(reference)
    n = np.maximum(present.sum(axis=0), 1)
    centre = np.where(present, reference, 0.0).sum(axis=0) / n
    residual = np.where(present, reference - centre, 0.0)
    scale = np.sqrt(np.square(residual).sum(axis=0) / n)
    kept = scale > _NO_SPREAD * np.fmax.reduce(np.abs(np.where(present, reference, 0.0)), axis=0)
    scale = scale[kept] * np.sqrt(max(1, kept.sum()))
    near = residual[:, kept] / scale
    far = np.nan_to_num((other[:, kept] - centre[kept]) / scale)
    _, _, axes = np.linalg.svd(near, full_matrices=False)
    return near @ axes.T, far @ axes.T


def _probe(parts: list[_Part], label: Codes, sites: int, ways: tuple[str, ...]) -> Floats:
    """AUC and balanced accuracy, ways × metrics × repeats."""
    repeats = [part.split.repeat for part in parts]
    found = np.empty((len(ways), len(_METRICS), len(parts)))
    for i, part in enumerate(parts):
        for j, way in enumerate(ways):
            truth = label[part.split.test]
            if way == "training":
                told = _tell(part.train, label[part.split.train], part.test, sites)
            else:
                told = _tell_among_themselves(part, truth, sites)
            found[j, :, i] = pairwise_auc(told, truth), _balanced_accuracy(told, truth)
    which = np.unique(repeats, return_inverse=True)[1]
    means = [found[:, :, which == repeat].mean(axis=2) for repeat in range(which.max() + 1)]
    return np.stack(means, axis=2)


def _tell(near: Floats, label: Codes, far: Floats, sites: int) -> Floats:
    """Probability of each site; 0 for a site that is not among the labels."""
    told = np.zeros((len(far), sites))
    present = np.unique(label)
    if len(present) == 1:
        told[:, present] = 1.0
    else:
        model = LogisticRegression(C=_PRIOR_SD**2, max_iter=1000).fit(near, label)
        told[:, present] = model.predict_proba(far)
    return told


def _tell_among_themselves(part: _Part, label: Codes, sites: int) -> Floats:
    rng = np.random.default_rng([part.split.repeat, part.split.fold])
    dealt = rng.permutation(len(label))
    dealt = dealt[np.argsort(label[dealt], kind="stable")]
    fold = np.empty(len(label), dtype=int)
    fold[dealt] = np.arange(len(label)) % part.inner_folds
    told = np.empty((len(label), sites))
    for k in range(part.inner_folds):
        far = fold == k
        told[far] = _tell(part.alone[~far], label[~far], part.alone[far], sites)
    return told


def pairwise_auc(probability: Floats, label: Codes) -> float:
    """Mean over pairs of classes of how well they are told apart (Hand & Till's M).

    For classes i and j, the mean of two areas under the ROC curve among their patients alone: that
    of the probability of i, and that of j. Class sizes have no influence.

    Parameters
    ----------
    probability : ndarray, shape (n, classes)
    label : ndarray of int, shape (n,)
        Columns of the true classes; classes without patients are passed over.

    Returns
    -------
    float
        0 to 1, ½ is chance.

    References
    ----------
    Hand & Till 2001, doi:10.1023/A:1010920819831.

    Examples
    --------
    >>> told = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.1, 0.6, 0.3]])
    >>> pairwise_auc(told, np.array([0, 1, 2, 2]))
    0.875
    """
    areas = []
    for i, j in combinations(np.unique(label), 2):
        rows = (label == i) | (label == j)
        is_i = label[rows] == i
        areas += [auc(probability[rows, i], is_i), auc(probability[rows, j], ~is_i)]
    return float(np.mean(areas))


def _balanced_accuracy(probability: Floats, label: Codes) -> float:
    right = probability.argmax(axis=1) == label
    return float(np.mean([right[label == site].mean() for site in np.unique(label)]))


def _rows(
    variant: str, found: Floats, ways: tuple[str, ...], *, sites: int, n: int
) -> list[dict[str, Any]]:
    """Tidy rows from what was found (labels × ways × metrics × repeats; true labels first)."""
    rows = []
    means = found.mean(axis=3)
    for i, way in enumerate(ways):
        for j, metric in enumerate(_METRICS):
            value, null = float(means[0, i, j]), means[1:, i, j]
            interval = bootstrap_interval(found[0, i, j])
            rows.append(
                {
                    "variant": variant,
                    "learnt_on": way,
                    "metric": metric,
                    "value": value,
                    "low": float(interval.low),
                    "high": float(interval.high),
                    "chance": 0.5 if metric == "auc" else 1 / sites,
                    "p": permutation_p(value, null, alternative="two-sided")
                    if len(null)
                    else float("nan"),
                    "patients": n,
                    "sites": sites,
                    "repeats": found.shape[3],
                }
            )
    return rows
