r"""p-values of rank correlations that hold far out, where thousands of pairs are tested.

Student's t takes the null distribution of Spearman's rho for that of a correlation of normal
variables. Variances agree, and the tails of rho are longer, which is nothing at p = 0.05 and much
among thousands of pairs. Here the fourth moment is taken from ranks, too:

.. math:: E\rho^2 = \frac{1}{n - 1}, \qquad
          \frac{E\rho^4}{(E\rho^2)^2} = \beta =
          \frac{3\,(25 n^3 - 38 n^2 - 35 n + 72)}{25\,n\,(n + 1)(n - 1)}

and the symmetric beta distribution on :math:`(-a, a)` with these moments gives

.. math:: t = \rho \sqrt{\frac{d}{a^2 - \rho^2}}, \qquad d = \frac{3 (\beta - 1)}{3 - \beta},
          \qquad a^2 = \frac{d + 1}{n - 1}

with d degrees of freedom: Student's own formula with another d, and a > 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr

from radiogenomics.core.errors import DataError
from radiogenomics.stats.inputs import Floats, as_floats

_FEWEST = 4


def rank_correlation_p(rho: ArrayLike, freedom: int) -> Floats:
    """Two-sided p of Spearman's rho by four moments of its null distribution.

    Misleads below some 30 patients and p = 1e-5, where it is too large (a is above 1, so no rho is
    impossible), which errs on the safe side; and where many ranks are tied on both sides. Partial
    correlations are treated as if of so many patients less, which is an approximation, as it is for
    Student's t. For one test at p = 0.05, t serves as well.

    Parameters
    ----------
    rho : array-like
        -1 to 1.
    freedom
        n - 2 - k with k covariates; 2 or more.

    Raises
    ------
    DataError
        Fewer than 2 degrees of freedom.

    References
    ----------
    Pitman 1937, Supplement to the Journal of the Royal Statistical Society 4:225 (beta
    distributions for permuted correlations); David, Kendall & Stuart 1951, Biometrika 38:131
    (moments of rho).

    Examples
    --------
    >>> from radiogenomics.stats.association.units import correlation_p
    >>> rank_correlation_p([0.6], 58), correlation_p([0.6], 58)
    (array([7.86e-07]), array([4.05e-07]))
    """
    n = freedom + 2
    if n < _FEWEST:
        raise DataError(
            f"rank correlation: expected 2 degrees of freedom or more; found {freedom}. Add "
            "patients, or leave covariates out."
        )
    values = as_floats(rho, "rank correlations")
    beta = 3 * (25 * n**3 - 38 * n**2 - 35 * n + 72) / (25 * n * (n + 1) * (n - 1))
    d = 3 * (beta - 1) / (3 - beta)
    t = np.abs(values) * np.sqrt(d / ((d + 1) / (n - 1) - values**2))
    return np.asarray(2 * stdtr(d, -t))
