"""Whether one model tells classes apart better than another: paired tests, never two intervals."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtr

from radiogenomics.core.errors import AlignmentError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.evaluation.repeats import NO_VARIANCE, Z95, refuse_twice
from radiogenomics.stats.classification.auc import delong, delong_test, delong_test_unpaired

COLUMNS = ("first", "second", "split", "difference", "low", "high", "p", "n")
KEYS = ("patient_id", "repeat")


def comparison_table(
    predictions: Mapping[str, pd.DataFrame], *, reference: str, split: str
) -> pd.DataFrame:
    """Hold the AUC of one model against each other's, on the same patients.

    DeLong's paired test in each repeat of a cross-validation; difference and variance are averaged
    over repeats, as the interval of the AUC is. Repeats share their patients, so averaging adds no
    patients and the p-value is that of one repeat's size. The variability of training is left out.
    Of several comparisons the smallest p needs a correction (``stats.adjust``).

    Parameters
    ----------
    predictions
        Name → ``patient_id, repeat, label, score``; the same patients, repeats and labels in all.
    reference
        The model that is held against the others.
    split
        Where it was measured.

    Returns
    -------
    DataFrame
        ``first, second, split, difference`` (first less second), ``low, high`` (95 %), ``p``
        (two-sided), ``n``; no row when there is no other model. Bounds and p are NaN, with a
        warning, where the areas differ without variance (both constant or separating).

    Raises
    ------
    UnknownNameError
        There is no model of the reference's name.
    SchemaError, AlignmentError
        A patient is twice in a repeat; two models differ in patients or labels.

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcdef"), "repeat": 0,
    ...                       "label": [0, 0, 1, 1, 1, 0]})
    >>> a = frame.assign(score=[0.1, 0.4, 0.35, 0.8, 0.7, 0.2])
    >>> b = frame.assign(score=[0.3, 0.1, 0.2, 0.9, 0.4, 0.35])
    >>> table = comparison_table({"a": a, "b": b}, reference="a", split="apparent")
    >>> table[["difference", "p"]].round(3).values.tolist()
    [[0.111, 0.655]]
    """
    if reference not in predictions:
        raise UnknownNameError("model", reference, predictions)
    first = _labelled(predictions[reference])
    rows = []
    for name, frame in predictions.items():
        if name == reference:
            continue
        second = _labelled(frame)
        _require_same(first, second, (reference, name))
        rows.append((reference, name, split, *_paired(first, second), first.index.nunique()))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    _warn_no_variance(table)
    return table


def unpaired_comparison(
    first: pd.DataFrame, second: pd.DataFrame, *, names: tuple[str, str], split: str
) -> pd.DataFrame:
    """Hold the AUC in one group of patients against that in another, with nobody in common.

    Parameters
    ----------
    first, second
        ``patient_id, repeat, label, score`` of one repeat each, as an external cohort has.
    names
        What the two are called.
    split
        Where it was measured.

    Returns
    -------
    DataFrame
        One row in the columns of :func:`comparison_table`; ``n`` counts the labelled of both
        groups, and NaN is as there.

    Raises
    ------
    SchemaError
        A patient is twice in a group.
    AlignmentError
        A patient is in both groups, or a group has several repeats.

    References
    ----------
    DeLong et al. 1988, doi:10.2307/2531595.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcdef"), "repeat": 0,
    ...                       "label": [0, 0, 1, 1, 1, 0]})
    >>> a = frame.assign(score=[0.1, 0.4, 0.35, 0.8, 0.7, 0.2])
    >>> b = frame.assign(patient_id=list("uvwxyz"), score=[0.3, 0.1, 0.2, 0.9, 0.4, 0.35])
    >>> table = unpaired_comparison(a, b, names=("CT", "MR"), split="external")
    >>> table[["difference", "p"]].round(3).values.tolist()
    [[0.111, 0.715]]
    """
    one, other = _labelled(first), _labelled(second)
    both = set(one.index) & set(other.index)
    if both or one["repeat"].nunique() > 1 or other["repeat"].nunique() > 1:
        raise AlignmentError(
            f"expected two groups without a patient in common, one repeat each; found {len(both)} "
            f"shared patients, {one['repeat'].nunique()} and {other['repeat'].nunique()} "
            "repeats. Use comparison_table for models of the same patients."
        )
    found = delong_test_unpaired(
        *(delong(frame["score"], frame["label"]) for frame in (one, other))
    )
    half = np.nan if np.isnan(found.p) else Z95 * found.se
    row = (*names, split, found.difference, found.difference - half, found.difference + half)
    table = pd.DataFrame([(*row, found.p, len(one) + len(other))], columns=list(COLUMNS))
    _warn_no_variance(table)
    return table


def _labelled(predictions: pd.DataFrame) -> pd.DataFrame:
    known = predictions[predictions["label"].notna()]
    refuse_twice(known)
    return known.set_index("patient_id")[["repeat", "label", "score"]]


def _require_same(first: pd.DataFrame, second: pd.DataFrame, names: tuple[str, str]) -> None:
    one, other = (
        frame.reset_index().sort_values(list(KEYS))[[*KEYS, "label"]].to_numpy()
        for frame in (first, second)
    )
    if one.shape != other.shape or not (one == other).all():
        raise AlignmentError(
            f"expected {names[0]} and {names[1]} on the same patients, repeats and labels; found "
            f"{len(one)} and {len(other)} predictions that differ. Use the same splitter."
        )


def _paired(first: pd.DataFrame, second: pd.DataFrame) -> tuple[float, float, float, float]:
    """Mean difference over repeats with its interval and p-value, NaN where there is none."""
    found = []
    for repeat, part in first.groupby("repeat", sort=False):
        other = second[second["repeat"] == repeat]["score"].loc[part.index]
        found.append(delong_test(part["score"], other, part["label"]))
    difference = float(np.mean([test.difference for test in found]))
    se = float(np.sqrt(np.mean([test.se**2 for test in found])))
    if difference == 0:
        return difference, -Z95 * se, Z95 * se, 1.0
    if not se**2 > NO_VARIANCE:
        return difference, np.nan, np.nan, np.nan
    p = float(2 * ndtr(-abs(difference) / se))
    return difference, difference - Z95 * se, difference + Z95 * se, p


def _warn_no_variance(table: pd.DataFrame) -> None:
    for row in table[table["p"].isna()].itertuples():
        warnings.warn(
            f"{row.split}: the areas of {row.first} and {row.second} differ by "
            f"{row.difference:.3g} without variance (both constant or separating), so bounds and "
            "p are NaN; only a permutation test would do.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
