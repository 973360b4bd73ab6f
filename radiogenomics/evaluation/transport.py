r"""A locked surrogate elsewhere: another cohort, scanner or modality.

Of each target, with predictions :math:`\hat y`, measurements y, and what the surrogate's training
cohort said of the target, its mean :math:`m` and its median c:

- ``r2``: :math:`1 - \sum (y_i - \hat y_i)^2 / \sum (y_i - m)^2`, so that 0 is no better than to
  foretell the old mean; a cohort of another level or unit makes it negative, or flatters it where
  only the levels differ;
- ``rho``: Spearman's correlation, blind to levels and units;
- ``ccc``: Lin's concordance correlation, 1 on the line of identity only;
- ``slope``, ``intercept``: of the straight line of measured on predicted, 1 and 0 where predictions
  are calibrated; a slope below 1 says that they are too extreme;
- ``auc``: of the prediction for measured values above c;
- ``kappa``: of predicted and measured classes, both cut at c. Predictions are drawn to the mean, so
  that of a skewed target nearly all may fall on one side.

Where predictions, or measurements, do not vary or fall on one side, what needs it is left empty,
and a warning says for how many targets. Expression of two platforms is not in one unit: read rho
and AUC there, and the rest only after both were brought onto one scale without looking at images.

References
----------
Steyerberg et al. 2010, doi:10.1097/EDE.0b013e3181c30fb2 (external performance); Lin 1989,
doi:10.2307/2532051; DeLong et al. 1988, doi:10.2307/2531595; Bonett and Wright 2000,
doi:10.1007/BF02294183.

Examples
--------
>>> rng = np.random.default_rng(0)
>>> measured = pd.DataFrame({"hypoxia": rng.normal(size=40)})
>>> predicted = 0.5 * measured + 0.3 * rng.normal(size=(40, 1))
>>> training = pd.DataFrame({"mean": 0.0, "median": 0.0}, index=["hypoxia"])
>>> table = transport_table(predicted, measured, training=training)
>>> table[["r2", "rho", "auc"]].round(2).values.tolist()
[[0.53, 0.61, 0.71]]
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning, short_list
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.evaluation.repeats import of_patients
from radiogenomics.evaluation.within_folds import spearman_interval
from radiogenomics.stats.agreement.bland_altman import concordance_correlation
from radiogenomics.stats.agreement.kappa import cohen_kappa
from radiogenomics.stats.classification.auc import AucEstimate, delong, delong_test_unpaired
from radiogenomics.stats.inputs import Bools, Floats, as_floats, check_level
from radiogenomics.stats.ranks import spearman

ALL = "all"
_COLUMNS = ("target", "group", "r2", "rho", "rho_low", "rho_high", "ccc", "ccc_low", "ccc_high")
_COLUMNS += ("slope", "slope_low", "slope_high", "intercept", "intercept_low", "intercept_high")
_COLUMNS += ("auc", "auc_low", "auc_high", "kappa", "kappa_low", "kappa_high", "n", "n_high")
_DIFFERENCES = ("target", "statistic", "first", "second", "difference", "low", "high", "p")
_PAIR = ("target", "rho", "rho_low", "rho_high", "ccc", "ccc_low", "ccc_high")
_PAIR += ("bias", "kappa", "kappa_low", "kappa_high", "n")

_FEWEST = 4
# A spread this small beside the values is rounding.
_ROUNDING = 1e-12

Row = dict[str, object]


def transport_table(
    predicted: pd.DataFrame,
    measured: pd.DataFrame,
    *,
    training: pd.DataFrame,
    groups: pd.Series[Any] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Hold the predictions of a locked surrogate against measurements, target by target.

    Parameters
    ----------
    predicted, measured
        Patients x targets of the same patients in one order. Targets of ``predicted`` are judged;
        patients whose measurement is missing are left out for that target.
    training
        ``mean, median`` of each target in the surrogate's training cohort, indexed by target.
    groups
        Scanner, modality or site of each patient, for further rows.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        One row a target, and with groups one a group beside it, ``group`` being ``"all"`` or the
        group: see the head of this module. ``n`` patients, ``n_high`` of them measured as high.

    Raises
    ------
    AlignmentError
        Patients differ, or a target is not measured or not known from training.
    DataError
        A prediction is missing, or a group has fewer than 4 patients with a measurement.
    """
    check_level(level)
    pairs = _aligned(predicted, measured, training, groups=groups)
    rows = [
        {"target": pair.target, "group": group} | _row(pair.take(group), level=level)
        for pair in pairs
        for group in (ALL, *pair.names)
    ]
    return _told(rows, _COLUMNS)


def transport_differences(
    predicted: pd.DataFrame,
    measured: pd.DataFrame,
    *,
    training: pd.DataFrame,
    groups: pd.Series[Any],
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare how well a locked surrogate does in each two groups of patients.

    Differences are first less second: of rho by Fisher's transformation (``difference`` and its
    bounds are on its scale, artanh), of the AUC by DeLong, of the calibration slope and of the mean
    error (predicted less measured) by Welch's t. Groups that differ in how much their patients vary
    differ in rho and AUC for the same surrogate; slope and mean error do not mind.

    Parameters
    ----------
    predicted, measured, training, groups, level
        As in :func:`transport_table`.

    Returns
    -------
    DataFrame
        ``target, statistic, first, second, difference, low, high, p``; p two-sided, of one
        comparison, not adjusted for there being many.

    Raises
    ------
    AlignmentError, DataError
        As in :func:`transport_table`; there is one group only.
    """
    check_level(level)
    rows = []
    for pair in _aligned(predicted, measured, training, groups=groups):
        if len(pair.names) < 2:
            raise DataError(
                f"expected two or more groups; found {len(pair.names)}. Name the scanner or "
                "modality of each patient."
            )
        for first, second in combinations(pair.names, 2):
            who = {"target": pair.target, "first": first, "second": second}
            compared = _compared(pair.take(first), pair.take(second), level=level)
            rows += [who | row for row in compared]
    return _told(rows, _DIFFERENCES)


def prediction_agreement(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    training: pd.DataFrame,
    level: float = 0.95,
) -> pd.DataFrame:
    """Agreement of two predictions of the same patients, such as from a CT and from an MR scan.

    Two predictions can agree and both be wrong: agreement says that one may stand for the other.

    Parameters
    ----------
    first, second
        Patients x targets of the same patients in one order. Targets of ``first`` are judged.
    training
        ``median`` of each target in training, the cut between low and high, indexed by target.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        ``target, rho, rho_low, rho_high, ccc, ccc_low, ccc_high, bias, kappa, kappa_low,
        kappa_high, n``; ``bias`` is the mean of first less second.

    Raises
    ------
    AlignmentError, DataError
        As in :func:`transport_table`.
    """
    check_level(level)
    rows = []
    for pair in _aligned(first, second, training.assign(mean=0.0), groups=None):
        bias = {"bias": float(np.mean(pair.predicted - pair.measured)), "n": len(pair.measured)}
        rows.append({"target": pair.target} | _alike(pair, level=level) | bias)
    return _told(rows, _PAIR)


class _Pair(NamedTuple):
    """What was predicted and measured of one target, and where."""

    target: str
    predicted: Floats
    measured: Floats
    mean: float
    cut: float
    group: Any
    names: tuple[str, ...]

    def take(self, group: str) -> _Pair:
        """Patients of one group, or all."""
        if group == ALL:
            return self
        own = self.group == group
        return self._replace(predicted=self.predicted[own], measured=self.measured[own])

    @property
    def high(self) -> Bools:
        return self.measured > self.cut


def _aligned(
    predicted: pd.DataFrame,
    measured: pd.DataFrame,
    training: pd.DataFrame,
    *,
    groups: pd.Series[Any] | None,
) -> Iterator[_Pair]:
    require_same_patients(predicted.index, measured.index, what="predicted and measured")
    unknown = [t for t in predicted.columns if t not in measured or t not in training.index]
    if unknown or training.index.has_duplicates or measured.columns.has_duplicates:
        raise AlignmentError(
            "expected each predicted target once among the measured and once in training; found "
            f"{len(unknown)} not there ({short_list(unknown)}). Predict those that were measured."
        )
    group = None if groups is None else of_patients(groups, predicted.index, what="group")
    label = np.array([ALL] * len(predicted)) if group is None else np.array([str(g) for g in group])
    if group is not None and ALL in label:
        raise DataError(f"expected groups of other names than {ALL!r}; found it. Rename the group.")
    names = () if group is None else tuple(np.unique(label))
    found = as_floats(predicted, "predictions")
    if not np.isfinite(found).all():
        raise DataError(
            f"expected finite predictions; found {int((~np.isfinite(found)).sum())} missing or "
            "infinite. Leave these patients out."
        )
    for position, target in enumerate(predicted.columns):
        truth = as_floats(measured[target], "measurements")
        known = np.isfinite(truth)
        sizes = [int((known & (label == name)).sum()) for name in names or (ALL,)]
        if min(sizes) < _FEWEST:
            raise DataError(
                f"{target}: expected {_FEWEST} or more measured patients in each group; found "
                f"{min(sizes)}. Join groups, or leave the target out."
            )
        mean, cut = (float(training.at[target, name]) for name in ("mean", "median"))
        yield _Pair(
            str(target), found[known, position], truth[known], mean, cut, label[known], names
        )


def _row(pair: _Pair, *, level: float) -> Row:
    spread = np.square(pair.measured - pair.mean).sum()
    missed = np.square(pair.measured - pair.predicted).sum()
    row: Row = {"n": len(pair.measured), "n_high": int(pair.high.sum())}
    row["r2"] = float(1 - missed / spread) if spread > 0 else np.nan
    if _vary(pair.predicted):
        line = _line(pair)
        tail = float(stdtrit(line.df, 0.5 + level / 2))
        row |= _bounded("slope", line.slope, tail * line.slope_error)
        row |= _bounded("intercept", line.intercept, tail * line.intercept_error)
    area = _area(pair, level=level)
    if area is not None:
        row |= {"auc": area.value, "auc_low": area.low, "auc_high": area.high}
    return row | _alike(pair, level=level)


def _alike(pair: _Pair, *, level: float) -> Row:
    """Rank and concordance correlation and kappa, where they are defined."""
    row: Row = {}
    n = len(pair.measured)
    if _vary(pair.predicted) and _vary(pair.measured):
        rho = float(spearman(pair.predicted, pair.measured).rho[0])
        bounds = spearman_interval(rho, n, level=level)
        row |= {"rho": rho, "rho_low": float(bounds.low), "rho_high": float(bounds.high)}
        lin = concordance_correlation(pair.predicted, pair.measured, level=level)
        row |= {"ccc": lin.value, "ccc_low": lin.low, "ccc_high": lin.high}
    said, true = pair.predicted > pair.cut, pair.high
    if 0 < said.sum() < n and 0 < true.sum() < n:
        kappa = cohen_kappa(said, true, level=level)
        row |= {"kappa": kappa.value, "kappa_low": kappa.low, "kappa_high": kappa.high}
    return row


def _compared(first: _Pair, second: _Pair, *, level: float) -> Iterator[Row]:
    if all(_vary(values) for pair in (first, second) for values in (pair.predicted, pair.measured)):
        yield {"statistic": "rho"} | _rho_difference(first, second, level=level)
        a, b = _line(first), _line(second)
        spreads = (a.slope_error**2, a.df), (b.slope_error**2, b.df)
        yield {"statistic": "slope"} | _welch(a.slope - b.slope, *spreads, level=level)
    areas = _area(first, level=level), _area(second, level=level)
    if areas[0] is not None and areas[1] is not None:
        found = delong_test_unpaired(*areas)
        half = float(ndtri(0.5 + level / 2)) * found.se
        bounds = {"low": found.difference - half, "high": found.difference + half}
        yield {"statistic": "auc", "difference": found.difference, "p": found.p} | bounds
    errors = [pair.predicted - pair.measured for pair in (first, second)]
    of_mean = [(error.var(ddof=1) / error.size, error.size - 1) for error in errors]
    yield {"statistic": "mean error"} | _welch(
        float(errors[0].mean() - errors[1].mean()), *of_mean, level=level
    )


def _rho_difference(first: _Pair, second: _Pair, *, level: float) -> Row:
    rhos = [float(spearman(p.predicted, p.measured).rho[0]) for p in (first, second)]
    sizes = [len(pair.measured) for pair in (first, second)]
    # A perfect correlation is infinite on Fisher's scale: as if two neighbours changed places.
    ends = [1 - 12 / (n * (n**2 - 1)) for n in sizes]
    scaled = [np.arctanh(np.clip(r, -e, e)) for r, e in zip(rhos, ends, strict=True)]
    variance = sum((1 + r**2 / 2) / (n - 3) for r, n in zip(rhos, sizes, strict=True))
    difference, error = float(scaled[0] - scaled[1]), float(np.sqrt(variance))
    half = float(ndtri(0.5 + level / 2)) * error
    bounds = {"low": difference - half, "high": difference + half}
    return {"difference": difference, "p": float(2 * ndtr(-abs(difference) / error))} | bounds


def _welch(
    difference: float, first: tuple[float, float], second: tuple[float, float], *, level: float
) -> Row:
    """Test of a difference of two independent estimates, each with its variance and freedom."""
    variance = first[0] + second[0]
    if not variance > 0:
        return {"difference": difference}
    df = variance**2 / (first[0] ** 2 / first[1] + second[0] ** 2 / second[1])
    error = float(np.sqrt(variance))
    half = float(stdtrit(df, 0.5 + level / 2)) * error
    p = float(2 * stdtr(df, -abs(difference) / error))
    return {"difference": difference, "low": difference - half, "high": difference + half, "p": p}


class _Line(NamedTuple):
    """Least squares of measured on predicted."""

    slope: float
    slope_error: float
    intercept: float
    intercept_error: float
    df: int


def _line(pair: _Pair) -> _Line:
    x, y = pair.predicted, pair.measured
    centred, n = x - x.mean(), x.size
    square = float(centred @ centred)
    slope = float(centred @ y) / square
    intercept = float(y.mean() - slope * x.mean())
    left = y - intercept - slope * x
    variance = float(left @ left) / (n - 2)
    reach = variance * (1 / n + x.mean() ** 2 / square)
    return _Line(slope, np.sqrt(variance / square), intercept, np.sqrt(reach), n - 2)


def _area(pair: _Pair, *, level: float) -> AucEstimate | None:
    both = 0 < pair.high.sum() < len(pair.high)
    return delong(pair.predicted, pair.high, level=level) if both else None


def _vary(values: Floats) -> bool:
    return bool(np.ptp(values) > _ROUNDING * np.abs(values).max())


def _bounded(name: str, value: float, half: float) -> Row:
    return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}


def _told(rows: list[Row], columns: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame(rows).reindex(columns=list(columns))
    lost = table.loc[table.isna().any(axis=1), "target"].unique()
    if lost.size:
        warnings.warn(
            f"{lost.size} target(s) ({short_list(lost)}) have predictions or measurements that do "
            "not vary, or fall on one side of the cut: what needs both is left empty. Judge "
            "targets that the surrogate foretells, in more patients.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
    return table
