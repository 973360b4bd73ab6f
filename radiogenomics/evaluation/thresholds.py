"""A threshold locked on training predictions, and what it does to patients it has not seen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from radiogenomics.core.errors import RadiogenomicsWarning, UnknownNameError
from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation.repeats import by_repeat, labelled_patients
from radiogenomics.stats.classification.confusion import Confusion, Share, confusion
from radiogenomics.stats.classification.roc import youden_threshold

RULES = ("youden",)
POINTS = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1", "mcc")


def lock_threshold(
    predictions: pd.DataFrame, *, rule: str = "youden", ties: str = "highest"
) -> float:
    """Choose a threshold on out-of-fold predictions, to be applied unchanged elsewhere.

    Each patient counts once, with the score averaged over repeats. What the threshold does to these
    same patients is too good; hold it against others.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, label, score``.
    rule
        ``"youden"``: largest sensitivity + specificity.
    ties
        As in :func:`radiogenomics.stats.youden_threshold`.

    Raises
    ------
    UnknownNameError
        The rule or tie rule is unknown.
    OutcomeError
        One class only.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcd"), "repeat": 0})
    >>> lock_threshold(frame.assign(label=[0, 0, 1, 1], score=[0.1, 0.4, 0.35, 0.8]))
    0.8
    """
    if rule not in RULES:
        raise UnknownNameError("threshold rule", rule, RULES)
    known = predictions[predictions["label"].notna()]
    mean = known.groupby("patient_id", sort=False)[["label", "score"]].mean()
    return youden_threshold(mean["score"], np.round(mean["label"]), ties=ties)


def operating_point_table(
    predictions: pd.DataFrame, threshold: float, *, split: str
) -> tuple[pd.DataFrame, tuple[Metric, ...]]:
    """What calling positive at or above a locked threshold does, with 95 % intervals.

    Over several repeats shares are averaged and the bounds with them: repeats add no patients.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, label, score``.
    threshold
        Fixed before these patients were looked at.
    split
        Where it was measured.

    Returns
    -------
    table : DataFrame
        ``split, threshold, metric, value, low, high, n`` and, for the counts, rows ``tp, fp, fn,
        tn`` of one repeat (means over several); a share that is not defined, as the PPV when nobody
        is called positive, is left out, with a warning when that is so of everybody or nobody.
    metrics : tuple of Metric
        ``sensitivity, specificity, balanced_accuracy``; chance of the first two depends on the
        threshold, so only the last is judged.

    Raises
    ------
    OutcomeError
        One class only.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcd"), "repeat": 0})
    >>> frame = frame.assign(label=[0, 0, 1, 1], score=[0.1, 0.4, 0.35, 0.8])
    >>> table, _ = operating_point_table(frame, 0.35, split="external:x")
    >>> table.set_index("metric").loc[["sensitivity", "specificity"], "value"].tolist()
    [1.0, 0.5]
    """
    counts = [confusion(scores, labels, threshold) for scores, labels in by_repeat(predictions)]
    _warn_of_one_side(counts, threshold, split=split)
    shares = {name: _mean([count.shares()[name] for count in counts]) for name in POINTS}
    rows = [
        (split, threshold, name, share.value, share.low, share.high, share.n)
        for name, share in shares.items()
        if np.isfinite(share.value)
    ]
    rows += [(split, threshold, *_count_row(counts, name)) for name in ("tp", "fp", "fn", "tn")]
    columns = ["split", "threshold", "metric", "value", "low", "high", "n"]
    n = labelled_patients(predictions)
    metrics = tuple(
        Metric(name, s.value, s.low, s.high, chance, n, split)
        for name, chance in (
            ("sensitivity", None),
            ("specificity", None),
            ("balanced_accuracy", 0.5),
        )
        if np.isfinite((s := shares[name]).value)
    )
    return pd.DataFrame(rows, columns=columns), metrics


def _warn_of_one_side(counts: Sequence[Confusion], threshold: float, *, split: str) -> None:
    called = [count.tp + count.fp for count in counts]
    if not any(called) or all(c == count.n for c, count in zip(called, counts, strict=True)):
        warnings.warn(
            f"{split}: the threshold {threshold:.4g} calls "
            f"{'nobody' if not any(called) else 'everybody'} positive, so it parts no patients. "
            "Scores may be on another scale here: look at the calibration.",
            RadiogenomicsWarning,
            stacklevel=3,
        )


def _mean(shares: Sequence[Share]) -> Share:
    """Average over the repeats in which the share is defined."""
    known = [share for share in shares if np.isfinite(share.value)]
    if not known:
        return shares[0]
    value, low, high, n = np.mean(known, axis=0)
    return Share(float(value), float(low), float(high), round(float(n)))


def _count_row(counts: Sequence[Confusion], name: str) -> tuple[str, float, float, float, int]:
    value = float(np.mean([getattr(count, name) for count in counts]))
    return name, value, np.nan, np.nan, counts[0].n
