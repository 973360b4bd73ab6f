"""The maximum-margin hyperplane of two classes, from their inner products."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from radiogenomics.core.errors import AlignmentError, DataError, OutcomeError
from radiogenomics.stats.inputs import Floats, as_floats
from radiogenomics.stats.linear_models.svm_dual import HingeDual, HingePlane


def hinge_plane(gram: ArrayLike, sign: ArrayLike, *, C: float = 1.0) -> HingePlane:
    r"""Find the maximum-margin hyperplane of two classes from their inner products.

    Minimises :math:`\frac12 \lVert w \rVert^2 + C \sum_i \max(0, 1 - y_i (w \cdot x_i + b))` with
    :math:`y_i = \pm 1` and the intercept b not penalised: libsvm's C-SVC. The weights are
    :math:`w = \sum_i \beta_i x_i` with :math:`\beta` the ``dual``. They are unique; the dual is not
    where patients lie on each other. Depends on the scale of the features: standardise first.

    Cost grows with the number of patients (n^3, some 20 ms at 200), not with that of features.

    Parameters
    ----------
    gram : array-like of shape (n, n)
        Inner products of the patients' features, ``X @ X.T``.
    sign : array-like of shape (n,)
        1 and -1.
    C : float
        Weight of the losses, above 0.

    Returns
    -------
    HingePlane

    Raises
    ------
    DataError
        If the inner products are not finite and symmetric, or C is not above 0.
    AlignmentError
        If there is not one sign a patient.
    OutcomeError
        If signs are not 1 and -1, both present.

    References
    ----------
    Cortes & Vapnik 1995, doi:10.1007/BF00994018.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> found = hinge_plane(X @ X.T, [-1, -1, 1, 1], C=10)
    >>> (found.dual @ X).round(9).tolist(), round(found.intercept, 9)
    ([2.0], -3.0)
    """
    products = as_floats(gram, "inner products")
    if products.ndim != 2 or products.shape != products.T.shape:
        raise DataError(
            f"expected inner products of shape (n, n); found {products.shape}. Give X @ X.T."
        )
    if not np.isfinite(products).all() or not np.allclose(products, products.T):
        raise DataError(
            "expected finite, symmetric inner products; found others. Give X @ X.T of features "
            "without missing values."
        )
    signs = check_margin(sign, n=len(products), C=C)
    # Multipliers sum to zero, so centring changes the intercept only, and large means do no harm.
    middle = products.mean(axis=0)
    centred = products - middle - middle[:, None] + middle.mean()
    found = HingeDual(centred, signs, C=C, rank=len(products)).plane()
    return found._replace(intercept=found.intercept - float(middle @ found.dual))


def check_margin(sign: ArrayLike, *, n: int, C: float) -> Floats:
    """Signs as an array, if there are n of them and C makes sense.

    Parameters
    ----------
    sign : array-like of shape (n,)
    n : int
    C : float

    Returns
    -------
    ndarray of float, shape (n,)

    Raises
    ------
    AlignmentError
        If there is not one sign a patient.
    OutcomeError
        If signs are not 1 and -1, both present.
    DataError
        If C is not above 0.

    Examples
    --------
    >>> check_margin([1, -1], n=2, C=1.0)
    array([ 1., -1.])
    """
    signs = as_floats(sign, "signs")
    if signs.shape != (n,):
        raise AlignmentError(
            f"expected a sign for each of {n} patients; found shape {signs.shape}. Align them."
        )
    if set(np.unique(signs)) != {-1.0, 1.0}:
        raise OutcomeError(
            f"expected signs -1 and 1, both present; found {np.unique(signs)[:5].tolist()}. Code "
            "the two classes so."
        )
    if not (np.isfinite(C) and C > 0):
        raise DataError(f"C: expected a number above 0; found {C}. 1 is usual.")
    return signs
