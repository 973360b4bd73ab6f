r"""Mantel's test: whether patients alike in one table are alike in another.

Mantel's r is the correlation of the n (n - 1) / 2 distances; its test relabels the patients of x,
because distances that share a patient are not independent. With a third matrix z

.. math:: r_{xy.z} = \frac{r_{xy} - r_{xz} r_{yz}}{\sqrt{(1 - r_{xz}^2)(1 - r_{yz}^2)}}

and each order gives new :math:`r_{xy}` and :math:`r_{xz}`, as in R's vegan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError, UnknownNameError
from radiogenomics.stats.association.relabelling import check_orders, relabelled_products
from radiogenomics.stats.association.units import unit_columns
from radiogenomics.stats.inputs import Floats, as_floats
from radiogenomics.stats.permutation import permutation_p
from radiogenomics.stats.ranks import midranks

Correlation = Literal["pearson", "spearman"]
Distance = Literal["euclidean", "correlation"]

# Distances asymmetric, or not zero on the diagonal, by less than this share are so by rounding.
_ROUNDING = 1e-8
_NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class MantelTest:
    """Correlation of two distance matrices with its permutation test.

    Parameters
    ----------
    value
        -1 to 1.
    p
        One-sided (greater) permutation p-value, (1 + k) / (1 + permutations).
    chance
        Mean of the null.
    null
        Shape (permutations,): values under the orders.
    partial
        Whether a third matrix was held constant.
    n
        Patients.
    """

    value: float
    p: float
    chance: float
    null: Floats
    partial: bool
    n: int


def mantel(
    x_distance: ArrayLike,
    y_distance: ArrayLike,
    *,
    orders: ArrayLike,
    method: Correlation = "pearson",
    beside: ArrayLike | None = None,
) -> MantelTest:
    """Mantel's r of two distance matrices, or partial r beside a third one.

    Values are small where a link of single columns would be called strong, and there is less power
    than in tests on the columns themselves. The partial test holds distances constant, not
    covariates: it is not valid where x and y both follow z strongly; then look at the RV
    coefficient beside covariates.

    Parameters
    ----------
    x_distance, y_distance : array-like of shape (n, n)
        Symmetric, zero on the diagonal; `distance_matrix` makes them.
    orders : array-like of int, shape (permutations, n)
        As ``permutations`` draws them; drawn within sites, the test is within sites.
    method
        Of the distances (``"pearson"``) or of their mid-ranks (``"spearman"``).
    beside : array-like of shape (n, n), optional
        Third distances.

    Raises
    ------
    DataError
        A matrix is not one of distances, of another size, or has equal distances only; x or y is
        a line of the third; an order is no permutation.
    UnknownNameError
        The method is not known.

    References
    ----------
    Mantel 1967, Cancer Research 27:209; Smouse, Long & Sokal 1986, Systematic Zoology 35:627;
    Guillot & Rousset 2013, Methods in Ecology and Evolution 4:336 (when partial tests mislead).

    Examples
    --------
    >>> x = distance_matrix([[1.0], [2.0], [4.0], [8.0]])
    >>> y = distance_matrix([[1.0], [3.0], [4.0], [6.0]])
    >>> found = mantel(x, y, orders=[[1, 0, 2, 3], [3, 2, 0, 1]])
    >>> round(found.value, 3), round(found.p, 3)
    (0.8, 0.333)
    """
    if method not in get_args(Correlation):
        raise UnknownNameError("correlation", method, get_args(Correlation))
    x = _unit(x_distance, "x_distance", method)
    rows = check_orders(orders, len(x))
    everyone = np.vstack([np.arange(len(x)), rows])
    y = _unit(y_distance, "y_distance", method, n=len(x))
    values = relabelled_products(x, y, everyone)
    if beside is not None:
        z = _unit(beside, "beside", method, n=len(x))
        values = _partial(values, relabelled_products(x, z, everyone), float((y * z).sum()))
    value, null = float(values[0]), values[1:]
    p = permutation_p(value, null)
    return MantelTest(value, p, float(null.mean()), null, beside is not None, len(x))


def distance_matrix(values: ArrayLike, *, kind: Distance = "euclidean") -> Floats:
    """Distances of patients by their standardised columns.

    Parameters
    ----------
    values : array-like of shape (n, columns)
        Complete, columns that vary. Standard deviations are over all n (divisor n - 1).
    kind
        ``"euclidean"``, or ``"correlation"``: 1 - Spearman's rho of two patients over the columns,
        0 to 2, which knows the profile of a patient and not its size; at least 3 columns.

    Returns
    -------
    ndarray of float, shape (n, n)
        Symmetric, zero on the diagonal.

    Raises
    ------
    DataError
        A value is missing or a column does not vary; fewer than 3 columns, or a patient whose
        columns are all equal, for ``"correlation"``.
    UnknownNameError
        The kind is not known.

    Examples
    --------
    >>> distance_matrix([[1.0], [2.0], [3.0]])
    array([[0., 1., 2.],
           [1., 0., 1.],
           [2., 1., 0.]])
    """
    if kind not in get_args(Distance):
        raise UnknownNameError("distance", kind, get_args(Distance))
    units = unit_columns(values, method="pearson")
    if kind == "euclidean":
        scaled = units * np.sqrt(len(units) - 1)
        squares = (scaled**2).sum(axis=1)
        apart = squares[:, None] + squares - 2 * scaled @ scaled.T
        distances = np.sqrt(np.maximum(apart, 0.0))
    else:
        profiles = _profiles(units)
        distances = np.clip(1 - profiles @ profiles.T, 0.0, 2.0)
    np.fill_diagonal(distances, 0.0)
    return np.asarray((distances + distances.T) / 2)


def _profiles(units: Floats) -> Floats:
    ranks = midranks(units)
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    if units.shape[1] < 3 or (length == 0).any():
        raise DataError(
            "expected at least 3 columns that differ within each patient for distances by rank "
            f"correlation; found {units.shape[1]} columns. Use euclidean distances."
        )
    return np.asarray(centred / length)


def _unit(distance: ArrayLike, what: str, method: str, *, n: int | None = None) -> Floats:
    """Centre distances (or ranks) off the diagonal, make them of length 1, and the diagonal 0."""
    table = as_floats(distance, what)
    square = table.ndim == 2 and table.shape[0] == table.shape[1] and len(table) >= 3
    size = np.abs(table).max(initial=0.0)
    good = square and np.isfinite(table).all()
    good = good and np.allclose(table, table.T, rtol=0, atol=_ROUNDING * size)
    if not good or np.abs(np.diag(table)).max() > _ROUNDING * size or n not in (None, len(table)):
        raise DataError(
            f"{what}: expected complete, symmetric distances of {n or 'at least 3'} patients, zero "
            f"on the diagonal; found shape {table.shape}. Make them with distance_matrix."
        )
    upper = np.triu_indices(len(table), 1)
    values = table[upper]
    if np.ptp(values) <= _NOTHING * size:
        raise DataError(
            f"{what}: expected distances that differ; found all {values.size} equal. Choose other "
            "columns."
        )
    values = midranks(values) if method == "spearman" else values
    values = values - values.mean()
    unit = np.zeros(table.shape)
    unit[upper] = values / np.sqrt(2 * (values**2).sum())
    return unit + unit.T


def _partial(xy: Floats, xz: Floats, yz: float) -> Floats:
    left = (1 - xz**2) * (1 - yz**2)
    if left[0] <= _ROUNDING:
        raise DataError(
            "expected distances that differ beside the third matrix; found x or y a line of it. "
            "Leave the covariates out that one of the tables holds."
        )
    # A relabelling that makes x a line of z leaves nothing to correlate.
    return np.divide(
        xy - xz * yz, np.sqrt(np.maximum(left, 0.0)), out=np.zeros_like(xy), where=left > 0
    )
