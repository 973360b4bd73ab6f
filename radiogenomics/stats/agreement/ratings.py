"""Categories that readers gave, as codes that can be counted."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radiogenomics.core.errors import DataError, UnknownNameError, short_list

Codes = NDArray[np.intp]


def coded_ratings(
    readers: Iterable[ArrayLike], *, categories: Sequence[Hashable] | None, ordered: bool
) -> tuple[tuple[Hashable, ...], Codes]:
    """Return the categories, and the place of each rating among them.

    Parameters
    ----------
    readers : iterable of array-like of shape (n,)
        Ratings of the same subjects: text, numbers or booleans; None or NaN is missing.
    categories
        All of them, in order. By default those used, sorted.
    ordered
        Whether the order matters; text then needs ``categories``.

    Returns
    -------
    categories : tuple
    codes : ndarray of int, shape (readers, n)
        -1 where missing.

    Raises
    ------
    DataError
        Readers differ in length; text without an order that is needed; numbers mixed with text.
    UnknownNameError
        A rating is not among the categories.

    Examples
    --------
    >>> coded_ratings([["b", None], ["a", "b"]], categories=None, ordered=False)
    (('a', 'b'), array([[ 1, -1],
           [ 0,  1]]))
    """
    ratings = [_ratings(values) for values in readers]
    if len({len(column) for column in ratings}) != 1:
        raise DataError(
            "expected one rating of each subject by each reader; found "
            f"{', '.join(str(len(column)) for column in ratings) or 'no'} ratings. Align the "
            "readers by subject."
        )
    order = _categories(ratings, categories, ordered=ordered)
    place = {category: position for position, category in enumerate(order)}
    codes = [[-1 if value is None else place[value] for value in column] for column in ratings]
    return order, np.array(codes, dtype=np.intp)


def _ratings(values: ArrayLike) -> list[Any]:
    """Ratings of one reader as plain objects, None where missing."""
    column = np.asarray(values, dtype=object)
    if column.ndim != 1:
        raise DataError(
            f"expected one rating a subject; found shape {column.shape}. Pass one column a reader."
        )
    return [None if value is None or _is_nan(value) else value for value in column.tolist()]


def _is_nan(value: object) -> bool:
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _categories(
    ratings: list[list[Any]], categories: Sequence[Hashable] | None, *, ordered: bool
) -> tuple[Hashable, ...]:
    used = {value for column in ratings for value in column if value is not None}
    if categories is not None:
        order = tuple(categories)
        if len(set(order)) != len(order) or len(order) < 2:
            raise DataError(
                f"expected two or more different categories; found {short_list(order)}. Name each "
                "once, in order."
            )
        for value in sorted(used - set(order), key=str):
            raise UnknownNameError("category", str(value), map(str, order))
        return order
    if ordered and any(isinstance(value, str) for value in used):
        raise DataError(
            "expected the order of the categories, which weights need; found text "
            f"({short_list(sorted(map(str, used)))}). Pass categories=[...] from one end to the "
            "other."
        )
    try:
        return tuple(sorted(used))
    except TypeError as error:
        raise DataError(
            f"expected ratings of one type; found a mixture ({short_list(map(repr, used))}). "
            "Code them alike."
        ) from error
