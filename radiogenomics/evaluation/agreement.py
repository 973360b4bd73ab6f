"""Agreement between readers of the same patients, as tidy tables.

Examples
--------
>>> sums = pd.DataFrame({"reader 1": [44.5, 103.7, 70.8, 32.8], "reader 2": [43.0, 107, 65, 34]},
...                     index=["P1", "P2", "P3", "P4"])
>>> table = reader_agreement(sums).set_index("statistic")["value"]
>>> table[["ICC(2,1)", "concordance correlation", "bias"]].round(3).tolist()
[0.994, 0.992, 0.7]
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from radiogenomics.core.errors import (
    AlignmentError,
    DataError,
    UnknownNameError,
    short_list,
)
from radiogenomics.stats.agreement.bland_altman import (
    bland_altman,
    concordance_correlation,
    repeatability,
)
from radiogenomics.stats.agreement.fleiss_kappa import fleiss_kappa
from radiogenomics.stats.agreement.icc import Form, intraclass_correlation
from radiogenomics.stats.agreement.kappa import Weights, cohen_kappa
from radiogenomics.stats.inputs import Floats, check_level
from radiogenomics.stats.intervals import wilson

ALL_READERS = "all readers"

_COLUMNS = ("first", "second", "statistic", "value", "low", "high", "p", "subjects", "left_out")

# A range below this share of the values is rounding, not spread between patients.
_ROUNDING = 1e-13

Row = dict[str, object]


def reader_agreement(
    table: pd.DataFrame,
    *,
    subject: str | None = None,
    reader: str | None = None,
    value: str | None = None,
    forms: Sequence[Form] = ("ICC(2,1)",),
    categories: Sequence[Hashable] | None = None,
    weights: Weights | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Agreement of each pair of readers, and of all of them.

    Numbers are measurements: intraclass and concordance correlations, bias with limits of agreement
    and slope (first minus second), within-subject standard deviation and repeatability. Text,
    booleans, and numbers with ``categories`` are categories: share of agreement and kappa; of three
    or more readers also Fleiss' kappa, overall and by category. All coefficients but those in the
    unit of the reading depend on how different the patients are.

    Parameters
    ----------
    table
        One column a reader and one row a patient, or, with the three names that follow, one row a
        reading. Missing readings may be empty: each pair uses the patients both have read.
    subject, reader, value
        Columns of a long table.
    forms
        Of intraclass correlation.
    categories
        All, in order: needed to read numbers as categories, and for weights with text. A pandas
        categorical brings its own.
    weights, level
        As in :func:`radiogenomics.stats.agreement.kappa.cohen_kappa`.

    Returns
    -------
    DataFrame
        ``first, second, statistic, value, low, high, p, subjects, left_out``, one row a statistic;
        ``first`` is ``"all readers"`` where it is of three or more. ``p`` of kappa is against
        agreement by chance, of bias and slope against 0.

    Raises
    ------
    AlignmentError
        A patient is read twice by one reader, or two readers share fewer than three patients.
    DataError, UnknownNameError
        One reader only, or one with a single value for all; a column or category not there.

    References
    ----------
    Kottner et al. 2011, doi:10.1016/j.jclinepi.2010.03.002 (reporting of agreement).
    """
    check_level(level)
    wide = _wide(table, subject, reader, value=value)
    order = _order(wide, categories, ordered=weights is not None)
    if order is None:
        rows = _measurements(_numbers(wide), forms, level=level)
    else:
        rows = _classifications(wide, order, weights, level=level)
    return pd.DataFrame(rows).reindex(columns=list(_COLUMNS))


def _measurements(numbers: pd.DataFrame, forms: Sequence[Form], *, level: float) -> Iterator[Row]:
    for first, second in combinations(numbers, 2):
        pair = numbers[[first, second]].to_numpy()
        complete = pair[~np.isnan(pair).any(axis=1)]
        who = _who(first, second, complete, pair)
        yield from (who | row for row in _reliability(complete, forms, level=level))
        lin = concordance_correlation(*complete.T, level=level)
        yield who | _row("concordance correlation", lin.value, lin.low, lin.high)
        found = bland_altman(*complete.T, level=level)
        yield who | _row("bias", found.bias, found.bias_low, found.bias_high, found.bias_p)
        yield who | _row("lower limit of agreement", found.lower, found.lower_low, found.lower_high)
        yield who | _row("upper limit of agreement", found.upper, found.upper_low, found.upper_high)
        slope = found.slope, found.slope_low, found.slope_high, found.slope_p
        yield who | _row("slope of difference on mean", *slope)
    if numbers.shape[1] > 2:
        every = numbers.to_numpy()
        complete = every[~np.isnan(every).any(axis=1)]
        who = _who(ALL_READERS, "", complete, every)
        yield from (who | row for row in _reliability(complete, forms, level=level))


def _reliability(complete: Floats, forms: Sequence[Form], *, level: float) -> Iterator[Row]:
    for form in forms:
        icc = intraclass_correlation(complete, form=form, level=level)
        yield _row(form, icc.value[0], icc.low[0], icc.high[0])
    found = repeatability(complete, level=level)
    yield _row("within-subject SD", found.within_sd[0], found.low[0], found.high[0])
    bounds = found.coefficient_low[0], found.coefficient_high[0]
    yield _row("repeatability coefficient", found.coefficient[0], *bounds)


def _classifications(
    ratings: pd.DataFrame,
    order: Sequence[Hashable],
    weights: Weights | None,
    *,
    level: float,
) -> Iterator[Row]:
    name = "kappa"
    if weights is not None:
        name = f"kappa, {weights if isinstance(weights, str) else 'given'} weights"
    ratings = ratings.astype(object)
    for first, second in combinations(ratings, 2):
        pair = ratings[[first, second]].to_numpy()
        complete = pair[ratings[[first, second]].notna().all(axis=1)]
        who = _who(first, second, complete, pair)
        same = int((complete[:, 0] == complete[:, 1]).sum())
        low, high = wilson(same, len(complete), level=level)
        yield who | _row("share of agreement", same / len(complete), low, high)
        found = cohen_kappa(*complete.T, weights=weights, categories=order, level=level)
        yield who | _row(name, found.value, found.low, found.high, found.p)
    if ratings.shape[1] > 2:
        yield from _all_classifications(ratings, order, level=level)


def _all_classifications(
    ratings: pd.DataFrame, order: Sequence[Hashable], *, level: float
) -> Iterator[Row]:
    complete = ratings[ratings.notna().all(axis=1)].to_numpy()
    who = _who(ALL_READERS, "", complete, ratings.to_numpy())
    found = fleiss_kappa(complete, categories=order, level=level)
    unanimous = int(round(found.unanimous * found.subjects))
    low, high = wilson(unanimous, found.subjects, level=level)
    yield who | _row("share on which all agree", found.unanimous, low, high)
    yield who | _row("share of agreeing pairs", found.agreement)
    yield who | _row("Fleiss' kappa", found.value, found.low, found.high, found.p)
    for place, category in enumerate(found.categories):
        if not np.isnan(found.category_value[place]):
            yield who | _row(
                f"Fleiss' kappa: {category}",
                found.category_value[place],
                found.category_low[place],
                found.category_high[place],
                found.category_p[place],
            )


def _who(first: object, second: object, complete: NDArray[Any], every: NDArray[Any]) -> Row:
    if len(complete) < 3:
        raise AlignmentError(
            f"expected at least 3 patients read by {first}{f' and {second}' if second else ''}; "
            f"found {len(complete)} of {len(every)}. Name patients alike for all readers, or leave "
            "out a reader with many missing readings."
        )
    left_out = len(every) - len(complete)
    return {
        "first": str(first),
        "second": str(second),
        "subjects": len(complete),
        "left_out": left_out,
    }


def _row(
    statistic: str,
    value: float,
    low: float | Floats = np.nan,
    high: float | Floats = np.nan,
    p: float = np.nan,
) -> Row:
    return {
        "statistic": statistic,
        "value": float(value),
        "low": float(low),
        "high": float(high),
        "p": float(p),
    }


def _wide(
    table: pd.DataFrame, subject: str | None, reader: str | None, *, value: str | None
) -> pd.DataFrame:
    """One column a reader, one row a patient."""
    names = (subject, reader, value)
    given = [name for name in names if name is not None]
    if given and len(given) < 3:
        raise DataError(
            f"expected all of subject, reader and value for a long table; found {len(given)} "
            "of them. Name the other columns too, or pass one column a reader."
        )
    for name in given:
        if name not in table:
            raise UnknownNameError("column", name, map(str, table.columns))
    if given:
        doubled = table.duplicated([subject, reader])
        if doubled.any():
            who = table.loc[doubled, [subject, reader]].astype(str).agg(" by ".join, axis=1)
            raise AlignmentError(
                f"expected one reading a patient and reader; found {int(doubled.sum())} more "
                f"({short_list(who)}). Average them, or name the occasion as a reader."
            )
        table = table.pivot(index=subject, columns=reader, values=value)
    repeated = table.index[table.index.duplicated()]
    if len(repeated) or table.columns.has_duplicates:
        raise AlignmentError(
            f"expected each patient and reader once; found {len(repeated)} repeated patients "
            f"({short_list(repeated)}). Keep one row a patient."
        )
    if table.shape[1] < 2:
        raise DataError(
            f"expected two or more readers; found {table.shape[1]} "
            f"({short_list(table.columns)}). Agreement needs a second look at the same patients."
        )
    return table


def _order(
    wide: pd.DataFrame, categories: Sequence[Hashable] | None, *, ordered: bool
) -> list[Hashable] | None:
    """Categories in order, or None for measurements."""
    if categories is not None:
        return list(categories)
    first = wide.dtypes.iloc[0]
    if isinstance(first, pd.CategoricalDtype) and (wide.dtypes == first).all():
        if first.ordered or not ordered:
            return list(first.categories)
    kinds = wide.infer_objects().dtypes
    boolean = kinds.map(pd.api.types.is_bool_dtype)
    numeric = kinds.map(pd.api.types.is_numeric_dtype)
    if numeric.all() and not boolean.any():
        return None
    used = [value for value in pd.unique(wide.astype(object).to_numpy().ravel()) if pd.notna(value)]
    if ordered and not boolean.all():
        raise DataError(
            "expected the order of the categories, which weights need; found none for "
            f"{short_list(sorted(map(str, used)))}. Pass categories=[...] from one end to the "
            "other."
        )
    return sorted(used, key=str)


def _numbers(wide: pd.DataFrame) -> pd.DataFrame:
    values = wide.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        raise DataError(
            f"expected finite readings; found {int(np.isinf(values).sum())} infinite. Correct them "
            "or set them missing."
        )
    numbers = pd.DataFrame(values, index=wide.index, columns=wide.columns)
    spread = numbers.max() - numbers.min()
    constant = wide.columns[spread <= _ROUNDING * numbers.abs().max()]
    if len(constant):
        raise DataError(
            f"expected readings that differ between patients; found one value for all by "
            f"{short_list(constant)}. Check the column, or leave this reader out."
        )
    return numbers
