"""Whether one model tells classes, or survival, apart better than another: paired tests.

Never two intervals: what two models share, the patients, cancels in the difference.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from radiogenomics.core.errors import AlignmentError, RadiogenomicsWarning, UnknownNameError
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.repeats import (
    NO_VARIANCE,
    Z95,
    comparable_repeats,
    refuse_twice,
    require_risks,
)
from radiogenomics.stats.classification.auc import (
    AucDifference,
    delong,
    delong_test,
    delong_test_unpaired,
)
from radiogenomics.stats.survival.concordance_difference import (
    ConcordanceDifference,
    concordance_test,
)

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
    _warn_no_variance(table, "areas")
    return table


def concordance_comparison_table(
    predictions: Mapping[str, pd.DataFrame],
    outcome: SurvivalOutcome,
    *,
    reference: str,
    split: str,
) -> pd.DataFrame:
    """Hold Harrell's C of one survival model against each other's, on the same patients.

    The paired test of :func:`~radiogenomics.stats.survival.concordance_difference.concordance_test`
    in each repeat; difference and variance are averaged over repeats as in
    :func:`comparison_table`, whose cautions hold here too. C hardly moves when a useful marker
    joins a good model, so a large p does not prove it useless.

    Parameters
    ----------
    predictions
        Name → ``patient_id, repeat, score``, the risk, higher is worse; the same patients and
        repeats in all.
    outcome
        Of every patient predicted.
    reference, split
        As in :func:`comparison_table`.

    Returns
    -------
    DataFrame
        As of :func:`comparison_table`, and ``events``.

    Raises
    ------
    UnknownNameError, SchemaError, AlignmentError, OutcomeError
        As in :func:`comparison_table`; a patient has no outcome, or none can be compared.

    References
    ----------
    Therneau & Watson 2015, The concordance statistic and the Cox model, Mayo Clinic report 85.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcde"), "repeat": 0})
    >>> time, event = (pd.Series(x, list("abcde")) for x in ([1.0, 2, 3, 4, 5], [1, 1, 1, 1, 0]))
    >>> outcome = SurvivalOutcome("OS", time, event)
    >>> A, B = (frame.assign(score=risk) for risk in ([5, 2, 3, 1, 4], [5, 4, 3, 2, 1]))
    >>> table = concordance_comparison_table({"A": A, "B": B}, outcome, reference="A", split="all")
    >>> table[["difference", "p"]].round(3).values.tolist()
    [[-0.4, 0.079]]
    """
    if reference not in predictions:
        raise UnknownNameError("model", reference, predictions)
    first, rows = predictions[reference], []
    require_risks(first)
    truth = outcome.for_patients(pd.unique(first["patient_id"]))
    for name, second in predictions.items():
        if name != reference:
            found = _paired_concordance(first, second, truth, names=(reference, name), split=split)
            rows.append((reference, name, split, *found, len(truth.time), truth.n_events))
    table = pd.DataFrame(rows, columns=[*COLUMNS, "events"])
    _warn_no_variance(table, "concordances")
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
    _warn_no_variance(table, "areas")
    return table


def _labelled(predictions: pd.DataFrame) -> pd.DataFrame:
    known = predictions[predictions["label"].notna()]
    refuse_twice(known)
    return known.set_index("patient_id")[["repeat", "label", "score"]]


def _require_same(
    first: pd.DataFrame, second: pd.DataFrame, names: tuple[str, str], *, labels: bool = True
) -> None:
    columns = [*KEYS, *(["label"] if labels else [])]
    one, other = (
        frame.reset_index().sort_values(list(KEYS))[columns].to_numpy() for frame in (first, second)
    )
    if one.shape != other.shape or not (one == other).all():
        what = "patients, repeats and labels" if labels else "patients and repeats"
        raise AlignmentError(
            f"expected {names[0]} and {names[1]} on the same {what}; found "
            f"{len(one)} and {len(other)} predictions that differ. Use the same splitter."
        )


def _paired(first: pd.DataFrame, second: pd.DataFrame) -> tuple[float, float, float, float]:
    """DeLong's difference of two models, over repeats."""
    found = []
    for repeat, part in first.groupby("repeat", sort=False):
        other = second[second["repeat"] == repeat]["score"].loc[part.index]
        found.append(delong_test(part["score"], other, part["label"]))
    return _over_repeats(found)


def _paired_concordance(
    first: pd.DataFrame,
    second: pd.DataFrame,
    outcome: SurvivalOutcome,
    *,
    names: tuple[str, str],
    split: str,
) -> tuple[float, float, float, float]:
    """Difference of two concordances, over repeats."""
    require_risks(second)
    _require_same(first, second, names, labels=False)
    found = []
    for rows, truth, _ in comparable_repeats(first, outcome, split=split):
        of_repeat = second[second["repeat"] == rows["repeat"].iloc[0]]
        risks = (rows["score"], of_repeat.set_index("patient_id")["score"].loc[rows.index])
        with warnings.catch_warnings():
            # What has no variance is said once, of all repeats together.
            warnings.simplefilter("ignore", RadiogenomicsWarning)
            found.append(concordance_test(*risks, time=truth.time, event=truth.event))
    return _over_repeats(found)


def _over_repeats(
    found: Sequence[AucDifference | ConcordanceDifference],
) -> tuple[float, float, float, float]:
    """Mean difference over repeats with its interval and p-value, NaN where there is none."""
    difference = float(np.mean([test.difference for test in found]))
    se = float(np.sqrt(np.mean([test.se**2 for test in found])))
    if difference == 0:
        return difference, -Z95 * se, Z95 * se, 1.0
    if not se**2 > NO_VARIANCE:
        return difference, np.nan, np.nan, np.nan
    p = float(2 * ndtr(-abs(difference) / se))
    return difference, difference - Z95 * se, difference + Z95 * se, p


def _warn_no_variance(table: pd.DataFrame, what: str) -> None:
    for row in table[table["p"].isna()].itertuples():
        warnings.warn(
            f"{row.split}: the {what} of {row.first} and {row.second} differ by "
            f"{row.difference:.3g} without variance (both constant or separating), so bounds and "
            "p are NaN; only a permutation test would do.",
            RadiogenomicsWarning,
            stacklevel=3,
        )
