"""Whether out-of-sample probabilities mean what they say, by a smooth curve and by bins."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from radiogenomics.core.errors import DataError
from radiogenomics.core.evidence import Metric
from radiogenomics.evaluation.calibration import hardly_differ
from radiogenomics.evaluation.repeats import Z95, Floats, by_repeat, labelled_patients
from radiogenomics.stats.classification.calibration_curve import flexible_calibration
from radiogenomics.stats.classification.calibration_tests import expected_calibration_error

_GRID = 100


def flexible_calibration_table(predictions: pd.DataFrame, *, knots: int = 3) -> pd.DataFrame:
    """Smooth curve of observed over predicted probability.

    A restricted cubic spline of logit p in a logistic regression, fitted in each repeat; curve and
    variance are averaged over repeats on the logit scale, so that repeats do not make the band
    narrower. Below some 200 positives and 200 negatives the curve follows chance: read the band.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, label, score`` with probabilities as scores.
    knots
        Of the spline, 3 to 5.

    Returns
    -------
    DataFrame
        ``predicted, observed, low, high`` (95 %): 100 rows from the 1st to the 99th percentile of
        the predictions (from least to most below 100 patients; means over repeats).

    Raises
    ------
    DataError
        Scores are not probabilities, or take too few values.
    OutcomeError
        A repeat has one class only, or its predictions separate the classes.

    References
    ----------
    Austin & Steyerberg 2019, doi:10.1002/sim.8281; Van Calster et al. 2019,
    doi:10.1186/s12916-019-1466-7.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": range(90), "repeat": 0, "label": [0, 1, 1] * 30})
    >>> frame["score"] = (frame["patient_id"] + 5) / 100
    >>> len(flexible_calibration_table(frame))
    100
    """
    repeats = _differing(predictions)
    tail = 0.01 if labelled_patients(predictions) >= 100 else 0.0
    ends = np.mean([np.quantile(scores, [tail, 1 - tail]) for scores, _ in repeats], axis=0)
    grid = np.linspace(*ends, _GRID)
    curves = [flexible_calibration(*pair, knots=knots, at=grid) for pair in repeats]
    centre = np.mean([logit(curve.observed) for curve in curves], axis=0)
    half = Z95 * np.sqrt(np.mean([curve.se**2 for curve in curves], axis=0))
    return pd.DataFrame(
        {
            "predicted": grid,
            "observed": expit(centre),
            "low": expit(centre - half),
            "high": expit(centre + half),
        }
    )


def flexible_calibration_metrics(
    predictions: pd.DataFrame, *, split: str, knots: int = 3, bins: int = 10
) -> tuple[Metric, ...]:
    """Integrated calibration index and expected calibration error.

    - ``ici``: mean over patients of |observed - p| by the smooth curve of
      :func:`flexible_calibration_table`; 0 when calibrated.
    - ``ece``: mean over patients of |observed share - mean p| in bins of about equal size.

    Averaged over repeats. Neither has an interval nor a level of chance. Both are above 0 for
    calibrated models too, and resampling adds that bias once more, so that percentile intervals lie
    too high; and a model that knows nothing may be calibrated. They compare models on the same
    patients; whether a model is calibrated is for the slope and the band of the curve to say.

    Parameters
    ----------
    predictions
        ``patient_id, repeat, label, score`` with probabilities as scores.
    split
        Where it was measured.
    knots
        Of the spline.
    bins
        Of the expected calibration error.

    Returns
    -------
    tuple of Metric
        ``low``, ``high`` are NaN and ``chance`` is None.

    Raises
    ------
    DataError, OutcomeError
        As in :func:`flexible_calibration_table`.

    References
    ----------
    Austin & Steyerberg 2019, doi:10.1002/sim.8281.

    Examples
    --------
    >>> frame = pd.DataFrame({"patient_id": range(90), "repeat": 0, "label": [0, 1, 1] * 30})
    >>> frame["score"] = (frame["patient_id"] + 5) / 100
    >>> [metric.name for metric in flexible_calibration_metrics(frame, split="apparent")]
    ['ici', 'ece']
    """
    repeats = _differing(predictions)
    found = {
        "ici": [flexible_calibration(*pair, knots=knots).ici for pair in repeats],
        "ece": [expected_calibration_error(*pair, bins=bins).value for pair in repeats],
    }
    events = round(float(np.mean([labels.sum() for _, labels in repeats])))
    n = labelled_patients(predictions)
    return tuple(
        Metric(name, np.mean(values), np.nan, np.nan, None, n, split, events=events)
        for name, values in found.items()
    )


def _differing(predictions: pd.DataFrame) -> list[tuple[Floats, Floats]]:
    repeats = list(by_repeat(predictions))
    why = hardly_differ(repeats)
    if why is not None:
        raise DataError(
            f"expected probabilities that differ, to draw a curve over them; found that {why}. The "
            "model tells patients apart too little: report the Brier score."
        )
    return repeats
