"""Whether out-of-sample probabilities mean what they say."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import logit

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation.repeats import Z95, Floats, by_repeat, labelled_patients
from radiogenomics.stats import (
    brier,
    calibration_in_the_large,
    calibration_line,
    wilson,
)
from radiogenomics.stats.classification.calibration import quantile_groups

# Standard deviation of log-odds; uninformative models keep 0.01 to hold their order.
ALIKE = 0.02


def calibration_metrics(predictions: pd.DataFrame, *, split: str) -> tuple[Metric, ...]:
    """Brier score, calibration intercept and calibration slope.

    - ``brier``: mean (p − y)²; lower is better. ``chance`` is q (1 − q), what predicting the
      prevalence q for everyone gives.
    - ``calibration_intercept``: a in logit P(y = 1) = a + logit p. Ideal 0, which is also its
      ``chance``: a model that knows nothing can still be right on average.
    - ``calibration_slope``: b in logit P(y = 1) = a + b logit p. Ideal 1; below 1 predictions are
      too extreme. ``chance`` is 0, what predictions unrelated to the truth give.

    Value and variance are averaged over repeats; intervals are Wald's. An intercept or slope
    without a finite estimate (probabilities all equal, or separating the classes) is left out with
    a warning, as is the slope of probabilities that hardly differ. None has a permutation p.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, label, score`` with probabilities as scores.
    split
        Where it was measured.

    Raises
    ------
    DataError
        Scores are not probabilities.
    OutcomeError
        A repeat has one class only.

    References
    ----------
    Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2; Van Calster et al. 2019,
    doi:10.1186/s12916-019-1466-7.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcdef"), "repeat": 0})
    >>> frame = frame.assign(label=[0, 1, 0, 1, 0, 1], score=[0.1, 0.3, 0.4, 0.6, 0.7, 0.9])
    >>> [(m.name, round(m.value, 2)) for m in calibration_metrics(frame, split="apparent")]
    [('brier', 0.22), ('calibration_intercept', 0.0), ('calibration_slope', 0.72)]
    """
    repeats = list(by_repeat(predictions))
    _require_probabilities(np.concatenate([scores for scores, _ in repeats]))
    found = []
    alike = hardly_differ(repeats)
    for metric in _averaged(repeats, n=labelled_patients(predictions), split=split):
        finite = np.isfinite(metric.value) and np.isfinite(metric.high)
        if finite and (alike is None or metric.name != "calibration_slope"):
            found.append(metric)
            continue
        why = "has no finite estimate and is left out: the probabilities are all equal or separate "
        text = f"{why}the classes." if not finite else f"is left out: {alike}."
        warnings.warn(f"{split}: {metric.name} {text}", RadiogenomicsWarning, stacklevel=2)
    return tuple(found)


def hardly_differ(repeats: list[tuple[Floats, Floats]]) -> str | None:
    """Say that probabilities are too much alike for a slope or a curve; None where they are not.

    Such are those of a model that the inner folds found uninformative: their slope would be a
    number in the hundreds that says nothing.
    """
    # Probabilities of 0 and 1 have no finite log-odds, and so no standard deviation.
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = float(np.mean([logit(scores).std() for scores, _ in repeats]))
    if not spread < ALIKE:
        return None
    return f"the probabilities hardly differ (log-odds with a standard deviation of {spread:.2g})"


def calibration_table(predictions: pd.DataFrame, *, bins: int = 5) -> pd.DataFrame:
    """Observed share of positives in groups of rising predicted probability.

    Each repeat is cut into groups at the quantiles of its own predictions, as in
    :func:`radiogenomics.stats.calibration_bins`; the first groups of all repeats are averaged, then
    the second, and so on, by their sizes, which differ only where predictions are tied. Repeats do
    not make the interval narrower: it is that of the patients of one. A learnt cut-off may label a
    patient differently between repeats.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, label, score`` with probabilities as scores.
    bins
        Groups of about equal size.

    Returns
    -------
    DataFrame
        ``predicted, observed, low, high, n``: one row a group, with Wilson bounds; ``n`` counts
        patients of a repeat, on average. A group that ties leave empty in every repeat is dropped.

    Raises
    ------
    DataError
        Scores are not probabilities, or there is no group.
    SchemaError, OutcomeError
        A patient twice in a repeat; nobody with a label.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": list("abcd"), "repeat": 0})
    >>> frame = frame.assign(label=[0, 0, 1, 1], score=[0.1, 0.2, 0.8, 0.9])
    >>> calibration_table(frame, bins=2).observed.tolist()
    [0.0, 1.0]
    """
    if bins < 1:
        raise DataError(f"expected 1 bin or more; found {bins!r}. Use 5 or 10.")
    repeats = list(by_repeat(predictions))
    _require_probabilities(np.concatenate([scores for scores, _ in repeats]))
    sums = np.sum([_sums_by_group(*pair, bins=bins) for pair in repeats], axis=0)
    n, predicted, positives = sums[:, sums[0] > 0]
    observed, patients = positives / n, n / len(repeats)
    low, high = wilson(observed * patients, patients)
    return pd.DataFrame(
        {
            "predicted": predicted / n,
            "observed": observed,
            "low": low,
            "high": high,
            "n": np.round(patients).astype(int),
        }
    )


def _sums_by_group(scores: Floats, labels: Floats, *, bins: int) -> Floats:
    """Size, sum of scores and sum of labels of each group of one repeat, shape (3, bins)."""
    group = quantile_groups(scores, bins)
    return np.stack([np.bincount(group, w, minlength=bins) for w in (None, scores, labels)])


def _averaged(repeats: list[tuple[Floats, Floats]], *, n: int, split: str) -> Iterator[Metric]:
    """Mean of each measure over repeats; not finite where a repeat has no estimate."""
    prevalence = float(np.mean([labels.mean() for _, labels in repeats]))
    offsets = [calibration_in_the_large(scores, labels) for scores, labels in repeats]
    lines = [calibration_line(scores, labels) for scores, labels in repeats]
    briers = [
        (brier(scores, labels), np.sqrt(((scores - labels) ** 2).var(ddof=1) / labels.size))
        for scores, labels in repeats
    ]
    for name, estimates, chance in (
        ("brier", briers, prevalence * (1 - prevalence)),
        ("calibration_intercept", [(o.intercept, o.se) for o in offsets], 0.0),
        ("calibration_slope", [(x.slope, x.slope_se) for x in lines], 0.0),
    ):
        values, errors = np.array(estimates, dtype=float).T
        value, half = float(values.mean()), Z95 * float(np.sqrt(np.square(errors).mean()))
        low, high = value - half, value + half
        yield Metric(
            name=name,
            value=value,
            low=max(low, 0.0) if name == "brier" else low,
            high=min(high, 1.0) if name == "brier" else high,
            chance=chance,
            n=n,
            split=split,
            events=round(float(np.mean([labels.sum() for _, labels in repeats]))),
        )


def _require_probabilities(scores: Floats) -> None:
    outside = ~((scores >= 0) & (scores <= 1))
    if outside.any():
        raise DataError(
            f"expected probabilities from 0 to 1; found {int(outside.sum())} scores outside, "
            f"between {scores.min():.3g} and {scores.max():.3g}. Use a learner with predict_proba, "
            "or calibrate its decision values inside the fold."
        )
