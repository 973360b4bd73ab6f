r"""Sparse canonical correlation by penalised matrix decomposition: few columns of two tables.

With columns standardised, weights of a pair maximise :math:`u^\top X^\top Y v` where both have
length at most 1 and sums of absolute weights at most :math:`c_1` and :math:`c_2`. In turns

.. math:: u \propto S(X^\top Y v, \Delta_1), \qquad v \propto S(Y^\top X u, \Delta_2)

with S the soft threshold and :math:`\Delta` the least that keeps to the bound, from the singular
vectors of :math:`X^\top Y` until weights no longer change: a local best, not always the best of
all. Each further pair is that of :math:`X^\top Y - \sum_j d_j u_j v_j^\top`,
:math:`d = u^\top X^\top Y v`; its scores are not quite uncorrelated with earlier ones. Only
products with single vectors are formed, never :math:`X^\top Y` itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.errors import DataError, RadiogenomicsWarning
from radiogenomics.stats.association.relabelling import check_orders
from radiogenomics.stats.association.sparse_pairs import (
    EXACT,
    correlate,
    first_correlations,
    sparse_pairs,
    stand_out,
)
from radiogenomics.stats.association.training_columns import TrainingColumns
from radiogenomics.stats.association.units import covariate_basis, unit_columns
from radiogenomics.stats.inputs import Floats, as_floats
from radiogenomics.stats.permutation import permutation_p


@dataclass(frozen=True, eq=False)
class SparseCCA:
    """Sparse canonical pairs of two tables.

    Parameters
    ----------
    x_weights, y_weights
        Shapes (p, components) and (q, components), of length 1, for standardised columns; mostly
        0. The largest of x in each component is positive.
    correlations
        Shape (components,): of the scores of these very patients, hence far too high. What they
        are in others, `cross_validated_cca` says.
    shares
        Bounds of x and y as shares of the square roots of p and q.
    """

    x_weights: Floats
    y_weights: Floats
    correlations: Floats
    shares: tuple[float, float]


@dataclass(frozen=True, eq=False)
class PenaltyChoice:
    """Penalties judged by permutation.

    Parameters
    ----------
    shares
        Shape (candidates,).
    correlations
        Of the first pair, in the patients themselves.
    z
        Fisher's z of the correlation, less its mean, by its standard deviation in permutations.
    p
        Permutation p of each; that of the best is too small, as it was chosen.
    best
        Share with the largest z.
    """

    shares: Floats
    correlations: Floats
    z: Floats
    p: Floats
    best: float


def sparse_cca(
    x: ArrayLike,
    y: ArrayLike,
    *,
    shares: tuple[float, float] = (0.3, 0.3),
    components: int = 1,
    beside: ArrayLike | None = None,
) -> SparseCCA:
    r"""First sparse canonical pairs of two tables of the same patients.

    A share of 1 binds nothing: the first pair is then that of partial least squares. Columns of a
    table are treated as if uncorrelated, so the value is a covariance made large, not a
    correlation. Singular vectors do not see a link of a few among thousands of columns, and what
    starts at them may miss it: search columns one by one for such. Which of two columns alike has
    weight is chance: look whether weights stay when patients are resampled before reading them.

    Parameters
    ----------
    x, y : array-like of shape (n, p), (n, q)
        Complete, columns that vary.
    shares : (float, float)
        :math:`c_1/\sqrt p` and :math:`c_2/\sqrt q`, above 0, at most 1. 0.1 to 0.7 are usual; a
        bound below 1 is 1, a single column.
    components : int
    beside : array-like of shape (n, k), optional
        Covariates, taken out of both tables.

    Raises
    ------
    DataError
        Shapes, shares or components do not fit, a value is missing or a column does not vary.

    References
    ----------
    Witten, Tibshirani & Hastie 2009, doi:10.1093/biostatistics/kxp008.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> factor = rng.normal(size=(60, 1))
    >>> x, y = (factor * (np.arange(9) < 3) + rng.normal(size=(60, 9)) for _ in range(2))
    >>> np.flatnonzero(sparse_cca(x, y, shares=(0.5, 0.5)).x_weights[:, 0])
    array([0, 1, 2])
    """
    first, second = paired_units(x, y, beside=beside)
    chosen = check_shares(shares)
    if chosen.size != 2:
        raise DataError(f"expected a share for x and one for y; found {chosen.size}. Give both.")
    basis = whole_basis(beside, len(first))
    check_components(components, min(*first.shape, second.shape[1], len(basis) - basis.shape[1]))
    rows = np.arange(len(first))
    columns = [TrainingColumns.build(table, rows, basis) for table in (first, second)]
    pairs = sparse_pairs(*columns, shares=chosen[None], components=components)
    if not pairs.settled:
        _warn_unsettled()
    scores = [[part.scores(w) for w in of] for part, of in zip(columns, pairs[:2], strict=True)]
    together = [float(correlate(a, b)[0]) for a, b in zip(*scores, strict=True)]
    used = float(chosen[0]), float(chosen[1])
    return SparseCCA(pairs.x[:, 0].T, pairs.y[:, 0].T, np.array(together), used)


def _warn_unsettled() -> None:
    warnings.warn(
        f"sparse CCA still moved after {EXACT.turns} turns: two directions are nearly as good. "
        "Do not read its weights; choose a smaller share.",
        RadiogenomicsWarning,
        stacklevel=3,
    )


def choose_penalty(
    x: ArrayLike,
    y: ArrayLike,
    *,
    orders: ArrayLike,
    shares: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7),
    beside: ArrayLike | None = None,
) -> PenaltyChoice:
    """Choose the penalty, the same share for both tables, by permutation.

    For each share the first pair is found in the patients as they are and with rows of x permuted;
    the share whose correlation stands out most, as z, is taken. With few permutations z is rough,
    and shares of nearly the same z are equally good. The choice uses all patients given: for a
    number out of sample let `cross_validated_cca` choose in each training part.

    Parameters
    ----------
    x, y : array-like of shape (n, p), (n, q)
    orders : array-like of int, shape (permutations, n)
        25 or so are usual, at least 2.
    shares : sequence of float
        Candidates, above 0, at most 1.
    beside : array-like of shape (n, k), optional

    Raises
    ------
    DataError
        As `sparse_cca`.

    References
    ----------
    Witten, Tibshirani & Hastie 2009, doi:10.1093/biostatistics/kxp008.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> factor = rng.normal(size=(60, 1))
    >>> x, y = (factor * (np.arange(9) < 3) + rng.normal(size=(60, 9)) for _ in range(2))
    >>> orders = rng.permuted(np.tile(np.arange(60), (25, 1)), axis=1)
    >>> choose_penalty(x, y, orders=orders, shares=(0.4, 0.6, 0.8)).p.round(3)
    array([0.038, 0.038, 0.038])
    """
    first, second = paired_units(x, y, beside=beside)
    rows = np.vstack([np.arange(len(first)), check_orders(orders, len(first))])
    if len(rows) < 3:
        raise DataError("expected at least 2 orders to choose by; found 1. Use 25.")
    candidates = check_shares(shares)
    kept = TrainingColumns.build(second, rows[0], whole_basis(beside, len(first)))
    found = np.array([first_correlations(first, kept, rows, share=s) for s in candidates])
    z = stand_out(found)
    p = np.array([permutation_p(each[0], each[1:]) for each in found])
    return PenaltyChoice(candidates, found[:, 0], z, p, float(candidates[np.argmax(z)]))


def paired_units(x: ArrayLike, y: ArrayLike, *, beside: ArrayLike | None) -> tuple[Floats, Floats]:
    """Both tables centred and beside the covariates, columns of length 1, rows as many."""
    first, second = (unit_columns(table, method="pearson", beside=beside) for table in (x, y))
    if len(first) != len(second):
        raise DataError(
            f"expected two tables of the same patients; found {len(first)} and {len(second)} rows. "
            "Align them by patient."
        )
    return first, second


def whole_basis(beside: ArrayLike | None, n: int) -> Floats:
    """Orthonormal columns that span the constant and the covariates, shape (n, k + 1)."""
    return np.insert(covariate_basis(beside, n), 0, 1 / np.sqrt(n), axis=1)


def check_shares(shares: Sequence[float]) -> Floats:
    """Return penalties as shares above 0 and at most 1, or say that they are not."""
    values = np.atleast_1d(as_floats(shares, "shares"))
    if values.ndim != 1 or not values.size or not ((values > 0) & (values <= 1)).all():
        raise DataError(
            f"expected penalties as shares above 0, at most 1; found {shares!r}. 0.1 to 0.7 are "
            "usual; 1 binds nothing."
        )
    return values


def check_components(components: int, most: int) -> None:
    """Raise DataError unless the tables have so many components."""
    if not 1 <= components <= most:
        raise DataError(
            f"expected 1 to {most} components of such tables; found {components}. Ask for fewer."
        )
