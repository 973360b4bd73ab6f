r"""RV coefficient: how far two tables place the same patients alike.

With centred tables and their inner products of patients :math:`A = XX^\top, B = YY^\top`,

.. math:: RV = \frac{\mathrm{tr}(AB)}{\sqrt{\mathrm{tr}(A^2)\,\mathrm{tr}(B^2)}}

is the squared correlation of two single columns, and for tables the sum of all squared covariances
over its largest value. Many columns of few patients have a high RV without any link. The adjusted
RV takes that level away: with :math:`c(A,B) = \mathrm{tr}(AB) - \mathrm{tr}A\,\mathrm{tr}B/d`,
whose second term is the mean of the first over all permutations, it is
:math:`c(A,B)/\sqrt{c(A,A)\,c(B,B)}`, d being n - 1 less the covariates. For standardised columns
this is the RV of Mayer and others, who put adjusted for plain squared correlations throughout.
Smilde's modified RV, without the diagonals, is not used: centring leaves it above 0 by chance where
columns outnumber patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError
from radiogenomics.stats.association.relabelling import Orders, check_orders, relabelled_products
from radiogenomics.stats.association.units import covariate_basis
from radiogenomics.stats.inputs import Floats, as_floats
from radiogenomics.stats.permutation import permutation_p

# Of a table of which less than this share is left beside the covariates nothing is left.
_NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class RVCoefficient:
    """RV coefficient of two tables with its permutation test.

    Parameters
    ----------
    value
        0 to 1; adjusted, -1 to 1.
    p
        One-sided (greater) permutation p-value, (1 + k) / (1 + permutations).
    chance
        Mean of the null: what tables without a link reach.
    null
        Shape (permutations,): values under the orders.
    adjusted
        Which of the two it is.
    n
        Patients.
    """

    value: float
    p: float
    chance: float
    null: Floats
    adjusted: bool
    n: int


@dataclass(frozen=True, eq=False)
class _Grams:
    """Inner products of patients, all that covariates and means explain taken out."""

    x: Floats
    y: Floats
    # Orthonormal, shape (n, covariates): what was taken out besides the means.
    basis: Floats

    @property
    def freedom(self) -> int:
        return len(self.x) - 1 - self.basis.shape[1]

    def spread(self, gram: Floats) -> float:
        """Sum of squares beyond what patients equally far from each other would have."""
        return float((gram**2).sum() - np.trace(gram) ** 2 / self.freedom)


def rv_coefficient(
    x: ArrayLike,
    y: ArrayLike,
    *,
    orders: ArrayLike,
    adjusted: bool = False,
    beside: ArrayLike | None = None,
) -> RVCoefficient:
    """RV coefficient of two tables of the same patients, and what it is by chance.

    Columns count by their variance: standardise them unless their units are one. One patient far
    from the others may make any RV high. With `beside`, both tables are taken beside the
    covariates by least squares, and residuals of x are permuted and taken beside them anew
    (Freedman and Lane): nearly, not exactly, valid, as all such tests. Plain and adjusted RV then
    have one p too, for the null of the plain one is the adjusted null with its level put back.

    Parameters
    ----------
    x : array-like of shape (n, p)
        Complete; its rows are permuted.
    y : array-like of shape (n, q)
        p and q may be far above n: nothing of size p × q is made.
    orders : array-like of int, shape (permutations, n)
        As ``permutations`` draws them; drawn within sites, the test is within sites.
    adjusted
        Whether to take the level by chance away.
    beside : array-like of shape (n, k), optional
        Covariates.

    Raises
    ------
    DataError
        A value is missing, shapes do not fit, a table does not vary (beside the covariates), or
        an order is no permutation.

    References
    ----------
    Robert & Escoufier 1976, Applied Statistics 25:257;
    Mayer, Lorent & Horgan 2011, doi:10.2202/1544-6115.1540;
    Smilde et al. 2009, doi:10.1093/bioinformatics/btn634;
    Winkler et al. 2014, doi:10.1016/j.neuroimage.2014.01.060 (permutation beside covariates).

    Examples
    --------
    >>> x, y = [[1.0], [2.0], [3.0], [5.0]], [[2.0], [1.0], [4.0], [5.0]]
    >>> found = rv_coefficient(x, y, orders=[[1, 0, 2, 3], [3, 2, 1, 0]])
    >>> round(found.value, 3), round(found.p, 3)
    (0.731, 0.667)
    """
    grams = _grams(x, y, beside)
    rows = check_orders(orders, len(grams.x))
    values = _adjusted(grams, np.vstack([np.arange(len(grams.x)), rows]))
    if not adjusted:
        values = _with_chance(grams, values)
    value, null = float(values[0]), values[1:]
    return RVCoefficient(
        value, permutation_p(value, null), float(null.mean()), null, adjusted, len(grams.x)
    )


def _grams(x: ArrayLike, y: ArrayLike, beside: ArrayLike | None) -> _Grams:
    first, second = _table(x, "x"), _table(y, "y")
    if len(first) != len(second):
        raise DataError(
            f"expected two tables of the same patients; found {len(first)} and {len(second)} rows. "
            "Align them by patient."
        )
    basis = covariate_basis(beside, len(first))
    grams = _Grams(_gram(first, basis, "x"), _gram(second, basis, "y"), basis)
    for gram, what in ((grams.x, "x"), (grams.y, "y")):
        if grams.spread(gram) <= _NOTHING * (gram**2).sum():
            raise DataError(
                f"{what}: expected patients at different distances from each other; found all "
                "equally far apart. Choose other columns."
            )
    return grams


def _with_chance(grams: _Grams, adjusted: Floats) -> Floats:
    """Plain RV of adjusted values: the level by chance put back, in the scale of these tables."""
    x, y = grams.x, grams.y
    chance = np.trace(x) * np.trace(y) / grams.freedom
    above = adjusted * np.sqrt(grams.spread(x) * grams.spread(y))
    return np.asarray((above + chance) / np.sqrt((x**2).sum() * (y**2).sum()))


def _table(values: ArrayLike, what: str) -> Floats:
    table = as_floats(values, what)
    if table.ndim != 2 or len(table) < 3 or not np.isfinite(table).all():
        raise DataError(
            f"{what}: expected complete numbers of at least 3 patients × columns; found shape "
            f"{table.shape} with {int((~np.isfinite(table)).sum())} missing. Impute them, or leave "
            "columns out."
        )
    return table


def _gram(table: Floats, basis: Floats, what: str) -> Floats:
    centred = table - table.mean(axis=0)
    left = centred - basis @ (basis.T @ centred)
    size = np.abs(table).max(initial=0.0)
    if np.abs(left).max(initial=0.0) <= _NOTHING * size or not left.size:
        raise DataError(
            f"{what}: expected columns that vary beside the covariates; found none of "
            f"{table.shape[1]}. Choose other columns or leave covariates out."
        )
    # Divided by its largest value: squares of squares of small numbers would vanish.
    left /= np.abs(left).max()
    return np.asarray(left @ left.T)


def _adjusted(grams: _Grams, orders: Orders) -> Floats:
    """Adjusted RV in each order of x, of which what covariates then explain is taken out."""
    a, b, basis = grams.x, grams.y, grams.basis
    count, k = len(orders), basis.shape[1]
    # A relabelled times the basis is A times the basis relabelled backwards, and then relabelled.
    back = basis[np.argsort(orders, axis=1)].transpose(1, 0, 2).reshape(len(a), count * k)
    along = (a @ back).reshape(len(a), count, k).transpose(1, 0, 2)
    along = np.take_along_axis(along, orders[:, :, None], axis=1)
    inner = basis.T @ along
    trace = np.trace(a) - np.trace(inner, axis1=1, axis2=2)
    square = (a**2).sum() - 2 * (along**2).sum(axis=(1, 2)) + (inner**2).sum(axis=(1, 2))
    # The kept table has nothing along the basis, so that the product needs no correction.
    above = relabelled_products(a, b, orders) - trace * np.trace(b) / grams.freedom
    spread = (square - trace**2 / grams.freedom) * grams.spread(b)
    return np.asarray(above / np.sqrt(spread))
