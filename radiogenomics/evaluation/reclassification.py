"""Whether a second model moves predictions of the same patients the right way.

Both measures can be positive for markers that carry nothing, where the second model is poorly
calibrated (Hilden & Gerds 2014, doi:10.1002/sim.5804; Kerr et al. 2014,
doi:10.1097/EDE.0000000000000018). Hold calibration and decision curves beside them, and read events
and non-events apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr

from radiogenomics.core.errors import AlignmentError, SchemaError, short_list
from radiogenomics.core.outcomes import SurvivalOutcome
from radiogenomics.evaluation.alignment import require_same_patients
from radiogenomics.evaluation.repeats import Z95, Floats
from radiogenomics.stats.classification.reclassification import (
    DiscriminationImprovement,
    Improvement,
    NetReclassification,
    integrated_discrimination,
    net_reclassification,
    net_reclassification_survival,
    risk_classes,
)

KEYS = ("patient_id", "repeat", "label")
COLUMNS = ("measure", "part", "split", "value", "low", "high", "p", "n")
PARTS = (("total", "total"), ("events", "events"), ("nonevents", "non-events"))


def reclassification_table(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    split: str,
    cutoffs: ArrayLike | None = None,
) -> pd.DataFrame:
    """Net reclassification and integrated discrimination improvement of a second model.

    Value and variance are averaged over repeats, which add no patients; intervals are Wald's. Where
    the numbers mislead: top of this module.

    Parameters
    ----------
    first, second
        ``patient_id, repeat, label, score`` with probabilities as scores; the same patients,
        repeats and labels in both, in any order.
    split
        Where it was measured.
    cutoffs
        Rising risk cut-offs, for the NRI with classes beside that without.

    Returns
    -------
    DataFrame
        ``measure`` (NRI, NRI with classes, IDI), ``part`` (total, events, non-events), ``split,
        value`` (above 0 where the second is better), ``low, high`` (95 %), ``p`` (two-sided), ``n``
        patients of that part (mean over repeats, rounded). Interval and p are empty, with a
        warning, where all patients of a part moved alike.

    Raises
    ------
    AlignmentError
        The two have other patients, repeats or labels, or a patient twice in a repeat.
    DataError
        Scores are not probabilities, or cut-offs do not rise.
    OutcomeError
        A repeat has one class only, or fewer than 2 patients of one.

    References
    ----------
    Pencina et al. 2008, doi:10.1002/sim.2929; Pencina et al. 2011, doi:10.1002/sim.4085.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcd"), "repeat": 0, "label": [0, 0, 1, 1]})
    >>> table = reclassification_table(frame.assign(score=[0.2, 0.4, 0.3, 0.6]),
    ...                                frame.assign(score=[0.1, 0.5, 0.4, 0.5]), split="external:x")
    >>> table[["measure", "part", "value"]].iloc[[0, 3]].round(3).values.tolist()
    [['NRI', 'total', 0.0], ['IDI', 'total', 0.0]]
    """
    repeats = list(_pairs(first, second))
    sizes = [(labels.size, labels.sum(), (1 - labels).sum()) for _, _, labels in repeats]
    n = np.round(np.mean(sizes, axis=0)).astype(int)
    rows = _rows("NRI", (net_reclassification(*pair) for pair in repeats), n)
    if cutoffs is not None:
        found = (net_reclassification(*pair, cutoffs=cutoffs) for pair in repeats)
        rows += _rows("NRI with classes", found, n)
    rows += _rows("IDI", (integrated_discrimination(*pair) for pair in repeats), n)
    return pd.DataFrame(rows).assign(split=split)[list(COLUMNS)]


def reclassification_cross_table(
    first: pd.DataFrame, second: pd.DataFrame, *, cutoffs: ArrayLike
) -> pd.DataFrame:
    """Count patients by risk class under either model, apart for those with and without the event.

    Parameters
    ----------
    first, second
        As in :func:`reclassification_table`.
    cutoffs
        Rising; a probability equal to a cut-off is in the class above it.

    Returns
    -------
    DataFrame
        ``label`` (0, 1), ``first, second`` (classes such as ``0.2 to 0.4``, all pairs, rising),
        ``n`` (mean over repeats) and ``share`` of the patients of that label.

    Raises
    ------
    AlignmentError, DataError
        As in :func:`reclassification_table`.

    References
    ----------
    Pencina et al. 2008, doi:10.1002/sim.2929.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abc"), "repeat": 0, "label": [0, 0, 1]})
    >>> table = reclassification_cross_table(frame.assign(score=[0.2, 0.6, 0.3]),
    ...                                      frame.assign(score=[0.1, 0.4, 0.7]), cutoffs=[0.5])
    >>> table.query("n > 0")[["label", "first", "second", "share"]].values.tolist()
    [[0, '0 to 0.5', '0 to 0.5', 0.5], [0, '0.5 to 1', '0 to 0.5', 0.5],
     [1, '0 to 0.5', '0.5 to 1', 1.0]]
    """
    edges = [0.0, *np.atleast_1d(np.asarray(cutoffs, dtype=float)), 1.0]
    names = [f"{low:g} to {high:g}" for low, high in zip(edges, edges[1:], strict=False)]
    counts = []
    for one, other, labels in _pairs(first, second):
        places = (labels.astype(int), risk_classes(one, cutoffs), risk_classes(other, cutoffs))
        count = np.zeros((2, len(names), len(names)))
        np.add.at(count, places, 1)
        counts.append(count)
    mean = np.mean(counts, axis=0)
    index = pd.MultiIndex.from_product([(0, 1), names, names], names=["label", "first", "second"])
    table = pd.DataFrame({"n": mean.ravel()}, index=index).reset_index()
    return table.assign(share=table["n"] / table.groupby("label")["n"].transform("sum"))


def survival_reclassification_table(
    first: pd.Series[float],
    second: pd.Series[float],
    *,
    outcome: SurvivalOutcome,
    horizon: float,
    split: str,
    cutoffs: ArrayLike | None = None,
) -> pd.DataFrame:
    """Net reclassification improvement for the event by a horizon, with censoring.

    Parameters
    ----------
    first, second
        Predicted probability of the event by the horizon, for the patients of ``outcome``.
    outcome
        Time and event.
    horizon
        Months.
    split, cutoffs
        As in :func:`reclassification_table`.

    Returns
    -------
    DataFrame
        As :func:`reclassification_table`, without the IDI; ``n`` counts all patients.

    Raises
    ------
    AlignmentError
        A risk and the outcome have other patients or another order.
    DataError, OutcomeError
        As in `net_reclassification_survival`.

    References
    ----------
    Pencina et al. 2011, doi:10.1002/sim.4085.

    Examples
    --------
    >>> ids = list("abcde")
    >>> outcome = SurvivalOutcome("OS", pd.Series([9.0, 5, 3, 8, 7], ids),
    ...                           pd.Series([0, 1, 1, 0, 1], ids))
    >>> table = survival_reclassification_table(
    ...     pd.Series([0.2, 0.4, 0.3, 0.6, 0.5], ids), pd.Series([0.3, 0.5, 0.2, 0.5, 0.4], ids),
    ...     outcome=outcome, horizon=6, split="external:x")
    >>> table["value"].round(3).tolist()
    [0.333, 0.0, 0.333]
    """
    for risk in (first, second):
        what = f"predicted risk and {outcome.endpoint}"
        require_same_patients(risk.index, outcome.patient_ids, what=what)
    rows = []
    for measure, cuts in (("NRI", None), ("NRI with classes", cutoffs)):
        if measure == "NRI" or cuts is not None:
            found = net_reclassification_survival(
                first, second, time=outcome.time, event=outcome.event, horizon=horizon, cutoffs=cuts
            )
            rows += _rows(measure, [found], np.full(3, len(first)))
    return pd.DataFrame(rows).assign(split=split)[list(COLUMNS)]


def _pairs(first: pd.DataFrame, second: pd.DataFrame) -> Iterator[tuple[Floats, Floats, Floats]]:
    """Scores of both models and the labels, repeat by repeat."""
    one, other = (_indexed(frame) for frame in (first, second))
    require_same_patients(one.index, other.index, what="two models on patients, repeats and labels")
    both = pd.DataFrame({"first": one, "second": other}).reset_index()
    for _, part in both.groupby("repeat", sort=False):
        yield tuple(part[name].to_numpy(dtype=float) for name in ("first", "second", "label"))


def _indexed(predictions: pd.DataFrame) -> pd.Series[float]:
    missing = [column for column in (*KEYS, "score") if column not in predictions]
    if missing:
        raise SchemaError(
            f"expected predictions with {', '.join(KEYS)} and score; found no "
            f"{short_list(missing)}. Use the predictions of cross_validate, or add the columns."
        )
    known = predictions[predictions["label"].notna()].astype({"label": float})
    twice = known.duplicated(list(KEYS[:2]))
    if twice.any():
        raise AlignmentError(
            f"expected each patient once a repeat; found {int(twice.sum())} more "
            f"({short_list(known.loc[twice, 'patient_id'])}). Number the repeats."
        )
    return known.set_index(list(KEYS))["score"].sort_index()


def _rows(
    measure: str,
    found: Iterable[NetReclassification | DiscriminationImprovement],
    n: Floats,
) -> list[dict[str, object]]:
    results = list(found)
    rows = []
    for (name, words), size in zip(PARTS, n, strict=True):
        mean = _mean([getattr(result, name) for result in results])
        rows.append({"measure": measure, "part": words} | mean | {"n": int(size)})
    return rows


def _mean(parts: list[Improvement]) -> dict[str, object]:
    """Mean over repeats with the error of one; empty bounds where one has no error."""
    value = float(np.mean([part.value for part in parts]))
    if any(np.isnan(part.p) for part in parts):
        return {"value": value, "low": np.nan, "high": np.nan, "p": np.nan}
    se = float(np.sqrt(np.mean([part.se**2 for part in parts])))
    p = float(2 * ndtr(-abs(value) / se)) if se > 0 else 1.0
    return {"value": value, "low": value - Z95 * se, "high": value + Z95 * se, "p": p}
