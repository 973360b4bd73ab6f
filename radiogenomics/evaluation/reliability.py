"""Which features come out alike when the same patients are read again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import AlignmentError, DataError, RadiogenomicsWarning, short_list
from radiogenomics.stats.agreement.bland_altman import repeatability
from radiogenomics.stats.agreement.icc import Form, intraclass_correlation
from radiogenomics.stats.inputs import Floats, as_floats

THRESHOLDS = (0.5, 0.75, 0.9)

_NUMBERS = ("icc", "low", "high", "within_sd", "repeatability")

# A range below this share of the values is rounding, not spread between patients.
_ROUNDING = 1e-13


def reliability_table(
    readings: Sequence[pd.DataFrame] | Mapping[str, pd.DataFrame],
    *,
    form: Form = "ICC(2,1)",
    level: float = 0.95,
) -> pd.DataFrame:
    """Agreement of each feature between repeated readings of the same patients.

    Parameters
    ----------
    readings
        Two or more tables, one a reading, of the same patients (rows) and features (columns), in
        any order.
    form
        As in :func:`radiogenomics.stats.agreement.icc.intraclass_correlation`: ICC(2,1) for
        readers or scanners, ICC(1,1) for perturbations, ICC(3,1) where offsets are forgiven.
    level
        Of the intervals.

    Returns
    -------
    DataFrame
        ``feature, form, icc, low, high, within_sd, repeatability, patients, readings, note``, in
        the order of the first table. A feature that is missing somewhere or the same for all keeps
        its row without numbers; ``note`` says why, and a warning how many there are.

    Raises
    ------
    AlignmentError
        The tables differ in patients or features, or repeat one.
    DataError
        There are fewer than two readings or patients.

    Examples
    --------
    >>> first = pd.DataFrame({"volume": [12.0, 30.1, 7.7, 16.0]}, index=["P1", "P2", "P3", "P4"])
    >>> again = pd.DataFrame({"volume": [12.5, 29.0, 8.1, 16.2]}, index=["P1", "P2", "P3", "P4"])
    >>> reliability_table([first, again])[["feature", "icc", "patients"]].round(3).values.tolist()
    [['volume', 0.998, 4]]
    """
    values, features = _stacked(readings)
    notes = _notes(values)
    used = notes == ""
    numbers = np.full((features.size, len(_NUMBERS)), np.nan)
    if used.any():
        numbers[used] = _agreement(values[..., used], form=form, level=level)
    if not used.all():
        warnings.warn(
            f"{int((~used).sum())} of {features.size} features have no ICC "
            f"({short_list(features[~used])}): see their notes.",
            RadiogenomicsWarning,
            stacklevel=2,
        )
    table = pd.DataFrame(numbers, columns=list(_NUMBERS))
    table.insert(0, "feature", features)
    table.insert(1, "form", form)
    return table.assign(patients=values.shape[0], readings=values.shape[1], note=notes)


def reliability_summary(
    table: pd.DataFrame, *, thresholds: Sequence[float] = THRESHOLDS
) -> pd.DataFrame:
    """How many features reach each threshold of agreement.

    Below 0.5 agreement is called poor, to 0.75 moderate, to 0.9 good and above excellent; by the
    same authors' advice, the interval and not the estimate decides.

    Parameters
    ----------
    table
        Of :func:`reliability_table`, whole or a part.
    thresholds
        Of the intraclass correlation.

    Returns
    -------
    DataFrame
        One row a threshold: ``threshold, features, reached, share, reached_low, share_low``, by the
        estimate and by the lower bound, with ``median, q1, q3`` of the estimates. Features without
        an ICC count as not reaching any; ``undefined`` says how many they are.

    Raises
    ------
    DataError
        The table is empty, or has no ICC at all.

    References
    ----------
    Koo & Li 2016, doi:10.1016/j.jcm.2016.02.012.

    Examples
    --------
    >>> table = pd.DataFrame({"icc": [0.6, 0.95], "low": [0.4, 0.91]})
    >>> reliability_summary(table)[["threshold", "reached", "reached_low"]].values.tolist()
    [[0.5, 2.0, 1.0], [0.75, 1.0, 1.0], [0.9, 1.0, 1.0]]
    """
    lacking = {"icc", "low"} - set(table.columns)
    if lacking or table["icc"].isna().all():
        raise DataError(
            "expected a table of reliability_table() with an ICC of at least one feature; found "
            f"{len(table)} rows, without {short_list(sorted(lacking)) or 'any ICC'}. Read the "
            "notes of that table."
        )
    q1, median, q3 = np.nanquantile(table["icc"].to_numpy(dtype=float), [0.25, 0.5, 0.75])
    rows = [
        {
            "threshold": threshold,
            "features": len(table),
            "reached": int((table["icc"] >= threshold).sum()),
            "share": float((table["icc"] >= threshold).mean()),
            "reached_low": int((table["low"] >= threshold).sum()),
            "share_low": float((table["low"] >= threshold).mean()),
        }
        for threshold in thresholds
    ]
    undefined = int(table["icc"].isna().sum())
    return pd.DataFrame(rows).assign(median=median, q1=q1, q3=q3, undefined=undefined)


def _notes(values: Floats) -> NDArray[np.object_]:
    """Why a feature has no agreement; empty where it has."""
    notes = np.full(values.shape[2], "", dtype=object)
    missing = (~np.isfinite(values)).any(axis=1).sum(axis=0)
    for place in np.flatnonzero(missing):
        notes[place] = f"missing or infinite in {missing[place]} patients"
    known = np.where(missing > 0, 0.0, values)
    constant = np.ptp(known, axis=(0, 1)) <= _ROUNDING * np.abs(known).max(axis=(0, 1))
    notes[constant & (missing == 0)] = "the same for all patients"
    return notes


def _agreement(values: Floats, *, form: Form, level: float) -> Floats:
    """Numbers of the table, one row a feature."""
    # An ICC does not change with zero and unit, while squares of an odd unit lose digits.
    centred = values - values.mean(axis=(0, 1))
    unit = np.abs(centred).max(axis=(0, 1))
    icc = intraclass_correlation(centred / unit, form=form, level=level)
    again = repeatability(centred / unit, level=level)
    spread = [again.within_sd * unit, again.coefficient * unit]
    return np.column_stack([icc.value, icc.low, icc.high, *spread])


def _stacked(
    readings: Sequence[pd.DataFrame] | Mapping[str, pd.DataFrame],
) -> tuple[Floats, pd.Index]:
    """Readings as (patients, readings, features), matched by name."""
    tables = list(readings.values() if isinstance(readings, Mapping) else readings)
    if len(tables) < 2 or any(not isinstance(table, pd.DataFrame) for table in tables):
        raise DataError(
            f"expected two or more DataFrames, one a reading; found {len(tables)}. Agreement needs "
            "a second look at the same patients."
        )
    first = tables[0]
    for number, table in enumerate(tables, start=1):
        for what, index, known in (
            ("patients", table.index, first.index),
            ("features", table.columns, first.columns),
        ):
            odd = index[index.duplicated()]
            if not len(odd):
                odd = known.symmetric_difference(index, sort=False)
            if len(odd):
                raise AlignmentError(
                    f"reading {number}: expected the {what} of the first reading, each once; found "
                    f"{len(odd)} repeated or in one of the two only ({short_list(odd)}). Leave out "
                    "what was not read each time."
                )
    if len(first) < 2 or first.shape[1] == 0:
        raise DataError(
            f"expected two or more patients and a feature; found {len(first)} patients and "
            f"{first.shape[1]} features. Agreement is judged against the spread of the patients."
        )
    ordered = [table.loc[first.index, first.columns] for table in tables]
    return np.stack([as_floats(table, "readings") for table in ordered], axis=1), first.columns
