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
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from radiogenomics.core.errors import DataError, OutcomeError, UnknownNameError
from radiogenomics.core.row_facts import MARK
from radiogenomics.evaluation.fold import Splitter, checked_splits, require_one_row_each
from radiogenomics.evaluation.many_labellings import probabilities, ridge_logistic_many
from radiogenomics.evaluation.splits import PatientKFold, Split, naming
from radiogenomics.stats.inputs import as_floats
from radiogenomics.stats.intervals import bootstrap_interval
from radiogenomics.stats.permutation import permutation_p, permutations

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Bools = NDArray[np.bool_]

RAW = "raw"
_SITE = f"{MARK}site"
_WAYS = ("training", "held_out")
_METRICS = ("auc", "balanced_accuracy")
_INNER_FOLDS = 5
# Features are scaled to a linear predictor of prior variance 9: the penalty then means the same
# whatever their number.
_PENALTY = 1 / 9
_NO_SPREAD = 1e-10


class _Part(NamedTuple):
    """One split of one variant, ready for the classifier: nothing in it depends on labels.

    Columns of ``train`` and ``alone`` are principal axes, so that all labellings can be fitted
    together; ``test`` is turned to those of ``train``.
    """

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
    count: int = 199,
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
        What to learn on; permutations of sites against harmonised features, for a two-sided p of
        at least 2 / (count + 1), 0.01 for 199; they are fitted together, in seconds a variant.
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
        probe = delayed(partial(_probe, labels=labels, sites=len(names), ways=tuple(learnt_on)))
        with threadpool_limits(1):  # threads of such small products are in one another's way
            work = Parallel(n_jobs=jobs)(probe(part) for part in parts)
        found = _by_repeat(parts, np.array(work))
        rows += _rows(variant, found, tuple(learnt_on), sites=len(names), n=len(code))
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
            f"{list(learnt_on)}. 199 permutations give p-values down to 0.01."
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
            f"{split}: expected at least 2 held-out patients of each site; found {smallest} of "
            "one. Use fewer folds, or leave small sites out."
        )
    table = _plain(features)
    if harmoniser is not None:
        known = features if _SITE in features else features.assign(**{_SITE: sites})
        table = _with_facts(table, known, harmoniser)
        with naming(split):
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


def _probe(part: _Part, *, labels: Codes, sites: int, ways: tuple[str, ...]) -> Floats:
    """AUC and balanced accuracy of one split: labellings × ways × metrics."""
    truth = labels[:, part.split.test]
    found = np.empty((len(labels), len(ways), len(_METRICS)))
    for position, way in enumerate(ways):
        if way == "training":
            near = labels[:, part.split.train]
            model = ridge_logistic_many(part.train, near, classes=sites, penalty=_PENALTY)
            told = probabilities(*model, part.test)
        else:
            told = _told_among_themselves(part, truth, sites)
        found[:, position, 0] = _pairwise_areas(told, truth)
        found[:, position, 1] = _balanced_accuracies(told, truth, sites)
    return found


def _by_repeat(parts: list[_Part], found: Floats) -> Floats:
    """Mean over the splits of each repeat: labellings × ways × metrics × repeats."""
    repeats = np.array([part.split.repeat for part in parts])
    means = [found[repeats == repeat].mean(axis=0) for repeat in pd.unique(repeats)]
    return np.stack(means, axis=3)


def _told_among_themselves(part: _Part, labels: Codes, sites: int) -> Floats:
    """Out-of-fold probabilities of the held-out patients, in folds balanced by each labelling."""
    dealt = np.random.default_rng([part.split.repeat, part.split.fold]).permutation(labels.shape[1])
    order = dealt[np.argsort(labels[:, dealt], axis=1, kind="stable")]
    fold = np.empty(labels.shape, dtype=int)
    np.put_along_axis(fold, order, np.arange(labels.shape[1])[None] % part.inner_folds, axis=1)
    told = np.empty((*labels.shape, sites))
    for k in range(part.inner_folds):
        far = fold == k
        model = ridge_logistic_many(part.alone, labels, classes=sites, penalty=_PENALTY, used=~far)
        told[far] = probabilities(*model, part.alone)[far]
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
    return float(_pairwise_areas(probability[None], label[None])[0])


def _pairwise_areas(told: Floats, labels: Codes) -> Floats:
    """:func:`pairwise_auc` of each labelling; ½ where the patients are all of one site."""
    sites = told.shape[2]
    member = labels[:, :, None] == np.arange(sites)
    size = member.sum(axis=1)
    total, pairs = np.zeros(len(labels)), np.zeros(len(labels))
    for i in range(sites):
        # Of each patient: how many of each site are less likely to be of site i, ties one half.
        less = _outranked(told[:, :, i], member)
        for j in range(sites):
            among = size[:, i] * size[:, j]
            if i != j:
                wins = np.where(member[:, :, i], less[:, :, j], 0.0).sum(axis=1)
                total += np.divide(wins, among, out=np.zeros(len(labels)), where=among > 0)
                pairs += among > 0
    return np.divide(total, pairs, out=np.full(len(labels), 0.5), where=pairs > 0)


def _outranked(scores: Floats, member: Bools) -> Floats:
    """Members of each site with a lower score than each patient, ties one half."""
    order = np.argsort(scores, axis=1)
    ranked = np.take_along_axis(scores, order, axis=1)
    place = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    edge = np.ones((len(scores), 1), dtype=bool)
    new = ranked[:, 1:] != ranked[:, :-1]
    first = np.maximum.accumulate(np.where(np.hstack([edge, new]), place, 0), axis=1)
    ends = np.where(np.hstack([new, edge]), place, place[0, -1])
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    count = np.zeros((len(scores), scores.shape[1] + 1, member.shape[2]))
    count[:, 1:] = np.cumsum(np.take_along_axis(member, order[:, :, None], axis=1), axis=1)
    below = np.take_along_axis(count, first[:, :, None], axis=1)
    upto = np.take_along_axis(count, last[:, :, None] + 1, axis=1)
    found = np.empty_like(below)
    np.put_along_axis(found, order[:, :, None], (below + upto) / 2, axis=1)
    return found


def _balanced_accuracies(told: Floats, labels: Codes, sites: int) -> Floats:
    member = labels[:, :, None] == np.arange(sites)
    size = member.sum(axis=1)
    right = (member & (told.argmax(axis=2) == labels)[:, :, None]).sum(axis=1)
    return (right / np.maximum(size, 1)).sum(axis=1) / (size > 0).sum(axis=1)


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
